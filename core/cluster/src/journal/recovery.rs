//! Recovery: a node's state from its disk when it starts.
//!
//! Owns the reading back of segments: how far each can be trusted, the state of each replica that its frames give, and
//! whether promises may be missing. Refuses to know how a segment is written, and what a replica does with its state.

use std::collections::BTreeMap;

use bytes::Bytes;
use onsale_booking::NodeId;
use raft::eraftpb;

use super::frame::{self, Damage, Frame};
use super::{Change, Committed, Members, ReplicaId, Snapshot, Wal};
use crate::id::{Epoch, ShardId};
use crate::record::Format;

/// The contents of a node's write-ahead log, and the driver's memory of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Whether a write of the node has ever been durable, on this disk or another. The driver remembers it apart from
    /// the log, before it tells the node that its first write is durable. Until then the node has promised nothing, so
    /// nothing is lost if its disk is empty.
    pub has_written: bool,
    /// The segments by number, in any order, torn tails included.
    pub segments: Vec<(u32, Vec<u8>)>,
}

impl Wal {
    /// The state that the found segments give.
    ///
    /// Only the newest segment with a whole checkpoint counts: a newer one was begun but nothing in it was promised, an
    /// older one is included in the checkpoint. The older one is deleted only then: so if there is none at all, either
    /// nothing was ever durable or it is lost.
    pub fn recover(found: Found) -> Recovered {
        let Found { has_written, mut segments } = found;
        segments.sort_unstable_by_key(|(number, _)| *number);
        let next_segment = segments.last().map_or(0, |(number, _)| number + 1);
        let replaced = has_written && segments.iter().all(|(_, bytes)| bytes.is_empty());
        let mut recovered = Recovered { next_segment, replaced, ..Recovered::default() };
        let mut has_checkpoint = false;
        for (number, bytes) in segments.into_iter().rev() {
            let replayed = Replayed::of(&Bytes::from(bytes));
            let end = match (replayed.damage, replayed.whole_checkpoint) {
                // The segment is cut between two frames.
                (None, false) => Some((replayed.end, Damage::Torn)),
                (damage, _) => damage.map(|damage| (replayed.end, damage)),
            };
            if let Some((at, damage)) = end
                && recovered.damage.is_none_or(|(_, _, worst)| worst == Damage::Torn)
            {
                recovered.damage = Some((number, at, damage));
            }
            if replayed.whole_checkpoint {
                (recovered.shards, recovered.facts) = (replayed.shards, replayed.facts);
                recovered.forgot = replayed.forgot;
                has_checkpoint = true;
                break;
            }
        }
        if let Some((_, _, damage)) = &mut recovered.damage
            && has_written
            && !has_checkpoint
        {
            *damage = Damage::Rotten;
        }
        let is_rotten = matches!(recovered.damage, Some((_, _, Damage::Rotten)));
        recovered.lost_promises = match has_checkpoint {
            true => is_rotten,
            false => has_written,
        };
        if recovered.lost_promises {
            recovered.shards.values_mut().for_each(|durable| durable.in_repair = true);
        }
        recovered
    }
}

/// The contents of a disk.
#[derive(Debug, Default)]
pub struct Recovered {
    shards: BTreeMap<ShardId, Durable>,
    /// Deltas of the facts, in order.
    pub facts: Vec<Vec<u8>>,
    /// Number of the next segment: greater than that of any found segment.
    pub next_segment: u32,
    /// Where trust ended before the end: segment, byte offset and kind. Later bytes are not used. After
    /// [`Damage::Torn`] nothing that was promised is missing.
    pub damage: Option<(u32, usize, Damage)>,
    /// Whether the disk was replaced by another one.
    pub replaced: bool,
    lost_promises: bool,
    /// Incarnation at which disk loss was last detected, and all replicas until then were given up.
    pub forgot: Option<u64>,
}

impl Recovered {
    /// Takes the state of one replica; that of a new one if there is none. Where promises may be missing the replica
    /// takes no part in elections until it has recovered all that it may have forgotten; that takes all its peers.
    pub fn take(&mut self, shard: ShardId) -> Durable {
        let in_repair = self.lost_promises;
        self.shards.remove(&shard).unwrap_or(Durable { in_repair, ..Durable::default() })
    }

    /// Gives up every replica, so that none comes back under its number. `incarnation` has detected the loss.
    pub fn give_up_replicas(&mut self, incarnation: u64) {
        self.shards.clear();
        self.forgot = Some(incarnation);
    }

