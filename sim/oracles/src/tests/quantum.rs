//! What the batching quantum excuses: a history at its bound, and the same history a microsecond beyond it.
//!
//! Histories are in whole seconds, so it is the quantum that differs: it is two seconds, and a microsecond less.

use super::*;
use crate::false_sold_out::{ENOUGH_FREE, ENOUGH_UNBOOKED, NOT_SAID};
use crate::hold::{
    ENDED_LATE, EXPIRED_IN_TIME, HELD_UNRECORDED, NOT_LOST, OTHER_EXPIRY, PROMISED_TWICE,
    REFUSED_IN_TIME, RELEASE_UNRECORDED,
};
use crate::linearizable::{BOTH_HAVE_SEAT, FREE_SEAT};
use crate::reply::STILL_WAITING;
use crate::rule::Rule;
use crate::unusual::{ANSWERED_OTHERWISE, LOST_TO_REPETITION, NOT_THEIRS};
use crate::{Lateness, Table, Unusual};

/// A row of what is excused, and a history at its bound.
struct Edge {
    excused: &'static str,
    /// The rule that the history breaks just beyond the bound.
    rule: Rule,
    history: fn(&mut History),
}

const fn edge(excused: &'static str, rule: Rule, history: fn(&mut History)) -> Edge {
    Edge { excused, rule, history }
}

const TWICE: &str = "two clients count on one seat at once";
const ORDER: &str = "instants contradict the order of holds";
const LATE_ANSWER: &str = "a hold overlaps others, though its answer came after its expiry";
const PICKED: &str = "a picked seat is refused that was free at some time";
const FREE: &str = "seats are refused that were free at some time";
const WAIT: &str = "a request is told to wait although it is sold out";
const NEVER: &str = "a request about an ended hold is answered as if the hold had never been";
const UNDER_WAY: &str = "another user's hold is called lost as its grant is under way";
const REPEATED: &str = "a request and its repetition are answered in the wrong order";
const EXPIRY: &str = "a client is told another expiry than the journal has, by true clocks";
const RECORDED: &str = "what a client is told about a hold is recorded late";
const EARLY: &str = "a hold ends or is refused before its time is over";
const YOUNG: &str = "a hold is called lost as its grant is under way";
const GIVEN_UP: &str = "sold out is said after a recovery gave up bookings";
const ENDS: &str = "a hold ends late";
const TABLE: &str = "a table is not empty at the end";

const EDGES: &[Edge] = &[
    edge(TWICE, PROMISED_TWICE, overlap),
    edge(ORDER, BOTH_HAVE_SEAT, overlap),
    edge(LATE_ANSWER, BOTH_HAVE_SEAT, late_answer),
    edge(PICKED, FREE_SEAT, |history| taken(history, (11, 17))),
    edge(PICKED, FREE_SEAT, |history| taken(history, (12, 18))),
    edge(FREE, ENOUGH_FREE, |history| none_free(history, (11, 17))),
    edge(FREE, ENOUGH_FREE, |history| none_free(history, (12, 18))),
    edge(FREE, ENOUGH_UNBOOKED, sold_out_early),
    edge(WAIT, NOT_SAID, told_to_wait),
    edge(NEVER, NOT_THEIRS, |history| {
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]).expired(306, 1);
        is_lost_to_another(history, (897, 898));
    }),
    edge(UNDER_WAY, NOT_THEIRS, |history| {
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
        is_lost_to_another(history, (4, 5));
    }),
    edge(REPEATED, ANSWERED_OTHERWISE, |history| {
        let (first, taken) = (held_outcome(1, &[3], 1), Outcome::Refused(Refusal::SeatTaken));
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
        history.again((4, 5), &hold_request(1, 1, &[3]), (0, 2, &first), &taken);
    }),
    edge(EXPIRY, OTHER_EXPIRY, |history| {
        history.held(1, 1, 1, &[3]).gets((0, 4, 2), 1, 1, &[3]);
    }),
    edge(EXPIRY, OTHER_EXPIRY, |history| {
        history.asks(0, &hold_request(1, 1, &[3])).held(3, 1, 1, &[3]).gets((0, 1, 4), 1, 1, &[3]);
    }),
    edge(RECORDED, HELD_UNRECORDED, |history| {
        let (at, expires) = (secs(1), secs(301));
        let (hold, user) = (HoldId(1), UserId(1));
        history.gets((0, 1, 2), 1, 1, &[3]);
        history.record(4, Event::Held { hold, user, seats: seats(&[3]), at, expires });
    }),
    edge(RECORDED, RELEASE_UNRECORDED, |history| {
        let release = release_request(11, 1, 1);
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
        history.asks(9, &release).told(11, 9, &release, &released_outcome(1)).released(13, 11, 1);
    }),
    edge(EARLY, EXPIRED_IN_TIME, |history| {
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
        history.record(299, Event::Expired { hold: HoldId(1), at: secs(306) });
    }),
    edge(EARLY, REFUSED_IN_TIME, |history| {
        let confirm = confirm_request(11, 1, 1);
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
        history.asks(300, &confirm).told(304, 300, &confirm, &LOST);
    }),
    edge(EARLY, LOST_TO_REPETITION, |history| {
        let first = held_outcome(1, &[3], 1);
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
        history.again((20, 304), &hold_request(1, 1, &[3]), (0, 2, &first), &LOST);
    }),
    edge(YOUNG, NOT_LOST, |history| {
        let confirm = confirm_request(11, 1, 1);
        history.held(1, 1, 1, &[3]).asks(3, &confirm).told(4, 3, &confirm, &LOST);
    }),
    edge(GIVEN_UP, ENOUGH_UNBOOKED, |history| given_up::says_sold_out(history, (102, 103))),
    edge(ENDS, ENDED_LATE, |history| {
        history
            .held(100, 1, 1, &[3])
            .record(407, Event::Expired { hold: HoldId(1), at: secs(405) });
    }),
    edge(TABLE, STILL_WAITING, under_way),
];

