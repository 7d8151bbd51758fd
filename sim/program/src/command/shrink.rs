//! `onsale shrink`: makes a failure small.
//!
//! Owns the budget, the progress, the files and the output of a search. Refuses to know how the search works.

mod page;
mod shelf;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onsale_booking::{Instant, Span, UserId};
use onsale_reports::{Oracle, ReportError, human, plain};
use onsale_scenarios::Arrivals;
use onsale_scenarios::reading::Reach;
use onsale_sim::plan::Plan;
use onsale_sim::replicated::setup::setup;
use onsale_sim::run::{self, Look, Outcome, keep_panics_quiet, reproduce, run_watched, run_within};
use onsale_sim::seen::subject;
use onsale_sim::story::Watch;
use onsale_sim::story::cast::Cast;
use onsale_sim::story::follow::Follow;
use onsale_sim::story::hazards::Hazards;
use onsale_sim::story::telling::Story;
use onsale_sim::wall::Stopwatch;
use onsale_world::limits::Limits;
use onsale_world::{Progress, Tracing};

use self::page::SearchResult;
use self::shelf::{FILE_WIDTH, REGRESSION, SCENARIO, STORY, Shelf};
use super::{Failure, claim_dir, default_dir, half_named, scenario_of, shown, stop_on_signals};
use crate::capsule::{self, Capsule, PlanIs};
use crate::cli::Subject;
use crate::cli::shrink::ShrinkArgs;
use crate::exit::Exit;
use crate::files::{CAPSULE, Claims};
use crate::invocation::spoken;
use crate::shrink::regression::Origin;
use crate::shrink::scale::Scale;
use crate::shrink::{self, Case, Standing, Trial};
use crate::signature::Signature;
use crate::terminal::Terminal;

/// Shrinks the failure of a seed, a capsule or a plan.
pub(super) fn shrink(
    arguments: &ShrinkArgs,
    reach: Reach,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let stopwatch = Stopwatch::start();
    let recorded = read(arguments, reach)?;
    let dir = directory_for(arguments, &recorded.plan)?;
    let folder = shelf::folder_for(arguments, &recorded.plan)?;
    warn_of_changes(&recorded, terminal);
    let limits = arguments.limits.or(recorded.limit);
    keep_panics_quiet();
    let session = Arc::new(Progress::default());
    let asked = Arc::clone(&session);
    stop_on_signals(terminal, "the search", move || asked.stop.swap(true, Ordering::Relaxed));

    let first = run_within(&recorded.plan, &session, Tracing::default(), limits);
    if first.summary.facts.interrupted {
        return Ok(Exit::Interrupted);
    }
    let target = target(arguments.oracle.as_deref(), &first, &recorded)?;
    let start = Case { plan: recorded.plan.clone(), trial: Trial::of(&first) };
    if is_comparable(&recorded, limits)
        && let Some(exit) = differs(&recorded.trace_hash, &start, terminal)
    {
        return Ok(exit);
    }
    let origin = Origin::of(&recorded.plan, &target, first.limit);
    let shelf = Shelf { dir: &dir, origin, folder };
    shelf.put_capsule(&start)?;
    let mut search =
        Search { budget: arguments.budget, stopwatch, session: &session, limits, unsaved: None };
    let shrunk = search.carry_out(start.clone(), &target, arguments.jobs, &shelf, terminal);
    if let Some(error) = search.unsaved {
        return Err(error.into());
    }
    let best = &shrunk.best;
    let (last, story) = follow(best, &target, limits);
    if let Some(exit) = differs(&last.summary.facts.trace_hash, best, terminal) {
        return Ok(exit);
    }
    let told = SearchResult {
        schema: onsale_sim::plan::SCHEMA,
        scenario: origin.scenario,
        seed: origin.seed,
        signature: &target,
        is_finished: shrunk.is_finished,
        runs: shrunk.runs,
        wall_s: search.stopwatch.elapsed_s(),
        before: Scale::of(&start),
        after: Scale::of(best),
        dir: &dir,
        saved: shelf.save(best, story.as_ref())?,
        reproduce: spoken(&reproduce::replay_line(&shown(&dir.join(CAPSULE)))),
    };
    let page = |colour, width| told.page(&last, story.as_ref(), colour, width);
    shelf.put_all(best, &plain::text(&page(false, Some(FILE_WIDTH))))?;
    if arguments.json {
        terminal.data(&told.json())?;
    } else {
        terminal.page(|colour| page(colour, terminal.line_width()))?;
    }
    note_files(&told, terminal);
    let interrupted = session.stop.load(Ordering::Relaxed);
    Ok(if interrupted { Exit::Interrupted } else { Exit::Passed })
}

/// Warns if the failure may not be the recorded one.
fn warn_of_changes(recorded: &Capsule, terminal: Terminal) {
    if let Some(mismatch) = recorded.mismatch() {
        terminal.warn(&format!("other code: {mismatch}; shrinking the failure on this code"));
    }
    if recorded.plan_is == PlanIs::Edited {
        terminal.warn(
            "the capsule's hash shows that its plan was edited; shrinking the failure of this plan",
        );
    }
}

