//! Limits on how long people wait: `hold p99 < 500ms outside faults`.
//!
//! Owns their parts and their spelling. Refuses to know how waits are measured.

use std::fmt;
use std::str::FromStr;

use onsale_booking::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::human::{self, Misread, parse_span};

/// An upper bound that the run must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The wait.
    pub wait: Wait,
    /// The figure of the waits.
    pub figure: Figure,
    /// Its bound, exclusive; not zero.
    pub below: Span,
    /// The part of the run.
    pub part: Part,
}

/// A wait of a person, from the instant at which the person meant to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// From arrival to admission.
    Queue,
    /// Getting seats held.
    Hold,
    /// Turning a paid hold into a booking.
    Confirm,
    /// Releasing a hold.
    Release,
    /// From the first intended hold to the booking.
    Purchase,
}

/// A figure of many waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// The wait that this share of people does not exceed, in thousandths of a percent: 1 to 99,999.
    Percentile(u32),
    /// The longest.
    Max,
}

/// A part of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// Waits that overlap a fault.
    InFaults,
    /// The other waits.
    OutsideFaults,
}

/// First words of a part of a run.
const PART_WORDS: [&str; 2] = ["in", "outside"];

const FORM: &str = "write `hold p99 < 500ms`, and `in faults` or `outside faults` behind it \
                    for a part of the run";

impl Wait {
    const ALL: [(Self, &str); 5] = [
        (Self::Queue, "queue"),
        (Self::Hold, "hold"),
        (Self::Confirm, "confirm"),
        (Self::Release, "release"),
        (Self::Purchase, "purchase"),
    ];
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Self::ALL.into_iter().find(|(wait, _)| wait == self);
        f.write_str(known.map_or("", |(_, name)| name))
    }
}

impl FromStr for Wait {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        if let Some((wait, _)) = Self::ALL.into_iter().find(|&(_, name)| name == text) {
            return Ok(wait);
        }
        let names = Self::ALL.map(|(_, name)| name);
        let help = match human::closest(text, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("people wait for {}", names.join(", ")),
        };
        Err(Misread::new(format!("{text:?} is nothing that people wait for"), help))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Percentile(thousandths) => {
                write!(f, "p{}", human::decimal(u64::from(thousandths), 3))
            }
            Self::Max => f.write_str("max"),
        }
    }
}

impl FromStr for Figure {
    type Err = Misread;

    fn from_str(text: &str) -> Result<Self, Misread> {
        if text == "max" {
            return Ok(Self::Max);
        }
        let percent = text.strip_prefix('p').and_then(human::scaled_decimal);
        let thousandths = percent.and_then(|(digits, scale)| {
            let scaled = digits.checked_mul(1_000)?;
            scaled.is_multiple_of(scale).then_some(scaled / scale)
        });
        match thousandths {
            Some(found @ 1..100_000) => Ok(Self::Percentile(found as u32)),
            Some(100_000) => {
                Err(Misread::new(format!("{text:?} is the longest wait"), "write `max`"))
            }
            Some(_) | None => Err(Misread::new(
                format!("{text:?} is not a percentile"),
                "write `p50`, `p99`, `p99.9` or `max`; a percentile has at most three decimals",
            )),
        }
    }
}

impl fmt::Display for Limit {
    /// The inverse of `FromStr`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { wait, figure, below, part } = self;
        write!(f, "{wait} {figure} < {below}")?;
        match part {
            Part::Whole => Ok(()),
            Part::InFaults => f.write_str(" in faults"),
            Part::OutsideFaults => f.write_str(" outside faults"),
        }
    }
}

impl FromStr for Limit {
    type Err = Misread;

