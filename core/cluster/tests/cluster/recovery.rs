//! A majority lost for good, and an operator's order to the survivors. Each test opens with its story.

use std::collections::BTreeSet;

use onsale_booking::{NodeId, Outcome, Refusal, Span};
use onsale_cluster::journal::frame::{Frame, read};
use onsale_cluster::{Found, Input, Mark, Observation, RecoveryOrder, ShardId, recovery_plan};

use crate::harness::{Cluster, FSYNC};
use crate::moves::{SHOWS, book_a_seat_each, check_granted, sell};
use crate::sample::{confirm, hold};

/// Nodes and their disks are lost for good at one instant.
fn lose(cluster: &mut Cluster, nodes: &[u16]) {
    for node in nodes.iter().copied().map(NodeId) {
        cluster.crash(node);
        cluster.wipe(node);
    }
}

/// The plan that an operator's tool makes, given the lost nodes of a cluster with this many.
fn plan(cluster: &Cluster, nodes: u16, lost: &[u16]) -> Vec<RecoveryOrder> {
    let lost: Vec<NodeId> = lost.iter().copied().map(NodeId).collect();
    let survivors = (1..=nodes).map(NodeId).filter(|node| !lost.contains(node));
    let disks = survivors
        .map(|node| (node, Found { has_written: true, segments: cluster.disk(node) }))
        .filter(|(_, found)| !found.segments.is_empty());
    recovery_plan(&cluster.setup().placement, &lost, disks)
}

/// Gives the orders of a plan, and has the lost nodes leave.
fn recover(cluster: &mut Cluster, lost: &[u16], plan: &[RecoveryOrder]) {
    for &order in plan {
        give(cluster, lost, order);
    }
    let told = plan.iter().find(|order| order.goes_on).expect("something is to be recovered").node;
    for node in lost.iter().copied().map(NodeId) {
        cluster.tell(told, Input::Leave(node));
    }
}

fn give(cluster: &mut Cluster, lost: &[u16], order: RecoveryOrder) {
    let RecoveryOrder { node, shard, generation, goes_on } = order;
    let lost = lost.iter().copied().map(NodeId).collect();
    cluster.tell(
        node,
        match goes_on {
            true => Input::Recover { shard, generation, lost },
            false => Input::GiveUp { shard, generation },
        },
    );
}

fn join(cluster: &mut Cluster, nodes: &[u16]) {
    for node in nodes.iter().copied().map(NodeId) {
        cluster.start(node);
        cluster.tell(node, Input::Join);
    }
}

fn count(cluster: &Cluster, mark: Mark) -> usize {
    cluster.observed.iter().filter(|(.., seen)| *seen == Observation::Mark(mark)).count()
}

/// Checks that each shard has exactly these voters, as its leader sees it, and no learner.
fn check_members(cluster: &Cluster, nodes: &[u16], shards: u32) {
    let nodes: BTreeSet<NodeId> = nodes.iter().copied().map(NodeId).collect();
    for shard in (0..shards).map(ShardId) {
        let members = nodes.iter().filter(|&&node| cluster.is_up(node)).find_map(|&node| {
            cluster.node(node).serves(shard)?;
            cluster.node(node).members(shard)
        });
        let members = members.unwrap_or_else(|| panic!("no node leads {shard}"));
        let voters: BTreeSet<NodeId> = members.voters().iter().map(|voter| voter.node()).collect();
        assert_eq!((voters, members.learners()), (nodes.clone(), &[][..]), "{shard}");
    }
}

#[test]
fn two_of_three_are_lost_and_it_sells_again_once_an_operator_says_so() {
    // 1 and 2 burn down, and 4 and 5 come. For a minute nothing can be decided: 3 alone is no majority, and nobody but a
    // person can know that the others never come back. Then an operator has 3 go on alone. It keeps all that it held,
    // and 4 and 5 come to it; in the end any one of the three may be missing.
    let mut cluster = Cluster::changing(3, 2, 4);
    book_a_seat_each(&mut cluster);
    cluster.run_for(Span::from_secs(1));
    lose(&mut cluster, &[1, 2]);
    join(&mut cluster, &[4, 5]);
    cluster.run_for(Span::from_secs(60));
    let refused = cluster.outcome(NodeId(3), hold(500_000, 0, &[7]));
    assert!(
        matches!(refused, Outcome::Refused(Refusal::Minority | Refusal::Unavailable)),
        "{refused:?}"
    );
    let orders = plan(&cluster, 5, &[1, 2]);
    assert_eq!(orders.len(), 5, "four shards and the map's own");
    assert!(orders.iter().all(|order| order.node == NodeId(3) && order.goes_on));
    recover(&mut cluster, &[1, 2], &orders);
    cluster.run_for(Span::from_secs(30));
    for show in 0..SHOWS {
        let outcome = cluster.outcome(NodeId(4), hold(200_000 + u64::from(show), show, &[300]));
        assert_eq!(outcome, Outcome::Refused(Refusal::SeatTaken), "show {show}");
    }
    let asked = sell(&mut cluster, 0, 50, &[3, 4, 5]);
    cluster.run_for(Span::from_secs(1));
    check_granted(&cluster, &asked);
    check_members(&cluster, &[3, 4, 5], 5);
    cluster.crash(NodeId(3));
    cluster.run_for(Span::from_secs(5));
    let asked = sell(&mut cluster, 50, 50, &[4, 5]);
    cluster.run_for(Span::from_secs(1));
    check_granted(&cluster, &asked);
}

