//! Random draws whose values never change.
//!
//! Owns one seeded stream of xoshiro256++. Refuses ambient entropy, floats and
//! every generator whose values a release may change.

use rand_xoshiro::Xoshiro256PlusPlus;
use rand_xoshiro::rand_core::{Rng, SeedableRng};

use crate::time::Span;

/// A stream of random draws. Equal seeds give equal streams, on every platform and for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw(Xoshiro256PlusPlus);

impl Draw {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A uniform number below `bound`, exactly uniform (Lemire's method); `bound` is not zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number lies below zero");
        loop {
            let product = u128::from(self.0.next_u64()) * u128::from(bound);
            let low = product as u64;
            // Values under 2^64 mod bound would favour some results. The remainder is
            // less than bound, so the division is needed only under it.
            if low >= bound || low >= bound.wrapping_neg() % bound {
                return (product >> 64) as u64;
            }
        }
    }

    /// A uniform span from zero to `most`, both included.
    pub fn span(&mut self, most: Span) -> Span {
        Span(self.below(most.0.saturating_add(1)))
    }

    /// Shuffles the items uniformly (Fisher–Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last as u64 + 1) as usize);
        }
    }
}

/// Spreads a number over all 64 bits (the finalizer of SplitMix64, a bijection).
///
/// Placement depends on its values: a change moves every shard of every old plan.
pub fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_names_a_stream_for_ever() {
        let mut draw = Draw::new(7);
        let drawn: Vec<u64> = (0..6).map(|_| draw.below(1_000)).collect();
        assert_eq!(drawn, GOLDEN, "a changed stream changes every recorded plan");
        assert_eq!(mix(0), 0xE220_A839_7B1D_CDAF, "the first value of SplitMix64 from 0");
    }

    const GOLDEN: [u64; 6] = [55, 172, 717, 427, 963, 465];

    #[test]
    fn draws_stay_below_their_bound_and_reach_every_value() {
        let mut draw = Draw::new(1);
        let mut seen = [0u32; 6];
        for _ in 0..6_000 {
            seen[draw.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| (850..1_150).contains(&count)), "{seen:?}");
        assert_eq!(draw.below(1), 0);
        assert!(draw.span(Span(3)) <= Span(3));
        assert_eq!(draw.span(Span::ZERO), Span::ZERO);
    }

    #[test]
    fn a_shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..1_000).collect();
        Draw::new(3).shuffle(&mut items);
        assert!(items.iter().enumerate().filter(|&(at, &item)| at as u32 == item).count() < 20);
        items.sort_unstable();
        assert!(items.iter().copied().eq(0..1_000));
    }
}
