//! Until when a hold must have ended, at the latest.
//!
//! Owns the bound, given what a system declares: when one of its logs may have nobody who can commit, what else
//! delays it, and from when holds are measured afresh. Refuses to know why, and what ended a hold.
//!
//! The bound, for a hold whose grant first stood on a disk at `w`:
//!
//! ```text
//! due   = max(w, afresh) + lasts
//! limit = due + slack + gaps after due + troubles after w
//! ```
//!
//! - *lasts*: hold and grace, and what slow clocks of the plan lose of these.
//! - *gaps* of a log: it may have nobody who can commit.
//! - *troubles*: anything may be delayed. They count from the grant on: what delays messages delays the word of what
//!   time it is.
//! - *afresh*: the time that a log goes by may have been lost; then a hold is measured again from there.
//!
//! Why no alarm is false: the grant is decided before it stands on a disk, and its end is decided before that does,
//! so between `w` and the end no more passes than by the deciders' clocks. Outside of gaps and troubles somebody can
//! commit, and ends what is due when it is due; the slack is for what is on its way. Why none is missed: a system
//! widens the bound by faults and by the ends of processes only, never by what nodes say of themselves.

use onsale_booking::{Instant, Span};

/// What the bound is made of, apart from what happens in the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lateness {
    /// Hold, grace, and what clocks that the plan makes slow may add.
    pub lasts: Span,
    /// How late what is due may be recorded where nothing is wrong.
    pub slack: Span,
}

/// Spans of the calendar, in order and apart; the last may not have ended.
#[derive(Debug, Default)]
pub struct Periods(Vec<(Instant, Instant)>);

/// The periods of a log that nothing was declared of.
const NEVER: &Periods = &Periods(Vec::new());

impl Periods {
    /// One more begins, no earlier than those before; until [`Instant::MAX`] if its end is not known.
    ///
    /// # Panics
    /// If it ends before it begins, or begins before one that is known.
    pub fn begin(&mut self, from: Instant, until: Instant) {
        assert!(from <= until, "a period ends after it began");
        let last = self.0.last().map(|&(begins, _)| begins);
        assert!(
            last.is_none_or(|last| last <= from),
            "periods are told in the order in which they begin"
        );
        match self.0.last_mut() {
            Some((_, last)) if *last >= from => *last = until.max(*last),
            Some(_) | None => self.0.push((from, until)),
        }
    }

    /// What has not ended ends.
    pub fn end(&mut self, at: Instant) {
        if let Some((_, last)) = self.0.last_mut().filter(|(_, last)| *last == Instant::MAX) {
            *last = at;
        }
    }

    /// The periods that reach beyond `from`, each from there on.
    fn after(&self, from: Instant) -> impl Iterator<Item = (Instant, Instant)> + '_ {
        let first = self.0.partition_point(|&(_, until)| until <= from);
        self.0[first..].iter().map(move |&(begins, ends)| (begins.max(from), ends))
    }
}

/// One log.
#[derive(Debug, Default)]
struct Log {
    /// When it may have nobody who can commit.
    gaps: Periods,
    /// From when on holds may be measured that were granted before.
    afresh: Option<Instant>,
}

/// What may make holds end late.
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

    /// Something begins that may delay everything; it goes on until it [ends](Self::trouble_ends).
    pub fn trouble_begins(&mut self, at: Instant) {
        self.troubles.begin(at, Instant::MAX);
    }

    /// What was delayed by the trouble is over at this instant.
    pub fn trouble_ends(&mut self, at: Instant) {
        self.troubles.end(at);
    }

    /// A log may have nobody who can commit for this time; until [`Instant::MAX`] if nobody knows yet until when.
    pub fn gap_begins(&mut self, log: u32, from: Instant, until: Instant) {
        self.log_mut(log).gaps.begin(from, until);
    }

    /// The gap of a log that had no end ends.
    pub fn gap_ends(&mut self, log: u32, at: Instant) {
        self.log_mut(log).gaps.end(at);
    }

    /// The time that a log goes by may have been lost: what was granted before is measured from this instant.
    pub fn measured_afresh(&mut self, log: u32, from: Instant) {
        self.log_mut(log).afresh = Some(from);
    }

    /// When anything may be delayed.
    pub const fn troubles(&self) -> &Periods {
        &self.troubles
    }

    /// When a log may have nobody who can commit.
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

    /// When a hold of this log whose grant first stood on a disk at `written` has to be over.
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

    /// When it had to be over, if it was not at `ended`.
    #[inline]
    pub(super) fn is_overdue(&self, log: u32, written: Instant, ended: Instant) -> Option<Instant> {
        let Lateness { lasts, slack } = self.bounds;
        if ended <= written + lasts + slack {
            return None;
        }
        Some(self.limit(log, written)).filter(|&limit| ended > limit)
    }
}

/// Whether a span of the calendar has a stretch of length `long` in which none of these periods goes on.
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
