//! Which nodes could lead a shard next.
//!
//! Owns the conditions on every successor: it has a vote that counts, it is heard, and this node, as the shard's
//! leader, knows how many records it lacks. Refuses to know why leadership moves, and which successor is best.

use onsale_booking::{NodeId, ZoneId};

use super::replicas::Replicas;
use crate::config::Setup;
use crate::gateway::Gateway;
use crate::id::ShardId;
use crate::placement::Placement;
use crate::shard::LEVEL;

/// The state that a choice of a shard's next leader needs.
#[derive(Clone, Copy)]
pub(super) struct Successors<'a> {
    pub(super) me: NodeId,
    pub(super) setup: &'a Setup,
    pub(super) map: &'a Placement,
    pub(super) replicas: &'a Replicas,
    pub(super) gateway: &'a Gateway,
}

impl<'a> Successors<'a> {
    /// The voters to which this node, as a shard's leader, may transfer it, and how many records each lacks.
    pub(super) fn of(self, id: ShardId) -> impl Iterator<Item = (u64, NodeId)> + 'a {
        let journal = self.replicas.get(id).map(|shard| shard.journal());
        journal.into_iter().flat_map(move |journal| {
            let there = journal.members().voters().iter().filter(move |voter| {
                let is_well = !self.gateway.avoids(voter.node());
                voter.node() != self.me && is_well && !self.map.is_given_up(**voter)
            });
            there.filter_map(|voter| Some((journal.lag(*voter)?, voter.node())))
        })
    }

    /// The successors that could lead at once, and stay in the cluster.
    pub(super) fn level(self, id: ShardId) -> impl Iterator<Item = NodeId> + 'a {
        let level = self.of(id).filter(|&(lag, _)| lag <= LEVEL);
        level.map(|(_, node)| node).filter(move |&node| !self.map.is_leaving(node))
    }

    /// The zone of a node.
    pub(super) fn zone_of(self, node: NodeId) -> ZoneId {
        self.map.zone_of(node)
    }

    /// Whether a shard is moving to other nodes.
    pub(super) fn is_moving(self, id: ShardId) -> bool {
        !self.map.seats(id).from.is_empty()
    }
}
