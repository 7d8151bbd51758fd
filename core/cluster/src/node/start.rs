//! What a node keeps to itself when it starts.
//!
//! Owns the time from a boot to its first durable write: until then nothing that the node says may leave, for
//! it rests on what was read back, and nobody knows whether that would survive a loss of power. Refuses to know
//! what is said.

use super::Node;
use crate::effect::Effects;

/// How many messages are held back at most: more than a node has to say while one write takes its time.
/// Any beyond that are lost, as they may be on any network.
const HELD_MAX: usize = 1 << 16;

impl Node {
    /// Keeps back what this turn says, if the first write of this boot is not durable yet.
    #[inline]
    pub(super) fn hold_back(&mut self, effects: &mut Effects) {
        if let Some(held) = &mut self.held {
            let room = HELD_MAX - held.len();
            held.extend(effects.sends.drain(..).take(room));
        }
    }

    /// A write is durable, and so is everything that this boot began with.
    #[inline]
    pub(super) fn speak(&mut self, effects: &mut Effects) {
        if let Some(held) = self.held.take() {
            effects.release(held);
        }
    }
}
