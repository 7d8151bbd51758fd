//! A sweep in one value, and as JSON: many seeds of many scenarios.
//!
//! Owns the vocabulary of sweeps and the schema of `onsale check --json`. Computes nothing but
//! rates: what failed, what counts as the same failure and what had to be exercised come in with
//! the facts. Refuses to know how seeds are run or where results are kept.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::json::{self, seed::Seed};

/// The version of the JSON. Rises when a key changes its meaning or goes away.
pub const SCHEMA: u32 = 3;

/// How likely so few failures may be where the rate of failures is at its bound.
const DOUBT: f64 = 0.05;

/// What a sweep learned. One seed of one scenario is a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SweepFacts {
    /// The code that ran.
    pub code_version: String,
    /// How it was built.
    pub build_profile: String,
    /// The seeds that were asked for, as on the command line: `1..101`.
    pub seeds_asked: String,
    /// The part of them that was run: `hash:1/4`; none if all of them were.
    pub partition: Option<String>,
    /// Whether it ended before its end: by Ctrl-C, at the first failure, or because its
    /// results could not be written.
    pub stopped: Option<Stopped>,
    /// By scenario, in the order in which they were asked for.
    pub scenarios: Vec<ScenarioFacts>,
    /// Distinct failures, in the order in which they were found.
    pub failures: Vec<Failure>,
    /// Those that scenarios are bound to have, and say so.
    pub expected: Vec<Failure>,
    /// How many runs had a failure that was not expected.
    pub failed_runs: u64,
    /// How many runs were played twice to see that both were the same.
    pub verified: u64,
    /// Events simulated.
    pub events: u64,
    /// Virtual time of all runs in microseconds.
    pub virtual_us: u64,
    /// Rare paths of the code that were taken, by name.
    pub marks: BTreeMap<String, Counted>,
    /// Those that no run took.
    pub marks_never: Vec<String>,
    /// Faults that struck, by family and phase: `crash/replicating`.
    pub faults: BTreeMap<String, Counted>,
    /// Marks seen for the first time in the first thousand runs, in the second, and so on.
    pub new_marks: Vec<u64>,
    /// What the names of marks and phases mean, for people; not part of the JSON.
    pub meanings: BTreeMap<&'static str, &'static str>,
    /// What it took; none for results that were put together from files.
    pub wall: Option<Wall>,
}

/// What a sweep took on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wall {
    /// Wall time in seconds.
    pub seconds: f64,
    /// Runs made in it; those that were known before it was resumed do not count.
    pub runs: u64,
}

/// Why a sweep ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// Somebody ended it: it can be resumed.
    Interrupted,
    /// It was to end at the first failure.
    FirstFailure,
    /// A result could not be written, as on a full disk: it can be resumed.
    BrokenOff,
}

/// One scenario of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScenarioFacts {
    /// Its id.
    pub id: String,
    /// Its file, from the top of the repository; none if it is not there.
    pub file: Option<String>,
    /// How many seeds of it were run.
    pub runs: u64,
    /// The lowest and the highest of them; none if none were.
    pub seeds: Option<(u64, u64)>,
    /// How many of them had a failure that was not expected.
    pub failed_runs: u64,
    /// In how many of them no oracle had anything to check: they are no passes.
    pub unchecked_runs: u64,
    /// How many of them a cap stopped, which is neither a pass nor a failure.
    pub capped_runs: u64,
    /// The oracle that is bound to fail, and in how many of them it did; none if none is, or if too few
    /// seeds were asked for to tell.
    pub bound_to_fail: Option<(String, u64)>,
    /// Checks of each oracle over all seeds; none if no seed exercised it.
    pub checks: BTreeMap<String, Option<u64>>,
    /// Oracles that the scenario requires and that no seed exercised.
    pub oracles_missed: Vec<String>,
    /// Marks that the scenario requires and that no seed showed.
    pub marks_missed: Vec<String>,
    /// The failure that was bound to happen, in words, if it did not.
    pub failure_missed: Option<String>,
    /// Whether no oracle made a single check under any seed.
    pub unchecked: bool,
    /// Ranges of seeds in rising order, at most a hundred.
    pub buckets: Vec<Bucket>,
}

/// A range of a scenario's seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bucket {
    /// The lowest and the highest seed that belong to it, whether they were run or not.
    pub seeds: (u64, u64),
    /// How many of them were run.
    pub runs: u64,
    /// Wall time of their runs in seconds; none if some were not made just now.
    pub wall_s: Option<f64>,
    /// Which distinct failures.
    pub failures: Vec<InRange>,
}

