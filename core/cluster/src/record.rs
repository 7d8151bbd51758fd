//! Records of a shard's journal.
//!
//! Owns the coding of events into records, for the node that writes them and for readers of a journal from outside, and
//! the number of its format in each record and snapshot. Refuses to know which format a node may write.
//!
//! A record of the first format begins with its writer, which is never node 0. A record of a later one begins with a
//! zero and the number of the format. A snapshot of the first format begins with 0 or 1, one of a later format with
//! its number.

mod runs;

use std::fmt;

use onsale_booking::{Event, NodeId, ShowId};
use serde::{Deserialize, Serialize};

/// Bytes reserved for an event; enough for most.
const EVENT_BYTES: usize = 64;

/// The first byte of a record of a later format than the first.
const VERSIONED: u8 = 0;

/// A format of records and snapshots, by its number; a later one has a greater number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Format(u8);

impl Format {
    /// The format of the first release: each event with all its values.
    pub const FIRST: Self = Self(1);
    /// Values as differences from earlier ones in the record, and consecutive seats as runs: in a record of a hundred
    /// holds, 11 bytes a hold in place of 21.
    pub const RUNS: Self = Self(2);

    /// The format of a record, readable or not.
    #[inline]
    pub fn of_record(record: &[u8]) -> Self {
        match record {
            [VERSIONED, number, ..] => Self(*number),
            _ => Self::FIRST,
        }
    }

    /// The format of a snapshot of shows, readable or not.
    pub fn of_snapshot(state: &[u8]) -> Self {
        match state {
            [] | [0 | 1, ..] => Self::FIRST,
            [number, ..] => Self(*number),
        }
    }

    /// Appends what a snapshot of this format begins with.
    pub(crate) fn begin_snapshot(self, state: &mut Vec<u8>) {
        if self > Self::FIRST {
            state.push(self.0);
        }
    }

    /// A snapshot without what `begin_snapshot` added.
    pub(crate) fn end_snapshot(self, state: &[u8]) -> &[u8] {
        if self > Self::FIRST { &state[1..] } else { state }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "format {}", self.0)
    }
}

/// The events of one record, in order, each with its show.
pub type Events = Vec<(ShowId, Event)>;

/// A record: the changes of one turn of a leader. One without changes is of a later format than the first, and
/// activates its format.
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
pub enum Unreadable {
    /// They cannot be decoded.
    Malformed(postcard::Error),
    /// They are of a format that this code does not know.
    Unknown(Format),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(error) => write!(f, "not a record of events: {error}"),
            Self::Unknown(format) => write!(f, "a record of the unknown {format}"),
        }
    }
}

impl std::error::Error for Unreadable {}

impl From<postcard::Error> for Unreadable {
    fn from(error: postcard::Error) -> Self {
        Self::Malformed(error)
    }
}

/// Encodes a record in a known format.
pub fn encode(format: Format, writer: NodeId, events: &Events) -> Vec<u8> {
    let bytes = Vec::with_capacity(EVENT_BYTES * (1 + events.len()));
    if format >= Format::RUNS {
        return runs::encode(writer, events, bytes);
    }
    postcard::to_extend(&(writer, events), bytes).expect("memory holds a record")
}

/// Decodes a record of any known format; `None` for the empty one by which a leader opens its epoch.
///
/// # Errors
/// If the bytes are not a record.
pub fn decode(record: &[u8]) -> Result<Option<Record>, Unreadable> {
    let mut events = Events::new();
    Ok(decode_into(record, &mut events)?.map(|writer| Record { writer, events }))
}

/// Decodes a record of any known format into `events`, which it replaces. Returns the writer; `None` for the empty
/// record by which a leader opens its epoch.
///
/// # Errors
/// If the bytes are not a record.
pub fn decode_into(record: &[u8], events: &mut Events) -> Result<Option<NodeId>, Unreadable> {
    events.clear();
    if let [VERSIONED, number, rest @ ..] = record {
        return match Format(*number) {
            Format::RUNS => Ok(Some(runs::decode(rest, events)?)),
            unknown => Err(Unreadable::Unknown(unknown)),
        };
    }
    if record.is_empty() {
        return Ok(None);
    }
    let ((writer, count), mut rest) = postcard::take_from_bytes::<(NodeId, usize)>(record)?;
    for _ in 0..count {
        let (event, after) = postcard::take_from_bytes(rest)?;
        events.push(event);
        rest = after;
    }
    Ok(Some(writer))
}

#[cfg(test)]
mod tests;
