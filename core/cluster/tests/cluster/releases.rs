//! Two releases of the program in one cluster, and the record format that the second one brings.

use onsale_booking::{NodeId, Span};
use onsale_cluster::journal::frame::{self, Frame};
use onsale_cluster::{Activates, Config, Format, Mark, Observation, Release};

use crate::harness::Cluster;
use crate::sample::{config, confirm, hold};
use crate::{SHOW, is_booked, is_held};

const NODES: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];
const SHARDS: u32 = 4;

/// How often a mark was observed.
fn marks(cluster: &Cluster, mark: Mark) -> usize {
    let observed = cluster.observed.iter();
    observed.filter(|(.., observation)| *observation == Observation::Mark(mark)).count()
}

/// Sells two neighbouring seats through a node; `nth` numbers the users.
fn sell(cluster: &mut Cluster, through: NodeId, nth: u64) {
    let seats = [2 * nth as u32, 2 * nth as u32 + 1];
    assert!(is_held(&cluster.outcome(through, hold(10 * nth, SHOW, &seats))), "user {nth}");
    let confirm = confirm(10 * nth + 1, SHOW, 10 * nth);
    assert!(is_booked(&cluster.outcome(through, confirm)), "user {nth}");
}

/// The formats of the records with events or activations on a node's disk, in order, each once.
fn formats(cluster: &Cluster, id: NodeId) -> Vec<Format> {
    let mut formats = Vec::new();
    for (_, bytes) in cluster.disk(id) {
        for frame in frame::read(&bytes) {
            if let Frame::Entry { record, .. } = frame
                && !record.is_empty()
            {
                formats.push(Format::of_record(record));
            }
        }
    }
    formats.dedup();
    formats
}

fn check_disks(cluster: &Cluster) {
    for node in NODES.into_iter().filter(|&node| cluster.is_up(node)) {
        let audit = cluster.node(node).audit(cluster.disk(node));
        assert_eq!(audit.astray, [], "{node}");
    }
}

/// Every shard activates the format when the last node runs the release that reads it, and not before. What was sold in
/// the old format stays sold, and all replicas have the same state from either.
#[test]
fn the_format_is_activated_once_every_node_reads_it() {
    let mut cluster = Cluster::new(3, SHARDS);
    sell(&mut cluster, NODES[0], 1);
    for (nth, node) in (2..).zip(NODES) {
        assert_eq!(marks(&cluster, Mark::FormatActivated), 0);
        assert!(NODES.iter().all(|&node| formats(&cluster, node) == [Format::FIRST]));
        cluster.change_release(node, Release::SECOND);
        sell(&mut cluster, node, nth);
    }
    assert_eq!(marks(&cluster, Mark::FormatActivated), SHARDS as usize);
    cluster.run_for(Span::from_secs(60));
    assert_eq!(marks(&cluster, Mark::FormatActivated), SHARDS as usize, "once each");
    for node in NODES {
        assert_eq!(formats(&cluster, node), [Format::FIRST, Format::RUNS], "{node}");
    }
    check_disks(&cluster);
    assert_eq!(cluster.refused.len(), 0);
}

/// A node goes back while another still runs the first release: nothing was written that it cannot read.
#[test]
fn a_rollback_before_the_activation_is_harmless() {
    let mut cluster = Cluster::new(3, SHARDS);
    cluster.change_release(NODES[0], Release::SECOND);
    cluster.change_release(NODES[1], Release::SECOND);
    sell(&mut cluster, NODES[0], 1);
    cluster.change_release(NODES[0], Release::FIRST);
    cluster.change_release(NODES[2], Release::SECOND);
    sell(&mut cluster, NODES[0], 2);
    cluster.run_for(Span::from_secs(60));
    assert_eq!(marks(&cluster, Mark::FormatActivated), 0);
    assert_eq!(cluster.refused.len(), 0);
    check_disks(&cluster);
    cluster.change_release(NODES[0], Release::SECOND);
    assert_eq!(marks(&cluster, Mark::FormatActivated), SHARDS as usize, "once it is back");
}

