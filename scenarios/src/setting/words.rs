//! A setting in words: type, bounds, default and its basis.
//!
//! Owns the wording in comments, schema and reference. Refuses to know any setting.

use onsale_booking::Span;
use toml::Value as Toml;

use super::{Key, Kind, SOME_TIME};

impl Key {
    /// Bounds, unit, default and basis in one line: `1 to 99 nodes; default 5, chosen`.
    pub fn words(&self) -> String {
        let mut words = self.kind.words();
        if !self.unit.is_empty() && !words.is_empty() {
            words = format!("{words} {}", self.unit);
        }
        let default = match &self.default {
            Some(default) => {
                format!("default {}, {}", brief(default), self.basis)
            }
            None if self.is_required => "must be written".to_owned(),
            None => "may be left out".to_owned(),
        };
        if matches!(self.kind, Kind::Table(_) | Kind::OneOf(_)) {
            return String::new();
        }
        if words.is_empty() { default } else { format!("{words}; {default}") }
    }
}

impl Kind {
    /// The type with its bounds; empty for any text, and for a table.
    pub fn words(&self) -> String {
        match self {
            Self::Whole { least, most } => most_of(*least, *most),
            Self::Decimal { least_milli, most_milli } => {
                format!("{} to {}, up to three decimals", least_milli / 1_000, most_milli / 1_000)
            }
            Self::Flag => "true or false".to_owned(),
            Self::Span { least, most } => span(*least, *most),
            Self::Share => "a share".to_owned(),
            Self::Scale => "a share or a multiple, such as 10% or 250%".to_owned(),
            Self::Timing { most } => format!("a span up to {most}, or how one is drawn"),
            Self::Name(choices) if choices.len() > 9 => "a name, see the reference".to_owned(),
            Self::Name(choices) => {
                let names: Vec<_> =
                    choices.iter().map(|choice| format!("\"{}\"", choice.name)).collect();
                match names.split_last() {
                    Some((last, [])) => last.clone(),
                    Some((last, others)) => format!("{} or {last}", others.join(", ")),
                    None => String::new(),
                }
            }
            Self::Text { form, .. } => (*form).to_owned(),
            Self::TextOrTable { form, .. } => format!("{form}; or a table"),
            Self::List(item) => match item.words() {
                words if words.is_empty() => "a list".to_owned(),
                words => format!("a list, each {words}"),
            },
            Self::Pair(first, second) => match (first.words(), second.words()) {
                (first, second) if first == second => format!("two in brackets, each {first}"),
                (first, second) => {
                    let text = |words: String| match words.is_empty() {
                        true => "text".to_owned(),
                        false => words,
                    };
                    format!("a pair of {}, and {}", text(first), text(second))
                }
            },
            Self::Table(_) | Self::OneOf(_) => String::new(),
        }
    }
}

/// The bounds of a whole number, as far as they are narrower than its type.
fn most_of(least: u64, most: u64) -> String {
    let is_type_s = [u8::MAX.into(), u16::MAX.into(), u32::MAX.into(), u64::MAX].contains(&most);
    if is_type_s { format!("{least} or more") } else { format!("{least} to {most}") }
}

fn span(least: Span, most: Span) -> String {
    match (least, most) {
        bounds if bounds == SOME_TIME.into_inner() => "a span above 0".to_owned(),
        (Span::ZERO, most) if most == *SOME_TIME.end() => "a span".to_owned(),
        (Span::ZERO, most) => format!("a span up to {most}"),
        (least, most) => format!("a span of {least} to {most}"),
    }
}

/// A default in a few words.
fn brief(default: &Toml) -> String {
    /// Longest default that is shown in full, in characters.
    const LETTERS_MAX: usize = 80;
    match default.to_string() {
        text if text.chars().count() <= LETTERS_MAX => text,
        text => {
            let items = default.as_array().map_or(0, Vec::len);
            debug_assert!(items > 0, "only a list is that long: {text}");
            format!("{items} of them")
        }
    }
}
