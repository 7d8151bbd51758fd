//! A slice of a sweep, so that several machines can share it.
//!
//! Owns which slice a run belongs to: exactly one, the same on every machine and in every version. Refuses to
//! know how slices are distributed or merged.

use std::fmt;
use std::str::FromStr;

use onsale_world::stream::fork;
use serde::{Deserialize, Serialize};

use super::Item;

/// One slice of a sweep, written as `hash:2/4` or `count:2/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Slice {
    /// How runs are dealt.
    pub rule: Rule,
    /// Its number, from 1.
    pub number: u32,
    /// The number of slices.
    pub of: u32,
}

/// How runs are dealt to slices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// By a hash of scenario and seed: a run stays in its slice when other runs are added or removed.
    Hash,
    /// In turn, by number in the sweep: slices of equal size.
    Count,
}

impl Rule {
    const ALL: [(Self, &'static str); 2] = [(Self::Hash, "hash"), (Self::Count, "count")];

    fn name(self) -> &'static str {
        match self {
            Self::Hash => "hash",
            Self::Count => "count",
        }
    }
}

impl Slice {
    /// The whole sweep, in one slice.
    pub const WHOLE: Self = Self { rule: Rule::Hash, number: 1, of: 1 };

    /// Whether this is the only slice.
    pub const fn is_whole(self) -> bool {
        self.of == 1
    }

    /// Number of the slice to which a run belongs, from 1.
    pub fn number_of(self, scenario: &str, item: Item) -> u32 {
        let dealt = match self.rule {
            Rule::Hash => fork(item.seed, scenario),
            Rule::Count => item.number,
        };
        (dealt % u64::from(self.of)) as u32 + 1
    }

    /// Whether a run belongs to this slice.
    pub fn holds(self, scenario: &str, item: Item) -> bool {
        self.is_whole() || self.number_of(scenario, item) == self.number
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.rule.name(), self.number, self.of)
    }
}

impl FromStr for Slice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed =
            || format!("{text:?} is no slice: write hash:2/4 or count:2/4 for the second of four");
        let (name, place) = text.split_once(':').ok_or_else(malformed)?;
        let rule = Rule::ALL.iter().find(|(_, known)| *known == name).ok_or_else(malformed)?.0;
        let (number, of) = place.split_once('/').ok_or_else(malformed)?;
        let read = |text: &str| text.parse::<u32>().map_err(|_| malformed());
        let (number, of) = (read(number)?, read(of)?);
        if number == 0 || number > of {
            return Err(format!(
                "there is no slice {number} of {of}: slices are numbered from 1 to {of}"
            ));
        }
        Ok(Self { rule, number, of })
    }
}

impl TryFrom<String> for Slice {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Slice> for String {
    fn from(slice: Slice) -> Self {
        slice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> impl Iterator<Item = Item> {
        (0..1_000).map(|number| Item { number, scenario: 0, seed: 40 + number })
    }

    #[test]
    fn every_run_belongs_to_exactly_one_slice() {
        for rule in [Rule::Hash, Rule::Count] {
            for item in items() {
                let holding = (1..=7)
                    .filter(|&number| Slice { rule, number, of: 7 }.holds("fast/crash", item));
                assert_eq!(holding.count(), 1, "{rule:?} {item:?}");
            }
            for number in 1..=7 {
                let slice = Slice { rule, number, of: 7 };
                let size = items().filter(|&item| slice.holds("fast/crash", item)).count();
                assert!((100..190).contains(&size), "{slice}: {size} of 1,000");
            }
        }
    }

    /// Machines with different versions must deal runs in the same way.
    #[test]
    fn slices_keep_their_runs_for_ever() {
        let slice = Slice { rule: Rule::Hash, number: 1, of: 4 };
        let dealt: Vec<u32> =
            items().take(8).map(|item| slice.number_of("fast/crash", item)).collect();
        assert_eq!(dealt, GOLDEN_SLICES);
    }

    const GOLDEN_SLICES: [u32; 8] = [1, 3, 1, 4, 1, 3, 4, 1];

    #[test]
    fn slices_read_as_they_are_written() {
        for text in ["hash:1/4", "hash:4/4", "count:2/3", "hash:1/1"] {
            assert_eq!(text.parse::<Slice>().unwrap().to_string(), text);
        }
        for text in
            ["", "1/4", "hash", "hash:", "hash:0/4", "hash:5/4", "hash:1/0", "hash:a/b", "mod:1/4"]
        {
            let error = text.parse::<Slice>().expect_err(text);
            assert!(error.contains("slice"), "{text}: {error}");
        }
        assert!(Slice::WHOLE.holds("any", Item { number: 3, scenario: 1, seed: 9 }));
    }
}
