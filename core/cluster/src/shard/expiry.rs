//! When a leader ends holds.
//!
//! Owns the four ways to end holds, and the state of each. Refuses to know what an end does to a show.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::{Event, HoldId, Instant, Show, ShowId, Span};

use super::leader::head_of;
use crate::config::{Expiry, Setup};
use crate::mark::Mark;
use crate::record::Events;

/// The turn's events and marks.
type TurnLog<'a> = (&'a mut Events, &'a mut Vec<Mark>);

/// The expiry policy of one leader.
#[derive(Debug)]
pub(super) struct HoldExpiry {
    /// When the leader began to serve.
    since: Instant,
    policy: Policy,
}

#[derive(Debug)]
enum Policy {
    /// At their ends, which the shows know. No hold ends before this instant.
    Due(Instant),
    /// By a periodic job that ends all overdue holds.
    Swept {
        /// The job's period.
        every: Span,
        /// The job's next run.
        at: Instant,
    },
    /// By a timer for each hold, if the hold is still live then.
    Timers(BTreeSet<(Instant, ShowId, HoldId)>),
    /// By a list that is not checked again: each hold ends at its instant, even if it was booked since.
    Listed {
        /// Holds that go on the list at this instant, if they are live then.
        upcoming: BTreeSet<(Instant, ShowId, HoldId)>,
        /// The list: holds that end at this instant.
        doomed: BTreeSet<(Instant, ShowId, HoldId)>,
    },
}

impl HoldExpiry {
    /// The expiry of a leader that begins at `now` with these shows.
    pub(super) fn new(now: Instant, setup: &Setup, shows: &BTreeMap<ShowId, Show>) -> Self {
        let policy = match setup.config.leader.expiry {
            Expiry::Due => Policy::Due(
                shows.values().filter_map(Show::next_expiry).min().unwrap_or(Instant::MAX),
            ),
            Expiry::Swept => {
                let every = setup.config.leader.sweep_every;
                Policy::Swept { every, at: after(now, every) }
            }
            Expiry::Timers => Policy::Timers(BTreeSet::new()),
            Expiry::Listed => {
                let upcoming = shows.iter().flat_map(|(&id, show)| {
                    show.live().map(move |(hold, expires)| (expires, id, hold))
                });
                Policy::Listed { upcoming: upcoming.collect(), doomed: BTreeSet::new() }
            }
        };
        Self { since: now, policy }
    }

    /// The earliest instant at which a hold may end.
    pub(super) fn next(&self) -> Instant {
        let first = |ends: &BTreeSet<(Instant, ShowId, HoldId)>| {
            ends.first().map_or(Instant::MAX, |&(at, ..)| at)
        };
        match &self.policy {
            Policy::Due(at) | Policy::Swept { at, .. } => *at,
            Policy::Timers(timers) => first(timers),
            Policy::Listed { upcoming, doomed } => first(upcoming).min(first(doomed)),
        }
    }

    /// Ends the holds that must not block the next decision on a show.
    pub(super) fn end_before_decision(
        &self,
        head: &mut Show,
        id: ShowId,
        now: Instant,
        log: TurnLog<'_>,
    ) {
        if let Policy::Due(at) = self.policy
            && at <= now
        {
            end_overdue(head, id, now, self.since, log);
        }
    }

    /// Notes a show on which a decision was made.
    pub(super) fn see(&mut self, head: &Show) {
        if let Policy::Due(at) = &mut self.policy {
            *at = (*at).min(head.next_expiry().unwrap_or(Instant::MAX));
        }
    }

    /// Notes an event.
    pub(super) fn note(&mut self, show: ShowId, event: &Event, setup: &Setup) {
        if let Event::Held { hold, expires, .. } = *event {
            match &mut self.policy {
                Policy::Due(_) | Policy::Swept { .. } => {}
                Policy::Timers(timers) => {
                    timers.insert((setup.rules.end_of(expires), show, hold));
                }
                Policy::Listed { upcoming, .. } => {
                    upcoming.insert((expires, show, hold));
                }
            }
        }
    }

