//! Nodes that lose power, or only their process, shortly after they started. Each test opens with its story.

use onsale_booking::{NodeId, Outcome, Refusal, Span};
use onsale_cluster::{Input, Mark, Observation, Placement, ShardId};

use crate::forgets::marked;
use crate::harness::{Cluster, FSYNC};
use crate::sample::{confirm, hold};

const SHARDS: u32 = 4;
const NODES: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

/// Where members may change, and where not.
fn clusters() -> [Placement; 2] {
    let placement = Placement::new(3, 3, SHARDS, 3);
    [placement.clone(), placement.changing(1)]
}

fn check_serves(cluster: &mut Cluster, what: &str) {
    for show in 0..4 * SHARDS {
        let held = cluster
            .outcome(NodeId(1 + (show % 3) as u16), hold(10 * u64::from(show + 1), show, &[7]));
        assert!(matches!(held, Outcome::Held { .. }), "{what}, show {show}: {held:?}");
    }
}

#[test]
fn a_cluster_that_loses_power_before_anything_is_durable_starts() {
    // All nodes lose power while their first write is on its way to the disk, and lose all of it, a part, or nothing:
    // once, or again and again. No promise was made. A cluster that believed the empty disks to be replaced ones would
    // wait for ever for a node that remembers.
    for placement in clusters() {
        for (losses, after) in [(1, 0), (1, 100), (1, 299), (5, 100)] {
            for kept in [0, 40, usize::MAX] {
                let mut cluster = Cluster::unstarted(placement.clone());
                for _ in 0..losses {
                    NODES.into_iter().for_each(|node| cluster.start(node));
                    cluster.run_for(Span(after));
                    for node in NODES {
                        cluster.crash_keeping(node, |write| kept.min(write.bytes.len()));
                    }
                    cluster.run_for(Span::from_secs(1));
                }
                NODES.into_iter().for_each(|node| cluster.start(node));
                cluster.run_for(Span::from_secs(2));
                assert_eq!(marked(&cluster, Mark::DiskReplaced), 0);
                check_serves(&mut cluster, &format!("{losses} times after {after}, {kept} bytes"));
            }
        }
    }
}

#[test]
fn nodes_that_cannot_start_at_first_do_not_hold_up_the_others() {
    // Two of three nodes die before their first write is durable; so does a spare that was to join.
    for placement in clusters() {
        let changes = placement.map_shard().is_some();
        let mut cluster = Cluster::unstarted(placement);
        NODES.into_iter().for_each(|node| cluster.start(node));
        cluster.run_for(Span(FSYNC.0 / 2));
        NODES[1..].iter().for_each(|&node| cluster.crash_keeping(node, |_| 0));
        cluster.run_for(Span::from_secs(1));
        NODES[1..].iter().for_each(|&node| cluster.start(node));
        cluster.run_for(Span::from_secs(2));
        check_serves(&mut cluster, "two of three");
        if changes {
            let newcomer = NodeId(4);
            for _ in 0..3 {
                cluster.start(newcomer);
                cluster.tell(newcomer, Input::Join);
                cluster.run_for(Span(FSYNC.0 / 2));
                cluster.crash_keeping(newcomer, |_| 0);
            }
            cluster.start(newcomer);
            cluster.tell(newcomer, Input::Join);
            cluster.run_for(Span::from_secs(10));
            assert_eq!(marked(&cluster, Mark::ReplicaReplaced), 0, "it forgot nothing");
            let carries = (0..SHARDS).map(ShardId);
            let carries = carries.filter(|&shard| cluster.node(newcomer).phase(shard).is_some());
            assert!(carries.count() > 0, "it has joined");
        }
    }
}

