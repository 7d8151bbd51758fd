//! The shards of a story, and the nodes that lead them.
//!
//! Owns what nodes said about leading, and which of them were deposed. Refuses to know why it matters.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::NodeId;
use onsale_cluster::{Observation, ShardId};
use onsale_world::place::Place;

use super::cast::Cast;

/// The leader of each shard, as the nodes say themselves.
#[derive(Debug)]
pub(super) struct Leaders {
    /// The shards that the story is about.
    shards: BTreeSet<ShardId>,
    leads: BTreeMap<ShardId, Place>,
    /// Nodes that led a shard and were deposed.
    deposed: BTreeSet<(ShardId, Place)>,
}

impl Leaders {
    /// The shards of a story, without leaders yet.
    pub(super) const fn of(shards: BTreeSet<ShardId>) -> Self {
        Self { shards, leads: BTreeMap::new(), deposed: BTreeSet::new() }
    }

    /// Adds a shard to the story.
    pub(super) fn add(&mut self, shard: ShardId) {
        self.shards.insert(shard);
    }

    /// Whether the story is about this shard.
    pub(super) fn has(&self, shard: ShardId) -> bool {
        self.shards.contains(&shard)
    }

    /// Notes what a node says about itself.
    pub(super) fn hear(&mut self, node: Place, observation: Observation) {
        if let Observation::LeaderActivated { shard, .. } = observation {
            self.leads.insert(shard, node);
            self.deposed.remove(&(shard, node));
        } else if let Observation::LeaderDeposed { shard, .. } = observation {
            self.deposed.insert((shard, node));
        }
    }

    /// Whether a node led a shard, was deposed, and has not led it since.
    pub(super) fn is_deposed(&self, shard: ShardId, node: Place) -> bool {
        self.deposed.contains(&(shard, node))
    }

    /// Whether a node leads one of the story's shards.
    pub(super) fn lead_one(&self, node: NodeId) -> bool {
        self.shards.iter().any(|shard| self.leads.get(shard) == Some(&Place::Node(node)))
    }

    /// Whether a node has a replica of one of the story's shards.
    pub(super) fn replicate_one(&self, node: Place, cast: &Cast) -> bool {
        let is_on = |shard| cast.replicas(shard).iter().any(|&at| Place::Node(at) == node);
        self.shards.iter().copied().any(is_on)
    }
}
