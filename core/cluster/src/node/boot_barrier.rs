//! What a node keeps to itself when it starts.
//!
//! Owns the messages from a boot to its first durable write. Until then none may leave: it rests on what was read back
//! from the disk, and nobody knows whether that would survive a loss of power. Refuses to know what is said.

use crate::effect::{Effects, Sending};

/// How many messages are held back at most: more than a node has to say while one write takes its time. Any beyond
/// that are lost, as they may be on any network.
const HELD_MAX: usize = 1 << 16;

/// Holds messages back until the first write of a boot is durable.
#[derive(Debug)]
pub(super) struct BootBarrier {
    /// In order; `None` once the barrier is lifted.
    held: Option<Vec<Sending>>,
}

impl BootBarrier {
    /// The barrier of a node that starts.
    pub(super) fn new() -> Self {
        Self { held: Some(Vec::new()) }
    }

    /// Whether nothing may leave yet.
    #[inline]
    pub(super) fn is_up(&self) -> bool {
        self.held.is_some()
    }

    /// Keeps back what this turn sends, if the barrier is still up.
    #[inline]
    pub(super) fn hold_back(&mut self, effects: &mut Effects) {
        if let Some(held) = &mut self.held {
            let room = HELD_MAX - held.len();
            held.extend(effects.sends.drain(..).take(room));
        }
    }

    /// A write is durable, and so is everything that this boot began with: what was held back leaves now.
    #[inline]
    pub(super) fn lift(&mut self, effects: &mut Effects) {
        if let Some(held) = self.held.take() {
            effects.release(held);
        }
    }
}
