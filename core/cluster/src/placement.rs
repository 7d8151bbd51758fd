//! The map: which nodes carry which shard, and which shard carries which show.
//!
//! Owns the versioned map: the first version, which every node computes alike from the cluster's shape, and the steps
//! from one version to the next. It is a routing hint, the list of each group's first members, and a wish for its next
//! ones; the journal decides who the members are and who leads a shard, and safety never depends on the map.

mod recovered;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use onsale_booking::draw::mix;
use onsale_booking::{NodeId, ShowId, ZoneId};
use serde::{Deserialize, Serialize};

use crate::id::ShardId;
use crate::journal::ReplicaId;

/// The most replicas that a shard may have.
pub const REPLICAS_MAX: usize = 7;

/// The map of a cluster: rendezvous hashing, zones apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// Rises by one with every step.
    version: u64,
    /// The greatest node number, from 1, of members and others.
    numbers: u16,
    zones: u16,
    replicas: u16,
    /// The nodes of the cluster, in order.
    nodes: Vec<NodeId>,
    /// The nodes among them that are to carry nothing.
    leaving: Vec<NodeId>,
    /// Number of consecutive shows that share a shard.
    together: u32,
    /// Whether the last shard is the one whose records are the versions of this map.
    changes: bool,
    shards: Vec<Seats>,
    /// By node, the latest loss of a disk. Encoded only if there is one.
    #[serde(skip)]
    lapses: Vec<Lapse>,
}

/// The nodes that carry a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seats {
    /// In the order in which gateways try them; the first is to lead the shard.
    pub members: Vec<NodeId>,
    /// Rises with every change, and becomes the generation of the replica that the change brings.
    pub generation: u32,
    /// The nodes whose replicas have to give way to those of the members, which may be on the same nodes; empty once
    /// the journal has these members and no others.
    pub from: Vec<NodeId>,
}

/// The loss of a node's disk, with promises on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lapse {
    node: NodeId,
    /// The incarnation that found out.
    incarnation: u64,
    /// The version of the map that records it: replicas from earlier versions are given up.
    since: u64,
}

impl Placement {
    /// Places `shards` shards with `replicas` replicas each on nodes 1 to `nodes`, of which node n stands in zone (n −
    /// 1) mod `zones`, numbered from 1.
    ///
    /// A shard goes to the nodes with its highest hashes, one a zone while zones last, then two a zone, and so on. The
    /// one of them that leads the fewest shards so far comes first, so that leaders are spread evenly.
    ///
    /// `replicas` is odd and at most `nodes` and [`REPLICAS_MAX`].
    pub fn new(nodes: u16, zones: u16, shards: u32, replicas: u16) -> Self {
        assert!(zones > 0 && nodes > 0 && shards > 0, "a cluster has a zone, a node and a shard");
        assert!(
            replicas % 2 == 1 && replicas <= nodes,
            "replicas are odd in number and fit on the nodes"
        );
        assert!(usize::from(replicas) <= REPLICAS_MAX, "at most {REPLICAS_MAX} replicas");
        let numbers = nodes;
        let nodes: Vec<NodeId> = (1..=nodes).map(NodeId).collect();
        let mut placement = Self {
            version: 0,
            numbers,
            zones,
            replicas,
            leaving: Vec::new(),
            together: 1,
            changes: false,
            shards: Vec::with_capacity(shards as usize),
            lapses: Vec::new(),
            nodes,
        };
        let mut first_in = vec![0; usize::from(numbers) + 1];
        (0..shards).for_each(|_| placement.seat(&mut first_in));
        placement
    }

    /// The same map with the ability to change: it has one shard more, whose records are its versions, and knows of the
    /// next `spares` nodes, which may join.
    pub fn changing(mut self, spares: u16) -> Self {
        self.numbers += spares;
        self.changes = true;
        let mut first_in = vec![0; usize::from(self.numbers) + 1];
        for seats in &self.shards {
            first_in[usize::from(seats.members[0].0)] += 1;
        }
        self.seat(&mut first_in);
        self
    }

    /// The same map, with each `shows` consecutive shows in one shard, as those of one event are; at least 1.
    pub fn together(self, shows: u32) -> Self {
        assert!(shows > 0, "a show is together with itself");
        Self { together: shows, ..self }
    }

