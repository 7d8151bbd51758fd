//! What one record of a shard's journal says.
//!
//! Owns the coding of events into records, for the node that writes them and for whoever
//! reads a journal from outside.

use std::fmt;

use crate::id::ShowId;
use crate::show::Event;

/// Room for most events.
const EVENT_BYTES: usize = 64;

/// The events of one record, in order, each with its show.
pub type Events = Vec<(ShowId, Event)>;

/// A record that does not read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(postcard::Error);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a record of events: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

/// The bytes of a record.
pub fn encode(events: &Events) -> Vec<u8> {
    let bytes = Vec::with_capacity(EVENT_BYTES * events.len());
    postcard::to_extend(events, bytes).expect("memory holds a record")
}

/// The events of a record. The empty record by which a leader opens its epoch has none.
///
/// # Errors
/// If the bytes are not a record.
pub fn decode(record: &[u8]) -> Result<Events, Unreadable> {
    if record.is_empty() {
        Ok(Events::new())
    } else {
        postcard::from_bytes(record).map_err(Unreadable)
    }
}
