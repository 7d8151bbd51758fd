//! Applying events that need not fit: the last writer wins.
//!
//! Owns what an event does to a show where nobody has made sure that it fits, as an update
//! by key does to a table: a hold has the fate that was written last, and so has a seat,
//! whoever else counted on it. Refuses to know why the events do not fit.

use super::holds::Grant;
use super::seats::SeatState;
use super::{Ending, Place, Show};
use crate::id::HoldId;
use crate::show::Event;
use crate::time::Instant;

impl Show {
    pub(super) fn overwrite(&mut self, event: &Event) {
        match event {
            Event::Held { hold, user, seats, expires, .. } => {
                self.take(*hold);
                self.seats.put(seats, SeatState::Held);
                let grant =
                    Grant { hold: *hold, user: *user, seats: seats.clone(), expires: *expires };
                let place = Place::Live(self.live.insert(grant));
                self.index.insert(*hold, place);
            }
            &Event::Booked { hold, .. } => {
                if matches!(self.index.get(&hold), Some(Place::Booked(_))) {
                    return;
                }
                let Some(grant) = self.take(hold) else { return };
                self.seats.put(&grant.seats, SeatState::Booked);
                self.add_booking(grant);
            }
            &Event::Released { hold, at, .. } => self.end_by_name(hold, Ending::Released, at),
            &Event::Expired { hold, at } => {
                if !matches!(self.index.get(&hold), Some(Place::Ended(..))) {
                    self.end_by_name(hold, Ending::Expired, at);
                }
            }
        }
    }

    fn end_by_name(&mut self, hold: HoldId, ending: Ending, at: Instant) {
        let Some(grant) = self.take(hold) else { return };
        self.seats.put(&grant.seats, SeatState::Free);
        self.remember_end(&grant, ending, at);
        self.lapsed.insert(hold, grant);
    }

    /// Takes a hold from wherever it is kept; the caller gives it its new place.
    fn take(&mut self, hold: HoldId) -> Option<Grant> {
        match self.index.remove(&hold)? {
            Place::Live(slot) => Some(self.live.remove(slot)),
            Place::Booked(position) => {
                let grant = self.bookings.remove(position as usize);
                for (place, later) in (position..).zip(&self.bookings[position as usize..]) {
                    self.index.insert(later.hold, Place::Booked(place));
                }
                Some(grant)
            }
            Place::Ended(..) => {
                self.ended.retain(|ended| ended.hold != hold);
                self.lapsed.remove(&hold)
            }
        }
    }
}
