//! Chance for made-up histories.
//!
//! Owns numbers that a seed decides. Refuses to know what they stand for.

use crate::stream::mix;

/// SplitMix64.
pub(in crate::oracle) struct Dice(u64);

impl Dice {
    pub(in crate::oracle) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(in crate::oracle) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0) % bound
    }

    pub(in crate::oracle) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }
}
