//! Messages between clients and nodes, and between nodes.
//!
//! Owns the wire vocabulary. Requests and replies that leave one place for another
//! in one turn share a message, and each carries its own instant.

use std::sync::Arc;

use onsale_booking::{Instant, NodeId, Reply, Request, RequestId, Timed};

use crate::beat::Beat;
use crate::fact::FactsMessage;
use crate::id::{Epoch, ShardId};
use crate::journal::{JournalMessage, ReplicaId};
use crate::membership::Rumour;
use crate::placement::Placement;

/// A message.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Client to gateway.
    Requests(Vec<Timed<Request>>),
    /// Gateway to the node that it believes to lead.
    Forwarded(Vec<Timed<Request>>),
    /// Node to the gateway that forwarded.
    Answers(Vec<Timed<Answer>>),
    /// Gateway to client.
    Replies(Vec<Timed<Reply>>),
    /// Node to node: a sign of life.
    Beat(Beat),
    /// Node to node: a sign of life, and the sender's table of members. Rare, so boxed: it makes no other message
    /// larger.
    Gossip(Box<Gossip>),
    /// Node to node: a sign of life of a node that leads nothing any more and is about to stop.
    Leaving(Beat),
    /// Node to node: changes of the map.
    Moves(Moves),
    /// Node to node: messages between the journals' replicas in one turn.
    Journal(Vec<(ShardId, JournalMessage)>),
    /// Between clients and nodes and between nodes: facts.
    Facts(Box<FactsMessage>),
}

impl Message {
    /// Changes the instants of its items, each by itself.
    #[inline]
    pub fn retime(&mut self, change: impl Fn(Instant) -> Instant) {
        match self {
            Self::Requests(batch) | Self::Forwarded(batch) => Timed::retime(batch, change),
            Self::Answers(batch) => Timed::retime(batch, change),
            Self::Replies(batch) => Timed::retime(batch, change),
            Self::Beat(_)
            | Self::Gossip(_)
            | Self::Leaving(_)
            | Self::Moves(_)
            | Self::Journal(_)
            | Self::Facts(_) => {}
        }
    }
}

/// A node's answer to a forwarded request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The decision.
    Decided(Reply),
    /// The request was not decided: this node is not the leader.
    NotLeader {
        /// The request concerned.
        request: RequestId,
        /// Its shard.
        shard: ShardId,
        /// The shard's leader and its epoch, as far as the answering node knows.
        leader: Option<(NodeId, Epoch)>,
    },
}

impl Answer {
    /// The request that it answers.
    pub const fn request(&self) -> RequestId {
        match self {
            Self::Decided(reply) => reply.request,
            Self::NotLeader { request, .. } => *request,
        }
    }
}

/// A beat to a peer whose own beats showed another view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gossip {
    /// The beat.
    pub beat: Beat,
    /// The sender's table of members.
    pub rumours: Arc<[Rumour]>,
}

/// Messages about the map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moves {
    /// A node wants to join the cluster.
    Joins(NodeId),
    /// A node is to carry nothing any more, and then to leave the cluster.
    Leaves(NodeId),
    /// A shard's journal has the members of this generation, and no others.
    Moved {
        /// The shard.
        shard: ShardId,
        /// The generation.
        generation: u32,
    },
    /// A node's disk forgot its promises: its replicas are given up, and it wants new ones.
    Forgot {
        /// The node.
        node: NodeId,
        /// The incarnation that found out.
        incarnation: u64,
    },
    /// An operator's order cut a shard's members down to one: the other replicas are given up, and new ones are to come.
    Recovered {
        /// The shard.
        shard: ShardId,
        /// The only voter.
        voter: ReplicaId,
    },
    /// The sender's map is older than the receiver's, and it wants the newer one.
    MapWanted,
    /// The sender's map.
    Map(Arc<Placement>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_travel_by_the_million_are_small() {
        assert!(size_of::<Timed<Answer>>() <= 64);
    }
}
