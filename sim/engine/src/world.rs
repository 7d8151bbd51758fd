//! The world: everything between the hosts.
//!
//! Owns the calendar, the network, the disks, who is up, and whose turn it is. Exactly
//! one host runs at a time: its task holds the baton, and [`next_turn`] passes the baton
//! on to the host that the next event concerns. A host that has taken its place as a
//! [`Resident`] is given its turns on the spot, without a task being woken for each. So
//! the order of a run is the calendar's alone, whatever the executor underneath prefers.
//! Refuses to know what hosts do with a turn.

mod baton;
mod beats;
pub mod calendar;
pub mod clock;
pub mod congestion;
mod connections;
mod digest;
pub mod disk;
pub mod doing;
mod event;
mod faults;
mod health;
pub mod limits;
pub mod limp;
pub mod network;
mod observed;
mod outside;
mod post;
pub mod rotation;
mod stopping;
mod storage;
mod touches;
mod turn;

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use baton::Seat;
pub use baton::{Resident, next_turn, reside};
use beats::Coming;
use calendar::Calendar;
use clock::Clock;
use congestion::Queues;
pub use connections::Reset;
use disk::Disk;
pub use doing::Doing;
use event::Event;
use limits::{Exceeded, Limits};
use limp::Limps;
use madsim::time::TimeHandle;
use network::Network;
use onsale_booking::{Endpoint, Instant, NodeId};
use onsale_cluster::{Beat, Effects, Epoch, Found, Input, Mark, Phase, ShardId};
use onsale_oracles::Asked;
use onsale_reports::{FactsResult, Touched};
pub use outside::{Progress, Tracing};
use rotation::Rotation;
pub use stopping::Stage;
use touches::Touches;
pub use turn::Turn;

use crate::fingerprint::{Fingerprint, Trail};
use crate::ledger::JournalWatch;
use crate::plan::Plan;
use crate::sabotage::Sabotage;
use crate::seen::fate::Fates;
use crate::seen::place::{Layout, Place, PlaceTable, Process};
use crate::seen::sight::Sight;
use crate::setup;
use crate::struck::FaultLog;
use crate::witness::Witness;

thread_local! {
    /// The world of the run on this thread: every run has a thread of its own, and one host runs at a time.
    static WORLD: RefCell<Option<World>> = const { RefCell::new(None) };
}

/// Sets the world of the run on this thread.
pub fn enter(world: World) {
    WORLD.with(|cell| *cell.borrow_mut() = Some(world));
}

/// Takes the world of the run on this thread, when nobody acts in it any more.
pub fn leave() -> Option<World> {
    WORLD.with(|cell| cell.borrow_mut().take())
}

/// Acts in the world of the run on this thread.
///
/// # Panics
/// Outside of a run, or from within another call.
pub fn with<R>(act: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|cell| act(cell.borrow_mut().as_mut().expect("a run goes on on this thread")))
}

/// A node's machine: its process and its disk.
#[derive(Debug)]
pub struct Machine {
    process: Process,
    /// Counts boots.
    incarnation: u32,
    /// Messages that left earlier than this are lost on a process that did not exist yet.
    booted: Instant,
    /// When the previous incarnation died.
    died: Instant,
    /// The fault that killed it last, if one did.
    killed_by: Option<usize>,
    /// The faults for which it stands still.
    paused_by: Option<usize>,
    /// The fault for which it was told to stop, until it stops.
    stopping: Option<usize>,
    /// The fault for which it is to leave the cluster for good.
    leaves_for: Option<usize>,
    /// Whether it is gone for good.
    is_lost: bool,
    /// Faults that keep it without power.
    dark: u16,
    /// Whether a fault put another disk in place of the one that it had, since it started last.
    has_other_disk: bool,
    /// Whether a write of it was ever durable: its driver remembers that elsewhere than on its disk.
    has_written: bool,
    /// What it is told whenever it starts.
    orders: Vec<Input>,
    /// What waits for a paused process.
    stalled: Vec<Turn>,
    /// The earliest wake-up that is entered.
    wake: Option<Instant>,
    /// Beats on their way that say nothing new, in the order of their arrivals.
    coming: VecDeque<Coming>,
    /// Those that have arrived, with their instants: taken in at the host's next turn.
    beats: Vec<(Instant, NodeId, Beat)>,
    /// By place: the beat that came last.
    heard: PlaceTable<Beat>,
    /// By place: when a message from there came last.
    heard_at: PlaceTable<Instant>,
    /// What makes its cores slow.
    pub limps: Limps,
    /// Its clocks.
    pub clock: Clock,
    /// The disk.
    pub disk: Disk,
}

