//! The checks that a show makes before it changes.
//!
//! Owns the choices and their meaning. The promises of this crate rest on the defaults; the other choices are habits of
//! other systems. Refuses to know how a check is made.

use crate::choices;
use crate::time::Span;

/// The checks that a show makes before it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// How a repeated request is handled.
    pub repeats: Repeats,
    /// Which holds a confirmation turns into a booking.
    pub confirms: Honours,
    /// Which holds a release ends.
    pub releases: Honours,
    /// Whether an order may be granted in part.
    pub orders: Orders,
    /// Time by which the server ends a hold too early; at most its time and grace together.
    pub early: Span,
    /// What happens on a record that does not fit the state.
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
    /// The holds that a request still applies to.
    pub enum Honours {
        /// Live holds.
        LiveHolds,
        /// Any hold that is remembered, live or ended.
        AnyHold,
    }
}

choices! {
    /// Whether an order may be granted in part.
    pub enum Orders {
        /// No: all seats or none are granted.
        Whole,
        /// Yes: as many seats as there are.
        Partial,
    }
}

/// What happens on a record that does not fit the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// It panics: the journal is broken.
    IsBroken,
    /// It takes effect anyway, like an update by key: the last writer wins.
    Overwrites,
}

impl Checks {
    /// No change that does not fit its state.
    pub const COMPLETE: Self = Self {
        repeats: Repeats::Recognised,
        confirms: Honours::LiveHolds,
        releases: Honours::LiveHolds,
        orders: Orders::Whole,
        early: Span::ZERO,
        unfit: Unfit::IsBroken,
    };

    /// Whether every decided change fits the state that it was decided on.
    pub fn are_complete(&self) -> bool {
        self.repeats == Repeats::Recognised
            && self.confirms == Honours::LiveHolds
            && self.releases == Honours::LiveHolds
    }
}