    /// Ends the holds that are due at `now`.
    pub(super) fn end_due(
        &mut self,
        now: Instant,
        heads: &mut BTreeMap<ShowId, Show>,
        setup: &Setup,
        shows: &BTreeMap<ShowId, Show>,
        log: TurnLog<'_>,
    ) {
        if now < self.next() {
            return;
        }
        let since = self.since;
        match &mut self.policy {
            Policy::Due(at) => {
                end_all_overdue(now, heads, setup, shows, since, log);
                let untouched =
                    shows.iter().filter(|(id, _)| !heads.contains_key(id)).map(|(_, show)| show);
                *at = untouched
                    .chain(heads.values())
                    .filter_map(Show::next_expiry)
                    .min()
                    .unwrap_or(Instant::MAX);
            }
            Policy::Swept { every, at } => {
                end_all_overdue(now, heads, setup, shows, since, log);
                *at = after(now, *every);
            }
            Policy::Timers(timers) => {
                for (id, hold) in over(timers, now) {
                    let head = head_of(heads, id, setup, shows);
                    if head.live_until(hold).is_some() {
                        end(head, id, hold, now, log.0);
                    }
                }
            }
            Policy::Listed { upcoming, doomed } => {
                for (id, hold) in over(upcoming, now) {
                    let head = head_of(heads, id, setup, shows);
                    if let Some(expires) = head.live_until(hold) {
                        doomed.insert((setup.rules.end_of(expires), id, hold));
                    }
                }
                for (id, hold) in over(doomed, now) {
                    end(head_of(heads, id, setup, shows), id, hold, now, log.0);
                }
            }
        }
    }
}

/// The first multiple of `every` after `now`.
fn after(now: Instant, every: Span) -> Instant {
    Instant((now.0 / every.0 + 1) * every.0)
}

/// Takes out the holds due at `now` or before.
fn over(ends: &mut BTreeSet<(Instant, ShowId, HoldId)>, now: Instant) -> Vec<(ShowId, HoldId)> {
    let later = ends.split_off(&(Instant(now.0 + 1), ShowId(0), HoldId(0)));
    std::mem::replace(ends, later).into_iter().map(|(_, show, hold)| (show, hold)).collect()
}

fn end_all_overdue(
    now: Instant,
    heads: &mut BTreeMap<ShowId, Show>,
    setup: &Setup,
    shows: &BTreeMap<ShowId, Show>,
    since: Instant,
    (record, marks): TurnLog<'_>,
) {
    for (&id, show) in shows {
        // Cloned only if there is something to end.
        let due = heads.get(&id).unwrap_or(show).next_expiry().is_some_and(|at| at <= now);
        if due {
            let head = head_of(heads, id, setup, shows);
            end_overdue(head, id, now, since, (record, marks));
        }
    }
    for (&id, head) in heads.iter_mut().filter(|(id, _)| !shows.contains_key(id)) {
        end_overdue(head, id, now, since, (record, marks));
    }
}

/// Ends the overdue holds of a show. Marks if one of them was overdue before the leader began to serve.
fn end_overdue(
    head: &mut Show,
    id: ShowId,
    now: Instant,
    since: Instant,
    (record, marks): TurnLog<'_>,
) {
    if head.next_expiry().is_some_and(|end| end < since) {
        marks.push(Mark::HoldExpiredInFailover);
    }
    while let Some(event) = head.overdue(now) {
        head.apply(&event);
        record.push((id, event));
    }
}

