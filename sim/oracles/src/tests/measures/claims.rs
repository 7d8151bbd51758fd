//! `hold`: what clients asked for and were told is recorded, and the other way round.

use super::*;
use crate::hold::{
    BOOKED_LATE, ENDED_TWICE, HELD_UNASKED, HELD_UNRECORDED, NOT_FOREIGN, NOT_LOST, OTHER_PAYMENT,
    RELEASE_UNRECORDED, RELEASED_LATE, RELEASED_UNASKED,
};

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: HELD_UNASKED,
        also: &[],
        condemned: || play(|history| recorded(history, &[3, 20])),
        legal: || play(|history| recorded(history, &[3, 4])),
    },
    Measure {
        rule: HELD_UNRECORDED,
        also: &[],
        condemned: || play(|history| recorded_late(history, 3)),
        legal: || play(|history| recorded_late(history, 2)),
    },
    Measure {
        rule: BOOKED_LATE,
        also: &[],
        condemned: || play(|history| booked_at(history, 306, 11)),
        legal: || play(|history| booked_at(history, 305, 11)),
    },
    Measure {
        rule: OTHER_PAYMENT,
        also: &[],
        condemned: || play(|history| booked_at(history, 9, 12)),
        legal: || play(|history| booked_at(history, 9, 11)),
    },
    Measure {
        rule: RELEASED_LATE,
        also: &[],
        condemned: || play(|history| released_at(history, 306, 1)),
        legal: || play(|history| released_at(history, 305, 1)),
    },
    Measure {
        rule: RELEASED_UNASKED,
        also: &[],
        condemned: || play(|history| released_at(history, 9, 2)),
        legal: || play(|history| released_at(history, 9, 1)),
    },
    Measure {
        rule: ENDED_TWICE,
        also: &[],
        condemned: || play(|history| released_at(history, 305, 1).expired(306, 1)),
        legal: || play(|history| released_at(history, 305, 1)),
    },
    Measure {
        rule: RELEASE_UNRECORDED,
        also: &[],
        condemned: || play(|history| told_released(history, 12)),
        legal: || play(|history| told_released(history, 11)),
    },
    Measure {
        rule: NOT_LOST,
        also: &[],
        condemned: || play(|history| told_lost(history, 310)),
        legal: || play(|history| told_lost(history, 309)),
    },
    Measure {
        rule: NOT_FOREIGN,
        also: &[],
        condemned: || play(|history| told_foreign(history, 1)),
        legal: || play(|history| told_foreign(history, 2)),
    },
];

/// A request for two seats of section 0; what is recorded.
fn recorded<'a>(history: &'a mut History, list: &[u32]) -> &'a mut History {
    history.asks(0, &hold_request(1, 1, &[3, 4])).held(1, 1, 1, list)
}

/// A person is told of a hold at 2, which was first on a disk at `written` and is read after that.
fn recorded_late(history: &mut History, written: u64) -> &mut History {
    history.gets((0, 1, 2), 1, 1, &[3]);
    let (at, expires) = (secs(1), secs(301));
    let held = Event::Held { hold: HoldId(1), user: UserId(1), seats: seats(&[3]), at, expires };
    history.record(written, held)
}

/// A hold from 1 to 301, kept until 306, is booked with this payment.
fn booked_at(history: &mut History, at: u64, payment: u64) -> &mut History {
    history.held(1, 1, 1, &[3]).asks(5, &confirm_request(11, 1, 1));
    let (request, hold, payment) = (RequestId(11), HoldId(1), PaymentId(payment));
    history.record(at, Event::Booked { request, hold, payment, at: secs(at) })
}

/// The same hold is released for this user.
fn released_at(history: &mut History, at: u64, user: u32) -> &mut History {
    history.held(1, 1, 1, &[3]).asks(5, &release_request(11, user, 1)).released(at, 11, 1)
}

/// A person is told of a release at 11.
fn told_released(history: &mut History, recorded: u64) -> &mut History {
    history.has(1, 1, &[3]).asks_and_hears(
        (9, 11),
        &release_request(11, 1, 1),
        &released_outcome(1),
    );
    history.released(recorded, 11, 1)
}

/// A person is told at 309 that its hold is lost, when its timer and the grace are over.
fn told_lost(history: &mut History, ended: u64) -> &mut History {
    history.has(1, 1, &[3]).asks_and_hears((307, 309), &confirm_request(11, 1, 1), &LOST);
    history.expired(ended, 1)
}

/// A person who never heard of hold 1, long ended, is told that it is another's.
fn told_foreign(history: &mut History, user: u32) -> &mut History {
    history.held(1, 1, 1, &[3]).expired(306, 1);
    history.asks_and_hears((400, 401), &confirm_request(11, user, 1), &NOT_YOURS)
}
