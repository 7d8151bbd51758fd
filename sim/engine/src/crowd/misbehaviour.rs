//! How ill-mannered people misbehave: they add requests to their sessions, and take the answers.
//!
//! Owns the occasions, the form of each added request, and what judges are told about it. People act on no answer to an
//! added request. Refuses to know which answer is right.

use onsale_booking::{
    BestSeats, Command, HoldId, Instant, Outcome, PaymentId, Refusal, Reply, Request, RequestId,
    ShowId, Span, Timed, UserId, Wish,
};
use onsale_oracles::{Asked, Tries, Unusual};
use onsale_reports::Ending;

use super::Crowd;
use super::manners::{Draw, Due, First, Habit, Open, never_made};
use super::people::{Doing, Person};
use super::requests::operation;
use super::timer_wheel::Act;
use crate::seen::asked::{request_id, requester, undecided};
use crate::seen::fate::Fate;
use crate::seen::sight::Sight;
use crate::witness::Witness;

/// Longest pause before a request about somebody else's hold or an ill-formed one.
const IDLE: Span = Span::from_secs(20);
/// Longest pause before a second payment or release.
const HASTY: Span = Span::from_secs(4);
/// Number of neighbours in the order of arrival whose holds a person may name.
const NEIGHBOURS: u32 = 64;

impl Crowd {
    /// Whether a show has gone quiet.
    pub(super) fn is_quiet(&self, show: ShowId, at: Instant) -> bool {
        self.manners.as_ref().is_some_and(|manners| manners.is_quiet(show, at))
    }

    /// Lets a person walk away, without a word to the cluster, from a show that has gone quiet.
    #[cold]
    pub(super) fn walk_away(
        &mut self,
        now: Instant,
        act: Act,
        person: Person,
        witness: &mut Witness,
    ) {
        if operation(person.doing).is_some() {
            return self.give_up(now, (act.at, act.user), person, Ending::GaveUp, witness);
        }
        self.leave_cart(act.user);
        self.leave(act.user, Fate::WalkedAway);
    }

    /// The person begins an intention with this request: what its habits add.
    #[cold]
    pub(super) fn misbehave(
        &mut self,
        at: Instant,
        (user, doing): (u32, Doing),
        request: Request,
        witness: &mut Witness,
    ) {
        let timeout = self.request_timeout();
        let sequence = requester(request.id).1;
        let Some(manners) = &mut self.manners else { return };
        let occasions: &[(Habit, Span)] = match doing {
            Doing::AskingHold if sequence == 1 => &[
                (Habit::NamesOthers, IDLE),
                (Habit::NamesNothing, IDLE),
                (Habit::AsksTooMuch, IDLE),
                (Habit::NamesTwice, IDLE),
            ],
            Doing::AskingBooking => &[(Habit::PaysTwice, HASTY)],
            Doing::AskingRelease => &[(Habit::ReleasesTwice, HASTY), (Habit::PaysReleased, HASTY)],
            Doing::AskingHold | Doing::Away | Doing::Picking | Doing::Paying => &[],
        };
        for &(habit, most) in occasions {
            if manners.has(user, habit) {
                let at = at + manners.pause(user, habit, most);
                manners.plan(at, Due { habit, user, of: request.clone(), first: None });
            }
        }
        if manners.has(user, Habit::DoubleClicks) {
            let attempt =
                1 + manners.choice(user, Habit::DoubleClicks, Draw::Choice, sequence, 2) as u8;
            let gateway = self.gateway(user, request.show, sequence, attempt);
            let habit = Habit::DoubleClicks;
            let open = Open { habit, request, asked: at, ends: at + timeout, gateway, first: None };
            self.post(open, witness);
        }
    }

    /// A leader's answer reaches the person, who may repeat the request much later.
    #[cold]
    pub(super) fn note_answer(
        &mut self,
        at: Instant,
        user: u32,
        person: &Person,
        outcome: &Outcome,
    ) {
        let Some(manners) = &self.manners else { return };
        let habit = Habit::StaleRetries;
        let wanted = match manners.choice(user, habit, Draw::Choice, 0, 3) {
            0 => Doing::AskingHold,
            1 => Doing::AskingBooking,
            _ => Doing::AskingRelease,
        };
        let is_first = person.doing != Doing::AskingHold || person.sequence == 1;
        if wanted != person.doing || !is_first || !manners.has(user, habit) {
            return;
        }
        let again = at + manners.stale_after(user);
        let first = First { asked: person.intended, told: at, outcome: outcome.clone() };
        let due = Due { habit, user, of: self.request(user, person), first: Some(first) };
        if let Some(manners) = &mut self.manners {
            manners.plan(again, due);
        }
    }

