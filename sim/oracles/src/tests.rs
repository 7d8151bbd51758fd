//! Minimal histories: each oracle fails on a bad one and stays silent on legal races.

mod booth;
mod calm;
mod clocks;
pub(super) mod dice;
mod forgotten;
mod given_up;
mod late;
mod measures;
mod quantum;
mod unusual;

use std::collections::BTreeSet;

use onsale_booking::{
    Command, Event, HoldId, Instant, NodeId, Outcome, PaymentId, Refusal, Request, RequestId,
    SeatId, SeatList, SectionId, ShowId, Span, UserId, Wish,
};
use onsale_reports::{OracleResult, Verdict};

use super::{Asked, OracleSettings, Oracles, Own, Position, Tries, hold};

const SHOW: ShowId = ShowId(0);
const HOLD_SECS: u64 = 300;
const GRACE_SECS: u64 = 5;

fn secs(secs: u64) -> Instant {
    Instant(secs * 1_000_000)
}

fn seats(numbers: &[u32]) -> SeatList {
    numbers.iter().map(|&n| SeatId(n)).collect()
}

fn hold_request(id: u64, user: u32, picked: &[u32]) -> Request {
    let wish = Wish { picked: seats(picked), ..Wish::default() };
    Request { id: RequestId(id), user: UserId(user), show: SHOW, command: Command::Hold(wish) }
}

fn confirm_request(id: u64, user: u32, hold: u64) -> Request {
    let command = Command::Confirm { hold: HoldId(hold), payment: PaymentId(id) };
    Request { id: RequestId(id), user: UserId(user), show: SHOW, command }
}

fn release_request(id: u64, user: u32, hold: u64) -> Request {
    Request {
        id: RequestId(id),
        user: UserId(user),
        show: SHOW,
        command: Command::Release { hold: HoldId(hold) },
    }
}

fn held_outcome(hold: u64, list: &[u32], granted: u64) -> Outcome {
    Outcome::Held { hold: HoldId(hold), seats: seats(list), expires: secs(granted + HOLD_SECS) }
}

fn booked_outcome(hold: u64, list: &[u32]) -> Outcome {
    Outcome::Booked { hold: HoldId(hold), seats: seats(list) }
}

const fn released_outcome(hold: u64) -> Outcome {
    Outcome::Released { hold: HoldId(hold) }
}

const LOST: Outcome = Outcome::Refused(Refusal::HoldLost);
const NOT_YOURS: Outcome = Outcome::Refused(Refusal::NotYours);

/// A history in the making, in whole seconds.
struct History {
    oracles: Oracles,
    index: u64,
    /// The requests that were asked.
    asked: BTreeSet<RequestId>,
    /// The booking of a seat that many are refused.
    booked: Option<HoldId>,
}

impl History {
    fn new() -> Self {
        Self::with(OracleSettings::example())
    }

    fn with(settings: OracleSettings) -> Self {
        Self { oracles: Oracles::new(settings), index: 0, asked: BTreeSet::new(), booked: None }
    }

    fn record(&mut self, at: u64, event: Event) -> &mut Self {
        self.written(at, 1, 1, event)
    }

    /// Adds the next record, by this node in this term.
    fn written(&mut self, at: u64, term: u64, writer: u16, event: Event) -> &mut Self {
        self.index += 1;
        let position = Position { log: 0, index: self.index, term };
        let (times, writer) = ((secs(at), secs(at)), Some(NodeId(writer)));
        self.oracles.committed(times, position, writer, &[(SHOW, event)]);
        self
    }

    /// Adds the record of a hold; its client asked for it just then, unless it did before.
    fn held(&mut self, at: u64, hold: u64, user: u32, list: &[u32]) -> &mut Self {
        self.asks(at, &hold_request(hold, user, list));
        let (decided, expires) = (secs(at), secs(at + HOLD_SECS));
        self.record(
            at,
            Event::Held {
                hold: HoldId(hold),
                user: UserId(user),
                seats: seats(list),
                at: decided,
                expires,
            },
        )
    }

    fn booked(&mut self, at: u64, request: u64, hold: u64) -> &mut Self {
        let (request, hold, payment) = (RequestId(request), HoldId(hold), PaymentId(request));
        self.record(at, Event::Booked { request, hold, payment, at: secs(at) })
    }

    fn released(&mut self, at: u64, request: u64, hold: u64) -> &mut Self {
        self.record(
            at,
            Event::Released { request: RequestId(request), hold: HoldId(hold), at: secs(at) },
        )
    }

