//! The rules of sale as tables.

mod model;

use proptest::prelude::*;

use super::*;
use crate::id::{PaymentId, RequestId, SeatId, SectionId, ShowId};
use crate::seat_list::SeatList;

const RULES: Rules = Rules {
    hold: Span(100),
    grace: Span(10),
    seats_per_request: 4,
    remember: Span(300),
    checks: Checks::COMPLETE,
};
const ALICE: UserId = UserId(1);
const BOB: UserId = UserId(2);

/// Two sections of two rows of four seats: 0 to 7 and 8 to 15.
fn show() -> Show {
    Show::new(Arc::new(Hall::uniform(2, 2, 4)), RULES)
}

fn request(id: u64, user: UserId, command: Command) -> Request {
    Request { id: RequestId(id), user, show: ShowId(0), command }
}

fn wish(picked: &[u32], best: &[(u16, u8)]) -> Command {
    Command::Hold(Wish {
        picked: picked.iter().copied().map(SeatId).collect(),
        best: best.iter().map(|&(section, count)| (SectionId(section), count)).collect(),
    })
}

fn confirm(hold: u64) -> Command {
    Command::Confirm { hold: HoldId(hold), payment: PaymentId(hold) }
}

fn release(hold: u64) -> Command {
    Command::Release { hold: HoldId(hold) }
}

fn held(hold: u64, seats: &[u32], expires: u64) -> Outcome {
    Outcome::Held { hold: HoldId(hold), seats: list(seats), expires: Instant(expires) }
}

fn booked(hold: u64, seats: &[u32]) -> Outcome {
    Outcome::Booked { hold: HoldId(hold), seats: list(seats) }
}

fn list(seats: &[u32]) -> SeatList {
    seats.iter().copied().map(SeatId).collect()
}

/// Plays the leader: records overdue events, decides, records, answers.
fn ask(show: &mut Show, now: u64, request: &Request) -> Outcome {
    let now = Instant(now);
    while let Some(event) = show.overdue(now) {
        show.apply(&event);
    }
    match show.decide(request, now) {
        Decision::Answer(outcome) => outcome,
        Decision::Record(event) => {
            let before = (!matches!(event, Event::Held { .. })).then(|| show.outcome(&event));
            show.apply(&event);
            let outcome = show.outcome(&event);
            assert!(
                before.is_none_or(|before| before == outcome),
                "applying an event does not change its outcome"
            );
            assert_eq!(event.request(), Some(request.id));
            outcome
        }
    }
}

#[test]
fn a_malformed_wish_is_refused() {
    let table: [(&str, Command); 10] = [
        ("nothing", wish(&[], &[])),
        ("too many picked and best", wish(&[0, 1], &[(1, 3)])),
        ("too many best", wish(&[], &[(0, 255), (1, 255)])),
        ("a seat twice", wish(&[3, 1, 3], &[])),
        ("an unknown seat", wish(&[16], &[])),
        ("a seat far away", wish(&[u32::MAX], &[])),
        ("an unknown section", wish(&[], &[(2, 1)])),
        ("no seat of a section", wish(&[1], &[(0, 0)])),
        ("a section twice", wish(&[], &[(0, 1), (1, 1), (0, 1)])),
        ("no seat of two sections", wish(&[], &[(0, 0), (1, 0)])),
    ];
    for (what, command) in table {
        let decision = show().decide(&request(1, ALICE, command), Instant(0));
        assert_eq!(decision, Decision::Answer(Outcome::Refused(Refusal::BadRequest)), "{what}");
    }
}

#[test]
fn a_wish_is_met_whole_or_not_at_all() {
    let mut show = show();
    assert_eq!(
        ask(&mut show, 0, &request(1, ALICE, wish(&[5], &[(1, 2)]))),
        held(1, &[5, 9, 10], 100)
    );
    let refused = |refusal| Outcome::Refused(refusal);
    assert_eq!(
        ask(&mut show, 0, &request(2, BOB, wish(&[4, 5], &[]))),
        refused(Refusal::SeatTaken)
    );
    assert_eq!(
        ask(&mut show, 0, &request(3, BOB, wish(&[4], &[(0, 3)]))),
        held(3, &[4, 0, 1, 2], 100)
    );
    assert_eq!(
        ask(&mut show, 0, &request(4, BOB, wish(&[8], &[(0, 3)]))),
        held(4, &[8, 3, 6, 7], 100)
    );
    assert_eq!(
        ask(&mut show, 0, &request(5, BOB, wish(&[], &[(1, 1), (0, 1)]))),
        refused(Refusal::NoneFree)
    );
    assert_eq!((show.free(), show.held(), show.booked()), (5, 11, 0));
}

