//! One run of a sweep, and its result.
//!
//! Owns the form of a result: a line of the results file. It is a function of the run alone, with no wall time
//! and nothing of the machine. Refuses to know what results mean together.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onsale_reports::{Verdict, json};
use onsale_scenarios::Scenario;
use onsale_sim::plan::Plan;
use onsale_sim::run::{Outcome, run_within};
use onsale_world::limits::{Limit, Limits};
use onsale_world::{Progress, Tracing};
use serde::{Deserialize, Serialize};

use super::guide::Guide;
use super::{Header, Item};
use crate::capsule::Capsule;
use crate::settings;
use crate::verify::{parted, same};

/// Fails if a run that was played twice differed. It is no oracle of a run, because only a sweep compares.
pub const DETERMINISM: &str = "determinism";

/// A moment came.
const CAME: &str = "came";
/// A moment never came.
const NEVER: &str = "never";

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedResult {
    /// The scenario's id.
    pub scenario: String,
    /// The seed.
    #[serde(with = "json::seed")]
    pub seed: u64,
    /// The trace hash.
    pub trace: String,
    /// Events simulated.
    pub events: u64,
    /// Virtual time in microseconds.
    pub virtual_us: u64,
    /// Whether it was played twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
    /// Whether its plan was made from an earlier one: then no seed leads to it, and its capsule has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub near: bool,
    /// Checks of each oracle; `None` if it was not exercised.
    pub checks: BTreeMap<String, Option<u64>>,
    /// The limit that stopped it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// What failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failed>,
    /// Rare paths that were taken, by mark.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, u64>,
    /// Faults that struck, by family and phase: `crash/replicating`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, u64>,
    /// By family and phase of a fault, the rare paths that were taken from its strike until the next fault struck.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub reached: BTreeMap<String, BTreeSet<String>>,
    /// Moments that faults waited for, by whether they came: `voting/came`, `voting/never`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub moments: BTreeMap<String, u64>,
}

/// An oracle that failed in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// Its name.
    pub oracle: String,
    /// The failure in one sentence.
    pub headline: String,
    /// The story, one event a line.
    pub details: Vec<String>,
}

/// A run's result and, after a failure, its capsule.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The result.
    pub result: SeedResult,
    /// The capsule, if something failed.
    pub capsule: Option<Box<Capsule>>,
    /// Its plan.
    pub plan: Box<Plan>,
}

impl Played {
    /// The result of an outcome.
    pub fn of(plan: Plan, outcome: &Outcome) -> Self {
        let result = SeedResult::of(outcome);
        let capsule = (!result.failures.is_empty()).then(|| Box::new(Capsule::new(&plan, outcome)));
        Self { result, capsule, plan: Box::new(plan) }
    }
}

impl SeedResult {
    fn of(outcome: &Outcome) -> Self {
        let facts = &outcome.summary.facts;
        let checks = facts.oracles.iter().map(|oracle| {
            let exercised = oracle.verdict != Verdict::NotExercised;
            (oracle.name.clone(), exercised.then_some(oracle.checked))
        });
        let failed = facts.oracles.iter().filter(|oracle| oracle.verdict == Verdict::Fail);
        let failures = failed.map(|oracle| {
            let (headline, details) = oracle.evidence.as_ref().map_or_else(
                || ("it failed without evidence".to_owned(), Vec::new()),
                |evidence| (evidence.headline.clone(), evidence.details.clone()),
            );
            Failed { oracle: oracle.name.clone(), headline, details }
        });
        let (mut faults, mut moments) = (BTreeMap::new(), BTreeMap::new());
        let mut reached = BTreeMap::<_, BTreeSet<_>>::new();
        for fault in &facts.faults {
            if let Some(moment) = &fault.moment {
                let end = if fault.struck() { CAME } else { NEVER };
                *moments.entry(format!("{}/{end}", moment.name)).or_default() += 1;
            }
            if fault.struck() {
                let pair = format!("{}/{}", fault.kind, fault.phase);
                *faults.entry(pair.clone()).or_default() += 1;
                reached.entry(pair).or_default().extend(fault.marks.iter().cloned());
            }
        }
        reached.retain(|_, marks| !marks.is_empty());
        Self {
            scenario: facts.scenario.clone(),
            seed: facts.seed,
            trace: facts.trace_hash.clone(),
            events: facts.events,
            virtual_us: (facts.virtual_s * 1e6).round() as u64,
            verified: false,
            near: false,
            limit: outcome.limit,
            checks: checks.collect(),
            failures: failures.collect(),
            marks: facts.marks.clone(),
            faults,
            reached,
            moments,
        }
    }

    /// The pairs that it reached, each once: a fault's family and phase, alone and with each rare path under it.
    pub fn pairs(&self) -> impl Iterator<Item = String> {
        let paths = self
            .reached
            .iter()
            .flat_map(|(fault, marks)| marks.iter().map(move |mark| format!("{fault}/{mark}")));
        self.faults.keys().cloned().chain(paths)
    }
}