/// The settings of a run with a quantum; what else has the quantum in its formula lasts no longer.
fn blurred(quantum: Span) -> OracleSettings {
    let example = OracleSettings::example();
    let lateness = Lateness { slack: quantum, ..example.lateness };
    OracleSettings { quantum, lateness, flight: quantum, may_recover: true, ..example }
}

#[test]
fn a_microsecond_beyond_the_quantum_is_judged() {
    let rows = || Oracles::EXCUSES.into_iter().flatten();
    for row in rows().filter(|row| row.bound.contains("quantum")) {
        let is_measured =
            |edge: &Edge| edge.excused == row.excused && edge.rule.oracle == row.oracle;
        assert!(EDGES.iter().any(is_measured), "{row:?} has no history at its bound");
    }
    let second = 1_000_000;
    for Edge { excused, rule, history } in EDGES {
        assert!(rows().any(|row| row.excused == *excused), "{excused} is no row");
        for (quantum, is_broken) in [(2 * second, false), (2 * second - 1, true)] {
            let mut played = History::with(blurred(Span(quantum)));
            history(&mut played);
            let results = played.results(10_000, &[]);
            let of_rule = results.iter().find(|result| result.name == rule.oracle.name());
            let evidence = of_rule.expect("it judges").evidence.as_ref();
            let broken = evidence.is_some_and(|it| it.rules.iter().any(|name| name == rule.name));
            assert_eq!(broken, is_broken, "{excused}, {}, {quantum}: {evidence:?}", rule.name);
        }
    }
}

/// The first client asks at 9 to release what the second one is told at 7 to have.
fn overlap(history: &mut History) {
    history.gets((0, 1, 2), 1, 1, &[3]).asks(9, &release_request(11, 1, 1));
    history.gets((4, 5, 7), 2, 2, &[3]);
}

/// A hold until 301 is told at 400, and another of the seat from 299 on.
fn late_answer(history: &mut History) {
    history.gets((298, 299, 299), 2, 2, &[3]).gets((0, 1, 400), 1, 1, &[3]);
}

/// Refuses a hold.
fn refused(history: &mut History, (asked, told): (u64, u64), wish: Wish, refusal: Refusal) {
    let command = Command::Hold(wish);
    let request = Request { id: RequestId(99), user: UserId(99), show: SHOW, command };
    history.asks(asked, &request).told(told, asked, &request, &Outcome::Refused(refusal));
}

fn best(count: u8) -> Wish {
    Wish { best: [(SectionId(0), count)].into_iter().collect(), ..Wish::default() }
}

/// Seat 3 is held from 1 to 9 and from 20 on.
fn taken(history: &mut History, times: (u64, u64)) {
    let wish = Wish { picked: seats(&[3]), ..Wish::default() };
    refused(history, times, wish, Refusal::SeatTaken);
    history.held(1, 1, 1, &[3]).asks(8, &release_request(11, 1, 1)).released(9, 11, 1);
    history.held(20, 2, 2, &[3]);
}

/// Three seats of the section are free from 1 to 9 and from 20 on, and four between; four are wanted.
fn none_free(history: &mut History, times: (u64, u64)) {
    refused(history, times, best(4), Refusal::NoneFree);
    for hold in 1..=17 {
        history.held(1, hold, 1, &[hold as u32]);
    }
    history.asks(8, &release_request(111, 1, 1)).released(9, 111, 1).held(20, 18, 2, &[18]);
}

/// Asks for this booking of one seat of the section, and records it.
fn booked(history: &mut History, at: u64, hold: u64) {
    let confirm = 100 + hold;
    history.held(1, hold, 1, &[hold as u32]).asks(2, &confirm_request(confirm, 1, hold));
    history.booked(at, confirm, hold);
}

/// Four seats of the section are unbooked until 9, and then three; four are said to be sold out at 7.
fn sold_out_early(history: &mut History) {
    for hold in 1..=16 {
        booked(history, 3, hold);
    }
    refused(history, (6, 7), best(4), Refusal::SoldOut);
    booked(history, 9, 17);
}

/// All seats of the section are booked at 9; a request of 11 is told to wait.
fn told_to_wait(history: &mut History) {
    for hold in 0..20 {
        booked(history, 9, hold);
    }
    refused(history, (11, 12), best(1), Refusal::NoneFree);
}

/// Another user's request to release hold 1 is told that it is lost.
fn is_lost_to_another(history: &mut History, times: (u64, u64)) {
    let request = release_request(20, 2, 1);
    history.asks(times.0, &request).told_of(times, &request, Unusual::NamesOthers, &LOST);
}

/// An attempt at 498 has an entry in a table, a microsecond before two flights of two seconds are over.
fn under_way(history: &mut History) {
    history.oracles.attempted(secs(498), SHOW);
    let (log, settles) = (Some(0), Span::ZERO);
    let table = Table { holds: "requests in flight", log, entries: 1, an_attempt: 1, settles };
    history.oracles.waits_at_the_end(Instant(501_999_999), "n1", table);
}
