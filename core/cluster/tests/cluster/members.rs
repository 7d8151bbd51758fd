//! The effect of a split on the members' tables, and on clients on its smaller side.

use onsale_booking::{NodeId, Outcome, Refusal, Span};
use onsale_cluster::membership::State;
use onsale_cluster::{Mark, Observation};

use super::SHOW;
use crate::harness::Cluster;
use crate::sample::hold;

/// Longer than a suspicion and the wait before the harness's members judge.
const JUDGED: Span = Span::from_secs(6);
/// Long enough for a few rounds of beats.
const ROUNDS: Span = Span::from_secs(1);
const MINORITY: Outcome = Outcome::Refused(Refusal::Minority);

fn count(cluster: &Cluster, at: NodeId, observation: Observation) -> usize {
    cluster.observed.iter().filter(|&&(_, node, seen)| node == at && seen == observation).count()
}

/// The state of a node in all tables, which must agree.
fn agreed(cluster: &Cluster, about: NodeId) -> (State, u64) {
    let nodes = cluster.setup().placement.node_ids();
    let tables: Vec<_> = nodes.map(|node| cluster.node(node).membership()).collect();
    assert!(tables.iter().all(|table| table.view() == tables[0].view()), "{tables:?}");
    let member = tables[0].member(about).expect("every node is a member");
    (member.state, member.incarnation.round)
}

#[test]
fn a_minority_refuses_at_once_and_returns_when_the_split_is_over() {
    let mut cluster = Cluster::new(3, 4);
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.isolate(leader);
    cluster.run_for(JUDGED);
    let asked = cluster.now();
    assert_eq!(cluster.outcome(leader, hold(10, SHOW, &[1])), MINORITY);
    assert!(cluster.now().since(asked) <= Span::from_millis(10), "no client waits for a time-out");
    assert_eq!(count(&cluster, leader, Observation::Withdrew), 1);
    assert_eq!(count(&cluster, leader, Observation::GivenUp { peer: other }), 0);
    assert_eq!(count(&cluster, other, Observation::GivenUp { peer: leader }), 1);
    assert!(super::is_held(&cluster.outcome(other, hold(20, SHOW, &[1]))), "the majority sells");

    cluster.heal();
    cluster.run_for(ROUNDS);
    assert_eq!(agreed(&cluster, leader), (State::Up, 1), "it came back as another incarnation");
    assert_eq!(agreed(&cluster, other), (State::Up, 1), "it refuted a suspicion");
    assert_eq!(count(&cluster, leader, Observation::Returned), 1);
    assert_eq!(count(&cluster, leader, Observation::GivenUp { peer: other }), 0);
    assert!(super::is_held(&cluster.outcome(leader, hold(30, SHOW, &[2]))));
}

#[test]
fn a_minority_goes_on_with_shards_whose_quorum_it_hears() {
    let mut cluster = Cluster::new(5, 8);
    let side = [NodeId(1), NodeId(2)];
    let here = |cluster: &Cluster, show| {
        let replicas = cluster.setup().placement.replicas(cluster.shard(show));
        replicas.iter().filter(|node| side.contains(node)).count()
    };
    let shows = 0..cluster.setup().shows;
    let at_home = shows.clone().find(|&show| here(&cluster, show) == 2).expect("two of three");
    let abroad = shows.clone().find(|&show| here(&cluster, show) == 1).expect("one of three");
    cluster.split(&side);
    cluster.run_for(JUDGED);
    for (gateway, id) in side.into_iter().zip([10, 20_u32]) {
        assert_eq!(count(&cluster, gateway, Observation::Withdrew), 1);
        assert_eq!(cluster.outcome(gateway, hold(u64::from(id), abroad, &[id])), MINORITY);
        let held = cluster.outcome(gateway, hold(u64::from(id + 1), at_home, &[id]));
        assert!(super::is_held(&held), "{held:?}");
    }
    cluster.heal();
    cluster.run_for(ROUNDS);
    assert!(super::is_held(&cluster.outcome(NodeId(4), hold(30, at_home, &[1]))));
    let taken = cluster.outcome(NodeId(4), hold(31, at_home, &[10]));
    assert_eq!(taken, Outcome::Refused(Refusal::SeatTaken), "the smaller side's sale counts");
}

#[test]
fn clients_that_wait_at_a_gateway_that_withdraws_are_sent_elsewhere() {
    let mut patient = super::config();
    patient.gateway.try_timeout = Span::from_secs(30);
    let mut cluster = Cluster::with(patient, 3, 1);
    let leader = cluster.leader(SHOW).unwrap().0;
    cluster.isolate(leader);
    cluster.ask(leader, hold(10, SHOW, &[1]));
    cluster.run_for(JUDGED);
    assert_eq!(cluster.replies.iter().map(|(_, outcome)| outcome).collect::<Vec<_>>(), [&MINORITY]);
    assert_eq!(cluster.node(leader).in_flight(), 0);
}

#[test]
fn a_zombie_learns_that_it_was_declared_down_and_joins_again() {
    let mut cluster = Cluster::new(3, 4);
    cluster.run_for(Span::from_secs(5));
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.pause(leader, JUDGED + JUDGED);
    cluster.run_for(JUDGED);
    let known = cluster.node(other).membership().member(leader).unwrap();
    assert_eq!(known.state, State::Down);
    cluster.run_for(JUDGED + ROUNDS);
    assert_eq!(count(&cluster, leader, Observation::Mark(Mark::Rejoined)), 1);
    assert_eq!(count(&cluster, leader, Observation::Withdrew), 1);
    assert_eq!(count(&cluster, leader, Observation::Returned), 1);
    assert_eq!(agreed(&cluster, leader), (State::Up, 2), "it was suspect, and then declared down");
    assert_eq!(agreed(&cluster, other), (State::Up, 0), "it suspected no peer for its own pause");
}

#[test]
fn a_node_that_is_not_heard_withdraws_although_it_hears_a_quorum() {
    let mut cluster = Cluster::new(3, 4);
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.mute(leader);
    cluster.run_for(JUDGED);
    assert_eq!(cluster.outcome(leader, hold(10, SHOW, &[1])), MINORITY);
    assert_eq!(cluster.node(other).membership().member(leader).unwrap().state, State::Down);
    cluster.heal();
    cluster.run_for(ROUNDS);
    assert_eq!(agreed(&cluster, leader).0, State::Up);
    assert!(super::is_held(&cluster.outcome(leader, hold(30, SHOW, &[2]))));
}

#[test]
fn a_restart_is_told_and_then_beats_carry_nothing() {
    let mut cluster = Cluster::new(3, 4);
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.crash(leader);
    cluster.run_for(Span::from_secs(1));
    cluster.start(leader);
    cluster.run_for(ROUNDS);
    assert_eq!(agreed(&cluster, leader), (State::Up, 0));
    assert_eq!(
        count(&cluster, leader, Observation::Withdrew),
        0,
        "a node that comes back serves at once"
    );
    let told = Observation::Mark(Mark::RumoursTold);
    let before = count(&cluster, other, told);
    assert!(before > 0);
    cluster.run_for(Span::from_secs(10));
    assert_eq!(count(&cluster, other, told), before);
}
