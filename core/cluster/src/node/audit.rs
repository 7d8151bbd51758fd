//! Whether a node's memory is what its disk amounts to.
//!
//! Owns the comparison, replica by replica, of the committed state with what replaying the journal
//! from the disk alone gives. Changes nothing, and refuses to judge what a damaged disk lacks.

use super::Node;
use crate::id::ShardId;
use crate::journal::{Found, Wal};

/// What an audit of a node found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// How many replicas were compared: those whose disk has all that they have applied.
    pub replicas: u32,
    /// Those that are not what their journal amounts to.
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
