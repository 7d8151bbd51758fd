//! A request's path through the gateway; a bench plays clients, leaders and time.

use onsale_booking::{ClientId, Command, HoldId, ShowId, UserId};

use super::*;
use crate::config::Ratio;
use crate::message::Message;

const CLIENT: Endpoint = Endpoint::Client(ClientId(0));
const ME: NodeId = NodeId(1);

/// A gateway on a node that carries no replica of the only shard.
struct Bench {
    gateway: Gateway,
    effects: Effects,
    members: Vec<NodeId>,
}

fn bench(tries: u8, in_flight_per_shard: u32) -> Bench {
    let bench = bench_with(Placement::new(4, 1, 1, 3), tries, in_flight_per_shard);
    assert!(!bench.members.contains(&ME), "the gateway's node is meant to be an outsider");
    bench
}

fn bench_with(placement: Placement, tries: u8, in_flight_per_shard: u32) -> Bench {
    let config = GatewayConfig {
        tries,
        try_timeout: Span::from_millis(100),
        backoff_base: Span::from_millis(10),
        backoff_cap: Span::from_millis(15),
        retry_budget: Ratio { num: 1, den: 10 },
        in_flight_per_shard,
    };
    let members = placement.replicas(ShardId(0)).to_vec();
    let gateway = Gateway::new(config, Arc::new(placement), 8, Draw::new(1), Instant::ZERO);
    Bench { gateway, effects: Effects::default(), members }
}

fn request(id: u64) -> Request {
    Request {
        id: RequestId(id),
        user: UserId(0),
        show: ShowId(0),
        command: Command::Release { hold: HoldId(9) },
    }
}

fn not_leader(id: u64, leader: Option<(NodeId, Epoch)>) -> Answer {
    Answer::NotLeader { request: RequestId(id), shard: ShardId(0), leader }
}

fn decided(id: u64) -> Answer {
    Answer::Decided(Reply {
        request: RequestId(id),
        outcome: Outcome::Released { hold: HoldId(9) },
    })
}

impl Bench {
    fn ask(&mut self, at: Instant, id: u64) {
        self.effects.begin(at, ME);
        self.gateway.on_request(at, CLIENT, &request(id), &mut self.effects);
    }

    fn answer(&mut self, at: Instant, from: NodeId, answer: Answer) {
        self.effects.begin(at, ME);
        self.gateway.on_answer(at, from, &answer, &mut self.effects);
    }

    /// Lets the next deadline come, and returns it.
    fn wait(&mut self) -> Instant {
        self.gateway.on_turn_ended();
        let at = self.gateway.next_deadline().expect("something is to come");
        self.effects.begin(at, ME);
        self.gateway.on_deadline(at, &mut self.effects);
        at
    }

    /// The nodes that the gateway has asked since the last call, request by request.
    fn asked(&mut self) -> Vec<NodeId> {
        let mut asked = Vec::new();
        self.effects.sends.retain(|sending| match (&sending.message, sending.to) {
            (Message::Forwarded(batch), Endpoint::Node(node)) => {
                asked.extend(batch.iter().map(|_| node));
                false
            }
            _ => true,
        });
        asked
    }

    fn replies(&mut self) -> Vec<(u64, Outcome)> {
        let mut replies = Vec::new();
        for sending in std::mem::take(&mut self.effects.sends) {
            let Message::Replies(batch) = sending.message else {
                panic!("{sending:?} is no reply")
            };
            replies
                .extend(batch.into_iter().map(|timed| (timed.item.request.0, timed.item.outcome)));
        }
        replies
    }
}

#[test]
fn a_request_goes_to_the_first_replica_and_its_reply_back() {
    let mut bench = bench(3, 10);
    bench.ask(Instant(5), 1);
    assert_eq!(bench.asked(), [bench.members[0]]);
    assert_eq!(bench.gateway.next_deadline(), Some(Instant(100_005)));
    bench.answer(Instant(9), bench.members[0], decided(1));
    assert_eq!(bench.replies(), [(1, Outcome::Released { hold: HoldId(9) })]);
    bench.gateway.on_turn_ended();
    assert_eq!(
        (bench.gateway.in_flight(), bench.gateway.next_deadline()),
        (0, None),
        "no alarm is left behind"
    );
    bench.answer(Instant(10), bench.members[0], decided(1));
    assert!(bench.replies().is_empty(), "a repeated answer is told once");
}

