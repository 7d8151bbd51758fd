//! `onsale check`: many seeds of many scenarios, and their totals.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use onsale_reports::sweep::{Stopped, SweepFacts, Wall};
use onsale_reports::{
    Oracle, ReportError, annotations, directory, human, junit, step_summary, terminal as page,
};
use onsale_scenarios::reading::Reach;
use onsale_scenarios::{Scenario, catalogue};
use onsale_sim::plan::Plan;
use onsale_sim::run::reproduce::{replay_line, seed_of};
use onsale_sim::wall;
use onsale_sim::wall::Stopwatch;
use onsale_world::Progress;
use onsale_world::limits::Limits;

use super::{Failure, OUT, detect, stop_on_signals};
use crate::capsule::Capsule;
use crate::cli::check::{CheckArgs, ReportArgs};
use crate::exit::Exit;
use crate::files::{self, Claims};
use crate::invocation::spoken;
use crate::progress::{self, Goal, Swept};
use crate::settings;
use crate::sweep::guide::Guide;
use crate::sweep::play::{Played, planned, play};
use crate::sweep::pool::{self, Stop};
use crate::sweep::results::{self, Existing, Writer};
use crate::sweep::seeds::Seeds;
use crate::sweep::slice::Slice;
use crate::sweep::totals::{self, Totals};
use crate::sweep::watch::Watch;
use crate::sweep::{Header, Item};
use crate::terminal::Terminal;

/// Default limit on the events of a drawn scenario: some draw a hundred times more events than others.
const SETTINGS_CAP: Limits = Limits { events_max: 5_000_000, bytes_max: 512 << 20 };

/// Greatest first seed of a guided sweep: no run's seed exceeds the greatest number.
const GUIDED_MAX: u64 = u64::MAX / 2;

/// Number of distinct failures of which a capsule is kept.
const CAPSULES_MAX: usize = 20;

/// Runs a sweep and reports its results.
pub(super) fn check(
    arguments: &CheckArgs,
    reach: Reach,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let usual = if arguments.unsafe_settings { "unsafe" } else { "fast" };
    let scenarios = if arguments.settings {
        // Any drawn scenario represents all of them.
        vec![settings::drawn(0)]
    } else {
        scenarios(&arguments.scenarios, usual, reach)?
    };
    if arguments.unsafe_settings {
        return detect::detect(&scenarios, arguments, terminal);
    }
    let regressions = if arguments.skip_regressions { Vec::new() } else { regressions() };
    let header = header(arguments, &scenarios)?.after(&regressions);
    let scenarios = [regressions, scenarios].concat();
    let dir = arguments.out.clone().unwrap_or_else(|| Path::new(OUT).join("check"));
    let path = arguments.results.clone().unwrap_or_else(|| dir.join("results.jsonl"));
    let mut claims = Claims::default();
    scenarios.iter().for_each(|scenario| claims.reads_scenario(scenario));
    claims.takes("--results", &path)?;
    make_room(&arguments.report, &mut claims)?;
    let mut totals = Totals::new(&header).in_dir(&dir);
    let guide = header.guided.then(|| Guide::new(&header));
    if arguments.report.junit_seeds {
        totals = totals.by_seed();
    }
    let mut items = header.items();
    let (results, known) = results::open(&path, &header, existing(arguments), |result| {
        totals.add(&result);
        if let (Some(guide), Some(item)) = (&guide, items.next()) {
            guide.recall(item, &result, &scenarios);
        }
    })?;
    if known > 0 {
        terminal.note(&format!("resumed after {}", human::counted(known, "result")));
    }

    let stopwatch = Stopwatch::start();
    let mut sweep = Sweep {
        header: &header,
        scenarios: &scenarios,
        dir,
        totals,
        guide: guide.as_ref(),
        results,
        trouble: None,
    };
    let stopped = sweep.carry_out(arguments, known, stopwatch, terminal);
    let Sweep { totals, dir, trouble, .. } = sweep;
    let stopped = trouble.as_ref().map(|_| Stopped::BrokenOff).or(stopped);

    let mut facts = addressed(totals.facts(stopped));
    facts.wall = Some(Wall { seconds: stopwatch.elapsed_s(), runs: facts.runs() - known });
    let told = facts.failures.iter_mut().chain(&mut facts.expected);
    for failure in told.filter(|failure| failure.found < CAPSULES_MAX) {
        let capsule = files::capsule_of(&dir, &failure.scenario, failure.seen.first_seed);
        failure.capsule = Some(capsule.display().to_string());
    }
    let exit = report(&facts, &arguments.report, terminal)?;
    note_files(&facts, (&path, &dir), terminal);
    match trouble {
        Some(trouble) => Err(trouble),
        None => Ok(exit),
    }
}

