//! A replica's output: state to write, records to apply, messages to send.
//!
//! Owns the order in which these leave. It is the library's own (`RawNode::ready`), but read off its state: the batches
//! in which the library gathers it cost more than their content, and most often there are only messages. Refuses to
//! know the format of a frame.

use std::{mem, slice};

use raft::eraftpb::{Entry, Message};

use super::RaftGroup;
use crate::id::{Epoch, ShardId};
use crate::journal::Promises;
use crate::journal::frame::Frame;
use crate::journal::{Committed, JournalMessage, Members, Ready, Snapshot};

impl RaftGroup {
    /// Whether a poll would find nothing, as after most answers to heartbeats.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        if self.left {
            return self.named && self.refused.is_empty();
        }
        self.named
            && self.outbox.is_empty()
            && self.refused.is_empty()
            && !self.read_index.has_confirmed()
            && self.install.is_none()
            && self.raft.raft.msgs.is_empty()
            && !self.has_changed()
    }

    /// Hands over everything there is.
    pub(super) fn collect(&mut self, out: &mut Ready) {
        if !self.has_changed() {
            // By far the most frequent case: only messages, which are moved out where they are.
            let at_once = self.speaks_at_once();
            let waiting = self.writes.last_messages().filter(|_| !at_once);
            return say(&mut self.raft.raft.msgs, waiting, out);
        }
        let mut said = mem::take(&mut self.raft.raft.msgs);
        let mut before_lead = self.take_said_before_lead(&mut said);
        while self.has_changed() {
            self.collect_changes(out);
            if let Some(waiting) = self.writes.last_messages() {
                waiting.append(&mut before_lead);
            }
            let at_once = self.speaks_at_once();
            say(&mut said, self.writes.last_messages().filter(|_| !at_once), out);
            said.append(&mut self.raft.raft.msgs);
        }
        let at_once = self.speaks_at_once();
        say(&mut said, self.writes.last_messages().filter(|_| !at_once), out);
        self.raft.raft.msgs = said;
    }

    /// Whether the library's present messages need not wait for a write. A leader's do not, once its vote for itself is
    /// durable. A sole voter leads before that: after a crash it could lead the same epoch once more, with other records
    /// than those that its learners have of it.
    fn speaks_at_once(&self) -> bool {
        let leads = self.is_leader() && self.writes.durable() >= self.voted;
        leads || self.settings.promises == Promises::BeforeWrite
    }

    /// Takes out the messages from earlier epochs, if the replica has begun to lead since the last batch. A sole voter
    /// leads at once, but a vote or an acknowledgement from before was not sent as the leader: it waits for the write
    /// of the new epoch.
    fn take_said_before_lead(&self, said: &mut Vec<Message>) -> Vec<Message> {
        let raft = &self.raft.raft;
        if !self.is_leader() || raft.term == raft.store().hard_state().term {
            return Vec::new();
        }
        said.extract_if(.., |message| message.term < raft.term).collect()
    }

    /// All frames up to a batch are durable: releases the messages that waited for them, and tells the library.
    pub(super) fn persisted(&mut self, upto: u64) {
        let Some(persisted) = self.writes.persisted(upto, &mut self.outbox) else { return };
        if let Some(index) = persisted.snapshot {
            self.raft.raft.on_persist_snap(index);
        }
        if let Some((index, term)) = persisted.last {
            self.raft.raft.on_persist_entries(index, term);
        }
    }

    /// Whether the library has more than messages.
    fn has_changed(&self) -> bool {
        let raft = &self.raft.raft;
        let (log, kept) = (&raft.raft_log, raft.store().hard_state());
        (raft.state, raft.leader_id) != self.role
            || (raft.term, raft.vote, log.committed) != (kept.term, kept.vote, kept.commit)
            || !log.unstable.entries.is_empty()
            || log.unstable.snapshot.is_some()
            || log.committed.min(log.persisted) > self.handed_out
    }

    fn collect_changes(&mut self, out: &mut Ready) {
        let role = (self.raft.raft.state, self.raft.raft.leader_id);
        if mem::replace(&mut self.role, role) != role {
            // A read does not outlive the leadership under which it was opened.
            self.read_index.drop_all();
            self.awaited = None;
            self.followers.start_over();
        }
        let shard = self.shard;
        let raft = &mut self.raft.raft;
        let (term, vote) = (raft.term, raft.vote);
        let log = &mut raft.raft_log;
        let promised = log.store.keep(term, vote, log.committed);

        let mut installed = None;
        let snapshot = log.unstable.snapshot.take().map(Snapshot);
        if let Some(snapshot) = &snapshot {
            let (index, epoch) = (snapshot.index(), snapshot.epoch());
            let members = Members::of_raft(snapshot.0.get_metadata().get_conf_state());
            write_members(shard, &members, &self.initial, &mut out.frames);
            installed = Some(members);
            Frame::Snapshot { shard, index, epoch, state: snapshot.state() }.write(&mut out.frames);
            log.store.install(snapshot.0.clone());
            self.handed_out = index;
        }
        for entry in &log.unstable.entries {
            write_entry(shard, entry, &mut out.frames);
        }
        let last = log.unstable.entries.last().map(|entry| (entry.index, entry.term));
        if let Some((index, _)) = last {
            log.store.append(&mut log.unstable.entries);
            log.unstable.offset = index + 1;
            log.unstable.entries_size = 0;
        }
        if promised || snapshot.is_some() || last.is_some() {
            let batch = self.writes.push(snapshot.as_ref().map(Snapshot::index), last);
            if promised {
                self.voted = batch;
            }
        }
        if let Some(snapshot) = snapshot {
            self.install = Some((self.writes.written(), snapshot));
        }

        if let Some(members) = installed {
            self.adopt(members);
        }
        let raft = &mut self.raft.raft;
        let log = &raft.raft_log;
        let upto = log.committed.min(log.persisted);
        if self.handed_out < upto {
            let first = out.committed.len();
            assert!(
                self.install.is_none(),
                "nothing is applied before the snapshot that precedes it"
            );
            for index in self.handed_out + 1..=upto {
                let entry = raft.raft_log.store.entry(index).clone();
                raft.reduce_uncommitted_size(slice::from_ref(&entry));
                out.committed.push(Committed(entry));
            }
            self.handed_out = upto;
            raft.commit_apply(self.handed_out);
            self.apply_changes(&out.committed[first..]);
        }
    }
}

