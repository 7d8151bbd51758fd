//! Nodes that join and leave a small cluster in memory while it sells. Each test opens with its story.

use std::collections::BTreeSet;

use onsale_booking::{NodeId, Outcome, Refusal, RequestId, Span};
use onsale_cluster::{Input, Mark, Observation, ShardId};

use crate::harness::Cluster;
use crate::sample::{confirm, hold};

pub(crate) const SHOWS: u32 = 16;

/// The nodes that serve a shard.
fn leaders(cluster: &Cluster) -> BTreeSet<NodeId> {
    (0..SHOWS).filter_map(|show| cluster.leader(show)).map(|(leader, _)| leader).collect()
}

/// Asks for a fresh seat every few milliseconds, through every gateway that is up; returns the requests.
pub(crate) fn sell(
    cluster: &mut Cluster,
    from: u64,
    requests: u64,
    gateways: &[u16],
) -> Vec<RequestId> {
    let mut asked = Vec::new();
    for n in from..from + requests {
        let gateway = NodeId(gateways[n as usize % gateways.len()]);
        let (show, seat) = ((n % u64::from(SHOWS)) as u32, (n / u64::from(SHOWS)) as u32);
        cluster.ask(gateway, hold(10 * (n + 1), show, &[seat]));
        asked.push(RequestId(10 * (n + 1)));
        cluster.run_for(Span::from_millis(20));
    }
    asked
}

pub(crate) fn check_granted(cluster: &Cluster, asked: &[RequestId]) {
    for id in asked {
        let outcome = cluster.replies.iter().find(|(answered, _)| answered == id);
        assert!(matches!(outcome, Some((_, Outcome::Held { .. }))), "{id}: {outcome:?}");
    }
}

/// Books a seat of each show.
pub(crate) fn book_a_seat_each(cluster: &mut Cluster) {
    for show in 0..SHOWS {
        let id = 100_000 + u64::from(show) * 10;
        cluster.outcome(NodeId(1), hold(id, show, &[300]));
        cluster.outcome(NodeId(1), confirm(id + 1, show, id));
    }
}

fn check_booked(cluster: &mut Cluster) {
    for show in 0..SHOWS {
        let outcome = cluster.outcome(NodeId(4), hold(200_000 + u64::from(show), show, &[300]));
        assert_eq!(outcome, Outcome::Refused(Refusal::SeatTaken), "show {show}");
    }
}

#[test]
fn a_cluster_grows_and_shrinks_while_it_sells() {
    // Three nodes sell; three more join, and shards move to them; then the first three leave. No request is lost or
    // refused, all bookings of the beginning are there at the end, and the nodes that left may be stopped.
    let mut cluster = Cluster::changing(3, 3, 4);
    book_a_seat_each(&mut cluster);
    for node in [4, 5, 6].map(NodeId) {
        cluster.start(node);
        cluster.tell(node, Input::Join);
    }
    let asked = sell(&mut cluster, 0, 600, &[1, 2, 3]);
    check_granted(&cluster, &asked);
    assert!(leaders(&cluster).iter().any(|leader| leader.0 > 3), "{:?}", leaders(&cluster));
    for node in [1, 2, 3].map(NodeId) {
        cluster.tell(node, Input::Leave(node));
    }
    let asked = sell(&mut cluster, 600, 900, &[4, 5, 6]);
    check_granted(&cluster, &asked);
    assert!(leaders(&cluster).iter().all(|leader| leader.0 > 3), "{:?}", leaders(&cluster));
    assert!([1, 2, 3].map(NodeId).iter().all(|node| cluster.drained.contains(node)));
    [1, 2, 3].map(NodeId).into_iter().for_each(|node| cluster.crash(node));
    cluster.run_for(Span::from_secs(1));
    check_booked(&mut cluster);
    let elections = cluster
        .observed
        .iter()
        .filter(|(.., seen)| matches!(seen, Observation::Mark(Mark::StoodForElection)));
    assert_eq!(elections.count(), 0, "no node was missed");
}

#[test]
fn an_audit_at_any_instant_of_a_move_finds_nothing_astray() {
    // A replica that leaves drops its shows at once, and its disk says so a write later: a run that ended in between
    // counted that as a broken promise. A write takes 300 us, so every 100 us falls into each.
    let mut cluster = Cluster::changing(3, 2, 8);
    book_a_seat_each(&mut cluster);
    for node in [4, 5].map(NodeId) {
        cluster.start(node);
        cluster.tell(node, Input::Join);
    }
    let mut moved = BTreeSet::new();
    for step in 0..15_000 {
        cluster.run_for(Span::from_micros(100));
        for node in (1..=5).map(NodeId) {
            let audit = cluster.node(node).audit(cluster.disk(node));
            assert!(audit.astray.is_empty(), "{node} after {step} steps: {audit:?}");
            moved.insert((node, audit.replicas));
        }
    }
    assert!(moved.len() > 10, "replicas came and went: {moved:?}");
}

