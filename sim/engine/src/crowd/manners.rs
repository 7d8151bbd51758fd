//! The habits of ill-mannered people, and the requests that they add to those of sessions.
//!
//! Owns who has which habit, the added requests until each is answered or given up, and when shows go quiet. A person's
//! habits are a function of the demand seed and the person's number; each habit draws from a stream of its own. Refuses
//! to know sessions, and how requests travel.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::{Instant, Outcome, Request, RequestId, ShowId, Span};
use onsale_scenarios::{Manners as Settings, Ratio, Scenario};
use onsale_world::sample::{hits, uniform};
use onsale_world::stream::{UserDraws, below, fork};

use crate::seen::asked::{refusal_name, request_id};
use crate::seen::fate::Told;

/// A bad habit. The numbers are part of every seed's meaning: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Habit {
    /// Pays for another person's hold, or releases it.
    NamesOthers = 0,
    /// Pays for a hold that never was, or releases it.
    NamesNothing = 1,
    /// Asks for more seats than a request may name.
    AsksTooMuch = 2,
    /// Names one seat twice.
    NamesTwice = 3,
    /// Sends each request twice at once.
    DoubleClicks = 4,
    /// Pays a second time.
    PaysTwice = 5,
    /// Releases a second time.
    ReleasesTwice = 6,
    /// Pays for what it has just released.
    PaysReleased = 7,
    /// Repeats a request long after its answer.
    StaleRetries = 8,
}

/// What a person with a habit draws for it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Draw {
    Has = 0,
    Choice = 1,
    Pause = 2,
    Amount = 3,
}

/// Number of a person's first added request; sessions stay below it.
const FIRST: u8 = 128;
/// Number of a request that nobody ever makes: a hold named after it never is.
const NEVER: u8 = u8::MAX;

impl Habit {
    /// The name, as the settings spell it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::NamesOthers => "names-others",
            Self::NamesNothing => "names-nothing",
            Self::AsksTooMuch => "asks-too-much",
            Self::NamesTwice => "names-twice",
            Self::DoubleClicks => "double-clicks",
            Self::PaysTwice => "pays-twice",
            Self::ReleasesTwice => "releases-twice",
            Self::PaysReleased => "pays-released",
            Self::StaleRetries => "stale-retries",
        }
    }

    /// The id of the request that a person adds by this habit.
    pub(super) const fn request(self, user: u32) -> RequestId {
        request_id(user, FIRST + self as u8)
    }

    const fn share(self, settings: &Settings) -> Ratio {
        match self {
            Self::NamesOthers => settings.names_others,
            Self::NamesNothing => settings.names_nothing,
            Self::AsksTooMuch => settings.asks_too_much,
            Self::NamesTwice => settings.names_twice,
            Self::DoubleClicks => settings.double_clicks,
            Self::PaysTwice => settings.pays_twice,
            Self::ReleasesTwice => settings.releases_twice,
            Self::PaysReleased => settings.pays_released,
            Self::StaleRetries => settings.stale_retries,
        }
    }
}

/// A request that nobody ever makes.
pub(super) const fn never_made(user: u32) -> RequestId {
    request_id(user, NEVER)
}

/// An added request that is to be sent.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) habit: Habit,
    pub(super) user: u32,
    /// The request of the person's session that it belongs to.
    pub(super) of: Request,
    /// The answer to it, if it is to be repeated.
    pub(super) first: Option<First>,
}

/// The first answer to a request that is repeated.
#[derive(Clone, Debug)]
pub(super) struct First {
    pub(super) asked: Instant,
    pub(super) told: Instant,
    pub(super) outcome: Outcome,
}

/// An added request that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) habit: Habit,
    pub(super) request: Request,
    pub(super) asked: Instant,
    /// Instant at which the client gives up.
    pub(super) ends: Instant,
    pub(super) gateway: u16,
    /// The first answer, if it repeats an answered request.
    pub(super) first: Option<First>,
}

/// The ill-mannered part of a crowd.
#[derive(Debug)]
pub(super) struct Manners {
    settings: Settings,
    seed: u64,
    due: BTreeMap<(Instant, RequestId), Due>,
    open: BTreeMap<RequestId, Open>,
    /// The open requests by the instants at which they are given up.
    patience: BTreeSet<(Instant, RequestId)>,
    /// By show, the instant from which nobody asks about it; `MAX` if people always do.
    quiet: Vec<Instant>,
    told: Told,
}

impl Manners {
    pub(super) fn new(settings: &Settings, scenario: &Scenario, demand_seed: u64) -> Self {
        let shows = UserDraws::new(fork(demand_seed, "manners/quiet"), 0);
        let quiet_from = |show| {
            if !hits(shows.draw(0, show), settings.quiet_shows) {
                return Instant::MAX;
            }
            Instant::ZERO + uniform(shows.draw(1, show), settings.quiet_from, settings.quiet_by)
        };
        Self {
            settings: settings.clone(),
            seed: fork(demand_seed, "manners"),
            due: BTreeMap::new(),
            open: BTreeMap::new(),
            patience: BTreeSet::new(),
            quiet: (0..scenario.sale.shows).map(quiet_from).collect(),
            told: Told::new(),
        }
    }

    /// Whether a person has a habit.
    pub(super) fn has(&self, user: u32, habit: Habit) -> bool {
        let share = habit.share(&self.settings);
        !share.is_never() && hits(self.draw(user, habit, Draw::Has, 0), share)
    }

    /// A draw of a person for a habit, below `bound`; `nth` numbers repeated draws.
    pub(super) fn choice(&self, user: u32, habit: Habit, of: Draw, nth: u8, bound: u64) -> u64 {
        below(self.draw(user, habit, of, nth), bound)
    }

