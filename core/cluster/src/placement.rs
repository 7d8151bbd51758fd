//! Which nodes carry which shard, and which shard carries which show.
//!
//! Owns the versioned map: the one that every node computes alike from the cluster's shape, and
//! the steps that make the next of one. It is a routing hint, the list of the members that each
//! group begins with, and a wish for those that it is to have; who they are, and who owns a
//! shard, is the journal's business, and safety never rests on the map.

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
    /// Nodes are numbered from 1 to this, members or not.
    numbers: u16,
    zones: u16,
    replicas: u16,
    /// The nodes of the cluster, in order.
    nodes: Vec<NodeId>,
    /// Those of them that are to carry nothing.
    leaving: Vec<NodeId>,
    /// So many shows, numbered on, share a shard.
    together: u32,
    /// Whether the last shard is the one whose records are the versions of this map.
    changes: bool,
    shards: Vec<Seats>,
    /// By node, for those whose disk ever forgot: the latest time. Encoded only if there is one.
    #[serde(skip)]
    lapses: Vec<Lapse>,
}

/// The nodes that carry a shard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seats {
    /// In the order in which gateways try them; the first is where the shard is to be led.
    pub members: Vec<NodeId>,
    /// Rises with every change; the replica that a change brings comes with it.
    pub generation: u32,
    /// The nodes whose replicas have to give way to those of the members, which may be on the same
    /// nodes; none once the journal has these members and no others.
    pub from: Vec<NodeId>,
}

/// A node's disk forgot what it had promised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Lapse {
    node: NodeId,
    /// The boot in which the node found out.
    incarnation: u64,
    /// The version of the map that says so: replicas that came with an earlier one are given up.
    since: u64,
}

impl Placement {
    /// Places `shards` shards with `replicas` replicas each on nodes 1 to `nodes`, of
    /// which node n stands in zone (n − 1) mod `zones`, numbered from 1.
    ///
    /// A shard goes to the nodes with its highest hashes, one a zone while zones last,
    /// then two a zone, and so on. Of these the one that is first in the fewest shards
    /// so far comes first, so that leaders are spread evenly.
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

    /// The same map, which can change: it has one shard more, whose records are its versions,
    /// and knows of `spares` more nodes, numbered on, which may join.
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

    /// The same map, with so many shows that are numbered on in one shard, as those of one event
    /// are; at least one.
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

    /// The greatest number of a node, whether it is of the cluster or not; they are numbered from 1.
    pub fn nodes(&self) -> u16 {
        self.numbers
    }

