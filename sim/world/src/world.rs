//! The world: everything between the hosts.
//!
//! Owns who gets the next turn: the calendar alone decides. It puts the parts together that own the rest: the network
//! and its queues, the machines with their processes, disks and clocks, the gateways' rotation, and the course of the
//! run. What happens in it it tells a [`Listener`], at the same instant. Refuses to know what is carried and written,
//! what hosts do with a turn, and what a listener makes of what it hears.

mod connections;
mod event;
mod operators;
mod post;
mod processes;
mod storage;

use std::fmt;
use std::sync::Arc;

use event::Event;
use onsale_booking::{Instant, Span};
use onsale_reports::Touched;
use onsale_scenarios::{Disk as DiskSettings, HealthCheck, Network as NetworkSettings};

use crate::calendar::Calendar;
use crate::cargo::Cargo;
use crate::clock::Clock;
use crate::congestion::Queues;
use crate::course::{Course, Progress, Tracing};
use crate::disk::Disk;
use crate::fingerprint::Fingerprint;
use crate::limits::BYTES_PER_EVENT;
use crate::listener::Listener;
use crate::machine::Machine;
use crate::network::Network;
use crate::place::{Layout, Place, PlaceTable, Process};
use crate::rotation::Rotation;
use crate::touches::Touches;
use crate::turn::{DirectorTurn, NodeTurn, Turn};

/// What a world is like before anything happens.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which places there are.
    pub layout: Layout,
    /// How many of the nodes are of the system from the start; the others are spares.
    pub members: u16,
    /// Zones over which nodes are spread.
    pub zones: u16,
    /// Links.
    pub network: NetworkSettings,
    /// Disks.
    pub disk: DiskSettings,
    /// Checks of gateways.
    pub health_check: HealthCheck,
    /// How far the clock of the last member is ahead of the first one's.
    pub clock_skew: Span,
    /// A process that starts counts for this many replicas in the limits of a run.
    pub replicas_a_node: u64,
}

/// Everything between the hosts.
pub struct World<C: Cargo, L> {
    /// The instant of the present event.
    pub now: Instant,
    /// The listener.
    pub ears: L,
    /// The links between places.
    pub network: Network,
    /// What waits in front of links that carry little.
    pub queues: Queues,
    /// Which gateways clients choose among.
    pub rotation: Rotation,
    /// The trace hash.
    pub fingerprint: Fingerprint,
    /// How far the run has come.
    pub course: Course,
    /// What faults touched of processes.
    pub touches: Touches,
    machines: PlaceTable<Machine<C>>,
    calendar: Calendar<Event<C>>,
}

impl<C: Cargo, L> fmt::Debug for World<C, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("now", &self.now)
            .field("events", &self.course.events)
            .finish_non_exhaustive()
    }
}

/// What stands for a link in the trace hash.
#[inline]
fn word((from, to): (Place, Place)) -> u64 {
    u64::from(from.number()) << 32 | u64::from(to.number())
}

impl<C: Cargo, L> World<C, L> {
    /// A world in which nothing has happened.
    ///
    /// `seed` says the seed of each stream of chance by name.
    pub fn new(
        settings: Settings,
        seed: impl Fn(&str) -> u64,
        ears: L,
        (progress, tracing): (Arc<Progress>, Tracing),
    ) -> Self {
        let Settings { layout, members, zones, .. } = settings;
        let machine = |place: Place| {
            let number = place.number();
            let disk = Disk::new(
                settings.disk.clone(),
                seed(&format!("disk/{number}")),
                seed(&format!("disk-faults/{number}")),
            );
            let clock = Clock::of(settings.clock_skew, members, place);
            Machine::new(layout, place, clock, disk)
        };
        Self {
            now: Instant::ZERO,
            ears,
            network: Network::new(settings.network.clone(), layout, zones, seed("network")),
            queues: Queues::new(layout),
            rotation: Rotation::new(layout, members, settings.health_check),
            fingerprint: Fingerprint::default(),
            course: Course::new(settings.replicas_a_node, progress, tracing),
            touches: Touches::default(),
            machines: PlaceTable::new(layout, machine),
            calendar: Calendar::default(),
        }
    }

    /// Which places there are.
    pub const fn layout(&self) -> Layout {
        self.machines.layout()
    }

    /// A place's machine.
    #[inline]
    pub fn machine(&mut self, place: Place) -> &mut Machine<C> {
        &mut self.machines[place]
    }

    /// All machines.
    pub const fn machines(&self) -> &PlaceTable<Machine<C>> {
        &self.machines
    }

    /// All machines, and whoever listens.
    pub const fn machines_and_ears(&mut self) -> (&PlaceTable<Machine<C>>, &mut L) {
        (&self.machines, &mut self.ears)
    }

    /// How a node's process is.
    #[inline]
    pub fn process(&self, node: Place) -> Process {
        self.machines[node].life.state()
    }