/// Whether the first run must have the recorded trace hash. A plan without a hash is compared with itself at the
/// end, once it is small.
fn is_comparable(recorded: &Capsule, limits: Limits) -> bool {
    recorded.mismatch().is_none()
        && recorded.plan_is == PlanIs::Recorded
        && limits == Limits::only(recorded.limit)
        && !recorded.trace_hash.is_empty()
}

/// Plays the smallest case once more, with its story. A second Ctrl-C kills: this run must not end early,
/// because the files depend on it.
fn follow(case: &Case, target: &Signature, limits: Limits) -> (Outcome, Option<Story>) {
    let hazards = Hazards::of(&case.plan.scenario);
    let follow = Follow::new(cast(case, target), hazards, ALL_OF_IT).with_every_fault();
    let look = Look { watch: Watch::of(Some(follow), None, None), limits, ..Look::default() };
    let mut last = run_watched(&case.plan, &Arc::default(), look);
    let end = last.end();
    let follow = last.watch.take().and_then(|watch| watch.follow);
    (last, follow.map(|follow| follow.finish(end)))
}

fn note_files(told: &SearchResult<'_>, terminal: Terminal) {
    terminal.note(&format!(
        "files in {}: {CAPSULE}, {SCENARIO}, {REGRESSION} for tests/suite, {STORY}",
        told.dir.display()
    ));
    if let Some(saved) = &told.saved {
        terminal.note(&format!("saved as {}", saved.display()));
    }
}

const ALL_OF_IT: (Instant, Instant) = (Instant::ZERO, Instant::MAX);

/// Largest number of people whose story is told at once.
const LEADS_MAX: usize = 10;

/// The subjects of a case's story: the facts and sessions named in the evidence, if any; else everybody who is
/// left, if they are few; else the people named in the evidence, or its other subjects if it names nobody.
fn cast(case: &Case, target: &Signature) -> Cast {
    let scenario = &case.plan.scenario;
    let failure = case.trial.failure(target);
    let named = failure.map(|failure| failure.follow.clone()).unwrap_or_default();
    let is_of_facts = |subject: &subject::Subject| {
        matches!(subject, subject::Subject::Session(_) | subject::Subject::Fact(_))
    };
    if named.iter().any(is_of_facts) {
        return Cast::new(named, setup(scenario).placement, run::naming(scenario));
    }
    let told_of: BTreeSet<u32> = failure.map(|failure| failure.people.clone()).unwrap_or_default();
    let places = if told_of.is_empty() { named } else { Vec::new() };
    let leads: Vec<u32> = match &scenario.crowd.arrivals {
        Arrivals::Named { people } if people.len() <= LEADS_MAX => {
            people.iter().map(|&(_, user)| user).collect()
        }
        Arrivals::Named { .. }
        | Arrivals::Constant { .. }
        | Arrivals::Poisson { .. }
        | Arrivals::Ramp { .. }
        | Arrivals::Spike { .. }
        | Arrivals::OnSale { .. }
        | Arrivals::Trace { .. } => told_of.into_iter().take(LEADS_MAX).collect(),
    };
    let people = leads.into_iter().map(|user| subject::Subject::User(UserId(user)));
    let subjects = people.chain(places).collect();
    Cast::new(subjects, setup(scenario).placement, run::naming(scenario))
}

/// The case to shrink; a seed or a plan makes a capsule without expectations.
fn read(arguments: &ShrinkArgs, reach: Reach) -> Result<Capsule, Failure> {
    match (&arguments.subject, &arguments.scenario) {
        (Subject::Seed(seed), Some(scenario)) => {
            Ok(Plan::new(&scenario_of(scenario, *seed, reach)?, *seed).into())
        }
        (Subject::File(file), None) => Ok(capsule::read(file)?),
        (Subject::Seed(_), None) | (Subject::File(_), Some(_)) => {
            Err(half_named(&arguments.subject, "shrink"))
        }
    }
}

/// Names that are tried for a directory, the first without a number.
const TRIES_OF_A_NAME: u32 = 1_000;

/// The directory for the files: never that of the input.
fn directory_for(arguments: &ShrinkArgs, plan: &Plan) -> Result<PathBuf, Failure> {
    let names = [CAPSULE, SCENARIO, REGRESSION, STORY];
    let claim = |dir: &Path| {
        let mut claims = Claims::default();
        match &arguments.subject {
            Subject::File(file) => claims.reads("the input", file),
            Subject::Seed(_) => claims.reads_scenario(&plan.scenario),
        }
        claim_dir(&mut claims, dir, plan, &names)
    };
    if let Some(out) = &arguments.out {
        claim(out)?;
        return Ok(out.clone());
    }
    // The results of earlier searches stay.
    let numbered = (2..TRIES_OF_A_NAME).map(|nth| default_dir(plan, "shrink-", &format!("-{nth}")));
    let mut dirs = std::iter::once(default_dir(plan, "shrink-", "")).chain(numbered);
    let free = dirs.find(|dir| !dir.exists() && claim(dir).is_ok());
    free.ok_or_else(|| Failure::Usage("no name is left for the results: give --out DIR".to_owned()))
}

