//! The journal: one replicated log a shard.
//!
//! Owns the contract between a replica of a log and the node that hosts it. Refuses to know the clock, randomness, the
//! network, the disk and the meaning of records: the node ticks, delivers, writes and applies, and asks
//! [`RaftGroup::poll`] for the consequences.
//!
//! A turn of the node is: call any of the inputs, then `poll` every replica that was touched, hand its frames to the
//! node's [`Wal`], send its messages, apply what it committed. When a write is durable, `Wal::persisted` names the
//! replicas concerned, which are told by [`RaftGroup::fsynced`] and polled again.

pub mod claim;
pub mod frame;
pub mod members;
mod raft_group;
mod recovery;
mod wal;

pub use members::{Change, Members, ReplicaId};
use onsale_booking::{Instant, NodeId, choices};
use raft::eraftpb;
use raft::eraftpb::MessageType;
pub use raft_group::{LEAP, RaftGroup, Settings};
pub use recovery::{Durable, Found, Recovered};
pub use wal::Wal;

use crate::id::Epoch;
use crate::mark::Mark;
use crate::record::Format;
use crate::shard_time::ShardTime;

choices! {
    /// When a replica sends its votes and acknowledgements.
    pub enum Promises {
        /// Once the promised state is durable.
        AfterWrite,
        /// At once, while the state is being written.
        BeforeWrite,
    }
}

/// Identifies one read index of [`RaftGroup::confirm_leadership`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReadId(pub u64);

/// A position in a replica's frames, to be durable; later polls have greater ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket {
    /// The generation of the replica.
    pub(crate) generation: u32,
    /// The number of the frame batch.
    pub(crate) number: u64,
}

/// A poll's requests to the node. The node keeps and clears it, to save allocations.
#[derive(Debug, Default)]
pub struct Ready {
    /// Messages to send at once; those that may leave only after a write wait inside for `fsynced`.
    pub messages: Vec<JournalMessage>,
    /// A state that replaces the applied one; it comes before `committed`.
    pub installed: Option<Snapshot>,
    /// Records that are committed and durable here, in the order of their indexes.
    pub committed: Vec<Committed>,
    /// Confirmed reads; they hold for the state after `committed`.
    pub reads: Vec<ReadId>,
    /// The marks of refused messages.
    pub refused: Vec<Mark>,
    /// Framed state to append to the write-ahead log; empty unless `ticket` is set.
    pub frames: Vec<u8>,
    /// The ticket to give to `fsynced` once the frames are durable.
    pub ticket: Option<Ticket>,
}

impl Ready {
    /// Whether the node has nothing to do.
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
    /// Its index in the log; rises by one from record to record.
    pub fn index(&self) -> u64 {
        self.0.index
    }

    /// The epoch of the leader that proposed it.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.0.term)
    }

    /// The proposed bytes. Empty for the record by which a leader opens its epoch, and for one that changes the
    /// members.
    pub fn record(&self) -> &[u8] {
        &self.0.data
    }
}

/// A state of the application and its index in the log.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot(pub(crate) eraftpb::Snapshot);

impl Snapshot {
    /// The index of the last record that it includes.
    pub fn index(&self) -> u64 {
        self.0.get_metadata().index
    }

    /// The epoch of the last record that it includes.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.0.get_metadata().term)
    }

    /// The state given to [`RaftGroup::compact`].
    pub fn state(&self) -> &[u8] {
        &self.0.data
    }
}

/// The purpose of a message between replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gist {
    /// A call for votes, or a trial call to find out whether its sender would win.
    CallsForVotes {
        /// Whether it is only a trial.
        trial: bool,
    },
    /// The answer to such a call.
    Votes {
        /// Whether the call was a trial.
        trial: bool,
        /// Whether the vote was granted.
        granted: bool,
    },
    /// A snapshot up to an index.
    BringsSnapshot,
    /// Records, a commit index, or a heartbeat.
    Replicates,
}

/// A message from one replica of a shard's log to another. Outside the journal it can be read, not made.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalMessage(Box<Said>);

/// The content of a message. Boxed: a message of the library takes 200 bytes and is moved a dozen times.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    message: eraftpb::Message,
    /// The shard's time as the sender knows it; of epoch 0, which has no leader, if it knows none.
    time: ShardTime,
}

const NO_TIME: ShardTime = ShardTime::stamped(Epoch(0), Instant::ZERO);

impl JournalMessage {
    pub(crate) fn new(message: eraftpb::Message) -> Self {
        Self(Box::new(Said { message, time: NO_TIME }))
    }

    /// Moves the library's messages to `out`.
    pub(crate) fn put_each(said: &mut Vec<eraftpb::Message>, out: &mut Vec<Self>) {
        out.extend(said.drain(..).map(Self::new));
    }

    /// The shard's time as its sender knew it when the message left.
    pub fn time(&self) -> Option<ShardTime> {
        (self.0.time.epoch > NO_TIME.epoch).then_some(self.0.time)
    }

    /// Adds the sender's reading of the shard's time to a message about to leave.
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

    /// Whether it comes from a leader that counts its receiver as a member.
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

    /// The epoch of the message; in a trial call for votes the epoch that is sought.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.0.message.term)
    }

    /// The records that it carries: index, epoch of the proposer, and the proposed bytes. Empty for the record by which
    /// a leader opens its epoch, and for one that changes the members.
    pub fn records(&self) -> impl Iterator<Item = (u64, Epoch, &[u8])> {
        self.0.message.entries.iter().map(|entry| (entry.index, Epoch(entry.term), &entry.data[..]))
    }

    /// Whether a leader asks by it whether it still leads.
    pub fn asks_for_lead(&self) -> bool {
        let message = &self.0.message;
        message.get_msg_type() == MessageType::MsgHeartbeat && !message.context.is_empty()
    }

    /// The newest format of the records and the snapshot of shows that it carries.
    #[inline]
    pub(crate) fn format(&self) -> Format {
        let Said { message, .. } = &*self.0;
        let records = message.entries.iter().map(|entry| Format::of_record(&entry.data));
        let snapshot = message.has_snapshot().then(|| &message.get_snapshot().data[..]);
        records.fold(snapshot.map_or(Format::FIRST, Format::of_snapshot), Format::max)
    }

    /// The purpose of the message in elections and replication.
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

    /// Its size on the wire in bytes, exact to a few dozen.
    pub fn bytes(&self) -> usize {
        const FIXED: usize = 56;
        const PER_ENTRY: usize = 12;
        let of_entry = |entry: &eraftpb::Entry| PER_ENTRY + entry.data.len() + entry.context.len();
        let entries: usize = self.0.message.entries.iter().map(of_entry).sum();
        FIXED + entries + self.0.message.context.len() + self.0.message.get_snapshot().data.len()
    }

    /// A hash that differs, in all likelihood, between messages that differ in more than the bytes of their records.
    /// Stable across processes and versions of Rust.
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

/// The node of a replica's number in the Raft library: [`ReplicaId`] numbers replicas, and 0 means none.
fn node_of(id: u64) -> NodeId {
    ReplicaId::of(id).node()
}
