//! The promise of a hold where clocks may be wrong.

use super::*;

/// A client that asked at 0 and was told 302 believes that its hold lasts until 301. A leader whose clock is
/// ahead by two seconds frees the seats at 305, and true clocks not before 307.
#[test]
fn time_that_a_client_believed_of_a_clock_ahead_is_not_promised_twice() {
    let lost = Outcome::Refused(Refusal::HoldLost);
    let confirm = confirm_request(11, 1, 1);
    let refused = |early, at| {
        let mut history = History::with(OracleSettings { early, ..OracleSettings::example() });
        history.held(2, 1, 1, &[3]).gets((0, 2, 3), 1, 1, &[3]).asks(303, &confirm);
        history.record(at, Event::Expired { hold: HoldId(1), at: secs(307) });
        history.told(at, 303, &confirm, &lost);
        verdict(&history.results(400, &[]), "hold")
    };
    assert_eq!(refused(None, 305), Verdict::Fail);
    assert_eq!(refused(Some(Span::ZERO), 305), Verdict::Pass);
    assert_eq!(refused(Some(Span::ZERO), 304), Verdict::Fail);
    assert_eq!(refused(Some(Span::from_secs(2)), 304), Verdict::Pass);
}
