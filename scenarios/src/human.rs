//! Values as people write them: spans with a unit, targets by name, decimals.
//!
//! Owns the spelling of values in scenario files and plans. Refuses to know which field holds them.

use std::fmt;
use std::marker::PhantomData;

use onsale_booking::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// The longest span that a scenario may name: a thousand hours.
///
/// It leaves room to add any number of spans without an overflow.
pub const SPAN_MAX: Span = Span::from_secs(1_000 * 3_600);

/// Units of a span, each with its microseconds.
pub(crate) const UNITS: [(&str, u64); 5] =
    [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)];

/// Other spellings that people try, and the unit that each one means.
const UNIT_ALIASES: [(&str, u64); 24] = [
    ("µs", 1),
    ("μs", 1),
    ("usec", 1),
    ("usecs", 1),
    ("micros", 1),
    ("microseconds", 1),
    ("msec", 1_000),
    ("msecs", 1_000),
    ("millis", 1_000),
    ("milliseconds", 1_000),
    ("sec", 1_000_000),
    ("secs", 1_000_000),
    ("second", 1_000_000),
    ("seconds", 1_000_000),
    ("min", 60_000_000),
    ("mins", 60_000_000),
    ("minute", 60_000_000),
    ("minutes", 60_000_000),
    ("hr", 3_600_000_000),
    ("hrs", 3_600_000_000),
    ("hour", 3_600_000_000),
    ("hours", 3_600_000_000),
    ("d", 86_400_000_000),
    ("days", 86_400_000_000),
];

/// The reason why a text is not a valid value, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{what}; {help}")]
pub struct Misread {
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: String,
}

impl Misread {
    pub(crate) fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into() }
    }

    /// A serde error, which carries one text only: the help is on the second line.
    ///
    /// User text inside is quoted with its escapes, so the line break is unambiguous.
    pub(crate) fn into_serde<E: de::Error>(self) -> E {
        E::custom(format_args!("{}\n{}", self.what, self.help))
    }
}

/// Reads `250us`, `80ms`, `5s`, `10m` or `2h`.
///
/// # Errors
///
/// If the text has no such form, or lies beyond [`SPAN_MAX`].
pub fn parse_span(text: &str) -> Result<Span, Misread> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let exact = UNITS.iter().find(|(name, _)| *name == unit);
    let (Some(number), Some((_, micros))) = (digits(number), exact) else {
        return Err(Misread::new(format!("{text:?} is not a span of time"), span_help(text)));
    };
    match number.checked_mul(*micros) {
        Some(span) if span <= SPAN_MAX.micros() => Ok(Span(span)),
        Some(_) | None => {
            Err(Misread::new(format!("{text:?} is too long"), "a span is at most `1000h`"))
        }
    }
}

/// A decimal without sign or exponent, as its digits and their power of ten.
pub(crate) fn scaled_decimal(text: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if fraction.len() > 6 {
        return None;
    }
    let scale = 10_u64.pow(fraction.len() as u32);
    let value = digits(whole)?.checked_mul(scale)?.checked_add(digits(fraction)?)?;
    Some((value, scale))
}

/// `value` with the last `places` digits after the point and without trailing zeros.
pub(crate) fn decimal(value: u64, places: u32) -> String {
    let scale = 10_u64.pow(places);
    if value.is_multiple_of(scale) {
        return (value / scale).to_string();
    }
    let text = format!("{}.{:0width$}", value / scale, value % scale, width = places as usize);
    text.trim_end_matches('0').to_owned()
}

