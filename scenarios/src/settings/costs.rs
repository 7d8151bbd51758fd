//! `[costs]`: what each kind of work costs a core.
//!
//! Owns the costs. Refuses to know how cores are shared.

use std::ops::RangeInclusive;

use onsale_booking::Span;

use crate::setting::settings;
use crate::timing::Timing;

/// No work takes longer.
const UP_TO_A_MINUTE: RangeInclusive<Span> = Span::ZERO..=Span::from_secs(60);

settings! {
    /// CPU time of each kind of work, on one core. What costs nothing waits for no core.
    pub section Costs {
        /// A gateway takes in a request and routes it, or a node a question about facts.
        route: Timing = Timing::Constant(Span::from_micros(4)), assumed, in UP_TO_A_MINUTE;
        /// A gateway hands back a reply. Left out, as much as `route`.
        reply: Option<Timing>, in UP_TO_A_MINUTE;
        /// A leader decides a command.
        decide: Timing = Timing::Constant(Span::from_micros(10)), assumed, in UP_TO_A_MINUTE;
        /// A node takes in one journal message.
        journal_message: Timing = Timing::Constant(Span::from_micros(4)), assumed, in UP_TO_A_MINUTE;
        /// A node takes in a beat.
        beat: Timing = Timing::Constant(Span::from_micros(1)), assumed, in UP_TO_A_MINUTE;
        /// A node learns that a write is durable and applies what that commits.
        persisted: Timing = Timing::Constant(Span::from_micros(3)), assumed, in UP_TO_A_MINUTE;
        /// A node starts: reading its log back, a MiB.
        recover_mib: Timing = Timing::Constant(Span::from_millis(5)), assumed, in UP_TO_A_MINUTE;
    }
}
