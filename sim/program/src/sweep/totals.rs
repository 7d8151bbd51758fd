//! The totals of a sweep's results.
//!
//! Owns the fold over results in the order of their runs: which failures are the same, what no run exercised,
//! how soon no new marks appear. The same results in the same order give the same totals, whether they are new,
//! read back, or merged from slices. Its memory grows with the number of distinct things, not of runs. Refuses
//! to know where results come from.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use onsale_cluster::{Mark, Phase};
use onsale_reports::Oracle;
use onsale_reports::sweep::pairs::Pairs;
use onsale_reports::sweep::{
    Bucket, Counted, Failure, InRange, ScenarioFacts, Seen, Stopped, SweepFacts,
};
use onsale_sim::run::reproduce::{ALLOW_OUTSIDE, replay_line, seed_of};

use crate::files;

use super::play::{DETERMINISM, Failed, SeedResult};
use super::{Header, Named};
use crate::exit::Exit;
use crate::signature::kind;

/// Most ranges into which a scenario's seeds are divided.
const BUCKETS_MAX: u64 = 100;
/// Number of runs in each interval for which new marks are counted.
const THOUSAND: u64 = 1_000;

/// The totals of a sweep so far.
#[derive(Clone, Debug)]
pub struct Totals {
    facts: SweepFacts,
    header: Header,
    /// The marks seen, by scenario.
    marks: Vec<BTreeSet<String>>,
    /// The index of a failure by scenario, oracle and signature, among the expected ones or the others.
    known: BTreeMap<(usize, String, String), usize>,
    ranges: Vec<Ranges>,
    /// By pair of a fault in its phase and a rare path, the number of runs that reached it.
    pairs: BTreeMap<String, u64>,
    /// Whether oracles that no run exercised are reported: a single slice cannot tell.
    whole: bool,
    /// Whether every seed has a range of its own.
    by_seed: bool,
    /// The directory of capsules.
    dir: PathBuf,
}

/// Ranges of a scenario's seeds, wide enough to be few.
#[derive(Clone, Debug)]
struct Ranges {
    /// Their width, a power of two.
    width: u64,
    buckets: Vec<RangeTotals>,
}

#[derive(Clone, Debug, Default)]
struct RangeTotals {
    runs: u64,
    /// Wall time in seconds; `None` if a run was read back.
    wall_s: Option<f64>,
    failures: BTreeMap<usize, InRange>,
}

impl Totals {
    /// The totals of no results.
    pub fn new(header: &Header) -> Self {
        let scenarios = header.scenarios.iter();
        let slice = (!header.slice.is_whole()).then(|| header.slice.to_string());
        Self {
            header: header.clone(),
            marks: vec![BTreeSet::new(); header.scenarios.len()],
            known: BTreeMap::new(),
            pairs: BTreeMap::new(),
            ranges: scenarios.clone().map(|_| Ranges { width: 1, buckets: Vec::new() }).collect(),
            whole: header.slice.is_whole(),
            by_seed: false,
            dir: PathBuf::new(),
            facts: SweepFacts {
                meanings: meanings(),
                code_version: header.code_version.clone(),
                build_profile: header.build_profile.clone(),
                seeds_asked: header.seeds.to_string(),
                slice,
                scenarios: (0..)
                    .zip(scenarios)
                    .map(|(place, scenario)| ScenarioFacts {
                        id: scenario.id.clone(),
                        is_regression: header.replayed(place).is_some(),
                        bound_to_fail: header.bound_to_fail(place).map(|name| (name.to_owned(), 0)),
                        ..ScenarioFacts::default()
                    })
                    .collect(),
                ..SweepFacts::default()
            },
        }
    }

    /// The same with one range for each seed, whatever their number.
    #[must_use]
    pub fn by_seed(self) -> Self {
        Self { by_seed: true, ..self }
    }

    /// The same with its capsules in a directory.
    #[must_use]
    pub fn in_dir(self, dir: &Path) -> Self {
        Self { dir: dir.to_owned(), ..self }
    }

    /// Number of runs.
    pub fn runs(&self) -> u64 {
        self.facts.runs()
    }

    /// Number of runs with an unexpected failure.
    pub const fn failed_runs(&self) -> u64 {
        self.facts.failed_runs
    }

    /// Distinct failures.
    pub fn distinct(&self) -> usize {
        self.facts.failures.len() + self.facts.expected.len()
    }

    /// Adds the next result, which was read back.
    ///
    /// # Panics
    /// If its scenario is not part of the sweep.
    pub fn add(&mut self, result: &SeedResult) {
        self.take(result, None);
    }

    /// Adds the next result, which was just made in `wall_s` seconds.
    ///
    /// # Panics
    /// As [`add`](Self::add).
    pub fn add_made(&mut self, result: &SeedResult, wall_s: f64) {
        self.take(result, Some(wall_s));
    }

