//! A node's write-ahead log: one log shared by the node's groups, one fsync in flight.
//!
//! Owns the gathering of frames into writes, the order of segments, and recovery. Refuses
//! to know files and what a group does with its state.

use std::collections::BTreeMap;
use std::mem;

use bytes::Bytes;
use raft::eraftpb;

use super::frame::{self, Damage, Frame};
use super::{Change, Committed, Journal, Members, Ready, Snapshot, Ticket};
use crate::effect::{PersistId, Write};
use crate::id::ShardId;

/// Gathers what a node's groups have to make durable.
#[derive(Debug)]
pub struct Wal {
    segment_bytes: usize,
    segment: Segment,
    gathered: Vec<u8>,
    /// About as many bytes as recent writes had.
    room: usize,
    tickets: Vec<(ShardId, Ticket)>,
    /// What the next segment inherits besides the groups' checkpoints.
    inherited: Vec<u8>,
    in_flight: Option<(PersistId, Vec<(ShardId, Ticket)>)>,
    last: PersistId,
    /// Whether a new segment is to begin, though nothing may be gathered.
    renewing: bool,
    /// In which boot the node found the latest time that it had forgotten what was durable.
    forgot: Option<u64>,
}

#[derive(Debug)]
enum Segment {
    /// The next write begins it.
    Due(u32),
    Open {
        number: u32,
        checkpoint: usize,
        since: usize,
    },
}

impl Wal {
    /// A log that closes a segment once more than `segment_bytes` (and more than its
    /// checkpoint takes, so that checkpoints are at most half of what is written) follow
    /// its checkpoint. Its first write begins `first_segment`, which must be greater than
    /// any segment on the disk.
    pub fn new(segment_bytes: usize, first_segment: u32) -> Self {
        Self {
            segment_bytes,
            segment: Segment::Due(first_segment),
            gathered: Vec::new(),
            room: 0,
            tickets: Vec::new(),
            inherited: Vec::new(),
            in_flight: None,
            last: PersistId(0),
            renewing: false,
            forgot: None,
        }
    }

    /// Each segment from now on says that the node forgot, and in which boot it found out.
    pub fn remember(&mut self, forgot: Option<u64>) {
        self.forgot = forgot;
    }

    /// What is durable has been found damaged while its owner is alive: the next write begins a
    /// new segment, which is all that recovery needs, and the damaged one goes.
    pub fn renew(&mut self) {
        if let Segment::Open { number, .. } = self.segment {
            self.segment = Segment::Due(number + 1);
        }
        self.renewing = true;
    }

    /// Takes the frames of a poll, if it has any.
    pub fn gather(&mut self, shard: ShardId, ready: &Ready) {
        if let Some(ticket) = ready.ticket {
            assert!(!ready.frames.is_empty(), "a ticket is for frames");
            self.gathered.extend_from_slice(&ready.frames);
            self.tickets.push((shard, ticket));
        }
    }

    /// Takes frames that belong to no group.
    pub fn gather_facts(&mut self, frames: impl Iterator<Item = u8>) {
        self.gathered.extend(frames);
    }

    /// Whether there is a write to begin, and it begins a segment, and so needs to be told what
    /// that inherits.
    pub fn segment_is_due(&self) -> bool {
        self.has_a_write() && matches!(self.segment, Segment::Due(_))
    }

    /// Frames of everything that the next segment inherits and that belongs to no group.
    pub fn inherits(&mut self, checkpoint: impl FnOnce(&mut Vec<u8>)) {
        self.inherited.clear();
        checkpoint(&mut self.inherited);
    }

    /// The next write, if something was gathered and no write is in flight. `groups` are
    /// all groups of the node, each gathered since it was last polled; they are asked for
    /// their checkpoints when a new segment begins.
    pub fn begin<'a, J: Journal + 'a>(
        &mut self,
        groups: impl IntoIterator<Item = &'a J>,
    ) -> Option<Write> {
        if !self.has_a_write() {
            return None;
        }
        self.renewing = false;
        self.room = (self.room - self.room / 16).max(self.gathered.len());
        let next = Vec::with_capacity(2 * self.room);
        let mut bytes = mem::replace(&mut self.gathered, next);
        let number = match &mut self.segment {
            Segment::Open { number, since, .. } => {
                *since += bytes.len();
                *number
            }
            Segment::Due(number) => {
                // The groups' checkpoints include what was gathered.
                bytes.clear();
                if let Some(incarnation) = self.forgot {
                    Frame::Forgot { incarnation }.write(&mut bytes);
                }
                let mut count = 0;
                for group in groups {
                    group.checkpoint(&mut bytes);
                    count += 1;
                }
                bytes.append(&mut self.inherited);
                Frame::Checkpoint { groups: count }.write(&mut bytes);
                let number = *number;
                self.segment = Segment::Open { number, checkpoint: bytes.len(), since: 0 };
                number
            }
        };
        if let Segment::Open { checkpoint, since, .. } = self.segment
            && since > self.segment_bytes.max(checkpoint)
        {
            self.segment = Segment::Due(number + 1);
        }
        self.last.0 += 1;
        self.in_flight = Some((self.last, mem::take(&mut self.tickets)));
        Some(Write { id: self.last, segment: number, bytes, retire_below: number })
    }

