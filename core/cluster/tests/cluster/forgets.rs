//! Nodes whose disks forget in a small cluster in memory whose nodes come and go. Each test opens with its story, and
//! ends with the loss of another node: the node that forgot carries the shards then.

use onsale_booking::{NodeId, Outcome, Refusal, Span};
use onsale_cluster::{Input, Mark, Observation, ShardId};

use crate::harness::Cluster;
use crate::moves::{SHOWS, book_a_seat_each};
use crate::sample::hold;

/// The shard of the map, behind four of shows.
const MAP: ShardId = ShardId(4);

/// Three nodes that carry all shards, with one seat of each show booked.
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

/// Every shard goes on with any node lost, and keeps its booking.
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
        assert_eq!(serves.count(), 1, "n{lost} lost: no node serves the map");
        cluster.start(NodeId(lost));
        cluster.run_for(Span::from_secs(3));
    }
}

pub(crate) fn marked(cluster: &Cluster, mark: Mark) -> usize {
    let seen = cluster.observed.iter();
    seen.filter(|(.., seen)| matches!(seen, Observation::Mark(other) if *other == mark)).count()
}

#[test]
fn a_node_that_forgot_replaces_itself() {
    // Its disk is empty, or damaged. It takes no part in anything under its old numbers, and gets new replicas of all
    // five shards, the map's among them.
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
        assert_eq!(
            marked(&cluster, Mark::ReplicaReplaced),
            5,
            "a restart on its own disk replaces none"
        );
    }
}

#[test]
fn a_node_forgets_while_members_change() {
    // Three nodes join. At some instant of the moves, joint configurations among them, a member that stays, leaves or
    // has just come forgets.
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
    // It has joined, and learns its first shards: it has made no promises yet and so lost none, but no node can tell.
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
    // The second time during the repair of the first: its newer replicas are given up, too.
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
    // It has made a version of the map that has just been committed, or has not; its wishes are forgotten with it, and
    // the others repeat theirs.
    for step in 0..6 {
        let mut cluster = three_of_six();
        let serves = |node: &NodeId| cluster.node(*node).serves(MAP).is_some();
        let coordinator = (1..=3).map(NodeId).find(serves).expect("there is a coordinator");
        join(&mut cluster, 4);
        cluster.run_for(Span::from_millis(95 + 3 * step));
        forget(&mut cluster, coordinator, Span::from_millis(50));
        cluster.run_for(Span::from_secs(15));
        check_each_can_be_missed(&mut cluster, &[1, 2, 3, 4], step);
    }
}

#[test]
fn a_node_that_forgot_and_then_is_lost_or_leaves_blocks_no_other() {
    // It was to replace itself, and never will: another node takes its place.
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
