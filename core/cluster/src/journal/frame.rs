//! The format of durable state in the write-ahead log.
//!
//! Owns the bytes: writing frames, and reading them back as far as they can be trusted. Refuses to know the meaning of
//! a sequence of frames.
//!
//! A segment is a sequence of frames. All numbers are little-endian.
//!
//! | bytes | meaning |
//! |---|---|
//! | 1 | mark: 0xA5, or 0x5A if the payload has a run of zeros that could fill a whole sector |
//! | 3 | check of the mark and of the 8 bytes that follow |
//! | 4 | length `n` of the payload |
//! | 4 | CRC-32 of the payload |
//! | n | payload: kind (1), shard (4), then by kind |
//!
//! | kind | name | rest of the payload |
//! |---|---|---|
//! | 1 | entry | index (8), epoch (8), record |
//! | 2 | hard state | epoch (8), the replica voted for (8, 0 for none), commit (8), in repair (1, 0 or 1) |
//! | 3 | snapshot | index (8), epoch (8), state |
//! | 4 | checkpoint | number of groups (4); the shard is 0 |
//! | 5 | facts | delta; the shard is 0 |
//! | 6 | change | index (8), epoch (8), the step of the membership change |
//! | 7 | members | the members of the snapshot after it, if not the first ones |
//! | 8 | replica | generation (4), whether it has left (1, 0 or 1) |
//! | 9 | forgot | incarnation (8); the shard is 0 |
//!
//! The frames of a replica come in *batches*, one for each poll. A batch is closed by the replica's hard state, or by a
//! replica frame that says that it has left, and counts as a whole or not at all. So recovery always gives a state that
//! the replica was in.
//!
//! An entry supersedes every earlier entry of its shard at its index and above; a snapshot supersedes every earlier
//! entry. A change is an entry. A replica with another generation supersedes everything of its shard; one without a
//! replica frame is of generation 0. The log of a node that forgot says so before everything else, in each segment:
//! then no replica is of generation 0. The commit index of a hard state may lag behind: it is written along with the
//! next state that has to be durable.
//!
//! A segment begins with a checkpoint: the frames of every group's whole state, closed by
//! a checkpoint frame. So one segment suffices to recover a node.
//!
//! A crash during a write keeps any of its sectors, the last of them perhaps in part, and a missing sector before
//! another one reads as zeros. That tells damage to a write that nothing depended on from damage to durable state.
//! Flipped bits make no sector of zeros, and a frame has none: its first byte is never zero, however few of its bytes
//! stand in its first sector, and where the payload has such a run of zeros the mark says so, and zeros prove nothing.

mod read;

use std::sync::LazyLock;

use super::ReplicaId;
use crate::id::{Epoch, ShardId};

pub use self::read::{Batches, Damage, Frames, read, read_batches};

/// The length of a frame's header, in bytes.
const HEADER: usize = 12;

/// The unit that a disk writes whole or not at all, in bytes.
const SECTOR: usize = 512;

/// The first byte of a frame. Not zero, so that a sector that was never written is noticed even if it holds only this
/// byte of the frame; and half its bits are set, so that it takes more than a flipped bit to make it zero.
const MARK: u8 = 0xA5;
/// The first byte of a frame whose payload may itself fill a sector with zeros.
const MARK_OF_ZEROS: u8 = !MARK;

/// A piece of durable state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// A record of the log.
    Entry {
        /// The shard of the log.
        shard: ShardId,
        /// Its index in the log.
        index: u64,
        /// The epoch of the leader that proposed it.
        epoch: Epoch,
        /// The proposed bytes; empty for the record by which a leader opens its epoch.
        record: &'a [u8],
    },
    /// A replica's promises.
    HardState {
        /// The shard of the log.
        shard: ShardId,
        /// The latest epoch that the replica entered.
        epoch: Epoch,
        /// The replica that it voted for in that epoch.
        vote: Option<ReplicaId>,
        /// An index up to which the log is committed, perhaps not the latest.
        commit: u64,
        /// Whether its disk once lost durable state that the replica has not recovered yet.
        in_repair: bool,
    },
    /// A state that stands for the log up to an index.
    Snapshot {
        /// The shard of the log.
        shard: ShardId,
        /// The last index that it includes.
        index: u64,
        /// The epoch of that last record.
        epoch: Epoch,
        /// The application's state.
        state: &'a [u8],
    },
    /// A record that changes the members.
    Change {
        /// The shard of the log.
        shard: ShardId,
        /// Its index in the log.
        index: u64,
        /// The epoch of the leader that proposed it.
        epoch: Epoch,
        /// The step, as `Change` encodes it.
        change: &'a [u8],
    },
    /// The members that belong to the next snapshot.
    Members {
        /// The shard of the log.
        shard: ShardId,
        /// The members as `Members` encodes them.
        members: &'a [u8],
    },
    /// The generation of the node's replica of a log.
    Replica {
        /// The shard of the log.
        shard: ShardId,
        /// The generation of the replica.
        generation: u32,
        /// Whether it has left.
        left: bool,
    },
    /// The end of the frames that a segment inherits.
    Checkpoint {
        /// Number of groups covered.
        groups: u32,
    },
    /// News of the facts.
    Facts {
        /// A delta of the facts, as they encode it.
        delta: &'a [u8],
    },
    /// The node once lost durable state: no replica owns what an earlier disk held.
    Forgot {
        /// Incarnation at which disk loss was last detected.
        incarnation: u64,
    },
}

