//! The invariants of a show.
//!
//! Owns the checks after every event, which are cheap and run in every build, and the full comparison for tests.
//! Refuses to know which event came.

use std::sync::Arc;

use super::checks::Unfit;
use super::seats::Seats;
use super::{Place, Show};

impl Show {
    /// The invariants after every event; cheap. [`assert_consistent`](Self::assert_consistent) compares everything.
    pub(super) fn check_invariants(&self) {
        let known = self.live.len() + self.bookings.len() + self.ended.len();
        assert_eq!(self.index.len(), known, "every hold has one fate");
        self.seats.check_invariants();
        if self.rules.checks.unfit == Unfit::IsBroken {
            assert!(self.live.len() as u32 <= self.held(), "every live hold has a seat of its own");
            assert!(
                self.bookings.len() as u32 <= self.booked(),
                "every booking has a seat of its own"
            );
            assert!(self.lapsed.is_empty(), "what is over holds no seats");
        }
    }

    /// Checks all redundant state against its source. Slow: for tests.
    ///
    /// # Panics
    /// If anything disagrees.
    pub fn assert_consistent(&self) {
        self.live.assert_consistent();
        let mut seats = Seats::new(Arc::clone(self.hall()));
        for (position, grant) in self.bookings.iter().enumerate() {
            assert!(seats.try_hold(&grant.seats), "a seat of {} is granted twice", grant.hold);
            seats.book(&grant.seats);
            assert_eq!(
                self.index.get(&grant.hold),
                Some(&Place::Booked(position as u32)),
                "{} is booked",
                grant.hold
            );
        }
        for grant in self.live.iter() {
            assert!(seats.try_hold(&grant.seats), "a seat of {} is granted twice", grant.hold);
            let place = self.index.get(&grant.hold).expect("a live hold can be found");
            assert_eq!(self.grant(*place), Some(grant), "{} is live", grant.hold);
        }
        for ended in &self.ended {
            let place = Place::Ended(ended.user, ended.ending);
            assert_eq!(self.index.get(&ended.hold), Some(&place), "{} has ended", ended.hold);
        }
        assert_eq!(self.seats, seats, "seats are taken by holds and bookings alone");
        let known = self.live.len() + self.bookings.len() + self.ended.len();
        assert_eq!(self.index.len(), known, "every hold has one fate");
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Checks, Event, Hall, Rules};
    use super::*;
    use crate::id::{HoldId, SeatId, UserId};
    use crate::time::{Instant, Span};

    fn held() -> Show {
        let (hold, grace, remember) = (Span(100), Span(10), Span(300));
        let checks = Checks::COMPLETE;
        let rules = Rules { hold, grace, seats_per_request: 4, remember, checks };
        let mut show = Show::new(Arc::new(Hall::uniform(1, 1, 4)), rules);
        let seats = [SeatId(1)].into_iter().collect();
        let (hold, user, at, expires) = (HoldId(1), UserId(0), Instant(0), Instant(100));
        show.apply(&Event::Held { hold, user, seats, at, expires });
        show
    }

    #[test]
    #[should_panic(expected = "every hold has one fate")]
    fn a_hold_without_a_fate_is_caught() {
        let mut show = held();
        show.index.insert(HoldId(2), Place::Booked(0));
        show.check_invariants();
    }

    #[test]
    #[should_panic(expected = "every live hold has a seat of its own")]
    fn a_hold_without_a_seat_is_caught() {
        let mut show = held();
        show.seats.free_up(&[SeatId(1)]);
        show.check_invariants();
    }
}