    /// The generation of the replica of a log on the disk; `None` if the disk has none.
    pub fn generation(&self, shard: ShardId) -> Option<u32> {
        self.shards.get(&shard).map(Durable::generation)
    }

    /// Whether any replica's promises may be missing.
    pub fn lost_promises(&self) -> bool {
        self.lost_promises
    }

    /// Whether a replica may lack promises that it has not recovered yet.
    pub fn is_in_repair(&self, shard: ShardId) -> bool {
        self.lost_promises || self.shards.get(&shard).is_some_and(|durable| durable.in_repair)
    }

    /// The newest format of any record or snapshot of shows; `map` is the shard whose records are none of these.
    pub fn format(&self, map: Option<ShardId>) -> Format {
        let shards = self.shards.iter().filter(|&(&shard, _)| Some(shard) != map);
        shards.map(|(_, durable)| durable.format()).max().unwrap_or(Format::FIRST)
    }

    /// Whether anything of a replica was found.
    pub fn has(&self, shard: ShardId) -> bool {
        self.shards.contains_key(&shard)
    }

    /// The shards with anything found of a replica.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> {
        self.shards.keys().copied()
    }
}

/// The durable state of one replica; by default that of a new one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durable {
    pub(super) hard_state: eraftpb::HardState,
    pub(super) snapshot: eraftpb::Snapshot,
    /// The entries after the snapshot, without a gap.
    pub(super) entries: Vec<eraftpb::Entry>,
    /// Whether promises may be missing.
    pub(super) in_repair: bool,
    /// The generation of the replica.
    pub(super) generation: u32,
    /// Whether it has left.
    pub(super) left: bool,
    /// The members that belong to the next snapshot.
    pub(super) members: Option<Members>,
}

impl Durable {
    /// The state of a replica that joins a log with a generation.
    pub fn joining(generation: u32) -> Self {
        Self { generation, ..Self::default() }
    }

    /// The generation of the replica.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// The newest format of its records and its snapshot.
    fn format(&self) -> Format {
        let records = self.entries.iter().map(|entry| Format::of_record(&entry.data));
        records.fold(Format::of_snapshot(&self.snapshot.data), Format::max)
    }

    /// Whether nothing is left of the replica but its generation.
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// Epoch and index of the last record, committed or not; zeros if there is none.
    pub fn last(&self) -> (Epoch, u64) {
        let snapshot = self.snapshot.get_metadata();
        let epoch = self.entries.last().map_or(snapshot.term, |entry| entry.term);
        (Epoch(epoch), self.last_index())
    }

    /// The members by the records that it knows to be committed. `first` are the nodes at the beginning of the log.
    pub fn members(&self, first: &[NodeId]) -> Members {
        let state = self.snapshot.get_metadata().get_conf_state();
        let mut members = match state.voters.is_empty() {
            true => Members::initial(first),
            false => Members::of_raft(state),
        };
        for entry in self.entries.iter().take_while(|it| it.index <= self.hard_state.commit) {
            let change = Change::decode(&entry.context).filter(|_| !entry.context.is_empty());
            members = change.and_then(|change| members.after(change)).unwrap_or(members);
        }
        members
    }

    /// The snapshot, the empty one if there is none, and the records after it up to an index; `None` if they do not
    /// reach it.
    pub fn applied(self, upto: u64) -> Option<(Snapshot, Vec<Committed>)> {
        let first = self.snapshot.get_metadata().index;
        if !(first..=self.last_index()).contains(&upto) {
            return None;
        }
        let records = self.entries.into_iter().take((upto - first) as usize).map(Committed);
        Some((Snapshot(self.snapshot), records.collect()))
    }

    fn last_index(&self) -> u64 {
        self.snapshot.get_metadata().index + self.entries.len() as u64
    }

    /// Whether a replica can have been in this state at the end of a batch. Recovery never gives any other, so it never
    /// guesses a missing hard state.
    fn is_sound(&self) -> bool {
        let snapshot = self.snapshot.get_metadata();
        let last_epoch = self.entries.last().map_or(snapshot.term, |entry| entry.term);
        // A change is proposed when the one before it is applied, and the replica that receives it is sent that commit
        // index along with it.
        let known =
            self.entries.iter().rev().take_while(|entry| entry.index > self.hard_state.commit);
        let pending = known.filter(|entry| !entry.context.is_empty()).count();
        last_epoch <= self.hard_state.term && pending <= 1 && self.members.is_none()
    }

