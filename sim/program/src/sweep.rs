//! Sweeps: many seeds of many scenarios, and their totals.
//!
//! Owns the definition of a sweep: its [`Header`], which determines its runs and their order. Regressions come
//! first, each under its own seed. Then seeds rise, and under each seed every scenario is run once, so that any
//! beginning of a sweep has covered all of them equally. The modules below spread runs over cores, store, count
//! and merge them. Refuses to know what is printed.

pub mod guide;
pub mod merge;
pub mod play;
pub mod pool;
pub mod results;
pub mod seeds;
pub mod slice;
pub mod totals;
pub mod watch;

use onsale_reports::Oracle;
use onsale_reports::json::seed::Seed;
use onsale_scenarios::Scenario;
use onsale_sim::allowance::allowance;
use onsale_sim::run::reproduce::{build_profile, permission};
use onsale_world::limits::Limits;
use onsale_world::trace_hash::Fingerprint;
use play::SeedResult;
use seeds::Seeds;
use serde::{Deserialize, Serialize};
use slice::Slice;

use crate::capsule::code_version;

/// The version of the results file.
pub const SCHEMA: u32 = 3;

/// All inputs of a sweep's results. Two sweeps with equal headers have equal results, to the byte; a header that
/// differs only in its slice is another slice of the same sweep.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The version of the results file.
    pub schema: u32,
    /// The version of the code.
    pub code_version: String,
    /// The build profile.
    pub build_profile: String,
    /// The scenarios in order: regressions, then those played under each seed.
    pub scenarios: Vec<Named>,
    /// The seeds.
    pub seeds: Seeds,
    /// The slice to play.
    #[serde(rename = "partition")]
    pub slice: Slice,
    /// Every `verify_every`-th run is played twice; zero: none.
    pub verify_every: u64,
    /// Limit on the events of a run; `None`: the [`allowance`] of its scenario.
    pub events_max: Option<u64>,
    /// Limit on the bytes of a run; `None`: the [`allowance`] of its scenario.
    pub bytes_max: Option<u64>,
    /// Whether it ends at the first failure.
    pub fail_fast: bool,
    /// Whether each seed draws its scenario: then the named one represents all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settings: bool,
    /// Whether plans that reached something new are changed and played again. Then each run has a seed of its own once
    /// every scenario was played, and a guide may choose another scenario than the one whose turn it is.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub guided: bool,
}

/// A scenario by its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// A hash of all its settings, defaults included.
    pub hash: String,
    /// The oracles that must be exercised.
    pub oracles: Vec<String>,
    /// The marks that must be seen.
    pub marks: Vec<String>,
    /// The expected failure, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fails: Option<BoundToFail>,
    /// Seed under which it is played once, before the sweep; `None` for a scenario played under every seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<Seed>,
    /// Whether it can only be read with `--allow-outside`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_outside: bool,
}

/// An expected failure of an oracle, by an unsafe setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoundToFail {
    /// Its name.
    pub oracle: String,
    /// Number of seeds, one of which must show it.
    pub within: u32,
}

/// One run of a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its number in the whole sweep, from 0.
    pub number: u64,
    /// The index of its scenario in the header.
    pub scenario: usize,
    /// Its seed.
    pub seed: u64,
}

impl Header {
    /// A whole sweep on this code, without verified runs and with default limits.
    pub fn new(scenarios: &[Scenario], seeds: Seeds) -> Self {
        Self {
            schema: SCHEMA,
            code_version: code_version().to_owned(),
            build_profile: build_profile().to_owned(),
            scenarios: scenarios.iter().map(Named::new).collect(),
            seeds,
            slice: Slice::WHOLE,
            verify_every: 0,
            events_max: None,
            bytes_max: None,
            fail_fast: false,
            settings: false,
            guided: false,
        }
    }

    /// The same sweep, with regressions before it.
    ///
    /// # Panics
    /// If one of them has no seed.
    #[must_use]
    pub fn after(self, regressions: &[Scenario]) -> Self {
        let named = |scenario: &Scenario| {
            let replay = scenario.replay.as_ref().expect("a regression says its seed");
            Named { replay: Some(replay.seed), ..Named::new(scenario) }
        };
        let scenarios = regressions.iter().map(named).chain(self.scenarios).collect();
        Self { scenarios, ..self }
    }

    /// Number of regressions: they are the first of its scenarios.
    pub fn regressions(&self) -> usize {
        self.scenarios.iter().take_while(|scenario| scenario.replay.is_some()).count()
    }

