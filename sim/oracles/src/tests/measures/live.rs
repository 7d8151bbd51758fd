//! `live`: after calm every request ends in an answer and every hold in an end. Calm begins at 100, and the bound is ten
//! seconds.

use super::*;
use crate::live::{GIVEN_UP, NEVER_ENDED, NEVER_RESOLVED, UNREACHABLE, WITHDRAWN};

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: UNREACHABLE,
        also: &[],
        condemned: || calm(500, |history| refused(history, 111, Refusal::Unavailable)),
        legal: || calm(500, |history| refused(history, 110, Refusal::Unavailable)),
    },
    Measure {
        rule: WITHDRAWN,
        also: &[],
        condemned: || calm(500, |history| refused(history, 111, Refusal::Minority)),
        legal: || calm(500, |history| refused(history, 110, Refusal::Minority)),
    },
    Measure {
        rule: GIVEN_UP,
        also: &[],
        condemned: || calm(500, |history| given_up(history, 111)),
        legal: || calm(500, |history| given_up(history, 110)),
    },
    Measure { rule: NEVER_ENDED, also: &[], condemned: || open(111), legal: || open(110) },
    Measure {
        rule: NEVER_RESOLVED,
        also: &[],
        condemned: || calm(510, |history| history.held(200, 1, 1, &[3])),
        legal: || calm(509, |history| history.held(200, 1, 1, &[3])),
    },
];

fn calm(end: u64, act: impl FnOnce(&mut History) -> &mut History) -> Vec<OracleResult> {
    let mut history = History::new();
    history.oracles.faults_over(secs(100));
    act(&mut history);
    history.results(end, &[])
}

fn refused(history: &mut History, since: u64, refusal: Refusal) -> &mut History {
    history.asks(since, &hold_request(1, 1, &[3]));
    history.oracles.hold_refused(secs(since + 1), &asked(1, since), refusal);
    history
}

fn given_up(history: &mut History, since: u64) -> &mut History {
    history.oracles.gave_up(secs(120), asked(1, since), secs(since));
    history
}

/// A request asked before calm is open at the end.
fn open(end: u64) -> Vec<OracleResult> {
    let mut history = History::new();
    history.oracles.faults_over(secs(100));
    history.results(end, &[asked(1, 50)])
}
