//! Five nodes without a clock, on which replicas join and leave a log.
//!
//! Owns the links, the disks and the chosen records, against which every replica is checked.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use onsale_booking::NodeId;
use onsale_cluster::ShardId;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{
    Change, Durable, Found, JournalMessage, RaftGroup, Ready, ReplicaId, Settings, Wal, frame,
};

use crate::chance::Chance;

pub(crate) const SHARD: ShardId = ShardId(3);
pub(crate) const FIRST: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];
pub(crate) const NODES: u16 = 5;

pub(crate) struct Node {
    pub(crate) group: Option<RaftGroup>,
    pub(crate) wal: Wal,
    pub(crate) disk: BTreeMap<u32, Vec<u8>>,
    /// Whether a write to that disk was ever durable.
    pub(crate) has_written: bool,
    /// The records that the replica has applied: index and value.
    pub(crate) state: Vec<(u64, u64)>,
    pub(crate) up: bool,
    pub(crate) ticks: usize,
    /// Replicas of earlier generations are given up, because the disk forgot.
    pub(crate) since: u32,
}

/// Five nodes, of which some begin the log.
pub(crate) struct Five {
    pub(crate) first: &'static [NodeId],
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: BTreeMap<(NodeId, NodeId), VecDeque<JournalMessage>>,
    /// The records applied on any node: the one chosen sequence.
    pub(crate) chosen: BTreeMap<u64, u64>,
    /// The greatest index that a leader applied of its own proposals.
    pub(crate) acknowledged: u64,
    pub(crate) values: u64,
    pub(crate) generation: u32,
    pub(crate) compact_after: u64,
    /// The node whose next write is torn, and after how many frames, or in the last: it dies during that write.
    pub(crate) tears: Option<(NodeId, usize)>,
}

pub(crate) fn settings(at: u16) -> Settings {
    Settings { election_ticks: 5 + usize::from(at), keep_records: 2, ..Settings::default() }
}

