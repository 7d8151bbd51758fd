//! `reply`: a client gets at most one reply an attempt, to requests that it made, and nothing waits for ever.
//!
//! Owns these three checks. Refuses to know what a reply says.
//!
//! Why no alarm is false: a gateway answers an attempt once. A network that duplicates messages delivers an attempt and
//! its reply twice at most, so four replies explain themselves by it. At the end of a run a table of the system may hold
//! what some attempt may have left there: no more than there are attempts that a gateway has not given up yet, times the
//! copies and the gateway's tries. Nothing is judged while an interruption is in force. Why none is missed: every reply
//! is counted for its request, and at the end each table is read, those of idle logs included: there one forgotten
//! request is too many.

use onsale_booking::{Instant, Span};
use onsale_reports::{Oracle, OracleResult};

use super::asked::Asked;
use super::evidence::{Findings, Story};
use super::excuse::{Excuse, MEASURED};
use super::known::Known;

crate::rules! {
    Reply:
    /// A client got more replies to a request than it made attempts.
    ANSWERED_TWICE = "answered-twice";
    /// A client got a reply to a request that it had not made.
    NEVER_ASKED = "never-asked";
    /// A table held at the end what no attempt explains.
    STILL_WAITING = "still-waiting";
}

/// The deviations that are excused here.
pub(crate) const EXCUSES: &[Excuse] = &[
    Excuse {
        oracle: Oracle::Reply,
        excused: "a client gets several replies to an attempt",
        bound: "four where the network may duplicate messages: two copies of the attempt, and two of each reply; else one",
        beyond: "duplicates_explain_four_replies_an_attempt",
    },
    Excuse {
        oracle: Oracle::Reply,
        excused: "a client that sends its request again gets a reply to each",
        bound: "its attempts, + 1 if it double-clicks, + 1 if it retries after minutes; × 4 where the network may duplicate \
                messages",
        beyond: MEASURED,
    },
    Excuse {
        oracle: Oracle::Reply,
        excused: "a table is not empty at the end",
        bound: "attempts about its log in the last two flights × a gateway's tries; × 4 where the network may duplicate \
                messages; a flight: 2 × tries × (try time-out + longest backoff) + both ways of a client + quantum, 5 s at least",
        beyond: MEASURED,
    },
    Excuse {
        oracle: Oracle::Reply,
        excused: "a table holds anything after an interruption or the start of its node",
        bound: "end of the cause + recovery; + 5 s for a budget of retries; always for what a node thinks of its peers where \
                the acceptable pause is shorter than two messages and an attempt's work, or the network loses messages",
        beyond: "a_table_is_judged_from_recovery_after_an_interruption",
    },
];

/// What waits at the end of a run in a table that must empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Where it is: a node and what the table holds, in words.
    pub holds: &'static str,
    /// The log concerned; `None` for all.
    pub log: Option<u32>,
    /// Number of entries.
    pub entries: u64,
    /// The most entries that one attempt can leave there.
    pub an_attempt: u64,
    /// Time that the table takes to empty after recovery from an interruption.
    pub settles: Span,
}

#[derive(Debug)]
pub(super) struct Reply {
    pub(super) findings: Findings,
}

impl Reply {
    pub(super) const fn new() -> Self {
        Self { findings: Findings::new(Oracle::Reply) }
    }

    /// Notes the reply number `heard` to a request with `attempts` attempts. Returns whether these explain it.
    #[inline]
    pub(super) fn explains(&mut self, heard: u8, attempts: u8, copies: u64) -> bool {
        self.findings.checks();
        u64::from(heard) <= u64::from(attempts) * copies
    }

    /// Notes a reply that the attempts of its request do not explain.
    pub(super) fn on_too_many(&mut self, at: Instant, asked: &Asked) {
        self.findings.fail(ANSWERED_TWICE, || Story {
            headline: format!("{} of {} was answered too often", asked.request, asked.user),
            lines: vec![
                format!("client {}: sent {} since {}", asked.user, asked.request, asked.since),
                format!(
                    "client {}: got a reply at {at}, one more than its attempts explain",
                    asked.user
                ),
            ],
        });
    }

    /// Notes a reply to a request that its client has not made.
    pub(super) fn on_unasked(&mut self, at: Instant, asked: &Asked) {
        self.findings.fail(NEVER_ASKED, || Story {
            headline: format!("{} of {} was answered and never asked", asked.request, asked.user),
            lines: vec![format!("client {}: got a reply at {at}", asked.user)],
        });
    }

    /// Judges what waits in a node's table at the end.
    pub(super) fn on_table(&mut self, end: Instant, node: &str, table: Table, known: &Known) {
        let Table { holds, log, entries, an_attempt, settles } = table;
        let interruptions = &known.interruptions;
        let (until, attempts) = match log {
            Some(log) => (interruptions.of_log(log), known.attempts.under_way(log, end)),
            None => (interruptions.of_all(), known.attempts.all_under_way(end)),
        };
        if end.since(until.max(interruptions.nodes())) <= settles {
            return;
        }
        self.findings.checks();
        let most = attempts * an_attempt * known.settings.copies();
        if entries > most {
            self.findings.fail(STILL_WAITING, || Story {
                headline: format!("{node} still holds {entries} {holds}"),
                lines: vec![
                    format!(
                        "clients made {attempts} attempts that may still be under way at {end}"
                    ),
                    format!("they explain {most} entries of this table"),
                ],
            });
        }
    }

    pub(super) fn finish(self) -> OracleResult {
        let exercised = self.findings.checked() > 0;
        self.findings.finish(exercised)
    }
}
