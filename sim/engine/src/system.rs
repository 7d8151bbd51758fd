//! The seam: what a system under test supplies, and gets everything else for.
//!
//! Owns the list: how a node boots and takes its turns, and a ledger that declares from disks alone what is durable.
//! For that a system gets the crowd, the faults, the oracles, the stories, shrinking and reports. Refuses to know how any
//! system decides.

mod audience;

use std::fmt;
use std::sync::Arc;

use onsale_booking::Instant;
use onsale_cluster::{Message, Phase, Placement, ShardId};
use onsale_scenarios::{GoodCopies, Scenario};
use onsale_world::place::{Layout, Place, PlaceTable};
use onsale_world::{Cargo, Machine, NodeTurn};

pub use self::audience::{Audience, World};
use crate::judges::Judges;
use crate::plan::Plan;
use crate::seen::declared::Declared;
use crate::seen::naming::Naming;

/// A system under test.
pub trait System: Cargo<Message = Message> {
    /// What all its nodes share for a run.
    type Setup: fmt::Debug + Send + Sync;
    /// A node's process.
    type Host: Host<Self>;
    /// What its disks declare.
    type Ledger: Ledger<Self>;

    /// The system that a scenario describes.
    fn setup(scenario: &Scenario) -> Self::Setup;

    /// What it calls its logs and the records in them.
    const NAMING: Naming;

    /// Which node has which copy of which log, at the beginning.
    fn placement(setup: &Self::Setup) -> &Placement;
}

/// A node's process, from its start to its death.
pub trait Host<S: System>: Sized {
    /// It starts, and reads its machine's disk.
    fn boot(world: &mut World<S>, place: Place, plan: &Plan, setup: &Arc<S::Setup>) -> Self;

    /// What happens next to it.
    fn take_turn(&mut self, world: &mut World<S>, turn: NodeTurn<S>);

    /// What a log is doing, as far as this node can say. Not a step of the node.
    fn phase(&self, log: ShardId) -> Phase;

    /// The run is over: what the node has applied its own disk must give again. Returns how many replicas were
    /// compared.
    ///
    /// # Panics
    /// If they differ.
    fn audit(&self, machine: &Machine<S>) -> u32;
}

/// What a system's disks declare: which records are committed, in the order of each log. Told what happens to processes
/// and disks, and nothing that a node says of itself.
pub trait Ledger<S: System>: fmt::Debug + Send {
    /// Empty disks.
    fn new(setup: &S::Setup) -> Self;

    /// Bytes became durable on a node's disk, or so the disk says.
    fn written(&mut self, now: Instant, node: Place, bytes: &[u8], judges: &mut Judges);

    /// A process starts, on another disk than it had if a fault put one in.
    fn started(
        &mut self,
        now: Instant,
        node: Place,
        has_other_disk: bool,
        machines: &PlaceTable<Machine<S>>,
        judges: &mut Judges,
    );

    /// A process died, and its disk kept what it did.
    fn died(&mut self, now: Instant, node: Place, machine: &Machine<S>, judges: &mut Judges);

    /// Another disk stands where a dead process had its own.
    fn disk_replaced(
        &mut self,
        now: Instant,
        node: Place,
        machine: &Machine<S>,
        judges: &mut Judges,
    );

    /// A dead node is gone for good, and its disk with it.
    fn gone_for_good(
        &mut self,
        now: Instant,
        node: Place,
        machines: &PlaceTable<Machine<S>>,
        judges: &mut Judges,
    );

    /// The run is over: all that is durable has been declared once this returns.
    fn finish(&mut self, now: Instant, machines: &PlaceTable<Machine<S>>, judges: &mut Judges);

    /// A log that would be left without a majority of good copies, were the victim's disk damaged too, and that must
    /// not be.
    fn endangers(
        &self,
        setup: &S::Setup,
        machines: &PlaceTable<Machine<S>>,
        victim: Place,
        good_copies: GoodCopies,
    ) -> Option<ShardId>;

    /// The records in what is written, for stories; `None` if a story reads the bytes itself.
    fn declared(bytes: &[u8]) -> Option<Vec<Declared>>;
}

/// The world around a system.
pub fn world(scenario: &Scenario) -> onsale_world::Settings {
    let cluster = &scenario.cluster;
    let replicas = u64::from(cluster.shards) * u64::from(cluster.replicas);
    onsale_world::Settings {
        layout: Layout::new(cluster.numbers(), 0),
        members: cluster.nodes,
        zones: cluster.zones,
        network: scenario.network.clone(),
        disk: scenario.disk.clone(),
        health_check: scenario.crowd.health_check,
        clock_skew: cluster.clock_skew,
        // What an even placement gives a node.
        replicas_a_node: replicas.div_ceil(u64::from(cluster.nodes)),
    }
}
