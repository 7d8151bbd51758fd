//! What a node says about itself, for reports and coverage; never for verdicts.

use crate::id::{Epoch, NodeId, ShardId};

/// A transition worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The node leads the shard, has applied all that was committed, and serves.
    OwnerActivated {
        /// The shard.
        shard: ShardId,
        /// The epoch it serves in.
        epoch: Epoch,
    },
    /// The node stopped serving the shard.
    OwnerDeposed {
        /// The shard.
        shard: ShardId,
        /// The epoch that ended.
        epoch: Epoch,
    },
    /// A peer has been silent for too long.
    Suspected {
        /// The silent peer.
        peer: NodeId,
    },
    /// A suspected peer was heard again.
    Trusted {
        /// The peer.
        peer: NodeId,
    },
    /// A message was refused.
    Refused {
        /// The shard concerned.
        shard: ShardId,
        /// Why, in a few words.
        reason: &'static str,
    },
    /// A rare path was taken that coverage counts.
    Mark(&'static str),
}
