//! Sabotage: ways to break the system from outside, so that tests can prove that the oracles find it.
//!
//! Owns damage to messages and disks that no scenario can cause. No scenario and no command can
//! reach it, a plan does not contain it, and the cluster does not know it: an oracle is proven by
//! breaking what it watches, never by telling it or the system that it is a test. Refuses to know
//! which oracle should find what.

use std::any::Any;
use std::fmt;

use onsale_booking::Instant;
use onsale_world::place::Place;

/// Sees an arriving message of the system under test (instant, sender, receiver), may rewrite it, and returns whether
/// it arrives.
pub type Relay = Box<dyn FnMut(Instant, Place, Place, &mut dyn Any) -> bool + Send>;

/// A relay of the messages of one system, which are of type `M`.
///
/// # Panics
/// In a run of a system with other messages.
pub fn relay_of<M: Any>(
    mut meddle: impl FnMut(Instant, Place, Place, &mut M) -> bool + Send + 'static,
) -> Relay {
    Box::new(move |now, from, to, message| {
        let message = message.downcast_mut().expect("the relay is of this system's messages");
        meddle(now, from, to, message)
    })
}

/// Sees the framed records of a node's write (place, bytes), and may rewrite them.
pub type Scribe = Box<dyn FnMut(Place, &mut Vec<u8>) + Send>;

/// Sabotage of a run; none by default.
#[derive(Default)]
pub struct Sabotage {
    /// Sabotage of messages.
    pub relay: Option<Relay>,
    /// Sabotage of writes.
    pub scribe: Option<Scribe>,
    /// Number of acknowledged bytes, the last ones, that a disk loses in a crash.
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
    /// Passes a message to the relay; returns whether it arrives.
    pub fn relay(&mut self, now: Instant, from: Place, to: Place, message: &mut dyn Any) -> bool {
        self.relay.as_mut().is_none_or(|relay| relay(now, from, to, message))
    }

    /// Passes the bytes of a write at `place` to the scribe.
    pub fn write(&mut self, place: Place, bytes: &mut Vec<u8>) {
        if let Some(scribe) = &mut self.scribe {
            scribe(place, bytes);
        }
    }
}
