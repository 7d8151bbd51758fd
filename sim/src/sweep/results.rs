//! The results file: what a sweep has found so far, safe from whatever ends it.
//!
//! Owns the form: JSON, a line each; first the sweep's [`Header`], then its runs in order, each
//! written whole before the next is looked at. A kill leaves at most one torn line, the last, which is cut
//! off when the sweep goes on; so a resumed sweep leaves the same bytes as an unbroken one.
//! Refuses to know what the results amount to.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::play::SeedResult;
use super::{Header, Item, SCHEMA};

/// Why a results file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// The system does not let it be read or written.
    #[error("{file}: {source}", file = .file.display())]
    System {
        /// The file.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds results, and nothing was said of what is to become of them.
    #[error(
        "{file} holds the results of an earlier sweep: --resume goes on with them, --overwrite \
         starts anew, --results FILE puts the new ones elsewhere", file = .file.display()
    )]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// It is of another sweep.
    #[error(
        "{file} is of another sweep: {what}; ask for the same, or start anew with --overwrite or \
         --results FILE", file = .file.display()
    )]
    OtherSweep {
        /// The file.
        file: PathBuf,
        /// In what it differs.
        what: String,
    },
    /// It is no results file, or was edited.
    #[error("{file}:{line}: {what}; expected {expected}", file = .file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// What would be right.
        expected: String,
    },
}

/// The oldest format that is read: seeds are numbers in it. A sweep in it is not gone on with.
const FIRST_SCHEMA: u32 = 1;

/// Results that were read, line by line.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    input: BufReader<File>,
    header: Header,
    /// Lines read so far, the header among them.
    lines: u64,
    /// Where the last whole line ends.
    end: u64,
}

/// Results that are being written.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
}

impl Reader {
    /// Opens a file and reads its header. None if it is empty, or if not even its header was written whole.
    ///
    /// # Errors
    /// If it cannot be read or is no results file.
    pub fn open(path: &Path) -> Result<Option<Self>, ResultsError> {
        let system = |source| ResultsError::System { file: path.to_owned(), source };
        let mut input = BufReader::new(File::open(path).map_err(system)?);
        let mut line = Vec::new();
        let end = input.read_until(b'\n', &mut line).map_err(system)? as u64;
        let malformed = |what: String| ResultsError::Malformed {
            file: path.to_owned(),
            line: 1,
            what,
            expected: format!(
                "a results file of format {FIRST_SCHEMA} to {SCHEMA}, as onsale check writes it"
            ),
        };
        if line.last() != Some(&b'\n') {
            let torn = HEADER_START.starts_with(&line[..line.len().min(HEADER_START.len())]);
            return if torn { Ok(None) } else { Err(malformed("not a results file".to_owned())) };
        }
        let value: serde_json::Value = serde_json::from_slice(&line)
            .map_err(|error| malformed(format!("not a results file: {error}")))?;
        let schema = value.get("schema").and_then(serde_json::Value::as_u64);
        let known = u64::from(FIRST_SCHEMA)..=u64::from(SCHEMA);
        if let Some(found) = schema.filter(|found| !known.contains(found)) {
            return Err(malformed(format!("a results file of format {found}")));
        }
        let header = serde_json::from_value(value)
            .map_err(|error| malformed(format!("not a results file: {error}")))?;
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

    /// The next result, which must be that of `item`. None at the end, or where the last line is torn.
    ///
    /// # Errors
    /// If the line cannot be read, is no result, or is that of another run.
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
        if result.seed != item.seed || result.scenario != *scenario {
            let what = format!("the result of seed {} of {}", result.seed, result.scenario);
            return Err(malformed(what));
        }
        Ok(Some(result))
    }

    /// That nothing stands behind the last run of the sweep.
    ///
    /// # Errors
    /// If something does.
    pub fn finish(mut self) -> Result<(), ResultsError> {
        if self.line()?.is_none() {
            return Ok(());
        }
        Err(ResultsError::Malformed {
            file: self.path,
            line: self.lines,
            what: "more results than the sweep has runs".to_owned(),
            expected: "the end of the file".to_owned(),
        })
    }

    /// Goes on writing behind what was read. A torn line there goes away.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn into_writer(self) -> Result<Writer, ResultsError> {
        let Self { path, end, .. } = self;
        let open = || {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            file.set_len(end)?;
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Writer { path, file }),
            Err(source) => Err(ResultsError::System { file: path, source }),
        }
    }

    fn line(&mut self) -> Result<Option<Vec<u8>>, ResultsError> {
        let mut line = Vec::new();
        let read = self
            .input
            .read_until(b'\n', &mut line)
            .map_err(|source| ResultsError::System { file: self.path.clone(), source })?;
        if line.last() != Some(&b'\n') {
            return Ok(None);
        }
        self.end += read as u64;
        self.lines += 1;
        Ok(Some(line))
    }
}

/// How every header begins: a shorter file may be a torn one.
const HEADER_START: &[u8] = b"{\"schema\":";

impl Writer {
    /// A file with a header alone. Directories on the way to it are made; what stood there goes away.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(path: &Path, header: &Header) -> Result<Self, ResultsError> {
        let open = || {
            if let Some(dir) = path.parent() {
                std::fs::create_dir_all(dir)?;
            }
            let mut file = File::create(path)?;
            file.write_all(&line(header))?;
            Ok(file)
        };
        match open() {
            Ok(file) => Ok(Self { path: path.to_owned(), file }),
            Err(source) => Err(ResultsError::System { file: path.to_owned(), source }),
        }
    }

    /// Adds a result. It is with the system when this returns, so a kill of the program does not
    /// take it away.
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

/// What is to become of results that are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// They are in the way.
    Keep,
    /// They are what the sweep goes on from.
    Resume,
    /// They go away.
    Replace,
}

/// Opens the results file of a sweep. What it holds already is told to `known`, in order.
/// Returns the writer and how many results were there.
///
/// # Errors
/// If results are in the way, or are of another sweep, or the file cannot be used.
pub fn open(
    path: &Path,
    header: &Header,
    existing: Existing,
    mut known: impl FnMut(SeedResult),
) -> Result<(Writer, u64), ResultsError> {
    let in_the_way = std::fs::metadata(path).is_ok_and(|file| file.len() > 0);
    let reader = match existing {
        Existing::Keep if in_the_way => {
            return Err(ResultsError::Exists { file: path.to_owned() });
        }
        Existing::Resume if in_the_way => Reader::open(path)?,
        Existing::Keep | Existing::Resume | Existing::Replace => None,
    };
    let Some(mut reader) = reader else { return Ok((Writer::create(path, header)?, 0)) };
    let parts = (header.partition, reader.header.partition);
    let other_part = || (parts.0 != parts.1).then(|| format!("part {}, not {}", parts.1, parts.0));
    if let Some(what) = header.difference(&reader.header).or_else(other_part) {
        return Err(ResultsError::OtherSweep { file: path.to_owned(), what });
    }
    let mut count = 0;
    for item in header.items() {
        let Some(result) = reader.next(item)? else { return Ok((reader.into_writer()?, count)) };
        known(result);
        count += 1;
    }
    let writer = reader.into_writer()?;
    Ok((writer, count))
}
