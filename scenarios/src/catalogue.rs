//! The scenarios that come with the program.
//!
//! Owns the list of files, compiled in so that a run needs no directory, and the way from a name to a scenario.
//! Refuses to know how scenarios are run.

use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::human;
use crate::problem::ScenarioError;
use crate::reading::{self, Reach, SCENARIO_MAX, TRACE_MAX};
use crate::scenario::Scenario;

/// One file of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its path in the catalogue without extension: `fast/crash`.
    pub id: &'static str,
    /// Its text.
    pub text: &'static str,
}

/// The reason why a name leads to no scenario.
#[derive(Debug, Error, Diagnostic)]
pub enum LoadError {
    /// Neither a file nor an entry of the catalogue.
    #[error("there is no scenario `{name}`, in the catalogue or as a file")]
    Unknown {
        /// The name as given.
        name: String,
        /// A similar name, or where to look.
        #[help]
        help: String,
    },
    /// The file can't be read.
    #[error("{path} can't be read", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The file is not a valid scenario.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Unsound(#[from] ScenarioError),
}

const ENTRIES: &[Entry] = include!(concat!(env!("OUT_DIR"), "/catalogue.rs"));

/// The folder of scenarios that once failed, each with the seed under which it did: `[replay]`.
pub const REGRESSIONS: &str = "regressions";

/// The whole catalogue, by id.
pub const fn all() -> &'static [Entry] {
    ENTRIES
}

/// The scenarios of [`REGRESSIONS`].
pub fn regressions() -> impl Iterator<Item = &'static Entry> {
    ENTRIES.iter().filter(|entry| folder_of(entry.id) == Some(REGRESSIONS))
}

impl Entry {
    /// The scenario.
    pub fn scenario(&self) -> Scenario {
        let no_files = |_: &str| Err(io::Error::other("the catalogue has no files beside it"));
        let scenario = Scenario::from_toml(
            self.id,
            &format!("{}.toml", self.id),
            self.text.as_bytes(),
            &no_files,
        );
        scenario.expect("every scenario of the catalogue is sound")
    }

    /// One sentence that says what the scenario shows.
    pub fn title(&self) -> String {
        self.scenario().title
    }
}

/// The entry of this id (`fast/crash`), or the only one of this file name (`crash`).
///
/// # Errors
///
/// [`LoadError::Unknown`], with what may have been meant.
pub fn find(name: &str) -> Result<&'static Entry, LoadError> {
    if let Some(entry) = ENTRIES.iter().find(|entry| entry.id == name) {
        return Ok(entry);
    }
    let namesakes: Vec<_> = ENTRIES.iter().filter(|entry| file_name(entry.id) == name).collect();
    match namesakes[..] {
        [entry] => Ok(entry),
        [] => Err(unknown(name)),
        [..] => {
            let ids: Vec<_> = namesakes.iter().map(|entry| entry.id).collect();
            Err(LoadError::Unknown {
                name: name.to_owned(),
                help: format!("it could be any of {}", ids.join(", ")),
            })
        }
    }
}

/// Loads the scenario of this id, file name or path. A name that ends in `.toml` is a path, and the files that
/// it names must be below its folder.
///
/// # Errors
///
/// If there is no such scenario, or its file can't be read or is not sound.
pub fn load(path_or_id: &str) -> Result<Scenario, LoadError> {
    load_within(path_or_id, Reach::Below)
}

/// The same, with a given reach for the files that it names.
///
/// # Errors
///
/// As [`load`].
pub fn load_within(path_or_id: &str, reach: Reach) -> Result<Scenario, LoadError> {
    let path = Path::new(path_or_id);
    if path.extension().is_none_or(|extension| extension != "toml") {
        return find(path_or_id).map(Entry::scenario);
    }
    let bytes = match reading::whole(path, SCENARIO_MAX) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(unknown(path_or_id)),
        Err(source) => return Err(LoadError::Unreadable { path: path.to_owned(), source }),
    };
    let beside = |name: &str| reading::whole(&reading::beside(path, name, reach)?, TRACE_MAX);
    Ok(Scenario::from_toml(path_or_id, path_or_id, &bytes, &beside)?)
}

