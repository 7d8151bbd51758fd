//! A booking node as a process: the only place where the cluster meets the world.
//!
//! Owns the cores of a node and their queues, and hands every input to the node at the
//! instant at which a core has done the work. Refuses to know what the node decides.
//!
//! One core a shard: a show's commands run in order on the core of its shard. Work of
//! the gateway goes to the core that is free first. The first core is kept for beats,
//! journals and disks, so that a crowd cannot silence a node's signs of life; a node
//! with one core shares it.
//!
//! Work is work wherever it comes from: what a node sends itself waits for a core like what others
//! send. What costs nothing waits for none. Short work is handed over when a core begins it, stamped
//! with the instant at which it is done, for that saves an event each; long work when it is done.

mod clock;
mod cores;
mod prices;

use std::collections::VecDeque;
use std::sync::Arc;

use onsale_booking::{Endpoint, Instant, NodeId, ShowId, Span, Timed};
use onsale_cluster::{Beat, Effects, Input, Message, Node, Phase, Sending, Setup};
use onsale_scenarios::Costs;

use self::clock::set_right;
use self::cores::Cores;
use self::prices::{Prices, Work};
use crate::seen::place::Place;
use crate::seen::sight::Sight;
use crate::stream::{fork, mix};
use crate::world::clock::Reading;
use crate::world::{self, Doing, Resident, Turn, World, next_turn};

/// What a node's process needs to start.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What all nodes share.
    pub setup: Arc<Setup>,
    /// What work costs.
    pub costs: Costs,
    /// Cores.
    pub cores: u16,
    /// Work that a core can start within this span is done in one turn.
    pub slice: Span,
    /// The seed of the node's own draws; each boot forks it.
    pub seed: u64,
}

#[derive(Debug)]
struct Host {
    machine: Machine,
    place: Place,
    /// How its clock runs, and how many times slower its cores are, in this turn.
    clock: Reading,
    slow: u64,
    node: Node,
    effects: Effects,
    cores: Cores,
    prices: Prices,
    /// By core, the work that is for it alone and that it cannot start soon.
    queues: Vec<VecDeque<Timed<Input>>>,
    /// Work of the gateway that no core can start soon; of several cores, for one has it in its queue.
    shared: VecDeque<Timed<Input>>,
    /// By core, when it has been promised a turn to catch up.
    expected: Vec<Option<Instant>>,
    /// By core, the long work that it has begun, with the instant at which it is done.
    under_way: Vec<Option<(Instant, Input)>>,
    /// Work of the first core that waits for long work of it, and for nothing else: on a node with one core.
    urgent: VecDeque<Timed<Input>>,
    /// The node's deadline came while the first core had long work under way.
    is_due: bool,
    /// Kept for its memory.
    beats: Vec<(Instant, NodeId, Beat)>,
    /// What the cores did in this turn, if somebody looks on.
    worked: Option<Vec<Worked>>,
    /// The latest instant at which a core ends what it was given in this turn.
    turn_ends: Instant,
    /// Work that takes no longer is handed over when it begins.
    short: Span,
}

/// Work that takes no longer, or no longer than the slice, is handed over when it begins. So much too early
/// may be what follows from other work of the node that is done meanwhile.
const SHORT: Span = Span(500);