    fn expired(&mut self, at: u64, hold: u64) -> &mut Self {
        self.record(at, Event::Expired { hold: HoldId(hold), at: secs(at) })
    }

    /// A client asks; once, even if the history says it again.
    fn asks(&mut self, at: u64, request: &Request) -> &mut Self {
        if self.asked.insert(request.id) {
            self.oracles.invoked(secs(at), request);
        }
        self
    }

    fn told(&mut self, at: u64, since: u64, request: &Request, outcome: &Outcome) -> &mut Self {
        self.oracles.answered(secs(at), secs(since), request, outcome);
        self
    }

    /// A client gets the seats that it picks: asked, granted and told at these instants.
    fn gets(
        &mut self,
        (asked, granted, told): (u64, u64, u64),
        hold: u64,
        user: u32,
        list: &[u32],
    ) -> &mut Self {
        let request = hold_request(hold, user, list);
        self.asks(asked, &request).told(told, asked, &request, &held_outcome(hold, list, granted))
    }

    /// A client books: asked and told at these instants.
    fn books(
        &mut self,
        (asked, told): (u64, u64),
        id: u64,
        user: u32,
        hold: u64,
        list: &[u32],
    ) -> &mut Self {
        let request = confirm_request(id, user, hold);
        self.asks(asked, &request).told(told, asked, &request, &booked_outcome(hold, list))
    }

    /// A client is refused a hold of seat 39, which is booked.
    fn refuses(&mut self, at: Instant, asked: &Asked, refusal: Refusal) {
        if self.booked.is_none() {
            let (hold, confirm) = (900, 901);
            self.held(0, hold, 90, &[39]).asks(0, &confirm_request(confirm, 90, hold));
            self.booked(0, confirm, hold).booked = Some(HoldId(hold));
        }
        let wish = || Wish { picked: seats(&[39]), ..Wish::default() };
        self.oracles.hold_refused(at, asked, refusal, wish);
    }

    fn results(&mut self, end: u64, open: &[Asked]) -> Vec<OracleResult> {
        std::mem::replace(&mut self.oracles, Oracles::new(OracleSettings::example())).finish(
            secs(end),
            open,
            Own::default(),
        )
    }

    /// Asserts that exactly these oracles fail. Many a history shows what clients were told, or the journal, alone: what
    /// only the comparison of the two breaks does not count.
    fn fails(&mut self, names: &[&str]) {
        let results = self.results(10_000, &[]);
        let is_one_sided = |rule: &String| {
            [
                hold::HELD_UNRECORDED,
                hold::RELEASE_UNRECORDED,
                hold::RELEASED_UNASKED,
                hold::HELD_UNASKED,
            ]
            .iter()
            .any(|known| known.name == rule)
        };
        let failed = || {
            results.iter().filter(|result| {
                result.evidence.as_ref().is_some_and(|it| !it.rules.iter().all(is_one_sided))
            })
        };
        assert_eq!(failed().map(|result| &*result.name).collect::<Vec<_>>(), names, "{results:#?}");
        for result in failed() {
            let evidence = result.evidence.as_ref().expect("a failure has evidence");
            assert!(!evidence.details.is_empty(), "evidence has details: {evidence:?}");
        }
    }

    fn is_silent(&mut self) {
        self.fails(&[]);
    }
}

fn verdict(results: &[OracleResult], name: &str) -> Verdict {
    results.iter().find(|result| result.name == name).expect("an oracle of that name").verdict
}

/// A client that has heard nothing since an instant, in three attempts.
fn tried(unheard_since: Instant) -> Tries {
    Tries { attempts: 3, unheard_since }
}

fn asked(request: u64, since: u64) -> Asked {
    Asked { request: RequestId(request), user: UserId(1), show: SHOW, since: secs(since) }
}

