//! Where things happen: the places of a run, how a process is, and how a message fares between two places.
//!
//! Owns the vocabulary alone. Refuses to know who stands at a place, and what is carried.

use onsale_booking::Span;

/// A place on the network.
pub type Place = usize;
/// The clients' place.
pub const CLIENTS: Place = 0;

/// How a node's process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// It runs.
    Up,
    /// It stands still.
    Paused,
    /// It is dead.
    Down,
}

/// How a message fares, had it left now: the latency of each copy that arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// The message, unless it is lost.
    pub first: Option<Span>,
    /// Its duplicate.
    pub second: Option<Span>,
    /// What faults did to it.
    pub befell: Befell,
}

/// What faults in force did to a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Befell(pub(crate) u8);

impl Befell {
    pub(crate) const CUT: u8 = 1;
    pub(crate) const LOST: u8 = 1 << 1;
    pub(crate) const LOST_ONE_WAY: u8 = 1 << 2;
    pub(crate) const DUPLICATED: u8 = 1 << 3;
    pub(crate) const REORDERED: u8 = 1 << 4;
    pub(crate) const SLOWED: u8 = 1 << 5;

    /// Whether they did nothing to it.
    #[inline]
    pub fn is_nothing(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn is(self, what: u8) -> bool {
        self.0 & what != 0
    }
}
