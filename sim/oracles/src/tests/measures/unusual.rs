//! `linearizable`: the answers to unusual requests.

use super::*;
use crate::Unusual;
use crate::unusual::{ANSWERED_OTHERWISE, LOST_TO_REPETITION, NEVER_WAS, NOT_THEIRS};

pub(super) const MEASURES: &[Measure] = &[
    Measure {
        rule: NEVER_WAS,
        also: &[],
        condemned: || play(|history| about_nothing(history, Refusal::NotYours)),
        legal: || play(|history| about_nothing(history, Refusal::HoldLost)),
    },
    Measure {
        rule: NOT_THEIRS,
        also: &[],
        condemned: || play(|history| about_anothers(history, 3)),
        legal: || play(|history| about_anothers(history, 2)),
    },
    Measure {
        rule: ANSWERED_OTHERWISE,
        also: &[],
        condemned: || play(|history| released_again(history, 899)),
        legal: || play(|history| released_again(history, 900)),
    },
    Measure {
        rule: LOST_TO_REPETITION,
        also: &[],
        condemned: || play(|history| held_again(history, 305)),
        legal: || play(|history| held_again(history, 306)),
    },
];

/// A client asks to release a hold that never was.
fn about_nothing(history: &mut History, refusal: Refusal) -> &mut History {
    let (request, answer) = (release_request(20, 2, 99), Outcome::Refused(refusal));
    history.told_of((10, 11), &request, Unusual::NamesNothing, &answer)
}

/// A client asks at this time to release another's hold, of which its client learns at 2, and is told that it is lost.
fn about_anothers(history: &mut History, asked: u64) -> &mut History {
    let request = release_request(20, 2, 1);
    history.has(1, 1, &[3]).told_of((asked, 4), &request, Unusual::NamesOthers, &LOST)
}

/// A release is told, and its repetition answered at this time as if the hold were forgotten.
fn released_again(history: &mut History, told: u64) -> &mut History {
    let release = release_request(12, 1, 1);
    let first = released_outcome(1);
    history.again((20, told), &release, (0, 2, &first), &LOST)
}

/// A hold is told, and its repetition answered at this time that it is lost.
fn held_again(history: &mut History, told: u64) -> &mut History {
    let first = held_outcome(1, &[3], 1);
    history.has(1, 1, &[3]);
    history.again((20, told), &hold_request(1, 1, &[3]), (0, 2, &first), &LOST)
}
