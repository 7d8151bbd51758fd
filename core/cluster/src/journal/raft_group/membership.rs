//! A replica's part in a membership change.
//!
//! Owns when a step may be proposed, its effect here once it is applied, and when a change under way forbids standing
//! for election. Changes are records of this crate: the library is told of each when it is applied. So the checks that
//! the library makes for changes of its own are made here. Refuses to know who wants a change.

use onsale_booking::NodeId;
use raft::Storage;
use raft::eraftpb::{ConfChange, ConfChangeType, ConfState, Entry};

use super::{RaftGroup, ReadIndex};
use crate::journal::frame::Frame;
use crate::journal::{Change, Committed, Members, Ready, ReplicaId};
use crate::mark::Mark;

impl RaftGroup {
    /// The members, as far as this replica has applied the log.
    pub fn members(&self) -> &Members {
        &self.members
    }

    /// Appends a step that changes the members, if this replica leads, the step follows from the members, and the last
    /// one is applied; returns whether it did. A sole voter shares its vote with a learner, or gives way to it, only once
    /// the learner has answered, so that one that died a moment ago takes nothing over; then the step is appended with
    /// the answer.
    pub fn change_members(&mut self, change: Change) -> bool {
        match change.promoted() {
            Some(promoted) if self.members.voters().len() == 1 => {
                self.propose_once_heard(change, promoted)
            }
            Some(_) | None => self.propose_change(change),
        }
    }

    /// Strikes a peer off the members, for good, without a vote: its messages are refused from now on, and a quorum is
    /// one of the others.
    pub fn strike_off(&mut self, peer: NodeId) {
        let peer = u64::from(peer.0);
        if !self.followers.contains(peer) {
            return;
        }
        let mut change = ConfChange { node_id: peer, ..ConfChange::default() };
        change.set_change_type(ConfChangeType::RemoveNode);
        let voters = self.raft.apply_conf_change(&change).expect("a member can be struck off");
        self.adopt(Members::of_raft(&voters));
        self.raft.mut_store().set_voters(voters);
    }

    /// Drops all state of a replica that is no longer a member and never will be again. It keeps only its number, so
    /// that no late message brings it back.
    pub fn leave(&mut self) {
        self.drop_all();
    }

    /// Whether it has left.
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// Proposes a step, one at a time: the next only when the last is applied, and all that older epochs left behind
    /// too, because each step builds on the one before.
    pub(super) fn propose_change(&mut self, change: Change) -> bool {
        self.keeps_vote() && self.propose_step(change)
    }

    /// Proposes a step, even for a leader that has lost its vote.
    fn propose_step(&mut self, change: Change) -> bool {
        let raft = &self.raft.raft;
        let log = &raft.raft_log;
        let pending = log.store.changes_members(log.applied, u64::MAX)
            || log.unstable.entries.iter().any(|entry| !entry.context.is_empty());
        let follows = self.members.after(change).is_some();
        let proposes = raft.lead_transferee.is_none() && raft.apply_to_current_term();
        self.is_leader()
            && proposes
            && !pending
            && follows
            && self.raft.propose(change.encode(), Vec::new()).is_ok()
    }

    /// Asks a learner whether it is there, and proposes a step with its answer. Once a sole voter has given way nothing
    /// can be decided without the learner, and an earlier acknowledgement does not prove that it still lives. If
    /// repeated, it goes on waiting for the same answer.
    pub(super) fn propose_once_heard(&mut self, change: Change, learner: ReplicaId) -> bool {
        if !self.may_serve() || self.members.after(change).is_none() {
            return false;
        }
        let number = match self.awaited {
            Some((number, awaited)) if awaited == change => number,
            Some(_) | None => self.read_index.number(),
        };
        self.awaited = Some((number, change));
        self.heartbeat(learner.raft()).context = ReadIndex::context_of(number).to_vec().into();
        true
    }

    /// A follower has confirmed this read, or a later one.
    pub(super) fn propose_awaited(&mut self, from: u64, number: u64) {
        let answers = |&mut (awaited, change): &mut (u64, Change)| {
            let promoted = change.promoted().map(ReplicaId::raft);
            promoted == Some(from) && number >= awaited
        };
        if let Some((_, change)) = self.awaited.take_if(answers) {
            self.propose_change(change);
        }
    }

    /// Whether a step is committed and not applied. A replica that stood for election now would count the votes of
    /// members that have lost theirs.
    pub(super) fn is_behind_members(&self) -> bool {
        let log = &self.raft.raft.raft_log;
        let unwritten = |entry: &Entry| !entry.context.is_empty() && entry.index <= log.committed;
        log.applied < log.committed
            && (log.store.changes_members(log.applied, log.committed)
                || log.unstable.entries.iter().any(unwritten))
    }

