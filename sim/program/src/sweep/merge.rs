//! The parts of a sweep, put together.
//!
//! Owns which files make a whole: every part once, all of one sweep, each to its end. Results come
//! out in the order of the whole sweep, so that whoever takes them cannot tell that it was spread.
//! Refuses to know what the results amount to.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::partition::Partition;
use super::play::SeedResult;
use super::results::{Reader, ResultsError};
use super::{Header, SCHEMA};

/// Missing parts that are told by name.
const MISSING_MAX: usize = 10;

/// Why parts make no whole.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file cannot be used.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A file holds nothing.
    #[error("{file}: it holds no results; was the sweep killed at its start?", file = .file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// Two files are of different sweeps.
    #[error(
        "{file} is of another sweep than {first}: {what}; merge the parts of one sweep",
        file = .file.display(), first = .first.display()
    )]
    OtherSweep {
        /// The file.
        file: PathBuf,
        /// The first file.
        first: PathBuf,
        /// In what it differs.
        what: String,
    },
    /// Two files hold the same part.
    #[error(
        "part {part} was run twice: {first} and {second}; leave one of them out",
        first = .first.display(), second = .second.display()
    )]
    Twice {
        /// The part.
        part: Partition,
        /// A file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// Parts are not there.
    #[error(
        "parts are missing: {}{}; run them with --partition, or give their files",
        .parts.join(", "), if *.more > 0 { format!(" and {} more", .more) } else { String::new() }
    )]
    Missing {
        /// The first of them.
        parts: Vec<String>,
        /// How many more there are.
        more: u32,
    },
    /// A part did not come to its end.
    #[error(
        "{file}: part {part} ends before seed {seed} of {scenario}; finish it with \
         onsale check … --partition {part} --resume", file = .file.display()
    )]
    Unfinished {
        /// The file.
        file: PathBuf,
        /// The part.
        part: Partition,
        /// The seed that is not there.
        seed: u64,
        /// Its scenario.
        scenario: String,
    },
}

/// All parts of a sweep, by their number.
#[derive(Debug)]
pub struct Parts {
    header: Header,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    reader: Reader,
    /// Whether the last result that was read has a failure.
    failed: bool,
    /// Whether there is nothing more.
    over: bool,
}

impl Parts {
    /// Opens the files and sees whether they make a whole.
    ///
    /// # Errors
    /// If they do not: which one, and why.
    ///
    /// # Panics
    /// If there are no files.
    pub fn open(files: &[PathBuf]) -> Result<Self, MergeError> {
        let mut parts: Vec<Part> = Vec::new();
        for file in files {
            let reader =
                Reader::open(file)?.ok_or_else(|| MergeError::Empty { file: file.clone() })?;
            if let Some(Part { reader: first, .. }) = parts.first()
                && let Some(what) = unlike(first.header(), reader.header())
            {
                let (file, first) = (file.clone(), first.path().to_owned());
                return Err(MergeError::OtherSweep { file, first, what });
            }
            let same = |part: &&Part| part.reader.header().partition == reader.header().partition;
            if let Some(twin) = parts.iter().find(same) {
                return Err(MergeError::Twice {
                    part: reader.header().partition,
                    first: twin.reader.path().to_owned(),
                    second: file.clone(),
                });
            }
            parts.push(Part { reader, failed: false, over: false });
        }
        parts.sort_by_key(|part| part.reader.header().partition.part);
        let header = parts.first().expect("a merge has files").reader.header().clone();
        let partition = header.partition;
        let there: BTreeSet<u32> =
            parts.iter().map(|part| part.reader.header().partition.part).collect();
        let missing = partition.of - there.len() as u32;
        if missing > 0 {
            let parts = (1..=partition.of)
                .filter(|number| !there.contains(number))
                .take(MISSING_MAX)
                .map(|part| Partition { part, ..partition }.to_string())
                .collect::<Vec<_>>();
            let more = missing - parts.len() as u32;
            return Err(MergeError::Missing { parts, more });
        }
        // What is written from here on is of this format.
        let header = Header { schema: SCHEMA, partition: Partition::WHOLE, ..header };
        Ok(Self { header, parts })
    }

    /// The whole sweep.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Every result, in the order of the whole sweep. A part that was to end at its first failure
    /// may do so, and one without a last seed may end anywhere. Returns the parts that did the former.
    ///
    /// # Errors
    /// If a part is not finished or its results are not those of the sweep.
    pub fn read(mut self, mut take: impl FnMut(SeedResult)) -> Result<Vec<Partition>, MergeError> {
        let dealt = self.parts[0].reader.header().partition;
        let mut cut = Vec::new();
        for item in self.header.all_items() {
            let scenario = &self.header.scenarios[item.scenario].id;
            let part = &mut self.parts[dealt.part_of(scenario, item) as usize - 1];
            if !part.over {
                if let Some(result) = part.reader.next(item)? {
                    part.failed = self.header.is_failed(item.scenario, &result);
                    take(result);
                    continue;
                }
                part.over = true;
                let own = part.reader.header().partition;
                if self.header.fail_fast && part.failed {
                    cut.push(own);
                } else if self.header.seeds.last.is_some() {
                    return Err(MergeError::Unfinished {
                        file: part.reader.path().to_owned(),
                        part: own,
                        seed: item.seed,
                        scenario: scenario.clone(),
                    });
                }
            }
            if self.parts.iter().all(|part| part.over) {
                break;
            }
        }
        for part in self.parts.iter_mut().filter(|part| !part.over) {
            part.reader.finish()?;
        }
        Ok(cut)
    }
}

/// Why two files are not of one sweep, spread by one rule over equally many parts.
fn unlike(first: &Header, other: &Header) -> Option<String> {
    first.difference(other).or_else(|| {
        let (own, its) = (first.partition, other.partition);
        let same = own.rule == its.rule && own.of == its.of;
        (!same).then(|| format!("part {its} does not belong to the same division as {own}"))
    })
}
