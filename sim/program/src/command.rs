//! The commands: one module each, and the code shared by those that play a plan.
//!
//! Owns how a run is carried out for a user: progress, Ctrl-C, the second run of `--verify`, the files, and the
//! output at the end. Refuses to know where a plan comes from.

mod check;
mod completions;
mod detect;
mod looking;
mod merge;
mod reference;
mod replay;
mod run;
mod scenarios;
mod shrink;

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use onsale_reports::history::is_history;
use onsale_reports::plain::quoted;
use onsale_reports::{ReportError, directory, human, terminal as page};
use onsale_scenarios::Scenario;
use onsale_scenarios::catalogue::{self, LoadError};
use onsale_scenarios::reading::Reach;
use onsale_sim::plan::Plan;
use onsale_sim::run::{Look, Outcome, run_watched};
use onsale_sim::story::telling::Story;
use onsale_sim::wall::Stopwatch;
use onsale_world::limits::Limits;
use onsale_world::{Progress, Tracing};

use self::looking::Looking;
use crate::capsule::code_version;
use crate::capsule::{Capsule, CapsuleError};
use crate::cli::{Cli, PlayArgs, Subject, Verb};
use crate::exit::Exit;
use crate::files::{self, Claims, Refusal};
use crate::invocation::spoken;
use crate::settings;
use crate::sweep::merge::MergeError;
use crate::sweep::results::ResultsError;
use crate::terminal::Terminal;
use crate::verify::{Parted, parted};

/// The default directory for the files of runs.
const OUT: &str = "onsale-out";

