//! The rules of sale as tables, and a show against a model that keeps no bitmap, no
//! list and no index.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::id::{PaymentId, RequestId, SeatId, SectionId, ShowId};
use crate::seat_list::SeatList;

const RULES: Rules = Rules {
    hold: Span(100),
    grace: Span(10),
    seats_per_request: 4,
    remember: Span(300),
    checks: Checks::COMPLETE,
};
const ALICE: UserId = UserId(1);
const BOB: UserId = UserId(2);

/// Two sections of two rows of four seats: 0 to 7 and 8 to 15.
fn show() -> Show {
    Show::new(Arc::new(Hall::uniform(2, 2, 4)), RULES)
}

fn request(id: u64, user: UserId, command: Command) -> Request {
    Request { id: RequestId(id), user, show: ShowId(0), command }
}

fn wish(picked: &[u32], best: &[(u16, u8)]) -> Command {
    Command::Hold(Wish {
        picked: picked.iter().copied().map(SeatId).collect(),
        best: best.iter().map(|&(section, count)| (SectionId(section), count)).collect(),
    })
}

fn confirm(hold: u64) -> Command {
    Command::Confirm { hold: HoldId(hold), payment: PaymentId(hold) }
}

fn release(hold: u64) -> Command {
    Command::Release { hold: HoldId(hold) }
}

fn held(hold: u64, seats: &[u32], expires: u64) -> Outcome {
    Outcome::Held { hold: HoldId(hold), seats: list(seats), expires: Instant(expires) }
}

fn booked(hold: u64, seats: &[u32]) -> Outcome {
    Outcome::Booked { hold: HoldId(hold), seats: list(seats) }
}

fn list(seats: &[u32]) -> SeatList {
    seats.iter().copied().map(SeatId).collect()
}

/// Plays the leader: records what is overdue, decides, records, answers.
fn ask(show: &mut Show, now: u64, request: &Request) -> Outcome {
    let now = Instant(now);
    while let Some(event) = show.overdue(now) {
        show.apply(&event);
    }
    match show.decide(request, now) {
        Decision::Answer(outcome) => outcome,
        Decision::Record(event) => {
            let before = (!matches!(event, Event::Held { .. })).then(|| show.outcome(&event));
            show.apply(&event);
            let outcome = show.outcome(&event);
            assert!(
                before.is_none_or(|before| before == outcome),
                "applying an event does not change its outcome"
            );
            assert_eq!(event.request(), Some(request.id));
            outcome
        }
    }
}

#[test]
fn a_malformed_wish_is_refused() {
    let table: [(&str, Command); 10] = [
        ("nothing", wish(&[], &[])),
        ("too many picked and best", wish(&[0, 1], &[(1, 3)])),
        ("too many best", wish(&[], &[(0, 255), (1, 255)])),
        ("a seat twice", wish(&[3, 1, 3], &[])),
        ("an unknown seat", wish(&[16], &[])),
        ("a seat far away", wish(&[u32::MAX], &[])),
        ("an unknown section", wish(&[], &[(2, 1)])),
        ("no seat of a section", wish(&[1], &[(0, 0)])),
        ("a section twice", wish(&[], &[(0, 1), (1, 1), (0, 1)])),
        ("no seat of two sections", wish(&[], &[(0, 0), (1, 0)])),
    ];
    for (what, command) in table {
        let decision = show().decide(&request(1, ALICE, command), Instant(0));
        assert_eq!(decision, Decision::Answer(Outcome::Refused(Refusal::BadRequest)), "{what}");
    }
}

#[test]
fn a_wish_is_met_whole_or_not_at_all() {
    let mut show = show();
    assert_eq!(
        ask(&mut show, 0, &request(1, ALICE, wish(&[5], &[(1, 2)]))),
        held(1, &[5, 9, 10], 100)
    );
    let refused = |refusal| Outcome::Refused(refusal);
    assert_eq!(
        ask(&mut show, 0, &request(2, BOB, wish(&[4, 5], &[]))),
        refused(Refusal::SeatTaken)
    );
    assert_eq!(
        ask(&mut show, 0, &request(3, BOB, wish(&[4], &[(0, 3)]))),
        held(3, &[4, 0, 1, 2], 100)
    );
    assert_eq!(
        ask(&mut show, 0, &request(4, BOB, wish(&[8], &[(0, 3)]))),
        held(4, &[8, 3, 6, 7], 100)
    );
    assert_eq!(
        ask(&mut show, 0, &request(5, BOB, wish(&[], &[(1, 1), (0, 1)]))),
        refused(Refusal::NoneFree)
    );
    assert_eq!((show.free(), show.held(), show.booked()), (5, 11, 0));
}

