//! A replica of a log as a Raft group of the crate `raft`.
//!
//! Owns the translation: what the library asks for becomes frames, messages and records,
//! each in its time. Besides, what the library leaves to its user: sleep, the retry of
//! snapshots, and the refusal of messages that would break it. Refuses to know other
//! groups.

mod admission;
mod log;
mod membership;
mod read_index;
mod ready;
mod repair;

use std::collections::VecDeque;
use std::fmt;

use onsale_booking::NodeId;
use raft::eraftpb::{ConfChange, ConfChangeType, HardState, Message, MessageType};
use raft::{Config, ProgressState, RawNode, SnapshotStatus, StateRole};

use self::log::Log;
use self::read_index::ReadIndex;
use self::ready::{PendingWrite, write_entry, write_members};
use self::repair::Repair;
use super::frame::Frame;
use super::{
    Change, Durable, Journal, JournalMessage, Members, ReadId, Ready, ReplicaId, Snapshot, Ticket,
    node_of,
};
use crate::id::{Epoch, ShardId};
use crate::journal::Promises;
use crate::mark::Mark;

/// How a replica behaves in time; all in ticks except `keep_records`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long it waits for a leader before it stands for election; more than
    /// `heartbeat_ticks`. Drawn for each replica by whoever owns chance, lest all stand at
    /// the same time. After a lost election it waits for up to twice as long.
    pub election_ticks: usize,
    /// How often a leader that is awake speaks.
    pub heartbeat_ticks: usize,
    /// How long a leader stays awake for a follower that is silent. Longer than it takes the
    /// node to suspect a peer: one that is silent for less is not pinged when it is back.
    pub patience_ticks: u32,
    /// After how long a snapshot that was not acknowledged counts as lost.
    pub snapshot_ticks: u32,
    /// How many records before a snapshot are kept for followers that lag.
    pub keep_records: u64,
    /// When votes and acknowledgements leave.
    pub promises: Promises,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            election_ticks: 10,
            heartbeat_ticks: 1,
            patience_ticks: 20,
            snapshot_ticks: 20,
            keep_records: 1_000,
            promises: Promises::default(),
        }
    }
}

/// The most that one append carries, unless a single record is larger.
const APPEND_BYTES_MAX: u64 = 1 << 20;
/// The most that may be proposed and not yet committed, unless a single record is larger.
const UNCOMMITTED_BYTES_MAX: u64 = 64 << 20;
/// The most appends on their way to one follower.
const APPENDS_IN_FLIGHT_MAX: usize = 32;

/// One replica of a shard's log.
pub struct RaftGroup {
    shard: ShardId,
    settings: Settings,
    raft: RawNode<Log>,
    /// Those whom the log began with, and those whom the applied records make members.
    initial: Members,
    members: Members,
    /// Whether it is durable, or about to be, which of the node's replicas this is.
    named: bool,
    /// Whether it is a member no longer, and holds nothing.
    left: bool,
    followers: Vec<Follower>,
    /// The followers, those that answered a heartbeat last first.
    prompt: Vec<u64>,
    /// The last batch that has to be durable, and the last that is.
    written: u64,
    durable: u64,
    /// Role and leader at the last batch.
    role: (StateRole, u64),
    /// The last record that was handed over, or that the snapshot includes that was.
    handed_out: u64,
    repair_written: bool,
    /// What waits for a write.
    pending_writes: VecDeque<PendingWrite>,
    outbox: Vec<Message>,
    /// Emptied, for what waits next.
    spare: Vec<Message>,
    /// A snapshot that has to be handed over before anything else, once its frames are
    /// durable. Until then the library must not stand for election: it would look for
    /// entries between what is applied and what is committed, which are gone.
    install: Option<(u64, Snapshot)>,
    read_index: ReadIndex,
    /// A step that is proposed once the replica that it promotes has answered, and to what.
    awaited: Option<(u64, Change)>,
    /// Confirmed questions, and what has to be applied before they are told.
    reads: Vec<(u64, ReadId)>,
    /// A follower that heard of an election no longer trusts its leader to be there.
    roused: bool,
    /// Whether its disk lost what was durable, and it has not made up for it.
    repair: Option<Repair>,
    refused: Vec<Mark>,
}

