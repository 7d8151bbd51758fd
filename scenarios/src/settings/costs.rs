//! `[costs]`: what each kind of work costs a core.
//!
//! Owns the costs. Refuses to know how cores are shared.

use std::ops::RangeInclusive;

use onsale_booking::Span;

use crate::setting::settings;
use crate::timing::Timing;

/// Bounds of each cost.
const UP_TO_A_MINUTE: RangeInclusive<Span> = Span::ZERO..=Span::from_secs(60);

settings! {
    /// CPU time of each kind of work, on one core. Work that costs nothing waits for no core.
    pub section Costs {
        /// A gateway receives and routes a request, or a node receives a question about facts.
        route: Timing = Timing::Constant(Span::from_micros(4)), assumed, in UP_TO_A_MINUTE;
        /// A gateway returns a reply; default: as much as `route`.
        reply: Option<Timing>, in UP_TO_A_MINUTE;
        /// A leader decides a request.
        decide: Timing = Timing::Constant(Span::from_micros(10)), assumed, in UP_TO_A_MINUTE;
        /// A node receives one journal message.
        journal_message: Timing = Timing::Constant(Span::from_micros(4)), assumed, in UP_TO_A_MINUTE;
        /// A node receives a heartbeat.
        beat: Timing = Timing::Constant(Span::from_micros(1)), assumed, in UP_TO_A_MINUTE;
        /// A node learns that a write is durable and applies the records that this commits.
        persisted: Timing = Timing::Constant(Span::from_micros(3)), assumed, in UP_TO_A_MINUTE;
        /// A starting node reads back one MiB of its log.
        recover_mib: Timing = Timing::Constant(Span::from_millis(5)), assumed, in UP_TO_A_MINUTE;
    }
}
