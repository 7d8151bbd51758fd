//! The directory of a run.
//!
//! Owns the names of its files. Each file is written under a temporary name and then renamed, the summary last:
//! if `summary.json` exists, all files are complete. Runs that write into one directory take turns. Refuses to
//! know where runs are kept, and whether a file may be replaced.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::csv;
use crate::hlog;
use crate::recorder::Records;
use crate::summary::Summary;

/// A file of a run's directory could not be written.
#[derive(Debug)]
pub struct ReportError {
    /// The file, or the directory itself.
    pub path: PathBuf,
    /// The attempted operation: `create`, `write`, `rename` …
    pub attempt: &'static str,
    /// The system's error.
    pub source: io::Error,
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.attempt, self.path.display(), self.source)
    }
}

impl Error for ReportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Writes all files of a run into `dir`, which is created if it is missing: `plan.json`, `latency.csv`,
/// `timeline.csv`, `latency.hlog`, `capsule.json` if there is one, and last `summary.json`. Files of an earlier
/// run are replaced; its summary and capsule are removed first, so that a summary never stands beside another
/// run's files.
///
/// # Errors
/// The first file that could not be written; the files before it are written.
pub fn write(
    dir: &Path,
    summary: &Summary,
    records: &Records,
    plan_json: &str,
    capsule_json: Option<&str>,
) -> Result<(), ReportError> {
    make(dir)?;
    let _turn = take_turn(dir);
    remove(&dir.join("summary.json"))?;
    remove(&dir.join("capsule.json"))?;
    publish(dir, "plan.json", |out| out.write_all(plan_json.as_bytes()))?;
    publish(dir, "latency.csv", |out| out.write_all(csv::latency(summary).as_bytes()))?;
    publish(dir, "timeline.csv", |out| out.write_all(csv::timeline(records).as_bytes()))?;
    publish(dir, "latency.hlog", |out| hlog::write(records, out))?;
    if let Some(json) = capsule_json {
        publish(dir, "capsule.json", |out| out.write_all(json.as_bytes()))?;
    }
    publish(dir, "summary.json", |out| out.write_all(summary.to_json().as_bytes()))
}

/// Creates a directory in advance, so that hours of work have a place for their results.
///
/// # Errors
/// If it cannot be created; an existing one is fine.
pub fn make(dir: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(dir).map_err(failed("create", dir))
}

