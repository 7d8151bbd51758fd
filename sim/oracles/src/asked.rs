//! An unanswered request, as its client knows it.
//!
//! Owns the type that judges and crowd share for it. Refuses to know what becomes of it.

use onsale_booking::{Instant, RequestId, ShowId, UserId};

/// An unanswered request, and when its client first sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The request.
    pub request: RequestId,
    /// The person.
    pub user: UserId,
    /// The show.
    pub show: ShowId,
    /// Instant of the first attempt.
    pub since: Instant,
}
