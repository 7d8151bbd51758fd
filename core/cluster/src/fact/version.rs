//! Versions of facts, and the deltas between copies.
//!
//! Owns their form alone. Refuses to know which version wins.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FactKey, Seen};
use crate::hlc::Stamp;

/// The text of a fact.
pub type FactText = Arc<str>;

/// One write of a fact: a text or a tombstone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// When it was written, and by which node.
    pub stamp: Stamp,
    /// The text; `None` for a tombstone.
    pub text: Option<FactText>,
}

/// The difference between a state of a copy and a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// The state that it begins from.
    pub base: Base,
    /// The state that it ends at.
    pub until: Seen,
    /// The writes in between that were not superseded, in order of the keys.
    pub written: Vec<(FactKey, Version)>,
}

/// The state that a delta begins from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Base {
    /// A copy that has seen at least this much; no other can take it.
    Since(Seen),
    /// An empty copy: the delta is a whole copy.
    Nothing {
        /// The latest tombstones dropped from it, by writer.
        forgotten: Seen,
    },
}

impl Delta {
    /// Encodes the delta for a frame.
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a delta is plain data")
    }

    /// Whether a copy with this vector can take it.
    pub fn fits(&self, seen: &Seen) -> bool {
        match &self.base {
            Base::Since(since) => seen.includes(since),
            Base::Nothing { .. } => true,
        }
    }
}
