//! One run: a plan in, an outcome out.
//!
//! Owns the thread of a run, the executor on it, the hosts' start, and the gathering of
//! the facts. A run never shares its thread with another, so nothing that one leaves
//! behind can move the next. Refuses to know why somebody wants the run.

mod circumstances;
mod clients;
mod feasible;
mod late;
mod limits;
mod panics;
pub mod reproduce;
mod slowest;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use madsim::runtime::{Handle, Runtime};
use madsim::time::TimeHandle;
use onsale_booking::{Instant, NodeId, ShowId, Span};
use onsale_cluster::facts::EARLY_MAX;
use onsale_cluster::{Epoch, Mark};
use onsale_oracles::{Asked, OracleSettings, Promise, latency};
use onsale_reports::{
    Evidence, Oracle, OracleResult, Recorder, RecorderSettings, Records, RunFacts, Stopped,
    Summary, TraceResult, Verdict,
};
use onsale_scenarios::{Arrivals, ClockFault, Cluster, Fault, Sale, What};

use self::clients::serve_clients;
pub use self::panics::keep_panics_quiet;
use crate::browsing::Browsing;
use crate::crowd::Crowd;
use crate::fault::{self, Faults, results};
use crate::fingerprint::Trail;
use crate::host;
use crate::judges::facts::Bounds;
use crate::judges::{JudgeSettings, Judges};
use crate::plan::Plan;
use crate::sabotage::Sabotage;
use crate::seen::fate::{Fate, Fates};
use crate::seen::place::{Layout, Place, PlaceTable, Process};
use crate::seen::subject;
use crate::setup::{placement, setup};
use crate::story::Watch;
use crate::stream::fork;
use crate::wall::{Stopwatch, no_thread, peak_rss_bytes};
use crate::witness::{Decided, Witness};
use crate::world;
use crate::world::limits::{Limit, Limits};
use crate::world::{Progress, Tracing, Turn, World, next_turn};

/// What a run leaves.
#[derive(Debug)]
pub struct Outcome {
    /// The facts and the latency table.
    pub summary: Summary,
    /// Histograms and timeline.
    pub records: Records,
    /// The limit that stopped it, if one did.
    pub limit: Option<Limit>,
    /// The hash after each event, if it was asked for.
    pub trail: Option<Trail>,
    /// The event that was asked for, in words.
    pub described: Option<String>,
    /// Whoever looked on, with all that was seen.
    pub watch: Option<Box<Watch>>,
}

/// How a run is looked at. Only limits and `until` change it, by ending it.
#[derive(Debug, Default)]
pub struct Look {
    /// How much is remembered event by event.
    pub tracing: Tracing,
    /// How much it may do.
    pub limits: Limits,
    /// Who looks on.
    pub watch: Option<Box<Watch>>,
    /// Where to stop, if before the end.
    pub until: Option<Instant>,
}

impl Outcome {
    /// When the run ended.
    pub fn end(&self) -> Instant {
        Instant((self.summary.facts.virtual_s * 1e6).round() as u64)
    }

    /// Names of the oracles that failed.
    pub fn failed(&self) -> Vec<&str> {
        let oracles = &self.summary.facts.oracles;
        oracles
            .iter()
            .filter(|oracle| oracle.verdict == Verdict::Fail)
            .map(|oracle| oracle.name.as_str())
            .collect()
    }
}

/// Carries out a plan on a thread of its own.
pub fn run(plan: &Plan, progress: &Arc<Progress>, tracing: Tracing) -> Outcome {
    carry_out(plan, progress, Look { tracing, ..Look::default() }, Sabotage::default())
}

/// The same within limits: a run that exceeds one is ended there, and [`Oracle::Budget`] fails.
pub fn run_within(
    plan: &Plan,
    progress: &Arc<Progress>,
    tracing: Tracing,
    limits: Limits,
) -> Outcome {
    carry_out(plan, progress, Look { tracing, limits, ..Look::default() }, Sabotage::default())
}

/// Carries out a plan on a thread of its own while somebody looks on.
pub fn run_watched(plan: &Plan, progress: &Arc<Progress>, look: Look) -> Outcome {
    carry_out(plan, progress, look, Sabotage::default())
}

/// Carries out a plan in a world that is broken beyond what plans can say. Only for tests
/// that prove that an oracle sees it.
pub fn run_sabotaged(plan: &Plan, sabotage: Sabotage) -> Outcome {
    carry_out(plan, &Arc::default(), Look::default(), sabotage)
}

