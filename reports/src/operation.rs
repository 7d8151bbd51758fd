//! Operations that users wait for, their endings, and the windows of a run.
//!
//! Owns the names under which reports show them. Refuses to know what the cluster did in the meantime.

/// An operation that a user waits for: one intention with all its retries, measured from the instant at which the user
/// meant to act, so that a stalled client hides no wait (coordinated omission).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// Waiting room of people who are admitted: from arrival to admission.
    Queue,
    /// Waiting room of people who are not: from arrival until they are told that nothing is left, or give up.
    TurnedAway,
    /// Getting seats held.
    Hold,
    /// Turning a paid hold into a booking.
    Confirm,
    /// Releasing a hold.
    Release,
    /// The whole purchase: from the first intended hold to the booking.
    Purchase,
}

impl Operation {
    /// All of them, in the order of reports.
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
    /// It was granted.
    Granted,
    /// The cluster refused it.
    Refused,
    /// The cluster was overloaded and did not queue it.
    Overloaded,
    /// No leader could be reached in time.
    Unavailable,
    /// The gateway was on the smaller side of a split.
    Minority,
    /// The user stopped waiting.
    GaveUp,
}

impl Ending {
    /// All of them, in the order of reports.
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

/// The part of a run that a figure covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// All operations of the run.
    Whole,
    /// Operations that overlap a fault.
    InFaults,
    /// The other operations.
    OutsideFaults,
}

impl Window {
    /// All of them, in the order of reports.
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