/// What a leader remembers about a peer beyond what the library does.
struct Follower {
    id: u64,
    silent_ticks: u32,
    snapshot_ticks: u32,
    /// The latest question that it confirmed.
    confirmed: u64,
    /// How often a leader without a say called it into the lead.
    calls: u32,
}

impl Follower {
    fn new(id: u64) -> Self {
        Self { id, silent_ticks: 0, snapshot_ticks: 0, confirmed: 0, calls: 0 }
    }
}

impl RaftGroup {
    /// The replica of `shard` on `node`. `voters` are the members that the log begins with; the
    /// replica is one of them unless it joins later. `durable` is what `Wal::recover` found, the
    /// default for a replica that the log begins with, or `Durable::joining` for a new one. The
    /// first poll hands over the snapshot that it holds, if any.
    ///
    /// # Panics
    ///
    /// When the settings contradict themselves or `node` is 0, or not among the voters and not
    /// joining either.
    pub fn new(
        shard: ShardId,
        node: NodeId,
        voters: &[NodeId],
        settings: Settings,
        durable: Durable,
    ) -> Self {
        let generation = durable.generation();
        assert!(generation > 0 || voters.contains(&node), "{node} is no voter of {shard}");
        assert!(!voters.contains(&NodeId(0)), "node 0 means none");
        let snapshot = Snapshot(durable.snapshot.clone());
        let in_repair = durable.in_repair;
        let config = Config {
            id: ReplicaId::new(node, generation).raft(),
            election_tick: settings.election_ticks,
            // The library draws from this range, from a source that no seed reaches. What it
            // draws is replaced before every tick.
            min_election_tick: settings.election_ticks,
            max_election_tick: 2 * settings.election_ticks,
            heartbeat_tick: settings.heartbeat_ticks,
            applied: snapshot.index(),
            max_size_per_msg: APPEND_BYTES_MAX,
            max_uncommitted_size: UNCOMMITTED_BYTES_MAX,
            max_inflight_msgs: APPENDS_IN_FLIGHT_MAX,
            pre_vote: true,
            check_quorum: false,
            skip_bcast_commit: true,
            batch_append: true,
            ..Config::default()
        };
        let (id, left) = (config.id, durable.has_left());
        // What was found of a joining replica includes its name.
        let named = generation == 0 || durable != Durable::joining(generation);
        let log = Log::new(voters, durable);
        let members = Members::of_raft(log.voters());
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raft =
            RawNode::new(&config, log, &logger).expect("the settings of a group are in order");
        let mut peers: Vec<u64> = members.all().into_iter().map(ReplicaId::raft).collect();
        peers.retain(|&peer| peer != id);
        // Whom to ask first is as good a guess as the order of the map.
        let rank = |peer: &u64| voters.iter().position(|&voter| voter == node_of(*peer));
        peers.sort_by_key(|peer| rank(peer).unwrap_or(voters.len()));
        let peers = peers.into_iter();
        Self {
            shard,
            settings,
            repair: in_repair.then(|| Repair::new(peers.clone())),
            repair_written: in_repair,
            prompt: peers.clone().collect(),
            followers: peers.map(Follower::new).collect(),
            initial: Members::initial(voters),
            members,
            named,
            left,
            role: (raft.raft.state, raft.raft.leader_id),
            handed_out: snapshot.index(),
            raft,
            written: 0,
            durable: 0,
            pending_writes: VecDeque::new(),
            outbox: Vec::new(),
            spare: Vec::new(),
            install: (snapshot.index() > 0).then_some((0, snapshot)),
            read_index: ReadIndex::default(),
            awaited: None,
            reads: Vec::new(),
            roused: false,
            refused: Vec::new(),
        }
    }

