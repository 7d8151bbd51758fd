//! Admission: the messages that a replica lets through to the library.
//!
//! Owns the line between messages that a peer may send, however late, and those that no peer sends. The library trusts
//! its input: it panics, or worse, where this refuses.

use raft::eraftpb::{EntryType, Message, MessageType};

use super::RaftGroup;
use crate::journal::{Members, node_of};
use crate::mark::Mark;

impl RaftGroup {
    /// The reason to refuse a message; `None` lets it through.
    ///
    /// # Panics
    ///
    /// If the message proves that promises were broken.
    pub(super) fn refusal(&self, message: &Message) -> Option<Mark> {
        if message.to != self.raft.raft.id {
            return Some(Mark::JournalMisdirected);
        }
        if let Some(left) = self.refusal_after_leaving() {
            return Some(left);
        }
        if !self.may_be_member(message.from) {
            return Some(Mark::JournalFromOutsider);
        }
        if message.term == 0 {
            return Some(Mark::JournalWithoutEpoch);
        }
        match message.get_msg_type() {
            MessageType::MsgAppend => self.refusal_of_append(message),
            MessageType::MsgHeartbeat => {
                self.check_sole_leader(message);
                None
            }
            MessageType::MsgSnapshot => self.refusal_of_snapshot(message),
            MessageType::MsgAppendResponse => self.refusal_of_acknowledgement(message),
            MessageType::MsgTimeoutNow => {
                if self.must_not_lead_alone() {
                    return Some(Mark::JournalCalledBeforeDisk);
                }
                let barred = self.install.is_some() || self.is_behind_members();
                barred.then_some(Mark::JournalCalledInSnapshot)
            }
            MessageType::MsgRequestVote
            | MessageType::MsgRequestVoteResponse
            | MessageType::MsgRequestPreVote
            | MessageType::MsgRequestPreVoteResponse
            | MessageType::MsgHeartbeatResponse => None,
            MessageType::MsgHup
            | MessageType::MsgBeat
            | MessageType::MsgPropose
            | MessageType::MsgUnreachable
            | MessageType::MsgSnapStatus
            | MessageType::MsgCheckQuorum
            | MessageType::MsgTransferLeader
            | MessageType::MsgReadIndex
            | MessageType::MsgReadIndexResp => Some(Mark::JournalImpossibleKind),
        }
    }

    fn refusal_of_append(&self, message: &Message) -> Option<Mark> {
        let mut before = (message.index, message.log_term);
        for entry in message.entries.iter() {
            let in_order = entry.index == before.0 + 1 && entry.term >= before.1;
            if !in_order
                || entry.term > message.term
                || entry.get_entry_type() != EntryType::EntryNormal
            {
                return Some(Mark::JournalAppendBroken);
            }
            before = (entry.index, entry.term);
        }
        self.check_sole_leader(message);
        None
    }

    fn refusal_of_snapshot(&self, message: &Message) -> Option<Mark> {
        let meta = message.get_snapshot().get_metadata();
        let members = Members::of_raft(meta.get_conf_state()).all();
        if meta.index == 0 || meta.term == 0 || !members.contains(&self.replica()) {
            return Some(Mark::JournalForeignSnapshot);
        }
        self.check_sole_leader(message);
        None
    }

    fn refusal_of_acknowledgement(&self, message: &Message) -> Option<Mark> {
        let raft = &self.raft.raft;
        if message.request_snapshot != 0 {
            return Some(Mark::JournalSnapshotRequest);
        }
        let is_heard = message.term == raft.term && !message.reject;
        let is_false = is_heard && self.is_leader() && message.index > raft.raft_log.last_index();
        is_false.then_some(Mark::JournalFalseAcknowledgement)
    }

    /// Whether a leader believes that this replica holds records that it lacks: its disk lost durable state without a
    /// trace.
    pub(super) fn reveals_loss(&self, message: &Message) -> bool {
        let raft = &self.raft.raft;
        message.get_msg_type() == MessageType::MsgHeartbeat
            && message.term >= raft.term
            && message.commit > raft.raft_log.last_index()
    }

    /// A quorum votes once an epoch, so a second leader means that a vote was forgotten.
    fn check_sole_leader(&self, message: &Message) {
        let raft = &self.raft.raft;
        assert!(
            message.term != raft.term || raft.leader_id == 0 || raft.leader_id == message.from,
            "{}: {} and {} both lead epoch {}: durable state was lost",
            self.shard,
            node_of(raft.leader_id),
            node_of(message.from),
            message.term,
        );
    }
}
