//! `hold`: a hold is exclusive for its time, and ends when it must.

use super::*;
use crate::hold::{
    BOOKED_AGAIN, BOOKED_EXPIRED, BOOKED_FOREIGN, BOOKED_GONE, BOOKED_OTHER, BOOKED_RELEASED,
    BOOKED_UNASKED, BOOKED_UNHELD, ENDED_LATE, EXPIRED_BOOKED, EXPIRED_EARLY, EXPIRED_IN_TIME,
    OTHER_EXPIRY, OTHER_LENGTH, OTHER_USER, PROMISED_TWICE, REFUSED_IN_TIME, RELEASED_BOOKED,
    TAKEN,
};
use crate::linearizable;

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: OTHER_LENGTH,
        also: &[],
        condemned: || play(|history| lasting(history, 299)),
        legal: || play(|history| lasting(history, 300)),
    },
    Measure {
        rule: TAKEN,
        also: &[],
        condemned: || play(|history| history.held(1, 1, 1, &[3]).held(305, 2, 2, &[3])),
        legal: || play(|history| history.held(1, 1, 1, &[3]).held(306, 2, 2, &[3])),
    },
    Measure {
        rule: BOOKED_UNHELD,
        also: &[],
        condemned: || play(|history| booking(history, |history| history)),
        legal: || play(|history| booking(history, |history| history.held(1, 1, 1, &[3]))),
    },
    Measure {
        rule: BOOKED_AGAIN,
        also: &[],
        condemned: || {
            play(|history| {
                booking(history, |history| {
                    history.held(1, 1, 1, &[3]).asks(2, &confirm_request(12, 1, 1)).booked(3, 12, 1)
                })
            })
        },
        legal: || {
            play(|history| {
                booking(history, |history| {
                    history.held(1, 1, 1, &[3]).asks(2, &confirm_request(12, 1, 1))
                })
            })
        },
    },
    Measure {
        rule: BOOKED_RELEASED,
        also: &[],
        condemned: || {
            play(|history| {
                booking(history, |history| {
                    history
                        .held(1, 1, 1, &[3])
                        .asks(8, &release_request(12, 1, 1))
                        .released(9, 12, 1)
                })
            })
        },
        legal: || play(|history| booking(history, |history| history.held(1, 1, 1, &[3]))),
    },
    Measure {
        rule: BOOKED_EXPIRED,
        also: &[],
        condemned: || {
            play(|history| {
                history.asks(0, &confirm_request(11, 1, 1)).held(1, 1, 1, &[3]);
                history.expired(306, 1).booked(306, 11, 1)
            })
        },
        legal: || play(|history| history.held(1, 1, 1, &[3]).expired(306, 1)),
    },
    Measure {
        rule: BOOKED_GONE,
        also: &[],
        condemned: || play(|history| booked_after_another_held(history, &[3])),
        legal: || play(|history| booked_after_another_held(history, &[4])),
    },
    Measure {
        rule: BOOKED_UNASKED,
        also: &[],
        condemned: || play(|history| history.held(1, 1, 1, &[3]).booked(10, 11, 1)),
        legal: || play(|history| booking(history, |history| history.held(1, 1, 1, &[3]))),
    },
    Measure {
        rule: BOOKED_OTHER,
        also: &[],
        condemned: || play(|history| one_of_two(history, 2)),
        legal: || play(|history| one_of_two(history, 1)),
    },
    Measure {
        rule: BOOKED_FOREIGN,
        also: &[],
        condemned: || play(|history| booking(history, |history| history.held(1, 1, 2, &[3]))),
        legal: || play(|history| booking(history, |history| history.held(1, 1, 1, &[3]))),
    },
    Measure {
        rule: RELEASED_BOOKED,
        also: &[],
        condemned: || {
            play(|history| {
                booking(history, |history| history.held(1, 1, 1, &[3]));
                history.released(11, 12, 1)
            })
        },
        legal: || play(|history| booking(history, |history| history.held(1, 1, 1, &[3]))),
    },
    Measure {
        rule: EXPIRED_BOOKED,
        also: &[],
        condemned: || {
            play(|history| {
                booking(history, |history| history.held(1, 1, 1, &[3]));
                history.expired(306, 1)
            })
        },
        legal: || play(|history| history.held(1, 1, 1, &[3]).expired(306, 1)),
    },
    Measure {
        rule: EXPIRED_EARLY,
        also: &[],
        condemned: || play(|history| history.held(1, 1, 1, &[3]).expired(305, 1)),
        legal: || play(|history| history.held(1, 1, 1, &[3]).expired(306, 1)),
    },
    Measure {
        rule: EXPIRED_IN_TIME,
        also: &[],
        condemned: || play(|history| expiry_read(history, 300)),
        legal: || play(|history| expiry_read(history, 301)),
    },
    Measure {
        rule: ENDED_LATE,
        also: &[],
        condemned: || play(|history| history.held(1, 1, 1, &[3]).expired(311, 1)),
        legal: || play(|history| history.held(1, 1, 1, &[3]).expired(310, 1)),
    },
    Measure {
        rule: REFUSED_IN_TIME,
        also: &[],
        condemned: || play(|history| refused(history, 305)),
        legal: || play(|history| refused(history, 306)),
    },
    Measure {
        rule: OTHER_USER,
        also: &[],
        condemned: || play(|history| granted_to(history, 2)),
        legal: || play(|history| granted_to(history, 1)),
    },
    Measure {
        rule: OTHER_EXPIRY,
        also: &[],
        condemned: || play(|history| told_expiry(history, 3)),
        legal: || play(|history| told_expiry(history, 2)),
    },
    Measure {
        rule: PROMISED_TWICE,
        also: &[TAKEN, linearizable::BOTH_HAVE_SEAT],
        condemned: || play(|history| history.has(1, 1, &[3]).has(2, 2, &[3])),
        legal: || play(|history| history.has(1, 1, &[3]).has(2, 2, &[4])),
    },
];

