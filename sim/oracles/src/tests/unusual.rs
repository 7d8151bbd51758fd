//! Answers to unusual requests: each wrong one beside the nearest right one.

use super::*;
use crate::Unusual;

const TAKEN: Outcome = Outcome::Refused(Refusal::SeatTaken);
const NONE_FREE: Outcome = Outcome::Refused(Refusal::NoneFree);
const SOLD_OUT: Outcome = Outcome::Refused(Refusal::SoldOut);
const BAD: Outcome = Outcome::Refused(Refusal::BadRequest);
/// Later than an ended hold is remembered.
const LATE: u64 = 1_000;

impl History {
    /// u1 gets seat 3 in h1, from 1 to 301.
    fn with_a_hold() -> Self {
        let mut history = Self::new();
        history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
        history
    }

    /// The same, and u1 books it with r11.
    fn with_a_booking() -> Self {
        let mut history = Self::with_a_hold();
        history.books((5, 6), 11, 1, 1, &[3]).booked(6, 11, 1);
        history
    }

    pub(super) fn told_of(
        &mut self,
        (sent, told): (u64, u64),
        request: &Request,
        unusual: Unusual<'_>,
        outcome: &Outcome,
    ) -> &mut Self {
        self.oracles.answered_unusual((secs(sent), secs(told)), request, unusual, outcome);
        self
    }

    /// The answer to a repetition, sent and answered at these instants, of a request asked and answered at those.
    pub(super) fn again(
        &mut self,
        times: (u64, u64),
        request: &Request,
        (asked, told, first): (u64, u64, &Outcome),
        outcome: &Outcome,
    ) -> &mut Self {
        let unusual = Unusual::Repeats { asked: secs(asked), told: secs(told), first };
        self.told_of(times, request, unusual, outcome)
    }

    fn is_condemned(&mut self) {
        self.fails(&["linearizable"]);
    }
}

#[test]
fn a_strangers_request_about_a_live_hold_is_refused_as_not_theirs() {
    let request = confirm_request(20, 2, 1);
    let told = |outcome: &Outcome| {
        let mut history = History::with_a_hold();
        history.asks(10, &request);
        history.told_of((10, 11), &request, Unusual::NamesOthers, outcome);
        history
    };
    told(&NOT_YOURS).is_silent();
    told(&LOST).is_condemned();
    told(&booked_outcome(1, &[3])).is_condemned();
    told(&TAKEN).is_condemned();
}

#[test]
fn a_strangers_request_is_told_that_the_hold_is_lost_before_it_is_known_or_once_it_is_forgotten() {
    let request = release_request(20, 2, 1);
    let told = |mut history: History, sent: u64| {
        history.asks(sent, &request);
        history.told_of((sent, sent + 1), &request, Unusual::NamesOthers, &LOST);
        history
    };
    told(History::with_a_hold(), 2).is_silent();
    told(History::with_a_hold(), 3).is_condemned();
    let ended = || {
        let mut history = History::with_a_hold();
        history.expired(306, 1);
        history
    };
    told(ended(), 898).is_condemned();
    told(ended(), 899).is_silent();
    told(History::with_a_booking(), LATE).is_condemned();
}

/// A wrong clock may make a shard forget sooner.
#[test]
fn a_stranger_is_not_judged_by_the_time_where_clocks_are_wrong() {
    let settings = OracleSettings { early: Some(Span::ZERO), ..OracleSettings::example() };
    let mut history = History::with(settings);
    history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
    let request = release_request(20, 2, 1);
    history.asks(10, &request).told_of((10, 11), &request, Unusual::NamesOthers, &LOST);
    history.is_silent();
}

#[test]
fn a_strangers_refusal_takes_no_hold_away() {
    let mut history = History::with_a_hold();
    let confirm = confirm_request(20, 2, 1);
    let release = release_request(21, 3, 1);
    history.asks(3, &confirm).asks(4, &release);
    history.told_of((3, 5), &confirm, Unusual::NamesOthers, &NOT_YOURS);
    history.told_of((4, 6), &release, Unusual::NamesOthers, &NOT_YOURS);
    let own = confirm_request(11, 1, 1);
    history.asks(7, &own).told(8, 7, &own, &LOST);
    history.fails(&["hold", "linearizable"]);
}