#[test]
fn shards_of_one_replica_move_too() {
    // The replica that is to go is the only voter, so there is no other to transfer the lead to beforehand.
    let mut cluster = Cluster::changing_with(1, 3, 2, 4);
    book_a_seat_each(&mut cluster);
    for node in [4, 5].map(NodeId) {
        cluster.start(node);
        cluster.tell(node, Input::Join);
    }
    sell(&mut cluster, 0, 200, &[1, 2, 3]);
    [1, 2].map(NodeId).into_iter().for_each(|node| cluster.tell(node, Input::Leave(node)));
    sell(&mut cluster, 200, 400, &[3, 4, 5]);
    assert!([1, 2].map(NodeId).iter().all(|node| cluster.drained.contains(node)));
    [1, 2].map(NodeId).into_iter().for_each(|node| cluster.crash(node));
    cluster.run_for(Span::from_secs(1));
    check_booked(&mut cluster);
}

#[test]
fn a_shard_of_one_replica_answers_while_its_newcomer_is_silent() {
    // 4 joins and dies at some instant while it learns. Clients get grants and refusals at once, as long as the old
    // node is the only voter.
    let mut learn = 0;
    for step in 0..30 {
        let mut cluster = Cluster::changing_with(1, 3, 2, 16);
        book_a_seat_each(&mut cluster);
        for node in [4, 5].map(NodeId) {
            cluster.start(node);
            cluster.tell(node, Input::Join);
        }
        cluster.run_for(Span::from_millis(90 + 20 * step));
        [4, 5].map(NodeId).into_iter().for_each(|node| cluster.crash(node));
        cluster.run_for(Span::from_secs(1));
        for show in 0..SHOWS {
            let Some((leader, _)) = cluster.leader(show) else { continue };
            let members = cluster.node(leader).members(cluster.shard(show)).expect("it serves");
            if members.learners().is_empty() {
                continue;
            }
            learn += 1;
            let id = 300_000 + u64::from(show);
            let outcome = cluster.outcome(NodeId(1), hold(id, show, &[300]));
            let taken = Outcome::Refused(Refusal::SeatTaken);
            assert_eq!(outcome, taken, "step {step}, show {show}");
        }
    }
    assert!(learn > 20, "{learn} shows had a leader with a learner");
}

#[test]
fn a_node_that_stops_transfers_its_leads_to_another_where_the_first_cannot_lead() {
    // There is no room on 2's disk: it seems level and well, and leads nothing. A leader that chose it every time would
    // wait until there is room.
    let mut cluster = Cluster::new(3, 4);
    cluster.fill(NodeId(2));
    cluster.retire(NodeId(1));
    cluster.run_for(Span::from_secs(5));
    assert!(cluster.drained.contains(&NodeId(1)), "{:?}", leaders(&cluster));
    assert_eq!(leaders(&cluster), [NodeId(3)].into());
}

#[test]
fn a_node_whose_disk_is_gone_is_replaced() {
    // A node dies for good. Another joins, and a node is told that the dead one is to leave: its replicas begin again
    // on the other, and every shard survives one more loss.
    let mut cluster = Cluster::changing(3, 1, 4);
    let asked = sell(&mut cluster, 0, 50, &[1, 2, 3]);
    check_granted(&cluster, &asked);
    cluster.crash(NodeId(2));
    cluster.start(NodeId(4));
    cluster.tell(NodeId(4), Input::Join);
    cluster.run_for(Span::from_secs(2));
    cluster.tell(NodeId(1), Input::Leave(NodeId(2)));
    let asked = sell(&mut cluster, 50, 500, &[1, 3, 4]);
    check_granted(&cluster, &asked);
    cluster.crash(NodeId(1));
    cluster.run_for(Span::from_secs(2));
    let asked = sell(&mut cluster, 600, 50, &[3, 4]);
    cluster.run_for(Span::from_secs(2));
    check_granted(&cluster, &asked);
}

#[test]
fn a_leader_that_moves_away_transfers_its_lead_to_a_live_member() {
    // While a dead node is still a member, leaders move to new nodes: a leader that tried to transfer to the dead one
    // would try for ever, and no node could leave.
    let mut cluster = Cluster::changing(3, 3, 16);
    let asked = sell(&mut cluster, 0, 50, &[1, 2, 3]);
    check_granted(&cluster, &asked);
    cluster.crash(NodeId(1));
    for node in [4, 5, 6].map(NodeId) {
        cluster.start(node);
        cluster.tell(node, Input::Join);
    }
    cluster.run_for(Span::from_secs(2));
    for node in [1, 2, 3].map(NodeId) {
        cluster.tell(NodeId(3), Input::Leave(node));
    }
    cluster.tell(NodeId(2), Input::Leave(NodeId(2)));
    cluster.run_for(Span::from_secs(60));
    assert_eq!(cluster.drained.iter().copied().collect::<Vec<_>>(), [2, 3].map(NodeId));
    [2, 3].map(NodeId).into_iter().for_each(|node| cluster.crash(node));
    let asked = sell(&mut cluster, 50, 50, &[4, 5, 6]);
    check_granted(&cluster, &asked);
}

