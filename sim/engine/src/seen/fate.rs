//! The fates of people, and of the requests that bad manners add.
//!
//! Owns the list of fates, their names in reports, and their counts. Refuses to know the causes.

use std::collections::BTreeMap;

/// Number of requests that ill-mannered people added to their sessions, by habit and answer.
pub type Told = BTreeMap<&'static str, BTreeMap<&'static str, u64>>;

/// How a person's visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Has tickets.
    Booked,
    /// Was told that nothing is left.
    SoldOut,
    /// Found no free seats often enough.
    NoLuck,
    /// Left a full cart.
    Abandoned,
    /// The card was declined.
    Declined,
    /// The timer ended before the payment.
    TooSlow,
    /// Paid, but the hold was gone: refunded.
    HoldLost,
    /// Got no answer often enough.
    GaveUp,
    /// Paid and never got an answer.
    Unknown,
    /// Did not come when called.
    NoShow,
    /// Left the waiting room.
    LeftRoom,
    /// Was in the waiting room when the sale ended.
    TurnedAway,
    /// Left a show that had gone quiet.
    WalkedAway,
}

/// Number of people by fate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fates([u64; Fate::ALL.len()]);

impl Fate {
    /// Every fate, in the order of the report.
    pub const ALL: [Self; 13] = [
        Self::Booked,
        Self::SoldOut,
        Self::NoLuck,
        Self::Abandoned,
        Self::Declined,
        Self::TooSlow,
        Self::HoldLost,
        Self::GaveUp,
        Self::Unknown,
        Self::NoShow,
        Self::LeftRoom,
        Self::TurnedAway,
        Self::WalkedAway,
    ];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::SoldOut => "told sold out",
            Self::NoLuck => "found no free seats",
            Self::Abandoned => "abandoned the cart",
            Self::Declined => "card declined",
            Self::TooSlow => "timer ran out",
            Self::HoldLost => "hold lost, refunded",
            Self::GaveUp => "gave up without an answer",
            Self::Unknown => "paid, answer unknown",
            Self::NoShow => "did not come when called",
            Self::LeftRoom => "left the waiting room",
            Self::TurnedAway => "turned away from the waiting room",
            Self::WalkedAway => "left a show gone quiet",
        }
    }
}

impl Fates {
    /// Counts a person with this fate.
    pub const fn count(&mut self, fate: Fate) {
        self.0[fate as usize] += 1;
    }

    /// Number of people with this fate.
    pub const fn of(&self, fate: Fate) -> u64 {
        self.0[fate as usize]
    }

    /// Number of people who have left.
    pub fn ended(&self) -> u64 {
        self.0.iter().sum()
    }
}
