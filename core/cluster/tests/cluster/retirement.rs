//! A node that is told to stop transfers its leads, and then may be stopped.

use super::*;

#[test]
fn a_node_that_retires_transfers_its_leads_and_keeps_no_client_waiting() {
    // The leader is told to stop while a client asks every millisecond through every gateway. Its shards have other
    // leaders long before any peer would have missed it, no client is turned away, and then it says that it may be
    // stopped.
    let mut cluster = Cluster::new(3, 4);
    let leader = cluster.leader(SHOW).unwrap().0;
    let before = cluster.replies.len();
    let began = cluster.now();
    for n in 0..100_u64 {
        if n == 20 {
            cluster.retire(leader);
        }
        let seat = 3 * n as u32;
        cluster.ask(NodeId(1 + (n % 3) as u16), hold(10 * (n + 1), SHOW, &[seat]));
        cluster.run_for(Span::from_millis(1));
    }
    assert!(!cluster.drained.contains(&leader), "clients still ask it");
    cluster.run_for(Span::from_millis(600));
    assert!(cluster.drained.contains(&leader));
    assert_ne!(cluster.leader(SHOW).unwrap().0, leader);
    let replies = &cluster.replies[before..];
    assert_eq!(replies.len(), 100);
    assert!(replies.iter().all(|(_, outcome)| is_held(outcome)), "{replies:?}");
    let story: Vec<_> = cluster.observed.iter().filter(|&&(at, ..)| at > began).collect();
    let begins = |seen: &Observation| matches!(seen, Observation::LeadTransferBegan { .. });
    let serves = |seen: &Observation| matches!(seen, Observation::LeaderActivated { .. });
    let waited = Observation::Mark(Mark::WaitedForSuccessor);
    let begun = story.iter().find(|(.., seen)| begins(seen)).expect("it begins a transfer").0;
    let served = story.iter().rfind(|(.., seen)| serves(seen)).expect("others serve").0;
    assert!(served.since(begun) < Span::from_millis(10), "{story:?}");
    assert!(story.iter().any(|(.., seen)| *seen == waited), "{story:?}");
    let tries = cluster.observed.iter().filter(|(.., seen)| {
        matches!(seen, Observation::Mark(Mark::AttemptTimedOut | Mark::StoodForElection))
    });
    assert_eq!(tries.count(), 0);
}

#[test]
fn a_retired_node_that_comes_back_is_a_node_like_any_other() {
    let mut cluster = Cluster::new(3, 4);
    let leader = cluster.leader(SHOW).unwrap().0;
    cluster.retire(leader);
    cluster.run_for(Span::from_millis(600));
    cluster.crash(leader);
    cluster.run_for(Span::from_secs(1));
    cluster.start(leader);
    cluster.run_for(Span::from_secs(1));
    let successor = cluster.leader(SHOW).unwrap().0;
    cluster.retire(successor);
    cluster.run_for(Span::from_millis(600));
    assert!(cluster.drained.contains(&successor));
    assert_ne!(cluster.leader(SHOW).unwrap().0, successor);
    assert!(is_held(&cluster.outcome(leader, hold(10, SHOW, &[1]))));
}

#[test]
fn a_leader_without_a_successor_goes_on() {
    // Told to stop while it is cut off from its peers: it finds no successor, gives up, decides the waiting requests,
    // and once the links are back transfers its leads after all.
    let mut patient = config();
    patient.gateway.try_timeout = Span::from_secs(30);
    let mut cluster = Cluster::with(patient, 3, 1);
    let leader = cluster.leader(SHOW).unwrap().0;
    cluster.lose_one_in(Some(1));
    cluster.retire(leader);
    cluster.ask(leader, hold(10, SHOW, &[1]));
    cluster.run_for(Span::from_secs(3));
    let given_up = |seen: &Observation| matches!(seen, Observation::LeadTransferGivenUp { .. });
    assert!(cluster.observed.iter().any(|(_, node, seen)| *node == leader && given_up(seen)));
    assert!(!cluster.drained.contains(&leader));
    cluster.lose_one_in(None);
    cluster.run_for(Span::from_secs(40));
    assert!(cluster.replies.iter().any(|(id, outcome)| *id == RequestId(10) && is_held(outcome)));
    assert!(cluster.drained.contains(&leader), "{:?}", cluster.observed);
    assert_ne!(cluster.leader(SHOW).unwrap().0, leader);
}

#[test]
fn a_bounded_number_wait_for_a_successor_and_the_others_are_told_at_once() {
    // The transfer stalls, because the leader's links are cut. Thirty clients ask meanwhile, of whom ten may wait at
    // their gateway: the others are sent away at once, and the ten are served in the end.
    let mut narrow = config();
    narrow.gateway.in_flight_per_shard = 10;
    let mut cluster = Cluster::with(narrow, 3, 1);
    let leader = cluster.leader(SHOW).unwrap().0;
    cluster.isolate(leader);
    cluster.retire(leader);
    for n in 0..30 {
        cluster.ask(leader, hold(10 * (n + 1), SHOW, &[3 * n as u32]));
    }
    cluster.run_for(Span::from_millis(100));
    assert_eq!(cluster.replies.len(), 20);
    let overloaded = Outcome::Refused(Refusal::Overloaded);
    assert!(cluster.replies.iter().all(|(_, outcome)| *outcome == overloaded));
    cluster.heal();
    cluster.run_for(Span::from_secs(2));
    assert_eq!(cluster.replies.len(), 30);
    assert!(cluster.replies[20..].iter().all(|(_, outcome)| is_held(outcome)));
    assert_ne!(cluster.leader(SHOW).unwrap().0, leader);
}
