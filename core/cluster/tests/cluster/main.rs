//! Scripts that a small cluster in memory plays. Each test opens with its story.

mod forgets;
mod harness;
mod holds;
mod leader_placement;
mod members;
mod moves;
mod newcomers;
mod recovery;
mod releases;
mod retirement;
mod sample;
mod settings;
mod starts;
mod sweep;
mod zones;

use std::collections::BTreeMap;

use onsale_booking::{Draw, NodeId, Outcome, Refusal, RequestId, ShowId, Span};
use onsale_cluster::{Audit, Config, Mark, Observation};

use self::harness::{Cluster, Sent};
use self::sample::{config, confirm, hold};

const SHOW: u32 = 0;

fn is_held(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Held { .. })
}

fn is_booked(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Booked { .. })
}

#[test]
fn a_booking_survives_its_leaders_crash() {
    // A seat is held and paid for; the leader dies; the next one knows whose seat it is.
    let mut cluster = Cluster::new(3, 4);
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    assert!(is_held(&cluster.outcome(other, hold(10, SHOW, &[7]))));
    assert!(is_booked(&cluster.outcome(other, confirm(11, SHOW, 10))));
    cluster.crash(leader);
    cluster.run_for(Span::from_millis(500));
    assert_ne!(cluster.leader(SHOW).unwrap().0, leader);
    assert_eq!(cluster.outcome(other, hold(20, SHOW, &[7])), Outcome::Refused(Refusal::SeatTaken));
    assert!(is_held(&cluster.outcome(other, hold(30, SHOW, &[8]))));
}

#[test]
fn a_retry_after_the_failover_is_answered_from_the_journal() {
    // The leader dies with its reply on the way. The same request again gets the same
    // seats and the same timer, not a second hold.
    let mut cluster = Cluster::new(3, 4);
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    let first = cluster.outcome(other, hold(10, SHOW, &[1, 2]));
    cluster.crash(leader);
    cluster.run_for(Span::from_millis(500));
    let again = cluster.outcome(other, hold(10, SHOW, &[1, 2]));
    let (Outcome::Held { seats, expires, .. }, Outcome::Held { seats: same, expires: as_told, .. }) =
        (first, again)
    else {
        panic!("both are told of the hold")
    };
    // The next leader had the time from a message under way.
    assert!(seats == same && as_told.since(expires) <= Span::from_millis(1) && as_told >= expires);
    assert_eq!(cluster.node(other).show(ShowId(SHOW)).unwrap().held(), 2);
}

#[test]
fn a_deposed_leader_neither_grants_nor_refuses() {
    // The leader is cut off and does not know that another sells in its place. Its own clients ask for a free seat and
    // for a taken one: neither answer may leave.
    let mut cluster = Cluster::new(3, 4);
    let (leader, other) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    assert!(is_held(&cluster.outcome(other, hold(10, SHOW, &[1]))));
    cluster.isolate(leader);
    cluster.ask(leader, hold(20, SHOW, &[2]));
    cluster.run_for(Span::from_millis(20));
    cluster.ask(leader, hold(30, SHOW, &[1]));
    assert!(is_held(&cluster.outcome(other, hold(40, SHOW, &[2]))), "the majority sells on");
    cluster.run_for(Span::from_secs(10));
    assert!(
        cluster.node(leader).serves(cluster.shard(SHOW)).is_some(),
        "it still believes that it leads"
    );
    let answers =
        cluster.replies.iter().filter(|(id, _)| [RequestId(20), RequestId(30)].contains(id));
    assert!(
        answers.clone().all(|(_, outcome)| *outcome == Outcome::Refused(Refusal::Unavailable)),
        "{answers:?}"
    );
    cluster.heal();
    cluster.run_for(Span::from_secs(1));
    assert_eq!(cluster.node(leader).serves(cluster.shard(SHOW)), None);
    assert_eq!(cluster.outcome(leader, hold(20, SHOW, &[2])), Outcome::Refused(Refusal::SeatTaken));
}

