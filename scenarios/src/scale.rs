//! The share of a trace's people who come: all, some, or several for each.
//!
//! Owns the spelling (`12.5%`, `250%`) and the arithmetic, in integers. Refuses to know what a trace is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::human::{self, Misread};

/// Thousandths of a percent in the whole.
const WHOLE: u64 = 100_000;

/// A factor above 0 and up to 10,000, in thousandths of a percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale(u64);

impl Scale {
    /// The largest, a hundredfold of a hundredfold.
    const MAX: Self = Self(10_000 * WHOLE);

    /// This multiple of `whole`, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        let scaled = u128::from(whole) * u128::from(self.0) / u128::from(WHOLE);
        u64::try_from(scaled).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", human::decimal(self.0, 3))
    }
}

impl FromStr for Scale {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        let unreadable =
            || Misread::new(format!("{text:?} is no scale"), "write text such as `10%` or `250%`");
        let percent = text.strip_suffix('%').ok_or_else(unreadable)?;
        let (value, scale) = human::scaled_decimal(percent).ok_or_else(unreadable)?;
        let thousandths = u128::from(value) * 1_000 / u128::from(scale);
        match u64::try_from(thousandths) {
            Ok(0) => {
                Err(Misread::new(format!("{text:?} is nobody"), "the smallest scale is `0.001%`"))
            }
            Ok(thousandths) if thousandths <= Self::MAX.0 => Ok(Self(thousandths)),
            Ok(_) | Err(_) => Err(Misread::new(
                format!("{text:?} is too much"),
                "the largest scale is `1000000%`",
            )),
        }
    }
}

impl Serialize for Scale {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Scale {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|misread: Misread| misread.into_serde())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_are_read_and_written() {
        for (text, of_a_thousand) in [
            ("100%", 1_000),
            ("12.5%", 125),
            ("250%", 2_500),
            ("0.1%", 1),
            ("1000000%", 10_000_000),
        ] {
            let scale: Scale = text.parse().unwrap();
            assert_eq!((scale.to_string().as_str(), scale.of(1_000)), (text, of_a_thousand));
        }
        assert_eq!(Scale::MAX.of(u64::MAX), u64::MAX);
        for text in
            ["", "10", "1/2", "-3%", "0%", "0.0001%", "1000001%", "x%", "99999999999999999999%"]
        {
            assert!(text.parse::<Scale>().is_err(), "{text}");
        }
    }
}
