//! Faults of networks, clocks and processes: their effect, and that nothing of it remains afterwards.

use onsale_booking::Span;
use onsale_cluster::{Overdue, Reckoning};
use onsale_reports::{Ending, Verdict};
use onsale_scenarios::{ClockFault, Fault, NetworkFault, ProcessFault, Ratio, Scenario, Target};
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, sale_with, scenario, verdict};

const AT: Span = Span::from_secs(40);
const LASTS: Span = Span::from_secs(20);
const LEADER: Target = Target::Leader;

/// Plays a few seeds with these faults, which are over after a minute: all oracles must pass, and people must be
/// able to buy afterwards.
fn tell(faults: &[Fault], then: impl Fn(&Outcome)) {
    for seed in 1..=3 {
        let outcome = play(&sale_with(faults), seed);
        assert_eq!(complaint(&outcome), None);
        assert!(granted(&outcome, 62, 100) > 100, "{}", granted(&outcome, 62, 100));
        assert!(slowest_ms(&outcome, 70, 100) < 1_000.0, "{} ms", slowest_ms(&outcome, 70, 100));
        then(&outcome);
    }
}

fn granted(outcome: &Outcome, from: usize, until: usize) -> u64 {
    let seconds = &outcome.records.timeline()[from..until];
    seconds.iter().map(|second| second.holds[Ending::Granted as usize]).sum()
}

/// The longest wait for a hold that ended in these seconds.
fn slowest_ms(outcome: &Outcome, from: usize, until: usize) -> f64 {
    let seconds = &outcome.records.timeline()[from..until];
    seconds.iter().map(|second| second.hold_max_us).max().unwrap_or_default() as f64 / 1e3
}

fn mark(outcome: &Outcome, name: &str) -> u64 {
    outcome.summary.facts.marks.get(name).copied().unwrap_or_default()
}

fn shards_lost_leader(outcome: &Outcome) -> u32 {
    outcome.summary.facts.faults.iter().map(|fault| fault.shards_lost_leader).sum()
}

#[test]
fn narrow_links_make_messages_wait_and_then_carry_everything_again() {
    let congestion = Fault::new(AT, LASTS, NetworkFault::Congestion { node: None, kib_per_s: 2 });
    tell(&[congestion], |outcome| {
        assert!(slowest_ms(outcome, 45, 60) > 1_000.0, "{} ms", slowest_ms(outcome, 45, 60));
        assert!(mark(outcome, "attempt-timed-out") > 0);
    });
}

#[test]
fn brief_cuts_are_taken_for_lost_messages_and_long_ones_for_a_dead_leader() {
    let flapping = |millis: u64, peer| {
        let (down, up) = (Span::from_millis(millis), Span::from_millis(900));
        Fault::new(AT, LASTS, NetworkFault::Flapping { node: LEADER, peer, down, up })
    };
    tell(&[flapping(80, None)], |outcome| assert_eq!(shards_lost_leader(outcome), 0));
    tell(&[flapping(3_000, None)], |outcome| {
        assert!(shards_lost_leader(outcome) > 0);
        assert!(mark(outcome, "peer-trusted") > 4, "it is heard again, and again");
    });
    tell(&[flapping(3_000, Some(Target::Follower))], |outcome| {
        assert!(granted(outcome, 42, 60) > 40, "the leader has another follower");
        assert!(mark(outcome, "peer-trusted") > 0);
    });
}

#[test]
fn loss_in_one_direction_is_loss_in_one_direction() {
    let loss = |peer, inbound| {
        Fault::new(
            AT,
            LASTS,
            NetworkFault::OneWayLoss { node: LEADER, peer, inbound, chance: Ratio::ALWAYS },
        )
    };
    tell(&[loss(None, false)], |outcome| {
        assert!(shards_lost_leader(outcome) > 0, "nobody hears its beats");
        assert!(granted(outcome, 45, 60) > 40, "its successor sells");
    });
    tell(&[loss(None, true)], |outcome| {
        // It declares its peers dead, and they still receive its heartbeats.
        assert!(mark(outcome, "peer-suspected") >= 4);
        assert!(slowest_ms(outcome, 41, 60) > 1_000.0, "it learns of no acknowledgement");
    });
}

