//! Which nodes carry which shard, and which shard carries which show.
//!
//! Owns the static map that every node computes alike from the cluster's shape. It is
//! a routing hint and the list of each group's members; who owns a shard is the
//! journal's business, and safety never rests on the order here.

use arrayvec::ArrayVec;

use crate::draw::mix;
use crate::id::{NodeId, ShardId, ShowId, ZoneId};

/// The most replicas that a shard may have.
pub const REPLICAS_MAX: usize = 7;

/// The map of a cluster: rendezvous hashing, zones apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    nodes: u16,
    zones: u16,
    shards: Vec<ArrayVec<NodeId, REPLICAS_MAX>>,
}

impl Placement {
    /// Places `shards` shards with `replicas` replicas each on nodes 1 to `nodes`, of
    /// which node n stands in zone (n − 1) mod `zones`, numbered from 1.
    ///
    /// A shard goes to the nodes with its highest hashes, one a zone while zones last,
    /// then two a zone, and so on. Of these the one that is first in the fewest shards
    /// so far comes first, so that owners are spread evenly.
    ///
    /// `replicas` is odd and at most `nodes` and [`REPLICAS_MAX`].
    pub fn new(nodes: u16, zones: u16, shards: u32, replicas: u16) -> Self {
        assert!(zones > 0 && nodes > 0 && shards > 0, "a cluster has a zone, a node and a shard");
        assert!(
            replicas % 2 == 1 && replicas <= nodes,
            "replicas are odd in number and fit on the nodes"
        );
        assert!(usize::from(replicas) <= REPLICAS_MAX, "at most {REPLICAS_MAX} replicas");
        let mut first_in = vec![0u32; usize::from(nodes) + 1];
        let mut members = Vec::with_capacity(shards as usize);
        for shard in 0..shards {
            let mut chosen = choose(shard, nodes, zones, replicas);
            let owner = chosen
                .iter()
                .enumerate()
                .min_by_key(|&(rank, node)| (first_in[usize::from(node.0)], rank))
                .map_or(0, |(rank, _)| rank);
            chosen[..=owner].rotate_right(1);
            first_in[usize::from(chosen[0].0)] += 1;
            members.push(chosen);
        }
        Self { nodes, zones, shards: members }
    }

    /// The number of nodes; they are numbered from 1.
    pub fn nodes(&self) -> u16 {
        self.nodes
    }

    /// Every node, in order.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (1..=self.nodes).map(NodeId)
    }

    /// The number of shards; they are numbered from 0.
    pub fn shards(&self) -> u32 {
        self.shards.len() as u32
    }

    /// The zone in which a node stands.
    pub fn zone_of(&self, node: NodeId) -> ZoneId {
        zone_of(node, self.zones)
    }

    /// The nodes that replicate a shard; the first is its owner at the first boot.
    pub fn replicas(&self, shard: ShardId) -> &[NodeId] {
        &self.shards[shard.0 as usize]
    }

    /// The shard that carries a show's events.
    pub fn shard_of(&self, show: ShowId) -> ShardId {
        let hash = mix(u64::from(show.0)) >> 32;
        ShardId(((hash * self.shards.len() as u64) >> 32) as u32)
    }
}

fn zone_of(node: NodeId, zones: u16) -> ZoneId {
    ZoneId((node.0 - 1) % zones + 1)
}

fn choose(shard: u32, nodes: u16, zones: u16, replicas: u16) -> ArrayVec<NodeId, REPLICAS_MAX> {
    let mut in_zone = vec![0u16; usize::from(zones) + 1];
    let mut chosen = ArrayVec::new();
    for _ in 0..replicas {
        let next = (1..=nodes)
            .map(NodeId)
            .filter(|node| !chosen.contains(node))
            .min_by_key(|&node| {
                (in_zone[usize::from(zone_of(node, zones).0)], !score(shard, node), node)
            })
            .expect("replicas fit on the nodes");
        in_zone[usize::from(zone_of(next, zones).0)] += 1;
        chosen.push(next);
    }
    chosen
}

fn score(shard: u32, node: NodeId) -> u64 {
    mix(mix(u64::from(shard)) ^ u64::from(node.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_stand_in_different_zones_while_zones_last() {
        // (nodes, zones, replicas, zones that each shard must span)
        let table =
            [(3, 3, 3, 3), (5, 3, 3, 3), (5, 2, 3, 2), (7, 5, 5, 5), (9, 1, 3, 1), (99, 3, 7, 3)];
        for (nodes, zones, replicas, spans) in table {
            let placement = Placement::new(nodes, zones, 64, replicas);
            for shard in (0..64).map(ShardId) {
                let mut nodes: Vec<_> = placement.replicas(shard).to_vec();
                let mut zones: Vec<_> = nodes.iter().map(|&node| placement.zone_of(node)).collect();
                nodes.sort_unstable();
                nodes.dedup();
                assert_eq!(nodes.len(), usize::from(replicas), "a node twice in {shard}");
                zones.sort_unstable();
                zones.dedup();
                assert_eq!(zones.len(), spans, "{shard} of {nodes:?}");
            }
        }
    }

    #[test]
    fn owners_and_replicas_are_spread_evenly() {
        // (nodes, zones, shards, greatest spread of owners, greatest replicas on one node per mille of the mean)
        let table = [
            (3, 3, 64, 1, 1_000),
            (5, 3, 64, 2, 1_700),
            (6, 3, 256, 2, 1_200),
            (12, 3, 1_024, 2, 1_200),
        ];
        for (nodes, zones, shards, spread, most) in table {
            let placement = Placement::new(nodes, zones, shards, 3);
            let (mut owned, mut carried) =
                (vec![0u32; usize::from(nodes)], vec![0u32; usize::from(nodes)]);
            for shard in (0..shards).map(ShardId) {
                owned[usize::from(placement.replicas(shard)[0].0) - 1] += 1;
                placement
                    .replicas(shard)
                    .iter()
                    .for_each(|node| carried[usize::from(node.0) - 1] += 1);
            }
            let (least, greatest) = (owned.iter().min().unwrap(), owned.iter().max().unwrap());
            assert!(greatest - least <= spread, "owners of {nodes} nodes: {owned:?}");
            let per_mille = carried.iter().max().unwrap() * u32::from(nodes) * 1_000 / (shards * 3);
            assert!(per_mille <= most, "replicas of {nodes} nodes: {carried:?}");
        }
    }

    #[test]
    fn a_new_node_takes_shards_and_moves_none_between_the_others() {
        let (before, after) = (Placement::new(8, 1, 256, 3), Placement::new(9, 1, 256, 3));
        for shard in (0..256).map(ShardId) {
            for node in after.replicas(shard) {
                assert!(
                    node.0 == 9 || before.replicas(shard).contains(node),
                    "{shard} moved to {node}"
                );
            }
        }
    }

    #[test]
    fn shows_spread_over_shards_and_stay_there() {
        let placement = Placement::new(3, 3, 16, 3);
        let mut shows = [0u32; 16];
        for show in 0..1_600 {
            shows[placement.shard_of(ShowId(show)).0 as usize] += 1;
        }
        assert!(shows.iter().all(|&count| (60..145).contains(&count)), "{shows:?}");
        assert_eq!(Placement::new(3, 3, 1, 3).shard_of(ShowId(77)), ShardId(0));
    }
}
