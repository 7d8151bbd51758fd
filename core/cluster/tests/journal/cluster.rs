//! Three nodes in memory, on virtual time: a minimal simulator.
//!
//! Owns the network, the disks, suspicion between nodes, and the lists of chosen and acknowledged records, against
//! which every replica is checked.

use std::collections::BTreeMap;

use onsale_booking::NodeId;
use onsale_cluster::journal::{Found, JournalMessage, RaftGroup, ReadId, Ready, Settings, Wal};
use onsale_cluster::{ShardId, Write};

use crate::chance::{Chance, Faults};

pub(crate) const NODES: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];
pub(crate) const SHARDS: [ShardId; 2] = [ShardId(7), ShardId(8)];

const TICK_US: u64 = 10_000;
const BEAT_US: u64 = 50_000;
const SUSPECT_US: u64 = 200_000;

enum Event {
    Journal { to: usize, boot: u32, messages: Vec<(ShardId, JournalMessage)> },
    Beat { to: usize, from: usize, from_boot: u32 },
    Persisted { node: usize, boot: u32, write: Write },
    Tick { node: usize, boot: u32 },
    BeatDue { node: usize, boot: u32 },
    Restart { node: usize },
}

/// All records that a replica has applied, with their indexes.
pub(crate) type State = Vec<(u64, u64)>;

#[derive(Default)]
pub(crate) struct Disk {
    /// The content that survives a crash, apart from a prefix of the write in flight.
    pub(crate) kept: BTreeMap<u32, Vec<u8>>,
    /// Whether a write was ever durable.
    has_written: bool,
    /// The content that the disk claims to hold. Ahead of `kept` only when it lies.
    claimed: BTreeMap<u32, Vec<u8>>,
    in_flight: Option<(u32, Vec<u8>)>,
}

pub(crate) struct Node {
    pub(crate) groups: BTreeMap<ShardId, RaftGroup>,
    pub(crate) states: BTreeMap<ShardId, State>,
    pub(crate) disk: Disk,
    wal: Wal,
    boot: u32,
    up: bool,
    heard: [u64; 3],
    suspects: [bool; 3],
    peer_boots: [u32; 3],
    /// For each read, the index that its answer has to include.
    reads: BTreeMap<(ShardId, ReadId), u64>,
}

pub(crate) struct Cluster {
    pub(crate) now: u64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) faults: Faults,
    /// Cut links, as (from, to).
    pub(crate) cut: Vec<(usize, usize)>,
    /// Every record that any replica applied: the one chosen sequence.
    pub(crate) chosen: BTreeMap<(ShardId, u64), u64>,
    /// The greatest index that was acknowledged, by shard.
    pub(crate) acked: BTreeMap<ShardId, u64>,
    pub(crate) journal_messages: u64,
    pub(crate) answered: u64,
    pub(crate) snapshots_sent: u64,
    pub(crate) refused: u64,
    pub(crate) rotted: u64,
    /// A rolling hash of all deliveries.
    pub(crate) trace: u64,
    chance: Chance,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    link_busy: [[u64; 3]; 3],
    election_ticks: u64,
    next_value: u64,
    ready: Ready,
}

impl Cluster {
    pub(crate) fn new(seed: u64, faults: Faults) -> Self {
        let mut cluster = Self {
            now: 0,
            nodes: Vec::new(),
            faults,
            cut: Vec::new(),
            chosen: BTreeMap::new(),
            acked: BTreeMap::new(),
            journal_messages: 0,
            answered: 0,
            snapshots_sent: 0,
            refused: 0,
            rotted: 0,
            trace: 0,
            chance: Chance::new(seed),
            events: BTreeMap::new(),
            sequence: 0,
            link_busy: [[0; 3]; 3],
            election_ticks: 10,
            next_value: 1,
            ready: Ready::default(),
        };
        for _ in NODES {
            cluster.nodes.push(Node {
                groups: BTreeMap::new(),
                states: BTreeMap::new(),
                disk: Disk::default(),
                wal: Wal::new(faults.segment_bytes, 0),
                boot: 0,
                up: false,
                heard: [0; 3],
                suspects: [false; 3],
                peer_boots: [1; 3],
                reads: BTreeMap::new(),
            });
        }
        for node in 0..NODES.len() {
            cluster.restart(node);
        }
        cluster
    }

