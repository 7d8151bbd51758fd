//! What the journal says happened: a fold over its committed records.
//!
//! Owns the state that the records amount to. Judges nothing: a record that breaks a
//! promise is folded in all the same, in the way that lets the judges see most of what
//! follows from it.

use std::collections::VecDeque;

use onsale_booking::{HoldId, Instant, RequestId, SeatId, SeatList, ShowId, Span, UserId};

use super::position::Position;
use super::register::{Entry, Register};

/// Ended holds that stay known after others took their seats, so that a late record
/// about one of them can still be told from a record about nothing.
const ENDED_KEPT: usize = 1 << 16;

/// What the journal says of a hold.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) user: UserId,
    /// When the record first stood on a disk, and when it was read: on the calendar, and not before it was decided.
    pub(super) written: Instant,
    pub(super) read: Instant,
    /// When it was decided, in the shard's time, which is that of its leaders' clocks.
    pub(super) at: Instant,
    /// When its time is over, in the shard's.
    pub(super) expires: Instant,
    pub(super) held: Position,
    pub(super) state: State,
}

/// What became of a hold.
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

    /// Whether its seats are off the market at `now`. A hold whose time and grace are over
    /// may be passed over without a record of its end.
    pub(super) fn is_alive(&self, now: Instant, grace: Span) -> bool {
        match self.state {
            State::Held => now < self.expires + grace,
            State::Booked { .. } => true,
            State::Released { .. } | State::Expired { .. } => false,
        }
    }
}

/// The fold.
#[derive(Debug)]
pub(super) struct Journal {
    register: Register<Grant>,
    /// Pinned still, the oldest first.
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

    /// The hold that last took the seat, alive or not; a booking if the seat has one.
    pub(super) fn on_seat(&self, show: ShowId, seat: SeatId) -> Option<&Entry<Grant>> {
        self.register.on_seat(show, seat)
    }

    /// Seats booked, and seats on hold.
    pub(super) fn seats(&self) -> (u64, u64) {
        let count = |is: fn(&Grant) -> bool| {
            self.iter().filter(|entry| is(&entry.known)).map(|entry| entry.seats.len() as u64).sum()
        };
        (count(Grant::is_booked), count(|grant| matches!(grant.state, State::Held)))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<Grant>> {
        self.register.iter()
    }

    /// A grant. Where it tramples on a hold that is alive, the seat goes on remembering the
    /// older one, whose record of booking or end is still to come. A second grant under the
    /// name of a hold that is alive changes nothing, under that of one that is over takes its
    /// place.
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

    /// A booking. Whether or not its hold was still alive, its seats remember it from now on, except
    /// where they have a booking already.
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

    /// The end of a hold that is not booked; no record but a cancellation ends a booking.
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
