//! Each rule of each oracle, measured: a minimal history that breaks it, and the nearest one that breaks none.
//!
//! Where a history cannot but break others with it, they stand beside it: two promises of one seat contradict each other
//! in more than one view.

mod answers;
mod atomic;
mod claims;
mod hold;
mod journal;
mod live;
mod seats;
mod soon;
mod unusual;

use super::*;
use crate::rule::{Measure, compare};

const MEASURES: [&[Measure]; 10] = [
    journal::MEASURES,
    atomic::MEASURES,
    hold::MEASURES,
    claims::MEASURES,
    answers::MEASURES,
    unusual::MEASURES,
    seats::MEASURES,
    live::MEASURES,
    soon::MEASURES,
    crate::latency::tests::MEASURES,
];

#[test]
fn each_rule_is_broken_by_its_own_history_alone() {
    compare(&Oracles::RULES.concat(), &MEASURES.concat());
}

/// The verdicts on a history, long after its end.
fn play(act: impl FnOnce(&mut History) -> &mut History) -> Vec<OracleResult> {
    let mut history = History::new();
    act(&mut history);
    history.results(10_000, &[])
}

impl History {
    /// A client's hold, as it is told and recorded: asked for at 0, granted at 1, told at 2.
    fn has(&mut self, hold: u64, user: u32, list: &[u32]) -> &mut Self {
        self.asks(0, &hold_request(hold, user, list)).held(1, hold, user, list).told(
            2,
            0,
            &hold_request(hold, user, list),
            &held_outcome(hold, list, 1),
        )
    }

    /// A client's request and its answer.
    fn asks_and_hears(
        &mut self,
        (asked, told): (u64, u64),
        request: &Request,
        outcome: &Outcome,
    ) -> &mut Self {
        self.asks(asked, request).told(told, asked, request, outcome)
    }
}