/// What becomes of results that exist.
const fn existing(arguments: &CheckArgs) -> Existing {
    match (arguments.resume, arguments.overwrite) {
        (true, _) => Existing::Resume,
        (false, true) => Existing::Replace,
        (false, false) => Existing::Keep,
    }
}

/// Notes how fast a sweep was, and where its results and capsules are.
fn note_files(facts: &SweepFacts, (results, capsules): (&Path, &Path), terminal: Terminal) {
    if let Some(wall) = facts.wall.filter(|wall| wall.seconds > 0.0) {
        terminal.note(&format!(
            "{} in {} · {} seeds/s",
            human::counted(wall.runs, "seed"),
            human::seconds(wall.seconds),
            human::rate(wall.runs as f64 / wall.seconds)
        ));
    }
    terminal.note(&format!("results in {}", results.display()));
    if !facts.failures.is_empty() {
        terminal.note(&format!("capsules of the first failures in {}", capsules.display()));
    }
}

/// The totals, adapted to their reader: commands as the program was started, and scenarios with their files
/// relative to the top of the repository.
pub(super) fn addressed(mut facts: SweepFacts) -> SweepFacts {
    for failure in facts.failures.iter_mut().chain(&mut facts.expected) {
        failure.reproduce = spoken(&failure.reproduce);
    }
    let here = std::env::current_dir().unwrap_or_default();
    let top = std::env::var_os("GITHUB_WORKSPACE").map_or_else(|| here.clone(), PathBuf::from);
    for scenario in &mut facts.scenarios {
        scenario.file = file_of(&scenario.id, &here, &top);
        let ranges = scenario.buckets.iter_mut().flat_map(|bucket| &mut bucket.failures);
        for failure in ranges {
            failure.reproduce = spoken(&failure.reproduce);
        }
    }
    facts
}

/// The folder of the catalogue in the program's own repository.
const CATALOGUE: &str = "scenarios/catalogue";

/// The file of a scenario, relative to the top of a repository; `None` if it is not in one.
fn file_of(id: &str, here: &Path, top: &Path) -> Option<String> {
    let comes_along = top.join(CATALOGUE).join(format!("{id}.toml"));
    let file = [here.join(id), comes_along].into_iter().find(|file| file.is_file())?;
    let (file, top) = (file.canonicalize().ok()?, top.canonicalize().ok()?);
    let parts = file.strip_prefix(top).ok()?.iter();
    Some(parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/"))
}

/// Reports a sweep: the files, the annotations, and last the page.
pub(super) fn report(
    facts: &SweepFacts,
    arguments: &ReportArgs,
    terminal: Terminal,
) -> Result<Exit, Failure> {
    let mut exit = totals::exit(facts);
    if let Some(path) = &arguments.junit
        && let Err(error) = write_junit(path, facts)
    {
        terminal.error(&error.to_string());
        exit = exit.or(Exit::Internal);
    }
    let on_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|is| is == "true");
    // Failures of slices are reported once, by their merge.
    let is_told = arguments.annotations || (on_github && facts.slice.is_none());
    if is_told {
        terminal.annotations(&annotations::render(facts));
        let summary = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty());
        if let Some(file) = summary.filter(|_| on_github).map(PathBuf::from)
            && let Err(error) = add_summary(&file, facts)
        {
            terminal.warn(&format!("no step summary: {}: {error}", file.display()));
        }
    }
    if arguments.json {
        terminal.data(&facts.to_json())?;
    } else {
        terminal.page(|colour| page::sweep::render(facts, colour, terminal.width()))?;
    }
    Ok(exit)
}