#[test]
fn a_hold_that_never_was_is_lost_to_everybody() {
    let request = release_request(20, 2, 99);
    let told = |outcome: &Outcome| {
        let mut history = History::with_a_hold();
        history.asks(10, &request);
        history.told_of((10, 11), &request, Unusual::NamesNothing, outcome);
        history
    };
    told(&LOST).is_silent();
    told(&NOT_YOURS).is_condemned();
    told(&released_outcome(99)).is_condemned();
}

#[test]
fn a_refusal_as_ill_formed_is_given_exactly_where_it_is_due() {
    let wish = |picked: &[u32], best: &[(u16, u8)]| Wish {
        picked: seats(picked),
        best: best.iter().map(|&(section, count)| (SectionId(section), count)).collect(),
    };
    let told = |wish: &Wish, outcome: &Outcome| {
        let command = Command::Hold(wish.clone());
        let request = Request { id: RequestId(1), user: UserId(1), show: SHOW, command };
        let mut history = History::new();
        history.asks(0, &request).told(1, 0, &request, outcome);
        verdict(&history.results(2, &[]), "atomic")
    };
    let ill_formed = [
        ("too many", wish(&[], &[(0, 5)])),
        ("too many of both kinds", wish(&[1, 2, 3], &[(0, 2)])),
        ("a seat twice", wish(&[3, 3], &[])),
        ("a section twice", wish(&[], &[(0, 1), (0, 1)])),
        ("nothing", wish(&[], &[])),
        ("nothing of a section", wish(&[1], &[(0, 0)])),
        ("no such seat", wish(&[40], &[])),
        ("no such section", wish(&[], &[(2, 1)])),
    ];
    for (what, wish) in &ill_formed {
        assert_ne!(told(wish, &BAD), Verdict::Fail, "{what}");
        assert_eq!(told(wish, &NONE_FREE), Verdict::Fail, "{what}");
        assert_ne!(told(wish, &Outcome::Refused(Refusal::Overloaded)), Verdict::Fail, "{what}");
    }
    let well_formed = wish(&[39], &[(0, 2), (1, 1)]);
    assert_eq!(told(&well_formed, &BAD), Verdict::Fail);
    assert_ne!(told(&well_formed, &NONE_FREE), Verdict::Fail);

    let mut history = History::new();
    let asked = Asked { request: RequestId(1), user: UserId(1), show: SHOW, since: secs(0) };
    history.oracles.hold_refused(secs(1), &asked, Refusal::BadRequest, || wish(&[3], &[]));
    history.fails(&["atomic"]);
    let mut history = History::with_a_hold();
    let own = release_request(11, 1, 1);
    history.asks(7, &own).told(8, 7, &own, &BAD);
    history.fails(&["atomic"]);
}

#[test]
fn a_repeated_hold_is_told_the_same() {
    let request = hold_request(1, 1, &[3]);
    let first = held_outcome(1, &[3], 0);
    let told = |mut history: History, times: (u64, u64), outcome: &Outcome| {
        history.again(times, &request, (0, 2, &first), outcome);
        history
    };
    told(History::with_a_hold(), (20, 21), &first).is_silent();
    told(History::with_a_hold(), (20, 21), &held_outcome(1, &[4], 0)).is_condemned();
    told(History::with_a_hold(), (20, 21), &held_outcome(2, &[3], 0)).is_condemned();
    told(History::with_a_hold(), (20, 21), &TAKEN).is_condemned();
    // The two clicks were under way at once: the later answer may be of the earlier decision.
    told(History::with_a_hold(), (0, 3), &TAKEN).is_silent();
    told(History::with_a_hold(), (0, 3), &SOLD_OUT).is_condemned();
    // It lasts until 301, and five seconds longer on the server.
    told(History::with_a_hold(), (20, 305), &LOST).is_condemned();
    told(History::with_a_hold(), (20, 306), &LOST).is_silent();
}