    /// Counts a node's boots.
    pub fn incarnation(&self, node: Place) -> u64 {
        u64::from(self.machines[node].life.incarnation())
    }

    /// When a message last came to a place from another.
    pub fn heard_at(&self, place: Place, from: Place) -> Instant {
        self.machines[place].heard_at[from]
    }

    /// A fault is to strike at an instant.
    pub fn enter_strike(&mut self, at: Instant, fault: usize) {
        self.calendar.enter(at, Event::Probes);
        self.calendar.enter(at, Event::Fault { fault, strikes: true });
    }

    /// A fault is to go on to a step at an instant.
    pub fn enter_step(&mut self, at: Instant, fault: usize, step: usize) {
        self.calendar.enter(at, Event::FaultStep { fault, step });
    }

    /// A fault is to heal at an instant.
    pub fn enter_heal(&mut self, at: Instant, fault: usize) {
        self.calendar.enter(at, Event::Fault { fault, strikes: false });
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
        let life = &mut self.machines[host].life;
        if life.wakes_at(at) {
            let incarnation = life.incarnation();
            self.calendar.enter(at, Event::Wakes { host, incarnation });
        }
    }

    /// A core of the node has caught up with its queue at `at`.
    pub fn core_free_at(&mut self, node: Place, core: usize, at: Instant) {
        let incarnation = self.machines[node].life.incarnation();
        self.calendar.enter(at.max(self.now), Event::CoreFree { node, incarnation, core });
    }

    /// All that a fault has touched so far.
    pub fn touched(&self, fault: usize) -> Touched {
        let shared = [&self.touches, &self.network.touches, &self.queues.touches];
        let machines = self.machines.values().flat_map(Machine::touches);
        shared.into_iter().chain(machines).map(|touches| touches.of(fault)).sum()
    }
}

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Takes events until one gives somebody a turn.
    #[inline]
    pub fn advance(&mut self) -> Turn<C> {
        loop {
            if self.course.events.is_multiple_of(256) {
                self.report_progress();
            }
            let Some((at, event)) = self.calendar.take() else {
                // Nothing can happen any more: so the run is over.
                let last = if self.course.ended { Event::Stop } else { Event::End };
                self.calendar.enter(self.now, last);
                continue;
            };
            assert!(at >= self.now, "the calendar does not go back");
            self.ears.goes_on(self.now, at);
            self.now = at;
            self.course.events += 1;
            if self.course.describes() {
                self.course.described = Some(format!("at {at}: {event:?}"));
            }
            let turn = self.happen(event);
            if let Some(trail) = &mut self.course.trail {
                trail.0.push(self.fingerprint.value());
            }
            if let Some(turn) = turn {
                return turn;
            }
        }
    }

    /// Says how far the run is, and ends it if that is wanted or it has done more than it may.
    #[cold]
    fn report_progress(&mut self) {
        if self.course.report(self.now) {
            self.calendar.enter(self.now, Event::End);
        }
        let (machines, calendar) = (&self.machines, &self.calendar);
        let exceeds = self.course.exceeds(|| {
            let kept = machines.values().map(Machine::keeps);
            let all = kept.fold((calendar.len(), 0), |(turns, bytes), (stalled, stored)| {
                (turns + stalled, bytes + stored)
            });
            all.0 as u64 * BYTES_PER_EVENT + all.1
        });
        if exceeds {
            self.calendar.enter(self.now, Event::End);
        }
    }

    /// A turn for the process for which it was meant, and not for one started since.
    fn give_same(&mut self, node: Place, incarnation: u32, turn: NodeTurn<C>) -> Option<Turn<C>> {
        if self.machines[node].life.incarnation() == incarnation {
            self.give(node, turn)
        } else {
            None
        }
    }

    /// A turn for a node; a paused process finds it when it is resumed, a dead one never.
    #[inline]
    fn give(&mut self, node: Place, turn: NodeTurn<C>) -> Option<Turn<C>> {
        if self.machines[node].life.state() == Process::Up {
            return Some(Turn::Node(node, turn));
        }
        self.withhold(node, turn);
        None
    }

    #[cold]
    fn withhold(&mut self, node: Place, turn: NodeTurn<C>) {
        if self.machines[node].life.state() == Process::Paused {
            self.let_beats_arrive(node);
            let machine = &mut self.machines[node];
            machine.life.paused_by().into_iter().for_each(|fault| self.touches.turn(fault));
            machine.stalled.push(turn);
        }
    }

    /// The turn of a fault: before it strikes, goes on or ends, what has come so far has come.
    #[cold]
    fn give_director(&mut self, word: u64, turn: DirectorTurn) -> Option<Turn<C>> {
        self.layout().nodes().for_each(|place| self.let_beats_arrive(place));
        self.fingerprint.fold(word);
        Some(Turn::Director(turn))
    }
}