/// Digits only: unlike `u64::from_str`, without a sign.
pub(crate) fn digits(text: &str) -> Option<u64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The most similar candidate, if one is similar at all.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // Transposed and missing letters of a short word still score above this.
    const LIKENESS_MIN: f64 = 0.75;
    let word = word.to_lowercase().replace('_', "-");
    let mut best = None;
    for candidate in candidates {
        let likeness = strsim::jaro_winkler(&word, candidate);
        if likeness >= LIKENESS_MIN && best.is_none_or(|(most, _)| likeness > most) {
            best = Some((likeness, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// Words that were renamed: the old one, and the one in its place.
const RENAMED: [(&str, &str); 13] = [
    ("owner", "leader"),
    ("leads", "leader-placement"),
    ("owner-deposed", "leader-deposed"),
    ("waited-for-owner", "waited-for-leader"),
    ("lead-handed-over", "lead-transfer-asked"),
    ("lead-drawn-to-venue", "leader-drawn-to-venue"),
    ("lead-shed", "leader-shed"),
    ("joined-anew", "rejoined"),
    ("facts-written-anew", "facts-rewritten"),
    ("replica-begun-anew", "replica-replaced"),
    ("anew", "executed-again"),
    ("hand-over-given-up", "lead-transfer-given-up"),
    ("partition-by", "shard-by"),
];

/// The advice about a word that is not among the candidates, if one of them is meant.
pub(crate) fn meant<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    let renamed = RENAMED.iter().find(|(old, new)| *old == word && candidates.contains(new));
    match (renamed, closest(word, candidates)) {
        (Some((_, new)), _) => Some(format!("renamed to `{new}`")),
        (None, Some(near)) => Some(format!("did you mean `{near}`?")),
        (None, None) => None,
    }
}

/// Longest list of names that advice gives in full, in bytes.
const NAMES_MAX: usize = 240;

/// Number of names that advice gives of a longer list.
const NEAR: usize = 3;

/// The advice about a word that is not among the candidates: the word that is meant, or `all` and the candidates.
/// Of many candidates, the nearest, and the place of the full list.
pub(crate) fn advice(word: &str, candidates: &[&str], all: &str) -> String {
    if let Some(meant) = meant(word, candidates.iter().copied()) {
        return meant;
    }
    let names = candidates.join(", ");
    if names.len() <= NAMES_MAX || candidates.len() < NEAR {
        return format!("{all} {names}");
    }
    let mut nearest = candidates.to_vec();
    nearest.sort_by(|a, b| {
        let likeness = |candidate| strsim::jaro_winkler(word, candidate);
        likeness(b).total_cmp(&likeness(a))
    });
    let (last, others) = nearest[..NEAR].split_last().expect("there are several");
    format!(
        "the nearest of {} are `{}` and `{last}`; for all see REFERENCE.md, or `onsale scenarios reference`",
        candidates.len(),
        others.join("`, `"),
    )
}

/// Reads a value that is written as text; a bare number is offered to `parse` for its advice.
pub(crate) fn from_text<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expecting: &'static str,
    parse: fn(&str) -> Result<T, Misread>,
) -> Result<T, D::Error> {
    deserializer.deserialize_any(Text { expecting, parse })
}

struct Text<T> {
    expecting: &'static str,
    parse: fn(&str) -> Result<T, Misread>,
}

impl<T> Text<T> {
    fn unquoted<E: de::Error>(self, number: &str) -> Result<T, E> {
        let help = match (self.parse)(number) {
            Ok(_) => format!("write it as text, `\"{number}\"`"),
            Err(misread) => misread.help,
        };
        Err(Misread::new(format!("{number} is a bare number, not {}", self.expecting), help)
            .into_serde())
    }
}

impl<T> de::Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.parse)(text).map_err(Misread::into_serde)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        self.unquoted(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        self.unquoted(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        self.unquoted(&number.to_string())
    }
}

/// A span in its human form, where serde needs a type of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HumanSpan(pub(crate) Span);

impl Serialize for HumanSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for HumanSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a span of time such as `80ms` or `5s`", parse_span).map(Self)
    }
}

/// Two values in brackets, no more and no fewer.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Pair<A, B>(pub(crate) A, pub(crate) B);

impl<'de, A: Deserialize<'de>, B: Deserialize<'de>> Deserialize<'de> for Pair<A, B> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PairVisitor(PhantomData))
    }
}

struct PairVisitor<A, B>(PhantomData<(A, B)>);

impl<'de, A: Deserialize<'de>, B: Deserialize<'de>> de::Visitor<'de> for PairVisitor<A, B> {
    type Value = Pair<A, B>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence of two values")
    }

    fn visit_seq<S: de::SeqAccess<'de>>(self, mut seq: S) -> Result<Pair<A, B>, S::Error> {
        let first = seq.next_element()?;
        let second = seq.next_element()?;
        match (first, second, seq.next_element::<de::IgnoredAny>()?) {
            (Some(first), Some(second), None) => Ok(Pair(first, second)),
            (None, _, _) | (_, None, _) | (_, _, Some(_)) => {
                Err(Misread::new("not two values", "write two values in brackets, the least first")
                    .into_serde())
            }
        }
    }
}

/// Spans as text with a unit.
pub(crate) mod span {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        HumanSpan(*span).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Span, D::Error> {
        HumanSpan::deserialize(deserializer).map(|HumanSpan(span)| span)
    }
}

