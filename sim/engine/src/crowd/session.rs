//! One person's session: pick, hold, pay, done; retry, give up, abandon.
//!
//! Owns a person's next step and the reaction to each answer. Every latency runs from the instant at which the person
//! meant to act, so that a slow answer to one request cannot hide the wait of the next. Refuses to know how requests travel.

use onsale_booking::{
    Command, Instant, Outcome, PaymentId, Refusal, Reply, Request, ShowId, Timed, UserId,
};
use onsale_oracles::{Promise, Tries};
use onsale_reports::{Ending, Operation};

use super::people::{Doing, Person};
use super::requests::operation;
use super::timer_wheel::Act;
use super::{Cart, Crowd};
use crate::seen::asked::{request_id, requester, undecided};
use crate::seen::fate::Fate;
use crate::seen::sight::Sight;
use crate::witness::Witness;

impl Crowd {
    /// Lets a person in, who looks at the seat map.
    pub(super) fn enter(&mut self, user: u32, at: Instant) {
        let taste = self.taste(user);
        let think = taste.pick_think();
        let picks = taste.picks();
        let room = self.scenario.crowd.waiting_room.as_ref();
        if room.is_some_and(|room| think > room.token_valid) {
            self.fates.count(Fate::TooSlow);
            return;
        }
        let group = taste.group();
        self.people
            .enter(user, Person { doing: Doing::Picking, picks, group, ..Person::default() });
        self.schedule(user, 0, at + think);
    }

    /// Carries out a person's act that is due.
    pub(super) fn on_act(&mut self, now: Instant, act: Act, witness: &mut Witness) {
        let Some(&mut person) =
            self.people.get(act.user).filter(|person| person.stamp == act.stamp)
        else {
            return;
        };
        if self.manners.is_some() && self.is_quiet(self.taste(act.user).show(), act.at) {
            return self.walk_away(now, act, person, witness);
        }
        match person.doing {
            Doing::Picking => self.ask_hold(now, act, person, witness),
            Doing::Paying => self.end_checkout(now, act, person, witness),
            Doing::AskingHold | Doing::AskingBooking | Doing::AskingRelease => {
                // Retries the current request.
                let request = self.request(act.user, &person);
                let attempt = (act.user, act.at, person.attempt + 1);
                self.send(attempt, request, witness, |person| person.attempt += 1);
            }
            Doing::Away => {}
        }
    }

    /// Takes an answer to the person.
    pub(super) fn on_reply(
        &mut self,
        now: Instant,
        at: Instant,
        reply: &Reply,
        witness: &mut Witness,
    ) {
        if self.manners.is_some() && self.hear_rudely(now, at, reply, witness) {
            return;
        }
        let (user, sequence) = requester(reply.request);
        let is_rude = self.manners.is_some();
        let Some(known) = self.people.get(user) else { return };
        if known.sequence != sequence {
            let is_to_come = known.sequence < sequence && known.doing != Doing::Away && !is_rude;
            return if is_to_come {
                self.hear_unasked(at, reply.request, witness)
            };
        }
        known.heard = known.heard.saturating_add(1);
        let person = *known;
        if person.waits {
            known.waits = false;
            let open = self.timeouts.open(person.ticket).expect("the person waits");
            self.end_attempt((at, user), open, &person, witness);
            self.timeouts.strike_out(person.ticket);
        }
        let attempts = person.attempt.saturating_add(self.repeats(user));
        if !witness.judges.oracles.explains_reply(person.heard, attempts) {
            witness.judges.oracles.answered_too_often(at, &self.asked(user, &person));
        }
        if operation(person.doing).is_some()
            && let Some(ending) = undecided(&reply.outcome)
        {
            if ending == Ending::Overloaded {
                witness.judges.oracles.overloaded(now, &self.asked(user, &person));
            }
            self.try_again(now, at, user, person, ending, witness);
            return;
        }
        if self.manners.is_some() && operation(person.doing).is_some() {
            self.note_answer(at, user, &person, &reply.outcome);
        }
        match person.doing {
            Doing::AskingHold => {
                self.on_hold_answer(now, at, user, person, &reply.outcome, witness)
            }
            Doing::AskingBooking => {
                self.on_booking_answer(now, at, user, person, &reply.outcome, witness)
            }
            Doing::AskingRelease => {
                self.on_release_answer(now, at, user, person, &reply.outcome, witness)
            }
            Doing::Away | Doing::Picking | Doing::Paying => {}
        }
    }