    fn take(&mut self, result: &SeedResult, wall_s: Option<f64>) {
        let place = self.place_of(result);
        self.count(place, result);
        let ranges_max = if self.by_seed { u64::MAX } else { BUCKETS_MAX };
        let range = self.ranges[place].of(result.seed - self.header.first_seed(place), ranges_max);
        let totals = &mut self.ranges[place].buckets[range];
        totals.wall_s = if totals.runs == 0 { wall_s } else { both(totals.wall_s, wall_s) };
        totals.runs += 1;
        for failed in &result.failures {
            if !self.header.counts(&failed.oracle) {
                continue;
            }
            let is_expected = self.header.bound_to_fail(place) == Some(&*failed.oracle);
            let failure = self.failure(place, result, failed, is_expected);
            if is_expected {
                continue;
            }
            let known = self.ranges[place].buckets[range].failures.entry(failure);
            let own = known.or_insert_with(|| InRange {
                failure,
                seen: Seen { count: 0, first_seed: result.seed },
                headline: failed.headline.clone(),
                details: failed.details.clone(),
                reproduce: reproduce(&self.header.scenarios[place], &self.dir, result),
            });
            own.seen.count += 1;
        }
    }

    /// The index of a result's scenario. A regression that is also swept occurs twice.
    fn place_of(&self, result: &SeedResult) -> usize {
        let is_it = |&place: &usize| {
            let is_run = self.header.replayed(place).is_none_or(|seed| seed == result.seed);
            self.header.scenarios[place].id == result.scenario && is_run
        };
        let place = (0..self.header.scenarios.len()).find(is_it);
        place.expect("a result is of one of the sweep's scenarios")
    }

    fn count(&mut self, place: usize, result: &SeedResult) {
        let thousand = (self.facts.runs() / THOUSAND) as usize;
        let facts = &mut self.facts;
        facts.new_marks.resize(thousand + 1, 0);
        facts.new_marks[thousand] += add(&mut facts.marks, &result.marks);
        add(&mut facts.faults, &result.faults);
        add(&mut facts.moments, &result.moments);
        let seen = &mut self.marks[place];
        for mark in result.marks.keys() {
            if !seen.contains(mark) {
                seen.insert(mark.clone());
            }
        }
        result.pairs().for_each(|pair| *self.pairs.entry(pair).or_default() += 1);
        facts.events += result.events;
        facts.virtual_us += result.virtual_us;
        facts.verified += u64::from(result.verified);
        facts.near += u64::from(result.near);

        let failed = u64::from(self.header.is_failed(place, result));
        let is_capped = self.header.settings && result.limit.is_some();
        let is_vacuous = result.checks.values().all(|checks| checks.unwrap_or(0) == 0);
        facts.failed_runs += failed;
        let scenario = &mut facts.scenarios[place];
        if let Some((oracle, runs)) = &mut scenario.bound_to_fail {
            *runs += u64::from(result.failures.iter().any(|failed| failed.oracle == *oracle));
        }
        scenario.runs += 1;
        scenario.capped_runs += u64::from(is_capped);
        scenario.unchecked_runs += u64::from(is_vacuous);
        scenario.failed_runs += failed;
        let (first, last) = scenario.seeds.unwrap_or((result.seed, result.seed));
        scenario.seeds = Some((first.min(result.seed), last.max(result.seed)));
        for (oracle, &checks) in &result.checks {
            let total = scenario.checks.entry(oracle.clone()).or_default();
            *total = checks.map(|checks| total.unwrap_or(0) + checks).or(*total);
        }
    }

    /// The index of a failure, new or known, among the expected ones or the others.
    fn failure(
        &mut self,
        place: usize,
        result: &SeedResult,
        failed: &Failed,
        is_expected: bool,
    ) -> usize {
        let found = self.distinct();
        let facts = &mut self.facts;
        let failures = if is_expected { &mut facts.expected } else { &mut facts.failures };
        let key = (place, failed.oracle.clone(), kind(&failed.headline));
        match self.known.entry(key) {
            Entry::Occupied(known) => {
                failures[*known.get()].seen.count += 1;
                *known.get()
            }
            Entry::Vacant(new) => {
                failures.push(Failure {
                    scenario: result.scenario.clone(),
                    oracle: failed.oracle.clone(),
                    seen: Seen { count: 1, first_seed: result.seed },
                    headline: failed.headline.clone(),
                    details: failed.details.clone(),
                    reproduce: reproduce(&self.header.scenarios[place], &self.dir, result),
                    found,
                    capsule: None,
                });
                *new.insert(failures.len() - 1)
            }
        }
    }

