//! A booking node as a process: the only place where the cluster meets the world.
//!
//! Owns the cores of a node and their queues, and passes every input to the node at the
//! instant at which a core has done the work. Refuses to know what the node decides.
//!
//! One core a shard: a show's commands run in order on the core of its shard. Work of the gateway
//! goes to the core that is free first. The first core is kept for beats, journals and disks, so
//! that a crowd cannot starve a node's heartbeats; a node with one core shares it.
//!
//! A node's messages to itself wait for a core like all others. Work without cost does not wait. Short
//! work is passed on when a core begins it, stamped with the instant at which it is done, which saves an
//! event each; long work is passed on when it is done.

mod clock;
mod moments;
mod observed;
mod prices;
mod tables;
mod work;

use std::collections::VecDeque;
use std::sync::Arc;

use onsale_booking::{ClientId, Endpoint, Instant, NodeId, ShowId, Span, Timed};
use onsale_cluster::{
    self as cluster, Beat, Effects, Input, Message, Node, PersistId, Phase, Release, Sending,
    Setup, ShardId,
};
use onsale_oracles::Table;
use onsale_scenarios::Costs;
use onsale_world::clock::Reading;
use onsale_world::cores::Cores;
use onsale_world::place::Place;
use onsale_world::stream::{fork, mix};
use onsale_world::{NodeTurn, Order, Write, WriteId};

use self::clock::set_right;
use self::moments::{IN_EFFECTS, look_at_boot};
use self::observed::observe;
use self::prices::{Prices, Work};
use super::{Replicated, found};
use crate::doing::Doing;
use crate::plan::Plan;
use crate::seen::sight::Sight;
use crate::system;

type World = system::World<Replicated>;

/// Settings of a node's process.
#[derive(Clone, Debug)]
struct Machine {
    /// Settings shared by all nodes.
    pub setup: Arc<Setup>,
    /// Costs of work.
    pub costs: Costs,
    /// Number of cores.
    pub cores: u16,
    /// Span within which a core may start work in the current turn.
    pub slice: Span,
    /// Seed of the node's own draws; each boot forks it.
    pub seed: u64,
}

/// A node's process, from its start to its death.
#[derive(Debug)]
pub struct Host {
    machine: Machine,
    place: Place,
    /// Its clock, and the slowdown of its cores, in this turn.
    clock: Reading,
    slow: u64,
    node: Node,
    effects: Effects,
    cores: Cores,
    prices: Prices,
    /// By core, queued work for that core alone.
    queues: Vec<VecDeque<Timed<Input>>>,
    /// Queued work of the gateway, if it has several cores; a single one has it in its own queue.
    shared: VecDeque<Timed<Input>>,
    /// By core, the instant of its promised turn to work off its queue.
    expected: Vec<Option<Instant>>,
    /// By core, the long work in progress, with the instant at which it is done.
    under_way: Vec<Option<(Instant, Input)>>,
    /// On a node with one core: control work that waits for long work in progress alone.
    urgent: VecDeque<Timed<Input>>,
    /// Whether the node's deadline came during long work of the first core.
    is_due: bool,
    /// Scratch memory for beats.
    beats: Vec<(Instant, NodeId, Beat)>,
    /// Work of the cores in this turn, if the run is watched.
    worked: Option<Vec<Worked>>,
    /// Latest instant at which work given in this turn is done.
    turn_ends: Instant,
    /// Longest work that is passed on when it begins.
    short: Span,
}

/// Longest work that is passed on when it begins, unless the slice is longer: then that. Effects of other work done
/// in the meantime may be early by this much.
const SHORT: Span = Span(500);

