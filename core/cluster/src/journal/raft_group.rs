//! A replica of a log as a Raft group of the crate `raft`.
//!
//! Owns the translation of the library's requests into frames, messages and records, each at its time; also what the
//! library leaves to its user: sleep, the retry of snapshots, and the refusal of messages that would break it. Refuses
//! to know other groups.

mod admission;
mod alone;
mod followers;
mod leadership;
mod log;
mod membership;
mod read_index;
mod ready;
mod repair;
#[cfg(test)]
mod tests;
mod writes;

use std::fmt;

use onsale_booking::NodeId;
use raft::eraftpb::{HardState, Message, MessageType};
use raft::{Config, RawNode, StateRole};

pub use self::alone::LEAP;
use self::followers::Followers;
use self::log::Log;
use self::read_index::ReadIndex;
use self::ready::{write_entry, write_members};
use self::repair::Repair;
use self::writes::Writes;
use super::frame::Frame;
use super::{
    Change, Durable, JournalMessage, Members, Ready, ReplicaId, Snapshot, Ticket, node_of,
};
use crate::id::{Epoch, ShardId};
use crate::journal::Promises;
use crate::mark::Mark;

/// The timing of a replica; all in ticks except `keep_records`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long it waits for a leader before it stands for election; more than `heartbeat_ticks`. The caller draws it
    /// for each replica, so that not all stand at the same time. After a lost election it waits for up to twice as
    /// long.
    pub election_ticks: usize,
    /// The heartbeat interval of a leader that is awake.
    pub heartbeat_ticks: usize,
    /// How long a leader stays awake for a silent follower. Longer than the node takes to suspect a peer: one that is
    /// silent for less is not pinged when it is back.
    pub patience_ticks: u32,
    /// Time after which an unacknowledged snapshot counts as lost.
    pub snapshot_ticks: u32,
    /// Number of records before a snapshot that are kept for followers that lag.
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

/// The most bytes in one append, unless a single record is larger.
const APPEND_BYTES_MAX: u64 = 1 << 20;
/// The most bytes proposed and not yet committed, unless a single record is larger.
const UNCOMMITTED_BYTES_MAX: u64 = 64 << 20;
/// The most appends in flight to one follower.
const APPENDS_IN_FLIGHT_MAX: usize = 32;

/// One replica of a shard's log.
pub struct RaftGroup {
    shard: ShardId,
    settings: Settings,
    raft: RawNode<Log>,
    /// The members at the beginning of the log.
    initial: Members,
    /// The members by the applied records.
    members: Members,
    /// Whether this replica's generation is durable, or about to be.
    named: bool,
    /// Whether it is no longer a member, and holds nothing.
    left: bool,
    followers: Followers,
    writes: Writes,
    /// The batch with the latest epoch and vote.
    voted: u64,
    /// Messages to send with the next poll.
    outbox: Vec<Message>,
    /// Role and leader at the last poll.
    role: (StateRole, u64),
    /// The index of the last record that a poll handed out, or that its snapshot included.
    handed_out: u64,
    /// A snapshot that has to be handed out before anything else, once the batch with its frames is durable. Until then
    /// the library must not stand for election: it would look for entries between the applied and the committed index,
    /// which are gone.
    install: Option<(u64, Snapshot)>,
    read_index: ReadIndex,
    /// A step that is proposed once the replica that it promotes has answered this read.
    awaited: Option<(u64, Change)>,
    /// Whether a follower heard of an election and no longer trusts that its leader is there.
    roused: bool,
    /// `Some` while the disk has lost durable state and the replica has not recovered it.
    repair: Option<Repair>,
    /// Whether the last batch said that the replica is in repair.
    repair_written: bool,
    refused: Vec<Mark>,
}

