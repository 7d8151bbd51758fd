//! `live`: a request that no interruption touches ends in an answer, and every hold in an end. The start of the run
//! excuses requests of the first ten seconds, and recovery takes ten seconds.

use super::*;
use crate::live::{
    GIVEN_UP, NEVER_ENDED, NEVER_RESOLVED, SLOW_RECOVERY, TOO_MANY_LOST, UNREACHABLE, WITHDRAWN,
};

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: UNREACHABLE,
        also: &[],
        condemned: || calm(500, |history| refused(history, 11, Refusal::Unavailable)),
        legal: || calm(500, |history| refused(history, 10, Refusal::Unavailable)),
    },
    Measure {
        rule: WITHDRAWN,
        also: &[],
        condemned: || calm(500, |history| refused(history, 11, Refusal::Minority)),
        legal: || calm(500, |history| refused(history, 10, Refusal::Minority)),
    },
    Measure {
        rule: GIVEN_UP,
        also: &[],
        condemned: || calm(500, |history| given_up(history, 11)),
        legal: || calm(500, |history| given_up(history, 10)),
    },
    Measure { rule: TOO_MANY_LOST, also: &[], condemned: || lossy(20), legal: || lossy(19) },
    Measure { rule: NEVER_ENDED, also: &[], condemned: || open(22), legal: || open(21) },
    Measure {
        rule: SLOW_RECOVERY,
        also: &[],
        condemned: || recovers(122),
        legal: || recovers(121),
    },
    Measure {
        rule: NEVER_RESOLVED,
        also: &[],
        condemned: || calm(510, |history| history.held(200, 1, 1, &[3])),
        legal: || calm(509, |history| history.held(200, 1, 1, &[3])),
    },
];

fn calm(end: u64, act: impl FnOnce(&mut History) -> &mut History) -> Vec<OracleResult> {
    let mut history = History::new();
    history.oracles.faults_over(secs(0));
    act(&mut history);
    history.results(end, &[])
}

fn refused(history: &mut History, since: u64, refusal: Refusal) -> &mut History {
    history.asks(since, &hold_request(1, 1, &[3]));
    history.refuses(secs(since + 1), &asked(1, since), refusal);
    history
}

fn given_up(history: &mut History, since: u64) -> &mut History {
    history.oracles.gave_up(secs(20), asked(1, since), tried(secs(since)));
    history
}

/// A request asked while the run begins is open at the end: it has had recovery, and the second of the slowest answer.
fn open(end: u64) -> Vec<OracleResult> {
    let mut history = History::new();
    history.oracles.faults_over(secs(0));
    history.results(end, &[asked(1, 5)])
}

/// Some of 400 requests go without an answer, where one in a hundred may be lost: 4 + 6·2 + 3 at most.
fn lossy(silent: u64) -> Vec<OracleResult> {
    let mut history =
        History::with(OracleSettings { lost_ppb: 10_000_000, ..OracleSettings::example() });
    history.oracles.faults_over(secs(0));
    for id in 0..400 {
        history.asks(11, &hold_request(id, 1, &[3]));
        match id < silent {
            true => history.oracles.gave_up(secs(20), asked(id, 11), tried(secs(11))),
            false => history.refuses(secs(12), &asked(id, 11), Refusal::SeatTaken),
        }
    }
    history.results(500, &[])
}

/// A fault heals at 100; a client asks at 101, and a decision is the first to reach it.
fn recovers(decided: u64) -> Vec<OracleResult> {
    let mut history = History::new();
    history.oracles.excuses().1.delays_begin();
    history.oracles.excuses().1.delays_end(secs(100));
    history.oracles.faults_over(secs(100));
    history.asks(101, &hold_request(1, 1, &[3]));
    history.refuses(secs(decided), &asked(1, 101), Refusal::SeatTaken);
    history.results(500, &[])
}
