//! Work on the cores of a node: begun at once if a core is free, else queued.
//!
//! Owns the choice of the core for a piece of work, and its start. Refuses to know what the work is about.

use onsale_booking::{Endpoint, Instant, Span, Timed};
use onsale_cluster::{Input, Message};

use super::prices::Work;
use super::{Host, SHORT, World};

/// Pieces of queued work that are read ahead of their turn.
const READ_AHEAD: usize = 32;

impl Host {
    /// Takes in work that arrives together, each piece for the core given by `core_of`, or for the first free
    /// one. Pieces that cores can start soon are passed to the node at once; from the first that must wait on,
    /// one by one.
    pub(super) fn take_in<T>(
        &mut self,
        (world, now): (&mut World, Instant),
        (from, mut batch, work): (Endpoint, Vec<Timed<T>>, Work),
        core_of: impl Fn(&Self, &T) -> Option<usize>,
        alone: impl Fn(T) -> Input,
        together: impl FnOnce(Vec<Timed<T>>) -> Message,
    ) {
        let mut started = 0;
        if let Some(cost) = self.short_cost(work) {
            for timed in &mut batch {
                let lane = core_of(self, &timed.item);
                let Some(done) = self.begin_short((now, timed.at), lane, work, cost) else { break };
                timed.at = done;
                started += 1;
            }
        }
        let rest = (started < batch.len()).then(|| batch.split_off(started));
        if let Some(first) = batch.first().map(|timed| timed.at) {
            self.node.deliver(first, from, together(batch), &mut self.effects);
        }
        if let Some(rest) = rest {
            self.take_in_one_by_one((world, now), rest, work, core_of, alone);
        }
    }

    /// Begins short work if a core can start it in this turn; returns the instant, by the node's clock, at which
    /// it is done. One copy for all kinds of work: code this hot is better small than inlined.
    #[inline(never)]
    fn begin_short(
        &mut self,
        (now, at): (Instant, Instant),
        lane: Option<usize>,
        work: Work,
        cost: Span,
    ) -> Option<Instant> {
        let mut done = at;
        if cost > Span::ZERO {
            let core = self.starts((now, at), lane).ok()?;
            done = self.cores.take(core, at, cost);
            self.note(core, done, cost, work);
        }
        self.turn_ends = self.turn_ends.max(done);
        Some(self.clock.at(done))
    }

    /// Takes in the pieces one by one; kept out of the hot path of batches that are begun whole.
    #[inline(never)]
    fn take_in_one_by_one<T>(
        &mut self,
        (world, now): (&mut World, Instant),
        batch: Vec<Timed<T>>,
        work: Work,
        core_of: impl Fn(&Self, &T) -> Option<usize>,
        alone: impl Fn(T) -> Input,
    ) {
        for Timed { at, item } in batch {
            let lane = core_of(self, &item);
            self.work((world, now), (lane, at), work, || alone(item));
        }
    }

    /// Takes in work that arrives at `at` for one core, or for the first free one: begun in this turn if it can
    /// be soon, else queued. The input is built where it goes.
    #[inline]
    pub(super) fn work(
        &mut self,
        (world, now): (&mut World, Instant),
        (lane, at): (Option<usize>, Instant),
        work: Work,
        input: impl FnOnce() -> Input,
    ) {
        let core = match self.starts((now, at), lane) {
            Ok(core) => return self.begin(world, core, at, work, input()),
            Err(core) => core,
        };
        let timed = Timed { at, item: input() };
        if lane.is_none() && self.cores.count() > 1 {
            self.shared.push_back(timed);
            // The first core that is free takes it.
            for core in self.cores.of_gateway() {
                self.promise(world, core, at);
            }
        } else {
            self.queues[core].push_back(timed);
            self.promise(world, core, at);
        }
    }

    /// The core that can start work arriving at `at` in this turn; else the one that it waits for. Effects of
    /// other work of the node arrive a little later, and an idle core waits for them.
    #[inline]
    fn starts(
        &mut self,
        (now, at): (Instant, Instant),
        lane: Option<usize>,
    ) -> Result<usize, usize> {
        let core = lane.unwrap_or_else(|| self.cores.freest(at));
        let is_first = self.queues[core].is_empty()
            && self.under_way[core].is_none()
            && (lane.is_some() || self.shared.is_empty());
        let latest = (now + self.machine.slice).max(at.min(now + SHORT));
        let starts = is_first && self.cores.starts(core, at) <= latest;
        if starts { Ok(core) } else { Err(core) }
    }

