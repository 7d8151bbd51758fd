//! A sweep, in one value and as JSON: many seeds of many scenarios.
//!
//! Owns the vocabulary of sweeps. Computes nothing but rates: failures, their identity and missed expectations
//! come in with the facts. Refuses to know how seeds are run or where results are kept.

mod document;
pub mod pairs;

use std::collections::BTreeMap;

use serde::Serialize;

use self::document::Document;
use self::pairs::Pairs;
use crate::{human, json};

/// The version of the JSON. Rises when the meaning of a key changes or a key is removed.
pub const SCHEMA: u32 = 3;

/// Probability of no failure at the bound of the failure rate.
const DOUBT: f64 = 0.05;

/// The totals of a sweep. One seed of one scenario is a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SweepFacts {
    /// The version of the code.
    pub code_version: String,
    /// The build profile.
    pub build_profile: String,
    /// The requested seeds, as on the command line: `1..101`.
    pub seeds_asked: String,
    /// The slice played: `hash:1/4`; `None` for the whole sweep.
    pub slice: Option<String>,
    /// The reason of an early end: Ctrl-C, the first failure, or results that could not be written.
    pub stopped: Option<Stopped>,
    /// The scenarios, in the order of the command line.
    pub scenarios: Vec<ScenarioFacts>,
    /// Distinct failures, in the order in which they were found.
    pub failures: Vec<Failure>,
    /// Expected failures of scenarios.
    pub expected: Vec<Failure>,
    /// Number of runs with an unexpected failure.
    pub failed_runs: u64,
    /// Number of runs that were played twice and compared.
    pub verified: u64,
    /// Number of runs whose plan was made from an earlier one.
    pub near: u64,
    /// Events simulated.
    pub events: u64,
    /// Virtual time of all runs in microseconds.
    pub virtual_us: u64,
    /// Rare paths that were taken, by mark.
    pub marks: BTreeMap<String, Counted>,
    /// Marks that no run had.
    pub marks_never: Vec<String>,
    /// Faults that struck, by family and phase: `crash/replicating`.
    pub faults: BTreeMap<String, Counted>,
    /// The pairs of a fault in its phase and a rare path that were reached.
    pub pairs: Pairs,
    /// Moments that faults waited for, by whether they came: `voting/came`, `voting/never`.
    pub moments: BTreeMap<String, Counted>,
    /// New marks in each thousand runs.
    pub new_marks: Vec<u64>,
    /// The meaning of marks and phases; not part of the JSON.
    pub meanings: BTreeMap<&'static str, &'static str>,
    /// The cost on this machine; `None` for merged results.
    pub wall: Option<Wall>,
}

/// Numbers of runs, and of those with an unexpected failure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// Number of runs.
    #[serde(rename = "played")]
    pub all: u64,
    /// Number of failed runs.
    pub failed: u64,
}

impl Runs {
    fn of<'a>(scenarios: impl Iterator<Item = &'a ScenarioFacts>) -> Self {
        scenarios.fold(Self::default(), |runs, scenario| Self {
            all: runs.all + scenario.runs,
            failed: runs.failed + scenario.failed_runs,
        })
    }
}

/// The cost of a sweep on this machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wall {
    /// Wall time in seconds.
    pub seconds: f64,
    /// Runs made in that time, without those read back on a resume.
    pub runs: u64,
}

/// The reason why a sweep ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stopped {
    /// It was interrupted and can be resumed.
    Interrupted,
    /// It was told to end at the first failure.
    FirstFailure,
    /// A result could not be written, as on a full disk; it can be resumed.
    BrokenOff,
}

/// One scenario of a sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScenarioFacts {
    /// Its id.
    pub id: String,
    /// Whether it is a regression: a scenario that once failed, played once under the seed that showed it.
    pub is_regression: bool,
    /// Its file, relative to the top of the repository; `None` if it is not there.
    pub file: Option<String>,
    /// Number of seeds that were run.
    pub runs: u64,
    /// The lowest and the highest of these seeds; `None` if there were none.
    pub seeds: Option<(u64, u64)>,
    /// Number of seeds with an unexpected failure.
    pub failed_runs: u64,
    /// Number of seeds in which no oracle had anything to check: they are no passes.
    pub unchecked_runs: u64,
    /// Number of seeds aborted by a cap, which are neither passes nor failures.
    pub capped_runs: u64,
    /// The expected failure, and the number of seeds that had it; `None` without one, or with too few seeds to
    /// tell.
    pub bound_to_fail: Option<(String, u64)>,
    /// Checks of each oracle over all seeds; `None` if no seed exercised it.
    pub checks: BTreeMap<String, Option<u64>>,
    /// Required oracles that no seed exercised.
    pub oracles_missed: Vec<String>,
    /// Required marks that no seed had.
    pub marks_missed: Vec<String>,
    /// The expected failure that did not happen, in words.
    pub failure_missed: Option<String>,
    /// Whether no oracle made a single check under any seed.
    pub unchecked: bool,
    /// Ranges of seeds in rising order, at most a hundred.
    pub buckets: Vec<Bucket>,
}

