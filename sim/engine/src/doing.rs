//! What a node does in its turn, for the report if it panics during it.
//!
//! Owns the phrases. Refuses to know the result of the turn.

use std::fmt;

use onsale_booking::NodeId;
use onsale_cluster::{Epoch, Message, ShardId};
use onsale_world::NodeTurn;
use onsale_world::place::Place;

use crate::seen::messages::{Messages, Shown};

/// A node and the input of its turn. Cheap to note: noted with every turn, printed once.
#[derive(Clone, Copy, Debug)]
pub struct Doing {
    place: Place,
    what: What,
}

#[derive(Clone, Copy, Debug)]
enum What {
    Starts,
    TakesIn(Place, &'static str),
    Replicates { from: Place, shard: ShardId, others: usize, record: Option<(u64, Epoch)> },
    Hears(&'static str),
}

impl Doing {
    /// Notes that a node takes a turn.
    #[inline]
    pub fn turn<M: Messages>(place: Place, turn: &NodeTurn<M>) -> Self {
        let what = match turn {
            NodeTurn::Delivered(from, message) => taken_in(*from, M::shown(message)),
            NodeTurn::Boot => What::Starts,
            NodeTurn::Persisted(_) => What::Hears("learned that a write is durable"),
            NodeTurn::WriteFailed(_) => What::Hears("learned that a write failed"),
            NodeTurn::WriteRefused(_) => What::Hears("learned that its disk is full"),
            NodeTurn::DamageFound => What::Hears("learned that its disk is damaged"),
            NodeTurn::Wake => What::Hears("did what was due"),
            NodeTurn::CoreFree(_) => What::Hears("went on with queued work"),
            NodeTurn::Told(_) => What::Hears("took an operator's order"),
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

fn sender(from: Place) -> String {
    match from {
        Place::Clients => "clients".to_owned(),
        Place::Node(_) | Place::Service(_) | Place::Director => from.to_string(),
    }
}

#[inline]
fn taken_in(from: Place, message: Shown<'_>) -> What {
    if let Shown::Cluster(Message::Journal(batch)) = message
        && let Some((shard, first)) = batch.first()
    {
        let record = first.records().next().map(|(index, epoch, _)| (index, epoch));
        What::Replicates { from, shard: *shard, others: batch.len() - 1, record }
    } else {
        What::TakesIn(from, kind(message))
    }
}

const fn kind(message: Shown<'_>) -> &'static str {
    match message {
        Shown::Requests(_) | Shown::Cluster(Message::Requests(_)) => "requests",
        Shown::Replies(_) | Shown::Cluster(Message::Replies(_)) => "replies",
        Shown::Cluster(Message::Forwarded(_)) => "forwarded requests",
        Shown::Cluster(Message::Answers(_)) => "answers",
        Shown::Cluster(Message::Beat(_)) => "a beat",
        Shown::Cluster(Message::Gossip(_)) => "gossip about members",
        Shown::Cluster(Message::Leaving(_)) => "a farewell",
        Shown::Cluster(Message::Moves(_)) => "a message about moves",
        Shown::Cluster(Message::Journal(_)) => "an empty message of a journal",
        Shown::Cluster(Message::Facts(_)) => "a message about facts",
    }
}
