//! Overwriting: events that need not fit, the last writer wins.
//!
//! Owns the effect of an event on a show where nothing ensures that it fits, like an update by key on a table: the last
//! write decides the fate of a hold and of a seat, regardless of other users. Refuses to know why the events do not
//! fit.

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

    /// Takes a hold from its present place; the caller gives it its new one.
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::super::{Checks, Decision, Hall, Honours, Repeats, Rules, Unfit};
    use super::*;
    use crate::id::{PaymentId, RequestId, SeatId, SectionId, ShowId, UserId};
    use crate::request::{Command, Outcome, Refusal, Request, Wish};
    use crate::show::Orders;
    use crate::time::Span;

    const LOOSE: Checks = Checks { unfit: Unfit::Overwrites, ..Checks::COMPLETE };

    /// A row of four seats; holds last 100, with a grace of 10.
    fn show(checks: Checks) -> Show {
        let (hold, grace, remember) = (Span(100), Span(10), Span(300));
        let rules = Rules { hold, grace, seats_per_request: 4, remember, checks };
        Show::new(Arc::new(Hall::uniform(1, 1, 4)), rules)
    }

    fn decide(show: &Show, now: u64, id: u64, command: Command) -> Decision {
        let user = UserId(id as u32 / 10);
        show.decide(&Request { id: RequestId(id), user, show: ShowId(0), command }, Instant(now))
    }

    /// Decides and applies, without ending overdue holds.
    fn ask(show: &mut Show, now: u64, id: u64, command: Command) -> Outcome {
        match decide(show, now, id, command) {
            Decision::Answer(outcome) => outcome,
            Decision::Record(event) => {
                let outcome = show.outcome(&event);
                show.apply(&event);
                outcome
            }
        }
    }

    fn best(count: u8) -> Command {
        let best = [(SectionId(0), count)].into_iter().collect();
        Command::Hold(Wish { best, ..Wish::default() })
    }

    fn seat(seat: u32) -> Command {
        let picked = [SeatId(seat)].into_iter().collect();
        Command::Hold(Wish { picked, ..Wish::default() })
    }

    fn confirm(hold: u64) -> Command {
        Command::Confirm { hold: HoldId(hold), payment: PaymentId(hold) }
    }

    fn release(hold: u64) -> Command {
        Command::Release { hold: HoldId(hold) }
    }

    fn seats(outcome: &Outcome) -> usize {
        match outcome {
            Outcome::Held { seats, .. } | Outcome::Booked { seats, .. } => seats.len(),
            Outcome::Released { .. } | Outcome::Refused(_) => 0,
        }
    }

    fn expire(show: &mut Show, now: u64) {
        while let Some(event) = show.overdue(Instant(now)) {
            show.apply(&event);
        }
    }

    #[test]
    fn a_repeat_takes_other_seats_and_pays_twice() {
        let mut show = show(Checks { repeats: Repeats::ExecutedAgain, ..LOOSE });
        let first = ask(&mut show, 0, 10, best(1));
        assert_ne!(ask(&mut show, 1, 10, best(1)), first);
        assert_eq!((show.free(), show.live().count()), (2, 1), "the seat of the first is lost");
        ask(&mut show, 2, 11, confirm(10));
        assert!(matches!(decide(&show, 3, 11, confirm(10)), Decision::Record(_)));
    }

    #[test]
    fn a_late_payment_books_a_seat_that_another_user_holds() {
        let mut show = show(Checks { confirms: Honours::AnyHold, ..LOOSE });
        ask(&mut show, 0, 10, seat(1));
        expire(&mut show, 110);
        assert_eq!(seats(&ask(&mut show, 111, 20, seat(1))), 1);
        assert_eq!(seats(&ask(&mut show, 112, 11, confirm(10))), 1);
        assert_eq!(seats(&ask(&mut show, 113, 21, confirm(20))), 1, "so has the other");
        assert_eq!((show.free(), show.booked()), (3, 1), "there is still only one seat");
    }

    #[test]
    fn a_late_release_frees_a_seat_that_another_user_holds() {
        let mut show = show(Checks { releases: Honours::AnyHold, ..LOOSE });
        ask(&mut show, 0, 10, seat(1));
        expire(&mut show, 110);
        ask(&mut show, 111, 20, seat(1));
        assert_eq!(ask(&mut show, 112, 11, release(10)), Outcome::Released { hold: HoldId(10) });
        assert_eq!(seats(&ask(&mut show, 113, 30, seat(1))), 1, "the seat is held twice");
    }

    #[test]
    fn an_end_by_name_frees_a_booked_seat() {
        let mut show = show(LOOSE);
        ask(&mut show, 0, 10, seat(1));
        ask(&mut show, 1, 11, confirm(10));
        ask(&mut show, 1, 20, seat(2));
        ask(&mut show, 1, 21, confirm(20));
        let end = Event::Expired { hold: HoldId(10), at: Instant(110) };
        show.apply(&end);
        assert_eq!((show.free(), show.booked()), (3, 1));
        ask(&mut show, 111, 30, seat(1));
        show.apply(&end);
        assert_eq!(show.free(), 2, "its present holder has another name");
    }

    #[test]
    fn a_wish_is_met_as_far_as_the_seats_go() {
        let mut show = show(Checks { orders: Orders::Partial, ..Checks::COMPLETE });
        assert_eq!(seats(&ask(&mut show, 0, 10, best(3))), 3);
        assert_eq!(seats(&ask(&mut show, 0, 20, best(3))), 1);
        assert_eq!(ask(&mut show, 0, 30, best(3)), Outcome::Refused(Refusal::NoneFree));
    }

    #[test]
    fn a_hold_may_end_before_its_users_timer() {
        let mut show = show(Checks { early: Span(50), ..Checks::COMPLETE });
        ask(&mut show, 0, 10, seat(1));
        assert_eq!(show.next_expiry(), Some(Instant(60)));
        assert_eq!(ask(&mut show, 60, 11, confirm(10)), Outcome::Refused(Refusal::HoldLost));
    }

    proptest! {
        /// For any events, fit or not, a snapshot restores the state that a replay gives.
        #[test]
        fn a_snapshot_and_a_replay_give_the_same_state(
            events in prop::collection::vec((0u8..4, 0u64..6, 0u32..4, 0u64..40), 1..60),
        ) {
            let mut show = show(LOOSE);
            let (mut now, mut snapshots, mut applied) = (0, Vec::new(), Vec::new());
            for (kind, hold, seat, wait) in events {
                now += wait;
                let (request, hold, at) = (RequestId(hold), HoldId(hold), Instant(now));
                let event = match kind {
                    0 => Event::Held {
                        hold,
                        user: UserId(hold.0 as u32),
                        seats: [SeatId(seat)].into_iter().collect(),
                        at,
                        expires: at + Span(100),
                    },
                    1 => Event::Booked { request, hold, payment: PaymentId(0), at },
                    2 => Event::Released { request, hold, at },
                    _ => Event::Expired { hold, at },
                };
                snapshots.push(show.snapshot());
                show.apply(&event);
                applied.push(event);
                let all = show.seats.all();
                prop_assert!(all.free <= all.unbooked && all.unbooked <= 4);
            }
            for (from, bytes) in snapshots.iter().enumerate() {
                let hall = Arc::clone(show.hall());
                let mut again = Show::restore(hall, *show.rules(), bytes).expect("it is a snapshot");
                applied[from..].iter().for_each(|event| again.apply(event));
                prop_assert_eq!(&again, &show);
                prop_assert_eq!(again.snapshot(), show.snapshot());
            }
        }
    }
}