/// The order of failures: a broken promise is a cause and comes before a long wait, which is a consequence; then
/// the first in time; a failure found at the end of the run comes last.
fn found_at(outcome: &Outcome, failure: &Signature) -> (bool, u64) {
    let is_of_waiting =
        [Oracle::Live, Oracle::Latency].map(Oracle::name).contains(&failure.oracle.as_str());
    let mut results = outcome.summary.facts.oracles.iter();
    let result = results.find(|result| result.name == failure.oracle);
    let evidence = result.and_then(|result| result.evidence.as_ref());
    let found = evidence.and_then(|evidence| evidence.found_us);
    (is_of_waiting, found.unwrap_or(u64::MAX))
}

/// The failure to keep: the requested one, or the first in time.
fn target(
    oracle: Option<&str>,
    outcome: &Outcome,
    recorded: &Capsule,
) -> Result<Signature, Failure> {
    let failures = Signature::all(outcome);
    let names =
        failures.iter().map(|failure| failure.oracle.as_str()).collect::<Vec<_>>().join(", ");
    let wanted = |name: &str| failures.iter().find(|failure| failure.oracle == name).cloned();
    let found = match oracle {
        Some(name) => wanted(name),
        None => {
            let is_recorded = |failure: &&Signature| recorded.failed.contains(&failure.oracle);
            let earliest = |failures: Vec<&Signature>| {
                failures.into_iter().min_by_key(|failure| found_at(outcome, failure)).cloned()
            };
            earliest(failures.iter().filter(is_recorded).collect())
                .or_else(|| earliest(failures.iter().collect()))
        }
    };
    found.ok_or_else(|| {
        Failure::Usage(match oracle {
            Some(name) if !failures.is_empty() => {
                let fail = if failures.len() == 1 { "fails" } else { "fail" };
                format!("{name} does not fail on this code, but {names} {fail}: nothing was shrunk")
            }
            Some(_) | None => "nothing fails on this code: there is nothing to shrink".to_owned(),
        })
    })
}

/// Complains if a run is not the expected one.
fn differs(trace_hash: &str, case: &Case, terminal: Terminal) -> Option<Exit> {
    (trace_hash != case.trial.trace_hash).then(|| {
        terminal.error(&format!(
            "two runs of one plan differ: trace hashes {trace_hash} and {}; `onsale replay --verify` \
             finds the first event",
            case.trial.trace_hash
        ));
        Exit::Internal
    })
}

/// The search as shown to the user.
struct Search<'a> {
    budget: Span,
    stopwatch: Stopwatch,
    session: &'a Progress,
    /// Limits of each run.
    limits: Limits,
    /// The error of a best result that could not be written.
    unsaved: Option<ReportError>,
}

impl Search<'_> {
    fn carry_out(
        &mut self,
        start: Case,
        target: &Signature,
        jobs: Option<NonZeroUsize>,
        shelf: &Shelf<'_>,
        terminal: Terminal,
    ) -> shrink::Shrunk {
        let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let jobs = jobs.map_or_else(cores, NonZeroUsize::get);
        let (line, limits) = (line(terminal), self.limits);
        let runner = |plan: &Plan, progress: &Arc<Progress>| {
            Trial::of(&run_within(plan, progress, Tracing::default(), limits))
        };
        let mut watch = |standing: &Standing<'_>| {
            if standing.is_new
                && let Err(error) = shelf.put_capsule(standing.best)
            {
                self.unsaved = Some(error);
            }
            let left = self.budget.as_secs_f64() - self.stopwatch.elapsed_s();
            line.set_message(progress_words(standing, left));
            line.tick();
            left > 0.0 && self.unsaved.is_none() && !self.session.stop.load(Ordering::Relaxed)
        };
        let shrunk = shrink::shrink(start, target, jobs, &runner, &mut watch);
        line.finish_and_clear();
        shrunk
    }
}

fn line(terminal: Terminal) -> ProgressBar {
    let target = if terminal.shows_progress() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let template = if terminal.colours_progress() {
        "{prefix:.bold} {spinner:.cyan} {msg}"
    } else {
        "{prefix} {spinner} {msg}"
    };
    let line = ProgressBar::with_draw_target(None, target);
    line.set_style(ProgressStyle::with_template(template).expect("the template is sound"));
    line.set_prefix("shrinking");
    line
}

fn progress_words(standing: &Standing<'_>, left_s: f64) -> String {
    let Scale { faults, users, duration_s, .. } = Scale::of(standing.best);
    format!(
        "{} · {} · {} · {} runs · {} left",
        plural(faults, "fault"),
        plural(users, "user"),
        human::seconds(duration_s),
        human::count(standing.runs),
        human::seconds(left_s.max(0.0).ceil())
    )
}

fn plural(count: u64, noun: &str) -> String {
    format!("{} {noun}{}", human::count(count), if count == 1 { "" } else { "s" })
}
