//! What a sweep's results amount to.
//!
//! Owns the fold over results in the order of their runs: which failures are the same, what no run
//! exercised, how fast new marks dry up. The same results in the same order give the same totals,
//! whether they were just made, read back, or put together from parts. Its memory grows with
//! what is distinct, not with the number of runs. Refuses to know where results come from.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use onsale_core::Mark;
use onsale_reports::sweep::{Bucket, Counted, Failure, ScenarioFacts, Seen, Stopped, SweepFacts};

use super::play::{DETERMINISM, Failed, SeedResult};
use super::{Header, Named};
use crate::capsule::{replay_line, seed_of};
use crate::exit::Exit;
use crate::oracle::latency::LATENCY;
use crate::signature::kind;

/// Ranges of seeds that a scenario is divided into, at most.
const BUCKETS_MAX: u64 = 100;
/// New marks are counted by so many runs.
const THOUSAND: u64 = 1_000;

/// The totals of a sweep so far.
#[derive(Clone, Debug)]
pub struct Totals {
    facts: SweepFacts,
    named: Vec<Named>,
    /// By scenario: the marks that were seen.
    marks: Vec<BTreeSet<String>>,
    /// By scenario, oracle and signature: the place of the failure.
    known: BTreeMap<(usize, String, String), usize>,
    ranges: Vec<Ranges>,
    /// Whether oracles that no run exercised are told: a part alone cannot.
    whole: bool,
    first_seed: u64,
}

/// Ranges of a scenario's seeds, as wide as it takes for them to be few.
#[derive(Clone, Debug)]
struct Ranges {
    /// A power of two.
    width: u64,
    buckets: Vec<RangeTotals>,
}

#[derive(Clone, Debug, Default)]
struct RangeTotals {
    runs: u64,
    failures: BTreeMap<usize, Seen>,
}

impl Totals {
    /// The totals of no result.
    pub fn new(header: &Header) -> Self {
        let scenarios = header.scenarios.iter();
        let part = (!header.partition.is_whole()).then(|| header.partition.to_string());
        Self {
            named: header.scenarios.clone(),
            marks: vec![BTreeSet::new(); header.scenarios.len()],
            known: BTreeMap::new(),
            ranges: scenarios.clone().map(|_| Ranges { width: 1, buckets: Vec::new() }).collect(),
            whole: header.partition.is_whole(),
            first_seed: header.seeds.first,
            facts: SweepFacts {
                code_version: header.code_version.clone(),
                build_profile: header.build_profile.clone(),
                seeds_asked: header.seeds.to_string(),
                partition: part,
                scenarios: scenarios
                    .map(|scenario| ScenarioFacts {
                        id: scenario.id.clone(),
                        ..ScenarioFacts::default()
                    })
                    .collect(),
                ..SweepFacts::default()
            },
        }
    }

    /// How many runs there were.
    pub fn runs(&self) -> u64 {
        self.facts.runs()
    }

    /// How many of them failed.
    pub const fn failed_runs(&self) -> u64 {
        self.facts.failed_runs
    }

    /// Distinct failures.
    pub fn distinct(&self) -> usize {
        self.facts.failures.len()
    }

    /// Takes in the next result.
    ///
    /// # Panics
    /// If it is of no scenario of the sweep.
    pub fn add(&mut self, result: &SeedResult) {
        let place = self.facts.scenarios.iter().position(|known| known.id == result.scenario);
        let place = place.expect("a result is of one of the sweep's scenarios");
        self.count(place, result);
        let range = self.ranges[place].of(result.seed - self.first_seed);
        self.ranges[place].buckets[range].runs += 1;
        for failed in &result.failures {
            let failure = self.failure(place, result, failed);
            let seen = self.ranges[place].buckets[range].failures.entry(failure);
            seen.or_insert(Seen { count: 0, first_seed: result.seed }).count += 1;
        }
    }

    fn count(&mut self, place: usize, result: &SeedResult) {
        let thousand = (self.facts.runs() / THOUSAND) as usize;
        let facts = &mut self.facts;
        facts.new_marks.resize(thousand + 1, 0);
        facts.new_marks[thousand] += tally(&mut facts.marks, &result.marks);
        tally(&mut facts.faults, &result.faults);
        let seen = &mut self.marks[place];
        for mark in result.marks.keys() {
            if !seen.contains(mark) {
                seen.insert(mark.clone());
            }
        }
        facts.events += result.events;
        facts.virtual_us += result.virtual_us;
        facts.verified += u64::from(result.verified);

        let failed = u64::from(!result.failures.is_empty());
        facts.failed_runs += failed;
        let scenario = &mut facts.scenarios[place];
        scenario.runs += 1;
        scenario.failed_runs += failed;
        let (first, last) = scenario.seeds.unwrap_or((result.seed, result.seed));
        scenario.seeds = Some((first.min(result.seed), last.max(result.seed)));
        for (oracle, &checks) in &result.checks {
            let total = scenario.checks.entry(oracle.clone()).or_default();
            *total = checks.map(|checks| total.unwrap_or(0) + checks).or(*total);
        }
    }

