//! `live`: every request that no interruption touches is answered, all holds are resolved, and recovery is in time.
//!
//! Owns the start of calm, the requests that must be answered, and the recovery time. Other promises of a system, such
//! as that replicas are where its map says, have judges of their own; this oracle reports their findings. Refuses to
//! look into answers beyond whether they are answers.
//!
//! A request is judged if no [interruption](super::interruptions) touches it between its first attempt and its end, in
//! the whole run. Silence and "no leader could be reached" then break the promise; "try later" is an answer. A request
//! that an interruption touches may fail, and is not judged, unless it is still open long after: its client retries
//! within its patience once the interruption is over, and has recovery from then on.
//!
//! Why no alarm is false: interruptions last until recovery after their cause, so a judged request meets a cluster that
//! is promised to serve. Silence is not the cluster's fault if the client gave up before an answer could have come. If
//! the network loses messages even without faults, some requests may stay unanswered: of *N* judged ones, each of which
//! may fail with a chance of at most *q*, no more than *Nq + 6√(Nq) + 3*, six standard deviations and the rare event in
//! a short run. A seat still held at the end has had until its hold's [limit](super::overdue). Why none is missed: a
//! request is answered, given up, or open at the end, and each of the three is reported to the oracle; no claim of a
//! node makes an interruption.
//!
//! Recovery is judged as well: a client that waits for the first decision after calm asked a cluster whose faults are
//! all healed, so a decision reaches some client within recovery.
//!
//! Exercised once [`CHECKS_MIN`] requests were judged: fewer say little. A failure is one with any number of checks.

use std::fmt;

use onsale_booking::{Instant, Refusal, Span};
use onsale_reports::{Oracle, OracleResult, human};

use super::asked::{Asked, Tries};
use super::evidence::{Findings, Story};
use super::excuse::{Excuse, MEASURED};
use super::journal::State;
use super::known::Known;
use super::rule::Rule;

crate::rules! {
    Live:
    /// A client was told that no leader could be reached, although no interruption excused it.
    UNREACHABLE = "unreachable";
    /// A client was told that its gateway had withdrawn, although no interruption excused it.
    WITHDRAWN = "withdrawn";
    /// A client gave up without an answer, although no interruption excused it.
    GIVEN_UP = "given-up";
    /// More requests went without an answer than a lossy network explains.
    TOO_MANY_LOST = "too-many-lost";
    /// A request was still open at the end.
    NEVER_ENDED = "never-ended";
    /// The first decision after calm came later than recovery explains.
    SLOW_RECOVERY = "slow-recovery";
    /// A hold had not ended at the end.
    NEVER_RESOLVED = "never-resolved";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Live,
        excused: "a request that an interruption touches stays unanswered",
        bound: "end of the cause of the interruption + recovery",
        beyond: "an_interruption_excuses_the_requests_that_it_touches",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "requests stay unanswered under overload",
        bound: "while the work of all attempts, on one core, waits longer than a leader takes requests; + recovery",
        beyond: "overload_excuses_requests_until_recovery_after_its_work",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "a client gives up that asked gateways which had died or stood still",
        bound: "attempts ≤ number of gateways that stopped at most recovery or the health checks, or went on at most \
                recovery, before the first attempt, or since",
        beyond: "more_attempts_than_silent_gateways_are_answered",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "a client gives up before an answer can have come",
        bound: "last attempt + the slowest answer; always where the settings may lose answers",
        beyond: "a_client_turned_away_has_waited_since_its_last_attempt",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "a request is open at the end",
        bound: "first attempt or, if an interruption touched it, its end + patience; + recovery + the slowest answer",
        beyond: "a_client_that_retries_late_is_answered_late",
    },
    Excuse {
        oracle: Oracle::Live,
        excused: "requests stay unanswered on a network that loses messages without faults",
        bound: "the share that its tries may lose of N requests, E: E + 6√E + 3",
        beyond: MEASURED,
    },
];

/// Number of judged requests from which the oracle counts as exercised.
pub const CHECKS_MIN: u64 = 100;

