//! `onsale shrink`: a failure, made small.
//!
//! Owns the budget, the progress, the files and the words of a search. Refuses to know how
//! the search goes about it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use onsale_booking::{Instant, Span, UserId};
use onsale_reports::terminal::flow;
use onsale_reports::{Oracle, OracleResult, ReportError, directory, human, json, plain};
use onsale_scenarios::Arrivals;
use onsale_scenarios::reading::Reach;
use onsale_sim::plan::Plan;
use onsale_sim::replicated::setup::setup;
use onsale_sim::run::{Look, Outcome, keep_panics_quiet, reproduce, run_watched, run_within};
use onsale_sim::seen::subject;
use onsale_sim::story;
use onsale_sim::story::Watch;
use onsale_sim::story::cast::Cast;
use onsale_sim::story::follow::Follow;
use onsale_sim::story::hazards::Hazards;
use onsale_sim::story::telling::Story;
use onsale_sim::wall::Stopwatch;
use onsale_world::limits::Limits;
use onsale_world::{Progress, Tracing};
use serde::Serialize;

use super::{Failure, claim_dir, default_dir, half_named, scenario_of, shown, stop_on_signals};
use crate::capsule::{self, Capsule, PlanIs};
use crate::cli::Subject;
use crate::cli::shrink::ShrinkArgs;
use crate::exit::Exit;
use crate::files::Claims;
use crate::invocation::spoken;
use crate::shrink::regression::{self, Origin};
use crate::shrink::scale::Scale;
use crate::shrink::{self, Case, Standing, Trial};
use crate::signature::Signature;
use crate::terminal::Terminal;

/// Shrinks what a seed, a capsule or a plan fails with.
pub(super) fn shrink(
    arguments: &ShrinkArgs,
    reach: Reach,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let stopwatch = Stopwatch::start();
    let recorded = read(arguments, reach)?;
    let dir = directory_for(arguments, &recorded.plan)?;
    let other_code = recorded.mismatch();
    if let Some(mismatch) = &other_code {
        terminal.warn(&format!("other code: {mismatch}; what is shrunk is what fails now"));
    }
    if recorded.plan_is == PlanIs::Edited {
        terminal.warn("edited: the plan in this capsule is not the one that failed; what is shrunk is what fails now");
    }
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
    let comparable = other_code.is_none()
        && recorded.plan_is == PlanIs::Recorded
        && limits == Limits::only(recorded.limit);
    // A plan without a hash is compared with itself at the end, once it is small.
    if comparable
        && !recorded.trace_hash.is_empty()
        && let Some(exit) = differs(&recorded.trace_hash, &start, terminal)
    {
        return Ok(exit);
    }

    let origin = Origin {
        scenario: &recorded.plan.scenario.id,
        seed: recorded.plan.seed,
        signature: &target,
        limit: first.limit,
    };
    let shelf = Shelf { dir: &dir, origin };
    shelf.put_capsule(&start)?;
    let mut search =
        Search { budget: arguments.budget, stopwatch, session: &session, limits, unsaved: None };
    let shrunk = search.carry_out(start.clone(), &target, arguments.jobs, &shelf, terminal);
    if let Some(error) = search.unsaved {
        return Err(error.into());
    }
    let best = &shrunk.best;

    // A second Ctrl-C kills: this run must not end early, for it is what the files tell of.
    let hazards = Hazards::of(&best.plan.scenario);
    let follow = Follow::new(cast(best, &target), hazards, ALL_OF_IT).with_every_fault();
    let watch = Watch::of(Some(follow), None);
    let look = Look { watch, limits, ..Look::default() };
    let mut last = run_watched(&best.plan, &Arc::default(), look);
    if let Some(exit) = differs(&last.summary.facts.trace_hash, best, terminal) {
        return Ok(exit);
    }
    let end = last.end();
    let follow = last.watch.take().and_then(|watch| watch.follow);
    let story = follow.map(|follow| follow.finish(end));
    let told = Told {
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
        reproduce: spoken(&reproduce::replay_line(&shown(&dir.join(CAPSULE)))),
    };
    let page = |colour, width| told.page(&last, story.as_ref(), colour, width);
    shelf.put_all(best, &plain::text(&page(false, Some(FILE_WIDTH))))?;
    if arguments.json {
        terminal.data(&told.json())?;
    } else {
        terminal.page(|colour| page(colour, terminal.line_width()))?;
    }
    terminal.note(&format!(
        "files in {}: {CAPSULE}, {SCENARIO}, {REGRESSION} for tests/suite, {STORY}",
        dir.display()
    ));
    let interrupted = session.stop.load(Ordering::Relaxed);
    Ok(if interrupted { Exit::Interrupted } else { Exit::Passed })
}

