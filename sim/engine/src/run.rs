//! One run: a plan in, an outcome out.
//!
//! Owns the thread of a run, and the safety net that makes stray reads of clocks and entropy virtual. A run never shares
//! its thread with another, so no leftover of one can affect the next. Refuses to know the purpose of the run.

pub(crate) mod bounds;
mod circumstances;
mod director;
pub(crate) mod feasible;
mod late;
mod limits;
mod outcome;
mod panics;
mod recovery;
pub mod reproduce;
pub(crate) mod slowest;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use madsim::runtime::Runtime;
use onsale_booking::Instant;
use onsale_reports::{Recorder, RecorderSettings, Records, Summary, Verdict};
use onsale_scenarios::{Scenario, System as Choice};
use onsale_world::limits::{Limit, Limits};
use onsale_world::trace_hash::Trail;
use onsale_world::{Progress, Tracing};

use self::bounds::judge_settings;
use self::outcome::conclude;
pub use self::panics::keep_panics_quiet;
use crate::judges::Judges;
use crate::plan::Plan;
use crate::replicated::Replicated;
use crate::sabotage::Sabotage;
use crate::seen::naming::Naming;
use crate::solo::Solo;
use crate::story::Watch;
use crate::system::{self, Audience, System, World};
use crate::wall::{Stopwatch, no_thread};
use crate::witness::{Decided, Witness};

/// Result of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Facts and latency table.
    pub summary: Summary,
    /// Histograms and timeline.
    pub records: Records,
    /// The limit that stopped the run, if one did.
    pub limit: Option<Limit>,
    /// The hash after each event, if requested.
    pub trail: Option<Trail>,
    /// Description of the requested event.
    pub described: Option<String>,
    /// The watch of the run, with everything that it saw.
    pub watch: Option<Box<Watch>>,
}

/// How a run is observed. Only limits and `until` affect it, by ending it.
#[derive(Debug, Default)]
pub struct Look {
    /// Recording options for each event.
    pub tracing: Tracing,
    /// The limits of the run.
    pub limits: Limits,
    /// The watch, if the run is watched.
    pub watch: Option<Box<Watch>>,
    /// Instant at which to stop, if before the end.
    pub until: Option<Instant>,
}

impl Outcome {
    /// Instant at which the run ended.
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

/// The same within limits: a run that exceeds one ends there, and
/// [`Oracle::Budget`](onsale_reports::Oracle::Budget) fails.
pub fn run_within(
    plan: &Plan,
    progress: &Arc<Progress>,
    tracing: Tracing,
    limits: Limits,
) -> Outcome {
    carry_out(plan, progress, Look { tracing, limits, ..Look::default() }, Sabotage::default())
}

/// Carries out a plan on a thread of its own, observed by `look`.
pub fn run_watched(plan: &Plan, progress: &Arc<Progress>, look: Look) -> Outcome {
    carry_out(plan, progress, look, Sabotage::default())
}

/// Carries out a plan in a world that is broken as no plan can say. Only for tests that prove
/// that an oracle finds it.
pub fn run_sabotaged(plan: &Plan, sabotage: Sabotage) -> Outcome {
    carry_out(plan, &Arc::default(), Look::default(), sabotage)
}

/// Names of logs, terms and records in the system of a scenario.
pub const fn naming(scenario: &Scenario) -> Naming {
    match scenario.cluster.system {
        Choice::Replicated => Replicated::NAMING,
        Choice::Solo => Solo::NAMING,
    }
}

/// Chooses the plan's system; a run is compiled for each.
fn carry_out(plan: &Plan, progress: &Arc<Progress>, look: Look, sabotage: Sabotage) -> Outcome {
    match plan.scenario.cluster.system {
        Choice::Replicated => play::<Replicated>(plan, progress, look, sabotage),
        Choice::Solo => play::<Solo>(plan, progress, look, sabotage),
    }
}

fn play<S: System>(
    plan: &Plan,
    progress: &Arc<Progress>,
    look: Look,
    sabotage: Sabotage,
) -> Outcome {
    let stopwatch = Stopwatch::start();
    panics::watch();
    let (world, panicked) = std::thread::scope(|scope| {
        let run = move || {
            let setup = Arc::new(S::setup(&plan.scenario));
            let witness = Witness {
                judges: Judges::new(judge_settings(plan, S::placement(&setup))),
                recorder: Recorder::new(RecorderSettings { duration: plan.scenario.duration }),
                watch: look.watch,
                decided: Decided::new(S::placement(&setup).clone()),
            };
            let ears = Audience::<S>::new(&setup, witness, sabotage);
            let watching = (progress.clone(), look.tracing);
            let settings = system::world(&plan.scenario);
            let mut world = World::<S>::new(settings, |name| plan.stream(name), ears, watching);
            world.course.limits = look.limits;
            world.course.stops_at = look.until;
            let runtime =
                Runtime::with_seed_and_config(plan.stream("executor"), madsim::Config::default());
            let ended = std::panic::catch_unwind(AssertUnwindSafe(|| {
                runtime.block_on(async { director::direct::<S>(plan, &setup, &mut world) });
            }));
            (world, ended.err().map(|payload| panics::told(payload.as_ref())))
        };
        let thread =
            std::thread::Builder::new().name(panics::THREAD.to_owned()).spawn_scoped(scope, run);
        let thread = thread.unwrap_or_else(|error| no_thread(error));
        thread.join().expect("a run reports its panics")
    });
    conclude(plan, world, panicked, &stopwatch)
}