/// Calm: all faults have healed, and moves have a bounded time to end.
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
        write!(f, "calm began at {}, with {} to recover in", self.from, human::span(self.bound))
    }
}

#[derive(Debug)]
pub(super) struct Live {
    pub(super) findings: Findings,
    bound: Span,
    /// Judged requests without an answer, and the story of the first, if the network may have lost some.
    unanswered: (u64, Option<Story>),
    calm: Instant,
    /// Instant since which some client waits for the first decision after calm.
    asked: Instant,
    decided: Instant,
}

impl Live {
    pub(super) const fn new(bound: Span) -> Self {
        Self {
            findings: Findings::new(Oracle::Live),
            bound,
            unanswered: (0, None),
            calm: Instant::MAX,
            asked: Instant::MAX,
            decided: Instant::MAX,
        }
    }

    pub(super) fn on_calm(&mut self, at: Instant) {
        assert_eq!(self.calm, Instant::MAX, "calm begins once");
        self.calm = at;
    }

    pub(super) fn calm(&self) -> Option<Calm> {
        let Self { calm, bound, .. } = *self;
        (calm < Instant::MAX).then_some(Calm { from: calm, bound })
    }

    #[inline]
    pub(super) fn on_invoked(&mut self, at: Instant) {
        if at < self.asked && at >= self.calm {
            self.asked = at;
        }
    }

    /// Notes a leader's decision; it is after calm if its request is. Returns whether nothing interrupted it.
    #[inline]
    pub(super) fn on_decided(&mut self, at: Instant, asked: &Asked, known: &Known) -> bool {
        if asked.since >= self.calm && at < self.decided {
            self.decided = at;
        }
        let is_judged = asked.since > known.interruptions.until(asked.show);
        if is_judged {
            self.findings.checks();
        }
        is_judged
    }

    /// Notes a refusal. Returns whether it is a leader's decision that nothing interrupted.
    pub(super) fn on_refused(
        &mut self,
        at: Instant,
        asked: &Asked,
        refusal: Refusal,
        known: &Known,
    ) -> bool {
        match refusal {
            Refusal::SeatTaken
            | Refusal::NoneFree
            | Refusal::SoldOut
            | Refusal::HoldLost
            | Refusal::NotYours => return self.on_decided(at, asked, known),
            Refusal::BadRequest | Refusal::Overloaded => self.waits_no_longer(at, known),
            Refusal::Unavailable => self.on_unanswered(UNREACHABLE, at, *asked, known),
            Refusal::Minority => self.on_unanswered(WITHDRAWN, at, *asked, known),
        }
        false
    }

    /// Judges a client that gave up, unless it did so before the slowest answer could have come, or asked silent gateways
    /// alone.
    pub(super) fn on_given_up(&mut self, at: Instant, asked: Asked, tries: Tries, known: &Known) {
        let slowest = known.settings.slowest_answer;
        let has_waited = slowest.is_some_and(|slowest| at.since(tries.unheard_since) >= slowest);
        if has_waited && !known.interruptions.excuse_attempts(tries.attempts, asked.since) {
            self.on_unanswered(GIVEN_UP, at, asked, known);
        } else {
            self.waits_no_longer(at, known);
        }
    }

    /// A client went without a decision, too early to say that recovery is late: it begins again with the next request.
    fn waits_no_longer(&mut self, at: Instant, known: &Known) {
        if self.decided == Instant::MAX && at <= self.recovers_by(known) {
            self.asked = Instant::MAX;
        }
    }

    /// Instant by which the first decision after calm must have been made.
    fn recovers_by(&self, known: &Known) -> Instant {
        if self.asked == Instant::MAX {
            return Instant::MAX;
        }
        let interruptions = &known.interruptions;
        self.asked.max(interruptions.everything()) + interruptions.recovery()
    }

    fn on_unanswered(&mut self, rule: Rule, at: Instant, asked: Asked, known: &Known) {
        self.waits_no_longer(at, known);
        let until = known.interruptions.until(asked.show);
        if asked.since <= until || known.settings.slowest_answer.is_none() {
            return;
        }
        self.findings.checks();
        let how = match rule {
            UNREACHABLE => "was told that no leader could be reached",
            WITHDRAWN => "was told that the gateway had withdrawn",
            _ => "was given up without an answer",
        };
        self.goes_without(rule, known, || Story {
            headline: format!(
                "{} of {} {how} although the cluster was whole",
                asked.request, asked.user
            ),
            lines: vec![
                served_since(until, known),
                asked.sent(),
                format!("client {}: {how} at {at}", asked.user),
            ],
        });
    }