#[test]
fn a_deposed_leaders_pending_requests_are_decided_by_the_next() {
    // A request waits at a leader that is cut off. When the links are back the leader learns that its epoch is over,
    // and the gateway takes the request to the next leader.
    let mut patient = config();
    patient.gateway.try_timeout = Span::from_secs(30);
    let mut cluster = Cluster::with(patient, 3, 1);
    let leader = cluster.leader(SHOW).unwrap().0;
    cluster.isolate(leader);
    cluster.ask(leader, hold(20, SHOW, &[2]));
    cluster.run_for(Span::from_secs(2));
    assert!(cluster.replies.is_empty());
    cluster.heal();
    cluster.run_for(Span::from_secs(1));
    assert!(is_held(&cluster.replies[0].1));
    assert_ne!(cluster.leader(SHOW).unwrap().0, leader);
}

#[test]
fn a_hold_ends_after_its_time_and_grace_and_not_before() {
    // Five minutes for the user and five seconds on top; then the seat is free again.
    let mut cluster = Cluster::new(3, 4);
    let gateway = cluster.follower(SHOW);
    let held = cluster.outcome(gateway, hold(10, SHOW, &[5]));
    let Outcome::Held { expires, .. } = held else { panic!("{held:?}") };
    cluster.run_until(expires + Span::from_millis(4_990));
    assert_eq!(
        cluster.outcome(gateway, hold(20, SHOW, &[5])),
        Outcome::Refused(Refusal::SeatTaken)
    );
    cluster.run_until(expires + Span::from_millis(5_010));
    let leader = cluster.leader(SHOW).unwrap().0;
    assert_eq!(
        cluster.node(leader).show(ShowId(SHOW)).unwrap().held(),
        0,
        "no request had to come"
    );
    assert!(is_held(&cluster.outcome(gateway, hold(30, SHOW, &[5]))));
    assert_eq!(
        cluster.outcome(gateway, confirm(11, SHOW, 10)),
        Outcome::Refused(Refusal::HoldLost)
    );
}

#[test]
fn holds_end_under_the_next_leader_too() {
    // The leader dies while a hold runs; the next leader ends the hold, not before its time, and late only by the delay
    // of its reading.
    let mut cluster = Cluster::new(3, 4);
    let (leader, gateway) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    let held = cluster.outcome(gateway, hold(10, SHOW, &[5]));
    let Outcome::Held { expires, .. } = held else { panic!("{held:?}") };
    cluster.crash(leader);
    cluster.run_until(expires + Span::from_millis(4_990));
    let leader = cluster.leader(SHOW).unwrap().0;
    assert_eq!(cluster.node(leader).show(ShowId(SHOW)).unwrap().held(), 1);
    cluster.run_until(expires + Span::from_millis(5_010));
    assert_eq!(cluster.node(leader).show(ShowId(SHOW)).unwrap().held(), 0);
}

/// How long a hold lasts that is granted at once, if its leader dies after a minute and the next leader after another,
/// and the nodes' clocks are `apart`.
fn lasts_with_clocks_apart(config: Config, apart: Span) -> Span {
    let mut cluster = Cluster::with_clocks_apart(config, 3, 1, apart);
    assert!(is_held(&cluster.outcome(cluster.follower(SHOW), hold(10, SHOW, &[5]))));
    let granted = cluster.now();
    for _ in 0..2 {
        cluster.run_for(Span::from_secs(60));
        let leader = cluster.leader(SHOW).expect("a node leads it").0;
        cluster.crash(leader);
        cluster.run_for(Span::from_secs(1));
        cluster.start(leader);
    }
    let holds = |cluster: &Cluster| {
        let leader = cluster.leader(SHOW).expect("a node leads it").0;
        cluster.node(leader).show(ShowId(SHOW)).expect("it is known").held() > 0
    };
    while holds(&cluster) {
        cluster.run_for(Span::from_millis(500));
        assert!(cluster.now().since(granted) < Span::from_secs(1_000), "it never ends");
    }
    cluster.now().since(granted)
}

#[test]
fn holds_last_as_long_however_far_apart_clocks_are() {
    let apart = [0, 2, 300, 100_000].map(Span::from_secs);
    for apart in apart {
        let lasts = lasts_with_clocks_apart(config(), apart);
        assert!(lasts >= Span::from_secs(305), "clocks {apart} apart: after {lasts}");
        // The next leader has the time from a replica that was up.
        assert!(lasts <= Span::from_millis(306_000), "clocks {apart} apart: after {lasts}");
    }
}

