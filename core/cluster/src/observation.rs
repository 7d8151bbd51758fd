//! Observations: a node's reports for coverage and people; never for verdicts.
//!
//! Owns the transitions that it reports and the phases of its replicas.

use onsale_booking::NodeId;

use crate::id::{Epoch, ShardId};
use crate::mark::Mark;

/// A transition worth reporting.
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
    /// The leader admits no more requests: it transfers the lead.
    LeadTransferBegan {
        /// The shard.
        shard: ShardId,
        /// The peer that is to lead it.
        to: NodeId,
        /// The reason.
        reason: TransferReason,
    },
    /// The lead transfer took too long: the leader goes on.
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
    /// The node sees a quorum, and declared down a peer that was suspect for long enough.
    GivenUp {
        /// The peer.
        peer: NodeId,
    },
    /// The node sees too few of the cluster, or was declared down: its gateway refuses all clients.
    Withdrew,
    /// The node's gateway serves again.
    Returned,
    /// A message was refused.
    Refused {
        /// The shard concerned.
        shard: ShardId,
        /// The mark of the reason.
        reason: Mark,
    },
    /// A rare path was taken that coverage counts.
    Mark(Mark),
}

/// Why a leader transfers its shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransferReason {
    /// Its node is about to stop.
    Retirement,
    /// The map wants other nodes to lead or carry the shard.
    Move,
    /// The peer is nearer to the venue.
    Venue,
    /// The peer has less to do.
    Load,
}

/// The phase of one replica of a shard.
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
    /// It serves, and a read index waits for a quorum.
    Asking,
    /// It serves, nothing waits for a quorum, and a follower lacks committed records.
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

    /// What the phase means, for people.
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
