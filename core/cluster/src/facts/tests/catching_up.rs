//! A node that joins, or whose disk forgot, catches up before it answers.

use super::*;

#[test]
fn a_node_that_joins_answers_once_it_has_caught_up_with_a_peer() {
    let mut town = Town::new(3, 0);
    town.write(1, 1, "known");
    town.run(Span::from_secs(5));
    town.told.clear();
    town.wipe(3, Start::Joins);
    let read = || Asked::Read(vec![price(1)]);
    town.apart = vec![NodeId(1), NodeId(2)];
    town.ask(3, &Seen::default(), read());
    town.write(3, 2, "mine");
    town.run(Span::from_secs(1));
    assert_eq!(town.told, [(NodeId(3), FactsAnswer::Behind), (NodeId(3), FactsAnswer::Behind)]);
    town.apart = vec![NodeId(2)];
    town.ask(3, &Seen::default(), read());
    town.write(3, 2, "mine");
    town.run(Span::from_millis(100));
    let answers: Vec<_> = town.told[2..].iter().map(|(_, answer)| answer).collect();
    let [FactsAnswer::Read(facts), FactsAnswer::Written(_)] = answers[..] else {
        panic!("one peer is enough: {answers:?}")
    };
    assert_eq!(facts[0].1.as_ref().and_then(|version| version.text.as_deref()), Some("known"));
}

/// Only one peer has heard of a write when its node's disk is lost. If the node wrote again before it hears of that
/// write, the others would believe that they have seen it.
#[test]
fn a_node_whose_disk_forgot_writes_once_it_has_caught_up_with_all() {
    let mut town = Town::new(3, 0);
    town.apart = vec![NodeId(3)];
    town.write(1, 1, "only here");
    town.run(Span::from_millis(200));
    assert_eq!(town.prices(1)[1..], ["only here", ""]);
    town.wipe(1, Start::Forgot);
    town.apart = vec![NodeId(2)];
    town.write(1, 2, "too soon");
    town.ask(1, &Seen::default(), Asked::Read(vec![price(1)]));
    town.run(Span::from_secs(1));
    let answers: Vec<_> = town.told[1..].iter().map(|(_, answer)| answer).collect();
    assert!(matches!(answers[..], [FactsAnswer::Read(_), FactsAnswer::Behind]), "{answers:?}");
    town.apart.clear();
    town.write(1, 2, "later");
    town.run(Span::from_secs(10));
    assert_eq!(
        (town.prices(1), town.prices(2)),
        (vec!["only here".into(); 3], vec!["later".into(); 3])
    );
}

/// A peer's vector when it first spoke is enough: some of its later writes are always too early.
#[test]
fn a_node_whose_disk_forgot_does_not_wait_for_a_peer_to_fall_silent() {
    let mut town = Town::new(3, 0);
    let excess = Span::from_secs(2);
    town.ahead = town.config.accepted_drift + excess;
    for step in 0..100 {
        if step == 20 {
            town.wipe(2, Start::Forgot);
        }
        town.write(1, 1, &step.to_string());
        town.run(Span::from_millis(100));
    }
    assert!(town.now < Instant(SECOND) + excess + Span::from_secs(9));
    town.told.clear();
    town.write(2, 2, "taken");
    town.run(Span::from_millis(50));
    assert!(matches!(town.told[..], [(NodeId(2), FactsAnswer::Written(_))]), "{:?}", town.told);
}

/// A write under way when the disk was lost may reach a peer after the peer first spoke.
#[test]
fn a_write_of_its_own_that_only_a_peer_has_is_waited_for() {
    let (me, peer, nothing) = (NodeId(1), NodeId(2), Seen::default());
    let mut gossip = Gossip::new(Start::Forgot, [peer], 1, Span(1), Draw::new(1));
    gossip.on_digest(peer, false, &nothing, &nothing);
    assert!(!gossip.may_answer(false, me, None), "it may still take what an earlier boot told it");
    gossip.on_digest(peer, true, &nothing, &nothing);
    assert!(gossip.may_answer(true, me, None));
    let forgot = Stamp { at: Instant(SECOND), count: 0, node: me };
    gossip.on_digest(peer, true, &[forgot].into_iter().collect(), &nothing);
    assert!(!gossip.may_answer(true, me, None));
    assert!(gossip.may_answer(true, me, Some(forgot)));
}

