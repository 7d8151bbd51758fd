//! The operator's tool: it reads the disks of the survivors, like a tool beside the cluster, and makes a plan.
//!
//! Owns the reading of the machines that are not lost, and the translation of the plan into orders. Refuses to know what
//! a plan chooses, and when an operator asks for one.

use onsale_booking::NodeId;
use onsale_cluster::journal::Wal;
use onsale_cluster::{Placement, ShardId, recovery_plan};
use onsale_world::Order;
use onsale_world::place::{Layout, Place};

use super::Machines;
use super::atlas::durable;

/// A shard of which no disk but those of lost nodes has a whole replica.
pub(super) fn stranded(first: &Placement, machines: &Machines, lost: &[Place]) -> Option<ShardId> {
    let survivors = Layout::new(first.nodes(), 0).nodes().filter(|place| !lost.contains(place));
    let whole = |place: Place| {
        let mut disk = Wal::recover(durable(&machines[place]));
        let mut whole: Vec<ShardId> = disk.shards().collect();
        whole.retain(|&shard| !disk.is_in_repair(shard) && !disk.take(shard).has_left());
        whole
    };
    let held: Vec<ShardId> = survivors.flat_map(whole).collect();
    (0..first.shards()).map(ShardId).find(|shard| !held.contains(shard))
}

/// The orders to all survivors of logs that lost a majority of their members.
pub(super) fn orders(first: &Placement, machines: &Machines) -> Vec<(Place, Order)> {
    let (gone, survive): (Vec<Place>, Vec<Place>) =
        Layout::new(first.nodes(), 0).nodes().partition(|&place| machines[place].is_lost());
    let lost: Vec<NodeId> = gone.iter().map(|place| place.node_id()).collect();
    let begun = survive.into_iter().filter(|&place| machines[place].has_written());
    let disks = begun.map(|place| (place.node_id(), durable(&machines[place])));
    let plan = recovery_plan(first, &lost, disks);
    let order = |it: &onsale_cluster::RecoveryOrder| {
        let (log, generation) = (it.shard.0, it.generation);
        let order = match it.goes_on {
            true => Order::Recover { log, generation, lost: lost.clone() },
            false => Order::GiveUp { log, generation },
        };
        (Place::Node(it.node), order)
    };
    plan.iter().map(order).collect()
}
