//! The second system behind the seam, from a plan to its outcome.
//!
//! One process, one log: it keeps every promise about seats under all faults, runs are reproducible, and deliberate
//! breakage is found, with a story that names seats, people and the fault.

use std::sync::Arc;

use onsale_booking::{NodeId, Span};
use onsale_cluster::Acknowledge;
use onsale_reports::{Oracle, Verdict, terminal};
use onsale_scenarios::{
    DiskFault, Fault, NetworkFault, ProcessFault, Scenario, Target, Timing, catalogue,
};
use onsale_sim::plan::Plan;
use onsale_sim::run::{self, Look, Outcome};
use onsale_sim::sabotage::Sabotage;
use onsale_sim::seen::subject::Subject;
use onsale_sim::story::Watch;
use onsale_sim::story::cast::Cast;
use onsale_sim::story::follow::Follow;
use onsale_sim::story::hazards::Hazards;
use onsale_world::Tracing;

/// Oracles whose promises a crash must not break.
const SAFETY: [&str; 6] =
    ["double-booking", "lost-booking", "atomic", "hold", "linearizable", "single-writer"];

fn solo() -> Scenario {
    catalogue::find("fast/solo").expect("it is in the catalogue").scenario()
}

fn play(scenario: &Scenario, seed: u64) -> Outcome {
    run::run(&Plan::new(scenario, seed), &Arc::default(), Tracing::default())
}

fn seconds(seconds: u64) -> Span {
    Span::from_secs(seconds)
}

/// Asserts that every safety oracle has checked something, and found no failure.
fn is_safe(name: &str, seed: u64, outcome: &Outcome) {
    let facts = &outcome.summary.facts;
    for result in &facts.oracles {
        let told = result.evidence.as_ref().map(|told| (&told.headline, &told.details));
        assert_ne!(result.verdict, Verdict::Fail, "{name} {seed}: {}: {told:?}", result.name);
        if SAFETY.contains(&result.name.as_str()) {
            assert!(result.checked > 0, "{name} {seed}: {} checked nothing", result.name);
        }
    }
    assert!(facts.sold_seats > 0, "{name} {seed}: nothing was sold");
    assert_eq!(facts.replicas_replayed, 1, "{name} {seed}: its log is replayed at the end");
}

fn with(faults: Vec<Fault>) -> Scenario {
    Scenario { faults, ..solo() }
}

#[test]
fn no_fault_breaks_a_promise_about_seats() {
    let node = Target::Node(NodeId(1));
    let (down, up) = (seconds(2), seconds(3));
    let crash_loop = ProcessFault::CrashLoop { node, down, up };
    let cases = [
        ("crash", vec![Fault::new(seconds(60), seconds(15), ProcessFault::Crash { node })]),
        (
            "kill, then dark",
            vec![
                Fault::new(seconds(60), seconds(5), ProcessFault::Kill { node }),
                Fault::new(seconds(62), seconds(5), ProcessFault::PowerLoss {}),
                Fault::new(seconds(80), seconds(1), ProcessFault::Kill { node }),
            ],
        ),
        ("crash-loop", vec![Fault::new(seconds(60), seconds(40), crash_loop)]),
        ("pause", vec![Fault::new(seconds(60), seconds(20), ProcessFault::Pause { node })]),
        ("power", vec![Fault::new(seconds(70), seconds(5), ProcessFault::PowerLoss {})]),
        (
            "disk",
            vec![
                Fault::new(seconds(70), seconds(5), DiskFault::DiskStall { node }),
                Fault::new(seconds(90), seconds(3), DiskFault::FsyncError { node }),
                Fault::new(seconds(110), seconds(3), DiskFault::TornTail { node }),
            ],
        ),
        (
            "cut",
            vec![Fault::new(
                seconds(60),
                seconds(20),
                NetworkFault::Flapping { node, peer: None, down, up },
            )],
        ),
    ];
    for (name, faults) in cases {
        let scenario = with(faults);
        for seed in 1..=6 {
            is_safe(name, seed, &play(&scenario, seed));
        }
    }
}

#[test]
fn every_fault_of_the_catalogues_scenario_touches_something_over_many_seeds() {
    let scenario = solo();
    let mut touched = vec![0; scenario.faults.len()];
    for seed in 1..=24 {
        let outcome = play(&scenario, seed);
        is_safe("fast/solo", seed, &outcome);
        for fault in &outcome.summary.facts.faults {
            let it = fault.touched;
            touched[fault.index] += it.messages + it.writes + it.turns;
        }
    }
    assert!(touched.iter().all(|&times| times > 0), "{touched:?}");
}

/// A timer once wrote decisions to the disk that the busy core had not made yet: holds ended before their time.
#[test]
fn a_busy_core_ends_no_hold_early_and_catches_up() {
    let mut scenario = with(Vec::new());
    scenario.crowd.users = 8_000;
    scenario.costs.decide = Timing::Constant(Span::from_millis(2));
    (scenario.sale.hold, scenario.sale.grace) = (seconds(5), Span::from_millis(1));
    is_safe("busy", 1, &play(&scenario, 1));
}