/// Appends to the summary of the step, to which other steps may have written.
fn add_summary(file: &Path, facts: &SweepFacts) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().append(true).create(true).open(file)?;
    file.write_all(step_summary::render(facts).as_bytes())
}

/// Checks before hours of work that the report can be written and replaces no foreign file.
pub(super) fn make_room(arguments: &ReportArgs, claims: &mut Claims) -> Result<(), Failure> {
    let Some(path) = &arguments.junit else { return Ok(()) };
    let usage = |what: &str| Failure::Usage(format!("--junit {}: {what}", path.display()));
    if path.is_dir() || path.file_name().is_none() {
        return Err(usage("a file is expected, as in junit.xml"));
    }
    fs::create_dir_all(parent(path)).map_err(|error| usage(&error.to_string()))?;
    Ok(claims.writes("--junit", path, files::is_junit)?)
}

fn write_junit(path: &Path, facts: &SweepFacts) -> Result<(), ReportError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    directory::publish(parent(path), &name, |out| out.write_all(junit::render(facts).as_bytes()))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// The named scenarios, each once; by default the folder `fast`.
fn scenarios(names: &[String], usual: &str, reach: Reach) -> Result<Vec<Scenario>, Failure> {
    let mut scenarios: Vec<Scenario> = Vec::new();
    let names = if names.is_empty() { &[usual.to_owned()] } else { names };
    for name in names {
        for scenario in catalogue::select(name, reach)? {
            if scenarios.iter().all(|known| known.id != scenario.id) {
                scenarios.push(scenario);
            }
        }
    }
    Ok(scenarios)
}

/// The scenarios of the catalogue that once failed.
fn regressions() -> Vec<Scenario> {
    catalogue::regressions().map(catalogue::Entry::scenario).collect()
}

fn header(arguments: &CheckArgs, scenarios: &[Scenario]) -> Result<Header, Failure> {
    let usual = Seeds { first: 1, last: arguments.time.is_none().then_some(100) };
    let seeds = arguments.seeds.unwrap_or(usual);
    match (seeds.last, arguments.time) {
        (None, None) => Err(Failure::Usage(format!(
            "--seeds {seeds} has no end: give it one, as in {}..={}, or end by time with --for 10m",
            seeds.first,
            seeds.first.saturating_add(99)
        ))),
        (Some(_), Some(_)) => Err(Failure::Usage(format!(
            "--for goes on until the time is over, and --seeds {seeds} has an end: write --seeds {}..",
            seeds.first
        ))),
        (None, Some(_)) | (Some(_), None) => Ok(()),
    }?;
    if arguments.guided && seeds.first > GUIDED_MAX {
        return Err(Failure::Usage(format!(
            "--guided numbers its runs from the first seed on: begin at {GUIDED_MAX} or below"
        )));
    }
    let cap = arguments.settings.then_some(SETTINGS_CAP);
    Ok(Header {
        slice: arguments.slice.unwrap_or(Slice::WHOLE),
        verify_every: arguments.verify_every.map_or(0, u64::from),
        events_max: arguments
            .limits
            .max_events
            .map(u64::from)
            .or_else(|| cap.map(|cap| cap.events_max)),
        bytes_max: arguments.limits.max_memory.or_else(|| cap.map(|cap| cap.bytes_max)),
        settings: arguments.settings,
        guided: arguments.guided,
        fail_fast: arguments.fail_fast,
        ..Header::new(scenarios, seeds)
    })
}

/// A running sweep.
struct Sweep<'a> {
    header: &'a Header,
    scenarios: &'a [Scenario],
    dir: PathBuf,
    totals: Totals,
    guide: Option<&'a Guide>,
    results: Writer,
    /// The error of a file that could not be written.
    trouble: Option<Failure>,
}

