//! The budget of retries.
//!
//! Owns a token bucket that first attempts fill and retries drain, so that retries
//! stay a share of the load and cannot keep an overload alive after its cause is gone
//! (the metastable failures of Huang et al., OSDI 2022).

use onsale_booking::{Instant, Span};

use crate::config::Ratio;

/// The most retries saved up by first attempts.
const SAVED_MAX: u64 = 1_000;
/// Retries a second, and the most saved up, that are granted at any load: a lone request can be retried too.
const FLOOR_PER_SECOND: u64 = 10;
const FLOOR_MAX: u64 = 50;

const SECOND: u64 = 1_000_000;

/// Time within which the retries that are granted at any load are there again, if none is made.
pub const BUDGET_REFILLS: Span = Span::from_secs(FLOOR_MAX / FLOOR_PER_SECOND);

/// A budget for retries.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    share: Ratio,
    /// In retries × `share.den`.
    saved: u64,
    /// In millionths of a retry.
    floor: u64,
    refilled: Instant,
}

impl Budget {
    pub(super) fn new(share: Ratio, now: Instant) -> Self {
        Self { share, saved: 0, floor: FLOOR_MAX * SECOND, refilled: now }
    }

    /// Counts a first attempt.
    pub(super) fn deposit(&mut self) {
        self.saved =
            (self.saved + u64::from(self.share.num)).min(SAVED_MAX * u64::from(self.share.den));
    }

    /// Asks for a retry. Returns whether it is granted.
    pub(super) fn withdraw(&mut self, now: Instant) -> bool {
        let cost = u64::from(self.share.den);
        if self.saved >= cost {
            self.saved -= cost;
            return true;
        }
        self.floor = self.floor_at(now);
        self.refilled = now;
        let granted = self.floor >= SECOND;
        self.floor -= if granted { SECOND } else { 0 };
        granted
    }

    /// Retries that it lacks at `now` of those that are granted at any load.
    pub(super) fn short(&self, now: Instant) -> u32 {
        (FLOOR_MAX - self.floor_at(now) / SECOND) as u32
    }

    fn floor_at(&self, now: Instant) -> u64 {
        let refilled = now.since(self.refilled).0.saturating_mul(FLOOR_PER_SECOND);
        (self.floor + refilled).min(FLOOR_MAX * SECOND)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(budget: &mut Budget, now: Instant) -> u32 {
        (0..10_000).take_while(|_| budget.withdraw(now)).count() as u32
    }

    #[test]
    fn retries_are_a_share_of_first_attempts_over_a_small_floor() {
        let mut budget = Budget::new(Ratio { num: 1, den: 10 }, Instant::ZERO);
        assert_eq!(granted(&mut budget, Instant::ZERO), 50, "the floor alone");
        (0..1_000).for_each(|_| budget.deposit());
        assert_eq!(granted(&mut budget, Instant::ZERO), 100);
        assert_eq!(granted(&mut budget, Instant(1_000_000)), 10);
        assert_eq!(budget.short(Instant(1_000_000)), 50);
        assert_eq!(budget.short(Instant(2_000_000)), 40);
        assert_eq!(budget.short(Instant(1_000_000) + BUDGET_REFILLS), 0);
        (0..100_000).for_each(|_| budget.deposit());
        assert_eq!(granted(&mut budget, Instant(1_000_000)), 1_000, "the savings are bounded");
    }
}
