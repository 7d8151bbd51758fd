//! The seller: decides requests in order, and answers once a decision is durable.
//!
//! Owns the shows, the decisions not yet durable, and the replies that wait for them. It has no clock, disk or network
//! of its own. Refuses to know how long anything takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use onsale_booking::{Decision, Event, Instant, Outcome, Refusal, Reply, Request, Show, ShowId};

use super::Setup;
use super::log::Line;

/// The seller of one process, from its start to its death.
#[derive(Debug)]
pub(super) struct Seller {
    setup: Arc<Setup>,
    /// Number of the process's start.
    term: u64,
    shows: BTreeMap<ShowId, Show>,
    /// Latest instant of a decision: its time never goes back, even if a clock does.
    time: Instant,
    /// Lines written so far, the one in flight included.
    lines: u64,
    /// Changes since the last write began.
    fresh: Vec<(ShowId, Event)>,
    /// Replies that depend on those changes, or on durable state alone.
    replies: Vec<Reply>,
    /// Replies that depend on the write in flight, if there is one.
    in_flight: Option<Vec<Reply>>,
}

impl Seller {
    /// The seller of a started process, with the state in its log. What it has read back is not known to be durable: if
    /// there is any, the process writes it once more, and that write is in flight.
    pub(super) fn new(setup: Arc<Setup>, term: u64, log: &[Line]) -> Self {
        let mut seller = Self {
            setup,
            term,
            shows: BTreeMap::new(),
            time: Instant::ZERO,
            lines: log.len() as u64,
            fresh: Vec::new(),
            replies: Vec::new(),
            in_flight: (!log.is_empty()).then(Vec::new),
        };
        for (show, event) in log.iter().flat_map(|line| &line.events) {
            seller.time = seller.time.max(event.at());
            seller.show(*show).apply(event);
        }
        seller
    }

    /// Decides a request, after ending overdue holds.
    pub(super) fn decide(&mut self, now: Instant, request: &Request) {
        let now = self.reach(now);
        let (id, show) = (request.id, request.show);
        if show.0 >= self.setup.shows {
            let outcome = Outcome::Refused(Refusal::BadRequest);
            return self.replies.push(Reply { request: id, outcome });
        }
        self.expire(show, now);
        let outcome = match self.show(show).decide(request, now) {
            Decision::Answer(outcome) => outcome,
            Decision::Record(event) => {
                let outcome = self.show(show).outcome(&event);
                self.show(show).apply(&event);
                self.fresh.push((show, event));
                outcome
            }
        };
        self.replies.push(Reply { request: id, outcome });
    }

    /// Ends every hold whose time and grace are over.
    pub(super) fn wake(&mut self, now: Instant) {
        let now = self.reach(now);
        let shows: Vec<ShowId> = self.shows.keys().copied().collect();
        shows.into_iter().for_each(|show| self.expire(show, now));
    }

    /// Completes the write in flight; returns its replies.
    pub(super) fn persisted(&mut self) -> Vec<Reply> {
        self.in_flight.take().expect("only a write in flight becomes durable")
    }

    /// The next line to write, if there are changes and no write is in flight.
    pub(super) fn write(&mut self) -> Option<Line> {
        if self.in_flight.is_some() || self.fresh.is_empty() {
            return None;
        }
        self.lines += 1;
        self.in_flight = Some(std::mem::take(&mut self.replies));
        let events = std::mem::take(&mut self.fresh);
        Some(Line { index: self.lines, term: self.term, events })
    }

    /// Takes the replies that depend on durable state alone; all of them, if it is hasty.
    pub(super) fn take_replies(&mut self) -> Vec<Reply> {
        if self.setup.is_hasty || self.in_flight.is_none() && self.fresh.is_empty() {
            std::mem::take(&mut self.replies)
        } else {
            Vec::new()
        }
    }

    /// Instant at which the next hold ends.
    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.shows.values().filter_map(Show::next_expiry).min()
    }

    /// Each show as bytes; `None` if a change is not durable.
    pub(super) fn portrait(&self) -> Option<Vec<(ShowId, Vec<u8>)>> {
        let is_durable = self.in_flight.is_none() && self.fresh.is_empty();
        is_durable.then(|| self.shows.iter().map(|(&id, show)| (id, show.snapshot())).collect())
    }

    fn expire(&mut self, id: ShowId, now: Instant) {
        let show = self.show(id);
        let mut ended = Vec::new();
        while let Some(event) = show.overdue(now) {
            show.apply(&event);
            ended.push((id, event));
        }
        self.fresh.append(&mut ended);
    }

    fn show(&mut self, id: ShowId) -> &mut Show {
        let Setup { hall, rules, .. } = &*self.setup;
        self.shows.entry(id).or_insert_with(|| Show::new(hall.clone(), *rules))
    }

    fn reach(&mut self, now: Instant) -> Instant {
        self.time = self.time.max(now);
        self.time
    }
}
