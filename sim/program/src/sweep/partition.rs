//! A part of a sweep, so that several machines share it.
//!
//! Owns which part a run belongs to: exactly one, the same on every machine and for every version.
//! Refuses to know how parts are spread or put together again.

use std::fmt;
use std::str::FromStr;

use onsale_world::stream::fork;
use serde::{Deserialize, Serialize};

use super::Item;

/// One of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Partition {
    /// How runs are dealt.
    pub rule: Rule,
    /// Its number, from 1.
    pub part: u32,
    /// How many there are.
    pub of: u32,
}

/// How runs are dealt to parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// By a hash of scenario and seed: a run stays in its part when others come or go.
    Hash,
    /// In turn, by their number in the sweep: parts of equal size.
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

impl Partition {
    /// Everything, in one part.
    pub const WHOLE: Self = Self { rule: Rule::Hash, part: 1, of: 1 };

    /// Whether there is no other part.
    pub const fn is_whole(self) -> bool {
        self.of == 1
    }

    /// The number of the part to which a run belongs, from 1.
    pub fn part_of(self, scenario: &str, item: Item) -> u32 {
        let dealt = match self.rule {
            Rule::Hash => fork(item.seed, scenario),
            Rule::Count => item.number,
        };
        (dealt % u64::from(self.of)) as u32 + 1
    }

    /// Whether a run belongs to this part.
    pub fn holds(self, scenario: &str, item: Item) -> bool {
        self.is_whole() || self.part_of(scenario, item) == self.part
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.rule.name(), self.part, self.of)
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let malformed =
            || format!("{text:?} is no part: write hash:2/4 or count:2/4 for the second of four");
        let (name, place) = text.split_once(':').ok_or_else(malformed)?;
        let rule = Rule::ALL.iter().find(|(_, known)| *known == name).ok_or_else(malformed)?.0;
        let (part, of) = place.split_once('/').ok_or_else(malformed)?;
        let number = |text: &str| text.parse::<u32>().map_err(|_| malformed());
        let (part, of) = (number(part)?, number(of)?);
        if part == 0 || part > of {
            return Err(format!(
                "there is no part {part} of {of}: parts are numbered from 1 to {of}"
            ));
        }
        Ok(Self { rule, part, of })
    }
}

impl TryFrom<String> for Partition {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Partition> for String {
    fn from(partition: Partition) -> Self {
        partition.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> impl Iterator<Item = Item> {
        (0..1_000).map(|number| Item { number, scenario: 0, seed: 40 + number })
    }

    #[test]
    fn every_run_belongs_to_exactly_one_part() {
        for rule in [Rule::Hash, Rule::Count] {
            for item in items() {
                let holding = (1..=7)
                    .filter(|&part| Partition { rule, part, of: 7 }.holds("fast/crash", item));
                assert_eq!(holding.count(), 1, "{rule:?} {item:?}");
            }
            for part in 1..=7 {
                let partition = Partition { rule, part, of: 7 };
                let size = items().filter(|&item| partition.holds("fast/crash", item)).count();
                assert!((100..190).contains(&size), "{partition}: {size} of 1,000");
            }
        }
    }

    /// Machines with other versions must deal alike.
    #[test]
    fn parts_keep_their_runs_for_ever() {
        let partition = Partition { rule: Rule::Hash, part: 1, of: 4 };
        let dealt: Vec<u32> =
            items().take(8).map(|item| partition.part_of("fast/crash", item)).collect();
        assert_eq!(dealt, GOLDEN_PARTS);
    }

    const GOLDEN_PARTS: [u32; 8] = [1, 3, 1, 4, 1, 3, 4, 1];

    #[test]
    fn parts_read_as_they_are_written() {
        for text in ["hash:1/4", "hash:4/4", "count:2/3", "hash:1/1"] {
            assert_eq!(text.parse::<Partition>().unwrap().to_string(), text);
        }
        for text in
            ["", "1/4", "hash", "hash:", "hash:0/4", "hash:5/4", "hash:1/0", "hash:a/b", "mod:1/4"]
        {
            let error = text.parse::<Partition>().expect_err(text);
            assert!(error.contains("part"), "{text}: {error}");
        }
        assert!(Partition::WHOLE.holds("any", Item { number: 3, scenario: 1, seed: 9 }));
    }
}
