//! Histograms of latencies while the run goes on.
//!
//! Owns the slots: the bucket layout of an HdrHistogram of microseconds with three significant digits, so that a
//! slot's count moves into one without a second rounding. Refuses to know which percentiles are reported. Does
//! not use `hdrhistogram` itself, because clearing and adding one costs a walk over all its 26,000 counters;
//! with the used slots noted, closing an interval costs as much as its content, which keeps a small run's
//! hundred intervals out of its profile.

use hdrhistogram::Histogram;

/// Latencies beyond six hours are counted as six hours; the maximum and the mean stay exact.
pub(crate) const LATENCY_MAX_US: u64 = 6 * 3_600 * 1_000_000;

/// Significant decimal digits of every histogram.
const DIGITS: u8 = 3;
/// Two to this power sub-buckets hold three digits.
const SUB_BUCKET_BITS: u32 = 11;
const SUB_BUCKETS: u64 = 1 << SUB_BUCKET_BITS;
const HALF: u64 = SUB_BUCKETS / 2;
const SLOTS: usize = slot_of(LATENCY_MAX_US) as usize + 1;

/// Finished histogram of an interval: for every slot hit, in ascending order, the distance from the previous
/// slot and the count, both as variable-length integers. Most pairs take two or three bytes; a busy run keeps
/// millions of them until its end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cells(Box<[u8]>);

impl Cells {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Slots and their counts.
    fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        let mut bytes = self.0.iter().copied();
        let mut slot = 0;
        std::iter::from_fn(move || {
            slot += varint(&mut bytes)?;
            let count = varint(&mut bytes).expect("a count follows every slot");
            Some((slot, count))
        })
    }
}

/// Seven bits a byte, the lowest first; the high bit says that more bytes follow.
fn push_varint(bytes: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn varint(bytes: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut value = 0;
    let mut shift = 0;
    loop {
        let byte = bytes.next()?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
        shift += 7;
    }
}

/// Histogram of the current interval of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct IntervalHistogram {
    /// Counts by slot, up to the greatest that was hit.
    counts: Vec<u32>,
    /// The slots that are not zero, in the order of their first hit.
    touched: Vec<u32>,
}

impl IntervalHistogram {
    /// Counts one latency.
    #[inline]
    pub(crate) fn record(&mut self, latency_us: u64) {
        let slot = slot_of(latency_us.min(LATENCY_MAX_US));
        match self.counts.get_mut(slot as usize) {
            Some(count) if *count > 0 => *count += 1,
            Some(_) | None => self.touch(slot),
        }
    }

    #[inline(never)]
    fn touch(&mut self, slot: u32) {
        let slot_at = slot as usize;
        if slot_at >= self.counts.len() {
            // A small run's latencies are short: it needs a fraction of the slots.
            self.counts.resize((slot_at + 1).next_power_of_two().min(SLOTS), 0);
        }
        self.counts[slot_at] = 1;
        self.touched.push(slot);
    }

    /// Returns the counts and clears them.
    pub(crate) fn take(&mut self) -> Cells {
        self.touched.sort_unstable();
        let mut bytes = Vec::with_capacity(3 * self.touched.len());
        let mut before = 0;
        for slot in self.touched.drain(..) {
            push_varint(&mut bytes, slot - before);
            push_varint(&mut bytes, std::mem::take(&mut self.counts[slot as usize]));
            before = slot;
        }
        Cells(bytes.into_boxed_slice())
    }
}

/// Slots that are not zero, in ascending order, and their counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SparseHistogram(Vec<(u32, u64)>);

impl SparseHistogram {
    /// Latency in microseconds below which the share `quantile` (0 to 1) lies, as an HdrHistogram says it; `None` if
    /// nothing was counted.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<u64> {
        let rank = ((quantile.min(1.0) * self.total() as f64).ceil() as u64).max(1);
        let mut passed = 0;
        let reaches = |&&(_, count): &&(u32, u64)| {
            passed += count;
            passed >= rank
        };
        let &(slot, _) = self.0.iter().find(reaches)?;
        Some(if quantile == 0.0 { value_of(slot) } else { value_of(slot + 1) - 1 })
    }

    /// Number of counted latencies.
    pub(crate) fn total(&self) -> u64 {
        self.0.iter().map(|&(_, count)| count).sum()
    }

    /// These counts without those of a part of them, in slots that lie below a latency.
    pub(crate) fn without(&self, part: &Self, below_us: u64) -> Self {
        let mut part = part.0.iter().take_while(|&&(slot, _)| value_of(slot + 1) <= below_us);
        let mut next = part.next();
        let left = self.0.iter().filter_map(|&(slot, count)| {
            let &(_, taken) = next.filter(|&&(of, _)| of == slot).unwrap_or(&(slot, 0));
            if taken > 0 {
                next = part.next();
            }
            (count > taken).then(|| (slot, count - taken))
        });
        Self(left.collect())
    }
}

/// Sum of the histograms of many intervals.
#[derive(Debug)]
pub(crate) struct Adder {
    counts: Vec<u64>,
    touched: Vec<u32>,
}

