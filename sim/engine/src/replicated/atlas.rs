//! The fault atlas: the disks that may be damaged, so that every record keeps a majority of good
//! copies, unless the scenario leaves that to chance.
//!
//! Owns the count of damaged copies, which it reads off the disks themselves: a copy counts as
//! damaged until its replica has written that it is repaired or, where members change, until
//! another has replaced it. Refuses to know what damages a disk and whether a node has noticed.

use onsale_booking::NodeId;
use onsale_cluster::journal::{Found, Members, Recovered, ReplicaId, Wal};
use onsale_cluster::{Placement, ShardId};
use onsale_scenarios::GoodCopies;
use onsale_world::Machine;
use onsale_world::place::{Layout, Place, PlaceTable};

use super::Replicated;
use super::ledger::JournalWatch;

impl JournalWatch {
    /// A shard that must keep a majority of good copies, and would lose it if the victim's disk were
    /// damaged.
    pub(super) fn endangered(
        &self,
        placement: &Placement,
        machines: &PlaceTable<Machine<Replicated>>,
        victim: Place,
        good_copies: GoodCopies,
    ) -> Option<ShardId> {
        match good_copies {
            GoodCopies::Majority => {}
            GoodCopies::Any => return None,
        }
        let others: Vec<(NodeId, Recovered)> = Layout::new(placement.nodes(), 0)
            .nodes()
            .filter(|&place| place != victim)
            .map(|place| (place.node_id(), Wal::recover(durable(&machines[place]))))
            .collect();
        let victim = victim.node_id();
        let mut shards = (0..placement.shards()).map(ShardId);
        if placement.map_shard().is_some() {
            return shards.find(|&shard| {
                let members = self.members(shard);
                members.iter().any(|members| leaves_no_quorum(shard, members, victim, &others))
            });
        }
        shards.find(|&shard| {
            let replicas = placement.replicas(shard);
            let damaged = others
                .iter()
                .filter(|(node, found)| replicas.contains(node) && found.is_in_repair(shard))
                .count();
            replicas.contains(&victim) && damaged + 1 > (replicas.len() - 1) / 2
        })
    }
}

/// The contents of a machine's disk that a loss of its power leaves.
pub(super) fn durable(machine: &Machine<Replicated>) -> Found {
    Found { has_written: machine.has_written(), segments: machine.disk.durable_contents() }
}

/// Whether a shard with the victim among its members would lose its quorum of good copies. Records missing on a disk
/// that forgot count as lost for good, as seen from outside; records missing on any other disk were never promised
/// there.
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