    /// Whether there is a write to begin.
    #[inline]
    pub(crate) fn has_a_write(&self) -> bool {
        self.in_flight.is_none() && (self.renewing || !self.gathered.is_empty())
    }

    /// Which polls a finished write made durable, to be passed on to `Journal::fsynced`.
    /// Nothing, if no such write is in flight.
    pub fn persisted(&mut self, id: PersistId) -> Vec<(ShardId, Ticket)> {
        match self.in_flight.take_if(|(in_flight, _)| *in_flight == id) {
            Some((_, tickets)) => tickets,
            None => Vec::new(),
        }
    }

    /// Takes the tickets of a finished write back, for their memory.
    pub(crate) fn reuse(&mut self, mut tickets: Vec<(ShardId, Ticket)>) {
        if self.tickets.is_empty() {
            tickets.clear();
            self.tickets = tickets;
        }
    }

    /// What the segments found on a disk, in any order, add up to.
    ///
    /// Only the newest segment whose checkpoint is whole counts: a newer one was begun but
    /// nothing in it was promised, an older one is included in the checkpoint. The older one stays
    /// until then: if there is none, only the first segment ever can be without a whole checkpoint
    /// and nothing be lost.
    pub fn recover(mut segments: Vec<(u32, Vec<u8>)>) -> Recovered {
        segments.sort_unstable_by_key(|(number, _)| *number);
        let next_segment = segments.last().map_or(0, |(number, _)| number + 1);
        let mut recovered = Recovered { next_segment, ..Recovered::default() };
        for (number, bytes) in segments.into_iter().rev() {
            let replayed = Replayed::of(&Bytes::from(bytes));
            let end = match (replayed.damage, replayed.whole_checkpoint) {
                // Cut between two frames.
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
                break;
            }
        }
        if let Some((number, _, damage)) = &mut recovered.damage
            && recovered.shards.is_empty()
            && *number > 0
        {
            *damage = Damage::Rotten;
        }
        if recovered.lost_promises() {
            recovered.shards.values_mut().for_each(|durable| durable.in_doubt = true);
        }
        recovered
    }

    /// What an empty disk adds up to, if it stands where a used one was. Its first segment is not the first
    /// ever: if a crash tears that, the loss is still known.
    pub fn recover_replaced() -> Recovered {
        Recovered { replaced: true, next_segment: 1, ..Recovered::default() }
    }
}

/// What a disk held.
#[derive(Debug, Default)]
pub struct Recovered {
    shards: BTreeMap<ShardId, Durable>,
    /// Deltas of the facts, in order.
    pub facts: Vec<Vec<u8>>,
    /// The number for the next segment: greater than that of any that was found.
    pub next_segment: u32,
    /// Where trust ended before the end: segment, byte and kind. What follows is not used.
    /// After [`Damage::Torn`] nothing that was promised is missing.
    pub damage: Option<(u32, usize, Damage)>,
    /// Whether the disk itself is another one.
    pub replaced: bool,
    /// In which boot the node found the latest time that it had forgotten, and gave up the replicas that
    /// it had until then.
    pub forgot: Option<u64>,
}

impl Recovered {
    /// The state of one replica; that of a new one if there is none. After
    /// [`Damage::Rotten`], or on another disk, the replica will take no part in elections until
    /// it has made up for what it may have forgotten; that takes all its peers.
    pub fn take(&mut self, shard: ShardId) -> Durable {
        let in_doubt = self.lost_promises();
        self.shards.remove(&shard).unwrap_or(Durable { in_doubt, ..Durable::default() })
    }

    /// Gives up every replica: none comes back under its number. In this boot the node has found that it forgot.
    pub fn give_up_replicas(&mut self, incarnation: u64) {
        self.shards.clear();
        self.forgot = Some(incarnation);
    }

    /// Which of the node's replicas of a log was found; none if nothing was.
    pub fn generation(&self, shard: ShardId) -> Option<u32> {
        self.shards.get(&shard).map(Durable::generation)
    }