    /// Reads `confirm p99.9 < 2s outside faults`.
    fn from_str(text: &str) -> Result<Self, Misread> {
        let incomplete = |what: &str| Misread::new(format!("{text:?} {what}"), FORM);
        let spaced = text.replace('<', " < ");
        let mut words = spaced.split_whitespace();
        let mut next = |what: &str| words.next().ok_or_else(|| incomplete(what));

        let wait = next("is no limit")?.parse()?;
        let figure = next("names no figure")?.parse()?;
        let sign = next("has no bound")?;
        if sign != "<" {
            let what = format!("{sign:?} stands where a limit has `<`");
            return Err(Misread::new(what, "a limit is what a wait stays below"));
        }
        let bound = next("has no bound")?;
        let rest: Vec<&str> = words.collect();
        let below = match (bound.parse::<f64>(), rest.first()) {
            (Ok(_), Some(unit)) if !PART_WORDS.contains(unit) => {
                parse_span(&format!("{bound} {unit}"))?
            }
            (Ok(_), _) => {
                let help = format!("name its unit, as in `{bound}ms` or `{bound}s`");
                return Err(Misread::new(format!("the bound {bound:?} has no unit"), help));
            }
            (Err(_), _) => parse_span(bound)?,
        };
        if below == Span::ZERO {
            return Err(Misread::new(
                format!("no wait is below {bound:?}"),
                "write a limit above zero",
            ));
        }
        let part = match rest[..] {
            [] => Part::Whole,
            ["in", "faults"] => Part::InFaults,
            ["outside", "faults"] => Part::OutsideFaults,
            ref rest => {
                return Err(Misread::new(
                    format!("{:?} is no part of a run", rest.join(" ")),
                    "write `in faults`, `outside faults`, or nothing for all of it",
                ));
            }
        };
        Ok(Self { wait, figure, below, part })
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        human::from_text(deserializer, "a limit such as `hold p99 < 500ms`", Self::from_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_printed() {
        let table = [
            ("hold p99 < 500ms", Wait::Hold, Figure::Percentile(99_000), 500, Part::Whole),
            (
                "confirm p99.9 < 2s outside faults",
                Wait::Confirm,
                Figure::Percentile(99_900),
                2_000,
                Part::OutsideFaults,
            ),
            ("purchase max < 90s in faults", Wait::Purchase, Figure::Max, 90_000, Part::InFaults),
            ("queue p0.001 < 1ms", Wait::Queue, Figure::Percentile(1), 1, Part::Whole),
        ];
        for (text, wait, figure, millis, part) in table {
            let limit = Limit { wait, figure, below: Span::from_millis(millis), part };
            assert_eq!(text.parse::<Limit>().unwrap(), limit, "{text}");
            assert_eq!(limit.to_string(), text);
        }
        assert_eq!("hold  p50<1s".parse::<Limit>().unwrap().to_string(), "hold p50 < 1s");
    }

    #[test]
    fn what_is_not_a_limit_is_refused_with_a_way_out() {
        let table = [
            ("", format!("\"\" is no limit; {FORM}")),
            ("hold", format!("\"hold\" names no figure; {FORM}")),
            ("hold p99", format!("\"hold p99\" has no bound; {FORM}")),
            ("hold p99 <", format!("\"hold p99 <\" has no bound; {FORM}")),
            ("hodl p99 < 1s", "\"hodl\" is nothing that people wait for; did you mean `hold`?".into()),
            (
                "payment p99 < 1s",
                "\"payment\" is nothing that people wait for; people wait for queue, hold, confirm, release, purchase".into(),
            ),
            ("hold p100 < 1s", "\"p100\" is the longest wait; write `max`".into()),
            (
                "hold p99.9999 < 1s",
                "\"p99.9999\" is not a percentile; write `p50`, `p99`, `p99.9` or `max`; a percentile has at most three decimals".into(),
            ),
            ("hold max > 1s", "\">\" stands where a limit has `<`; a limit is what a wait stays below".into()),
            ("hold max < 5min", "\"5min\" is not a span of time; did you mean `5m`?".into()),
            (
                "hold p99 < 500 ms",
                "\"500 ms\" is not a span of time; write `500ms`, without a space".into(),
            ),
            (
                "hold p99 < 0.5 s in faults",
                "\"0.5 s\" is not a span of time; did you mean `500ms`?".into(),
            ),
            (
                "hold p99 < 500",
                "the bound \"500\" has no unit; name its unit, as in `500ms` or `500s`".into(),
            ),
            (
                "hold p99 < 500 in faults",
                "the bound \"500\" has no unit; name its unit, as in `500ms` or `500s`".into(),
            ),
            ("hold max < 0s", "no wait is below \"0s\"; write a limit above zero".into()),
            (
                "hold max < 1s during faults",
                "\"during faults\" is no part of a run; write `in faults`, `outside faults`, or nothing for all of it".into(),
            ),
        ];
        for (text, error) in table {
            assert_eq!(text.parse::<Limit>().unwrap_err().to_string(), error);
        }
    }
}
