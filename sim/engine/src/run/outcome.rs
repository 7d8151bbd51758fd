//! The outcome of a run, gathered at its end.
//!
//! Owns the order in which verdicts are gathered and folded into the trace hash, and the facts of the summary. Refuses
//! to judge.

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::{Epoch, Mark};
use onsale_oracles::{Asked, latency};
use onsale_reports::{
    Evidence, Oracle, OracleResult, RunFacts, Stopped, Summary, TraceResult, Verdict,
};
use onsale_scenarios::{Arrivals, Scenario};
use onsale_world::place::{Place, Process};

use super::{Outcome, circumstances, limits, panics, reproduce};
use crate::fault::results;
use crate::plan::Plan;
use crate::seen::fate::{Fate, Fates, Told};
use crate::seen::subject;
use crate::system::{System, World};
use crate::wall::{Stopwatch, peak_rss_bytes};
use crate::witness::Witness;

/// The outcome of a run that has ended, or that panicked with this message.
pub(super) fn conclude<S: System>(
    plan: &Plan,
    mut world: World<S>,
    panicked: Option<String>,
    stopwatch: &Stopwatch,
) -> Outcome {
    let (scenario, end) = (&plan.scenario, world.now);
    let (machines, ears) = world.machines_and_ears();
    ears.close_ledger(end, machines);
    ears.witness.sees_verdicts(end);
    let mut facts = of_the_plan(plan);
    add_what_happened(&mut facts, plan, &mut world);
    let cut_short = world.course.is_cut_short();

    let Witness { judges, recorder, watch, .. } = world.ears.witness;
    (facts.sold_seats, facts.held_at_end) = judges.oracles.seats();
    facts.given_up = judges.oracles.losses();
    let recovery = judges.oracles.recovery().filter(|_| !plan.faults.is_empty());
    facts.calm_recovery_ms = recovery.map(Span::as_millis_f64);
    let mut results = judges.finish(end, &world.ears.open);
    let records = recorder.finish(end);
    facts.admitted = records.timeline().iter().map(|second| second.admitted).sum();
    results.extend(latency::judge(&limits::held_against(&scenario.limits), &records));
    results.extend(panicked.map(|words| {
        stopped(Oracle::Invariant, end, panics::sentence(end, world.ears.doing, &words))
    }));
    results.extend(world.course.exceeded.map(|exceeded| {
        stopped(Oracle::Budget, end, format!("at {end} the run was stopped {exceeded}"))
    }));
    results.iter_mut().filter_map(|result| result.evidence.as_mut()).for_each(subject::name_in);
    circumstances::add(&mut results, scenario, world.ears.faults.struck());
    for result in &results {
        world.fingerprint.fold_bytes(result.name.as_bytes());
        world.fingerprint.fold(result.verdict as u64 ^ result.checked << 2);
    }
    facts.trace_hash = format!("{:016x}", world.fingerprint.value());
    if !cut_short {
        facts.must_exercise_misses = misses(scenario, &results, &facts.marks);
    }
    facts.oracles = results;
    facts.wall_s = stopwatch.elapsed_s();
    facts.peak_rss_bytes = peak_rss_bytes();
    Outcome {
        summary: Summary::new(facts, &records),
        records,
        limit: world.course.exceeded.map(|exceeded| world.course.limits.that(exceeded)),
        trail: world.course.trail,
        described: world.course.described,
        watch,
    }
}

/// The facts that follow from the plan alone.
fn of_the_plan(plan: &Plan) -> RunFacts {
    let scenario = &plan.scenario;
    let seats = u64::from(scenario.sale.sections)
        * u64::from(scenario.sale.rows)
        * u64::from(scenario.sale.seats_per_row);
    let assumption = |assumption: onsale_scenarios::Assumption| {
        let onsale_scenarios::Assumption { field, value, basis } = assumption;
        (field.to_string(), value.to_string(), basis.to_string())
    };
    RunFacts {
        scenario: scenario.id.clone(),
        title: scenario.title.clone(),
        seed: plan.seed,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        build_profile: reproduce::build_profile().to_owned(),
        users: u64::from(scenario.crowd.users),
        trace: by_trace(&scenario.crowd.arrivals),
        seats: seats * u64::from(scenario.sale.shows),
        assumptions: onsale_scenarios::assumptions(scenario).into_iter().map(assumption).collect(),
        reproduce: reproduce::reproduce(plan),
        ..RunFacts::default()
    }
}

