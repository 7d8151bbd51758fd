//! Whether a node's memory equals the replay of its disk.
//!
//! Owns the comparison, replica by replica, of the committed state with a replay of the journal from the disk alone.
//! Changes nothing, and refuses to judge what a damaged disk lacks.

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

impl Node {
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
