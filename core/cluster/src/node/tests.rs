//! The inputs that a node refuses, and how its timers run.

use onsale_booking::{ClientId, Command, HoldId, Outcome, Reply, RequestId, ShowId, UserId};

use super::elections::Candidacy;
use super::*;
use crate::journal::Found;
use crate::message::Answer;
use crate::placement::Placement;
use crate::write::Write;

const BEAT: Beat = Beat { incarnation: 1, release: Release::FIRST, map: 0, load: 0, view: 0 };

pub(super) fn node() -> Node {
    numbered(1, 2)
}

/// A node of a cluster with as many shards as shows.
fn numbered(me: u16, shows: u32) -> Node {
    started(booted(me, shows))
}

/// The same before its first segment is durable.
fn booted(me: u16, shows: u32) -> Node {
    let setup = Setup::example(Placement::new(4, 1, shows, 3), shows);
    Node::boot(Arc::new(setup), NodeId(me), 1, Release::FIRST, 1, Found::default(), Instant::ZERO)
}

/// The node once its first segment is durable.
fn started(mut node: Node) -> Node {
    let mut effects = Effects::default();
    node.step(Instant::ZERO, Input::TurnEnded, &mut effects);
    assert!(effects.sends.is_empty(), "it says nothing before");
    let first = effects.writes.pop().expect("it writes at once");
    node.step(Instant::ZERO, Input::Persisted(first.id), &mut effects);
    node
}

#[test]
fn hostile_or_stale_input_is_refused_with_a_reason() {
    let (stranger, peer, client) =
        (Endpoint::Node(NodeId(9)), Endpoint::Node(NodeId(2)), Endpoint::Client(ClientId(0)));
    let release = Command::Release { hold: HoldId(1) };
    let request = |show| Request {
        id: RequestId(1),
        user: UserId(1),
        show: ShowId(show),
        command: release.clone(),
    };
    let reply = Reply { request: RequestId(7), outcome: Outcome::Released { hold: HoldId(1) } };
    let denial = Answer::NotLeader { request: RequestId(7), shard: ShardId(99), leader: None };
    let astray =
        JournalMessage::new(raft::eraftpb::Message { from: 2, to: 1, ..Default::default() });
    let timed = |item| vec![Timed { at: Instant::ZERO, item }];
    let table = [
        Input::Delivered { from: stranger, message: Message::Beat(BEAT) },
        Input::Delivered { from: client, message: Message::Beat(BEAT) },
        Input::Delivered { from: peer, message: Message::Requests(timed(request(0))) },
        Input::Delivered {
            from: client,
            message: Message::Journal(vec![(ShardId(0), astray.clone())]),
        },
        Input::Delivered { from: peer, message: Message::Journal(vec![(ShardId(99), astray)]) },
        Input::Forwarded { from: NodeId(2), request: request(2) },
        Input::Answered { from: NodeId(2), answer: Answer::Decided(reply) },
        Input::Answered { from: NodeId(2), answer: denial },
        Input::Persisted(PersistId(77)),
        Input::WriteFailed(PersistId(77)),
        Input::WriteRefused(Write {
            id: PersistId(77),
            segment: 0,
            bytes: Vec::new(),
            retire_below: 0,
        }),
    ];
    for input in table {
        let (mut node, mut effects, shown) = (node(), Effects::default(), format!("{input:?}"));
        node.step(Instant(1), input, &mut effects);
        assert_eq!(effects.observations.len(), 1, "{shown} is refused in silence");
        assert!(effects.sends.is_empty() && effects.writes.is_empty(), "{shown} has an effect");
    }
}

#[test]
fn a_node_beats_at_once_and_then_at_its_pace() {
    let (mut node, mut effects) = (node(), Effects::default());
    assert_eq!(node.next_deadline(), Some(Instant::ZERO));
    for now in [Instant::ZERO, Instant(100_000)] {
        node.step(now, Input::DeadlineReached, &mut effects);
        let beats = effects.sends.drain(..).filter(|sent| matches!(sent.message, Message::Beat(_)));
        assert_eq!(beats.count(), 3);
    }
    node.step(Instant(50), Input::DeadlineReached, &mut effects);
    assert!(effects.is_empty(), "time does not run backwards");
}

/// A node that has begun to write, and that write.
fn writing() -> (Node, Effects, Write) {
    let (mut node, mut effects) = (node(), Effects::default());
    node.replicas.touch(ShardId(0));
    node.step(Instant::ZERO, Input::DamageFound, &mut effects);
    node.step(Instant::ZERO, Input::TurnEnded, &mut effects);
    let write = effects.writes.pop().expect("a damaged log is rewritten");
    effects = Effects::default();
    (node, effects, write)
}

#[test]
fn a_node_whose_write_fails_does_nothing_any_more() {
    let (mut node, mut effects, write) = writing();
    node.step(Instant(1), Input::WriteFailed(write.id), &mut effects);
    assert!(effects.stops);
    assert_eq!(effects.observations, [Observation::Mark(Mark::StoppedOnWriteError)]);
    effects.observations.clear();
    let later = Instant(1_000_000);
    node.step(later, Input::Persisted(write.id), &mut effects);
    node.step(later, Input::DeadlineReached, &mut effects);
    node.step(later, Input::TurnEnded, &mut effects);
    assert!(effects.is_empty() && node.next_deadline().is_none());
}

