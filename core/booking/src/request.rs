//! The booking API: the requests and replies of a client.
//!
//! Owns the vocabulary between clients and the cluster. Refuses to know how a request travels or which node decides it:
//! rival designs answer the same API.

use serde::{Deserialize, Serialize};

use crate::best_seats::BestSeats;
use crate::id::{HoldId, PaymentId, RequestId, ShowId, UserId};
use crate::seat_list::SeatList;
use crate::time::Instant;

/// One intention of one user. Retries repeat it whole, id included.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The id of the intention; unique in a run.
    pub id: RequestId,
    /// The user who asks.
    pub user: UserId,
    /// The show.
    pub show: ShowId,
    /// The intention.
    pub command: Command,
}

/// A user's wish to a show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Command {
    /// Hold these seats while the user pays; all of them or none.
    Hold(Wish),
    /// The payment went through: make the hold a booking.
    Confirm {
        /// The hold that was paid for.
        hold: HoldId,
        /// The provider's reference.
        payment: PaymentId,
    },
    /// The user changed their mind: give the seats back.
    Release {
        /// The hold to end.
        hold: HoldId,
    },
}

/// The seats a user wants, picked, best available, or both, over any sections.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// Exactly these seats.
    pub picked: SeatList,
    /// A number of best-available seats for each section.
    pub best: BestSeats,
}

impl Wish {
    /// Number of seats asked for in all.
    pub fn seats(&self) -> usize {
        self.picked.len() + self.best.iter().map(|&(_, count)| usize::from(count)).sum::<usize>()
    }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    /// The request answered.
    pub request: RequestId,
    /// The outcome of the request.
    pub outcome: Outcome,
}

/// The outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// The seats are held for the user.
    Held {
        /// The hold's name, for confirm and release.
        hold: HoldId,
        /// The seats.
        seats: SeatList,
        /// When the user's timer ends; the server waits its grace longer.
        expires: Instant,
    },
    /// The seats are the user's.
    Booked {
        /// The hold that became the booking.
        hold: HoldId,
        /// The seats.
        seats: SeatList,
    },
    /// The user ended the hold.
    Released {
        /// The hold that ended.
        hold: HoldId,
    },
    /// Nothing changed.
    Refused(Refusal),
}

/// The reason why nothing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// A picked seat is held or booked by another user.
    SeatTaken,
    /// Too few seats are free now, but some are on hold and may come back.
    NoneFree,
    /// Too few seats are not booked: waiting cannot help.
    SoldOut,
    /// The hold expired, was released, or never was.
    HoldLost,
    /// The hold or the request id belongs to another user.
    NotYours,
    /// No seat asked for, more than the limit, one twice, or a seat, section or show that does not exist.
    BadRequest,
    /// The cluster declined to queue the request: try later.
    Overloaded,
    /// No leader could be reached within the gateway's patience; the outcome is unknown.
    Unavailable,
    /// The gateway's node is on the smaller side of a split, or was given up by the larger one: ask another. The
    /// outcome of a pending attempt is unknown.
    Minority,
}
