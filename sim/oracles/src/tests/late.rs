//! Holds that end too late: declared gaps and troubles excuse them, to the second.
//!
//! A hold lasts 300 s, its grace 5 s, and the slack is 4 s: so without gaps and troubles a hold granted at 100 s ends
//! by 409 s.

use super::*;
use crate::Overdue;

/// The last second at which a hold granted at 100 may end; `hold` and `live` agree on it.
fn limit(declare: &dyn Fn(&mut Overdue)) -> u64 {
    let judged = |end: u64| {
        let play = |ends: bool| {
            let mut history = History::new();
            history.asks(100, &hold_request(1, 1, &[3])).held(100, 1, 1, &[3]);
            declare(history.oracles.excuses().0);
            if ends {
                history.record(end, Event::Expired { hold: HoldId(1), at: secs(405) });
            }
            history.oracles.faults_over(secs(2_000));
            history.results(end, &[])
        };
        (verdict(&play(true), "hold"), verdict(&play(false), "live"))
    };
    let first = (405..2_000).find(|&end| judged(end).0 == Verdict::Fail).expect("there is a limit");
    assert_eq!(judged(first - 1), (Verdict::NotExercised, Verdict::NotExercised));
    assert_eq!(judged(first).1, Verdict::Fail, "nothing ends it");
    first - 1
}

#[test]
fn without_gaps_and_troubles_a_hold_ends_within_the_slack() {
    assert_eq!(limit(&|_| {}), 409);
}

#[test]
fn every_end_of_a_hold_is_judged_for_lateness() {
    let ends = |at: u64, asked: &Request, event: Event| {
        let mut history = History::new();
        history.asks(100, &hold_request(1, 1, &[3])).held(100, 1, 1, &[3]).asks(200, asked);
        history.record(at, event);
        history.results(at, &[])
    };
    let (hold, request) = (HoldId(1), RequestId(9));
    let (confirm, release) = (confirm_request(9, 1, 1), release_request(9, 1, 1));
    let released = Event::Released { request, hold, at: secs(200) };
    assert_eq!(verdict(&ends(409, &release, released.clone()), "hold"), Verdict::NotExercised);
    assert_eq!(verdict(&ends(410, &release, released), "hold"), Verdict::Fail);
    let booked = Event::Booked { request, hold, payment: PaymentId(9), at: secs(200) };
    let results = ends(410, &confirm, booked);
    let told =
        results.iter().find(|result| result.name == "hold").expect("it is one of the oracles");
    let evidence = told.evidence.as_ref().expect("it failed");
    assert_eq!(evidence.headline, "h1 of u1 outlived its time by 00:05.000");
}

#[test]
fn a_gap_excuses_holds_that_fall_due_in_it() {
    let gap = |from, until| limit(&move |overdue| overdue.gap_begins(0, secs(from), secs(until)));
    assert_eq!(gap(300, 303), 409, "long before");
    assert_eq!(gap(404, 407), 411, "the part of the gap after the hold was due");
    assert_eq!(gap(405, 408), 412);
    assert_eq!(gap(500, 503), 409, "long after");
    let open = |overdue: &mut Overdue| {
        overdue.gap_begins(0, secs(406), Instant::MAX);
        overdue.gap_ends(0, secs(450));
    };
    assert_eq!(limit(&open), 409 + 44);
    assert_eq!(limit(&|overdue| overdue.gap_begins(1, secs(404), secs(500))), 409, "another log's");
}

#[test]
fn a_trouble_after_the_grant_excuses_its_whole_length() {
    let trouble = |from, until| {
        limit(&move |overdue| {
            overdue.trouble_begins(secs(from));
            overdue.trouble_ends(secs(until));
        })
    };
    assert_eq!(trouble(300, 323), 409 + 23);
    assert_eq!(trouble(50, 93), 409, "before the grant");
    assert_eq!(trouble(90, 110), 409 + 10);
}

#[test]
fn a_hold_is_measured_afresh_when_a_log_lost_its_time() {
    assert_eq!(limit(&|overdue| overdue.measured_afresh(0, secs(243))), 243 + 305 + 4);
    assert_eq!(limit(&|overdue| overdue.measured_afresh(0, secs(43))), 409, "before the grant");
}
