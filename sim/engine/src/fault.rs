//! Faults: what each does to the world when it strikes, and how it heals.
//!
//! Owns which faults are in force, what each must undo, and its next step. Each group of families has its own file: how
//! it strikes, steps, heals and is drawn. Healing undoes a fault completely. A fault acts on the world alone: it
//! returns what it did, and the world tells its listener. Refuses to know when faults strike (the plan says), how links
//! and disks behave, and what a fault costs (`struck` measures that).

pub(crate) mod clock;
mod cuts;
mod disk;
mod members;
mod network;
mod process;
pub mod results;
pub(crate) mod swarm;
mod upgrade;
mod victims;

use onsale_booking::{Instant, Span};
use onsale_cluster::Placement;
use onsale_scenarios::{Fault, GoodCopies, NetworkFault, ProcessFault, What};
use onsale_world::place::{Place, Process};
use onsale_world::sample::most;

use crate::awaited::Came;
use crate::plan::Plan;
use crate::struck::Effect;
use crate::system::{System, World};

/// Carries out a plan's faults on a cluster of known shape.
#[derive(Debug)]
pub struct Faults<'a, S: System> {
    /// The plan's faults.
    plan: &'a [Fault],
    /// The system under test.
    setup: &'a S::Setup,
    /// The replicas of each shard.
    placement: &'a Placement,
    /// The good copies that damage to disks must leave each shard.
    good_copies: GoodCopies,
    /// The most work, on one core, that reading back one MiB of a log takes.
    recover_mib: Span,
    /// By fault, what it has done; `None` before it strikes.
    in_force: Vec<Option<Force>>,
    /// The node at which the moment of the striking fault came.
    there: Option<Place>,
}

/// State of a fault in force, by group: what healing must undo and the next step needs.
#[derive(Debug, Default)]
struct Force {
    process: process::Force,
    network: network::Force,
    disk: disk::Force,
    clock: clock::Force,
}

/// A fault that is striking.
struct Strike<'a, S: System> {
    world: &'a mut World<S>,
    /// Number of the fault in the plan.
    index: usize,
    /// Time from the strike until it heals.
    lasts: Span,
    /// State of the fault.
    force: &'a mut Force,
}

/// Instants of a fault's steps, after its strike and before it heals.
pub fn steps(fault: &Fault) -> Vec<Span> {
    match &fault.what {
        What::Process(what) => process::steps(fault, what),
        What::Network(what) => network::steps(fault, what),
        What::Members(what) => members::steps(fault, what),
        What::Disk(_) | What::Clock(_) => Vec::new(),
    }
}

/// What a fault may do to the leaders of shards.
const fn effect(what: &What) -> Effect {
    match what {
        What::Process(what) => match what {
            ProcessFault::Crash { .. }
            | ProcessFault::Kill { .. }
            | ProcessFault::Pause { .. }
            | ProcessFault::ZoneLoss { .. } => Effect::Stops,
            ProcessFault::Restart { .. } | ProcessFault::RollingRestart { .. } => Effect::Retires,
            ProcessFault::CrashLoop { .. }
            | ProcessFault::Limp { .. }
            | ProcessFault::Upgrade { .. }
            | ProcessFault::PowerLoss {} => Effect::Delays,
        },
        What::Network(NetworkFault::Duplicate { .. }) | What::Clock(_) => Effect::Nothing,
        What::Network(NetworkFault::Partition { .. }) => Effect::Cuts,
        What::Network(_) => Effect::Delays,
        What::Disk(_) | What::Members(_) => Effect::Lasts,
    }
}

/// Enters the steps and the healing of a fault whose strike is known.
fn enter_effects<S: System>(world: &mut World<S>, index: usize, fault: &Fault) {
    for (step, at) in steps(fault).into_iter().enumerate() {
        world.enter_step(Instant::ZERO + at, index, step);
    }
    world.enter_heal(Instant::ZERO + fault.ends(), index);
}

/// The description of a fault whose moment never came.
pub(crate) fn never_came(fault: &Fault) -> String {
    let moment = fault.when.map(|when| when.moment.to_string()).unwrap_or_default();
    format!("{} that waited for {moment}: its moment never came", fault.family())
}

impl<'a, S: System> Faults<'a, S> {
    /// The faults of a plan, before any has struck.
    pub fn new(plan: &'a Plan, setup: &'a S::Setup) -> Self {
        Self {
            plan: &plan.faults,
            setup,
            placement: S::placement(setup),
            good_copies: plan.scenario.disk.good_copies,
            recover_mib: most(&plan.scenario.costs.recover_mib),
            in_force: plan.faults.iter().map(|_| None).collect(),
            there: None,
        }
    }