    /// Places one more shard.
    fn seat(&mut self, first_in: &mut [u32]) {
        let shard = self.shards();
        let mut members = choose(shard, &self.nodes, self.zones, self.replicas);
        let leader = members
            .iter()
            .enumerate()
            .min_by_key(|&(rank, node)| (first_in[usize::from(node.0)], rank))
            .map_or(0, |(rank, _)| rank);
        members[..=leader].rotate_right(1);
        first_in[usize::from(members[0].0)] += 1;
        self.shards.push(Seats { members, generation: 0, from: Vec::new() });
    }

    /// The greatest number of a node, in the cluster or not; the first is 1.
    pub fn nodes(&self) -> u16 {
        self.numbers
    }

    /// Every node of the cluster, in order.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.iter().copied()
    }

    /// Whether a node is in the cluster.
    pub fn has(&self, node: NodeId) -> bool {
        self.nodes.contains(&node)
    }

    /// Whether this map wants other nodes for some shard than another map of the same cluster.
    pub fn moves_otherwise_than(&self, other: &Self) -> bool {
        self.shards != other.shards
    }

    /// Whether a node is to carry nothing.
    pub fn is_leaving(&self, node: NodeId) -> bool {
        self.leaving.contains(&node)
    }

    fn staying(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.node_ids().filter(|&node| !self.is_leaving(node))
    }

    /// The version of the map; the first is 0.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The shard whose records are the versions of this map, if it can change.
    pub fn map_shard(&self) -> Option<ShardId> {
        self.changes.then(|| ShardId(self.shards() - 1))
    }

    /// Number of shards, the map's own included; the first is 0.
    pub fn shards(&self) -> u32 {
        self.shards.len() as u32
    }

    /// The zone in which a node stands.
    pub fn zone_of(&self, node: NodeId) -> ZoneId {
        zone_of(node, self.zones)
    }

    /// The nodes that replicate a shard, or are to; the first is its leader at the first boot.
    pub fn replicas(&self, shard: ShardId) -> &[NodeId] {
        &self.shards[shard.0 as usize].members
    }

    /// The nodes that replicate a shard, or are to, and those that still have to give way.
    pub fn seats(&self, shard: ShardId) -> &Seats {
        &self.shards[shard.0 as usize]
    }

    /// The shard that carries a show's events.
    pub fn shard_of(&self, show: ShowId) -> ShardId {
        let hash = mix(u64::from(show.0 / self.together)) >> 32;
        let shards = self.shards.len() as u64 - u64::from(self.changes);
        ShardId(((hash * shards) >> 32) as u32)
    }

    /// By shard number: the zone of most of its shows' venues, the lowest of several; `None` for a shard without
    /// venues.
    pub fn homes(&self, venues: impl Iterator<Item = (ShowId, ZoneId)>) -> Vec<Option<ZoneId>> {
        let mut shows = vec![BTreeMap::<ZoneId, u32>::new(); self.shards.len()];
        for (show, zone) in venues {
            *shows[self.shard_of(show).0 as usize].entry(zone).or_default() += 1;
        }
        let most = |zones: &BTreeMap<ZoneId, u32>| {
            zones
                .iter()
                .max_by_key(|&(&zone, &shows)| (shows, Reverse(zone)))
                .map(|(&zone, _)| zone)
        };
        shows.iter().map(most).collect()
    }

    /// The map with a node added to the cluster; `None` if it is in it already.
    pub fn with(&self, node: NodeId) -> Option<Self> {
        let place = self.nodes.binary_search(&node).err()?;
        let mut next = self.next();
        next.nodes.insert(place, node);
        Some(next)
    }

    /// The map in which a node of the cluster is to carry nothing; `None` if it is not in the cluster, is leaving
    /// already, or the others are too few to carry the replicas. A shard that is on its way to the node goes to another
    /// at once: the node may be lost for good, and then the move would never end.
    pub fn without(&self, node: NodeId) -> Option<Self> {
        let stay = self.nodes.len() - self.leaving.len();
        if !self.has(node) || self.is_leaving(node) || stay <= usize::from(self.replicas) {
            return None;
        }
        let mut next = self.next();
        next.leaving.push(node);
        next.give_way(node, |seats| !seats.from.is_empty());
        Some(next)
    }

    /// Wants another member in place of a leaving node, busy or not, in each of its shards for which `is_so`. The nodes
    /// that stay are at least as many as the replicas, so there is one.
    fn give_way(&mut self, node: NodeId, is_so: impl Fn(&Seats) -> bool) {
        let stay: Vec<NodeId> = self.staying().collect();
        let generation = u32::try_from(self.version).expect("maps are few");
        for (shard, seats) in (0..).zip(&mut self.shards) {
            let place = seats.members.iter().position(|&member| member == node);
            let Some(place) = place.filter(|_| is_so(seats)) else { continue };
            let target = choose(shard, &stay, self.zones, self.replicas);
            let others = target.into_iter().filter(|node| !seats.members.contains(node));
            let comes = others.min_by_key(|&comes| {
                pairs_in_one_zone(self.zones, with_another(&seats.members, place, comes))
            });
            seats.members[place] = comes.expect("the nodes that stay are enough");
            seats.generation = generation;
            if !seats.from.contains(&node) {
                seats.from.push(node);
            }
        }
    }

    /// The map that records that a node's disk forgot, which this incarnation found: replicas from before are given up,
    /// and new ones take their places, on the same node, or on others if it leaves; `None` if it is recorded already.
    pub fn forgotten(&self, node: NodeId, incarnation: u64) -> Option<Self> {
        if self.lapse(node).is_some_and(|known| known.incarnation >= incarnation) {
            return None;
        }
        let mut next = self.next();
        next.lapses.retain(|lapse| lapse.node != node);
        next.lapses.push(Lapse { node, incarnation, since: next.version });
        if next.is_leaving(node) {
            // It may never get its new replicas.
            next.give_way(node, |_| true);
            return Some(next);
        }
        for seats in next.shards.iter_mut().filter(|seats| seats.members.contains(&node)) {
            seats.generation = u32::try_from(next.version).expect("maps are few");
            if !seats.from.contains(&node) {
                seats.from.push(node);
            }
        }
        Some(next)
    }

    /// The incarnation that last found a node's disk to have forgotten, as far as this map knows.
    pub fn forgot_in(&self, node: NodeId) -> Option<u64> {
        self.lapse(node).map(|lapse| lapse.incarnation)
    }

    /// Whether a replica is given up: it came before its node's disk forgot, and no process speaks for it any more.
    pub fn is_given_up(&self, replica: ReplicaId) -> bool {
        let lapse = self.lapse(replica.node());
        lapse.is_some_and(|lapse| u64::from(replica.generation()) < lapse.since)
    }

    fn lapse(&self, node: NodeId) -> Option<&Lapse> {
        self.lapses.iter().find(|lapse| lapse.node == node)
    }

    /// The bytes of a record. Disk losses are encoded only if there are any.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = postcard::to_stdvec(self).expect("memory holds a map");
        match self.lapses.is_empty() {
            true => bytes,
            false => postcard::to_extend(&self.lapses, bytes).expect("memory holds a map"),
        }
    }

    /// Decodes a map; `None` if the bytes are none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut map, lapses) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if !lapses.is_empty() {
            map.lapses = postcard::from_bytes(lapses).ok()?;
        }
        Some(map)
    }

    /// The map that records that a shard's journal has the members that it is to have; `None` if the map does not wait
    /// for that.
    pub fn settled(&self, shard: ShardId, generation: u32) -> Option<Self> {
        let seats = self.shards.get(shard.0 as usize)?;
        if seats.from.is_empty() || seats.generation != generation {
            return None;
        }
        let mut next = self.next();
        next.shards[shard.0 as usize].from.clear();
        Some(next)
    }

    /// The map with the shards nearer to their places, by one move a node at a time, with leaders spread evenly once
    /// nothing moves, and without leaving nodes that carry nothing; `None` if nothing is left to change.
    ///
    /// No move puts more replicas of a shard into one zone than there were before it or will be after all moves: a new
    /// node takes the place of the replica in its own zone, or its zone had none. If the right one is busy, the move
    /// waits.
    pub fn moved(&self) -> Option<Self> {
        let mut next = self.next();
        let stay: Vec<NodeId> = self.staying().collect();
        let mut busy = vec![false; usize::from(self.numbers) + 1];
        let mut carries = busy.clone();
        for seats in &self.shards {
            seats.members.iter().for_each(|node| carries[usize::from(node.0)] = true);
            for from in &seats.from {
                carries[usize::from(from.0)] = true;
                busy[usize::from(from.0)] = true;
                seats.members.iter().for_each(|node| busy[usize::from(node.0)] = true);
            }
        }
        for (shard, seats) in (0..).zip(&mut next.shards) {
            if !seats.from.is_empty() {
                continue;
            }
            let target = choose(shard, &stay, self.zones, self.replicas);
            if let Some((comes, goes)) = exchange(self.zones, &seats.members, &target, &busy) {
                let gone = std::mem::replace(&mut seats.members[goes], comes);
                busy[usize::from(comes.0)] = true;
                busy[usize::from(gone.0)] = true;
                seats.generation = u32::try_from(next.version).expect("maps are few");
                seats.from.push(gone);
            }
        }
        if next.shards.iter().all(|seats| seats.from.is_empty()) {
            next.spread_leaders();
        }
        let done = |node: &NodeId| self.is_leaving(*node) && !carries[usize::from(node.0)];
        next.nodes.retain(|node| !done(node));
        next.leaving.retain(|node| !done(node));
        (next.shards != self.shards || next.nodes != self.nodes).then_some(next)
    }

    /// Changes which members come first, where shards are led, until no node is first in two more shards than a fellow
    /// member is.
    fn spread_leaders(&mut self) {
        let mut first_in = vec![0_u32; usize::from(self.numbers) + 1];
        for seats in &self.shards {
            first_in[usize::from(seats.members[0].0)] += 1;
        }
        // Each step brings two numbers nearer to each other, so it ends.
        let mut changes = true;
        while std::mem::take(&mut changes) {
            for seats in &mut self.shards {
                let least = (0..seats.members.len())
                    .min_by_key(|&rank| (first_in[usize::from(seats.members[rank].0)], rank));
                let rank = least.expect("a shard has members");
                let (first, other) = (seats.members[0], seats.members[rank]);
                if first_in[usize::from(first.0)] >= first_in[usize::from(other.0)] + 2 {
                    first_in[usize::from(first.0)] -= 1;
                    first_in[usize::from(other.0)] += 1;
                    seats.members.swap(0, rank);
                    changes = true;
                }
            }
        }
    }

    fn next(&self) -> Self {
        Self { version: self.version + 1, ..self.clone() }
    }

    /// Number of pairs of these nodes in one zone.
    pub(crate) fn pairs_in_one_zone(&self, nodes: impl Iterator<Item = NodeId> + Clone) -> usize {
        pairs_in_one_zone(self.zones, nodes)
    }
}

