//! The oracles by name, in the order of reports.
//!
//! Owns the list that scenarios demand from, that judges answer with and that exit codes look at. Refuses to know
//! what any of them judges.

/// A judge of a run, or a verdict on one that did not come to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Oracle {
    /// No seat is sold twice.
    DoubleBooking,
    /// No acknowledged booking is lost.
    LostBooking,
    /// A request is granted whole or not at all.
    Atomic,
    /// A hold lasts as long as it was promised to, and no longer.
    Hold,
    /// All answers fit one order of the requests.
    Linearizable,
    /// One writer a term, and a log without gaps.
    SingleWriter,
    /// After calm everything comes to its end.
    Live,
    /// Nobody reads facts back in time, and all nodes agree in the end.
    Facts,
    /// The scenario's own limits on waits are kept.
    Latency,
    /// No assertion inside the code broke.
    Invariant,
    /// The run did not exceed what it may do.
    Budget,
}

impl Oracle {
    /// Those that a scenario can demand to have been exercised.
    pub const DEMANDABLE: [Self; 9] = [
        Self::DoubleBooking,
        Self::LostBooking,
        Self::Atomic,
        Self::Hold,
        Self::Linearizable,
        Self::SingleWriter,
        Self::Live,
        Self::Facts,
        Self::Latency,
    ];

    /// The name in scenarios and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DoubleBooking => "double-booking",
            Self::LostBooking => "lost-booking",
            Self::Atomic => "atomic",
            Self::Hold => "hold",
            Self::Linearizable => "linearizable",
            Self::SingleWriter => "single-writer",
            Self::Live => "live",
            Self::Facts => "facts",
            Self::Latency => "latency",
            Self::Invariant => "invariant",
            Self::Budget => "budget",
        }
    }
}