#[test]
fn a_gateway_follows_hints_to_the_leader() {
    // A node that carries no replica believes in the first leader; after a failover a replica tells it the new leader,
    // and the request arrives in one go.
    let mut cluster = Cluster::new(5, 1);
    let members = cluster.setup().placement.replicas(cluster.shard(SHOW)).to_vec();
    let outsider = (1..=5).map(NodeId).find(|node| !members.contains(node)).unwrap();
    let leader = cluster.leader(SHOW).unwrap().0;
    cluster.isolate(leader);
    cluster.run_for(Span::from_millis(600));
    cluster.heal();
    cluster.run_for(Span::from_millis(600));
    assert_ne!(cluster.leader(SHOW).unwrap().0, leader);
    cluster.observed.clear();
    let asked = cluster.now();
    assert!(is_held(&cluster.outcome(outsider, hold(10, SHOW, &[1]))));
    assert!(cluster.now().since(asked) <= Span::from_millis(10), "no timeout and no backoff");
    assert!(
        cluster
            .observed
            .iter()
            .any(|&(_, at, seen)| at == outsider && seen == Observation::Mark(Mark::HintFollowed))
    );
}

#[test]
fn an_idle_cluster_sends_beats_and_nothing_else() {
    // Five nodes and 64 shards: after the elections the journals fall asleep.
    let mut cluster = Cluster::new(5, 64);
    cluster.run_for(Span::from_secs(5));
    cluster.sent = Sent::default();
    cluster.run_for(Span::from_secs(10));
    assert_eq!(cluster.sent, Sent { beats: 5 * 4 * 100, journal: 0, others: 0 });
}

#[test]
fn the_whole_cluster_comes_back_from_its_logs() {
    // All nodes lose power at once. All acknowledged bookings are there when it returns.
    let mut cluster = Cluster::new(3, 4);
    assert!(is_held(&cluster.outcome(NodeId(1), hold(10, SHOW, &[3]))));
    assert!(is_booked(&cluster.outcome(NodeId(2), confirm(11, SHOW, 10))));
    assert!(is_held(&cluster.outcome(NodeId(3), hold(20, SHOW, &[4]))));
    (1..=3).map(NodeId).for_each(|node| cluster.crash(node));
    cluster.run_for(Span::from_secs(1));
    (1..=3).map(NodeId).for_each(|node| cluster.start(node));
    cluster.run_for(Span::from_secs(2));
    assert_eq!(
        cluster.outcome(NodeId(1), hold(30, SHOW, &[3])),
        Outcome::Refused(Refusal::SeatTaken)
    );
    assert!(
        is_booked(&cluster.outcome(NodeId(1), confirm(11, SHOW, 10))),
        "answered again, not executed again"
    );
    assert!(is_booked(&cluster.outcome(NodeId(2), confirm(21, SHOW, 20))));
}

#[test]
fn a_crash_costs_about_four_hundred_milliseconds() {
    // From the leader's death to the first acknowledgement of the next.
    let mut cluster = Cluster::new(5, 16);
    cluster.run_for(Span::from_secs(20));
    let (leader, gateway) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.crash(leader);
    let died = cluster.now();
    assert!(is_held(&cluster.outcome(gateway, hold(10, SHOW, &[3]))));
    let took = cluster.now().since(died);
    assert!(took <= Span::from_millis(450), "{took}");
}

#[test]
fn a_restarted_node_is_brought_up_to_date() {
    // A follower misses a booking while it is down and has it soon after its return.
    let mut cluster = Cluster::new(3, 4);
    let (gateway, follower) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.crash(follower);
    assert!(is_held(&cluster.outcome(gateway, hold(10, SHOW, &[3]))));
    cluster.run_for(Span::from_secs(30));
    cluster.start(follower);
    cluster.run_for(Span::from_millis(500));
    assert_eq!(cluster.node(follower).show(ShowId(SHOW)).unwrap().held(), 1);
}

#[test]
fn a_crashed_leader_that_returns_at_once_is_replaced_at_once() {
    // The leader restarts faster than any peer could suspect it: its new incarnation tells.
    let mut cluster = Cluster::new(3, 4);
    cluster.run_for(Span::from_secs(5));
    let (leader, gateway) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.crash(leader);
    cluster.start(leader);
    let restarted = cluster.now();
    assert!(is_held(&cluster.outcome(gateway, hold(10, SHOW, &[3]))));
    assert!(
        cluster.now().since(restarted) <= Span::from_millis(150),
        "{}",
        cluster.now().since(restarted)
    );
}

