//! Nodes that leave again, most of them lost for good, while their first replicas are on the way. Each test opens with
//! its story.

use std::collections::BTreeSet;

use onsale_booking::{NodeId, Span};
use onsale_cluster::{Input, Mark, ShardId};

use crate::forgets::{check_each_can_be_missed, join, marked, three_of_six};
use crate::harness::Cluster;

/// Checks the nodes of the cluster, and those that carry something, by the map of each node in turn.
fn check_map(cluster: &Cluster, nodes: &[u16]) {
    for &at in nodes {
        let map = cluster.node(NodeId(at)).map();
        let of_cluster: Vec<u16> = map.node_ids().map(|node| node.0).collect();
        assert_eq!(of_cluster, nodes, "by n{at}, {map:?}");
        for shard in (0..map.shards()).map(ShardId) {
            let seats = map.seats(shard);
            assert!(seats.from.is_empty(), "{shard} moves for ever: {seats:?}");
            let members: BTreeSet<NodeId> = seats.members.iter().copied().collect();
            assert_eq!(members.len(), 3, "{shard}: {seats:?}");
        }
    }
}

/// The node dies for good, and another one is told that it is to leave.
fn lose(cluster: &mut Cluster, node: u16) {
    cluster.crash(NodeId(node));
    cluster.wipe(NodeId(node));
    cluster.tell(NodeId(1), Input::Leave(NodeId(node)));
}

#[test]
fn a_newcomer_is_lost_at_any_stage_of_its_moves() {
    // If it joined alone, there is no other node to go on to: the shard stays where it was. Beside another newcomer, it
    // goes there. In the end one of the first nodes leaves, from which the shards were to move.
    let mut redirected = 0;
    for step in 0..24 {
        let mut cluster = three_of_six();
        let stays: &[u16] = if step % 2 == 0 { &[1, 2, 3] } else { &[1, 2, 3, 5] };
        join(&mut cluster, 4);
        (stays.len() > 3).then(|| join(&mut cluster, 5));
        cluster.run_for(Span::from_millis(75 + 21 * step));
        lose(&mut cluster, 4);
        cluster.run_for(Span::from_secs(20));
        redirected += marked(&cluster, Mark::MoveRedirected);
        check_map(&cluster, stays);
        if stays.len() == 3 {
            join(&mut cluster, 5);
        }
        cluster.tell(NodeId(2), Input::Leave(NodeId(2)));
        cluster.run_for(Span::from_secs(20));
        assert!(cluster.drained.contains(&NodeId(2)), "step {step}");
        cluster.crash(NodeId(2));
        check_map(&cluster, &[1, 3, 5]);
        check_each_can_be_missed(&mut cluster, &[1, 3, 5], step);
    }
    assert!(redirected > 12, "{redirected} moves went elsewhere");
}

#[test]
fn one_newcomer_is_lost_after_the_other() {
    // The shard goes from the first to the second, which is lost before it has the shard.
    for step in 0..12 {
        let mut cluster = three_of_six();
        (4..=6).for_each(|node| join(&mut cluster, node));
        cluster.run_for(Span::from_millis(110 + 15 * step));
        lose(&mut cluster, 4);
        cluster.run_for(Span::from_millis(90 + 40 * (step % 4)));
        lose(&mut cluster, 5);
        cluster.run_for(Span::from_secs(25));
        check_map(&cluster, &[1, 2, 3, 6]);
        check_each_can_be_missed(&mut cluster, &[1, 2, 3, 6], step);
    }
}

#[test]
fn a_newcomer_is_lost_while_the_coordinator_is_down() {
    // A node strikes it off that restarts right after it was told to.
    for step in 0..8 {
        let mut cluster = three_of_six();
        join(&mut cluster, 4);
        cluster.run_for(Span::from_millis(130 + 30 * step));
        lose(&mut cluster, 4);
        cluster.crash(NodeId(1));
        cluster.run_for(Span::from_millis(400));
        cluster.start(NodeId(1));
        cluster.tell(NodeId(1), Input::Leave(NodeId(4)));
        cluster.run_for(Span::from_secs(20));
        check_map(&cluster, &[1, 2, 3]);
        check_each_can_be_missed(&mut cluster, &[1, 2, 3], step);
    }
}

#[test]
fn a_newcomer_leaves_again_at_once_and_lives() {
    // It may already lead shards. No node waits for those still on their way, and it may be stopped.
    for step in 0..16 {
        let mut cluster = three_of_six();
        (4..=5).for_each(|node| join(&mut cluster, node));
        cluster.run_for(Span::from_millis(75 + 60 * step));
        cluster.tell(NodeId(4), Input::Leave(NodeId(4)));
        cluster.run_for(Span::from_secs(20));
        assert!(cluster.drained.contains(&NodeId(4)), "step {step}");
        assert_eq!(marked(&cluster, Mark::StoodForElection), 0, "step {step}: no node was missed");
        cluster.crash(NodeId(4));
        check_map(&cluster, &[1, 2, 3, 5]);
        check_each_can_be_missed(&mut cluster, &[1, 2, 3, 5], step);
    }
}

#[test]
fn a_node_lost_before_the_map_has_it_is_struck_off_once_it_has() {
    // Its wish to join outlives it by a moment: the map with it comes after the wish that it leave.
    for step in 0..60 {
        let mut cluster = three_of_six();
        join(&mut cluster, 5);
        cluster.run_for(Span::from_secs(5));
        join(&mut cluster, 4);
        cluster.run_for(Span::from_millis(90 + 7 * (step / 3)));
        cluster.crash(NodeId(4));
        cluster.tell(NodeId(1 + (step % 3) as u16), Input::Leave(NodeId(4)));
        cluster.run_for(Span::from_secs(5));
        check_map(&cluster, &[1, 2, 3, 5]);
    }
}
