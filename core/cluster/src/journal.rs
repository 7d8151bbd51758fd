//! The journal: one replicated log a shard.
//!
//! Owns the contract between a replica of a log and the node that hosts it. Refuses to know the clock, chance, the
//! network, the disk and what the records mean: the node ticks, delivers, writes and applies, and asks
//! [`RaftGroup::poll`] what follows.
//!
//! A turn of the node is: call any of the inputs, then `poll` every replica that was touched, hand its frames to the
//! node's [`Wal`], send its messages, apply what it committed. When a write is durable, `Wal::persisted` names the
//! replicas concerned, which are told by [`RaftGroup::fsynced`] and polled again.

pub mod frame;
pub mod members;
mod raft_group;
mod recovery;
mod wal;

pub use members::{Change, Members, ReplicaId};
use onsale_booking::{Instant, NodeId, choices};
use raft::eraftpb;
use raft::eraftpb::MessageType;
pub use raft_group::{RaftGroup, Settings};
pub use recovery::{Durable, Found, Recovered};
pub use wal::Wal;

use crate::id::Epoch;
use crate::mark::Mark;
use crate::shard_time::ShardTime;

choices! {
    /// When a replica's votes and acknowledgements leave.
    pub enum Promises {
        /// Once what they promise is durable.
        AfterWrite,
        /// At once, while it is being written.
        BeforeWrite,
    }
}

/// Names one question of [`RaftGroup::confirm_leadership`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadId(pub u64);

/// Marks how far a replica's frames go; later polls have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// Of the replica.
    pub(crate) generation: u32,
    /// Of the batch.
    pub(crate) number: u64,
}

/// What a poll asks of the node. Kept and cleared by the node, to save allocations.
#[derive(Debug, Default)]
pub struct Ready {
    /// To send at once; what may only be said after a write waits inside for `fsynced`.
    pub messages: Vec<JournalMessage>,
    /// A state that replaces whatever was applied before; it comes before `committed`.
    pub installed: Option<Snapshot>,
    /// Records that are committed and durable here, in the order of their indexes.
    pub committed: Vec<Committed>,
    /// Confirmed questions; they hold for the state after `committed`.
    pub reads: Vec<ReadId>,
    /// Why messages were refused.
    pub refused: Vec<Mark>,
    /// Framed state to append to the write-ahead log; empty unless `ticket` is set.
    pub frames: Vec<u8>,
    /// Names the frames in `fsynced`.
    pub ticket: Option<Ticket>,
}

impl Ready {
    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
            && self.installed.is_none()
            && self.committed.is_empty()
            && self.reads.is_empty()
            && self.refused.is_empty()
            && self.ticket.is_none()
    }

    /// Empties it, but keeps its memory.
    #[inline]
    pub fn clear(&mut self) {
        self.messages.clear();
        self.installed = None;
        self.committed.clear();
        self.reads.clear();
        self.refused.clear();
        self.frames.clear();
        self.ticket = None;
    }
}

/// A committed record.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed(pub(crate) eraftpb::Entry);

impl Committed {
    /// Its place in the log; rises by one from record to record.
    pub fn index(&self) -> u64 {
        self.0.index
    }

    /// The epoch of the leader that proposed it.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.0.term)
    }

    /// What was proposed. Empty for the record by which a leader opens its epoch, and for one
    /// that changes the members.
    pub fn record(&self) -> &[u8] {
        &self.0.data
    }
}

/// A state of the application and the place in the log that it stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot(pub(crate) eraftpb::Snapshot);

impl Snapshot {
    /// The index of the last record that it includes.
    pub fn index(&self) -> u64 {
        self.0.get_metadata().index
    }

    /// That record's epoch.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.0.get_metadata().term)
    }

    /// What was given to [`RaftGroup::compact`].
    pub fn state(&self) -> &[u8] {
        &self.0.data
    }
}

/// What a message between replicas is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gist {
    /// Its sender stands for election, or first finds out whether it would win.
    CallsForVotes {
        /// Whether it only finds out.
        trial: bool,
    },
    /// The answer to such a call.
    Votes {
        /// Whether the call was a trial.
        trial: bool,
        /// Whether it is a vote for whoever called.
        granted: bool,
    },
    /// A state that stands for the records up to an index.
    BringsSnapshot,
    /// Records, what is known of them, or a sign that the leadership goes on.
    Replicates,
}

/// What one replica of a shard's log says to another. Outside the journal it can be looked at,
/// not made.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalMessage(Box<Said>);

/// Boxed: a message of the library takes 200 bytes and is handed on a dozen times.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    message: eraftpb::Message,
    /// The shard's time, as the sender knows it; of epoch 0, in which nobody leads, if it knows none.
    time: ShardTime,
}

const NO_TIME: ShardTime = ShardTime::stamped(Epoch(0), Instant::ZERO);

impl JournalMessage {
    pub(crate) fn new(message: eraftpb::Message) -> Self {
        Self(Box::new(Said { message, time: NO_TIME }))
    }