#[test]
fn a_disk_that_is_replaced_after_the_first_write_is_still_noticed() {
    // The opposite of the safe case: the first write was durable, so promises may have been made.
    for placement in clusters() {
        let changes = placement.map_shard().is_some();
        let mut cluster = Cluster::unstarted(placement);
        NODES.into_iter().for_each(|node| cluster.start(node));
        cluster.run_for(Span(FSYNC.0 + 1));
        cluster.crash_keeping(NODES[1], |_| 0);
        cluster.wipe(NODES[1]);
        cluster.start(NODES[1]);
        cluster.run_for(Span::from_secs(5));
        assert_eq!(marked(&cluster, Mark::DiskReplaced), 1);
        assert_eq!(marked(&cluster, Mark::ReplicaReplaced) > 0, changes);
        check_serves(&mut cluster, "replaced");
    }
}

#[test]
fn a_record_only_in_the_page_cache_is_not_acknowledged() {
    // A booking is decided by n1 while n3 is cut off. n2's process dies with the record written and not synced, comes
    // back, and reads it: n1 hears that n2 has it, and the client that the seat is booked. Then all nodes lose power,
    // and n1 is lost for good. The record that n2 acknowledged must be on its disk, because n3 never heard of it. So
    // while n2's disk has no room for the data that it read, no client gets an answer.
    for has_room in [true, false] {
        let mut cluster = Cluster::new(3, SHARDS);
        let leads =
            |show: &u32| cluster.leader(*show).is_some_and(|(leader, _)| leader == NodeId(1));
        let show = (0..4 * SHARDS).find(leads).expect("n1 leads a shard");
        let held = cluster.outcome(NodeId(1), hold(10, show, &[7]));
        assert!(matches!(held, Outcome::Held { .. }));
        cluster.isolate(NodeId(3));
        cluster.ask(NodeId(1), confirm(11, show, 10));
        let mut waited = 0;
        while cluster.in_flight(NodeId(2)).is_none() {
            waited += 1;
            assert!(waited < 100, "the record comes to n2");
            cluster.run_for(Span(50));
        }
        cluster.kill(NodeId(2));
        if !has_room {
            cluster.fill(NodeId(2));
        }
        cluster.start(NodeId(2));
        cluster.run_for(Span::from_millis(400));
        let booked = |(id, outcome): &(onsale_booking::RequestId, Outcome)| {
            id.0 == 11 && matches!(outcome, Outcome::Booked { .. })
        };
        assert_eq!(cluster.replies.iter().any(booked), has_room);
        NODES.into_iter().for_each(|node| cluster.crash_keeping(node, |_| 0));
        cluster.heal();
        cluster.make_room(NodeId(2));
        NODES[1..].iter().for_each(|&node| cluster.start(node));
        cluster.run_for(Span::from_secs(3));
        let taken = cluster.outcome(NodeId(3), hold(20, show, &[7]));
        assert_eq!(taken, Outcome::Refused(Refusal::SeatTaken), "held or booked");
        let again = cluster.outcome(NodeId(3), confirm(12, show, 10));
        assert!(matches!(again, Outcome::Booked { .. }), "the hold goes on: {again:?}");
    }
}

#[test]
fn a_node_is_silent_until_its_first_write_is_durable() {
    // Its disk has no room when it starts: peers and clients hear nothing of it before it has some. Then all its
    // messages leave.
    let mut cluster = Cluster::new(3, SHARDS);
    cluster.crash(NodeId(2));
    cluster.fill(NodeId(2));
    cluster.start(NodeId(2));
    let before = cluster.observed.len();
    cluster.ask(NodeId(2), hold(10, 0, &[7]));
    cluster.run_for(Span::from_secs(2));
    assert!(cluster.replies.is_empty());
    let restarted = |cluster: &Cluster| {
        let seen = cluster.observed[before..].iter();
        seen.filter(|(.., seen)| *seen == Observation::Mark(Mark::PeerRestarted)).count()
    };
    assert_eq!(restarted(&cluster), 0);
    cluster.make_room(NodeId(2));
    cluster.run_for(Span::from_secs(1));
    assert_eq!(restarted(&cluster), 2);
    assert_eq!(cluster.replies.len(), 1);
    let held = cluster.outcome(NodeId(2), hold(20, 1, &[7]));
    assert!(matches!(held, Outcome::Held { .. }), "{held:?}");
}
