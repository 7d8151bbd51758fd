//! A show compared with a model that has no bitmap, no list and no index.

use std::collections::BTreeMap;

use super::*;

/// The rules of sale, written as plainly as possible.
struct Model {
    seats: Vec<Option<HoldId>>,
    holds: BTreeMap<HoldId, Known>,
    ended: Vec<(Instant, HoldId)>,
}

#[derive(Clone, Debug)]
struct Known {
    user: UserId,
    seats: SeatList,
    expires: Instant,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Live,
    Booked,
    Released,
    Expired,
}

const SECTIONS: u32 = 2;
const ROWS: u32 = 2;
const PLACES: u32 = 4;

impl Model {
    fn new() -> Self {
        Self {
            seats: vec![None; (SECTIONS * ROWS * PLACES) as usize],
            holds: BTreeMap::new(),
            ended: Vec::new(),
        }
    }

    fn decide(&self, request: &Request, now: Instant) -> Result<SeatList, Decision> {
        let answer = |outcome| Err(Decision::Answer(outcome));
        let refuse = |refusal| answer(Outcome::Refused(refusal));
        let own = HoldId(request.id.0);
        let hold = match &request.command {
            Command::Hold(_) => own,
            Command::Confirm { hold, .. } | Command::Release { hold } => *hold,
        };
        let known = self.holds.get(&hold);
        if known.is_some_and(|told| told.user != request.user) {
            return refuse(Refusal::NotYours);
        }
        let over = |told: &Known| told.state == State::Live && told.expires + RULES.grace <= now;
        match (&request.command, known) {
            (Command::Hold(wish), None) => self.choose(wish).or_else(refuse),
            (Command::Hold(_), Some(told)) => match told.state {
                State::Live | State::Booked if !over(told) => {
                    answer(Outcome::Held { hold, seats: told.seats.clone(), expires: told.expires })
                }
                State::Live | State::Booked | State::Released | State::Expired => {
                    refuse(Refusal::HoldLost)
                }
            },
            (Command::Confirm { payment, .. }, Some(told))
                if told.state == State::Live && !over(told) =>
            {
                Err(Decision::Record(Event::Booked {
                    request: request.id,
                    hold,
                    payment: *payment,
                    at: now,
                }))
            }
            (Command::Confirm { .. }, Some(told)) if told.state == State::Booked => {
                answer(Outcome::Booked { hold, seats: told.seats.clone() })
            }
            (Command::Release { .. }, Some(told)) if told.state == State::Live && !over(told) => {
                Err(Decision::Record(Event::Released { request: request.id, hold, at: now }))
            }
            (Command::Release { .. }, Some(told)) if told.state == State::Released => {
                answer(Outcome::Released { hold })
            }
            (Command::Confirm { .. } | Command::Release { .. }, _) => refuse(Refusal::HoldLost),
        }
    }

    fn is_booked(&self, seat: usize) -> bool {
        self.seats[seat].is_some_and(|hold| self.holds[&hold].state == State::Booked)
    }

