//! `onsale merge`: merges the slices of a sweep.

use std::path::Path;

use onsale_reports::sweep::Stopped;

use super::Failure;
use super::check::{addressed, make_room, report};
use crate::cli::check::MergeArgs;
use crate::exit::Exit;
use crate::files::Claims;
use crate::sweep::merge::Slices;
use crate::sweep::results::{self, Existing};
use crate::sweep::totals::Totals;
use crate::terminal::Terminal;

/// Merges slices and reports the whole sweep.
pub(super) fn merge(arguments: &MergeArgs, terminal: Terminal) -> Result<Exit, Failure> {
    let mut claims = Claims::default();
    arguments.files.iter().for_each(|file| claims.reads("what is merged", file));
    if let Some(path) = &arguments.results {
        claims.takes("--results", path)?;
    }
    make_room(&arguments.report, &mut claims)?;
    let slices = Slices::open(&arguments.files)?;
    let header = slices.header().clone();
    let sweep =
        arguments.files.first().and_then(|file| file.parent()).unwrap_or_else(|| Path::new(""));
    let mut totals = Totals::new(&header).in_dir(sweep);
    if arguments.report.junit_seeds {
        totals = totals.by_seed();
    }
    let cut = slices.read(|result| totals.add(&result))?;
    if let Some(path) = &arguments.results {
        // Only now the slices are known to be complete, so their merge may replace another file.
        let existing = if arguments.overwrite { Existing::Replace } else { Existing::Keep };
        let (mut whole, _) = results::open(path, &header, existing, drop)?;
        let mut kept = Ok(());
        Slices::open(&arguments.files)?.read(|result| {
            if kept.is_ok() {
                kept = whole.append(&result);
            }
        })?;
        kept?;
    }
    if !cut.is_empty() {
        let cut: Vec<String> = cut.iter().map(ToString::to_string).collect();
        terminal.warn(&format!(
            "these slices ended at their first failure, and the rest of them was not run: {}",
            cut.join(", ")
        ));
    }
    let stopped = (!cut.is_empty()).then_some(Stopped::FirstFailure);
    report(&addressed(totals.facts(stopped)), &arguments.report, terminal)
}
