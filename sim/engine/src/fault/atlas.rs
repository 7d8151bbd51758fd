//! The fault atlas: which disks may be damaged, so that every record keeps a majority of good copies,
//! unless the scenario leaves that to chance.
//!
//! Owns the count of damaged copies, which it reads off the disks themselves: a copy counts as
//! damaged until its replica has written that it has made up for it or, where members change, until
//! another has taken its place. Refuses to know what damages a disk and whether anybody has noticed.

use onsale_booking::NodeId;
use onsale_cluster::ShardId;
use onsale_cluster::journal::{Members, Recovered, ReplicaId, Wal};
use onsale_scenarios::GoodCopies;

use super::Faults;
use crate::seen::place::Place;
use crate::world::World;

impl Faults<'_> {
    /// A shard that would be left without a majority of good copies, were the victim's disk damaged too,
    /// and that must not be.
    pub(super) fn endangers(&self, world: &mut World, victim: Place) -> Option<ShardId> {
        match self.good_copies {
            GoodCopies::Majority => {}
            GoodCopies::Any => return None,
        }
        let others: Vec<(NodeId, Recovered)> = self
            .places()
            .filter(|&place| place != victim)
            .map(|place| (place.node_id(), Wal::recover(world.found(place))))
            .collect();
        let (map, victim) = (self.placement, victim.node_id());
        let mut shards = (0..map.shards()).map(ShardId);
        if map.map_shard().is_some() {
            return shards.find(|&shard| {
                let members = world.journal.members(shard);
                members.iter().any(|members| leaves_no_quorum(shard, members, victim, &others))
            });
        }
        shards.find(|&shard| {
            let replicas = self.placement.replicas(shard);
            let damaged = others
                .iter()
                .filter(|(node, found)| replicas.contains(node) && found.is_in_repair(shard))
                .count();
            replicas.contains(&victim) && damaged + 1 > (replicas.len() - 1) / 2
        })
    }
}

/// Whether members of a shard that have the victim among them would be left without a quorum of good copies. What
/// a disk that forgot does not hold is lost for good, as far as anybody can tell from outside; what any other
/// does not hold yet nobody has promised there.
fn leaves_no_quorum(
    shard: ShardId,
    members: &Members,
    victim: NodeId,
    others: &[(NodeId, Recovered)],
) -> bool {
    let is_struck = members.all().iter().any(|member| member.node() == victim);
    let is_good = |(_, found): &(NodeId, Recovered), generation| {
        let holds = found.generation(shard) == Some(generation);
        !found.lost_promises() && (found.forgot.is_none() || holds)
    };
    let has_good_copy = |member: ReplicaId| {
        let mut disks = others.iter().filter(|(node, _)| *node == member.node());
        disks.any(|disk| is_good(disk, member.generation()))
    };
    is_struck && !members.is_quorum(has_good_copy)
}

/// What is said of a fault that spares a disk.
pub(super) fn spared(name: &str, shard: ShardId) -> String {
    format!("disk of {name} spared: {shard} would lose its majority of good copies")
}
