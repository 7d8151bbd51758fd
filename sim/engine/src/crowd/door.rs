//! The door of the waiting room: who waits, who is called, who has left by then.
//!
//! Owns the room in front of the sale and the latency of waiting in it. The order of
//! the queue is booking's ([`onsale_booking::waiting_room`]); people wait as positions, not
//! as polls.

use onsale_booking::{Instant, Span, WaitingRoom};
use onsale_reports::{Ending, Operation};
use onsale_scenarios::{Ratio, WaitingRoom as Settings};

use super::arrivals::Curve;
use crate::witness::Witness;

/// The waiting room as the crowd meets it.
#[derive(Debug)]
pub struct Door {
    settings: Settings,
    room: WaitingRoom,
    closed: bool,
}

/// What a person does when called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calling {
    /// Is still there.
    Comes,
    /// Lost patience before.
    HasLeft,
}

impl Door {
    /// A room for `users` people, shuffled by `seed` at the opening.
    pub fn new(settings: Settings, users: u32, seed: u64) -> Self {
        let room = WaitingRoom::new(
            Instant::ZERO + settings.opening,
            settings.release_per_minute,
            seed,
            users,
        );
        Self { settings, room, closed: false }
    }

    /// A person joins; false if the sale is over.
    pub fn join(&mut self, user: u32, at: Instant) -> bool {
        if !self.closed {
            self.room.join(user..user + 1, at);
        }
        !self.closed
    }

    /// When the next person is called.
    pub fn next_release(&self) -> Option<Instant> {
        self.room.next_release()
    }

    /// Share of people who don't come when called.
    pub const fn no_show(&self) -> Ratio {
        self.settings.no_show
    }

    /// Calls everybody whose turn comes before `end`.
    pub fn release(
        &mut self,
        end: Instant,
        curve: &Curve,
        witness: &mut Witness,
        mut called: impl FnMut(u32, Instant, Calling),
    ) {
        let (opening, patience) = (Instant::ZERO + self.settings.opening, self.settings.patience);
        for admission in self.room.release_due(Instant(end.0 - 1)) {
            let user = admission.user.0;
            let since = waits_since(curve, user, opening);
            let calling = answer(witness, since, admission.at, patience, LET_IN);
            called(user, admission.at, calling);
        }
    }

    /// The sale is over: everybody who still waits is told.
    pub fn close(
        &mut self,
        now: Instant,
        curve: &Curve,
        witness: &mut Witness,
        mut told: impl FnMut(Calling),
    ) {
        self.closed = true;
        let (opening, patience) = (Instant::ZERO + self.settings.opening, self.settings.patience);
        for user in self.room.close() {
            let since = waits_since(curve, user.0, opening);
            told(answer(witness, since, now, patience, TURNED_AWAY));
        }
    }

    /// The run is over: who still waits has no answer.
    pub fn finish(&mut self, end: Instant, curve: &Curve, witness: &mut Witness) {
        let opening = Instant::ZERO + self.settings.opening;
        for user in self.room.close() {
            witness.recorder.unanswered(
                Operation::Queue,
                waits_since(curve, user.0, opening).min(end),
                end,
            );
        }
    }
}

/// How the waiting ends for those who are let in, and for those who are told that nothing is left.
const LET_IN: (Operation, Ending) = (Operation::Queue, Ending::Granted);
const TURNED_AWAY: (Operation, Ending) = (Operation::TurnedAway, Ending::Refused);

/// People gather before the opening of their own accord: they wait from the opening on.
fn waits_since(curve: &Curve, user: u32, opening: Instant) -> Instant {
    curve.arrival(user).max(opening)
}

fn answer(
    witness: &mut Witness,
    since: Instant,
    at: Instant,
    patience: Span,
    ends: (Operation, Ending),
) -> Calling {
    let (at, left) = (at.max(since), since + patience);
    let (calling, (operation, ending), at) = match at > left {
        true => (Calling::HasLeft, (Operation::TurnedAway, Ending::GaveUp), left),
        false => (Calling::Comes, ends, at),
    };
    witness.recorder.ended(operation, ending, since, at);
    calling
}