/// A hold is granted at 1 for this many seconds.
fn lasting(history: &mut History, long: u64) -> &mut History {
    let (at, expires) = (secs(1), secs(1 + long));
    let held = Event::Held { hold: HoldId(1), user: UserId(1), seats: seats(&[3]), at, expires };
    history.asks(0, &hold_request(1, 1, &[3])).record(1, held)
}

/// Person 1 asks to confirm hold 1; it is booked after `before`.
fn booking(
    history: &mut History,
    before: impl FnOnce(&mut History) -> &mut History,
) -> &mut History {
    history.asks(0, &confirm_request(11, 1, 1));
    before(history);
    history.booked(10, 11, 1)
}

/// Another is granted these seats just when hold 1 of seat 3 is over, and hold 1 is booked just before that by the
/// clock of another record.
fn booked_after_another_held<'a>(history: &'a mut History, list: &[u32]) -> &'a mut History {
    history.asks(0, &confirm_request(11, 1, 1)).held(1, 1, 1, &[3]).held(306, 2, 2, list);
    let (request, hold, payment) = (RequestId(11), HoldId(1), PaymentId(11));
    history.record(306, Event::Booked { request, hold, payment, at: secs(305) })
}

/// A person with two holds confirms one, and the first is booked.
fn one_of_two(history: &mut History, confirmed: u64) -> &mut History {
    history.held(1, 1, 1, &[3]).held(1, 2, 1, &[4]);
    history.asks(5, &confirm_request(11, 1, confirmed)).booked(6, 11, 1)
}

/// A hold from 1 to 301 expires by its record at 306, which is read at `read`.
fn expiry_read(history: &mut History, read: u64) -> &mut History {
    history.held(1, 1, 1, &[3]).record(read, Event::Expired { hold: HoldId(1), at: secs(306) })
}

/// A confirmation, asked at 300 while the timer runs, is refused at `at`: at 306 time and grace are over.
fn refused(history: &mut History, at: u64) -> &mut History {
    history.has(1, 1, &[3]).record(at.min(306), Event::Expired { hold: HoldId(1), at: secs(306) });
    history.asks_and_hears((300, at), &confirm_request(11, 1, 1), &LOST)
}

/// A person is told of a hold that the journal has for `user`.
fn granted_to(history: &mut History, user: u32) -> &mut History {
    history.held(1, 1, user, &[3]).gets((0, 1, 2), 1, 1, &[3])
}

/// A hold is granted at 1 and told at 2, as if it were granted at `granted`.
fn told_expiry(history: &mut History, granted: u64) -> &mut History {
    history.held(1, 1, 1, &[3]).gets((0, granted, 2), 1, 1, &[3])
}