/// All scenarios of a folder of the catalogue (`fast`), or the one that [`load_within`] finds.
///
/// # Errors
///
/// As [`load`].
pub fn select(name: &str, reach: Reach) -> Result<Vec<Scenario>, LoadError> {
    let folder = name.trim_end_matches('/');
    let within = |entry: &&Entry| folder_of(entry.id) == Some(folder);
    let scenarios: Vec<_> = ENTRIES.iter().filter(within).map(Entry::scenario).collect();
    if scenarios.is_empty() { Ok(vec![load_within(name, reach)?]) } else { Ok(scenarios) }
}

fn unknown(name: &str) -> LoadError {
    let bare = name.strip_suffix(".toml").unwrap_or(name);
    let whole =
        human::closest(bare, ENTRIES.iter().map(|entry| entry.id)).filter(|_| bare.contains('/'));
    let by_name = || {
        let near =
            human::closest(file_name(bare), ENTRIES.iter().map(|entry| file_name(entry.id)))?;
        ENTRIES.iter().find(|entry| file_name(entry.id) == near).map(|entry| entry.id)
    };
    let help = match whole.or_else(by_name) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "`onsale scenarios list` shows the catalogue; a file's path ends in `.toml`".to_owned()
        }
    };
    LoadError::Unknown { name: name.to_owned(), help }
}

fn folder_of(id: &str) -> Option<&str> {
    id.rsplit_once('/').map(|(folder, _)| folder)
}

fn file_name(id: &str) -> &str {
    id.rsplit_once('/').map_or(id, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/catalogue");

    #[test]
    fn every_entry_is_sound_and_short_and_opens_with_its_story() {
        assert!(ENTRIES.is_sorted_by_key(|entry| entry.id));
        for entry in ENTRIES {
            assert_eq!(entry.scenario().id, entry.id);
            assert!(entry.text.starts_with("# "), "{} has no story", entry.id);
            let is_regression = entry.id.starts_with(REGRESSIONS);
            let lines = entry.text.lines().count();
            assert!(lines < 45 || is_regression, "{} is longer than a screen", entry.id);
        }
    }

    #[test]
    fn regressions_and_no_other_scenarios_say_under_which_seed_they_failed() {
        for entry in ENTRIES {
            let is_regression = entry.id.starts_with(REGRESSIONS);
            assert_eq!(entry.scenario().replay.is_some(), is_regression, "{}", entry.id);
        }
        let regressions: Vec<&str> = regressions().map(|entry| entry.id).collect();
        assert!(regressions.len() > 4, "{regressions:?}");
    }

    #[test]
    fn scenarios_are_found_by_id_by_name_and_by_path() {
        assert_eq!(load("fast/crash").unwrap().id, "fast/crash");
        assert_eq!(load("stadium-10m").unwrap().id, "slow/stadium-10m");
        let path = format!("{DIRECTORY}/fast/crash.toml");
        assert_eq!(load(&path).unwrap(), Scenario { id: path, ..load("crash").unwrap() });
    }

    #[test]
    fn a_folder_is_all_that_lies_in_it() {
        let select = |name| select(name, Reach::Below);
        let ids = |name| select(name).unwrap().into_iter().map(|scenario| scenario.id);
        assert_eq!(
            ids("slow").collect::<Vec<_>>(),
            ["slow/stadium-10m", "slow/stadium-10m-no-queue"]
        );
        assert!(ids("fast/").eq(ids("fast")) && ids("fast").count() > 10);
        assert!(ids("crash").eq(["fast/crash".to_owned()]));
        assert!(select("quux").is_err());
    }

    #[test]
    fn misspelt_names_are_answered_with_a_near_one() {
        let table = [
            ("fast/crahs", "did you mean `fast/crash`?"),
            ("stadium10m", "did you mean `slow/stadium-10m`?"),
            ("fast/partition-isolated", "did you mean `fast/partition-isolate`?"),
            ("crash.toml", "did you mean `fast/crash`?"),
            ("quux", "`onsale scenarios list` shows the catalogue; a file's path ends in `.toml`"),
        ];
        for (name, expected) in table {
            match load(name) {
                Err(LoadError::Unknown { help, .. }) => assert_eq!(help, expected, "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}
