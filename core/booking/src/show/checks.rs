//! What a show checks before it changes.
//!
//! Owns the choices and what each means; the defaults are what the promises of this crate
//! rest on, everything else is what other systems do. Refuses to know how a check is made.

use crate::choices;
use crate::time::Span;

/// What a show checks before it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// How a repeated request is handled.
    pub repeats: Repeats,
    /// Which holds a confirmation makes a booking.
    pub confirms: Honours,
    /// Which holds' seats a release frees.
    pub releases: Honours,
    /// Whether a wish is met as a whole or not at all.
    pub orders: Orders,
    /// How long before its time and grace are over the server ends a hold all the same; at
    /// most as long as both together.
    pub early: Span,
    /// What a record does that does not fit the state.
    pub unfit: Unfit,
}

choices! {
    /// How a repeated request is handled.
    pub enum Repeats {
        /// By its id: it gets the first answer again.
        Recognised,
        /// As a new request: it makes another hold or booking.
        ExecutedAgain,
    }
}

choices! {
    /// Which holds a request still applies to.
    pub enum Honours {
        /// Live holds.
        LiveHolds,
        /// Every hold that is remembered, ended or not.
        AnyHold,
    }
}

choices! {
    /// Whether a wish is met as a whole or not at all.
    pub enum Orders {
        /// All seats of the wish, or none.
        Whole,
        /// As many as there are.
        Partial,
    }
}

/// What a record does that does not fit the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It cannot be: the journal is broken.
    IsBroken,
    /// It takes effect all the same, as an update by key does: the last writer wins.
    Overwrites,
}

impl Checks {
    /// Nothing changes that does not fit.
    pub const COMPLETE: Self = Self {
        repeats: Repeats::Recognised,
        confirms: Honours::LiveHolds,
        releases: Honours::LiveHolds,
        orders: Orders::Whole,
        early: Span::ZERO,
        unfit: Unfit::IsBroken,
    };

    /// Whether every change that is decided fits the state that it was decided on.
    pub fn are_complete(&self) -> bool {
        self.repeats == Repeats::Recognised
            && self.confirms == Honours::LiveHolds
            && self.releases == Honours::LiveHolds
    }
}