#[test]
fn a_paused_leader_is_replaced_and_accepts_it() {
    // The leader's process stands still for three seconds. Another takes over; when the
    // first goes on it finds old requests and old messages, and causes no new election.
    let mut cluster = Cluster::new(3, 4);
    cluster.run_for(Span::from_secs(5));
    let (leader, gateway) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.pause(leader, Span::from_secs(3));
    cluster.ask(gateway, hold(10, SHOW, &[3]));
    cluster.ask(leader, hold(20, SHOW, &[3]));
    cluster.run_for(Span::from_millis(2_900));
    let (next, epoch) = cluster.leader(SHOW).unwrap();
    assert_ne!(next, leader);
    cluster.run_for(Span::from_secs(2));
    assert_eq!(cluster.leader(SHOW), Some((next, epoch)));
    assert_eq!(cluster.replies.iter().filter(|(_, outcome)| is_held(outcome)).count(), 1);
    assert_eq!(cluster.replies.len(), 2);
}

#[test]
fn a_replica_that_lags_far_behind_gets_a_snapshot() {
    // While a follower is down the others compact the records that it misses.
    let compacting = Config { snapshot_every: 20, keep_records: 5, ..config() };
    let mut cluster = Cluster::with(compacting, 3, 1);
    let (gateway, follower) = (cluster.leader(SHOW).unwrap().0, cluster.follower(SHOW));
    cluster.crash(follower);
    for seat in 0..100 {
        cluster.ask(gateway, hold(u64::from(seat) * 10, SHOW, &[seat]));
        cluster.run_for(Span::from_millis(5));
    }
    cluster.start(follower);
    cluster.run_for(Span::from_secs(2));
    let installed = Observation::Mark(Mark::SnapshotInstalled);
    assert!(cluster.observed.iter().any(|&(_, node, seen)| node == follower && seen == installed));
    assert_eq!(cluster.node(follower).show(ShowId(SHOW)), cluster.node(gateway).show(ShowId(SHOW)));
    assert_eq!(cluster.node(follower).show(ShowId(SHOW)).unwrap().held(), 100);
}

#[test]
fn one_seat_is_sold_once_through_all_gateways() {
    // All clients want the same seat at the same instant, through every gateway.
    let mut cluster = Cluster::new(5, 1);
    (0..50)
        .for_each(|user| cluster.ask(NodeId(1 + user % 5), hold(u64::from(user) * 10, SHOW, &[9])));
    cluster.run_for(Span::from_millis(100));
    assert_eq!(cluster.replies.len(), 50);
    assert_eq!(cluster.replies.iter().filter(|(_, outcome)| is_held(outcome)).count(), 1);
}

#[test]
fn storms_lose_nothing_and_sell_nothing_twice() {
    // Nodes crash, are cut off and lose messages while two halls are sold.
    // Afterwards every acknowledged booking stands, no seat has two, and all is live.
    for seed in 0..SEEDS {
        let mut cluster =
            Cluster::with(Config { snapshot_every: 40, keep_records: 10, ..config() }, 5, 2);
        let mut draw = Draw::new(seed);
        for step in 0..1_500 {
            strike(&mut cluster, &mut draw);
            let (gateway, show) = (NodeId(1 + draw.below(5) as u16), draw.below(2) as u32);
            // Even requests hold a seat, odd ones pay for an earlier hold.
            cluster.ask(gateway, hold(step * 10, show, &[draw.below(400) as u32]));
            let earlier = draw.below(step + 1);
            (0..2).for_each(|show| {
                cluster.ask(gateway, confirm(earlier * 10 + 1, show, earlier * 10))
            });
            cluster.run_for(Span::from_millis(draw.below(40)));
        }
        cluster.heal();
        cluster.lose_one_in(None);
        (1..=5)
            .map(NodeId)
            .filter(|&node| !cluster.is_up(node))
            .collect::<Vec<_>>()
            .into_iter()
            .for_each(|node| cluster.start(node));
        cluster.run_for(Span::from_secs(5));
        check_bookings(&mut cluster, seed);
    }
}

const SEEDS: u64 = 10;