#[test]
fn sold_out_is_answered_once_waiting_cannot_help() {
    let mut show = show();
    for (id, section) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
        ask(&mut show, 0, &request(id, ALICE, wish(&[], &[(section, 4)])));
    }
    let one = |show: &mut Show, now| ask(show, now, &request(99, BOB, wish(&[], &[(0, 1)])));
    assert_eq!(one(&mut show, 1), Outcome::Refused(Refusal::NoneFree));
    ask(&mut show, 1, &request(11, ALICE, confirm(1)));
    assert_eq!(one(&mut show, 1), Outcome::Refused(Refusal::NoneFree));
    ask(&mut show, 1, &request(12, ALICE, confirm(2)));
    assert_eq!(one(&mut show, 1), Outcome::Refused(Refusal::SoldOut));
    assert!(!show.is_sold_out());
    ask(&mut show, 1, &request(13, ALICE, confirm(3)));
    ask(&mut show, 1, &request(14, ALICE, confirm(4)));
    assert!(show.is_sold_out());
    let picked = request(98, BOB, wish(&[3], &[]));
    assert_eq!(ask(&mut show, 1, &picked), Outcome::Refused(Refusal::SoldOut));
    assert_eq!((show.free(), show.held(), show.booked()), (0, 0, 16));
    show.assert_consistent();
}

#[test]
fn the_server_waits_its_grace_and_no_longer() {
    let refused = Outcome::Refused(Refusal::HoldLost);
    for (now, in_time) in [(99, true), (100, true), (109, true), (110, false), (500, false)] {
        for (command, granted) in
            [(confirm(1), booked(1, &[1, 2])), (release(1), Outcome::Released { hold: HoldId(1) })]
        {
            let mut show = show();
            ask(&mut show, 0, &request(1, ALICE, wish(&[], &[(0, 2)])));
            assert_eq!(show.next_expiry(), Some(Instant(110)));
            let late = request(2, ALICE, command);
            let undecided = show.decide(&late, Instant(now));
            assert_eq!(
                matches!(undecided, Decision::Record(_)),
                in_time,
                "the end needs no event: {now}"
            );
            assert_eq!(
                ask(&mut show, now, &late),
                if in_time { granted } else { refused.clone() },
                "{now}"
            );
        }
    }
}

#[test]
fn seats_come_back_with_the_event_and_not_before() {
    let mut show = show();
    ask(&mut show, 0, &request(1, ALICE, wish(&[3], &[])));
    let theirs = request(2, BOB, wish(&[3], &[]));
    assert_eq!(show.overdue(Instant(109)), None);
    assert_eq!(
        show.decide(&theirs, Instant(110)),
        Decision::Answer(Outcome::Refused(Refusal::SeatTaken))
    );
    let event = show.overdue(Instant(115)).unwrap();
    assert_eq!(event, Event::Expired { hold: HoldId(1), at: Instant(115) });
    assert_eq!(show.outcome(&event), Outcome::Refused(Refusal::HoldLost));
    show.apply(&event);
    assert_eq!((show.overdue(Instant(115)), show.next_expiry()), (None, None));
    assert_eq!(ask(&mut show, 115, &theirs), held(2, &[3], 215));
}

#[test]
fn a_hold_has_one_fate_and_every_repeat_is_told_it() {
    let lost = Outcome::Refused(Refusal::HoldLost);
    let released = Outcome::Released { hold: HoldId(1) };
    let hold = held(1, &[1], 100);
    let booking = booked(1, &[1]);
    // The event that ends the hold, the time of the repeats, and their answers: to the hold, a confirm, a release.
    // `None`: an event is recorded.
    type Row<'a> = (Option<Command>, u64, [Option<&'a Outcome>; 3]);
    let table: [Row<'_>; 6] = [
        (None, 50, [Some(&hold), None, None]),
        (None, 105, [Some(&hold), None, None]),
        (None, 110, [Some(&lost); 3]),
        (Some(confirm(1)), 50, [Some(&hold), Some(&booking), Some(&lost)]),
        (Some(confirm(1)), 9_999, [Some(&hold), Some(&booking), Some(&lost)]),
        (Some(release(1)), 50, [Some(&lost), Some(&lost), Some(&released)]),
    ];
    for (ending, now, told) in table {
        for tidied in [false, true] {
            let mut show = show();
            ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[])));
            if let Some(command) = &ending {
                ask(&mut show, 1, &request(2, ALICE, command.clone()));
            }
            if tidied && let Some(event) = show.overdue(Instant(now)) {
                show.apply(&event);
            }
            let repeats = [
                request(1, ALICE, wish(&[1], &[])),
                request(2, ALICE, confirm(1)),
                request(3, ALICE, release(1)),
            ];
            for (repeat, told) in repeats.iter().zip(told) {
                match (show.decide(repeat, Instant(now)), told) {
                    (Decision::Answer(outcome), Some(told)) => {
                        assert_eq!(&outcome, told, "{ending:?} {repeat:?}")
                    }
                    (Decision::Record(event), None) => assert_eq!(event.hold(), HoldId(1)),
                    (decision, told) => panic!("{ending:?} {repeat:?}: {decision:?}, not {told:?}"),
                }
                let foreign = Request { user: BOB, ..repeat.clone() };
                let decision = show.decide(&foreign, Instant(now));
                assert_eq!(
                    decision,
                    Decision::Answer(Outcome::Refused(Refusal::NotYours)),
                    "{ending:?} {repeat:?}"
                );
            }
        }
    }
}