/// The node that joins a shard, and the place of the member that it replaces: neither is busy, and the replicas are in
/// as many different zones as possible. If no node is busy there is such a pair: a new node takes the place of the
/// member in its zone, or any place if its zone has no member.
fn exchange(
    zones: u16,
    members: &[NodeId],
    target: &[NodeId],
    busy: &[bool],
) -> Option<(NodeId, usize)> {
    let is_free = |node: NodeId| !busy[usize::from(node.0)];
    let comes = target.iter().copied().filter(|&node| !members.contains(&node) && is_free(node));
    let goes = |place: &usize| !target.contains(&members[*place]) && is_free(members[*place]);
    let places = (0..members.len()).filter(goes);
    let pairs = comes.flat_map(|comes| places.clone().map(move |goes| (comes, goes)));
    let crowding = |(comes, goes)| pairs_in_one_zone(zones, with_another(members, goes, comes));
    let most = pairs_in_one_zone(zones, members.iter().copied())
        .max(pairs_in_one_zone(zones, target.iter().copied()));
    let best = pairs.map(|pair| (crowding(pair), pair)).min_by_key(|&(crowding, _)| crowding);
    best.filter(|&(crowding, _)| crowding <= most).map(|(_, pair)| pair)
}

/// The members with another node in one place.
fn with_another(
    members: &[NodeId],
    place: usize,
    comes: NodeId,
) -> impl Iterator<Item = NodeId> + Clone + '_ {
    let here = move |(at, &member): (usize, &NodeId)| if at == place { comes } else { member };
    members.iter().enumerate().map(here)
}

fn pairs_in_one_zone(zones: u16, nodes: impl Iterator<Item = NodeId> + Clone) -> usize {
    let mut zones_of = nodes.map(|node| zone_of(node, zones));
    let mut pairs = 0;
    while let Some(zone) = zones_of.next() {
        pairs += zones_of.clone().filter(|&other| other == zone).count();
    }
    pairs
}

fn zone_of(node: NodeId, zones: u16) -> ZoneId {
    ZoneId((node.0 - 1) % zones + 1)
}

fn choose(shard: u32, nodes: &[NodeId], zones: u16, replicas: u16) -> Vec<NodeId> {
    let mut in_zone = vec![0u16; usize::from(zones) + 1];
    let mut chosen = Vec::with_capacity(usize::from(replicas));
    for _ in 0..replicas {
        let next = nodes
            .iter()
            .copied()
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
mod tests;