/// A stamp of a clock far ahead waits at the peers for its time. Once its writer has lost it with its disk, and writes
/// again, it would cover the new writes there (`facts/slow-disks`, seed 16).
#[test]
fn an_early_write_of_an_earlier_boot_is_dropped_once_its_node_has_forgotten_it() {
    let mut town = Town::new(3, 0);
    town.ahead = town.config.accepted_drift + Span::from_secs(5);
    town.write(1, 1, "too early");
    town.run(Span::from_millis(100));
    assert!(town.marks.contains(&Mark::FactsFromTheFuture));
    town.ahead = Span::ZERO;
    town.wipe(1, Start::Forgot);
    town.told.clear();
    for text in ["one", "two", "three"] {
        town.write(1, 2, text);
        town.run(Span::from_secs(3));
    }
    assert_eq!(town.told.len(), 3);
    assert!(town.told.iter().all(|(_, answer)| matches!(answer, FactsAnswer::Written(_))));
    assert_eq!(town.prices(2), vec!["three"; 3]);
    assert_eq!(town.prices(1), vec![""; 3]);
}

/// A write under way when the disk was lost is dropped as well.
#[test]
fn a_message_of_an_earlier_boot_is_not_taken_after_the_node_is_back() {
    let mut town = Town::new(3, 0);
    town.ahead = Span(town.config.accepted_drift.0 / 2);
    town.write(1, 1, "under way");
    town.ahead = Span::ZERO;
    town.wipe(1, Start::Forgot);
    town.run(Span::from_millis(100));
    assert!(town.marks.contains(&Mark::FactsFromEarlierBoot));
    town.write(1, 2, "known");
    town.run(Span::from_secs(5));
    assert_eq!(town.prices(1), vec![""; 3]);
    assert_eq!(town.prices(2), vec!["known"; 3]);
}

/// A crash alone loses nothing: the node tells its peers again what they dropped.
#[test]
fn an_early_write_of_an_earlier_boot_that_its_disk_kept_is_told_again() {
    let mut town = Town::new(3, 0);
    town.ahead = town.config.accepted_drift + Span::from_secs(5);
    town.write(1, 1, "too early");
    town.run(Span::from_millis(100));
    town.restart(1);
    town.run(Span::from_secs(20));
    assert_eq!(town.prices(1), vec!["too early"; 3]);
}

/// A session has seen a write that was lost with a disk: once all have confirmed that, all serve the session.
#[test]
fn a_write_that_a_disk_forgot_and_no_peer_has_is_written_off() {
    let mut town = Town::new(3, 0);
    town.write(1, 1, "told");
    town.run(Span::from_secs(5));
    town.apart = vec![NodeId(1)];
    town.write(1, 1, "lost");
    let seen = town.nodes[0].seen().clone();
    town.wipe(1, Start::Forgot);
    town.told.clear();
    let read = || Asked::Read(vec![price(1)]);
    town.apart = vec![NodeId(3)];
    (1..=3).for_each(|node| town.ask(node, &seen, read()));
    town.run(Span::from_secs(1));
    assert!(town.told.iter().all(|(_, answer)| *answer == FactsAnswer::Behind), "one may have it");
    assert_eq!(town.told.len(), 3);
    town.apart.clear();
    town.told.clear();
    town.ask(1, &seen, read());
    town.run(Span::from_secs(5));
    (2..=3).for_each(|node| town.ask(node, &seen, read()));
    let known = |(_, answer): &(NodeId, FactsAnswer)| {
        let FactsAnswer::Read(facts) = answer else { panic!("{answer:?}") };
        facts[0].1.as_ref().and_then(|version| version.text.clone())
    };
    let known: Vec<_> = town.told.iter().filter_map(known).collect();
    assert_eq!(known.iter().map(|text| &**text).collect::<Vec<_>>(), ["told"; 3]);
    assert_eq!(town.marks.iter().filter(|&&mark| mark == Mark::FactsWrittenOff).count(), 1);
    assert!(
        town.nodes.iter().all(|facts| facts.next_deadline().is_none()),
        "then there is silence"
    );
}

/// A session's vector does not drag the clock along either.
#[test]
fn a_stamp_too_far_ahead_is_not_written_off() {
    let mut town = Town::new(2, 0);
    let at = town.now + town.config.accepted_drift + Span::from_secs(2);
    let seen = [Stamp { at, count: 0, node: NodeId(1) }].into_iter().collect();
    town.ask(1, &seen, Asked::Read(vec![price(1)]));
    town.run(Span::from_secs(1));
    assert_eq!(town.told, [(NodeId(1), FactsAnswer::Behind)]);
    town.run(Span::from_secs(2));
    town.ask(1, &seen, Asked::Read(vec![price(1)]));
    town.run(Span::from_secs(1));
    assert!(matches!(town.told[1..], [(NodeId(1), FactsAnswer::Read(_))]), "{:?}", town.told);
}
