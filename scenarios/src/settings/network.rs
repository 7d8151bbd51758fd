//! `[network]`: how messages travel.
//!
//! Owns latencies, and loss, duplicates and reordering without a fault. Refuses to know the links.

use onsale_booking::Span;

use crate::human::SPAN_MAX;
use crate::ratio::Ratio;
use crate::setting::settings;
use crate::timing::Timing;

settings! {
    /// How messages travel.
    pub section Network {
        /// One-way latency between nodes of one zone.
        within_zone: Timing = Timing::Constant(Span::from_micros(150)), assumed, in Span::ZERO..=SPAN_MAX;
        /// One-way latency between nodes of two zones.
        between_zones: Timing = Timing::Constant(Span::from_millis(1)), assumed, in Span::ZERO..=SPAN_MAX;
        /// One-way latency between clients and nodes; at least `quantum`.
        client: Timing = Timing::Constant(Span::from_millis(20)), assumed, in Span::ZERO..=SPAN_MAX;
        /// Uniform jitter on top, as a share of the latency.
        jitter: Ratio = Ratio::new(1, 5), assumed;
        /// Share of messages in the tail.
        tail: Ratio = Ratio::new(1, 100), assumed;
        /// Factor by which messages in the tail take longer.
        tail_factor: u32 = 8, assumed, in 1..=100_000, unit "times";
        /// Share of messages lost, below 100%.
        loss: Ratio = Ratio::NEVER, chosen;
        /// Share of messages delivered twice.
        duplicate: Ratio = Ratio::NEVER, chosen;
        /// Share of messages that others on the same link may overtake.
        reorder: Ratio = Ratio::NEVER, chosen;
    }
}
