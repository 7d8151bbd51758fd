//! The options of `onsale shrink`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use onsale_booking::Span;
use onsale_reports::Oracle;

use super::{LimitArgs, Subject};

pub(super) const SHRINK_EXAMPLES: &str = "\
Examples:
  onsale shrink onsale-out/repeat-anew-1/capsule.json
                                            capsule of a failing run
  onsale shrink 1 --scenario unsafe/repeat-anew --budget 5m
                                            a seed, with more time
  onsale shrink capsule.json --oracle hold  if several oracles failed
  onsale shrink capsule.json --save         keep it as a regression

Tries fewer people, a shorter run, fewer shows, shards, nodes, faults and seats,
and default settings, as long as the same oracle fails in the same words,
numbers apart. The smallest failure so far is always on disk.

Given time to finish, the result depends only on the plan and the code, not on
--jobs. A plan that does not fail is bad usage: exit code 2.";

/// `onsale shrink`.
#[derive(Debug, Args)]
pub struct ShrinkArgs {
    /// A seed (with --scenario), or the path of a capsule.json or plan.json
    #[arg(value_name = "SEED|CAPSULE")]
    pub subject: Subject,
    /// The scenario of the seed
    #[arg(long)]
    pub scenario: Option<String>,
    /// The oracle that must keep failing [default: the first in time, `latency` last]
    #[arg(long, value_name = "NAME", value_parser = oracles())]
    pub oracle: Option<String>,
    /// How long to search; zero leaves the failure as it is
    #[arg(long, default_value = "60s", value_name = "SPAN", value_parser = span)]
    pub budget: Span,
    /// Limits of each run.
    #[command(flatten)]
    pub limits: LimitArgs,
    /// Number of runs at once [default: one a core]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// The directory for the files [default: onsale-out/shrink-NAME-SEED]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Save the shrunk failure as a scenario with its story, among the regressions that every `check` plays
    /// first [default DIR: scenarios/catalogue/regressions of the surrounding source tree]
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub save: Option<Option<PathBuf>>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

/// The names of all oracles: an unknown one is refused with them.
fn oracles() -> PossibleValuesParser {
    let value = |oracle: &Oracle| PossibleValue::new(oracle.name()).help(oracle.meaning());
    PossibleValuesParser::new(Oracle::ALL.iter().map(value))
}

/// Reads a span of time as scenarios write it.
fn span(text: &str) -> Result<Span, String> {
    onsale_scenarios::parse_span(text).map_err(|misread| misread.to_string())
}