#[test]
fn an_ordinary_sale_passes_and_an_empty_one_exercises_nothing() {
    let mut history = History::new();
    history.oracles.faults_over(Instant::ZERO);
    history.held(1, 1, 7, &[3, 4]).gets((0, 1, 2), 1, 7, &[3, 4]);
    for id in 100..200 {
        history.asks(19, &hold_request(id, 8, &[3]));
        history.refuses(secs(20), &asked(id, 19), Refusal::SeatTaken);
    }
    history.asks(20, &confirm_request(2, 7, 1));
    let (request, hold, payment) = (RequestId(2), HoldId(1), PaymentId(2));
    history.written(21, 2, 3, Event::Booked { request, hold, payment, at: secs(21) });
    history.told(
        22,
        20,
        &confirm_request(2, 7, 1),
        &Outcome::Booked { hold: HoldId(1), seats: seats(&[4, 3]) },
    );
    let results = history.results(400, &[]);
    let names: Vec<_> = results.iter().map(|result| &*result.name).collect();
    assert_eq!(
        names,
        [
            "double-booking",
            "lost-booking",
            "atomic",
            "hold",
            "linearizable",
            "false-sold-out",
            "single-writer",
            "live",
            "reply",
            "prompt"
        ]
    );
    for result in &results {
        // Only a taken seat was refused.
        let expected = match result.name.as_str() {
            "false-sold-out" => (Verdict::NotExercised, true),
            // The history tells of no attempt, and nothing had to come soon.
            "reply" | "prompt" => (Verdict::NotExercised, false),
            _ => (Verdict::Pass, true),
        };
        assert_eq!((result.verdict, result.checked > 0), expected, "{results:#?}");
    }

    let results = History::new().results(400, &[]);
    assert!(results.iter().all(|result| result.verdict == Verdict::NotExercised), "{results:#?}");
}

#[test]
fn two_bookings_of_one_seat_in_the_journal() {
    let mut history = History::new();
    history.asks(2, &confirm_request(11, 1, 1)).asks(2, &confirm_request(12, 2, 2));
    history.held(1, 1, 1, &[3]).held(1, 2, 2, &[3, 4]).booked(2, 11, 1).booked(3, 12, 2);
    history.fails(&["double-booking", "hold"]);

    let mut history = History::new();
    history.asks(2, &confirm_request(11, 1, 1)).asks(400, &confirm_request(12, 2, 2));
    history
        .held(1, 1, 1, &[3])
        .expired(306, 1)
        .held(310, 2, 2, &[3])
        .booked(400, 12, 2)
        .booked(401, 11, 1);
    history.fails(&["double-booking", "hold"]);
}

#[test]
fn two_clients_told_of_one_seat_without_a_journal() {
    let mut history = History::new();
    history.gets((0, 1, 2), 1, 1, &[3]).gets((0, 1, 2), 2, 2, &[3]);
    history.books((5, 6), 11, 1, 1, &[3]).books((5, 7), 12, 2, 2, &[3]);
    history.fails(&["double-booking", "lost-booking", "hold", "linearizable"]);
}

#[test]
fn the_evidence_names_seat_users_records_and_instants() {
    let mut history = History::new();
    history.asks(2, &confirm_request(11, 1, 1)).asks(2, &confirm_request(12, 2, 2));
    history.held(1, 1, 1, &[33]).held(1, 2, 2, &[33]).booked(2, 11, 1).booked(3, 12, 2);
    let results = history.results(10, &[]);
    let evidence = results[0].evidence.as_ref().expect("double-booking failed");
    assert_eq!(
        evidence.headline,
        "show0 seat 33 (section 1, row 2, place 3) is booked for u1 and for u2"
    );
    assert_eq!(
        evidence.details,
        [
            "journal s0#1 (e1): h1 of u1 held at 00:01.000 until 05:01.000 of the log's time: show0 seat 33",
            "journal s0#3 (e1): h1 booked by r11 at 00:02.000 of the log's time",
            "journal s0#2 (e1): h2 of u2 held at 00:01.000 until 05:01.000 of the log's time: show0 seat 33",
            "journal s0#4 (e1): h2 is booked as well",
        ]
    );
}

#[test]
fn only_the_first_failures_are_reported_and_all_are_counted() {
    let mut history = History::new();
    for hold in 0..9 {
        history.held(1, hold, 1, &[3]);
    }
    let results = history.results(10, &[]);
    let hold = results.iter().find(|result| result.name == "hold").expect("hold");
    let details = &hold.evidence.as_ref().expect("it failed").details;
    assert_eq!(details.last().map(String::as_str), Some("and 5 more"));
    assert_eq!(details.iter().filter(|line| line.starts_with("also: ")).count(), 2);
}

#[test]
fn an_acknowledged_booking_that_is_not_in_the_journal() {
    let mut history = History::new();
    history
        .held(1, 1, 1, &[3])
        .gets((0, 1, 2), 1, 1, &[3])
        .books((5, 6), 11, 1, 1, &[3])
        .expired(306, 1);
    history.fails(&["lost-booking"]);
}

