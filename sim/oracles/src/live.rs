//! `live`: after calm every request ends and every hold is resolved within the bound.
//!
//! Owns the start of calm, the requests after it, and the recovery time. Other promises of a system, such as that
//! replicas are where its map says, have judges of their own; this oracle reports their findings. Refuses to look into
//! answers beyond whether they are answers.
//!
//! Why no alarm is false: nothing is judged before calm plus the bound. A request first sent
//! after that meets a cluster that is promised to be whole, so silence and "no leader could be
//! reached" break the promise. "Try later" is an answer. Silence is not the cluster's fault if the
//! client gave up before an answer could have come, or if the network loses messages even without
//! faults. An open request has the bound from calm or from its own time, whichever is later. A seat
//! still held at the end has had until its hold's [limit](super::overdue), whenever calm began. Why
//! none is missed: a request is answered, given up, or open at the end, and each of the three is
//! reported to the oracle.

use std::fmt;

use onsale_booking::{Instant, Refusal, Span};
use onsale_reports::{Oracle, OracleResult};

use super::asked::Asked;
use super::evidence::{Findings, Known, Story};
use super::journal::State;
use super::rule::Rule;

crate::rules! {
    Live:
    /// A client was told that no leader could be reached, although the cluster was whole.
    UNREACHABLE = "unreachable";
    /// A client was told that its gateway had withdrawn, although the cluster was whole.
    WITHDRAWN = "withdrawn";
    /// A client gave up without an answer, although the cluster was whole.
    GIVEN_UP = "given-up";
    /// A request was still open at the end.
    NEVER_ENDED = "never-ended";
    /// A hold had not ended at the end.
    NEVER_RESOLVED = "never-resolved";
}

/// Calm: all faults have healed, and open requests and holds have a bounded time to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calm {
    /// Instant at which it began.
    pub from: Instant,
    /// Recovery deadline: time after calm within which everything must end.
    pub bound: Span,
}

impl Calm {
    /// Whether something open at `end` since an instant is overdue: it has had the bound from then or from calm,
    /// whichever is later.
    pub fn is_overdue(self, since: Instant, end: Instant) -> bool {
        end > since.max(self.from) + self.bound
    }
}

impl fmt::Display for Calm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "calm began at {}, with {} to recover in", self.from, self.bound)
    }
}

#[derive(Debug)]
pub(super) struct Live {
    pub(super) findings: Findings,
    bound: Span,
    slowest_answer: Option<Span>,
    calm: Instant,
    /// Instant after which newly sent requests must be answered.
    judged_from: Instant,
    decided: Instant,
}

impl Live {
    pub(super) const fn new(bound: Span, slowest_answer: Option<Span>) -> Self {
        Self {
            findings: Findings::new(Oracle::Live),
            bound,
            slowest_answer,
            calm: Instant::MAX,
            judged_from: Instant::MAX,
            decided: Instant::MAX,
        }
    }

    pub(super) fn on_calm(&mut self, at: Instant) {
        assert_eq!(self.calm, Instant::MAX, "calm begins once");
        self.calm = at;
        self.judged_from = at + self.bound;
    }

    pub(super) fn calm(&self) -> Option<Calm> {
        let Self { calm, bound, .. } = *self;
        (calm < Instant::MAX).then_some(Calm { from: calm, bound })
    }

    #[inline]
    pub(super) fn on_invoked(&mut self, at: Instant) {
        if at > self.judged_from {
            self.findings.checks();
        }
    }

    /// Notes a leader's decision; it is after calm if its request is.
    #[inline]
    pub(super) fn on_decided(&mut self, at: Instant, since: Instant) {
        if since >= self.calm && at < self.decided {
            self.decided = at;
        }
    }

