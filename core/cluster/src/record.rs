//! What one record of a shard's journal says, and which node wrote it.
//!
//! Owns the coding of events into records, for the node that writes them and for whoever
//! reads a journal from outside.

use std::fmt;

use onsale_booking::{Event, NodeId, ShowId};
use serde::{Deserialize, Serialize};

/// Room for most events.
const EVENT_BYTES: usize = 64;

/// The events of one record, in order, each with its show.
pub type Events = Vec<(ShowId, Event)>;

/// A record: what a leader changed in one turn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The leader of the shard that proposed it. Nothing is decided by it: it lets a reader
    /// of the journal see that an epoch has one writer.
    pub writer: NodeId,
    /// What changed.
    pub events: Events,
}

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
pub fn encode(writer: NodeId, events: &Events) -> Vec<u8> {
    let bytes = Vec::with_capacity(EVENT_BYTES * (1 + events.len()));
    postcard::to_extend(&(writer, events), bytes).expect("memory holds a record")
}

/// The record in these bytes; none in the empty one by which a leader opens its epoch.
///
/// # Errors
/// If the bytes are not a record.
pub fn decode(record: &[u8]) -> Result<Option<Record>, Unreadable> {
    let mut events = Events::new();
    Ok(decode_into(record, &mut events)?.map(|writer| Record { writer, events }))
}

/// The same with the events in a list that is there already, which they replace. Returns the
/// writer.
///
/// # Errors
/// If the bytes are not a record.
pub fn decode_into(record: &[u8], events: &mut Events) -> Result<Option<NodeId>, Unreadable> {
    events.clear();
    if record.is_empty() {
        return Ok(None);
    }
    let ((writer, count), mut rest) =
        postcard::take_from_bytes::<(NodeId, usize)>(record).map_err(Unreadable)?;
    for _ in 0..count {
        let (event, after) = postcard::take_from_bytes(rest).map_err(Unreadable)?;
        events.push(event);
        rest = after;
    }
    Ok(Some(writer))
}