#[test]
fn a_booking_that_the_journal_gives_to_someone_else() {
    let mut history = History::new();
    history.held(1, 1, 2, &[3]).books((5, 6), 11, 1, 1, &[3]).booked(6, 11, 1);
    history.fails(&["lost-booking", "hold"]);
}

#[test]
fn a_booking_that_is_read_from_disks_after_its_acknowledgement() {
    let mut history = History::new();
    history.gets((0, 1, 2), 1, 1, &[3]).books((5, 6), 11, 1, 1, &[3]);
    history.held(1, 1, 1, &[3]).booked(6, 11, 1);
    history.is_silent();
}

#[test]
fn disks_that_disagree() {
    let mut history = History::new();
    let position = Position { log: 1, index: 7, term: 2 };
    history.oracles.journal_conflict(secs(9), position, "n1 books h1, n2 books h2".to_owned());
    history.fails(&["lost-booking"]);
}

#[test]
fn orders_that_are_not_whole() {
    let granted = |wish: Wish, list: &[u32]| {
        let mut history = History::new();
        let request =
            Request { id: RequestId(1), user: UserId(1), show: SHOW, command: Command::Hold(wish) };
        history.asks(0, &request).told(1, 0, &request, &held_outcome(1, list, 0));
        verdict(&history.results(2, &[]), "atomic")
    };
    let wish = |picked: &[u32], best: &[(u16, u8)]| Wish {
        picked: seats(picked),
        best: best.iter().map(|&(section, count)| (SectionId(section), count)).collect(),
    };
    assert_eq!(granted(wish(&[3, 4], &[]), &[4, 3]), Verdict::Pass);
    assert_eq!(granted(wish(&[3], &[(0, 1), (1, 2)]), &[3, 8, 20, 21]), Verdict::Pass);
    let broken = [
        ("one of two", wish(&[3, 4], &[]), &[3_u32] as &[u32]),
        ("one too many", wish(&[3], &[]), &[3, 4]),
        ("another seat", wish(&[3, 4], &[]), &[3, 5]),
        ("another section", wish(&[], &[(0, 2)]), &[3, 20]),
        ("more than the limit", wish(&[], &[(0, 5)]), &[0, 1, 2, 3, 4]),
        ("one seat twice", wish(&[], &[(0, 2)]), &[3, 3]),
        ("no such seat", wish(&[40], &[]), &[40]),
        ("nothing", wish(&[], &[]), &[]),
    ];
    for (what, wish, list) in broken {
        assert_eq!(granted(wish, list), Verdict::Fail, "{what}");
    }
}

#[test]
fn records_and_answers_that_do_not_fit_each_other() {
    History::new().held(1, 1, 1, &[0, 1, 2, 3, 4]).fails(&["atomic"]);
    History::new().held(1, 1, 1, &[5, 5]).fails(&["atomic"]);
    History::new().held(1, 1, 1, &[3]).held(2, 1, 1, &[4]).fails(&["atomic"]);
    History::new().held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[4]).fails(&["atomic"]);
    History::new().gets((0, 1, 2), 1, 1, &[4]).held(1, 1, 1, &[3]).fails(&["atomic"]);

    let mut history = History::new();
    history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]);
    history.asks(5, &confirm_request(11, 1, 1)).booked(6, 11, 1);
    history.told(
        7,
        5,
        &confirm_request(11, 1, 1),
        &Outcome::Booked { hold: HoldId(1), seats: seats(&[3, 4]) },
    );
    history.fails(&["atomic", "linearizable"]);

    let mut history = History::new();
    history.told(7, 5, &hold_request(1, 1, &[3]), &Outcome::Released { hold: HoldId(1) });
    history.fails(&["atomic"]);
}

#[test]
fn a_retry_so_late_that_the_first_grant_was_forgotten() {
    let mut history = History::new();
    history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]).expired(306, 1);
    history.held(2_000, 1, 1, &[3]).expired(2_305, 1).held(2_400, 2, 2, &[3]).held(
        2_400,
        3,
        3,
        &[5],
    );
    history.is_silent();
}

#[test]
fn a_seat_that_is_granted_while_it_is_taken() {
    History::new().held(1, 1, 1, &[3]).held(304, 2, 2, &[3]).fails(&["hold"]);
    let mut history = History::new();
    history.asks(1, &confirm_request(11, 1, 1)).held(1, 1, 1, &[3]).booked(2, 11, 1).held(
        900,
        2,
        2,
        &[3],
    );
    history.fails(&["hold"]);
}

