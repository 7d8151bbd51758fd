//! The results file: the results of a sweep so far, safe from a kill or a crash.
//!
//! Owns the form: JSON lines; first the sweep's [`Header`], then its runs in order, each written completely
//! before the next one is considered. A kill leaves at most one torn line, the last, which is cut off when the
//! sweep continues; so a resumed sweep leaves the same bytes as an unbroken one. The writer holds the lock of
//! the file, so no other process writes it meanwhile. Refuses to know what the results mean.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use onsale_reports::directory;
use onsale_scenarios::reading;

use super::play::SeedResult;
use super::{Header, Item, SCHEMA};
use crate::capsule::problem;

/// The reason why a results file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The system refuses to read or write it.
    #[error("{file}: {source}", file = .file.display())]
    System {
        /// The file.
        file: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It holds results, and neither `--resume` nor `--overwrite` was given.
    #[error(
        "{file} holds the results of an earlier sweep: --resume continues them, --overwrite \
         starts over, --results FILE puts the new ones elsewhere", file = .file.display()
    )]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// Another process writes it.
    #[error(
        "{file}: a running sweep writes its results there; wait for its end, or put the new ones \
         elsewhere with --results FILE", file = .file.display()
    )]
    Busy {
        /// The file.
        file: PathBuf,
    },
    /// It holds something else.
    #[error(
        "{file} holds something other than results of a sweep, and is not touched; --results FILE puts the \
         results elsewhere", file = .file.display()
    )]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// It belongs to another sweep.
    #[error(
        "{file} belongs to another sweep: {what}; ask for the same, or start over with --overwrite or \
         --results FILE", file = .file.display()
    )]
    OtherSweep {
        /// The file.
        file: PathBuf,
        /// The difference.
        what: String,
    },
    /// It is no results file, or was edited.
    #[error("{file}:{line}: {what}; expected {expected}", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The problem.
        what: String,
        /// The advice.
        expected: String,
    },
}

/// A results file that is read line by line.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    header: Header,
    /// Lines read so far, the header included.
    lines: u64,
    /// The end of the last complete line, in bytes.
    end: u64,
}

/// A results file that is being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
}

impl Reader {
    /// Opens a file and reads its header. `None` if it is empty, or its header is incomplete.
    ///
    /// # Errors
    /// If it cannot be read or is no results file.
    pub fn open(path: &Path) -> Result<Option<Self>, ResultsError> {
        let file = reading::open(path)
            .map_err(|source| ResultsError::System { file: path.to_owned(), source })?;
        Self::of(path, file)
    }

    fn of(path: &Path, file: File) -> Result<Option<Self>, ResultsError> {
        let mut input = BufReader::new(file);
        let line = line_of(path, &mut input, 1)?;
        let end = line.len() as u64;
        let malformed = |what: String| ResultsError::Malformed {
            file: path.to_owned(),
            line: 1,
            what,
            expected: format!("a results file of schema {SCHEMA}, as onsale check writes it"),
        };
        if line.last() != Some(&b'\n') {
            let torn = HEADER_START.starts_with(&line[..line.len().min(HEADER_START.len())]);
            return if torn { Ok(None) } else { Err(malformed("not a results file".to_owned())) };
        }
        let value: serde_json::Value = serde_json::from_slice(&line)
            .map_err(|error| malformed(format!("not a results file: {}", problem(&error))))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_u64);
        if let Some(found) = schema.filter(|&found| found != u64::from(SCHEMA)) {
            return Err(malformed(format!("a results file of schema {found}")));
        }
        let header = serde_json::from_value(value)
            .map_err(|error| malformed(format!("not a results file: {}", problem(&error))))?;
        Ok(Some(Self { path: path.to_owned(), input, header, lines: 1, end }))
    }

    /// The sweep.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The next result, which must be that of `item`. `None` at the end, or if the last line is torn.
    ///
    /// # Errors
    /// If the line cannot be read, is no result, or belongs to another run.
    pub fn next(&mut self, item: Item) -> Result<Option<SeedResult>, ResultsError> {
        let Some(line) = self.line()? else { return Ok(None) };
        let scenario = &self.header.scenarios[item.scenario].id;
        let malformed = |what| ResultsError::Malformed {
            file: self.path.clone(),
            line: self.lines,
            what,
            expected: format!("the result of seed {} of {scenario}", item.seed),
        };
        let result: SeedResult = serde_json::from_slice(&line)
            .map_err(|error| malformed(format!("not a result: {error}")))?;
        let is_of = |id: &str| self.header.scenarios.iter().any(|known| known.id == id);
        let is_its = match self.header.guided {
            true => is_of(&result.scenario),
            false => result.scenario == *scenario,
        };
        if result.seed != item.seed || !is_its {
            let what = format!("the result of seed {} of {}", result.seed, result.scenario);
            return Err(malformed(what));
        }
        Ok(Some(result))
    }

    /// Checks that nothing follows the last run of the sweep, not even the beginning of a line: a kill leaves
    /// none there.
    ///
    /// # Errors
    /// If something does.
    pub fn finish(&mut self) -> Result<(), ResultsError> {
        if line_of(&self.path, &mut self.input, self.lines + 1)?.is_empty() {
            return Ok(());
        }
        Err(ResultsError::Malformed {
            file: self.path.clone(),
            line: self.lines + 1,
            what: "more results than the sweep has runs".to_owned(),
            expected: "the end of the file".to_owned(),
        })
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, ResultsError> {
        let line = line_of(&self.path, &mut self.input, self.lines + 1)?;
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.end += line.len() as u64;
        self.lines += 1;
        Ok(Some(line))
    }
}

