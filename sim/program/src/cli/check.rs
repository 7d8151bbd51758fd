//! The options of `onsale check` and `onsale merge`.

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
  onsale check                             100 seeds of each fast scenario
  onsale check crash ./my-sale.toml --seeds 1..5001
  onsale check fast --for 10m --verify-every 50
                                           as many seeds as ten minutes allow
  onsale check --junit junit.xml --fail-fast     in CI
  onsale check --partition hash:2/4        one of four slices; then merge
  onsale check --resume                    continue after Ctrl-C or a kill
  onsale check --settings --seeds 1..1001  scenarios with settings drawn by seed
  onsale check --guided --for 10m          search near plans that reached more
  onsale check --unsafe                    how soon oracles see unsafe settings

The regressions of the catalogue are played first, then every scenario under
each seed before the next seed begins. The page at the end is the same for any
--jobs, resumed or not. Ctrl-C or SIGTERM ends the sweep and keeps its results,
with exit code 130; a second signal kills it.

A scenario with `fails` in its `[expect]` passes if that oracle failed and no
other did, given at least `within` seeds.";

pub(super) const MERGE_EXAMPLES: &str = "\
Examples:
  onsale merge slice-1.jsonl slice-2.jsonl --junit junit.xml
  onsale merge results.jsonl    the page of one sweep once more

The page, the exit code and, with --results, the file are those of a sweep that
was not divided.";

/// `onsale check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Ids, file names or paths as for `run`, or folders of the catalogue [default: fast]
    #[arg(value_name = "SCENARIO")]
    pub scenarios: Vec<String>,
    /// Seeds A..B without B, A..=B with it, or one; with --for, A.. [default: 1..101 or 1..]
    #[arg(long, value_name = "SEEDS", allow_hyphen_values = true)]
    pub seeds: Option<Seeds>,
    /// Play rising seeds until this time is over, such as 90s, 10m or 8h
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    pub time: Option<Span>,
    /// Number of runs at once [default: one a core]
    #[arg(long, short, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Measure how many seeds the oracles need to see what each unsafe setting breaks, from 20 starts each
    /// [default SCENARIO: unsafe]; exits with 1 if one is not seen within its scenario's limit
    #[arg(long = "unsafe", conflicts_with_all = [
        "seeds", "time", "guided", "fail_fast", "verify_every", "slice", "max_events", "max_memory",
        "out", "results", "resume", "overwrite", "junit", "junit_seeds", "annotations", "skip_regressions",
    ])]
    pub unsafe_settings: bool,
    /// Play one generated scenario a seed, which draws every setting from its whole range. A run aborted by
    /// --max-events [default here: 5000000] or --max-memory does not count as failed
    #[arg(long, conflicts_with_all = ["scenarios", "unsafe_settings"])]
    pub settings: bool,
    /// Change plans that reached something new a little and play them again, besides fresh seeds: a search for rare
    /// states, the same for the same seeds on any number of cores. A run of a changed plan is replayed by its capsule
    #[arg(long, conflicts_with_all = ["unsafe_settings", "settings", "slice"])]
    pub guided: bool,
    /// End at the first failure
    #[arg(long)]
    pub fail_fast: bool,
    /// Play every K-th run twice and compare: a difference exits with 70
    #[arg(long, value_name = "K")]
    pub verify_every: Option<NonZeroU64>,
    /// Play only one slice of the sweep: hash:M/N, or count:M/N
    #[arg(long = "partition", value_name = "SLICE")]
    pub slice: Option<Slice>,
    /// Leave out the regressions: scenarios that once failed, played first under the seed that showed it
    #[arg(long)]
    pub skip_regressions: bool,
    /// Limits of a run.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// The directory for results and capsules [default: onsale-out/check]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// The results file, one line a run [default: DIR/results.jsonl]
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// Continue from the results file, if there is one
    #[arg(long, conflicts_with = "overwrite")]
    pub resume: bool,
    /// Replace the results file, if there is one
    #[arg(long)]
    pub overwrite: bool,
    /// Reports of the sweep.
    #[command(flatten)]
    pub report: ReportArgs,
}

impl CheckArgs {
    /// Number of runs at once.
    pub fn jobs(&self) -> NonZeroUsize {
        let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        self.jobs.unwrap_or_else(cores)
    }
}

/// `onsale merge`.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The results file of each slice
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Write the merged results to this file
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
    /// Replace that file, if there is one
    #[arg(long, requires = "results")]
    pub overwrite: bool,
    /// Reports of the sweep.
    #[command(flatten)]
    pub report: ReportArgs,
}

/// Reports of a sweep.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Write a report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Make a test case for each seed instead of each range of seeds
    #[arg(long, requires = "junit")]
    pub junit_seeds: bool,
    /// Print failures as annotations of GitHub Actions [default there, except for slices: their merge does]
    #[arg(long)]
    pub annotations: bool,
    /// Print the totals as JSON
    #[arg(long)]
    pub json: bool,
}

fn time(text: &str) -> Result<Span, String> {
    match parse_span(text) {
        Ok(Span::ZERO) => Err("the time must be above zero; write 90s, 10m or 8h".to_owned()),
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