impl RaftGroup {
    /// The replica of `shard` on `node`. `voters` are the members at the beginning of the log; the replica is one of
    /// them unless it joins later. `durable` comes from `Wal::recover`; it is the default for a replica that the log
    /// begins with, or `Durable::joining` for a new one. The first poll hands out the snapshot that it holds, if any.
    ///
    /// # Panics
    ///
    /// If the settings contradict themselves, or `node` is 0, or neither among the voters nor joining.
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
        let (in_repair, left) = (durable.in_repair, durable.has_left());
        // The state found of a joining replica includes its name.
        let named = generation == 0 || durable != Durable::joining(generation);
        let config = config(settings, ReplicaId::new(node, generation), snapshot.index());
        let log = Log::new(voters, durable);
        let members = Members::of_raft(log.voters());
        let logger = slog::Logger::root(slog::Discard, slog::o!());
        let raft =
            RawNode::new(&config, log, &logger).expect("the settings of a group are in order");
        let peers = peers(&members, config.id, voters);
        Self {
            shard,
            settings,
            repair: in_repair.then(|| Repair::new(peers.iter().copied())),
            repair_written: in_repair,
            followers: Followers::new(peers),
            initial: Members::initial(voters),
            members,
            named,
            left,
            role: (raft.raft.state, raft.raft.leader_id),
            handed_out: snapshot.index(),
            raft,
            writes: Writes::default(),
            voted: 0,
            outbox: Vec::new(),
            install: (snapshot.index() > 0).then_some((0, snapshot)),
            read_index: ReadIndex::default(),
            awaited: None,
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

    /// The invariants after every poll; cheap.
    fn check_invariants(&self) {
        let log = &self.raft.raft.raft_log;
        let shard = self.shard;
        assert!(
            log.applied <= log.committed && log.committed <= log.last_index(),
            "{shard}: only what is committed is applied, and only what is in the log is committed"
        );
        assert!(
            self.install.is_some() || self.handed_out <= log.committed.min(log.persisted),
            "{shard}: only what is committed and durable here is handed out"
        );
        assert!(
            self.install.is_some() || log.store.snapshot().get_metadata().index <= log.applied,
            "{shard}: a snapshot holds only what is applied"
        );
        assert!(
            self.repair.is_none() || !self.is_leader(),
            "{shard}: a replica that may have forgotten promises does not lead"
        );
        self.writes.check_invariants();
        self.read_index.check_invariants();
    }

    fn ticket(&self) -> Ticket {
        Ticket { generation: self.replica().generation(), number: self.writes.written() }
    }

    /// Advances the replica's own time by one. The node calls it at a steady pace while
    /// [`RaftGroup::awake`] says so.
    pub fn tick(&mut self) {
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
            self.tick_followers();
        }
    }