    fn hard_state_frame(&self, hard_state: &HardState) -> Frame<'static> {
        Frame::HardState {
            shard: self.shard,
            epoch: Epoch(hard_state.term),
            vote: (hard_state.vote != 0).then(|| ReplicaId::of(hard_state.vote)),
            commit: hard_state.commit,
            in_repair: self.repair.is_some(),
        }
    }

    fn ticket(&self) -> Ticket {
        Ticket { generation: self.replica().generation(), number: self.written }
    }

    /// Whether nothing is left for a leader to do.
    fn settled(&self) -> bool {
        let raft = &self.raft.raft;
        let log = &raft.raft_log;
        raft.lead_transferee.is_none()
            && !self.members.is_joint()
            && self.has_say()
            && self.read_index.is_empty()
            && self.reads.is_empty()
            && self.written <= self.durable
            && log.committed == log.last_index()
            && log.applied == log.committed
            && self.followers.iter().all(|follower| {
                follower.silent_ticks >= self.settings.patience_ticks || self.is_level(follower.id)
            })
    }

    /// Whether a follower has everything, and knows that it is committed.
    fn is_level(&self, follower: u64) -> bool {
        let raft = &self.raft.raft;
        let progress = raft.prs().get(follower).expect("the library tracks every voter");
        progress.matched == raft.raft_log.last_index()
            && progress.committed_index >= raft.raft_log.committed
    }

    /// How many ticks of silence lead to an election. Candidates of one epoch wait for
    /// different times, and take turns from epoch to epoch: two that stood at the same
    /// time and wait equally long would split the votes for ever. Whoever was told that it lost is a
    /// follower again, and waits like a candidate until somebody leads.
    fn election_timeout(&self) -> usize {
        let raft = &self.raft.raft;
        let least = self.settings.election_ticks;
        let has_lost = raft.vote == raft.id && raft.leader_id == 0;
        if raft.state == StateRole::Follower && !has_lost {
            return least;
        }
        let voters = self.followers.len() as u64 + 1;
        let rank = self.followers.iter().filter(|follower| follower.id < raft.id).count() as u64;
        let turn = usize::try_from((rank + raft.term) % voters).expect("voters are few");
        least + turn * least / (self.followers.len() + 1)
    }

    fn attend_followers(&mut self) {
        for at in 0..self.followers.len() {
            let id = self.followers[at].id;
            let level = self.is_level(id);
            let progress = self.raft.raft.prs().get(id).expect("the library tracks every voter");
            let in_snapshot = progress.state == ProgressState::Snapshot;
            let follower = &mut self.followers[at];
            follower.silent_ticks = if level { 0 } else { follower.silent_ticks.saturating_add(1) };
            follower.snapshot_ticks = if in_snapshot { follower.snapshot_ticks + 1 } else { 0 };
            if follower.snapshot_ticks >= self.settings.snapshot_ticks {
                follower.snapshot_ticks = 0;
                // The next heartbeat's answer has the follower probed after the snapshot. If
                // it never came, the probe is rejected and the snapshot sent again.
                self.raft.report_snapshot(id, SnapshotStatus::Finish);
            }
        }
    }

    fn attend_all_anew(&mut self) {
        for follower in &mut self.followers {
            follower.silent_ticks = 0;
            follower.snapshot_ticks = 0;
            follower.calls = 0;
        }
    }

    /// A heartbeat to one follower, out of turn.
    fn say_that_it_leads(&mut self, to: u64) -> &mut Message {
        let raft = &mut self.raft.raft;
        let progress = raft.prs().get(to).expect("the library tracks every follower");
        let commit = progress.matched.min(raft.raft_log.committed);
        let (from, term, msg_type) = (raft.id, raft.term, MessageType::MsgHeartbeat);
        raft.msgs.push(Message { msg_type, from, to, term, commit, ..Message::default() });
        raft.msgs.last_mut().expect("it was said just now")
    }
}

