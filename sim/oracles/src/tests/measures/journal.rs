//! What the journal alone breaks: `double-booking`, `lost-booking`, `single-writer`.

use super::*;
use crate::double_booking::{BOOKED_TWICE, PROMISED_TWICE};
use crate::hold;
use crate::lost_booking::{CONFLICT, DROPPED, NOT_RECORDED, TOO_FEW_COPIES};
use crate::single_writer::{DEPOSED_WRITER, FORK, GAP, TWO_WRITERS};

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: BOOKED_TWICE,
        also: &[hold::TAKEN, hold::BOOKED_GONE],
        condemned: || play(|history| two_bookings(history, 3)),
        legal: || play(|history| two_bookings(history, 4)),
    },
    Measure {
        rule: PROMISED_TWICE,
        also: &[NOT_RECORDED, hold::PROMISED_TWICE],
        condemned: || play(|history| two_told_bookings(history, 3)),
        legal: || play(|history| two_told_bookings(history, 4)),
    },
    Measure {
        rule: CONFLICT,
        also: &[],
        condemned: || {
            play(|history| {
                history.oracles.journal_conflict(secs(9), PLACE, "n1 and n2".to_owned());
                history
            })
        },
        legal: || play(|history| history),
    },
    Measure {
        rule: TOO_FEW_COPIES,
        also: &[],
        condemned: || {
            play(|history| {
                history.oracles.journal_lost(secs(9), PLACE, 1);
                history
            })
        },
        legal: || play(|history| history),
    },
    Measure {
        rule: DROPPED,
        also: &[],
        condemned: || {
            play(|history| {
                history.oracles.journal_dropped(secs(9), PLACE, 1);
                history
            })
        },
        legal: || play(|history| history),
    },
    Measure {
        rule: NOT_RECORDED,
        also: &[],
        condemned: || play(|history| history.has(1, 1, &[3]).books((5, 6), 11, 1, 1, &[3])),
        legal: || {
            play(|history| history.has(1, 1, &[3]).books((5, 6), 11, 1, 1, &[3]).booked(6, 11, 1))
        },
    },
    Measure {
        rule: DEPOSED_WRITER,
        also: &[],
        condemned: || play(|history| two_records(history, [(2, 1), (1, 2)])),
        legal: || play(|history| two_records(history, [(1, 2), (2, 1)])),
    },
    Measure {
        rule: TWO_WRITERS,
        also: &[],
        condemned: || play(|history| two_records(history, [(1, 1), (1, 2)])),
        legal: || play(|history| two_records(history, [(1, 1), (2, 2)])),
    },
    Measure {
        rule: FORK,
        also: &[],
        condemned: || {
            play(|history| {
                history.oracles.journal_fork(secs(9), PLACE, "n1 and n2".to_owned());
                history
            })
        },
        legal: || play(|history| history),
    },
    Measure {
        rule: GAP,
        also: &[],
        condemned: || {
            play(|history| {
                history.oracles.journal_gap(secs(9), 1, 7, 8);
                history
            })
        },
        legal: || play(|history| history),
    },
];

const PLACE: Position = Position { log: 1, index: 7, term: 2 };

/// Two holds become bookings; the second is of this seat, the first of seat 3.
fn two_bookings(history: &mut History, seat: u32) -> &mut History {
    history.asks(2, &confirm_request(11, 1, 1)).asks(2, &confirm_request(12, 2, 2));
    history.held(1, 1, 1, &[3]).held(1, 2, 2, &[seat]).booked(2, 11, 1).booked(3, 12, 2)
}

/// Two clients are told of their bookings: the first of seat 3, the second of this one, where the journal has seat 4.
fn two_told_bookings(history: &mut History, seat: u32) -> &mut History {
    history.asks(2, &confirm_request(11, 1, 1)).asks(2, &confirm_request(12, 2, 2));
    history.held(1, 1, 1, &[3]).held(1, 2, 2, &[4]).booked(3, 11, 1).booked(3, 12, 2);
    history.books((2, 6), 11, 1, 1, &[3]).books((2, 7), 12, 2, 2, &[seat])
}

/// Two records of holds, each in a term by a node.
fn two_records(history: &mut History, written: [(u64, u16); 2]) -> &mut History {
    for (n, (term, writer)) in (1..).zip(written) {
        let (hold, user, list) = (HoldId(n), UserId(1), seats(&[n as u32]));
        history.asks(0, &hold_request(n, 1, &[n as u32]));
        let event =
            Event::Held { hold, user, seats: list, at: secs(1), expires: secs(1 + HOLD_SECS) };
        history.written(1, term, writer, event);
    }
    history
}