impl Frame<'_> {
    /// The shard that it belongs to; `None` for the node's own frames.
    pub fn shard(&self) -> Option<ShardId> {
        match *self {
            Self::Entry { shard, .. }
            | Self::HardState { shard, .. }
            | Self::Snapshot { shard, .. }
            | Self::Change { shard, .. }
            | Self::Members { shard, .. }
            | Self::Replica { shard, .. } => Some(shard),
            Self::Checkpoint { .. } | Self::Facts { .. } | Self::Forgot { .. } => None,
        }
    }

    /// Appends the framed bytes.
    pub fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        match *self {
            Self::Entry { shard, index, epoch, record } => {
                begin(out, ENTRY, shard);
                numbers(out, [index, epoch.0]);
                out.extend_from_slice(record);
            }
            Self::HardState { shard, epoch, vote, commit, in_repair } => {
                begin(out, HARD_STATE, shard);
                numbers(out, [epoch.0, vote.map_or(0, ReplicaId::raft), commit]);
                out.push(u8::from(in_repair));
            }
            Self::Snapshot { shard, index, epoch, state } => {
                begin(out, SNAPSHOT, shard);
                numbers(out, [index, epoch.0]);
                out.extend_from_slice(state);
            }
            Self::Change { shard, index, epoch, change } => {
                begin(out, CHANGE, shard);
                numbers(out, [index, epoch.0]);
                out.extend_from_slice(change);
            }
            Self::Members { shard, members } => {
                begin(out, MEMBERS, shard);
                out.extend_from_slice(members);
            }
            Self::Replica { shard, generation, left } => {
                begin(out, REPLICA, shard);
                out.extend_from_slice(&generation.to_le_bytes());
                out.push(u8::from(left));
            }
            Self::Checkpoint { groups } => {
                begin(out, CHECKPOINT, ShardId(0));
                out.extend_from_slice(&groups.to_le_bytes());
            }
            Self::Facts { delta } => {
                begin(out, FACTS, ShardId(0));
                out.extend_from_slice(delta);
            }
            Self::Forgot { incarnation } => {
                begin(out, FORGOT, ShardId(0));
                out.extend_from_slice(&incarnation.to_le_bytes());
            }
        }
        let (header, payload) = out[start..].split_at_mut(HEADER);
        let mark = if may_fill_sector_with_zeros(payload) { MARK_OF_ZEROS } else { MARK };
        let length = u32::try_from(payload.len()).expect("a frame is shorter than 4 GiB");
        let payload = crc(payload);
        header[..4].copy_from_slice(&first_word(mark, length, payload).to_le_bytes());
        header[4..8].copy_from_slice(&length.to_le_bytes());
        header[8..].copy_from_slice(&payload.to_le_bytes());
    }

    /// Whether it is the last frame of a batch.
    pub fn closes_batch(&self) -> bool {
        match *self {
            Self::HardState { .. } => true,
            Self::Replica { left, .. } => left,
            Self::Entry { .. }
            | Self::Snapshot { .. }
            | Self::Change { .. }
            | Self::Members { .. }
            | Self::Checkpoint { .. }
            | Self::Facts { .. }
            | Self::Forgot { .. } => false,
        }
    }
}

const ENTRY: u8 = 1;
const HARD_STATE: u8 = 2;
const SNAPSHOT: u8 = 3;
const CHECKPOINT: u8 = 4;
const FACTS: u8 = 5;
const CHANGE: u8 = 6;
const MEMBERS: u8 = 7;
const REPLICA: u8 = 8;
const FORGOT: u8 = 9;

/// Appends room for a header and the beginning of every payload.
fn begin(out: &mut Vec<u8>, kind: u8, shard: ShardId) {
    let mut bytes = [0; HEADER + 5];
    bytes[HEADER] = kind;
    bytes[HEADER + 1..].copy_from_slice(&shard.0.to_le_bytes());
    out.extend_from_slice(&bytes);
}

fn numbers<const COUNT: usize>(out: &mut Vec<u8>, numbers: [u64; COUNT]) {
    out.extend_from_slice(numbers.map(u64::to_le_bytes).as_flattened());
}

/// The mark and the check, which tells a complete header from an incomplete one: the finalizer of splitmix64, because a
/// CRC costs ten times as much on so few bytes.
const fn first_word(mark: u8, length: u32, payload: u32) -> u32 {
    let mut mixed = ((length as u64) << 32 | payload as u64) ^ (mark as u64) << 24;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (mixed >> 32) as u32 & !0xFF | mark as u32
}

/// The CRC-32 of a payload. The fastest method of this machine is detected once, because payloads are short.
fn crc(payload: &[u8]) -> u32 {
    static FRESH: LazyLock<crc32fast::Hasher> = LazyLock::new(crc32fast::Hasher::new);
    let mut hasher = FRESH.clone();
    hasher.update(payload);
    hasher.finalize()
}

/// Whether these bytes could fill a sector with zeros, wherever sectors begin: a whole sector of zeros
/// has half a sector of them at a multiple of half a sector.
fn may_fill_sector_with_zeros(payload: &[u8]) -> bool {
    payload.chunks_exact(SECTOR / 2).any(|half| half.iter().all(|&byte| byte == 0))
}