#[test]
fn a_seat_that_is_granted_again_once_its_hold_is_over() {
    History::new().held(1, 1, 1, &[3]).expired(306, 1).held(306, 2, 2, &[3]).is_silent();
    History::new().held(1, 1, 1, &[3]).released(9, 11, 1).held(9, 2, 2, &[3]).is_silent();
    History::new().held(1, 1, 1, &[3]).held(306, 2, 2, &[3]).is_silent();
}

#[test]
fn a_hold_that_ends_too_early() {
    History::new().held(1, 1, 1, &[3]).expired(305, 1).fails(&["hold"]);
    let early = Event::Expired { hold: HoldId(1), at: secs(306) };
    History::new().held(1, 1, 1, &[3]).record(299, early).fails(&["hold"]);
    let early = Event::Expired { hold: HoldId(1), at: secs(9_306) };
    let ahead = Event::Held {
        hold: HoldId(1),
        user: UserId(1),
        seats: seats(&[3]),
        at: secs(9_001),
        expires: secs(9_301),
    };
    let ends = |read| {
        let mut history =
            History::with(OracleSettings { early: Some(Span::ZERO), ..OracleSettings::example() });
        history.asks(0, &hold_request(1, 1, &[3])).record(1, ahead.clone());
        let granted = Outcome::Held { hold: HoldId(1), seats: seats(&[3]), expires: secs(9_301) };
        history.told(2, 0, &hold_request(1, 1, &[3]), &granted).record(read, early.clone());
        history
    };
    ends(300).fails(&["hold"]);
    ends(301).is_silent();
    let (at, expires) = (secs(1), secs(300));
    let short = Event::Held { hold: HoldId(1), user: UserId(1), seats: seats(&[3]), at, expires };
    History::new().record(1, short).fails(&["hold"]);
}

#[test]
fn a_booking_of_a_hold_that_is_over_or_not_its_own() {
    let confirm = confirm_request(11, 1, 1);
    History::new()
        .asks(0, &confirm)
        .held(1, 1, 1, &[3])
        .expired(306, 1)
        .booked(307, 11, 1)
        .fails(&["hold"]);
    History::new()
        .asks(0, &confirm)
        .held(1, 1, 1, &[3])
        .released(9, 12, 1)
        .booked(10, 11, 1)
        .fails(&["hold"]);
    History::new().asks(0, &confirm).held(1, 1, 2, &[3]).booked(10, 11, 1).fails(&["hold"]);
    History::new().asks(0, &confirm).booked(10, 11, 1).fails(&["hold"]);
    History::new().held(1, 1, 1, &[3]).booked(10, 11, 1).fails(&["hold"]);
    History::new()
        .asks(0, &confirm)
        .held(1, 1, 1, &[3])
        .booked(10, 11, 1)
        .booked(11, 11, 1)
        .fails(&["hold"]);
    let mut passed_over = History::new();
    passed_over
        .asks(0, &confirm)
        .held(1, 1, 1, &[3])
        .held(310, 2, 2, &[3])
        .booked(311, 11, 1)
        .fails(&["hold"]);
}

#[test]
fn a_booking_that_is_ended_like_a_hold() {
    let confirm = confirm_request(11, 1, 1);
    History::new()
        .asks(0, &confirm)
        .held(1, 1, 1, &[3])
        .booked(9, 11, 1)
        .expired(306, 1)
        .fails(&["hold"]);
    History::new()
        .asks(0, &confirm)
        .held(1, 1, 1, &[3])
        .booked(9, 11, 1)
        .released(10, 12, 1)
        .fails(&["hold"]);
}

#[test]
fn two_clients_who_count_on_one_seat_at_once() {
    History::new()
        .gets((0, 1, 2), 1, 1, &[3])
        .gets((3, 4, 5), 2, 2, &[3])
        .fails(&["hold", "linearizable"]);
    // The first answer comes last: both count on the seat from then on.
    History::new()
        .gets((3, 4, 5), 2, 2, &[3])
        .gets((0, 1, 90), 1, 1, &[3])
        .fails(&["hold", "linearizable"]);
    // A booking never ends.
    let mut history = History::new();
    history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]).books((5, 6), 11, 1, 1, &[3]);
    history.booked(6, 11, 1).gets((900, 901, 902), 2, 2, &[3]);
    history.fails(&["hold", "linearizable"]);
}

