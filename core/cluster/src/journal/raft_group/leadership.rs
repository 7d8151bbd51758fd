//! How a replica comes to lead, its duties as the leader, and when it may sleep.
//!
//! Owns elections as far as the library leaves them to its user, heartbeats out of turn, lead transfer, and a leader's
//! counters of its followers. Refuses to know who should lead.

use onsale_booking::NodeId;
use raft::eraftpb::{Message, MessageType};
use raft::{ProgressState, SnapshotStatus, StateRole};

use super::RaftGroup;
use crate::id::Epoch;
use crate::journal::{ReplicaId, node_of};
use crate::mark::Mark;

impl RaftGroup {
    /// Stands for election now, because the node suspects the leader. Ignored on a leader.
    pub fn campaign(&mut self) {
        let barred = self.install.is_some() || self.repair.is_some() || self.is_behind_members();
        // The library would let a replica without a vote win: no record could be proposed, and once its own removal is
        // applied no member would listen to it either.
        let has_vote = self.raft.raft.promotable();
        if self.is_leader() || barred || self.left || !has_vote {
            return;
        }
        // Once its disk has caught up it stands for election with a tick.
        self.roused = true;
        if self.must_not_lead_alone() {
            return;
        }
        if self.raft.campaign().is_err() {
            self.refused.push(Mark::ElectionRefused);
        }
    }

    /// Makes a leader speak to every follower, one of which was silent and is heard again. Ignored on others.
    pub fn ping(&mut self) {
        if self.is_leader() {
            for follower in self.followers.iter_mut() {
                follower.silent_ticks = 0;
                // A learner may be called for as long as it does not answer: a snapshot that was lost on the way to it
                // still has to be given up.
                if self.members.voters().contains(&ReplicaId::of(follower.id)) {
                    follower.snapshot_ticks = 0;
                }
            }
            self.speak();
        }
    }

    /// Makes a leader speak to every follower without keeping any replica awake. Ignored on others.
    pub fn speak(&mut self) {
        if self.is_leader() {
            let before = self.raft.raft.msgs.len();
            self.raft.ping();
            self.attach_read_context(before);
        }
    }

    /// Begins to transfer the leadership to `to`; given up after an election timeout. Until it ends, nothing can be
    /// proposed. Ignored on replicas that do not lead.
    pub fn transfer(&mut self, to: NodeId) {
        if self.is_leader() {
            let voters = self.members.voters().iter();
            if let Some(voter) = voters.copied().find(|voter| voter.node() == to) {
                self.raft.transfer_leader(voter.raft());
            }
        }
    }

    /// Ends an unfinished transfer: records are proposed again. The peer may still have been called, and lead later.
    pub fn give_up_transfer(&mut self) {
        self.raft.raft.abort_leader_transfer();
    }

    /// Number of records that a follower lacks as far as this leader knows; `None` on other replicas.
    pub fn lag(&self, follower: ReplicaId) -> Option<u64> {
        let raft = &self.raft.raft;
        let progress = raft.prs().get(follower.raft()).filter(|_| self.is_leader())?;
        Some(raft.raft_log.last_index().saturating_sub(progress.matched))
    }

    /// Whether the replica needs ticks. A sleeping replica sends nothing until it is touched.
    #[inline(always)]
    pub fn awake(&self) -> bool {
        let raft = &self.raft.raft;
        match raft.state {
            _ if self.left => false,
            StateRole::Leader => !self.is_settled(),
            // A replica without a vote has no peer to wake.
            StateRole::Follower => raft.promotable() && (raft.leader_id == 0 || self.roused),
            StateRole::Candidate | StateRole::PreCandidate => true,
        }
    }

    /// The node that leads, as far as this replica knows.
    pub fn leader(&self) -> Option<NodeId> {
        let id = self.raft.raft.leader_id;
        (id != 0 && !self.left).then(|| node_of(id))
    }

    /// The latest epoch known to this replica.
    pub fn epoch(&self) -> Epoch {
        Epoch(self.raft.raft.term)
    }

    /// Whether it leads in the latest epoch that it knows.
    pub fn is_leader(&self) -> bool {
        self.raft.raft.state == StateRole::Leader && !self.left
    }

