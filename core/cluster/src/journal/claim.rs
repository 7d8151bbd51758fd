//! What a message between replicas claims about its sender.
//!
//! Owns the reading of a claim off a message, for readers from outside who compare it with the sender's disk. Refuses to
//! know whether it is true.

use raft::eraftpb::MessageType;

use super::{JournalMessage, ReplicaId};
use crate::id::Epoch;

/// A position in a log: the index of a record, and the epoch in which it was proposed.
pub type LogPosition = (u64, Epoch);

/// The claim of a message, made in the [epoch of the message](JournalMessage::epoch).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The sender voted for itself, and its log ends here.
    Stands {
        /// The end of its log.
        ends: LogPosition,
    },
    /// The sender voted for the receiver.
    Votes,
    /// The sender leads.
    Leads {
        /// The record before those that the message [carries](JournalMessage::records), if it is an append.
        before: Option<LogPosition>,
        /// The record up to which its snapshot goes, if it brings one.
        snapshot: Option<LogPosition>,
        /// The log is committed up to this index; 0 if it does not say.
        commit: u64,
    },
    /// The sender holds its leader's log up to this index.
    Holds {
        /// The index.
        index: u64,
        /// The log is committed up to this index; 0 if it does not say.
        commit: u64,
    },
    /// The sender has entered the epoch, and no more.
    Entered {
        /// The log is committed up to this index; 0 if it does not say.
        commit: u64,
    },
    /// Nothing: a trial call for votes, and an answer that grants one.
    Nothing,
}

impl JournalMessage {
    /// The replica that sent it.
    pub fn sender(&self) -> ReplicaId {
        ReplicaId::of(self.0.message.from)
    }

    /// Its claim about its sender.
    #[inline]
    pub fn claim(&self) -> Claim {
        let message = &self.0.message;
        let (commit, position) = (message.commit, (message.index, Epoch(message.log_term)));
        match message.get_msg_type() {
            MessageType::MsgRequestVote => Claim::Stands { ends: position },
            MessageType::MsgRequestVoteResponse if !message.reject => Claim::Votes,
            MessageType::MsgAppend => {
                Claim::Leads { before: Some(position), snapshot: None, commit }
            }
            MessageType::MsgSnapshot => {
                let meta = message.get_snapshot().get_metadata();
                let snapshot = Some((meta.index, Epoch(meta.term)));
                Claim::Leads { before: None, snapshot, commit }
            }
            MessageType::MsgHeartbeat | MessageType::MsgTimeoutNow => {
                Claim::Leads { before: None, snapshot: None, commit }
            }
            MessageType::MsgAppendResponse if !message.reject => {
                Claim::Holds { index: message.index, commit }
            }
            MessageType::MsgRequestPreVoteResponse if !message.reject => Claim::Nothing,
            MessageType::MsgAppendResponse
            | MessageType::MsgHeartbeatResponse
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVoteResponse => Claim::Entered { commit },
            MessageType::MsgRequestPreVote
            | MessageType::MsgHup
            | MessageType::MsgBeat
            | MessageType::MsgPropose
            | MessageType::MsgUnreachable
            | MessageType::MsgSnapStatus
            | MessageType::MsgCheckQuorum
            | MessageType::MsgTransferLeader
            | MessageType::MsgReadIndex
            | MessageType::MsgReadIndexResp => Claim::Nothing,
        }
    }
}