    /// Enters the faults in the calendar: their strikes, or the windows in which they wait for their moments.
    pub fn enter(&self, world: &mut World<S>) {
        for (index, fault) in self.plan.iter().enumerate() {
            let at = Instant::ZERO + fault.at;
            match fault.when {
                Some(when) => world.enter_wait(at, at + when.within, index),
                None => {
                    world.enter_strike(at, index);
                    enter_effects(world, index, fault);
                }
            }
        }
    }

    /// Lets a fault wait for its moment.
    pub fn wait(&self, world: &mut World<S>, index: usize) {
        let when = self.plan[index].when.expect("only a fault with a moment waits");
        world.ears.awaited.begin(world.now, index, when);
    }

    /// Ends the window of a fault. Returns whether its moment never came, so that it never strikes.
    pub fn lapse(&self, world: &mut World<S>, index: usize) -> bool {
        let lapses = world.ears.awaited.end(index);
        if lapses {
            world.ears.fault_lapsed(world.now, index, &never_came(&self.plan[index]));
        }
        lapses
    }

    /// Strikes with a fault.
    pub fn strike(&mut self, world: &mut World<S>, index: usize) {
        let (fault, mut force) = (&self.plan[index], Force::default());
        let came = world.ears.awaited.came(index);
        self.there = came.map(|came| came.node);
        let mut strike = Strike { world, index, lasts: fault.lasts, force: &mut force };
        let what = match &fault.what {
            What::Process(what) => self.strike_process(&mut strike, what),
            What::Network(what) => self.strike_network(&mut strike, what),
            What::Disk(what) => self.strike_disk(&mut strike, what),
            What::Clock(what) => self.strike_clock(&mut strike, what),
            What::Members(what) => self.strike_members(&mut strike, what),
        };
        self.in_force[index] = Some(force);
        let what = match came {
            Some(Came { moment, node, .. }) => format!("{what} (at {moment} of {node})"),
            None => what,
        };
        world.ears.fault_struck(world.now, index, what, (fault.trouble(), effect(&fault.what)));
        tell_minorities(world);
        if came.is_some() {
            let struck = fault.struck_at(world.now.since(Instant::ZERO));
            enter_effects(world, index, &struck);
        }
    }

    /// Takes a fault's next step.
    pub fn step(&mut self, world: &mut World<S>, index: usize) {
        let mut force = self.in_force[index].take().expect("a fault strikes before it steps");
        let what = match &self.plan[index].what {
            What::Process(_) => self.step_process(world, index, &mut force.process),
            What::Network(_) => self.step_network(world, index, &mut force.network),
            What::Members(_) => self.step_members(world, index),
            What::Disk(_) | What::Clock(_) => panic!("fault {index} has no steps"),
        };
        self.in_force[index] = Some(force);
        world.ears.fault_goes_on(world.now, index, &what);
        tell_minorities(world);
    }

    /// Heals a fault.
    pub fn heal(&mut self, world: &mut World<S>, index: usize) {
        let force = self.in_force[index].as_mut().map(std::mem::take);
        let Force { process, network, disk, clock } =
            force.expect("a fault strikes before it heals");
        let over = world.now + self.lingers(world, index, &process);
        world.ears.fault_healed(world.now, index, self.plan[index].trouble().map(|_| over));
        self.heal_process(world, index, process);
        network.heal(world, index);
        disk.heal(world, index);
        clock.heal(world, index);
        tell_minorities(world);
    }
}

/// Tells the judges which gateways are reached by clients, and by no more than half of the running nodes, while nothing is
/// felt but cut links.
fn tell_minorities<S: System>(world: &mut World<S>) {
    let (now, layout) = (world.now, world.layout());
    let is_clean = world.ears.faults.only_cuts(now, world.ears.witness.judges.recovery());
    for place in layout.nodes() {
        let is_met = [(Place::Clients, place), (place, Place::Clients)]
            .iter()
            .all(|&(from, to)| !world.network.is_cut(from, to));
        let run = || layout.nodes().filter(|&peer| world.process(peer) == Process::Up);
        let reach = run().filter(|&peer| peer == place || !world.network.is_cut(peer, place));
        let is_minority = is_clean && is_met && 2 * reach.count() <= run().count();
        world.ears.witness.judges.in_minority(now, place.node_id(), is_minority);
    }
}
