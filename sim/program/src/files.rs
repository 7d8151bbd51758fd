//! Which files a command may write.
//!
//! Owns the one question, asked by every command and every option before anything is run: never what the
//! command reads, never what another of its options writes, never what this program did not make, and never
//! the files of another run. Two paths are one file under any spelling or link. Refuses to write anything.

mod name;

use std::io::Read;
use std::path::{Path, PathBuf};

use onsale_scenarios::{Arrivals, Scenario, reading};
use onsale_sim::plan::Plan;
use serde_json::Value;

pub(crate) use self::name::of_run;

/// Bytes at the start of a file by which its kind is told.
const HEAD: u64 = 4_096;
/// Largest plan or capsule that is looked into.
const PLAN_MAX: u64 = 64 << 20;

/// The files of a run's directory.
pub(crate) const RUN: [&str; 6] =
    ["plan.json", "latency.csv", "timeline.csv", "latency.hlog", "capsule.json", "summary.json"];

/// What a command reads and writes.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    claims: Vec<Claim>,
}

#[derive(Debug)]
struct Claim {
    file: Known,
    of: Of,
}

#[derive(Clone, Debug)]
enum Of {
    /// It is read, and this is what it is.
    Read(&'static str),
    /// It is written, by this option.
    Written(String),
}

/// Why a file may not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The command reads it.
    #[error("{option} would overwrite {what}: choose another {}", place(.option))]
    Read {
        /// The option as it was given.
        option: String,
        /// What it is.
        what: &'static str,
    },
    /// Another option writes it.
    #[error("{option} is the file of {other}, too: choose another {}", place(.option))]
    Written {
        /// The option as it was given.
        option: String,
        /// The other.
        other: String,
    },
    /// It is somebody's own.
    #[error(
        "{option} would overwrite {file}, which onsale did not make: choose another {}, or take it away",
        place(.option), file = .file.display()
    )]
    Foreign {
        /// The option as it was given.
        option: String,
        /// The file.
        file: PathBuf,
    },
    /// It is none.
    #[error("{option}: {file} is no regular file; a file is expected", file = .file.display())]
    Odd {
        /// The option as it was given.
        option: String,
        /// What stands there.
        file: PathBuf,
    },
    /// It is no directory.
    #[error("{option}: a directory is expected, and a file stands there")]
    NoDirectory {
        /// The option as it was given.
        option: String,
    },
    /// It belongs to another run.
    #[error(
        "{option} holds the files of seed {seed} of {scenario}: choose another directory, or take it away"
    )]
    OtherRun {
        /// The option as it was given.
        option: String,
        /// That run's scenario.
        scenario: String,
        /// Its seed.
        seed: String,
    },
}

impl Claims {
    /// A file is read.
    pub(crate) fn reads(&mut self, what: &'static str, path: &Path) {
        self.claims.push(Claim { file: Known::new(path), of: Of::Read(what) });
    }

    /// A scenario is read, if it is a file, and what it names.
    pub(crate) fn reads_scenario(&mut self, scenario: &Scenario) {
        let path = Path::new(&scenario.id);
        if path.extension().is_none_or(|extension| extension != "toml") {
            return;
        }
        self.reads("the scenario", path);
        if let Arrivals::Trace { file, .. } = &scenario.crowd.arrivals {
            self.reads("a trace of the scenario", &path.with_file_name("").join(file));
        }
    }

