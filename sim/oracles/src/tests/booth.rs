//! A tiny booking office with one clerk and slow, lossy post. A correct clerk, the cluster's own
//! or the one here, raises no alarm, no matter what the post does. The one here can be given
//! flaws, and the named oracle catches each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use onsale_booking::{
    Checks, Command, Decision, Event, Hall, HoldId, Instant, NodeId, Outcome, PaymentId, Refusal,
    Request, RequestId, Rules, SeatId, SeatList, SectionId, Show, Span, UserId, Wish,
};
use onsale_reports::{OracleResult, Verdict};
use proptest::prelude::*;

use super::dice::Dice;
use super::{GRACE_SECS, HOLD_SECS, SHOW, verdict};
use crate::live::CHECKS_MIN;
use crate::{Asked, Lateness, OracleSettings, Oracles, Own, Position, Tries};

const USERS: u32 = 12;
const SEATS: u32 = 40;
const CALM_SECS: u64 = 2_000;
const END_SECS: u64 = 4_000;
const PATIENCE: Span = Span::from_secs(40);

/// A mistake that the clerk makes now and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flaw {
    None,
    /// Grants taken seats.
    Tramples,
    /// Says "booked" and records nothing.
    Forgets,
    /// Ends holds at half their time.
    Hurries,
    /// Books expired holds.
    Indulges,
    /// Grants one seat fewer than asked.
    Skimps,
    /// Stops answering once calm has begun.
    Sleeps,
}

