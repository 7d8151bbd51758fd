//! How long an operation took, over a whole run.
//!
//! Owns the folded counts of one operation in one window. Refuses to know when each of them
//! happened.

use hdrhistogram::Histogram;
use onsale_core::Span;

use crate::operation::Ending;
use crate::tally::{self, Cells};

/// Everything that is known about one operation in one window.
///
/// The histogram holds what ended, in whatever way; what was never answered has no latency
/// and is counted beside it, with the longest wait.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// Only made for an operation that occurred: each takes 200 KiB.
    histogram: Option<Histogram<u64>>,
    pub(crate) counts: Counts,
}

/// What needs no histogram.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// By [`Ending`].
    pub(crate) endings: [u64; Ending::ALL.len()],
    pub(crate) sum_us: u64,
    pub(crate) max_us: u64,
    pub(crate) unanswered: u64,
    pub(crate) unanswered_longest_us: u64,
}

impl Latencies {
    pub(crate) fn new(counts: Counts) -> Self {
        Self { histogram: None, counts }
    }

    pub(crate) fn add_cells(&mut self, cells: &Cells) {
        tally::add_cells(self.histogram.get_or_insert_with(tally::histogram), cells);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        if let Some(theirs) = &other.histogram {
            let ours = self.histogram.get_or_insert_with(tally::histogram);
            ours.add(theirs).expect("histograms of one layout add up");
        }
        let (ours, theirs) = (&mut self.counts, &other.counts);
        for (our, their) in ours.endings.iter_mut().zip(theirs.endings) {
            *our += their;
        }
        ours.sum_us = ours.sum_us.saturating_add(theirs.sum_us);
        ours.max_us = ours.max_us.max(theirs.max_us);
        ours.unanswered += theirs.unanswered;
        ours.unanswered_longest_us = ours.unanswered_longest_us.max(theirs.unanswered_longest_us);
    }

    /// How many ended.
    pub fn count(&self) -> u64 {
        self.counts.endings.iter().sum()
    }

    /// How many ended so.
    pub fn ended(&self, ending: Ending) -> u64 {
        self.counts.endings[ending as usize]
    }

    /// How many never got an answer before the run was over.
    pub fn unanswered(&self) -> u64 {
        self.counts.unanswered
    }

    /// The longest that one of those had waited when the run was over; zero if there is none.
    pub fn unanswered_longest(&self) -> Span {
        Span(self.counts.unanswered_longest_us)
    }

    /// The latency within which the share `quantile` (0 to 1) of those that ended had done so,
    /// to three significant digits and never above the maximum. None if nothing ended.
    pub fn quantile(&self, quantile: f64) -> Option<Span> {
        let histogram = self.histogram.as_ref()?;
        Some(Span(histogram.value_at_quantile(quantile).min(self.counts.max_us)))
    }

    /// The mean, from exact values, to the microsecond. None if nothing ended.
    pub fn mean(&self) -> Option<Span> {
        let count = self.count();
        (count > 0).then(|| Span((self.counts.sum_us + count / 2) / count))
    }

    /// The longest, exact. None if nothing ended.
    pub fn max(&self) -> Option<Span> {
        (self.count() > 0).then_some(Span(self.counts.max_us))
    }
}
