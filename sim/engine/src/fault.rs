//! Faults: what each does to the world when it strikes, and how it heals.
//!
//! Owns which faults are in force, what each has to undo, and what its next step is; each group of families has a file
//! of its own: how it strikes, goes on, heals and is drawn. Every fault ends as if it had never been. A fault acts on
//! the world alone: it says what it did, and the world tells whoever judges or counts. Refuses to know when faults come
//! (the plan says), how links and disks behave, and what a fault costs (`struck` keeps that).

mod atlas;
mod clock;
mod cuts;
mod disk;
mod members;
mod network;
mod process;
pub mod results;
pub(crate) mod swarm;
mod victims;

use madsim::runtime::Handle;
use madsim::task::NodeId as Process;
use onsale_booking::Span;
use onsale_cluster::Placement;
use onsale_scenarios::{Fault, GoodCopies, What};

use crate::plan::Plan;
use crate::seen::place::PlaceTable;
use crate::world::World;

/// Carries out faults: knows the cluster's shape and the executor's processes.
#[derive(Debug)]
pub struct Faults<'a> {
    /// The plan's faults.
    plan: &'a [Fault],
    /// Which node carries what.
    placement: &'a Placement,
    /// What damage to disks leaves each shard.
    good_copies: GoodCopies,
    /// The executor.
    executor: &'a Handle,
    /// Its processes, by place; the first is the clients'.
    processes: &'a PlaceTable<Process>,
    /// By fault, what it has done; nothing before it strikes.
    in_force: Vec<Option<Force>>,
}

/// What a fault has done: what healing has to undo, and what its next step is about.
#[derive(Debug, Default)]
struct Force {
    process: process::Force,
    network: network::Force,
    disk: disk::Force,
    clock: clock::Force,
}

/// A fault that strikes just now.
struct Strike<'a> {
    world: &'a mut World,
    /// Its number in the plan.
    index: usize,
    /// How long it lasts.
    lasts: Span,
    /// What it does.
    force: &'a mut Force,
}

/// When a fault goes on to its next step, after it strikes and before it heals.
pub fn steps(fault: &Fault) -> Vec<Span> {
    match &fault.what {
        What::Process(what) => process::steps(fault, what),
        What::Network(what) => network::steps(fault, what),
        What::Disk(_) | What::Clock(_) | What::Members(_) => Vec::new(),
    }
}

impl<'a> Faults<'a> {
    /// None of the plan's faults has struck.
    pub fn new(
        plan: &'a Plan,
        placement: &'a Placement,
        executor: &'a Handle,
        processes: &'a PlaceTable<Process>,
    ) -> Self {
        Self {
            plan: &plan.faults,
            placement,
            good_copies: plan.scenario.disk.good_copies,
            executor,
            processes,
            in_force: plan.faults.iter().map(|_| None).collect(),
        }
    }

    /// A fault strikes.
    pub fn strike(&mut self, world: &mut World, index: usize) {
        let (fault, mut force) = (&self.plan[index], Force::default());
        let mut strike = Strike { world, index, lasts: fault.lasts, force: &mut force };
        let what = match &fault.what {
            What::Process(what) => self.strike_process(&mut strike, what),
            What::Network(what) => self.strike_network(&mut strike, what),
            What::Disk(what) => self.strike_disk(&mut strike, what),
            What::Clock(what) => self.strike_clock(&mut strike, what),
            What::Members(what) => self.strike_members(&mut strike, what),
        };
        self.in_force[index] = Some(force);
        world.fault_struck(index, what, fault.trouble());
    }

    /// A fault goes on to its next step.
    pub fn step(&mut self, world: &mut World, index: usize) {
        let mut force = self.in_force[index].take().expect("what goes on has struck");
        let what = match &self.plan[index].what {
            What::Process(_) => self.step_process(world, index, &mut force.process),
            What::Network(_) => self.step_network(world, index, &mut force.network),
            What::Disk(_) | What::Clock(_) | What::Members(_) => {
                panic!("fault {index} has no steps")
            }
        };
        self.in_force[index] = Some(force);
        world.fault_goes_on(index, &what);
    }

    /// A fault heals.
    pub fn heal(&mut self, world: &mut World, index: usize) {
        world.fault_healed(index, self.plan[index].trouble());
        let force = self.in_force[index].as_mut().map(std::mem::take);
        let Force { process, network, disk, clock } = force.expect("what heals has struck");
        self.heal_process(world, index, process);
        network.heal(world, index);
        disk.heal(world, index);
        clock.heal(world, index);
    }
}