const ALL_OF_IT: (Instant, Instant) = (Instant::ZERO, Instant::MAX);

/// Of more people no story is told at once.
const LEADS_MAX: usize = 10;

/// The subjects of a case's story: the facts and sessions that the evidence names, if it names any;
/// else everybody who is left, if they are few, or whom the evidence names. Where it names nobody,
/// what it names otherwise is followed as well.
fn cast(case: &Case, target: &Signature) -> Cast {
    let scenario = &case.plan.scenario;
    let failure = case.trial.failure(target);
    let named = failure.map(|failure| failure.follow.clone()).unwrap_or_default();
    let is_of_facts = |subject: &subject::Subject| {
        matches!(subject, subject::Subject::Session(_) | subject::Subject::Fact(_))
    };
    if named.iter().any(is_of_facts) {
        return Cast::new(named, setup(scenario).placement);
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
    Cast::new(people.chain(places).collect(), setup(scenario).placement)
}

const CAPSULE: &str = "capsule.json";
const SCENARIO: &str = "scenario.toml";
const REGRESSION: &str = "regression.rs";
const STORY: &str = "story.txt";

/// Columns of the story in its file.
const FILE_WIDTH: usize = 80;

/// What is to be shrunk; a seed or a plan makes a capsule that expects nothing.
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

/// Where the files go: never over what is shrunk.
fn directory_for(arguments: &ShrinkArgs, plan: &Plan) -> Result<PathBuf, Failure> {
    let names = [CAPSULE, SCENARIO, REGRESSION, STORY];
    let claim = |dir: &Path| {
        let mut claims = Claims::default();
        match &arguments.subject {
            Subject::File(file) => claims.reads("what is shrunk", file),
            Subject::Seed(_) => claims.reads_scenario(&plan.scenario),
        }
        claim_dir(&mut claims, dir, plan, &names)
    };
    if let Some(out) = &arguments.out {
        claim(out)?;
        return Ok(out.clone());
    }
    let dir = default_dir(plan, "shrink-", "");
    if claim(&dir).is_ok() {
        return Ok(dir);
    }
    // What was shrunk before is shrunk again.
    let again = default_dir(plan, "shrink-", "-again");
    claim(&again)?;
    Ok(again)
}

/// What a failure comes first by: that a promise broke is a cause, that somebody had to wait is what
/// comes of it, and of the others the first in time; what took the whole run to judge comes last.
fn found_at(outcome: &Outcome, failure: &Signature) -> (bool, u64) {
    let is_of_waiting =
        [Oracle::Live, Oracle::Latency].map(Oracle::name).contains(&failure.oracle.as_str());
    let mut results = outcome.summary.facts.oracles.iter();
    let result = results.find(|result| result.name == failure.oracle);
    let evidence = result.and_then(|result| result.evidence.as_ref());
    let found = evidence.and_then(|evidence| evidence.found_us);
    (is_of_waiting, found.unwrap_or(u64::MAX))
}

/// The failure that is to stay: the one that is asked for, or the first in time.
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
                format!("{name} does not fail on this code, but {names} does: nothing was shrunk")
            }
            Some(_) | None => "nothing fails on this code: there is nothing to shrink".to_owned(),
        })
    })
}

/// Complains if a run is not the one that it should be.
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

/// The search as a person sees it.
struct Search<'a> {
    budget: Span,
    stopwatch: Stopwatch,
    session: &'a Progress,
    /// How much each run may do.
    limits: Limits,
    /// Why the best result could not be put on disk.
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

/// Where the results stand.
struct Shelf<'a> {
    dir: &'a Path,
    origin: Origin<'a>,
}

