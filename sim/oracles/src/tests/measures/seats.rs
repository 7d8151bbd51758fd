//! `false-sold-out`, and the taken seats of `linearizable`: refusals against the journal.
//!
//! A section has 20 seats, and a request may name four of them.

use super::*;
use crate::false_sold_out::{ENOUGH_FREE, ENOUGH_UNBOOKED, NOT_SAID};
use crate::linearizable::FREE_SEAT;

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: FREE_SEAT,
        also: &[],
        condemned: || play(|history| taken(history, (10, 12), 9)),
        legal: || play(|history| taken(history, (9, 12), 9)),
    },
    Measure {
        rule: ENOUGH_FREE,
        also: &[],
        condemned: || play(|history| none_free(history, 3)),
        legal: || play(|history| none_free(history, 4)),
    },
    Measure {
        rule: ENOUGH_UNBOOKED,
        also: &[],
        condemned: || play(|history| answers::sold_out_after(history, 17, 3)),
        legal: || play(|history| answers::sold_out_after(history, 17, 4)),
    },
    Measure {
        rule: NOT_SAID,
        also: &[],
        condemned: || play(|history| booked(history, 4)),
        legal: || play(|history| booked(history, 3)),
    },
];

/// Tells a person at `told` that its hold, asked for at `asked`, is refused.
fn refused(
    history: &mut History,
    (asked, told): (u64, u64),
    wish: Wish,
    refusal: Refusal,
) -> &mut History {
    let command = Command::Hold(wish);
    let request = Request { id: RequestId(99), user: UserId(99), show: SHOW, command };
    history.asks_and_hears((asked, told), &request, &Outcome::Refused(refusal))
}

fn picking(list: &[u32]) -> Wish {
    Wish { picked: seats(list), ..Wish::default() }
}

fn best(count: u8) -> Wish {
    Wish { best: [(SectionId(0), count)].into_iter().collect(), ..Wish::default() }
}

/// A seat was held from 1 to `released`; the refusal of it and of a free one.
fn taken(history: &mut History, times: (u64, u64), released: u64) -> &mut History {
    history.held(1, 1, 1, &[3]).asks(released, &release_request(11, 1, 1));
    history.released(released, 11, 1);
    refused(history, times, picking(&[3, 4]), Refusal::SeatTaken)
}

/// 17 of a section's 20 seats are on hold; the refusal of this many of the best.
fn none_free(history: &mut History, wanted: u8) -> &mut History {
    for hold in 1..=17 {
        history.held(1, hold, 1, &[hold as u32]);
    }
    refused(history, (5, 6), best(wanted), Refusal::NoneFree)
}

/// 17 of a section's 20 seats are booked, and the rest is on hold; a request for this many of the best is told to wait.
fn booked(history: &mut History, wanted: u8) -> &mut History {
    for seat in 0..20 {
        let (hold, confirm) = (u64::from(seat) + 1, u64::from(seat) + 101);
        history.held(1, hold, 1, &[seat]);
        if seat < 17 {
            history.asks(1, &confirm_request(confirm, 1, hold)).booked(2, confirm, hold);
        }
    }
    refused(history, (5, 6), best(wanted), Refusal::NoneFree)
}

/// The refusal of a seat that was held from 1 to 9 and from 20 on: what its instants must meet, to the second and to the
/// quantum.
#[test]
fn a_refusal_is_explained_by_its_interval() {
    let verdict = |quantum, times, read_late: bool| {
        let quantum = Span::from_secs(quantum);
        let mut history = History::with(OracleSettings { quantum, ..OracleSettings::example() });
        let records = |history: &mut History| {
            history.held(1, 1, 1, &[3]).released(9, 11, 1).held(20, 2, 2, &[3]);
        };
        if !read_late {
            records(&mut history);
        }
        refused(&mut history, times, picking(&[3]), Refusal::SeatTaken);
        if read_late {
            records(&mut history);
        }
        verdict(&history.results(25, &[]), "linearizable")
    };
    for (quantum, times, expected) in [
        (0, (9, 12), Verdict::NotExercised),
        (0, (10, 19), Verdict::Fail),
        (0, (10, 20), Verdict::NotExercised),
        (2, (11, 17), Verdict::NotExercised),
        (2, (12, 17), Verdict::Fail),
        (2, (12, 18), Verdict::NotExercised),
    ] {
        assert_eq!(verdict(quantum, times, true), expected, "{quantum} {times:?}");
    }
    assert_eq!(verdict(0, (10, 19), false), Verdict::NotExercised, "taken when it is told");
}

/// A request that was under way when the last seats were booked may still be told to wait.
#[test]
fn sold_out_is_said_to_requests_that_follow_the_last_booking() {
    let verdict = |asked| {
        let mut history = History::new();
        for seat in 0..20 {
            let (hold, confirm) = (u64::from(seat) + 1, u64::from(seat) + 101);
            history.held(1, hold, 1, &[seat]);
            history.asks(1, &confirm_request(confirm, 1, hold)).booked(9, confirm, hold);
        }
        refused(&mut history, (asked, asked + 2), best(1), Refusal::NoneFree);
        verdict(&history.results(25, &[]), "false-sold-out")
    };
    assert_eq!((verdict(9), verdict(10)), (Verdict::Pass, Verdict::Fail));
}

/// The picked seats of a wish are not among the best of the same section.
#[test]
fn a_section_needs_room_for_picked_seats_too() {
    let verdict = |held: u64| {
        let mut history = History::new();
        for hold in 1..=held {
            history.held(1, hold, 1, &[hold as u32]);
        }
        let wish = Wish { picked: seats(&[19]), ..best(2) };
        refused(&mut history, (5, 6), wish, Refusal::NoneFree);
        verdict(&history.results(25, &[]), "false-sold-out")
    };
    assert_eq!((verdict(17), verdict(18)), (Verdict::Fail, Verdict::Pass));
}