/// Sends the library's messages. Those that only a leader may send at once wait, on others, for all state that was to
/// be durable when they were made.
fn say(said: &mut Vec<Message>, waiting: Option<&mut Vec<Message>>, out: &mut Ready) {
    if said.is_empty() {
        return;
    }
    match waiting {
        Some(waiting) => waiting.append(said),
        None => JournalMessage::put_each(said, &mut out.messages),
    }
}

/// Frames a record of the log.
pub(super) fn write_entry(shard: ShardId, entry: &Entry, out: &mut Vec<u8>) {
    let (index, epoch) = (entry.index, Epoch(entry.term));
    if entry.context.is_empty() {
        Frame::Entry { shard, index, epoch, record: &entry.data }.write(out);
    } else {
        Frame::Change { shard, index, epoch, change: &entry.context }.write(out);
    }
}

/// Frames the members of a snapshot, unless they are those at the beginning of the log.
pub(super) fn write_members(
    shard: ShardId,
    members: &Members,
    initial: &Members,
    out: &mut Vec<u8>,
) {
    if members != initial {
        Frame::Members { shard, members: &members.encode() }.write(out);
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::NodeId;
    use raft::eraftpb::MessageType;

    use super::super::Settings;
    use super::*;
    use crate::journal::{Change, Durable, ReplicaId};

    /// Number of messages that leave once a write is durable; none does before.
    fn messages_once_written(group: &mut RaftGroup) -> usize {
        let mut ready = Ready::default();
        group.poll(&mut ready);
        assert!(ready.messages.is_empty(), "{:?}", ready.messages);
        let ticket = ready.ticket.take().expect("it has to be written");
        group.fsynced(ticket);
        ready.clear();
        group.poll(&mut ready);
        ready.messages.len()
    }

    #[test]
    fn a_sole_voter_speaks_to_its_learners_once_its_vote_for_itself_is_durable() {
        let (me, settings) = (NodeId(1), Settings::default());
        let mut group = RaftGroup::new(ShardId(3), me, &[me], settings, Durable::default());
        let mut ready = Ready::default();
        let write = |group: &mut RaftGroup, ready: &mut Ready| {
            while let Some(ticket) = ready.ticket.take() {
                group.fsynced(ticket);
                ready.clear();
                group.poll(ready);
            }
        };
        let learner = ReplicaId::new(NodeId(4), 1);
        group.campaign();
        group.poll(&mut ready);
        write(&mut group, &mut ready);
        assert!(group.change_members(Change::Learns(learner)));
        ready.clear();
        group.poll(&mut ready);
        write(&mut group, &mut ready);
        assert_eq!(group.members().learners(), [learner]);
        // It is deposed by an epoch that its learner has heard of, and leads again at once.
        let mut answers = Message::default();
        answers.set_msg_type(MessageType::MsgHeartbeatResponse);
        (answers.from, answers.to, answers.term) = (learner.raft(), 1, 9);
        group.step(JournalMessage::new(answers));
        ready.clear();
        group.poll(&mut ready);
        write(&mut group, &mut ready);
        group.campaign();
        assert!(group.is_leader() && group.epoch() > Epoch(9));
        assert_ne!(messages_once_written(&mut group), 0, "now it speaks");
    }

    #[test]
    fn a_vote_in_the_turn_in_which_a_sole_voter_comes_to_lead_waits_for_its_write() {
        // A replica that came later asks for its vote; before the vote is polled the voter stands itself, and leads at
        // once. A leader's messages leave at once, but the vote may be forgotten until it is written.
        let (me, settings) = (NodeId(1), Settings::default());
        let mut group = RaftGroup::new(ShardId(3), me, &[me], settings, Durable::default());
        let mut asks = Message::default();
        asks.set_msg_type(MessageType::MsgRequestVote);
        (asks.from, asks.to, asks.term) = (ReplicaId::new(NodeId(4), 1).raft(), 1, 2);
        group.step(JournalMessage::new(asks));
        group.campaign();
        assert!(group.is_leader() && group.epoch() > Epoch(2));
        assert_eq!(messages_once_written(&mut group), 1, "now the vote counts");
    }
}
