//! One performance's seats: the single writer, as a fold of events.
//!
//! Owns the rules of sale: which user may have which seats, until when, and the outcome of a repeated request. Refuses
//! to know how events are made durable, which other writers there are, and which show it is.
//!
//! The leader of a show handles each request in this order, and takes the next one only after it has applied the
//! changes of the last:
//! 1. while there is one, record and apply the [`overdue`](Show::overdue) event;
//! 2. [`decide`](Show::decide);
//! 3. record and [`apply`](Show::apply) the event, if there is one.
//!
//! The first step joins two rules that differ between a hold's end and its `Expired`
//! event: the holder is refused from the end on, yet nobody else gets the seats before
//! the event.
//!
//! An answer from the state may be told to a client only once the events behind the state are durable: a refusal
//! because a hold was lost is final only with the event that ended it.

mod audit;
mod best;
mod checks;
mod event;
mod hall;
mod holds;
mod overwrite;
mod seats;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::holds::{Grant, Holds, Slot};
use self::seats::Seats;
use crate::id::{HoldId, RequestId, UserId};
use crate::map::FixedMap;
use crate::request::{Command, Outcome, Refusal, Request, Wish};
use crate::seat_list::SEATS_PER_REQUEST_MAX;
use crate::time::{Instant, Span};

pub use self::checks::{Checks, Honours, Orders, Repeats, Unfit};
pub use self::event::{Decision, Event};
pub use self::hall::{Hall, SEATS_PER_ROW_MAX};
pub use self::snapshot::SnapshotError;

/// The rules of sale. Constant for all of a show's life: its events were decided by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long a hold lasts for the user.
    pub hold: Span,
    /// How much longer the server keeps a hold, so that no user whose timer still runs is refused.
    pub grace: Span,
    /// The most seats a request; 1 to [`SEATS_PER_REQUEST_MAX`].
    pub seats_per_request: u8,
    /// How long a released or expired hold is remembered, so that a late repeat of its request is not executed again.
    /// Longer than a request can be under way.
    pub remember: Span,
    /// The checks before a change.
    pub checks: Checks,
}

impl Rules {
    /// The instant at which the server ends a hold whose user's timer ends at `expires`.
    pub fn end_of(&self, expires: Instant) -> Instant {
        Instant((expires + self.grace).0 - self.checks.early.0)
    }
}

/// The seats of one performance, with their holds and bookings.
///
/// Requests are idempotent, because a hold carries its request's id and has one fate:
///
/// | the hold is | `Hold` again | `Confirm` | `Release` |
/// |---|---|---|---|
/// | unknown | judged | `HoldLost` | `HoldLost` |
/// | another user's | `NotYours` | `NotYours` | `NotYours` |
/// | live | `Held`, as at first | becomes booked | becomes released |
/// | booked | `Held`, as at first | `Booked` | `HoldLost` |
/// | released | `HoldLost` | `HoldLost` | `Released` |
/// | expired, or past its end | `HoldLost` | `HoldLost` | `HoldLost` |
///
/// `Release` does not give a booking back: there is no hold any more to release. A second `Confirm`, for any request
/// and payment, is told the fact and changes nothing.
///
/// Refusals are not journaled. A late repeat of a refused request is judged again and may be granted; a hold that
/// nobody waits for then runs out. The same happens to a repeat that comes later than [`Rules::remember`] after the end
/// of its hold.
#[derive(Clone, Debug)]
pub struct Show {
    rules: Rules,
    seats: Seats,
    live: Holds,
    /// In order of booking; final.
    bookings: Vec<Grant>,
    /// In order of ending, until forgotten.
    ended: VecDeque<Ended>,
    /// The place of every hold in the three above.
    index: FixedMap<HoldId, Place>,
    /// The grants of ended holds that are remembered; empty where every record has to fit, since no record can use them
    /// there.
    lapsed: FixedMap<HoldId, Grant>,
}

/// Where a hold is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Live(Slot),
    /// Position among the bookings.
    Booked(u32),
    Ended(UserId, Ending),
}

/// The end of a hold that was not booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Ending {
    Released,
    Expired,
}

/// An ended hold that is remembered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    hold: HoldId,
    user: UserId,
    ending: Ending,
    at: Instant,
}