fn strike(cluster: &mut Cluster, draw: &mut Draw) {
    let node = NodeId(1 + draw.below(5) as u16);
    let down = (1..=5).map(NodeId).filter(|&node| !cluster.is_up(node)).count();
    match draw.below(120) {
        0 if cluster.is_up(node) && down < 2 => cluster.crash(node),
        1..=4 if !cluster.is_up(node) => cluster.start(node),
        5 => cluster.isolate(node),
        6..=8 => cluster.heal(),
        9 => cluster.lose_one_in(Some(20)),
        10 => cluster.lose_one_in(None),
        11..=12 if cluster.is_up(node) => cluster.pause(node, Span::from_millis(draw.below(3_000))),
        _ => {}
    }
}

fn check_bookings(cluster: &mut Cluster, seed: u64) {
    let told: Vec<_> =
        cluster.replies.iter().filter(|(_, outcome)| is_booked(outcome)).cloned().collect();
    assert!(told.len() > 20, "seed {seed} sold nearly nothing");
    let mut sold = BTreeMap::new();
    for (request, outcome) in told {
        let Outcome::Booked { hold, seats } = &outcome else { continue };
        // Only the show that knows the hold gives the booking again.
        let again = [0, 1].map(|show| cluster.outcome(NodeId(1), confirm(request.0, show, hold.0)));
        let show = again.iter().position(|again| *again == outcome);
        let show =
            show.unwrap_or_else(|| panic!("seed {seed}: the booking of {hold} is lost: {again:?}"));
        for &seat in seats {
            let before = sold.insert((show, seat), *hold);
            assert!(
                before.is_none_or(|before| before == *hold),
                "seed {seed}: {seat} is sold twice"
            );
        }
    }
    cluster.run_for(Span::from_secs(1));
    for show in 0..2 {
        let members = cluster.setup().placement.replicas(cluster.shard(show)).to_vec();
        let shows = members
            .iter()
            .map(|&member| cluster.node(member).show(ShowId(show)).expect("seats were sold"));
        shows.clone().for_each(|show| show.assert_consistent());
        assert!(
            shows.clone().zip(shows.skip(1)).all(|(one, next)| one == next),
            "seed {seed}: replicas differ"
        );
        for member in members {
            let audit = cluster.node(member).audit(cluster.disk(member));
            assert!(
                audit.replicas > 0 && audit.astray.is_empty(),
                "seed {seed}, {member}: {audit:?}"
            );
        }
    }
}

#[test]
fn a_node_equals_the_replay_of_its_own_disk_and_no_other() {
    // Two clusters live the same life, except for one seat. Each node's replicas equal the replay of its own disk, and
    // not that of its twin's; a disk that lacks something cannot tell.
    let life = |seat| {
        let mut cluster = Cluster::new(3, 4);
        assert!(is_held(&cluster.outcome(NodeId(1), hold(10, SHOW, &[seat]))));
        assert!(is_booked(&cluster.outcome(NodeId(2), confirm(11, SHOW, 10))));
        assert!(is_held(&cluster.outcome(NodeId(3), hold(20, SHOW, &[1, 2]))));
        cluster.run_for(Span::from_secs(1));
        cluster
    };
    let (one, twin) = (life(7), life(8));
    for node in (1..=3).map(NodeId) {
        let own = one.node(node).audit(one.disk(node));
        assert_eq!(own, Audit { replicas: 4, astray: Vec::new() });
        let others = one.node(node).audit(twin.disk(node));
        assert_eq!(others, Audit { replicas: 4, astray: vec![one.shard(SHOW)] });
        assert!(one.node(node).audit(Vec::new()).replicas < 4);
    }
}

#[test]
fn the_same_script_gives_the_same_run() {
    let play = || {
        let mut cluster = Cluster::new(5, 16);
        let leader = cluster.leader(SHOW).unwrap().0;
        (0..40).for_each(|user| {
            cluster
                .ask(NodeId(1 + user % 5), hold(u64::from(user) * 10, u32::from(user % 16), &[9]))
        });
        cluster.run_for(Span::from_millis(3));
        cluster.crash(leader);
        cluster.run_for(Span::from_secs(5));
        (cluster.observed, cluster.replies, cluster.sent)
    };
    assert_eq!(play(), play());
}
