//! Reading files that a user names.
//!
//! Owns which files may be read: regular files, up to a limit; for files named in a scenario, those below its
//! own folder. Pipes would block and devices have no end, so neither is opened. Refuses to know the content.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

/// Largest scenario that is read, in bytes. A screen of it takes two kibibytes.
pub const SCENARIO_MAX: u64 = 4 << 20;
/// Largest trace that is read, in bytes: a year of minutes takes eight mebibytes.
pub const TRACE_MAX: u64 = 16 << 20;

/// The folders from which a scenario may read the files that it names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Its own folder and those below it.
    #[default]
    Below,
    /// Any folder.
    Anywhere,
}

/// Reads a whole regular file up to a limit in bytes.
///
/// # Errors
/// If it cannot be read, is no regular file, or is larger.
pub fn whole(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let what = format!("it is larger than {} MiB, the most that is read of it", most >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    Ok(bytes)
}

/// Opens a regular file for reading.
///
/// # Errors
/// If it cannot be opened, or is something else.
pub fn open(path: &Path) -> io::Result<File> {
    // Opening a pipe blocks, so the kind must be checked before.
    regular(&std::fs::metadata(path)?)?;
    let file = File::open(path)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

fn regular(found: &std::fs::Metadata) -> io::Result<()> {
    if found.is_file() {
        return Ok(());
    }
    let kind = if found.is_dir() { "a directory" } else { "a pipe or a device" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {kind}, and no regular file")))
}

/// The path of the file `name` that the scenario in the file `scenario` names.
///
/// # Errors
/// If it is out of reach, or missing.
pub fn beside(scenario: &Path, name: &str, reach: Reach) -> io::Result<PathBuf> {
    let folder = scenario.with_file_name("");
    let path = folder.join(name);
    if reach == Reach::Anywhere {
        return Ok(path);
    }
    let outside = || {
        let what =
            "it is not below the scenario's own folder; --allow-outside reads it all the same";
        io::Error::new(io::ErrorKind::PermissionDenied, what)
    };
    if !is_below(name) {
        return Err(outside());
    }
    // A link may lead out again.
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
    if path.canonicalize()?.starts_with(folder.canonicalize()?) { Ok(path) } else { Err(outside()) }
}

/// Whether a path, as written, stays below the folder from which it is read.
pub fn is_below(name: &str) -> bool {
    let is_below = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    Path::new(name).components().all(is_below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory with a folder of traces, removed at the end of its test.
    fn desk() -> tempfile::TempDir {
        let desk = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(desk.path().join("sales/traces")).unwrap();
        desk
    }

    #[test]
    fn regular_files_are_read_up_to_the_limit() {
        let desk = desk();
        let file = desk.path().join("file");
        std::fs::write(&file, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(whole(&file, 1 << 20).unwrap().len(), 1 << 20);
        std::fs::write(&file, vec![b'x'; (1 << 20) + 1]).unwrap();
        let error = whole(&file, 1 << 20).unwrap_err().to_string();
        assert_eq!(error, "it is larger than 1 MiB, the most that is read of it");
        let error = whole(desk.path(), 1 << 20).unwrap_err().to_string();
        assert_eq!(error, "it is a directory, and no regular file");
        let missing = whole(&desk.path().join("missing"), 1 << 20).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_devices_are_not_opened() {
        let desk = desk();
        let pipe = desk.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", desk.path().join("link")).unwrap();
        for path in [pipe.as_path(), Path::new("/dev/zero"), &desk.path().join("link")] {
            let error = whole(path, 1 << 20).unwrap_err().to_string();
            assert_eq!(error, "it is a pipe or a device, and no regular file");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_scenario_reaches_below_its_folder_and_no_further() {
        let desk = desk();
        let scenario = desk.path().join("sales/x.toml");
        for file in ["sales/traces/t.csv", "out.csv"] {
            std::fs::write(desk.path().join(file), "").unwrap();
        }
        std::os::unix::fs::symlink("../out.csv", desk.path().join("sales/link.csv")).unwrap();
        std::os::unix::fs::symlink("traces", desk.path().join("sales/within")).unwrap();
        for name in ["traces/t.csv", "./traces/t.csv", "within/t.csv"] {
            assert!(beside(&scenario, name, Reach::Below).is_ok(), "{name}");
        }
        let absolute = desk.path().join("sales/traces/t.csv");
        for name in ["../out.csv", "traces/../../out.csv", "link.csv", absolute.to_str().unwrap()] {
            let error = beside(&scenario, name, Reach::Below).unwrap_err().to_string();
            assert!(error.contains("--allow-outside"), "{name}: {error}");
            assert!(beside(&scenario, name, Reach::Anywhere).unwrap().exists(), "{name}");
        }
    }
}
