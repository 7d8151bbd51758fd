//! Faults: what each does to the world when it strikes, and how it heals.
//!
//! Owns which faults are in force, what each has to undo, and what its next step is; each group of families has a file
//! of its own: how it strikes, goes on, heals and is drawn. Every fault ends as if it had never been. A fault acts on
//! the world alone: it says what it did, and the world tells whoever judges or counts. Refuses to know when faults come
//! (the plan says), how links and disks behave, and what a fault costs (`struck` keeps that).

mod clock;
mod cuts;
mod disk;
mod members;
mod network;
mod process;
pub mod results;
pub(crate) mod swarm;
mod victims;

use onsale_booking::Span;
use onsale_cluster::Placement;
use onsale_scenarios::{Fault, GoodCopies, What};

use crate::plan::Plan;
use crate::system::{System, World};

/// Carries out faults: knows the cluster's shape.
#[derive(Debug)]
pub struct Faults<'a, S: System> {
    /// The plan's faults.
    plan: &'a [Fault],
    /// The system that they strike.
    setup: &'a S::Setup,
    /// Which node carries what.
    placement: &'a Placement,
    /// What damage to disks leaves each shard.
    good_copies: GoodCopies,
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
struct Strike<'a, S: System> {
    world: &'a mut World<S>,
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

impl<'a, S: System> Faults<'a, S> {
    /// None of the plan's faults has struck.
    pub fn new(plan: &'a Plan, setup: &'a S::Setup) -> Self {
        Self {
            plan: &plan.faults,
            setup,
            placement: S::placement(setup),
            good_copies: plan.scenario.disk.good_copies,
            in_force: plan.faults.iter().map(|_| None).collect(),
        }
    }

    /// A fault strikes.
    pub fn strike(&mut self, world: &mut World<S>, index: usize) {
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
        world.ears.fault_struck(world.now, index, what, fault.trouble());
    }

    /// A fault goes on to its next step.
    pub fn step(&mut self, world: &mut World<S>, index: usize) {
        let mut force = self.in_force[index].take().expect("what goes on has struck");
        let what = match &self.plan[index].what {
            What::Process(_) => self.step_process(world, index, &mut force.process),
            What::Network(_) => self.step_network(world, index, &mut force.network),
            What::Disk(_) | What::Clock(_) | What::Members(_) => {
                panic!("fault {index} has no steps")
            }
        };
        self.in_force[index] = Some(force);
        world.ears.fault_goes_on(world.now, index, &what);
    }

    /// A fault heals.
    pub fn heal(&mut self, world: &mut World<S>, index: usize) {
        world.ears.fault_healed(world.now, index, self.plan[index].trouble());
        let force = self.in_force[index].as_mut().map(std::mem::take);
        let Force { process, network, disk, clock } = force.expect("what heals has struck");
        self.heal_process(world, index, process);
        network.heal(world, index);
        disk.heal(world, index);
        clock.heal(world, index);
    }
}
