//! Requests and holds that must end within a bound after calm.

use super::*;
use crate::Load;

/// The verdict of `live` on a request of second `since`, if `act` is what becomes of it. Recovery takes 10 s.
fn live(since: u64, act: &dyn Fn(&mut History), end: u64, open: &[Asked]) -> Verdict {
    let mut history = History::new();
    history.oracles.faults_over(secs(0));
    history.asks(since, &hold_request(1, 1, &[3]));
    act(&mut history);
    verdict(&history.results(end, open), "live")
}

const NOT_FAILED: Verdict = Verdict::NotExercised;

#[test]
fn a_request_that_nothing_interrupts_gets_an_answer() {
    let refused = |since, refusal| {
        let refuse = move |history: &mut History| {
            history.refuses(secs(since + 1), &asked(1, since), refusal);
        };
        live(since, &refuse, 500, &[])
    };
    assert_eq!(refused(11, Refusal::Overloaded), NOT_FAILED);
    assert_eq!(refused(11, Refusal::SoldOut), NOT_FAILED);
    assert_eq!(refused(11, Refusal::Unavailable), Verdict::Fail);
    assert_eq!(refused(11, Refusal::Minority), Verdict::Fail);
    assert_eq!(refused(10, Refusal::Unavailable), NOT_FAILED, "the run had just begun");
    let gives_up = |since, at| {
        let act = move |history: &mut History| {
            history.oracles.gave_up(at, asked(1, since), tried(secs(since)));
        };
        live(since, &act, 500, &[])
    };
    assert_eq!(gives_up(11, secs(20)), Verdict::Fail);
    assert_eq!(gives_up(11, Instant(11_300_000)), NOT_FAILED, "no answer could have come so soon");
    assert_eq!(gives_up(9, secs(20)), NOT_FAILED);
}

/// An interruption that begins while a request is under way excuses it, and one that ended before does not.
#[test]
fn an_interruption_excuses_the_requests_that_it_touches() {
    let judged = |since: u64, heals: u64| {
        let act = move |history: &mut History| {
            let (_, interruptions) = history.oracles.excuses();
            interruptions.delays_begin();
            if heals <= since + 5 {
                interruptions.delays_end(secs(heals));
            }
            history.oracles.gave_up(secs(since + 5), asked(1, since), tried(secs(since)));
        };
        live(since, &act, 500, &[])
    };
    assert_eq!(judged(111, 100), Verdict::Fail, "long over");
    assert_eq!(judged(110, 100), NOT_FAILED, "within recovery");
    assert_eq!(judged(100, 120), NOT_FAILED, "it began in the meantime");
    let writer_stops = |since: u64, log: u32| {
        let act = move |history: &mut History| {
            history.oracles.excuses().1.writer_stops(log, secs(100));
            history.oracles.gave_up(secs(since + 5), asked(1, since), tried(secs(since)));
        };
        live(since, &act, 500, &[])
    };
    assert_eq!(writer_stops(110, 0), NOT_FAILED);
    assert_eq!(writer_stops(111, 0), Verdict::Fail, "a majority is left, and recovery over");
    assert_eq!(writer_stops(110, 1), Verdict::Fail, "another log's");
}

/// One gateway is silent: a client that asks another one, too, is answered.
#[test]
fn more_attempts_than_silent_gateways_are_answered() {
    let judged = |attempts| {
        let act = move |history: &mut History| {
            history.oracles.excuses().1.node_stops(NodeId(2), secs(100));
            let tries = Tries { attempts, unheard_since: secs(110) };
            history.oracles.gave_up(secs(115), asked(1, 110), tries);
        };
        live(110, &act, 500, &[])
    };
    assert_eq!(judged(1), NOT_FAILED);
    assert_eq!(judged(2), Verdict::Fail);
}

/// Eleven attempts at once are the work of 1.1 s, and a leader takes requests for a second: what is asked at 31 was
/// asked within recovery of 21.1.
#[test]
fn overload_excuses_requests_until_recovery_after_its_work() {
    let judged = |attempts: u64, since: u64| {
        let load = Load { work: Span::from_millis(100), wait: Span::from_secs(1) };
        let mut history = History::with(OracleSettings { load, ..OracleSettings::example() });
        (0..attempts).for_each(|_| history.oracles.attempted(secs(20), SHOW));
        history.oracles.gave_up(secs(since + 5), asked(1, since), tried(secs(since)));
        verdict(&history.results(500, &[]), "live")
    };
    assert_eq!(judged(11, 31), NOT_FAILED);
    assert_eq!(judged(11, 32), Verdict::Fail, "recovery is over");
    assert_eq!(judged(10, 31), Verdict::Fail, "a core does it in time");
}

