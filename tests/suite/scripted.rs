//! Small stories with faults at fixed times, each with what must be true at its end.

use onsale_booking::Span;
use onsale_reports::{Ending, Operation, Verdict, Window};
use onsale_scenarios::{Cut, Fault, NetworkFault, ProcessFault, Ratio, Target};
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, sale_with, verdict};

const AT: Span = Span::from_secs(45);
const LASTS: Span = Span::from_secs(20);

fn marks(outcome: &Outcome) -> &std::collections::BTreeMap<String, u64> {
    &outcome.summary.facts.marks
}

/// Plays the story under a few seeds; all oracles must pass.
fn tell(faults: &[Fault], then: impl Fn(&Outcome)) {
    for seed in 1..=3 {
        let outcome = play(&sale_with(faults), seed);
        assert_eq!(complaint(&outcome), None);
        then(&outcome);
    }
}

fn recovery_ms(outcome: &Outcome, fault: usize) -> f64 {
    outcome.summary.facts.faults[fault]
        .recovery_ms
        .expect("the shards that lost their leader got another")
}

fn granted(outcome: &Outcome, from: usize, until: usize) -> u64 {
    outcome.records.timeline()[from..until]
        .iter()
        .map(|second| second.holds[Ending::Granted as usize])
        .sum()
}

/// The leader dies in the middle of the sale. Its peers miss its heartbeats, elect, replay and serve within a
/// second.
#[test]
fn a_leader_that_dies_is_replaced_within_a_second() {
    tell(&[Fault::new(AT, LASTS, ProcessFault::Crash { node: Target::Leader })], |outcome| {
        assert!(outcome.summary.facts.faults[0].shards_lost_leader > 0);
        assert!(recovery_ms(outcome, 0) < 1_000.0, "{} ms", recovery_ms(outcome, 0));
    });
}

/// A follower dies: its leader has another, so the hot show's leader stays.
#[test]
fn a_follower_that_dies_is_hardly_missed() {
    tell(&[Fault::new(AT, LASTS, ProcessFault::Crash { node: Target::Follower })], |outcome| {
        assert_eq!(outcome.summary.latency(Operation::Hold, Window::Whole).unanswered, 0);
        assert!(granted(outcome, 46, 65) > 40, "the sale goes on: {}", granted(outcome, 46, 65));
    });
}

/// The whole cluster loses power with carts full. When power returns, every acknowledged booking is there, and
/// paid carts are still valid.
#[test]
fn a_blackout_forgets_nothing() {
    tell(&[Fault::new(AT, Span::from_secs(10), ProcessFault::PowerLoss {})], |outcome| {
        assert_eq!(verdict(outcome, "lost-booking"), Verdict::Pass);
        assert_eq!(granted(outcome, 46, 55), 0, "nobody sells in the dark");
        assert!(granted(outcome, 57, 70) > 20, "and everybody does in the light");
    });
}

/// The leader is cut off from everyone, believes that it still leads, and can commit
/// nothing; its successor sells the same seats, each once.
#[test]
fn an_isolated_leader_sells_nothing_and_its_successor_sells_once() {
    let cut = Cut::Isolate(vec![Target::Leader]);
    tell(&[Fault::new(AT, LASTS, NetworkFault::Partition { cut })], |outcome| {
        assert_eq!(verdict(outcome, "double-booking"), Verdict::Pass);
        assert!(outcome.summary.facts.faults[0].shards_lost_leader > 0);
        assert!(
            granted(outcome, 47, 65) > 40,
            "the majority sells on: {}",
            granted(outcome, 47, 65)
        );
    });
}

/// The leader stands still for long, is replaced, and wakes up deposed: the journal, which has moved on, refuses
/// its earlier decisions.
#[test]
fn a_sleeping_leader_wakes_up_deposed() {
    tell(&[Fault::new(AT, LASTS, ProcessFault::Pause { node: Target::Leader })], |outcome| {
        assert!(marks(outcome).contains_key("leader-deposed"), "{:?}", marks(outcome));
        assert_eq!(verdict(outcome, "hold"), Verdict::Pass);
    });
}

/// A pause shorter than the detector's patience costs its own length and no election.
#[test]
fn a_short_pause_deposes_nobody() {
    tell(
        &[Fault::new(AT, Span::from_millis(100), ProcessFault::Pause { node: Target::Leader })],
        |outcome| {
            assert_eq!(outcome.summary.facts.faults[0].shards_lost_leader, 0);
            assert!(!marks(outcome).contains_key("leader-deposed"), "{:?}", marks(outcome));
        },
    );
}

/// Two of three zones lose power, one while the other is still down: no quorum, so no sale, and no wrong sale
/// either. When they are back, sales go on.
#[test]
fn without_a_quorum_nothing_is_sold_and_nothing_is_lost() {
    let loss = |at, zone| Fault::new(Span::from_secs(at), LASTS, ProcessFault::ZoneLoss { zone });
    tell(&[loss(45, 1), loss(46, 2)], |outcome| {
        assert_eq!(granted(outcome, 48, 64), 0, "no shard has two of three replicas");
        assert!(granted(outcome, 68, 85) > 20);
    });
}

/// Leader after leader dies as soon as it has taken over: each successor replays all records that earlier
/// leaders committed.
#[test]
fn a_series_of_leaders_hands_the_sale_on() {
    let crash = |at| {
        Fault::new(
            Span::from_secs(at),
            Span::from_secs(4),
            ProcessFault::Crash { node: Target::Leader },
        )
    };
    tell(&[crash(40), crash(46), crash(52), crash(58)], |outcome| {
        assert!((0..4).all(|fault| recovery_ms(outcome, fault) < 1_500.0));
        assert_eq!(verdict(outcome, "lost-booking"), Verdict::Pass);
    });
}

/// Every third message between nodes is lost, and half of the rest come twice: slow, never wrong.
#[test]
fn a_bad_network_costs_time_only() {
    let faults = [
        Fault::new(AT, LASTS, NetworkFault::Loss { chance: Ratio { num: 1, den: 3 } }),
        Fault::new(AT, LASTS, NetworkFault::Duplicate { chance: Ratio { num: 1, den: 2 } }),
    ];
    tell(&faults, |outcome| assert_eq!(verdict(outcome, "atomic"), Verdict::Pass));
}

/// A crash in the middle of a partition of the others, healed in the wrong order.
#[test]
fn faults_that_overlap_heal_one_by_one() {
    let faults = [
        Fault::new(AT, LASTS, NetworkFault::Partition { cut: Cut::Halves }),
        Fault::new(
            Span::from_secs(50),
            Span::from_secs(30),
            ProcessFault::Crash { node: Target::Leader },
        ),
        Fault::new(
            Span::from_secs(52),
            Span::from_secs(10),
            ProcessFault::Pause { node: Target::Follower },
        ),
    ];
    tell(&faults, |outcome| {
        assert!(outcome.summary.facts.faults.iter().all(|fault| fault.healed_s.is_some()));
        assert!(granted(outcome, 85, 100) > 20, "{}", granted(outcome, 85, 100));
    });
}
