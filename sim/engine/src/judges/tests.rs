//! Helpers of the judges' tests: a small sale, one hold of it, and the verdicts.

use onsale_booking::{
    Command, Event, HoldId, Request, RequestId, SeatId, ShowId, Span, UserId, Wish,
};
use onsale_oracles::OracleSettings;
use onsale_reports::{OracleResult, Verdict};

use super::*;

pub(super) const SHOW: ShowId = ShowId(0);
const HOLD_SECS: u64 = 300;

/// Settings: 2 shows, 2 sections, 4 rows of 5 seats; 4 seats a request; bound 10 s. An election takes 3 s, a started
/// replica hears the time within 1 s.
pub(crate) fn settings() -> JudgeSettings {
    let oracles = OracleSettings::example();
    let paces = Paces { election: Span::from_secs(3), hears: Span::from_secs(1), quorum: None };
    let replicas = Placement::new(3, 3, 8, 3);
    JudgeSettings { oracles, paces, moves_end: true, prompt: None, facts: None, replicas }
}

pub(crate) fn secs(secs: u64) -> Instant {
    Instant(secs * 1_000_000)
}

/// The request of that hold.
pub(crate) fn asked() -> Request {
    let picked = [SeatId(3)].into_iter().collect();
    let command = Command::Hold(Wish { picked, ..Wish::default() });
    Request { id: RequestId(1), user: UserId(1), show: SHOW, command }
}

/// A hold of one seat, granted at this second.
pub(super) fn held(at: u64) -> Event {
    let (hold, user, seats) = (HoldId(1), UserId(1), [SeatId(3)].into_iter().collect());
    Event::Held { hold, user, seats, at: secs(at), expires: secs(at + HOLD_SECS) }
}

pub(super) fn verdict(results: &[OracleResult], name: &str) -> Verdict {
    results.iter().find(|result| result.name == name).expect("an oracle of that name").verdict
}

/// Measures of rules: for each a history, by whether it is legal, and its verdicts as the first argument tells.
macro_rules! measures {
    ($verdicts:expr; $($rule:ident $([$($also:ident),+])? : $history:expr,)+) => {
        [$(onsale_oracles::rule::Measure {
            rule: $rule,
            also: &[$($($also),+)?],
            condemned: || { let history: fn(bool) -> _ = $history; $verdicts(history(false)) },
            legal: || { let history: fn(bool) -> _ = $history; $verdicts(history(true)) },
        }),+]
    };
}
pub(super) use measures;