impl Dice {
    /// Mostly tens of milliseconds, now and then minutes.
    fn delay(&mut self) -> Span {
        if self.one_in(10) {
            Span::from_millis(self.below(200_000))
        } else {
            Span::from_millis(self.below(50))
        }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum BoothEvent {
    /// The user's next step: asks for seats, or settles its hold.
    Act(u32),
    /// A copy of the request reaches the clerk.
    Arrive(u64),
    /// The client retries the request.
    Retry(u64),
    /// An answer reaches the client.
    Answer(u64, usize),
    /// The client gives up.
    Weary(u64),
    /// The journal's next record is read from the disks.
    Read,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Live,
    Booked,
    Released,
    Expired,
}

struct Hold {
    user: UserId,
    seats: SeatList,
    expires: Instant,
    fate: Fate,
}

/// Settings without limits on lateness: the clerk ends holds only when the next customer comes.
fn clerks() -> OracleSettings {
    let lateness =
        Lateness { slack: Span::from_secs(END_SECS), ..OracleSettings::example().lateness };
    OracleSettings { lateness, ..OracleSettings::example() }
}

struct Booth {
    flaw: Flaw,
    dice: Dice,
    now: Instant,
    steps: BinaryHeap<Reverse<(Instant, u64, BoothEvent)>>,
    order: u64,
    requests: u64,
    /// Unanswered requests, and when their clients first sent them.
    open: BTreeMap<u64, (Instant, Request)>,
    sent: BTreeMap<u64, Request>,
    outcomes: Vec<Outcome>,
    /// By user, the acknowledged hold not yet settled.
    has: BTreeMap<u32, HoldId>,
    /// The cluster's clerk, if it decides.
    show: Option<Show>,
    /// The holds of the clerk here.
    holds: BTreeMap<HoldId, Hold>,
    /// The records, each with the instant at which it was written.
    journal: Vec<(Instant, Event)>,
    read: usize,
    oracles: Oracles,
}

impl Booth {
    fn run(seed: u64, flaw: Flaw, show: Option<Show>) -> Vec<OracleResult> {
        let mut booth = Self {
            flaw,
            dice: Dice::new(seed),
            now: Instant::ZERO,
            steps: BinaryHeap::new(),
            order: 0,
            requests: 0,
            open: BTreeMap::new(),
            sent: BTreeMap::new(),
            outcomes: Vec::new(),
            has: BTreeMap::new(),
            show,
            holds: BTreeMap::new(),
            journal: Vec::new(),
            read: 0,
            oracles: Oracles::new(clerks()),
        };
        for user in 0..USERS {
            let wait = Span::from_millis(booth.dice.below(5_000));
            booth.after(wait, BoothEvent::Act(user));
        }
        booth.oracles.excuses().1.delays_begin();
        booth.play();
        booth.judge()
    }

    fn play(&mut self) {
        let mut calm = false;
        while let Some(Reverse((at, _, step))) = self.steps.pop() {
            if at > Instant(END_SECS * 1_000_000) {
                break;
            }
            self.now = at;
            if !calm && at >= Instant(CALM_SECS * 1_000_000) {
                calm = true;
                self.oracles.faults_over(at);
                self.oracles.excuses().1.delays_end(at);
            }
            match step {
                BoothEvent::Act(user) => self.act(user),
                BoothEvent::Arrive(request) => self.arrive(request),
                BoothEvent::Retry(request) => self.retry(request),
                BoothEvent::Answer(request, outcome) => self.accept(request, outcome),
                BoothEvent::Weary(request) => self.give_up(request),
                BoothEvent::Read => self.read_next(),
            }
        }
    }

    fn judge(mut self) -> Vec<OracleResult> {
        self.expire();
        while self.read < self.journal.len() {
            self.read_next();
        }
        let asked = |(id, (since, request)): (&u64, &(Instant, Request))| Asked {
            request: RequestId(*id),
            user: request.user,
            show: SHOW,
            since: *since,
        };
        let open: Vec<_> = self.open.iter().map(asked).collect();
        self.oracles.finish(self.now, &open, Own::default())
    }

    fn calm(&self) -> bool {
        self.now >= Instant(CALM_SECS * 1_000_000)
    }

    fn after(&mut self, wait: Span, step: BoothEvent) {
        self.order += 1;
        self.steps.push(Reverse((self.now + wait, self.order, step)));
    }

    fn act(&mut self, user: u32) {
        self.requests += 1;
        let id = RequestId(self.requests);
        let command = match self.has.remove(&user) {
            Some(hold) if self.dice.one_in(4) => Command::Release { hold },
            Some(hold) => Command::Confirm { hold, payment: PaymentId(id.0) },
            None => Command::Hold(self.wish()),
        };
        let request = Request { id, user: UserId(user), show: SHOW, command };
        self.oracles.invoked(self.now, &request);
        self.open.insert(id.0, (self.now, request.clone()));
        self.sent.insert(id.0, request);
        self.send(id.0);
        self.after(Span::from_secs(10), BoothEvent::Retry(id.0));
        self.after(PATIENCE, BoothEvent::Weary(id.0));
    }

    fn wish(&mut self) -> Wish {
        let mut wish = Wish::default();
        let first = self.dice.below(u64::from(SEATS) - 3) as u32;
        let count = 1 + self.dice.below(3) as u32;
        if self.dice.one_in(2) {
            wish.picked.extend((first..first + count).map(SeatId));
        } else {
            wish.best.push((SectionId(self.dice.below(2) as u16), count as u8));
        }
        wish
    }

    /// Posts a letter. The post loses, duplicates and delays letters, but not after calm.
    fn post(&mut self, letter: impl Fn() -> BoothEvent) {
        if self.calm() {
            self.after(Span::from_millis(20), letter());
            return;
        }
        while !self.dice.one_in(8) {
            let delay = self.dice.delay();
            self.after(delay, letter());
            if !self.dice.one_in(8) {
                return;
            }
        }
    }

    fn send(&mut self, request: u64) {
        self.post(|| BoothEvent::Arrive(request));
    }

    fn retry(&mut self, request: u64) {
        if self.open.contains_key(&request) {
            self.send(request);
        }
    }

    fn arrive(&mut self, id: u64) {
        if self.flaw == Flaw::Sleeps && self.calm() {
            return;
        }
        self.expire();
        let request = self.sent[&id].clone();
        let outcome =
            if self.show.is_some() { self.consult(&request) } else { self.decide(&request) };
        self.outcomes.push(outcome);
        let outcome = self.outcomes.len() - 1;
        self.post(|| BoothEvent::Answer(id, outcome));
    }

    fn consult(&mut self, request: &Request) -> Outcome {
        let show = self.show.as_mut().expect("the cluster's clerk decides");
        match show.decide(request, self.now) {
            Decision::Answer(outcome) => outcome,
            Decision::Record(event) => {
                show.apply(&event);
                let outcome = show.outcome(&event);
                self.write(event);
                outcome
            }
        }
    }

    fn expire(&mut self) {
        while let Some(show) = &mut self.show
            && let Some(event) = show.overdue(self.now)
        {
            show.apply(&event);
            self.write(event);
        }
        let early = if self.flaw == Flaw::Hurries { HOLD_SECS / 2 } else { 0 };
        let due = Instant((self.now.0 + early * 1_000_000).saturating_sub(GRACE_SECS * 1_000_000));
        let mut ended = Vec::new();
        for (id, hold) in &mut self.holds {
            if hold.fate == Fate::Live && hold.expires <= due {
                hold.fate = Fate::Expired;
                ended.push(Event::Expired { hold: *id, at: self.now });
            }
        }
        for event in ended {
            self.write(event);
        }
    }

    fn write(&mut self, event: Event) {
        self.journal.push((self.now, event));
        let lag = Span::from_millis(self.dice.below(30_000));
        self.after(lag, BoothEvent::Read);
    }

    fn read_next(&mut self) {
        if let Some((written, event)) = self.journal.get(self.read) {
            self.read += 1;
            let index = self.read as u64;
            // The journal gets a new writer every ten records.
            let position = Position { log: 0, index, term: index / 10 };
            let (writer, events) =
                (Some(NodeId(position.term as u16 % 3)), [(SHOW, event.clone())]);
            self.oracles.committed((*written, self.now), position, writer, &events);
        }
    }

    fn decide(&mut self, request: &Request) -> Outcome {
        match &request.command {
            Command::Hold(wish) => self.decide_hold(request, wish),
            &Command::Confirm { hold, payment } => self.decide_confirm(request, hold, payment),
            &Command::Release { hold } => self.decide_release(request, hold),
        }
    }

    fn decide_hold(&mut self, request: &Request, wish: &Wish) -> Outcome {
        let id = HoldId::from(request.id);
        if let Some(hold) = self.holds.get(&id) {
            return match hold.fate {
                Fate::Live | Fate::Booked => {
                    Outcome::Held { hold: id, seats: hold.seats.clone(), expires: hold.expires }
                }
                Fate::Released | Fate::Expired => Outcome::Refused(Refusal::HoldLost),
            };
        }
        let blind = self.flaw == Flaw::Tramples && self.dice.one_in(4);
        let holds = &self.holds;
        let taken = |seat: SeatId| {
            let alive = |hold: &Hold| matches!(hold.fate, Fate::Live | Fate::Booked);
            !blind && holds.values().any(|hold| alive(hold) && hold.seats.contains(&seat))
        };
        if self.is_sold_out(wish) {
            return Outcome::Refused(Refusal::SoldOut);
        }
        let mut seats = wish.picked.clone();
        if seats.iter().any(|&seat| taken(seat)) {
            return Outcome::Refused(Refusal::SeatTaken);
        }
        for &(section, count) in &wish.best {
            let first = u32::from(section.0) * OracleSettings::example().seats_per_section;
            let free = (first..first + OracleSettings::example().seats_per_section)
                .map(SeatId)
                .filter(|&seat| !taken(seat));
            seats.extend(free.take(count.into()));
        }
        if seats.len() < wish.seats() {
            return Outcome::Refused(Refusal::NoneFree);
        }
        if self.flaw == Flaw::Skimps && seats.len() > 1 && self.dice.one_in(4) {
            seats = seats.iter().skip(1).copied().collect();
        }
        let (user, at, expires) = (request.user, self.now, self.now + Span::from_secs(HOLD_SECS));
        self.holds.insert(id, Hold { user, seats: seats.clone(), expires, fate: Fate::Live });
        self.write(Event::Held { hold: id, user, seats: seats.clone(), at, expires });
        Outcome::Held { hold: id, seats, expires }
    }

    /// Whether too few seats are left unbooked in a section of which the best are wanted.
    fn is_sold_out(&self, wish: &Wish) -> bool {
        let booked = self.holds.values().filter(|hold| hold.fate == Fate::Booked);
        let booked: Vec<SeatId> = booked.flat_map(|hold| hold.seats.iter().copied()).collect();
        let per_section = OracleSettings::example().seats_per_section;
        let left = |section: SectionId| {
            let is_there = |seat: &&SeatId| seat.0 / per_section == u32::from(section.0);
            (per_section as usize).saturating_sub(booked.iter().filter(is_there).count())
        };
        (SEATS as usize).saturating_sub(booked.len()) < wish.seats()
            || wish.best.iter().any(|&(section, count)| left(section) < usize::from(count))
    }

    fn decide_confirm(&mut self, request: &Request, id: HoldId, payment: PaymentId) -> Outcome {
        let indulges = self.flaw == Flaw::Indulges;
        let forgets = self.flaw == Flaw::Forgets && self.dice.one_in(4);
        let hold = self.holds.get_mut(&id).expect("clients confirm only granted holds");
        assert_eq!(hold.user, request.user);
        let booked = Outcome::Booked { hold: id, seats: hold.seats.clone() };
        let book = match hold.fate {
            Fate::Live => !forgets,
            Fate::Expired if indulges => true,
            Fate::Booked => false,
            Fate::Released | Fate::Expired => return Outcome::Refused(Refusal::HoldLost),
        };
        if book {
            hold.fate = Fate::Booked;
            self.write(Event::Booked { request: request.id, hold: id, payment, at: self.now });
        }
        booked
    }

    fn decide_release(&mut self, request: &Request, id: HoldId) -> Outcome {
        let hold = self.holds.get_mut(&id).expect("clients release only granted holds");
        match hold.fate {
            Fate::Live => {
                hold.fate = Fate::Released;
                self.write(Event::Released { request: request.id, hold: id, at: self.now });
                Outcome::Released { hold: id }
            }
            Fate::Released => Outcome::Released { hold: id },
            Fate::Booked | Fate::Expired => Outcome::Refused(Refusal::HoldLost),
        }
    }

    fn accept(&mut self, id: u64, outcome: usize) {
        let Some((since, request)) = self.open.remove(&id) else { return };
        let outcome = self.outcomes[outcome].clone();
        self.oracles.answered(self.now, since, &request, &outcome);
        let user = request.user.0;
        let wait = match outcome {
            Outcome::Held { hold, .. } => {
                self.has.insert(user, hold);
                self.dice.below(450_000)
            }
            Outcome::Booked { .. } | Outcome::Released { .. } | Outcome::Refused(_) => {
                self.dice.below(60_000)
            }
        };
        self.after(Span::from_millis(wait), BoothEvent::Act(user));
    }

    fn give_up(&mut self, id: u64) {
        let Some((since, request)) = self.open.remove(&id) else { return };
        self.oracles.gave_up(
            self.now,
            Asked { request: request.id, user: request.user, show: SHOW, since },
            Tries { attempts: 1, unheard_since: since },
        );
        let wait = Span::from_millis(self.dice.below(60_000));
        self.after(wait, BoothEvent::Act(request.user.0));
    }
}

fn core_clerk() -> Show {
    let settings = OracleSettings::example();
    let rules = Rules {
        hold: settings.hold,
        grace: settings.grace,
        seats_per_request: settings.seats_per_request,
        remember: Span::from_secs(600),
        checks: Checks::COMPLETE,
    };
    Show::new(Arc::new(Hall::uniform(2, 4, 5)), rules)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_correct_clerk_raises_no_alarm(seed: u64, core: bool) {
        let results = Booth::run(seed, Flaw::None, core.then(core_clerk));
        for result in &results {
            // Some crowds ask for little after calm, and the booth tells of no attempt.
            let is_idle = result.name == "live" && result.checked < CHECKS_MIN
                || ["reply", "prompt"].contains(&&*result.name);
            prop_assert!(is_idle || result.verdict == Verdict::Pass, "{:#?}", results);
        }
    }
}

#[test]
fn the_right_oracle_catches_each_flaw() {
    let table = [
        (Flaw::Tramples, "double-booking"),
        (Flaw::Tramples, "hold"),
        (Flaw::Tramples, "linearizable"),
        (Flaw::Forgets, "lost-booking"),
        (Flaw::Hurries, "hold"),
        (Flaw::Hurries, "linearizable"),
        (Flaw::Indulges, "hold"),
        (Flaw::Skimps, "atomic"),
        (Flaw::Sleeps, "live"),
    ];
    for (flaw, oracle) in table {
        for seed in 0..10 {
            let results = Booth::run(seed, flaw, None);
            assert_eq!(
                verdict(&results, oracle),
                Verdict::Fail,
                "{flaw:?}, seed {seed}: {results:#?}"
            );
        }
    }
}