#[test]
fn a_node_that_never_answered_gets_no_vote() {
    // It joins and dies at once, before it has begun the replicas that the map gives it: a member that knows nothing of
    // its vote would answer no candidate. Any of the others may be missed meanwhile.
    for step in 0..6 {
        let mut cluster = Cluster::changing(3, 1, 4);
        cluster.start(NodeId(4));
        cluster.tell(NodeId(4), Input::Join);
        cluster.run_for(Span::from_millis(60 + 25 * step));
        cluster.crash(NodeId(4));
        cluster.run_for(Span::from_secs(5));
        for lost in 1..=3 {
            cluster.crash(NodeId(lost));
            cluster.run_for(Span::from_secs(2));
            let gateways = [1 + lost % 3];
            let asked = sell(&mut cluster, 100 * u64::from(lost), 16, &gateways);
            cluster.run_for(Span::from_secs(2));
            check_granted(&cluster, &asked);
            cluster.start(NodeId(lost));
            cluster.run_for(Span::from_secs(2));
        }
    }
}

#[test]
fn moves_go_on_after_all_nodes_have_crashed_during_them() {
    // All nodes die and come back every second while shards move: the map, the members and the replicas under way are
    // on the disks.
    let mut cluster = Cluster::changing(3, 3, 4);
    for node in [4, 5, 6].map(NodeId) {
        cluster.start(node);
        cluster.tell(node, Input::Join);
    }
    for _ in 0..12 {
        cluster.run_for(Span::from_millis(1_300));
        (1..=6).map(NodeId).for_each(|node| cluster.crash(node));
        (1..=6).map(NodeId).for_each(|node| cluster.start(node));
    }
    cluster.run_for(Span::from_secs(20));
    let asked = sell(&mut cluster, 0, 100, &[1, 2, 3, 4, 5, 6]);
    check_granted(&cluster, &asked);
    for node in [4, 5, 6].map(NodeId) {
        let carries = |shard: &u32| cluster.node(node).phase(ShardId(*shard)).is_some();
        assert!((0..5).any(|shard| carries(&shard)), "{node} carries nothing");
    }
}

#[test]
fn a_node_that_restarts_while_it_leaves_stays_until_it_carries_nothing() {
    // It goes by the first map again, in which it is not a member: it is not one yet, rather than no longer.
    let mut cluster = Cluster::changing(3, 3, 4);
    for node in [4, 5, 6].map(NodeId) {
        cluster.start(node);
        cluster.tell(node, Input::Join);
    }
    cluster.run_for(Span::from_secs(20));
    for node in [4, 5, 6].map(NodeId) {
        cluster.tell(node, Input::Leave(node));
    }
    cluster.run_for(Span::from_millis(150));
    for node in (1..=6).map(NodeId) {
        cluster.crash(node);
        cluster.start(node);
        if node.0 > 3 {
            cluster.tell(node, Input::Leave(node));
        }
    }
    cluster.run_for(Span::from_millis(900));
    assert!(cluster.drained.is_empty(), "{:?} still carry shards", cluster.drained);
    cluster.run_for(Span::from_secs(30));
    assert_eq!(cluster.drained.len(), 3);
    [4, 5, 6].map(NodeId).into_iter().for_each(|node| cluster.crash(node));
    let asked = sell(&mut cluster, 0, 100, &[1, 2, 3]);
    check_granted(&cluster, &asked);
}

#[test]
fn a_leader_that_was_moved_away_unheard_gives_its_clients_answers_up() {
    // A leader is cut off with requests to decide, and another node is told that it is to leave: its shards move away
    // without its knowledge. Once it is heard again the others refuse its messages, as it is a member no longer, and
    // none tells it of the later epoch: it kept its clients' answers, and its replica, for ever.
    let mut cluster = Cluster::changing(3, 1, 4);
    cluster.start(NodeId(4));
    cluster.tell(NodeId(4), Input::Join);
    cluster.run_for(Span::from_secs(3));
    let leader = NodeId(1);
    let led: Vec<u32> = (0..SHOWS)
        .filter(|&show| cluster.leader(show).is_some_and(|(node, _)| node == leader))
        .collect();
    assert!(!led.is_empty(), "{leader} leads something");
    cluster.isolate(leader);
    for &show in &led {
        cluster.ask(leader, hold(1_000 + u64::from(show), show, &[7]));
    }
    cluster.tell(NodeId(2), Input::Leave(leader));
    cluster.run_for(Span::from_secs(8));
    let waits = |cluster: &Cluster| {
        let shards =
            (0..4).map(|shard| cluster.node(leader).waiting(ShardId(shard), cluster.now()));
        shards.map(|it| it.parked + it.replies).sum::<u32>()
    };
    assert!(waits(&cluster) > 0, "no quorum has confirmed its decisions");
    cluster.heal();
    cluster.run_for(Span::from_secs(5));
    assert_eq!(waits(&cluster), 0);
    let members = |shard| cluster.node(leader).members(ShardId(shard));
    assert!((0..4).all(|shard| members(shard).is_none()), "it carries nothing any more");
}