/// The fate of a hold, as one user may know it at one instant.
enum Fate<'a> {
    Unknown,
    Foreign,
    Live(&'a Grant),
    Booked(&'a Grant),
    Released,
    Lost,
}

impl Show {
    /// A show whose seats are all free.
    ///
    /// # Panics
    /// If the rules allow no seats a request or more than [`SEATS_PER_REQUEST_MAX`].
    pub fn new(hall: Arc<Hall>, rules: Rules) -> Self {
        let allowed = 1..=SEATS_PER_REQUEST_MAX;
        assert!(
            allowed.contains(&usize::from(rules.seats_per_request)),
            "a request may name 1 to 10 seats"
        );
        Self {
            rules,
            seats: Seats::new(hall),
            live: Holds::new(),
            bookings: Vec::new(),
            ended: VecDeque::new(),
            index: FixedMap::default(),
            lapsed: FixedMap::default(),
        }
    }

    /// Decides a request of this show. Changes nothing and never fails.
    ///
    /// Of several reasons to refuse a hold it gives the first of these: `BadRequest`, `SoldOut`, `SeatTaken`,
    /// `NoneFree`.
    pub fn decide(&self, request: &Request, now: Instant) -> Decision {
        let refuse = |refusal| Decision::Answer(Outcome::Refused(refusal));
        let checks = &self.rules.checks;
        match &request.command {
            Command::Hold(wish) => {
                let hold = HoldId::from(request.id);
                match self.fate(hold, request.user, now) {
                    Fate::Unknown => self.decide_hold(hold, request.user, wish, now),
                    Fate::Live(_) | Fate::Booked(_) | Fate::Released | Fate::Lost
                        if checks.repeats == Repeats::ExecutedAgain =>
                    {
                        self.decide_hold(hold, request.user, wish, now)
                    }
                    Fate::Live(grant) | Fate::Booked(grant) => Decision::Answer(Outcome::Held {
                        hold,
                        seats: grant.seats.clone(),
                        expires: grant.expires,
                    }),
                    Fate::Released | Fate::Lost => refuse(Refusal::HoldLost),
                    Fate::Foreign => refuse(Refusal::NotYours),
                }
            }
            &Command::Confirm { hold, payment } => {
                let booked = || {
                    Decision::Record(Event::Booked { request: request.id, hold, payment, at: now })
                };
                match self.fate(hold, request.user, now) {
                    Fate::Live(_) => booked(),
                    Fate::Booked(_) if checks.repeats == Repeats::ExecutedAgain => booked(),
                    Fate::Booked(grant) => {
                        Decision::Answer(Outcome::Booked { hold, seats: grant.seats.clone() })
                    }
                    Fate::Released | Fate::Lost if checks.confirms == Honours::AnyHold => booked(),
                    Fate::Unknown | Fate::Released | Fate::Lost => refuse(Refusal::HoldLost),
                    Fate::Foreign => refuse(Refusal::NotYours),
                }
            }
            &Command::Release { hold } => {
                let released =
                    || Decision::Record(Event::Released { request: request.id, hold, at: now });
                match self.fate(hold, request.user, now) {
                    Fate::Live(_) => released(),
                    Fate::Lost if checks.releases == Honours::AnyHold => released(),
                    Fate::Released => Decision::Answer(Outcome::Released { hold }),
                    Fate::Unknown | Fate::Booked(_) | Fate::Lost => refuse(Refusal::HoldLost),
                    Fate::Foreign => refuse(Refusal::NotYours),
                }
            }
        }
    }

    /// Prefetches what `decide` first reads for requests with these ids, so that the cache misses overlap. Changes
    /// nothing but the time it takes.
    pub fn read_ahead(&self, requests: impl Iterator<Item = RequestId>) {
        let known = requests.filter(|&request| self.index.contains_key(&HoldId::from(request)));
        std::hint::black_box(known.count());
    }

    fn decide_hold(&self, hold: HoldId, user: UserId, wish: &Wish, now: Instant) -> Decision {
        let choose = || match self.rules.checks.orders {
            Orders::Whole => self.seats.choose(wish),
            Orders::Partial => self.seats.choose_some(wish),
        };
        match self.check_wish(wish).and_then(|()| choose()) {
            Ok(seats) => {
                let expires = now + self.rules.hold;
                Decision::Record(Event::Held { hold, user, seats, at: now, expires })
            }
            Err(refusal) => Decision::Answer(Outcome::Refused(refusal)),
        }
    }

    /// The event that ends the next hold whose time and grace are over, if there is one.
    pub fn overdue(&self, now: Instant) -> Option<Event> {
        let first = self.live.first()?;
        (self.end_of(first) <= now).then_some(Event::Expired { hold: first.hold, at: now })
    }

    /// The instant at which the server ends the next hold: its time and the grace.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.live.first().map(|grant| self.end_of(grant))
    }

    /// The live holds, each with the end of its user's timer, in that order.
    pub fn live(&self) -> impl Iterator<Item = (HoldId, Instant)> + '_ {
        self.live.iter().map(|grant| (grant.hold, grant.expires))
    }

    /// The end of a live hold's user timer; `None` if the hold is not live.
    pub fn live_until(&self, hold: HoldId) -> Option<Instant> {
        match self.index.get(&hold)? {
            &Place::Live(slot) => Some(self.live.get(slot).expires),
            Place::Booked(_) | Place::Ended(..) => None,
        }
    }

    /// Applies an event: the only way in which state changes.
    ///
    /// # Panics
    /// If this state cannot have led to the event: the journal is broken.
    pub fn apply(&mut self, event: &Event) {
        self.forget(event.at());
        match self.rules.checks.unfit {
            Unfit::IsBroken => self.apply_fit(event),
            Unfit::Overwrites => self.overwrite(event),
        }
        self.check_invariants();
    }

    fn apply_fit(&mut self, event: &Event) {
        match event {
            Event::Held { hold, user, seats, at, expires } => {
                assert!(!seats.is_empty(), "{hold} holds no seat");
                assert!(
                    seats.len() <= usize::from(self.rules.seats_per_request),
                    "{hold} holds too many seats"
                );
                assert!(at <= expires, "{hold} expires before it begins");
                self.seats.hold(seats);
                let grant =
                    Grant { hold: *hold, user: *user, seats: seats.clone(), expires: *expires };
                let place = Place::Live(self.live.insert(grant));
                assert!(self.index.insert(*hold, place).is_none(), "{hold} is granted twice");
            }
            &Event::Booked { hold, at, .. } => {
                let grant = self.take_live(hold);
                assert!(at < self.end_of(&grant), "{hold} is booked after its end");
                self.seats.book(&grant.seats);
                self.add_booking(grant);
            }
            &Event::Released { hold, at, .. } => {
                let grant = self.take_live(hold);
                assert!(at < self.end_of(&grant), "{hold} is released after its end");
                self.end(&grant, Ending::Released, at);
            }
            &Event::Expired { hold, at } => {
                let grant = self.take_live(hold);
                assert!(self.end_of(&grant) <= at, "{hold} expires before its end");
                self.end(&grant, Ending::Expired, at);
            }
        }
    }

    /// The answer to the request behind an event of this show, before the event is applied or after. An expiry answers
    /// no request; its outcome is what the holder is told from then on.
    ///
    /// # Panics
    /// If the event books a hold that this show does not know.
    pub fn outcome(&self, event: &Event) -> Outcome {
        match event {
            Event::Held { hold, seats, expires, .. } => {
                Outcome::Held { hold: *hold, seats: seats.clone(), expires: *expires }
            }
            &Event::Booked { hold, .. } => {
                let grant = self.index.get(&hold).and_then(|&place| self.grant(place));
                let grant = grant.or_else(|| self.lapsed.get(&hold));
                let seats = grant.expect("only what is held gets booked").seats.clone();
                Outcome::Booked { hold, seats }
            }
            &Event::Released { hold, .. } => Outcome::Released { hold },
            Event::Expired { .. } => Outcome::Refused(Refusal::HoldLost),
        }
    }

    /// The plan of the hall.
    pub fn hall(&self) -> &Arc<Hall> {
        self.seats.hall()
    }

    /// The rules of sale.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Number of free seats.
    pub fn free(&self) -> u32 {
        self.seats.all().free
    }

    /// Number of seats on hold, overdue ones included.
    pub fn held(&self) -> u32 {
        let all = self.seats.all();
        all.unbooked - all.free
    }

    /// Number of booked seats.
    pub fn booked(&self) -> u32 {
        self.hall().seats() - self.seats.all().unbooked
    }

    /// Whether every seat is booked.
    pub fn is_sold_out(&self) -> bool {
        self.seats.all().unbooked == 0
    }

    fn check_wish(&self, wish: &Wish) -> Result<(), Refusal> {
        let hall = self.hall();
        let (picked, best) = (&*wish.picked, &*wish.best);
        let well_formed = (1..=usize::from(self.rules.seats_per_request)).contains(&wish.seats())
            && picked
                .iter()
                .enumerate()
                .all(|(n, &seat)| hall.has_seat(seat) && !picked[..n].contains(&seat))
            && best.iter().enumerate().all(|(n, &(section, count))| {
                hall.has_section(section)
                    && count > 0
                    && best[..n].iter().all(|&(other, _)| other != section)
            });
        if well_formed { Ok(()) } else { Err(Refusal::BadRequest) }
    }

    fn fate(&self, hold: HoldId, user: UserId, now: Instant) -> Fate<'_> {
        let Some(&place) = self.index.get(&hold) else {
            return Fate::Unknown;
        };
        let (leader, fate) = match place {
            Place::Live(slot) => {
                let grant = self.live.get(slot);
                (grant.user, if now < self.end_of(grant) { Fate::Live(grant) } else { Fate::Lost })
            }
            Place::Booked(position) => {
                let grant = &self.bookings[position as usize];
                (grant.user, Fate::Booked(grant))
            }
            Place::Ended(user, Ending::Released) => (user, Fate::Released),
            Place::Ended(user, Ending::Expired) => (user, Fate::Lost),
        };
        if leader == user { fate } else { Fate::Foreign }
    }

    fn grant(&self, place: Place) -> Option<&Grant> {
        match place {
            Place::Live(slot) => Some(self.live.get(slot)),
            Place::Booked(position) => Some(&self.bookings[position as usize]),
            Place::Ended(..) => None,
        }
    }

    fn end_of(&self, grant: &Grant) -> Instant {
        self.rules.end_of(grant.expires)
    }

    /// Removes a hold from the live ones; the caller gives it its new place.
    fn take_live(&mut self, hold: HoldId) -> Grant {
        let place = self.index.get(&hold).copied();
        let Some(Place::Live(slot)) = place else {
            panic!("{hold} is not live: {place:?}");
        };
        self.live.remove(slot)
    }

    fn add_booking(&mut self, grant: Grant) {
        let position =
            u32::try_from(self.bookings.len()).expect("there are fewer bookings than seats");
        self.index.insert(grant.hold, Place::Booked(position));
        self.bookings.push(grant);
    }

    fn end(&mut self, grant: &Grant, ending: Ending, at: Instant) {
        self.seats.free_up(&grant.seats);
        self.remember_end(grant, ending, at);
    }

    fn remember_end(&mut self, grant: &Grant, ending: Ending, at: Instant) {
        self.index.insert(grant.hold, Place::Ended(grant.user, ending));
        self.ended.push_back(Ended { hold: grant.hold, user: grant.user, ending, at });
    }

    /// Forgets holds that ended long ago, by the time of events alone, so that every replay forgets the same at the
    /// same event.
    fn forget(&mut self, at: Instant) {
        while let Some(oldest) = self.ended.front()
            && oldest.at + self.rules.remember <= at
        {
            self.index.remove(&oldest.hold);
            self.lapsed.remove(&oldest.hold);
            self.ended.pop_front();
        }
    }
}

/// Two shows are equal if no sequence of requests and events can tell them apart.
impl PartialEq for Show {
    fn eq(&self, other: &Self) -> bool {
        self.hall() == other.hall()
            && self.rules == other.rules
            && self.live.iter().eq(other.live.iter())
            && self.bookings == other.bookings
            && self.ended == other.ended
            && self.seats == other.seats
            && self.lapsed == other.lapsed
    }
}

impl Eq for Show {}
