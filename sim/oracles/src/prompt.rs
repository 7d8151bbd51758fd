//! `prompt`: what must come soon comes within what settings and faults explain.
//!
//! Owns the time of answers that nothing excuses, and the reasons to be told *overloaded*; reports what a system's own
//! judges find about its failovers. Refuses to know who decides.
//!
//! - *An answer* to a request that no interruption touches comes within recovery and the slowest answer: its gateway
//!   retries within that even if a leader is on the move.
//! - *Overloaded* is said only while as many requests about a log may be under way as a gateway's limit allows: attempts
//!   of clients that no gateway can have given up yet, at all gateways together.
//!
//! - *An expiry*: a hold whose log has had one writer since the grant ends, on a disk, within a lead transfer that failed,
//!   a tick, and the longest attempt, from its due instant on, unless an interruption touches that.
//!
//! Why no alarm is false: a writer in one term knows when its holds are due, and nothing but a lead transfer that failed
//! keeps it from ending them. An attempt is under way for at most a flight, and attempts are counted for longer than that.
//! A process that stood still, or has just started, may find a queue from before: until recovery after it, nothing is
//! judged. Why none is missed: every answer and every such refusal is reported, and no claim of a node excuses one.

use onsale_booking::{HoldId, Instant};
use onsale_reports::{Oracle, OracleResult};

use super::asked::Asked;
use super::evidence::{Findings, Story};
use super::excuse::{Excuse, MEASURED};
use super::journal::State;
use super::known::Known;
use super::position::Position;
use super::rule::Rule;

crate::rules! {
    Prompt:
    /// An answer came later than recovery, although no interruption excused it.
    SLOW_ANSWER = "slow-answer";
    /// A hold ended later than its log's only writer explains.
    SLOW_EXPIRY = "slow-expiry";
    /// A client was told *overloaded* by a gateway that cannot have been.
    OVERLOADED_IDLE = "overloaded-idle";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Prompt,
        excused: "an answer takes time",
        bound: "recovery + the slowest answer, unless an interruption touches the request or the network loses messages \
                without faults",
        beyond: MEASURED,
    },
    Excuse {
        oracle: Oracle::Prompt,
        excused: "a hold ends late although its leader has led since the grant",
        bound: "hold + grace, by the plan's slowest clock, + 2 election time-outs + a tick + 4 messages inside + 2 writes + \
                2 × an attempt's work; any if an interruption touches that, or another leader has led",
        beyond: MEASURED,
    },
    Excuse {
        oracle: Oracle::Prompt,
        excused: "a client is told overloaded",
        bound: "as many attempts about its log in the last two flights as in-flight-per-shard; × 4 where the network may \
                duplicate messages",
        beyond: MEASURED,
    },
    Excuse {
        oracle: Oracle::Prompt,
        excused: "a client is told overloaded after an interruption or the start of a node",
        bound: "end of the cause + recovery",
        beyond: "a_node_that_goes_on_may_be_overloaded_by_what_waited",
    },
];

#[derive(Debug)]
pub(super) struct Prompt {
    pub(super) findings: Findings,
}

impl Prompt {
    pub(super) const fn new() -> Self {
        Self { findings: Findings::new(Oracle::Prompt) }
    }

    /// Notes a leader's decision on a request that no interruption touches.
    #[inline]
    pub(super) fn on_decided(&mut self, at: Instant, asked: &Asked, known: &Known) {
        let Some(within) = known.settings.answers_within else { return };
        self.findings.checks();
        let limit = asked.since + within;
        if at > limit {
            self.findings.fail(SLOW_ANSWER, || Story {
                headline: format!("{} of {} was answered late", asked.request, asked.user),
                lines: vec![
                    asked.sent(),
                    format!(
                        "client {}: had to be answered by {limit}, as nothing interrupted it; was at {at}",
                        asked.user
                    ),
                ],
            });
        }
    }

    /// Judges a record of expiry, first on a disk at `written`, before it is folded in.
    pub(super) fn on_expired(
        &mut self,
        known: &Known,
        hold: HoldId,
        written: Instant,
        position: Position,
    ) {
        let Some(within) = known.settings.expires_within else { return };
        let Some(entry) = known.journal.get(hold) else { return };
        let grant = &entry.known;
        let due = grant.written + known.settings.lateness.lasts;
        let is_its_writer = grant.state == State::Held && grant.held.term == position.term;
        if !is_its_writer || known.interruptions.of_log(position.log) > due {
            return;
        }
        self.findings.checks();
        let limit = due + within;
        if written > limit {
            self.findings.fail(SLOW_EXPIRY, || {
                let mut lines = known.about(hold);
                lines.push(format!(
                    "on a disk since {}: its time and grace ended by {due}",
                    grant.written
                ));
                lines.push(format!(
                    "journal {position}: it ends; on a disk since {written}, had to be by {limit}"
                ));
                Story { headline: format!("{hold} of {} expired late", grant.user), lines }
            });
        }
    }

    /// Notes that a gateway tells a client *overloaded*.
    pub(super) fn on_overloaded(&mut self, at: Instant, asked: &Asked, known: &Known) {
        let interruptions = &known.interruptions;
        if asked.since <= interruptions.until(asked.show).max(interruptions.nodes()) {
            return;
        }
        self.findings.checks();
        let log = interruptions.log_of(asked.show);
        let most = known.attempts.under_way(log, at) * known.settings.copies();
        let limit = known.settings.in_flight_per_log;
        // The refused attempt is one of them.
        if most <= u64::from(limit) {
            self.findings.fail(OVERLOADED_IDLE, || Story {
                headline: format!("{} of {} was told overloaded without a load", asked.request, asked.user),
                lines: vec![
                    asked.sent(),
                    format!("client {}: was told so at {at}", asked.user),
                    format!(
                        "at most {most} attempts about it were under way at all gateways; each takes {limit}"
                    ),
                ],
            });
        }
    }

    /// The verdict, with the checks and findings of a system's own judges.
    pub(super) fn finish(mut self, (checks, own): (u64, Vec<(Rule, Story)>)) -> OracleResult {
        (0..checks).for_each(|_| self.findings.checks());
        for (rule, story) in own {
            self.findings.fail(rule, || story);
        }
        let exercised = self.findings.checked() > 0;
        self.findings.finish(exercised)
    }
}
