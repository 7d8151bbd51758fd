//! `linearizable`: one order of the requests explains all answers.

use super::*;
use crate::linearizable::{
    BOOKED_AND_LOST, BOTH_HAVE_SEAT, LOST_IN_TIME, NOT_RELEASED, OTHER_NAME, OWN_IS_FOREIGN,
    ROOM_LEFT, UNEXPLAINED,
};
use crate::{false_sold_out, hold};

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: OTHER_NAME,
        also: &[],
        condemned: || play(|history| granted_under_name(history, 5)),
        legal: || play(|history| granted_under_name(history, 2)),
    },
    Measure {
        rule: OWN_IS_FOREIGN,
        also: &[],
        condemned: || {
            play(|history| history.asks_and_hears((5, 6), &hold_request(2, 2, &[3]), &NOT_YOURS))
        },
        legal: || {
            play(|history| {
                history.has(1, 1, &[3]).asks_and_hears(
                    (5, 6),
                    &confirm_request(2, 2, 1),
                    &NOT_YOURS,
                )
            })
        },
    },
    Measure {
        rule: UNEXPLAINED,
        also: &[hold::NOT_FOREIGN],
        condemned: || play(|history| confirmed_late(history, &NOT_YOURS)),
        legal: || play(|history| confirmed_late(history, &LOST)),
    },
    Measure {
        rule: BOOKED_AND_LOST,
        also: &[hold::RELEASE_UNRECORDED],
        condemned: || play(|history| booked_and_released(history, &released_outcome(1))),
        legal: || play(|history| booked_and_released(history, &LOST)),
    },
    Measure {
        rule: LOST_IN_TIME,
        also: &[],
        condemned: || play(|history| refused_before_a_release(history, 299)),
        legal: || play(|history| refused_before_a_release(history, 306)),
    },
    Measure {
        rule: NOT_RELEASED,
        also: &[],
        condemned: || play(|history| release_refused(history, 300)),
        legal: || play(|history| release_refused(history, 306)),
    },
    Measure {
        rule: BOTH_HAVE_SEAT,
        also: &[],
        condemned: || play(|history| seat_of_a_booking(history, &[3])),
        legal: || play(|history| seat_of_a_booking(history, &[4])),
    },
    Measure {
        rule: ROOM_LEFT,
        also: &[false_sold_out::ENOUGH_UNBOOKED],
        condemned: || play(|history| sold_out_after(history, 16, 4)),
        legal: || play(|history| sold_out_after(history, 17, 4)),
    },
];

/// Request 2 is granted a hold of this name.
fn granted_under_name(history: &mut History, name: u64) -> &mut History {
    history.held(1, name, 2, &[3]);
    history.asks_and_hears((0, 2), &hold_request(2, 2, &[3]), &held_outcome(name, &[3], 1))
}

/// A hold is over when its own user asks to confirm it.
fn confirmed_late<'a>(history: &'a mut History, answer: &Outcome) -> &'a mut History {
    history.has(1, 1, &[3]).expired(306, 1).asks_and_hears(
        (400, 401),
        &confirm_request(11, 1, 1),
        answer,
    )
}

/// A hold is booked; what its client is told of its release.
fn booked_and_released<'a>(history: &'a mut History, answer: &Outcome) -> &'a mut History {
    history.has(1, 1, &[3]).asks(5, &release_request(12, 1, 1));
    history.books((5, 7), 11, 1, 1, &[3]).booked(6, 11, 1);
    history.told(8, 5, &release_request(12, 1, 1), answer)
}

/// A confirmation is refused, and then a release sent before it, which so had no effect.
fn refused_before_a_release(history: &mut History, told: u64) -> &mut History {
    history.has(1, 1, &[3]).asks(5, &release_request(12, 1, 1)).expired(306, 1);
    history.asks_and_hears((6, told), &confirm_request(11, 1, 1), &LOST);
    history.told(307, 5, &release_request(12, 1, 1), &LOST)
}

/// A client's release is refused.
fn release_refused(history: &mut History, told: u64) -> &mut History {
    history.has(1, 1, &[3]).expired(306, 1);
    history.asks_and_hears((299, told), &release_request(12, 1, 1), &LOST)
}

/// A hold cannot be released, so it was booked; then another client gets these seats.
fn seat_of_a_booking<'a>(history: &'a mut History, list: &[u32]) -> &'a mut History {
    history.has(1, 1, &[3]).asks(5, &confirm_request(11, 1, 1));
    history.asks_and_hears((5, 8), &release_request(12, 1, 1), &LOST).released(7, 12, 1);
    history.held(21, 2, 2, list).gets((20, 21, 22), 2, 2, list)
}

/// A request for this many of the best is told that the show is sold out, when this many seats of the section are booked.
/// With 17 of 20, three are left, and a request may name four.
pub(super) fn sold_out_after(history: &mut History, holds: u32, wanted: u8) -> &mut History {
    for hold in 1..=holds {
        let confirm = u64::from(100 + hold);
        history.has(hold.into(), hold, &[hold]).books((5, 7), confirm, hold, hold.into(), &[hold]);
        history.booked(6, confirm, hold.into());
    }
    let wish = || Wish { best: [(SectionId(0), wanted)].into_iter().collect(), ..Wish::default() };
    history.oracles.hold_refused(secs(9), &asked(99, 8), Refusal::SoldOut, wish);
    history
}
