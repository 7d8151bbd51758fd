//! Holds that end too late and clients without an answer: crashes, faults, a lost shard time and a disk that lost
//! promises excuse them, to the second.
//!
//! A hold lasts 300 s and its grace 5 s; an election takes 3 s, a started replica hears the time
//! within 1 s, and the rest of the slack is 1 s: so without faults it ends by 309 s.

use onsale_booking::{Event, HoldId, NodeId, Refusal, RequestId, UserId};
use onsale_cluster::journal::Members;
use onsale_oracles::{Asked, Position};
use onsale_reports::Verdict;

use super::super::Judges;
use super::super::tests::{SHOW, asked, held, secs, settings, verdict};

/// An event in a cluster of three with one shard.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Dies(u16),
    Starts(u16),
    /// A fault other than a crash strikes.
    Strikes,
    /// A fault strikes that may make a disk lose promises.
    Rots,
    Heals,
}

use Happens::{Dies, Heals, Rots, Starts, Strikes};

/// The verdicts of `hold` if a hold granted at 100 ends at `end`, and of `live` if it never ends.
fn judged(happens: &[(u64, Happens)], end: u64) -> (Verdict, Verdict) {
    judged_for(3, happens, end)
}

fn judged_for(replicas: u16, happens: &[(u64, Happens)], end: u64) -> (Verdict, Verdict) {
    let play = |ends: bool| {
        let mut judges = Judges::new(settings());
        let nodes: Vec<NodeId> = (1..=replicas).map(NodeId).collect();
        let tell = |judges: &mut Judges, at: u64, what: Happens| {
            let process = |judges: &mut Judges, node, is_up| {
                let kept_by = std::iter::once(vec![Members::initial(&nodes)]);
                judges.process(secs(at), NodeId(node), is_up, kept_by);
            };
            match what {
                Dies(node) => process(judges, node, false),
                Starts(node) => process(judges, node, true),
                Strikes => judges.trouble(secs(at), false),
                Rots => judges.trouble(secs(at), true),
                Heals => judges.trouble_over(secs(at)),
            }
        };
        (1..=replicas).for_each(|node| tell(&mut judges, 0, Starts(node)));
        let (before, after): (Vec<_>, Vec<_>) = happens.iter().partition(|&&(at, _)| at < 100);
        before.into_iter().for_each(|&(at, what)| tell(&mut judges, at, what));
        judges.oracles.invoked(secs(100), &asked());
        record(&mut judges, 100, 1, held(100));
        after.into_iter().for_each(|&(at, what)| tell(&mut judges, at, what));
        if ends {
            record(&mut judges, end, 2, Event::Expired { hold: HoldId(1), at: secs(405) });
        }
        judges.faults_over(secs(2_000));
        judges.finish(secs(end), &[])
    };
    (verdict(&play(true), "hold"), verdict(&play(false), "live"))
}

fn record(judges: &mut Judges, at: u64, index: u64, event: Event) {
    let position = Position { log: 0, index, term: 1 };
    judges.oracles.committed((secs(at), secs(at)), position, Some(NodeId(1)), &[(SHOW, event)]);
}

/// The last second at which the hold may end; both oracles agree on it.
fn limit(happens: &[(u64, Happens)]) -> u64 {
    limit_for(3, happens)
}

fn limit_for(replicas: u16, happens: &[(u64, Happens)]) -> u64 {
    let fails = |end: &u64| judged_for(replicas, happens, *end).0 == Verdict::Fail;
    let first = (405..2_000).find(fails).expect("there is a limit");
    assert_eq!(
        judged_for(replicas, happens, first - 1),
        (Verdict::NotExercised, Verdict::NotExercised)
    );
    assert_eq!(judged_for(replicas, happens, first).1, Verdict::Fail, "nothing ends it");
    first - 1
}

#[test]
fn without_faults_a_hold_ends_a_second_and_an_election_after_its_grace() {
    assert_eq!(limit(&[]), 409);
}

#[test]
fn a_crash_excuses_one_election_and_only_if_the_hold_is_due() {
    assert_eq!(limit(&[(300, Dies(1)), (310, Starts(1))]), 409, "long before");
    assert_eq!(limit(&[(404, Dies(1))]), 411, "an election that ends at 407");
    assert_eq!(limit(&[(405, Dies(1))]), 412);
    assert_eq!(limit(&[(500, Dies(1))]), 409, "long after");
}

/// All nodes die in turn, and each hears from the others before the next dies.
#[test]
fn a_rolling_restart_excuses_nothing() {
    let (mut happens, mut at) = (Vec::new(), 110);
    while at < 390 {
        for node in 1..=3 {
            happens.extend([(at, Dies(node)), (at + 4, Starts(node))]);
            at += 5;
        }
    }
    assert_eq!(limit(&happens), 409);
    let hasty: Vec<_> = (1..=3).map(|node| (110 + 4 * u64::from(node), node)).collect();
    let hasty: Vec<_> = hasty
        .into_iter()
        .flat_map(|(at, node)| [(at, Dies(node)), (at + 4, Starts(node))])
        .collect();
    assert!(limit(&hasty) > 409, "a node that has just started has not heard the time");
}

