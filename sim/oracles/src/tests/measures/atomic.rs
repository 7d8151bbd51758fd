//! `atomic`: an order is all or nothing, within the limits, and takes effect once.

use super::*;
use crate::atomic::{
    GRANTED_TWICE, ILL_FORMED_GRANTED, ILL_FORMED_JUDGED, MALFORMED_BOOKING, MALFORMED_GRANT,
    MALFORMED_RECORD, NAMED_TWICE, OTHER_HOLD, OTHER_KIND, OTHER_SEATS, TOLD_OTHER_SEATS,
    UNASKED_SEATS, WELL_FORMED_REFUSED,
};
use crate::{linearizable, lost_booking};

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: WELL_FORMED_REFUSED,
        also: &[],
        condemned: || play(|history| refused(history, &[3, 4], Refusal::BadRequest)),
        legal: || play(|history| refused(history, &[3, 3], Refusal::BadRequest)),
    },
    Measure {
        rule: ILL_FORMED_JUDGED,
        also: &[],
        condemned: || play(|history| refused(history, &[3, 3], Refusal::SeatTaken)),
        legal: || play(|history| refused(history, &[3, 4], Refusal::SeatTaken)),
    },
    Measure {
        rule: GRANTED_TWICE,
        also: &[],
        condemned: || play(|history| granted_again(history, 1_205)),
        legal: || play(|history| granted_again(history, 1_206)),
    },
    Measure {
        rule: MALFORMED_RECORD,
        also: &[],
        condemned: || play(|history| history.held(1, 1, 1, &[5, 5])),
        legal: || play(|history| history.held(1, 1, 1, &[5, 6])),
    },
    Measure {
        rule: NAMED_TWICE,
        also: &[linearizable::OTHER_NAME],
        condemned: || play(|history| second_hold(history, 1)),
        legal: || play(|history| second_hold(history, 2)),
    },
    Measure {
        rule: MALFORMED_GRANT,
        also: &[TOLD_OTHER_SEATS],
        condemned: || play(|history| best(history, &[3, 4], &[3, 3])),
        legal: || play(|history| best(history, &[3, 4], &[4, 3])),
    },
    Measure {
        rule: UNASKED_SEATS,
        also: &[],
        condemned: || play(|history| picked(history, 4)),
        legal: || play(|history| picked(history, 3)),
    },
    Measure {
        rule: ILL_FORMED_GRANTED,
        also: &[],
        condemned: || play(|history| granted_by_sections(history, &[(0, 1), (0, 1)])),
        legal: || play(|history| granted_by_sections(history, &[(0, 2)])),
    },
    Measure {
        rule: OTHER_HOLD,
        also: &[lost_booking::NOT_RECORDED, linearizable::UNEXPLAINED],
        condemned: || play(|history| booked_of_two(history, 2, &[4])),
        legal: || play(|history| booked_of_two(history, 1, &[3])),
    },
    Measure {
        rule: OTHER_SEATS,
        also: &[linearizable::UNEXPLAINED],
        condemned: || play(|history| booked_of_two(history, 1, &[5])),
        legal: || play(|history| booked_of_two(history, 1, &[3])),
    },
    Measure {
        rule: MALFORMED_BOOKING,
        also: &[lost_booking::NOT_RECORDED],
        condemned: || play(|history| booking_of_unknown_hold(history, &[3, 3])),
        legal: || play(|history| booking_of_unknown_hold(history, &[4, 3])),
    },
    Measure {
        rule: OTHER_KIND,
        also: &[],
        condemned: || {
            play(|history| {
                let released = released_outcome(1);
                history.asks_and_hears((5, 7), &hold_request(1, 1, &[3]), &released)
            })
        },
        legal: || play(|history| history.has(1, 1, &[3])),
    },
    Measure {
        rule: TOLD_OTHER_SEATS,
        also: &[],
        condemned: || play(|history| best(history, &[3, 4], &[3, 5])),
        legal: || play(|history| best(history, &[3, 4], &[3, 4])),
    },
];

/// A hold expires at 306 and is granted again at `at`: it is remembered for 900 seconds.
fn granted_again(history: &mut History, at: u64) -> &mut History {
    history.held(1, 1, 1, &[3]).expired(306, 1).held(at, 1, 1, &[3])
}

/// A person with hold 1 asks for another, and gets one of this name.
fn second_hold(history: &mut History, name: u64) -> &mut History {
    history.has(1, 1, &[3]).held(5, 2, 1, &[4]);
    history.asks_and_hears((4, 6), &hold_request(2, 1, &[4]), &held_outcome(name, &[4], 5))
}

/// A person asks for the best two of section 0; what the journal has, and what the person is told.
fn best<'a>(history: &'a mut History, kept: &[u32], told: &[u32]) -> &'a mut History {
    let wish = Wish { best: [(SectionId(0), 2)].into_iter().collect(), ..Wish::default() };
    let command = Command::Hold(wish);
    let request = Request { id: RequestId(1), user: UserId(1), show: SHOW, command };
    history.asks(0, &request).held(1, 1, 1, kept).told(2, 0, &request, &held_outcome(1, told, 1))
}

/// A person asks for seat 3, and gets this one.
fn picked(history: &mut History, granted: u32) -> &mut History {
    let told = held_outcome(1, &[granted], 1);
    history.asks(0, &hold_request(1, 1, &[3])).held(1, 1, 1, &[granted]);
    history.told(2, 0, &hold_request(1, 1, &[3]), &told)
}

/// A person is granted two seats of section 0, asked for in this way.
fn granted_by_sections<'a>(history: &'a mut History, best: &[(u16, u8)]) -> &'a mut History {
    let best = best.iter().map(|&(section, count)| (SectionId(section), count)).collect();
    let command = Command::Hold(Wish { best, ..Wish::default() });
    let request = Request { id: RequestId(1), user: UserId(1), show: SHOW, command };
    history.asks(0, &request).held(1, 1, 1, &[3, 4]);
    history.told(2, 0, &request, &held_outcome(1, &[3, 4], 1))
}

/// Seat 3 is on hold; a request for these seats is refused.
fn refused<'a>(history: &'a mut History, list: &[u32], refusal: Refusal) -> &'a mut History {
    let request = hold_request(2, 2, list);
    history.held(1, 1, 1, &[3]).asks_and_hears((2, 3), &request, &Outcome::Refused(refusal))
}

/// A person with two holds confirms the first, and is told of the booking of one.
fn booked_of_two<'a>(history: &'a mut History, hold: u64, list: &[u32]) -> &'a mut History {
    history.has(1, 1, &[3]).has(2, 1, &[4]).asks(5, &confirm_request(11, 1, 1)).booked(6, 11, 1);
    history.told(7, 5, &confirm_request(11, 1, 1), &booked_outcome(hold, list))
}

/// A person learns of a hold only by its booking.
fn booking_of_unknown_hold<'a>(history: &'a mut History, list: &[u32]) -> &'a mut History {
    history.held(1, 1, 1, &[3, 4]).books((5, 7), 11, 1, 1, list).booked(6, 11, 1)
}
