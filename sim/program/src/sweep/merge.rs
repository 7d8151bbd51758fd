//! Merges the slices of a sweep.
//!
//! Owns which files are complete together: every slice once, all of one sweep, each to its end. Results come out
//! in the order of the whole sweep, so their reader cannot tell that it was divided. Refuses to know what the
//! results mean.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::play::SeedResult;
use super::results::{Reader, ResultsError};
use super::slice::Slice;
use super::{Header, SCHEMA};

/// Most missing slices that are named; the others are counted.
const MISSING_MAX: usize = 10;

/// The reason why slices cannot be merged.
#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A file cannot be used.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// A file is empty.
    #[error("{file}: it holds no results; was the sweep killed at its start?", file = .file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// Two files belong to different sweeps.
    #[error(
        "{file} belongs to another sweep than {first}: {what}; merge the slices of one sweep",
        file = .file.display(), first = .first.display()
    )]
    OtherSweep {
        /// The file.
        file: PathBuf,
        /// The first file.
        first: PathBuf,
        /// The difference.
        what: String,
    },
    /// Two files hold the same slice.
    #[error(
        "slice {slice} was run twice: {first} and {second}; leave one of them out",
        first = .first.display(), second = .second.display()
    )]
    Twice {
        /// The slice.
        slice: Slice,
        /// One file.
        first: PathBuf,
        /// The other file.
        second: PathBuf,
    },
    /// Slices are missing.
    #[error(
        "slices are missing: {}{}; run them with --partition, or give their files",
        .slices.join(", "), if *.more > 0 { format!(" and {} more", .more) } else { String::new() }
    )]
    Missing {
        /// The first missing slice.
        slices: Vec<String>,
        /// The number of further missing slices.
        more: u32,
    },
    /// A slice is not finished.
    #[error(
        "{file}: slice {slice} ends before seed {seed} of {scenario}; finish it with \
         onsale check … --partition {slice} --resume", file = .file.display()
    )]
    Unfinished {
        /// The file.
        file: PathBuf,
        /// The slice.
        slice: Slice,
        /// The first missing seed.
        seed: u64,
        /// Its scenario.
        scenario: String,
    },
}

/// All slices of a sweep, in the order of their numbers.
#[derive(Debug)]
pub struct Slices {
    header: Header,
    inputs: Vec<Input>,
}

#[derive(Debug)]
struct Input {
    reader: Reader,
    /// Whether the last result read has a failure.
    failed: bool,
    /// Whether the slice has no more results.
    over: bool,
}

impl Slices {
    /// Opens the files and checks that they are complete.
    ///
    /// # Errors
    /// The file that is wrong, and why.
    ///
    /// # Panics
    /// If there are no files.
    pub fn open(files: &[PathBuf]) -> Result<Self, MergeError> {
        let mut inputs: Vec<Input> = Vec::new();
        for file in files {
            let reader =
                Reader::open(file)?.ok_or_else(|| MergeError::Empty { file: file.clone() })?;
            if let Some(Input { reader: first, .. }) = inputs.first()
                && let Some(what) = unlike(first.header(), reader.header())
            {
                let (file, first) = (file.clone(), first.path().to_owned());
                return Err(MergeError::OtherSweep { file, first, what });
            }
            let same = |input: &&Input| input.reader.header().slice == reader.header().slice;
            if let Some(twin) = inputs.iter().find(same) {
                return Err(MergeError::Twice {
                    slice: reader.header().slice,
                    first: twin.reader.path().to_owned(),
                    second: file.clone(),
                });
            }
            inputs.push(Input { reader, failed: false, over: false });
        }
        inputs.sort_by_key(|input| input.reader.header().slice.number);
        let header = inputs.first().expect("a merge has files").reader.header().clone();
        let slice = header.slice;
        let there: BTreeSet<u32> =
            inputs.iter().map(|input| input.reader.header().slice.number).collect();
        let missing = slice.of - there.len() as u32;
        if missing > 0 {
            let slices = (1..=slice.of)
                .filter(|number| !there.contains(number))
                .take(MISSING_MAX)
                .map(|number| Slice { number, ..slice }.to_string())
                .collect::<Vec<_>>();
            let more = missing - slices.len() as u32;
            return Err(MergeError::Missing { slices, more });
        }
        // The output is written in the current format.
        let header = Header { schema: SCHEMA, slice: Slice::WHOLE, ..header };
        Ok(Self { header, inputs })
    }

    /// The whole sweep.
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Calls `take` for every result, in the order of the whole sweep. A slice told to end at its first failure
    /// may do so, and one without a last seed may end anywhere. Returns the slices that ended at a failure.
    ///
    /// # Errors
    /// If a slice is not finished or its results are not those of the sweep.
    pub fn read(mut self, mut take: impl FnMut(SeedResult)) -> Result<Vec<Slice>, MergeError> {
        let dealt = self.inputs[0].reader.header().slice;
        let mut cut = Vec::new();
        for item in self.header.all_items() {
            let scenario = &self.header.scenarios[item.scenario].id;
            let input = &mut self.inputs[dealt.number_of(scenario, item) as usize - 1];
            if !input.over {
                if let Some(result) = input.reader.next(item)? {
                    input.failed = self.header.is_failed(item.scenario, &result);
                    take(result);
                    continue;
                }
                input.over = true;
                let own = input.reader.header().slice;
                if self.header.fail_fast && input.failed {
                    cut.push(own);
                } else if self.header.seeds.last.is_some() {
                    return Err(MergeError::Unfinished {
                        file: input.reader.path().to_owned(),
                        slice: own,
                        seed: item.seed,
                        scenario: scenario.clone(),
                    });
                }
            }
            if self.inputs.iter().all(|input| input.over) {
                break;
            }
        }
        for input in self.inputs.iter_mut().filter(|input| !input.over) {
            input.reader.finish()?;
        }
        Ok(cut)
    }
}

/// The reason why two files are not slices of one sweep, dealt by one rule to the same number of slices.
fn unlike(first: &Header, other: &Header) -> Option<String> {
    first.difference(other).or_else(|| {
        let (own, its) = (first.slice, other.slice);
        let same = own.rule == its.rule && own.of == its.of;
        (!same).then(|| format!("slice {its} does not belong to the same division as {own}"))
    })
}