impl Journal for RaftGroup {
    fn tick(&mut self) {
        if self.install.is_some() || self.left {
            return;
        }
        self.settle_members();
        if let Some(repair) = &mut self.repair {
            let raft = &self.raft.raft;
            let silent = raft.leader_id != 0;
            self.outbox.extend(repair.tick(
                self.settings.election_ticks,
                raft.id,
                raft.term,
                silent,
            ));
            return;
        }
        if !self.is_leader() && (self.is_behind_members() || self.must_not_lead_alone()) {
            return;
        }
        let timeout = self.election_timeout();
        self.raft.raft.set_randomized_election_timeout(timeout);
        let before = self.raft.raft.msgs.len();
        self.raft.tick();
        if self.is_leader() {
            self.attach_read_context(before);
            self.attend_followers();
        }
    }

    fn step(&mut self, message: JournalMessage) -> bool {
        let mut said = message.0;
        let message = &mut said.message;
        if let Some(reason) = self.refusal(message) {
            self.refused.push(reason);
            return false;
        }
        if self.reveals_loss(message) {
            self.begin_repair();
        }
        if !self.step_in_repair(message) {
            return true;
        }
        let (kind, from, epoch) = (message.get_msg_type(), message.from, message.term);
        let words = (kind == MessageType::MsgHeartbeatResponse).then(|| message.take_context());
        if self.raft.raft.step(said.message).is_err() {
            self.refused.push(Mark::JournalMessageRefused);
        }
        if let Some(words) = &words
            && self.is_leader()
            && epoch == self.raft.raft.term
        {
            self.on_read_confirmed(from, words);
        }
        if words.is_some()
            && let Some(rank) = self.prompt.iter().position(|&follower| follower == from)
        {
            self.prompt[..=rank].rotate_right(1);
        }
        if matches!(kind, MessageType::MsgRequestVote | MessageType::MsgRequestPreVote) {
            self.roused = true;
        } else if matches!(
            kind,
            MessageType::MsgAppend | MessageType::MsgHeartbeat | MessageType::MsgSnapshot
        ) && self.raft.raft.leader_id == from
        {
            self.roused = false;
        }
        if let Some(follower) = self.followers.iter_mut().find(|follower| follower.id == from) {
            follower.silent_ticks = 0;
        }
        true
    }

    fn propose(&mut self, record: Vec<u8>) -> bool {
        assert!(!record.is_empty(), "an empty record is how a leader opens its epoch");
        self.is_leader() && self.raft.propose(Vec::new(), record).is_ok()
    }

    fn confirm_leadership(&mut self, read: ReadId) -> bool {
        let raft = &self.raft.raft;
        if !self.is_leader() || !raft.commit_to_current_term() {
            return false;
        }
        let committed = raft.raft_log.committed;
        if self.followers.is_empty() {
            self.reads.push((committed, read));
            return true;
        }
        self.read_index.open(committed, read);
        // A quorum needs half of the followers: those that answered last are asked. If
        // they stay silent, the next tick asks all.
        let before = raft.msgs.len();
        let plain = !self.members.is_joint() && self.members.learners().is_empty();
        let asked = if plain { half_of(self.prompt.len()) } else { self.prompt.len() };
        for at in 0..asked {
            self.say_that_it_leads(self.prompt[at]);
        }
        self.attach_read_context(before);
        // A sole voter awaits no answer: its learners may be silent for ever.
        self.confirm_reads();
        true
    }

    fn campaign(&mut self) {
        let barred = self.install.is_some() || self.repair.is_some() || self.is_behind_members();
        // The library would let a replica without a say win: nobody could propose anything, and once its own
        // removal is applied nobody would listen to it either.
        let has_vote = self.raft.raft.promotable();
        if self.is_leader() || barred || self.left || !has_vote {
            return;
        }
        // Once its disk has caught up it stands with a tick.
        self.roused = true;
        if self.must_not_lead_alone() {
            return;
        }
        if self.raft.campaign().is_err() {
            self.refused.push(Mark::ElectionRefused);
        }
    }

