//! Faults of disks: their effect on the node, and the recovery by the others.

use std::sync::Arc;

use onsale_booking::Span;
use onsale_reports::{Operation, Window};
use onsale_scenarios::{
    DiskFault, Family, Fault, NetworkFault, ProcessFault, Ratio, Scenario, Target,
};
use onsale_sim::allowance::allowance;
use onsale_sim::plan::Plan;
use onsale_sim::run;
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, play_all, sale_with, scenario};
use onsale_world::Tracing;

const AT: Span = Span::from_secs(45);
const LASTS: Span = Span::from_secs(20);

/// Plays the faults under a few seeds; all oracles must pass.
fn tell(faults: &[Fault], then: impl Fn(&Outcome)) {
    for seed in 1..=3 {
        let outcome = play(&sale_with(faults), seed);
        assert_eq!(complaint(&outcome), None);
        then(&outcome);
    }
}

fn marked(outcome: &Outcome, mark: &str) -> u64 {
    outcome.summary.facts.marks.get(mark).copied().unwrap_or(0)
}

fn told(outcome: &Outcome, fault: usize) -> &str {
    &outcome.summary.facts.faults[fault].what
}

/// The process gets no second chance to trust its disk: it is down until the disk is well.
#[test]
fn a_leader_whose_fsync_fails_stops_and_is_replaced() {
    tell(&[Fault::new(AT, LASTS, DiskFault::FsyncError { node: Target::Leader })], |outcome| {
        assert_eq!(marked(outcome, "stopped-on-write-error"), 1);
        assert!(outcome.summary.facts.faults[0].shards_lost_leader > 0);
    });
}

/// A process reads back what it had not synced, and tells nobody of it before it has written it once more: the power that
/// goes before that takes nothing that anybody was told.
#[test]
fn what_a_killed_process_reads_back_may_go_with_the_power() {
    let slow = |node| {
        let (node, factor) = (Target::Node(onsale_booking::NodeId(node)), 500);
        Fault::new(Span::from_secs(40), LASTS, DiskFault::SlowDisk { node, factor })
    };
    let mut faults: Vec<Fault> = (1..=5).map(slow).collect();
    let kill = |nth: u64, node| {
        let at = AT + Span::from_secs(8 * nth);
        let power_loss = ProcessFault::PowerLoss {};
        let killed = Fault::new(at, Span::from_millis(400), ProcessFault::Kill { node });
        [killed, Fault::new(at + Span::from_millis(450), Span::from_secs(2), power_loss)]
    };
    faults.extend(
        [Target::Leader, Target::Follower]
            .into_iter()
            .zip(0..)
            .flat_map(|(node, nth)| kill(nth, node)),
    );
    let mut cut_short = 0;
    for seed in 1..=8 {
        let outcome = play(&sale_with(&faults), seed);
        assert_eq!(complaint(&outcome), None, "seed {seed}");
        for nth in [5, 7] {
            assert!(told(&outcome, nth).starts_with("kill of n"), "{}", told(&outcome, nth));
            cut_short += outcome.summary.facts.faults[nth].touched.writes;
        }
    }
    assert!(cut_short > 2, "{cut_short} writes were in flight");
}

/// Another fault starts it while its disk still fails: it stops again.
#[test]
fn a_process_that_starts_on_a_failing_disk_stops_again() {
    let node = Target::Node(onsale_booking::NodeId(1));
    let faults = [
        Fault::new(AT, Span::from_secs(2), ProcessFault::Crash { node }),
        Fault::new(AT + Span::from_secs(1), LASTS, DiskFault::FsyncError { node }),
    ];
    tell(&faults, |outcome| assert_eq!(marked(outcome, "stopped-on-write-error"), 1));
}

