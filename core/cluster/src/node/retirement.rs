//! How a node leaves: it transfers what it leads, sees its clients answered, and says that it may be stopped.
//!
//! Owns whether the node was told to stop, and since when it has led nothing. Refuses to know how leadership is
//! transferred, and which successor is best.

use onsale_booking::{Instant, Span};

/// Whether a node is about to stop, and how far along that is.
#[derive(Debug, Default)]
pub(super) struct Retirement {
    is_told: bool,
    /// Since when the node has led nothing.
    leads_nothing: Option<Instant>,
}

impl Retirement {
    /// Notes that the node was told to stop.
    pub(super) fn begin(&mut self) {
        self.is_told = true;
    }

    /// Whether the node was told to stop.
    #[inline]
    pub(super) fn has_begun(&self) -> bool {
        self.is_told
    }

    /// Whether the node is about to stop and leads nothing any more.
    pub(super) fn leads_nothing(&self) -> bool {
        self.leads_nothing.is_some()
    }

    /// The node leads something after all, or a client waits for it.
    pub(super) fn is_needed(&mut self) {
        self.leads_nothing = None;
    }

    /// Notes that the node leads nothing at `now`, and no client waits. Returns whether that has lasted for `quiet`.
    pub(super) fn is_quiet_for(&mut self, quiet: Span, now: Instant) -> bool {
        now >= *self.leads_nothing.get_or_insert(now) + quiet
    }
}