/// Longest line that is read, in bytes: the evidence of a run takes some kibibytes.
const LINE_MAX: u64 = 16 << 20;

/// The next line with its line end, or the rest of the file.
fn line_of(path: &Path, input: &mut BufReader<File>, number: u64) -> Result<Vec<u8>, ResultsError> {
    let mut line = Vec::new();
    input
        .by_ref()
        .take(LINE_MAX)
        .read_until(b'\n', &mut line)
        .map_err(|source| ResultsError::System { file: path.to_owned(), source })?;
    if line.len() as u64 == LINE_MAX && line.last() != Some(&b'\n') {
        return Err(ResultsError::Malformed {
            file: path.to_owned(),
            line: number,
            what: "a line without an end".to_owned(),
            expected: format!("lines of at most {} MiB", LINE_MAX >> 20),
        });
    }
    Ok(line)
}

/// The beginning of every header: a shorter file may be a torn one.
const HEADER_START: &[u8] = b"{\"schema\":";

/// Whether a file begins with a header of any version, or is empty, or is the torn beginning of one.
pub fn is_results(head: &[u8]) -> bool {
    const NEXT: &[u8] = b",\"code_version\":";
    let Some(rest) = head.strip_prefix(HEADER_START) else { return HEADER_START.starts_with(head) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (schema, rest) = rest.split_at(digits);
    rest.is_empty() || !schema.is_empty() && (rest.starts_with(NEXT) || NEXT.starts_with(rest))
}

impl Writer {
    /// Adds a result. The system has it when this returns, so a kill of the program does not lose it.
    ///
    /// # Errors
    /// If it cannot be written, as on a full disk.
    pub fn append(&mut self, result: &SeedResult) -> Result<(), ResultsError> {
        self.file
            .write_all(&line(result))
            .map_err(|source| ResultsError::System { file: self.path.clone(), source })
    }
}

fn line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).expect("a result is plain data");
    line.push(b'\n');
    line
}

/// How existing results are treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They are an error.
    Keep,
    /// The sweep continues from them.
    Resume,
    /// They are replaced.
    Replace,
}