    pub(crate) fn run_until(&mut self, until: u64) {
        while let Some(entry) = self.events.first_entry() {
            if entry.key().0 > until {
                break;
            }
            let ((at, _), event) = entry.remove_entry();
            self.now = at;
            self.on(event);
        }
        self.now = until;
    }

    fn at(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now + delay, self.sequence), event);
    }

    fn on(&mut self, event: Event) {
        match event {
            Event::Journal { to, boot, messages } => {
                if self.nodes[to].up && self.nodes[to].boot == boot {
                    for (shard, message) in messages {
                        let note = message.digest() ^ self.now ^ u64::from(shard.0);
                        self.trace =
                            self.trace.rotate_left(5).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ note;
                        self.nodes[to].groups.get_mut(&shard).unwrap().step(message);
                    }
                    self.settle(to);
                }
            }
            Event::Beat { to, from, from_boot } => {
                let node = &mut self.nodes[to];
                if node.up {
                    node.heard[from] = self.now;
                    if node.suspects[from] || node.peer_boots[from] != from_boot {
                        node.suspects[from] = false;
                        node.peer_boots[from] = from_boot;
                        node.groups.values_mut().for_each(RaftGroup::ping);
                    }
                    self.settle(to);
                }
            }
            Event::Persisted { node, boot, write } => self.on_persisted(node, boot, write),
            Event::Tick { node, boot } => {
                if self.nodes[node].up && self.nodes[node].boot == boot {
                    self.nodes[node]
                        .groups
                        .values_mut()
                        .filter(|group| group.awake())
                        .for_each(RaftGroup::tick);
                    self.suspect(node);
                    self.settle(node);
                    self.at(TICK_US, Event::Tick { node, boot });
                }
            }
            Event::BeatDue { node, boot } => {
                if self.nodes[node].up && self.nodes[node].boot == boot {
                    for to in (0..NODES.len()).filter(|to| *to != node) {
                        if let Some(delay) = self.delay(node, to) {
                            self.at(delay, Event::Beat { to, from: node, from_boot: boot });
                        }
                    }
                    self.at(BEAT_US, Event::BeatDue { node, boot });
                }
            }
            Event::Restart { node } => self.restart(node),
        }
    }

    fn on_persisted(&mut self, at: usize, boot: u32, write: Write) {
        let lies = self.faults.lying_disks && !self.chance.one_in(4);
        let node = &mut self.nodes[at];
        if !node.up || node.boot != boot {
            return;
        }
        node.disk.in_flight = None;
        node.disk.claimed.entry(write.segment).or_default().extend_from_slice(&write.bytes);
        node.disk.claimed.retain(|number, _| *number >= write.retire_below);
        if !lies {
            node.disk.has_written = true;
            node.disk.kept = node.disk.claimed.clone();
        }
        for (shard, ticket) in node.wal.persisted(write.id) {
            node.groups.get_mut(&shard).unwrap().fsynced(ticket);
        }
        self.settle(at);
    }

    fn suspect(&mut self, at: usize) {
        let node = &mut self.nodes[at];
        for peer in (0..NODES.len()).filter(|peer| *peer != at) {
            if !node.suspects[peer] && self.now > node.heard[peer] + SUSPECT_US {
                node.suspects[peer] = true;
                for group in
                    node.groups.values_mut().filter(|group| group.leader() == Some(NODES[peer]))
                {
                    group.campaign();
                }
            }
        }
    }

    /// The delay of a message; `None` if it is lost.
    fn delay(&mut self, from: usize, to: usize) -> Option<u64> {
        if self.cut.contains(&(from, to)) || self.chance.one_in(self.faults.drop_one_in) {
            return None;
        }
        let arrival = self.now + 200 + self.chance.below(600);
        if self.faults.reorder {
            let late = if self.chance.one_in(20) { self.chance.below(50_000) } else { 0 };
            return Some(arrival + late - self.now);
        }
        let ordered = arrival.max(self.link_busy[from][to] + 1);
        self.link_busy[from][to] = ordered;
        Some(ordered - self.now)
    }

    /// Ends a node's turn: polls, checks the applied records, writes and sends.
    fn settle(&mut self, at: usize) {
        let mut ready = std::mem::take(&mut self.ready);
        let mut envelopes: [Vec<(ShardId, JournalMessage)>; 3] = Default::default();
        for shard in SHARDS {
            ready.clear();
            let node = &mut self.nodes[at];
            let group = node.groups.get_mut(&shard).unwrap();
            group.poll(&mut ready);
            node.wal.gather(shard, &ready);
            let state = node.states.get_mut(&shard).unwrap();
            if let Some(snapshot) = &ready.installed {
                *state = decode(snapshot.state());
                for (index, value) in state.iter() {
                    assert_eq!(
                        self.chosen.get(&(shard, *index)),
                        Some(value),
                        "a snapshot holds what was chosen"
                    );
                }
            }
            for committed in &ready.committed {
                let value = committed.record().try_into().map_or(0, u64::from_le_bytes);
                let chosen = *self.chosen.entry((shard, committed.index())).or_insert(value);
                assert_eq!(chosen, value, "one record is chosen at {shard} {}", committed.index());
                assert!(
                    state.last().is_none_or(|(last, _)| *last < committed.index()),
                    "records come in order"
                );
                if value != 0 {
                    state.push((committed.index(), value));
                }
                if group.is_leader() {
                    let acked = self.acked.entry(shard).or_default();
                    *acked = committed.index().max(*acked);
                }
            }
            for read in ready.reads.drain(..) {
                let floor =
                    node.reads.remove(&(shard, read)).expect("only an open read is answered");
                assert!(group.applied() >= floor, "a confirmed answer is not stale");
                self.answered += 1;
            }
            if group.uncompacted() > self.faults.compact_after {
                group.compact(encode(state));
            }
            self.refused += ready.refused.len() as u64;
            for message in ready.messages.drain(..) {
                assert_eq!(message.from(), NODES[at]);
                envelopes[usize::from(message.to().0 - 1)].push((shard, message));
            }
        }
        self.ready = ready;
        for (to, messages) in
            envelopes.into_iter().enumerate().filter(|(_, messages)| !messages.is_empty())
        {
            self.journal_messages += messages.len() as u64;
            self.snapshots_sent +=
                messages.iter().filter(|(_, message)| is_snapshot(message)).count() as u64;
            if let Some(delay) = self.delay(at, to) {
                let boot = self.nodes[to].boot;
                self.at(delay, Event::Journal { to, boot, messages });
            }
        }
        let node = &mut self.nodes[at];
        if let Some(write) = node.wal.begin(node.groups.values()) {
            node.disk.in_flight = Some((write.segment, write.bytes.clone()));
            let boot = node.boot;
            let delay = 200 + self.chance.below(600);
            self.at(delay, Event::Persisted { node: at, boot, write });
        }
    }

    /// Crashes a node. A prefix of its write in flight survives.
    pub(crate) fn crash(&mut self, at: usize, restart_after: u64) {
        let node = &mut self.nodes[at];
        if !node.up {
            return;
        }
        node.up = false;
        if let Some((segment, bytes)) = node.disk.in_flight.take() {
            let survives = self.chance.below(bytes.len() as u64 + 1) as usize;
            if node.disk.kept == node.disk.claimed {
                node.disk.kept.entry(segment).or_default().extend_from_slice(&bytes[..survives]);
            }
        }
        if self.faults.rotting == Some(at)
            && let Some(mut segment) = node.disk.kept.last_entry()
            && !segment.get().is_empty()
        {
            let byte = self.chance.below(segment.get().len() as u64) as usize;
            segment.get_mut()[byte] ^= 1 << self.chance.below(8);
            self.rotted += 1;
        }
        node.disk.claimed = node.disk.kept.clone();
        node.groups.clear();
        self.at(restart_after, Event::Restart { node: at });
    }

    fn restart(&mut self, at: usize) {
        let segments = self.nodes[at].disk.kept.clone().into_iter().collect();
        let has_written = self.nodes[at].disk.has_written;
        let mut recovered = Wal::recover(Found { has_written, segments });
        let boot = self.nodes[at].boot + 1;
        let mut groups = BTreeMap::new();
        let mut states = BTreeMap::new();
        for shard in SHARDS {
            let settings = Settings {
                election_ticks: (self.election_ticks + self.chance.below(10)) as usize,
                keep_records: self.faults.keep_records,
                ..Settings::default()
            };
            let durable = recovered.take(shard);
            groups.insert(shard, RaftGroup::new(shard, NODES[at], &NODES, settings, durable));
            states.insert(shard, State::new());
        }
        let node = &mut self.nodes[at];
        node.groups = groups;
        node.states = states;
        node.wal = Wal::new(self.faults.segment_bytes, recovered.next_segment);
        node.reads.clear();
        node.boot = boot;
        node.up = true;
        node.heard = [self.now; 3];
        node.suspects = [false; 3];
        let (tick, beat) = (self.chance.below(TICK_US), self.chance.below(BEAT_US));
        self.at(tick, Event::Tick { node: at, boot });
        self.at(beat, Event::BeatDue { node: at, boot });
        self.settle(at);
    }

    /// Proposes a fresh record on every node that believes it leads.
    pub(crate) fn propose(&mut self, shard: ShardId) -> bool {
        let mut taken = false;
        for at in 0..NODES.len() {
            let value = self.next_value;
            if self.nodes[at].groups.get_mut(&shard).is_some_and(|group| {
                group.may_serve() && group.propose(value.to_le_bytes().to_vec())
            }) {
                self.next_value += 1;
                taken = true;
                self.settle(at);
            }
        }
        taken
    }

    /// Asks every node that believes it leads to prove it.
    pub(crate) fn ask(&mut self, shard: ShardId) {
        for at in 0..NODES.len() {
            let read = ReadId(self.next_value);
            let node = &mut self.nodes[at];
            if node.groups.get_mut(&shard).is_some_and(|group| group.confirm_leadership(read)) {
                self.next_value += 1;
                node.reads.insert((shard, read), self.acked.get(&shard).copied().unwrap_or(0));
                self.settle(at);
            }
        }
    }

    pub(crate) fn transfer(&mut self, shard: ShardId, to: usize) {
        for at in 0..NODES.len() {
            if let Some(group) = self.nodes[at].groups.get_mut(&shard) {
                group.transfer(NODES[to]);
                self.settle(at);
            }
        }
    }

    /// After all faults have ended: every shard takes a record, every replica applies it, and no acknowledged record is
    /// missing.
    pub(crate) fn check_live(&mut self) {
        for shard in SHARDS {
            let before = self.acked.get(&shard).copied();
            assert!(self.propose(shard), "{shard} has a leader");
            self.run_until(self.now + 500_000);
            let acked = self.acked[&shard];
            assert!(Some(acked) > before, "{shard} commits");
            for node in &self.nodes {
                assert!(node.groups[&shard].applied() >= acked, "every replica of {shard} follows");
                let held: State = node.states[&shard]
                    .iter()
                    .copied()
                    .filter(|(index, _)| *index <= acked)
                    .collect();
                let promised: State = (1..=acked)
                    .map(|index| {
                        (index, *self.chosen.get(&(shard, index)).expect("a log has no gaps"))
                    })
                    .filter(|(_, value)| *value != 0)
                    .collect();
                assert_eq!(
                    held, promised,
                    "every replica of {shard} holds all acknowledged records"
                );
            }
        }
    }

    /// After a while without work: silence.
    pub(crate) fn check_asleep(&mut self) {
        self.run_until(self.now + 1_000_000);
        let messages = self.journal_messages;
        self.run_until(self.now + 2_000_000);
        assert_eq!(self.journal_messages, messages, "sleeping groups send nothing");
        for node in &self.nodes {
            assert!(node.groups.values().all(|group| !group.awake()), "{:?}", node.groups);
        }
    }
}

pub(crate) fn is_snapshot(message: &JournalMessage) -> bool {
    format!("{message:?}").contains("MsgSnapshot")
}

pub(crate) fn encode(state: &State) -> Vec<u8> {
    state
        .iter()
        .flat_map(|(index, value)| [index.to_le_bytes(), value.to_le_bytes()])
        .flatten()
        .collect()
}

pub(crate) fn decode(bytes: &[u8]) -> State {
    let number = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap());
    bytes.chunks(16).map(|pair| (number(&pair[..8]), number(&pair[8..]))).collect()
}
