//! Leads in edge cases: logs of one voter, and leaders that have lost their vote. Messages and writes pass one by one,
//! as each story wants them.

use std::collections::BTreeMap;

use onsale_booking::NodeId;
use onsale_cluster::journal::{
    Change, Durable, JournalMessage, RaftGroup, ReadId, Ready, ReplicaId, Settings, Ticket,
};
use onsale_cluster::{Mark, ShardId};

const SHARD: ShardId = ShardId(3);

/// Replicas by the number of their node; messages wait until the script lets them pass.
struct Stage {
    groups: BTreeMap<u16, RaftGroup>,
    under_way: Vec<JournalMessage>,
    /// Nodes whose disks are slow: their writes wait in `unwritten`; other disks answer at once.
    slow: Vec<u16>,
    unwritten: BTreeMap<u16, Ticket>,
    reads: Vec<ReadId>,
    refused: Vec<Mark>,
    first: Vec<NodeId>,
}

impl Stage {
    /// The first of these nodes leads, and all are level.
    fn new(nodes: &[u16]) -> Self {
        let first: Vec<NodeId> = nodes.iter().copied().map(NodeId).collect();
        let mut stage = Self {
            groups: BTreeMap::new(),
            under_way: Vec::new(),
            slow: Vec::new(),
            unwritten: BTreeMap::new(),
            reads: Vec::new(),
            refused: Vec::new(),
            first,
        };
        nodes.iter().for_each(|&node| stage.start(node, Durable::default()));
        stage.at(nodes[0]).campaign();
        stage.rounds(10, |_| true);
        assert!(stage.at(nodes[0]).may_serve());
        stage
    }

    fn start(&mut self, node: u16, durable: Durable) {
        let settings = Settings { election_ticks: 5 + usize::from(node), ..Settings::default() };
        let group = RaftGroup::new(SHARD, NodeId(node), &self.first, settings, durable);
        self.groups.insert(node, group);
        self.turn(node);
    }

    fn at(&mut self, node: u16) -> &mut RaftGroup {
        self.groups.get_mut(&node).unwrap()
    }

    /// Polls a replica until nothing is left.
    fn turn(&mut self, node: u16) {
        loop {
            let mut ready = Ready::default();
            self.at(node).poll(&mut ready);
            if ready.is_empty() {
                return;
            }
            self.under_way.append(&mut ready.messages);
            self.reads.append(&mut ready.reads);
            self.refused.append(&mut ready.refused);
            if let Some(ticket) = ready.ticket {
                self.unwritten.insert(node, ticket);
                if !self.slow.contains(&node) {
                    self.sync(node);
                }
            }
        }
    }

    fn sync(&mut self, node: u16) {
        if let Some(ticket) = self.unwritten.remove(&node) {
            self.at(node).fsynced(ticket);
        }
    }

    /// Takes a message without polling the replica.
    fn hear(&mut self, message: JournalMessage) {
        let node = message.to().0;
        if !self.groups.contains_key(&node) && message.is_from_leader() {
            let joining = Durable::joining(message.replica().generation());
            self.start(node, joining);
        }
        if let Some(group) = self.groups.get_mut(&node) {
            group.step(message);
        }
    }

    /// Delivers the messages that pass, and the messages that follow from them; others are lost.
    fn pump(&mut self, mut passes: impl FnMut(&JournalMessage) -> bool) {
        while !self.under_way.is_empty() {
            for message in std::mem::take(&mut self.under_way) {
                if passes(&message) {
                    let node = message.to().0;
                    self.hear(message);
                    self.groups.contains_key(&node).then(|| self.turn(node));
                }
            }
        }
    }

    /// All replicas tick and all messages in flight arrive, this many times.
    fn rounds(&mut self, rounds: usize, mut passes: impl FnMut(&JournalMessage) -> bool) {
        let nodes: Vec<u16> = self.groups.keys().copied().collect();
        nodes.iter().for_each(|&node| self.turn(node));
        self.pump(&mut passes);
        for _ in 0..rounds {
            let nodes: Vec<u16> = self.groups.keys().copied().collect();
            for node in nodes {
                if self.at(node).awake() {
                    self.at(node).tick();
                    self.turn(node);
                }
            }
            self.pump(&mut passes);
        }
    }

    fn change(&mut self, node: u16, change: Change) {
        assert!(self.at(node).change_members(change), "{change:?}");
        self.turn(node);
    }

    fn is_voter(&mut self, node: u16, voter: ReplicaId) -> bool {
        self.at(node).members().voters().contains(&voter)
    }
}

fn replica(node: u16, generation: u32) -> ReplicaId {
    ReplicaId::new(NodeId(node), generation)
}

fn calls(message: &JournalMessage) -> bool {
    format!("{message:?}").contains("MsgTimeoutNow")
}

fn appends(message: &JournalMessage) -> bool {
    message.records().next().is_some()
}

#[test]
fn a_sole_voter_awaits_no_answer_of_a_learner() {
    // The learner is silent: it never began, or died. The voter need not ask whether it still leads.
    let mut stage = Stage::new(&[1]);
    stage.change(1, Change::Learns(replica(4, 1)));
    stage.rounds(3, |_| false);
    assert!(stage.at(1).confirm_leadership(ReadId(7)));
    stage.rounds(3, |_| false);
    assert_eq!(stage.reads, [ReadId(7)]);
}

