//! Random draws, and the faults that they cause.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

/// Random draws of a driver.
pub(crate) struct Chance(Xoshiro256PlusPlus);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        n > 0 && self.below(n) == 0
    }
}

/// The faults of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Faults {
    /// One message in this many is lost; 0 for none.
    pub(crate) drop_one_in: u64,
    /// Whether messages overtake each other.
    pub(crate) reorder: bool,
    /// Whether an fsync may claim what it did not do.
    pub(crate) lying_disks: bool,
    /// The node whose disk may rot when it crashes.
    pub(crate) rotting: Option<usize>,
    /// Small, so that segments and snapshots turn over.
    pub(crate) segment_bytes: usize,
    pub(crate) compact_after: u64,
    pub(crate) keep_records: u64,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            drop_one_in: 0,
            reorder: false,
            lying_disks: false,
            rotting: None,
            segment_bytes: 2_000,
            compact_after: 20,
            keep_records: 5,
        }
    }
}
