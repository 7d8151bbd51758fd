//! A sweep in one value, and as JSON: many seeds of many scenarios.
//!
//! Owns the vocabulary of sweeps. Computes nothing but rates: what failed, what counts as the same failure and what had to be exercised come in with
//! the facts. Refuses to know how seeds are run or where results are kept.

mod document;

use std::collections::BTreeMap;

use serde::Serialize;

use self::document::Document;
use crate::{human, json};

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
    /// The slice that was run: `hash:1/4`; `None` for the whole sweep.
    pub slice: Option<String>,
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

/// How many runs there were, and how many of them failed otherwise than they must.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Runs {
    /// Number of runs.
    #[serde(rename = "played")]
    pub all: u64,
    /// Number of those that failed.
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
    /// Whether it is a regression: a scenario that once failed, played once under the seed that showed it.
    pub is_regression: bool,
    /// Its file, from the top of the repository; `None` if it is not there.
    pub file: Option<String>,
    /// How many seeds of it were run.
    pub runs: u64,
    /// The lowest and the highest of them; `None` if there were none.
    pub seeds: Option<(u64, u64)>,
    /// How many of them had a failure that was not expected.
    pub failed_runs: u64,
    /// In how many of them no oracle had anything to check: they are no passes.
    pub unchecked_runs: u64,
    /// How many of them a cap stopped, which is neither a pass nor a failure.
    pub capped_runs: u64,
    /// The oracle that is bound to fail, and in how many of them it did; `None` if there is none, or if too few
    /// seeds were asked for to tell.
    pub bound_to_fail: Option<(String, u64)>,
    /// Checks of each oracle over all seeds; `None` if no seed exercised it.
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
    /// Wall time of their runs in seconds; `None` if some were not made just now.
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
    /// The file that holds the first one; `None` if it was not kept, or is kept elsewhere.
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
    /// Number of runs, regressions included.
    pub fn runs(&self) -> u64 {
        self.scenarios.iter().map(|scenario| scenario.runs).sum()
    }

    /// What is run under every seed.
    pub fn swept(&self) -> impl Iterator<Item = &ScenarioFacts> {
        self.scenarios.iter().filter(|scenario| !scenario.is_regression)
    }

    /// Runs of what is run under every seed.
    pub fn seeds(&self) -> Runs {
        Runs::of(self.swept())
    }

    /// Runs of the regressions.
    pub fn regressions(&self) -> Runs {
        Runs::of(self.scenarios.iter().filter(|scenario| scenario.is_regression))
    }

    /// Runs of a scenario, as a regression too.
    pub fn runs_of(&self, id: &str) -> u64 {
        let all = self.scenarios.iter().filter(|scenario| scenario.id == id);
        all.map(|scenario| scenario.runs).sum()
    }

    /// What failed, counted: `2 of 8 seeds and 1 of 6 regressions`.
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

    /// Without a failure: the rate of failures that is ruled out at 95 %, which is the bound of Clopper
    /// and Pearson: at this rate all runs pass once in twenty times. None if there was a failure or no pass.
    pub fn failure_rate_below(&self) -> Option<f64> {
        let passes = self.passes();
        (self.failed_runs == 0 && passes > 0)
            .then(|| -libm::expm1(libm::log(DOUBT) / passes as f64))
    }

    /// Number of seeds that show something: those that failed, and those that came to their end with something
    /// checked. Regressions are no sample of anything, so they do not count.
    pub fn passes(&self) -> u64 {
        let none = |scenario: &ScenarioFacts| scenario.unchecked_runs + scenario.capped_runs;
        self.seeds().all.saturating_sub(self.swept().map(none).sum::<u64>())
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

#[cfg(test)]
pub(crate) mod tests;