/// A piece of work: core, start, end, and name.
type Worked = (usize, Instant, Instant, &'static str);

impl system::Host<Replicated> for Host {
    fn boot(world: &mut World, place: Place, plan: &Plan, setup: &Arc<Setup>) -> Self {
        let scenario = &plan.scenario;
        let machine = Machine {
            setup: setup.clone(),
            costs: scenario.costs.clone(),
            cores: scenario.cluster.cores,
            slice: scenario.quantum,
            seed: fork(plan.stream("nodes"), &format!("node/{}", place.number())),
        };
        Self::start(world, place, machine)
    }

    #[inline]
    fn take_turn(&mut self, world: &mut World, turn: NodeTurn<Replicated>) {
        let now = world.now;
        world.ears.doing = Some(Doing::turn(self.place, &turn));
        self.turn_ends = now;
        self.look_at_machine(world);
        self.take_beats(world);
        match turn {
            NodeTurn::Boot => panic!("a process starts once"),
            NodeTurn::Delivered(from, message) => {
                self.on_message(world, now, endpoint(from), message);
            }
            NodeTurn::Persisted(id) => self.control(world, now, Input::Persisted(PersistId(id.0))),
            NodeTurn::WriteFailed(id) => {
                self.control(world, now, Input::WriteFailed(PersistId(id.0)));
            }
            NodeTurn::WriteRefused(write) => {
                self.control(world, now, Input::WriteRefused(refused(*write)));
            }
            NodeTurn::DamageFound => self.control(world, now, Input::DamageFound),
            NodeTurn::Wake => self.on_deadline(now),
            NodeTurn::CoreFree(core) => self.catch_up(world, now, core),
            NodeTurn::Told(order) => self.control(world, now, told(order)),
        }
        self.end_turn(world, now);
    }

    fn phase(&self, log: u32) -> Phase {
        self.node.phase(ShardId(log)).unwrap_or(Phase::Following)
    }

    fn tables(&self, now: Instant, well: &dyn Fn(NodeId) -> bool) -> Vec<Table> {
        tables::of(&self.node, &self.machine.setup, self.clock.at(now), well)
    }

    fn audit(&self, machine: &onsale_world::Machine<Replicated>) -> u32 {
        let audit = self.node.audit(machine.disk.contents());
        assert!(
            audit.astray.is_empty(),
            "{}: its state of {:?} differs from a replay of its disk",
            self.place,
            audit.astray
        );
        audit.replicas
    }
}

impl Host {
    fn start(world: &mut World, place: Place, machine: Machine) -> Self {
        let now = world.now;
        world.ears.doing = Some(Doing::turn::<Replicated>(place, &NodeTurn::Boot));
        let incarnation = world.incarnation(place);
        let release = Release(world.machine(place).program.release());
        let clock = world.machine(place).clock.reading();
        let found = found(world.machine(place));
        let bytes = world.machine(place).disk.bytes();
        let worked = world.ears.witness.is_watched().then(Vec::new);
        let seed = mix(fork(machine.seed, "boot") ^ incarnation);
        let mut prices =
            Prices::new(machine.costs.clone(), mix(fork(machine.seed, "costs") ^ incarnation));
        let recovery = prices.of_recovery(bytes);
        look_at_boot(world, place, found.has_written);
        let node = Node::boot(
            machine.setup.clone(),
            place.node_id(),
            incarnation,
            release,
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

    /// Takes the beats that came between turns, each at its own instant.
    fn take_beats(&mut self, world: &mut World) {
        world.take_beats(self.place, &mut self.beats);
        if self.beats.is_empty() {
            return;
        }
        let mut beats = std::mem::take(&mut self.beats);
        // No effect of a beat changes whether the core can begin the next one.
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

    /// Takes a message that as a whole is work of the first core.
    #[inline(always)]
    fn deliver(&mut self, world: &mut World, now: Instant, from: Endpoint, message: Message) {
        let work = Work::of_message(&message);
        let Some(done) = self.done_by_first(now, work) else {
            return self.wait((world, now), Input::Delivered { from, message });
        };
        self.node.deliver(self.clock.at(done), from, message, &mut self.effects);
    }

    /// Takes control work, which never waits behind requests.
    #[inline]
    fn control(&mut self, world: &mut World, now: Instant, input: Input) {
        let work = Work::of(&input);
        match self.done_by_first(now, work) {
            Some(done) => self.step(done, input),
            None => self.wait((world, now), input),
        }
    }

    /// Runs the node's timers, which cost nothing but need the first core.
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

    /// Queues control work; on a node with one core, ahead of requests.
    fn wait(&mut self, (world, at): (&mut World, Instant), input: Input) {
        let is_busy = self.under_way[0].is_some() || !self.queues[0].is_empty();
        if self.cores.count() == 1 && (is_busy || !self.urgent.is_empty()) {
            self.urgent.push_back(Timed { at, item: input });
            return self.promise(world, 0, at);
        }
        let work = Work::of(&input);
        self.work((world, at), (Some(0), at), work, || input);
    }

    /// Instant at which the first core has done work begun in this turn; `None` if the work must wait.
    #[inline(always)]
    fn done_by_first(&mut self, at: Instant, work: Work) -> Option<Instant> {
        self.cost_if_begun(work).map(|cost| self.do_by_first(at, work, cost))
    }

    /// Cost of a piece of work if the first core can begin it in this turn. A limping core may fall
    /// behind; work not begun when it recovers is done at its normal pace.
    #[inline(always)]
    fn cost_if_begun(&self, work: Work) -> Option<Span> {
        let cost = self.prices.steady(work)?;
        let others = self.cores.count() > 1 && !self.queues[0].is_empty();
        let waits = self.slow > 1 || others || self.under_way[0].is_some() || cost > self.short;
        (cost == Span::ZERO || !waits).then_some(cost)
    }

    /// Does a piece of work on the first core; returns the instant at which it is done.
    #[inline(always)]
    fn do_by_first(&mut self, at: Instant, work: Work, cost: Span) -> Instant {
        let done = if cost > Span::ZERO { self.cores.take(0, at, cost) } else { at };
        self.note(0, done, cost, work);
        self.turn_ends = self.turn_ends.max(done);
        done
    }

    /// Cost of a kind of work in this turn, if it is always short.
    #[inline]
    fn short_cost(&self, work: Work) -> Option<Span> {
        let cost = Span(self.prices.steady(work)?.0.saturating_mul(self.slow));
        (cost <= self.short).then_some(cost)
    }

    /// Cost of a piece of work in this turn.
    #[inline]
    fn cost(&mut self, work: Work) -> Span {
        Span(self.prices.of(work).0 * self.slow)
    }

    /// Notes a core's work for the watch.
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

    /// Takes the node's messages to itself, which are work like all others, without network latency.
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
        // A deadline that is due waits for the first core, and no other is due before it.
        let wake = self.node.next_deadline().filter(|_| !self.is_due).map(|at| clock.when(at));
        let (now, node) = (world.now, self.place);
        if let Some(worked) = &mut self.worked {
            for (core, from, until, work) in worked.drain(..) {
                world.ears.witness.sees(now, || Sight::Worked { node, core, from, until, work });
            }
        }
        self.carry_out(world);
        world.wake_at(self.place, wake);
    }

    /// Carries out the node's effects of a turn. A write begins once its work is done.
    #[inline]
    fn carry_out(&mut self, world: &mut World) {
        if world.ears.awaited.any(IN_EFFECTS) {
            self.look_at_effects(world);
        }
        let (me, effects) = (self.place, &mut self.effects);
        for Sending { to, at, message } in effects.sends.drain(..) {
            let to = match to {
                Endpoint::Node(to) => Place::Node(to),
                Endpoint::Client(_) => Place::Clients,
            };
            let judges = &mut world.ears.witness.judges;
            judges.durable.sends(world.now, me.node_id(), to, &message, &judges.oracles);
            world.send(me, to, at, message);
        }
        for write in effects.writes.drain(..) {
            let cluster::Write { id: PersistId(id), segment, bytes, retire_below } = write;
            let write = Write { id: WriteId(id), segment, bytes, retire_below };
            world.begin_write(me, self.turn_ends, write);
        }
        if std::mem::take(&mut effects.stops) {
            world.give_up(me);
        }
        if std::mem::take(&mut effects.refuses) {
            world.give_up_on_release(me);
        }
        for observation in effects.observations.drain(..) {
            observe(world, me, observation);
        }
        if std::mem::take(&mut effects.drained) {
            world.may_stop(me);
        }
    }

    fn core_of(&self, show: ShowId) -> usize {
        let shard = self.machine.setup.placement.shard_of(show).0 as usize;
        match self.cores.count() {
            1 => 0,
            cores => 1 + shard % (cores - 1),
        }
    }
}

fn endpoint(place: Place) -> Endpoint {
    match place {
        Place::Node(node) => Endpoint::Node(node),
        Place::Clients => Endpoint::Client(ClientId(0)),
        Place::Service(_) | Place::Director => panic!("{place} sends nothing to a node"),
    }
}

fn refused(write: Write) -> cluster::Write {
    let Write { id: WriteId(id), segment, bytes, retire_below } = write;
    cluster::Write { id: PersistId(id), segment, bytes, retire_below }
}

fn told(order: Order) -> Input {
    match order {
        Order::Recover { log, generation, lost } => {
            Input::Recover { shard: ShardId(log), generation, lost }
        }
        Order::GiveUp { log, generation } => Input::GiveUp { shard: ShardId(log), generation },
        Order::Retire => Input::Retire,
        Order::Join => Input::Join,
        Order::Leave(node) => Input::Leave(node),
    }
}

fn sender(from: Endpoint) -> NodeId {
    match from {
        Endpoint::Node(node) => node,
        Endpoint::Client(client) => panic!("{client} sent a message that only nodes send"),
    }
}