impl Sweep<'_> {
    /// Plays the runs without a result. Returns the reason for an early end.
    fn carry_out(
        &mut self,
        arguments: &CheckArgs,
        known: u64,
        stopwatch: Stopwatch,
        terminal: Terminal,
    ) -> Option<Stopped> {
        if self.is_over() {
            return Some(Stopped::FirstFailure);
        }
        let (header, scenarios, guide) = (self.header, self.scenarios, self.guide);
        let stop = Arc::new(Stop::default());
        let asked = Arc::clone(&stop);
        stop_on_signals(terminal, "the sweep", move || asked.ask());
        let limit_s = arguments.time.map(|time| time.as_secs_f64());
        let items = header
            .items()
            .skip(usize::try_from(known).unwrap_or(usize::MAX))
            .take_while(|_| limit_s.is_none_or(|limit_s| stopwatch.elapsed_s() < limit_s));

        let (swept, watch) = (Swept::default(), Watch::default());
        let sweep = || {
            let work = |item: Item, progress: &Arc<Progress>| {
                let planned = planned(header, scenarios, item, guide, progress)?;
                let item = planned.item;
                let stopwatch = Stopwatch::start();
                let play = || play(header, planned, progress);
                let played = watch.over(item, progress, play)?;
                Some((item, played, stopwatch.elapsed_s()))
            };
            pool::in_order(arguments.jobs(), items, &stop, work, |(item, played, wall_s)| {
                let going = self.take(item, &played, wall_s);
                swept.done.fetch_add(1, Ordering::Relaxed);
                swept.failed.store(self.totals.failed_runs(), Ordering::Relaxed);
                going
            });
        };
        let look = |_| {
            if let Some(item) = watch.look() {
                give_up(&scenarios[item.scenario].id, item.seed, terminal);
            }
        };
        let sweep = || wall::every(Watch::PACE, look, sweep);
        let goal = match (limit_s, header.runs()) {
            (Some(limit_s), _) => Goal::Seconds(limit_s),
            (None, count) => {
                let all = count.unwrap_or(0);
                Goal::Runs((all / u64::from(header.slice.of)).saturating_sub(known))
            }
        };
        progress::show_sweep(goal, &swept, terminal.line(), |words| terminal.note(words), sweep);
        if self.is_over() {
            Some(Stopped::FirstFailure)
        } else {
            stop.asked().then_some(Stopped::Interrupted)
        }
    }

    /// Keeps a result: its capsule first, so that the capsule exists once the line does.
    fn take(&mut self, item: Item, played: &Played, wall_s: f64) -> ControlFlow<()> {
        let before = self.totals.distinct();
        self.totals.add_made(&played.result, wall_s);
        let kept = match &played.capsule {
            Some(capsule)
                if played.result.near
                    || self.totals.distinct() > before && before < CAPSULES_MAX =>
            {
                let run = files::of_run(&played.result.scenario, played.result.seed);
                let dir = self.dir.join(run);
                let mut claims = Claims::default();
                let claimed = claims.writes_into("--out", &dir, &[files::CAPSULE]);
                claimed.map_err(Failure::Refused).and_then(|()| Ok(write_capsule(&dir, capsule)?))
            }
            Some(_) | None => Ok(()),
        };
        if let Some(guide) = self.guide {
            guide.take(item, &played.result, || Plan::clone(&played.plan));
        }
        let kept = kept.and_then(|()| Ok(self.results.append(&played.result)?));
        self.trouble = kept.err();
        if self.trouble.is_some() || self.is_over() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Whether it was told to end at its first failure and had one.
    const fn is_over(&self) -> bool {
        self.header.fail_fast && self.totals.failed_runs() > 0
    }
}

/// Ends the program because a turn never ends: its thread can be neither stopped nor waited for. All earlier
/// results are on disk already.
fn give_up(scenario: &str, seed: u64, terminal: Terminal) -> ! {
    terminal.error(&format!(
        "seed {seed} of {scenario} has shown no event for {}: it is in a turn that never ends, \
         which fails {}; results up to it are kept\n\n{}",
        human::seconds(f64::from(Watch::PATIENCE) * Watch::PACE.as_secs_f64()),
        Oracle::Budget.name(),
        spoken(&replay_line(&seed_of(seed, scenario)))
    ));
    std::process::exit(Exit::OracleFailed as i32);
}

fn write_capsule(dir: &Path, capsule: &Capsule) -> Result<(), ReportError> {
    directory::publish(dir, files::CAPSULE, |out| out.write_all(capsule.to_json().as_bytes()))
}