    /// Number of runs in all slices; `None` for a sweep without a last seed.
    pub fn runs(&self) -> Option<u64> {
        let regressions = self.regressions();
        let swept = (self.scenarios.len() - regressions) as u64;
        Some(self.seeds.count()?.saturating_mul(swept).saturating_add(regressions as u64))
    }

    /// Seed under which a regression is replayed; `None` for a scenario played under every seed.
    pub fn replayed(&self, scenario: usize) -> Option<u64> {
        let replay = self.scenarios[scenario].replay.filter(|_| scenario < self.regressions());
        replay.map(|Seed(seed)| seed)
    }

    /// The lowest seed under which a scenario is run.
    pub fn first_seed(&self, scenario: usize) -> u64 {
        self.replayed(scenario).unwrap_or(self.seeds.first)
    }

    /// The runs of this slice, in order.
    pub fn items(&self) -> impl Iterator<Item = Item> + Send {
        self.all_items().filter(|&item| self.slice.holds(&self.scenarios[item.scenario].id, item))
    }

    /// The runs of all slices, in order.
    pub fn all_items(&self) -> impl Iterator<Item = Item> + Send {
        let (regressions, all) = (self.regressions(), self.scenarios.len());
        let replayed = (0..regressions).filter_map(|place| Some((place, self.replayed(place)?)));
        let pairs = self
            .seeds
            .iter()
            .flat_map(move |seed| (regressions..all).map(move |scenario| (scenario, seed)));
        let runs = replayed.chain(pairs);
        let (guided, first) = (self.guided, self.seeds.first);
        (0..).zip(runs).map(move |(number, (scenario, seed))| {
            // A guide may choose one scenario several times while all others have one turn.
            let own = guided && number >= all as u64;
            Item { number, scenario, seed: if own { first.wrapping_add(number) } else { seed } }
        })
    }

    /// Whether this run is to be played twice. Depends on the whole sweep, not on the slice.
    pub const fn verifies(&self, item: Item) -> bool {
        self.verify_every > 0 && item.number.is_multiple_of(self.verify_every)
    }

    /// The expected failure of a scenario, if the sweep has enough seeds to tell.
    pub fn bound_to_fail(&self, scenario: usize) -> Option<&str> {
        let seeds = if self.replayed(scenario).is_some() {
            1
        } else {
            self.seeds.count().unwrap_or(u64::MAX)
        };
        let fails = self.scenarios[scenario].fails.as_ref();
        fails.filter(|fails| seeds >= fails.within.into()).map(|fails| &*fails.oracle)
    }

    /// Whether the failure of an oracle counts. A drawn scenario may exceed the limits of a run: if limits are
    /// caps, an aborted run is no failure.
    pub fn counts(&self, oracle: &str) -> bool {
        !(self.settings && oracle == Oracle::Budget.name())
    }

    /// Whether a run of a scenario had an unexpected failure.
    pub fn is_failed(&self, scenario: usize, result: &SeedResult) -> bool {
        let bound = self.bound_to_fail(scenario);
        let counts = |oracle: &str| self.counts(oracle) && bound != Some(oracle);
        result.failures.iter().any(|failed| counts(&failed.oracle))
    }

    /// The limits of a run of the scenario. A regression has none.
    pub fn limits(&self, item: Item, scenario: &Scenario) -> Limits {
        let usual = allowance(scenario);
        if self.replayed(item.scenario).is_some() {
            return usual;
        }
        Limits {
            events_max: self.events_max.unwrap_or(usual.events_max),
            bytes_max: self.bytes_max.unwrap_or(usual.bytes_max),
        }
    }

    /// Whether another sweep is this one with an earlier last seed: then this one continues it.
    pub fn extends(&self, other: &Self) -> bool {
        let last = |header: &Self| header.seeds.last.unwrap_or(u64::MAX);
        let same = Self { seeds: self.seeds, ..other.clone() };
        self.seeds.first == other.seeds.first
            && last(self) > last(other)
            && self.difference(&same).is_none()
    }