    /// An option, `--junit`, writes a file; what stands there may be replaced if `is_ours` by its beginning.
    ///
    /// # Errors
    /// If it may not.
    pub(crate) fn writes(
        &mut self,
        option: &str,
        path: &Path,
        is_ours: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Refusal> {
        let given = format!("{option} {}", path.display());
        self.write(given, option, path, is_ours)
    }

    /// An option, `--results`, writes a file that is looked into when it is opened.
    ///
    /// # Errors
    /// If it is read or written already, or is a directory.
    pub(crate) fn takes(&mut self, option: &str, path: &Path) -> Result<(), Refusal> {
        let given = format!("{option} {}", path.display());
        if path.is_dir() {
            return Err(Refusal::Odd { option: given, file: path.to_owned() });
        }
        let file = self.free(given, path)?;
        self.claims.push(Claim { file, of: Of::Written(option.to_owned()) });
        Ok(())
    }

    /// An option, `--out`, writes these files into a directory.
    ///
    /// # Errors
    /// If it may not write one of them.
    pub(crate) fn writes_into(
        &mut self,
        option: &str,
        dir: &Path,
        names: &[&str],
    ) -> Result<(), Refusal> {
        let given = || format!("{option} {}", dir.display());
        if dir.exists() && !dir.is_dir() {
            return Err(Refusal::NoDirectory { option: given() });
        }
        for name in names {
            self.write(given(), option, &dir.join(name), |head| is_made(name, head))?;
        }
        Ok(())
    }

    /// The file, if nobody reads or writes it.
    fn free(&self, given: String, path: &Path) -> Result<Known, Refusal> {
        let file = Known::new(path);
        match self.claims.iter().find(|claim| claim.file.is(&file)).map(|claim| claim.of.clone()) {
            Some(Of::Read(what)) => Err(Refusal::Read { option: given, what }),
            Some(Of::Written(other)) => Err(Refusal::Written { option: given, other }),
            None => Ok(file),
        }
    }

    fn write(
        &mut self,
        given: String,
        option: &str,
        path: &Path,
        is_ours: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Refusal> {
        let file = self.free(given.clone(), path)?;
        if std::fs::symlink_metadata(path).is_ok() {
            let odd = || Refusal::Odd { option: given.clone(), file: path.to_owned() };
            // A link that leads nowhere is none, either.
            let mut head = Vec::new();
            let read = reading::open(path).map_err(|_| odd())?.take(HEAD).read_to_end(&mut head);
            read.map_err(|_| odd())?;
            if !head.is_empty() && !is_ours(&head) {
                return Err(Refusal::Foreign { option: given, file: path.to_owned() });
            }
        }
        self.claims.push(Claim { file, of: Of::Written(option.to_owned()) });
        Ok(())
    }
}

/// Whether the run whose files a directory holds is another one than the plan's; one that holds none is not.
///
/// # Errors
/// If it is.
pub(crate) fn no_other_run(option: &str, dir: &Path, plan: &Plan) -> Result<(), Refusal> {
    let Some((scenario, seed)) = run_in(dir) else { return Ok(()) };
    if scenario == plan.scenario.id && seed == plan.seed.to_string() {
        return Ok(());
    }
    let option = format!("{option} {}", dir.display());
    Err(Refusal::OtherRun { option, scenario, seed })
}

/// Scenario and seed of the run whose files stand in a directory.
fn run_in(dir: &Path) -> Option<(String, String)> {
    let read = |name: &str| {
        let bytes = reading::whole(&dir.join(name), PLAN_MAX).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    let plan = read("plan.json").or_else(|| Some(read("capsule.json")?.get("plan")?.clone()))?;
    // In the first format it is a number.
    let seed = plan.get("seed")?;
    let seed = seed.as_str().map_or_else(|| seed.to_string(), str::to_owned);
    Some((plan.get("scenario")?.get("id")?.as_str()?.to_owned(), seed))
}

/// Whether a file of this name begins as this program's do.
fn is_made(name: &str, head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    match name {
        "latency.csv" => text.starts_with("operation,window,"),
        "timeline.csv" => text.starts_with("t_s,arrivals,"),
        "latency.hlog" => text.starts_with("#["),
        "scenario.toml" => text.starts_with("# ") && text.contains("\n# Shrunk from seed "),
        "regression.rs" => text.starts_with("//! A regression: "),
        "story.txt" => text.lines().next().is_some_and(|first| first.contains(" · seed ")),
        // The JSON of all of them begins with its version.
        _ => is_json(head),
    }
}

/// Whether it begins as a plan, a summary or a capsule.
fn is_json(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.trim_start()
        .strip_prefix('{')
        .is_some_and(|rest| rest.trim_start().starts_with("\"schema\":"))
}

/// Whether it begins as a report of a sweep as XML.
pub(crate) fn is_junit(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.starts_with("<?xml") && text.contains("<testsuites name=\"onsale")
}

/// Whether it begins as a trace.
pub(crate) fn is_trace(head: &[u8]) -> bool {
    head.starts_with(b"{\"displayTimeUnit\":")
}

/// A file by its place, and by what the system knows it by if it is there.
#[derive(Debug)]
struct Known {
    place: PathBuf,
    number: Option<(u64, u64)>,
}

impl Known {
    fn new(path: &Path) -> Self {
        Self { place: resolved(path), number: number(path) }
    }

    fn is(&self, other: &Self) -> bool {
        self.place == other.place || self.number.is_some() && self.number == other.number
    }
}

/// The path without links, as far as it is there.
fn resolved(path: &Path) -> PathBuf {
    if let Ok(place) = path.canonicalize() {
        return place;
    }
    match (path.parent(), path.file_name()) {
        (Some(dir), Some(name)) => {
            let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
            resolved(dir).join(name)
        }
        (_, _) => path.to_owned(),
    }
}

/// Device and number: hard links have the same.
#[cfg(unix)]
fn number(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino()))
}

#[cfg(not(unix))]
fn number(_: &Path) -> Option<(u64, u64)> {
    None
}

/// What is to be chosen instead.
fn place(option: &str) -> &'static str {
    if option.starts_with("--out") { "directory" } else { "file" }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// A directory with a folder in it, removed at the end of its test.
    fn desk() -> TempDir {
        let desk = tempfile::tempdir().unwrap();
        fs::create_dir_all(desk.path().join("sub")).unwrap();
        desk
    }