    fn choose(&self, wish: &Wish) -> Result<SeatList, Refusal> {
        let all = SECTIONS * ROWS * PLACES;
        let of_section = |section: SectionId| {
            let size = ROWS * PLACES;
            u32::from(section.0) * size..(u32::from(section.0) + 1) * size
        };
        let mut picked: Vec<_> = wish.picked.iter().map(|seat| seat.0).collect();
        let mut sections: Vec<_> = wish.best.iter().map(|best| best.0).collect();
        picked.sort_unstable();
        picked.dedup();
        sections.sort_unstable();
        sections.dedup();
        if !(1..=usize::from(RULES.seats_per_request)).contains(&wish.seats())
            || picked.len() < wish.picked.len()
            || sections.len() < wish.best.len()
            || picked.iter().any(|&seat| seat >= all)
            || wish
                .best
                .iter()
                .any(|&(section, count)| u32::from(section.0) >= SECTIONS || count == 0)
        {
            return Err(Refusal::BadRequest);
        }
        let unbooked = |seats: std::ops::Range<u32>| {
            seats.filter(|&seat| !self.is_booked(seat as usize)).count()
        };
        let free = |seats: std::ops::Range<u32>| {
            seats.filter(|&seat| self.seats[seat as usize].is_none()).count()
        };
        let needs = |section, count| {
            usize::from(count)
                + picked.iter().filter(|&seat| of_section(section).contains(seat)).count()
        };
        if unbooked(0..all) < wish.seats()
            || wish
                .best
                .iter()
                .any(|&(section, count)| unbooked(of_section(section)) < needs(section, count))
        {
            return Err(Refusal::SoldOut);
        }
        if picked.iter().any(|&seat| self.seats[seat as usize].is_some()) {
            return Err(Refusal::SeatTaken);
        }
        if wish
            .best
            .iter()
            .any(|&(section, count)| free(of_section(section)) < needs(section, count))
        {
            return Err(Refusal::NoneFree);
        }
        let mut chosen = wish.picked.clone();
        for &(section, count) in &wish.best {
            let available = |seat: &u32| {
                self.seats[*seat as usize].is_none() && !wish.picked.contains(&SeatId(*seat))
            };
            // Every block of a row in the order of preference: row, distance of the two
            // middles, place.
            let blocks = |count: u32| {
                let mut blocks: Vec<_> = of_section(section)
                    .filter(|first| first % PLACES + count <= PLACES)
                    .filter(|&first| (first..first + count).all(|seat| available(&seat)))
                    .map(|first| {
                        (first / PLACES, (2 * (first % PLACES) + count).abs_diff(PLACES), first)
                    })
                    .collect();
                blocks.sort_unstable();
                blocks
            };
            match blocks(count.into()).first() {
                Some(&(_, _, first)) => {
                    chosen.extend((first..first + u32::from(count)).map(SeatId))
                }
                None => chosen
                    .extend(blocks(1).iter().take(count.into()).map(|&(_, _, seat)| SeatId(seat))),
            }
        }
        Ok(chosen)
    }

    /// Follows an event, and refuses to book or hold a taken seat.
    fn follow(&mut self, event: &Event) {
        while let Some(&(ended, hold)) = self.ended.first()
            && ended + RULES.remember <= event.at()
        {
            self.ended.remove(0);
            self.holds.remove(&hold);
        }
        match event {
            Event::Held { hold, user, seats, expires, .. } => {
                for seat in seats {
                    assert_eq!(
                        self.seats[seat.0 as usize].replace(*hold),
                        None,
                        "{seat} is given to two"
                    );
                }
                let told = Known {
                    user: *user,
                    seats: seats.clone(),
                    expires: *expires,
                    state: State::Live,
                };
                assert!(self.holds.insert(*hold, told).is_none());
            }
            Event::Booked { hold, .. } => self.end(*hold, State::Booked, event.at()),
            Event::Released { hold, .. } => self.end(*hold, State::Released, event.at()),
            Event::Expired { hold, .. } => self.end(*hold, State::Expired, event.at()),
        }
    }

    fn end(&mut self, hold: HoldId, state: State, at: Instant) {
        let told = self.holds.get_mut(&hold).unwrap();
        assert_eq!(told.state, State::Live);
        told.state = state;
        if state != State::Booked {
            self.ended.push((at, hold));
            for seat in &told.seats {
                self.seats[seat.0 as usize] = None;
            }
        }
    }

    fn next_expiry(&self) -> Option<Instant> {
        let live = self.holds.values().filter(|told| told.state == State::Live);
        live.map(|told| told.expires + RULES.grace).min()
    }

    fn counts(&self) -> (u32, u32, u32) {
        let free = self.seats.iter().filter(|seat| seat.is_none()).count() as u32;
        let booked = (0..self.seats.len()).filter(|&seat| self.is_booked(seat)).count() as u32;
        (free, self.seats.len() as u32 - free - booked, booked)
    }
}