fn end(head: &mut Show, id: ShowId, hold: HoldId, now: Instant, record: &mut Events) {
    let event = Event::Expired { hold, at: now };
    head.apply(&event);
    record.push((id, event));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use onsale_booking::{Checks, Hall, PaymentId, RequestId, Rules, SeatId, Unfit, UserId};

    use super::*;
    use crate::config::{Config, LeaderConfig};
    use crate::placement::Placement;

    const SHOW: ShowId = ShowId(0);

    struct Desk {
        setup: Setup,
        expiry: HoldExpiry,
        heads: BTreeMap<ShowId, Show>,
        record: Events,
    }

    /// One show of four seats in which h1 is held from 0 until 100, with a grace of 10; then a leader begins with this
    /// expiry, which grants h2 at 50.
    fn desk(expiry: Expiry) -> Desk {
        let checks = Checks { unfit: Unfit::Overwrites, ..Checks::COMPLETE };
        let (hold, grace, remember) = (Span(100), Span(10), Span(1_000));
        let rules = Rules { hold, grace, seats_per_request: 4, remember, checks };
        let leader = LeaderConfig { expiry, sweep_every: Span(1_000), ..LeaderConfig::default() };
        let setup = Setup {
            config: Config { leader, ..Config::example() },
            placement: Arc::new(Placement::new(1, 1, 1, 1)),
            hall: Arc::new(Hall::uniform(1, 1, 4)),
            rules,
            shows: 1,
            homes: Vec::new(),
        };
        let mut show = Show::new(Arc::clone(&setup.hall), rules);
        show.apply(&held(1, 0));
        let expiry = HoldExpiry::new(Instant(20), &setup, &BTreeMap::from([(SHOW, show.clone())]));
        let heads = BTreeMap::from([(SHOW, show)]);
        let mut desk = Desk { setup, expiry, heads, record: Events::new() };
        desk.apply(&held(2, 50));
        desk
    }

    fn held(hold: u64, at: u64) -> Event {
        Event::Held {
            hold: HoldId(hold),
            user: UserId(0),
            seats: [SeatId(hold as u32)].into_iter().collect(),
            at: Instant(at),
            expires: Instant(at + 100),
        }
    }

    impl Desk {
        fn apply(&mut self, event: &Event) {
            let head = self.heads.get_mut(&SHOW).expect("there is one show");
            head.apply(event);
            self.expiry.note(SHOW, event, &self.setup);
            self.expiry.see(head);
        }

        /// The holds that end at `now`, if it is time.
        fn end(&mut self, now: u64) -> Vec<u64> {
            let (mut marks, shows) = (Vec::new(), BTreeMap::new());
            let log = (&mut self.record, &mut marks);
            self.expiry.end_due(Instant(now), &mut self.heads, &self.setup, &shows, log);
            self.record.drain(..).map(|(_, event)| event.hold().0).collect()
        }
    }

    #[test]
    fn every_hold_ends_at_its_end() {
        let mut desk = desk(Expiry::Due);
        assert_eq!(desk.expiry.next(), Instant(110));
        assert_eq!((desk.end(109), desk.end(110), desk.end(160)), (vec![], vec![1], vec![2]));
        assert_eq!(desk.expiry.next(), Instant::MAX);
    }

    #[test]
    fn a_job_ends_what_is_overdue_when_it_runs() {
        let mut desk = desk(Expiry::Swept);
        assert_eq!(desk.expiry.next(), Instant(1_000));
        assert_eq!((desk.end(999), desk.end(1_000)), (vec![], vec![1, 2]));
        assert_eq!(desk.expiry.next(), Instant(2_000));
    }

    #[test]
    fn timers_are_those_of_the_leader_that_granted() {
        let mut desk = desk(Expiry::Timers);
        assert_eq!(desk.expiry.next(), Instant(160));
        assert_eq!(desk.end(500), [2], "no leader has a timer for another one's hold");
    }

    #[test]
    fn a_list_is_not_looked_at_again() {
        let mut desk = desk(Expiry::Listed);
        assert_eq!(desk.end(100), [], "both are on the list once their time is over");
        assert_eq!(desk.end(150), [1]);
        let booked = Event::Booked {
            request: RequestId(3),
            hold: HoldId(2),
            payment: PaymentId(0),
            at: Instant(155),
        };
        desk.apply(&booked);
        assert_eq!(desk.end(160), [2], "booked or not");
    }
}
