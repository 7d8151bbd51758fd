//! How a replica takes part in changes of the members.
//!
//! Owns when a step may be proposed, what it does here once it is applied, and when a change
//! that is under way forbids to stand for election. Changes are records of ours: the library is
//! told of each when it is applied. So what the library checks for changes of its own is
//! checked here. Refuses to know who wants a change.

use std::cmp::Reverse;

use raft::eraftpb::Entry;

use super::{Follower, RaftGroup, ReadIndex};
use crate::journal::frame::Frame;
use crate::journal::{Change, Committed, Journal, Members, Ready, ReplicaId};
use crate::mark::Mark;

impl RaftGroup {
    /// Proposes a step, one at a time: the next only when the last is applied, and what older
    /// epochs left behind too, because each counts on the one before.
    pub(super) fn propose_change(&mut self, change: Change) -> bool {
        self.has_say() && self.propose_step(change)
    }

    /// The same for a leader whose say has ended, too.
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

    /// Asks a learner whether it is there, and proposes a step with its answer. Once a sole voter has given
    /// way nothing can be decided without the learner, and what it acknowledged a while ago does
    /// not say that it still lives. Said again, it goes on waiting for the same answer.
    pub(super) fn propose_once_heard(&mut self, change: Change, learner: ReplicaId) -> bool {
        if !self.may_serve() || self.members.after(change).is_none() {
            return false;
        }
        let number = match self.awaited {
            Some((number, awaited)) if awaited == change => number,
            Some(_) | None => self.read_index.number(),
        };
        self.awaited = Some((number, change));
        self.say_that_it_leads(learner.raft()).context =
            ReadIndex::context_of(number).to_vec().into();
        true
    }

    /// A follower has answered a question, or one that was asked before it.
    pub(super) fn propose_awaited(&mut self, from: u64, number: u64) {
        let answers = |&mut (awaited, change): &mut (u64, Change)| {
            let Change::Swaps { promoted, .. } = change else { return false };
            promoted.raft() == from && number >= awaited
        };
        if let Some((_, change)) = self.awaited.take_if(answers) {
            self.propose_change(change);
        }
    }

    /// Whether a step is committed and not applied. Whoever stood for election now would count
    /// the votes of members whose say has ended.
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
            let state = self.raft.apply_conf_change(&change.to_raft());
            let state = state.expect("the library takes what follows");
            self.adopt(members);
            assert_eq!(Members::of_raft(&state), self.members, "the library sees the same members");
            self.raft.mut_store().set_voters(state);
            self.settle_members();
        }
    }

    /// The members are others now.
    pub(super) fn adopt(&mut self, members: Members) {
        let me = self.raft.raft.id;
        let peers = members.all().into_iter().map(ReplicaId::raft).filter(|&id| id != me);
        let peers: Vec<u64> = peers.collect();
        self.followers.retain(|follower| peers.contains(&follower.id));
        self.prompt.retain(|id| peers.contains(id));
        for id in peers {
            if !self.prompt.contains(&id) {
                self.prompt.push(id);
                self.followers.push(Follower::new(id));
            }
        }
        self.followers.sort_unstable_by_key(|follower| follower.id);
        self.members = members;
        self.confirm_reads();
    }

    /// A leader ends a change that is half done, no matter who began it, even if its own say ends with
    /// it: until then a shard of one replica needs both nodes. A leader without a say then passes the
    /// lead on: the library would let it lead for ever, and nobody could propose anything.
    pub(super) fn settle_members(&mut self) {
        if !self.is_leader() {
            return;
        }
        if self.members.is_joint() {
            self.propose_step(Change::Settles);
        }
        if !self.has_say() && self.raft.raft.lead_transferee.is_none() {
            self.pass_the_lead_on();
        }
    }

    /// Calls the voter that was called least often, and of those the one with most of the log. A voter
    /// that acknowledged everything and then died must not be called for ever.
    fn pass_the_lead_on(&mut self) {
        let raft = &self.raft.raft;
        let fitness = |follower: &&mut Follower| {
            let matched = raft.prs().get(follower.id).map_or(0, |progress| progress.matched);
            (Reverse(follower.calls), matched)
        };
        let voters = self.members.voters();
        let voters =
            self.followers.iter_mut().filter(|peer| voters.contains(&ReplicaId::of(peer.id)));
        let Some(successor) = voters.max_by_key(fitness) else { return };
        successor.calls = successor.calls.saturating_add(1);
        let successor = successor.id;
        self.raft.transfer_leader(successor);
    }

    /// Whether it is the only voter and part of its log is not on disk yet. It would lead at once, and
    /// acknowledge what it may still lose; the library panics. So it waits for its disk.
    pub(super) fn must_not_lead_alone(&self) -> bool {
        let me = ReplicaId::of(self.raft.raft.id);
        self.undurable() > 0 && self.members.is_quorum(|member| member == me)
    }

    /// Whether this replica will have a say when the change under way is over.
    pub(super) fn has_say(&self) -> bool {
        self.members.voters().contains(&ReplicaId::of(self.raft.raft.id))
    }

    /// Whether a replica may be a member in the eyes of others: it is one here, or came later
    /// than all that are.
    pub(super) fn may_be_member(&self, id: u64) -> bool {
        if self.followers.iter().any(|follower| follower.id == id) {
            return true;
        }
        let latest = self.members.all().into_iter().map(ReplicaId::generation).max();
        latest.is_none_or(|latest| ReplicaId::of(id).generation() > latest)
    }

    /// Which of the node's replicas this is has to be durable before anything else.
    pub(super) fn name_replica(&mut self, out: &mut Ready) {
        if !std::mem::replace(&mut self.named, true) {
            self.replica_frame().write(&mut out.frames);
            self.written += 1;
        }
    }

    pub(super) fn replica_frame(&self) -> Frame<'static> {
        let generation = ReplicaId::of(self.raft.raft.id).generation();
        Frame::Replica { shard: self.shard, generation, left: self.left }
    }

    /// Drops everything, and has it written that there is nothing.
    pub(super) fn drop_all(&mut self) {
        self.left = true;
        self.named = false;
        self.repair = None;
        self.pending_writes.clear();
        self.outbox.clear();
        self.install = None;
        self.reads.clear();
        self.read_index.drop_all();
        self.awaited = None;
        self.raft.raft.msgs.clear();
        self.raft.mut_store().clear();
    }

    /// Why a message to a replica that has left is not let through.
    pub(super) fn refusal_after_leaving(&self) -> Option<Mark> {
        self.left.then_some(Mark::JournalMisdirected)
    }
}