    /// Fails the person's attempt, whose patience (it ends at `open`, at that gateway) or connection has ended.
    pub(super) fn on_no_answer(
        &mut self,
        now: Instant,
        (at, user): (Instant, u32),
        open: (Instant, u16),
        witness: &mut Witness,
    ) {
        let Some(person) = self.people.get(user) else { return };
        assert!(person.waits, "a valid ticket belongs to a waiting person");
        let before = *person;
        person.waits = false;
        self.end_attempt((at, user), open, &before, witness);
        self.try_again(now, at, user, before, Ending::GaveUp, witness);
    }

    /// Tells the person that its gateway is dead.
    pub(super) fn lose_connection(
        &mut self,
        now: Instant,
        at: Instant,
        user: u32,
        gateway: u16,
        witness: &mut Witness,
    ) {
        let Some(&mut Person { sequence, ticket, .. }) = self.people.get(user) else { return };
        let open = self.timeouts.open(ticket).expect("the person waits");
        self.timeouts.strike_out(ticket);
        let request = request_id(user, sequence);
        witness.sees(at, || Sight::Disconnected { user: UserId(user), request, gateway });
        self.on_no_answer(now, (at, user), open, witness);
    }

    fn ask_hold(&mut self, now: Instant, act: Act, person: Person, witness: &mut Witness) {
        let Person { sequence, group, picks, .. } = person;
        let taste = self.taste(act.user);
        let (show, preferred) = (taste.show(), taste.section(sequence));
        let section = self.map(show).choose(act.at, preferred, group);
        let command = self.hold(act.user, picks, group, section);
        let wanted = (Doing::AskingHold, sequence, show, command);
        self.intend(now, act, wanted, witness, |person| {
            person.section = section;
            if person.refreshes == 0 {
                person.began = act.at;
            }
        });
    }

    /// Begins a new intention after request number `before`: the first attempt of a new request, and
    /// another change of the person.
    #[inline]
    fn intend(
        &mut self,
        now: Instant,
        act: Act,
        (doing, before, show, command): (Doing, u8, ShowId, Command),
        witness: &mut Witness,
        change: impl FnOnce(&mut Person),
    ) {
        let Act { user, at, .. } = act;
        let sequence = before.wrapping_add(1);
        let is_rude = self.manners.is_some();
        let request = Request { id: request_id(user, sequence), user: UserId(user), show, command };
        let sent = self.send((user, at, 1), request, witness, |person| {
            change(person);
            person.doing = doing;
            person.sequence = sequence;
            person.attempt = 1;
            person.heard = 0;
            person.turned_away = false;
            person.intended = at;
        });
        witness.invoked(now, sent);
        if is_rude {
            let request = sent.clone();
            self.misbehave(at, (user, doing), request, witness);
        }
    }

    /// Sends an attempt, and changes the person. Returns the request for the outbox.
    #[inline]
    fn send(
        &mut self,
        (user, at, attempt): (u32, Instant, u8),
        request: Request,
        witness: &mut Witness,
        change: impl FnOnce(&mut Person),
    ) -> &Request {
        let gateway = self.gateway(user, request.show, requester(request.id).1, attempt);
        let ticket = self.timeouts.wait(at + self.request_timeout(), user, gateway);
        self.people.change(user, |person| {
            change(person);
            person.waits = true;
            person.ticket = ticket;
            person.stamp = person.stamp.wrapping_add(1);
        });
        witness.recorder.attempts(at, 1);
        witness.judges.oracles.attempted(at, request.show);
        let waiting = &mut self.outbox[usize::from(gateway)];
        waiting.push(Timed { at, item: request });
        &waiting[waiting.len() - 1].item
    }

    /// Reacts to an unusable answer or none: retries the request after a pause, or gives up.
    fn try_again(
        &mut self,
        now: Instant,
        at: Instant,
        user: u32,
        person: Person,
        ending: Ending,
        witness: &mut Witness,
    ) {
        // A person who has paid retries until the timer has ended: money is at stake.
        let stubborn = person.doing == Doing::AskingBooking
            && self.carts.get(&user).is_some_and(|cart| at < self.server_end(cart));
        if person.attempt < self.scenario.crowd.session.tries
            || (stubborn && person.attempt < u8::MAX)
        {
            let pause = self.taste(user).backoff(person.sequence, person.attempt);
            self.think(user, at + pause, |person| {
                person.turned_away |= ending == Ending::Overloaded;
            });
            return;
        }
        self.give_up(now, (at, user), person, ending, witness);
    }

