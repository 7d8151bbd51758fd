//! Replicas that join and leave a log while it grows, on five nodes without a clock: scripts
//! for what hurts, then chance.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use onsale_booking::NodeId;
use onsale_cluster::ShardId;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{
    Change, Durable, Found, JournalMessage, RaftGroup, Ready, ReplicaId, Settings, Wal, frame,
};

use crate::cluster::Chance;

const SHARD: ShardId = ShardId(3);
const FIRST: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];
const NODES: u16 = 5;

struct Node {
    group: Option<RaftGroup>,
    wal: Wal,
    disk: BTreeMap<u32, Vec<u8>>,
    /// Whether a write to that disk was ever durable.
    has_written: bool,
    /// What the replica has applied: index and value.
    state: Vec<(u64, u64)>,
    up: bool,
    ticks: usize,
    /// Replicas that came before are given up, because the disk forgot.
    since: u32,
}

/// Five nodes, of which some begin the log.
struct Five {
    first: &'static [NodeId],
    nodes: Vec<Node>,
    links: BTreeMap<(NodeId, NodeId), VecDeque<JournalMessage>>,
    /// What was applied anywhere: the one chosen sequence.
    chosen: BTreeMap<u64, u64>,
    /// The greatest index that a leader applied of what it had proposed.
    acknowledged: u64,
    values: u64,
    generation: u32,
    compact_after: u64,
    /// Whose next write is torn, and after how many frames, or in the last: the node dies in it.
    tears: Option<(NodeId, usize)>,
}

fn settings(at: u16) -> Settings {
    Settings { election_ticks: 5 + usize::from(at), keep_records: 2, ..Settings::default() }
}

fn values(state: &[u8]) -> Vec<(u64, u64)> {
    let words: Vec<u64> =
        state.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    words.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect()
}

impl Five {
    /// Three begin the log.
    fn new(compact_after: u64) -> Self {
        Self::begun_by(&FIRST, compact_after)
    }

