//! Repair: a replica whose disk lost durable state comes back without breaking promises.
//!
//! It may have acknowledged records and cast votes that it no longer remembers, so it neither votes nor stands until it
//! holds every record that it may have acknowledged:
//!
//! 1. It asks every peer for its epoch. No peer counts a vote or an acknowledgement of this replica from a later epoch
//!    than these.
//! 2. It enters an epoch above all of them and calls the peers into it. They elect a leader among themselves, which
//!    assumes nothing about this replica.
//! 3. Once it has applied a record of that epoch or a later one, it holds all that was
//!    committed before, and the repair ends.
//!
//! This takes all peers. If several replicas lost their memory at once, they wait for ever rather than lose
//! acknowledged records.

use raft::eraftpb::{Message, MessageType};

use super::RaftGroup;
use crate::journal::node_of;
use crate::mark::Mark;

/// The progress of a repair.
#[derive(Debug)]
pub(super) struct Repair {
    /// The peers' epochs, as far as they were heard since this replica started.
    heard: Vec<(u64, Option<u64>)>,
    /// The epoch into which the peers are called.
    fence: Option<u64>,
    ticks: usize,
}

impl Repair {
    pub(super) fn new(peers: impl Iterator<Item = u64>) -> Self {
        Self { heard: peers.map(|peer| (peer, None)).collect(), fence: None, ticks: 0 }
    }

    /// Notes a peer's epoch. Returns the epoch to enter, once it is known.
    pub(super) fn hear(&mut self, message: &Message, epoch: u64) -> Option<u64> {
        if self.fence.is_some() {
            return None;
        }
        if let Some((_, heard)) = self.heard.iter_mut().find(|(peer, _)| *peer == message.from) {
            *heard = (*heard).max(Some(message.term));
        }
        let all =
            self.heard.iter().try_fold(epoch, |highest, (_, heard)| Some(highest.max((*heard)?)));
        self.fence = all.map(|highest| highest + 1);
        self.fence
    }

    /// The epoch from which on the replica can trust its leaders.
    pub(super) fn fence(&self) -> Option<u64> {
        self.fence
    }

    /// The messages to send now, every `pace` ticks; `silent` once a leader is known.
    pub(super) fn tick(&mut self, pace: usize, id: u64, epoch: u64, silent: bool) -> Vec<Message> {
        self.ticks += 1;
        if silent || self.ticks % pace != 1 {
            return Vec::new();
        }
        let fence = self.fence;
        let unheard = self.heard.iter().filter(|(_, heard)| fence.is_some() || heard.is_none());
        unheard
            .map(|(peer, _)| {
                let mut message = Message { from: id, to: *peer, ..Message::default() };
                match fence {
                    // With an empty log no peer grants it; the refusal carries the peer's epoch.
                    None => {
                        message.set_msg_type(MessageType::MsgRequestPreVote);
                        message.term = epoch + 1;
                    }
                    // The library sends the same to a leader whose epoch is over.
                    Some(fence) => {
                        message.set_msg_type(MessageType::MsgAppendResponse);
                        message.term = fence;
                    }
                }
                message
            })
            .collect()
    }
}

impl RaftGroup {
    /// Begins a repair: from now on the replica cannot trust its own memory.
    pub(super) fn begin_repair(&mut self) {
        let raft = &mut self.raft.raft;
        assert!(
            self.repair.as_ref().is_none_or(|repair| repair.fence().is_none()),
            "{}: {} holds all that it acknowledged beyond its fence",
            self.shard,
            node_of(raft.id),
        );
        // It goes on asking until it follows a leader in an epoch that it can trust.
        raft.become_follower(raft.term, 0);
        if self.repair.is_none() {
            self.repair = Some(Repair::new(self.followers.ids()));
            self.refused.push(Mark::DurableStateMissing);
        }
    }

    /// Handles a message to a replica that cannot trust its own memory. Returns whether the message may go on.
    pub(super) fn step_in_repair(&mut self, message: &Message) -> bool {
        let epoch = self.raft.raft.term;
        let Some(repair) = &mut self.repair else { return true };
        let fenced = repair.fence().is_some();
        if let Some(fence) = repair.hear(message, epoch) {
            self.raft.raft.become_follower(fence, 0);
        }
        let calls = matches!(
            message.get_msg_type(),
            MessageType::MsgRequestVote
                | MessageType::MsgRequestPreVote
                | MessageType::MsgTimeoutNow
        );
        if calls {
            self.refused.push(Mark::AbstainedInDoubt);
        }
        // Before the fence, a leader still counts forgotten acknowledgements of this replica.
        fenced && !calls
    }

    /// Ends the repair once the replica has caught up.
    pub(super) fn end_repair_if_caught_up(&mut self) {
        let fence = self.repair.as_ref().and_then(Repair::fence);
        let log = &self.raft.raft.raft_log;
        if fence.is_some_and(|fence| log.term(log.applied).is_ok_and(|epoch| epoch >= fence)) {
            self.repair = None;
        }
    }
}