    /// Ends the current request without a usable answer.
    pub(super) fn give_up(
        &mut self,
        now: Instant,
        (at, user): (Instant, u32),
        person: Person,
        ending: Ending,
        witness: &mut Witness,
    ) {
        if let Some(operation) = operation(person.doing) {
            witness.recorder.ended(operation, ending, person.intended, at);
        }
        let request = request_id(user, person.sequence);
        witness.sees(at, || Sight::GaveUp { user: UserId(user), request });
        let unheard_since = match person.turned_away && ending == Ending::GaveUp {
            true => Instant(at.0 - self.request_timeout().0),
            false => person.intended,
        };
        let tries = Tries { attempts: person.attempt, unheard_since };
        match person.doing {
            Doing::AskingHold if ending == Ending::Overloaded => {
                // Every attempt was turned away: nothing happened, and the person may press the button again.
                witness.judges.oracles.hold_refused(
                    now,
                    &self.asked(user, &person),
                    Refusal::Overloaded,
                    || self.wish(user, &person),
                );
                self.refresh(at, user, person, Fate::GaveUp);
            }
            Doing::AskingHold => {
                witness.judges.oracles.gave_up(now, self.asked(user, &person), tries);
                self.leave(user, Fate::GaveUp);
            }
            Doing::AskingBooking => {
                witness.judges.oracles.gave_up(now, self.asked(user, &person), tries);
                self.leave(user, Fate::Unknown);
            }
            Doing::AskingRelease => {
                witness.judges.oracles.gave_up(now, self.asked(user, &person), tries);
                let fate = self.fate_of_release(user, person);
                self.leave(user, fate);
            }
            Doing::Away | Doing::Picking | Doing::Paying => {}
        }
    }

    fn on_hold_answer(
        &mut self,
        now: Instant,
        at: Instant,
        user: u32,
        person: Person,
        outcome: &Outcome,
        witness: &mut Witness,
    ) {
        match outcome {
            Outcome::Held { seats, expires, .. } => {
                witness.answered(now, person.intended, &self.request(user, &person), outcome);
                witness.recorder.ended(Operation::Hold, Ending::Granted, person.intended, at);
                witness.recorder.seats(at, seats.len() as i64, 0);
                let sale = &self.scenario.sale;
                let promise = Promise { hold: sale.hold, grace: sale.grace };
                let cart = Cart {
                    hold: request_id(user, person.sequence),
                    seats: seats.clone(),
                    expires: promise.timer(person.intended, *expires),
                };
                self.start_checkout(at, user, person, cart);
            }
            Outcome::Refused(refusal) => {
                let asked = self.asked(user, &person);
                witness.hold_refused(now, &asked, *refusal, || self.wish(user, &person));
                witness.recorder.ended(Operation::Hold, Ending::Refused, person.intended, at);
                let sold_out = match refusal {
                    Refusal::SoldOut => true,
                    Refusal::SeatTaken
                    | Refusal::NoneFree
                    | Refusal::HoldLost
                    | Refusal::NotYours => false,
                    Refusal::BadRequest
                    | Refusal::Overloaded
                    | Refusal::Unavailable
                    | Refusal::Minority => false,
                };
                let map = self.map(asked.show);
                if sold_out && map.booked() == map.seats() {
                    self.leave(user, Fate::SoldOut);
                } else {
                    let fate = if sold_out { Fate::SoldOut } else { Fate::NoLuck };
                    self.refresh(at, user, person, fate);
                }
            }
            Outcome::Booked { .. } | Outcome::Released { .. } => {
                panic!("a hold request got an answer of another kind: {outcome:?}");
            }
        }
    }

    /// Tries other seats after a pause, or leaves with `fate`.
    fn refresh(&mut self, at: Instant, user: u32, person: Person, fate: Fate) {
        if person.refreshes >= self.scenario.crowd.session.refreshes {
            self.leave(user, fate);
            return;
        }
        let pause = self.taste(user).refresh(person.refreshes);
        self.think(user, at + pause, |person| {
            person.doing = Doing::Picking;
            person.refreshes += 1;
            person.picks = false;
        });
    }

    fn start_checkout(&mut self, at: Instant, user: u32, person: Person, cart: Cart) {
        let taste = self.taste(user);
        let (show, nth) = (taste.show(), person.sequence);
        let mut ends = at + taste.checkout(nth);
        if !taste.abandons(nth) {
            ends += taste.payment(nth);
        }
        self.map(show).held(&cart.seats);
        let timer = cart.expires.max(at);
        self.carts.insert(user, cart);
        self.think(user, ends.min(timer), |person| person.doing = Doing::Paying);
    }