pub(crate) fn values(state: &[u8]) -> Vec<(u64, u64)> {
    let words: Vec<u64> =
        state.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

impl Five {
    /// Three begin the log.
    pub(crate) fn new(compact_after: u64) -> Self {
        Self::begun_by(&FIRST, compact_after)
    }

    pub(crate) fn begun_by(first: &'static [NodeId], compact_after: u64) -> Self {
        let node = |_| Node {
            group: None,
            wal: Wal::new(2_000, 0),
            disk: BTreeMap::new(),
            has_written: false,
            state: Vec::new(),
            up: false,
            ticks: 0,
            since: 0,
        };
        let mut five = Self {
            first,
            nodes: (0..NODES).map(node).collect(),
            links: BTreeMap::new(),
            chosen: BTreeMap::new(),
            acknowledged: 0,
            values: 0,
            generation: 0,
            compact_after,
            tears: None,
        };
        (1..=NODES).map(NodeId).for_each(|node| five.start(node));
        five.group(first[0]).campaign();
        five.settle(first[0]);
        five.rounds(20);
        assert_eq!(five.leader(), Some(first[0]));
        five
    }

    pub(crate) fn at(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[usize::from(node.0) - 1]
    }

    pub(crate) fn group(&mut self, node: NodeId) -> &mut RaftGroup {
        self.at(node).group.as_mut().expect("it has a replica")
    }

    pub(crate) fn crash(&mut self, node: NodeId) {
        self.at(node).up = false;
        self.at(node).group = None;
        self.links.retain(|&(from, to), _| from != node && to != node);
    }

    /// A node dies, and starts again on an empty disk. Returns the replica that is to replace the one that it had, or
    /// that others believe it has.
    pub(crate) fn forget(&mut self, node: NodeId) -> ReplicaId {
        if self.at(node).up {
            self.crash(node);
            self.miss(node);
        }
        self.generation += 1;
        self.at(node).since = self.generation;
        self.at(node).disk.clear();
        self.at(node).has_written = false;
        self.start(node);
        ReplicaId::new(node, self.generation)
    }

    /// The followers of a dead node stand for election.
    pub(crate) fn miss(&mut self, dead: NodeId) {
        for node in (1..=NODES).map(NodeId) {
            let group = self.at(node).group.as_mut();
            if let Some(group) = group.filter(|group| group.leader() == Some(dead)) {
                group.campaign();
                self.settle(node);
            }
        }
    }

    /// A dead node starts again; one that was to die in its next write dies now.
    pub(crate) fn come_back(&mut self, node: NodeId) {
        self.tears = None;
        if self.at(node).up {
            self.crash(node);
        }
        self.miss(node);
        self.start(node);
    }

    pub(crate) fn start(&mut self, node: NodeId) {
        let first = self.first;
        let this = self.at(node);
        let segments: Vec<_> = this.disk.clone().into_iter().collect();
        let mut recovered = Wal::recover(Found { has_written: this.has_written, segments });
        assert!(!recovered.lost_promises());
        this.wal = Wal::new(2_000, recovered.next_segment);
        (this.up, this.state) = (true, Vec::new());
        let durable = recovered.take(SHARD);
        let begins = first.contains(&node) && this.since == 0;
        if begins || durable != Durable::default() {
            this.group = Some(RaftGroup::new(SHARD, node, first, settings(node.0), durable));
            self.settle(node);
        }
    }

    /// Polls, writes and applies until nothing is left; disks are instant.
    pub(crate) fn settle(&mut self, id: NodeId) {
        let mut ready = Ready::default();
        let compact_after = self.compact_after;
        loop {
            let tears = self.tears.filter(|(node, _)| *node == id);
            let node = self.at(id);
            let Some(group) = &mut node.group else { return };
            ready.clear();
            group.poll(&mut ready);
            if ready.is_empty() {
                break;
            }
            node.wal.gather(SHARD, &ready);
            if let Some(snapshot) = &ready.installed {
                node.state = values(snapshot.state());
            }
            let (leads, mut applied) = (group.is_leader().then(|| group.epoch()), Vec::new());
            for committed in &ready.committed {
                let record = committed.record();
                let value = record.try_into().map_or(0, |bytes: [u8; 8]| u64::from_le_bytes(bytes));
                if value > 0 {
                    node.state.push((committed.index(), value));
                }
                applied.push((committed.index(), value, leads == Some(committed.epoch())));
            }
            if group.uncompacted() >= compact_after {
                let words = node.state.iter().flat_map(|&(index, value)| [index, value]);
                group.compact(words.flat_map(u64::to_le_bytes).collect());
            }
            if let Some(write) = node.wal.begin(&node.group) {
                if let Some((_, frames)) = tears {
                    let mut whole = frame::read(&write.bytes);
                    whole.by_ref().take(frames).for_each(drop);
                    let kept = &write.bytes[..(whole.offset() + 5).min(write.bytes.len() - 1)];
                    node.disk.entry(write.segment).or_default().extend(kept);
                    self.tears = None;
                    return self.crash(id);
                }
                node.disk.entry(write.segment).or_default().extend(&write.bytes);
                node.disk.retain(|&segment, _| segment >= write.retire_below);
                node.has_written = true;
                for (_, ticket) in node.wal.persisted(write.id) {
                    node.group.as_mut().unwrap().fsynced(ticket);
                }
            }
            for (index, value, acknowledges) in applied {
                let chosen = *self.chosen.entry(index).or_insert(value);
                assert_eq!(chosen, value, "{id} applies another record at {index}");
                if acknowledges {
                    self.acknowledged = self.acknowledged.max(index);
                }
            }
            for message in ready.messages.drain(..) {
                self.links.entry((id, message.to())).or_default().push_back(message);
            }
        }
    }

    /// Delivers the oldest message of a link.
    pub(crate) fn deliver(&mut self, link: (NodeId, NodeId)) {
        let message = self.links.get_mut(&link).and_then(VecDeque::pop_front);
        let Some(message) = message.filter(|_| self.at(link.1).up) else { return };
        let (to, replica) = (link.1, message.replica());
        let known = self.at(to).group.as_ref().map(generation_of);
        let is_newer = known.is_none_or(|known| replica.generation() > known);
        if message.is_from_leader() && is_newer && replica.generation() >= self.at(to).since {
            let joining = Durable::joining(replica.generation());
            self.at(to).state.clear();
            let group = RaftGroup::new(SHARD, to, self.first, settings(to.0), joining);
            self.at(to).group = Some(group);
        }
        if let Some(group) = &mut self.at(to).group {
            group.step(message);
            self.settle(to);
        }
    }

    pub(crate) fn tick(&mut self, node: NodeId) {
        self.at(node).ticks += 1;
        if let Some(group) = self.at(node).group.as_mut().filter(|group| group.awake()) {
            group.tick();
            self.settle(node);
        }
    }

    /// All nodes tick, and all messages under way arrive, in each of these rounds.
    pub(crate) fn rounds(&mut self, rounds: usize) {
        for _ in 0..rounds {
            (1..=NODES).map(NodeId).for_each(|node| self.tick(node));
            for _ in 0..20 {
                let links: Vec<_> = self.links.keys().copied().collect();
                links.into_iter().for_each(|link| self.deliver(link));
            }
        }
    }

    /// Rounds among these nodes alone: messages under way to or from others are lost.
    pub(crate) fn rounds_among(&mut self, nodes: &[NodeId], rounds: usize) {
        for _ in 0..rounds {
            nodes.iter().for_each(|&node| self.tick(node));
            for _ in 0..20 {
                self.links.retain(|(from, to), _| nodes.contains(from) == nodes.contains(to));
                let links = self.links.keys().copied().filter(|(from, _)| nodes.contains(from));
                links.collect::<Vec<_>>().into_iter().for_each(|link| self.deliver(link));
            }
        }
    }

    /// Loses one message under way in `loss`, and delivers most of the rest.
    pub(crate) fn carry_some(&mut self, chance: &mut Chance, loss: u64) {
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            if chance.one_in(loss) {
                self.links.get_mut(&link).and_then(VecDeque::pop_front);
            } else if !chance.one_in(3) {
                self.deliver(link);
            }
        }
    }

    /// Random life around a schedule: one node at a time dies and comes back, a leader proposes, time passes, and
    /// messages arrive or do not.
    pub(crate) fn live_on(
        &mut self,
        roll: u64,
        node: NodeId,
        down: &mut BTreeSet<NodeId>,
        (chance, loss): (&mut Chance, u64),
    ) {
        match roll {
            0 if down.is_empty() && self.at(node).up => {
                down.insert(node);
                if chance.one_in(2) {
                    // It dies in its next write, and is missed when it is back.
                    self.tears = Some((node, chance.below(6) as usize));
                } else {
                    self.crash(node);
                    self.miss(node);
                }
            }
            1 | 2 => {
                if let Some(node) = down.pop_first() {
                    self.come_back(node);
                }
            }
            3..8 => self.propose(),
            8..12 => (1..=NODES).map(NodeId).for_each(|node| self.tick(node)),
            _ => self.carry_some(chance, loss),
        }
    }

    /// Checks that there is a leader, the log goes on, and all acknowledged records are there.
    pub(crate) fn check_whole(&mut self, seed: u64) {
        let leader = self.leader().unwrap_or_else(|| panic!("seed {seed}: no node leads"));
        let before = self.acknowledged;
        self.propose();
        self.rounds(5);
        assert!(self.acknowledged > before, "seed {seed}: nothing goes on");
        let has = self.at(leader).state.clone();
        let lost = self.chosen.iter().find(|&(&index, &value)| {
            value > 0 && index <= before && !has.contains(&(index, value))
        });
        assert_eq!(lost, None, "seed {seed}");
    }

    pub(crate) fn leader(&self) -> Option<NodeId> {
        let leads =
            |node: &&(NodeId, &Node)| node.1.group.as_ref().is_some_and(RaftGroup::may_serve);
        let nodes: Vec<_> = (1..).map(NodeId).zip(&self.nodes).collect();
        let leader = nodes
            .iter()
            .filter(leads)
            .max_by_key(|node| node.1.group.as_ref().map(RaftGroup::epoch));
        leader.map(|&(node, _)| node)
    }

    pub(crate) fn propose(&mut self) {
        let Some(leader) = self.leader() else { return };
        self.values += 1;
        let value = self.values.to_le_bytes().to_vec();
        self.group(leader).propose(value);
        self.settle(leader);
    }

    pub(crate) fn change(&mut self, change: Change) -> bool {
        let leader = self.leader().expect("a node leads");
        let taken = self.group(leader).change_members(change);
        self.settle(leader);
        taken
    }

    /// Takes the next step to replace `old` by `new`, whichever node leads.
    pub(crate) fn push_on(&mut self, new: ReplicaId, old: NodeId) {
        let Some(leader) = self.leader() else { return };
        let group = self.group(leader);
        let members = group.members().clone();
        let is_old = |member: &ReplicaId| member.node() == old && *member != new;
        let old_voter = members.voters().iter().copied().find(is_old);
        let old_learner = members.learners().iter().copied().find(is_old);
        // A sole voter gives way itself.
        let leads = is_old(&group.replica()) && members.voters().len() > 1;
        let new_is_level = group.lag(new).is_some_and(|lag| lag <= 2);
        let change = match (members.learners().contains(&new), old_voter, old_learner) {
            _ if members.is_joint() => return,
            (_, _, Some(old)) => Change::Drops(old),
            (true, Some(demoted), _) if new_is_level && !leads => {
                Change::Swaps { promoted: new, demoted }
            }
            (false, Some(_), None) => Change::Learns(new),
            _ => return,
        };
        if leads {
            let successor = members.voters().iter().find(|member| member.node() != old);
            let successor = successor.expect("there are others").node();
            self.group(leader).transfer(successor);
            self.settle(leader);
        }
        let leader = self.leader().unwrap_or(leader);
        self.group(leader).change_members(change);
        self.settle(leader);
    }

    /// Replaces one replica by another.
    pub(crate) fn replace(&mut self, old: NodeId, new: NodeId) -> ReplicaId {
        self.generation += 1;
        let new = ReplicaId::new(new, self.generation);
        for _ in 0..60 {
            self.push_on(new, old);
            self.rounds(2);
        }
        let leader = self.leader().expect("a node leads");
        let members = self.group(leader).members().clone();
        assert!(members.voters().contains(&new), "{members:?}");
        assert!(members.all().iter().all(|member| member.node() != old), "{members:?}");
        new
    }

    pub(crate) fn voters(&mut self) -> Vec<ReplicaId> {
        let leader = self.leader().expect("a node leads");
        self.group(leader).members().voters().to_vec()
    }
}

pub(crate) fn generation_of(group: &RaftGroup) -> u32 {
    let mut frames = Vec::new();
    group.checkpoint(&mut frames);
    let named = frame::read(&frames).find_map(|frame| {
        if let Frame::Replica { generation, .. } = frame { Some(generation) } else { None }
    });
    named.unwrap_or(0)
}