/// The reason why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The command line is invalid.
    #[error("{0}")]
    Usage(String),
    /// There is no such scenario, or it is invalid.
    #[error(transparent)]
    Scenario(#[from] LoadError),
    /// There is no such capsule, or it is invalid.
    #[error(transparent)]
    Capsule(#[from] CapsuleError),
    /// The trace cannot be written.
    #[error("cannot write the trace {file}: {source}")]
    Trace {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The history cannot be written.
    #[error("cannot write the history {file}: {source}")]
    History {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file may not be written.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The results of a sweep cannot be written or read.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// The slices of a sweep cannot be merged.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A file cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Standard output cannot be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] std::io::Error),
}

/// Carries out a command and returns the exit code.
pub(crate) fn carry_out(cli: Cli) -> Exit {
    let terminal = Terminal::new(cli.color, cli.quiet);
    let reach = if cli.allow_outside { Reach::Anywhere } else { Reach::Below };
    let result = match cli.verb {
        Verb::Run(arguments) => run::run(&arguments, reach, terminal),
        Verb::Replay(arguments) => replay::replay(&arguments, reach, terminal),
        Verb::Shrink(arguments) => shrink::shrink(&arguments, reach, terminal),
        Verb::Check(arguments) => check::check(&arguments, reach, terminal),
        Verb::Merge(arguments) => merge::merge(&arguments, terminal),
        Verb::Scenarios { verb } => scenarios::scenarios(&verb, reach, terminal),
        Verb::Completions { shell } => completions::completions(shell, terminal),
    };
    result.unwrap_or_else(|failure| {
        match &failure {
            Failure::Scenario(error) => terminal.diagnostic(error),
            Failure::Usage(_)
            | Failure::Capsule(_)
            | Failure::Trace { .. }
            | Failure::History { .. }
            | Failure::Refused(_)
            | Failure::Results(_)
            | Failure::Merge(_)
            | Failure::Report(_)
            | Failure::Output(_) => terminal.error(&failure.to_string()),
        }
        match failure {
            Failure::Results(ResultsError::System { .. })
            | Failure::Trace { .. }
            | Failure::History { .. }
            | Failure::Report(_)
            | Failure::Output(_) => Exit::Internal,
            Failure::Usage(_)
            | Failure::Scenario(_)
            | Failure::Capsule(_)
            | Failure::Refused(_)
            | Failure::Results(_)
            | Failure::Merge(_) => Exit::Usage,
        }
    })
}

/// A plan and the options for playing it.
struct Play<'a> {
    plan: &'a Plan,
    arguments: &'a PlayArgs,
    /// Its limits.
    limits: Limits,
    /// The looks at it: story, trace, stop.
    looking: Looking,
    /// The directory for its files; `None` for no files.
    dir: Option<PathBuf>,
    /// The command that plays it again.
    reproduce: String,
    terminal: Terminal,
}

/// The outcome of a run and the exit code.
struct Played {
    outcome: Outcome,
    exit: Exit,
}

impl Play<'_> {
    /// Plays the plan, writes its files and prints its summary.
    ///
    /// # Errors
    /// If the files cannot be written: then nothing is played.
    fn carry_out(mut self) -> Result<Played, Failure> {
        if let Some(dir) = &self.dir {
            directory::make(dir)?;
        }
        self.reproduce = spoken(&self.reproduce);
        let progress = Arc::new(Progress::default());
        let run = Arc::clone(&progress);
        stop_on_signals(self.terminal, "the run", move || run.stop.swap(true, Ordering::Relaxed));
        let mut looking = std::mem::take(&mut self.looking);
        let mut look = looking.look(|look| self.run(&progress, look));
        look.tracing.trail = self.arguments.verify;
        let mut outcome = self.run(&progress, look);
        let mut exit = Exit::of(&outcome.summary.facts);
        let verifies = self.arguments.verify && exit != Exit::Interrupted;
        let parted = if verifies { self.verify(&progress, &looking, &outcome) } else { None };
        let story = looking.finish(outcome.watch.take(), outcome.end(), self.terminal);

        // First the files, then the data, then the errors: none of them prevents the others.
        let written = self.write(&outcome);
        let facts = &outcome.summary.facts;
        let said = story.and_then(|story| self.tell(&looking, story.as_ref(), &outcome));
        if let Err(failure) = said {
            self.terminal.error(&failure.to_string());
            exit = exit.or(Exit::Internal);
        }
        match written {
            Ok(Some(dir)) if matches!(exit, Exit::OracleFailed | Exit::LatencyMissed) => {
                let capsule = shown(&dir.join(files::CAPSULE));
                self.terminal.note(&format!(
                    "files in {}; the failure in one file: {capsule}",
                    dir.display()
                ));
            }
            Ok(Some(dir)) => self.terminal.note(&format!("files in {}", dir.display())),
            Ok(None) => {}
            Err(error) => {
                self.terminal.error(&error.to_string());
                exit = exit.or(Exit::Internal);
            }
        }
        if exit == Exit::NotExercised {
            let misses = facts.must_exercise_misses.join(", ");
            self.terminal.warn(&if misses.is_empty() {
                "not a pass: no oracle had anything to check".to_owned()
            } else {
                format!("not a pass: {misses}: not exercised")
            });
        }
        if let Some(parted) = parted {
            self.terminal.error(&parted.to_string());
            exit = Exit::Internal;
        }
        Ok(Played { outcome, exit })
    }

    /// The data: the summary, or the story with the verdicts.
    fn tell(
        &self,
        looking: &Looking,
        story: Option<&Story>,
        outcome: &Outcome,
    ) -> Result<(), Failure> {
        let (summary, terminal) = (&outcome.summary, self.terminal);
        let said = match story {
            Some(story) if self.arguments.json => terminal.data(&Looking::json(story, summary)),
            Some(story) => terminal.page(|colour| looking.page(story, summary, colour, terminal)),
            None if self.arguments.json => terminal.data(&summary.to_json()),
            None => terminal.page(|colour| page::render(summary, colour, terminal.width())),
        };
        Ok(said?)
    }

    /// Plays one run, with progress.
    fn run(&self, progress: &Arc<Progress>, look: Look) -> Outcome {
        let look = Look { limits: self.limits, ..look };
        let work = || run_watched(self.plan, progress, look);
        let mut outcome = if self.terminal.shows_progress() && !self.arguments.json {
            crate::progress::show(
                &self.plan.scenario,
                progress,
                self.terminal.colours_progress(),
                work,
            )
        } else {
            work()
        };
        // Only the program knows the commit that it was built from and how it was started.
        let facts = &mut outcome.summary.facts;
        code_version().clone_into(&mut facts.code_version);
        facts.reproduce.clone_from(&self.reproduce);
        outcome
    }

    /// Plays the plan again and compares; if they differ, two more runs find the words for the difference.
    fn verify(
        &self,
        progress: &Arc<Progress>,
        looking: &Looking,
        first: &Outcome,
    ) -> Option<Parted> {
        let run = |tracing| self.run(progress, Look { tracing, ..looking.unwatched() });
        let second = run(Tracing { trail: true, describe: None });
        if progress.stop.load(Ordering::Relaxed) {
            self.terminal.warn("interrupted during the second run: nothing was verified");
            return None;
        }
        let parted = parted(first, &second, run);
        if parted.is_none() {
            let facts = &first.summary.facts;
            let events = human::count(facts.events);
            self.terminal.note(&format!(
                "two runs, {events} events each, trace {}: identical",
                facts.trace_hash
            ));
        }
        parted
    }

    /// Writes the run's files and creates their directory, if files are wanted.
    fn write(&self, outcome: &Outcome) -> Result<Option<&Path>, Failure> {
        let Some(dir) = self.dir.as_deref() else { return Ok(None) };
        // Another process may have taken the directory meanwhile.
        files::no_other_run("--out", dir, self.plan)?;
        let capsule =
            (!outcome.failed().is_empty()).then(|| Capsule::new(self.plan, outcome).to_json());
        directory::write(
            dir,
            &outcome.summary,
            &outcome.records,
            &self.plan.to_json(),
            capsule.as_deref(),
        )?;
        Ok(Some(dir))
    }
}

/// Handles Ctrl-C and SIGTERM: the first asks the running work to end, a later one kills the program. `ask` says
/// whether it had been asked before. A signal right behind the first counts as the same: `timeout` signals the
/// program and then its whole group.
fn stop_on_signals(
    terminal: Terminal,
    what: &'static str,
    ask: impl Fn() -> bool + Send + Sync + 'static,
) {
    let first = OnceLock::new();
    let end = Arc::new(move || {
        let since_s = first.get_or_init(Stopwatch::start).elapsed_s();
        if ask() {
            if since_s < SAME_SIGNAL_S {
                return;
            }
            std::process::exit(Exit::Interrupted as i32);
        }
        terminal.note(&format!("interrupted: ending {what}; a second signal kills it"));
    });
    let again = Arc::clone(&end);
    if let Err(error) = ctrlc::set_handler(move || end()) {
        terminal.warn(&format!("Ctrl-C will end {what} without a report: {error}"));
    }
    if let Err(error) = on_termination(move || again()) {
        terminal.warn(&format!("SIGTERM will end {what} without a report: {error}"));
    }
}

/// Signals closer together than this, in seconds, count as one request.
const SAME_SIGNAL_S: f64 = 0.5;

/// Calls `end` at each SIGTERM, on its own thread. `ctrlc` would also take SIGHUP, which `nohup` is meant to
/// ignore.
#[cfg(unix)]
fn on_termination(end: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM])?;
    let wait = move || signals.forever().for_each(|_| end());
    std::thread::Builder::new().name("sigterm".to_owned()).spawn(wait).map(drop)
}

