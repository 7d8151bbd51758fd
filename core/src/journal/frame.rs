//! How durable state is framed in the write-ahead log.
//!
//! Owns the bytes: writing frames, and reading them back as far as they can be trusted.
//! Refuses to know what a sequence of frames adds up to.
//!
//! A segment is a sequence of frames. All numbers are little-endian.
//!
//! | bytes | meaning |
//! |---|---|
//! | 4 | length `n` of the payload |
//! | 4 | CRC-32 of the payload |
//! | 4 | CRC-32 of the 8 bytes before |
//! | n | payload: kind (1), shard (4), then by kind |
//!
//! | kind | name | rest of the payload |
//! |---|---|---|
//! | 1 | entry | index (8), epoch (8), record |
//! | 2 | hard state | epoch (8), vote (8, 0 for none), commit (8) |
//! | 3 | snapshot | index (8), epoch (8), state |
//! | 4 | checkpoint | number of groups (4); the shard is 0 |
//!
//! An entry supersedes every earlier entry of its shard at its index and above; a snapshot
//! supersedes every earlier entry. The commit index of a hard state may lag behind what
//! was committed: it is written along with the next thing that has to be durable.
//!
//! A segment begins with a checkpoint: the frames of every group's whole state, closed by
//! a checkpoint frame. So one segment suffices to recover a node.

use crate::id::{Epoch, NodeId, ShardId};

/// The length of a frame's header, in bytes.
const HEADER: usize = 12;

/// A piece of durable state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A record in its place.
    Entry {
        /// The log.
        shard: ShardId,
        /// The place.
        index: u64,
        /// The epoch of the leader that proposed it.
        epoch: Epoch,
        /// What was proposed; empty for the record by which a leader opens its epoch.
        record: &'a [u8],
    },
    /// What the replica promised.
    HardState {
        /// The log.
        shard: ShardId,
        /// The latest epoch that the replica entered.
        epoch: Epoch,
        /// Whom it voted for in that epoch.
        vote: Option<NodeId>,
        /// Up to where it knew the log to be committed, at least.
        commit: u64,
    },
    /// A state that stands for the log up to an index.
    Snapshot {
        /// The log.
        shard: ShardId,
        /// The last index that it includes.
        index: u64,
        /// That record's epoch.
        epoch: Epoch,
        /// The application's state.
        state: &'a [u8],
    },
    /// All that a segment inherits stands before this.
    Checkpoint {
        /// How many groups it covers.
        groups: u32,
    },
}

/// Why reading a segment stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The last frame is cut short, as a crash in the midst of a write leaves it.
    Torn,
    /// A frame that is there in full does not match its checksum: what was durable is lost.
    Rotten,
}