    /// Every node of the cluster, in order.
    pub fn node_ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.nodes.iter().copied()
    }

    /// Whether a node is of the cluster.
    pub fn has(&self, node: NodeId) -> bool {
        self.nodes.contains(&node)
    }

    /// Whether this map wants other nodes for some shard than another of the same cluster does.
    pub fn moves_otherwise_than(&self, other: &Self) -> bool {
        self.shards != other.shards
    }

    /// Whether a node is to carry nothing any more.
    pub fn is_leaving(&self, node: NodeId) -> bool {
        self.leaving.contains(&node)
    }

    fn staying(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.node_ids().filter(|&node| !self.is_leaving(node))
    }

    /// Which version of the map this is; the first is 0.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The shard whose records are the versions of this map, if it can change.
    pub fn map_shard(&self) -> Option<ShardId> {
        self.changes.then(|| ShardId(self.shards() - 1))
    }

    /// The number of shards, that of the map included; they are numbered from 0.
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

    /// The nodes that replicate a shard, or are to, and how far that is.
    pub fn seats(&self, shard: ShardId) -> &Seats {
        &self.shards[shard.0 as usize]
    }

    /// The shard that carries a show's events.
    pub fn shard_of(&self, show: ShowId) -> ShardId {
        let hash = mix(u64::from(show.0 / self.together)) >> 32;
        let shards = self.shards.len() as u64 - u64::from(self.changes);
        ShardId(((hash * shards) >> 32) as u32)
    }

    /// By shard number: the zone in which most venues of its shows stand, of several the one
    /// numbered first; none for a shard without venues.
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

    /// The map in which a node is of the cluster; `None` if it is already.
    pub fn with(&self, node: NodeId) -> Option<Self> {
        let place = self.nodes.binary_search(&node).err()?;
        let mut next = self.next();
        next.nodes.insert(place, node);
        Some(next)
    }

    /// The map in which a node of the cluster is to carry nothing; `None` if it is not of the
    /// cluster, is leaving already, or the others are too few to carry the replicas. A shard that
    /// is on its way to the node goes to another at once: whoever leaves may be lost for good, and
    /// then the move would never end.
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

    /// In shards of which this is so, and of whose members a node is that leaves, another is wanted in its
    /// place, busy or not: those that stay are at least as many as the replicas, so there is one.
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
            seats.members[place] = comes.expect("those who stay are enough");
            seats.generation = generation;
            if !seats.from.contains(&node) {
                seats.from.push(node);
            }
        }
    }

    /// The map that knows that a node's disk forgot, as the node found in this boot: replicas that came before
    /// are given up, and new ones take their places, on the same node, or on others if it leaves; `None` if it
    /// is known already.
    pub fn forgotten(&self, node: NodeId, incarnation: u64) -> Option<Self> {
        if self.lapse(node).is_some_and(|known| known.incarnation >= incarnation) {
            return None;
        }
        let mut next = self.next();
        next.lapses.retain(|lapse| lapse.node != node);
        next.lapses.push(Lapse { node, incarnation, since: next.version });
        if next.is_leaving(node) {
            // It may never have the new replicas that it would get.
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

    /// The boot in which a node found that its disk had forgotten, as far as this map knows.
    pub fn forgot_in(&self, node: NodeId) -> Option<u64> {
        self.lapse(node).map(|lapse| lapse.incarnation)
    }

    /// Whether a replica is given up: it came before its node's disk forgot, and nothing is there any more
    /// that speaks for it.
    pub fn is_given_up(&self, replica: ReplicaId) -> bool {
        let lapse = self.lapse(replica.node());
        lapse.is_some_and(|lapse| u64::from(replica.generation()) < lapse.since)
    }

    fn lapse(&self, node: NodeId) -> Option<&Lapse> {
        self.lapses.iter().find(|lapse| lapse.node == node)
    }

    /// The bytes of a record. A map of nodes that never forgot has none that say so.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = postcard::to_stdvec(self).expect("memory holds a map");
        match self.lapses.is_empty() {
            true => bytes,
            false => postcard::to_extend(&self.lapses, bytes).expect("memory holds a map"),
        }
    }

    /// Reads them back; `None` if they are no map.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (mut map, lapses) = postcard::take_from_bytes::<Self>(bytes).ok()?;
        if !lapses.is_empty() {
            map.lapses = postcard::from_bytes(lapses).ok()?;
        }
        Some(map)
    }

    /// The map that knows that a shard's journal has the members that it is to have; none if
    /// this is not what it waits for.
    pub fn settled(&self, shard: ShardId, generation: u32) -> Option<Self> {
        let seats = self.shards.get(shard.0 as usize)?;
        if seats.from.is_empty() || seats.generation != generation {
            return None;
        }
        let mut next = self.next();
        next.shards[shard.0 as usize].from.clear();
        Some(next)
    }

    /// The map that brings the shards nearer to where they belong, one move a node at a time,
    /// spreads the leaders evenly once nothing moves, and forgets nodes that carry nothing and are
    /// to; `None` if all is as it should be.
    ///
    /// No move puts more replicas of a shard into one zone than there were before it or belong there: a
    /// node that comes takes the place of the replica in its own zone, or its zone had none. If the
    /// right one is busy, the move waits.
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

    /// Puts other members first, where shards are led, until no node is first in two more than a
    /// fellow member is.
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

    /// How many pairs of these nodes stand in one zone.
    pub(crate) fn pairs_in_one_zone(&self, nodes: impl Iterator<Item = NodeId> + Clone) -> usize {
        pairs_in_one_zone(self.zones, nodes)
    }
}

/// The node that comes to a shard, and the place of the member that goes for it: neither is busy, and the
/// replicas stand in as different zones as can be. If no node is busy there is such a pair: a node that comes takes
/// the place of the member in its zone; if its zone has no member, then of any.
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

/// The members with another node in one of the places.
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
