//! The findings of an oracle, and their wording.
//!
//! Owns the count of failures, the few that are kept, and the phrases for seats, holds and
//! bookings. Refuses to know what a failure is.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use onsale_booking::{
    HoldId, Instant, Outcome, Refusal, Request, RequestId, SeatId, SeatList, ShowId, UserId, Wish,
};
use onsale_reports::{Evidence, Oracle, OracleResult, Verdict};

use super::journal::{Grant, State};
use super::known::Known;
use super::rule::Rule;

/// Failures reported in full; the others are counted.
const STORIES_MAX: usize = 3;

/// Prefix of each further failure's headline, among the details of the first.
pub const ALSO: &str = "also: ";

/// One failure, in a few lines.
#[derive(Debug)]
pub struct Story {
    /// The broken promise, and the person or thing concerned.
    pub headline: String,
    /// Evidence: what clients were told and what disks hold.
    pub lines: Vec<String>,
}

/// The current instant of a run: the run sets it, and findings are dated by it.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    #[inline]
    pub(super) fn set(&self, now: Instant) {
        assert!(now >= self.now(), "time does not go back");
        self.0.store(now.micros(), Ordering::Relaxed);
    }

    fn now(&self) -> Instant {
        Instant(self.0.load(Ordering::Relaxed))
    }
}

/// The checks and failures of one oracle.
#[derive(Debug)]
pub struct Findings {
    oracle: Oracle,
    checked: u64,
    failures: u64,
    /// The broken rules, each once.
    broken: Vec<Rule>,
    /// The first failures, each with the instant of its discovery.
    stories: Vec<(Option<Instant>, Story)>,
    /// `None` for judges that use a run's figures alone.
    clock: Option<Clock>,
}

impl Findings {
    /// Findings without a check.
    pub const fn new(oracle: Oracle) -> Self {
        Self {
            oracle,
            checked: 0,
            failures: 0,
            broken: Vec::new(),
            stories: Vec::new(),
            clock: None,
        }
    }

    /// Dates later failures by this clock.
    pub fn go_by(&mut self, clock: &Clock) {
        self.clock = Some(clock.clone());
    }

    /// Counts a check.
    #[inline]
    pub const fn checks(&mut self) {
        self.checked += 1;
    }

    /// Number of checks.
    pub const fn checked(&self) -> u64 {
        self.checked
    }

    /// Counts a failure by a rule; `story` is called only for the first few.
    ///
    /// # Panics
    /// If the rule is another oracle's.
    pub fn fail(&mut self, rule: Rule, story: impl FnOnce() -> Story) {
        assert_eq!(rule.oracle, self.oracle, "an oracle judges by its own rules");
        self.failures += 1;
        if !self.broken.contains(&rule) {
            self.broken.push(rule);
        }
        if self.stories.len() < STORIES_MAX {
            self.stories.push((self.clock.as_ref().map(Clock::now), story()));
        }
    }

    /// Number of failures.
    pub const fn failures(&self) -> u64 {
        self.failures
    }

    /// The oracle's name with the headline of each reported failure.
    pub fn headlines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.stories.iter().map(|(_, story)| (self.oracle.name(), story.headline.as_str()))
    }

    /// The verdict: fail if there was a failure, else pass or not exercised, as `exercised` says.
    ///
    /// # Panics
    /// If the reported failures do not match the count.
    pub fn finish(self, exercised: bool) -> OracleResult {
        let told = self.stories.len() as u64;
        assert_eq!(told, self.failures.min(STORIES_MAX as u64), "the first failures are kept");
        let verdict = if self.failures > 0 {
            Verdict::Fail
        } else if exercised {
            Verdict::Pass
        } else {
            Verdict::NotExercised
        };
        OracleResult {
            name: self.oracle.name().to_owned(),
            verdict,
            checked: self.checked,
            evidence: self.evidence(),
        }
    }

    fn evidence(self) -> Option<Evidence> {
        let mut stories = self.stories.into_iter();
        let (found, Story { headline, lines: mut details }) = stories.next()?;
        for (_, Story { headline, lines }) in stories {
            details.push(format!("{ALSO}{headline}"));
            details.extend(lines);
        }
        let untold = self.failures - self.failures.min(STORIES_MAX as u64);
        if untold > 0 {
            details.push(format!("and {untold} more"));
        }
        let found_us = found.map(Instant::micros);
        let rules = self.broken.iter().map(|rule| rule.name.to_owned()).collect();
        Some(Evidence { headline, rules, details, follow: Vec::new(), found_us })
    }
}

