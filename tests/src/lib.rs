//! Helpers for tests: scenarios in a few lines, parallel runs, and messages about failures.
//!
//! Owns how tests start runs and how they report failures, always with the scenario, the seed and a command to
//! paste. Refuses to judge: oracles do.

pub mod parsing;

use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use onsale::invocation::spoken;
use onsale_booking::{Instant, Span};
use onsale_reports::Verdict;
use onsale_scenarios::{Arrivals, Fault, Scenario, catalogue};
use onsale_sim::plan::Plan;
use onsale_sim::run;
use onsale_sim::run::Outcome;
use onsale_world::Tracing;

/// The scenario of this id in the catalogue.
///
/// # Panics
/// If there is none.
pub fn scenario(id: &str) -> Scenario {
    catalogue::load(id).unwrap_or_else(|error| panic!("{id} is not in the catalogue: {error}"))
}

/// The ids of all scenarios in a folder of the catalogue.
pub fn folder(name: &str) -> Vec<&'static str> {
    let ids = catalogue::all().iter().map(|entry| entry.id);
    ids.filter(|id| id.split_once('/').is_some_and(|(folder, _)| folder == name)).collect()
}

/// A small sale of two minutes: 500 people, 8 halls of 100 seats, holds of 30 seconds. Quick enough for a single
/// test, and long enough for faults in the middle.
pub fn small_sale() -> Scenario {
    let mut scenario = scenario("fast/calm");
    "test/small-sale".clone_into(&mut scenario.id);
    scenario.duration = Span::from_secs(150);
    scenario.calm = Span::from_secs(45);
    scenario.limits.clear();
    scenario.must_exercise.retain(|oracle| oracle != "latency");
    scenario.sale.shows = 8;
    scenario.sale.hold = Span::from_secs(30);
    scenario.cluster.shards = 16;
    scenario.crowd.users = 500;
    scenario.crowd.arrivals = Arrivals::Constant { over: Span::from_secs(110) };
    scenario.crowd.session.pick_think.set_typical(Span::from_secs(2));
    scenario.crowd.session.checkout_think.set_typical(Span::from_secs(8));
    scenario
}

/// The small sale with these faults.
pub fn sale_with(faults: &[Fault]) -> Scenario {
    Scenario { faults: faults.to_vec(), ..small_sale() }
}

/// The instant `seconds` seconds into a run.
pub fn second(seconds: u64) -> Instant {
    Instant::ZERO + Span::from_secs(seconds)
}

/// Plays a scenario under a seed.
pub fn play(scenario: &Scenario, seed: u64) -> Outcome {
    run::run(&Plan::new(scenario, seed), &std::sync::Arc::default(), Tracing::default())
}

/// Plays a scenario under many seeds in parallel, one a core. Returns the results of `look` in the order of the
/// seeds.
pub fn play_all<T: Send>(
    scenario: &Scenario,
    seeds: Range<u64>,
    look: impl Fn(u64, Outcome) -> T + Sync,
) -> Vec<T> {
    let next = AtomicU64::new(seeds.start);
    let looked = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let seen = look(seed, play(scenario, seed));
                    looked.lock().expect("no look panicked").push((seed, seen));
                }
            });
        }
    });
    let mut looked = looked.into_inner().expect("no look panicked");
    looked.sort_by_key(|&(seed, _)| seed);
    looked.into_iter().map(|(_, seen)| seen).collect()
}

/// The complaint about an outcome, with everything needed to replay it; `None` if it passed.
pub fn complaint(outcome: &Outcome) -> Option<String> {
    let facts = &outcome.summary.facts;
    let mut wrong = String::new();
    for oracle in facts.oracles.iter().filter(|oracle| oracle.verdict == Verdict::Fail) {
        write!(wrong, "\n  {} failed", oracle.name).expect("a string takes what is written to it");
        if let Some(evidence) = &oracle.evidence {
            write!(wrong, ": {}", evidence.headline).expect("a string takes what is written to it");
            for line in &evidence.details {
                write!(wrong, "\n    {line}").expect("a string takes what is written to it");
            }
        }
    }
    for oracle in &facts.must_exercise_misses {
        write!(wrong, "\n  {oracle} was not exercised")
            .expect("a string takes what is written to it");
    }
    let ended: u64 = facts.users_outcome.iter().map(|&(_, count)| count).sum();
    if ended != facts.users {
        write!(wrong, "\n  {ended} of {} users are accounted for", facts.users)
            .expect("a string takes what is written to it");
    }
    if facts.sold_seats + facts.held_at_end > facts.seats {
        write!(
            wrong,
            "\n  {} seats sold and {} held of {}",
            facts.sold_seats, facts.held_at_end, facts.seats
        )
        .expect("a string takes what is written to it");
    }
    (!wrong.is_empty()).then(|| {
        format!("{} seed {}:{wrong}\n  {}", facts.scenario, facts.seed, spoken(&facts.reproduce))
    })
}

/// The verdict of an oracle.
///
/// # Panics
/// If there is no oracle of this name.
pub fn verdict(outcome: &Outcome, oracle: &str) -> Verdict {
    let results = &outcome.summary.facts.oracles;
    results
        .iter()
        .find(|result| result.name == oracle)
        .unwrap_or_else(|| panic!("there is no oracle {oracle}"))
        .verdict
}
