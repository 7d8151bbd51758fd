//! Delays in a story, and their causes.
//!
//! Owns the instants that explain them: the start of a disk's write, the arrival of a request at a node,
//! the last answer to a person. Refuses to know what belongs to the story.

use std::collections::BTreeMap;

use onsale_booking::{Instant, RequestId, Span, UserId};
use onsale_reports::human;

use onsale_world::place::Place;

/// Shortest delay that is told.
const DELAY_TOLD: Span = Span::from_millis(10);
/// Shortest think time that is told.
const THOUGHT_TOLD: Span = Span::from_secs(1);
/// Longest gap between the end of a write and what follows from it.
const AT_ONCE: Span = Span::from_millis(1);

/// The instants that explain delays.
#[derive(Debug, Default)]
pub(super) struct Waits {
    /// By node: the start of its disk's current write.
    since: BTreeMap<Place, Instant>,
    /// By node: start and end of its disk's previous write.
    before: BTreeMap<Place, (Instant, Instant)>,
    /// Arrival of a request at a running node.
    came: BTreeMap<(Place, RequestId), Instant>,
    /// By person: the last answer.
    heard: BTreeMap<UserId, Instant>,
}

impl Waits {
    /// Notes that a disk begins to write.
    pub(super) fn begin_write(&mut self, now: Instant, node: Place) {
        self.since.insert(node, now);
    }

    /// Notes the end of a write; returns the phrase for its length, if it was long.
    pub(super) fn end_write(&mut self, now: Instant, node: Place) -> String {
        let Some(since) = self.since.remove(&node) else { return String::new() };
        self.before.insert(node, (since, now));
        let took = now.since(since);
        let is_long = took >= DELAY_TOLD;
        if is_long { format!(", after {} of writing", human::span(took)) } else { String::new() }
    }

    /// Notes the arrival of a request at a node.
    pub(super) fn come(&mut self, at: Instant, node: Place, request: RequestId) {
        self.came.insert((node, request), at);
    }

    /// Instant at which a node decided a request that it could propose only at `at`, because its disk was
    /// busy until then; `None` if it did not wait.
    pub(super) fn decided(&self, at: Instant, node: Place, request: RequestId) -> Option<Instant> {
        let came = *self.came.get(&(node, request))?;
        let (since, until) = *self.before.get(&node)?;
        let waited = at.since(came) >= DELAY_TOLD;
        (waited && since <= came && came < until && at.since(until) < AT_ONCE).then_some(came)
    }

    /// Notes an answer to a person.
    pub(super) fn hear(&mut self, at: Instant, user: UserId) {
        self.heard.insert(user, at);
    }

    /// The phrase for a person's think time before a new request, if it was long.
    pub(super) fn thinks(&mut self, at: Instant, user: UserId) -> String {
        let thought = self.heard.remove(&user).map(|heard| at.since(heard));
        match thought.filter(|&thought| thought >= THOUGHT_TOLD) {
            Some(thought) => format!("thinks for {}, and ", human::span(thought)),
            None => String::new(),
        }
    }
}