    /// The facts so far.
    pub fn facts(&self, stopped: Option<Stopped>) -> SweepFacts {
        let mut facts = self.facts.clone();
        facts.stopped = stopped;
        facts.pairs = Pairs::of(self.pairs.values().copied());
        let unseen = Mark::ALL.iter().map(|mark| mark.name());
        let unseen = unseen.filter(|&mark| !facts.marks.contains_key(mark));
        facts.marks_never = unseen.map(str::to_owned).collect();
        for (place, scenario) in facts.scenarios.iter_mut().enumerate() {
            scenario.buckets = self.ranges[place].facts(self.header.first_seed(place));
            // A slice, or an interrupted sweep, may have missed what the others see.
            if self.whole && stopped.is_none() && scenario.runs > 0 {
                scenario.unchecked =
                    scenario.checks.values().all(|checks| checks.unwrap_or(0) == 0);
                let (named, marks) = (&self.header.scenarios[place], &self.marks[place]);
                let exercised =
                    |name: &String| scenario.checks.get(name).is_some_and(Option::is_some);
                let bound = scenario.bound_to_fail.as_ref().filter(|(_, runs)| *runs == 0);
                scenario.failure_missed = bound.map(|(oracle, _)| format!("a failure of {oracle}"));
                scenario.oracles_missed =
                    named.oracles.iter().filter(|name| !exercised(name)).cloned().collect();
                scenario.marks_missed =
                    named.marks.iter().filter(|name| !marks.contains(*name)).cloned().collect();
            }
        }
        facts
    }
}

impl Ranges {
    /// The index of the range of a seed at this distance from the first.
    fn of(&mut self, offset: u64, ranges_max: u64) -> usize {
        while offset / self.width >= ranges_max {
            self.width *= 2;
            let halves = std::mem::take(&mut self.buckets);
            let mut halves = halves.into_iter();
            while let Some(mut range) = halves.next() {
                range.absorb(halves.next().unwrap_or_default());
                self.buckets.push(range);
            }
        }
        let place = (offset / self.width) as usize;
        if place >= self.buckets.len() {
            self.buckets.resize(place + 1, RangeTotals::default());
        }
        place
    }

    /// The ranges with runs.
    fn facts(&self, first_seed: u64) -> Vec<Bucket> {
        let ranges = (0..).zip(&self.buckets).filter(|(_, range)| range.runs > 0);
        ranges
            .map(|(place, range): (u64, _)| {
                let first = first_seed + place * self.width;
                Bucket {
                    seeds: (first, first.saturating_add(self.width - 1)),
                    runs: range.runs,
                    wall_s: range.wall_s,
                    failures: range.failures.values().cloned().collect(),
                }
            })
            .collect()
    }
}

impl RangeTotals {
    /// Merges the next range into this one.
    fn absorb(&mut self, next: Self) {
        self.wall_s = match (self.runs, next.runs) {
            (_, 0) => self.wall_s,
            (0, _) => next.wall_s,
            (_, _) => both(self.wall_s, next.wall_s),
        };
        self.runs += next.runs;
        for (failure, seen) in next.failures {
            let own = self.failures.entry(failure);
            own.and_modify(|own| own.seen.count += seen.seen.count).or_insert(seen);
        }
    }
}

/// The meaning of marks and phases.
fn meanings() -> BTreeMap<&'static str, &'static str> {
    let marks = Mark::ALL.iter().map(|mark| (mark.name(), mark.meaning()));
    marks.chain(Phase::ALL.map(|phase| (phase.name(), phase.meaning()))).collect()
}

fn both(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    Some(one? + other?)
}

/// The command that plays a run of a sweep again, stopped at the same limit. Only its capsule has the plan of a run
/// that no seed leads to.
fn reproduce(named: &Named, dir: &Path, result: &SeedResult) -> String {
    if result.near {
        let capsule = files::capsule_of(dir, &result.scenario, result.seed);
        return replay_line(&capsule.display().to_string());
    }
    let limit = result.limit.map(|limit| format!(" {limit}")).unwrap_or_default();
    let outside = if named.allow_outside { ALLOW_OUTSIDE } else { "" };
    replay_line(&(seed_of(result.seed, &result.scenario) + &limit + outside))
}

/// Adds the counts of one run to those of all runs. Returns the number of new names.
fn add(all: &mut BTreeMap<String, Counted>, run: &BTreeMap<String, u64>) -> u64 {
    let before = all.len();
    for (name, &count) in run {
        let counted = all.entry(name.clone()).or_default();
        *counted = Counted { count: counted.count + count, runs: counted.runs + 1 };
    }
    (all.len() - before) as u64
}

/// The exit code of a sweep. An interrupted one is neither a pass nor a failure; an empty slice passes.
pub fn exit(facts: &SweepFacts) -> Exit {
    if facts.failures.iter().any(|failure| failure.oracle == DETERMINISM) {
        Exit::Internal
    } else if facts.stopped == Some(Stopped::Interrupted) {
        Exit::Interrupted
    } else if facts.failures.iter().any(|failure| failure.oracle != Oracle::Latency.name()) {
        Exit::OracleFailed
    } else if facts.failed_runs > 0 {
        Exit::LatencyMissed
    } else if facts.missed().next().is_some()
        || facts.unchecked().next().is_some()
        || (facts.runs() == 0 && facts.slice.is_none())
    {
        Exit::NotExercised
    } else {
        Exit::Passed
    }
}

#[cfg(test)]
mod tests;