    pub(super) fn on_refused(&mut self, at: Instant, asked: &Asked, refusal: Refusal) {
        match refusal {
            Refusal::SeatTaken
            | Refusal::NoneFree
            | Refusal::SoldOut
            | Refusal::HoldLost
            | Refusal::NotYours => {
                self.on_decided(at, asked.since);
            }
            Refusal::BadRequest | Refusal::Overloaded => {}
            Refusal::Unavailable => self.on_unanswered(
                UNREACHABLE,
                at,
                *asked,
                "was told that no leader could be reached",
            ),
            Refusal::Minority => {
                self.on_unanswered(WITHDRAWN, at, *asked, "was told that the gateway had withdrawn")
            }
        }
    }

    /// Judges a client that gave up, unless it did so before the slowest answer could have come.
    pub(super) fn on_given_up(&mut self, at: Instant, asked: Asked, unheard_since: Instant) {
        if self.slowest_answer.is_some_and(|slowest| at.since(unheard_since) >= slowest) {
            self.on_unanswered(GIVEN_UP, at, asked, "was given up without an answer");
        }
    }

    fn on_unanswered(&mut self, rule: Rule, at: Instant, asked: Asked, how: &'static str) {
        if asked.since > self.judged_from && self.slowest_answer.is_some() {
            self.findings.fail(rule, || Story {
                headline: format!(
                    "{} of {} {how} although the cluster was whole",
                    asked.request, asked.user
                ),
                lines: vec![
                    Calm { from: self.calm, bound: self.bound }.to_string(),
                    format!(
                        "client {}: sent {} about {} at {}",
                        asked.user, asked.request, asked.show, asked.since
                    ),
                    format!("client {}: {how} at {at}", asked.user),
                ],
            });
        }
    }

    /// Recovery time: from calm to the first decision, as a client learns of it, on a request sent after calm.
    pub(super) fn recovery(&self) -> Option<Span> {
        (self.decided < Instant::MAX).then(|| self.decided.since(self.calm))
    }

    pub(super) fn finish(
        mut self,
        known: &Known,
        end: Instant,
        open: &[Asked],
        own: Vec<(Rule, Story)>,
    ) -> OracleResult {
        let calm = self.calm();
        let overdue = |since| calm.is_some_and(|calm| calm.is_overdue(since, end));
        // A client that asked during the last fault retries once its patience ends, and has a quarter of the bound from then
        // on; if every answer is lost, none ever comes.
        let asked_again = self.calm + known.settings.patience + Span(self.bound.0 / 4);
        let is_late = |asked: &&Asked| {
            self.slowest_answer.is_some() && end > asked_again && overdue(asked.since)
        };
        for asked in open.iter().filter(is_late) {
            self.findings.fail(NEVER_ENDED, || Story {
                headline: format!("{} of {} never ended", asked.request, asked.user),
                lines: vec![
                    Calm { from: self.calm, bound: self.bound }.to_string(),
                    format!(
                        "client {}: sent {} about {} at {}",
                        asked.user, asked.request, asked.show, asked.since
                    ),
                    format!("it was still open at the end, {end}"),
                ],
            });
        }
        for entry in known.journal.iter().filter(|entry| entry.known.state == State::Held) {
            let stuck = || {
                let remembers = |seat| {
                    known
                        .journal
                        .on_seat(entry.show, seat)
                        .is_some_and(|on_seat| on_seat.hold == entry.hold)
                };
                entry.seats.iter().copied().any(remembers)
            };
            let (log, granted) = (entry.known.held.log, entry.known.written);
            if self.calm < Instant::MAX
                && let Some(limit) = known.overdue.is_overdue(log, granted, end)
                && stuck()
            {
                self.findings.fail(NEVER_RESOLVED, || {
                    let mut lines = known.about(entry.hold);
                    lines.push(format!("on a disk since {granted}: it had to end by {limit}"));
                    lines.push(format!("it had not ended at the end of the run, {end}"));
                    Story {
                        headline: format!(
                            "{} of {} was never resolved",
                            entry.hold, entry.known.user
                        ),
                        lines,
                    }
                });
            }
        }
        for (rule, story) in own {
            self.findings.fail(rule, || story);
        }
        let exercised = self.findings.checked() > 0;
        self.findings.finish(exercised)
    }
}
