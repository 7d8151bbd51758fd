//! Generated scenarios: any valid scenario passes.
//!
//! The catalogue uses realistic values. `onsale check --settings` plays scenarios drawn from every setting's
//! whole range; these tests play the first of them, and check the command's output.

use std::ops::Range;

use onsale::settings::drawn;
use onsale_reports::Oracle;
use onsale_scenarios::Scenario;
use onsale_sim::plan::Plan;
use onsale_sim::run::run_within;
use onsale_tests::complaint;
use onsale_world::Tracing;
use onsale_world::limits::Limits;

use crate::desk::Desk;

/// Limit on the events of a run.
const CAP: Limits = Limits { events_max: 1_000_000, bytes_max: 256 << 20 };

#[test]
fn any_sound_scenario_passes() {
    breaks_nothing(0..15);
}

#[test]
#[ignore = "long: a quarter of a minute of computing"]
fn any_sound_scenario_passes_under_more_seeds() {
    breaks_nothing(15..120);
}

/// Plays the scenarios of these seeds.
fn breaks_nothing(seeds: Range<u64>) {
    let (mut whole, mut judged) = (0, 0);
    let count = seeds.end - seeds.start;
    for seed in seeds {
        let scenario: Scenario = drawn(seed);
        let plan = Plan::new(&scenario, seed);
        let mut outcome = run_within(&plan, &std::sync::Arc::default(), Tracing::default(), CAP);
        whole += u64::from(outcome.limit.is_none());
        // A run aborted by the cap is no failure here.
        outcome.summary.facts.oracles.retain(|oracle| oracle.name != Oracle::Budget.name());
        assert_eq!(complaint(&outcome), None, "{}", scenario.to_brief_toml());
        judged += outcome.summary.facts.oracles.iter().map(|oracle| oracle.checked).sum::<u64>();
    }
    assert!(
        whole > count / 2 && judged > 150 * count,
        "{whole} came to their end, {judged} things were looked at"
    );
}

#[test]
fn a_seed_of_the_settings_is_played_again_by_its_line_and_its_capsule() {
    let desk = Desk::new("settings");
    let sweep = ["check", "--settings", "--seeds", "1..9", "--max-events", "100000", "--json"];
    let said = desk.onsale(&sweep, 0).json();
    assert_eq!(said["scenarios"][0]["scenario"], "settings");
    assert_eq!((&said["seeds"], &said["failed_seeds"]), (&8.into(), &0.into()));
    let results = desk.read("onsale-out/check/results.jsonl");
    for line in results.lines().skip(1) {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let seed = line["seed"].as_str().unwrap();
        let run = ["run", "settings", "--seed", seed, "--max-events", "100000", "--json"];
        let output = desk.command(&run).output().unwrap();
        let run: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(run["trace_hash"], line["trace"], "seed {seed}");
    }
    let again = ["replay", "3", "--scenario", "settings", "--max-events", "100000", "--no-out"];
    let output = desk.command(&[&again[..], &["--json"]].concat()).output().unwrap();
    let again: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let third = results.lines().nth(3).unwrap();
    assert!(third.contains(again["trace_hash"].as_str().unwrap()), "{third}");
}
