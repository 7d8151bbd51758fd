//! What a leader that is cut off tells its clients, by its settings.

use onsale_booking::{Outcome, Refusal, RequestId, Span};
use onsale_cluster::{Acknowledge, Config, Deposed, LeaderConfig, OnSuspicion, Reads, Reckoning};

use crate::harness::Cluster;
use crate::sample::{config, hold};
use crate::{SHOW, is_held, lasts_with_clocks_apart};

/// Seat 1 is taken; the leader is cut off, and asked for seat 2 and for seat 1. Returns its answers to both after a
/// while.
fn answered(config: Config, after: Span) -> [Option<Outcome>; 2] {
    let mut cluster = Cluster::with(config, 3, 1);
    let leader = cluster.leader(SHOW).expect("a node is elected").0;
    assert!(is_held(&cluster.outcome(leader, hold(10, SHOW, &[1]))));
    cluster.isolate(leader);
    cluster.ask(leader, hold(20, SHOW, &[2]));
    cluster.run_for(Span::from_millis(20));
    cluster.ask(leader, hold(30, SHOW, &[1]));
    cluster.run_for(after);
    [20, 30].map(|id| {
        let told = cluster.replies.iter().find(|(request, _)| *request == RequestId(id));
        told.map(|(_, outcome)| outcome.clone())
    })
}

fn leader(leader: LeaderConfig) -> Config {
    Config { leader, ..config() }
}

#[test]
fn by_default_it_tells_nothing() {
    assert_eq!(answered(config(), Span::from_millis(300)), [None, None]);
}

#[test]
fn it_may_acknowledge_a_record_that_no_quorum_has() {
    for acknowledge in [Acknowledge::OwnDisk, Acknowledge::Proposal] {
        let config = leader(LeaderConfig { acknowledge, ..LeaderConfig::default() });
        let [granted, refused] = answered(config, Span::from_millis(300));
        assert!(granted.is_some_and(|outcome| is_held(&outcome)), "{acknowledge:?}");
        assert_eq!(refused, None, "an answer that changes nothing is still confirmed");
    }
}

#[test]
fn it_may_answer_from_memory() {
    let config = leader(LeaderConfig { reads: Reads::Local, ..LeaderConfig::default() });
    let taken = Some(Outcome::Refused(Refusal::SeatTaken));
    assert_eq!(answered(config, Span::from_millis(300)), [None, taken]);
}

#[test]
fn it_may_treat_the_others_as_dead_and_be_a_majority_of_itself() {
    let mut config = Config { on_suspicion: OnSuspicion::Down, ..config() };
    config.gateway.try_timeout = Span::from_secs(30);
    let [granted, refused] = answered(config, Span::from_secs(2));
    assert!(granted.is_some_and(|outcome| is_held(&outcome)));
    assert_eq!(refused, Some(Outcome::Refused(Refusal::SeatTaken)));
}

#[test]
fn it_may_give_its_open_answers_when_it_is_deposed() {
    // Its successor sells the same seat meanwhile.
    let mut config = leader(LeaderConfig { deposed: Deposed::Answers, ..LeaderConfig::default() });
    config.gateway.try_timeout = Span::from_secs(30);
    let mut cluster = Cluster::with(config, 3, 1);
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.isolate(leader);
    cluster.ask(leader, hold(20, SHOW, &[2]));
    cluster.run_for(Span::from_secs(2));
    assert!(is_held(&cluster.outcome(other, hold(30, SHOW, &[2]))));
    cluster.heal();
    cluster.run_for(Span::from_secs(1));
    let told = cluster.replies.iter().filter(|(_, outcome)| is_held(outcome)).count();
    assert_eq!(told, 2, "{:?}", cluster.replies);
}

#[test]
fn it_may_read_earlier_leaders_instants_by_its_own_clock() {
    // The clock of the next leader but one is five minutes ahead: to it, the hold has long been over.
    let reckoning = Reckoning::Instants;
    let config = leader(LeaderConfig { reckoning, ..LeaderConfig::default() });
    let lasts = lasts_with_clocks_apart(config, Span::from_secs(300));
    assert!(lasts < Span::from_secs(125), "it ends as soon as that one serves: {lasts}");
}