fn carry_out(plan: &Plan, progress: &Arc<Progress>, look: Look, sabotage: Sabotage) -> Outcome {
    let stopwatch = Stopwatch::start();
    panics::watch();
    let (world, panicked) = std::thread::scope(|scope| {
        let run = move || {
            let witness = Witness {
                judges: Judges::new(judge_settings(plan)),
                recorder: Recorder::new(RecorderSettings { duration: plan.scenario.duration }),
                watch: look.watch,
                decided: Decided::new(placement(&plan.scenario)),
            };
            let mut world = World::new(plan, witness, progress.clone(), look.tracing);
            world.limits = look.limits;
            world.sabotage = sabotage;
            world.stops_at = look.until;
            world::enter(world);
            let runtime =
                Runtime::with_seed_and_config(plan.stream("executor"), madsim::Config::default());
            let ended =
                std::panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(direct(plan))));
            let world = world::leave().expect("the world outlasts its hosts");
            (world, ended.err().map(|payload| panics::told(payload.as_ref())))
        };
        let thread =
            std::thread::Builder::new().name(panics::THREAD.to_owned()).spawn_scoped(scope, run);
        let thread = thread.unwrap_or_else(|error| no_thread(error));
        thread.join().expect("a run tells of its panics")
    });
    conclude(plan, world, panicked, &stopwatch)
}

/// The director: starts the hosts, carries out the faults, and is the last to go.
async fn direct(plan: &Plan) {
    let scenario = &plan.scenario;
    let setup = Arc::new(setup(scenario));
    let executor = Handle::current();
    let calm = Instant::ZERO + plan.calm_from();
    let (demand_seed, room_seed, sale) =
        (plan.stream("demand"), plan.stream("room"), scenario.clone());
    let facts_seed = plan.stream("facts");
    let slowest = slowest::of_question(scenario);
    let faults_end = (!plan.faults.is_empty()).then_some(calm);
    let clients = executor.create_node().name("clients").init(move || {
        let browsing = Browsing::new(&sale, facts_seed, faults_end, slowest);
        serve_clients(Crowd::new(&sale, demand_seed, room_seed), browsing, sale.clone(), calm)
    });
    let mut clients = Some(clients);

    let layout = Layout::new(scenario.cluster.numbers(), 0);
    let processes = PlaceTable::new(layout, |place| {
        if let Some(clients) = clients.take() {
            return clients.build().id();
        }
        let machine = host::Machine {
            setup: setup.clone(),
            costs: scenario.costs.clone(),
            cores: scenario.cluster.cores,
            slice: scenario.quantum,
            seed: fork(plan.stream("nodes"), &format!("node/{}", place.number())),
        };
        let node = executor
            .create_node()
            .name(place.to_string())
            .init(move || host::run(place, machine.clone()));
        node.build().id()
    });

    world::with(|world| {
        world.keep_clock(TimeHandle::current());
        world.hot = setup.placement.shard_of(ShowId(0));
        (1..=scenario.cluster.nodes).for_each(|node| world.start(Place::node(node)));
        world.wake_at(Place::Clients, Some(Instant::ZERO));
        for (index, fault) in plan.faults.iter().enumerate() {
            world.enter_fault(Instant::ZERO + fault.at, index, true);
            for (step, at) in fault::steps(fault).into_iter().enumerate() {
                world.enter_step(Instant::ZERO + at, index, step);
            }
            world.enter_fault(Instant::ZERO + fault.ends(), index, false);
        }
        world.end_at(Instant::ZERO + scenario.duration);
        world.stops_at.into_iter().for_each(|at| world.end_at(at));
        if plan.faults.is_empty() {
            world.witness.judges.faults_over(Instant::ZERO);
        }
    });
    let mut faults = Faults::new(plan, &setup.placement, &executor, &processes);
    let mut healed = 0;
    loop {
        let (now, turn) = next_turn(Place::Director).await;
        match turn {
            Turn::Fault { index, strikes: true } => {
                world::with(|world| faults.strike(world, index))
            }
            Turn::FaultStep { index, .. } => world::with(|world| faults.step(world, index)),
            Turn::Fault { index, strikes: false } => world::with(|world| {
                faults.heal(world, index);
                healed += 1;
                if healed == plan.faults.len() {
                    world.witness.judges.faults_over(now);
                }
            }),
            Turn::End => {
                world::with(World::part);
                processes.values().for_each(|&process| executor.resume(process));
                world::with(World::dismiss);
                // Every host that was told runs before time moves on.
                madsim::time::sleep(std::time::Duration::from_millis(1)).await;
                return;
            }
            Turn::Dies(place) => world::with(|world| faults.die(world, place)),
            Turn::Stage { index, node, stage } => {
                world::with(|world| faults.reach(world, index, node, stage));
            }
            Turn::Boot
            | Turn::Delivered { .. }
            | Turn::Reset { .. }
            | Turn::Persisted(_)
            | Turn::WriteFailed(_)
            | Turn::WriteRefused(_)
            | Turn::DamageFound
            | Turn::Wake
            | Turn::Probed
            | Turn::Told(_)
            | Turn::CoreFree(_) => {
                panic!("{turn:?} is not the director's")
            }
        }
        world::with(World::check_gateways);
    }
}