#[test]
fn a_booked_hold_is_repeated_for_ever_and_an_ended_one_until_it_is_forgotten() {
    let request = hold_request(1, 1, &[3]);
    let first = held_outcome(1, &[3], 0);
    let told = |mut history: History, sent: u64, outcome: &Outcome| {
        history.again((sent, sent + 1), &request, (0, 2, &first), outcome);
        history
    };
    let ended = || {
        let mut history = History::with_a_hold();
        history.expired(306, 1);
        history
    };
    let anew = held_outcome(1, &[4], 899);
    for outcome in [&anew, &TAKEN, &NONE_FREE, &SOLD_OUT] {
        told(ended(), 898, outcome).is_condemned();
        told(ended(), 899, outcome).is_silent();
        told(History::with_a_booking(), LATE, outcome).is_condemned();
    }
    told(ended(), 898, &LOST).is_silent();
    told(History::with_a_booking(), LATE, &first).is_silent();
    told(History::with_a_booking(), LATE, &LOST).is_condemned();
}

#[test]
fn a_refused_hold_may_be_granted_to_its_repetition_unless_it_was_sold_out() {
    let request = hold_request(1, 1, &[3]);
    let again = |first: &Outcome, times: (u64, u64), outcome: &Outcome| {
        let mut history = History::new();
        history.again(times, &request, (0, 2, first), outcome);
        history
    };
    for outcome in [&held_outcome(1, &[3], 19), &TAKEN, &NONE_FREE, &SOLD_OUT, &LOST] {
        again(&TAKEN, (20, 21), outcome).is_silent();
    }
    again(&TAKEN, (20, 21), &held_outcome(2, &[3], 19)).is_condemned();
    again(&TAKEN, (20, 21), &NOT_YOURS).is_condemned();
    again(&TAKEN, (20, 21), &BAD).is_condemned();
    again(&SOLD_OUT, (20, 21), &SOLD_OUT).is_silent();
    again(&SOLD_OUT, (20, 21), &held_outcome(1, &[3], 19)).is_condemned();
    again(&SOLD_OUT, (20, 21), &NONE_FREE).is_condemned();
    again(&SOLD_OUT, (0, 3), &NONE_FREE).is_silent();
    again(&LOST, (20, 21), &LOST).is_silent();
    again(&LOST, (20, 21), &TAKEN).is_condemned();
    again(&LOST, (899, 900), &TAKEN).is_silent();
}

#[test]
fn a_repeated_payment_or_release_is_told_the_same() {
    let confirm = confirm_request(11, 1, 1);
    let release = release_request(12, 1, 1);
    let again = |request: &Request, first: &Outcome, sent: u64, outcome: &Outcome| {
        let mut history = History::new();
        history.again((sent, sent + 1), request, (0, 2, first), outcome);
        history
    };
    again(&confirm, &booked_outcome(1, &[3]), LATE, &booked_outcome(1, &[3])).is_silent();
    again(&confirm, &booked_outcome(1, &[3]), LATE, &booked_outcome(1, &[4])).is_condemned();
    again(&confirm, &booked_outcome(1, &[3]), LATE, &LOST).is_condemned();
    again(&confirm, &LOST, 20, &LOST).is_silent();
    again(&confirm, &LOST, 20, &booked_outcome(1, &[3])).is_condemned();
    again(&release, &released_outcome(1), 898, &released_outcome(1)).is_silent();
    again(&release, &released_outcome(1), 898, &released_outcome(2)).is_condemned();
    again(&release, &released_outcome(1), 898, &LOST).is_condemned();
    again(&release, &released_outcome(1), 899, &LOST).is_silent();
    again(&release, &LOST, 20, &LOST).is_silent();
    again(&release, &LOST, 20, &released_outcome(1)).is_condemned();
    again(&release, &LOST, 20, &booked_outcome(1, &[3])).is_condemned();
}

/// The effect of the first payment is a booking, which is confirmed to the second.
#[test]
fn a_second_payment_excuses_no_refusal() {
    let mut history = History::with_a_hold();
    let (one, two) = (confirm_request(11, 1, 1), confirm_request(12, 1, 1));
    history.asks(5, &one).asks(5, &two).told(6, 5, &one, &LOST).told(6, 5, &two, &LOST);
    history.fails(&["hold", "linearizable"]);
}
