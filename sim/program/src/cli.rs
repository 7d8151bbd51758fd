//! The command line: commands, options and their help.
//!
//! Owns names, defaults and help of every command. Refuses to know how a command is carried out.

pub mod check;
pub mod shrink;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ColorChoice, Parser, Subcommand};
use clap_complete::Shell;
use onsale_sim::seen::subject;
use onsale_sim::story::written_instant::WrittenInstant;
use onsale_world::limits::{Limit, Limits};

use self::check::{CHECK_EXAMPLES, CheckArgs, MERGE_EXAMPLES, MergeArgs};
use self::shrink::{SHRINK_EXAMPLES, ShrinkArgs};

const ABOUT: &str = "Plays ticket on-sales against a booking cluster, with faults, on virtual time. Checks that no \
                     seat is sold twice and that nothing acknowledged is lost.";

const EXAMPLES: &str = "\
Start here:
  onsale scenarios list                  the scenarios that come with it
  onsale run crash                       play one of them
  onsale run crash --seed 7              the same with another seed
  onsale replay 7 --scenario fast/crash  play it again
  onsale shrink 1 --scenario unsafe/repeat-anew
                                         make a failure small
  onsale check                           a hundred seeds of every fast scenario

From a checkout, write `cargo run --release --` for `onsale`.

Exit codes:
    0  every check passed
    1  an oracle failed
    2  bad usage, or a bad scenario or capsule; to shrink: the run does not fail
    3  no oracle failed but latency: a wait was longer than the scenario allows
    4  nothing was checked, or a required check was not exercised
   70  internal error: two runs of one plan differ, or a result was not written
  130  interrupted by Ctrl-C or SIGTERM; the report covers the part that ran";

const RUN_EXAMPLES: &str = "\
Examples:
  onsale run fast/crash                  by its id in the catalogue
  onsale run stadium-10m                 by its file name, if only one has it
  onsale run ./my-sale.toml --seed 42    your own
  onsale run crash --json | jq .oracles  for programs
  onsale run crash --verify              twice, comparing the two runs
  onsale run crash --history crash.edn   what clients asked and were told

Ctrl-C ends a run early with a valid report of the part that ran; a second
Ctrl-C kills it.";

const REPLAY_EXAMPLES: &str = "\
Examples:
  onsale replay 7 --scenario fast/crash       a seed and its scenario
  onsale replay onsale-out/crash-7/plan.json  the plan of any run
  onsale replay onsale-out/repeat-anew-1/capsule.json
                                              the capsule of a failing run
  onsale replay 7 --scenario crash --follow seat:0/12    the story of one seat
  onsale replay 7 --scenario crash --follow u17 --follow n3 --until 1m35s
  onsale replay 7 --scenario crash --trace crash.json --from 59s --to 62s

A capsule holds the whole plan: neither its scenario nor its seed is needed. If
other code wrote it, a warning says so, and the result says whether the trace
hash is still the same.";

const SCENARIOS_EXAMPLES: &str = "\
Examples:
  onsale scenarios list
  onsale scenarios show crash > my-sale.toml
  onsale scenarios validate my-sale.toml
  onsale scenarios schema > onsale.schema.json

With the line `#:schema ./onsale.schema.json` at the top of a scenario, TOML
editors (taplo, Even Better TOML) complete its keys and underline mistakes.";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  onsale completions bash > ~/.local/share/bash-completion/completions/onsale
  onsale completions fish > ~/.config/fish/completions/onsale.fish";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "onsale", bin_name = "onsale", version = env!("ONSALE_VERSION"), about = ABOUT, after_help = EXAMPLES)]
pub struct Cli {
    /// The command.
    #[command(subcommand)]
    pub verb: Verb,
    /// Colour of the output. NO_COLOR and CLICOLOR_FORCE are respected
    #[arg(long, global = true, value_name = "WHEN", default_value_t = ColorChoice::Auto)]
    pub color: ColorChoice,
    /// Print no progress and no notes, only errors and warnings
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Let scenarios name traces outside of their own folder
    #[arg(long, global = true)]
    pub allow_outside: bool,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Play a scenario and judge it
    #[command(after_help = RUN_EXAMPLES)]
    Run(RunArgs),
    /// Play a run again: a seed, a capsule or a plan
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayArgs),
    /// Shrink a failure: a seed, a capsule or a plan
    #[command(after_help = SHRINK_EXAMPLES)]
    Shrink(ShrinkArgs),
    /// Play many seeds of many scenarios, on all cores
    #[command(after_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
    /// Merge the results of a sweep that was divided into slices
    #[command(after_help = MERGE_EXAMPLES)]
    Merge(MergeArgs),
    /// List, show and validate scenarios
    #[command(after_help = SCENARIOS_EXAMPLES)]
    Scenarios {
        /// The command.
        #[command(subcommand)]
        verb: ScenariosVerb,
    },
    /// Print completions for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Limits past which a run is aborted.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct LimitArgs {
    /// Abort a run after this many events, as failed [default: no limit, or the
    /// capsule's; in a sweep far more than the scenario needs]
    #[arg(long, value_name = "N")]
    pub max_events: Option<NonZeroU64>,
    /// Abort a run whose event queue and simulated disks exceed this size, as failed; 512MiB, 4GiB
    /// [default: as for --max-events]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
}

impl LimitArgs {
    /// These limits; where an option is absent, the limit recorded in a capsule.
    pub fn or(self, recorded: Option<Limit>) -> Limits {
        let recorded = Limits::only(recorded);
        Limits {
            events_max: self.max_events.map_or(recorded.events_max, u64::from),
            bytes_max: self.max_memory.unwrap_or(recorded.bytes_max),
        }
    }

