//! Whether a node's memory equals the replay of its disk, and how much waits in it.
//!
//! Owns the comparison, replica by replica, of the committed state with a replay of the journal from the disk alone, and
//! the count of what waits in the tables that must empty. Changes nothing, and refuses to judge what a damaged disk
//! lacks.

use super::Node;
use crate::id::ShardId;
use crate::journal::{Found, Wal};

/// The findings of an audit of one node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Number of replicas compared: those whose disk has all that they have applied.
    pub replicas: u32,
    /// The replicas that differ from their journals.
    pub astray: Vec<ShardId>,
}

/// What waits in a node's tables for a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Clients' requests in flight, as the gateway counts them.
    pub in_flight: u32,
    /// Requests parked at the replica.
    pub parked: u32,
    /// Records and reads of the leader whose replies have not left.
    pub replies: u32,
}

impl Node {
    /// What waits in this node's tables for a shard.
    #[must_use]
    pub fn waiting(&self, id: ShardId) -> Waiting {
        let (parked, replies) = self.replicas.get(id).map_or((0, 0), |shard| shard.waiting());
        Waiting { in_flight: self.gateway.in_flight_to(id), parked, replies }
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
