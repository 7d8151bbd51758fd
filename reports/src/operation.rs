//! What users wait for, how a wait ends, and which part of the run it fell in.
//!
//! Owns the names under which the reports show them. Refuses to know what the
//! cluster did in the meantime.

/// Something that a user waits for. Each is one intention with all its retries, measured from
/// the instant at which the user meant to act, so that a stalled client hides no wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// The waiting room of those who are let in: from arrival to admission.
    Queue,
    /// The waiting room of those who are not: from arrival until they are told that nothing is left, or give up.
    TurnedAway,
    /// Getting seats held.
    Hold,
    /// Turning a paid hold into a booking.
    Confirm,
    /// Giving a hold back.
    Release,
    /// The whole purchase: from the first intended hold to the booking.
    Purchase,
}

impl Operation {
    /// All, in the order of the reports.
    pub const ALL: [Self; 6] =
        [Self::Queue, Self::TurnedAway, Self::Hold, Self::Confirm, Self::Release, Self::Purchase];

    /// The name in tables, keys and tags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::TurnedAway => "turned-away",
            Self::Hold => "hold",
            Self::Confirm => "confirm",
            Self::Release => "release",
            Self::Purchase => "purchase",
        }
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// The user got it.
    Granted,
    /// The cluster decided against it.
    Refused,
    /// The cluster declined to queue it.
    Overloaded,
    /// No leader could be reached in time.
    Unavailable,
    /// The gateway was on the smaller side of a split.
    Minority,
    /// The user stopped waiting.
    GaveUp,
}

impl Ending {
    /// All, in the order of the reports.
    pub const ALL: [Self; 6] = [
        Self::Granted,
        Self::Refused,
        Self::Overloaded,
        Self::Unavailable,
        Self::Minority,
        Self::GaveUp,
    ];

    /// The name in tables and keys.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::Minority => "minority",
            Self::GaveUp => "gave_up",
        }
    }
}

/// Which operations a figure covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// All of the run.
    Whole,
    /// Those during any part of which a fault was on.
    InFaults,
    /// The others.
    OutsideFaults,
}

impl Window {
    /// All, in the order of the reports.
    pub const ALL: [Self; 3] = [Self::Whole, Self::InFaults, Self::OutsideFaults];

    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Whole => "whole",
            Self::InFaults => "in-faults",
            Self::OutsideFaults => "outside-faults",
        }
    }
}