    /// Appends an entry. Returns whether it can follow the earlier ones.
    fn put(&mut self, entry: eraftpb::Entry) -> bool {
        let commit = self.hard_state.commit.max(self.snapshot.get_metadata().index);
        if entry.index <= commit || entry.index > self.last_index() + 1 {
            return false;
        }
        let keep = entry.index - self.snapshot.get_metadata().index - 1;
        self.entries.truncate(usize::try_from(keep).expect("entries are in memory"));
        self.entries.push(entry);
        true
    }

    /// Replays a frame, whose content stays in `segment`. Returns whether it can follow the earlier ones.
    fn replay(&mut self, frame: Frame<'_>, segment: &Bytes) -> bool {
        match frame {
            Frame::Entry { index, epoch, record, .. } => {
                return self.put(eraftpb::Entry {
                    term: epoch.0,
                    index,
                    data: segment.slice_ref(record),
                    ..eraftpb::Entry::default()
                });
            }
            Frame::Change { index, epoch, change, .. } => {
                let context = change.to_vec().into();
                let entry = eraftpb::Entry { term: epoch.0, index, context, ..Default::default() };
                return Change::decode(change).is_some() && self.put(entry);
            }
            Frame::Members { members, .. } => {
                self.members = Members::decode(members);
                return self.members.is_some();
            }
            Frame::Replica { generation, left, .. } => {
                if generation < self.generation {
                    return false;
                }
                if left || generation > self.generation {
                    *self = Self { left, ..Self::joining(generation) };
                }
            }
            Frame::HardState { epoch, vote, commit, in_repair, .. } => {
                if commit > self.last_index() || epoch.0 < self.hard_state.term {
                    return false;
                }
                self.hard_state.term = epoch.0;
                self.hard_state.vote = vote.map_or(0, ReplicaId::raft);
                self.hard_state.commit = self.hard_state.commit.max(commit);
                self.in_repair = in_repair;
                return self.is_sound();
            }
            Frame::Snapshot { index, epoch, state, .. } => {
                if index < self.hard_state.commit {
                    return false;
                }
                self.entries.clear();
                self.snapshot.data = segment.slice_ref(state);
                let meta = self.snapshot.mut_metadata();
                (meta.index, meta.term) = (index, epoch.0);
                let members = self.members.take();
                meta.set_conf_state(members.map(|members| members.to_raft()).unwrap_or_default());
                self.hard_state.commit = index;
            }
            Frame::Checkpoint { .. } | Frame::Facts { .. } | Frame::Forgot { .. } => {}
        }
        true
    }
}

/// The state that one segment gives.
#[derive(Default)]
struct Replayed {
    shards: BTreeMap<ShardId, Durable>,
    facts: Vec<Vec<u8>>,
    forgot: Option<u64>,
    whole_checkpoint: bool,
    /// The end of the last frame that counts.
    end: usize,
    damage: Option<Damage>,
}

impl Replayed {
    fn of(segment: &Bytes) -> Self {
        let mut replayed = Self::default();
        let mut batches = frame::read_batches(segment);
        while let Some(frames) = batches.next_batch() {
            if !replayed.take(frames, segment) {
                replayed.damage = Some(Damage::Rotten);
                return replayed;
            }
            replayed.end = batches.offset();
        }
        replayed.damage = batches.damage();
        replayed
    }

    /// Replays a batch. Returns whether it can follow the earlier ones.
    fn take(&mut self, frames: &[Frame<'_>], segment: &Bytes) -> bool {
        if let Some(shard) = frames[0].shard() {
            let durable = self.shards.entry(shard).or_default();
            return frames.iter().all(|&frame| durable.replay(frame, segment));
        }
        for &frame in frames {
            match frame {
                Frame::Facts { delta } => self.facts.push(delta.to_vec()),
                Frame::Forgot { incarnation } => self.forgot = Some(incarnation),
                Frame::Checkpoint { .. } => self.whole_checkpoint = true,
                Frame::Entry { .. }
                | Frame::HardState { .. }
                | Frame::Snapshot { .. }
                | Frame::Change { .. }
                | Frame::Members { .. }
                | Frame::Replica { .. } => return false,
            }
        }
        true
    }
}