impl Known {
    /// The phrase for a seat, `show0 seat 1234 (section 3, row 2, place 9)`, all counted from 0.
    pub(super) fn seat(&self, show: ShowId, seat: SeatId) -> String {
        let (section, within) =
            (seat.0 / self.settings.seats_per_section, seat.0 % self.settings.seats_per_section);
        let (row, place) =
            (within / self.settings.seats_per_row, within % self.settings.seats_per_row);
        format!("{show} seat {} (section {section}, row {row}, place {place})", seat.0)
    }

    /// Evidence of the seats that a wish may get, as far as the journal is read.
    pub(super) fn free(&self, show: ShowId, wish: &Wish) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for &seat in &wish.picked {
            match self.journal.on_seat(show, seat) {
                None => lines.push(format!("journal: {} was never held", self.seat(show, seat))),
                Some(last) => lines.extend(self.about(last.hold)),
            }
        }
        lines.extend(self.seats.tell(show, wish));
        lines
    }

    /// Evidence of both folds about a hold, in the order of time as far as it is known.
    pub(super) fn about(&self, hold: HoldId) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(entry) = self.journal.get(hold) {
            let grant = &entry.known;
            lines.push(held(hold, entry.show, &entry.seats, grant));
            lines.extend(match grant.state {
                State::Held => None,
                State::Booked { request, at, position } => Some(format!(
                    "journal {position}: {hold} booked by {request} at {at} of the log's time"
                )),
                State::Released { request, at, position } => Some(format!(
                    "journal {position}: {hold} released by {request} at {at} of the log's time"
                )),
                State::Expired { at, position } => {
                    Some(format!("journal {position}: {hold} expired at {at} of the log's time"))
                }
            });
        } else {
            lines.push(format!("journal: {hold} is not in it, or ended long ago"));
        }
        if let Some(entry) = self.clients.get(hold) {
            let told = &entry.known;
            if told.from < told.expires {
                lines.push(format!(
                    "client {}: told at {} that {} grants {hold} until {}: {}",
                    told.user,
                    told.from,
                    told.request,
                    told.expires,
                    seats(entry.show, &entry.seats)
                ));
            }
            lines.extend(
                told.released
                    .map(|at| format!("client {}: asked at {at} to release {hold}", told.user)),
            );
            lines.extend(told.booked.map(|booking| {
                let seats = seats(entry.show, &entry.seats);
                format!(
                    "client {}: told at {} that {} made {hold} a booking: {seats}",
                    booking.user, booking.at, booking.request
                )
            }));
        }
        lines
    }
}

/// The phrase for a wish: `client u17: r4352 picks show0 seats 1 2 and the best 2 of section 3`.
pub(super) fn asks(user: UserId, request: RequestId, show: ShowId, wish: &Wish) -> String {
    let mut text = format!("client {user}: {request} picks {}", seats(show, &wish.picked));
    for (section, count) in &wish.best {
        write!(text, " and the best {count} of {section}")
            .expect("writing to a string cannot fail");
    }
    text
}

/// The phrase for seats, `show0 seats 12 13`.
pub(super) fn seats(show: ShowId, seats: &SeatList) -> String {
    let mut text = format!("{show} {}", if seats.len() == 1 { "seat" } else { "seats" });
    for seat in seats {
        write!(text, " {}", seat.0).expect("writing to a string cannot fail");
    }
    text
}

/// Whether two lists name the same seats, in any order.
pub(super) fn same_seats(one: &SeatList, other: &SeatList) -> bool {
    let sorted = |list: &SeatList| {
        let mut list = list.clone();
        list.sort_unstable();
        list
    };
    one == other || sorted(one) == sorted(other)
}

/// The phrase for a record of a hold.
pub(super) fn held(hold: HoldId, show: ShowId, list: &SeatList, grant: &Grant) -> String {
    let Grant { user, at, expires, held, .. } = grant;
    let seats = seats(show, list);
    format!(
        "journal {held}: {hold} of {user} held at {at} until {expires} of the log's time: {seats}"
    )
}

/// The phrase for a request and its answer.
pub(super) fn exchange(
    request: &Request,
    (asked, told): (Instant, Instant),
    outcome: &Outcome,
) -> String {
    let Request { id, user, show, .. } = request;
    format!("client {user}: asked {id} at {asked}, told at {told}: {}", tell(*show, outcome))
}

/// The phrase for a refusal.
pub(super) fn refused(user: UserId, request: RequestId, at: Instant, refusal: Refusal) -> String {
    format!("client {user}: told at {at} that {request} is refused: {refusal:?}")
}

/// The phrase for an answer.
pub(super) fn tell(show: ShowId, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Held { hold, seats: list, expires } => {
            format!("{hold} is granted until {expires}: {}", seats(show, list))
        }
        Outcome::Booked { hold, seats: list } => format!("{hold} is booked: {}", seats(show, list)),
        Outcome::Released { hold } => format!("{hold} is released"),
        Outcome::Refused(refusal) => format!("refused: {refusal:?}"),
    }
}
