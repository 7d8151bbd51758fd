//! An unanswered request, as its client knows it.
//!
//! Owns the type that judges and crowd share for it. Refuses to know what becomes of it.

use onsale_booking::{Instant, Request, RequestId, ShowId, UserId};

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

/// What a client has tried before it gave up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tries {
    /// Number of its attempts.
    pub attempts: u8,
    /// Instant since which it has heard nothing: its first attempt or, if it was turned away, its last.
    pub unheard_since: Instant,
}

impl Asked {
    /// The request, first sent at `since`.
    pub(super) const fn of(request: &Request, since: Instant) -> Self {
        let &Request { id, user, show, .. } = request;
        Self { request: id, user, show, since }
    }

    /// The line about its first attempt, for evidence.
    pub fn sent(&self) -> String {
        let Self { request, user, show, since } = self;
        format!("client {user}: sent {request} about {show} at {since}")
    }
}
