//! The names of requests and sessions.
//!
//! Owns how a request is named after its person, the names of refusals in reports and histories, and which of them come
//! without a leader's decision. Refuses to know the fate of requests.

use onsale_booking::{Outcome, Refusal, RequestId};
use onsale_reports::Ending;

/// Number of a session, which reads and writes facts one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionId(pub u32);

/// The id of a person's nth request.
pub const fn request_id(user: u32, sequence: u8) -> RequestId {
    RequestId(((user as u64) << 8) | sequence as u64)
}

/// The person who made a request, and its number among theirs.
pub const fn requester(id: RequestId) -> (u32, u8) {
    ((id.0 >> 8) as u32, id.0 as u8)
}

/// The name of a refusal in reports and histories.
pub(crate) const fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::SeatTaken => "seat-taken",
        Refusal::NoneFree => "none-free",
        Refusal::SoldOut => "sold-out",
        Refusal::HoldLost => "hold-lost",
        Refusal::NotYours => "not-yours",
        Refusal::BadRequest => "bad-request",
        Refusal::Overloaded => "overloaded",
        Refusal::Unavailable => "unavailable",
        Refusal::Minority => "minority",
    }
}

/// The ending of an attempt refused without a leader's decision; `None` if a leader decided.
pub(crate) fn undecided(outcome: &Outcome) -> Option<Ending> {
    if let Outcome::Refused(Refusal::Overloaded) = outcome {
        Some(Ending::Overloaded)
    } else if let Outcome::Refused(Refusal::Unavailable) = outcome {
        Some(Ending::Unavailable)
    } else if let Outcome::Refused(Refusal::Minority) = outcome {
        Some(Ending::Minority)
    } else {
        None
    }
}