    fn end_checkout(&mut self, now: Instant, act: Act, person: Person, witness: &mut Witness) {
        let user = act.user;
        let taste = self.taste(user);
        let hold = person.sequence;
        let expires = self.carts.get(&user).map_or(Instant::ZERO, |cart| cart.expires);
        let (show, abandons) = (taste.show(), taste.abandons(hold));
        let (approved, gives_back) = (taste.approved(hold), taste.gives_back(hold));
        if act.at >= expires {
            self.leave_cart(user);
            self.leave(user, Fate::TooSlow);
        } else if !abandons && approved {
            let payment = PaymentId(request_id(user, hold.wrapping_add(1)).0);
            let command = Command::Confirm { hold: self.held_by(user), payment };
            let wanted = (Doing::AskingBooking, hold, show, command);
            self.intend(now, act, wanted, witness, |_| {});
        } else if gives_back {
            let command = Command::Release { hold: self.held_by(user) };
            let wanted = (Doing::AskingRelease, hold, show, command);
            self.intend(now, act, wanted, witness, |_| {});
        } else {
            self.leave_cart(user);
            self.leave(user, if abandons { Fate::Abandoned } else { Fate::Declined });
        }
    }

    fn on_booking_answer(
        &mut self,
        now: Instant,
        at: Instant,
        user: u32,
        person: Person,
        outcome: &Outcome,
        witness: &mut Witness,
    ) {
        witness.answered(now, person.intended, &self.request(user, &person), outcome);
        match outcome {
            Outcome::Booked { seats, .. } => {
                witness.recorder.ended(Operation::Confirm, Ending::Granted, person.intended, at);
                witness.recorder.ended(Operation::Purchase, Ending::Granted, person.began, at);
                witness.recorder.seats(at, -(seats.len() as i64), seats.len() as i64);
                let show = self.taste(user).show();
                self.map(show).sold(seats.len() as u32);
                self.leave(user, Fate::Booked);
                self.close_if_sold_out(now, witness);
            }
            Outcome::Refused(_) => {
                witness.recorder.ended(Operation::Confirm, Ending::Refused, person.intended, at);
                self.leave_cart(user);
                self.leave(user, Fate::HoldLost);
            }
            Outcome::Held { .. } | Outcome::Released { .. } => {
                panic!("a confirm request got an answer of another kind: {outcome:?}");
            }
        }
    }

    fn on_release_answer(
        &mut self,
        now: Instant,
        at: Instant,
        user: u32,
        person: Person,
        outcome: &Outcome,
        witness: &mut Witness,
    ) {
        witness.answered(now, person.intended, &self.request(user, &person), outcome);
        match outcome {
            Outcome::Released { .. } => {
                witness.recorder.ended(Operation::Release, Ending::Granted, person.intended, at);
                if let Some(cart) = self.carts.get(&user) {
                    let seats = cart.seats.clone();
                    let show = self.taste(user).show();
                    self.map(show).returned(&seats);
                    witness.recorder.seats(at, -(seats.len() as i64), 0);
                }
                let fate = self.fate_of_release(user, person);
                self.leave(user, fate);
            }
            Outcome::Refused(_) => {
                witness.recorder.ended(Operation::Release, Ending::Refused, person.intended, at);
                let fate = self.fate_of_release(user, person);
                self.leave(user, fate);
            }
            Outcome::Held { .. } | Outcome::Booked { .. } => {
                panic!("a release request got an answer of another kind: {outcome:?}");
            }
        }
    }

    fn fate_of_release(&self, user: u32, person: Person) -> Fate {
        // The request before the release was the hold.
        if self.taste(user).abandons(person.sequence.wrapping_sub(1)) {
            Fate::Abandoned
        } else {
            Fate::Declined
        }
    }

    /// Leaves the cart behind: its seats come back when the hold ends on the server.
    pub(super) fn leave_cart(&mut self, user: u32) {
        if let Some(cart) = self.carts.get(&user) {
            let (ends, seats) = (self.server_end(cart), cart.seats.clone());
            let show = self.taste(user).show();
            self.map(show).left_behind(ends, &seats);
        }
    }

    pub(super) fn leave(&mut self, user: u32, fate: Fate) {
        // People asking for a hold have no cart yet, and most people leave at that step.
        if self.people.get(user).is_some_and(|person| person.doing != Doing::AskingHold) {
            self.carts.remove(&user);
        }
        self.people.leave(user);
        self.fates.count(fate);
        if let Some(left) = &mut self.left {
            left.push((UserId(user), fate));
        }
    }

    /// Changes the person, who acts next at `at`; the pending act becomes void.
    fn think(&mut self, user: u32, at: Instant, change: impl FnOnce(&mut Person)) {
        let Some(person) = self.people.get(user) else { return };
        change(person);
        person.stamp = person.stamp.wrapping_add(1);
        let stamp = person.stamp;
        self.schedule(user, stamp, at);
    }
}