#[test]
fn a_write_that_finds_no_room_is_written_again_as_it_was() {
    let (mut node, mut effects, write) = writing();
    for round in 0..3 {
        let now = Instant(1 + 200_000 * round);
        node.step(now, Input::WriteRefused(write.clone()), &mut effects);
        node.step(now, Input::DeadlineReached, &mut effects);
        assert!(effects.writes.is_empty(), "it waits for room");
        let again = now + Span::from_millis(100);
        assert!(node.next_deadline().is_some_and(|at| at <= again));
        node.step(again, Input::DeadlineReached, &mut effects);
        assert_eq!(effects.writes.pop().as_ref(), Some(&write));
    }
    node.step(Instant(700_000), Input::Persisted(write.id), &mut effects);
    assert!(!effects.observations.contains(&Observation::Mark(Mark::StrayWriteAnswer)));
}

/// A node behind its time checks for silent peers before it retries its write: it must put an election off beyond now,
/// or it would loop for ever (`fast/all-families` 702, a limping node with a full disk).
#[test]
fn a_node_without_room_puts_off_an_election_to_a_later_turn() {
    let (mut node, mut effects, write) = writing();
    node.step(Instant(1), Input::WriteRefused(write), &mut effects);
    let late = Instant(1_000_000);
    let shard = node.replicas.carried()[0];
    let epoch = node.replicas.get(shard).expect("it is carried").journal().epoch();
    node.elections.plan(Candidacy { at: Instant(2), shard, epoch, leader: NodeId(2) }, 0);
    node.step(late, Input::TurnEnded, &mut effects);
    assert!(node.elections.next_deadline() > late);
    let abstained = Observation::Mark(Mark::AbstainedWithoutDisk);
    assert_eq!(effects.observations.iter().filter(|&told| *told == abstained).count(), 1);
}

#[test]
fn an_empty_disk_is_a_new_nodes_only_once() {
    let found = |has_written| Found { has_written, segments: Vec::new() };
    for boot in [1, 2, 9] {
        let new = disk::recover(boot, found(false), false);
        assert!(!new.lost_promises() && !new.replaced, "boot {boot}: none before was heard of");
    }
    let other = disk::recover(2, found(true), false);
    assert!(other.lost_promises() && other.replaced);
}

#[test]
fn a_batch_of_requests_is_taken_as_its_requests_one_by_one() {
    // Shows of several leaders and one that does not exist, and a repeat.
    let asked = [(1, 0), (2, 1), (3, 2), (4, 8), (3, 2), (5, 3), (6, 4), (7, 0), (8, 5)];
    let batch = (100..).zip(asked).map(|(at, (id, show))| {
        let command = Command::Release { hold: HoldId(id) };
        let item = Request { id: RequestId(id), user: UserId(1), show: ShowId(show), command };
        Timed { at: Instant(at), item }
    });
    let batch: Vec<_> = batch.collect();
    let from = Endpoint::Client(ClientId(0));
    let mut most = 0;
    for me in 1..=4 {
        let (mut whole, mut single) = (numbered(me, 8), numbered(me, 8));
        let (mut at_once, mut one_by_one) = (Effects::default(), Effects::default());
        let message = Message::Requests(batch.clone());
        whole.step(Instant(100), Input::Delivered { from, message }, &mut at_once);
        for Timed { at, item: request } in batch.clone() {
            single.step(at, Input::Request { from, request }, &mut one_by_one);
        }
        whole.step(Instant(200), Input::TurnEnded, &mut at_once);
        single.step(Instant(200), Input::TurnEnded, &mut one_by_one);
        assert_eq!(at_once.sends, one_by_one.sends, "on n{me}");
        assert_eq!(at_once.observations, one_by_one.observations, "on n{me}");
        let batches = at_once.sends.iter().map(|sent| &sent.message);
        most = most.max(batches.filter(|sent| matches!(sent, Message::Forwarded(_))).count());
    }
    assert!(most > 1, "a batch is split between leaders");
}

#[test]
#[should_panic(expected = "n1: nothing leaves before the first write of a boot is durable")]
fn a_message_that_leaves_too_early_is_caught() {
    let mut effects = Effects::default();
    effects.begin(Instant::ZERO, NodeId(1));
    effects.journal(NodeId(2), ShardId(0), JournalMessage::new(raft::eraftpb::Message::default()));
    booted(1, 2).check_invariants(&effects);
}

#[test]
#[should_panic(expected = "n1: what is decided is answered in its turn")]
fn an_answer_that_is_left_behind_is_caught() {
    let mut node = node();
    let answer = Answer::NotLeader { request: RequestId(7), shard: ShardId(0), leader: None };
    node.answers.push((NodeId(2), answer));
    node.check_invariants(&Effects::default());
}