/// A piece of work: the core, from when until when, and what it was.
type Worked = (usize, Instant, Instant, &'static str);

/// The life of a node's process, from its start to its death.
pub async fn run(place: Place, machine: Machine) {
    let (now, turn) = next_turn(place).await;
    match turn {
        Turn::Boot => {}
        Turn::End => return,
        Turn::Delivered { .. }
        | Turn::Reset { .. }
        | Turn::Persisted(_)
        | Turn::WriteFailed(_)
        | Turn::WriteRefused(_)
        | Turn::DamageFound
        | Turn::Dies(_)
        | Turn::Wake
        | Turn::CoreFree(_)
        | Turn::Probed
        | Turn::Told(_)
        | Turn::Stage { .. }
        | Turn::Fault { .. }
        | Turn::FaultStep { .. } => {
            panic!("a process begins with its start, not with {turn:?}")
        }
    }
    let host = world::with(|world| Host::boot(world, place, machine, now));
    world::reside(place, Box::new(host)).await;
}

impl Resident for Host {
    fn take_turn(&mut self, world: &mut World, now: Instant, turn: Turn) {
        if matches!(turn, Turn::Probed) {
            // Not a step of the node: it learns nothing and does nothing.
            world.phase = self.node.phase(world.hot).unwrap_or(Phase::Following);
            return;
        }
        if matches!(turn, Turn::End) {
            return self.audit(world);
        }
        world.doing = Some(Doing::turn(self.place, &turn));
        self.turn_ends = now;
        self.look_at_machine(world);
        self.take_beats(world);
        match turn {
            Turn::Delivered { from, message } => self.on_message(world, now, from, message),
            Turn::Persisted(id) => self.control(world, now, Input::Persisted(id)),
            Turn::WriteFailed(id) => self.control(world, now, Input::WriteFailed(id)),
            Turn::WriteRefused(write) => self.control(world, now, Input::WriteRefused(*write)),
            Turn::DamageFound => self.control(world, now, Input::DamageFound),
            Turn::Wake => self.on_deadline(now),
            Turn::CoreFree(core) => self.catch_up(world, now, core),
            Turn::Told(input) => self.control(world, now, *input),
            Turn::Boot
            | Turn::Probed
            | Turn::Reset { .. }
            | Turn::Dies(_)
            | Turn::Stage { .. }
            | Turn::Fault { .. }
            | Turn::FaultStep { .. }
            | Turn::End => {
                panic!("{turn:?} is not a running node's")
            }
        }
        self.end_turn(world, now);
    }
}

impl Host {
    fn boot(world: &mut World, place: Place, machine: Machine, now: Instant) -> Self {
        world.doing = Some(Doing::starts(place));
        let incarnation = world.incarnation(place);
        let clock = world.machine(place).clock.reading();
        let (found, bytes) = (world.found(place), world.machine(place).disk.bytes());
        let worked = world.witness.watch.is_some().then(Vec::new);
        let seed = mix(fork(machine.seed, "boot") ^ incarnation);
        let mut prices =
            Prices::new(machine.costs.clone(), mix(fork(machine.seed, "costs") ^ incarnation));
        let recovery = prices.of_recovery(bytes);
        let node = Node::boot(
            machine.setup.clone(),
            place.node_id(),
            incarnation,
            seed,
            found,
            clock.at(now),
        );
        let (cores, short) = (Cores::new(machine.cores), machine.slice.max(SHORT));
        let mut host = Self {
            machine,
            place,
            clock,
            slow: 1,
            node,
            effects: Effects::default(),
            prices,
            queues: vec![VecDeque::new(); cores.count()],
            shared: VecDeque::new(),
            expected: vec![None; cores.count()],
            under_way: vec![None; cores.count()],
            urgent: VecDeque::new(),
            is_due: false,
            cores,
            beats: Vec::new(),
            worked,
            turn_ends: now,
            short,
        };
        host.look_at_machine(world);
        for core in 0..host.cores.count() {
            host.cores.take(core, now, Span(recovery.0 * host.slow));
        }
        host.end_turn(world, now);
        host
    }

    /// What every replica has applied its own disk must give again.
    fn audit(&self, world: &mut World) {
        let audit = self.node.audit(world.machine(self.place).disk.contents());
        assert!(
            audit.astray.is_empty(),
            "{}: what it has of {:?} is not what its disk amounts to",
            self.place,
            audit.astray
        );
        world.replicas_replayed += audit.replicas;
    }

    #[inline(always)]
    fn look_at_machine(&mut self, world: &mut World) {
        let machine = world.machine(self.place);
        (self.clock, self.slow) = (machine.clock.reading(), machine.limps.slow());
    }

    #[inline(always)]
    fn on_message(&mut self, world: &mut World, now: Instant, from: Endpoint, message: Message) {
        match message {
            Message::Requests(batch) => self.take_in(
                (world, now),
                (from, batch, Work::Route),
                |_, _| None,
                |request| Input::Request { from, request },
                Message::Requests,
            ),
            Message::Forwarded(batch) => self.take_in(
                (world, now),
                (from, batch, Work::Decide),
                |host, request| Some(host.core_of(request.show)),
                |request| Input::Forwarded { from: sender(from), request },
                Message::Forwarded,
            ),
            Message::Answers(batch) => self.take_in(
                (world, now),
                (from, batch, Work::Reply),
                |_, _| None,
                |answer| Input::Answered { from: sender(from), answer },
                Message::Answers,
            ),
            Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_)
            | Message::Journal(_)
            | Message::Facts(_) => self.deliver(world, now, from, message),
            Message::Replies(_) => panic!("replies go to clients"),
        }
    }

    /// Beats that came between turns, each at its own instant.
    fn take_beats(&mut self, world: &mut World) {
        world.take_beats(self.place, &mut self.beats);
        if self.beats.is_empty() {
            return;
        }
        let mut beats = std::mem::take(&mut self.beats);
        // Nothing that a beat leads to changes whether the core can begin the next.
        let cost = self.cost_if_begun(Work::Beat);
        for &(at, from, beat) in &beats {
            let Some(cost) = cost else {
                let (from, message) = (Endpoint::Node(from), Message::Beat(beat));
                self.wait((world, at), Input::Delivered { from, message });
                continue;
            };
            let done = self.do_by_first(at, Work::Beat, cost);
            self.node.hear(self.clock.at(done), from, beat, &mut self.effects);
        }
        beats.clear();
        self.beats = beats;
    }

    /// A message that is work of the first core as a whole.
    #[inline(always)]
    fn deliver(&mut self, world: &mut World, now: Instant, from: Endpoint, message: Message) {
        let work = Work::of_message(&message);
        let Some(done) = self.done_by_first(now, work) else {
            return self.wait((world, now), Input::Delivered { from, message });
        };
        self.node.deliver(self.clock.at(done), from, message, &mut self.effects);
    }

    /// Work of the first core, which is never left waiting behind requests.
    #[inline]
    fn control(&mut self, world: &mut World, now: Instant, input: Input) {
        let work = Work::of(&input);
        match self.done_by_first(now, work) {
            Some(done) => self.step(done, input),
            None => self.wait((world, now), input),
        }
    }

    /// Timers cost nothing, but the first core has to come to them.
    fn on_deadline(&mut self, now: Instant) {
        if self.under_way[0].is_some() {
            self.is_due = true;
            return;
        }
        let done = self.cores.take(0, now, Span::ZERO);
        self.note(0, done, Span::ZERO, Work::of(&Input::DeadlineReached));
        self.turn_ends = self.turn_ends.max(done);
        self.node.step(self.clock.at(done), Input::DeadlineReached, &mut self.effects);
    }

    /// Work of the first core waits its turn, but on a node with one core not behind requests.
    fn wait(&mut self, (world, at): (&mut World, Instant), input: Input) {
        let is_busy = self.under_way[0].is_some() || !self.queues[0].is_empty();
        if self.cores.count() == 1 && (is_busy || !self.urgent.is_empty()) {
            self.urgent.push_back(Timed { at, item: input });
            return self.promise(world, 0, at);
        }
        let work = Work::of(&input);
        self.work((world, at), (Some(0), at), work, || input);
    }

    /// When the first core has done something that it begins in this turn; none if that has to wait.
    #[inline(always)]
    fn done_by_first(&mut self, at: Instant, work: Work) -> Option<Instant> {
        self.cost_if_begun(work).map(|cost| self.do_by_first(at, work, cost))
    }

    /// What a piece of work costs if the first core can begin it in this turn. A core that limps may fall
    /// behind, and what it has not begun when it is well again is done at its old pace.
    #[inline(always)]
    fn cost_if_begun(&self, work: Work) -> Option<Span> {
        let cost = self.prices.steady(work)?;
        let others = self.cores.count() > 1 && !self.queues[0].is_empty();
        let waits = self.slow > 1 || others || self.under_way[0].is_some() || cost > self.short;
        (cost == Span::ZERO || !waits).then_some(cost)
    }

    /// The first core does it; returns when it has.
    #[inline(always)]
    fn do_by_first(&mut self, at: Instant, work: Work, cost: Span) -> Instant {
        let done = if cost > Span::ZERO { self.cores.take(0, at, cost) } else { at };
        self.note(0, done, cost, work);
        self.turn_ends = self.turn_ends.max(done);
        done
    }

    /// Work that arrives together, each piece for the core that `core_of` says, or for whichever is free
    /// first: what cores can start soon is handed to the node at once, from the first piece that has to wait on
    /// one by one.
    fn take_in<T>(
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

    /// When short work is done by the node's clock if a core can start it in this turn, and it does. One
    /// copy for work of all kinds: what is run through so often is better short than inlined.
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

    /// Out of the way of the many batches of which everything is begun at once.
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

    /// Work that arrives at `at` for one core, or for whichever is free first: begun in this turn if it can be
    /// soon, else queued. The input is put together where it goes.
    #[inline]
    fn work(
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
            // Whichever comes to it first.
            for core in self.cores.of_gateway() {
                self.promise(world, core, at);
            }
        } else {
            self.queues[core].push_back(timed);
            self.promise(world, core, at);
        }
    }

    /// The core that can start work that arrives at `at` in this turn; else the one for which it waits. What
    /// other work of the node leads to arrives a little later, and an idle core waits for it.
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

    /// A core begins a piece of work.
    #[inline]
    fn begin(&mut self, world: &mut World, core: usize, at: Instant, work: Work, input: Input) {
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

    /// A core is to catch up as soon as it can, unless it is going to.
    fn promise(&mut self, world: &mut World, core: usize, at: Instant) {
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

    fn catch_up(&mut self, world: &mut World, now: Instant, core: usize) {
        // Later than it was to be, if the process stood still meanwhile; sooner, if it is to be later by now.
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
            // A glance is all that a request costs that nobody waits for any more.
            let waited = queue[started].at;
            let item = &mut queue[started].item;
            let is_overdue =
                matches!(item, Input::Forwarded { .. }) && self.node.is_overdue(now.since(waited));
            let work = if is_overdue { Work::PassOver } else { Work::of(item) };
            started += 1;
            // By far the most: looked at where it stands.
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

    /// What waited for nothing but long work of the first core.
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

    /// What a kind of work costs in this turn, if all of it is short.
    #[inline]
    fn short_cost(&self, work: Work) -> Option<Span> {
        let cost = Span(self.prices.steady(work)?.0.saturating_mul(self.slow));
        (cost <= self.short).then_some(cost)
    }

    /// What a piece of work costs now.
    #[inline]
    fn cost(&mut self, work: Work) -> Span {
        Span(self.prices.of(work).0 * self.slow)
    }

    /// Remembers what a core did for whoever looks on.
    #[inline]
    fn note(&mut self, core: usize, done: Instant, cost: Span, work: Work) {
        if let Some(worked) = &mut self.worked {
            worked.push((core, Instant(done.0 - cost.0), done, work.name()));
        }
    }

    #[inline]
    fn step(&mut self, done: Instant, input: Input) {
        self.turn_ends = self.turn_ends.max(done);
        self.node.step(self.clock.at(done), input, &mut self.effects);
    }

    /// What the node sends itself is work for its cores, like all that arrives: it has only no way to go.
    #[inline(always)]
    fn take_own(&mut self, world: &mut World, now: Instant) -> bool {
        let mut took = false;
        while let Some(sending) = self.effects.take_own() {
            self.take_one(world, now, sending);
            took = true;
        }
        took
    }

    #[inline(never)]
    fn take_one(&mut self, world: &mut World, now: Instant, own: Sending) {
        let (Sending { to, mut message, .. }, clock) = (own, self.clock);
        if !clock.is_true() {
            message.retime(|at| clock.when(at));
        }
        self.on_message(world, now, to, message);
    }

    fn end_turn(&mut self, world: &mut World, now: Instant) {
        let clock = self.clock;
        self.take_own(world, now);
        loop {
            self.node.step(clock.at(self.turn_ends), Input::TurnEnded, &mut self.effects);
            if !self.take_own(world, now) {
                break;
            }
        }
        if !clock.is_true() {
            set_right(&mut self.effects, clock);
        }
        // A deadline that has come waits for the first core, and no other comes before it.
        let wake = self.node.next_deadline().filter(|_| !self.is_due).map(|at| clock.when(at));
        let (now, node) = (world.now, self.place);
        if let Some(worked) = &mut self.worked {
            for (core, from, until, work) in worked.drain(..) {
                world.witness.sees(now, || Sight::Worked { node, core, from, until, work });
            }
        }
        world.carry_out(self.place, self.turn_ends, &mut self.effects);
        world.wake_at(self.place, wake);
    }

    fn core_of(&self, show: ShowId) -> usize {
        let shard = self.machine.setup.placement.shard_of(show).0 as usize;
        match self.cores.count() {
            1 => 0,
            cores => 1 + shard % (cores - 1),
        }
    }
}

/// So many pieces of waiting work are looked at ahead of their turn.
const READ_AHEAD: usize = 32;

fn sender(from: Endpoint) -> NodeId {
    match from {
        Endpoint::Node(node) => node,
        Endpoint::Client(client) => panic!("{client} sent what only nodes send"),
    }
}
