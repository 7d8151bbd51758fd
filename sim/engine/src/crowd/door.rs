//! The door of the waiting room: people who wait, are called, or have left.
//!
//! Owns the room in front of the sale and the latency of waiting in it. The order of the queue is
//! booking's ([`onsale_booking::waiting_room`]); people wait as positions, and do not poll. Refuses
//! to know what people do once they are let in.

use onsale_booking::{Instant, Span, WaitingRoom};
use onsale_reports::{Ending, Operation};
use onsale_scenarios::{Ratio, WaitingRoom as Settings};

use super::arrivals::Curve;
use crate::witness::Witness;

/// The waiting room from the crowd's side.
#[derive(Debug)]
pub struct Door {
    settings: Settings,
    room: WaitingRoom,
    closed: bool,
}

/// A person's reaction to the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calling {
    /// The person is still there.
    Comes,
    /// The person lost patience before.
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

    /// Adds a person; `false` if the sale is over.
    pub fn join(&mut self, user: u32, at: Instant) -> bool {
        if !self.closed {
            self.room.join(user..user + 1, at);
        }
        !self.closed
    }

    /// Instant of the next call.
    pub fn next_release(&self) -> Option<Instant> {
        self.room.next_release()
    }

    /// Share of no-shows, people who do not come when called.
    pub const fn no_show(&self) -> Ratio {
        self.settings.no_show
    }

    /// Calls everybody whose turn is before `end`.
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

    /// Ends the sale: tells everybody who still waits.
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

    /// Ends the run: people who still wait are unanswered.
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

/// Ends of the wait: let in, or told that nothing is left.
const LET_IN: (Operation, Ending) = (Operation::Queue, Ending::Granted);
const TURNED_AWAY: (Operation, Ending) = (Operation::TurnedAway, Ending::Refused);

/// Start of a person's wait: people come before the opening by their own choice, so it begins at the opening.
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
