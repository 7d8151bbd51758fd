//! Versions of facts, and what leads from one copy to a later one.
//!
//! Owns their form alone. Refuses to know which version wins.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{FactKey, Seen};
use crate::hlc::Stamp;

/// The text of a fact.
pub type FactText = Arc<str>;

/// A write: the text of a fact, or that there is none any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// When it was written, and where.
    pub stamp: Stamp,
    /// None for a deletion.
    pub text: Option<FactText>,
}

/// What leads from one state of a copy to a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Where it begins.
    pub base: Base,
    /// All that it stands for.
    pub until: Seen,
    /// What was written in between and not superseded, in order of the keys.
    pub written: Vec<(FactKey, Version)>,
}

/// Where a delta begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Base {
    /// Only a copy that has seen this much can take it.
    Since(Seen),
    /// It is a whole copy.
    Nothing {
        /// Deletions that are not in it any more.
        forgotten: Seen,
    },
}

impl Delta {
    /// Whether a copy that has seen this much can take it.
    pub fn fits(&self, seen: &Seen) -> bool {
        match &self.base {
            Base::Since(since) => seen.includes(since),
            Base::Nothing { .. } => true,
        }
    }
}