#[test]
fn sold_out_is_said_once_waiting_cannot_help() {
    let mut show = show();
    for (id, section) in [(1, 0), (2, 0), (3, 1), (4, 1)] {
        ask(&mut show, 0, &request(id, ALICE, wish(&[], &[(section, 4)])));
    }
    let one = |show: &mut Show, now| ask(show, now, &request(99, BOB, wish(&[], &[(0, 1)])));
    assert_eq!(one(&mut show, 1), Outcome::Refused(Refusal::NoneFree));
    ask(&mut show, 1, &request(11, ALICE, confirm(1)));
    assert_eq!(one(&mut show, 1), Outcome::Refused(Refusal::NoneFree));
    ask(&mut show, 1, &request(12, ALICE, confirm(2)));
    assert_eq!(one(&mut show, 1), Outcome::Refused(Refusal::SoldOut));
    assert!(!show.is_sold_out());
    ask(&mut show, 1, &request(13, ALICE, confirm(3)));
    ask(&mut show, 1, &request(14, ALICE, confirm(4)));
    assert!(show.is_sold_out());
    let picked = request(98, BOB, wish(&[3], &[]));
    assert_eq!(ask(&mut show, 1, &picked), Outcome::Refused(Refusal::SoldOut));
    assert_eq!((show.free(), show.held(), show.booked()), (0, 0, 16));
    show.assert_consistent();
}

#[test]
fn the_server_waits_its_grace_and_no_longer() {
    let refused = Outcome::Refused(Refusal::HoldLost);
    for (now, in_time) in [(99, true), (100, true), (109, true), (110, false), (500, false)] {
        for (command, granted) in
            [(confirm(1), booked(1, &[1, 2])), (release(1), Outcome::Released { hold: HoldId(1) })]
        {
            let mut show = show();
            ask(&mut show, 0, &request(1, ALICE, wish(&[], &[(0, 2)])));
            assert_eq!(show.next_expiry(), Some(Instant(110)));
            let late = request(2, ALICE, command);
            let undecided = show.decide(&late, Instant(now));
            assert_eq!(
                matches!(undecided, Decision::Record(_)),
                in_time,
                "the end needs no event: {now}"
            );
            assert_eq!(
                ask(&mut show, now, &late),
                if in_time { granted } else { refused.clone() },
                "{now}"
            );
        }
    }
}

#[test]
fn seats_come_back_with_the_event_and_not_before() {
    let mut show = show();
    ask(&mut show, 0, &request(1, ALICE, wish(&[3], &[])));
    let theirs = request(2, BOB, wish(&[3], &[]));
    assert_eq!(show.overdue(Instant(109)), None);
    assert_eq!(
        show.decide(&theirs, Instant(110)),
        Decision::Answer(Outcome::Refused(Refusal::SeatTaken))
    );
    let event = show.overdue(Instant(115)).unwrap();
    assert_eq!(event, Event::Expired { hold: HoldId(1), at: Instant(115) });
    assert_eq!(show.outcome(&event), Outcome::Refused(Refusal::HoldLost));
    show.apply(&event);
    assert_eq!((show.overdue(Instant(115)), show.next_expiry()), (None, None));
    assert_eq!(ask(&mut show, 115, &theirs), held(2, &[3], 215));
}