/// Adds the world's counts and the cost of faults.
fn add_what_happened<S: System>(facts: &mut RunFacts, plan: &Plan, world: &mut World<S>) {
    let end = world.now;
    let outages = world.ears.faults.outages(end);
    let struck = world.ears.faults.struck().iter();
    facts.faults = struck.map(|struck| results::fault(world, plan, struck, &outages)).collect();
    let lapsed = world.ears.faults.lapsed().iter();
    facts.faults.extend(lapsed.map(|&lapsed| results::lapsed(plan, lapsed)));
    facts.faults.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    facts.outages = results::outages(world, &outages, end);
    facts.is_one_process = !S::NAMING.has_leaders;
    facts.lead_transfers = world.ears.faults.balanced().summary(world.ears.hot);
    facts.virtual_s = end.as_secs_f64();
    facts.events = world.course.events;
    facts.messages = world.course.messages;
    facts.replicas_replayed = world.ears.replicas_replayed;
    facts.interrupted = world.course.interrupted || world.course.stops_at.is_some();
    facts.stopped = world.course.stops_at.map(|at| standing(world, at));
    facts.users_outcome = outcomes(&world.ears.fates, u64::from(plan.scenario.crowd.users));
    facts.manners = named(&world.ears.manners);
    facts.facts = world.ears.facts.take();
    let count = |&mark: &Mark| (mark.name().to_owned(), world.ears.marks[mark as usize]);
    facts.marks = Mark::ALL.iter().map(count).filter(|&(_, count)| count > 0).collect();
}

/// The scenario's unmet expectations: oracles not exercised, and missing marks.
fn misses(
    scenario: &Scenario,
    results: &[OracleResult],
    marks: &BTreeMap<String, u64>,
) -> Vec<String> {
    let exercised = |name: &str| {
        results.iter().any(|result| result.name == name && result.verdict != Verdict::NotExercised)
    };
    let idle = scenario.must_exercise.iter().filter(|name| !exercised(name));
    let unseen = scenario.must_mark.iter().filter(|name| !marks.contains_key(*name));
    idle.chain(unseen).cloned().collect()
}

/// The recorded trace of arrivals, if people come by one.
fn by_trace(arrivals: &Arrivals) -> Option<TraceResult> {
    let Arrivals::Trace { file, points, .. } = arrivals else { return None };
    let arrivals = points.iter().map(|&(_, people)| people).sum();
    Some(TraceResult { file: file.clone(), arrivals })
}

/// The state of nodes and requests at the instant at which a run was stopped.
fn standing<S: System>(world: &World<S>, at: Instant) -> Stopped {
    let nodes = world.layout().nodes().map(|place| {
        let owns = |leader: &&Option<(Epoch, NodeId)>| {
            leader.is_some_and(|(_, node)| Place::Node(node) == place)
        };
        let owned = world.ears.leaders.iter().filter(owns).count();
        match world.process(place) {
            Process::Up if S::NAMING.has_leaders => format!("{place} up, leads {owned}"),
            Process::Up => format!("{place} up"),
            Process::Paused => format!("{place} paused"),
            Process::Down => format!("{place} down"),
        }
    });
    let oldest = world.ears.open.iter().min_by_key(|asked| (asked.since, asked.request));
    Stopped {
        at_s: at.as_secs_f64(),
        nodes: nodes.collect(),
        waiting: world.ears.open.len() as u64,
        waits_longest: oldest.map(|Asked { request, user, show, since }| {
            format!("{request} of {user}, about {show}, since {since}")
        }),
    }
}

/// The verdict on a run that did not reach its end.
fn stopped(oracle: Oracle, at: Instant, headline: String) -> OracleResult {
    OracleResult {
        name: oracle.name().to_owned(),
        verdict: Verdict::Fail,
        checked: 1,
        evidence: Some(Evidence {
            headline,
            details: vec!["the run stops here; what follows covers the part before".to_owned()],
            rules: Vec::new(),
            follow: Vec::new(),
            found_us: Some(at.micros()),
        }),
    }
}

fn named(told: &Told) -> BTreeMap<String, BTreeMap<String, u64>> {
    let by_name = |(name, count): (&&str, &u64)| ((*name).to_owned(), *count);
    let of_habit = |answers: &BTreeMap<&str, u64>| answers.iter().map(by_name).collect();
    told.iter().map(|(habit, answers)| ((*habit).to_owned(), of_habit(answers))).collect()
}

fn outcomes(fates: &Fates, users: u64) -> Vec<(String, u64)> {
    let mut outcomes: Vec<(String, u64)> = Fate::ALL
        .iter()
        .map(|&fate| (fate.name().to_owned(), fates.of(fate)))
        .filter(|&(_, count)| count > 0)
        .collect();
    let open = users - fates.ended();
    if open > 0 {
        outcomes.push(("still there when the run ended".to_owned(), open));
    }
    outcomes
}