/// Everything between the hosts.
pub struct World {
    /// The instant of the present event.
    pub now: Instant,
    /// Who hears whom.
    pub network: Network,
    /// What waits in front of links that carry little.
    pub queues: Queues,
    /// Oracles and recorder.
    pub witness: Witness,
    /// What the disks hold as committed.
    pub journal: JournalWatch,
    /// Which node has its turn, and what it does in it; none if it is no node's.
    pub doing: Option<Doing>,
    /// What faults did.
    pub faults: FaultLog,
    /// What they touched of processes.
    pub(crate) touches: Touches,
    /// Which gateways clients choose among.
    pub rotation: Rotation,
    /// By shard: who says that it owns it. For reports and for choosing victims.
    pub leaders: Vec<Option<(Epoch, NodeId)>>,
    /// The oracles' and the hosts' trace hash.
    pub fingerprint: Fingerprint,
    /// What is broken beyond all faults; nothing, outside the tests that prove the oracles.
    pub sabotage: Sabotage,
    /// The hash after each event, if it is kept.
    pub trail: Option<Trail>,
    /// The event that was to be put into words.
    pub described: Option<String>,
    /// How often each mark was seen, in the order of [`Mark::ALL`].
    pub marks: Vec<u64>,
    /// The shard of the hot show.
    pub hot: ShardId,
    /// What that shard was doing when it was last asked.
    pub phase: Phase,
    /// Messages delivered.
    pub messages: u64,
    /// Replicas whose state was compared, at the end, with what their disk amounts to.
    pub replicas_replayed: u32,
    /// Events so far.
    pub events: u64,
    /// Whether the run was ended from outside.
    pub interrupted: bool,
    /// Where it is to be stopped, if before its end.
    pub stops_at: Option<Instant>,
    /// How much the run may do.
    pub limits: Limits,
    /// The limit that ended the run.
    pub exceeded: Option<Exceeded>,
    /// About as many replicas has a node, and so many were started so far, with their nodes.
    replicas_a_node: u64,
    replicas_started: u64,
    /// What clients still waited for when the run ended.
    pub open: Vec<Asked>,
    /// What became of everybody.
    pub fates: Fates,
    /// What became of facts, if there are any.
    pub facts: Option<FactsResult>,
    /// By place; the first is the clients' and always up.
    machines: PlaceTable<Machine>,
    calendar: Calendar<Event>,
    seats: PlaceTable<Seat>,
    /// The director's, which stands on no machine.
    director: Seat,
    holder: Place,
    ended: bool,
    dismissed: bool,
    tracing: Tracing,
    progress: Arc<Progress>,
    clock: Option<TimeHandle>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("events", &self.events)
            .field("holder", &self.holder)
            .finish_non_exhaustive()
    }
}

/// What stands for a link in the trace hash.
#[inline]
fn word((from, to): (Place, Place)) -> u64 {
    u64::from(from.number()) << 32 | u64::from(to.number())
}

/// What an even placement gives a node.
fn replicas_a_node(cluster: &onsale_scenarios::Cluster) -> u64 {
    let replicas = u64::from(cluster.shards) * u64::from(cluster.replicas);
    replicas.div_ceil(u64::from(cluster.nodes))
}

