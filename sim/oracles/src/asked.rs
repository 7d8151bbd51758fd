//! A request as its client knows it while it waits.
//!
//! Owns the name that judges and crowd have for it. Refuses to know what becomes of it.

use onsale_booking::{Instant, RequestId, ShowId, UserId};

/// A request by its name, and since when its client waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The request.
    pub request: RequestId,
    /// The person.
    pub user: UserId,
    /// The show.
    pub show: ShowId,
    /// When the first attempt was sent.
    pub since: Instant,
}