    fn ping(&mut self) {
        if self.is_leader() {
            for follower in &mut self.followers {
                follower.silent_ticks = 0;
                // A learner may be called for as long as it does not answer: a snapshot that was lost
                // on the way to it has to be given up all the same.
                if self.members.voters().contains(&ReplicaId::of(follower.id)) {
                    follower.snapshot_ticks = 0;
                }
            }
            self.speak();
        }
    }

    fn speak(&mut self) {
        if self.is_leader() {
            let before = self.raft.raft.msgs.len();
            self.raft.ping();
            self.attach_read_context(before);
        }
    }

    fn transfer(&mut self, to: NodeId) {
        if self.is_leader() {
            let voters = self.members.voters().iter();
            if let Some(voter) = voters.copied().find(|voter| voter.node() == to) {
                self.raft.transfer_leader(voter.raft());
            }
        }
    }

    fn give_up_transfer(&mut self) {
        self.raft.raft.abort_leader_transfer();
    }

    fn lag(&self, follower: ReplicaId) -> Option<u64> {
        let raft = &self.raft.raft;
        let progress = raft.prs().get(follower.raft()).filter(|_| self.is_leader())?;
        Some(raft.raft_log.last_index().saturating_sub(progress.matched))
    }

    fn fsynced(&mut self, upto: Ticket) {
        if upto.generation != self.replica().generation() {
            return;
        }
        assert!(upto.number <= self.written, "only what was written becomes durable");
        if upto.number <= self.durable {
            return;
        }
        self.durable = upto.number;
        self.release(upto.number);
    }

    fn poll(&mut self, out: &mut Ready) {
        assert!(out.ticket.is_none(), "frames are gathered and cleared before the next poll");
        if !self.outbox.is_empty() {
            JournalMessage::put_each(&mut self.outbox, &mut out.messages);
        }
        if !self.refused.is_empty() {
            out.refused.append(&mut self.refused);
        }
        self.name_replica(out);
        if self.left {
            out.ticket = (!out.frames.is_empty()).then(|| self.ticket());
            return;
        }
        let written = self.written;
        if let Some((_, snapshot)) = self.install.take_if(|(number, _)| *number <= self.durable) {
            self.raft.advance_apply_to(snapshot.index());
            out.installed = Some(snapshot);
        }

        self.collect(out);
        if self.repair.is_some() {
            self.end_repair_if_caught_up();
        }
        // A replica that crashes must not have to make up again for what it has made up for.
        let repaired = self.repair_written && self.repair.is_none();
        self.written += u64::from(repaired && self.written == written);
        if !out.frames.is_empty() || self.written > written {
            // It closes the batch, which counts as a whole or not at all.
            self.hard_state_frame(&self.raft.raft.hard_state()).write(&mut out.frames);
            self.repair_written = self.repair.is_some();
            out.ticket = Some(self.ticket());
        }

        if !self.reads.is_empty() {
            let applied = self.applied();
            let told = self.reads.extract_if(.., |(index, _)| *index <= applied);
            out.reads.extend(told.map(|(_, read)| read));
        }
    }

    fn compact(&mut self, state: Vec<u8>) {
        let raft = &self.raft.raft;
        let applied = raft.raft_log.applied;
        assert!(
            self.install.is_none(),
            "a snapshot that was installed is applied before the next is taken"
        );
        assert!(applied <= raft.raft_log.persisted, "only what is durable here is compacted");
        self.raft.mut_store().compact(applied, state, self.settings.keep_records);
    }

    fn checkpoint(&self, frames: &mut Vec<u8>) {
        if ReplicaId::of(self.raft.raft.id).generation() > 0 || self.left {
            self.replica_frame().write(frames);
            if self.left {
                return;
            }
        }
        let log = self.raft.store();
        let snapshot = log.snapshot();
        let index = snapshot.get_metadata().index;
        if index > 0 {
            let epoch = Epoch(snapshot.get_metadata().term);
            let members = Members::of_raft(snapshot.get_metadata().get_conf_state());
            write_members(self.shard, &members, &self.initial, frames);
            Frame::Snapshot { shard: self.shard, index, epoch, state: &snapshot.data }
                .write(frames);
        }
        log.after(index).iter().for_each(|entry| write_entry(self.shard, entry, frames));
        // What the library knows but was not polled for has not been promised either.
        self.hard_state_frame(log.hard_state()).write(frames);
    }

