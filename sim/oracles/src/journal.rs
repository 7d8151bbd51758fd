//! The journal's view: a fold over its committed records.
//!
//! Owns the state that the records add up to. Refuses to judge: a record that breaks a promise
//! is folded in as well, in the way that lets the judges see most of its consequences.

use std::collections::VecDeque;

use onsale_booking::{HoldId, Instant, RequestId, SeatId, SeatList, ShowId, Span, UserId};

use super::position::Position;
use super::register::{Entry, Register};

/// Ended holds that stay known after others took their seats, so that a late record about one of
/// them is not taken for a record about an unknown hold.
const ENDED_KEPT: usize = 1 << 16;

/// A hold in the journal's view.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) user: UserId,
    /// Instant at which its record was first on a disk, by the calendar: not before it was decided.
    pub(super) written: Instant,
    /// Instant at which its record was read, by the calendar.
    pub(super) read: Instant,
    /// Instant of its decision in the shard's time, which its leaders' clocks keep.
    pub(super) at: Instant,
    /// Instant of its expiry in the shard's time.
    pub(super) expires: Instant,
    pub(super) held: Position,
    pub(super) state: State,
    /// Whether an earlier hold had its name.
    pub(super) again: bool,
}

/// The state of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Held,
    Booked { request: RequestId, at: Instant, position: Position },
    Released { request: RequestId, at: Instant, position: Position },
    Expired { at: Instant, position: Position },
}

impl Grant {
    pub(super) fn is_booked(&self) -> bool {
        matches!(self.state, State::Booked { .. })
    }

    /// Whether its seats are taken at `now`. A hold whose time and grace are over no longer counts,
    /// even without a record of its end.
    pub(super) fn is_alive(&self, now: Instant, grace: Span) -> bool {
        match self.state {
            State::Held => now < self.expires + grace,
            State::Booked { .. } => true,
            State::Released { .. } | State::Expired { .. } => false,
        }
    }
}

/// The fold over the journal's records.
#[derive(Debug)]
pub(super) struct Journal {
    register: Register<Grant>,
    /// Ended holds that are still pinned, the oldest first.
    ended: VecDeque<HoldId>,
    grace: Span,
}

impl Journal {
    pub(super) fn new(shows: u32, seats_per_show: u32, grace: Span) -> Self {
        Self { register: Register::new(shows, seats_per_show), ended: VecDeque::new(), grace }
    }

    pub(super) fn get(&self, hold: HoldId) -> Option<&Entry<Grant>> {
        self.register.get(hold)
    }

    /// The last hold of the seat, alive or not; a booking if the seat has one.
    pub(super) fn on_seat(&self, show: ShowId, seat: SeatId) -> Option<&Entry<Grant>> {
        self.register.on_seat(show, seat)
    }

    /// Number of booked seats, and number of held seats.
    pub(super) fn seats(&self) -> (u64, u64) {
        let count = |is: fn(&Grant) -> bool| {
            self.iter().filter(|entry| is(&entry.known)).map(|entry| entry.seats.len() as u64).sum()
        };
        (count(Grant::is_booked), count(|grant| matches!(grant.state, State::Held)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<Grant>> {
        self.register.iter()
    }

    /// Whether ended holds may have been forgotten.
    pub(super) fn has_forgotten(&self) -> bool {
        self.ended.len() >= ENDED_KEPT
    }

    /// Folds in a grant. If it takes a seat of a live hold, the seat keeps remembering the older
    /// one, whose booking or end is still to come. A second grant under the name of a live hold
    /// changes nothing; under the name of an ended hold it replaces that one.
    pub(super) fn held(&mut self, hold: HoldId, show: ShowId, seats: SeatList, grant: Grant) {
        let (at, grace) = (grant.at, self.grace);
        if let Some(before) = self.register.get(hold) {
            if before.known.is_alive(at, grace) {
                return;
            }
            self.ended.retain(|&ended| ended != hold);
            self.register.remove(hold);
        }
        self.register.insert(hold, show, seats, grant);
        self.register.seat(hold, |other| !other.known.is_alive(at, grace));
    }

    /// Folds in a booking. Its seats remember it even if its hold was over, except those that
    /// already have a booking.
    pub(super) fn booked(
        &mut self,
        hold: HoldId,
        request: RequestId,
        at: Instant,
        position: Position,
    ) {
        let Some(entry) = self.register.get_mut(hold) else { return };
        match entry.known.state {
            State::Booked { .. } => return,
            State::Held => {}
            State::Released { .. } | State::Expired { .. } => self.register.pin(hold),
        }
        if let Some(entry) = self.register.get_mut(hold) {
            entry.known.state = State::Booked { request, at, position };
        }
        self.register.seat(hold, |other| !other.known.is_booked());
    }

    /// Folds in the end of a hold that is not booked; only a cancellation ends a booking.
    pub(super) fn ended(&mut self, hold: HoldId, state: State) {
        let Some(entry) = self.register.get_mut(hold) else { return };
        if entry.known.state != State::Held {
            return;
        }
        entry.known.state = state;
        self.ended.push_back(hold);
        if self.ended.len() > ENDED_KEPT
            && let Some(oldest) = self.ended.pop_front()
        {
            self.register.unpin(oldest);
        }
    }
}
