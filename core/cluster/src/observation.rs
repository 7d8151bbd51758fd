//! What a node says about itself, for reports and coverage; never for verdicts.
//!
//! Owns the transitions that it tells and the phases that it can be asked for.

use onsale_booking::NodeId;

use crate::id::{Epoch, ShardId};
use crate::mark::Mark;

/// A transition worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observation {
    /// The node was elected to lead the shard.
    Elected {
        /// The shard.
        shard: ShardId,
        /// The epoch it leads in.
        epoch: Epoch,
    },
    /// The node leads the shard, has applied all that was committed, and serves.
    LeaderActivated {
        /// The shard.
        shard: ShardId,
        /// The epoch it serves in.
        epoch: Epoch,
    },
    /// The node stopped serving the shard.
    LeaderDeposed {
        /// The shard.
        shard: ShardId,
        /// The epoch that ended.
        epoch: Epoch,
    },
    /// The leader admits no more requests: it hands the shard over.
    LeadTransferBegan {
        /// The shard.
        shard: ShardId,
        /// The peer that is to lead it.
        to: NodeId,
        /// Why.
        reason: TransferReason,
    },
    /// The hand-over took too long: the leader goes on.
    LeadTransferGivenUp {
        /// The shard.
        shard: ShardId,
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
    /// The node sees a quorum, and a peer was suspect for so long that it is given up.
    GivenUp {
        /// The peer.
        peer: NodeId,
    },
    /// The node sees too few of the cluster, or was given up: its gateway refuses everybody.
    Withdrew,
    /// The node's gateway serves again.
    Returned,
    /// A message was refused.
    Refused {
        /// The shard concerned.
        shard: ShardId,
        /// Why.
        reason: Mark,
    },
    /// A rare path was taken that coverage counts.
    Mark(Mark),
}

/// Why a leader hands its shard over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferReason {
    /// Its node is about to stop.
    Retirement,
    /// The map wants it led, or carried, by others.
    Move,
    /// The peer is nearer to the venue.
    Venue,
    /// The peer has less to do.
    Load,
}

/// What one replica of a shard is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// It knows of no leader.
    Electing,
    /// It follows a leader.
    Following,
    /// It leads, and does not serve yet.
    TakingOver,
    /// It serves, and nothing waits for a quorum.
    Serving,
    /// It serves, and a record waits for a quorum.
    Replicating,
    /// It serves, and the question whether it still leads waits for a quorum.
    Asking,
    /// It serves, nothing waits for a quorum, and a follower lacks what is committed.
    Trailed,
}

impl Phase {
    /// Every phase, in the order of a shard's life.
    pub const ALL: [Self; 7] = [
        Self::Electing,
        Self::TakingOver,
        Self::Serving,
        Self::Replicating,
        Self::Asking,
        Self::Trailed,
        Self::Following,
    ];

    /// What the replica is doing then, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Electing => "no leader is known",
            Self::Following => "the node that was asked follows another",
            Self::TakingOver => "a new leader does not serve yet",
            Self::Serving => "the leader serves and waits for nothing",
            Self::Replicating => "a record waits for a quorum",
            Self::Asking => "the leader asks whether it still leads",
            Self::Trailed => "a follower lacks what is committed",
        }
    }

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Electing => "electing",
            Self::Following => "following",
            Self::TakingOver => "taking-over",
            Self::Serving => "serving",
            Self::Replicating => "replicating",
            Self::Asking => "asking",
            Self::Trailed => "trailed",
        }
    }
}