#[test]
fn a_repeat_of_a_request_in_flight_only_moves_the_reply() {
    let mut bench = bench(3, 10);
    bench.ask(Instant(5), 1);
    let elsewhere = Endpoint::Client(ClientId(7));
    bench.gateway.on_request(Instant(6), elsewhere, &request(1), &mut bench.effects);
    assert_eq!(bench.asked().len(), 1);
    bench.answer(Instant(9), bench.members[0], decided(1));
    assert_eq!(bench.effects.sends[0].to, elsewhere);
    assert_eq!(bench.replies().len(), 1);
}

#[test]
fn a_newer_hint_is_followed_at_once_and_an_old_one_after_a_backoff() {
    let mut bench = bench(3, 10);
    let [first, second, third] = bench.members[..] else { panic!("a shard has three replicas") };
    bench.ask(Instant(0), 1);
    bench.answer(Instant(10), first, not_leader(1, Some((second, Epoch(4)))));
    assert_eq!(bench.asked(), [first, second]);
    bench.answer(Instant(20), second, not_leader(1, Some((first, Epoch(3)))));
    assert!(bench.asked().is_empty());
    let at = bench.wait();
    assert!(at <= Instant(20) + Span::from_millis(10), "the first backoff is at most its base");
    assert_eq!(bench.asked(), [third], "nothing newer is known: the next in the round");
    bench.ask(at, 2);
    assert_eq!(bench.asked(), [second], "the next request uses the hint");
}

#[test]
fn an_answer_to_an_attempt_given_up_changes_nothing() {
    let mut bench = bench(3, 10);
    let (first, second) = (bench.members[0], bench.members[1]);
    bench.ask(Instant(0), 1);
    bench.wait();
    bench.wait();
    assert_eq!(bench.asked(), [first, second]);
    bench.answer(Instant(200_000), first, not_leader(1, None));
    assert!(bench.asked().is_empty() && bench.gateway.in_flight() == 1);
    bench.answer(Instant(200_001), first, decided(1));
    assert_eq!(bench.replies().len(), 1, "a decision is taken from any node");
}

#[test]
fn tries_and_budget_end() {
    let mut bench = bench(2, 1_000);
    bench.ask(Instant(0), 1);
    while bench.gateway.in_flight() > 0 {
        bench.wait();
    }
    assert_eq!(bench.asked().len(), 2);
    assert_eq!(bench.replies(), [(1, Outcome::Refused(Refusal::Unavailable))]);

    (100..300).for_each(|id| bench.ask(Instant(1_000_000), id));
    while bench.gateway.in_flight() > 0 {
        bench.wait();
    }
    let retries = bench.asked().len() - 200;
    assert!((50..=75).contains(&retries), "a tenth of 200 and the floor, not {retries}");
    assert_eq!(bench.replies().len(), 200);
}

#[test]
fn a_full_shard_and_an_unknown_show_are_refused() {
    let mut bench = bench(2, 1);
    bench.ask(Instant(0), 1);
    bench.ask(Instant(0), 2);
    bench.gateway.on_request(
        Instant(0),
        CLIENT,
        &Request { show: ShowId(8), ..request(3) },
        &mut bench.effects,
    );
    assert_eq!(bench.asked().len(), 1);
    let refused = |why| Outcome::Refused(why);
    assert_eq!(
        bench.replies(),
        [(2, refused(Refusal::Overloaded)), (3, refused(Refusal::BadRequest))]
    );
}

#[test]
fn a_suspected_leader_is_left_and_avoided() {
    let mut bench = bench(4, 10);
    let [first, second, third] = bench.members[..] else { panic!("a shard has three replicas") };
    bench.ask(Instant(0), 1);
    bench.gateway.on_suspected(Instant(50), first, &mut bench.effects);
    let again = bench.wait();
    assert!(again < Instant(100_000), "long before the attempt's patience ends");
    assert_eq!(bench.asked(), [first, second]);
    bench.gateway.on_suspected(again, second, &mut bench.effects);
    bench.ask(again, 2);
    assert_eq!(bench.asked(), [third]);
    bench.gateway.on_trusted(first);
    bench.ask(again, 3);
    assert_eq!(bench.asked(), [first]);
}