#[test]
fn what_only_the_lost_nodes_held_is_lost_and_nothing_else() {
    // 3 is cut off, and 1 and 2 book on without it. They are lost, and 3 goes on with what it knows: the seats booked
    // before the cut are taken, those booked after it are free.
    let mut cluster = Cluster::changing(3, 2, 4);
    book_a_seat_each(&mut cluster);
    cluster.run_for(Span::from_secs(1));
    cluster.isolate(NodeId(3));
    cluster.run_for(Span::from_secs(2));
    for show in 0..SHOWS {
        let id = 600_000 + u64::from(show) * 10;
        cluster.outcome(NodeId(1), hold(id, show, &[301]));
        let outcome = cluster.outcome(NodeId(1), confirm(id + 1, show, id));
        assert!(matches!(outcome, Outcome::Booked { .. }), "{outcome:?}");
    }
    lose(&mut cluster, &[1, 2]);
    cluster.heal();
    join(&mut cluster, &[4, 5]);
    let orders = plan(&cluster, 5, &[1, 2]);
    recover(&mut cluster, &[1, 2], &orders);
    cluster.run_for(Span::from_secs(20));
    for show in 0..SHOWS {
        let id = 700_000 + u64::from(show) * 10;
        let taken = cluster.outcome(NodeId(4), hold(id, show, &[300]));
        assert_eq!(taken, Outcome::Refused(Refusal::SeatTaken), "show {show}");
        let free = cluster.outcome(NodeId(5), hold(id + 1, show, &[301]));
        assert!(matches!(free, Outcome::Held { .. }), "show {show}: {free:?}");
    }
    check_members(&cluster, &[3, 4, 5], 5);
}

#[test]
fn what_the_survivor_holds_counts_even_if_nobody_knew_that_it_was_committed() {
    // 3 leads some shows. 1 and 2 are lost while 3 is asked for seats: it writes the grants, and nobody answers. After
    // the order these seats are taken.
    let mut cluster = Cluster::changing(3, 2, 4);
    book_a_seat_each(&mut cluster);
    let led: Vec<u32> =
        (0..SHOWS).filter(|&show| cluster.leader(show).unwrap().0 == NodeId(3)).collect();
    assert!(!led.is_empty(), "3 leads a shard");
    lose(&mut cluster, &[1, 2]);
    for &show in &led {
        cluster.ask(NodeId(3), hold(800_000 + 10 * u64::from(show), show, &[9]));
    }
    cluster.run_for(Span::from_millis(50));
    assert!(cluster.replies.iter().all(|(id, _)| id.0 < 800_000), "nothing is granted");
    join(&mut cluster, &[4, 5]);
    let orders = plan(&cluster, 5, &[1, 2]);
    recover(&mut cluster, &[1, 2], &orders);
    cluster.run_for(Span::from_secs(20));
    for &show in &led {
        let outcome = cluster.outcome(NodeId(4), hold(900_000 + u64::from(show), show, &[9]));
        assert_eq!(outcome, Outcome::Refused(Refusal::SeatTaken), "show {show}");
    }
}

