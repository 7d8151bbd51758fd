//! Replicas that join and leave a log while it grows, on five nodes without a clock: scripts for known hazards, then
//! random schedules.

use std::collections::BTreeSet;

use onsale_booking::NodeId;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{Change, JournalMessage, ReplicaId, frame};

use crate::chance::Chance;
use crate::five::{FIRST, Five, NODES};

#[test]
fn a_replica_replaces_another_and_then_carries_the_log() {
    // The log is on 1, 2 and 3. 4 replaces 2, and 5 replaces 3; then 1 dies, and the records acknowledged before the
    // moves are on 4 and 5.
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
fn members_survive_restarts_during_a_change() {
    // All nodes die after each round of a change, and come back with the contents of their disks.
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
fn a_write_that_is_torn_in_a_move_does_not_bring_former_members_back() {
    // 4 replaces 3, and 1 leads. 3 dies in the write by which it learns of the last step, *Settles*: the step is on its
    // disk, but the rest of that write, that the step before it is committed, is not. Members are 1, 2 and 4 by now, of
    // which 1 and 4 go on, cut off from 2 and 3. If 3 now counted 1, 2 and 3 as members, it and 2 would be a quorum,
    // too.
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
fn a_replica_without_a_vote_does_not_stand_for_election() {
    // 4 has replaced 1, which is to be dropped: the record is on the way. 2, which leads, dies. If 1 were elected it
    // would commit its own removal, and go on leading without any follower.
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
    // Node 4 has had a replica of generation 1, and now has one of generation 2: a vote for one of them does not count
    // for the other, also after a restart.
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
    // 2 has left and dropped its replica. An old leader's messages to it have no effect, even after a restart; when it
    // joins again it is another replica.
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
    assert!(!five.change(Change::Drops(old)), "it has a vote");
    assert!(five.change(Change::Learns(new)));
    assert!(!five.change(Change::Learns(ReplicaId::new(NodeId(5), 2))), "one is under way");
    five.rounds(5);
    assert!(five.change(Change::Swaps { promoted: new, demoted: old }));
    five.rounds(5);
    let leader = five.leader().unwrap();
    assert!(!five.group(leader).members().is_joint(), "a leader settles a half-done change");
    assert_eq!(five.voters().len(), 3);
}

#[test]
fn a_leader_that_loses_its_vote_transfers_the_leadership() {
    // The library would let it lead on, unable to propose, with followers that sleep.
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

/// Moves replicas, crashes nodes, loses and delays messages, and takes snapshots at random. Every replica applies the
/// one chosen sequence; in the end all acknowledged records are there. Returns how many moves came to their end.
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
                    // The next move begins when the last one is done, as a coordinator ensures.
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
fn under_random_faults_the_log_stays_one() {
    let moves = move_by_chance(&FIRST);
    assert!(moves > 50, "{moves} moves");
}

#[test]
fn under_random_faults_the_log_of_a_single_replica_stays_one() {
    // Its moves need both nodes for a moment. Either may die meanwhile, during a write, and come back.
    let moves = move_by_chance(&FIRST[..1]);
    assert!(moves > 50, "{moves} moves");
}

#[test]
fn a_node_that_forgets_learns_the_log_again_under_random_faults() {
    // Disks are wiped at random, one after the other: a node that forgot gets another replica in place of the one that
    // it had, while messages are lost and late, and others crash. It may forget again before it is done. No
    // acknowledged record is ever lost, and no two records are chosen.
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
                    // Another node only when the members are as they are to be.
                    let is_done = goal.is_none_or(|(new, old)| {
                        let members = five.leader().map(|leader| five.group(leader).members());
                        let members = members.expect("a node leads");
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
