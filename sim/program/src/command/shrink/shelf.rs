//! The files of a search: its directory, and the regressions of the catalogue.
//!
//! Owns the files and their names, and that a regression never replaces another. Refuses to know their contents.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use onsale_reports::{ReportError, directory};
use onsale_scenarios::catalogue::REGRESSIONS;
use onsale_scenarios::hazards;
use onsale_sim::plan::Plan;
use onsale_sim::story;
use onsale_sim::story::telling::Story;

use super::Failure;
use crate::capsule::Capsule;
use crate::cli::shrink::ShrinkArgs;
use crate::files::CAPSULE;
use crate::shrink::Case;
use crate::shrink::regression::{self, Origin};

pub(super) const SCENARIO: &str = "scenario.toml";
pub(super) const REGRESSION: &str = "regression.rs";
pub(super) const STORY: &str = "story.txt";

/// Width of a story in a file, in columns.
pub(super) const FILE_WIDTH: usize = 80;

/// The directory for the results of a search.
pub(super) struct Shelf<'a> {
    pub(super) dir: &'a Path,
    pub(super) origin: Origin<'a>,
    /// The folder for the regression, if one is to be saved.
    pub(super) folder: Option<PathBuf>,
}

impl Shelf<'_> {
    /// The case in the form that replays.
    pub(super) fn put_capsule(&self, case: &Case) -> Result<(), ReportError> {
        let failed = case.trial.failures.iter().map(|failure| failure.signature.oracle.clone());
        let capsule = Capsule {
            trace_hash: case.trial.trace_hash.clone(),
            failed: failed.collect(),
            limit: self.origin.limit,
            ..Capsule::from(case.plan.clone())
        };
        self.put(CAPSULE, &capsule.to_json())
    }

    pub(super) fn put_all(&self, case: &Case, story: &str) -> Result<(), ReportError> {
        self.put_capsule(case)?;
        self.put(SCENARIO, &regression::scenario(&case.plan, self.origin))?;
        self.put(REGRESSION, &regression::test(&case.plan, self.origin))?;
        self.put(STORY, story)
    }

    /// Saves the case as a regression under the first free name, if requested and not saved already. Returns the file.
    pub(super) fn save(
        &self,
        case: &Case,
        story: Option<&Story>,
    ) -> Result<Option<PathBuf>, Failure> {
        let Some(folder) = &self.folder else { return Ok(None) };
        if let Some(limit) = self.origin.limit {
            return Err(Failure::Usage(format!(
                "--save: {limit} makes it fail, and regressions are played to their end"
            )));
        }
        let story = story
            .map_or_else(String::new, |story| story::page::render(story, false, Some(FILE_WIDTH)));
        let stem = regression::file_stem(self.origin);
        let text = regression::saved(&case.plan, self.origin, &story);
        for nth in 1_u32.. {
            let again = if nth == 1 { String::new() } else { format!("-{nth}") };
            let path = folder.join(format!("{stem}{again}.toml"));
            let failed = |source| ReportError { path: path.clone(), attempt: "create", source };
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(mut file) => {
                    file.write_all(text.as_bytes()).map_err(failed)?;
                    return Ok(Some(path));
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if fs::read_to_string(&path).is_ok_and(|kept| kept == text) {
                        return Ok(Some(path));
                    }
                }
                Err(error) => return Err(failed(error).into()),
            }
        }
        Ok(None)
    }

    fn put(&self, name: &str, text: &str) -> Result<(), ReportError> {
        directory::publish(self.dir, name, |out| out.write_all(text.as_bytes()))
    }
}

/// The folder for a regression to be saved; `None` if there is none.
pub(super) fn folder_for(arguments: &ShrinkArgs, plan: &Plan) -> Result<Option<PathBuf>, Failure> {
    let Some(named) = &arguments.save else { return Ok(None) };
    if let Some((_, setting)) = hazards(&plan.scenario).first() {
        return Err(Failure::Usage(format!(
            "--save: {setting} breaks its promise by design, so this failure never goes away; regressions are \
             of safe settings"
        )));
    }
    let folder = match named {
        Some(folder) => folder.clone(),
        None => of_the_catalogue().ok_or_else(|| {
            Failure::Usage(format!(
                "--save adds to {} of the source tree, and there is none here or above; name a folder: \
                 --save=DIR",
                in_catalogue().display()
            ))
        })?,
    };
    if !folder.is_dir() {
        let what = format!("--save={}: there is no such folder", folder.display());
        return Err(Failure::Usage(what));
    }
    Ok(Some(folder))
}

fn in_catalogue() -> PathBuf {
    Path::new("scenarios/catalogue").join(REGRESSIONS)
}

/// The folder of regressions in the source tree around the current directory.
fn of_the_catalogue() -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    here.ancestors().map(|dir| dir.join(in_catalogue())).find(|dir| dir.is_dir())
}