    /// Takes a message from a peer that was sent to this incarnation of the node, not to an earlier one. Never fails: a
    /// message that is hostile, misdirected or of a kind that no peer sends is refused, and the next poll says why. If
    /// it shows that the disk lost durable state, the replica is in repair from then on. Returns whether it was let
    /// through.
    ///
    /// # Panics
    ///
    /// If two peers lead in one epoch: a vote was forgotten, and it is too late for repair.
    pub fn step(&mut self, message: JournalMessage) -> bool {
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
        let context = (kind == MessageType::MsgHeartbeatResponse).then(|| message.take_context());
        if self.raft.raft.step(said.message).is_err() {
            self.refused.push(Mark::JournalMessageRefused);
        }
        if let Some(context) = &context {
            if self.is_leader() && epoch == self.raft.raft.term {
                self.on_read_confirmed(from, context);
            }
            self.followers.on_heartbeat_answered(from);
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
        self.followers.on_heard(from);
        true
    }

    /// Appends a record, if this replica leads and is not transferring its leadership; returns whether it did. The
    /// record is not committed before `poll` says so and may still be lost with the leadership. A batch is one record,
    /// because the library pays for each.
    ///
    /// # Panics
    ///
    /// If the record is empty: that is how a leader opens its epoch.
    pub fn propose(&mut self, record: Vec<u8>) -> bool {
        assert!(!record.is_empty(), "an empty record is how a leader opens its epoch");
        self.is_leader() && self.raft.propose(Vec::new(), record).is_ok()
    }

    /// All frames up to the poll that carried this ticket are durable. A ticket of an earlier replica of the log on
    /// this node is ignored.
    pub fn fsynced(&mut self, upto: Ticket) {
        if upto.generation != self.replica().generation() {
            return;
        }
        self.persisted(upto.number);
    }

    /// Puts the node's next tasks into `out`, which must be clear. `installed` and `committed` count as applied: the
    /// node applies them, in order, before it calls anything else.
    pub fn poll(&mut self, out: &mut Ready) {
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
        let written = self.writes.written();
        if let Some((_, snapshot)) =
            self.install.take_if(|(number, _)| *number <= self.writes.durable())
        {
            self.raft.advance_apply_to(snapshot.index());
            out.installed = Some(snapshot);
        }

        self.collect(out);
        if self.repair.is_some() {
            self.end_repair_if_caught_up();
        }
        // A replica that crashes must not repeat a repair that it has finished.
        let repaired = self.repair_written && self.repair.is_none();
        if repaired && self.writes.written() == written {
            self.writes.add();
        }
        if !out.frames.is_empty() || self.writes.written() > written {
            // It closes the batch, which counts as a whole or not at all.
            self.hard_state_frame(&self.raft.raft.hard_state()).write(&mut out.frames);
            self.repair_written = self.repair.is_some();
            out.ticket = Some(self.ticket());
        }

        self.read_index.take_applied(self.applied(), &mut out.reads);
        self.check_invariants();
    }

    /// Replaces the log up to the applied index by `state`, the result of applying it. The last records before it are
    /// kept for followers that lag a little. Costs no write: the next segment of the write-ahead log carries it.
    pub fn compact(&mut self, state: Vec<u8>) {
        let raft = &self.raft.raft;
        let applied = raft.raft_log.applied;
        assert!(
            self.install.is_none(),
            "a snapshot that was installed is applied before the next is taken"
        );
        assert!(applied <= raft.raft_log.persisted, "only what is durable here is compacted");
        self.raft.mut_store().compact(applied, state, self.settings.keep_records);
    }

    /// Appends frames that hold all of the replica's state that has to be durable.
    pub fn checkpoint(&self, frames: &mut Vec<u8>) {
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
        // State that the library has and no poll has taken is not promised either.
        self.hard_state_frame(log.hard_state()).write(frames);
    }

    /// Number of records since the last snapshot: when to compact. More than any bound if a new member needs a snapshot
    /// that includes it, so that no older one will do.
    pub fn uncompacted(&self) -> u64 {
        if self.left {
            return 0;
        }
        if self.raft.store().is_snapshot_wanted() {
            return u64::MAX;
        }
        self.applied().saturating_sub(self.raft.store().snapshot().get_metadata().index)
    }

    /// Index of the last record that was handed over.
    pub fn applied(&self) -> u64 {
        self.raft.raft.raft_log.applied
    }

    /// Number of records at the end of the log that are not durable here yet.
    pub fn undurable(&self) -> u64 {
        let log = &self.raft.raft.raft_log;
        log.last_index() - log.persisted
    }

    /// Whether its disk lost durable state that the replica has not recovered: it neither votes nor stands for
    /// election.
    pub fn is_in_repair(&self) -> bool {
        self.repair.is_some()
    }

    /// The identity of this replica: node and generation.
    pub fn replica(&self) -> ReplicaId {
        ReplicaId::of(self.raft.raft.id)
    }
}

/// The library's settings for a replica whose log begins with a snapshot at index `applied`.
fn config(settings: Settings, replica: ReplicaId, applied: u64) -> Config {
    Config {
        id: replica.raft(),
        election_tick: settings.election_ticks,
        // The library draws from this range, from a source that no seed reaches. The result is replaced before every
        // tick.
        min_election_tick: settings.election_ticks,
        max_election_tick: 2 * settings.election_ticks,
        heartbeat_tick: settings.heartbeat_ticks,
        applied,
        max_size_per_msg: APPEND_BYTES_MAX,
        max_uncommitted_size: UNCOMMITTED_BYTES_MAX,
        max_inflight_msgs: APPENDS_IN_FLIGHT_MAX,
        pre_vote: true,
        check_quorum: false,
        skip_bcast_commit: true,
        batch_append: true,
        ..Config::default()
    }
}

/// The other members. The order of the map is a good first guess at which answer first.
fn peers(members: &Members, me: u64, voters: &[NodeId]) -> Vec<u64> {
    let mut peers: Vec<u64> = members.all().into_iter().map(ReplicaId::raft).collect();
    peers.retain(|&peer| peer != me);
    let rank = |peer: &u64| voters.iter().position(|&voter| voter == node_of(*peer));
    peers.sort_by_key(|peer| rank(peer).unwrap_or(voters.len()));
    peers
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
            .field("writes", &self.writes)
            .field("repair", &self.repair)
            .finish_non_exhaustive()
    }
}
