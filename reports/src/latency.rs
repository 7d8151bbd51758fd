//! Latencies of one operation over a whole run.
//!
//! Owns the folded counts of one operation in one window. Refuses to know when each of them happened.

use onsale_booking::Span;

use crate::histogram::{Adder, SparseHistogram};
use crate::operation::Ending;

/// The latencies of one operation in one window.
///
/// The histogram holds requests that ended, with any result; unanswered ones have no latency and are counted
/// beside it, with the longest wait.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    spread: SparseHistogram,
    /// Those of them that ended without the grant that people waited for.
    denied: SparseHistogram,
    counts: Counts,
}

/// The figures without a histogram.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// By [`Ending`].
    pub(crate) endings: [u64; Ending::ALL.len()],
    pub(crate) sum_us: u64,
    pub(crate) max_us: u64,
    pub(crate) unanswered: u64,
    pub(crate) unanswered_longest_us: u64,
}

impl Counts {
    /// The sum of two disjoint windows.
    pub(crate) fn plus(mut self, other: Self) -> Self {
        for (ours, theirs) in self.endings.iter_mut().zip(other.endings) {
            *ours += theirs;
        }
        self.sum_us = self.sum_us.saturating_add(other.sum_us);
        self.max_us = self.max_us.max(other.max_us);
        self.unanswered += other.unanswered;
        self.unanswered_longest_us = self.unanswered_longest_us.max(other.unanswered_longest_us);
        self
    }
}

impl Latencies {
    pub(crate) fn new(counts: Counts, spread: SparseHistogram, denied: SparseHistogram) -> Self {
        Self { spread, denied, counts }
    }

    /// The latencies of two disjoint windows.
    pub(crate) fn plus(&self, other: &Self, adder: &mut Adder) -> Self {
        let mut sum = |of: fn(&Self) -> &SparseHistogram| {
            adder.add_spread(of(self));
            adder.add_spread(of(other));
            adder.take()
        };
        let (spread, denied) = (sum(|of| &of.spread), sum(|of| &of.denied));
        Self { spread, denied, counts: self.counts.plus(other.counts) }
    }

    /// Those that a limit judges: without operations that were denied sooner than it allows, which make no wait for a
    /// grant shorter.
    pub fn judged(&self, below: Span) -> Judged {
        let spread = self.spread.without(&self.denied, below.micros());
        Judged { count: spread.total(), spread, max_us: self.counts.max_us }
    }

    /// Number of operations that ended.
    pub fn count(&self) -> u64 {
        self.counts.endings.iter().sum()
    }

    /// Number of operations that ended in this way.
    pub fn ended(&self, ending: Ending) -> u64 {
        self.counts.endings[ending as usize]
    }

    /// Number of operations without an answer when the run was over.
    pub fn unanswered(&self) -> u64 {
        self.counts.unanswered
    }

    /// The longest wait of an unanswered operation when the run was over; zero if there is none.
    pub fn unanswered_longest(&self) -> Span {
        Span(self.counts.unanswered_longest_us)
    }

    /// The latency within which the share `quantile` (0 to 1) of the ended operations had ended, to three
    /// significant digits and never above the maximum. `None` if nothing ended.
    pub fn quantile(&self, quantile: f64) -> Option<Span> {
        Some(Span(self.spread.quantile(quantile)?.min(self.counts.max_us)))
    }

    /// The mean, from exact values, to the microsecond. `None` if nothing ended.
    pub fn mean(&self) -> Option<Span> {
        let count = self.count();
        (count > 0).then(|| Span((self.counts.sum_us + count / 2) / count))
    }

    /// The longest, exact. `None` if nothing ended.
    pub fn max(&self) -> Option<Span> {
        (self.count() > 0).then_some(Span(self.counts.max_us))
    }
}

/// The ended operations that a limit judges.
#[derive(Clone, Debug)]
pub struct Judged {
    spread: SparseHistogram,
    count: u64,
    max_us: u64,
}

impl Judged {
    /// Number of operations that are judged.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The latency within which the share `quantile` (0 to 1) of them had ended, to three significant digits and never
    /// above the longest of all. `None` if there are none.
    pub fn quantile(&self, quantile: f64) -> Option<Span> {
        Some(Span(self.spread.quantile(quantile)?.min(self.max_us)))
    }
}