#[test]
fn an_order_is_ignored_where_a_majority_lives_and_when_it_comes_again() {
    // First an operator believes 2 to be lost, which is well: a quorum is left without it, and nothing happens. Then 1
    // and 2 are lost, and 3 is given its orders twice, again after a restart, and by mistake those of another replica.
    let mut cluster = Cluster::changing(3, 2, 4);
    book_a_seat_each(&mut cluster);
    cluster.run_for(Span::from_secs(1));
    assert_eq!(plan(&cluster, 3, &[2]), [], "two of three are no loss");
    for shard in (0..5).map(ShardId) {
        let order = RecoveryOrder { node: NodeId(3), shard, generation: 0, goes_on: true };
        give(&mut cluster, &[2], order);
    }
    assert_eq!(count(&cluster, Mark::RecoveredAlone), 0);
    lose(&mut cluster, &[1, 2]);
    join(&mut cluster, &[4, 5]);
    let orders = plan(&cluster, 5, &[1, 2]);
    for &order in &orders {
        let other = RecoveryOrder { generation: order.generation + 1, ..order };
        give(&mut cluster, &[1, 2], other);
        give(&mut cluster, &[1, 2], RecoveryOrder { goes_on: false, ..other });
    }
    assert_eq!(count(&cluster, Mark::RecoveredAlone), 0);
    for _ in 0..2 {
        recover(&mut cluster, &[1, 2], &orders);
    }
    cluster.run_for(Span::from_secs(20));
    cluster.crash(NodeId(3));
    cluster.start(NodeId(3));
    orders.iter().for_each(|&order| give(&mut cluster, &[1, 2], order));
    cluster.run_for(Span::from_secs(5));
    assert_eq!(count(&cluster, Mark::RecoveredAlone), 5, "each shard once");
    check_members(&cluster, &[3, 4, 5], 5);
}

#[test]
fn of_two_survivors_the_one_with_less_of_the_log_comes_back_as_another_replica() {
    // Each shard has five replicas. 5 is cut off for a while, so that 4 holds more; then 1, 2 and 3 are lost. 4 goes on,
    // 5 drops what it has and learns it again under another number.
    let mut cluster = Cluster::changing_with(5, 5, 3, 4);
    book_a_seat_each(&mut cluster);
    cluster.run_for(Span::from_secs(1));
    cluster.isolate(NodeId(5));
    let asked = sell(&mut cluster, 0, 32, &[1, 2, 3]);
    cluster.run_for(Span::from_secs(1));
    check_granted(&cluster, &asked);
    lose(&mut cluster, &[1, 2, 3]);
    cluster.heal();
    join(&mut cluster, &[6, 7, 8]);
    let orders = plan(&cluster, 8, &[1, 2, 3]);
    assert_eq!(orders.iter().filter(|order| order.goes_on).count(), 5);
    assert!(
        orders.iter().all(|order| order.shard.0 == 4 || order.goes_on == (order.node == NodeId(4)))
    );
    recover(&mut cluster, &[1, 2, 3], &orders);
    cluster.run_for(Span::from_secs(60));
    assert_eq!(count(&cluster, Mark::GivenUpInRecovery), 5);
    for n in 0..u64::from(SHOWS) {
        let outcome = cluster.outcome(NodeId(6), hold(700_000 + n, n as u32, &[0]));
        assert_eq!(outcome, Outcome::Refused(Refusal::SeatTaken), "show {n}");
    }
    check_members(&cluster, &[4, 5, 6, 7, 8], 5);
}

#[test]
fn a_majority_may_be_lost_at_any_instant_of_a_move() {
    // 4 to 7 join, and shards move to them. At some instant two nodes are lost, of each pair, and a little later an
    // operator recovers what lost its majority. Then it sells, and all that was granted well before is still taken.
    let pairs = [[1, 2], [1, 4], [2, 5], [3, 4], [4, 5], [2, 3]];
    let mut recovered = BTreeSet::new();
    for step in 0..60 {
        let lost = pairs[step % pairs.len()];
        let mut cluster = Cluster::changing(3, 4, 4);
        book_a_seat_each(&mut cluster);
        cluster.run_for(Span::from_secs(1));
        join(&mut cluster, &[4, 5, 6, 7]);
        cluster.run_for(Span::from_millis(130 + 47 * step as u64));
        lose(&mut cluster, &lost);
        let stay: Vec<u16> = (1..=7).filter(|node| !lost.contains(node)).collect();
        cluster.run_for(Span::from_secs(3));
        let orders = plan(&cluster, 7, &lost);
        orders.iter().for_each(|&order| give(&mut cluster, &lost, order));
        for node in lost.map(NodeId) {
            cluster.tell(NodeId(stay[0]), Input::Leave(node));
        }
        cluster.run_for(Span::from_secs(40));
        recovered.insert(orders.iter().filter(|order| order.goes_on).count());
        let asked = sell(&mut cluster, 0, 32, &stay);
        cluster.run_for(Span::from_secs(2));
        check_granted(&cluster, &asked);
        for show in 0..SHOWS {
            let id = 200_000 + u64::from(show);
            let outcome = cluster.outcome(NodeId(stay[0]), hold(id, show, &[300]));
            assert_eq!(outcome, Outcome::Refused(Refusal::SeatTaken), "step {step}, show {show}");
        }
    }
    assert!(recovered.len() > 2, "some shards lived, others were recovered: {recovered:?}");
}