/// After the activation a node that goes back refuses to serve, and touches nothing. The others sell on, and it comes
/// back with the second release.
#[test]
fn a_rollback_after_the_activation_is_refused() {
    let mut cluster = Cluster::new(3, SHARDS);
    NODES.into_iter().for_each(|node| cluster.change_release(node, Release::SECOND));
    cluster.retire(NODES[0]);
    cluster.run_for(Span::from_secs(1));
    cluster.crash(NODES[0]);
    let before = cluster.disk(NODES[0]);
    cluster.restart(NODES[0], Release::FIRST);
    assert_eq!(marks(&cluster, Mark::RollbackRefused), 1);
    assert!(cluster.refused.contains(&NODES[0]) && !cluster.is_up(NODES[0]));
    assert!(cluster.disk(NODES[0]) == before, "its disk is left as it was");
    sell(&mut cluster, NODES[1], 1);
    cluster.restart(NODES[0], Release::SECOND);
    sell(&mut cluster, NODES[0], 2);
    check_disks(&cluster);
}

/// A silent node may come back with the first release, so nobody activates a format without it. When the other two
/// alone are not all, a rollback of one of them is still harmless.
#[test]
fn a_node_that_is_down_holds_the_activation_up() {
    let mut cluster = Cluster::new(3, SHARDS);
    cluster.change_release(NODES[0], Release::SECOND);
    cluster.change_release(NODES[1], Release::SECOND);
    cluster.crash(NODES[2]);
    cluster.run_for(Span::from_secs(30));
    sell(&mut cluster, NODES[0], 1);
    assert_eq!(marks(&cluster, Mark::FormatActivated), 0);
    cluster.start(NODES[2]);
    cluster.run_for(Span::from_secs(30));
    assert_eq!(marks(&cluster, Mark::FormatActivated), 0, "it runs the first release");
    cluster.change_release(NODES[2], Release::SECOND);
    assert_eq!(marks(&cluster, Mark::FormatActivated), SHARDS as usize);
}

/// The activation is in the snapshot when its record is long gone: a node that knows only snapshots writes the new
/// format, and a node of the first release refuses them.
#[test]
fn snapshots_keep_the_activation() {
    let config = Config { snapshot_every: 4, keep_records: 1, segment_bytes: 4_096, ..config() };
    let mut cluster = Cluster::with(config, 3, 1);
    NODES.into_iter().for_each(|node| cluster.change_release(node, Release::SECOND));
    (1..12).for_each(|nth| sell(&mut cluster, NODES[0], nth));
    NODES.into_iter().for_each(|node| cluster.change_release(node, Release::SECOND));
    (12..24).for_each(|nth| sell(&mut cluster, NODES[0], nth));
    for node in NODES {
        assert_eq!(formats(&cluster, node), [Format::RUNS], "{node}");
    }
    assert_eq!(marks(&cluster, Mark::FormatActivated), 1, "never again");
    check_disks(&cluster);
    cluster.change_release(NODES[1], Release::FIRST);
    assert_eq!(marks(&cluster, Mark::RollbackRefused), 1);
}

/// With [`Activates::AtOnce`] a node that leads with the second release writes what the first one cannot read: a node
/// that still runs it stops before it acknowledges anything of it.
#[test]
fn without_the_gate_the_old_release_stops_at_the_first_new_record() {
    let config = Config { activates: Activates::AtOnce, ..config() };
    let mut cluster = Cluster::with(config, 3, SHARDS);
    cluster.change_release(NODES[0], Release::SECOND);
    cluster.change_release(NODES[1], Release::SECOND);
    cluster.crash(NODES[2]);
    cluster.run_for(Span::from_secs(2));
    sell(&mut cluster, NODES[0], 1);
    cluster.restart(NODES[2], Release::FIRST);
    assert!(cluster.refused.contains(&NODES[2]));
    assert_eq!(marks(&cluster, Mark::NewerFormatMet), 1);
    assert!(!formats(&cluster, NODES[2]).contains(&Format::RUNS), "nothing of it was kept");
}
