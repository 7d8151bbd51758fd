//! Read index: a leader proves that it still leads before it answers from its state.
//!
//! Owns the reads that wait for a quorum, and the heartbeat contexts that carry their numbers. A follower that
//! answers a heartbeat in its leader's epoch has followed nobody else since the heartbeat left, so its answer
//! confirms that read and every earlier one. The library has a read index too, at ten times the cost.

use std::collections::VecDeque;

use raft::eraftpb::MessageType;

use super::{Follower, RaftGroup};
use crate::journal::ReadId;

/// The reads of one replica that wait for a quorum, oldest first.
#[derive(Debug, Default)]
pub(super) struct ReadIndex {
    open: VecDeque<PendingRead>,
    /// The number of the latest read; never repeats.
    last: u64,
}

#[derive(Debug)]
struct PendingRead {
    number: u64,
    /// The commit index when the read was opened: it must be applied before the read is answered.
    index: u64,
    read: ReadId,
}

impl ReadIndex {
    /// Opens a read at commit index `index`.
    pub(super) fn open(&mut self, index: u64, read: ReadId) {
        let number = self.number();
        self.open.push_back(PendingRead { number, index, read });
    }

    /// Draws the number of a read that the caller keeps itself.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The heartbeat context of the latest open read, if one is open.
    pub(super) fn context(&self) -> Option<[u8; 8]> {
        self.open.back().map(|read| Self::context_of(read.number))
    }

    /// The heartbeat context that carries a read's number.
    pub(super) fn context_of(number: u64) -> [u8; 8] {
        number.to_le_bytes()
    }

    /// The read number in a context that a follower echoed; `None` if no such read was ever opened.
    pub(super) fn number_in(&self, context: &[u8]) -> Option<u64> {
        let number = u64::from_le_bytes(context.try_into().ok()?);
        (number <= self.last).then_some(number)
    }

    /// Closes every read that `confirms` says a quorum has confirmed, oldest first, and passes it to `closed`
    /// with the index that must be applied first.
    pub(super) fn close(
        &mut self,
        confirms: impl Fn(u64) -> bool,
        mut closed: impl FnMut(u64, ReadId),
    ) {
        while let Some(read) = self.open.front().filter(|front| confirms(front.number)) {
            closed(read.index, read.read);
            self.open.pop_front();
        }
    }

    /// Drops every open read: none outlives the leadership under which it was opened.
    pub(super) fn drop_all(&mut self) {
        self.open.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }
}

impl RaftGroup {
    /// Puts the context of the latest open read on the heartbeats queued since position `before`.
    pub(super) fn attach_read_context(&mut self, before: usize) {
        let Some(context) = self.read_index.context() else { return };
        let said = &mut self.raft.raft.msgs[before..];
        for message in said.iter_mut().filter(|said| said.msg_type == MessageType::MsgHeartbeat) {
            message.context = context.to_vec().into();
        }
    }

    /// A follower has answered a heartbeat and echoed its context.
    pub(super) fn on_read_confirmed(&mut self, from: u64, context: &[u8]) {
        let Some(number) = self.read_index.number_in(context) else { return };
        if let Some(follower) = self.followers.iter_mut().find(|follower| follower.id == from) {
            follower.confirmed = follower.confirmed.max(number);
        }
        self.confirm_reads();
        self.propose_awaited(from, number);
    }

    /// Moves the reads that a quorum has confirmed to those that wait to be applied.
    pub(super) fn confirm_reads(&mut self) {
        let (followers, me) = (&self.followers, self.raft.raft.id);
        let confirms = |number| {
            self.members.is_quorum(|member| {
                let says = |follower: &Follower| {
                    follower.id == member.raft() && follower.confirmed >= number
                };
                member.raft() == me || followers.iter().any(says)
            })
        };
        self.read_index.close(confirms, |index, read| self.reads.push((index, read)));
    }
}
