//! The recorder of a run, on the hot path, and its records.
//!
//! Owns the contract with the simulator. Costs a few nanoseconds a call and allocates only when something occurs
//! for the first time. Refuses to know verdicts, users and seats.

use onsale_booking::{Instant, Span};

use crate::fault_windows::FaultWindows;
use crate::histogram::{Adder, Cells, IntervalHistogram};
use crate::latency::{Counts, Latencies};
use crate::operation::{Ending, Operation, Window};
use crate::timeline::{Second, Timeline};

/// Most intervals that a run of the expected duration is cut into.
const INTERVALS: u64 = 120;

/// The settings of a recorder.
#[derive(Clone, Copy, Debug)]
pub struct RecorderSettings {
    /// The expected virtual time of the run. The run may take longer; the interval log is divided into pieces of
    /// a hundred-and-twentieth of this, in whole seconds.
    pub duration: Span,
}

/// Records the events of a run, roughly in the order in which they happen.
///
/// Instants may step back slightly, and an answer may lie slightly ahead. Totals and the rows of the timeline
/// are exact nonetheless. Only the intervals of the `.hlog` are blurred at their edges by the same amount: an
/// interval counts the events reported while it is open.
#[derive(Clone, Debug)]
pub struct Recorder {
    interval_length: Span,
    interval: u64,
    interval_end: Instant,
    /// By [`Operation`] and [`Window`]; the whole is added up at the end.
    histograms: [[IntervalHistogram; Window::ALL.len()]; Operation::ALL.len()],
    /// Those of the same that ended without the grant that people waited for, over the whole run.
    denied: [[IntervalHistogram; Window::ALL.len()]; Operation::ALL.len()],
    counts: [[Counts; Window::ALL.len()]; Operation::ALL.len()],
    intervals: Vec<Interval>,
    timeline: Timeline,
    faults: FaultWindows,
}

/// Latencies reported while one interval was open.
#[derive(Clone, Debug)]
pub(crate) struct Interval {
    pub(crate) start: Instant,
    /// Without empty ones.
    cells: Vec<(Operation, Window, Cells)>,
}

impl Interval {
    /// The counts of an operation, one piece for each window that occurred.
    pub(crate) fn cells(&self, operation: Operation) -> impl Iterator<Item = &Cells> {
        self.cells.iter().filter(move |cells| cells.0 == operation).map(|cells| &cells.2)
    }
}

impl Recorder {
    /// A recorder without events.
    pub fn new(settings: RecorderSettings) -> Self {
        let seconds = settings.duration.micros().div_ceil(INTERVALS * 1_000_000).max(1);
        let interval_length = Span::from_secs(seconds);
        Self {
            interval_length,
            interval: 0,
            interval_end: Instant::ZERO + interval_length,
            histograms: Default::default(),
            denied: Default::default(),
            counts: Default::default(),
            intervals: Vec::new(),
            timeline: Timeline::default(),
            faults: FaultWindows::default(),
        }
    }

    /// An operation ended at `answered`. Its latency counts from `intended`.
    #[inline]
    pub fn ended(
        &mut self,
        operation: Operation,
        ending: Ending,
        intended: Instant,
        answered: Instant,
    ) {
        if answered >= self.interval_end {
            self.open_interval(answered);
        }
        let latency_us = answered.since(intended).micros();
        let window = self.faults.window_of(intended, answered);
        self.histograms[operation as usize][window as usize].record(latency_us);
        if ending != Ending::Granted {
            self.denied[operation as usize][window as usize].record(latency_us);
        }

        let counts = &mut self.counts[operation as usize][window as usize];
        counts.endings[ending as usize] += 1;
        counts.sum_us = counts.sum_us.saturating_add(latency_us);
        counts.max_us = counts.max_us.max(latency_us);

        self.timeline.ended(operation, ending, answered, latency_us);
    }

    /// An operation was unanswered when the run was over.
    pub fn unanswered(&mut self, operation: Operation, intended: Instant, end_of_run: Instant) {
        let window = self.faults.window_of(intended, end_of_run);
        let counts = &mut self.counts[operation as usize][window as usize];
        counts.unanswered += 1;
        counts.unanswered_longest_us =
            counts.unanswered_longest_us.max(end_of_run.since(intended).micros());
    }

    /// Users arrived.
    #[inline]
    pub fn arrived(&mut self, at: Instant, count: u64) {
        self.timeline.at(at).arrived += count;
    }

    /// Users were admitted.
    #[inline]
    pub fn admitted(&mut self, at: Instant, count: u64) {
        self.timeline.at(at).admitted += count;
    }

