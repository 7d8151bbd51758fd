//! What `onsale check` and `onsale merge` can be asked.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;
use onsale_booking::Span;
use onsale_scenarios::parse_span;

use super::LimitArgs;
use crate::sweep::seeds::Seeds;
use crate::sweep::slice::Slice;

pub(super) const CHECK_EXAMPLES: &str = "\
Examples:
  onsale check                                    the folder fast of the catalogue, 100 seeds each
  onsale check crash ./my-sale.toml --seeds 1..5001
  onsale check fast --for 10m --verify-every 50   as many seeds as ten minutes allow
  onsale check --junit junit.xml --fail-fast      in CI
  onsale check --partition hash:2/4               the second of four machines; then onsale merge
  onsale check --resume                           where Ctrl-C or a kill ended it
  onsale check --settings --seeds 1..1001         scenarios from all over the settings' ranges
  onsale check --unsafe                           how soon the oracles see what settings break

The regressions of the catalogue come first, then every scenario under each seed before the next seed begins. The page at the end is the same
for any --jobs, resumed or not. Ctrl-C or SIGTERM ends the sweep and keeps its results, with exit code
130; a second one kills it.

A scenario with `fails` in its `[expect]` passes where that oracle failed and no other, if there are at
least `within` seeds.";

pub(super) const MERGE_EXAMPLES: &str = "\
Examples:
  onsale merge slice-1.jsonl slice-2.jsonl --junit junit.xml
  onsale merge results.jsonl                      the page of one sweep once more

The page, the exit code and, with --results, the file are those of a sweep that was not divided.";

/// `onsale check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Ids, file names or paths as for `run`, or folders of the catalogue [default: fast]
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// A..B without B, A..=B with it, or one seed; with --for, A.. [default: 1..101 or 1..]
    #[arg(long, value_name = "SEEDS", allow_hyphen_values = true)]
    pub seeds: Option<Seeds>,
    /// Go on with rising seeds until the time is over, as 90s, 10m or 8h
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub time: Option<Span>,
    /// Runs at once [default: one a core]
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Measure in how many seeds the oracles see what unsafe settings break, from 20 starts each
    /// [default SCENARIO: unsafe]; ends with 1 if one is not seen within its scenario's limit
    #[arg(long = "unsafe", conflicts_with_all = [
        "seeds", "time", "fail_fast", "verify_every", "slice", "max_events", "max_memory",
        "out", "results", "resume", "overwrite", "junit", "junit_seeds", "annotations", "skip_regressions",
    ])]
    pub unsafe_settings: bool,
    /// Play scenarios that the seeds draw from all over the settings' ranges, one a seed. A run that its
    /// --max-events [default here: 5000000] or --max-memory stops has not failed
    #[arg(long, conflicts_with_all = ["scenarios", "unsafe_settings"])]
    pub settings: bool,
    /// End at the first failure
    #[arg(long)]
    pub fail_fast: bool,
    /// Play every K-th run twice and compare: a difference ends with 70
    #[arg(long, value_name = "K")]
    pub verify_every: Option<NonZeroU64>,
    /// Run one slice of the sweep only: hash:M/N, or count:M/N
    #[arg(long = "partition", value_name = "SLICE")]
    pub slice: Option<Slice>,
    /// Leave out the regressions: scenarios that once failed, each played first under the seed that showed it
    #[arg(long)]
    pub skip_regressions: bool,
    /// How much a run may do.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// The directory for results and capsules [default: onsale-out/check]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The results file, a line each run [default: DIR/results.jsonl]
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// Go on from the results file, if there is one
    #[arg(long, conflicts_with = "overwrite")]
    pub resume: bool,
    /// Replace the results file, if there is one
    #[arg(long)]
    pub overwrite: bool,
    /// What is said of the whole.
    #[command(flatten)]
    pub report: ReportArgs,
}

impl CheckArgs {
    /// Runs at once.
    pub fn jobs(&self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores)
    }
}

/// `onsale merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// Results files, one of each slice
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the results of the whole to this file
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// Replace that file, if there is one
    #[arg(long, requires = "results")]
    pub overwrite: bool,
    /// What is said of the whole.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// What is said of a sweep.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write a report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// A test case each seed, and not each range of seeds
    #[arg(long, requires = "junit")]
    pub junit_seeds: bool,
    /// Print failures as annotations of GitHub Actions [default there, but for a slice: its merge does]
    #[arg(long)]
    pub annotations: bool,
    /// Print the totals as JSON
    #[arg(long)]
    pub json: bool,
}

fn time(text: &str) -> Result<Span, String> {
    match parse_span(text) {
        Ok(Span::ZERO) => Err("no time is no sweep; write 90s, 10m or 8h".to_owned()),
        Ok(time) => Ok(time),
        Err(misread) => Err(misread.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_they_are_written() {
        assert_eq!(time("10m"), Ok(Span::from_secs(600)));
        assert!(time("0s").is_err_and(|error| error.contains("10m")));
        assert!(time("ten minutes").is_err());
    }
}
