//! Records that a system under test writes, as it declares them.
//!
//! Owns the word. Refuses to know how they are framed on a disk.

use onsale_booking::{Event, ShowId};
use onsale_cluster::{Epoch, ShardId};

/// A record that a system writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The log.
    pub log: ShardId,
    /// Its place in it, from 1.
    pub index: u64,
    /// The term in which it was written.
    pub term: Epoch,
    /// What it says.
    pub events: Vec<(ShowId, Event)>,
}