#[test]
fn one_direction_of_one_link_takes_the_peer_alone() {
    let loss = |inbound| {
        let peer = Some(Target::Follower);
        let what = NetworkFault::OneWayLoss { node: LEADER, peer, inbound, chance: Ratio::ALWAYS };
        Fault::new(AT, LASTS, what)
    };
    tell(&[loss(false)], |outcome| {
        let what = &outcome.summary.facts.faults[0].what;
        assert!(what.contains("100% of messages from n") && what.contains(" to n"), "{what}");
        assert!(mark(outcome, "peer-suspected") > 0, "the follower misses the leader's beats");
        assert!(granted(outcome, 45, 60) > 40, "the other follower is there");
    });
    tell(&[loss(true)], |outcome| {
        assert!(mark(outcome, "peer-suspected") > 0, "the leader misses the follower's beats");
        assert!(granted(outcome, 45, 60) > 40, "the other follower acknowledges");
    });
}

#[test]
fn nodes_go_in_one_order_and_come_back_in_another() {
    let nodes =
        |numbers: [u16; 5]| numbers.map(|n| Target::Node(onsale_booking::NodeId(n))).to_vec();
    let (cut, mend) = (nodes([1, 2, 3, 4, 5]), nodes([3, 1, 5, 2, 4]));
    let swizzle = Fault::new(AT, LASTS, NetworkFault::Swizzle { cut, mend });
    assert_eq!(onsale_sim::fault::steps(&swizzle).len(), 8);
    tell(&[swizzle], |outcome| {
        // The fourth of ten moves leaves one node, the sixth brings another back.
        assert_eq!(granted(outcome, 48, 51), 0, "one node alone sells nothing");
        assert!(shards_lost_leader(outcome) > 0);
    });
}

fn drift(percent: u32) -> Fault {
    let (at, lasts) = (Span::from_secs(1), Span::from_secs(59));
    Fault::new(
        at,
        lasts,
        ClockFault::ClockDrift { node: LEADER, by: Ratio::percent(percent), slow: false },
    )
}

#[test]
fn a_clock_that_drifts_within_the_grace_ends_no_hold_too_soon_and_beyond_it_does() {
    // A hold is half a minute and five seconds.
    tell(&[drift(10)], |outcome| assert_eq!(verdict(outcome, "hold"), Verdict::Pass));
    let outcome = play(&sale_with(&[drift(40)]), 1);
    assert_eq!(verdict(&outcome, "hold"), Verdict::Fail);
}

/// The leader's wall clock is set wrong, the leader dies and comes back, and leads again after its successor has
/// died as well.
fn jump_and_crash(back: bool) -> Vec<Fault> {
    let crash = |at, down| {
        Fault::new(Span::from_secs(at), Span::from_secs(down), ProcessFault::Crash { node: LEADER })
    };
    let by = Span::from_secs(300);
    let jump =
        Fault::new(Span::from_secs(30), LASTS, ClockFault::ClockJump { node: LEADER, by, back });
    vec![jump, crash(40, 1), crash(50, 5)]
}

#[test]
fn a_jump_alone_moves_nothing() {
    let jump = Fault::new(
        AT,
        LASTS,
        ClockFault::ClockJump { node: LEADER, by: Span::from_secs(300), back: false },
    );
    let (with, without) = (play(&sale_with(&[jump]), 1), play(&sale_with(&[]), 1));
    let sold = |outcome: &Outcome| outcome.summary.facts.users_outcome.clone();
    assert_eq!(sold(&with), sold(&without));
    assert_eq!(with.summary.facts.messages, without.summary.facts.messages);
}

