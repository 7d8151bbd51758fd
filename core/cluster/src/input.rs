//! The inputs of a node.
//!
//! Owns the one list of causes. A recorded sequence of instants and inputs replays a node exactly.

use onsale_booking::{Endpoint, NodeId, Request};

use crate::id::ShardId;
use crate::message::{Answer, Message};
use crate::write::{PersistId, Write};

/// One cause of a change in a node.
///
/// The driver hands over everything that is ready at an instant (a *turn*), then
/// [`Input::TurnEnded`], and only then carries out the effects.
///
/// A node's messages to itself are inputs like any other: the driver hands them back when there is time, in the same
/// turn ([`Effects::take_own`](crate::Effects::take_own), before or after `TurnEnded`, which then comes once more) or
/// in a later one.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// A message arrived. The items of a batch may be handed over one by one instead,
    /// each at its own instant, as `Request`, `Forwarded` and `Answered`.
    Delivered {
        /// The sender.
        from: Endpoint,
        /// The message.
        message: Message,
    },
    /// A client asks this node as its gateway.
    Request {
        /// Where the reply goes.
        from: Endpoint,
        /// The request.
        request: Request,
    },
    /// A gateway passes a request on.
    Forwarded {
        /// The gateway.
        from: NodeId,
        /// The request.
        request: Request,
    },
    /// A node answers this gateway.
    Answered {
        /// The node that answers.
        from: NodeId,
        /// The answer.
        answer: Answer,
    },
    /// The write with this number is durable.
    Persisted(PersistId),
    /// The write with this number, or its fsync, failed: nobody knows which part of it is durable, or whether a second
    /// fsync would tell the truth. The node asks to be stopped.
    WriteFailed(PersistId),
    /// There was no room for this write, and nothing of it was kept. The node writes it again.
    WriteRefused(Write),
    /// A durable segment does not match its checksums any more. The node, which has the data in memory, writes it
    /// again.
    DamageFound,
    /// The node is to join the cluster: it asks until it is a member.
    Join,
    /// A node, this one or another, is to carry nothing any more and then to leave the cluster: this one repeats the
    /// wish until it is fulfilled, and retires if it is the node itself.
    Leave(NodeId),
    /// A majority of a shard's voters is lost for good, and of the survivors this node's replica holds most of the log: it
    /// goes on alone, and others come to it. What only the lost nodes held is lost. Ignored by a replica of another
    /// generation, and by one whose members have a quorum without the lost nodes.
    ///
    /// Nothing checks that the nodes are lost: one that comes back may have acknowledged what this order gives up.
    /// [`recovery_plan`](fn@crate::recovery_plan) says whom to give it.
    Recover {
        /// The shard.
        shard: ShardId,
        /// The generation of the replica.
        generation: u32,
        /// The nodes that never come back.
        lost: Vec<NodeId>,
    },
    /// Another replica of the shard goes on alone: this one is dropped, and a new one may come in its place. Ignored by
    /// a replica of another generation.
    GiveUp {
        /// The shard.
        shard: ShardId,
        /// The generation of the replica.
        generation: u32,
    },
    /// The node is to stop: it transfers all its leads, and says in its effects when nothing is left to do. Until then
    /// it works on; only a boot takes it back.
    Retire,
    /// The instant that `next_deadline` named has come.
    DeadlineReached,
    /// Nothing more is ready: decide what follows from all inputs of the turn.
    TurnEnded,
}