    fn is_in_repair(&self) -> bool {
        self.repair.is_some()
    }

    #[inline(always)]
    fn awake(&self) -> bool {
        let raft = &self.raft.raft;
        match raft.state {
            _ if self.left => false,
            StateRole::Leader => !self.settled(),
            // Whoever has no say has nobody to wake.
            StateRole::Follower => raft.promotable() && (raft.leader_id == 0 || self.roused),
            StateRole::Candidate | StateRole::PreCandidate => true,
        }
    }

    fn leader(&self) -> Option<NodeId> {
        let id = self.raft.raft.leader_id;
        (id != 0 && !self.left).then(|| node_of(id))
    }

    fn epoch(&self) -> Epoch {
        Epoch(self.raft.raft.term)
    }

    fn is_leader(&self) -> bool {
        self.raft.raft.state == StateRole::Leader && !self.left
    }

    fn is_trailed(&self) -> bool {
        let raft = &self.raft.raft;
        self.is_leader()
            && self.followers.iter().any(|follower| {
                let progress = raft.prs().get(follower.id);
                progress.is_none_or(|progress| progress.matched < raft.raft_log.committed)
            })
    }

    fn may_serve(&self) -> bool {
        let raft = &self.raft.raft;
        let leads = self.is_leader() && raft.lead_transferee.is_none();
        leads && raft.apply_to_current_term() && self.has_say()
    }

    fn applied(&self) -> u64 {
        self.raft.raft.raft_log.applied
    }

    fn undurable(&self) -> u64 {
        let log = &self.raft.raft.raft_log;
        log.last_index() - log.persisted
    }

    fn strike_off(&mut self, peer: NodeId) {
        let peer = u64::from(peer.0);
        if !self.followers.iter().any(|follower| follower.id == peer) {
            return;
        }
        let mut change = ConfChange { node_id: peer, ..ConfChange::default() };
        change.set_change_type(ConfChangeType::RemoveNode);
        let voters = self.raft.apply_conf_change(&change).expect("a member can be struck off");
        self.adopt(Members::of_raft(&voters));
        self.raft.mut_store().set_voters(voters);
    }

    fn members(&self) -> &Members {
        &self.members
    }

    fn change_members(&mut self, change: Change) -> bool {
        match change {
            Change::Swaps { promoted, .. } if self.members.voters().len() == 1 => {
                self.propose_once_heard(change, promoted)
            }
            Change::Learns(_) | Change::Swaps { .. } | Change::Settles | Change::Drops(_) => {
                self.propose_change(change)
            }
        }
    }

    fn leave(&mut self) {
        self.drop_all();
    }

    fn has_left(&self) -> bool {
        self.left
    }

    fn replica(&self) -> ReplicaId {
        ReplicaId::of(self.raft.raft.id)
    }

    fn uncompacted(&self) -> u64 {
        if self.left {
            return 0;
        }
        if self.raft.store().is_snapshot_wanted() {
            return u64::MAX;
        }
        self.applied().saturating_sub(self.raft.store().snapshot().get_metadata().index)
    }
}

/// How many followers make a quorum together with the leader.
fn half_of(followers: usize) -> usize {
    followers.div_ceil(2)
}

impl fmt::Debug for RaftGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let raft = &self.raft.raft;
        f.debug_struct("RaftGroup")
            .field("shard", &self.shard)
            .field("node", &raft.id)
            .field("role", &raft.state)
            .field("epoch", &raft.term)
            .field("leader", &raft.leader_id)
            .field("log", &raft.raft_log.to_string())
            .field("written", &self.written)
            .field("durable", &self.durable)
            .field("repair", &self.repair)
            .finish_non_exhaustive()
    }
}