fn conclude(
    plan: &Plan,
    mut world: World,
    panicked: Option<String>,
    stopwatch: &Stopwatch,
) -> Outcome {
    let (scenario, end) = (&plan.scenario, world.now);
    world.close_journal();
    world.witness.sees_verdicts(end);
    let stops = world.stops_at.map(|at| standing(&world, at));
    let cut_short = world.is_cut_short();
    let outages = world.faults.outages(end);
    let struck = world.faults.struck().iter();
    let faults = struck.map(|struck| results::fault(&world, plan, struck, &outages)).collect();
    let outages = results::outages(&world, &outages, end);
    let Witness { judges, recorder, watch, .. } = world.witness;
    let ((sold, held), recovery) = (judges.oracles.seats(), judges.oracles.recovery());
    let mut results = judges.finish(end, &world.open);
    let records = recorder.finish(end);
    results.extend(latency::judge(&limits::held_against(&scenario.limits), &records));
    results.extend(
        panicked.map(|words| {
            stopped(Oracle::Invariant, end, panics::sentence(end, world.doing, &words))
        }),
    );
    results.extend(world.exceeded.map(|exceeded| {
        stopped(Oracle::Budget, end, format!("at {end} the run was stopped: {exceeded}"))
    }));
    results.iter_mut().filter_map(|result| result.evidence.as_mut()).for_each(subject::name_in);
    circumstances::add(&mut results, scenario, world.faults.struck());
    for result in &results {
        world.fingerprint.fold_bytes(result.name.as_bytes());
        world.fingerprint.fold(result.verdict as u64 ^ result.checked << 2);
    }
    let interrupted = world.interrupted || world.stops_at.is_some();
    let exercised = |name: &str| {
        results.iter().any(|result| result.name == name && result.verdict != Verdict::NotExercised)
    };
    let marks: BTreeMap<String, u64> = Mark::ALL
        .iter()
        .map(|&mark| (mark.name().to_owned(), world.marks[mark as usize]))
        .filter(|&(_, count)| count > 0)
        .collect();
    let unseen = scenario.must_mark.iter().filter(|name| !marks.contains_key(*name));
    let misses = scenario
        .must_exercise
        .iter()
        .filter(|name| !exercised(name))
        .chain(unseen)
        .filter(|_| !cut_short)
        .cloned()
        .collect();
    let admitted = records.timeline().iter().map(|second| second.admitted).sum();
    let seats = u64::from(scenario.sale.sections)
        * u64::from(scenario.sale.rows)
        * u64::from(scenario.sale.seats_per_row);
    let facts = RunFacts {
        scenario: scenario.id.clone(),
        title: scenario.title.clone(),
        seed: plan.seed,
        code_version: env!("CARGO_PKG_VERSION").to_owned(),
        build_profile: reproduce::build_profile().to_owned(),
        trace_hash: format!("{:016x}", world.fingerprint.value()),
        users: u64::from(scenario.crowd.users),
        trace: by_trace(&scenario.crowd.arrivals),
        admitted,
        sold_seats: sold,
        seats: seats * u64::from(scenario.sale.shows),
        held_at_end: held,
        virtual_s: end.as_secs_f64(),
        events: world.events,
        messages: world.messages,
        replicas_replayed: world.replicas_replayed,
        interrupted,
        stopped: stops,
        oracles: results,
        faults,
        outages,
        lead_transfers: world.faults.balanced().summary(world.hot),
        users_outcome: outcomes(&world.fates, u64::from(scenario.crowd.users)),
        assumptions: onsale_scenarios::assumptions(scenario)
            .into_iter()
            .map(|assumption| {
                (
                    assumption.field.to_string(),
                    assumption.value.to_string(),
                    assumption.basis.to_string(),
                )
            })
            .collect(),
        reproduce: reproduce::reproduce(plan),
        facts: world.facts,
        calm_recovery_ms: recovery.filter(|_| !plan.faults.is_empty()).map(Span::as_millis_f64),
        must_exercise_misses: misses,
        marks,
        wall_s: stopwatch.elapsed_s(),
        peak_rss_bytes: peak_rss_bytes(),
    };
    Outcome {
        summary: Summary::new(facts, &records),
        records,
        limit: world.exceeded.map(|exceeded| world.limits.that(exceeded)),
        trail: world.trail,
        described: world.described,
        watch,
    }
}

