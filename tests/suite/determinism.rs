//! The same plan gives the same run, to the last event: alone, in company, in any build.

use std::collections::BTreeMap;

use onsale_sim::plan::Plan;
use onsale_sim::run;
use onsale_tests::{folder, play, play_all, scenario, small_sale};
use onsale_world::Tracing;

/// Hashes of runs that a debug build and a release build must both produce. Rewritten with `ONSALE_BLESS=1`
/// after an intended change of behaviour.
const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/trace_hashes.json");

fn hash(scenario: &onsale_scenarios::Scenario, seed: u64) -> String {
    play(scenario, seed).summary.facts.trace_hash
}

fn traced(plan: &Plan, tracing: Tracing) -> run::Outcome {
    run::run(plan, &std::sync::Arc::default(), tracing)
}

#[test]
fn the_same_plan_gives_the_same_run_alone_and_in_company() {
    let scenario = small_sale();
    let alone = hash(&scenario, 7);
    assert_eq!(alone, hash(&scenario, 7), "a second run of the same plan");

    let in_company =
        play_all(&scenario, 5..10, |seed, outcome| (seed, outcome.summary.facts.trace_hash));
    assert_eq!(in_company[2], (7, alone.clone()), "beside runs of other seeds");

    let twins = std::thread::scope(|scope| {
        let twins: Vec<_> = (0..4).map(|_| scope.spawn(|| hash(&scenario, 7))).collect();
        twins.into_iter().map(|twin| twin.join().expect("a run ends")).collect::<Vec<_>>()
    });
    assert_eq!(twins, vec![alone; 4], "four at once");
}

#[test]
fn watching_a_run_does_not_change_it() {
    let plan = Plan::new(&small_sale(), 3);
    let plain = traced(&plan, Tracing::default());
    let watched = traced(&plan, Tracing { trail: true, describe: Some(10_000) });
    assert_eq!(plain.summary.facts.trace_hash, watched.summary.facts.trace_hash);
    assert_eq!(
        watched.trail.expect("it was asked for").0.len() as u64,
        watched.summary.facts.events
    );
    assert!(watched.described.is_some_and(|words| words.starts_with("at ")));
}

#[test]
fn two_seeds_part_and_the_trail_says_where() {
    let trail = |seed| {
        let outcome =
            traced(&Plan::new(&small_sale(), seed), Tracing { trail: true, describe: None });
        outcome.trail.expect("it was asked for")
    };
    let (one, same, other) = (trail(1), trail(1), trail(2));
    assert_eq!(one.first_difference(&same), None);
    let parts = one.first_difference(&other).expect("two seeds are two runs");
    assert_eq!(one.0[..parts], other.0[..parts]);
    assert_ne!(one.0[parts], other.0[parts]);
}

#[test]
fn a_plan_that_went_through_json_gives_the_same_run() {
    for id in ["fast/all-families", "fast/partition-isolate"] {
        let plan = Plan::new(&scenario(id), 11);
        let read: Plan = serde_json::from_str(&plan.to_json()).expect("a printed plan reads back");
        let hash = |plan| traced(plan, Tracing::default()).summary.facts.trace_hash;
        assert_eq!(hash(&plan), hash(&read), "{id}");
    }
}

/// What is recorded here holds on every machine and in every build: a difference means
/// that something outside the plan, or a dependency, has got into the run.
#[test]
fn runs_keep_their_hashes_in_every_build() {
    let mut hashes = BTreeMap::new();
    for id in folder("fast") {
        let seeds = if id == "fast/all-families" { 1..7 } else { 1..2 };
        for (seed, hash) in
            play_all(&scenario(id), seeds, |seed, outcome| (seed, outcome.summary.facts.trace_hash))
        {
            hashes.insert(format!("{id} {seed}"), hash);
        }
    }
    let hashes = serde_json::to_string_pretty(&hashes).expect("text is plain data") + "\n";
    if std::env::var_os("ONSALE_BLESS").is_some() {
        std::fs::write(GOLDEN, &hashes).expect("the golden file is writable");
    }
    let golden = std::fs::read_to_string(GOLDEN).expect("the golden file is there");
    assert_eq!(
        golden, hashes,
        "if runs were changed on purpose: ONSALE_BLESS=1 cargo test -p onsale-tests runs_keep_their_hashes"
    );
}
