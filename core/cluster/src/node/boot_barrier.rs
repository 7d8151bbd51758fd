//! The boot barrier: messages that a node holds back when it starts.
//!
//! Owns the messages from a boot to its first durable write. Until then none may leave: it rests on data read back from
//! the disk, and nobody knows whether those would survive a loss of power. Refuses to know what is said.

use crate::effect::{Effects, Sending};

/// The most messages held back: more than a node has to say during one write. Any beyond that are lost, as they may be
/// on any network.
const HELD_MAX: usize = 1 << 16;

/// Holds messages back until the first write of a boot is durable.
#[derive(Debug)]
pub(super) struct BootBarrier {
    /// Held messages in order; `None` once the barrier is lifted.
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

    /// A write is durable, and with it all that this boot began with: releases the held messages.
    #[inline]
    pub(super) fn lift(&mut self, effects: &mut Effects) {
        if let Some(held) = self.held.take() {
            effects.release(held);
        }
    }
}