#[test]
fn power_fails_at_any_byte_of_the_write_that_recovers() {
    // 3 is given its orders, and loses its power while it writes the new replicas. Either none of the write counts, or
    // whole ones; the order is given again, and in the end all shards are recovered with all that 3 held.
    for part in 0..40 {
        let mut cluster = Cluster::changing(3, 2, 4);
        book_a_seat_each(&mut cluster);
        cluster.run_for(Span::from_secs(1));
        lose(&mut cluster, &[1, 2]);
        join(&mut cluster, &[4, 5]);
        cluster.run_for(Span::from_secs(1));
        let orders = plan(&cluster, 5, &[1, 2]);
        recover(&mut cluster, &[1, 2], &orders);
        cluster.run_for(Span(FSYNC.0 / 2));
        cluster.crash_keeping(NodeId(3), |write| write.bytes.len() * part / 40);
        cluster.start(NodeId(3));
        orders.iter().for_each(|&order| give(&mut cluster, &[1, 2], order));
        for lost in [1, 2].map(NodeId) {
            cluster.tell(NodeId(3), Input::Leave(lost));
        }
        cluster.run_for(Span::from_secs(20));
        for show in 0..SHOWS {
            let outcome = cluster.outcome(NodeId(4), hold(200_000 + u64::from(show), show, &[300]));
            assert_eq!(outcome, Outcome::Refused(Refusal::SeatTaken), "part {part}, show {show}");
        }
        check_members(&cluster, &[3, 4, 5], 5);
    }
}

#[test]
fn the_map_takes_no_version_twice() {
    // 3 is cut off while 4 joins, so it knows no version of the map in which 4 is; 4 does. 1 and 2 are lost. The map
    // goes on from what 3 knows, under versions that 4 has never heard of: else 4 would ignore them.
    let mut cluster = Cluster::changing(3, 2, 4);
    book_a_seat_each(&mut cluster);
    cluster.run_for(Span::from_secs(1));
    join(&mut cluster, &[4]);
    cluster.isolate(NodeId(3));
    cluster.run_for(Span::from_secs(5));
    let known = cluster.node(NodeId(4)).map().version();
    assert!(known > 0 && cluster.node(NodeId(3)).map().version() == 0);
    lose(&mut cluster, &[1, 2]);
    cluster.heal();
    join(&mut cluster, &[5]);
    let orders = plan(&cluster, 5, &[1, 2]);
    recover(&mut cluster, &[1, 2], &orders);
    cluster.run_for(Span::from_secs(60));
    assert!(cluster.node(NodeId(4)).map().version() > 1_000_000);
    let asked = sell(&mut cluster, 0, 50, &[3, 4, 5]);
    cluster.run_for(Span::from_secs(1));
    check_granted(&cluster, &asked);
    check_members(&cluster, &[3, 4, 5], 5);
}

#[test]
fn a_new_replica_reads_what_was_recovered_from_the_log_as_from_a_snapshot() {
    // The record that made 3 the only member is on the disk of each newcomer too, or in the snapshot that it was sent.
    let mut cluster = Cluster::changing(3, 2, 4);
    book_a_seat_each(&mut cluster);
    cluster.run_for(Span::from_secs(1));
    lose(&mut cluster, &[1, 2]);
    join(&mut cluster, &[4, 5]);
    let orders = plan(&cluster, 5, &[1, 2]);
    recover(&mut cluster, &[1, 2], &orders);
    cluster.run_for(Span::from_secs(20));
    for node in [3, 4, 5].map(NodeId) {
        let audit = cluster.node(node).audit(cluster.disk(node));
        assert_eq!((audit.astray, audit.replicas), (Vec::new(), 5), "{node}");
        cluster.crash(node);
        cluster.start(node);
        cluster.run_for(Span::from_secs(3));
        let disk = cluster.disk(node);
        let frames = disk.iter().flat_map(|(_, bytes)| read(bytes));
        let epochs = frames.filter_map(|frame| {
            if let Frame::HardState { epoch, .. } = frame { Some(epoch.0) } else { None }
        });
        assert!(epochs.max().unwrap() > 1_000_000, "{node}");
    }
    check_members(&cluster, &[3, 4, 5], 5);
}
