//! The events of each virtual second.
//!
//! Owns the rows; an event counts in the second in which it lies, in any order of reporting. Refuses to know
//! about single operations.

use onsale_booking::{Instant, Span};

use crate::operation::{Ending, Operation};

/// One virtual second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// Users who arrived.
    pub arrived: u64,
    /// Users admitted.
    pub admitted: u64,
    /// Requests sent, retries included.
    pub attempts: u64,
    /// Holds that ended, by [`Ending`].
    pub holds: [u64; Ending::ALL.len()],
    /// Confirms that ended, by [`Ending`].
    pub confirms: [u64; Ending::ALL.len()],
    /// Sum of the latencies of the holds that ended, in microseconds.
    pub hold_sum_us: u64,
    /// Longest latency of a hold that ended, in microseconds.
    pub hold_max_us: u64,
    /// Seats held at the end of the second.
    pub seats_held: i64,
    /// Seats booked at the end of the second.
    pub seats_booked: i64,
    /// Faults that were on in any part of the second.
    pub faults_active: u64,
}

impl Second {
    /// Mean latency of the holds that ended in this second. `None` if none did.
    pub fn hold_mean(&self) -> Option<Span> {
        let ended: u64 = self.holds.iter().sum();
        (ended > 0).then(|| Span((self.hold_sum_us + ended / 2) / ended))
    }

    /// Longest latency of the holds that ended in this second. `None` if none did.
    pub fn hold_max(&self) -> Option<Span> {
        let ended: u64 = self.holds.iter().sum();
        (ended > 0).then_some(Span(self.hold_max_us))
    }
}

/// The rows while the run goes on; seats are still differences between rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timeline {
    seconds: Vec<Second>,
}

/// A month: far beyond any run, and a bound on the memory that one wrong instant can allocate.
const SECONDS_MAX: u64 = 31 * 24 * 3_600;

impl Timeline {
    /// The row of an instant.
    #[inline]
    pub(crate) fn at(&mut self, at: Instant) -> &mut Second {
        let second = at.micros() / 1_000_000;
        if second >= self.seconds.len() as u64 {
            self.grow(second);
        }
        &mut self.seconds[second as usize]
    }

    #[cold]
    fn grow(&mut self, second: u64) {
        assert!(second < SECONDS_MAX, "a run lasts less than a month of virtual time");
        self.seconds.resize(second as usize + 1, Second::default());
    }

    /// Counts an operation that ended, if the timeline shows its kind.
    #[inline]
    pub(crate) fn ended(
        &mut self,
        operation: Operation,
        ending: Ending,
        answered: Instant,
        latency_us: u64,
    ) {
        match operation {
            Operation::Hold => {
                let second = self.at(answered);
                second.holds[ending as usize] += 1;
                second.hold_sum_us = second.hold_sum_us.saturating_add(latency_us);
                second.hold_max_us = second.hold_max_us.max(latency_us);
            }
            Operation::Confirm => self.at(answered).confirms[ending as usize] += 1,
            Operation::Queue | Operation::TurnedAway | Operation::Release | Operation::Purchase => {
            }
        }
    }

    /// The finished rows: one for every second up to `end`, with seats summed up and faults entered; a fault
    /// that heals at the beginning of a second is not on in that second.
    pub(crate) fn finish(
        mut self,
        end: Instant,
        faults: impl Iterator<Item = (Instant, Instant)>,
    ) -> Vec<Second> {
        if end > Instant::ZERO {
            self.at(Instant(end.micros() - 1));
        }
        let seconds = &mut self.seconds;
        for (began, ended) in faults {
            let first = (began.micros() / 1_000_000) as usize;
            let last = (ended.micros().saturating_sub(1).max(began.micros()) / 1_000_000) as usize;
            for second in seconds.iter_mut().take(last + 1).skip(first) {
                second.faults_active += 1;
            }
        }
        let (mut held, mut booked) = (0, 0);
        for second in seconds.iter_mut() {
            held += second.seats_held;
            booked += second.seats_booked;
            (second.seats_held, second.seats_booked) = (held, booked);
        }
        self.seconds
    }
}
