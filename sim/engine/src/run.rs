//! One run: a plan in, an outcome out.
//!
//! Owns the thread of a run, the executor on it, and the hosts' start. A run never shares its thread with another, so nothing that one leaves
//! behind can move the next. Refuses to know why somebody wants the run.

mod bounds;
mod circumstances;
mod feasible;
mod late;
mod limits;
mod outcome;
mod panics;
pub mod reproduce;
mod slowest;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use madsim::runtime::{Handle, Runtime};
use madsim::time::TimeHandle;
use onsale_booking::{Instant, ShowId};
use onsale_reports::{Recorder, RecorderSettings, Records, Summary, Verdict};

use self::bounds::judge_settings;
use self::outcome::conclude;
pub use self::panics::keep_panics_quiet;
use crate::browsing::Browsing;
use crate::clients::serve_clients;
use crate::crowd::Crowd;
use crate::fault::{self, Faults};
use crate::fingerprint::Trail;
use crate::host;
use crate::judges::Judges;
use crate::plan::Plan;
use crate::sabotage::Sabotage;
use crate::seen::place::{Layout, Place, PlaceTable};
use crate::setup::{placement, setup};
use crate::story::Watch;
use crate::stream::fork;
use crate::wall::{Stopwatch, no_thread};
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
    /// The watch that looked on, with all that it saw.
    pub watch: Option<Box<Watch>>,
}

/// How a run is looked at. Only limits and `until` change it, by ending it.
#[derive(Debug, Default)]
pub struct Look {
    /// How much is remembered event by event.
    pub tracing: Tracing,
    /// How much it may do.
    pub limits: Limits,
    /// The watch that looks on.
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

/// The same within limits: a run that exceeds one is ended there, and [`Oracle::Budget`](onsale_reports::Oracle::Budget) fails.
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
