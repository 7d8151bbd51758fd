//! The seam: what a system under test must supply.
//!
//! Owns the list: how a node boots and takes its turns, and a ledger that declares durable records from disks alone. In
//! return a system gets the crowd, the faults, the oracles, the stories, shrinking and reports. Refuses to know how any
//! system decides.

mod audience;
mod moments;

use std::fmt;
use std::sync::Arc;

use onsale_booking::{Instant, NodeId};
use onsale_cluster::{Phase, Placement};
use onsale_oracles::Table;
use onsale_scenarios::{GoodCopies, Scenario};
use onsale_world::place::{Layout, Place, PlaceTable};
use onsale_world::{Machine, NodeTurn, Order};

pub use self::audience::{Audience, World};
pub use self::moments::moment_came;
use crate::judges::Judges;
use crate::plan::Plan;
use crate::seen::declared::Declared;
use crate::seen::messages::Messages;
use crate::seen::naming::Naming;

/// A system under test.
pub trait System: Messages {
    /// Settings shared by all its nodes.
    type Setup: fmt::Debug + Send + Sync;
    /// Host of a node's process.
    type Host: Host<Self>;
    /// Ledger of its disks.
    type Ledger: Ledger<Self>;

    /// The system that a scenario describes.
    fn setup(scenario: &Scenario) -> Self::Setup;

    /// Names of its logs and records, for people.
    const NAMING: Naming;

    /// The initial placement: the replicas of each log.
    fn placement(setup: &Self::Setup) -> &Placement;

    /// A log that could not be recovered if these machines were lost for good: no other disk has a copy.
    fn stranded(
        setup: &Self::Setup,
        machines: &PlaceTable<Machine<Self>>,
        lost: &[Place],
    ) -> Option<u32>;

    /// The orders by which an operator recovers the logs of which a majority of the copies is lost for good, from the
    /// disks of the machines that stay.
    fn recovery(setup: &Self::Setup, machines: &PlaceTable<Machine<Self>>) -> Vec<(Place, Order)>;
}

/// Host of a node's process, from its start to its death.
pub trait Host<S: System>: Sized {
    /// Starts the process, which reads its machine's disk.
    fn boot(world: &mut World<S>, place: Place, plan: &Plan, setup: &Arc<S::Setup>) -> Self;

    /// Takes the process's next turn.
    fn take_turn(&mut self, world: &mut World<S>, turn: NodeTurn<S>);

    /// The phase of a log, as far as this node knows. Does not change the node.
    fn phase(&self, log: u32) -> Phase;

    /// What waits at the end of the run, `now`, in the node's tables that must empty: requests and replies, and peers
    /// that it takes for dead although they are `well`.
    fn tables(&self, now: Instant, well: &dyn Fn(NodeId) -> bool) -> Vec<Table>;

    /// Compares at the end of the run the node's applied state with a replay of its own disk. Returns the number of
    /// replicas compared.
    ///
    /// # Panics
    /// If they differ.
    fn audit(&self, machine: &Machine<S>) -> u32;
}

/// Ledger of a system's disks: declares committed records, in the order of each log. It is told what happens to
/// processes and disks, and no node's own claims.
pub trait Ledger<S: System>: fmt::Debug + Send {
    /// A ledger of empty disks.
    fn new(setup: &S::Setup) -> Self;

    /// Reads bytes that became durable on a node's disk, or so the disk says; they may `begin` a segment.
    fn written(
        &mut self,
        now: Instant,
        node: Place,
        bytes: &[u8],
        begin: bool,
        judges: &mut Judges,
    );

    /// Notes that a process starts, on a replaced disk if a fault replaced it.
    fn started(
        &mut self,
        now: Instant,
        node: Place,
        has_other_disk: bool,
        machines: &PlaceTable<Machine<S>>,
        judges: &mut Judges,
    );

    /// Rereads the disk of a process that died.
    fn died(&mut self, now: Instant, node: Place, machine: &Machine<S>, judges: &mut Judges);

    /// Notes that a process stands still: its disk and memory stay as they are.
    fn paused(&mut self, now: Instant, node: Place, judges: &mut Judges);

    /// Notes that a paused process goes on.
    fn resumed(&mut self, now: Instant, node: Place, judges: &mut Judges);

    /// Notes that the disk of a dead process was replaced by an empty one.
    fn disk_replaced(
        &mut self,
        now: Instant,
        node: Place,
        machine: &Machine<S>,
        judges: &mut Judges,
    );

    /// Notes that dead nodes are about to be lost for good with their disks, all at one instant.
    fn loses(&mut self, now: Instant, nodes: &[Place], judges: &mut Judges);

    /// Notes that a dead node is permanently lost with its disk.
    fn gone_for_good(
        &mut self,
        now: Instant,
        node: Place,
        machines: &PlaceTable<Machine<S>>,
        judges: &mut Judges,
    );

    /// Declares the remaining durable records at the end of the run.
    fn finish(&mut self, now: Instant, machines: &PlaceTable<Machine<S>>, judges: &mut Judges);

    /// A log that must keep a majority of good copies, and would lose it if the victim's disk were damaged; `None` if
    /// the disk may be damaged.
    fn endangers(
        &self,
        setup: &S::Setup,
        machines: &PlaceTable<Machine<S>>,
        victim: Place,
        good_copies: GoodCopies,
    ) -> Option<u32>;

    /// The records in the bytes of a write, for stories; `None` if stories read the bytes themselves.
    fn declared(bytes: &[u8]) -> Option<Vec<Declared>>;
}

/// Settings of the world around a system.
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
        // A node's share in an even placement.
        replicas_a_node: replicas.div_ceil(u64::from(cluster.nodes)),
    }
}
