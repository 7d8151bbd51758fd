//! The map after a recovery: versions and replicas that are lost with a majority.
//!
//! Owns the version that records which replicas an operator gave up. Refuses to know which nodes are lost: they leave
//! the map like any others.

use super::{Placement, Seats};
use crate::id::ShardId;
use crate::journal::ReplicaId;

impl Placement {
    /// The map that records that an operator's order cut a shard's members down to one: the other replicas are given up,
    /// and new ones take their places, on the same nodes, or on others if they leave; `None` if it is recorded already.
    /// If it is the map's own shard, later versions may be lost, and other shards may have moved by them: each has to
    /// say that it has the wanted members, or to get them.
    pub fn recovered(&self, shard: ShardId, voter: ReplicaId) -> Option<Self> {
        let known = self.shards.get(shard.0 as usize)?.generation;
        if known >= voter.generation() {
            return None;
        }
        let mut next = self.clone().at_least(voter.generation()).next();
        let generation = u32::try_from(next.version).expect("maps are few");
        let is_map = self.map_shard() == Some(shard);
        for (place, seats) in (0..).map(ShardId).zip(&mut next.shards) {
            if place == shard || is_map {
                seats.begin_again(generation);
            }
        }
        // It stays if the map wants its node, and gives way to others if not.
        let seats = &mut next.shards[shard.0 as usize];
        seats.from.retain(|&node| node != voter.node());
        if !seats.members.contains(&voter.node()) {
            seats.from.push(voter.node());
        }
        for node in next.leaving.clone() {
            next.give_way(node, |seats| seats.generation == generation);
        }
        Some(next)
    }

    /// The same map under a version that is at least this.
    pub fn at_least(self, version: u32) -> Self {
        Self { version: self.version.max(version.into()), ..self }
    }
}

impl Seats {
    /// Has each member get a replica of this generation, unless the journal has one that counts.
    fn begin_again(&mut self, generation: u32) {
        self.generation = generation;
        let Self { members, from, .. } = self;
        from.extend(
            members.iter().filter(|node| !from.contains(node)).copied().collect::<Vec<_>>(),
        );
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::NodeId;

    use super::*;

    const S0: ShardId = ShardId(0);

    fn alone(node: NodeId) -> ReplicaId {
        ReplicaId::new(node, 1_000_000)
    }

    #[test]
    fn the_others_get_new_replicas_under_a_version_beyond_all_known_ones() {
        let map = Placement::new(3, 3, 2, 3).changing(2);
        let stays = map.replicas(S0)[1];
        let next = map.recovered(S0, alone(stays)).expect("it is news");
        assert_eq!(next.version(), 1_000_001);
        let seats = next.seats(S0);
        assert_eq!((seats.generation, &seats.members), (1_000_001, &map.seats(S0).members));
        let others: Vec<_> = seats.members.iter().copied().filter(|&it| it != stays).collect();
        assert_eq!(seats.from, others, "it keeps its place");
        assert_eq!(next.seats(ShardId(1)), map.seats(ShardId(1)), "which has lost nothing");
        assert_eq!(next.recovered(S0, alone(stays)), None, "once is enough");
        assert_eq!(Placement::decode(&next.encode()), Some(next));
    }

    #[test]
    fn a_lost_node_gives_its_place_to_another_whichever_is_recorded_first() {
        let map = Placement::new(3, 3, 2, 3).changing(2);
        let map = map.with(NodeId(4)).and_then(|map| map.with(NodeId(5))).expect("they are new");
        let stays = map.replicas(S0)[0];
        let lost: Vec<_> = map.replicas(S0)[1..].to_vec();
        let leave = |map: Placement| {
            lost.iter().fold(map, |map, &node| map.without(node).expect("enough stay"))
        };
        let first = leave(map.recovered(S0, alone(stays)).expect("it is news"));
        let last = leave(map).recovered(S0, alone(stays)).expect("it is news");
        for map in [first, last] {
            let seats = map.seats(S0);
            assert!(lost.iter().all(|node| !seats.members.contains(node)), "{seats:?}");
            assert!(lost.iter().all(|node| seats.from.contains(node)), "{seats:?}");
            assert!(seats.members.contains(&stays));
        }
    }

    #[test]
    fn a_recovered_map_has_every_shard_say_where_it_is() {
        let map = Placement::new(3, 3, 2, 3).changing(2);
        let shard = map.map_shard().expect("it changes");
        let next = map.recovered(shard, alone(NodeId(3))).expect("it is news");
        for shard in (0..next.shards()).map(ShardId) {
            assert_eq!(next.seats(shard).generation, 1_000_001);
            assert!(!next.seats(shard).from.is_empty());
        }
    }
}