    /// Begins a piece of work on a core.
    #[inline]
    pub(super) fn begin(
        &mut self,
        world: &mut World,
        core: usize,
        at: Instant,
        work: Work,
        input: Input,
    ) {
        let cost = self.cost(work);
        let done = if cost > Span::ZERO { self.cores.take(core, at, cost) } else { at };
        self.note(core, done, cost, work);
        if cost > self.short {
            self.under_way[core] = Some((done, input));
            self.expect(world, core, done);
        } else {
            self.step(done, input);
        }
    }

    /// Promises a core a turn to work off its queue as soon as it can, unless one is promised.
    pub(super) fn promise(&mut self, world: &mut World, core: usize, at: Instant) {
        if self.expected[core].is_none() {
            let starts = self.cores.starts(core, at);
            self.expect(world, core, starts);
        }
    }

    fn expect(&mut self, world: &mut World, core: usize, at: Instant) {
        let at = at.max(world.now);
        self.expected[core] = Some(at);
        world.core_free_at(self.place, core, at);
    }

    pub(super) fn catch_up(&mut self, world: &mut World, now: Instant, core: usize) {
        // The turn is late if the process was paused, and early if it was put off since.
        if self.expected[core].is_none_or(|at| at > now) {
            return;
        }
        self.expected[core] = None;
        if let Some((done, input)) = self.under_way[core].take() {
            self.step(done.max(now), input);
        }
        if core == 0 {
            self.see_to_urgent(world, now);
        }
        let (mut queue, mut started) = (std::mem::take(&mut self.queues[core]), 0);
        let serves = self.cores.of_gateway().contains(&core);
        while self.under_way[core].is_none() {
            let own = queue.get(started).map(|timed| timed.at);
            let shared = self.shared.front().filter(|_| serves).map(|timed| timed.at);
            let (at, is_shared) = match (own, shared) {
                (Some(own), Some(shared)) => (own.min(shared), shared < own),
                (Some(at), None) => (at, false),
                (None, Some(at)) => (at, true),
                (None, None) => break,
            };
            let (at, starts) = (at.max(now), self.cores.starts(core, at.max(now)));
            if starts > now + self.machine.slice {
                self.expect(world, core, starts);
                break;
            }
            if is_shared {
                if let Some(Timed { item, .. }) = self.shared.pop_front() {
                    let work = Work::of(&item);
                    self.begin(world, core, at, work, item);
                }
                continue;
            }
            if started % READ_AHEAD == 0 {
                let ahead = queue.range(started..).take(READ_AHEAD);
                self.node.read_ahead(ahead.map(|timed| &timed.item));
            }
            // A request that its gateway no longer waits for costs only a look.
            let waited = queue[started].at;
            let item = &mut queue[started].item;
            let is_overdue =
                matches!(item, Input::Forwarded { .. }) && self.node.is_overdue(now.since(waited));
            let work = if is_overdue { Work::PassOver } else { Work::of(item) };
            started += 1;
            // Most of the work by far: decided in place.
            if is_overdue {
                let cost = self.cost(work);
                let done = self.cores.take(core, at, cost);
                self.note(core, done, cost, work);
                self.turn_ends = self.turn_ends.max(done);
                self.node.pass_over(&mut self.effects);
            } else if let Input::Forwarded { from, request } = item
                && let Some(cost) = self.short_cost(work)
            {
                let done = self.cores.take(core, at, cost);
                self.note(core, done, cost, work);
                self.turn_ends = self.turn_ends.max(done);
                self.node.decide(self.clock.at(done), *from, request, &mut self.effects);
            } else {
                let item = std::mem::replace(item, Input::TurnEnded);
                self.begin(world, core, at, work, item);
            }
        }
        queue.drain(..started);
        self.queues[core] = queue;
    }

    /// Takes up control work that waited for long work of the first core alone.
    fn see_to_urgent(&mut self, world: &mut World, now: Instant) {
        if std::mem::take(&mut self.is_due) {
            self.on_deadline(now);
        }
        while self.under_way[0].is_none()
            && let Some(Timed { at, item }) = self.urgent.pop_front()
        {
            let work = Work::of(&item);
            self.begin(world, 0, at.max(now), work, item);
        }
    }
}
