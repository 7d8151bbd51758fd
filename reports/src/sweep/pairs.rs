//! What a sweep has reached, and how much more there is to reach.
//!
//! Owns the counts of pairs of a fault in its phase with a rare path taken under it, and the estimate of Good and
//! Turing. Refuses to know how runs reach anything.

use serde::Serialize;

/// Quantile of the normal distribution for an interval at 95 %.
const QUANTILE: f64 = 1.959_964;

/// Counts of the pairs that runs reached: a fault's family and the phase in which it struck, alone and with each rare
/// path taken under it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pairs {
    /// Number of distinct pairs.
    pub distinct: u64,
    /// Those that one run reached.
    pub in_one_run: u64,
    /// Those that two runs reached.
    pub in_two_runs: u64,
    /// Sum over all runs of the distinct pairs that each reached.
    pub all: u64,
}

/// A share with its interval at 95 %.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The estimate.
    pub share: f64,
    /// The lower bound.
    pub low: f64,
    /// The upper bound.
    pub high: f64,
}

impl Pairs {
    /// The counts of pairs, given the number of runs that reached each.
    pub fn of(runs: impl Iterator<Item = u64>) -> Self {
        runs.fold(Self::default(), |pairs, runs| Self {
            distinct: pairs.distinct + 1,
            in_one_run: pairs.in_one_run + u64::from(runs == 1),
            in_two_runs: pairs.in_two_runs + u64::from(runs == 2),
            all: pairs.all + runs,
        })
    }

    /// The share of what further runs reach that no run has reached so far; `None` if nothing was reached.
    ///
    /// Good and Turing's estimate is f₁ ÷ n: f₁ pairs were reached once, n is the sum over all runs. Its variance is
    /// (f₁ (1 − f₁ ÷ n) + 2 f₂) ÷ n² (Esty 1983, *A normal limit law for a nonparametric estimator of the coverage of a
    /// random sample*).
    pub fn unreached(self) -> Option<Share> {
        if self.all == 0 {
            return None;
        }
        let (once, twice, all) = (self.in_one_run as f64, self.in_two_runs as f64, self.all as f64);
        let share = once / all;
        let deviation = libm::sqrt(once * (1.0 - share) + 2.0 * twice) / all;
        Some(Share {
            share,
            low: (share - QUANTILE * deviation).max(0.0),
            high: (share + QUANTILE * deviation).min(1.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_by_the_runs_that_reached_them() {
        let pairs = Pairs::of([1, 2, 1, 7].into_iter());
        assert_eq!(pairs, Pairs { distinct: 4, in_one_run: 2, in_two_runs: 1, all: 11 });
        assert_eq!(Pairs::default().unreached(), None);
    }

    /// Samples of a known distribution: the share that was not reached lies in the interval about as often as it says.
    #[test]
    fn the_interval_holds_the_true_share_in_most_samples() {
        // Weights 1 ÷ k of 500 things, drawn 400 times; the generator is a fixed one.
        let weights: Vec<f64> = (1..=500).map(|k| 1.0 / f64::from(k)).collect();
        let sum: f64 = weights.iter().sum();
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut uniform = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut held = 0;
        for _ in 0..400 {
            let mut counts = vec![0_u64; weights.len()];
            for _ in 0..400 {
                let mut left = uniform() * sum;
                let nth = weights.iter().position(|weight| {
                    left -= weight;
                    left < 0.0
                });
                counts[nth.unwrap_or(weights.len() - 1)] += 1;
            }
            let pairs = Pairs::of(counts.iter().copied().filter(|&count| count > 0));
            let unseen = counts.iter().zip(&weights).filter(|(count, _)| **count == 0);
            let unseen: f64 = unseen.map(|(_, weight)| weight / sum).sum();
            let Share { low, high, .. } = pairs.unreached().expect("something was drawn");
            held += u32::from((low..=high).contains(&unseen));
        }
        assert!((360..=396).contains(&held), "{held} of 400 intervals at 95 %");
    }
}