    fn begun_by(first: &'static [NodeId], compact_after: u64) -> Self {
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

    fn at(&mut self, node: NodeId) -> &mut Node {
        &mut self.nodes[usize::from(node.0) - 1]
    }

    fn group(&mut self, node: NodeId) -> &mut RaftGroup {
        self.at(node).group.as_mut().expect("it has a replica")
    }

    fn crash(&mut self, node: NodeId) {
        self.at(node).up = false;
        self.at(node).group = None;
        self.links.retain(|&(from, to), _| from != node && to != node);
    }

    /// A node dies, and starts again on an empty disk. Says which replica is to take the place of the one that
    /// it had, or that others take to be there.
    fn forget(&mut self, node: NodeId) -> ReplicaId {
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

    /// Those who followed a dead node stand for election.
    fn miss(&mut self, dead: NodeId) {
        for node in (1..=NODES).map(NodeId) {
            let group = self.at(node).group.as_mut();
            if let Some(group) = group.filter(|group| group.leader() == Some(dead)) {
                group.campaign();
                self.settle(node);
            }
        }
    }

    /// A node that died starts again, or one that was to die in its next write dies now.
    fn come_back(&mut self, node: NodeId) {
        self.tears = None;
        if self.at(node).up {
            self.crash(node);
        }
        self.miss(node);
        self.start(node);
    }

    fn start(&mut self, node: NodeId) {
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

    /// Polls, writes and applies until nothing follows; disks are instant.
    fn settle(&mut self, id: NodeId) {
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
    fn deliver(&mut self, link: (NodeId, NodeId)) {
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

    fn tick(&mut self, node: NodeId) {
        self.at(node).ticks += 1;
        if let Some(group) = self.at(node).group.as_mut().filter(|group| group.awake()) {
            group.tick();
            self.settle(node);
        }
    }

    /// Everybody ticks, and everything that is under way arrives, so many times.
    fn rounds(&mut self, rounds: usize) {
        for _ in 0..rounds {
            (1..=NODES).map(NodeId).for_each(|node| self.tick(node));
            for _ in 0..20 {
                let links: Vec<_> = self.links.keys().copied().collect();
                links.into_iter().for_each(|link| self.deliver(link));
            }
        }
    }

    /// The same among these alone: what is under way to or from others is lost.
    fn rounds_among(&mut self, nodes: &[NodeId], rounds: usize) {
        for _ in 0..rounds {
            nodes.iter().for_each(|&node| self.tick(node));
            for _ in 0..20 {
                self.links.retain(|(from, to), _| nodes.contains(from) == nodes.contains(to));
                let links = self.links.keys().copied().filter(|(from, _)| nodes.contains(from));
                links.collect::<Vec<_>>().into_iter().for_each(|link| self.deliver(link));
            }
        }
    }

    /// Of what is under way, some is lost, one in so many, and most of the rest arrives.
    fn carry_some(&mut self, chance: &mut Chance, loss: u64) {
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            if chance.one_in(loss) {
                self.links.get_mut(&link).and_then(VecDeque::pop_front);
            } else if !chance.one_in(3) {
                self.deliver(link);
            }
        }
    }

    /// What happens whatever a schedule is about: one node at a time dies and comes back, somebody proposes,
    /// time passes, and messages arrive or do not.
    fn live_on(
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
                    // It dies when it writes next, and is missed when it is back.
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

    /// Somebody leads, the log goes on, and all that was acknowledged is there.
    fn check_whole(&mut self, seed: u64) {
        let leader = self.leader().unwrap_or_else(|| panic!("seed {seed}: nobody leads"));
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

    fn leader(&self) -> Option<NodeId> {
        let leads =
            |node: &&(NodeId, &Node)| node.1.group.as_ref().is_some_and(RaftGroup::may_serve);
        let nodes: Vec<_> = (1..).map(NodeId).zip(&self.nodes).collect();
        let leader = nodes
            .iter()
            .filter(leads)
            .max_by_key(|node| node.1.group.as_ref().map(RaftGroup::epoch));
        leader.map(|&(node, _)| node)
    }

    fn propose(&mut self) {
        let Some(leader) = self.leader() else { return };
        self.values += 1;
        let value = self.values.to_le_bytes().to_vec();
        self.group(leader).propose(value);
        self.settle(leader);
    }

    fn change(&mut self, change: Change) -> bool {
        let leader = self.leader().expect("somebody leads");
        let taken = self.group(leader).change_members(change);
        self.settle(leader);
        taken
    }

    /// Takes the next step towards `new` in the place of `old`, whoever leads.
    fn push_on(&mut self, new: ReplicaId, old: NodeId) {
        let Some(leader) = self.leader() else { return };
        let group = self.group(leader);
        let members = group.members().clone();
        let is_old = |member: &ReplicaId| member.node() == old && *member != new;
        let old_voter = members.voters().iter().copied().find(is_old);
        let old_learner = members.learners().iter().copied().find(is_old);
        // The only voter gives way itself.
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

    /// One replica takes another's place.
    fn replace(&mut self, old: NodeId, new: NodeId) -> ReplicaId {
        self.generation += 1;
        let new = ReplicaId::new(new, self.generation);
        for _ in 0..60 {
            self.push_on(new, old);
            self.rounds(2);
        }
        let leader = self.leader().expect("somebody leads");
        let members = self.group(leader).members().clone();
        assert!(members.voters().contains(&new), "{members:?}");
        assert!(members.all().iter().all(|member| member.node() != old), "{members:?}");
        new
    }

    fn voters(&mut self) -> Vec<ReplicaId> {
        let leader = self.leader().expect("somebody leads");
        self.group(leader).members().voters().to_vec()
    }
}

fn generation_of(group: &RaftGroup) -> u32 {
    let mut frames = Vec::new();
    group.checkpoint(&mut frames);
    let named = frame::read(&frames).find_map(|frame| {
        if let Frame::Replica { generation, .. } = frame { Some(generation) } else { None }
    });
    named.unwrap_or(0)
}

#[test]
fn a_replica_takes_anothers_place_and_then_bears_the_log() {
    // The log is on 1, 2 and 3. 4 takes the place of 2, and 5 that of 3; then 1 dies, and what
    // was acknowledged before anybody moved is on 4 and 5.
    for compact_after in [u64::MAX, 8] {
        let mut five = Five::new(compact_after);
        (0..20).for_each(|_| five.propose());
        five.rounds(3);
        let acknowledged = five.acknowledged;
        five.replace(FIRST[1], NodeId(4));
        five.replace(FIRST[2], NodeId(5));
        five.crash(FIRST[0]);
        five.miss(FIRST[0]);
        five.rounds(60);
        let leader = five.leader().expect("4 and 5 are a quorum");
        assert!([NodeId(4), NodeId(5)].contains(&leader));
        assert!(five.at(leader).state.iter().any(|&(index, _)| index == acknowledged));
        five.propose();
        five.rounds(3);
        assert!(five.acknowledged > acknowledged + 2);
    }
}

#[test]
fn members_survive_restarts_in_the_midst_of_a_change() {
    // Everybody dies after each round of a change, and comes back with what the disks hold.
    for compact_after in [u64::MAX, 4] {
        let mut five = Five::new(compact_after);
        five.generation += 1;
        let new = ReplicaId::new(NodeId(4), five.generation);
        for _ in 0..40 {
            five.propose();
            five.push_on(new, FIRST[1]);
            five.rounds(1);
            (1..=NODES).map(NodeId).for_each(|node| five.crash(node));
            (1..=NODES).map(NodeId).for_each(|node| five.start(node));
            five.rounds(60);
        }
        assert!(five.voters().contains(&new), "{:?}", five.voters());
        assert_eq!(five.voters().len(), 3);
    }
}

#[test]
fn a_write_that_is_torn_in_a_move_does_not_bring_members_of_long_ago_back() {
    // 4 takes the place of 3, and 1 leads. 3 dies in the write by which it learns of the last step, *Settles*: the
    // step is on its disk, and what follows in that write, that the step before it is committed, is not. Members
    // are 1, 2 and 4 by now, of whom 1 and 4 go on, cut off from 2 and 3. If 3 now counted 1, 2 and 3 as members,
    // it and 2 would be a quorum, too.
    let mut five = Five::new(u64::MAX);
    let (new, old) = (ReplicaId::new(NodeId(4), 1), ReplicaId::new(FIRST[2], 0));
    assert!(five.change(Change::Learns(new)));
    five.rounds(5);
    assert!(five.change(Change::Swaps { promoted: new, demoted: old }));
    let is_joint = |five: &mut Five, node| five.group(node).members().is_joint();
    while !is_joint(&mut five, FIRST[0]) {
        let links: Vec<_> = five.links.keys().copied().collect();
        links.into_iter().for_each(|link| five.deliver(link));
    }
    five.tears = Some((FIRST[2], 1));
    while five.at(FIRST[2]).up {
        five.deliver((FIRST[0], FIRST[2]));
        assert!(!five.links.is_empty(), "it is told of the last step");
    }
    five.rounds_among(&[FIRST[0], FIRST[1], NodeId(4)], 3);
    assert!(five.voters().contains(&new) && !is_joint(&mut five, FIRST[0]));
    five.links.clear();
    let before = five.acknowledged;
    five.propose();
    five.rounds_among(&[FIRST[0], NodeId(4)], 5);
    assert!(five.acknowledged > before, "1 and 4 are a quorum");
    five.start(FIRST[2]);
    five.group(FIRST[2]).campaign();
    five.settle(FIRST[2]);
    five.rounds_among(&FIRST[1..], 100);
    assert!(!five.group(FIRST[1]).is_leader() && !five.group(FIRST[2]).is_leader());
    five.rounds(60);
    five.check_whole(0);
}

#[test]
fn a_replica_without_a_say_does_not_stand() {
    // 4 has taken the place of 1, which is to be dropped: the record is on the way. 2, which leads, dies. If 1
    // were elected it would commit its own removal, and lead on with nobody to listen to it.
    let mut five = Five::new(u64::MAX);
    let (new, old) = (ReplicaId::new(NodeId(4), 1), ReplicaId::new(FIRST[0], 0));
    five.group(FIRST[0]).transfer(FIRST[1]);
    five.settle(FIRST[0]);
    five.rounds(5);
    assert!(five.change(Change::Learns(new)));
    five.rounds(5);
    assert!(five.change(Change::Swaps { promoted: new, demoted: old }));
    five.rounds(5);
    assert!(five.change(Change::Drops(old)));
    for to in [FIRST[0], NodeId(4)] {
        five.deliver((FIRST[1], to));
    }
    five.crash(FIRST[1]);
    five.group(FIRST[0]).campaign();
    five.settle(FIRST[0]);
    five.rounds(10);
    assert!(!five.group(FIRST[0]).is_leader());
    five.miss(FIRST[1]);
    five.rounds(20);
    let leader = five.leader().expect("3 and 4 are a quorum");
    assert!([FIRST[2], NodeId(4)].contains(&leader));
    five.start(FIRST[1]);
    five.rounds(20);
    five.check_whole(0);
}

#[test]
fn a_vote_is_remembered_with_the_replica_that_it_was_for() {
    // Node 4 has had a replica of generation 1, and now has one of generation 2: a vote for the one is none for the
    // other, also after a restart.
    let mut five = Five::new(u64::MAX);
    five.replace(FIRST[1], NodeId(4));
    let second = five.replace(NodeId(4), FIRST[1]);
    assert_eq!(second.generation(), 2);
    five.group(FIRST[1]).campaign();
    five.settle(FIRST[1]);
    five.rounds(5);
    assert_eq!(five.leader(), Some(FIRST[1]));
    for restarts in [false, true] {
        if restarts {
            five.crash(FIRST[0]);
            five.start(FIRST[0]);
        }
        let mut frames = Vec::new();
        five.group(FIRST[0]).checkpoint(&mut frames);
        let vote = frame::read(&frames).find_map(|frame| {
            if let Frame::HardState { vote, .. } = frame { Some(vote) } else { None }
        });
        assert_eq!(vote, Some(Some(second)), "restarted: {restarts}");
    }
}

#[test]
fn a_replica_that_left_stays_away() {
    // 2 has left and dropped its replica. What an old leader still says to it finds nobody, even
    // after a restart; when it joins again it is another replica.
    let mut five = Five::new(5);
    five.propose();
    let late: Vec<JournalMessage> = {
        let leader = FIRST[0];
        five.group(leader).ping();
        five.settle(leader);
        five.links.get(&(leader, FIRST[1])).into_iter().flatten().cloned().collect()
    };
    assert!(!late.is_empty());
    five.replace(FIRST[1], NodeId(4));
    five.group(FIRST[1]).leave();
    five.settle(FIRST[1]);
    five.crash(FIRST[1]);
    five.start(FIRST[1]);
    five.links.entry((FIRST[0], FIRST[1])).or_default().extend(late);
    five.rounds(20);
    assert_eq!(five.group(FIRST[1]).applied(), 0);
    assert!(!five.group(FIRST[1]).awake());
    let back = five.replace(FIRST[2], FIRST[1]);
    assert!(back.generation() > 0 && five.voters().contains(&back));
    assert!(five.group(FIRST[1]).applied() > 0);
}

#[test]
fn one_step_at_a_time_and_only_one_that_follows() {
    let mut five = Five::new(u64::MAX);
    let (new, old) = (ReplicaId::new(NodeId(4), 1), ReplicaId::new(FIRST[1], 0));
    assert!(!five.change(Change::Swaps { promoted: new, demoted: old }), "it has not learned");
    assert!(!five.change(Change::Drops(old)), "it has a say");
    assert!(five.change(Change::Learns(new)));
    assert!(!five.change(Change::Learns(ReplicaId::new(NodeId(5), 2))), "one is under way");
    five.rounds(5);
    assert!(five.change(Change::Swaps { promoted: new, demoted: old }));
    five.rounds(5);
    let leader = five.leader().unwrap();
    assert!(!five.group(leader).members().is_joint(), "a leader ends what is half done");
    assert_eq!(five.voters().len(), 3);
}

#[test]
fn a_leader_that_loses_its_say_passes_leadership_on() {
    // The library would leave it in the leadership, unable to propose, with followers that sleep.
    let mut five = Five::new(u64::MAX);
    let (new, old) = (ReplicaId::new(NodeId(4), 1), ReplicaId::new(FIRST[0], 0));
    assert!(five.change(Change::Learns(new)));
    five.rounds(5);
    assert!(five.change(Change::Swaps { promoted: new, demoted: old }));
    five.rounds(20);
    assert_ne!(five.leader().unwrap(), FIRST[0]);
    assert!(!five.voters().contains(&old));
    let before = five.acknowledged;
    five.propose();
    five.rounds(3);
    assert!(five.acknowledged > before);
}

/// Chance moves replicas about, crashes nodes, loses and delays messages, and takes snapshots.
/// Every replica applies the one chosen sequence; in the end what was acknowledged is there. Says how many
/// moves came to their end.
fn move_by_chance(first: &'static [NodeId]) -> u32 {
    let mut moves = 0;
    for seed in 0..80 {
        let mut chance = Chance::new(seed);
        let mut five = Five::begun_by(first, if chance.one_in(2) { 6 } else { 1_000 });
        let loss = [0, 3, 10][chance.below(3) as usize];
        let (mut goal, mut down) = (None, BTreeSet::new());
        for _ in 0..600 {
            let node = NodeId(1 + chance.below(u64::from(NODES)) as u16);
            match chance.below(40) {
                12 => {
                    // The next move begins when the last one is done, as a coordinator sees to it.
                    let done = goal.is_none_or(|(new, old): (ReplicaId, NodeId)| {
                        five.leader().is_some_and(|leader| {
                            let members = five.group(leader).members();
                            let all = members.all();
                            members.voters().contains(&new)
                                && all.iter().all(|member| member.node() != old)
                        })
                    });
                    if done && five.leader().is_some() {
                        moves += u32::from(goal.is_some());
                        let voters = five.voters();
                        let old = voters[chance.below(voters.len() as u64) as usize].node();
                        let is_free =
                            |node: &NodeId| voters.iter().all(|voter| voter.node() != *node);
                        let free: Vec<_> = (1..=NODES).map(NodeId).filter(is_free).collect();
                        five.generation += 1;
                        let new = free[chance.below(free.len() as u64) as usize];
                        goal = Some((ReplicaId::new(new, five.generation), old));
                    }
                }
                13..16 => {
                    if let Some((new, old)) = goal {
                        five.push_on(new, old);
                    }
                }
                16 => {
                    if let Some(leader) = five.leader() {
                        let voters = five.voters();
                        let to = voters[chance.below(voters.len() as u64) as usize].node();
                        five.group(leader).transfer(to);
                        five.settle(leader);
                    }
                }
                roll => five.live_on(roll, node, &mut down, (&mut chance, loss)),
            }
        }
        down.into_iter().for_each(|node| five.come_back(node));
        five.rounds(100);
        five.check_whole(seed);
    }
    moves
}

#[test]
fn whatever_happens_meanwhile_the_log_stays_one() {
    let moves = move_by_chance(&FIRST);
    assert!(moves > 50, "{moves} moves");
}

#[test]
fn whatever_happens_to_a_single_replica_the_log_stays_one() {
    // Its moves need both nodes for a moment. Either may die meanwhile, during a write, and comes back.
    let moves = move_by_chance(&FIRST[..1]);
    assert!(moves > 50, "{moves} moves");
}

#[test]
fn a_node_that_forgets_learns_anew_whatever_happens_meanwhile() {
    // Chance wipes disks, one after the other: a node that forgot gets another replica in the place of the one
    // that it had, while messages are lost and late, and others crash. It may forget again before it is
    // done. What was acknowledged is never lost, and no two records are chosen.
    let (mut forgotten, mut again) = (0, 0);
    for seed in 0..80 {
        let mut chance = Chance::new(1_000 + seed);
        let mut five = Five::new(if chance.one_in(2) { 6 } else { 1_000 });
        let loss = [0, 3, 10][chance.below(3) as usize];
        let mut goal: Option<(ReplicaId, NodeId)> = None;
        let mut down = BTreeSet::new();
        for _ in 0..800 {
            let node = NodeId(1 + chance.below(u64::from(NODES)) as u16);
            match chance.below(40) {
                12 if five.leader().is_some() => {
                    let voter = five.voters()[chance.below(3) as usize].node();
                    // Another one only when the members are as they are to be.
                    let is_done = goal.is_none_or(|(new, old)| {
                        let members = five.leader().map(|leader| five.group(leader).members());
                        let members = members.expect("somebody leads");
                        let is_new = |member: &ReplicaId| member.node() != old || *member == new;
                        members.voters().contains(&new) && members.all().iter().all(is_new)
                    });
                    let forgets = if is_done { voter } else { goal.expect("one is under way").1 };
                    if is_done || chance.one_in(3) {
                        if down.remove(&forgets) {
                            five.tears = None;
                        }
                        goal = Some((five.forget(forgets), forgets));
                        forgotten += 1;
                        again += u32::from(!is_done);
                    }
                }
                13..17 => {
                    if let Some((new, old)) = goal {
                        five.push_on(new, old);
                    }
                }
                roll => five.live_on(roll, node, &mut down, (&mut chance, loss)),
            }
        }
        down.into_iter().for_each(|node| five.come_back(node));
        for _ in 0..60 {
            if let Some((new, old)) = goal {
                five.push_on(new, old);
            }
            five.rounds(2);
        }
        five.check_whole(seed);
    }
    assert!(forgotten > 100 && again > 20, "{forgotten} forgotten, {again} again");
}
