//! Instants and spans in microseconds.
//!
//! Owns the only notion of time that booking rules and systems know: a number that the driver passes in. Refuses to
//! know where it comes from.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

use serde::{Deserialize, Serialize};

/// A point in time, in microseconds since the driver's origin.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Instant(pub u64);

/// A length of time in microseconds.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(pub u64);

/// An item with the instant at which it left its sender or, once delivered, reached its receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timed<T> {
    /// The instant.
    pub at: Instant,
    /// The item.
    pub item: T,
}

impl<T> Timed<T> {
    /// Changes the instant of each item in a batch.
    #[inline]
    pub fn retime(batch: &mut [Self], change: impl Fn(Instant) -> Instant) {
        batch.iter_mut().for_each(|timed| timed.at = change(timed.at));
    }
}

impl Instant {
    /// The driver's origin.
    pub const ZERO: Self = Self(0);
    /// Later than every event.
    pub const MAX: Self = Self(u64::MAX);

    /// Microseconds since the origin.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Seconds since the origin, for people.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The span since `earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// The empty span.
    pub const ZERO: Self = Self(0);

    /// A span of whole microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000)
    }

    /// A span of whole seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000)
    }

    /// The length in microseconds.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The length in seconds, for people.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The length in milliseconds, for people.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e3
    }
}

impl Add<Span> for Instant {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Instant {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Span {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Instant {
    /// `[h:]mm:ss.mmm`, as in the reports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000;
        let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
        let (secs, millis) = (millis / 1_000 % 60, millis % 1_000);
        if hours > 0 {
            write!(f, "{hours}:")?;
        }
        write!(f, "{minutes:02}:{secs:02}.{millis:03}")
    }
}

impl fmt::Display for Span {
    /// The shortest exact form in one unit that a scenario file accepts: `250us`, `80ms`, `5s`, `10m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] =
            [(3_600_000_000, "h"), (60_000_000, "m"), (1_000_000, "s"), (1_000, "ms")];
        for (micros, unit) in UNITS {
            if self.0 >= micros && self.0.is_multiple_of(micros) {
                return write!(f, "{}{unit}", self.0 / micros);
            }
        }
        write!(f, "{}us", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_print_in_their_largest_exact_unit() {
        let table = [
            (Span(0), "0us"),
            (Span(250), "250us"),
            (Span::from_millis(80), "80ms"),
            (Span::from_secs(90), "90s"),
            (Span::from_secs(600), "10m"),
            (Span::from_secs(7_200), "2h"),
        ];
        for (span, text) in table {
            assert_eq!(span.to_string(), text);
        }
    }

    #[test]
    fn instants_print_as_a_clock() {
        assert_eq!(Instant(61_002_000).to_string(), "01:01.002");
        assert_eq!(Instant(3_600_000_000).to_string(), "1:00:00.000");
    }
}
