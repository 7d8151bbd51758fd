//! Nodes whose disks forget in a small cluster in memory whose nodes come and go. Each opens with its
//! story, and ends with the loss of another node: what had forgotten bears the shards then.

use onsale_booking::{NodeId, Outcome, Refusal, Span};
use onsale_cluster::{Input, Mark, Observation, ShardId};

use crate::harness::Cluster;
use crate::moves::{SHOWS, book_a_seat_each};
use crate::sample::hold;

/// The shard of the map, behind four of shows.
const MAP: ShardId = ShardId(4);

/// Three nodes that carry everything, of which each show has a seat booked.
pub(crate) fn three_of_six() -> Cluster {
    let mut cluster = Cluster::changing(3, 3, 4);
    book_a_seat_each(&mut cluster);
    cluster
}

pub(crate) fn join(cluster: &mut Cluster, node: u16) {
    cluster.start(NodeId(node));
    cluster.tell(NodeId(node), Input::Join);
}

/// The process dies, and starts again on an empty disk after `down`.
fn forget(cluster: &mut Cluster, node: NodeId, down: Span) {
    cluster.crash(node);
    cluster.wipe(node);
    cluster.run_for(down);
    cluster.start(node);
    if node.0 > 3 {
        cluster.tell(node, Input::Join);
    }
}

/// Every shard goes on with any node lost, and still has what was booked.
pub(crate) fn check_each_can_be_missed(cluster: &mut Cluster, nodes: &[u16], from: u64) {
    for (n, &lost) in (from..).zip(nodes) {
        cluster.crash(NodeId(lost));
        cluster.run_for(Span::from_secs(2));
        let gateway = *nodes.iter().find(|&&node| node != lost).expect("there are others");
        for show in 0..SHOWS {
            let id = 1_000_000 + 10_000 * n + 10 * u64::from(show);
            let taken = cluster.outcome(NodeId(gateway), hold(id, show, &[300]));
            assert_eq!(taken, Outcome::Refused(Refusal::SeatTaken), "n{lost} lost, show {show}");
            let fresh = cluster.outcome(NodeId(gateway), hold(id + 1, show, &[n as u32]));
            assert!(matches!(fresh, Outcome::Held { .. }), "n{lost} lost, show {show}: {fresh:?}");
        }
        let map = nodes.iter().filter(|&&node| node != lost);
        let serves = map.filter(|&&node| cluster.node(NodeId(node)).serves(MAP).is_some());
        assert_eq!(serves.count(), 1, "n{lost} lost: nobody has the map");
        cluster.start(NodeId(lost));
        cluster.run_for(Span::from_secs(3));
    }
}

pub(crate) fn marked(cluster: &Cluster, mark: Mark) -> usize {
    let seen = cluster.observed.iter();
    seen.filter(|(.., seen)| matches!(seen, Observation::Mark(other) if *other == mark)).count()
}

#[test]
fn a_node_that_forgot_takes_its_own_place() {
    // Its disk is empty, or damaged. It takes no part in anything under its old numbers, and gets new
    // replicas of all five shards, the map's among them.
    for rots in [false, true] {
        let mut cluster = three_of_six();
        cluster.crash(NodeId(2));
        match rots {
            true => cluster.rot(NodeId(2)),
            false => cluster.wipe(NodeId(2)),
        }
        cluster.start(NodeId(2));
        cluster.run_for(Span::from_secs(5));
        assert_eq!(marked(&cluster, Mark::ReplicaReplaced), 5);
        check_each_can_be_missed(&mut cluster, &[1, 2, 3], 0);
        assert_eq!(marked(&cluster, Mark::ReplicaReplaced), 5, "a start on its disk is none anew");
    }
}

#[test]
fn a_node_forgets_while_members_change() {
    // Three nodes join. At some instant of the moves, joint ones among them, a member that stays, goes or
    // just comes forgets.
    for step in 0..12 {
        let mut cluster = three_of_six();
        (4..=6).for_each(|node| join(&mut cluster, node));
        cluster.run_for(Span::from_millis(90 + 45 * step));
        let node = NodeId(1 + (step % 6) as u16);
        forget(&mut cluster, node, Span::from_millis(30));
        cluster.run_for(Span::from_secs(25));
        check_each_can_be_missed(&mut cluster, &[1, 2, 3, 4, 5, 6], step);
    }
}

#[test]
fn a_node_forgets_as_a_learner() {
    // It has joined, and learns its first shards: what it has not promised yet it has not lost either,
    // but nobody can tell.
    for step in 0..6 {
        let mut cluster = three_of_six();
        join(&mut cluster, 4);
        cluster.run_for(Span::from_millis(101 + 20 * step));
        forget(&mut cluster, NodeId(4), Span::from_millis(10));
        cluster.run_for(Span::from_secs(15));
        check_each_can_be_missed(&mut cluster, &[1, 2, 3, 4], step);
    }
}

#[test]
fn a_node_forgets_twice() {
    // The second time in the midst of what the first one began: what it got since the first is given up, too.
    for step in 0..12 {
        let mut cluster = three_of_six();
        forget(&mut cluster, NodeId(2), Span::from_millis(400));
        cluster.run_for(Span::from_millis(35 * step));
        forget(&mut cluster, NodeId(2), Span::from_millis(20));
        cluster.run_for(Span::from_secs(8));
        check_each_can_be_missed(&mut cluster, &[1, 2, 3], step);
    }
}

#[test]
fn the_coordinator_forgets() {
    // It has made a version of the map that has just been committed, or has not; its wishes are forgotten with
    // it, and the others' are said again.
    for step in 0..6 {
        let mut cluster = three_of_six();
        let serves = |node: &NodeId| cluster.node(*node).serves(MAP).is_some();
        let coordinator = (1..=3).map(NodeId).find(serves).expect("somebody coordinates");
        join(&mut cluster, 4);
        cluster.run_for(Span::from_millis(95 + 3 * step));
        forget(&mut cluster, coordinator, Span::from_millis(50));
        cluster.run_for(Span::from_secs(15));
        check_each_can_be_missed(&mut cluster, &[1, 2, 3, 4], step);
    }
}

#[test]
fn a_node_that_forgot_and_then_is_lost_or_leaves_holds_nobody_up() {
    // It was to take its own place, and never will: another takes it.
    for leaves in [false, true] {
        let mut cluster = three_of_six();
        join(&mut cluster, 4);
        cluster.run_for(Span::from_secs(10));
        forget(&mut cluster, NodeId(2), Span::from_millis(300));
        cluster.run_for(Span::from_millis(150));
        if leaves {
            cluster.tell(NodeId(2), Input::Leave(NodeId(2)));
            cluster.run_for(Span::from_secs(20));
            assert!(cluster.drained.contains(&NodeId(2)));
            cluster.crash(NodeId(2));
        } else {
            cluster.crash(NodeId(2));
            cluster.tell(NodeId(1), Input::Leave(NodeId(2)));
            cluster.run_for(Span::from_secs(20));
        }
        check_each_can_be_missed(&mut cluster, &[1, 3, 4], 0);
    }
}