/// Writes one file of `dir`, which is created if it is missing, under a temporary name and then renames it: the
/// file is complete or absent.
///
/// # Errors
/// If it could not be written; an earlier file of its name is then kept.
pub fn publish(
    dir: &Path,
    name: &str,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<(), ReportError> {
    make(dir)?;
    let path = dir.join(name);
    tidy(dir, name);
    let mut partial = Partial::create(dir, name)?;
    let mut out = BufWriter::new(&partial.file);
    fill(&mut out).and_then(|()| out.flush()).map_err(failed("write", &path))?;
    drop(out);
    fs::rename(&partial.path, &path).map_err(failed("rename to", &path))?;
    partial.is_whole = true;
    Ok(())
}

/// Locks the directory until the returned value is dropped, after waiting for other writers. On systems without
/// directory locks it does nothing.
fn take_turn(dir: &Path) -> Option<File> {
    let turn = File::open(dir).ok()?;
    turn.lock().ok()?;
    Some(turn)
}

/// A temporary file; it is removed unless it is renamed.
#[derive(Debug)]
struct Partial {
    path: PathBuf,
    file: File,
    is_whole: bool,
}

impl Partial {
    /// Creates a file. An existing file or link of its name belongs to another process.
    fn create(dir: &Path, name: &str) -> Result<Self, ReportError> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = dir.join(format!(".{name}.{}-{number}.partial", std::process::id()));
            let file = match File::options().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file.map_err(failed("create", &path))?,
            };
            let partial = Self { path, file, is_whole: false };
            // Another run may have cleaned up in between: it removes files that are not locked.
            let is_held = !matches!(partial.file.try_lock(), Err(TryLockError::WouldBlock));
            if is_held && fs::symlink_metadata(&partial.path).is_ok() {
                return Ok(partial);
            }
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_whole {
            // The next run cleans up files that are left.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Removes temporary files left by a kill: they are not locked.
fn tidy(dir: &Path, name: &str) {
    let prefix = format!(".{name}.");
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let is_partial = entry
            .file_name()
            .to_str()
            .is_some_and(|found| found.starts_with(&prefix) && found.ends_with(".partial"));
        if !is_partial || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        let Ok(file) = File::options().write(true).open(entry.path()) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn remove(path: &Path) -> Result<(), ReportError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ReportError {
    move |source| ReportError { path: path.to_owned(), attempt, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_run_leaves_whole_files_and_replaces_an_earlier_runs() {
        let dir = std::env::temp_dir().join(format!("onsale-reports-{}", std::process::id()));
        let run = dir.join("fast/crash-7");
        let (summary, records) = (sample::failed(), sample::records());

        write(&run, &summary, &records, "{}\n", Some("{\"seed\":7}\n")).unwrap();
        let files = [
            "capsule.json",
            "latency.csv",
            "latency.hlog",
            "plan.json",
            "summary.json",
            "timeline.csv",
        ];
        assert_eq!(names(&run), files);
        assert_eq!(fs::read_to_string(run.join("summary.json")).unwrap(), summary.to_json());

        write(&run, &sample::passed(), &records, "{}\n", None).unwrap();
        assert_eq!(names(&run), files[1..]);

        fs::remove_file(run.join("plan.json")).unwrap();
        fs::create_dir(run.join("plan.json")).unwrap();
        let error = write(&run, &summary, &records, "{}\n", None).unwrap_err();
        assert_eq!(error.path, run.join("plan.json"));
        assert!(error.to_string().starts_with("cannot rename to "), "{error}");
        assert!(!names(&run).iter().any(|name| name.ends_with(".partial")), "{:?}", names(&run));
        fs::remove_dir_all(&dir).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_on_its_way_follows_no_link_and_is_gone_if_it_does_not_arrive() {
        let dir = std::env::temp_dir().join(format!("onsale-partial-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("mine"), "mine").unwrap();
        std::os::unix::fs::symlink("mine", dir.join(".x.json.partial")).unwrap();
        std::os::unix::fs::symlink("mine", dir.join("x.json")).unwrap();
        fs::write(dir.join(".x.json.1-0.partial"), "left by a kill").unwrap();

        publish(&dir, "x.json", |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(dir.join("mine")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(dir.join("x.json")).unwrap(), "new");
        assert_eq!(names(&dir), [".x.json.partial", "mine", "x.json"]);

        let full = publish(&dir, "x.json", |_| Err(io::Error::other("the disk is full")));
        assert!(full.is_err());
        assert_eq!(names(&dir), [".x.json.partial", "mine", "x.json"], "nothing is left of it");
        assert_eq!(fs::read_to_string(dir.join("x.json")).unwrap(), "new");
        fs::remove_dir_all(&dir).unwrap();
    }

    /// Summary and capsule in one directory come from one run, even while another run writes there.
    #[test]
    fn runs_that_write_into_one_directory_take_turns() {
        let dir = std::env::temp_dir().join(format!("onsale-turns-{}", std::process::id()));
        let (failed, passed, records) = (sample::failed(), sample::passed(), sample::records());
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        write(&dir, &failed, &records, "{}\n", Some("{}\n")).unwrap();
                    }
                });
                scope.spawn(|| {
                    for _ in 0..50 {
                        write(&dir, &passed, &records, "{}\n", None).unwrap();
                    }
                });
            }
        });
        let is_failed = fs::read_to_string(dir.join("summary.json")).unwrap() == failed.to_json();
        assert_eq!(dir.join("capsule.json").exists(), is_failed);
        fs::remove_dir_all(&dir).unwrap();
    }
}
