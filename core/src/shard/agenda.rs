//! When an owner ends holds.
//!
//! Owns the four ways to see to it that a hold ends, and what each remembers. Refuses to know
//! what an end does to a show.

use std::collections::{BTreeMap, BTreeSet};

use super::owner::head_of;
use crate::config::{Expiry, Setup};
use crate::id::{HoldId, ShowId};
use crate::record::Events;
use crate::show::{Event, Show};
use crate::time::{Instant, Span};

/// When holds are ended.
#[derive(Debug)]
pub(super) enum Agenda {
    /// At their ends, which stand in the shows. None ends before this.
    Due(Instant),
    /// By a job, and then all that are overdue.
    Swept {
        /// Its pace.
        every: Span,
        /// When it runs next.
        at: Instant,
    },
    /// Each at its own instant, if it lives then.
    Timers(BTreeSet<(Instant, ShowId, HoldId)>),
    /// Each at its own instant, whatever has become of it.
    Listed {
        /// Those that will be put on the list at this instant, if they live then.
        upcoming: BTreeSet<(Instant, ShowId, HoldId)>,
        /// The list: those that will be ended at this instant.
        doomed: BTreeSet<(Instant, ShowId, HoldId)>,
    },
}

impl Agenda {
    /// The agenda of an owner that begins at `now` with these shows.
    pub(super) fn new(now: Instant, setup: &Setup, shows: &BTreeMap<ShowId, Show>) -> Self {
        match setup.config.owner.expiry {
            Expiry::Due => Self::Due(
                shows.values().filter_map(Show::next_expiry).min().unwrap_or(Instant::MAX),
            ),
            Expiry::Swept => {
                let every = setup.config.owner.sweep_every;
                Self::Swept { every, at: after(now, every) }
            }
            Expiry::Timers => Self::Timers(BTreeSet::new()),
            Expiry::Listed => {
                let upcoming = shows.iter().flat_map(|(&id, show)| {
                    show.live().map(move |(hold, expires)| (expires, id, hold))
                });
                Self::Listed { upcoming: upcoming.collect(), doomed: BTreeSet::new() }
            }
        }
    }

    /// No hold is ended before this instant.
    pub(super) fn next(&self) -> Instant {
        let first = |ends: &BTreeSet<(Instant, ShowId, HoldId)>| {
            ends.first().map_or(Instant::MAX, |&(at, ..)| at)
        };
        match self {
            Self::Due(at) | Self::Swept { at, .. } => *at,
            Self::Timers(timers) => first(timers),
            Self::Listed { upcoming, doomed } => first(upcoming).min(first(doomed)),
        }
    }

    /// Ends what must not stand in the way of the next decision on a show.
    pub(super) fn end_before_decision(
        &self,
        head: &mut Show,
        id: ShowId,
        now: Instant,
        record: &mut Events,
    ) {
        if let Self::Due(_) = self {
            end_overdue(head, id, now, record);
        }
    }

    /// A show was decided on.
    pub(super) fn see(&mut self, head: &Show) {
        if let Self::Due(at) = self {
            *at = (*at).min(head.next_expiry().unwrap_or(Instant::MAX));
        }
    }

    /// Something changed.
    pub(super) fn note(&mut self, show: ShowId, event: &Event, setup: &Setup) {
        if let Event::Held { hold, expires, .. } = *event {
            match self {
                Self::Due(_) | Self::Swept { .. } => {}
                Self::Timers(timers) => {
                    timers.insert((setup.rules.end_of(expires), show, hold));
                }
                Self::Listed { upcoming, .. } => {
                    upcoming.insert((expires, show, hold));
                }
            }
        }
    }

    /// Ends what is to be ended at `now`.
    pub(super) fn end_due(
        &mut self,
        now: Instant,
        heads: &mut BTreeMap<ShowId, Show>,
        setup: &Setup,
        shows: &BTreeMap<ShowId, Show>,
        record: &mut Events,
    ) {
        if now < self.next() {
            return;
        }
        match self {
            Self::Due(at) => {
                end_all_overdue(now, heads, setup, shows, record);
                let untouched =
                    shows.iter().filter(|(id, _)| !heads.contains_key(id)).map(|(_, show)| show);
                *at = untouched
                    .chain(heads.values())
                    .filter_map(Show::next_expiry)
                    .min()
                    .unwrap_or(Instant::MAX);
            }
            Self::Swept { every, at } => {
                end_all_overdue(now, heads, setup, shows, record);
                *at = after(now, *every);
            }
            Self::Timers(timers) => {
                for (id, hold) in over(timers, now) {
                    let head = head_of(heads, id, setup, shows);
                    if head.live_until(hold).is_some() {
                        end(head, id, hold, now, record);
                    }
                }
            }
            Self::Listed { upcoming, doomed } => {
                for (id, hold) in over(upcoming, now) {
                    let head = head_of(heads, id, setup, shows);
                    if let Some(expires) = head.live_until(hold) {
                        doomed.insert((setup.rules.end_of(expires), id, hold));
                    }
                }
                for (id, hold) in over(doomed, now) {
                    end(head_of(heads, id, setup, shows), id, hold, now, record);
                }
            }
        }
    }
}

/// The first multiple of `every` after `now`.
fn after(now: Instant, every: Span) -> Instant {
    Instant((now.0 / every.0 + 1) * every.0)
}

/// Takes out what stands at `now` or before.
fn over(ends: &mut BTreeSet<(Instant, ShowId, HoldId)>, now: Instant) -> Vec<(ShowId, HoldId)> {
    let later = ends.split_off(&(Instant(now.0 + 1), ShowId(0), HoldId(0)));
    std::mem::replace(ends, later).into_iter().map(|(_, show, hold)| (show, hold)).collect()
}

fn end_all_overdue(
    now: Instant,
    heads: &mut BTreeMap<ShowId, Show>,
    setup: &Setup,
    shows: &BTreeMap<ShowId, Show>,
    record: &mut Events,
) {
    for (&id, show) in shows {
        // Cloned only if there is something to end.
        let due = heads.get(&id).unwrap_or(show).next_expiry().is_some_and(|at| at <= now);
        if due {
            end_overdue(head_of(heads, id, setup, shows), id, now, record);
        }
    }
    for (&id, head) in heads.iter_mut().filter(|(id, _)| !shows.contains_key(id)) {
        end_overdue(head, id, now, record);
    }
}

fn end_overdue(head: &mut Show, id: ShowId, now: Instant, record: &mut Events) {
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
