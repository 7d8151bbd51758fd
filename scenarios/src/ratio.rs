//! Probabilities and shares as integer ratios.
//!
//! Owns their arithmetic and their spelling: `1/200`, `40%`, `0.3%`. Refuses to know
//! where draws come from.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::human::{self, Misread};

/// A probability as an integer ratio, so that no float decides an outcome.
///
/// Two ratios are equal if they stand for the same share: 2/4 is 1/2.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// The numerator.
    pub num: u32,
    /// The denominator; never zero.
    pub den: u32,
}

impl Ratio {
    /// Never.
    pub const NEVER: Self = Self { num: 0, den: 1 };
    /// Always.
    pub const ALWAYS: Self = Self { num: 1, den: 1 };

    /// `num` in `den`, in lowest terms.
    ///
    /// # Panics
    ///
    /// If `den` is zero.
    pub const fn new(num: u32, den: u32) -> Self {
        assert!(den > 0, "a ratio has a denominator");
        let (mut a, mut b) = (num, den);
        while b > 0 {
            (a, b) = (b, a % b);
        }
        Self { num: num / a, den: den / a }
    }

    /// This many in a hundred.
    pub const fn percent(percent: u32) -> Self {
        Self::new(percent, 100)
    }

    /// Whether it never happens.
    pub const fn is_never(self) -> bool {
        self.num == 0
    }

    /// Whether an event of this probability happens, given a draw that is uniform over all of `u64`.
    ///
    /// Equal ratios decide alike, however they are written.
    pub const fn hits(self, draw: u64) -> bool {
        let scaled = (draw as u128 * self.den as u128) >> 64;
        scaled < self.num as u128
    }

    /// This share of `whole`, rounded down.
    pub const fn of(self, whole: u64) -> u64 {
        let share = whole as u128 * self.num as u128 / self.den as u128;
        // Only a share above one could exceed the type; no scenario holds one.
        if share > u64::MAX as u128 { u64::MAX } else { share as u64 }
    }

    /// The share as a float, for people and for continuous models.
    pub fn as_f64(self) -> f64 {
        f64::from(self.num) / f64::from(self.den)
    }
}

impl PartialEq for Ratio {
    fn eq(&self, other: &Self) -> bool {
        u64::from(self.num) * u64::from(other.den) == u64::from(other.num) * u64::from(self.den)
    }
}

impl Eq for Ratio {}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        let ours = u64::from(self.num) * u64::from(other.den);
        ours.cmp(&(u64::from(other.num) * u64::from(self.den)))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Ratio {
    /// A percentage if three decimals hold it, else a fraction; `FromStr` reads both.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reduced = Self::new(self.num, self.den);
        let thousandths = u64::from(reduced.num) * 100_000;
        if !thousandths.is_multiple_of(u64::from(reduced.den)) {
            return write!(f, "{}/{}", reduced.num, reduced.den);
        }
        write!(f, "{}%", human::decimal(thousandths / u64::from(reduced.den), 3))
    }
}

impl FromStr for Ratio {
    type Err = Misread;

    /// Reads `1/200`, `40%` or `0.3%`, from nothing to one.
    fn from_str(text: &str) -> Result<Self, Misread> {
        let (num, den) = if let Some(percent) = text.strip_suffix('%') {
            let (digits, scale) = human::scaled_decimal(percent).ok_or_else(|| unreadable(text))?;
            (digits, 100 * scale)
        } else if let Some((num, den)) = text.split_once('/') {
            (
                human::digits(num).ok_or_else(|| unreadable(text))?,
                human::digits(den).ok_or_else(|| unreadable(text))?,
            )
        } else {
            return Err(unreadable(text));
        };

        if den == 0 {
            return Err(Misread::new(
                format!("{text:?} divides by zero"),
                "write how many in how many: `1/200`",
            ));
        }
        if num > den {
            return Err(Misread::new(
                format!("{text:?} is more than everything"),
                "a share is at most `100%`",
            ));
        }
        match (u32::try_from(num), u32::try_from(den)) {
            (Ok(num), Ok(den)) => Ok(Self::new(num, den)),
            (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => Err(Misread::new(
                format!("{text:?} is finer than a share can be"),
                "the smallest share is 1 in 4294967295",
            )),
        }
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        human::from_text(deserializer, "a share such as `1/200` or `40%`", Self::from_str)
    }
}

fn unreadable(text: &str) -> Misread {
    let what = format!("{text:?} is not a share");
    let unit_is_missing = human::scaled_decimal(text.trim());
    match unit_is_missing {
        Some((0, _)) => Misread::new(what, "did you mean `0%`?"),
        Some((digits, scale)) if digits <= scale => {
            let hundredfold = digits.saturating_mul(100);
            match hundredfold.is_multiple_of(scale) {
                true => Misread::new(what, format!("did you mean `{}%`?", hundredfold / scale)),
                false => Misread::new(
                    what,
                    format!("write it as `{}%` or as a fraction such as `1/200`", text.trim()),
                ),
            }
        }
        Some(_) => Misread::new(what, format!("did you mean `{}%`?", text.trim())),
        None => Misread::new(what, "write `1/200`, `40%` or `0.3%`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_and_printed() {
        let table = [
            ("1/200", Ratio::new(1, 200), "0.5%"),
            ("40%", Ratio::new(2, 5), "40%"),
            ("0.3%", Ratio::new(3, 1000), "0.3%"),
            ("1/3", Ratio::new(1, 3), "1/3"),
            ("0%", Ratio::NEVER, "0%"),
            ("100%", Ratio::ALWAYS, "100%"),
            ("4294967295/4294967295", Ratio::ALWAYS, "100%"),
        ];
        for (text, ratio, printed) in table {
            assert_eq!(text.parse::<Ratio>().unwrap(), ratio, "{text}");
            assert_eq!(ratio.to_string(), printed);
            assert_eq!(printed.parse::<Ratio>().unwrap(), ratio, "{printed}");
        }
    }

    #[test]
    fn what_is_not_a_share_is_refused_with_a_way_out() {
        let table = [
            ("0.4", "\"0.4\" is not a share; did you mean `40%`?"),
            ("40", "\"40\" is not a share; did you mean `40%`?"),
            ("140%", "\"140%\" is more than everything; a share is at most `100%`"),
            ("3/2", "\"3/2\" is more than everything; a share is at most `100%`"),
            ("1/0", "\"1/0\" divides by zero; write how many in how many: `1/200`"),
            ("often", "\"often\" is not a share; write `1/200`, `40%` or `0.3%`"),
            ("", "\"\" is not a share; write `1/200`, `40%` or `0.3%`"),
            ("-1/2", "\"-1/2\" is not a share; write `1/200`, `40%` or `0.3%`"),
            (
                "1/99999999999",
                "\"1/99999999999\" is finer than a share can be; the smallest share is 1 in 4294967295",
            ),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Ratio>().unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn a_draw_hits_in_proportion_and_alike_for_equal_ratios() {
        assert!(!Ratio::NEVER.hits(0));
        assert!(Ratio::ALWAYS.hits(u64::MAX));
        let half = Ratio::new(1, 2);
        assert!(half.hits(u64::MAX / 2));
        assert!(!half.hits(u64::MAX / 2 + 1));
        for draw in [0, 1, u64::MAX / 3, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX] {
            assert_eq!(half.hits(draw), Ratio { num: 50, den: 100 }.hits(draw));
        }
        assert_eq!(Ratio::percent(60).of(10_000_000), 6_000_000);
    }
}
