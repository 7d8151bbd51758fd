//! Delays in a story: what something waited for.
//!
//! Owns the instants that explain them: since when a disk writes, when a request came to a node, when
//! somebody last heard anything. Refuses to know what belongs to the story.

use std::collections::BTreeMap;

use onsale_booking::{Instant, RequestId, Span, UserId};
use onsale_reports::human;

use onsale_world::place::Place;

/// Shorter delays are told by nobody.
const DELAY_TOLD: Span = Span::from_millis(10);
/// What people do without asking takes them as long as this; more is told.
const THOUGHT_TOLD: Span = Span::from_secs(1);
/// What follows a write follows within this.
const AT_ONCE: Span = Span::from_millis(1);

/// What delays are explained by.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// By node: since when its disk writes what it was last given.
    since: BTreeMap<Place, Instant>,
    /// By node: from when until when its disk wrote before.
    before: BTreeMap<Place, (Instant, Instant)>,
    /// When a request came to a node that was not standing still.
    came: BTreeMap<(Place, RequestId), Instant>,
    /// When somebody last heard something.
    heard: BTreeMap<UserId, Instant>,
}

impl Waits {
    /// A disk begins to write.
    pub(super) fn begin_write(&mut self, now: Instant, node: Place) {
        self.since.insert(node, now);
    }

    /// It is done: how long it took, if that is long.
    pub(super) fn end_write(&mut self, now: Instant, node: Place) -> String {
        let Some(since) = self.since.remove(&node) else { return String::new() };
        self.before.insert(node, (since, now));
        let took = now.since(since);
        let is_long = took >= DELAY_TOLD;
        if is_long { format!(", after {} of writing", human::span(took)) } else { String::new() }
    }

    /// A request of the story comes to a node.
    pub(super) fn come(&mut self, at: Instant, node: Place, request: RequestId) {
        self.came.insert((node, request), at);
    }

    /// When a node decided a request that it could propose only at `at`, because its disk was busy until
    /// then; `None` if nothing had to wait.
    pub(super) fn decided(&self, at: Instant, node: Place, request: RequestId) -> Option<Instant> {
        let came = *self.came.get(&(node, request))?;
        let (since, until) = *self.before.get(&node)?;
        let waited = at.since(came) >= DELAY_TOLD;
        (waited && since <= came && came < until && at.since(until) < AT_ONCE).then_some(came)
    }

    /// Somebody hears something.
    pub(super) fn hear(&mut self, at: Instant, user: UserId) {
        self.heard.insert(user, at);
    }

    /// What somebody does before asking something new, if it takes long.
    pub(super) fn thinks(&mut self, at: Instant, user: UserId) -> String {
        let thought = self.heard.remove(&user).map(|heard| at.since(heard));
        match thought.filter(|&thought| thought >= THOUGHT_TOLD) {
            Some(thought) => format!("thinks for {}, and ", human::span(thought)),
            None => String::new(),
        }
    }
}
