//! The coordinator: the node that leads the map's own shard makes the next version of the map.
//!
//! Owns the wishes since the last version, and the version that it proposed last. Refuses to know where shards belong
//! (the map says) and how their members change (their leaders see to it). Every wish is repeated with every beat until
//! it is fulfilled, so a wish that is lost, late or heard twice does no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use onsale_booking::NodeId;

use crate::id::{Epoch, ShardId};
use crate::journal::ReplicaId;
use crate::message::Moves;
use crate::placement::Placement;

/// A node's state as the coordinator. Nodes that are not the coordinator hear wishes too, and drop them.
#[derive(Debug, Default)]
pub(super) struct Coordinator {
    joins: BTreeSet<NodeId>,
    leaves: BTreeSet<NodeId>,
    /// Shards whose journals have reached the members of a generation.
    moved: BTreeMap<ShardId, u32>,
    /// Nodes whose disks forgot, and the incarnation that found out.
    forgot: BTreeMap<NodeId, u64>,
    /// Shards whose members a recovery cut down, and the only voter.
    recovered: BTreeMap<ShardId, ReplicaId>,
    /// Epoch and number of the version that this node proposed last.
    proposed: Option<(Epoch, u64)>,
    /// The version after which nothing is left to do until the next wish.
    at_rest: Option<u64>,
}

/// The next version of the map.
pub(super) struct NextMap {
    pub(super) map: Placement,
    /// Whether a shard that was on its way to a node goes to another, because that node is to leave.
    pub(super) redirected: bool,
}

impl Coordinator {
    /// Notes a wish, if it is one. `nodes` is the greatest node number allowed.
    pub(super) fn hear(&mut self, wish: &Moves, nodes: u16) {
        match *wish {
            Moves::Joins(node) if node.0 <= nodes => {
                self.joins.insert(node);
            }
            Moves::Leaves(node) => {
                self.leaves.insert(node);
            }
            Moves::Moved { shard, generation } => {
                self.moved.insert(shard, generation);
            }
            Moves::Forgot { node, incarnation } if node.0 <= nodes => {
                self.forgot.insert(node, incarnation);
            }
            Moves::Recovered { shard, voter } => {
                self.recovered.insert(shard, voter);
            }
            Moves::Joins(_) | Moves::Forgot { .. } | Moves::MapWanted | Moves::Map(_) => {}
        }
    }

    /// The next version of the map, if this node leads the map's shard, its last proposal is committed, and something
    /// changes. `serves` is the epoch in which it leads, and the latest committed version; `newest` is the newest
    /// generation of the map's own members. Uses up the wishes.
    pub(super) fn next_map(
        &mut self,
        serves: Option<(Epoch, &Placement)>,
        newest: u32,
    ) -> Option<NextMap> {
        let (joins, leaves) = (mem::take(&mut self.joins), mem::take(&mut self.leaves));
        let (moved, forgot) = (mem::take(&mut self.moved), mem::take(&mut self.forgot));
        let recovered = mem::take(&mut self.recovered);
        let (epoch, map) = serves?;
        let waits = |(proposed_in, version)| proposed_in == epoch && map.version() < version;
        if self.proposed.is_some_and(waits) {
            return None;
        }
        let is_wished = !(joins.is_empty()
            && leaves.is_empty()
            && moved.is_empty()
            && forgot.is_empty()
            && recovered.is_empty());
        if !is_wished && self.at_rest == Some(map.version()) {
            return None;
        }
        // Where the map's own shard was recovered, versions may be lost that some nodes know: none gets a number again.
        let (mut next, mut redirected) = (map.clone().at_least(newest), false);
        for (shard, voter) in recovered {
            next = next.recovered(shard, voter).unwrap_or(next);
        }
        for node in joins {
            next = next.with(node).unwrap_or(next);
        }
        for node in leaves {
            let left = next.without(node);
            redirected |= left.as_ref().is_some_and(|left| left.moves_otherwise_than(&next));
            next = left.unwrap_or(next);
        }
        for (node, incarnation) in forgot {
            next = next.forgotten(node, incarnation).unwrap_or(next);
        }
        for (shard, generation) in moved {
            next = next.settled(shard, generation).unwrap_or(next);
        }
        next = next.moved().unwrap_or(next);
        self.at_rest = (next.version() == map.version()).then_some(map.version());
        (next.version() > map.version()).then_some(NextMap { map: next, redirected })
    }

    /// A version was proposed in an epoch.
    pub(super) fn on_proposed(&mut self, epoch: Epoch, version: u64) {
        self.proposed = Some((epoch, version));
    }
}