    /// What the library said, as messages.
    pub(crate) fn put_each(said: &mut Vec<eraftpb::Message>, out: &mut Vec<Self>) {
        out.extend(said.drain(..).map(Self::new));
    }

    /// The shard's time as its sender knew it when it left.
    pub fn time(&self) -> Option<ShardTime> {
        (self.0.time.epoch > NO_TIME.epoch).then_some(self.0.time)
    }

    /// It is about to leave, and says what its sender knows of the shard's time.
    pub(crate) fn tell_time(&mut self, time: Option<ShardTime>) {
        self.0.time = time.unwrap_or(NO_TIME);
    }

    /// The node that sent it.
    pub fn from(&self) -> NodeId {
        node_of(self.0.message.from)
    }

    /// The replica that it is for.
    pub fn replica(&self) -> ReplicaId {
        ReplicaId::of(self.0.message.to)
    }

    /// Whether it comes from a leader that takes its receiver for a member.
    pub fn is_from_leader(&self) -> bool {
        matches!(
            self.0.message.get_msg_type(),
            MessageType::MsgAppend | MessageType::MsgHeartbeat | MessageType::MsgSnapshot
        )
    }

    /// The node that it is for.
    pub fn to(&self) -> NodeId {
        node_of(self.0.message.to)
    }

    /// The epoch in which it is said; in a trial call for votes the epoch that is sought.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.0.message.term)
    }

    /// The records that it carries: index, the epoch that proposed it, and what was proposed.
    /// Empty for the record by which a leader opens its epoch, and for one that changes the members.
    pub fn records(&self) -> impl Iterator<Item = (u64, Epoch, &[u8])> {
        self.0.message.entries.iter().map(|entry| (entry.index, Epoch(entry.term), &entry.data[..]))
    }

    /// What it is for, as far as who leads is concerned.
    pub fn gist(&self) -> Gist {
        match self.0.message.get_msg_type() {
            MessageType::MsgRequestPreVote => Gist::CallsForVotes { trial: true },
            MessageType::MsgRequestVote => Gist::CallsForVotes { trial: false },
            MessageType::MsgRequestPreVoteResponse => {
                Gist::Votes { trial: true, granted: !self.0.message.reject }
            }
            MessageType::MsgRequestVoteResponse => {
                Gist::Votes { trial: false, granted: !self.0.message.reject }
            }
            MessageType::MsgSnapshot => Gist::BringsSnapshot,
            MessageType::MsgAppend
            | MessageType::MsgAppendResponse
            | MessageType::MsgHeartbeat
            | MessageType::MsgHeartbeatResponse
            | MessageType::MsgTimeoutNow
            | MessageType::MsgHup
            | MessageType::MsgBeat
            | MessageType::MsgPropose
            | MessageType::MsgUnreachable
            | MessageType::MsgSnapStatus
            | MessageType::MsgCheckQuorum
            | MessageType::MsgTransferLeader
            | MessageType::MsgReadIndex
            | MessageType::MsgReadIndexResp => Gist::Replicates,
        }
    }

    /// Its size on the wire, in bytes, to within a few dozen.
    pub fn bytes(&self) -> usize {
        const FIXED: usize = 56;
        const PER_ENTRY: usize = 12;
        let of_entry = |entry: &eraftpb::Entry| PER_ENTRY + entry.data.len() + entry.context.len();
        let entries: usize = self.0.message.entries.iter().map(of_entry).sum();
        FIXED + entries + self.0.message.context.len() + self.0.message.get_snapshot().data.len()
    }

    /// A number that differs, in all likelihood, between messages that differ in more than
    /// the bytes of their records. Stable across processes and versions of Rust.
    pub fn digest(&self) -> u64 {
        let message = &self.0.message;
        let snapshot = message.has_snapshot().then(|| message.get_snapshot());
        let time = self.0.time;
        // Without an array in between: this runs for every message that arrives.
        let mut state = 0_u64;
        let mut fold = |word: u64| {
            state = (state ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
        };
        fold(message.get_msg_type() as u64);
        fold(message.from << 32 | message.to);
        fold(message.term);
        fold(message.log_term);
        fold(message.index);
        fold(message.commit);
        fold(u64::from(message.reject));
        fold(message.reject_hint);
        fold(message.entries.len() as u64);
        fold(message.entries.last().map_or(0, |entry| entry.term));
        fold(message.entries.iter().map(|entry| entry.data.len() as u64).sum());
        fold(message.context.len() as u64);
        fold(snapshot.map_or(0, |it| it.get_metadata().index));
        fold(snapshot.map_or(0, |it| it.data.len() as u64));
        fold(time.epoch.0);
        fold(time.since.0);
        fold(time.at.0);
        state
    }
}

/// Within the Raft library replicas are numbered as [`ReplicaId`] does it, and 0 means none.
fn node_of(id: u64) -> NodeId {
    ReplicaId::of(id).node()
}