    fn put(desk: &TempDir, name: &str, text: &str) -> PathBuf {
        fs::write(desk.path().join(name), text).unwrap();
        desk.path().join(name)
    }

    #[cfg(unix)]
    #[test]
    fn one_file_is_one_by_every_spelling_and_link() {
        let desk = desk();
        let part = put(&desk, "part.jsonl", "{}\n");
        std::os::unix::fs::symlink("part.jsonl", desk.path().join("soft")).unwrap();
        std::os::unix::fs::symlink("sub", desk.path().join("folder")).unwrap();
        fs::hard_link(&part, desk.path().join("hard")).unwrap();
        for name in [
            "part.jsonl",
            "./part.jsonl",
            "sub/../part.jsonl",
            "soft",
            "hard",
            "folder/../part.jsonl",
        ] {
            let mut claims = Claims::default();
            claims.reads("what is merged", &part);
            let error = claims
                .writes("--junit", &desk.path().join(name), |_| true)
                .unwrap_err()
                .to_string();
            assert!(
                error.contains("would overwrite what is merged: choose another file"),
                "{error}"
            );
        }
        // Files that are not there yet are told apart by their place.
        let mut claims = Claims::default();
        claims.writes("--results", &desk.path().join("sub/new"), |_| true).unwrap();
        let error =
            claims.writes("--junit", &desk.path().join("folder/new"), |_| true).unwrap_err();
        assert!(error.to_string().contains("is the file of --results, too"), "{error}");
        claims.writes("--junit", &desk.path().join("sub/other"), |_| true).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn what_others_made_stays() {
        let desk = desk();
        put(&desk, "notes.txt", "mine");
        put(&desk, "empty.xml", "");
        put(&desk, "ours.xml", "<?xml version=\"1.0\"?>\n<testsuites name=\"onsale check\">");
        std::os::unix::fs::symlink("nowhere", desk.path().join("dangling")).unwrap();
        let said = |name: &str| {
            let told = Claims::default().writes("--junit", &desk.path().join(name), is_junit);
            told.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(said("notes.txt").contains("which onsale did not make"));
        assert!(said("dangling").contains("is no regular file"));
        assert!(said("sub").contains("is no regular file"));
        assert_eq!((said("empty.xml"), said("ours.xml"), said("new.xml")), Default::default());
        let zero = Claims::default().writes("--junit", Path::new("/dev/null"), is_junit);
        assert!(zero.is_err(), "a device is not replaced");
    }

    #[test]
    fn a_directory_belongs_to_one_run() {
        let desk = desk();
        let crash = onsale_scenarios::catalogue::find("fast/crash").unwrap().scenario();
        let plan = Plan::new(&crash, 7);
        assert!(no_other_run("--out", desk.path(), &plan).is_ok(), "it is empty");
        put(&desk, "plan.json", &plan.to_json());
        assert!(no_other_run("--out", desk.path(), &plan).is_ok(), "the same again");
        let error =
            no_other_run("--out", desk.path(), &Plan::new(&crash, 8)).unwrap_err().to_string();
        assert!(error.contains("holds the files of seed 7 of fast/crash"), "{error}");
        let mut claims = Claims::default();
        claims.writes_into("--out", desk.path(), &RUN).unwrap();
        put(&desk, "latency.csv", "dear diary, today\n");
        let error =
            Claims::default().writes_into("--out", desk.path(), &RUN).unwrap_err().to_string();
        assert!(
            error.contains("latency.csv, which onsale did not make: choose another directory"),
            "{error}"
        );
    }
}
