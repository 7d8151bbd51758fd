//! The crowd: the number of people, their waits in reports, and their bad manners.

use std::collections::BTreeMap;

use onsale_booking::Span;
use onsale_reports::{Ending, Operation, TraceResult, Window, terminal};
use onsale_scenarios::{Arrivals, Manners, Ratio, WaitingRoom};
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, sale_with};

/// People who are admitted and people who are told that nothing is left do not share a row: the latter wait as
/// long as the sale lasts, for any release rate.
#[test]
fn the_queue_tells_who_is_let_in_from_who_is_turned_away() {
    let mut scenario = sale_with(&[]);
    (scenario.sale.shows, scenario.sale.sections) = (1, 1);
    scenario.crowd.users = 1_000;
    scenario.crowd.waiting_room = Some(WaitingRoom {
        opening: Span::from_secs(1),
        release_per_minute: 90,
        no_show: Ratio::NEVER,
        ..WaitingRoom::default()
    });
    let outcome = play(&scenario, 1);
    assert_eq!(complaint(&outcome), None);
    let row = |operation| outcome.summary.latency(operation, Window::Whole);
    let (let_in, turned_away) = (row(Operation::Queue), row(Operation::TurnedAway));
    assert_eq!(let_in.count, outcome.summary.facts.admitted);
    assert_eq!(let_in.endings[Ending::Granted as usize], let_in.count, "nobody else is among them");
    assert!(turned_away.count > 0, "the hall is sold out while people wait");
    assert_eq!(turned_away.endings[Ending::Granted as usize], 0);
    // People who come later are told at the door, and do not wait.
    assert!(let_in.count + turned_away.count <= outcome.summary.facts.users);
    let page = terminal::render(&outcome.summary, false, 100);
    assert!(page.contains("\n  queue") && page.contains("\n  turned-away"), "{page}");
}

#[test]
fn a_report_says_how_a_trace_was_scaled() {
    let mut scenario = sale_with(&[]);
    let points = vec![(Span::ZERO, 300), (Span::from_secs(10), 900)];
    let file = "curve.csv".to_owned();
    scenario.crowd.arrivals = Arrivals::Trace { file: file.clone(), scale: None, points };
    for (users, words) in [
        (1_200, "1,200 users · all arrivals of curve.csv"),
        (300, "300 users · scaled: 25.000 % of the 1,200 arrivals of curve.csv"),
    ] {
        scenario.crowd.users = users;
        let summary = play(&scenario, 1).summary;
        assert_eq!(summary.facts.trace, Some(TraceResult { file: file.clone(), arrivals: 1_200 }));
        let page = terminal::render(&summary, false, 100);
        assert!(page.contains(words), "{page}");
    }
}

/// The small sale among people with bad manners, played without a complaint.
fn played(change: impl FnOnce(&mut Manners)) -> Outcome {
    let mut scenario = sale_with(&[]);
    // Stale retries need the time.
    scenario.duration = Span::from_secs(400);
    scenario.crowd.session.abandon = Ratio::percent(40);
    scenario.crowd.session.release = Ratio::percent(70);
    // In a quiet show nobody asks once calm has begun.
    scenario.must_exercise.retain(|oracle| oracle != "live");
    change(scenario.crowd.manners.get_or_insert_default());
    let outcome = play(&scenario, 1);
    assert_eq!(complaint(&outcome), None);
    outcome
}

/// How often each answer was given to the requests that a habit adds; it must be the only habit.
fn answers(change: impl FnOnce(&mut Manners)) -> BTreeMap<String, u64> {
    let mut habits = played(change).summary.facts.manners;
    let (_, answers) = habits.pop_first().expect("it happens");
    assert!(habits.is_empty(), "{habits:?}");
    answers
}

/// Asserts that each of these answers was given at least so often, and no other.
#[track_caller]
fn only(answers: &BTreeMap<String, u64>, expected: &[(&str, u64)]) {
    let names: Vec<&str> = answers.keys().map(String::as_str).collect();
    assert_eq!(names, expected.iter().map(|&(name, _)| name).collect::<Vec<_>>(), "{answers:?}");
    for &(name, least) in expected {
        assert!(answers[name] >= least, "{answers:?}");
    }
}

#[test]
fn another_persons_hold_is_neither_paid_nor_released() {
    let answers = answers(|manners| manners.names_others = Ratio::ALWAYS);
    only(&answers, &[("hold-lost", 10), ("not-yours", 100)]);
}

#[test]
fn a_hold_that_never_was_is_lost() {
    only(&answers(|manners| manners.names_nothing = Ratio::ALWAYS), &[("hold-lost", 400)]);
}

#[test]
fn ill_formed_requests_are_refused_as_such() {
    only(&answers(|manners| manners.asks_too_much = Ratio::ALWAYS), &[("bad-request", 400)]);
    only(&answers(|manners| manners.names_twice = Ratio::ALWAYS), &[("bad-request", 400)]);
}

/// A gateway answers once what it is asked twice at once; two gateways pass it on, and both answers are the same.
#[test]
fn a_double_click_takes_effect_once() {
    let outcome = played(|manners| manners.double_clicks = Ratio::ALWAYS);
    assert!(outcome.summary.facts.marks["repeat-in-flight"] > 100);
    assert!(outcome.summary.facts.marks["repeat-answered"] > 50);
    let told = &outcome.summary.facts.manners["double-clicks"];
    assert!(told["unanswered"] > 100 && told["held"] > 50 && told["booked"] > 20, "{told:?}");
}

#[test]
fn a_second_payment_or_release_is_told_the_fact() {
    only(&answers(|manners| manners.pays_twice = Ratio::ALWAYS), &[("booked", 100)]);
    only(&answers(|manners| manners.releases_twice = Ratio::ALWAYS), &[("released", 30)]);
}

/// A payment may overtake the release sent just before it through another gateway.
#[test]
fn what_was_released_is_not_sold() {
    let answers = answers(|manners| manners.pays_released = Ratio::ALWAYS);
    only(&answers, &[("booked", 1), ("hold-lost", 30)]);
}

#[test]
fn a_stale_retry_is_told_what_became_of_its_request() {
    let answers = answers(|manners| {
        (manners.stale_retries, manners.stale_after) = (Ratio::ALWAYS, Span::from_secs(120));
    });
    for (answer, least) in [("booked", 30), ("held", 20), ("hold-lost", 10), ("released", 10)] {
        assert!(answers[answer] >= least, "{answers:?}");
    }
    for wrong in ["not-yours", "bad-request"] {
        assert_eq!(answers.get(wrong), None, "{answers:?}");
    }
}

/// Nobody asks any more, so only the leaders' timers end what was held.
#[test]
fn holds_end_in_shows_that_have_gone_quiet() {
    let quiet = Span::from_secs(40);
    let outcome = played(|manners| {
        manners.quiet_shows = Ratio::ALWAYS;
        (manners.quiet_from, manners.quiet_by) = (quiet, quiet);
    });
    let facts = &outcome.summary.facts;
    let fates: BTreeMap<&str, u64> =
        facts.users_outcome.iter().map(|(fate, count)| (fate.as_str(), *count)).collect();
    assert!(fates["left a show gone quiet"] > 200, "{fates:?}");
    let seconds = outcome.records.timeline();
    let attempts = |from: usize, to: usize| {
        seconds[from..to].iter().map(|second| second.attempts).sum::<u64>()
    };
    assert!(attempts(30, 40) > 20);
    assert_eq!(attempts(40, seconds.len()), 0);
    assert!(seconds[40].seats_held > 20, "holds are live when it goes quiet");
    assert_eq!(facts.held_at_end, 0);
}