    /// Sends the added requests due before `end`, and gives up those that stay unanswered.
    #[cold]
    pub(super) fn act_rudely(&mut self, now: Instant, end: Instant, witness: &mut Witness) {
        while let Some((at, due)) = self.manners.as_mut().and_then(|manners| manners.take_due(end))
        {
            if self.is_quiet(due.of.show, at) {
                continue;
            }
            let ends = at + self.request_timeout();
            let (request, attempt) = match due.first {
                Some(_) => (due.of, 2),
                None => (self.rude(due.habit, due.user, &due.of), 1),
            };
            let gateway = self.gateway(due.user, request.show, requester(request.id).1, attempt);
            if due.first.is_none() {
                witness.invoked(now, &request);
            }
            let (habit, first) = (due.habit, due.first);
            self.post(Open { habit, request, asked: at, ends, gateway, first }, witness);
        }
        while let Some(open) = self.manners.as_mut().and_then(|manners| manners.take_given_up(end))
        {
            let at = open.ends;
            self.give_up_rudely(now, at, open, witness);
        }
    }

    /// Takes an answer, if it is to an added request.
    #[cold]
    pub(super) fn hear_rudely(
        &mut self,
        now: Instant,
        at: Instant,
        reply: &Reply,
        witness: &mut Witness,
    ) -> bool {
        let (user, sequence) = requester(reply.request);
        let session = self
            .people
            .get(user)
            .filter(|person| person.sequence == sequence && operation(person.doing).is_some());
        let intended = session.map(|person| person.intended);
        let is_decided = undecided(&reply.outcome).is_none();
        let Some(manners) = &mut self.manners else { return false };
        let Some(open) = manners.open(reply.request) else { return false };
        if let (Some(asked), Habit::DoubleClicks) = (intended, open.habit) {
            // The first answer of the two is the session's.
            if is_decided {
                open.first = Some(First { asked, told: at, outcome: reply.outcome.clone() });
            }
            return false;
        }
        let open = manners.close(reply.request).expect("it is open");
        if !is_decided && reply.outcome != Outcome::Refused(Refusal::Overloaded) {
            self.give_up_rudely(now, at, open, witness);
            return true;
        }
        manners.count(open.habit, Some(&reply.outcome));
        if is_decided {
            judge(now, &open, &reply.outcome, witness);
        }
        true
    }

    /// Drops the added requests at a gateway that died, if they are given up by `until`.
    pub(super) fn lose_rude_connections(
        &mut self,
        now: Instant,
        gateway: u16,
        until: Instant,
        witness: &mut Witness,
    ) {
        let Some(manners) = &self.manners else { return };
        let there = |open: &&Open| open.gateway == gateway && open.ends <= until;
        let lost: Vec<_> = manners.all_open().filter(there).map(|open| open.request.id).collect();
        for id in lost {
            if let Some(open) = self.manners.as_mut().and_then(|manners| manners.close(id)) {
                self.give_up_rudely(now, now, open, witness);
            }
        }
    }

    /// Drops an added request that a dead gateway's machine refused.
    pub(super) fn take_rude_refusal(
        &mut self,
        now: Instant,
        (gateway, refused): (u16, Timed<RequestId>),
        witness: &mut Witness,
    ) {
        let Some(manners) = &mut self.manners else { return };
        if manners.open(refused.item).is_some_and(|open| open.gateway == gateway)
            && let Some(open) = manners.close(refused.item)
        {
            self.give_up_rudely(now, refused.at.max(now), open, witness);
        }
    }

    /// The added requests that are still unanswered.
    pub(super) fn open_rude(&self) -> impl Iterator<Item = Asked> {
        let open = self.manners.iter().flat_map(|manners| manners.all_open());
        open.filter(|open| open.is_an_intention()).map(asked)
    }

    fn give_up_rudely(&mut self, now: Instant, at: Instant, open: Open, witness: &mut Witness) {
        if let Some(manners) = &mut self.manners {
            manners.count(open.habit, None);
        }
        if !open.is_an_intention() {
            return;
        }
        let (user, request) = (open.request.user, open.request.id);
        witness.sees(at, || Sight::GaveUp { user, request });
        let tries = Tries { attempts: 1, unheard_since: open.asked };
        witness.judges.oracles.gave_up(now, asked(&open), tries);
    }

    /// How often bad habits of a person may send one of its requests again: a double click, and a stale retry.
    #[inline]
    pub(super) fn repeats(&self, user: u32) -> u8 {
        let Some(manners) = &self.manners else { return 0 };
        let habits = [Habit::DoubleClicks, Habit::StaleRetries];
        habits.into_iter().filter(|&habit| manners.has(user, habit)).count() as u8
    }

    /// Puts an added request into the outbox, and waits for its answer.
    fn post(&mut self, open: Open, witness: &mut Witness) {
        witness.recorder.attempts(open.asked, 1);
        witness.judges.oracles.attempted(open.asked, open.request.show);
        if !open.is_an_intention() {
            witness.sees(open.asked, || Sight::Asks { request: &open.request, again: true });
        }
        let timed = Timed { at: open.asked, item: open.request.clone() };
        self.outbox[usize::from(open.gateway)].push(timed);
        if let Some(manners) = &mut self.manners {
            manners.wait(open);
        }
    }