/// This platform has no SIGTERM.
#[cfg(not(unix))]
fn on_termination(_: impl Fn() + Send + 'static) -> std::io::Result<()> {
    Ok(())
}

/// The scenario of a name, as `run`, `replay` and `shrink` take it: one drawn from the seed, or a file's.
fn scenario_of(name: &str, seed: u64, reach: Reach) -> Result<Scenario, LoadError> {
    if name == settings::SETTINGS {
        return Ok(settings::drawn(seed));
    }
    catalogue::load_within(name, reach)
}

/// The name of a run's directory: the scenario's own name, or a longer one if another scenario has taken that
/// name.
fn default_dir(plan: &Plan, prefix: &str, suffix: &str) -> PathBuf {
    let stem = Path::new(&plan.scenario.id)
        .file_stem()
        .map_or_else(|| "run".into(), |stem| stem.to_string_lossy());
    let plain = |letter: char| letter.is_alphanumeric() || "._- ".contains(letter);
    let usual = format!("{prefix}{stem}-{}{suffix}", plan.seed);
    let dir = Path::new(OUT).join(&usual);
    if usual.chars().all(plain) && files::no_other_run("--out", &dir, plan).is_ok() {
        return dir;
    }
    let longer = files::of_run(&plan.scenario.id, plan.seed);
    Path::new(OUT).join(format!("{prefix}{longer}{suffix}"))
}

/// The directory for a run's files, checked for permission: the given one, or the default. Its history is checked, too.
fn dir_of_run(
    claims: &mut Claims,
    plan: &Plan,
    arguments: &PlayArgs,
    suffix: &str,
) -> Result<Option<PathBuf>, Failure> {
    if let Some(history) = &arguments.history {
        claims.writes("--history", history, is_history)?;
    }
    if arguments.no_out {
        return Ok(None);
    }
    let dir = arguments.out.clone().unwrap_or_else(|| default_dir(plan, "", suffix));
    claim_dir(claims, &dir, plan, &files::RUN)?;
    Ok(Some(dir))
}

/// Checks that a run may write its files into a directory.
fn claim_dir(claims: &mut Claims, dir: &Path, plan: &Plan, names: &[&str]) -> Result<(), Failure> {
    claims.writes_into("--out", dir, names)?;
    Ok(files::no_other_run("--out", dir, plan)?)
}

/// The complaint about a seed without its scenario, or a file with one.
fn half_named(subject: &Subject, verb: &str) -> Failure {
    Failure::Usage(match subject {
        Subject::Seed(seed) => format!(
            "a seed means nothing without its scenario: onsale {verb} {seed} --scenario SCENARIO"
        ),
        Subject::File(file) => format!(
            "{} brings its own scenario: leave --scenario out, or give a seed",
            file.display()
        ),
    })
}

fn shown(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}