/// A distinct failure in a range of seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InRange {
    /// Its place in [`SweepFacts::failures`].
    pub failure: usize,
    /// How often in the range, and for which seed first.
    pub seen: Seen,
    /// The first one of the range in a sentence.
    pub headline: String,
    /// Its story, a line an event.
    pub details: Vec<String>,
    /// The command line that plays it again.
    pub reproduce: String,
}

/// How often, and for which seed first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// In how many runs.
    pub count: u64,
    /// The first of their seeds.
    pub first_seed: u64,
}

/// Failures of one oracle in one scenario that are told in the same words but for their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The scenario's id.
    pub scenario: String,
    /// The oracle.
    pub oracle: String,
    /// How often.
    pub seen: Seen,
    /// The first one in a sentence.
    pub headline: String,
    /// The first one's story, a line an event.
    pub details: Vec<String>,
    /// The command line that plays the first one again.
    pub reproduce: String,
    /// How many distinct failures the sweep had found before it.
    pub found: usize,
    /// The file that holds the first one; none if it was not kept, or is kept elsewhere.
    pub capsule: Option<String>,
}

/// Something counted by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// How often, over all runs.
    pub count: u64,
    /// In how many runs.
    pub runs: u64,
}

impl SweepFacts {
    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        self.scenarios.iter().map(|scenario| scenario.runs).sum()
    }

    /// Without a failure: the rate of failures that is ruled out at 95 %, which is the bound of Clopper
    /// and Pearson: at this rate all runs pass once in twenty times. None if there was a failure or no pass.
    pub fn failure_rate_below(&self) -> Option<f64> {
        let passes = self.passes();
        (self.failed_runs == 0 && passes > 0)
            .then(|| -libm::expm1(libm::log(DOUBT) / passes as f64))
    }

    /// How many runs show something: those that failed, and those that came to their end with something checked.
    pub fn passes(&self) -> u64 {
        let none = |scenario: &ScenarioFacts| scenario.unchecked_runs + scenario.capped_runs;
        self.runs().saturating_sub(self.scenarios.iter().map(none).sum::<u64>())
    }

    /// What a scenario requires and none of its seeds had.
    pub fn missed(&self) -> impl Iterator<Item = (&ScenarioFacts, &str)> {
        self.scenarios
            .iter()
            .flat_map(|scenario| scenario.missed().map(move |name| (scenario, name)))
    }

    /// Scenarios of which no seed was any pass: no oracle had anything to check.
    pub fn unchecked(&self) -> impl Iterator<Item = &ScenarioFacts> {
        self.scenarios.iter().filter(|scenario| scenario.unchecked)
    }

    /// Oracles that no seed of a scenario exercised, required or not.
    pub fn never_exercised(&self) -> impl Iterator<Item = (&ScenarioFacts, &str)> {
        self.scenarios.iter().flat_map(|scenario| {
            let never = scenario.checks.iter().filter(|(_, checks)| checks.is_none());
            let unknown = |name: &&String| !scenario.checks.contains_key(*name);
            let missed = scenario.oracles_missed.iter().filter(unknown);
            never.map(|(name, _)| name).chain(missed).map(move |name| (scenario, &**name))
        })
    }

    /// The text of `--json`: indented, its keys in a fixed order, with a newline at its end.
    pub fn to_json(&self) -> String {
        json::pretty(&Document::new(self))
    }
}

impl ScenarioFacts {
    /// What it requires and none of its seeds had: oracles, marks, and the failure that it is bound to.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        let named = self.oracles_missed.iter().chain(&self.marks_missed);
        named.chain(&self.failure_missed).map(String::as_str)
    }
}

/// The keys of the JSON, in their order.
#[derive(Serialize)]
struct Document<'a> {
    schema: u32,
    code_version: &'a str,
    build_profile: &'a str,
    seeds_asked: &'a str,
    partition: Option<&'a str>,
    stopped: Option<Stopped>,
    seeds: u64,
    failed_seeds: u64,
    failure_rate_below: Option<f64>,
    verified: u64,
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
struct BoundDocument<'a> {
    oracle: &'a str,
    seeds: u64,
}

