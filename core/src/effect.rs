//! What a step asks of the driver: send, persist, observe.
//!
//! Owns the output buffer and the gathering of a turn's messages into one per
//! destination and kind. Refuses to know how any of it is carried out.

use crate::id::{Endpoint, NodeId, ShardId};
use crate::journal::JournalMessage;
use crate::message::{Answer, Beat, Message, Timed};
use crate::observation::Observation;
use crate::request::{Reply, Request};
use crate::time::Instant;

/// So many emptied batches are kept: about as many as a turn sends.
const SPARE: usize = 8;

/// Numbers a node's writes; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistId(pub u64);

/// One append to the node's write-ahead log, to be made durable by one fsync.
///
/// A node has at most one write in flight; the driver answers it with
/// `Input::Persisted`. A crash before that may keep any prefix of `bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Names the write in `Input::Persisted`.
    pub id: PersistId,
    /// The segment (file) to append to; created by its first write.
    pub segment: u32,
    /// Framed records.
    pub bytes: Vec<u8>,
    /// Once this write is durable, segments below this number may be deleted.
    pub retire_below: u32,
}

/// A message to hand to the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Sending {
    /// When it leaves, as far as core knows; items of a batch carry their own instants.
    pub at: Instant,
    /// Where to.
    pub to: Endpoint,
    /// What.
    pub message: Message,
}

/// The output buffer of `step`. The driver drains it after each turn.
#[derive(Debug, Default)]
pub struct Effects {
    now: Instant,
    /// Messages in the order in which they were begun.
    pub sends: Vec<Sending>,
    /// Writes in order; a node emits at most one until it is answered.
    pub writes: Vec<Write>,
    /// Transitions in order.
    pub observations: Vec<Observation>,
    /// Emptied batches, kept for their memory.
    spare: Vec<Vec<(ShardId, JournalMessage)>>,
}

impl Effects {
    /// Sets the instant that stamps what follows. Called by `step`.
    pub fn begin(&mut self, now: Instant) {
        self.now = now;
    }

    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        self.sends.is_empty() && self.writes.is_empty() && self.observations.is_empty()
    }

    /// Passes a client's request on to the node that should own its show.
    pub fn forward(&mut self, to: NodeId, request: Request) {
        let timed = Timed { at: self.now, item: request };
        for sending in &mut self.sends {
            if let Message::Forwarded(batch) = &mut sending.message
                && sending.to == Endpoint::Node(to)
            {
                return batch.push(timed);
            }
        }
        self.send(Endpoint::Node(to), Message::Forwarded(batch_of(timed)));
    }

    /// Answers a gateway.
    pub fn answer(&mut self, to: NodeId, answer: Answer) {
        let timed = Timed { at: self.now, item: answer };
        for sending in &mut self.sends {
            if let Message::Answers(batch) = &mut sending.message
                && sending.to == Endpoint::Node(to)
            {
                return batch.push(timed);
            }
        }
        self.send(Endpoint::Node(to), Message::Answers(batch_of(timed)));
    }

    /// Replies to a client.
    pub fn reply(&mut self, to: Endpoint, reply: Reply) {
        let timed = Timed { at: self.now, item: reply };
        for sending in &mut self.sends {
            if let Message::Replies(batch) = &mut sending.message
                && sending.to == to
            {
                return batch.push(timed);
            }
        }
        self.send(to, Message::Replies(batch_of(timed)));
    }

    /// Sends a journal replica's message to its peer.
    #[inline]
    pub fn journal(&mut self, to: NodeId, shard: ShardId, message: JournalMessage) {
        for sending in &mut self.sends {
            if let Message::Journal(batch) = &mut sending.message
                && sending.to == Endpoint::Node(to)
            {
                return batch.push((shard, message));
            }
        }
        let mut batch = self.spare.pop().unwrap_or_default();
        batch.push((shard, message));
        self.send(Endpoint::Node(to), Message::Journal(batch));
    }

    /// Takes a batch that was emptied for the next one to be sent.
    pub(crate) fn reuse(&mut self, batch: Vec<(ShardId, JournalMessage)>) {
        if self.spare.len() < SPARE {
            self.spare.push(batch);
        }
    }

    /// Sends a sign of life.
    pub fn beat(&mut self, to: NodeId, beat: Beat) {
        self.send(Endpoint::Node(to), Message::Beat(beat));
    }

    /// Asks for a durable write.
    pub fn persist(&mut self, write: Write) {
        self.writes.push(write);
    }

    /// Tells of a transition.
    pub fn observe(&mut self, observation: Observation) {
        self.observations.push(observation);
    }

    fn send(&mut self, to: Endpoint, message: Message) {
        self.sends.push(Sending { at: self.now, to, message });
    }
}

/// A batch that begins with one item and has room for some: few stay alone under load.
fn batch_of<T>(first: T) -> Vec<T> {
    let mut batch = Vec::with_capacity(8);
    batch.push(first);
    batch
}
