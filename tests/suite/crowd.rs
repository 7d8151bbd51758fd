//! The crowd: the number of people, and their waits in reports.

use onsale_booking::Span;
use onsale_reports::{Ending, Operation, TraceResult, Window, terminal};
use onsale_scenarios::{Arrivals, Ratio, WaitingRoom};
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