/// Opens the results file of a sweep and locks it until the writer is dropped. Creates missing directories.
/// Calls `known` for each existing result, in order. Returns the writer and the number of existing results.
///
/// # Errors
/// If existing results are an error, belong to another sweep or are being written, or if the file cannot be
/// used.
pub fn open(
    path: &Path,
    header: &Header,
    existing: Existing,
    mut known: impl FnMut(SeedResult),
) -> Result<(Writer, u64), ResultsError> {
    let system = |source| ResultsError::System { file: path.to_owned(), source };
    let (first, mut head) = (line(header), Vec::new());
    let mut file = held(path)?;
    (&file).take(first.len() as u64).read_to_end(&mut head).map_err(system)?;
    if existing != Existing::Resume && !is_results(&head) {
        return Err(ResultsError::Foreign { file: path.to_owned() });
    }
    // A kill at the start left a part of the header, or nothing.
    let is_torn = head.len() < first.len() && first.starts_with(&head);
    match existing {
        Existing::Keep if !head.is_empty() => {
            return Err(ResultsError::Exists { file: path.to_owned() });
        }
        Existing::Resume if !is_torn => {}
        Existing::Keep | Existing::Resume | Existing::Replace => {
            file.set_len(0).and_then(|()| file.write_all(&first)).map_err(system)?;
            return Ok((Writer { path: path.to_owned(), file }, 0));
        }
    }
    file.rewind().map_err(system)?;
    let reader = Reader::of(path, file.try_clone().map_err(system)?)?;
    let Some(mut reader) = reader else {
        return Err(ResultsError::Foreign { file: path.to_owned() });
    };
    let slices = (header.slice, reader.header.slice);
    let other_slice =
        || (slices.0 != slices.1).then(|| format!("slice {}, not {}", slices.1, slices.0));
    let is_longer = header.extends(&reader.header);
    let differs = if is_longer { None } else { header.difference(&reader.header) };
    if let Some(what) = differs.or_else(other_slice) {
        return Err(ResultsError::OtherSweep { file: path.to_owned(), what });
    }
    let results_start = reader.end;
    let (mut count, mut is_over) = (0, true);
    for item in header.items() {
        let Some(result) = reader.next(item)? else {
            is_over = false;
            break;
        };
        known(result);
        count += 1;
    }
    if is_over {
        reader.finish()?;
    } else {
        // Cuts off a torn line.
        file.set_len(reader.end).map_err(system)?;
    }
    if is_longer {
        file = under(path, &first, &file, results_start..reader.end)?;
    }
    Ok((Writer { path: path.to_owned(), file }, count))
}

/// Replaces the header of results in one step, so that a kill leaves the old file or the new one.
fn under(
    path: &Path,
    header: &[u8],
    mut old: &File,
    results: Range<u64>,
) -> Result<File, ResultsError> {
    let system = |source| ResultsError::System { file: path.to_owned(), source };
    // A link stays a link.
    let real = path.canonicalize().map_err(system)?;
    let (dir, name) = (real.parent().unwrap_or(&real), real.file_name().unwrap_or_default());
    directory::publish(dir, &name.to_string_lossy(), |out| {
        old.seek(SeekFrom::Start(results.start))?;
        out.write_all(header)?;
        io::copy(&mut old.take(results.end - results.start), out).map(drop)
    })
    .map_err(|error| system(error.source))?;
    held(path)
}

/// Opens the file, creates it if it is missing, and locks it until it is dropped. Writes are appended.
fn held(path: &Path) -> Result<File, ResultsError> {
    let system = |source| ResultsError::System { file: path.to_owned(), source };
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir).map_err(system)?;
    }
    if std::fs::metadata(path).is_ok() {
        // Opening a pipe would block.
        drop(reading::open(path).map_err(system)?);
    }
    let file =
        OpenOptions::new().read(true).append(true).create(true).open(path).map_err(system)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(ResultsError::Busy { file: path.to_owned() }),
        // Some systems have no locks.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(file),
        Err(TryLockError::Error(error)) => Err(system(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_known_by_their_beginning_however_short_it_is() {
        let whole: &[u8] = b"{\"schema\":12,\"code_version\":\"0.1.0\"";
        for length in 0..=whole.len() {
            assert!(is_results(&whole[..length]), "{length}");
        }
        for other in [
            "{}",
            "{\"schema\":1,\"precious\":",
            "{\"schema\":,\"code",
            "notes",
            "{\"schema\":\"1\"",
        ] {
            assert!(!is_results(other.as_bytes()), "{other}");
        }
    }
}