#[test]
fn an_unknown_hold_is_lost() {
    for command in [confirm(7), release(7)] {
        assert_eq!(
            ask(&mut show(), 0, &request(1, ALICE, command)),
            Outcome::Refused(Refusal::HoldLost)
        );
    }
}

#[test]
fn an_ended_hold_is_remembered_by_the_time_of_events() {
    let mut show = show();
    let hold = request(1, ALICE, wish(&[1], &[]));
    ask(&mut show, 0, &hold);
    ask(&mut show, 5, &request(2, ALICE, release(1)));
    ask(&mut show, 304, &request(3, BOB, wish(&[2], &[])));
    assert_eq!(
        ask(&mut show, 400, &hold),
        Outcome::Refused(Refusal::HoldLost),
        "no event has come to forget it"
    );
    let event = Event::Booked {
        request: RequestId(4),
        hold: HoldId(3),
        payment: PaymentId(0),
        at: Instant(305),
    };
    show.apply(&event);
    assert_eq!(ask(&mut show, 400, &hold), held(1, &[1], 500), "executed again");
    show.assert_consistent();
}

#[test]
fn a_refused_request_is_judged_again() {
    let mut show = show();
    ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[])));
    let refused = request(2, BOB, wish(&[1], &[]));
    assert_eq!(ask(&mut show, 1, &refused), Outcome::Refused(Refusal::SeatTaken));
    ask(&mut show, 2, &request(3, ALICE, release(1)));
    assert_eq!(ask(&mut show, 3, &refused), held(2, &[1], 103));
}

#[test]
fn events_that_cannot_have_happened_are_a_broken_journal() {
    let held = |hold, seats: &[u32]| Event::Held {
        hold: HoldId(hold),
        user: ALICE,
        seats: list(seats),
        at: Instant(0),
        expires: Instant(100),
    };
    let booked = |hold, at| Event::Booked {
        request: RequestId(50),
        hold: HoldId(hold),
        payment: PaymentId(0),
        at: Instant(at),
    };
    let released =
        |hold, at| Event::Released { request: RequestId(51), hold: HoldId(hold), at: Instant(at) };
    let expired = |hold, at| Event::Expired { hold: HoldId(hold), at: Instant(at) };
    let table = [
        ("a seat twice", held(2, &[1])),
        ("an unknown seat", held(2, &[16])),
        ("no seats", held(2, &[])),
        ("too many seats", held(2, &[3, 4, 5, 6, 7])),
        ("a hold twice", held(1, &[2])),
        ("booked late", booked(1, 110)),
        ("released late", released(1, 110)),
        ("expired early", expired(1, 109)),
        ("booked from nothing", booked(9, 1)),
        ("released from nothing", released(9, 1)),
        ("expired from nothing", expired(9, 200)),
    ];
    let mut show = show();
    show.apply(&held(1, &[1]));
    for (what, event) in table {
        let mut show = show.clone();
        let applied = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| show.apply(&event)));
        assert!(applied.is_err(), "{what}");
    }
}

#[test]
fn bytes_that_are_no_snapshot_are_refused() {
    let mut show = show();
    ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[(1, 2)])));
    ask(&mut show, 1, &request(2, BOB, wish(&[2], &[])));
    ask(&mut show, 2, &request(3, ALICE, confirm(1)));
    let bytes = show.snapshot();
    let restore = |hall: Hall, bytes: &[u8]| Show::restore(Arc::new(hall), RULES, bytes);
    assert_eq!(restore(Hall::uniform(2, 2, 4), &bytes).as_ref(), Ok(&show));
    for length in 0..bytes.len() {
        assert!(restore(Hall::uniform(2, 2, 4), &bytes[..length]).is_err(), "cut to {length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    let trailing = restore(Hall::uniform(2, 2, 4), &longer);
    assert_eq!(trailing, Err(SnapshotError::Broken("nothing follows the snapshot")));
    let other_hall = restore(Hall::uniform(2, 2, 5), &bytes);
    assert_eq!(other_hall, Err(SnapshotError::Broken("the show is in this hall")));
}

proptest! {
    #[test]
    fn no_bytes_make_restore_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut show = show();
        ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[(1, 2)])));
        ask(&mut show, 1, &request(2, BOB, wish(&[2, 3], &[])));
        ask(&mut show, 2, &request(3, ALICE, confirm(1)));
        ask(&mut show, 3, &request(4, BOB, wish(&[5], &[])));
        ask(&mut show, 3, &request(5, BOB, release(4)));
        let mut bytes = show.snapshot();
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(restored) = Show::restore(Arc::clone(show.hall()), RULES, &bytes) {
            restored.assert_consistent();
        }
    }
}