#[test]
fn a_run_is_the_same_each_time() {
    let hash = |seed| play(&solo(), seed).summary.facts.trace_hash;
    assert_eq!(hash(3), hash(3));
    assert_ne!(hash(3), hash(4));
}

#[test]
fn an_answer_before_the_write_is_found_and_told() {
    let mut scenario = solo();
    scenario.cluster.leader.acknowledge = Acknowledge::Proposal;
    scenario.disk.fsync = Timing::Constant(Span::from_millis(100));
    let power_loss = |at| Fault::new(seconds(at), seconds(1), ProcessFault::PowerLoss {});
    scenario.faults = [50, 60, 70, 80].map(power_loss).to_vec();
    let failed = (1..=5).find_map(|seed| {
        let outcome = play(&scenario, seed);
        let oracles = &outcome.summary.facts.oracles;
        let lost = oracles.iter().find(|result| result.name == "lost-booking")?;
        Some((seed, lost.evidence.clone()?))
    });
    let (seed, evidence) = failed.expect("it loses bookings within five seeds");
    assert!(!evidence.follow.is_empty(), "{evidence:?}");
    let plan = Plan::new(&scenario, seed);
    let placement = Arc::new(onsale_sim::replicated::setup::placement(&scenario));
    let subjects: Vec<Subject> = evidence
        .follow
        .iter()
        .map(|name| name.parse().expect("a name that evidence has"))
        .collect();
    let look = |watch| Look { watch: Some(Box::new(watch)), ..Look::default() };
    let cast = Cast::new(subjects, placement, run::naming(&scenario));
    let rehearsed = run::run_watched(&plan, &Arc::default(), look(Watch::rehearsing(cast)));
    let cast = rehearsed.watch.and_then(|watch| watch.rehearsal).expect("it was rehearsed");
    let all = (onsale_booking::Instant::ZERO, onsale_booking::Instant::MAX);
    let follow = Follow::new(cast, Hazards::of(&scenario), all);
    let watch = Watch::of(Some(follow), None, None).expect("it follows a subject");
    let told =
        run::run_watched(&plan, &Arc::default(), Look { watch: Some(watch), ..Look::default() });
    let end = told.end();
    let story = told.watch.and_then(|watch| watch.follow).expect("it followed").finish(end);
    let text: String =
        story.lines.iter().map(|line| format!("{} {}\n", line.who, line.what)).collect();
    for words in ["power loss", "seat", "booked", "hears from n1", "fails: ", "UNSAFE"] {
        assert!(text.contains(words), "{words}:\n{text}");
    }
}

#[test]
fn an_answer_before_the_write_is_found_without_a_crash() {
    let mut scenario = with(Vec::new());
    for (acknowledge, failed) in
        [(Acknowledge::Quorum, [].as_slice()), (Acknowledge::Proposal, ["durable"].as_slice())]
    {
        scenario.cluster.leader.acknowledge = acknowledge;
        assert_eq!(play(&scenario, 1).failed(), failed, "{acknowledge:?}");
    }
}

#[test]
fn a_disk_that_loses_acknowledged_writes_is_found() {
    let node = Target::Node(NodeId(1));
    let scenario = with(vec![Fault::new(seconds(120), seconds(5), ProcessFault::Crash { node })]);
    let sabotage = Sabotage { disks_lose: 4_000, ..Sabotage::default() };
    let broken = run::run_sabotaged(&Plan::new(&scenario, 1), sabotage);
    assert!(broken.failed().contains(&"lost-booking"), "{:?}", broken.failed());
}

/// What judges another design alone passes nothing here: it is not told of, or told as not exercised.
#[test]
fn no_verdict_passes_that_does_not_apply() {
    let outcome = play(&solo(), 1);
    let facts = &outcome.summary.facts;
    let told = |oracle: Oracle| facts.oracles.iter().find(|it| it.name == oracle.name());
    for result in &facts.oracles {
        let is_exercised = result.verdict != Verdict::NotExercised;
        assert_eq!(is_exercised, result.checked > 0, "{}: {:?}", result.name, result.verdict);
    }
    assert!(told(Oracle::Facts).is_none(), "it keeps no facts");
    let raft = told(Oracle::Raft).expect("its disk is compared with its answers");
    assert_eq!(raft.verdict, Verdict::NotExercised, "it replicates no log");
    let durable = told(Oracle::Durable).expect("its disk is compared with its answers");
    assert_eq!(durable.verdict, Verdict::Pass, "an answer waits for its disk");
    assert!(facts.marks.is_empty() && facts.facts.is_none(), "{:?}", facts.marks);
    assert!(facts.lead_transfers.is_empty(), "nobody leads");
    for fault in &facts.faults {
        assert!(fault.failover.is_none() && fault.lead_transfers.is_none(), "{fault:?}");
        assert!(!fault.what.contains("leader"), "{fault:?}");
    }
    let text = terminal::render(&outcome.summary, false, 100);
    for word in ["leader", "shard", "facts"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}