/// A range of a scenario's seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bucket {
    /// The lowest and the highest seed of the range, whether they were run or not.
    pub seeds: (u64, u64),
    /// Number of seeds that were run.
    pub runs: u64,
    /// Wall time of their runs in seconds; `None` if some were read back.
    pub wall_s: Option<f64>,
    /// The distinct failures in it.
    pub failures: Vec<InRange>,
}

/// A distinct failure in a range of seeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InRange {
    /// Its index in [`SweepFacts::failures`].
    pub failure: usize,
    /// Number of runs in the range, and the first seed.
    pub seen: Seen,
    /// The headline of the first one in the range.
    pub headline: String,
    /// Its story, one event a line.
    pub details: Vec<String>,
    /// The command that plays it again.
    pub reproduce: String,
}

/// Number of runs, and the first seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Number of runs.
    pub count: u64,
    /// The first of their seeds.
    pub first_seed: u64,
}

/// Failures of one oracle in one scenario with the same words, numbers apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The scenario's id.
    pub scenario: String,
    /// The oracle.
    pub oracle: String,
    /// Number of runs, and the first seed.
    pub seen: Seen,
    /// The headline of the first one.
    pub headline: String,
    /// The story of the first one, one event a line.
    pub details: Vec<String>,
    /// The command that plays the first one again.
    pub reproduce: String,
    /// Number of distinct failures found before it.
    pub found: usize,
    /// The capsule of the first one; `None` if it was not kept, or is kept elsewhere.
    pub capsule: Option<String>,
}

/// A count by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// The sum over all runs.
    pub count: u64,
    /// Number of runs that had it.
    pub runs: u64,
}

impl SweepFacts {
    /// Number of runs, regressions included.
    pub fn runs(&self) -> u64 {
        self.scenarios.iter().map(|scenario| scenario.runs).sum()
    }

    /// The scenarios played under every seed.
    pub fn swept(&self) -> impl Iterator<Item = &ScenarioFacts> {
        self.scenarios.iter().filter(|scenario| !scenario.is_regression)
    }

    /// Runs of the scenarios played under every seed.
    pub fn seeds(&self) -> Runs {
        Runs::of(self.swept())
    }

    /// Runs of the regressions.
    pub fn regressions(&self) -> Runs {
        Runs::of(self.scenarios.iter().filter(|scenario| scenario.is_regression))
    }

    /// Runs of a scenario, also as a regression.
    pub fn runs_of(&self, id: &str) -> u64 {
        let all = self.scenarios.iter().filter(|scenario| scenario.id == id);
        all.map(|scenario| scenario.runs).sum()
    }

    /// The failures, counted: `2 of 8 seeds and 1 of 6 regressions`.
    pub fn failed_of(&self) -> String {
        let (seeds, regressions) = (self.seeds(), self.regressions());
        let of = |runs: Runs, noun| {
            format!("{} of {}", human::count(runs.failed), human::counted(runs.all, noun))
        };
        match (seeds.failed, regressions.failed) {
            (_, 0) => of(seeds, "seed"),
            (0, _) => of(regressions, "regression"),
            (_, _) => format!("{} and {}", of(seeds, "seed"), of(regressions, "regression")),
        }
    }

    /// The upper bound of the failure rate at 95 %, without a failure: the bound of Clopper and Pearson, at
    /// which all runs pass once in twenty times. `None` if there was a failure or no pass.
    pub fn failure_rate_below(&self) -> Option<f64> {
        let passes = self.passes();
        (self.failed_runs == 0 && passes > 0)
            .then(|| -libm::expm1(libm::log(DOUBT) / passes as f64))
    }

    /// Number of informative seeds: those that failed, and those that ended with something checked. Regressions
    /// are no sample and do not count.
    pub fn passes(&self) -> u64 {
        let none = |scenario: &ScenarioFacts| scenario.unchecked_runs + scenario.capped_runs;
        self.seeds().all.saturating_sub(self.swept().map(none).sum::<u64>())
    }

    /// Expectations of a scenario that none of its seeds met.
    pub fn missed(&self) -> impl Iterator<Item = (&ScenarioFacts, &str)> {
        self.scenarios
            .iter()
            .flat_map(|scenario| scenario.missed().map(move |name| (scenario, name)))
    }

    /// Scenarios without a pass: no oracle had anything to check under any seed.
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
    /// Expectations that none of its seeds met: oracles, marks, and the expected failure.
    pub fn missed(&self) -> impl Iterator<Item = &str> {
        let named = self.oracles_missed.iter().chain(&self.marks_missed);
        named.chain(&self.failure_missed).map(String::as_str)
    }
}

#[cfg(test)]
pub(crate) mod tests;
