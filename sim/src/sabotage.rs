//! Sabotage: ways to break the system from outside, so that tests can prove that the oracles see it.
//!
//! Owns what is done to messages, disks and clocks beyond what any scenario may ask for.
//! No scenario and no command can reach it, a plan does not contain it, and core knows
//! nothing of it: an oracle is proven by breaking what it watches, never by telling it
//! or the system that a test is going on. Refuses to know which oracle ought to see what.

use std::fmt;

use onsale_core::{Effects, Instant, Message, NodeId, Span, Timed};

use crate::world::network::Place;

/// Sees a message on its last step (when, from where, to where), may rewrite it, and says
/// whether it arrives.
pub type Relay = Box<dyn FnMut(Instant, Place, Place, &mut Message) -> bool + Send>;

/// Sees the framed records that a node (its place) gives to its disk, and may rewrite them.
pub type Scribe = Box<dyn FnMut(Place, &mut Vec<u8>) + Send>;

/// What is broken in a run; by default nothing.
#[derive(Default)]
pub struct Sabotage {
    /// A network that meddles with what it carries.
    pub relay: Option<Relay>,
    /// Disks that write something else than they are given.
    pub scribe: Option<Scribe>,
    /// Disks that lie: so many of the bytes last acknowledged as durable are gone after a crash.
    pub disks_lose: u64,
    /// A node whose clock is so far ahead of everybody's.
    pub clock_ahead: Option<(NodeId, Span)>,
}

impl fmt::Debug for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { relay, scribe, disks_lose, clock_ahead } = self;
        f.debug_struct("Sabotage")
            .field("relay", &relay.is_some())
            .field("scribe", &scribe.is_some())
            .field("disks_lose", disks_lose)
            .field("clock_ahead", clock_ahead)
            .finish()
    }
}

impl Sabotage {
    /// Whether a message arrives, and as what.
    pub fn relay(&mut self, now: Instant, from: Place, to: Place, message: &mut Message) -> bool {
        self.relay.as_mut().is_none_or(|relay| relay(now, from, to, message))
    }

    /// What the disk at `place` makes of the bytes that it is given.
    pub fn write(&mut self, place: Place, bytes: &mut Vec<u8>) {
        if let Some(scribe) = &mut self.scribe {
            scribe(place, bytes);
        }
    }

    /// How far the clock of the node at `place` is ahead.
    pub fn ahead(&self, place: Place) -> Span {
        match self.clock_ahead {
            Some((node, ahead)) if usize::from(node.0) == place => ahead,
            Some(_) | None => Span::ZERO,
        }
    }
}

/// Turns the instants that a node with a fast clock put on its messages into true ones.
/// What the messages say, such as when a hold expires, stays as the node believes it.
pub fn set_back(effects: &mut Effects, ahead: Span) {
    fn shift<T>(batch: &mut [Timed<T>], ahead: Span) {
        batch.iter_mut().for_each(|timed| timed.at = earlier(timed.at, ahead));
    }
    for sending in &mut effects.sends {
        sending.at = earlier(sending.at, ahead);
        match &mut sending.message {
            Message::Requests(batch) | Message::Forwarded(batch) => shift(batch, ahead),
            Message::Answers(batch) => shift(batch, ahead),
            Message::Replies(batch) => shift(batch, ahead),
            Message::Beat(_) | Message::Journal(_) => {}
        }
    }
}

/// `at`, so much earlier.
pub const fn earlier(at: Instant, ahead: Span) -> Instant {
    Instant(at.0.saturating_sub(ahead.0))
}
