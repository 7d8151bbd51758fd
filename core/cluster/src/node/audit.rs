//! Whether a node's memory equals the replay of its disk, and how much waits in it.
//!
//! Owns the comparison, replica by replica, of the committed state with a replay of the journal from the disk alone, and
//! the count of what waits in the tables that must empty. Changes nothing, and refuses to judge what a damaged disk
//! lacks.

use onsale_booking::{Instant, NodeId};

use super::Node;
use crate::id::ShardId;
use crate::journal::{Found, Wal};
use crate::membership::State;
use crate::resolver::Service;
use crate::shard::Waiting;

/// The findings of an audit of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Number of replicas compared: those whose disk has all that they have applied.
    pub replicas: u32,
    /// The replicas that differ from their journals.
    pub astray: Vec<ShardId>,
}

/// What a node has not put right by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unsettled {
    /// Retries that its gateway's budget lacks of those that it grants at any load.
    pub retries: u32,
    /// Clients' questions about facts that have waited for twice their patience.
    pub questions: u32,
    /// Deltas of facts that were to be taken a patience ago.
    pub deltas: u32,
    /// The peers that it suspects, or that its table does not have as up or leaving.
    pub missed: Vec<NodeId>,
    /// Whether it refuses clients, about some shards or all.
    pub withdrawn: bool,
}

impl Node {
    /// What waits in this node's tables for a shard at `now`.
    #[must_use]
    pub fn waiting(&self, id: ShardId, now: Instant) -> Waiting {
        let patience = self.transfer_timeout();
        let here = self.replicas.get(id).map(|shard| shard.waiting(now, patience));
        Waiting { in_flight: self.gateway.in_flight_to(id), ..here.unwrap_or_default() }
    }

    /// What this node has not put right by itself at `now`.
    #[must_use]
    pub fn unsettled(&self, now: Instant) -> Unsettled {
        let (questions, deltas) = self.facts.overdue(now);
        let membership = self.peers.membership();
        let is_well = |node| {
            let state = membership.member(node).map(|member| member.state);
            !self.peers.suspects(node) && matches!(state, Some(State::Up | State::Leaving))
        };
        let peers = self.placement.node_ids().filter(|&node| node != self.me);
        Unsettled {
            retries: self.gateway.retries_short(now),
            questions: questions as u32,
            deltas: deltas as u32,
            missed: peers.filter(|&node| !is_well(node)).collect(),
            withdrawn: self.peers.service() != Service::All,
        }
    }

    /// Compares this node's replicas with the segments that its disk holds.
    #[must_use]
    pub fn audit(&self, durable: Vec<(u32, Vec<u8>)>) -> Audit {
        let mut recovered = Wal::recover(Found { has_written: true, segments: durable });
        let mut audit = Audit::default();
        for &id in self.replicas.carried() {
            let Some(shard) = self.replicas.get(id) else { continue };
            let Some(is_replayed) = shard.is_replayed_by(recovered.take(id)) else { continue };
            audit.replicas += 1;
            if !is_replayed {
                audit.astray.push(id);
            }
        }
        audit
    }
}