/// Thousandths as a decimal number: 800 is written `0.8`.
pub(crate) mod milli {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(milli: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(*milli) / 1e3)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let milli = (number * 1e3).round();
        if !(0.0..=10_000.0).contains(&milli) {
            return Err(Misread::new(
                format!("{number} is out of range"),
                "write a number from 0 to 10",
            )
            .into_serde());
        }
        if (number * 1e3 - milli).abs() > 1e-6 {
            return Err(Misread::new(
                format!("{number} is too fine"),
                "write at most three decimals",
            )
            .into_serde());
        }
        // In range and whole, as checked above.
        Ok(milli as u32)
    }
}

fn span_help(text: &str) -> String {
    if let [number, unit] = text.split_whitespace().collect::<Vec<_>>()[..]
        && digits(number).is_some()
        && UNITS.iter().any(|(name, _)| *name == unit)
    {
        return format!("write `{number}{unit}`, without a space");
    }
    match lenient_span(text) {
        Some(span) => format!("did you mean `{span}`?"),
        None => "write a whole number and a unit: `250us`, `80ms`, `5s`, `10m` or `2h`".to_owned(),
    }
}

/// What a person may have meant: `5 min`, `1.5h`, `1m30s`, or a number of seconds. A number without a unit beside
/// one that has a unit may mean anything.
fn lenient_span(text: &str) -> Option<Span> {
    let text: String = text.to_lowercase().split_whitespace().collect();
    let is_mixed = text.contains(char::is_alphabetic);
    let mut rest = text.as_str();
    let mut total = 0_u64;
    while !rest.is_empty() {
        let number_end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(number_end);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(unit_end);
        let (number, scale) = scaled_decimal(number)?;
        let micros = match unit {
            "" if is_mixed => return None,
            "" => 1_000_000,
            unit => lenient_unit(unit)?,
        };
        total = total.checked_add(number.checked_mul(micros)? / scale)?;
        rest = tail;
    }
    (total > 0 && total <= SPAN_MAX.micros()).then_some(Span(total))
}

fn lenient_unit(unit: &str) -> Option<u64> {
    let mut known = UNITS.iter().chain(&UNIT_ALIASES);
    if let Some((_, micros)) = known.find(|(name, _)| *name == unit) {
        return Some(*micros);
    }
    let like = closest(unit, UNIT_ALIASES.iter().map(|(name, _)| *name))?;
    UNIT_ALIASES.iter().find(|(name, _)| *name == like).map(|(_, micros)| *micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_in_every_unit() {
        let table = [
            ("250us", Span(250)),
            ("80ms", Span::from_millis(80)),
            ("5s", Span::from_secs(5)),
            ("10m", Span::from_secs(600)),
            ("2h", Span::from_secs(7_200)),
            ("0s", Span::ZERO),
        ];
        for (text, span) in table {
            assert_eq!(parse_span(text).unwrap(), span, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_span_is_refused_with_a_way_out() {
        let help = "write a whole number and a unit: `250us`, `80ms`, `5s`, `10m` or `2h`";
        let table = [
            ("5min", "did you mean `5m`?"),
            ("5 m", "write `5m`, without a space"),
            ("500 ms", "write `500ms`, without a space"),
            ("1m30", help),
            ("1.5h", "did you mean `90m`?"),
            ("1m30s", "did you mean `90s`?"),
            ("80 millisecs", "did you mean `80ms`?"),
            ("5", "did you mean `5s`?"),
            ("10 µs", "did you mean `10us`?"),
            ("3M", "did you mean `3m`?"),
            ("soon", help),
            ("", help),
            ("-5s", help),
            ("99999999999999999999999s", help),
            ("1001h", "a span is at most `1000h`"),
            ("18446744073709551615h", "a span is at most `1000h`"),
        ];
        for (text, help) in table {
            assert_eq!(parse_span(text).unwrap_err().help, help, "{text}");
        }
    }

    #[test]
    fn the_closest_word_is_found_and_strange_ones_are_left_alone() {
        let words = ["crash", "pause", "zone-loss", "partition"];
        let table = [
            ("crahs", Some("crash")),
            ("zone_loss", Some("zone-loss")),
            ("Partitoin", Some("partition")),
            ("quux", None),
        ];
        for (word, expected) in table {
            assert_eq!(closest(word, words), expected, "{word}");
        }
    }
}
