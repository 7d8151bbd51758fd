//! Records that a system under test declares.
//!
//! Owns the type. Refuses to know how they are framed on a disk.

use onsale_booking::{Event, ShowId};
use onsale_cluster::{Epoch, ShardId};

/// A record in a system's write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The log.
    pub log: ShardId,
    /// Index in the log, from 1.
    pub index: u64,
    /// Term in which it was written.
    pub term: Epoch,
    /// Events of the record.
    pub events: Vec<(ShowId, Event)>,
}