#[test]
fn a_hold_has_one_fate_and_every_repeat_is_told_it() {
    let lost = Outcome::Refused(Refusal::HoldLost);
    let released = Outcome::Released { hold: HoldId(1) };
    let hold = held(1, &[1], 100);
    let booking = booked(1, &[1]);
    // What ends the hold, when the repeats come, and what they are told: the hold, a
    // confirm, a release. None: something is recorded.
    type Row<'a> = (Option<Command>, u64, [Option<&'a Outcome>; 3]);
    let table: [Row<'_>; 6] = [
        (None, 50, [Some(&hold), None, None]),
        (None, 105, [Some(&hold), None, None]),
        (None, 110, [Some(&lost); 3]),
        (Some(confirm(1)), 50, [Some(&hold), Some(&booking), Some(&lost)]),
        (Some(confirm(1)), 9_999, [Some(&hold), Some(&booking), Some(&lost)]),
        (Some(release(1)), 50, [Some(&lost), Some(&lost), Some(&released)]),
    ];
    for (ending, now, told) in table {
        for tidied in [false, true] {
            let mut show = show();
            ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[])));
            if let Some(command) = &ending {
                ask(&mut show, 1, &request(2, ALICE, command.clone()));
            }
            if tidied && let Some(event) = show.overdue(Instant(now)) {
                show.apply(&event);
            }
            let repeats = [
                request(1, ALICE, wish(&[1], &[])),
                request(2, ALICE, confirm(1)),
                request(3, ALICE, release(1)),
            ];
            for (repeat, told) in repeats.iter().zip(told) {
                match (show.decide(repeat, Instant(now)), told) {
                    (Decision::Answer(outcome), Some(told)) => {
                        assert_eq!(&outcome, told, "{ending:?} {repeat:?}")
                    }
                    (Decision::Record(event), None) => assert_eq!(event.hold(), HoldId(1)),
                    (decision, told) => panic!("{ending:?} {repeat:?}: {decision:?}, not {told:?}"),
                }
                let foreign = Request { user: BOB, ..repeat.clone() };
                let decision = show.decide(&foreign, Instant(now));
                assert_eq!(
                    decision,
                    Decision::Answer(Outcome::Refused(Refusal::NotYours)),
                    "{ending:?} {repeat:?}"
                );
            }
        }
    }
}

#[test]
fn what_never_was_is_lost() {
    for command in [confirm(7), release(7)] {
        assert_eq!(
            ask(&mut show(), 0, &request(1, ALICE, command)),
            Outcome::Refused(Refusal::HoldLost)
        );
    }
}

#[test]
fn an_ended_hold_is_remembered_by_the_time_of_events() {
    let mut show = show();
    let hold = request(1, ALICE, wish(&[1], &[]));
    ask(&mut show, 0, &hold);
    ask(&mut show, 5, &request(2, ALICE, release(1)));
    ask(&mut show, 304, &request(3, BOB, wish(&[2], &[])));
    assert_eq!(
        ask(&mut show, 400, &hold),
        Outcome::Refused(Refusal::HoldLost),
        "no event has come to forget it"
    );
    let event = Event::Booked {
        request: RequestId(4),
        hold: HoldId(3),
        payment: PaymentId(0),
        at: Instant(305),
    };
    show.apply(&event);
    assert_eq!(ask(&mut show, 400, &hold), held(1, &[1], 500), "executed anew");
    show.assert_consistent();
}

#[test]
fn a_refused_request_is_judged_anew() {
    let mut show = show();
    ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[])));
    let refused = request(2, BOB, wish(&[1], &[]));
    assert_eq!(ask(&mut show, 1, &refused), Outcome::Refused(Refusal::SeatTaken));
    ask(&mut show, 2, &request(3, ALICE, release(1)));
    assert_eq!(ask(&mut show, 3, &refused), held(2, &[1], 103));
}

#[test]
fn events_that_cannot_have_happened_are_a_broken_journal() {
    let held = |hold, seats: &[u32]| Event::Held {
        hold: HoldId(hold),
        user: ALICE,
        seats: list(seats),
        at: Instant(0),
        expires: Instant(100),
    };
    let booked = |hold, at| Event::Booked {
        request: RequestId(50),
        hold: HoldId(hold),
        payment: PaymentId(0),
        at: Instant(at),
    };
    let released =
        |hold, at| Event::Released { request: RequestId(51), hold: HoldId(hold), at: Instant(at) };
    let expired = |hold, at| Event::Expired { hold: HoldId(hold), at: Instant(at) };
    let table = [
        ("a seat twice", held(2, &[1])),
        ("an unknown seat", held(2, &[16])),
        ("no seats", held(2, &[])),
        ("too many seats", held(2, &[3, 4, 5, 6, 7])),
        ("a hold twice", held(1, &[2])),
        ("booked late", booked(1, 110)),
        ("released late", released(1, 110)),
        ("expired early", expired(1, 109)),
        ("booked from nothing", booked(9, 1)),
        ("released from nothing", released(9, 1)),
        ("expired from nothing", expired(9, 200)),
    ];
    let mut show = show();
    show.apply(&held(1, &[1]));
    for (what, event) in table {
        let mut show = show.clone();
        let applied = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| show.apply(&event)));
        assert!(applied.is_err(), "{what}");
    }
}