/// It acknowledges nothing that is not on its disk: its clients wait until the stall is over.
#[test]
fn a_leader_whose_disk_stalls_makes_people_wait() {
    let stall = Fault::new(AT, LASTS, DiskFault::DiskStall { node: Target::Leader });
    tell(&[stall], |outcome| {
        let waits = outcome.summary.latency(Operation::Hold, Window::InFaults).percentiles;
        let longest = waits.map(|waits| waits.max);
        assert!(longest > Some(Span::from_secs(2)), "{longest:?}");
    });
}

#[test]
fn a_leader_without_room_hands_its_shards_over() {
    tell(&[Fault::new(AT, LASTS, DiskFault::DiskFull { node: Target::Leader })], |outcome| {
        assert!(marked(outcome, "disk-full") > 10, "it tries again and again");
        assert!(marked(outcome, "lead-transfer-asked") > 0);
        let fault = &outcome.summary.facts.faults[0];
        assert!(fault.shards_lost_leader > 0);
        assert!(fault.recovery_ms < Some(1_000.0), "{:?}", fault.recovery_ms);
    });
}

/// During a lead transfer to a peer that did not hear it, a leader without room took its post again at once,
/// whenever a hold was due to end, and lost it in the same instant, forever.
#[test]
fn a_leader_that_hands_over_does_not_take_its_post_again_meanwhile() {
    let faults = [
        Fault::new(AT, Span::from_secs(2), NetworkFault::Loss { chance: Ratio::ALWAYS }),
        Fault::new(AT, LASTS, DiskFault::DiskFull { node: Target::Leader }),
    ];
    let mut scenario = Scenario { faults: faults.to_vec(), ..sale_with(&[]) };
    scenario.cluster.nodes = 3;
    scenario.sale.hold = Span::from_secs(5);
    scenario.crowd.users = 2_000;
    for seed in 1..=3 {
        let plan = Plan::new(&scenario, seed);
        let outcome =
            run::run_within(&plan, &Arc::default(), Tracing::default(), allowance(&scenario));
        assert_eq!(complaint(&outcome), None);
        assert!(marked(&outcome, "deposed-append-refused") > 0, "it was writing");
    }
}

/// All three replicas have a torn write at once: if any of them kept out of elections for it, there would be no
/// leader.
#[test]
fn torn_writes_are_cut_off_and_cost_no_vote() {
    let torn = |node| {
        Fault::new(
            AT,
            Span::from_secs(5),
            DiskFault::TornTail { node: Target::Node(onsale_booking::NodeId(node)) },
        )
    };
    let faults: Vec<Fault> = (1..=5).map(torn).collect();
    let mut cut = 0;
    for seed in 1..=5 {
        let outcome = play(&sale_with(&faults), seed);
        assert_eq!(complaint(&outcome), None);
        assert_eq!(marked(&outcome, "log-damage-found"), 0);
        cut += marked(&outcome, "torn-log-cut-off");
    }
    assert!(cut > 0, "of 25 writes none was torn so that it shows");
}

/// A replica that may have forgotten its vote does not vote for a while.
#[test]
fn rot_is_found_at_the_start_and_repaired_from_the_others() {
    let node = Target::Leader;
    let faults = [
        Fault::new(AT, LASTS, DiskFault::BitRot { node }),
        Fault::new(AT, Span::from_secs(5), ProcessFault::Crash { node }),
    ];
    tell(&faults, |outcome| {
        assert!(told(outcome, 0).starts_with("a bit flips"), "{}", told(outcome, 0));
        assert_eq!(marked(outcome, "log-damage-found"), 1);
        assert!(marked(outcome, "replica-repaired") > 0);
        assert_eq!(marked(outcome, "log-renewed"), 0, "there is nothing left to scrub");
    });
}

#[test]
fn rot_under_a_live_node_is_written_anew() {
    tell(&[Fault::new(AT, LASTS, DiskFault::BitRot { node: Target::Follower })], |outcome| {
        assert_eq!(marked(outcome, "log-renewed"), 1);
        assert_eq!(marked(outcome, "log-damage-found"), 0);
    });
}

