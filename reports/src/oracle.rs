//! The oracles by name, in the order of reports.
//!
//! Owns the list that scenarios demand from, that judges answer with and that exit codes look at. Refuses to know
//! what any of them judges.

macro_rules! oracles {
    ($($(#[doc = $doc:literal])* $oracle:ident = $name:literal;)*) => {
        /// A judge of a run, or a verdict on one that did not come to its end.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Oracle {
            $($(#[doc = $doc])* $oracle,)*
        }

        impl Oracle {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$oracle),*];

            /// The name in scenarios and reports.
            pub const fn name(self) -> &'static str {
                match self {$(Self::$oracle => $name,)*}
            }

            /// What it watches over, in a sentence.
            pub const fn meaning(self) -> &'static str {
                match self {$(Self::$oracle => concat!($($doc),*).trim_ascii(),)*}
            }
        }
    };
}

oracles! {
    /// No seat is sold twice.
    DoubleBooking = "double-booking";
    /// No acknowledged booking is lost.
    LostBooking = "lost-booking";
    /// A request is granted whole or not at all.
    Atomic = "atomic";
    /// A hold lasts as long as it was promised to, and no longer.
    Hold = "hold";
    /// All answers fit one order of the requests.
    Linearizable = "linearizable";
    /// No free seat is refused, and sold out is said where it is due.
    FalseSoldOut = "false-sold-out";
    /// One writer an epoch, and a log without gaps.
    SingleWriter = "single-writer";
    /// A request that nothing interrupts is answered, and after calm everything comes to its end.
    Live = "live";
    /// No promise leaves a node before disks hold it.
    Durable = "durable";
    /// Logs keep Raft's own properties.
    Raft = "raft";
    /// At most one reply an attempt, and nothing waits for ever.
    Reply = "reply";
    /// Failover, lead transfer, refusal and retry take what settings and faults explain.
    Prompt = "prompt";
    /// Nobody reads facts back in time, and all nodes agree in the end.
    Facts = "facts";
    /// The scenario's own limits on waits are kept.
    Latency = "latency";
    /// No assertion inside the code broke.
    Invariant = "invariant";
    /// The run did not exceed what it may do.
    Budget = "budget";
}

impl Oracle {
    /// Those that a scenario can demand to have been exercised.
    pub const DEMANDABLE: [Self; 14] = [
        Self::DoubleBooking,
        Self::LostBooking,
        Self::Atomic,
        Self::Hold,
        Self::Linearizable,
        Self::FalseSoldOut,
        Self::SingleWriter,
        Self::Live,
        Self::Durable,
        Self::Raft,
        Self::Reply,
        Self::Prompt,
        Self::Facts,
        Self::Latency,
    ];
}