/// The second answer came after its timer's end, so the clients never counted on the seat at once. Yet it
/// was requested, granted and over while the first had the seat.
#[test]
fn a_hold_that_begins_within_another() {
    let request = hold_request(2, 2, &[3]);
    let history = |told, expires| {
        let mut history = History::new();
        history.gets((0, 1, 2), 1, 1, &[3]).asks(100, &request);
        let expires = secs(expires);
        let granted = Outcome::Held { hold: HoldId(2), seats: seats(&[3]), expires };
        history.told(told, 100, &request, &granted);
        history
    };
    // Its end may be told by any clock: it was requested at 100, so it lasts until 400 at least.
    for expires in [1, 301, 400, 9_000] {
        history(300, expires).fails(&["hold", "linearizable"]);
        history(301, expires).is_silent();
    }
}

#[test]
fn a_hold_that_is_released_and_booked() {
    let (confirm, release) = (confirm_request(11, 1, 1), release_request(12, 1, 1));
    let released = Outcome::Released { hold: HoldId(1) };
    let lost = Outcome::Refused(Refusal::HoldLost);
    let start = || {
        let mut history = History::new();
        history.gets((0, 1, 2), 1, 1, &[3]).asks(5, &confirm).asks(5, &release);
        history
    };
    let mut both = start();
    both.held(1, 1, 1, &[3]).booked(6, 11, 1);
    let booked = Outcome::Booked { hold: HoldId(1), seats: seats(&[3]) };
    both.told(7, 5, &confirm, &booked).told(8, 5, &release, &released);
    both.fails(&["linearizable"]);
    // One of the two takes effect first, and the other is refused.
    start().told(8, 5, &release, &released).told(9, 5, &confirm, &lost).is_silent();
    // Nothing to release, so it was booked; then the confirmation cannot fail.
    start().told(8, 5, &release, &lost).is_silent();
    start().told(8, 5, &release, &lost).told(9, 5, &confirm, &lost).fails(&["linearizable"]);
}

#[test]
fn an_answer_of_sold_out() {
    let sold_out = |history: &mut History, at| {
        let wish = || Wish { best: [(SectionId(0), 4)].into_iter().collect(), ..Wish::default() };
        history.oracles.hold_refused(secs(at), &asked(99, at - 1), Refusal::SoldOut, wish);
    };
    let mut history = History::new();
    sold_out(&mut history, 9);
    history.fails(&["linearizable", "false-sold-out"]);

    // With 17 of a section's 20 seats booked, fewer are left than a request may name; with 16, not. What clients asked for
    // may explain it, and the journal contradict it.
    let both: &[&str] = &["linearizable", "false-sold-out"];
    for (holds, confirmed, recorded, fails) in [
        (17, 20, true, &[][..]),
        (17, 20, false, &both[1..]),
        (16, 20, true, both),
        (17, 100, false, both),
    ] {
        let mut history = History::new();
        for hold in 1..=holds {
            history.held(1, hold.into(), hold, &[hold]).gets((0, 1, 2), hold.into(), hold, &[hold]);
        }
        for hold in 1..=holds {
            let request = confirm_request(u64::from(100 + hold), hold, hold.into());
            history.asks(confirmed, &request);
            if recorded {
                history.booked(confirmed, request.id.0, hold.into());
            }
        }
        sold_out(&mut history, 50);
        history.fails(fails);
    }
}

#[test]
fn two_writers_of_one_term() {
    let held = |hold: u64, seat| {
        let (at, expires) = (secs(1), secs(1 + HOLD_SECS));
        Event::Held { hold: HoldId(hold), user: UserId(1), seats: seats(&[seat]), at, expires }
    };
    let mut history = History::new();
    history.written(1, 1, 1, held(1, 1)).written(1, 2, 2, held(2, 2)).written(1, 2, 2, held(3, 3));
    assert_eq!(verdict(&history.results(2, &[]), "single-writer"), Verdict::Pass);
    let mut history = History::new();
    history.written(1, 1, 1, held(1, 1)).written(1, 1, 1, held(2, 2));
    assert_eq!(verdict(&history.results(2, &[]), "single-writer"), Verdict::NotExercised);

    let mut history = History::new();
    history.written(1, 2, 1, held(1, 1)).written(1, 2, 2, held(2, 2)).fails(&["single-writer"]);
    let mut history = History::new();
    history.written(1, 2, 2, held(1, 1)).written(1, 1, 1, held(2, 2)).fails(&["single-writer"]);
    let mut history = History::new();
    history.oracles.journal_gap(secs(9), 1, 7, 8);
    history.fails(&["single-writer"]);
}