    /// Whether what was promised may be missing, of any replica.
    pub fn lost_promises(&self) -> bool {
        self.replaced || matches!(self.damage, Some((_, _, Damage::Rotten)))
    }

    /// Whether a replica has not made up yet for what may be missing.
    pub fn is_in_doubt(&self, shard: ShardId) -> bool {
        self.lost_promises() || self.shards.get(&shard).is_some_and(|durable| durable.in_doubt)
    }

    /// Whether something was found of a replica.
    pub fn has(&self, shard: ShardId) -> bool {
        self.shards.contains_key(&shard)
    }

    /// The replicas of which something was found.
    pub fn shards(&self) -> impl Iterator<Item = ShardId> {
        self.shards.keys().copied()
    }
}

/// The durable state of one replica; by default that of a new one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Durable {
    pub(super) hard_state: eraftpb::HardState,
    pub(super) snapshot: eraftpb::Snapshot,
    /// Those after the snapshot, without a gap.
    pub(super) entries: Vec<eraftpb::Entry>,
    /// Whether promises may be missing.
    pub(super) in_doubt: bool,
    /// The generation of the replica.
    pub(super) generation: u32,
    /// Whether it has left.
    pub(super) left: bool,
    /// Whom the next snapshot knows as members.
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

    /// Whether nothing is left of the replica but its generation.
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// The snapshot, the empty one if there is none, and the records after it up to an index; none if
    /// they do not reach it.
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

    /// A promise of an epoch is implied by an entry of that epoch, in case the hard state
    /// that followed it was torn off.
    fn reach(&mut self, epoch: u64) {
        if self.hard_state.term < epoch {
            self.hard_state.term = epoch;
            self.hard_state.vote = 0;
        }
    }

    /// Says whether the entry can follow what came before.
    fn put(&mut self, entry: eraftpb::Entry) -> bool {
        let commit = self.hard_state.commit.max(self.snapshot.get_metadata().index);
        if entry.index <= commit || entry.index > self.last_index() + 1 {
            return false;
        }
        let keep = entry.index - self.snapshot.get_metadata().index - 1;
        self.entries.truncate(usize::try_from(keep).expect("entries are in memory"));
        self.reach(entry.term);
        self.entries.push(entry);
        true
    }

    /// Says whether the frame can follow what came before. What it carries stays where it is, in
    /// `segment`.
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
            Frame::HardState { epoch, vote, commit, in_doubt, .. } => {
                if commit > self.last_index() || epoch.0 < self.hard_state.term {
                    return false;
                }
                self.hard_state.term = epoch.0;
                self.hard_state.vote = vote.map_or(0, |node| u64::from(node.0));
                self.hard_state.commit = self.hard_state.commit.max(commit);
                self.in_doubt = in_doubt;
            }
            Frame::Snapshot { index, epoch, state, .. } => {
                if index < self.hard_state.commit {
                    return false;
                }
                self.entries.clear();
                self.snapshot.data = segment.slice_ref(state);
                let meta = self.snapshot.mut_metadata();
                (meta.index, meta.term) = (index, epoch.0);
                if let Some(members) = self.members.take() {
                    meta.set_conf_state(members.to_raft());
                }
                self.hard_state.commit = index;
                self.reach(epoch.0);
            }
            Frame::Checkpoint { .. } | Frame::Facts { .. } | Frame::Forgot { .. } => {}
        }
        true
    }
}

/// What one segment adds up to.
struct Replayed {
    shards: BTreeMap<ShardId, Durable>,
    facts: Vec<Vec<u8>>,
    forgot: Option<u64>,
    whole_checkpoint: bool,
    end: usize,
    damage: Option<Damage>,
}

impl Replayed {
    fn of(segment: &Bytes) -> Self {
        let mut replayed = Self {
            shards: BTreeMap::new(),
            facts: Vec::new(),
            forgot: None,
            whole_checkpoint: false,
            end: 0,
            damage: None,
        };
        let mut frames = frame::read(segment);
        while let Some(frame) = frames.next() {
            match (frame, frame.shard()) {
                (Frame::Facts { delta }, _) => replayed.facts.push(delta.to_vec()),
                (Frame::Forgot { incarnation }, _) => replayed.forgot = Some(incarnation),
                (_, None) => replayed.whole_checkpoint = true,
                (_, Some(shard)) => {
                    if !replayed.shards.entry(shard).or_default().replay(frame, segment) {
                        replayed.damage = Some(Damage::Rotten);
                        return replayed;
                    }
                }
            }
            replayed.end = frames.offset();
        }
        replayed.damage = frames.damage();
        replayed
    }
}
