//! The plan of a recovery: which surviving replica of a shard goes on alone, and which are given up.
//!
//! Owns the choice, from the disks of the survivors alone, as an operator's tool makes it while nodes run or are down.
//! Refuses to know which nodes are lost for good: the operator says.
//!
//! A shard is beyond help if the members that its most advanced survivor knows to be in force have no quorum without the
//! lost nodes. Then nothing can be committed there any more. The survivor whose log ends in the latest epoch, and of
//! these the one with the longest log, holds every record that any survivor knows to be committed: as in an election.

use onsale_booking::NodeId;

use crate::id::{Epoch, ShardId};
use crate::journal::{Found, Members, Wal};
use crate::placement::Placement;

/// One order of a plan, for the replica of a shard on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoveryOrder {
    /// The node.
    pub node: NodeId,
    /// The shard.
    pub shard: ShardId,
    /// The generation of the replica.
    pub generation: u32,
    /// Whether it goes on alone; else it is given up.
    pub goes_on: bool,
}

/// A surviving replica.
struct Survivor {
    node: NodeId,
    generation: u32,
    /// Epoch and index of its last record.
    last: (Epoch, u64),
    members: Members,
}

/// The orders for all shards of which a majority is lost: for each, the replica that goes on, and all others to give
/// up. `first` is the first map, `disks` are those of all nodes that are not `lost`.
pub fn recovery_plan(
    first: &Placement,
    lost: &[NodeId],
    disks: impl IntoIterator<Item = (NodeId, Found)>,
) -> Vec<RecoveryOrder> {
    let mut survivors: Vec<Vec<Survivor>> = (0..first.shards()).map(|_| Vec::new()).collect();
    for (node, found) in disks {
        let mut recovered = Wal::recover(found);
        // A disk that lost promises gives no replica back.
        if recovered.lost_promises() {
            continue;
        }
        let carried: Vec<ShardId> = recovered.shards().collect();
        for shard in carried {
            let durable = recovered.take(shard);
            if let Some(of_shard) = survivors.get_mut(shard.0 as usize)
                && !durable.has_left()
            {
                of_shard.push(Survivor {
                    node,
                    generation: durable.generation(),
                    last: durable.last(),
                    members: durable.members(first.replicas(shard)),
                });
            }
        }
    }
    let orders = (0..).map(ShardId).zip(&survivors);
    orders.flat_map(|(shard, survivors)| orders_for(shard, lost, survivors)).collect()
}

fn orders_for(shard: ShardId, lost: &[NodeId], survivors: &[Survivor]) -> Vec<RecoveryOrder> {
    let chosen = survivors.iter().max_by_key(|survivor| survivor.last);
    let lives = |members: &Members| members.is_quorum(|member| !lost.contains(&member.node()));
    let Some(chosen) = chosen.filter(|chosen| !lives(&chosen.members)) else { return Vec::new() };
    let order = |survivor: &Survivor| RecoveryOrder {
        node: survivor.node,
        shard,
        generation: survivor.generation,
        goes_on: survivor.node == chosen.node,
    };
    survivors.iter().map(order).collect()
}