#[test]
fn a_node_with_another_disk_is_given_everything_back() {
    let wipe = Fault::new(AT, Span::from_secs(5), DiskFault::Wipe { node: Target::Leader });
    tell(&[wipe], |outcome| {
        assert_eq!(marked(outcome, "disk-replaced"), 1);
        assert!(marked(outcome, "replica-repaired") > 0);
    });
}

/// Two disks of three cannot be damaged at once: every record keeps a majority of good copies.
#[test]
fn the_last_good_majority_is_spared() {
    let nodes = [1, 2, 3, 4, 5].map(|node| Target::Node(onsale_booking::NodeId(node)));
    let wipes = nodes.map(|node| Fault::new(AT, LASTS, DiskFault::Wipe { node }));
    tell(&wipes, |outcome| {
        let spared = (0..5).filter(|&nth| told(outcome, nth).contains("spared")).count();
        assert_eq!(marked(outcome, "disk-replaced") + spared as u64, 5);
        assert!((1..5).contains(&spared), "{spared}");
    });
    let mut alone = sale_with(&[Fault::new(AT, LASTS, DiskFault::BitRot { node: nodes[0] })]);
    alone.cluster.replicas = 1;
    assert!(told(&play(&alone, 1), 0).contains("spared"), "one copy is a majority of one");
}

/// It acknowledged records that are gone without a trace. The peers that heard it are still there and tell it.
#[test]
fn a_disk_that_lied_is_found_out() {
    let faults = [
        Fault::new(
            Span::from_secs(30),
            LASTS + LASTS,
            DiskFault::LyingDisk { node: Target::Follower },
        ),
        Fault::new(AT, Span::from_secs(1), ProcessFault::Crash { node: Target::Follower }),
    ];
    let mut found = 0;
    tell(&faults, |outcome| assert!(told(outcome, 0).contains("that it loses")));
    for seed in 1..=3 {
        found += marked(&play(&sale_with(&faults), seed), "durable-state-missing");
    }
    assert!(found > 0);
}

/// A change that existed only on a lost disk is lost, and sessions that saw it are still served: by all nodes
/// once its node has written it off, or with a new session if that node never comes back.
#[test]
fn facts_that_went_with_a_disk_hold_nobody_up() {
    let look = |_, outcome: Outcome| {
        let written_off = marked(&outcome, "facts-written-off");
        (complaint(&outcome), written_off, outcome.summary.facts.facts.expect("there are facts"))
    };
    let runs = play_all(&scenario("rare/facts-lost-disk"), 1..9, look);
    for (complaint, _, facts) in &runs {
        assert_eq!(*complaint, None);
        assert!(facts.behind > 0 && facts.agreed_ms.is_some(), "{facts:?}");
    }
    // Whether anything was written through the node meanwhile depends on the seed.
    let lost = runs.iter().filter(|(.., facts)| facts.lost_with_disks > 0).count();
    assert!(lost * 2 > runs.len(), "{lost} of {} runs lost something", runs.len());
    assert!(runs.iter().any(|&(_, written_off, _)| written_off > 0));
    assert!(runs.iter().any(|(.., facts)| facts.started_over > 0));
}

/// A node that its peers do not hear costs no session: it sends its changes again.
#[test]
fn no_session_is_given_up_while_every_disk_lasts() {
    let mut scenario = scenario("rare/facts-lost-disk");
    scenario.faults.retain(|fault| fault.family() == Family::OneWayLoss);
    scenario.must_mark.retain(|mark| mark != "disk-replaced");
    let look = |_, outcome: Outcome| (complaint(&outcome), outcome.summary.facts.facts);
    for (complaint, facts) in play_all(&scenario, 1..9, look) {
        assert_eq!(complaint, None);
        let facts = facts.expect("there are facts");
        assert!(facts.behind > 0, "{facts:?}");
        assert_eq!((facts.started_over, facts.lost_with_disks), (0, 0), "{facts:?}");
    }
}
