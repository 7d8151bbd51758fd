//! Shards with one replica, and replicas that believe they are the only voter: the risks of moves and stalled
//! disks.

use onsale_booking::{NodeId, Span};
use onsale_cluster::OnSuspicion;
use onsale_scenarios::{Cut, DiskFault, Family, Fault, NetworkFault, Target};
use onsale_tests::{complaint, play, sale_with, scenario};

/// While a shard with one replica moves, the newcomer is lost for good at one instant after the other. Both
/// nodes are needed only between two steps of the move, for about a millisecond: that is the price, and it was
/// 95 of them.
#[test]
fn a_newcomer_is_lost_at_any_instant_while_a_shard_of_one_replica_moves_to_it() {
    let mut scenario = scenario("rare/one-replica-newcomer-lost");
    let mut lost = Vec::new();
    for ms in (20_290..20_420).step_by(2) {
        for fault in &mut scenario.faults {
            if fault.family() == Family::Replace {
                fault.at = Span::from_millis(ms);
            }
        }
        lost.extend(complaint(&play(&scenario, 1)).map(|_| ms));
    }
    assert!(lost.len() <= 2, "lost at {lost:?} ms");
}

/// A follower whose disk hangs is cut off, declares both others dead and is its own majority. It must not lead
/// before its disk has caught up: acknowledged records could be lost. The setting does harm, and the oracles
/// report it; the process goes on.
#[test]
fn a_node_that_strikes_all_others_off_while_its_disk_hangs_waits_for_it() {
    let (node, second) = (Target::Node(NodeId(2)), Span::from_secs);
    let mut sale = sale_with(&[
        Fault::new(second(30), second(20), DiskFault::DiskStall { node }),
        Fault::new(
            second(32),
            second(10),
            NetworkFault::Partition { cut: Cut::Isolate(vec![node]) },
        ),
    ]);
    sale.cluster.nodes = 3;
    sale.cluster.shards = 4;
    sale.cluster.on_suspicion = OnSuspicion::Down;
    let harmed = (1..=3).filter(|&seed| complaint(&play(&sale, seed)).is_some());
    assert!(harmed.count() > 0, "both sides sold, and nobody saw it");
}