    /// Whether, as far as this leader knows, a follower lacks committed records. Never on other replicas.
    pub fn is_trailed(&self) -> bool {
        let raft = &self.raft.raft;
        self.is_leader()
            && self.followers.ids().any(|id| {
                let progress = raft.prs().get(id);
                progress.is_none_or(|progress| progress.matched < raft.raft_log.committed)
            })
    }

    /// Whether a leader may serve here: it is not transferring its leadership, has a vote, and has applied all that is
    /// committed, including a record of its own epoch. Fresh answers need `confirm_leadership` too.
    pub fn may_serve(&self) -> bool {
        let raft = &self.raft.raft;
        let leads = self.is_leader() && raft.lead_transferee.is_none();
        leads && raft.apply_to_current_term() && self.keeps_vote()
    }

    /// A heartbeat to one follower, out of turn.
    pub(super) fn heartbeat(&mut self, to: u64) -> &mut Message {
        let raft = &mut self.raft.raft;
        let progress = raft.prs().get(to).expect("the library tracks every follower");
        let commit = progress.matched.min(raft.raft_log.committed);
        let (from, term, msg_type) = (raft.id, raft.term, MessageType::MsgHeartbeat);
        raft.msgs.push(Message { msg_type, from, to, term, commit, ..Message::default() });
        raft.msgs.last_mut().expect("it was queued just now")
    }

    /// Ticks of silence before an election. Candidates of one epoch wait for different times, and take turns from epoch
    /// to epoch: two that stood at the same time and wait equally long would split the votes for ever. A replica that
    /// was told that it lost is a follower again, and waits like a candidate until a leader is known.
    pub(super) fn election_timeout(&self) -> usize {
        let raft = &self.raft.raft;
        let least = self.settings.election_ticks;
        let has_lost = raft.vote == raft.id && raft.leader_id == 0;
        if raft.state == StateRole::Follower && !has_lost {
            return least;
        }
        let voters = self.followers.len() as u64 + 1;
        let rank = self.followers.ids().filter(|&id| id < raft.id).count() as u64;
        let turn = usize::try_from((rank + raft.term) % voters).expect("voters are few");
        least + turn * least / (self.followers.len() + 1)
    }

    /// Advances a leader's counters of its followers, and gives up snapshots that were not acknowledged in time.
    pub(super) fn tick_followers(&mut self) {
        let raft = &self.raft.raft;
        let log = &raft.raft_log;
        let mut lost = Vec::new();
        for follower in self.followers.iter_mut() {
            let progress = raft.prs().get(follower.id).expect("the library tracks every voter");
            let is_level =
                progress.matched == log.last_index() && progress.committed_index >= log.committed;
            let in_snapshot = progress.state == ProgressState::Snapshot;
            follower.silent_ticks =
                if is_level { 0 } else { follower.silent_ticks.saturating_add(1) };
            follower.snapshot_ticks = if in_snapshot { follower.snapshot_ticks + 1 } else { 0 };
            if follower.snapshot_ticks >= self.settings.snapshot_ticks {
                follower.snapshot_ticks = 0;
                lost.push(follower.id);
            }
        }
        // The next heartbeat's answer makes the library probe the follower after the snapshot. If the snapshot never
        // arrived, the probe is rejected and the snapshot sent again.
        lost.into_iter().for_each(|id| self.raft.report_snapshot(id, SnapshotStatus::Finish));
    }

    /// Whether a leader has nothing left to do.
    fn is_settled(&self) -> bool {
        let raft = &self.raft.raft;
        let log = &raft.raft_log;
        raft.lead_transferee.is_none()
            && !self.members.is_joint()
            && self.keeps_vote()
            && self.read_index.is_empty()
            && self.writes.are_durable()
            && log.committed == log.last_index()
            && log.applied == log.committed
            && self.followers.iter().all(|follower| {
                follower.silent_ticks >= self.settings.patience_ticks || self.is_level(follower.id)
            })
    }

    /// Whether a follower has every record, and knows that it is committed.
    fn is_level(&self, follower: u64) -> bool {
        let raft = &self.raft.raft;
        let progress = raft.prs().get(follower).expect("the library tracks every voter");
        progress.matched == raft.raft_log.last_index()
            && progress.committed_index >= raft.raft_log.committed
    }
}