impl World {
    /// A world in which nothing has happened. The director holds the baton.
    pub fn new(plan: &Plan, witness: Witness, progress: Arc<Progress>, tracing: Tracing) -> Self {
        let scenario = &plan.scenario;
        let (nodes, placement) = (scenario.cluster.numbers(), setup::placement(scenario));
        let layout = Layout::new(nodes, 0);
        let machines = PlaceTable::new(layout, |place| {
            let node = place.number();
            Machine {
                process: if place == Place::Clients { Process::Up } else { Process::Down },
                incarnation: 0,
                booted: Instant::ZERO,
                died: Instant::ZERO,
                killed_by: None,
                paused_by: None,
                stopping: None,
                leaves_for: None,
                is_lost: false,
                dark: 0,
                has_other_disk: false,
                has_written: false,
                orders: Vec::new(),
                stalled: Vec::new(),
                wake: None,
                coming: VecDeque::new(),
                beats: Vec::new(),
                heard: PlaceTable::new(layout, |_| Beat::default()),
                heard_at: PlaceTable::new(layout, |_| Instant::ZERO),
                limps: Limps::default(),
                clock: Clock::of(&scenario.cluster, place.as_node().map_or(0, |node| node.0)),
                disk: Disk::new(
                    scenario.disk.clone(),
                    plan.stream(&format!("disk/{node}")),
                    plan.stream(&format!("disk-faults/{node}")),
                ),
            }
        });
        Self {
            now: Instant::ZERO,
            network: Network::new(
                scenario.network.clone(),
                layout,
                scenario.cluster.zones,
                plan.stream("network"),
            ),
            queues: Queues::new(layout),
            witness,
            journal: JournalWatch::new(&placement),
            doing: None,
            faults: FaultLog::new(placement.shards()),
            touches: Touches::default(),
            rotation: Rotation::new(nodes, scenario.cluster.nodes, scenario.crowd.health_check),
            leaders: vec![None; placement.shards() as usize],
            fingerprint: Fingerprint::default(),
            sabotage: Sabotage::default(),
            trail: tracing.trail.then(Trail::default),
            described: None,
            marks: vec![0; Mark::ALL.len()],
            hot: ShardId(0),
            phase: Phase::Electing,
            messages: 0,
            replicas_replayed: 0,
            events: 0,
            interrupted: false,
            stops_at: None,
            limits: Limits::default(),
            exceeded: None,
            replicas_a_node: replicas_a_node(&scenario.cluster),
            replicas_started: 0,
            open: Vec::new(),
            fates: Fates::default(),
            facts: None,
            calendar: Calendar::default(),
            seats: PlaceTable::new(layout, |_| Seat::default()),
            director: Seat::default(),
            holder: Place::Director,
            ended: false,
            dismissed: false,
            machines,
            tracing,
            progress,
            clock: None,
        }
    }

    /// Which places there are.
    pub const fn layout(&self) -> Layout {
        self.machines.layout()
    }

    /// How a node's process is.
    pub fn process(&self, node: Place) -> Process {
        self.machines[node].process
    }

    /// A node's machine.
    pub fn machine(&mut self, node: Place) -> &mut Machine {
        &mut self.machines[node]
    }

    /// Counts a node's boots.
    pub fn incarnation(&self, node: Place) -> u64 {
        u64::from(self.machines[node].incarnation)
    }

    /// What a node that starts finds on its disk.
    pub fn found(&self, node: Place) -> Found {
        self.machines[node].found()
    }

    /// Keeps the executor's clock in step with the calendar from now on.
    pub fn keep_clock(&mut self, clock: TimeHandle) {
        self.clock = Some(clock);
    }

    /// The process is started: its host gets [`Turn::Boot`].
    pub fn start(&mut self, node: Place) {
        let now = self.now;
        let machine = &mut self.machines[node];
        assert_eq!(machine.process, Process::Down, "only a dead process is started");
        machine.process = Process::Up;
        machine.incarnation += 1;
        machine.booted = now;
        machine.clock.start(now);
        machine.wake = None;
        let incarnation = machine.incarnation;
        machine.stopping = machine.leaves_for;
        if machine.leaves_for.is_none() {
            self.rotation.open(node);
        }
        self.tells_of_process(node, true);
        self.tell_of_lost_facts(node);
        self.calendar.enter(now, Event::Boots { node, incarnation });
        for input in self.machines[node].orders.clone() {
            let input = Box::new(input);
            self.calendar.enter(now, Event::Told { node, incarnation, input });
        }
        self.shows_process(node);
    }

