//! Requests and holds that must end within a bound after calm.

use super::*;

#[test]
fn after_calm_requests_get_answers() {
    let live = |act: &dyn Fn(&mut History), end: u64, open: &[Asked]| {
        let mut history = History::new();
        history.oracles.faults_over(secs(100));
        act(&mut history);
        verdict(&history.results(end, open), "live")
    };
    let ask = |history: &mut History, at: u64| {
        history.asks(at, &hold_request(1, 1, &[3]));
    };
    let refuse = |history: &mut History, since: u64, refusal| {
        ask(history, since);
        history.oracles.hold_refused(secs(since + 1), &asked(1, since), refusal);
    };
    assert_eq!(live(&|_| {}, 500, &[]), Verdict::NotExercised);
    assert_eq!(live(&|history| ask(history, 110), 500, &[]), Verdict::NotExercised);
    assert_eq!(live(&|history| refuse(history, 111, Refusal::Overloaded), 500, &[]), Verdict::Pass);
    assert_eq!(
        live(&|history| refuse(history, 111, Refusal::Unavailable), 500, &[]),
        Verdict::Fail
    );
    assert_eq!(
        live(&|history| refuse(history, 110, Refusal::Unavailable), 500, &[]),
        Verdict::NotExercised
    );
    assert_eq!(
        live(&|history| history.oracles.gave_up(secs(120), asked(1, 111), secs(111)), 500, &[]),
        Verdict::Fail
    );
    assert_eq!(
        live(
            &|history| history.oracles.gave_up(Instant(111_300_000), asked(1, 111), secs(111)),
            500,
            &[]
        ),
        Verdict::NotExercised,
        "no answer could have come so soon"
    );
    assert_eq!(
        live(&|history| history.oracles.gave_up(secs(120), asked(1, 90), secs(90)), 500, &[]),
        Verdict::NotExercised
    );
    assert_eq!(live(&|history| ask(history, 495), 500, &[asked(1, 495)]), Verdict::Pass);
    assert_eq!(live(&|history| ask(history, 480), 500, &[asked(1, 480)]), Verdict::Fail);
    assert_eq!(live(&|_| {}, 109, &[asked(1, 50)]), Verdict::NotExercised);
    assert_eq!(live(&|_| {}, 111, &[asked(1, 50)]), Verdict::Fail);
}

/// An overloaded gateway answers: a client that retries has waited for the last attempt alone.
#[test]
fn a_client_turned_away_has_waited_since_its_last_attempt() {
    let live = |unheard_since| {
        let mut history = History::new();
        history.oracles.faults_over(secs(100));
        history.oracles.gave_up(secs(120), asked(1, 111), unheard_since);
        verdict(&history.results(500, &[]), "live")
    };
    assert_eq!(OracleSettings::example().slowest_answer, Some(Span::from_secs(1)));
    assert_eq!(live(Instant(119_000_001)), Verdict::NotExercised);
    assert_eq!(live(secs(119)), Verdict::Fail);
}

#[test]
fn a_client_that_retries_late_is_answered_late() {
    let live = |patience, slowest_answer, end: u64| {
        let patience = Span::from_secs(patience);
        let mut history =
            History::with(OracleSettings { patience, slowest_answer, ..OracleSettings::example() });
        history.oracles.faults_over(secs(100));
        verdict(&history.results(end, &[asked(1, 50)]), "live")
    };
    let answers = OracleSettings::example().slowest_answer;
    assert_eq!(live(0, answers, 111), Verdict::Fail);
    assert_eq!(live(30, answers, 132), Verdict::NotExercised);
    assert_eq!(live(30, answers, 133), Verdict::Fail);
    assert_eq!(live(0, None, 500), Verdict::NotExercised, "each answer may have been lost");
}

#[test]
fn after_calm_holds_end() {
    let live = |calm: u64, end: u64| {
        let mut history = History::new();
        history.oracles.faults_over(secs(calm));
        history.asks(200, &hold_request(1, 1, &[3])).held(200, 1, 1, &[3]);
        verdict(&history.results(end, &[]), "live")
    };
    assert_eq!(live(100, 509), Verdict::Pass);
    assert_eq!(live(100, 510), Verdict::Fail);
    // Calm does not prolong the hold.
    assert_eq!(live(400, 509), Verdict::NotExercised);
    assert_eq!(live(400, 510), Verdict::Fail);
}

#[test]
fn recovery_is_the_first_decision_on_a_request_sent_after_calm() {
    let mut history = History::new();
    assert_eq!(history.oracles.recovery(), None);
    history.oracles.faults_over(secs(100));
    history.oracles.hold_refused(secs(101), &asked(1, 99), Refusal::SoldOut);
    history.oracles.hold_refused(secs(102), &asked(2, 101), Refusal::Overloaded);
    assert_eq!(history.oracles.recovery(), None);
    history.oracles.hold_refused(secs(104), &asked(3, 101), Refusal::NoneFree);
    history.gets((103, 104, 105), 4, 1, &[3]);
    assert_eq!(history.oracles.recovery(), Some(Span::from_secs(4)));
}
