//! When holds end while members change.

use onsale_booking::{Instant, NodeId, Outcome, ShowId, Span};

use crate::harness::Cluster;
use crate::sample::hold;

const SHOW: u32 = 0;
const NODES: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(3)];

/// A cluster of three with one shard, and when a hold in it was granted. Clocks are ten days apart.
fn held() -> (Cluster, Instant) {
    let apart = Span::from_secs(864_000);
    let mut cluster = Cluster::with_clocks_apart(crate::sample::config(), 3, 1, apart);
    let outcome = cluster.outcome(cluster.follower(SHOW), hold(10, SHOW, &[5]));
    assert!(matches!(outcome, Outcome::Held { .. }), "{outcome:?}");
    let granted = cluster.now();
    (cluster, granted)
}

/// How long the hold has lasted since its grant, to a tenth of a second.
fn lasts(cluster: &mut Cluster, granted: Instant) -> Span {
    let ended = |cluster: &Cluster| {
        let leader = cluster.leader(SHOW).map(|(leader, _)| leader);
        let show = leader.and_then(|leader| cluster.node(leader).show(ShowId(SHOW)));
        show.is_some_and(|show| show.held() == 0)
    };
    while !ended(cluster) {
        cluster.run_for(Span::from_millis(100));
        assert!(cluster.now().since(granted) < Span::from_secs(1_000), "it never ends");
    }
    cluster.now().since(granted)
}

fn check_in_time(lasts: Span, what: &str) {
    assert!(lasts >= Span::from_secs(305), "{what}: too soon, after {lasts}");
    assert!(lasts <= Span::from_millis(305_500), "{what}: too late, after {lasts}");
}

#[test]
fn a_rolling_restart_prolongs_no_hold() {
    let (mut cluster, granted) = held();
    cluster.run_for(Span::from_secs(200));
    for node in NODES {
        cluster.retire(node);
        cluster.run_for(Span::from_secs(2));
        cluster.crash(node);
        cluster.run_for(Span::from_secs(2));
        cluster.start(node);
        cluster.run_for(Span::from_secs(5));
    }
    check_in_time(lasts(&mut cluster, granted), "after a rolling restart");
}

#[test]
fn crashes_in_turn_prolong_no_hold() {
    let (mut cluster, granted) = held();
    for round in 0..36 {
        let node = NODES[round % 3];
        cluster.crash(node);
        cluster.run_for(Span::from_secs(4));
        cluster.start(node);
        cluster.run_for(Span::from_secs(3));
    }
    check_in_time(lasts(&mut cluster, granted), "after 36 crashes");
}

/// Half of all messages are lost while a node comes back, its leader's first one among them: it still hears the time,
/// and so knows it when the other two are gone in turn.
#[test]
fn the_time_is_told_until_it_is_heard() {
    let (mut cluster, granted) = held();
    cluster.run_for(Span::from_secs(100));
    for _ in 0..6 {
        let leader = cluster.leader(SHOW).expect("a node leads").0;
        for node in NODES.into_iter().filter(|&node| node != leader) {
            cluster.crash(node);
            cluster.run_for(Span::from_secs(1));
            cluster.lose_one_in(Some(2));
            cluster.start(node);
            cluster.run_for(Span::from_millis(700));
            cluster.lose_one_in(None);
            cluster.run_for(Span::from_millis(1_200));
        }
        let leader = cluster.leader(SHOW).expect("a node leads").0;
        cluster.crash(leader);
        cluster.run_for(Span::from_secs(5));
        cluster.start(leader);
        cluster.run_for(Span::from_secs(3));
    }
    check_in_time(lasts(&mut cluster, granted), "after lost messages");
}

/// No replica has counted: the hold is measured from the latest record on, and no client is wronged.
#[test]
fn a_loss_of_all_power_prolongs_a_hold_by_its_whole_length_at_most() {
    let (mut cluster, granted) = held();
    cluster.run_for(Span::from_secs(60));
    NODES.into_iter().for_each(|node| cluster.crash(node));
    cluster.run_for(Span::from_secs(100));
    NODES.into_iter().for_each(|node| cluster.start(node));
    let lasts = lasts(&mut cluster, granted);
    let (least, most) = (Span::from_secs(305), Span::from_secs(60 + 100 + 306));
    assert!(lasts >= least && lasts <= most, "after {lasts}");
}

/// The cost of the time: a message a second while a follower does not answer, and nothing once all know it.
#[test]
fn the_time_is_told_until_all_have_answered() {
    let (mut cluster, _) = held();
    let follower = cluster.follower(SHOW);
    let said = |cluster: &mut Cluster| {
        cluster.run_for(Span::from_secs(5));
        let before = cluster.sent.journal;
        cluster.run_for(Span::from_secs(60));
        cluster.sent.journal - before
    };
    assert_eq!(said(&mut cluster), 0, "all know it");
    let leader = cluster.leader(SHOW).expect("a node leads").0;
    cluster.crash(leader);
    let in_a_minute = said(&mut cluster);
    assert!(
        (2 * 50..=4 * 60).contains(&in_a_minute),
        "{in_a_minute} to one that is down and one that is not"
    );
    cluster.start(leader);
    cluster.crash(follower);
    cluster.run_for(Span::from_secs(2));
    cluster.start(follower);
    assert_eq!(said(&mut cluster), 0, "all know it again");
}
