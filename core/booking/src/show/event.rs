//! The events of a show, and the decisions on requests.
//!
//! Owns the vocabulary between the decider, the journal and the replicas that apply. Refuses to know how each works.

use serde::{Deserialize, Serialize};

use crate::id::{HoldId, PaymentId, RequestId, UserId};
use crate::request::Outcome;
use crate::seat_list::SeatList;
use crate::time::Instant;

/// A change of a show, as it is journaled; a show is the fold of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Seats left the market for a user.
    Held {
        /// The hold, named after the request that it answers.
        hold: HoldId,
        /// The user who holds the seats.
        user: UserId,
        /// The seats of the wish.
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
        /// The payment.
        payment: PaymentId,
        /// When it was decided.
        at: Instant,
    },
    /// The user ended the hold.
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

    /// When it was decided, on the clock of the leader of that time.
    pub fn at(&self) -> Instant {
        match self {
            Self::Held { at, .. }
            | Self::Booked { at, .. }
            | Self::Released { at, .. }
            | Self::Expired { at, .. } => *at,
        }
    }

    /// The request that the event answers; `None` for an expiry.
    pub fn request(&self) -> Option<RequestId> {
        match self {
            Self::Held { hold, .. } => Some(RequestId(hold.0)),
            Self::Booked { request, .. } | Self::Released { request, .. } => Some(*request),
            Self::Expired { .. } => None,
        }
    }
}

/// The decision on a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Something changes: journal the event, apply it, and answer with
    /// [`Show::outcome`](crate::Show::outcome).
    Record(Event),
    /// Nothing changes: there is nothing to journal.
    Answer(Outcome),
}
