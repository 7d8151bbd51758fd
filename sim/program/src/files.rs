//! Permission to write files.
//!
//! Owns one check, made by every command for every option before anything is run: a command never writes a file
//! that it reads, that another of its options writes, that this program did not make, or that belongs to another
//! run. Two paths are the same file under any spelling or link. Refuses to write anything.

mod name;

use std::io::Read;
use std::path::{Path, PathBuf};

use onsale_scenarios::{Arrivals, Scenario, reading};
use onsale_sim::plan::Plan;
use serde_json::Value;

pub(crate) use self::name::{CAPSULE, capsule_of, of_run};

/// Number of bytes at the start of a file by which its kind is recognised.
const HEAD: u64 = 4_096;
/// Largest plan or capsule that is opened to recognise it, in bytes.
const PLAN_MAX: u64 = 64 << 20;

/// The files of a run's directory.
pub(crate) const RUN: [&str; 6] =
    ["plan.json", "latency.csv", "timeline.csv", "latency.hlog", CAPSULE, "summary.json"];

/// The files that a command reads and writes.
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
    /// The command reads it; this describes it.
    Read(&'static str),
    /// This option writes it.
    Written(String),
}

/// The reason why a file may not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    /// The command reads the file.
    #[error("{option} would overwrite {what}: choose another {}", place(.option))]
    Read {
        /// The option as it was given.
        option: String,
        /// The description of the file.
        what: &'static str,
    },
    /// Another option writes the file.
    #[error("{option} is also the file of {other}: choose another {}", place(.option))]
    Written {
        /// The option as it was given.
        option: String,
        /// The other option.
        other: String,
    },
    /// The file belongs to the user.
    #[error(
        "{option} would overwrite {file}, which onsale did not make: choose another {}, or remove it",
        place(.option), file = .file.display()
    )]
    Foreign {
        /// The option as it was given.
        option: String,
        /// The file.
        file: PathBuf,
    },
    /// The path is not a file.
    #[error("{option}: {file} is no regular file; a file is expected", file = .file.display())]
    Odd {
        /// The option as it was given.
        option: String,
        /// The kind of what is there.
        file: PathBuf,
    },
    /// The path is not a directory.
    #[error("{option}: a directory is expected, and there is a file")]
    NoDirectory {
        /// The option as it was given.
        option: String,
    },
    /// The directory belongs to another run.
    #[error(
        "{option} holds the files of seed {seed} of {scenario}: choose another directory, or remove it"
    )]
    OtherRun {
        /// The option as it was given.
        option: String,
        /// The scenario of that run.
        scenario: String,
        /// The seed of that run.
        seed: String,
    },
}

impl Claims {
    /// Notes that the command reads a file.
    pub(crate) fn reads(&mut self, what: &'static str, path: &Path) {
        self.claims.push(Claim { file: Known::new(path), of: Of::Read(what) });
    }

    /// Notes that the command reads a scenario, if it is a file, and the files that it names.
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

    /// Notes that an option, such as `--junit`, writes a file; an existing file may be replaced if `is_ours`
    /// accepts its beginning.
    ///
    /// # Errors
    /// If it may not be written.
    pub(crate) fn writes(
        &mut self,
        option: &str,
        path: &Path,
        is_ours: impl Fn(&[u8]) -> bool,
    ) -> Result<(), Refusal> {
        let given = format!("{option} {}", path.display());
        self.write(given, option, path, is_ours)
    }

    /// Notes that an option, such as `--results`, writes a file that is checked when it is opened.
    ///
    /// # Errors
    /// If it is already read or written, or is a directory.
    pub(crate) fn takes(&mut self, option: &str, path: &Path) -> Result<(), Refusal> {
        let given = format!("{option} {}", path.display());
        if path.is_dir() {
            return Err(Refusal::Odd { option: given, file: path.to_owned() });
        }
        let file = self.free(given, path)?;
        self.claims.push(Claim { file, of: Of::Written(option.to_owned()) });
        Ok(())
    }

    /// Notes that an option, such as `--out`, writes these files into a directory.
    ///
    /// # Errors
    /// If one of them may not be written.
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

    /// Adds the file, if nothing else reads or writes it.
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
            // A dangling link is not a file either.
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

/// Checks that a directory does not hold the files of another run than the plan's.
///
/// # Errors
/// If it does.
pub(crate) fn no_other_run(option: &str, dir: &Path, plan: &Plan) -> Result<(), Refusal> {
    let Some((scenario, seed)) = run_in(dir) else { return Ok(()) };
    if scenario == plan.scenario.id && seed == plan.seed.to_string() {
        return Ok(());
    }
    let option = format!("{option} {}", dir.display());
    Err(Refusal::OtherRun { option, scenario, seed })
}

/// Scenario and seed of the run whose files are in a directory.
fn run_in(dir: &Path) -> Option<(String, String)> {
    let read = |name: &str| {
        let bytes = reading::whole(&dir.join(name), PLAN_MAX).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok()
    };
    let plan = read("plan.json").or_else(|| Some(read(CAPSULE)?.get("plan")?.clone()))?;
    // In the first format, the seed is a number.
    let seed = plan.get("seed")?;
    let seed = seed.as_str().map_or_else(|| seed.to_string(), str::to_owned);
    Some((plan.get("scenario")?.get("id")?.as_str()?.to_owned(), seed))
}

/// Whether a file of this name begins like this program's file of that name.
fn is_made(name: &str, head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    match name {
        "latency.csv" => text.starts_with("operation,window,"),
        "timeline.csv" => text.starts_with("t_s,arrivals,"),
        "latency.hlog" => text.starts_with("#["),
        "scenario.toml" => text.starts_with("# ") && text.contains("\n# Shrunk from seed "),
        "regression.rs" => text.starts_with("//! A regression: "),
        "story.txt" => text.lines().next().is_some_and(|first| first.contains(" · seed ")),
        // The JSON of all of them begins with the format's version.
        _ => is_json(head),
    }
}

/// Whether it begins like a plan, a summary or a capsule.
fn is_json(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.trim_start()
        .strip_prefix('{')
        .is_some_and(|rest| rest.trim_start().starts_with("\"schema\":"))
}

/// Whether it begins like a JUnit report.
pub(crate) fn is_junit(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(head);
    text.starts_with("<?xml") && text.contains("<testsuites name=\"onsale")
}

/// Whether it begins like a trace.
pub(crate) fn is_trace(head: &[u8]) -> bool {
    head.starts_with(b"{\"displayTimeUnit\":")
}

/// A file, identified by its path, and by its device and inode if it exists.
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

/// The path without links, as far as it exists.
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

/// Device and inode number: hard links share them.
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

/// The advice on an alternative.
fn place(option: &str) -> &'static str {
    if option.starts_with("--out") { "directory" } else { "file" }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// A directory with a folder in it, removed when its test ends.
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
        // Files that do not exist yet are distinguished by their path.
        let mut claims = Claims::default();
        claims.writes("--results", &desk.path().join("sub/new"), |_| true).unwrap();
        let error =
            claims.writes("--junit", &desk.path().join("folder/new"), |_| true).unwrap_err();
        assert!(error.to_string().contains("is also the file of --results"), "{error}");
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
