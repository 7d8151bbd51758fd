//! What a node is doing in its turn, in case that it breaks off in the midst of it.
//!
//! Owns the words for it. Refuses to know what comes of the turn.

use std::fmt;

use onsale_booking::{Endpoint, NodeId};
use onsale_cluster::{Epoch, Message, ShardId};

use super::turn::Turn;
use crate::seen::place::Place;

/// A node, and what its turn is about. Cheap to note: it is noted with every turn, and told once.
#[derive(Clone, Copy, Debug)]
pub struct Doing {
    place: Place,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Starts,
    TakesIn(Endpoint, &'static str),
    Replicates { from: Endpoint, shard: ShardId, others: usize, record: Option<(u64, Epoch)> },
    Hears(&'static str),
}

impl Doing {
    /// A process starts.
    pub const fn starts(place: Place) -> Self {
        Self { place, what: What::Starts }
    }

    /// A node takes a turn.
    #[inline]
    pub fn turn(place: Place, turn: &Turn) -> Self {
        let what = match turn {
            Turn::Delivered { from, message: Message::Journal(batch) } if !batch.is_empty() => {
                let (shard, message) = &batch[0];
                let record = message.records().next().map(|(index, epoch, _)| (index, epoch));
                let others = batch.len() - 1;
                What::Replicates { from: *from, shard: *shard, others, record }
            }
            Turn::Delivered { from, message } => What::TakesIn(*from, kind(message)),
            Turn::Persisted(_) => What::Hears("heard that a write is durable"),
            Turn::WriteFailed(_) => What::Hears("heard that a write failed"),
            Turn::WriteRefused(_) => What::Hears("heard that its disk is full"),
            Turn::DamageFound => What::Hears("heard that its disk is damaged"),
            Turn::Wake => What::Hears("did what was due"),
            Turn::CoreFree(_) => What::Hears("went on with work that had waited"),
            Turn::Told(_) => What::Hears("was told what to do by an operator"),
            Turn::End | Turn::Probed => What::Hears("was looked at"),
            Turn::Boot
            | Turn::Reset { .. }
            | Turn::Dies(_)
            | Turn::Stage { .. }
            | Turn::Fault { .. }
            | Turn::FaultStep { .. } => What::Hears("was given a turn that is no node's"),
        };
        Self { place, what }
    }

    /// The node.
    pub fn node(self) -> NodeId {
        self.place.node_id()
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.what {
            What::Starts => write!(f, "started and read its disk"),
            What::Hears(what) => write!(f, "{what}"),
            What::TakesIn(from, what) => write!(f, "took in {what} from {}", sender(from)),
            What::Replicates { from, shard, others, record } => {
                write!(f, "took in what {} says about {shard}", sender(from))?;
                if let Some((index, epoch)) = record {
                    write!(f, ", record {index} ({epoch})")?;
                }
                match others {
                    0 => Ok(()),
                    1 => write!(f, ", and about one other shard"),
                    others => write!(f, ", and about {others} other shards"),
                }
            }
        }
    }
}

fn sender(from: Endpoint) -> String {
    match from {
        Endpoint::Node(node) => node.to_string(),
        Endpoint::Client(_) => "clients".to_owned(),
    }
}

const fn kind(message: &Message) -> &'static str {
    match message {
        Message::Requests(_) => "requests",
        Message::Forwarded(_) => "forwarded requests",
        Message::Answers(_) => "answers",
        Message::Replies(_) => "replies",
        Message::Beat(_) => "a beat",
        Message::Gossip(_) => "gossip about members",
        Message::Leaving(_) => "a farewell",
        Message::Moves(_) => "a message about moves",
        Message::Journal(_) => "an empty message of a journal",
        Message::Facts(_) => "a message about facts",
    }
}
