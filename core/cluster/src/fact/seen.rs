//! Version vectors.
//!
//! Owns, for each writer, the latest write that was seen; a writer's writes are always seen in order. Refuses to know
//! what was written.

use onsale_booking::NodeId;
use serde::{Deserialize, Serialize};

use crate::hlc::Stamp;

/// A version vector: for each writer the stamp of the latest write seen, which covers all earlier writes of the same
/// writer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen(
    /// One stamp a writer, in order of the writers.
    Vec<Stamp>,
);

impl Seen {
    /// The stamp of a writer's latest write seen.
    pub fn of(&self, writer: NodeId) -> Option<Stamp> {
        self.place(writer).ok().map(|place| self.0[place])
    }

    /// Whether a write was seen.
    pub fn covers(&self, stamp: Stamp) -> bool {
        self.of(stamp.node) >= Some(stamp)
    }

    /// Whether everything that `other` covers was seen.
    pub fn includes(&self, other: &Self) -> bool {
        other.0.iter().all(|&stamp| self.covers(stamp))
    }

    /// Adds a write, and all earlier ones of the same writer.
    pub fn add(&mut self, stamp: Stamp) {
        match self.place(stamp.node) {
            Ok(place) => self.0[place] = self.0[place].max(stamp),
            Err(place) => self.0.insert(place, stamp),
        }
    }

    /// Adds everything that `other` covers.
    pub fn merge(&mut self, other: &Self) {
        other.0.iter().for_each(|&stamp| self.add(stamp));
    }

    /// Each writer's latest stamp, in order of the writers.
    pub fn stamps(&self) -> impl Iterator<Item = Stamp> + '_ {
        self.0.iter().copied()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, writer: NodeId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&writer, |stamp| stamp.node)
    }
}

impl FromIterator<Stamp> for Seen {
    fn from_iter<I: IntoIterator<Item = Stamp>>(stamps: I) -> Self {
        let mut seen = Self::default();
        stamps.into_iter().for_each(|stamp| seen.add(stamp));
        seen
    }
}