#[test]
fn a_sole_replica_gives_way_with_the_next_acknowledgement() {
    // From the newcomer's answer on it takes no tick: the two change places, and the old leader settles although its
    // own vote ends with it, and calls the new one.
    let (old, new) = (replica(1, 0), replica(4, 1));
    let mut stage = Stage::new(&[1]);
    stage.change(1, Change::Learns(new));
    stage.rounds(5, |_| true);
    stage.change(1, Change::Swaps { promoted: new, demoted: old });
    assert!(!stage.at(1).members().is_joint(), "it may have died since it was heard last");
    stage.pump(|_| true);
    assert!(!stage.at(1).members().is_joint() && stage.is_voter(1, new));
    assert!(stage.at(4).is_leader(), "it was called at once, too: {:?}", stage.at(4));
    stage.rounds(5, |_| true);
    assert!(stage.at(4).may_serve());
}

#[test]
fn a_sole_replica_does_not_give_way_to_the_dead() {
    // The newcomer has all of the log, and dies before the two change places.
    let (old, new) = (replica(1, 0), replica(4, 1));
    let mut stage = Stage::new(&[1]);
    stage.change(1, Change::Learns(new));
    stage.rounds(5, |_| true);
    for _ in 0..5 {
        stage.change(1, Change::Swaps { promoted: new, demoted: old });
        stage.rounds(5, |_| false);
        assert!(stage.is_voter(1, old) && stage.at(1).may_serve());
    }
    // It was only cut off. An answer to any of the reads will do.
    stage.change(1, Change::Swaps { promoted: new, demoted: old });
    stage.rounds(5, |_| true);
    assert!(stage.at(4).may_serve());
}

#[test]
fn leadership_is_not_passed_to_the_dead_for_ever() {
    // 3 is to give way to 4. The leader is cut off before the last step; 3 is elected, and has to transfer the
    // leadership. 4 acknowledges its first record and dies before it is called: it has the most of the log of all, and
    // the greatest number.
    let (old, new) = (replica(3, 0), replica(4, 1));
    let mut stage = Stage::new(&[1, 2, 3]);
    stage.change(1, Change::Learns(new));
    stage.rounds(5, |_| true);
    let step = stage.at(1).applied() + 1;
    stage.change(1, Change::Swaps { promoted: new, demoted: old });
    // All hear that the step is committed, and only the leader has the next one.
    stage.rounds(3, |message| message.records().all(|(index, ..)| index <= step));
    assert!(stage.at(3).members().is_joint(), "{:?}", stage.at(3).members());
    stage.at(3).campaign();
    let mut dead = false;
    for _ in 0..400 {
        stage.rounds(1, |message| {
            dead |= message.to().0 == 4 && calls(message);
            let to_dead = dead && [message.to().0, message.from().0].contains(&4);
            let cut_off = !dead && [message.to().0, message.from().0].contains(&1);
            !to_dead && !cut_off
        });
        if [1, 2].into_iter().any(|node| stage.at(node).may_serve()) {
            assert!(dead, "4 was called first");
            return;
        }
    }
    panic!("1, 2 and 3 are well, and none leads: {:?}", stage.groups);
}

#[test]
fn a_voter_that_has_struck_off_all_others_leads_once_its_disk_has_caught_up() {
    // Its disk hangs with a record on the way to it when it treats both others as dead. The library panics if a sole
    // voter stands for election before all of its log is durable.
    for stands in
        [RaftGroup::campaign as fn(&mut RaftGroup), |group| (0..40).for_each(|_| group.tick())]
    {
        let mut stage = Stage::new(&[1, 2, 3]);
        stage.slow = vec![2];
        assert!(stage.at(1).propose(b"record".to_vec()));
        stage.turn(1);
        stage.pump(|_| true);
        assert_eq!(stage.at(2).undurable(), 1);
        [1, 3].map(NodeId).into_iter().for_each(|peer| stage.at(2).strike_off(peer));
        stands(stage.at(2));
        stage.at(2).campaign();
        stage.rounds(40, |_| false);
        assert!(!stage.at(2).is_leader(), "it would acknowledge records that its disk may lose");
        stage.slow.clear();
        stage.sync(2);
        stage.rounds(40, |_| false);
        assert!(stage.at(2).may_serve(), "{:?}", stage.at(2));
    }
}

/// 4 has replaced 1, the only replica, and 1 still leads: it called 4, and the call is late. Returns the call.
fn late_call() -> (Stage, JournalMessage) {
    let (old, new) = (replica(1, 0), replica(4, 1));
    let mut stage = Stage::new(&[1]);
    stage.change(1, Change::Learns(new));
    stage.rounds(5, |_| true);
    stage.change(1, Change::Swaps { promoted: new, demoted: old });
    let mut late = None;
    stage.rounds(2, |message| {
        if calls(message) {
            late = Some(message.clone());
        }
        !calls(message)
    });
    assert!(!stage.at(4).members().is_joint(), "it is the only voter");
    (stage, late.expect("it was called"))
}

#[test]
fn a_sole_voter_that_is_called_in_the_turn_of_an_append_acknowledges_nothing_before_its_write() {
    let (mut stage, call) = late_call();
    stage.slow = vec![4];
    stage.at(1).give_up_transfer();
    assert!(stage.at(1).propose(b"record".to_vec()));
    stage.turn(1);
    let append = stage.under_way.drain(..).find(appends).expect("the leader still leads");
    stage.hear(append);
    stage.hear(call.clone());
    stage.turn(4);
    assert!(stage.under_way.is_empty(), "{:?}", stage.under_way);
    assert!(stage.refused.contains(&Mark::JournalCalledBeforeDisk));
    stage.slow.clear();
    stage.sync(4);
    stage.turn(4);
    assert!(!stage.under_way.is_empty(), "now it does");
    stage.hear(call);
    stage.turn(4);
    assert!(stage.at(4).is_leader());
}