    /// The time that a person takes before it adds a request: none for half of them, else up to `most`.
    pub(super) fn pause(&self, user: u32, habit: Habit, most: Span) -> Span {
        if self.choice(user, habit, Draw::Pause, 1, 2) == 0 {
            return Span::ZERO;
        }
        uniform(self.draw(user, habit, Draw::Pause, 0), Span::ZERO, most)
    }

    /// The time from an answer to its stale retry.
    pub(super) fn stale_after(&self, user: u32) -> Span {
        let most = self.settings.stale_after;
        let bits = self.draw(user, Habit::StaleRetries, Draw::Pause, 0);
        uniform(bits, Span((most.0 / 8).max(1)), most)
    }

    /// Whether a show has gone quiet by an instant.
    pub(super) fn is_quiet(&self, show: ShowId, at: Instant) -> bool {
        self.quiet[show.0 as usize] <= at
    }

    /// Whether no added request is to be sent or open.
    pub(super) fn is_done(&self) -> bool {
        self.due.is_empty() && self.open.is_empty()
    }

    /// Instant of the next request to be sent or given up.
    pub(super) fn next_wake(&self) -> Instant {
        let due = self.due.first_key_value().map_or(Instant::MAX, |(&(at, _), _)| at);
        self.patience.first().map_or(due, |&(ends, _)| due.min(ends))
    }

    /// Adds a request to be sent at an instant.
    pub(super) fn plan(&mut self, at: Instant, due: Due) {
        let id = match due.first {
            Some(_) => due.of.id,
            None => due.habit.request(due.user),
        };
        self.due.insert((at, id), due);
    }

    /// Removes and returns the next request to be sent before `end`.
    pub(super) fn take_due(&mut self, end: Instant) -> Option<(Instant, Due)> {
        let next = self.due.first_entry().filter(|next| next.key().0 < end)?;
        let (at, _) = *next.key();
        Some((at, next.remove()))
    }

    /// Adds a sent request.
    pub(super) fn wait(&mut self, open: Open) {
        let id = open.request.id;
        self.patience.insert((open.ends, id));
        if let Some(before) = self.open.insert(id, open) {
            self.patience.remove(&(before.ends, id));
        }
    }

    /// An open request.
    pub(super) fn open(&mut self, id: RequestId) -> Option<&mut Open> {
        self.open.get_mut(&id)
    }

    /// All open requests.
    pub(super) fn all_open(&self) -> impl Iterator<Item = &Open> {
        self.open.values()
    }

    /// Removes and returns an open request.
    pub(super) fn close(&mut self, id: RequestId) -> Option<Open> {
        let open = self.open.remove(&id)?;
        self.patience.remove(&(open.ends, id));
        Some(open)
    }

    /// Removes and returns the next request that is given up before `end`.
    pub(super) fn take_given_up(&mut self, end: Instant) -> Option<Open> {
        let &(_, id) = self.patience.first().filter(|(ends, _)| *ends < end)?;
        self.close(id)
    }

    /// Counts an answer; `None` if there was none.
    pub(super) fn count(&mut self, habit: Habit, answer: Option<&Outcome>) {
        *self.told.entry(habit.name()).or_default().entry(name(answer)).or_default() += 1;
    }

    /// Number of added requests so far, by habit and answer.
    pub(super) const fn told(&self) -> &Told {
        &self.told
    }

    fn draw(&self, user: u32, habit: Habit, of: Draw, nth: u8) -> u64 {
        let draws = UserDraws::new(self.seed ^ (habit as u64) << 56, user);
        draws.draw(of as u8, u32::from(nth))
    }
}

const fn name(answer: Option<&Outcome>) -> &'static str {
    match answer {
        None => "unanswered",
        Some(Outcome::Held { .. }) => "held",
        Some(Outcome::Booked { .. }) => "booked",
        Some(Outcome::Released { .. }) => "released",
        Some(Outcome::Refused(refusal)) => refusal_name(*refusal),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(share: Ratio) -> Settings {
        Settings {
            names_others: share,
            names_nothing: share,
            quiet_shows: share,
            ..Settings::default()
        }
    }

    #[test]
    fn a_habit_of_others_changes_no_persons_habits() {
        let scenario = Scenario::default();
        let half = Ratio::percent(50);
        let both = Manners::new(&all(half), &scenario, 7);
        let one = Settings { names_nothing: Ratio::ALWAYS, ..all(half) };
        let one = Manners::new(&one, &scenario, 7);
        let with = |manners: &Manners, habit| {
            (0..1_000).filter(|&user| manners.has(user, habit)).collect::<Vec<u32>>()
        };
        let others = with(&both, Habit::NamesOthers);
        assert!((400..600).contains(&others.len()), "{} of 1,000", others.len());
        assert_eq!(others, with(&one, Habit::NamesOthers));
        assert_ne!(others, with(&both, Habit::NamesNothing));
        assert_eq!(with(&one, Habit::NamesNothing).len(), 1_000);
        assert_eq!(with(&one, Habit::PaysTwice).len(), 0);
        assert_eq!(both.quiet, one.quiet);
        let quiet = both.quiet.iter().filter(|&&at| at < Instant::MAX).count();
        assert!((8..24).contains(&quiet), "{quiet} of 32 shows go quiet");
    }

    #[test]
    fn added_requests_have_numbers_of_their_own() {
        for habit in [Habit::NamesOthers, Habit::StaleRetries] {
            let id = habit.request(3);
            assert!(id > request_id(3, FIRST - 1) && id < never_made(3), "{id}");
        }
    }
}