    /// Fails a judged request without an answer, at once or, if the network may have lost it, once there are too many.
    fn goes_without(&mut self, rule: Rule, known: &Known, story: impl FnOnce() -> Story) {
        if known.settings.lost_ppb == 0 {
            return self.findings.fail(rule, story);
        }
        let (unanswered, first) = &mut self.unanswered;
        *unanswered += 1;
        first.get_or_insert_with(story);
    }

    /// Fails if more requests stayed unanswered than the network may have lost.
    fn judge_lost(&mut self, known: &Known) {
        let (unanswered, first) = std::mem::take(&mut self.unanswered);
        let judged = self.findings.checked();
        let most = lost_at_most(judged, known.settings.lost_ppb);
        if unanswered > most
            && let Some(mut story) = first
        {
            story.lines.push(format!(
                "{unanswered} of {judged} requests went without an answer; the network explains {most}"
            ));
            self.findings.fail(TOO_MANY_LOST, || story);
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
        if let Some(slowest) = known.settings.slowest_answer {
            if known.settings.lost_ppb == 0 {
                self.judge_recovery(slowest, known);
            }
            self.judge_open(slowest, known, end, open);
        }
        self.judge_lost(known);
        self.judge_holds(known, end);
        for (rule, story) in own {
            self.findings.fail(rule, || story);
        }
        let exercised = self.findings.checked() >= CHECKS_MIN;
        self.findings.finish(exercised)
    }

    /// Fails if a client waited for the first decision after calm beyond recovery.
    fn judge_recovery(&mut self, slowest: Span, known: &Known) {
        let (calm, asked, decided) = (self.calm, self.asked, self.decided);
        let limit = self.recovers_by(known);
        if decided < Instant::MAX && asked < Instant::MAX && decided > limit + slowest {
            self.findings.fail(SLOW_RECOVERY, || Story {
                headline: format!("the cluster did not recover by {limit}"),
                lines: vec![
                    format!("calm began at {calm}, and a client has waited since {asked}"),
                    format!("the first decision reached a client at {decided}"),
                ],
            });
        }
    }

    /// Fails requests that are open at the end although they have had recovery and the slowest answer: from their first
    /// attempt or, after an interruption, from the retry that their client's patience brings.
    fn judge_open(&mut self, slowest: Span, known: &Known, end: Instant, open: &[Asked]) {
        let recovery = known.interruptions.recovery() + slowest;
        for asked in open {
            let until = known.interruptions.until(asked.show);
            let from = match asked.since > until {
                true => asked.since,
                false if until == Instant::MAX => continue,
                false => until + known.settings.patience,
            };
            if end > from + recovery {
                self.goes_without(NEVER_ENDED, known, || Story {
                    headline: format!("{} of {} never ended", asked.request, asked.user),
                    lines: vec![
                        served_since(until, known),
                        asked.sent(),
                        format!("it was still open at the end, {end}"),
                    ],
                });
            }
        }
    }

    fn judge_holds(&mut self, known: &Known, end: Instant) {
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
    }
}

/// The most of `judged` requests that stay unanswered if each does with a chance of `ppb` in a thousand million: the
/// mean, six standard deviations, and three.
fn lost_at_most(judged: u64, ppb: u64) -> u64 {
    let mean_ppb = u128::from(judged) * u128::from(ppb);
    let deviations = (mean_ppb * 36 / 1_000_000_000).isqrt();
    (mean_ppb / 1_000_000_000 + deviations + 3) as u64
}

/// The line about the latest interruption, which ended at `until`.
fn served_since(until: Instant, known: &Known) -> String {
    let recovery = human::span(known.interruptions.recovery());
    format!("no interruption excuses it: the last ended at {until}, with {recovery} to recover")
}