    /// The difference to another sweep, slices aside: `seeds: 1..51, not 1..101`. `None` if both are slices of
    /// one sweep.
    pub fn difference(&self, other: &Self) -> Option<String> {
        let scenarios = |header: &Self| {
            let ids = header.scenarios.iter().map(|scenario| scenario.id.clone());
            ids.collect::<Vec<_>>().join(" ")
        };
        let number = |number: Option<u64>| {
            number.map_or_else(|| "by scenario".to_owned(), |number| number.to_string())
        };
        let fields = [
            ("schema", self.schema.to_string(), other.schema.to_string()),
            ("code", self.code_version.clone(), other.code_version.clone()),
            ("profile", self.build_profile.clone(), other.build_profile.clone()),
            ("scenarios", scenarios(self), scenarios(other)),
            ("seeds", self.seeds.to_string(), other.seeds.to_string()),
            ("verify-every", self.verify_every.to_string(), other.verify_every.to_string()),
            ("max-events", number(self.events_max), number(other.events_max)),
            ("max-memory", number(self.bytes_max), number(other.bytes_max)),
            ("settings", self.settings.to_string(), other.settings.to_string()),
            ("guided", self.guided.to_string(), other.guided.to_string()),
            ("fail-fast", self.fail_fast.to_string(), other.fail_fast.to_string()),
        ];
        let named = fields.into_iter().find(|(_, own, its)| own != its);
        let named = named.map(|(name, own, its)| format!("{name}: {its}, not {own}"));
        named.or_else(|| {
            let pairs = self.scenarios.iter().zip(&other.scenarios);
            let mut others = pairs.filter(|(own, its)| own != its);
            others.next().map(|(own, _)| format!("the content of {}", own.id))
        })
    }
}

impl Named {
    fn new(scenario: &Scenario) -> Self {
        let mut fingerprint = Fingerprint::default();
        fingerprint.fold_bytes(scenario.to_json().as_bytes());
        Self {
            id: scenario.id.clone(),
            hash: format!("{:016x}", fingerprint.value()),
            oracles: scenario.must_exercise.clone(),
            marks: scenario.must_mark.clone(),
            fails: scenario.must_fail.as_ref().map(|must_fail| BoundToFail {
                oracle: must_fail.oracle.clone(),
                within: must_fail.within,
            }),
            replay: None,
            allow_outside: !permission(scenario).is_empty(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenarios() -> Vec<Scenario> {
        ["fast/calm", "fast/crash"]
            .iter()
            .map(|id| onsale_scenarios::catalogue::find(id).unwrap().scenario())
            .collect()
    }

    #[test]
    fn every_seed_meets_every_scenario_before_the_next() {
        let header = Header::new(&scenarios(), "3..5".parse().unwrap());
        let items: Vec<_> =
            header.items().map(|item| (item.number, item.scenario, item.seed)).collect();
        assert_eq!(items, [(0, 0, 3), (1, 1, 3), (2, 0, 4), (3, 1, 4)]);
    }

    #[test]
    fn regressions_come_first_and_once() {
        let entries = onsale_scenarios::catalogue::regressions().take(2);
        let regressions: Vec<Scenario> = entries.map(|entry| entry.scenario()).collect();
        let seeds: Vec<u64> =
            regressions.iter().map(|known| known.replay.as_ref().unwrap().seed.0).collect();
        let header = Header::new(&scenarios(), "3..5".parse().unwrap()).after(&regressions);
        let items: Vec<_> =
            header.items().map(|item| (item.number, item.scenario, item.seed)).collect();
        let expected =
            [(0, 0, seeds[0]), (1, 1, seeds[1]), (2, 2, 3), (3, 3, 3), (4, 2, 4), (5, 3, 4)];
        assert_eq!(items, expected);
        assert_eq!((header.regressions(), header.runs()), (2, Some(6)));
        let limited = Header { events_max: Some(7), settings: true, ..header };
        let limits = |item| limited.limits(item, &regressions[0]).events_max;
        let mut items = limited.items();
        assert!(limits(items.next().unwrap()) > 7, "a regression is played to its end");
        assert_eq!(limits(items.nth(1).unwrap()), 7);
    }

    #[test]
    fn a_header_says_in_what_another_differs() {
        let one = Header::new(&scenarios(), "1..101".parse().unwrap());
        let slice = Header { slice: "hash:2/3".parse().unwrap(), ..one.clone() };
        assert_eq!(one.difference(&slice), None);

        let fewer = Header { seeds: "1..51".parse().unwrap(), ..one.clone() };
        assert_eq!(one.difference(&fewer).unwrap(), "seeds: 1..51, not 1..101");
        assert!(one.extends(&fewer) && !fewer.extends(&one) && !one.extends(&one));
        let later = Header { seeds: "2..51".parse().unwrap(), ..one.clone() };
        assert!(!one.extends(&later), "it begins elsewhere");
        let stricter = Header { fail_fast: true, ..fewer.clone() };
        assert!(!one.extends(&stricter), "it is another sweep");
        let mut older = one.clone();
        older.code_version = "0.0.9".to_owned();
        assert!(one.difference(&older).unwrap().starts_with("code: 0.0.9, not "));
        let mut edited = scenarios();
        edited[1].crowd.users += 1;
        let edited = Header::new(&edited, one.seeds);
        assert_eq!(one.difference(&edited).unwrap(), "the content of fast/crash");
    }
}