    /// The options as they follow a command: ` --max-events 20000`.
    pub fn words(self) -> String {
        let events = self.max_events.map(|events| Limit::MaxEvents(events.into()));
        let bytes = self.max_memory.map(Limit::MaxBytes);
        events.into_iter().chain(bytes).map(|limit| format!(" {limit}")).collect()
    }
}

/// Reads a size in bytes, written in a binary unit.
fn size(text: &str) -> Result<u64, String> {
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let read = units.into_iter().find_map(|(unit, bits)| {
        let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(1 << bits).filter(|&size| size > 0)
    });
    read.ok_or_else(|| format!("{text:?} is no size; write a whole number and KiB, MiB or GiB"))
}

/// `onsale run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// An id of the catalogue, a file name that is unique in it, or a path to a .toml
    pub scenario: String,
    /// Random seed: the same seed gives the same run [default: the scenario's `replay` seed, else 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    pub seed: Option<u64>,
    /// Print the plan as JSON and run nothing
    #[arg(long, conflicts_with_all = ["verify", "out", "no_out", "history", "json", "max_events", "max_memory"])]
    pub plan_only: bool,
    /// How to play it.
    #[command(flatten)]
    pub play: PlayArgs,
}

/// `onsale replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// A seed (with --scenario), or the path of a capsule.json or plan.json
    #[arg(value_name = "SEED|CAPSULE")]
    pub subject: Subject,
    /// The scenario of the seed
    #[arg(long)]
    pub scenario: Option<String>,
    /// Print the story of seat:SHOW/SEAT, user:U, hold:H, request:R, show:X, shard:S, node:N, session:S or
    /// fact:KIND/N, or of a name as evidence prints it: u17, n3, "show0 seat 12", "session 34", "event 0".
    /// May be repeated
    #[arg(long, value_name = "SUBJECT")]
    pub follow: Vec<subject::Subject>,
    /// Stop at this instant of virtual time, such as 95s, 1m35s or 01:35.250
    #[arg(long, value_name = "T")]
    pub until: Option<WrittenInstant>,
    /// Write a trace for <https://ui.perfetto.dev>
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Begin the story and the trace at this instant
    #[arg(long, value_name = "T")]
    pub from: Option<WrittenInstant>,
    /// End the story and the trace at this instant; the run goes on
    #[arg(long, value_name = "T")]
    pub to: Option<WrittenInstant>,
    /// How to play it.
    #[command(flatten)]
    pub play: PlayArgs,
}

/// How a plan is played.
#[derive(Debug, Args)]
pub struct PlayArgs {
    /// The directory for the run's files [default: onsale-out/NAME-SEED, for a replay NAME-SEED-replay]
    #[arg(long, value_name = "DIR", conflicts_with = "no_out")]
    pub out: Option<PathBuf>,
    /// Write no files
    #[arg(long)]
    pub no_out: bool,
    /// Write what clients asked and were told, for checkers of histories: a .jsonl, or an .edn as Jepsen's tools read it
    #[arg(long, value_name = "FILE")]
    pub history: Option<PathBuf>,
    /// Print the summary as JSON
    #[arg(long)]
    pub json: bool,
    /// Play the run twice and compare event by event
    #[arg(long)]
    pub verify: bool,
    /// Its limits.
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// `onsale scenarios`.
#[derive(Debug, Subcommand)]
pub enum ScenariosVerb {
    /// List the catalogue: ids and titles
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a scenario in full, with every default and a comment at each key
    Show {
        /// An id, a file name or a path, as for `run`
        scenario: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of scenario files, by which editors complete and underline
    Schema,
    /// Print every key, fault, output column, mark and phase with its meaning, as Markdown
    Reference,
    /// Check scenarios without running them
    Validate {
        /// Files, or ids of the catalogue
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// The run to play again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A seed; --scenario names its scenario.
    Seed(u64),
    /// A capsule or a plan.
    File(PathBuf),
}

impl FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("write a seed or a file".to_owned());
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Self::File(text.into()));
        }
        seed(text).map(Self::Seed)
    }
}

/// A seed: digits and nothing else.
fn seed(text: &str) -> Result<u64, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn examples_fit_a_terminal_of_eighty_columns() {
        let command = Cli::command();
        for command in command.get_subcommands().chain([&command]) {
            let help = command.get_after_help().map(ToString::to_string);
            let help = help.unwrap_or_else(|| panic!("{command} has no examples"));
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{command}: {line}");
            }
        }
    }

    #[test]
    fn sizes_read_as_they_are_written() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("4 GiB"), Ok(4 << 30));
        for text in ["", "4", "4GB", "-1GiB", "0KiB", "GiB", "99999999999999GiB"] {
            assert!(size(text).is_err_and(|error| error.contains("MiB")), "{text}");
        }
    }

    #[test]
    fn digits_are_a_seed_and_all_else_is_a_path() {
        assert_eq!("7".parse(), Ok(Subject::Seed(7)));
        assert_eq!("./7".parse(), Ok(Subject::File("./7".into())));
        assert_eq!("out/capsule.json".parse(), Ok(Subject::File("out/capsule.json".into())));
        assert!("18446744073709551616".parse::<Subject>().is_err());
        assert_eq!(seed("5"), Ok(5));
        for text in ["+5", "-5", "", " 5", "5 ", "0x5"] {
            assert!(seed(text).is_err(), "{text}");
        }
    }
}