impl Adder {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; SLOTS], touched: Vec::new() }
    }

    pub(crate) fn add_cells(&mut self, cells: &Cells) {
        cells.iter().for_each(|(slot, count)| self.add(slot, u64::from(count)));
    }

    pub(crate) fn add_spread(&mut self, spread: &SparseHistogram) {
        spread.0.iter().for_each(|&(slot, count)| self.add(slot, count));
    }

    /// Returns the sum and clears it.
    pub(crate) fn take(&mut self) -> SparseHistogram {
        self.touched.sort_unstable();
        let counts = &mut self.counts;
        let taken = |slot: u32| (slot, std::mem::take(&mut counts[slot as usize]));
        SparseHistogram(self.touched.drain(..).map(taken).collect())
    }

    fn add(&mut self, slot: u32, count: u64) {
        let sum = &mut self.counts[slot as usize];
        if *sum == 0 {
            self.touched.push(slot);
        }
        *sum = sum.saturating_add(count);
    }
}

/// An empty histogram of microseconds.
pub(crate) fn hdr() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LATENCY_MAX_US, DIGITS)
        .expect("six hours of microseconds fit a histogram of three digits")
}

/// Moves counted latencies into a histogram made by [`hdr`].
pub(crate) fn add_cells(histogram: &mut Histogram<u64>, cells: &Cells) {
    for (slot, count) in cells.iter() {
        histogram.saturating_record_n(value_of(slot), u64::from(count));
    }
}

/// The slot that counts a latency.
const fn slot_of(latency_us: u64) -> u32 {
    let bucket = 64 - SUB_BUCKET_BITS - (latency_us | (SUB_BUCKETS - 1)).leading_zeros();
    let sub_bucket = latency_us >> bucket;
    ((bucket as u64 + 1) * HALF + sub_bucket - HALF) as u32
}

/// The least latency that a slot counts.
const fn value_of(slot: u32) -> u64 {
    let slot = slot as u64;
    if slot < SUB_BUCKETS {
        return slot;
    }
    let bucket = slot / HALF - 1;
    (slot % HALF + HALF) << bucket
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_an_hdr_histogram() {
        let reference = hdr();
        let mut value = 0;
        while value <= LATENCY_MAX_US {
            assert_eq!(value_of(slot_of(value)), reference.lowest_equivalent(value), "{value}");
            value += 1 + value / 977;
        }
        for edge in [2_047, 2_048, 4_095, 4_096, LATENCY_MAX_US] {
            assert_eq!(value_of(slot_of(edge)), reference.lowest_equivalent(edge), "{edge}");
        }
    }

    #[test]
    fn an_interval_is_taken_once() {
        let mut interval = IntervalHistogram::default();
        for latency in [5_000_000, 7, 7, u64::MAX] {
            interval.record(latency);
        }
        (0..300).for_each(|_| interval.record(0));
        let mut taken = hdr();
        add_cells(&mut taken, &interval.take());
        assert_eq!(taken.len(), 304);
        assert_eq!(taken.count_at(0), 300);
        assert_eq!(taken.count_at(7), 2);
        assert_eq!(taken.count_at(LATENCY_MAX_US), 1);
        assert!(interval.take().is_empty());
    }

    #[test]
    fn a_part_is_taken_out_below_a_latency_alone() {
        let [all, part] =
            [&[3, 3, 5, 900, 4_096, 4_097, 9_000][..], &[3, 900, 4_096, 9_000]].map(|told| {
                let (mut interval, mut adder) = (IntervalHistogram::default(), Adder::new());
                told.iter().for_each(|&latency| interval.record(latency));
                adder.add_cells(&interval.take());
                adder.take()
            });
        // The slot of 4,096 reaches to 4,099.
        for (below, left) in [(0, 7), (4, 6), (901, 5), (4_099, 5), (4_100, 4), (20_000, 3)] {
            assert_eq!(all.without(&part, below).total(), left, "{below}");
        }
        assert_eq!(all.without(&part, 20_000).quantile(1.0), Some(4_099));
    }

    #[test]
    fn a_sum_has_the_quantiles_of_an_hdr_histogram() {
        let mut interval = IntervalHistogram::default();
        let (mut reference, mut adder) = (hdr(), Adder::new());
        for round in 1..=40_u64 {
            for step in 0..round * 7 {
                interval.record(step * step * step * round % 300_000_000);
            }
            let cells = interval.take();
            add_cells(&mut reference, &cells);
            adder.add_cells(&cells);
        }
        let half = adder.take();
        adder.add_spread(&half);
        adder.add_spread(&half);
        reference.add(reference.clone()).expect("its own layout");
        let sum = adder.take();
        for thousandth in 0..=1_010 {
            let quantile = f64::from(thousandth) / 1_000.0;
            assert_eq!(sum.quantile(quantile), Some(reference.value_at_quantile(quantile)));
        }
        assert_eq!(adder.take().quantile(0.5), None, "taken once");
    }
}