    /// Applies the steps among these records.
    pub(super) fn apply_changes(&mut self, committed: &[Committed]) {
        for entry in committed.iter().filter(|entry| !entry.0.context.is_empty()) {
            let change = Change::decode(&entry.0.context).expect("a committed change is readable");
            // A step that does not follow changes nothing, on every replica alike.
            let Some(members) = self.members.after(change) else { continue };
            let mut state = ConfState::default();
            for step in change.to_raft(&self.members) {
                let taken = self.raft.apply_conf_change(&step);
                state = taken.expect("the library takes what follows");
            }
            self.adopt(members);
            assert_eq!(Members::of_raft(&state), self.members, "the library sees the same members");
            self.raft.mut_store().set_voters(state);
            self.settle_members();
        }
    }

    /// Adopts new members.
    pub(super) fn adopt(&mut self, members: Members) {
        let me = self.raft.raft.id;
        let peers = members.all().into_iter().map(ReplicaId::raft).filter(|&id| id != me);
        self.followers.adopt(&peers.collect::<Vec<u64>>());
        self.members = members;
        assert!(!self.members.voters().is_empty(), "{}: a member has a vote", self.shard);
        self.confirm_reads();
    }

    /// Has a leader settle a half-done change, no matter which leader began it, even if its own vote ends with it:
    /// until then a shard of one replica needs both nodes. A leader without a vote then transfers the leadership: the
    /// library would let it lead for ever, and no record could be proposed.
    pub(super) fn settle_members(&mut self) {
        if !self.is_leader() {
            return;
        }
        if self.members.is_joint() {
            self.propose_step(Change::Settles);
        }
        if !self.keeps_vote() && self.raft.raft.lead_transferee.is_none() {
            self.pass_leadership_on();
        }
    }

    /// Calls the voter that was called least often, and of equals the one with most of the log. A voter that
    /// acknowledged everything and then died must not be called for ever.
    fn pass_leadership_on(&mut self) {
        let (raft, voters) = (&self.raft.raft, self.members.voters());
        let may_lead = |id| voters.contains(&ReplicaId::of(id));
        let matched = |id| raft.prs().get(id).map_or(0, |progress| progress.matched);
        let Some(successor) = self.followers.call_one(may_lead, matched) else { return };
        self.raft.transfer_leader(successor);
    }

    /// Whether it is the only voter and part of its log is not on disk yet. It would lead at once, and acknowledge
    /// records that it may still lose; the library panics. So it waits for its disk.
    pub(super) fn must_not_lead_alone(&self) -> bool {
        let me = ReplicaId::of(self.raft.raft.id);
        self.undurable() > 0 && self.members.is_quorum(|member| member == me)
    }

    /// Whether this replica will have a vote when the change under way is over.
    pub(super) fn keeps_vote(&self) -> bool {
        self.members.voters().contains(&ReplicaId::of(self.raft.raft.id))
    }

    /// Whether others may count a replica as a member: it is one here, or came later than all that are.
    pub(super) fn may_be_member(&self, id: u64) -> bool {
        if self.followers.contains(id) {
            return true;
        }
        let latest = self.members.all().into_iter().map(ReplicaId::generation).max();
        latest.is_none_or(|latest| ReplicaId::of(id).generation() > latest)
    }

    /// Writes this replica's generation, which has to be durable before anything else, with what it holds already.
    pub(super) fn name_replica(&mut self, out: &mut Ready) {
        if std::mem::replace(&mut self.named, true) {
            return;
        }
        match self.raft.store().last_index() {
            Ok(0) | Err(_) => self.replica_frame().write(&mut out.frames),
            Ok(_) => self.checkpoint(&mut out.frames),
        }
        self.writes.add();
    }

    pub(super) fn replica_frame(&self) -> Frame<'static> {
        let generation = ReplicaId::of(self.raft.raft.id).generation();
        Frame::Replica { shard: self.shard, generation, left: self.left }
    }

    /// Drops everything, and writes that nothing is left.
    pub(super) fn drop_all(&mut self) {
        self.left = true;
        self.named = false;
        self.repair = None;
        self.writes.drop_pending();
        self.outbox.clear();
        self.install = None;
        self.read_index.drop_all();
        self.awaited = None;
        self.raft.raft.msgs.clear();
        self.raft.mut_store().clear();
    }

    /// The reason to refuse a message to a replica that has left.
    pub(super) fn refusal_after_leaving(&self) -> Option<Mark> {
        self.left.then_some(Mark::JournalMisdirected)
    }
}
