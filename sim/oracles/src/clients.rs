//! What the clients were told: a fold over their history.
//!
//! Owns each acknowledged hold's window, from the instant at which its client learned of
//! it to the instant from which the client no longer counts on it. Judges nothing.

use onsale_booking::{
    FixedMap, HoldId, Instant, RequestId, SeatId, SeatList, ShowId, Span, UserId,
};

use super::register::{Entry, Register};

/// What the clients' history says of a hold.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) user: UserId,
    /// The request that was granted, or, if no client ever learned of the hold, confirmed.
    pub(super) request: RequestId,
    /// When its client first asked for it.
    pub(super) asked: Instant,
    /// When its client learned that the seats are its own for now.
    pub(super) from: Instant,
    /// When its client's timer ends, it asked to release it, or never.
    pub(super) until: Instant,
    /// When its client's timer ends.
    pub(super) expires: Instant,
    /// When it ends as the leader told, by its own clock.
    pub(super) as_told: Instant,
    /// When its client asked to release it.
    pub(super) released: Option<Instant>,
    /// How many intentions to confirm it there were.
    pub(super) confirms: u8,
    pub(super) booked: Option<Acknowledged>,
}

/// An acknowledged booking.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acknowledged {
    pub(super) user: UserId,
    pub(super) request: RequestId,
    pub(super) at: Instant,
}

impl Told {
    /// For how long both clients counted on their seats.
    pub(super) fn overlap(&self, from: Instant, until: Instant) -> Span {
        self.until.min(until).since(self.from.max(from))
    }
}

/// A confirmation that was asked for: of which hold, by which user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Confirming {
    pub(super) hold: HoldId,
    pub(super) user: UserId,
}

/// The fold.
#[derive(Debug)]
pub(super) struct Clients {
    register: Register<Told>,
    /// Confirmations asked for and not yet seen in the journal.
    confirming: FixedMap<RequestId, Confirming>,
}

impl Clients {
    pub(super) fn new(shows: u32, seats_per_show: u32) -> Self {
        Self { register: Register::new(shows, seats_per_show), confirming: FixedMap::default() }
    }

    pub(super) fn get(&self, hold: HoldId) -> Option<&Entry<Told>> {
        self.register.get(hold)
    }

    /// The acknowledged hold that ends last of those on the seat; a booking if there is one.
    pub(super) fn on_seat(&self, show: ShowId, seat: SeatId) -> Option<&Entry<Told>> {
        self.register.on_seat(show, seat)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<Told>> {
        self.register.iter()
    }

    pub(super) fn confirm_invoked(&mut self, request: RequestId, confirming: Confirming) {
        self.confirming.insert(request, confirming);
        if let Some(entry) = self.register.get_mut(confirming.hold) {
            entry.known.confirms = entry.known.confirms.saturating_add(1);
        }
    }

    /// The confirmation behind a booking that is now in the journal. It is asked for once.
    pub(super) fn confirm_committed(&mut self, request: RequestId) -> Option<Confirming> {
        self.confirming.remove(&request)
    }

    /// From the instant at which its client asks to release it, a hold is not counted on. A
    /// booking stays: nothing gives it back. Nor can anyone else give back a hold.
    pub(super) fn release_invoked(&mut self, at: Instant, hold: HoldId, user: UserId) {
        if let Some(entry) = self.register.get_mut(hold)
            && entry.known.booked.is_none()
            && entry.known.user == user
        {
            entry.known.released.get_or_insert(at);
            entry.known.until = entry.known.until.min(at);
        }
    }

    /// A hold not known before. It is remembered by the seats on which nobody's window ends later.
    pub(super) fn held(&mut self, hold: HoldId, show: ShowId, seats: SeatList, told: Told) {
        let (from, until) = (told.from, told.until);
        self.register.insert(hold, show, seats, told);
        if from < until {
            self.register.seat(hold, |other| other.known.until <= until);
        }
        self.register.unpin(hold);
    }

    /// An acknowledged booking, remembered to the end.
    pub(super) fn booked(
        &mut self,
        hold: HoldId,
        show: ShowId,
        seats: &SeatList,
        booking: Acknowledged,
    ) {
        if self.register.get(hold).is_none() {
            let Acknowledged { user, request, at } = booking;
            let told = Told {
                user,
                request,
                from: at,
                until: at,
                expires: at,
                as_told: at,
                asked: at,
                released: None,
                confirms: 1,
                booked: None,
            };
            self.register.insert(hold, show, seats.clone(), told);
        } else {
            self.register.pin(hold);
        }
        if let Some(entry) = self.register.get_mut(hold) {
            entry.known.until = Instant::MAX;
            entry.known.booked.get_or_insert(booking);
        }
        self.register.seat(hold, |other| other.known.booked.is_none());
    }
}