#[test]
fn without_a_majority_a_hold_is_measured_afresh_once_there_is_one() {
    let two = [(200, Dies(1)), (210, Dies(2)), (240, Starts(2)), (300, Starts(1))];
    assert_eq!(limit(&two), 240 + 3 + 305 + 4);
    let all = [(200, Dies(1)), (200, Dies(2)), (200, Dies(3)), (250, Starts(1)), (260, Starts(2))];
    assert_eq!(limit(&all), 260 + 3 + 305 + 4);
    let late = [(400, Dies(1)), (400, Dies(2)), (450, Starts(1))];
    assert_eq!(limit(&late), 450 + 3 + 305 + 4);
    assert_eq!(limit_for(1, &[(200, Dies(1)), (220, Starts(1))]), 220 + 3 + 305 + 4);
}

#[test]
fn a_fault_excuses_its_duration_and_an_election() {
    assert_eq!(limit(&[(300, Strikes), (320, Heals)]), 409 + 20 + 3);
    assert_eq!(limit(&[(50, Strikes), (90, Heals)]), 409, "before the grant");
    let two = [(300, Strikes), (310, Strikes), (320, Heals), (330, Heals)];
    assert_eq!(limit(&two), 409 + 30 + 3, "overlapping faults count once");
    assert_eq!(judged(&[(408, Strikes)], 1_500), (Verdict::NotExercised, Verdict::NotExercised));
}

/// A replica whose disk may have lost promises abstains until all are up, so another one's crash may leave no leader.
#[test]
fn after_a_disk_lost_promises_a_crash_may_cost_the_majority() {
    let happens = |strikes| {
        [
            (150, strikes),
            (160, Heals),
            (200, Dies(1)),
            (210, Starts(1)),
            (211, Dies(2)),
            (390, Starts(2)),
        ]
    };
    assert_eq!(limit(&happens(Strikes)), 409 + 10 + 3);
    assert_eq!(limit(&happens(Rots)), 390 + 3 + 305 + 4 + 10 + 3);
}

/// The verdict of `live` on a client that asks at a second and is told, five seconds later, that no leader could be
/// reached. Recovery takes 10 s; five nodes carry three replicas.
fn unanswered(happens: &[(u64, Happens)], asks: u64) -> Verdict {
    let mut judges = Judges::new(settings());
    let replicas: Vec<NodeId> = (1..=3).map(NodeId).collect();
    let mut tell = |at: u64, what: Happens| {
        let mut process = |node, is_up| {
            let kept_by = std::iter::once(vec![Members::initial(&replicas)]);
            judges.process(secs(at), NodeId(node), is_up, kept_by);
        };
        match what {
            Dies(node) => process(node, false),
            Starts(node) => process(node, true),
            Strikes => judges.trouble(secs(at), false),
            Rots => judges.trouble(secs(at), true),
            Heals => judges.trouble_over(secs(at)),
        }
    };
    (1..=5).for_each(|node| tell(0, Starts(node)));
    happens.iter().filter(|&&(at, _)| at <= asks + 5).for_each(|&(at, what)| tell(at, what));
    let (request, user) = (RequestId(1), UserId(1));
    let asked = Asked { request, user, show: SHOW, since: secs(asks) };
    judges.oracles.hold_refused(
        secs(asks + 5),
        &asked,
        Refusal::Unavailable,
        onsale_booking::Wish::default,
    );
    verdict(&judges.finish(secs(1_000), &[]), "live")
}

/// The first second at which a client must be answered.
fn must_answer(happens: &[(u64, Happens)]) -> u64 {
    let answered = |&asks: &u64| unanswered(happens, asks) == Verdict::Fail;
    (100..1_000).find(answered).expect("some time it must")
}

#[test]
fn while_a_majority_is_left_clients_are_answered_soon_after_the_strike() {
    assert_eq!(unanswered(&[], 11), Verdict::Fail, "nothing is wrong");
    assert_eq!(must_answer(&[(100, Dies(1))]), 111, "it stays down");
    assert_eq!(must_answer(&[(100, Dies(1)), (105, Dies(4))]), 111, "n4 has no replica");
    assert_eq!(must_answer(&[(100, Dies(1)), (105, Dies(2)), (150, Starts(1))]), 161);
    assert_eq!(must_answer(&[(100, Strikes), (150, Heals)]), 161);
}

/// Two of three replicas are left, but only two of five nodes: their gateways withdraw.
#[test]
fn a_minority_of_the_nodes_may_refuse_its_clients() {
    let two = [(100, Dies(3)), (100, Dies(4)), (150, Starts(4))];
    assert_eq!(must_answer(&two), 111);
    let three = [(100, Dies(3)), (100, Dies(4)), (100, Dies(5)), (150, Starts(4))];
    assert_eq!(must_answer(&three), 161);
}
