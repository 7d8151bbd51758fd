//! The limit by which a hold must have ended.
//!
//! Owns the limit, given what a system declares: the gaps in which a log may be unable to commit, other delays, and the
//! instants from which holds are measured afresh. Refuses to know their causes, and what ended a hold.
//!
//! The limit of a hold whose grant was first on a disk at `w`:
//!
//! ```text
//! due   = max(w, afresh) + lasts
//! limit = due + slack + gaps after due + troubles after w
//! ```
//!
//! - *lasts*: hold and grace, and what slow clocks of the plan add to them.
//! - *gaps* of a log: times in which it may be unable to commit.
//! - *troubles*: times in which anything may be delayed. They count from the grant on: a delay of messages also delays
//!   the shard's time.
//! - *afresh*: a log may have lost its time; then a hold is measured again from there.
//!
//! Why no alarm is false: the grant is decided before it is on a disk, and its end is decided before that is on a disk,
//! so no more time passes between `w` and the end than on the deciders' clocks. Outside gaps and troubles a leader can
//! commit, and ends holds when they are due; the slack covers messages and writes in flight. Why none is missed: a
//! system widens the limit only by faults and ends of processes, never by what nodes say about themselves.

use onsale_booking::{Instant, Span};

/// The constant parts of the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// Hold and grace, and what slow clocks of the plan may add.
    pub lasts: Span,
    /// Time from a hold's due instant to the record of its end, without gaps and troubles.
    pub slack: Span,
}

/// Disjoint spans of the calendar, in order; the last may be open.
#[derive(Debug, Default)]
pub struct Periods(Vec<(Instant, Instant)>);

/// The gaps of a log without declared gaps.
const NEVER: &Periods = &Periods(Vec::new());

impl Periods {
    /// Adds a period that begins no earlier than those before; `until` is [`Instant::MAX`] if its end is unknown.
    ///
    /// # Panics
    /// If it ends before it begins, or begins before an earlier one.
    pub fn begin(&mut self, from: Instant, until: Instant) {
        assert!(from <= until, "a period ends after it begins");
        let last = self.0.last().map(|&(begins, _)| begins);
        assert!(
            last.is_none_or(|last| last <= from),
            "periods are added in the order in which they begin"
        );
        match self.0.last_mut() {
            Some((_, last)) if *last >= from => *last = until.max(*last),
            Some(_) | None => self.0.push((from, until)),
        }
    }

    /// Ends the open period, if there is one.
    pub fn end(&mut self, at: Instant) {
        if let Some((_, last)) = self.0.last_mut().filter(|(_, last)| *last == Instant::MAX) {
            *last = at;
        }
    }

    /// The parts of the periods after `from`.
    fn after(&self, from: Instant) -> impl Iterator<Item = (Instant, Instant)> + '_ {
        let first = self.0.partition_point(|&(_, until)| until <= from);
        self.0[first..].iter().map(move |&(begins, ends)| (begins.max(from), ends))
    }
}

/// The declarations about one log.
#[derive(Debug, Default)]
struct Log {
    /// Times in which it may be unable to commit.
    gaps: Periods,
    /// Instant from which earlier holds are measured afresh.
    afresh: Option<Instant>,
}

/// The declared reasons for holds to end late.
#[derive(Debug)]
pub struct Overdue {
    bounds: Lateness,
    troubles: Periods,
    logs: Vec<Log>,
}

impl Overdue {
    pub(super) const fn new(bounds: Lateness) -> Self {
        Self { bounds, troubles: Periods(Vec::new()), logs: Vec::new() }
    }

    /// Declares the start of something that may delay everything, until it [ends](Self::trouble_ends).
    pub fn trouble_begins(&mut self, at: Instant) {
        self.troubles.begin(at, Instant::MAX);
    }

    /// Declares the end of a trouble and its delays.
    pub fn trouble_ends(&mut self, at: Instant) {
        self.troubles.end(at);
    }

    /// Declares a time in which a log may be unable to commit; `until` is [`Instant::MAX`] if its end is unknown.
    pub fn gap_begins(&mut self, log: u32, from: Instant, until: Instant) {
        self.log_mut(log).gaps.begin(from, until);
    }

    /// Declares the end of a log's open gap.
    pub fn gap_ends(&mut self, log: u32, at: Instant) {
        self.log_mut(log).gaps.end(at);
    }

    /// Declares that a log may have lost its time: earlier holds are measured from this instant.
    pub fn measured_afresh(&mut self, log: u32, from: Instant) {
        self.log_mut(log).afresh = Some(from);
    }

    /// Times in which anything may be delayed.
    pub const fn troubles(&self) -> &Periods {
        &self.troubles
    }

    /// Times in which a log may be unable to commit.
    pub fn gaps(&self, log: u32) -> &Periods {
        self.logs.get(log as usize).map_or(NEVER, |log| &log.gaps)
    }

    fn log_mut(&mut self, log: u32) -> &mut Log {
        let place = log as usize;
        if place >= self.logs.len() {
            self.logs.resize_with(place + 1, Log::default);
        }
        &mut self.logs[place]
    }

    /// The limit of a hold of this log whose grant was first on a disk at `written`.
    pub(super) fn limit(&self, log: u32, written: Instant) -> Instant {
        let Lateness { lasts, slack } = self.bounds;
        let log = self.logs.get(log as usize);
        let from = log.and_then(|log| log.afresh).map_or(written, |afresh| afresh.max(written));
        let due = from + lasts;
        let gaps = log.into_iter().flat_map(|log| log.gaps.after(due));
        let mut delays: Vec<_> = self.troubles.after(written).chain(gaps).collect();
        delays.sort_unstable();
        delays.into_iter().fold(due + slack, |limit, (begins, ends)| match begins <= limit {
            true => limit + ends.since(begins),
            false => limit,
        })
    }

    /// The limit, if the hold exceeds it by ending at `ended`.
    #[inline]
    pub(super) fn is_overdue(&self, log: u32, written: Instant, ended: Instant) -> Option<Instant> {
        let Lateness { lasts, slack } = self.bounds;
        if ended <= written + lasts + slack {
            return None;
        }
        Some(self.limit(log, written)).filter(|&limit| ended > limit)
    }
}

/// Whether a span of the calendar has a stretch of length `long` outside all of these periods.
pub fn is_free((from, until): (Instant, Instant), long: Span, periods: [&Periods; 2]) -> bool {
    let mut busy: Vec<_> = periods.iter().flat_map(|periods| periods.after(from)).collect();
    busy.sort_unstable();
    let mut free_since = from;
    for (begins, ends) in busy {
        if begins.min(until).since(free_since) >= long {
            return true;
        }
        free_since = free_since.max(ends);
    }
    until.since(free_since) >= long
}
