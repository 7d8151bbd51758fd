//! Read index: a leader proves that it still leads before it answers from its state.
//!
//! Owns the reads that wait for a quorum, and the heartbeat contexts that carry their numbers. A follower that
//! answers a heartbeat in its leader's epoch has followed nobody else since the heartbeat left, so its answer
//! confirms that read and every earlier one. The library has a read index too, at ten times the cost.

use std::collections::VecDeque;

use raft::eraftpb::MessageType;

use super::RaftGroup;
use crate::journal::ReadId;

/// The reads of one replica that wait for a quorum, oldest first.
#[derive(Debug, Default)]
pub(super) struct ReadIndex {
    open: VecDeque<PendingRead>,
    /// Confirmed reads, and the index that must be applied before each is answered.
    confirmed: Vec<(u64, ReadId)>,
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

    /// A read is confirmed, and answered once `index` is applied.
    pub(super) fn confirm(&mut self, index: u64, read: ReadId) {
        self.confirmed.push((index, read));
    }

    /// Confirms the open reads that have a quorum by `has_quorum`, oldest first.
    pub(super) fn confirm_open(&mut self, has_quorum: impl Fn(u64) -> bool) {
        while let Some(open) = self.open.front().filter(|front| has_quorum(front.number)) {
            self.confirmed.push((open.index, open.read));
            self.open.pop_front();
        }
    }

    /// Takes the confirmed reads that need nothing beyond `applied`.
    #[inline]
    pub(super) fn take_applied(&mut self, applied: u64, out: &mut Vec<ReadId>) {
        if !self.confirmed.is_empty() {
            let due = self.confirmed.extract_if(.., |(index, _)| *index <= applied);
            out.extend(due.map(|(_, read)| read));
        }
    }

    /// Drops every read: none outlives the leadership under which it was opened.
    pub(super) fn drop_all(&mut self) {
        self.open.clear();
        self.confirmed.clear();
    }

    /// Number of reads that are open or wait to be answered.
    pub(super) fn len(&self) -> usize {
        self.open.len() + self.confirmed.len()
    }

    /// Whether no read is open or waits to be answered.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty() && self.confirmed.is_empty()
    }

    /// Whether a confirmed read waits to be answered.
    #[inline]
    pub(super) fn has_confirmed(&self) -> bool {
        !self.confirmed.is_empty()
    }

    /// The invariants after every step; cheap.
    pub(super) fn check_invariants(&self) {
        let ends = self.open.front().zip(self.open.back());
        assert!(
            ends.is_none_or(|(first, last)| {
                first.number <= last.number && last.number <= self.last && first.index <= last.index
            }),
            "open reads stand in the order in which they were opened"
        );
    }
}

impl RaftGroup {
    /// Number of reads that no quorum has confirmed, or that wait for records to be applied.
    pub fn open_reads(&self) -> usize {
        self.read_index.len()
    }

    /// Asks a quorum whether this replica still leads. Once it has confirmed, and all records committed before the read
    /// are applied, `poll` returns `read`. Without a quorum, or if the leadership is lost first, it never does. Returns
    /// whether the read was taken: it is refused until a record of the current epoch is committed.
    ///
    /// `read` must not be used twice in an epoch.
    pub fn confirm_leadership(&mut self, read: ReadId) -> bool {
        let raft = &self.raft.raft;
        if !self.is_leader() || !raft.commit_to_current_term() {
            return false;
        }
        let committed = raft.raft_log.committed;
        if self.followers.is_empty() {
            self.read_index.confirm(committed, read);
            return true;
        }
        self.read_index.open(committed, read);
        // A quorum needs half of the followers: those that answered last are asked. If they stay silent, the next tick
        // asks all.
        let before = raft.msgs.len();
        let plain = !self.members.is_joint() && self.members.learners().is_empty();
        let followers = self.followers.len();
        let asked = if plain { followers.div_ceil(2) } else { followers };
        for at in 0..asked {
            self.heartbeat(self.followers.prompt()[at]);
        }
        self.attach_read_context(before);
        // A sole voter awaits no answer: its learners may be silent for ever.
        self.confirm_reads();
        true
    }

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
        self.followers.on_read_confirmed(from, number);
        self.confirm_reads();
        self.propose_awaited(from, number);
    }

    /// Moves the reads that a quorum has confirmed to those that wait to be applied.
    pub(super) fn confirm_reads(&mut self) {
        let (followers, me) = (&self.followers, self.raft.raft.id);
        self.read_index.confirm_open(|number| {
            self.members.is_quorum(|member| {
                member.raft() == me || followers.has_confirmed(member.raft(), number)
            })
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "open reads stand in the order in which they were opened")]
    fn a_read_out_of_its_order_is_caught() {
        let mut reads = ReadIndex::default();
        reads.open(3, ReadId(1));
        reads.open(3, ReadId(2));
        reads.check_invariants();
        reads.open(2, ReadId(3));
        reads.check_invariants();
    }
}