/// The trace that people come by, if they do.
fn by_trace(arrivals: &Arrivals) -> Option<TraceResult> {
    let Arrivals::Trace { file, points, .. } = arrivals else { return None };
    let arrivals = points.iter().map(|&(_, people)| people).sum();
    Some(TraceResult { file: file.clone(), arrivals })
}

/// How things stand where a run was stopped.
fn standing(world: &World, at: Instant) -> Stopped {
    let nodes = world.layout().nodes().map(|place| {
        let owns = |leader: &&Option<(Epoch, NodeId)>| {
            leader.is_some_and(|(_, node)| Place::Node(node) == place)
        };
        let owned = world.leaders.iter().filter(owns).count();
        match world.process(place) {
            Process::Up => format!("{place} up, owns {owned}"),
            Process::Paused => format!("{place} stands still"),
            Process::Down => format!("{place} down"),
        }
    });
    let oldest = world.open.iter().min_by_key(|asked| (asked.since, asked.request));
    Stopped {
        at_s: at.as_secs_f64(),
        nodes: nodes.collect(),
        waiting: world.open.len() as u64,
        waits_longest: oldest.map(|Asked { request, user, show, since }| {
            format!("{request} of {user}, about {show}, since {since}")
        }),
    }
}

/// The verdict on a run that did not come to its end.
fn stopped(oracle: Oracle, at: Instant, headline: String) -> OracleResult {
    OracleResult {
        name: oracle.name().to_owned(),
        verdict: Verdict::Fail,
        checked: 1,
        evidence: Some(Evidence {
            headline,
            details: vec!["the run stops here; what follows covers the part before".to_owned()],
            follow: Vec::new(),
            found_us: Some(at.micros()),
        }),
    }
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

fn judge_settings(plan: &Plan) -> JudgeSettings {
    let scenario = &plan.scenario;
    let sale = &scenario.sale;
    let seats_per_section = u32::from(sale.rows) * u32::from(sale.seats_per_row);
    let (lateness, paces) = late::lateness(plan);
    let oracles = OracleSettings {
        shows: sale.shows,
        seats_per_show: seats_per_section * u32::from(sale.sections),
        seats_per_section,
        seats_per_row: u32::from(sale.seats_per_row),
        seats_per_request: sale.seats_per_request,
        hold: sale.hold,
        grace: sale.grace,
        early: early(plan),
        lateness,
        slowest_answer: feasible::answers_come(scenario).then(|| slowest::of_request(scenario)),
        patience: scenario.crowd.session.request_timeout + scenario.crowd.session.backoff_cap,
        live_bound: scenario.calm,
        quantum: scenario.quantum,
    };
    let facts = scenario.facts.as_ref().map(|facts| Bounds {
        agree_within: facts.agree_within,
        clocks_apart: clocks_apart(plan),
        may_go_unanswered: !feasible::facts_arrive(scenario),
        may_lose_patience: slowest::outlasts_patience(scenario),
    });
    JudgeSettings { oracles, paces, moves_end: feasible::moves_end(scenario), facts }
}

/// How much sooner than they should holds may end by the fastest clock of the plan, all drifts at
/// once; none if no clock is ever wrong.
fn early(plan: &Plan) -> Option<Span> {
    let mut faults = plan.faults.iter();
    let may_be_wrong = faults.any(|fault| matches!(fault.what, What::Clock(_)));
    if plan.scenario.cluster.clock_skew == Span::ZERO && !may_be_wrong {
        return None;
    }
    let Sale { hold, grace, .. } = plan.scenario.sale;
    let drifts = plan.faults.iter().filter_map(|fault| {
        let What::Clock(ClockFault::Drift { by, slow, .. }) = &fault.what else { return None };
        (!slow).then_some(by)
    });
    let lost = drifts.map(|by| Promise { hold, grace }.lost_to(by.num, by.den));
    Some(lost.fold(Span::ZERO, |sum, lost| sum + lost))
}

/// How much further than nodes accept the clocks of the plan may be apart, all faults at once: by so
/// much later facts may reach a node from one whose clock is ahead of its own, and by a 32nd of
/// that more: the deltas that a node keeps until they are due lie that far apart.
fn clocks_apart(plan: &Plan) -> Span {
    let wrong_by = |fault: &Fault| {
        if let What::Clock(clock) = &fault.what { clock.wrong_by(fault.lasts).0 } else { 0 }
    };
    let apart = plan.faults.iter().map(wrong_by).sum::<u64>();
    let Cluster { clock_skew, facts, .. } = &plan.scenario.cluster;
    let apart = (clock_skew.0 + apart).saturating_sub(facts.accepted_drift.0);
    Span(apart + apart / (EARLY_MAX as u64 / 2))
}
