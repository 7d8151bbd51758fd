//! What is said about facts.
//!
//! Owns the questions of clients, their answers, and what nodes tell each other.

use onsale_booking::draw::mix;
use serde::Serialize;

use super::{Delta, FactKey, FactText, Seen, Version};
use crate::hlc::Stamp;

/// Names a question; unique in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct QuestionId(pub u64);

/// A client asks a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// Comes back with the answer.
    pub id: QuestionId,
    /// What the client's session has seen: the session token. A node that has not seen as much does
    /// not answer.
    pub seen: Seen,
    /// What is asked.
    pub asked: Asked,
}

impl Question {
    /// Whether something is to be written.
    pub fn writes(&self) -> bool {
        matches!(self.asked, Asked::Write(..))
    }
}

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Asked {
    /// What is known of these facts; at most [`KEYS_MAX`](super::KEYS_MAX).
    Read(Vec<FactKey>),
    /// From now on this fact reads so; none deletes it.
    Write(FactKey, Option<FactText>),
}

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The question.
    pub id: QuestionId,
    /// The answer.
    pub answer: FactsAnswer,
}

/// What a question comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum FactsAnswer {
    /// What the node knows of each fact, in the order of the question. Nothing is known of what
    /// never was, or was deleted so long ago that it is forgotten.
    Read(Vec<(FactKey, Option<Version>)>),
    /// It is written on this node's disk, and others will hear of it.
    Written(Stamp),
    /// The node has not seen what the session has, and could not fetch it in time: ask another.
    Behind,
    /// Too many keys, or too long a text.
    BadQuestion,
}

/// What a digest asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Wanted {
    /// What its sender lacks.
    Repair,
    /// That, and what the receiver has seen.
    RepairAndDigest,
    /// Nothing: it says that a repair was taken. What the receiver has seen since is left to the next round.
    /// Where somebody goes on writing there is always something, and two nodes would answer each other for
    /// ever; networks that deliver twice would have them do so more and more.
    Nothing,
}

/// What travels about facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum FactsMessage {
    /// Client to node.
    Question(Question),
    /// Node to client.
    Told(Told),
    /// Node to node: what I have seen.
    Digest {
        /// Counts the sender's boots: what an earlier boot had seen may be lost.
        incarnation: u64,
        /// The latest boot of the receiver that the sender knows of; 0 if it has not heard it yet.
        knows: u64,
        /// What it has seen.
        seen: Seen,
        /// What the receiver is to answer.
        wanted: Wanted,
    },
    /// Node to node: what you lack. Is answered with a digest once it is taken.
    Repair {
        /// Counts the sender's boots: what an earlier one said may be lost, and is not taken any more.
        incarnation: u64,
        /// What the receiver lacks.
        delta: Delta,
    },
    /// Node to node: what was written just now. Is passed on, and not answered.
    News {
        /// As in a repair.
        incarnation: u64,
        /// What was written.
        delta: Delta,
    },
}

impl FactsMessage {
    /// A number that stands for all that it says.
    pub fn digest(&self) -> u64 {
        let bytes = self.encoded();
        let word = |chunk: &[u8]| {
            chunk.iter().rev().fold(0, |word: u64, &byte| word << 8 | u64::from(byte))
        };
        bytes.chunks(8).fold(bytes.len() as u64, |hash, chunk| mix(hash ^ word(chunk)))
    }

    /// How long it is on the wire.
    pub fn bytes(&self) -> usize {
        self.encoded().len()
    }

    fn encoded(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a message is plain data")
    }
}