    /// Requests were sent, retries included.
    #[inline]
    pub fn attempts(&mut self, at: Instant, count: u64) {
        self.timeline.at(at).attempts += count;
    }

    /// Changes the numbers of seats on hold and booked.
    #[inline]
    pub fn seats(&mut self, at: Instant, held_delta: i64, booked_delta: i64) {
        let second = self.timeline.at(at);
        second.seats_held += held_delta;
        second.seats_booked += booked_delta;
    }

    /// A fault struck. Repeated calls while it is on have no effect.
    pub fn fault_began(&mut self, at: Instant, index: usize) {
        self.faults.began(at, index);
    }

    /// A fault healed. Has no effect if it was not on.
    pub fn fault_ended(&mut self, at: Instant, index: usize) {
        self.faults.ended(at, index);
    }

    /// The run was over at `end`.
    pub fn finish(mut self, end: Instant) -> Records {
        self.close_interval();
        let mut adder = Adder::new();
        let mut of = |operation: Operation, window: Window| {
            let told = self.intervals.iter().flat_map(|interval| &interval.cells);
            told.filter(|told| (told.0, told.1) == (operation, window))
                .for_each(|told| adder.add_cells(&told.2));
            let spread = adder.take();
            adder.add_cells(&self.denied[operation as usize][window as usize].take());
            let counts = self.counts[operation as usize][window as usize];
            Latencies::new(counts, spread, adder.take())
        };
        let parts = Operation::ALL.map(|operation| {
            [Window::InFaults, Window::OutsideFaults].map(|part| of(operation, part))
        });
        let latencies =
            parts.map(|[inside, outside]| [inside.plus(&outside, &mut adder), inside, outside]);
        Records {
            latencies,
            interval_length: self.interval_length,
            intervals: self.intervals,
            timeline: self.timeline.finish(end, self.faults.all(end)),
        }
    }

    #[cold]
    fn open_interval(&mut self, at: Instant) {
        self.close_interval();
        self.interval = at.micros() / self.interval_length.micros();
        self.interval_end = self.interval_start() + self.interval_length;
    }

    fn interval_start(&self) -> Instant {
        Instant(self.interval.saturating_mul(self.interval_length.micros()))
    }

    fn close_interval(&mut self) {
        let mut cells = Vec::new();
        for (operation, histograms) in Operation::ALL.into_iter().zip(&mut self.histograms) {
            for (window, histogram) in Window::ALL.into_iter().zip(histograms) {
                let taken = histogram.take();
                if !taken.is_empty() {
                    cells.push((operation, window, taken));
                }
            }
        }
        if !cells.is_empty() {
            self.intervals.push(Interval { start: self.interval_start(), cells });
        }
    }
}

/// The folded records of a run.
#[derive(Clone, Debug)]
pub struct Records {
    /// By [`Operation`] and [`Window`].
    latencies: [[Latencies; Window::ALL.len()]; Operation::ALL.len()],
    pub(crate) interval_length: Span,
    /// The intervals in order; those in which nothing ended are missing.
    pub(crate) intervals: Vec<Interval>,
    timeline: Vec<Second>,
}

impl Records {
    /// The latencies of an operation.
    pub fn latencies(&self, operation: Operation, window: Window) -> &Latencies {
        &self.latencies[operation as usize][window as usize]
    }