#[test]
fn bytes_that_are_no_snapshot_are_refused() {
    let mut show = show();
    ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[(1, 2)])));
    ask(&mut show, 1, &request(2, BOB, wish(&[2], &[])));
    ask(&mut show, 2, &request(3, ALICE, confirm(1)));
    let bytes = show.snapshot();
    let restore = |hall: Hall, bytes: &[u8]| Show::restore(Arc::new(hall), RULES, bytes);
    assert_eq!(restore(Hall::uniform(2, 2, 4), &bytes).as_ref(), Ok(&show));
    for length in 0..bytes.len() {
        assert!(restore(Hall::uniform(2, 2, 4), &bytes[..length]).is_err(), "cut to {length}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    let trailing = restore(Hall::uniform(2, 2, 4), &longer);
    assert_eq!(trailing, Err(SnapshotError::Broken("nothing follows the snapshot")));
    let other_hall = restore(Hall::uniform(2, 2, 5), &bytes);
    assert_eq!(other_hall, Err(SnapshotError::Broken("the show is in this hall")));
}

proptest! {
    #[test]
    fn no_bytes_make_restore_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut show = show();
        ask(&mut show, 0, &request(1, ALICE, wish(&[1], &[(1, 2)])));
        ask(&mut show, 1, &request(2, BOB, wish(&[2, 3], &[])));
        ask(&mut show, 2, &request(3, ALICE, confirm(1)));
        ask(&mut show, 3, &request(4, BOB, wish(&[5], &[])));
        ask(&mut show, 3, &request(5, BOB, release(4)));
        let mut bytes = show.snapshot();
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(restored) = Show::restore(Arc::clone(show.hall()), RULES, &bytes) {
            restored.assert_consistent();
        }
    }
}

/// The rules of sale, told as plainly as they can be.
struct Model {
    seats: Vec<Option<HoldId>>,
    holds: BTreeMap<HoldId, Told>,
    ended: Vec<(Instant, HoldId)>,
}

#[derive(Clone, Debug)]
struct Told {
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
        let over = |told: &Told| told.state == State::Live && told.expires + RULES.grace <= now;
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

    /// Follows an event, and refuses to book or hold a seat that somebody has.
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
                let told = Told {
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
enum Step {
    Ask(Request),
    Wait(u64),
    /// The next leader reads an earlier time.
    LeaderWhoseClockLags(u64),
    Tidy,
}

fn step() -> impl Strategy<Value = Step> {
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
    // A hold has one user, but for the occasional stranger.
    let ask = (id, prop::bool::weighted(0.05), command).prop_map(|(id, stranger, command)| {
        let hold = match &command {
            Command::Hold(_) => id,
            Command::Confirm { hold, .. } | Command::Release { hold } => hold.0,
        };
        let user = UserId((hold % 3) as u32 + u32::from(stranger));
        Step::Ask(request(id, user, command))
    });
    prop_oneof![
        24 => ask,
        4 => (0u64..60).prop_map(Step::Wait),
        1 => (0u64..30).prop_map(Step::LeaderWhoseClockLags),
        3 => Just(Step::Tidy),
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
                Step::Wait(span) => now += Span(span),
                Step::LeaderWhoseClockLags(span) => now = Instant(now.0 - span.min(now.0)),
                Step::Tidy => {
                    while let Some(event) = show.overdue(now) {
                        record(&mut show, &mut model, event);
                    }
                    prop_assert!(model.next_expiry().is_none_or(|end| end > now));
                }
                Step::Ask(request) => {
                    let decision = show.decide(&request, now);
                    let expected = model.decide(&request, now).map_or_else(|decision| decision, |seats| {
                        let (hold, user) = (HoldId::from(request.id), request.user);
                        Decision::Record(Event::Held { hold, user, seats, at: now, expires: now + RULES.hold })
                    });
                    prop_assert_eq!(&decision, &expected);
                    if let Decision::Record(event) = decision {
                        record(&mut show, &mut model, event.clone());
                        let repeat = show.decide(&request, now);
                        prop_assert_eq!(repeat, Decision::Answer(show.outcome(&event)), "a repeat is told the same");
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