#[derive(Clone, Debug)]
enum Action {
    Ask(Request),
    Wait(u64),
    /// The next leader's clock is behind.
    NextLeadersClockLags(u64),
    Tidy,
}

fn step() -> impl Strategy<Value = Action> {
    let seat = prop_oneof![20 => 0u32..16, 1 => 16u32..18];
    let section = prop_oneof![20 => 0u16..2, 1 => Just(2)];
    let count = prop_oneof![1 => Just(0u8), 30 => 1u8..4];
    let picked = || prop::collection::vec(seat.clone(), 0..3);
    let best = |sections| prop::collection::vec((section.clone(), count.clone()), sections);
    let hold = prop_oneof![
        3 => (Just(Vec::new()), best(1..2)),
        1 => (picked(), best(0..3)),
    ];
    let hold = hold.prop_map(|(picked, best)| wish(&picked, &best));
    let id = 0u64..16;
    let command = prop_oneof![
        3 => hold,
        3 => id.clone().prop_map(confirm),
        1 => id.clone().prop_map(release),
    ];
    // A hold has one user, except for an occasional stranger.
    let ask = (id, prop::bool::weighted(0.05), command).prop_map(|(id, stranger, command)| {
        let hold = match &command {
            Command::Hold(_) => id,
            Command::Confirm { hold, .. } | Command::Release { hold } => hold.0,
        };
        let user = UserId((hold % 3) as u32 + u32::from(stranger));
        Action::Ask(request(id, user, command))
    });
    prop_oneof![
        24 => ask,
        4 => (0u64..60).prop_map(Action::Wait),
        1 => (0u64..30).prop_map(Action::NextLeadersClockLags),
        3 => Just(Action::Tidy),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_show_does_what_the_rules_say(steps in prop::collection::vec(step(), 1..120)) {
        let (mut show, mut model) = (show(), Model::new());
        let mut now = Instant(1_000);
        let mut events = Vec::new();
        let mut snapshots = vec![show.snapshot()];

        for step in steps {
            let mut record = |show: &mut Show, model: &mut Model, event: Event| {
                show.apply(&event);
                model.follow(&event);
                show.assert_consistent();
                assert_eq!((show.free(), show.held(), show.booked()), model.counts());
                events.push(event);
                snapshots.push(show.snapshot());
            };
            match step {
                Action::Wait(span) => now += Span(span),
                Action::NextLeadersClockLags(span) => now = Instant(now.0 - span.min(now.0)),
                Action::Tidy => {
                    while let Some(event) = show.overdue(now) {
                        record(&mut show, &mut model, event);
                    }
                    prop_assert!(model.next_expiry().is_none_or(|end| end > now));
                }
                Action::Ask(request) => {
                    let decision = show.decide(&request, now);
                    let expected = model.decide(&request, now).map_or_else(|decision| decision, |seats| {
                        let (hold, user) = (HoldId::from(request.id), request.user);
                        Decision::Record(Event::Held { hold, user, seats, at: now, expires: now + RULES.hold })
                    });
                    prop_assert_eq!(&decision, &expected);
                    if let Decision::Record(event) = decision {
                        record(&mut show, &mut model, event.clone());
                        let repeat = show.decide(&request, now);
                        prop_assert_eq!(repeat, Decision::Answer(show.outcome(&event)), "a repeat gets the same answer");
                    }
                }
            }
            prop_assert_eq!(show.next_expiry(), model.next_expiry());
        }

        for (applied, bytes) in snapshots.iter().enumerate() {
            let mut again = Show::restore(Arc::clone(show.hall()), RULES, bytes).unwrap();
            prop_assert_eq!(&again.snapshot(), bytes);
            events[applied..].iter().for_each(|event| again.apply(event));
            prop_assert_eq!(&again, &show);
            prop_assert_eq!(&again.snapshot(), snapshots.last().unwrap());
            again.assert_consistent();
        }
    }
}
