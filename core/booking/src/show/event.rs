//! What happens to a show's seats, and what a request comes to.
//!
//! Owns the vocabulary between the one who decides, the journal and the one who
//! applies. Refuses to know how either is done.

use serde::{Deserialize, Serialize};

use crate::id::{HoldId, PaymentId, RequestId, UserId};
use crate::request::Outcome;
use crate::seat_list::SeatList;
use crate::time::Instant;

/// A change of a show. What is journaled; a show is the fold of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Seats left the market for a user.
    Held {
        /// The hold, named after the request that it answers.
        hold: HoldId,
        /// The user who holds the seats.
        user: UserId,
        /// All seats of the wish.
        seats: SeatList,
        /// When it was decided.
        at: Instant,
        /// When the user's timer ends; the server waits its grace longer.
        expires: Instant,
    },
    /// A hold became a booking.
    Booked {
        /// The request that it answers.
        request: RequestId,
        /// The hold.
        hold: HoldId,
        /// What it was paid with.
        payment: PaymentId,
        /// When it was decided.
        at: Instant,
    },
    /// A hold ended at the user's wish.
    Released {
        /// The request that it answers.
        request: RequestId,
        /// The hold.
        hold: HoldId,
        /// When it was decided.
        at: Instant,
    },
    /// A hold ended because its time and the grace were over.
    Expired {
        /// The hold.
        hold: HoldId,
        /// When it was decided: at or after the hold's end.
        at: Instant,
    },
}

impl Event {
    /// The hold concerned.
    pub fn hold(&self) -> HoldId {
        match self {
            Self::Held { hold, .. }
            | Self::Booked { hold, .. }
            | Self::Released { hold, .. }
            | Self::Expired { hold, .. } => *hold,
        }
    }

    /// When it was decided, on the clock of the leader of the day.
    pub fn at(&self) -> Instant {
        match self {
            Self::Held { at, .. }
            | Self::Booked { at, .. }
            | Self::Released { at, .. }
            | Self::Expired { at, .. } => *at,
        }
    }

    /// The request that the event answers; an expiry answers none.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Self::Held { hold, .. } => Some(RequestId(hold.0)),
            Self::Booked { request, .. } | Self::Released { request, .. } => Some(*request),
            Self::Expired { .. } => None,
        }
    }
}

/// What a request comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Something changes: journal the event, apply it, and answer with
    /// [`Show::outcome`](crate::Show::outcome).
    Record(Event),
    /// Nothing changes: there is nothing to journal.
    Answer(Outcome),
}