/// A run with its plan and its limits.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The run: a guide may choose another scenario than the one whose turn it is.
    pub item: Item,
    plan: Plan,
    is_near: bool,
    limits: Limits,
}

/// Plans a run: the plan is the seed's own, or one that the guide makes. `None` if it was interrupted while it waited for
/// the results that the guide goes by.
pub fn planned(
    header: &Header,
    scenarios: &[Scenario],
    item: Item,
    guide: Option<&Guide>,
    progress: &Progress,
) -> Option<Planned> {
    if let Some(guide) = guide {
        let (item, plan, is_near) = guide.plan(item, scenarios, progress)?;
        let limits = header.limits(item, &scenarios[item.scenario]);
        return Some(Planned { item, plan, is_near, limits });
    }
    let is_drawn = header.settings && header.replayed(item.scenario).is_none();
    let drawn = is_drawn.then(|| settings::drawn(item.seed));
    let scenario = drawn.as_ref().unwrap_or(&scenarios[item.scenario]);
    let limits = header.limits(item, scenario);
    Some(Planned { item, plan: Plan::new(scenario, item.seed), is_near: false, limits })
}

/// Plays a run of a sweep. `None` if it was interrupted: then it says nothing about the plan.
pub fn play(header: &Header, planned: Planned, progress: &Arc<Progress>) -> Option<Played> {
    let Planned { item, plan, is_near, limits } = planned;
    let run = |tracing| run_within(&plan, progress, tracing, limits);
    let first = whole(run(Tracing::default()))?;
    let second = if header.verifies(item) { Some(whole(run(Tracing::default()))?) } else { None };
    let differs = match &second {
        Some(second) if !same(&first, second) => Some(differing(&first, second, run)?),
        Some(_) | None => None,
    };
    let mut played = Played::of(plan, &first);
    let Played { result, capsule, plan } = &mut played;
    (result.seed, result.near, result.verified) = (item.seed, is_near, second.is_some());
    if let Some(differs) = differs {
        result.failures.push(differs);
        capsule.get_or_insert_with(|| Box::new(Capsule::new(plan, &first)));
    }
    Some(played)
}

fn whole(outcome: Outcome) -> Option<Outcome> {
    (!outcome.summary.facts.interrupted).then_some(outcome)
}

/// Plays a plan whose runs differed twice more, with trails, to find where they diverge. `None` if a run was
/// interrupted.
fn differing(
    first: &Outcome,
    second: &Outcome,
    run: impl Fn(Tracing) -> Outcome,
) -> Option<Failed> {
    let hash = |outcome: &Outcome| outcome.summary.facts.trace_hash.clone();
    let mut details =
        vec![format!("first:  trace {}", hash(first)), format!("second: trace {}", hash(second))];
    let trailed = || whole(run(Tracing { trail: true, describe: None }));
    match parted(&trailed()?, &trailed()?, &run) {
        Some(parted) => details.extend(parted.to_string().lines().map(str::to_owned)),
        None => details.push("two more runs were the same".to_owned()),
    }
    Some(Failed {
        oracle: DETERMINISM.to_owned(),
        headline: "two runs of one plan differ".to_owned(),
        details,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::sweep::seeds::Seeds;

    fn small() -> Scenario {
        let mut scenario = onsale_scenarios::catalogue::find("fast/calm").unwrap().scenario();
        scenario.crowd.users = 20;
        scenario
    }

    #[test]
    fn runs_that_differ_are_told_with_the_event_at_which_they_part() {
        let scenario = small();
        // Every second run gets other random streams, as if something beside the plan decided.
        let turns = Cell::new(0);
        let run = |tracing| {
            let seed = 1 + turns.replace(turns.get() + 1) % 2;
            onsale_sim::run::run(&Plan::new(&scenario, seed), &Arc::default(), tracing)
        };
        let (first, second) = (run(Tracing::default()), run(Tracing::default()));
        let failed = differing(&first, &second, run).expect("nothing was interrupted");
        assert_eq!(failed.oracle, DETERMINISM);
        let details = failed.details.join("\n");
        assert!(details.starts_with(&format!("first:  trace {}", first.summary.facts.trace_hash)));
        assert!(details.contains("they part at event "), "{details}");
    }

    #[test]
    fn a_run_that_is_ended_from_outside_says_nothing() {
        let scenario = small();
        let seeds = Seeds { first: 1, last: Some(1) };
        let header = Header::new(std::slice::from_ref(&scenario), seeds);
        let item = header.items().next().unwrap();
        let progress = Arc::new(Progress::default());
        let planned = || {
            planned(&header, std::slice::from_ref(&scenario), item, None, &progress)
                .expect("nobody is awaited")
        };
        assert!(play(&header, planned(), &progress).is_some());
        progress.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert_eq!(play(&header, planned(), &progress), None);
    }
}
