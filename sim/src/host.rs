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

use std::collections::VecDeque;
use std::sync::Arc;

use onsale_core::{
    Beat, Effects, Endpoint, Input, Instant, Message, Node, NodeId, Phase, Setup, Span, Timed,
};
use onsale_scenarios::Costs;

use self::clock::{earlier, set_back};
use crate::story::Sight;
use crate::stream::{fork, mix};
use crate::world::network::Place;
use crate::world::{self, Resident, Turn, World, next_turn};

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
    /// How far its clock is ahead.
    pub ahead: Span,
    /// The seed of the node's own draws; each boot forks it.
    pub seed: u64,
}

#[derive(Debug)]
struct Host {
    machine: Machine,
    place: Place,
    node: Node,
    effects: Effects,
    cores: Vec<Core>,
    /// Kept for its memory.
    beats: Vec<(Instant, NodeId, Beat)>,
    /// What the cores did in this turn, if somebody looks on.
    worked: Option<Vec<Worked>>,
    /// The latest instant at which a core ends what it was given in this turn.
    turn_ends: Instant,
}

/// A piece of work: the core, from when until when, and what it was.
type Worked = (usize, Instant, Instant, &'static str);

/// A core and what waits for it.
#[derive(Debug, Default)]
struct Core {
    /// Work that is left at `seen`.
    backlog: Span,
    seen: Instant,
    queue: VecDeque<Timed<Input>>,
}

impl Core {
    /// Takes in work that arrives at `at`; returns when it will be done. Work that arrives a little
    /// out of order waits for what is left, not for the idle time in between.
    fn take(&mut self, at: Instant, cost: Span) -> Instant {
        self.see(at);
        self.backlog = self.backlog + cost;
        at + self.backlog
    }

    /// How long work that arrives at `at` would wait.
    fn wait(&mut self, at: Instant) -> Span {
        self.see(at);
        self.backlog
    }

    fn see(&mut self, at: Instant) {
        self.backlog = self.backlog - at.since(self.seen);
        self.seen = self.seen.max(at);
    }
}

/// The life of a node's process, from its start to its death.
pub async fn run(place: Place, machine: Machine) {
    let (now, turn) = next_turn(place).await;
    match turn {
        Turn::Boot => {}
        Turn::End => return,
        Turn::Delivered { .. }
        | Turn::Persisted(_)
        | Turn::Wake
        | Turn::CoreFree(_)
        | Turn::Probed
        | Turn::Fault { .. } => {
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
        self.turn_ends = now;
        self.take_beats(world);
        match turn {
            Turn::Delivered { from, message } => self.on_message(world, now, from, message),
            Turn::Persisted(id) => {
                self.control(now, self.machine.costs.persisted, Input::Persisted(id))
            }
            Turn::Wake => self.control(now, Span::ZERO, Input::DeadlineReached),
            Turn::CoreFree(core) => self.catch_up(world, now, core),
            Turn::Boot | Turn::Probed | Turn::Fault { .. } | Turn::End => {
                panic!("{turn:?} is not a running node's")
            }
        }
        self.end_turn(world);
    }
}

impl Host {
    fn boot(world: &mut World, place: Place, machine: Machine, now: Instant) -> Self {
        let incarnation = world.incarnation(place);
        let disk = &world.machine(place).disk;
        let (durable, bytes) = (disk.contents(), disk.bytes());
        let worked = world.witness.watch.is_some().then(Vec::new);
        let seed = mix(fork(machine.seed, "boot") ^ incarnation);
        let recovery = Span(machine.costs.recover_mib.0 * bytes / (1 << 20));
        let node = Node::boot(
            machine.setup.clone(),
            NodeId(place as u16),
            incarnation,
            seed,
            durable,
            now + machine.ahead,
        );
        let mut cores: Vec<Core> = (0..machine.cores).map(|_| Core::default()).collect();
        for core in &mut cores {
            core.take(now, recovery);
        }
        let mut host = Self {
            machine,
            place,
            node,
            effects: Effects::default(),
            cores,
            beats: Vec::new(),
            worked,
            turn_ends: now,
        };
        host.end_turn(world);
        host
    }

    fn on_message(&mut self, world: &mut World, now: Instant, from: Endpoint, message: Message) {
        match message {
            Message::Requests(batch) => {
                for Timed { at, item } in batch {
                    let core = self.freest_core(at);
                    self.work(world, now, core, at, Input::Request { from, request: item });
                }
            }
            Message::Forwarded(batch) => {
                let from = sender(from);
                for Timed { at, item } in batch {
                    let core = self.core_of(&item);
                    self.work(world, now, core, at, Input::Forwarded { from, request: item });
                }
            }
            Message::Answers(batch) => {
                let from = sender(from);
                for Timed { at, item } in batch {
                    let core = self.freest_core(at);
                    self.work(world, now, core, at, Input::Answered { from, answer: item });
                }
            }
            Message::Beat(_) => {
                self.control(now, self.machine.costs.beat, Input::Delivered { from, message })
            }
            Message::Journal(ref messages) => {
                let cost = Span(self.machine.costs.journal_message.0 * messages.len() as u64);
                self.control(now, cost, Input::Delivered { from, message });
            }
            Message::Replies(_) => panic!("replies go to clients"),
        }
    }

    /// Beats that came between turns, each at its own instant.
    fn take_beats(&mut self, world: &mut World) {
        let mut beats = std::mem::take(&mut self.beats);
        world.take_beats(self.place, &mut beats);
        for (at, from, beat) in beats.drain(..) {
            let input =
                Input::Delivered { from: Endpoint::Node(from), message: Message::Beat(beat) };
            self.control(at, self.machine.costs.beat, input);
        }
        self.beats = beats;
    }

    /// Work of the first core, which is never left waiting behind requests.
    fn control(&mut self, now: Instant, cost: Span, input: Input) {
        let done = self.cores[0].take(now, cost);
        self.note(0, done, cost, &input);
        self.step(done, input);
    }

    /// Work that arrives at `at` for one core: done in this turn if the core can start it soon, else queued.
    fn work(&mut self, world: &mut World, now: Instant, core: usize, at: Instant, input: Input) {
        let lane = &mut self.cores[core];
        let starts = at + lane.wait(at);
        let queued = !lane.queue.is_empty();
        if queued || starts.since(now) > self.machine.slice {
            lane.queue.push_back(Timed { at, item: input });
            if !queued {
                world.core_free_at(self.place, core, starts);
            }
        } else {
            self.perform(core, at, input);
        }
    }

    fn catch_up(&mut self, world: &mut World, now: Instant, core: usize) {
        while let Some(at) = self.cores[core].queue.front().map(|queued| queued.at.max(now)) {
            let starts = at + self.cores[core].wait(at);
            if starts.since(now) > self.machine.slice {
                world.core_free_at(self.place, core, starts);
                return;
            }
            if let Some(Timed { item, .. }) = self.cores[core].queue.pop_front() {
                self.perform(core, at, item);
            }
        }
    }

    fn perform(&mut self, core: usize, at: Instant, input: Input) {
        let costs = &self.machine.costs;
        let cost = match &input {
            Input::Request { .. } | Input::Answered { .. } => costs.route,
            Input::Forwarded { .. } => costs.decide,
            Input::Delivered { .. }
            | Input::Persisted(_)
            | Input::DeadlineReached
            | Input::TurnEnded => Span::ZERO,
        };
        let done = self.cores[core].take(at, cost);
        self.note(core, done, cost, &input);
        self.step(done, input);
    }

    /// Remembers what a core did for whoever looks on.
    fn note(&mut self, core: usize, done: Instant, cost: Span, input: &Input) {
        if let Some(worked) = &mut self.worked {
            let from = Instant(done.0 - cost.0);
            worked.push((core, from, done, work_of(input)));
        }
    }

    fn step(&mut self, done: Instant, input: Input) {
        self.turn_ends = self.turn_ends.max(done);
        self.node.step(done + self.machine.ahead, input, &mut self.effects);
    }

    fn end_turn(&mut self, world: &mut World) {
        let ahead = self.machine.ahead;
        self.node.step(self.turn_ends + ahead, Input::TurnEnded, &mut self.effects);
        if ahead > Span::ZERO {
            set_back(&mut self.effects, ahead);
        }
        let wake = self.node.next_deadline().map(|at| earlier(at, ahead));
        let (now, node) = (world.now, self.place);
        for (core, from, until, work) in self.worked.iter_mut().flat_map(|done| done.drain(..)) {
            world.witness.sees(now, || Sight::Worked { node, core, from, until, work });
        }
        world.carry_out(self.place, &mut self.effects);
        world.wake_at(self.place, wake);
    }

    fn freest_core(&mut self, at: Instant) -> usize {
        let first = usize::from(self.cores.len() > 1);
        (first..self.cores.len()).min_by_key(|&core| self.cores[core].wait(at)).unwrap_or(0)
    }

    fn core_of(&self, request: &onsale_core::Request) -> usize {
        let shard = self.machine.setup.placement.shard_of(request.show).0 as usize;
        match self.cores.len() {
            1 => 0,
            cores => 1 + shard % (cores - 1),
        }
    }
}

/// What the work of an input is called.
fn work_of(input: &Input) -> &'static str {
    match input {
        Input::Request { .. } => "route a request",
        Input::Forwarded { .. } => "decide",
        Input::Answered { .. } => "route an answer",
        Input::Delivered { message: Message::Beat(_), .. } => "beat",
        Input::Delivered { .. } => "journal",
        Input::Persisted(_) => "persisted",
        Input::DeadlineReached => "deadline",
        Input::TurnEnded => "end of the turn",
    }
}

fn sender(from: Endpoint) -> NodeId {
    match from {
        Endpoint::Node(node) => node,
        Endpoint::Client(client) => panic!("{client} sent what only nodes send"),
    }
}