impl<'a> Document<'a> {
    fn new(facts: &'a SweepFacts) -> Self {
        let failure = |failure: &'a Failure| FailureDocument {
            oracle: &failure.oracle,
            scenario: &failure.scenario,
            count: failure.seen.count,
            first_seed: failure.seen.first_seed,
            headline: &failure.headline,
            details: &failure.details,
            reproduce: &failure.reproduce,
            capsule: failure.capsule.as_deref(),
        };
        let scenario = |scenario: &'a ScenarioFacts| ScenarioDocument {
            scenario: &scenario.id,
            seeds: scenario.runs,
            first_seed: scenario.seeds.map(|(first, _)| Seed(first)),
            last_seed: scenario.seeds.map(|(_, last)| Seed(last)),
            failed_seeds: scenario.failed_runs,
            unchecked_seeds: scenario.unchecked_runs,
            capped_seeds: scenario.capped_runs,
            bound_to_fail: scenario
                .bound_to_fail
                .as_ref()
                .map(|(oracle, seeds)| BoundDocument { oracle, seeds: *seeds }),
            checks: &scenario.checks,
        };
        Self {
            schema: SCHEMA,
            code_version: &facts.code_version,
            build_profile: &facts.build_profile,
            seeds_asked: &facts.seeds_asked,
            partition: facts.partition.as_deref(),
            stopped: facts.stopped,
            seeds: facts.runs(),
            failed_seeds: facts.failed_runs,
            failure_rate_below: facts.failure_rate_below(),
            verified: facts.verified,
            failures: facts.failures.iter().map(failure).collect(),
            expected_failures: facts.expected.iter().map(failure).collect(),
            failures_missed: facts
                .scenarios
                .iter()
                .filter(|scenario| scenario.failure_missed.is_some())
                .map(|scenario| &*scenario.id)
                .collect(),
            unchecked: facts.unchecked().map(|scenario| &*scenario.id).collect(),
            not_exercised: facts
                .never_exercised()
                .map(|(scenario, oracle)| NeverDocument {
                    scenario: &scenario.id,
                    oracle,
                    required: scenario.oracles_missed.iter().any(|missed| missed == oracle),
                })
                .collect(),
            marks_missed: facts
                .scenarios
                .iter()
                .flat_map(|scenario| {
                    let missed = scenario.marks_missed.iter();
                    missed.map(|mark| MissedDocument { scenario: &scenario.id, mark })
                })
                .collect(),
            scenarios: facts.scenarios.iter().map(scenario).collect(),
            marks: &facts.marks,
            marks_never: &facts.marks_never,
            faults: &facts.faults,
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

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Two scenarios, three failures of two kinds, one requirement missed.
    pub(crate) fn failed() -> SweepFacts {
        let seen = |count, first_seed| Seen { count, first_seed };
        let failure = |scenario: &str, oracle: &str, seen: Seen, headline: &str| Failure {
            scenario: scenario.to_owned(),
            oracle: oracle.to_owned(),
            seen,
            headline: headline.to_owned(),
            details: vec!["calm began at 01:15.000, with 1 µs to recover in".to_owned()],
            reproduce: format!("onsale replay {} --scenario {scenario}", seen.first_seed),
            found: 0,
            capsule: None,
        };
        let in_range = |failure: usize, seed: u64, headline: &str| InRange {
            failure,
            seen: seen(1, seed),
            headline: headline.to_owned(),
            details: vec![format!("calm of seed {seed} began at 01:15.000")],
            reproduce: format!("onsale replay {seed} --scenario fast/crash"),
        };
        let bucket = |seeds, runs, failures| Bucket { seeds, runs, wall_s: None, failures };
        SweepFacts {
            code_version: "0.1.0+0123456789ab".to_owned(),
            build_profile: "release".to_owned(),
            seeds_asked: "1..5".to_owned(),
            failures: vec![
                failure("fast/crash", "live", seen(2, 2), "r7 of u<3> & u4 never ended"),
                failure(
                    "fast/crash",
                    "hold",
                    seen(1, 3),
                    "show0 seat 5 was \"promised\": twice, 100%",
                ),
            ],
            failed_runs: 2,
            verified: 1,
            events: 1_234_567,
            virtual_us: 8 * 300_000_000,
            scenarios: vec![
                ScenarioFacts {
                    id: "fast/crash".to_owned(),
                    file: Some("scenarios/catalogue/fast/crash.toml".to_owned()),
                    runs: 4,
                    seeds: Some((1, 4)),
                    failed_runs: 2,
                    checks: [("hold".to_owned(), Some(40)), ("live".to_owned(), Some(8))].into(),
                    buckets: vec![
                        bucket((1, 2), 2, vec![in_range(0, 2, "r7 of u<3> & u4 never ended")]),
                        bucket(
                            (3, 4),
                            2,
                            vec![
                                in_range(0, 3, "r9 of u<5> & u8 never ended"),
                                in_range(1, 3, "show0 seat 5 was \"promised\": twice, 100%"),
                            ],
                        ),
                    ],
                    ..ScenarioFacts::default()
                },
                ScenarioFacts {
                    id: "fast/calm".to_owned(),
                    runs: 4,
                    seeds: Some((1, 4)),
                    failed_runs: 0,
                    checks: [("hold".to_owned(), Some(40)), ("live".to_owned(), None)].into(),
                    oracles_missed: vec!["live".to_owned()],
                    marks_missed: vec!["leader-deposed".to_owned()],
                    buckets: vec![bucket((1, 4), 4, Vec::new())],
                    ..ScenarioFacts::default()
                },
            ],
            marks: [("leader-deposed".to_owned(), Counted { count: 9, runs: 4 })].into(),
            marks_never: vec!["stood-still".to_owned()],
            faults: [
                ("crash/electing".to_owned(), Counted { count: 2, runs: 2 }),
                ("crash/serving".to_owned(), Counted { count: 1_200, runs: 4 }),
                ("slow-network/serving".to_owned(), Counted { count: 3, runs: 3 }),
            ]
            .into(),
            new_marks: vec![1],
            meanings: [
                ("electing", "no leader is known"),
                ("serving", "the leader serves and waits for nothing"),
                ("stood-still", "A node found that it had stood still."),
            ]
            .into(),
            ..SweepFacts::default()
        }
    }

    /// The same sweep, had nothing been wrong.
    pub(crate) fn passed() -> SweepFacts {
        let mut facts = SweepFacts { failures: Vec::new(), failed_runs: 0, ..failed() };
        for scenario in &mut facts.scenarios {
            scenario.failed_runs = 0;
            scenario.oracles_missed.clear();
            scenario.marks_missed.clear();
            scenario.buckets.iter_mut().for_each(|bucket| bucket.failures.clear());
        }
        facts
    }

    #[test]
    fn json_names_what_programs_look_for() {
        let json: serde_json::Value = serde_json::from_str(&failed().to_json()).unwrap();
        assert_eq!((&json["seeds"], &json["failed_seeds"]), (&8.into(), &2.into()));
        assert_eq!(json["failures"][0]["oracle"], "live");
        assert_eq!(json["failures"][0]["first_seed"], "2");
        assert_eq!(json["failure_rate_below"], serde_json::Value::Null);
        assert_eq!(json["virtual_s"], 2_400.0);
        assert_eq!(json["marks"]["leader-deposed"]["runs"], 4);
        let never = serde_json::json!([
            { "scenario": "fast/calm", "oracle": "live", "required": true }
        ]);
        assert_eq!(json["not_exercised"], never);
        assert_eq!(json["marks_missed"][0]["mark"], "leader-deposed");
        assert_eq!(json["faults"]["crash/serving"]["count"], 1_200);

        let json: serde_json::Value = serde_json::from_str(&passed().to_json()).unwrap();
        let rate = json["failure_rate_below"].as_f64().unwrap();
        assert!((rate - 0.312_344).abs() < 1e-6, "{rate}");
        assert_eq!(json["not_exercised"][0]["required"], false);
    }

    #[test]
    fn the_failure_rate_is_below_the_bound_of_clopper_and_pearson() {
        // One less the n-th root of a twentieth; 59, 299 and 2,995 runs rule out one in 20, 100 and 1,000.
        let table = [
            (1, 0.95),
            (2, 0.776_393_202),
            (3, 0.631_596_850),
            (10, 0.258_865_572),
            (58, 0.050_339_338),
            (59, 0.049_507_610),
            (299, 0.009_969_147),
            (2_995, 0.000_999_744),
            (1_000_000, 2.995_728e-6),
        ];
        let mut before = 1.0;
        for (runs, bound) in table {
            let mut facts = passed();
            facts.scenarios.truncate(1);
            facts.scenarios[0].runs = runs;
            let rate = facts.failure_rate_below().unwrap();
            assert!((rate / bound - 1.0).abs() < 1e-6, "{rate} after {runs} runs, not {bound}");
            assert!(rate < before, "{runs} runs say more than fewer do");
            before = rate;
        }
    }
}