impl Shelf<'_> {
    /// The case in the form that replays.
    fn put_capsule(&self, case: &Case) -> Result<(), ReportError> {
        let failed = case.trial.failures.iter().map(|failure| failure.signature.oracle.clone());
        let capsule = Capsule {
            trace_hash: case.trial.trace_hash.clone(),
            failed: failed.collect(),
            limit: self.origin.limit,
            ..Capsule::from(case.plan.clone())
        };
        self.put(CAPSULE, &capsule.to_json())
    }

    fn put_all(&self, case: &Case, story: &str) -> Result<(), ReportError> {
        self.put_capsule(case)?;
        self.put(SCENARIO, &regression::scenario(&case.plan, self.origin))?;
        self.put(REGRESSION, &regression::test(&case.plan, self.origin))?;
        self.put(STORY, story)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), ReportError> {
        directory::publish(self.dir, name, |out| out.write_all(text.as_bytes()))
    }
}

/// What is said at the end.
#[derive(Serialize)]
struct Told<'a> {
    schema: u32,
    scenario: &'a str,
    #[serde(with = "json::seed")]
    seed: u64,
    signature: &'a Signature,
    is_finished: bool,
    runs: u64,
    wall_s: f64,
    before: Scale,
    after: Scale,
    dir: &'a Path,
    reproduce: String,
}

impl Told<'_> {
    fn json(&self) -> String {
        json::pretty(self)
    }

    /// The table, what was found, and what happens in the smallest run.
    fn page(
        &self,
        last: &Outcome,
        story: Option<&Story>,
        colour: bool,
        width: Option<usize>,
    ) -> String {
        let mut text =
            format!("{} · seed {} · {} fails\n\n", self.scenario, self.seed, self.signature.oracle);
        self.table(&mut text);
        let (runs, took) = (human::count(self.runs), human::seconds(self.wall_s));
        let end = if self.is_finished {
            "nothing smaller fails in the same way"
        } else {
            "not at its end: with a larger --budget more may go"
        };
        writeln!(text, "\n  {runs} runs in {took} · {end}\n").expect(TAKES);

        if let Some(story) = story {
            text += &story::page::render(story, colour, width);
        }
        let failed = |result: &&OracleResult| result.name == self.signature.oracle;
        let result = last.summary.facts.oracles.iter().find(failed);
        if let Some(evidence) = result.and_then(|result| result.evidence.as_ref()) {
            let headline = format!("✗ {}: {}", self.signature.oracle, evidence.headline);
            text += "\n";
            hang(&mut text, &headline, (2, 6), width);
            evidence.details.iter().for_each(|detail| hang(&mut text, detail, (6, 8), width));
        }
        writeln!(text, "\n{}", self.reproduce).expect(TAKES);
        text
    }

    fn table(&self, text: &mut String) {
        let (before, after) = (&self.before, &self.after);
        let count =
            |name, of: fn(&Scale) -> u64| (name, human::count(of(before)), human::count(of(after)));
        let rows = [
            ("", "before".to_owned(), "after".to_owned()),
            count("faults", |scale| scale.faults),
            count("users", |scale| scale.users),
            count("shows", |scale| scale.shows),
            count("seats a show", |scale| scale.seats),
            count("nodes", |scale| scale.nodes),
            count("shards", |scale| scale.shards),
            ("duration", human::seconds(before.duration_s), human::seconds(after.duration_s)),
            count("events", |scale| scale.events),
            ("wall", human::millis(before.wall_ms), human::millis(after.wall_ms)),
        ];
        for (name, before, after) in rows {
            writeln!(text, "  {name:<14}{before:>10}{after:>12}").expect(TAKES);
        }
    }
}

/// A text that begins at one column and goes on at another.
fn hang(text: &mut String, words: &str, (first, rest): (usize, usize), width: Option<usize>) {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(rest));
    for (nth, line) in flow(words.split(' '), " ", room).iter().enumerate() {
        let indent = if nth == 0 { first } else { rest };
        writeln!(text, "{:indent$}{line}", "").expect(TAKES);
    }
}

const TAKES: &str = "a string takes what is written to it";
