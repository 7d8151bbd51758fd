//! Where a small cluster in memory leads its shards while nothing is wrong. Each test opens with its story.

use onsale_booking::{NodeId, Span, ZoneId};
use onsale_cluster::{Config, LeaderPlacementConfig, Observation, ShardId};

use crate::harness::Cluster;
use crate::is_held;
use crate::sample::{config, hold};

const SHARDS: u32 = 12;
const REST: Span = Span::from_secs(2);

fn leads(near_venue: bool, by_load: bool) -> Config {
    Config {
        leader_placement: LeaderPlacementConfig { near_venue, by_load, rest: REST },
        ..config()
    }
}

/// Number of shards that each node serves; the first is n1.
fn served(cluster: &Cluster, nodes: u16) -> Vec<usize> {
    let serves = |node: NodeId| {
        let served = |shard: &u32| cluster.node(node).serves(ShardId(*shard)).is_some();
        (0..SHARDS).filter(served).count()
    };
    (1..=nodes)
        .map(|node| if cluster.is_up(NodeId(node)) { serves(NodeId(node)) } else { 0 })
        .collect()
}

fn began(cluster: &Cluster) -> usize {
    let is_begun = |seen: &Observation| matches!(seen, Observation::LeadTransferBegan { .. });
    cluster.observed.iter().filter(|(.., seen)| is_begun(seen)).count()
}

#[test]
fn by_default_leads_stay_where_they_fall() {
    let mut cluster = Cluster::with_venues_in(ZoneId(2), config(), 3, SHARDS);
    cluster.crash(NodeId(1));
    cluster.run_for(Span::from_secs(1));
    cluster.start(NodeId(1));
    cluster.run_for(Span::from_secs(20));
    assert_eq!(served(&cluster, 3)[0], 0);
    assert_eq!(began(&cluster), 0);
}

#[test]
fn venues_draw_the_leads_again_after_a_crash() {
    // All venues are in zone 2, which is n2. It gets all leads, one from each node at a time; it dies, and gets them
    // all again once it is back. In between no node transfers a lead.
    let mut cluster = Cluster::with_venues_in(ZoneId(2), leads(true, false), 3, SHARDS);
    assert_eq!(served(&cluster, 3), [4, 4, 4]);
    cluster.run_for(REST + Span::from_secs(2));
    assert_eq!(served(&cluster, 3), [0, 12, 0]);
    assert_eq!(began(&cluster), 8);
    cluster.crash(NodeId(2));
    cluster.run_for(Span::from_secs(10));
    assert_eq!(served(&cluster, 3)[1], 0);
    assert_eq!(began(&cluster), 8, "there is no node in zone 2");
    cluster.start(NodeId(2));
    cluster.run_for(REST + Span::from_secs(3));
    assert_eq!(served(&cluster, 3), [0, 12, 0]);
    assert_eq!(began(&cluster), 8 + 12);
}

#[test]
fn a_shard_is_given_up_only_after_its_rest() {
    let mut cluster = Cluster::with_venues_in(ZoneId(2), leads(true, false), 3, SHARDS);
    cluster.run_for(REST - Span::from_millis(300));
    assert_eq!(began(&cluster), 0);
}

#[test]
fn a_node_that_comes_back_gets_leads_again_and_then_they_stay() {
    // After its crash n1 leads nothing; the others give it leads until they are about even. There are no requests, so
    // only the number of shards counts.
    let mut cluster = Cluster::with(leads(false, true), 3, SHARDS);
    cluster.crash(NodeId(1));
    cluster.run_for(Span::from_secs(1));
    cluster.start(NodeId(1));
    assert_eq!(served(&cluster, 3)[0], 0);
    cluster.run_for(Span::from_secs(20));
    assert!(
        served(&cluster, 3).iter().all(|shards| (3..=5).contains(shards)),
        "{:?}",
        served(&cluster, 3)
    );
    let before = began(&cluster);
    cluster.run_for(Span::from_secs(60));
    assert_eq!(began(&cluster), before, "idle leads do not wander");
}

#[test]
fn a_busy_shard_stays_and_idle_ones_go() {
    // One show gets all requests. Its leader keeps it, and gives the others away.
    let mut cluster = Cluster::with(leads(false, true), 3, SHARDS);
    let leader = cluster.leader(0).expect("a node is elected").0;
    for n in 0..1_500_u64 {
        cluster.ask(NodeId(1 + n as u16 % 3), hold(10 * (n + 1), 0, &[n as u32 % 400]));
        cluster.run_for(Span::from_millis(20));
    }
    assert_eq!(cluster.leader(0).expect("it is served").0, leader);
    assert!(served(&cluster, 3)[usize::from(leader.0) - 1] <= 2, "{:?}", served(&cluster, 3));
    // All requests meanwhile were answered.
    assert_eq!(cluster.replies.len(), 1_500);
    assert!(is_held(&cluster.replies[0].1));
}

#[test]
fn nothing_is_given_up_while_a_peer_is_missed() {
    let mut cluster = Cluster::with_venues_in(ZoneId(2), leads(true, true), 3, SHARDS);
    cluster.run_for(REST - Span::from_millis(900));
    cluster.crash(NodeId(3));
    cluster.run_for(Span::from_secs(30));
    assert_eq!(began(&cluster), 0);
}

#[test]
fn a_node_without_room_is_not_idle() {
    // n1 finds its disk full, and the others take its leads. It has nothing to do then, but no node gives it a lead, by
    // load or by venue, until there is room again.
    let mut cluster = Cluster::with_venues_in(ZoneId(1), leads(true, true), 3, SHARDS);
    cluster.fill(NodeId(1));
    cluster.ask(NodeId(2), hold(1, 0, &[1]));
    cluster.run_for(Span::from_secs(2));
    assert_eq!(served(&cluster, 3)[0], 0);
    let before = began(&cluster);
    cluster.run_for(Span::from_secs(20));
    assert_eq!((served(&cluster, 3)[0], began(&cluster)), (0, before));
    cluster.make_room(NodeId(1));
    cluster.run_for(Span::from_secs(20));
    assert_eq!(served(&cluster, 3), [12, 0, 0]);
}
