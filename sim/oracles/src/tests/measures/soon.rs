//! `reply` and `prompt`: at most one reply an attempt, nothing that waits for ever, and nothing late. Recovery takes ten
//! seconds, an attempt is under way for ten at the most, and a gateway takes two requests about a log at once.

use super::*;
use crate::Table;
use crate::prompt::{OVERLOADED_IDLE, SLOW_ANSWER, SLOW_EXPIRY};
use crate::reply::{ANSWERED_TWICE, NEVER_ASKED, STILL_WAITING};

pub(super) const MEASURES: &[Measure] = &[
    Measure { rule: ANSWERED_TWICE, also: &[], condemned: || heard(3, 2), legal: || heard(2, 2) },
    Measure {
        rule: NEVER_ASKED,
        also: &[],
        condemned: || {
            let mut history = History::new();
            history.oracles.heard_unasked(secs(11), &asked(1, 11));
            history.results(500, &[])
        },
        legal: || heard(1, 1),
    },
    Measure { rule: STILL_WAITING, also: &[], condemned: || waits(2), legal: || waits(1) },
    Measure { rule: SLOW_ANSWER, also: &[], condemned: || told(32), legal: || told(31) },
    Measure { rule: SLOW_EXPIRY, also: &[], condemned: || ends(1, 328), legal: || ends(1, 327) },
    Measure {
        rule: OVERLOADED_IDLE,
        also: &[],
        condemned: || overloaded(&[11, 30, 31]),
        legal: || overloaded(&[29, 30, 31]),
    },
];

fn heard(replies: u8, attempts: u8) -> Vec<OracleResult> {
    let mut history = History::new();
    for reply in 1..=replies {
        if !history.oracles.explains_reply(reply, attempts) {
            history.oracles.answered_too_often(secs(11), &asked(1, 11));
        }
    }
    history.results(500, &[])
}

/// A request in flight, about log 0.
const fn in_flight() -> Table {
    let (log, settles) = (Some(0), Span::ZERO);
    Table { holds: "requests in flight", log, entries: 1, an_attempt: 1, settles }
}

/// One attempt is under way at the end, and a table holds entries about its log.
fn waits(entries: u64) -> Vec<OracleResult> {
    let mut history = History::new();
    history.oracles.attempted(secs(495), SHOW);
    let table = Table { entries, ..in_flight() };
    history.oracles.waits_at_the_end(secs(500), "n1", table);
    history.results(500, &[])
}

/// The answer to a request of second 20, which has eleven seconds.
fn told(at: u64) -> Vec<OracleResult> {
    let answers_within = Some(Span::from_secs(11));
    let mut history = History::with(OracleSettings { answers_within, ..OracleSettings::example() });
    history.asks(20, &hold_request(1, 1, &[3]));
    history.refuses(secs(at), &asked(1, 20), Refusal::SeatTaken);
    history.results(500, &[])
}

/// A hold granted in term 1 at 20, due at 325, ends in a term; that takes two seconds.
fn ends(term: u64, at: u64) -> Vec<OracleResult> {
    let expires_within = Some(Span::from_secs(2));
    let mut history = History::with(OracleSettings { expires_within, ..OracleSettings::example() });
    history.held(20, 1, 1, &[3]);
    history.written(at, term, 1, Event::Expired { hold: HoldId(1), at: secs(at) });
    history.results(500, &[])
}

#[test]
fn another_leader_excuses_a_late_expiry() {
    assert_eq!(verdict(&ends(2, 328), "prompt"), Verdict::NotExercised);
}

/// The last of these attempts is told *overloaded*.
fn overloaded(attempts: &[u64]) -> Vec<OracleResult> {
    let mut history = History::new();
    for &at in attempts {
        history.oracles.attempted(secs(at), SHOW);
    }
    history.oracles.overloaded(secs(31), &asked(1, 31));
    history.results(500, &[])
}

/// A network that duplicates explains two copies of an attempt, and two of each reply.
#[test]
fn duplicates_explain_four_replies_an_attempt() {
    let explains = |reply| {
        let settings = OracleSettings { duplicates: true, ..OracleSettings::example() };
        History::with(settings).oracles.explains_reply(reply, 1)
    };
    assert!(explains(4) && !explains(5));
}

/// While a node works off a queue, nothing is judged: until recovery after its start at 25.
#[test]
fn a_node_that_goes_on_may_be_overloaded_by_what_waited() {
    let verdict_of = |asked_at| {
        let mut history = History::new();
        history.oracles.excuses().1.node_goes_on(NodeId(1), secs(25));
        history.oracles.attempted(secs(asked_at), SHOW);
        history.oracles.overloaded(secs(asked_at), &asked(1, asked_at));
        verdict(&history.results(500, &[]), "prompt")
    };
    assert_eq!(verdict_of(35), Verdict::NotExercised);
    assert_eq!(verdict_of(36), Verdict::Fail);
}

/// Until recovery after an interruption at 485, or after the start of a node, a table may hold anything; one about all
/// logs that takes time to settle, for that time more.
#[test]
fn a_table_is_judged_from_recovery_after_an_interruption() {
    let verdict_of = |starts: bool, settles, end| {
        let mut history = History::new();
        let interruptions = history.oracles.excuses().1;
        match starts {
            true => interruptions.node_goes_on(NodeId(1), secs(485)),
            false => interruptions.writer_stops(0, secs(485)),
        }
        let table = Table {
            log: Some(0).filter(|_| settles == 0),
            settles: Span::from_secs(settles),
            ..in_flight()
        };
        history.oracles.waits_at_the_end(secs(end), "n1", table);
        verdict(&history.results(end, &[]), "reply")
    };
    for starts in [true, false] {
        assert_eq!(verdict_of(starts, 0, 495), Verdict::NotExercised);
        assert_eq!(verdict_of(starts, 0, 496), Verdict::Fail);
        assert_eq!(verdict_of(starts, 5, 500), Verdict::NotExercised);
        assert_eq!(verdict_of(starts, 5, 501), Verdict::Fail);
    }
}
