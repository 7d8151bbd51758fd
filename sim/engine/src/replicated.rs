//! The flagship: the replicated cluster of `onsale-cluster` as a system under test.
//!
//! Owns its side of the seam: its messages as cargo, its nodes as hosts, and the ledger that reads its journals off the
//! disks. Refuses to know how it is judged.

pub(crate) mod atlas;
mod cargo;
pub mod host;
pub mod ledger;
mod operator;
pub mod setup;

use onsale_booking::Instant;
use onsale_cluster::facts::remembered;
use onsale_cluster::journal::Wal;
use onsale_cluster::{Epoch, Found, Placement, Setup, ShardId};
use onsale_scenarios::{GoodCopies, Scenario};
use onsale_world::place::{Place, PlaceTable};
use onsale_world::{Machine, Order};

use self::host::Host;
use self::ledger::JournalWatch;
use crate::judges::Judges;
use crate::judges::facts::Loss;
use crate::seen::declared::Declared;
use crate::seen::naming::Naming;
use crate::system::{Ledger, System};

/// The replicated cluster.
#[derive(Clone, Copy, Debug)]
pub struct Replicated;

type Machines = PlaceTable<Machine<Replicated>>;

impl System for Replicated {
    type Setup = Setup;
    type Host = Host;
    type Ledger = JournalWatch;

    fn setup(scenario: &Scenario) -> Setup {
        setup::setup(scenario)
    }

    const NAMING: Naming = Naming {
        log: |log| ShardId(log).to_string(),
        term: |term| Epoch(term).to_string(),
        record: |log, index, term| format!("record {index} of {} ({})", ShardId(log), Epoch(term)),
        decided: "proposed as",
        has_leaders: true,
    };

    fn placement(setup: &Setup) -> &Placement {
        &setup.placement
    }

    fn stranded(setup: &Setup, machines: &Machines, lost: &[Place]) -> Option<u32> {
        operator::stranded(&setup.placement, machines, lost).map(|shard| shard.0)
    }

    fn recovery(setup: &Setup, machines: &Machines) -> Vec<(Place, Order)> {
        operator::orders(&setup.placement, machines)
    }
}

/// The contents of a machine's disk, as a starting node reads them.
fn found(machine: &Machine<Replicated>) -> Found {
    Found { has_written: machine.has_written(), segments: machine.disk.contents() }
}

impl Ledger<Replicated> for JournalWatch {
    fn new(setup: &Setup) -> Self {
        Self::of(&setup.placement)
    }

    fn written(
        &mut self,
        now: Instant,
        node: Place,
        bytes: &[u8],
        begin: bool,
        judges: &mut Judges,
    ) {
        self.read(now, node, bytes, begin, judges);
    }

    fn started(
        &mut self,
        now: Instant,
        node: Place,
        has_other_disk: bool,
        machines: &Machines,
        judges: &mut Judges,
    ) {
        judges.durable.reread(node.node_id(), machines[node].disk.durable());
        judges.process(now, node.node_id(), true, self.all_members());
        tell_of_lost_facts(now, node, has_other_disk, machines, judges);
    }

    fn died(
        &mut self,
        now: Instant,
        node: Place,
        machine: &Machine<Replicated>,
        judges: &mut Judges,
    ) {
        self.crashed(now, node, machine.disk.durable(), judges);
        // A process that refuses to run although no fault took its release back excuses nothing: it counts as up.
        let program = machine.program;
        if !program.has_refused() || program.rolled_back_by().is_some() {
            judges.process(now, node.node_id(), false, self.all_members());
        }
    }

    fn paused(&mut self, now: Instant, node: Place, judges: &mut Judges) {
        judges.process(now, node.node_id(), false, self.all_members());
    }

    fn resumed(&mut self, now: Instant, node: Place, judges: &mut Judges) {
        judges.process(now, node.node_id(), true, self.all_members());
    }

    fn disk_replaced(
        &mut self,
        now: Instant,
        node: Place,
        machine: &Machine<Replicated>,
        judges: &mut Judges,
    ) {
        self.crashed(now, node, machine.disk.durable(), judges);
    }

    fn loses(&mut self, now: Instant, nodes: &[Place], judges: &mut Judges) {
        self.on_loss(now, nodes, judges);
    }

    fn gone_for_good(
        &mut self,
        now: Instant,
        node: Place,
        machines: &Machines,
        judges: &mut Judges,
    ) {
        tell_of_lost_facts(now, node, true, machines, judges);
    }

    fn finish(&mut self, now: Instant, machines: &Machines, judges: &mut Judges) {
        let disks = machines.values().map(|machine| machine.disk.durable());
        self.close(now, disks, judges);
    }

    fn endangers(
        &self,
        setup: &Setup,
        machines: &Machines,
        victim: Place,
        good_copies: GoodCopies,
    ) -> Option<u32> {
        let shard = self.endangered(&setup.placement, machines, victim, good_copies);
        shard.map(|shard| shard.0)
    }

    /// `None`: stories read the frames themselves, as they tell more than records.
    fn declared(_: &[u8]) -> Option<Vec<Declared>> {
        None
    }
}

/// Tells the judge of facts what is left of them on a disk that a fault damaged or replaced, when its process
/// starts or is lost for good. Losses without a fault are not excused.
fn tell_of_lost_facts(
    now: Instant,
    node: Place,
    has_other_disk: bool,
    machines: &Machines,
    judges: &mut Judges,
) {
    let Some(oracle) = &mut judges.facts else { return };
    let recovered = Wal::recover(found(&machines[node]));
    if !has_other_disk && !recovered.lost_promises() {
        return;
    }
    let left = remembered(&recovered.facts);
    let mut kept = left.clone();
    for machine in machines.values().filter(|machine| machine.stays()) {
        kept.merge(&remembered(&Wal::recover(found(machine)).facts));
    }
    oracle.on_disk_lost(node.node_id(), Loss { at: now, left, kept });
}