#[test]
fn windows_that_follow_each_other() {
    // One hold after the other; the second client learns late.
    History::new().gets((0, 1, 2), 1, 1, &[3]).gets((300, 306, 307), 2, 2, &[3]).is_silent();
    // The first answer comes after the first timer and after the second grant.
    History::new().gets((300, 306, 307), 2, 2, &[3]).gets((0, 1, 320), 1, 1, &[3]).is_silent();
    // A release, and the next grant while the release's answer is on its way.
    let mut history = History::new();
    history.gets((0, 1, 2), 1, 1, &[3]).asks(9, &release_request(11, 1, 1)).gets(
        (8, 10, 11),
        2,
        2,
        &[3],
    );
    history.told(15, 9, &release_request(11, 1, 1), &Outcome::Released { hold: HoldId(1) });
    history.is_silent();
    // The client gave up on a hold, and gets the seats by another request after the orphan expired.
    let mut history = History::new();
    history.asks(0, &hold_request(1, 1, &[3])).oracles.gave_up(
        secs(9),
        asked(1, 0),
        tried(secs(0)),
    );
    history.held(1, 1, 1, &[3]).expired(306, 1).held(310, 2, 1, &[3]).gets(
        (309, 310, 311),
        2,
        1,
        &[3],
    );
    history.is_silent();
}

#[test]
fn a_release_that_someone_else_asked_for_does_not_end_the_window() {
    let mut history = History::new();
    history.gets((0, 1, 2), 1, 1, &[3]).asks(9, &release_request(11, 2, 1)).gets(
        (8, 10, 11),
        2,
        2,
        &[3],
    );
    history.fails(&["hold", "linearizable"]);
}

#[test]
fn overlaps_within_the_quantum_are_not_judged() {
    let quantum = Span::from_secs(2);
    let told = |told| {
        let mut history = History::new();
        history.oracles = Oracles::new(OracleSettings { quantum, ..OracleSettings::example() });
        let release = release_request(11, 1, 1);
        history.gets((0, 1, 2), 1, 1, &[3]).asks(9, &release).gets((4, 5, told), 2, 2, &[3]);
        history
    };
    told(7).is_silent();
    told(6).fails(&["hold", "linearizable"]);
}

#[test]
fn a_confirmation_that_is_refused_while_time_is_left() {
    let lost = Outcome::Refused(Refusal::HoldLost);
    let confirm = confirm_request(11, 1, 1);
    let start = || {
        let mut history = History::new();
        history.gets((0, 1, 2), 1, 1, &[3]);
        history
    };
    start().asks(200, &confirm).told(300, 200, &confirm, &lost).fails(&["hold", "linearizable"]);
    // Sent in time and delayed by the network: decided when the time was over.
    start().asks(300, &confirm).told(306, 300, &confirm, &lost).is_silent();
    // Released before.
    start()
        .asks(100, &release_request(10, 1, 1))
        .asks(200, &confirm)
        .told(201, 200, &confirm, &lost)
        .is_silent();
    // Another confirmation, never answered, booked it or had no effect: neither is a reason.
    start()
        .asks(100, &confirm_request(10, 1, 1))
        .asks(200, &confirm)
        .told(201, 200, &confirm, &lost)
        .fails(&["hold", "linearizable"]);
    let unavailable = Outcome::Refused(Refusal::Unavailable);
    start().asks(4, &confirm).told(5, 4, &confirm, &unavailable).is_silent();
}

#[test]
fn a_client_that_gave_up_on_a_confirmation_that_went_through() {
    let mut history = History::new();
    history.held(1, 1, 1, &[3]).gets((0, 1, 2), 1, 1, &[3]).asks(9, &confirm_request(11, 1, 1));
    history.oracles.gave_up(secs(30), asked(11, 9), tried(secs(9)));
    history.booked(31, 11, 1);
    let results = history.results(1_000, &[]);
    assert_eq!(verdict(&results, "lost-booking"), Verdict::NotExercised);
    assert!(results.iter().all(|result| result.verdict != Verdict::Fail), "{results:#?}");
}
