//! A run's directory.
//!
//! Owns the names of its files. Each file is written under a temporary name and then renamed,
//! the summary last: whoever finds `summary.json` finds all of it. Refuses to know where runs
//! are kept.

use std::error::Error;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::csv;
use crate::hlog;
use crate::recorder::Records;
use crate::summary::Summary;

/// A file of a run's directory could not be written.
#[derive(Debug)]
pub struct ReportError {
    /// The file, or the directory itself.
    pub path: PathBuf,
    /// What was tried: `create`, `write`, `rename` …
    pub attempt: &'static str,
    /// What the system says.
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

/// Writes everything that a run leaves into `dir`, which is made if it is not there:
/// `plan.json`, `latency.csv`, `timeline.csv`, `latency.hlog`, `capsule.json` if there is one,
/// and last `summary.json`. Files of an earlier run are replaced. Its summary and capsule go
/// first, so that a summary never stands beside another run's files.
///
/// # Errors
/// The first file that could not be written; those before it stand.
pub fn write(
    dir: &Path,
    summary: &Summary,
    records: &Records,
    plan_json: &str,
    capsule_json: Option<&str>,
) -> Result<(), ReportError> {
    make(dir)?;
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

/// Makes a directory, so that nothing runs for hours whose results have no place to go.
///
/// # Errors
/// If it cannot be made; one that is there is fine.
pub fn make(dir: &Path) -> Result<(), ReportError> {
    fs::create_dir_all(dir).map_err(failed("create", dir))
}

/// Writes one file of `dir`, which is made if it is not there, under a temporary name and then
/// renames it: it is whole or not there.
///
/// # Errors
/// If it could not be written; an earlier file of its name stands then.
pub fn publish(
    dir: &Path,
    name: &str,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), ReportError> {
    make(dir)?;
    let path = dir.join(name);
    let partial = dir.join(format!(".{name}.partial"));
    let file = File::create(&partial).map_err(failed("create", &partial))?;
    let mut out = BufWriter::new(file);
    fill(&mut out).and_then(|()| out.flush()).map_err(failed("write", &partial))?;
    drop(out);
    fs::rename(&partial, &path).map_err(failed("rename to", &path))
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
        fs::remove_dir_all(&dir).unwrap();
    }
}
