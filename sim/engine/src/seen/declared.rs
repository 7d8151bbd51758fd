//! Records that a system under test declares.
//!
//! Owns the type. Refuses to know how they are framed on a disk.

use onsale_booking::{Event, ShowId};
use onsale_oracles::Position;

/// A record in a system's write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Where it stands.
    pub at: Position,
    /// Events of the record.
    pub events: Vec<(ShowId, Event)>,
}
