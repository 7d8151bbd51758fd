//! The messages about facts.
//!
//! Owns the questions of clients, their answers, and what nodes tell each other.

use onsale_booking::draw::mix;
use serde::Serialize;

use super::{Delta, FactKey, FactText, Seen, Version};
use crate::hlc::Stamp;

/// The id of a question; unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct QuestionId(pub u64);

/// A client's question to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Returned with the answer.
    pub id: QuestionId,
    /// The session token: the version vector of the client's session. A node that has not seen as much does not answer.
    pub seen: Seen,
    /// The read or write.
    pub asked: Asked,
}

impl Question {
    /// Whether it is a write.
    pub fn writes(&self) -> bool {
        matches!(self.asked, Asked::Write(..))
    }
}

/// A read or a write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Asked {
    /// The latest versions of these facts; at most [`KEYS_MAX`](super::KEYS_MAX).
    Read(Vec<FactKey>),
    /// The fact's new text; `None` deletes it.
    Write(FactKey, Option<FactText>),
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FactsReply {
    /// The question.
    pub id: QuestionId,
    /// The answer.
    pub answer: FactsAnswer,
}

/// The outcome of a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum FactsAnswer {
    /// The node's version of each fact, in the order of the question. `None` for a fact that never was, or whose
    /// tombstone was dropped.
    Read(Vec<(FactKey, Option<Version>)>),
    /// The write is on this node's disk, and others will hear of it.
    Written(Stamp),
    /// The node has not seen as much as the session, and could not fetch it in time: ask another.
    Behind,
    /// Too many keys, or too long a text.
    BadQuestion,
}

/// The answer that a digest asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wanted {
    /// The writes that its sender lacks.
    Repair,
    /// A repair, and the receiver's digest.
    RepairAndDigest,
    /// Nothing: it acknowledges a repair. The receiver's news since then are left to the next round. Where a writer
    /// goes on there is always news, and two nodes would answer each other for ever; networks that deliver twice would
    /// have them do so more and more.
    Nothing,
}

/// A message about facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum FactsMessage {
    /// Client to node.
    Question(Question),
    /// Node to client.
    Told(FactsReply),
    /// Node to node: the sender's version vector.
    Digest {
        /// The sender's incarnation: the knowledge of an earlier boot may be lost.
        incarnation: u64,
        /// The latest incarnation of the receiver that the sender knows of; 0 if it has not heard it yet.
        knows: u64,
        /// The sender's version vector.
        seen: Seen,
        /// The answer wanted from the receiver.
        wanted: Wanted,
    },
    /// Node to node: the writes that the receiver lacks. Answered with a digest once taken.
    Repair {
        /// The sender's incarnation: a repair of an earlier boot may be lost there, and is not taken any more.
        incarnation: u64,
        /// The writes that the receiver lacks.
        delta: Delta,
    },
    /// Node to node: a new write. Passed on, and not answered.
    News {
        /// The sender's incarnation, as in a repair.
        incarnation: u64,
        /// The new write.
        delta: Delta,
    },
}

impl FactsMessage {
    /// A hash of its whole content.
    pub fn digest(&self) -> u64 {
        let bytes = self.encoded();
        let word = |chunk: &[u8]| {
            chunk.iter().rev().fold(0, |word: u64, &byte| word << 8 | u64::from(byte))
        };
        bytes.chunks(8).fold(bytes.len() as u64, |hash, chunk| mix(hash ^ word(chunk)))
    }

    /// Its size on the wire, in bytes.
    pub fn bytes(&self) -> usize {
        self.encoded().len()
    }

    fn encoded(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a message is plain data")
    }
}