    /// The process dies, by a fault unless by itself; its disk keeps what was synced and a prefix of the rest.
    pub fn kill(&mut self, node: Place, by: Option<usize>) {
        let now = self.now;
        self.faults.leader_stopped(now, node.node_id(), by);
        if let Some(fault) = by
            && self.machines[node].disk.in_flight().is_some()
        {
            self.touches.write(fault);
        }
        let machine = &mut self.machines[node];
        assert_ne!(machine.process, Process::Down, "only a live process dies");
        machine.process = Process::Down;
        machine.died = now;
        machine.killed_by = by;
        machine.stopping = None;
        machine.stalled.clear();
        machine.coming.clear();
        machine.beats.clear();
        machine.heard.values_mut().for_each(|heard| *heard = Beat::default());
        machine.wake = None;
        machine.disk.crash(now);
        machine.disk.forget(self.sabotage.disks_lose);
        // What is lost without a trace nobody remembers to have written.
        machine.has_written &= machine.disk.bytes() > 0 || self.sabotage.disks_lose == 0;
        self.journal.crashed(now, node, machine.disk.segments(), &mut self.witness.judges);
        self.tells_of_process(node, false);
        self.seats[node] = Seat::default();
        self.reset_connections(node);
        self.shows_process(node);
    }

    /// The run is over: the oracles are told the rest of what the disks hold.
    pub fn close_journal(&mut self) {
        let disks = self.machines.values().map(|machine| machine.disk.segments());
        self.journal.finish(self.now, disks, &mut self.witness.judges);
    }

    /// The process stands still, by a fault.
    pub fn pause(&mut self, node: Place, by: usize) {
        assert_eq!(self.machines[node].process, Process::Up, "only a running process is paused");
        self.faults.leader_stopped(self.now, node.node_id(), Some(by));
        self.machines[node].paused_by = Some(by);
        self.machines[node].process = Process::Paused;
        self.shows_process(node);
    }

    /// The process goes on, and finds everything that came meanwhile.
    pub fn resume(&mut self, node: Place) {
        assert_eq!(
            self.machines[node].process,
            Process::Paused,
            "only a paused process is resumed"
        );
        self.machines[node].process = Process::Up;
        self.faults.leader_goes_on(self.now, node.node_id());
        self.shows_process(node);
        for turn in std::mem::take(&mut self.machines[node].stalled) {
            let incarnation = self.machines[node].incarnation;
            let turn = Box::new(turn);
            self.calendar.enter(self.now, Event::Resumed { node, incarnation, turn });
        }
    }

    /// A fault is to strike or to heal at an instant.
    pub fn enter_fault(&mut self, at: Instant, index: usize, strikes: bool) {
        if strikes {
            self.calendar.enter(at, Event::Probes);
        }
        self.calendar.enter(at, Event::Fault { index, strikes });
    }

    /// A fault is to go on to a step at an instant.
    pub fn enter_step(&mut self, at: Instant, index: usize, step: usize) {
        self.calendar.enter(at, Event::FaultStep { index, step });
    }

    /// The run is to end at an instant, if nothing ends it before.
    pub fn end_at(&mut self, at: Instant) {
        self.calendar.enter(at.max(self.now), Event::End);
    }

    /// The last word: the director may go.
    pub fn stop(&mut self) {
        self.calendar.enter(self.now, Event::Stop);
    }

    /// The host wants a turn at `at`, or sooner if something else comes.
    pub fn wake_at(&mut self, host: Place, at: Option<Instant>) {
        let Some(at) = at else { return };
        let at = at.max(self.now);
        let machine = &mut self.machines[host];
        if machine.wake.is_none_or(|wake| at < wake) {
            machine.wake = Some(at);
            let incarnation = machine.incarnation;
            self.calendar.enter(at, Event::Wakes { host, incarnation });
        }
    }

    /// A core of the node has caught up with its queue at `at`.
    pub fn core_free_at(&mut self, node: Place, core: usize, at: Instant) {
        let incarnation = self.machines[node].incarnation;
        self.calendar.enter(at.max(self.now), Event::CoreFree { node, incarnation, core });
    }

