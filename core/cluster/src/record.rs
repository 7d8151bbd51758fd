//! Records of a shard's journal.
//!
//! Owns the coding of events into records, for the node that writes them and for readers of a journal from outside.

use std::fmt;

use onsale_booking::{Event, NodeId, ShowId};
use serde::{Deserialize, Serialize};

/// Bytes reserved for an event; enough for most.
const EVENT_BYTES: usize = 64;

/// The events of one record, in order, each with its show.
pub type Events = Vec<(ShowId, Event)>;

/// A record: the changes of one turn of a leader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The leader that proposed it. It decides nothing: it lets a reader of the journal see that an epoch has one
    /// writer.
    pub writer: NodeId,
    /// The changes, in order.
    pub events: Events,
}

/// The error of bytes that are not a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable(postcard::Error);

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a record of events: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

/// Encodes a record.
pub fn encode(writer: NodeId, events: &Events) -> Vec<u8> {
    let bytes = Vec::with_capacity(EVENT_BYTES * (1 + events.len()));
    postcard::to_extend(&(writer, events), bytes).expect("memory holds a record")
}

/// Decodes a record; `None` for the empty one by which a leader opens its epoch.
///
/// # Errors
/// If the bytes are not a record.
pub fn decode(record: &[u8]) -> Result<Option<Record>, Unreadable> {
    let mut events = Events::new();
    Ok(decode_into(record, &mut events)?.map(|writer| Record { writer, events }))
}

/// Decodes a record into `events`, which it replaces. Returns the writer; `None` for the empty record by which a leader
/// opens its epoch.
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