/// Open at the end: recovery and the slowest answer, 11 s, from the first attempt or from the end of recovery.
#[test]
fn an_open_request_has_recovery_from_its_start_or_from_the_last_interruption() {
    let open = |since, end| live(since, &|_| {}, end, &[asked(1, since)]);
    assert_eq!(open(480, 491), NOT_FAILED);
    assert_eq!(open(480, 492), Verdict::Fail);
    assert_eq!(open(5, 21), NOT_FAILED);
    assert_eq!(open(5, 22), Verdict::Fail);
}

/// Fewer than a hundred judged requests say little; a failure is one all the same.
#[test]
fn a_hundred_requests_exercise_it() {
    let live = |requests: u64| {
        let mut history = History::new();
        history.oracles.faults_over(secs(0));
        for id in 0..requests {
            history.asks(11, &hold_request(id, 1, &[3]));
            history.refuses(secs(12), &asked(id, 11), Refusal::SoldOut);
        }
        verdict(&history.results(500, &[]), "live")
    };
    assert_eq!(live(99), Verdict::NotExercised);
    assert_eq!(live(100), Verdict::Pass);
}

/// An overloaded gateway answers: a client that retries has waited for the last attempt alone.
#[test]
fn a_client_turned_away_has_waited_since_its_last_attempt() {
    let live = |unheard_since| {
        let gives_up = move |history: &mut History| {
            history.oracles.gave_up(secs(120), asked(1, 111), tried(unheard_since));
        };
        live(111, &gives_up, 500, &[])
    };
    assert_eq!(OracleSettings::example().slowest_answer, Some(Span::from_secs(1)));
    assert_eq!(live(Instant(119_000_001)), NOT_FAILED);
    assert_eq!(live(secs(119)), Verdict::Fail);
}

#[test]
fn a_client_that_retries_late_is_answered_late() {
    let live = |patience, slowest_answer, end: u64| {
        let patience = Span::from_secs(patience);
        let mut history =
            History::with(OracleSettings { patience, slowest_answer, ..OracleSettings::example() });
        verdict(&history.results(end, &[asked(1, 5)]), "live")
    };
    let answers = OracleSettings::example().slowest_answer;
    assert_eq!(live(0, answers, 22), Verdict::Fail);
    assert_eq!(live(30, answers, 51), NOT_FAILED);
    assert_eq!(live(30, answers, 52), Verdict::Fail);
    assert_eq!(live(0, None, 500), NOT_FAILED, "each answer may have been lost");
}

#[test]
fn after_calm_holds_end() {
    let live = |calm: u64, end: u64| {
        let mut history = History::new();
        history.oracles.faults_over(secs(calm));
        history.asks(200, &hold_request(1, 1, &[3])).held(200, 1, 1, &[3]);
        verdict(&history.results(end, &[]), "live")
    };
    assert_eq!(live(100, 509), NOT_FAILED);
    assert_eq!(live(100, 510), Verdict::Fail);
    // Calm does not prolong the hold.
    assert_eq!(live(400, 509), NOT_FAILED);
    assert_eq!(live(400, 510), Verdict::Fail);
}

#[test]
fn recovery_is_the_first_decision_on_a_request_sent_after_calm() {
    let mut history = History::new();
    assert_eq!(history.oracles.recovery(), None);
    history.oracles.faults_over(secs(100));
    history.refuses(secs(101), &asked(1, 99), Refusal::SoldOut);
    history.refuses(secs(102), &asked(2, 101), Refusal::Overloaded);
    assert_eq!(history.oracles.recovery(), None);
    history.refuses(secs(104), &asked(3, 101), Refusal::NoneFree);
    history.gets((103, 104, 105), 4, 1, &[3]);
    assert_eq!(history.oracles.recovery(), Some(Span::from_secs(4)));
}