    /// The request that a habit adds to a request of a session.
    fn rude(&self, habit: Habit, user: u32, of: &Request) -> Request {
        let id = habit.request(user);
        let pays = |hold| Command::Confirm { hold, payment: PaymentId(id.0) };
        let either = |hold| match self.rude_choice(user, habit, Draw::Choice, 2) {
            0 => pays(hold),
            _ => Command::Release { hold },
        };
        let named = match &of.command {
            Command::Confirm { hold, .. } | Command::Release { hold } => *hold,
            Command::Hold(_) => HoldId::from(of.id),
        };
        let command = match habit {
            Habit::NamesOthers => either(self.hold_of_another(user, of.show)),
            Habit::NamesNothing => either(HoldId::from(never_made(user))),
            Habit::AsksTooMuch => Command::Hold(self.too_much(user)),
            Habit::NamesTwice => {
                let mut wish = self.taste(user).wish(true, 1, self.taste(user).section(0));
                wish.picked.push(wish.picked[0]);
                Command::Hold(wish)
            }
            Habit::PaysTwice | Habit::PaysReleased => pays(named),
            Habit::ReleasesTwice => Command::Release { hold: named },
            Habit::DoubleClicks | Habit::StaleRetries => of.command.clone(),
        };
        Request { id, user: UserId(user), show: of.show, command }
    }

    /// One to four seats more than a request may name: picked and best ones, or best ones alone.
    fn too_much(&self, user: u32) -> Wish {
        let habit = Habit::AsksTooMuch;
        let most = self.scenario.sale.seats_per_request;
        let seats = most + 1 + self.rude_choice(user, habit, Draw::Amount, 4) as u8;
        let section = self.taste(user).section(0);
        let mut wish = Wish::default();
        if self.rude_choice(user, habit, Draw::Choice, 2) == 0 {
            wish = self.taste(user).wish(true, most, section);
        }
        wish.best = BestSeats::of_one(section, seats - wish.picked.len() as u8);
        wish
    }

    /// The hold of another person who came for the same show at about the same time: one that is in a cart, if the
    /// person sees any, else one that may have been or may never be.
    fn hold_of_another(&self, user: u32, show: ShowId) -> HoldId {
        let numbers = self.scenario.crowd.numbers();
        let start = self.rude_choice(user, Habit::NamesOthers, Draw::Amount, NEIGHBOURS.into());
        let start = start as u32;
        let near = (0..NEIGHBOURS).map(|n| 1 + (start + n) % NEIGHBOURS);
        let near = near.map(|far| (user % numbers + numbers - far % numbers) % numbers);
        let others = || near.clone().filter(|&other| other != user);
        let for_it = |&other: &u32| self.taste(other).show() == show;
        let has_one = |other: &u32| self.carts.contains_key(other) && for_it(other);
        match others().find(has_one).or_else(|| others().find(for_it)) {
            Some(other) if self.carts.contains_key(&other) => self.held_by(other),
            Some(other) => HoldId::from(request_id(other, 1)),
            None => HoldId::from(never_made(user)),
        }
    }

    fn rude_choice(&self, user: u32, habit: Habit, of: Draw, bound: u64) -> u64 {
        let manners = self.manners.as_ref();
        manners.map_or(0, |manners| manners.choice(user, habit, of, 0, bound))
    }
}

impl Open {
    /// Whether it is an intention of its own, and no repetition of another.
    const fn is_an_intention(&self) -> bool {
        !matches!(self.habit, Habit::DoubleClicks | Habit::StaleRetries)
    }
}

fn asked(open: &Open) -> Asked {
    let Request { id: request, user, show, .. } = open.request;
    Asked { request, user, show, since: open.asked }
}

/// Tells the judges the decision on an added request.
fn judge(now: Instant, open: &Open, outcome: &Outcome, witness: &mut Witness) {
    let Open { habit, request, asked, first, .. } = open;
    let unusual = match habit {
        Habit::NamesOthers => Unusual::NamesOthers,
        Habit::NamesNothing => Unusual::NamesNothing,
        Habit::DoubleClicks | Habit::StaleRetries => match first {
            Some(First { asked, told, outcome }) => {
                Unusual::Repeats { asked: *asked, told: *told, first: outcome }
            }
            // The session gave up: no answer is known to compare it with.
            None => return,
        },
        Habit::AsksTooMuch
        | Habit::NamesTwice
        | Habit::PaysTwice
        | Habit::ReleasesTwice
        | Habit::PaysReleased => return witness.answered(now, *asked, request, outcome),
    };
    witness.answered_unusual(now, *asked, request, (unusual, outcome));
}
