//! The world: everything between the hosts.
//!
//! Owns the order of turns: the calendar alone decides. It composes the parts that own the rest: the network and its
//! queues, the machines with their processes, disks and clocks, the gateways' rotation, and the course of the run. It
//! notifies a [`Listener`] of everything at the same instant. Refuses to know what is carried and written, what hosts
//! do with a turn, and what a listener does with a notification.

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
use crate::limits::BYTES_PER_EVENT;
use crate::listener::Listener;
use crate::machine::Machine;
use crate::network::Network;
use crate::place::{Layout, Place, PlaceTable, Process, Route};
use crate::rotation::Rotation;
use crate::touches::Touches;
use crate::trace_hash::Fingerprint;
use crate::turn::{DirectorTurn, NodeTurn, Turn};

/// Settings of a world.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The places of the run.
    pub layout: Layout,
    /// Number of nodes that are members from the start; the others are spares.
    pub members: u16,
    /// Number of zones over which nodes are spread.
    pub zones: u16,
    /// Settings of links.
    pub network: NetworkSettings,
    /// Settings of disks.
    pub disk: DiskSettings,
    /// Settings of the gateways' health checks.
    pub health_check: HealthCheck,
    /// Offset of the last member's clock from the first one's.
    pub clock_skew: Span,
    /// Replicas that a starting process counts as in the limits of a run.
    pub replicas_a_node: u64,
}

/// Everything between the hosts.
pub struct World<C: Cargo, L> {
    /// Instant of the current event.
    pub now: Instant,
    /// The listener.
    pub ears: L,
    /// The links between places.
    pub network: Network,
    /// The queues in front of links with limited bandwidth.
    pub queues: Queues,
    /// The gateways that clients choose among.
    pub rotation: Rotation,
    /// The trace hash.
    pub fingerprint: Fingerprint,
    /// Progress and limits of the run.
    pub course: Course,
    /// Turns that faults touched.
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

/// The word for a link in the trace hash.
#[inline]
fn word(route: Route) -> u64 {
    (route.from.index() as u64) << 32 | route.to.index() as u64
}

impl<C: Cargo, L> World<C, L> {
    /// A world before its first event.
    ///
    /// `seed` gives the seed of each random stream by name.
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

    /// The places of the run.
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

    /// All machines, and the listener.
    pub const fn machines_and_ears(&mut self) -> (&PlaceTable<Machine<C>>, &mut L) {
        (&self.machines, &mut self.ears)
    }

    /// State of a node's process.
    #[inline]
    pub fn process(&self, node: Place) -> Process {
        self.machines[node].life.state()
    }

    /// Incarnation of a node: the number of its boots so far.
    pub fn incarnation(&self, node: Place) -> u64 {
        u64::from(self.machines[node].life.incarnation())
    }

    /// Instant at which a place last got a message from another.
    pub fn heard_at(&self, place: Place, from: Place) -> Instant {
        self.machines[place].heard_at[from]
    }

    /// Enters a fault's strike at an instant.
    pub fn enter_strike(&mut self, at: Instant, fault: usize) {
        self.calendar.enter(at, Event::Probes { fault });
        self.calendar.enter(at, Event::Fault { fault, strikes: true });
    }

    /// Enters the window in which a fault waits.
    pub fn enter_wait(&mut self, from: Instant, until: Instant, fault: usize) {
        self.calendar.enter(from, Event::FaultWaits { fault, begins: true });
        self.calendar.enter(until, Event::FaultWaits { fault, begins: false });
    }

    /// Enters a fault's step at an instant.
    pub fn enter_step(&mut self, at: Instant, fault: usize, step: usize) {
        self.calendar.enter(at, Event::FaultStep { fault, step });
    }

    /// Enters a fault's healing at an instant.
    pub fn enter_heal(&mut self, at: Instant, fault: usize) {
        self.calendar.enter(at, Event::Fault { fault, strikes: false });
    }

    /// Enters the end of the run at an instant, if nothing ends it earlier.
    pub fn end_at(&mut self, at: Instant) {
        self.calendar.enter(at.max(self.now), Event::End);
    }

    /// Ends the run: the director's last turn comes next.
    pub fn stop(&mut self) {
        self.calendar.enter(self.now, Event::Stop);
    }

    /// Enters a wake-up for a host at `at`, or none.
    pub fn wake_at(&mut self, host: Place, at: Option<Instant>) {
        let Some(at) = at else { return };
        let at = at.max(self.now);
        let life = &mut self.machines[host].life;
        if life.wakes_at(at) {
            let incarnation = life.incarnation();
            self.calendar.enter(at, Event::Wakes { host, incarnation });
        }
    }

    /// Enters the instant at which a core of a node has finished its queue.
    pub fn core_free_at(&mut self, node: Place, core: usize, at: Instant) {
        let incarnation = self.machines[node].life.incarnation();
        self.calendar.enter(at.max(self.now), Event::CoreFree { node, incarnation, core });
    }

    /// The messages, writes and turns that a fault has touched so far.
    pub fn touched(&self, fault: usize) -> Touched {
        let shared = [&self.touches, &self.network.touches, &self.queues.touches];
        let machines = self.machines.values().flat_map(Machine::touches);
        shared.into_iter().chain(machines).map(|touches| touches.of(fault)).sum()
    }
}

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Processes events until one gives a host a turn.
    #[inline]
    pub fn advance(&mut self) -> Turn<C> {
        loop {
            if self.course.events.is_multiple_of(256) {
                self.report_progress();
            }
            let Some((at, event)) = self.calendar.take() else {
                // No event is left: so the run is over.
                let last = if self.course.ended { Event::Stop } else { Event::End };
                self.calendar.enter(self.now, last);
                continue;
            };
            assert!(at >= self.now, "time does not go back");
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

    /// Reports progress, and ends the run if its caller wants that or it exceeds a limit.
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

    /// A turn for this incarnation of a process; `None` if it has restarted since.
    fn give_same(&mut self, node: Place, incarnation: u32, turn: NodeTurn<C>) -> Option<Turn<C>> {
        if self.machines[node].life.incarnation() == incarnation {
            self.give(node, turn)
        } else {
            None
        }
    }

    /// A turn for a node; a paused process gets it when it resumes, a dead one never.
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

    /// A turn of a fault. Before it strikes, steps or heals, due heartbeats are settled.
    #[cold]
    fn give_director(&mut self, word: u64, turn: DirectorTurn) -> Option<Turn<C>> {
        self.layout().nodes().for_each(|place| self.let_beats_arrive(place));
        self.fingerprint.fold(word);
        Some(Turn::Director(turn))
    }
}