    /// The virtual seconds from the start to the end of the run.
    pub fn timeline(&self) -> &[Second] {
        &self.timeline
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An operation of a random run: its kind, ending, intended instant and duration; without an ending it was
    /// never answered.
    type Operated = (usize, Option<usize>, u64, u64);

    const END: Instant = Instant(40_000_000);

    fn told() -> impl Strategy<Value = Vec<Operated>> {
        let latency = prop_oneof![0..2_000_u64, 0..1_000_000_u64, 0..30_000_000_u64];
        let one = (0..5_usize, prop::option::weighted(0.9, 0..5_usize), 0..20_000_000_u64, latency);
        prop::collection::vec(one, 1..300).prop_map(|mut told| {
            told.sort_by_key(|&(_, _, intended, latency)| (intended + latency) / 10_000);
            told
        })
    }

    fn record(told: &[Operated], faults: &[(u64, u64)]) -> Records {
        let mut recorder = Recorder::new(RecorderSettings { duration: Span::from_secs(20) });
        for (index, &(began, length)) in faults.iter().enumerate() {
            recorder.fault_began(Instant(began), index);
            recorder.fault_ended(Instant(began + length), index);
        }
        for &(operation, ending, intended, latency) in told {
            let (operation, intended) = (Operation::ALL[operation], Instant(intended));
            match ending.map(|ending| Ending::ALL[ending]) {
                Some(ending) => {
                    recorder.ended(operation, ending, intended, intended + Span(latency));
                }
                None => recorder.unanswered(operation, intended, END),
            }
        }
        recorder.finish(END)
    }

    proptest! {
        #[test]
        fn nothing_told_is_lost(told in told(), fault in (0..20_000_000_u64, 0..9_000_000_u64)) {
            let records = record(&told, &[fault]);
            for operation in Operation::ALL {
                let of = |window| records.latencies(operation, window);
                let (whole, inside, outside) =
                    (of(Window::Whole), of(Window::InFaults), of(Window::OutsideFaults));
                let mine = told.iter().filter(|told| told.0 == operation as usize);
                for ending in Ending::ALL {
                    let count = mine.clone().filter(|told| told.1 == Some(ending as usize)).count();
                    prop_assert_eq!(whole.ended(ending), count as u64);
                    prop_assert_eq!(
                        whole.ended(ending),
                        inside.ended(ending) + outside.ended(ending)
                    );
                }
                let unanswered = mine.clone().filter(|told| told.1.is_none());
                prop_assert_eq!(whole.unanswered(), unanswered.clone().count() as u64);
                prop_assert_eq!(whole.unanswered(), inside.unanswered() + outside.unanswered());
                let longest = unanswered.map(|told| END.micros() - told.2).max();
                prop_assert_eq!(whole.unanswered_longest(), Span(longest.unwrap_or(0)));

                let met = |&&(_, ending, intended, latency): &&Operated| {
                    let ended = ending.map_or(END.micros(), |_| intended + latency);
                    intended <= fault.0 + fault.1 && fault.0 <= ended
                };
                let met = mine.filter(met).count() as u64;
                prop_assert_eq!(inside.count() + inside.unanswered(), met);
            }
        }

        #[test]
        fn the_timeline_adds_up_to_the_totals(told in told()) {
            let records = record(&told, &[]);
            let holds = records.latencies(Operation::Hold, Window::Whole);
            let confirms = records.latencies(Operation::Confirm, Window::Whole);
            for ending in Ending::ALL {
                let sum = |of: fn(&Second) -> &[u64; Ending::ALL.len()]| -> u64 {
                    records.timeline().iter().map(|second| of(second)[ending as usize]).sum()
                };
                prop_assert_eq!(sum(|second| &second.holds), holds.ended(ending));
                prop_assert_eq!(sum(|second| &second.confirms), confirms.ended(ending));
            }
            let max = records.timeline().iter().filter_map(Second::hold_max).max();
            prop_assert_eq!(max, holds.max());
        }

        #[test]
        fn quantiles_are_exact_to_three_digits(told in told()) {
            let records = record(&told, &[]);
            for operation in Operation::ALL {
                let mut exact: Vec<u64> = told
                    .iter()
                    .filter(|told| told.0 == operation as usize && told.1.is_some())
                    .map(|told| told.3)
                    .collect();
                exact.sort_unstable();
                let latencies = records.latencies(operation, Window::Whole);
                if exact.is_empty() {
                    prop_assert_eq!(latencies.quantile(0.5), None);
                    continue;
                }
                for quantile in [0.5, 0.9, 0.99, 0.999, 1.0] {
                    let rank = (quantile * exact.len() as f64).ceil() as usize;
                    let exact = exact[rank - 1];
                    let found = latencies.quantile(quantile).unwrap().micros();
                    let error = found.checked_sub(exact);
                    prop_assert!(error.is_some_and(|error| error <= exact / 1_000));
                }
                let sum: u64 = exact.iter().sum();
                let mean = (sum as f64 / exact.len() as f64).round() as u64;
                prop_assert_eq!(latencies.mean(), Some(Span(mean)));
                prop_assert_eq!(latencies.max(), exact.last().map(|&max| Span(max)));
            }
        }
    }

    #[test]
    fn a_run_of_one_event_a_second_after_its_expected_end_is_kept() {
        let mut recorder = Recorder::new(RecorderSettings { duration: Span::ZERO });
        recorder.ended(Operation::Hold, Ending::Granted, Instant(7), Instant(9_000_008));
        recorder.seats(Instant(2_500_000), 3, 0);
        recorder.seats(Instant(2_499_999), -1, 1);
        recorder.fault_began(Instant(1_000_000), 4);
        let records = recorder.finish(Instant(3_000_000));

        assert_eq!(records.timeline().len(), 10);
        assert_eq!(records.timeline()[1].faults_active, 1);
        assert_eq!(records.timeline()[2].seats_held, 2);
        assert_eq!(records.timeline()[9].seats_booked, 1);
        assert_eq!(records.intervals[0].start, Instant(9_000_000));
    }
}