#[test]
fn a_gateway_that_has_withdrawn_serves_while_it_hears_a_quorum_of_the_replicas() {
    let minority = Outcome::Refused(Refusal::Minority);
    let mut bench = bench(4, 10);
    let [first, second, _] = bench.members[..] else { panic!("a shard has three replicas") };
    bench.gateway.on_suspected(Instant(0), first, &mut bench.effects);
    bench.ask(Instant(0), 1);
    bench.gateway.serve(Service::InSight, &mut bench.effects);
    bench.ask(Instant(1), 2);
    assert_eq!((bench.asked(), bench.replies()), (vec![second, second], vec![]));
    bench.gateway.on_suspected(Instant(2), second, &mut bench.effects);
    assert_eq!(bench.replies(), [(1, minority.clone()), (2, minority.clone())], "under way");
    bench.ask(Instant(3), 3);
    assert_eq!(bench.replies(), [(3, minority.clone())]);
    bench.gateway.on_trusted(first);
    bench.gateway.serve(Service::Nothing, &mut bench.effects);
    bench.ask(Instant(4), 4);
    assert_eq!(bench.replies(), [(4, minority)]);
    bench.gateway.serve(Service::All, &mut bench.effects);
    bench.ask(Instant(5), 5);
    assert_eq!(bench.asked(), [first]);
}

#[test]
fn requests_for_this_node_are_sent_like_any_other() {
    let mut bench = bench(3, 10);
    bench.gateway.on_leader_known(ShardId(0), ME, Epoch(2));
    bench.ask(Instant(0), 1);
    assert_eq!(bench.asked(), [ME]);
    bench.answer(Instant(0), ME, decided(1));
    assert_eq!(bench.replies().len(), 1);
}

#[test]
fn a_node_that_no_longer_carries_a_shard_is_not_believed_to_lead_it() {
    // The only replica moves from 1 to 2, while the gateway has no requests. Even with one try a request finds the new
    // leader.
    let first = Placement::new(1, 1, 1, 1).changing(1);
    let (old, new) = (NodeId(1), NodeId(2));
    let leaves = first.with(new).and_then(|map| map.without(old)).expect("two are enough");
    let mut bench = bench_with(first, 1, 10);
    bench.gateway.on_leader_known(ShardId(0), old, Epoch(3));
    let under_way = leaves.moved().expect("the shard is to move");
    let generation = under_way.seats(ShardId(0)).generation;
    let settled = under_way.settled(ShardId(0), generation).expect("it is on its way");
    assert_eq!(under_way.replicas(ShardId(0)), [new]);
    bench.gateway.on_map(Arc::new(under_way));
    assert_eq!(bench.gateway.believed_leader(ShardId(0)), old, "it may serve until the other does");
    bench.gateway.on_map(Arc::new(settled));
    assert_eq!(bench.gateway.believed_leader(ShardId(0)), new);
    // A node that was away tells of the old leader: that costs one request.
    bench.gateway.on_leader_known(ShardId(0), old, Epoch(4));
    bench.ask(Instant(0), 1);
    bench.ask(Instant(0), 2);
    bench.answer(Instant(1), old, not_leader(1, None));
    assert_eq!(bench.gateway.believed_leader(ShardId(0)), new);
    bench.answer(Instant(2), old, decided(2));
    assert_eq!(bench.gateway.believed_leader(ShardId(0)), new, "its decision was long ago");
}

#[test]
fn a_refusal_of_an_attempt_given_up_is_no_answer() {
    // A leader that has lost the shard by the time its answer arrives refuses the first attempt. The second one is
    // granted: its client must not hear "taken" of a seat that it holds.
    let refused = |id| {
        Answer::Decided(Reply {
            request: RequestId(id),
            outcome: Outcome::Refused(Refusal::SeatTaken),
        })
    };
    let mut bench = bench(3, 10);
    let (first, second) = (bench.members[0], bench.members[1]);
    bench.ask(Instant(0), 1);
    bench.wait();
    bench.wait();
    assert_eq!(bench.asked(), [first, second]);
    bench.answer(Instant(200_000), first, refused(1));
    assert!(bench.replies().is_empty());
    bench.answer(Instant(200_001), second, decided(1));
    assert_eq!(bench.replies(), [(1, Outcome::Released { hold: HoldId(9) })]);
    // An answer to the latest attempt counts, however late.
    bench.ask(Instant(300_000), 2);
    bench.wait();
    let asked = bench.asked();
    bench.answer(Instant(400_001), asked[0], refused(2));
    assert_eq!(bench.replies(), [(2, Outcome::Refused(Refusal::SeatTaken))]);
}

#[test]
#[should_panic(expected = "attempts time out in the order in which they were made")]
fn time_that_goes_back_is_caught() {
    let mut bench = bench(3, 10);
    bench.ask(Instant(5_000), 1);
    bench.ask(Instant(4_999), 2);
}

#[test]
#[should_panic(expected = "a request that lands was in flight")]
fn a_request_that_lands_uncounted_is_caught() {
    let mut bench = bench(3, 10);
    bench.ask(Instant::ZERO, 1);
    bench.gateway.in_flight[0] = 0;
    let leader = bench.asked()[0];
    bench.answer(Instant(1), leader, decided(1));
}
