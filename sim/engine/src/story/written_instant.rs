//! An instant of a run, as people write it.
//!
//! Owns the two forms: the time since the start, `1m35s`, and the clock of the reports,
//! `01:35.250`. Refuses to know how long a run is.

use std::str::FromStr;

use onsale_booking::Instant;

/// An instant of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrittenInstant(pub Instant);

impl FromStr for WrittenInstant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let micros = if text.contains(':') { clock(text) } else { spans(text) };
        micros.map(|micros| Self(Instant(micros))).ok_or_else(|| {
            format!(
                "`{text}` is not an instant of a run: write the time since its start, such as 95s \
                or 1m35s250ms, or the clock that reports print, such as 01:35.250"
            )
        })
    }
}

/// Parses `1m35s250ms` to microseconds: whole numbers, each with its unit, the longest unit first and each once.
fn spans(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 5] =
        [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];
    let (mut rest, mut micros, mut units) = (text, 0_u64, &UNITS[..]);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let place = units.iter().position(|(name, _)| *name == unit)?;
        let length = &units[place].1;
        units = &units[..place];
        micros = micros.checked_add(number.parse::<u64>().ok()?.checked_mul(*length)?)?;
        rest = next;
    }
    (!text.is_empty()).then_some(micros)
}

/// Parses `[h:]mm:ss[.fraction]` to microseconds: every part but the first is below 60.
fn clock(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > 6 || fraction.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let micros: u64 = format!("{fraction:0<6}").parse().ok()?;
    let mut seconds = 0_u64;
    for (place, part) in whole.split(':').enumerate() {
        if part.is_empty() || place > 2 || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = part.parse().ok().filter(|&number: &u64| place == 0 || number < 60)?;
        seconds = seconds.checked_mul(60)?.checked_add(number)?;
    }
    seconds.checked_mul(1_000_000)?.checked_add(micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_two_ways() {
        let table = [
            ("95s", 95_000_000),
            ("1m35s", 95_000_000),
            ("1m35s250ms", 95_250_000),
            ("7us", 7),
            ("01:35.250", 95_250_000),
            ("01:35", 95_000_000),
            ("1:00:00.5", 3_600_500_000),
            ("95:00", 5_700_000_000),
            ("2h1ms", 7_200_001_000),
        ];
        for (text, micros) in table {
            assert_eq!(text.parse(), Ok(WrittenInstant(Instant(micros))), "{text}");
        }
        let nonsense = [
            "",
            "95",
            "s",
            "95 s",
            "1.5s",
            "-1s",
            "1:",
            "01:35.",
            "99999999999999999999h",
            "00:60",
            "99:99",
            "1:60:00",
            "1:2:3:4",
            "1m35s1m35s",
            "35s1m",
            "1s1s",
            "+1s",
            "+1:00",
        ];
        for text in nonsense {
            let error = text.parse::<WrittenInstant>().expect_err(text);
            assert!(error.contains("such as 95s"), "{error}");
        }
    }
}