    /// The place of a failure, a new one or one that is known.
    fn failure(&mut self, place: usize, result: &SeedResult, failed: &Failed) -> usize {
        let failures = &mut self.facts.failures;
        let key = (place, failed.oracle.clone(), kind(&failed.headline));
        match self.known.entry(key) {
            Entry::Occupied(known) => {
                failures[*known.get()].seen.count += 1;
                *known.get()
            }
            Entry::Vacant(new) => {
                let limit = result.limit.map(|limit| format!(" {limit}")).unwrap_or_default();
                let subject = seed_of(result.seed, &result.scenario) + &limit;
                failures.push(Failure {
                    scenario: result.scenario.clone(),
                    oracle: failed.oracle.clone(),
                    seen: Seen { count: 1, first_seed: result.seed },
                    headline: failed.headline.clone(),
                    details: failed.details.clone(),
                    reproduce: replay_line(&subject),
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
        let unseen = Mark::ALL.iter().map(|mark| mark.name());
        let unseen = unseen.filter(|&mark| !facts.marks.contains_key(mark));
        facts.marks_never = unseen.map(str::to_owned).collect();
        for (place, scenario) in facts.scenarios.iter_mut().enumerate() {
            scenario.buckets = self.ranges[place].facts(self.first_seed);
            // A part, or a sweep that did not come to its end, may have missed what the rest has.
            if self.whole && stopped.is_none() && scenario.runs > 0 {
                scenario.unchecked =
                    scenario.checks.values().all(|checks| checks.unwrap_or(0) == 0);
                let (named, marks) = (&self.named[place], &self.marks[place]);
                let exercised =
                    |name: &String| scenario.checks.get(name).is_some_and(Option::is_some);
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
    /// The place of the range of the seed that lies so far behind the first.
    fn of(&mut self, offset: u64) -> usize {
        while offset / self.width >= BUCKETS_MAX {
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

    /// The ranges in which something was run.
    fn facts(&self, first_seed: u64) -> Vec<Bucket> {
        let ranges = (0..).zip(&self.buckets).filter(|(_, range)| range.runs > 0);
        ranges
            .map(|(place, range): (u64, _)| {
                let first = first_seed + place * self.width;
                Bucket {
                    seeds: (first, first.saturating_add(self.width - 1)),
                    runs: range.runs,
                    failures: range.failures.iter().map(|(&place, &seen)| (place, seen)).collect(),
                }
            })
            .collect()
    }
}

impl RangeTotals {
    /// Takes in the range behind this one.
    fn absorb(&mut self, next: Self) {
        self.runs += next.runs;
        for (failure, seen) in next.failures {
            self.failures.entry(failure).and_modify(|own| own.count += seen.count).or_insert(seen);
        }
    }
}

/// Adds what a run counted to what all runs did. Returns how many names are new.
fn tally(all: &mut BTreeMap<String, Counted>, run: &BTreeMap<String, u64>) -> u64 {
    let before = all.len();
    for (name, &count) in run {
        let counted = all.entry(name.clone()).or_default();
        *counted = Counted { count: counted.count + count, runs: counted.runs + 1 };
    }
    (all.len() - before) as u64
}

/// How the program ends after a sweep. An interrupted one is neither a pass nor a failure; a part
/// in which nothing fell to its lot is fine.
pub fn exit(facts: &SweepFacts) -> Exit {
    if facts.failures.iter().any(|failure| failure.oracle == DETERMINISM) {
        Exit::Internal
    } else if facts.stopped == Some(Stopped::Interrupted) {
        Exit::Interrupted
    } else if facts.failures.iter().any(|failure| failure.oracle != LATENCY) {
        Exit::OracleFailed
    } else if facts.failed_runs > 0 {
        Exit::LatencyMissed
    } else if facts.missed().next().is_some()
        || facts.unchecked().next().is_some()
        || (facts.runs() == 0 && facts.partition.is_none())
    {
        Exit::NotExercised
    } else {
        Exit::Passed
    }
}

#[cfg(test)]
mod tests;
