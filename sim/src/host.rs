//! A booking node as a process: the only place where core meets the world.
//!
//! Owns the cores of a node and their queues, and hands every input to the node at the
//! instant at which a core has done the work. Refuses to know what the node decides.
//!
//! One core a shard: a show's commands run in order on the core of its shard. Work of
//! the gateway goes to the core that is free first. The first core is kept for beats,
//! journals and disks, so that a crowd cannot silence a node's signs of life; a node
//! with one core shares it.

mod clock;
mod cores;

use std::collections::VecDeque;
use std::sync::Arc;

use onsale_core::{
    Beat, Effects, Endpoint, Input, Instant, Message, Node, NodeId, Phase, Setup, ShowId, Span,
    Timed,
};
use onsale_scenarios::Costs;

use self::clock::set_right;
use self::cores::Cores;
use crate::story::Sight;
use crate::stream::{fork, mix};
use crate::world::clock::Reading;
use crate::world::network::Place;
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
    /// By core, the work that it cannot start soon.
    queues: Vec<VecDeque<Timed<Input>>>,
    /// Kept for its memory.
    beats: Vec<(Instant, NodeId, Beat)>,
    /// What the cores did in this turn, if somebody looks on.
    worked: Option<Vec<Worked>>,
    /// The latest instant at which a core ends what it was given in this turn.
    turn_ends: Instant,
}

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
            Turn::Wake => self.control(world, now, Input::DeadlineReached),
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
        self.end_turn(world);
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
        let recovery = Span(machine.costs.recover_mib.0 * bytes / (1 << 20));
        let node = Node::boot(
            machine.setup.clone(),
            NodeId(place as u16),
            incarnation,
            seed,
            found,
            clock.at(now),
        );
        let cores = Cores::new(machine.cores);
        let mut host = Self {
            machine,
            place,
            clock,
            slow: 1,
            node,
            effects: Effects::default(),
            queues: vec![VecDeque::new(); cores.count()],
            cores,
            beats: Vec::new(),
            worked,
            turn_ends: now,
        };
        host.look_at_machine(world);
        for core in 0..host.cores.count() {
            host.cores.take(core, now, Span(recovery.0 * host.slow));
        }
        host.end_turn(world);
        host
    }

    /// What every replica has applied its own disk must give again.
    fn audit(&self, world: &mut World) {
        let audit = self.node.audit(world.machine(self.place).disk.contents());
        assert!(
            audit.astray.is_empty(),
            "n{}: what it has of {:?} is not what its disk amounts to",
            self.place,
            audit.astray
        );
        world.replicas_replayed += audit.replicas;
    }

    fn look_at_machine(&mut self, world: &mut World) {
        let machine = world.machine(self.place);
        (self.clock, self.slow) = (machine.clock.reading(), machine.limps.slow());
    }

    fn on_message(&mut self, world: &mut World, now: Instant, from: Endpoint, message: Message) {
        match message {
            Message::Requests(batch) => self.take_in(
                (world, now),
                (from, batch),
                (self.machine.costs.route, ROUTE_REQUEST),
                |host, timed| host.cores.freest(timed.at),
                |request| Input::Request { from, request },
                Message::Requests,
            ),
            Message::Forwarded(batch) => self.take_in(
                (world, now),
                (from, batch),
                (self.machine.costs.decide, DECIDE),
                |host, timed| host.core_of(timed.item.show),
                |request| Input::Forwarded { from: sender(from), request },
                Message::Forwarded,
            ),
            Message::Answers(batch) => self.take_in(
                (world, now),
                (from, batch),
                (self.machine.costs.route, ROUTE_ANSWER),
                |host, timed| host.cores.freest(timed.at),
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
        let (mut beats, cost) = (std::mem::take(&mut self.beats), self.machine.costs.beat);
        for &(at, from, beat) in &beats {
            if self.is_behind() {
                let (from, message) = (Endpoint::Node(from), Message::Beat(beat));
                let input = Input::Delivered { from, message };
                let work = (self.cost(&input), BEAT);
                self.work((world, at), 0, at, work, || input);
                continue;
            }
            let done = self.cores.take(0, at, cost);
            self.note(0, done, cost, || BEAT);
            self.turn_ends = self.turn_ends.max(done);
            self.node.hear(self.clock.at(done), from, beat, &mut self.effects);
        }
        beats.clear();
        self.beats = beats;
    }

    /// A message that is work of the first core as a whole.
    #[inline]
    fn deliver(&mut self, world: &mut World, now: Instant, from: Endpoint, message: Message) {
        let cost = Span(self.cost_of_message(&message).0 * self.slow);
        if self.is_behind() {
            let what = (cost, work_of_message(&message));
            return self.work((world, now), 0, now, what, || Input::Delivered { from, message });
        }
        let done = self.cores.take(0, now, cost);
        self.note(0, done, cost, || work_of_message(&message));
        self.turn_ends = self.turn_ends.max(done);
        self.node.deliver(self.clock.at(done), from, message, &mut self.effects);
    }

    /// A core that limps may fall behind, and what it has not begun when it is well again is done at
    /// its old pace.
    fn is_behind(&self) -> bool {
        self.slow > 1 || (self.cores.count() > 1 && !self.queues[0].is_empty())
    }

    /// Work of the first core, which is never left waiting behind requests.
    #[inline]
    fn control(&mut self, world: &mut World, now: Instant, input: Input) {
        let cost = self.cost(&input);
        if self.is_behind() && !matches!(input, Input::DeadlineReached) {
            return self.work((world, now), 0, now, (cost, work_of(&input)), || input);
        }
        let done = self.cores.take(0, now, cost);
        self.note(0, done, cost, || work_of(&input));
        self.step(done, input);
    }

    /// Work that arrives together, each piece for the core that `core_of` says: what cores can start
    /// soon is handed to the node at once, from the first piece that has to wait on one by one.
    fn take_in<T>(
        &mut self,
        (world, now): (&mut World, Instant),
        (from, mut batch): (Endpoint, Vec<Timed<T>>),
        (cost, name): (Span, &'static str),
        core_of: impl Fn(&mut Self, &Timed<T>) -> usize,
        alone: impl Fn(T) -> Input,
        together: impl FnOnce(Vec<Timed<T>>) -> Message,
    ) {
        let cost = Span(cost.0 * self.slow);
        let mut started = 0;
        for timed in &mut batch {
            let core = core_of(self, timed);
            let latest = self.latest_start(now, core);
            let Ok(done) = self.cores.take_by(latest, core, timed.at, cost) else { break };
            self.note(core, done, cost, || name);
            self.turn_ends = self.turn_ends.max(done);
            timed.at = self.clock.at(done);
            started += 1;
        }
        let rest = if started == batch.len() { Vec::new() } else { batch.split_off(started) };
        if let Some(first) = batch.first().map(|timed| timed.at) {
            self.node.deliver(first, from, together(batch), &mut self.effects);
        }
        for timed in rest {
            let core = core_of(self, &timed);
            self.work((world, now), core, timed.at, (cost, name), || alone(timed.item));
        }
    }

    /// Work that arrives at `at` for one core: done in this turn if the core can start it soon, else queued.
    /// The input is put together where it goes.
    #[inline]
    fn work(
        &mut self,
        (world, now): (&mut World, Instant),
        core: usize,
        at: Instant,
        (cost, name): (Span, &'static str),
        input: impl FnOnce() -> Input,
    ) {
        let latest = self.latest_start(now, core);
        match self.cores.take_by(latest, core, at, cost) {
            Ok(done) => {
                self.note(core, done, cost, || name);
                self.step(done, input());
            }
            Err(starts) => {
                if self.queues[core].is_empty() {
                    world.core_free_at(self.place, core, starts);
                }
                self.queues[core].push_back(Timed { at, item: input() });
            }
        }
    }

    /// When a core has to start work that is done in this turn; none if other work waits for it.
    fn latest_start(&self, now: Instant, core: usize) -> Option<Instant> {
        self.queues[core].is_empty().then_some(now + self.machine.slice)
    }

    fn catch_up(&mut self, world: &mut World, now: Instant, core: usize) {
        let latest = Some(now + self.machine.slice);
        let mut queue = std::mem::take(&mut self.queues[core]);
        let mut started = 0;
        while let Some(Timed { at, item }) = queue.get(started) {
            if started % READ_AHEAD == 0 {
                let ahead = queue.range(started..).take(READ_AHEAD);
                self.node.read_ahead(ahead.map(|timed| &timed.item));
            }
            // A glance is all that a request costs that nobody waits for any more.
            let is_overdue =
                matches!(item, Input::Forwarded { .. }) && self.node.is_overdue(now.since(*at));
            let glance = Span(self.machine.costs.route.0 * self.slow);
            let cost = if is_overdue { glance } else { self.cost(item) };
            match self.cores.take_by(latest, core, (*at).max(now), cost) {
                Ok(done) => {
                    self.note(
                        core,
                        done,
                        cost,
                        || if is_overdue { PASS_OVER } else { work_of(item) },
                    );
                    self.turn_ends = self.turn_ends.max(done);
                    let done = self.clock.at(done);
                    // By far the most: looked at where it stands.
                    if is_overdue {
                        self.node.pass_over(&mut self.effects);
                    } else if let Input::Forwarded { from, request } = item {
                        self.node.decide(done, *from, request, &mut self.effects);
                    } else {
                        let item = std::mem::replace(&mut queue[started].item, Input::TurnEnded);
                        self.node.step(done, item, &mut self.effects);
                    }
                    started += 1;
                }
                Err(starts) => {
                    world.core_free_at(self.place, core, starts);
                    break;
                }
            }
        }
        queue.drain(..started);
        self.queues[core] = queue;
    }

    fn cost(&self, input: &Input) -> Span {
        let cost = match input {
            Input::Request { .. } | Input::Answered { .. } => self.machine.costs.route,
            Input::Forwarded { .. } => self.machine.costs.decide,
            Input::Delivered { message, .. } => self.cost_of_message(message),
            Input::Persisted(_) => self.machine.costs.persisted,
            Input::Join
            | Input::Leave(_)
            | Input::Retire
            | Input::WriteFailed(_)
            | Input::WriteRefused(_)
            | Input::DamageFound
            | Input::DeadlineReached
            | Input::TurnEnded => Span::ZERO,
        };
        Span(cost.0 * self.slow)
    }

    fn cost_of_message(&self, message: &Message) -> Span {
        match message {
            Message::Beat(_) | Message::Gossip(_) | Message::Leaving(_) | Message::Moves(_) => {
                self.machine.costs.beat
            }
            Message::Journal(messages) => {
                Span(self.machine.costs.journal_message.0 * messages.len() as u64)
            }
            Message::Facts(_) => self.machine.costs.route,
            Message::Requests(_)
            | Message::Forwarded(_)
            | Message::Answers(_)
            | Message::Replies(_) => panic!("requests and answers are taken in one by one"),
        }
    }

    /// Remembers what a core did for whoever looks on.
    #[inline]
    fn note(
        &mut self,
        core: usize,
        done: Instant,
        cost: Span,
        name: impl FnOnce() -> &'static str,
    ) {
        if let Some(worked) = &mut self.worked {
            let from = Instant(done.0 - cost.0);
            worked.push((core, from, done, name()));
        }
    }

    #[inline]
    fn step(&mut self, done: Instant, input: Input) {
        self.turn_ends = self.turn_ends.max(done);
        self.node.step(self.clock.at(done), input, &mut self.effects);
    }

    fn end_turn(&mut self, world: &mut World) {
        let clock = self.clock;
        self.node.end_turn(clock.at(self.turn_ends), &mut self.effects);
        if !clock.is_true() {
            set_right(&mut self.effects, clock);
        }
        let wake = self.node.next_deadline().map(|at| clock.when(at));
        let (now, node) = (world.now, self.place);
        if let Some(worked) = &mut self.worked {
            for (core, from, until, work) in worked.drain(..) {
                world.witness.sees(now, || Sight::Worked { node, core, from, until, work });
            }
        }
        world.carry_out(self.place, &mut self.effects);
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

const ROUTE_REQUEST: &str = "route a request";
const DECIDE: &str = "decide";
const PASS_OVER: &str = "pass over";
const ROUTE_ANSWER: &str = "route an answer";
const BEAT: &str = "beat";

/// What the work of an input is called.
fn work_of(input: &Input) -> &'static str {
    match input {
        Input::Request { .. } => ROUTE_REQUEST,
        Input::Forwarded { .. } => DECIDE,
        Input::Answered { .. } => ROUTE_ANSWER,
        Input::Delivered { message, .. } => work_of_message(message),
        Input::Persisted(_) => "persisted",
        Input::WriteFailed(_) | Input::WriteRefused(_) => "write error",
        Input::DamageFound => "scrub",
        Input::Join => "join",
        Input::Leave(_) => "leave",
        Input::Retire => "retire",
        Input::DeadlineReached => "deadline",
        Input::TurnEnded => "end of the turn",
    }
}

fn work_of_message(message: &Message) -> &'static str {
    match message {
        Message::Requests(_) => ROUTE_REQUEST,
        Message::Forwarded(_) => DECIDE,
        Message::Answers(_) | Message::Replies(_) => ROUTE_ANSWER,
        Message::Beat(_) | Message::Gossip(_) | Message::Leaving(_) => BEAT,
        Message::Facts(_) => "facts",
        Message::Moves(_) | Message::Journal(_) => "journal",
    }
}

fn sender(from: Endpoint) -> NodeId {
    match from {
        Endpoint::Node(node) => node,
        Endpoint::Client(client) => panic!("{client} sent what only nodes send"),
    }
}