    /// Carries out what a node asked for in a turn. It writes once the work is done that it wants written.
    pub fn carry_out(&mut self, node: Place, done: Instant, effects: &mut Effects) {
        if !effects.sends.is_empty() {
            for sending in effects.sends.drain(..) {
                let to = match sending.to {
                    Endpoint::Node(to) => Place::Node(to),
                    Endpoint::Client(_) => Place::Clients,
                };
                self.send(node, to, sending.at, sending.message);
            }
        }
        if !effects.writes.is_empty() {
            effects.writes.drain(..).for_each(|write| self.begin_write(node, done, write));
        }
        if std::mem::take(&mut effects.stops) {
            let incarnation = self.machines[node].incarnation;
            self.calendar.enter(self.now, Event::Dies { node, incarnation });
        }
        if !effects.observations.is_empty() {
            effects.observations.drain(..).for_each(|told| self.on_observation(node, told));
        }
        if std::mem::take(&mut effects.drained) {
            self.may_stop(node);
        }
    }

    /// The hot show's leader is asked what its shard is doing, if it can say.
    #[cold]
    fn probe(&mut self) -> Option<(Place, Turn)> {
        self.phase = Phase::Electing;
        let (_, leader) = self.leaders[self.hot.0 as usize]?;
        let place = Place::Node(leader);
        let answers =
            self.machines[place].process == Process::Up && self.seats[place].resident.is_some();
        answers.then_some((place, Turn::Probed))
    }

    /// All that a fault has touched so far.
    pub fn touched(&self, fault: usize) -> Touched {
        let shared = [&self.touches, &self.network.touches, &self.queues.touches];
        let machines = self.machines.values().flat_map(|machine| {
            [&machine.limps.touches, &machine.clock.touches, &machine.disk.touches]
        });
        shared.into_iter().chain(machines).map(|touches| touches.of(fault)).sum()
    }

    /// Takes events until one concerns a host that can take a turn.
    fn advance(&mut self) -> (Place, Instant, Turn) {
        loop {
            if self.events.is_multiple_of(256) {
                self.report_progress();
            }
            let Some((at, event)) = self.calendar.take() else {
                // Nothing can happen any more: so the run is over.
                self.calendar.enter(self.now, if self.ended { Event::Stop } else { Event::End });
                continue;
            };
            assert!(at >= self.now, "the calendar does not go back");
            self.witness.sees_verdicts(self.now);
            self.now = at;
            self.doing = None;
            self.witness.judges.oracles.go_on_to(at);
            self.events += 1;
            if self.tracing.describe == Some(self.events as usize - 1) {
                self.describe(at, &event);
            }
            let next = self.happen(event);
            if let Some(trail) = &mut self.trail {
                trail.0.push(self.fingerprint.value());
            }
            if let Some((host, turn)) = next {
                return (host, at, turn);
            }
        }
    }

    #[cold]
    fn describe(&mut self, at: Instant, event: &Event) {
        self.described = Some(format!("at {at}: {event:?}"));
    }

    fn tells_of_process(&mut self, node: Place, is_up: bool) {
        let kept_by = self.journal.all_members();
        self.witness.judges.process(self.now, node.node_id(), is_up, kept_by);
    }

    fn shows_process(&mut self, node: Place) {
        let Machine { process: state, incarnation: boots, .. } = self.machines[node];
        let boots = u64::from(boots);
        self.witness.sees(self.now, || Sight::Process { node, state, boots });
    }

    /// A turn for the process for which it was meant, and not for one started since.
    fn give_same(&mut self, host: Place, incarnation: u32, turn: Turn) -> Option<(Place, Turn)> {
        if self.machines[host].incarnation == incarnation { self.give(host, turn) } else { None }
    }

    /// A turn for a host; a paused process finds it when it is resumed, a dead one never.
    #[inline]
    fn give(&mut self, host: Place, turn: Turn) -> Option<(Place, Turn)> {
        if self.machines[host].process == Process::Up {
            return Some((host, turn));
        }
        self.withhold(host, turn);
        None
    }

    #[cold]
    fn withhold(&mut self, host: Place, turn: Turn) {
        if self.machines[host].process == Process::Paused {
            self.let_beats_arrive(host);
            self.machines[host].paused_by.into_iter().for_each(|fault| self.touches.turn(fault));
            self.machines[host].stalled.push(turn);
        }
    }

    /// The executor's clock follows whenever a task is to run: nothing inside a run reads it, it only has to be
    /// there for what the executor itself times.
    fn advance_clock(&mut self) {
        if let Some(clock) = &self.clock {
            let (due, elapsed) = (Duration::from_micros(self.now.0), clock.elapsed());
            clock.advance(due.saturating_sub(elapsed));
        }
    }
}
