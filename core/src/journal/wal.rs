//! A node's write-ahead log: one log shared by the node's groups, one fsync in flight.
//!
//! Owns the gathering of frames into writes, the order of segments, and recovery. Refuses
//! to know files and what a group does with its state.

use std::collections::BTreeMap;

use super::frame::Damage;
use super::{Journal, Ready, Ticket};
use crate::effect::{PersistId, Write};
use crate::id::ShardId;

/// Gathers what a node's groups have to make durable.
#[derive(Debug)]
pub struct Wal {}

impl Wal {
    /// A log that closes a segment once more than `segment_bytes` (and more than its
    /// checkpoint takes) follow its checkpoint. Its first write begins `first_segment`.
    pub fn new(_segment_bytes: usize, _first_segment: u32) -> Self {
        unimplemented!("follows")
    }

    /// Takes the frames of a poll, if it has any.
    pub fn gather(&mut self, _shard: ShardId, _ready: &Ready) {
        unimplemented!("follows")
    }

    /// The next write, if something was gathered and no write is in flight. `groups` are
    /// all groups of the node, polled and gathered; they are asked for their checkpoints
    /// when a new segment begins.
    pub fn begin<'a, J: Journal + 'a>(
        &mut self,
        _groups: impl IntoIterator<Item = &'a J>,
    ) -> Option<Write> {
        unimplemented!("follows")
    }

    /// Which polls a finished write made durable, to be passed on to `Journal::fsynced`.
    /// Nothing, if no such write is in flight.
    pub fn persisted(&mut self, _id: PersistId) -> Vec<(ShardId, Ticket)> {
        unimplemented!("follows")
    }

    /// What the segments found on a disk, in any order, add up to.
    pub fn recover(_segments: Vec<(u32, Vec<u8>)>) -> Recovered {
        unimplemented!("follows")
    }
}

/// What a disk held.
#[derive(Debug, Default)]
pub struct Recovered {
    /// The durable state of every group that has any.
    pub shards: BTreeMap<ShardId, Durable>,
    /// The number for the next segment: greater than that of any that was found.
    pub next_segment: u32,
    /// Where trust ended before the end: segment, byte and kind. What follows is not used.
    pub damage: Option<(u32, usize, Damage)>,
}

/// The durable state of one replica; by default that of a new one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durable {}
