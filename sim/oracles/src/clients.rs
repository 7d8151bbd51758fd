//! The clients' view: a fold over what they asked and were told.
//!
//! Owns each acknowledged hold's window, from the instant at which its client learned of
//! it to the instant from which the client no longer counts on it. Refuses to judge.

use onsale_booking::{
    FixedMap, HoldId, Instant, PaymentId, RequestId, SeatId, SeatList, ShowId, Span, UserId,
};

use super::register::{Entry, Register};

/// A hold in the clients' view.
#[derive(Debug)]
pub(super) struct KnownHold {
    pub(super) user: UserId,
    /// The granted request, or the confirmed one if no client ever learned of the hold.
    pub(super) request: RequestId,
    /// Instant at which its client first asked for it.
    pub(super) asked: Instant,
    /// Instant at which its client learned of it.
    pub(super) from: Instant,
    /// Instant at which its client's timer ends or it asked for release, whichever is earlier; `MAX` for a booking.
    pub(super) until: Instant,
    /// Instant at which its client's timer ends.
    pub(super) expires: Instant,
    /// Instant of its end as the leader told it, by the leader's clock.
    pub(super) as_told: Instant,
    /// Instant at which its client asked to release it.
    pub(super) released: Option<Instant>,
    pub(super) booked: Option<Acknowledged>,
}

/// An acknowledged booking.
#[derive(Clone, Copy, Debug)]
pub(super) struct Acknowledged {
    pub(super) user: UserId,
    pub(super) request: RequestId,
    pub(super) at: Instant,
}

impl KnownHold {
    /// Time for which both this window and another were open.
    pub(super) fn overlap(&self, from: Instant, until: Instant) -> Span {
        self.until.min(until).since(self.from.max(from))
    }
}

/// A requested confirmation: its hold, user and payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Confirming {
    pub(super) hold: HoldId,
    pub(super) user: UserId,
    pub(super) payment: PaymentId,
}

/// Requests that were seen in the journal by one record.
#[derive(Debug, Default)]
pub(super) struct Settled {
    pub(super) confirmed: Vec<(RequestId, Confirming)>,
    /// Releases, each with its hold and user.
    pub(super) released: Vec<(RequestId, (HoldId, UserId))>,
}

/// The fold over the clients' history.
#[derive(Debug)]
pub(super) struct Clients {
    register: Register<KnownHold>,
    /// Requested confirmations not yet seen in the journal.
    confirming: FixedMap<RequestId, Confirming>,
    /// Requested releases not yet seen in the journal, each with its hold and user.
    releasing: FixedMap<RequestId, (HoldId, UserId)>,
}

impl Clients {
    pub(super) fn new(shows: u32, seats_per_show: u32) -> Self {
        Self {
            register: Register::new(shows, seats_per_show),
            confirming: FixedMap::default(),
            releasing: FixedMap::default(),
        }
    }

    pub(super) fn get(&self, hold: HoldId) -> Option<&Entry<KnownHold>> {
        self.register.get(hold)
    }

    /// The acknowledged hold of a seat that ends last; a booking if there is one.
    pub(super) fn on_seat(&self, show: ShowId, seat: SeatId) -> Option<&Entry<KnownHold>> {
        self.register.on_seat(show, seat)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry<KnownHold>> {
        self.register.iter()
    }

    pub(super) fn confirm_invoked(&mut self, request: RequestId, confirming: Confirming) {
        self.confirming.insert(request, confirming);
    }

    /// Removes and returns the confirmation behind a booking that is now in the journal.
    pub(super) fn confirm_committed(&mut self, request: RequestId) -> Option<Confirming> {
        self.confirming.remove(&request)
    }

    /// Removes and returns the hold and user behind a release that is now in the journal.
    pub(super) fn release_committed(&mut self, request: RequestId) -> Option<(HoldId, UserId)> {
        self.releasing.remove(&request)
    }

    /// Closes a hold's window at the instant at which its own client asks to release it. A booking
    /// stays, and another user's release changes nothing.
    pub(super) fn release_invoked(
        &mut self,
        at: Instant,
        request: RequestId,
        hold: HoldId,
        user: UserId,
    ) {
        self.releasing.insert(request, (hold, user));
        if let Some(entry) = self.register.get_mut(hold)
            && entry.known.booked.is_none()
            && entry.known.user == user
        {
            entry.known.released.get_or_insert(at);
            entry.known.until = entry.known.until.min(at);
        }
    }

    /// Takes back that requests were seen in the journal: their record was given up.
    pub(super) fn unsettle(&mut self, settled: Settled) {
        self.confirming.extend(settled.confirmed);
        self.releasing.extend(settled.released);
    }

    /// Forgets a hold whose grant was given up: its name may be granted again, with other seats. A booking that was given
    /// up is none any more: what is left is the hold, until its client's timer ends.
    pub(super) fn give_up(&mut self, hold: HoldId, is_whole: bool, was_booked: bool) {
        let Some(entry) = self.register.get_mut(hold) else { return };
        if is_whole {
            return self.register.remove(hold);
        }
        let told = &mut entry.known;
        if was_booked && told.booked.take().is_some() {
            told.until = told.released.map_or(told.expires, |released| released.min(told.expires));
        }
    }

    /// Adds a new hold. It is remembered by those of its seats where no other window ends later.
    pub(super) fn held(&mut self, hold: HoldId, show: ShowId, seats: SeatList, told: KnownHold) {
        let (from, until) = (told.from, told.until);
        self.register.insert(hold, show, seats, told);
        if from < until {
            self.register.seat(hold, |other| other.known.until <= until);
        }
        self.register.unpin(hold);
    }

    /// Adds an acknowledged booking, remembered to the end of the run.
    pub(super) fn booked(
        &mut self,
        hold: HoldId,
        show: ShowId,
        seats: &SeatList,
        booking: Acknowledged,
    ) {
        if self.register.get(hold).is_none() {
            let Acknowledged { user, request, at } = booking;
            let told = KnownHold {
                user,
                request,
                from: at,
                until: at,
                expires: at,
                as_told: at,
                asked: at,
                released: None,
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
