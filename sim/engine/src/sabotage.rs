//! Sabotage: ways to break the system from outside, so that tests can prove that the oracles see it.
//!
//! Owns what is done to messages and disks beyond what any scenario may ask for.
//! No scenario and no command can reach it, a plan does not contain it, and the cluster knows
//! nothing of it: an oracle is proven by breaking what it watches, never by telling it
//! or the system that a test is going on. Refuses to know which oracle ought to see what.

use std::fmt;

use onsale_booking::Instant;
use onsale_cluster::Message;

use onsale_world::place::Place;

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
}

impl fmt::Debug for Sabotage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { relay, scribe, disks_lose } = self;
        f.debug_struct("Sabotage")
            .field("relay", &relay.is_some())
            .field("scribe", &scribe.is_some())
            .field("disks_lose", disks_lose)
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
}
