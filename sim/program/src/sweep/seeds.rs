//! A range of seeds, as users write it.
//!
//! Owns the spellings `A..B`, `A..=B`, `A` and, for sweeps that end by time, `A..`. Refuses to know what is run
//! under a seed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seeds from a first one to a last one, or without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Seeds {
    /// The first seed.
    pub first: u64,
    /// The last seed, at least the first; `None` for an open end.
    pub last: Option<u64>,
}

impl Seeds {
    /// Number of seeds; `None` for an open end. The full range of 2⁶⁴ seeds counts as one less.
    pub fn count(self) -> Option<u64> {
        self.last.map(|last| (last - self.first).saturating_add(1))
    }

    /// The seeds in order. Without an end, they go up to the highest `u64`.
    pub fn iter(self) -> impl Iterator<Item = u64> + Send {
        self.first..=self.last.unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            None => write!(f, "{}..", self.first),
            Some(u64::MAX) => write!(f, "{}..={}", self.first, u64::MAX),
            Some(last) => write!(f, "{}..{}", self.first, last + 1),
        }
    }
}

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
            digits.then(|| part.parse().ok()).flatten().ok_or_else(|| {
                format!(
                    "{part:?} is no seed: a seed is a whole number from 0 to {}, a range is 1..101, \
                     1..=100, or 7 for one",
                    u64::MAX
                )
            })
        };
        let Some((first, end)) = text.split_once("..") else {
            let seed = number(text)?;
            return Ok(Self { first: seed, last: Some(seed) });
        };
        let first = number(first)?;
        let last = match end.strip_prefix('=') {
            _ if end.is_empty() => None,
            Some(last) => Some(number(last)?),
            // The end is not part of the range.
            None => Some(number(end)?.checked_sub(1).ok_or("0 comes before every seed")?),
        };
        if last.is_some_and(|last| last < first) {
            return Err(format!(
                "{text} holds no seed: its end must lie above its start, as in {first}..{}",
                first.saturating_add(100)
            ));
        }
        Ok(Self { first, last })
    }
}

impl TryFrom<String> for Seeds {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Seeds> for String {
    fn from(seeds: Seeds) -> Self {
        seeds.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_read_as_they_are_written() {
        let max = u64::MAX;
        let table = [
            ("1..101", 1, Some(100), "1..101"),
            ("1..=100", 1, Some(100), "1..101"),
            ("7", 7, Some(7), "7..8"),
            ("0..1", 0, Some(0), "0..1"),
            ("5..", 5, None, "5.."),
            ("3..=18446744073709551615", 3, Some(max), "3..=18446744073709551615"),
            ("18446744073709551615", max, Some(max), &format!("{max}..={max}")),
        ];
        for (text, first, last, shown) in table {
            let seeds: Seeds = text.parse().unwrap();
            assert_eq!(seeds, Seeds { first, last }, "{text}");
            assert_eq!(seeds.to_string(), shown);
            assert_eq!(shown.parse(), Ok(seeds));
        }
        assert_eq!("3..6".parse::<Seeds>().unwrap().iter().collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!("3..6".parse::<Seeds>().unwrap().count(), Some(3));
    }

    #[test]
    fn what_is_no_range_is_told_with_one() {
        let nonsense = [
            "", "..", "..5", "5..5", "9..3", "0..0", "-1", "+1", "1..2..3", "1...3", "1..x", "1e3",
        ];
        for text in nonsense {
            let error = text.parse::<Seeds>().expect_err(text);
            assert!(error.contains("seed"), "{text}: {error}");
        }
    }
}