#[test]
fn a_leader_that_started_by_a_wrong_clock_ends_holds_as_any_other() {
    for back in [false, true] {
        tell(&jump_and_crash(back), |outcome| {
            assert!(mark(outcome, "clocks-apart") > 0, "{:?}", outcome.summary.facts.marks);
            assert_eq!(verdict(outcome, "hold"), Verdict::Pass);
            assert_eq!(verdict(outcome, "live"), Verdict::Pass);
        });
        let mut sale = sale_with(&jump_and_crash(back));
        sale.cluster.leader.reckoning = Reckoning::Instants;
        // A clock that is ahead ends holds too early, one that is behind too late.
        assert_eq!(verdict(&play(&sale, 1), "hold"), Verdict::Fail, "back: {back}");
    }
}

#[test]
fn holds_are_kept_and_ended_however_far_apart_clocks_are() {
    for skew in [4, 300, 50_000] {
        let crash = |at| Fault::new(at, Span::from_secs(4), ProcessFault::Crash { node: LEADER });
        let mut sale = sale_with(&[crash(AT), crash(Span::from_secs(50))]);
        sale.cluster.clock_skew = Span::from_secs(skew);
        assert_eq!(complaint(&play(&sale, 1)), None, "clocks {skew} s apart");
    }
}

#[test]
fn a_node_that_limps_is_slow_and_then_as_fast_as_ever() {
    let limp = |factor| Fault::new(AT, LASTS, ProcessFault::Limp { node: LEADER, factor });
    tell(&[limp(10_000)], |outcome| {
        let (limps, walks) = (slowest_ms(outcome, 41, 60), slowest_ms(outcome, 5, 40));
        assert!(limps > 2.0 * walks, "{limps} ms after {walks} ms");
    });
}

#[test]
fn a_node_that_crashes_again_and_again_is_up_in_between_and_in_the_end() {
    let (down, up) = (Span::from_secs(3), Span::from_secs(2));
    let crashes = Fault::new(AT, LASTS, ProcessFault::CrashLoop { node: LEADER, down, up });
    assert_eq!(onsale_sim::fault::steps(&crashes).len(), 7);
    tell(&[crashes], |outcome| {
        // Its four peers hear it again four times, and each of them reports it.
        assert_eq!(mark(outcome, "peer-restarted"), 16);
        assert!(granted(outcome, 42, 60) > 40, "the others sell on");
    });
}

/// In how many of these seconds somebody was granted seats.
fn selling(outcome: &Outcome, from: usize, until: usize) -> usize {
    (from..until).filter(|&second| granted(outcome, second, second + 1) > 0).count()
}

#[test]
fn a_storm_of_retries_outlasts_its_cause_unless_the_leader_passes_over_what_nobody_waits_for() {
    let play = |scenario: &Scenario| {
        let outcome = play(scenario, 1);
        assert_eq!(complaint(&outcome), None);
        outcome
    };
    let decided = scenario("rare/retry-storm");
    assert_eq!(decided.cluster.leader.overdue, Overdue::Decided);
    let mut passed_over = decided.clone();
    passed_over.cluster.leader.overdue = Overdue::PassedOver;
    let (storm, caught_up) = (play(&decided), play(&passed_over));
    assert!(selling(&caught_up, 100, 200) > 95, "it needs no budget for that");
    assert_eq!(mark(&storm, "passed-over"), 0);
    assert!(mark(&caught_up, "passed-over") > 100);
    let budgeted = play(&scenario("rare/retry-storm-budgeted"));
    assert!(selling(&storm, 20, 60) > 35 && selling(&budgeted, 20, 60) > 35);
    // The leader is slow from 60 to 70 s.
    assert_eq!(selling(&storm, 130, 230), 0, "it has been well for a minute, and serves nobody");
    assert!(selling(&budgeted, 100, 200) > 95);
}
