//! The JSON of a sweep: its keys, in their order.
//!
//! Owns the schema of `onsale check --json`. Refuses to compute: its content comes from the facts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::pairs::Share;
use super::{Counted, Failure, Runs, SCHEMA, ScenarioFacts, Stopped, SweepFacts};
use crate::json::{self, seed::Seed};

/// The keys of the JSON, in their order.
#[derive(Serialize)]
pub(super) struct Document<'a> {
    schema: u32,
    code_version: &'a str,
    build_profile: &'a str,
    seeds_asked: &'a str,
    partition: Option<&'a str>,
    stopped: Option<Stopped>,
    seeds: u64,
    failed_seeds: u64,
    regressions: Runs,
    failure_rate_below: Option<f64>,
    verified: u64,
    near: u64,
    failures: Vec<FailureDocument<'a>>,
    expected_failures: Vec<FailureDocument<'a>>,
    failures_missed: Vec<&'a str>,
    unchecked: Vec<&'a str>,
    not_exercised: Vec<NeverDocument<'a>>,
    marks_missed: Vec<MissedDocument<'a>>,
    scenarios: Vec<ScenarioDocument<'a>>,
    marks: &'a BTreeMap<String, Counted>,
    marks_never: &'a [String],
    faults: &'a BTreeMap<String, Counted>,
    pairs: PairsDocument,
    moments: &'a BTreeMap<String, Counted>,
    new_marks_per_thousand_seeds: &'a [u64],
    events: u64,
    virtual_s: f64,
    wall_s: Option<f64>,
    seeds_per_s: Option<f64>,
}

#[derive(Serialize)]
struct FailureDocument<'a> {
    oracle: &'a str,
    scenario: &'a str,
    count: u64,
    #[serde(with = "json::seed")]
    first_seed: u64,
    headline: &'a str,
    details: &'a [String],
    reproduce: &'a str,
    capsule: Option<&'a str>,
}

#[derive(Serialize)]
struct NeverDocument<'a> {
    scenario: &'a str,
    oracle: &'a str,
    required: bool,
}

#[derive(Serialize)]
struct MissedDocument<'a> {
    scenario: &'a str,
    mark: &'a str,
}

#[derive(Serialize)]
struct ScenarioDocument<'a> {
    scenario: &'a str,
    regression: bool,
    seeds: u64,
    first_seed: Option<Seed>,
    last_seed: Option<Seed>,
    failed_seeds: u64,
    unchecked_seeds: u64,
    capped_seeds: u64,
    bound_to_fail: Option<BoundDocument<'a>>,
    checks: &'a BTreeMap<String, Option<u64>>,
}

#[derive(Serialize)]
struct PairsDocument {
    reached: u64,
    in_one_run: u64,
    unreached: Option<Share>,
}

#[derive(Serialize)]
struct BoundDocument<'a> {
    oracle: &'a str,
    seeds: u64,
}

impl<'a> Document<'a> {
    pub(super) fn new(facts: &'a SweepFacts) -> Self {
        Self {
            schema: SCHEMA,
            code_version: &facts.code_version,
            build_profile: &facts.build_profile,
            seeds_asked: &facts.seeds_asked,
            partition: facts.slice.as_deref(),
            stopped: facts.stopped,
            seeds: facts.seeds().all,
            failed_seeds: facts.seeds().failed,
            regressions: facts.regressions(),
            failure_rate_below: facts.failure_rate_below(),
            verified: facts.verified,
            near: facts.near,
            failures: facts.failures.iter().map(FailureDocument::new).collect(),
            expected_failures: facts.expected.iter().map(FailureDocument::new).collect(),
            failures_missed: failures_missed(facts).collect(),
            unchecked: facts.unchecked().map(|scenario| &*scenario.id).collect(),
            not_exercised: not_exercised(facts).collect(),
            marks_missed: marks_missed(facts).collect(),
            scenarios: facts.scenarios.iter().map(ScenarioDocument::new).collect(),
            marks: &facts.marks,
            marks_never: &facts.marks_never,
            faults: &facts.faults,
            pairs: PairsDocument {
                reached: facts.pairs.distinct,
                in_one_run: facts.pairs.in_one_run,
                unreached: facts.pairs.unreached(),
            },
            moments: &facts.moments,
            new_marks_per_thousand_seeds: &facts.new_marks,
            events: facts.events,
            virtual_s: facts.virtual_us as f64 / 1e6,
            wall_s: facts.wall.map(|wall| wall.seconds),
            seeds_per_s: facts
                .wall
                .filter(|wall| wall.seconds > 0.0)
                .map(|wall| wall.runs as f64 / wall.seconds),
        }
    }
}

impl<'a> FailureDocument<'a> {
    fn new(failure: &'a Failure) -> Self {
        Self {
            oracle: &failure.oracle,
            scenario: &failure.scenario,
            count: failure.seen.count,
            first_seed: failure.seen.first_seed,
            headline: &failure.headline,
            details: &failure.details,
            reproduce: &failure.reproduce,
            capsule: failure.capsule.as_deref(),
        }
    }
}

impl<'a> ScenarioDocument<'a> {
    fn new(scenario: &'a ScenarioFacts) -> Self {
        let bound = scenario.bound_to_fail.as_ref();
        Self {
            scenario: &scenario.id,
            regression: scenario.is_regression,
            seeds: scenario.runs,
            first_seed: scenario.seeds.map(|(first, _)| Seed(first)),
            last_seed: scenario.seeds.map(|(_, last)| Seed(last)),
            failed_seeds: scenario.failed_runs,
            unchecked_seeds: scenario.unchecked_runs,
            capped_seeds: scenario.capped_runs,
            bound_to_fail: bound.map(|(oracle, seeds)| BoundDocument { oracle, seeds: *seeds }),
            checks: &scenario.checks,
        }
    }
}

fn failures_missed(facts: &SweepFacts) -> impl Iterator<Item = &str> {
    let missed = facts.scenarios.iter().filter(|scenario| scenario.failure_missed.is_some());
    missed.map(|scenario| &*scenario.id)
}

fn not_exercised(facts: &SweepFacts) -> impl Iterator<Item = NeverDocument<'_>> {
    facts.never_exercised().map(|(scenario, oracle)| NeverDocument {
        scenario: &scenario.id,
        oracle,
        required: scenario.oracles_missed.iter().any(|missed| missed == oracle),
    })
}

fn marks_missed(facts: &SweepFacts) -> impl Iterator<Item = MissedDocument<'_>> {
    facts.scenarios.iter().flat_map(|scenario| {
        let missed = scenario.marks_missed.iter();
        missed.map(|mark| MissedDocument { scenario: &scenario.id, mark })
    })
}
