//! Problems and advice, from the messages of TOML and JSON readers.
//!
//! Owns the words. Refuses to know any setting.

use std::ops::Range;

use crate::form::kind_at;
use crate::human;
use crate::locate::Place;
use crate::problem::{Complaint, ScenarioError, Source};
use crate::setting::Kind;

pub(super) fn explain_toml(source: &Source, error: &toml::de::Error) -> ScenarioError {
    let text = source.text();
    let span = error.span().or_else(|| too_deep(text)).unwrap_or(0..0);
    // A file has no id of its own: the key is known, and refused.
    let message = error.message().replace("expected one of `id`, ", "expected one of ");
    explain(source, span, Place::of_toml(text), &message)
}

/// Deepest nesting that the TOML reader follows.
const TOML_DEPTH_MAX: usize = 80;

/// The position at which a text nests deeper than its reader follows, by brackets, braces or dotted keys: the
/// reader's own error lacks it.
fn too_deep(text: &str) -> Option<Range<usize>> {
    let (mut open, mut dots, mut quote) = (0_usize, 0_usize, None);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match (quote, letter) {
            (Some('"'), '\\') => drop(letters.next()),
            (Some(end), _) if letter == end => quote = None,
            (Some('#'), '\n') => (quote, dots) = (None, 0),
            (Some(_), _) => {}
            (None, '"' | '\'' | '#') => quote = Some(letter),
            (None, '[' | '{') => open += 1,
            (None, ']' | '}') => open = open.saturating_sub(1),
            (None, '.') => dots += 1,
            (None, '\n' | '=' | ',') => dots = 0,
            (None, _) => {}
        }
        if open + dots >= TOML_DEPTH_MAX {
            return Some(at..at + 1);
        }
    }
    None
}

pub(super) fn explain_json(source: &Source, error: &serde_json::Error) -> ScenarioError {
    let text = source.text();
    let line = error.line().saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    // The reader has passed the value's last byte when it reports an error in it.
    let offset = (line_start + error.column()).saturating_sub(1).min(text.len());
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    explain(
        source,
        offset..offset + 1,
        Place::of_json(text),
        message.strip_suffix(&place).unwrap_or(&message),
    )
}

/// Turns a reader's message into a problem with advice.
fn explain(
    source: &Source,
    span: Range<usize>,
    places: Option<Place>,
    message: &str,
) -> ScenarioError {
    let in_syntax = places.is_none();
    let field = places.map_or_else(String::new, |places| places.field_at(span.start));
    let (what, help) = by_kind(message, &field).unwrap_or_else(|| advice(message, in_syntax));
    source.error(span, Complaint::new(field, what, help))
}

/// The problem and the advice if the type of the setting says more than the reader's message.
fn by_kind(message: &str, field: &str) -> Option<(String, String)> {
    let (found, expected) = message.strip_prefix("invalid ")?.split_once(", expected ")?;
    let kind = kind_at(field)?;
    if let Kind::Whole { least, most } = kind
        && ["u8", "u16", "u32", "u64"].contains(&expected)
    {
        let bounds = if most == u64::MAX { "up".to_owned() } else { format!("to {most}") };
        let what = format!("invalid {found}, expected a whole number");
        return Some((what, format!("write a whole number from {least} {bounds}")));
    }
    if let Kind::List(item) = kind
        && let Kind::OneOf(_) = *item
        && found == "type: map"
    {
        let what = format!("`[{field}]` is one table, where a list of tables belongs");
        return Some((what, format!("write `[[{field}]]`")));
    }
    None
}

fn advice(message: &str, in_syntax: bool) -> (String, String) {
    // Our own values put their advice on a second line.
    if let Some((what, help)) = message.split_once('\n') {
        return (what.to_owned(), help.to_owned());
    }

    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let Some((word, known)) = quoted.split_first() {
        for (prefix, noun) in [("unknown field", "key"), ("unknown variant", "name")] {
            if message.starts_with(prefix) {
                return unknown(noun, word, known);
            }
        }
        if message.starts_with("missing field") {
            return (format!("`{word}` is missing"), format!("add `{word} = …`"));
        }
    }
    // The TOML reader's message about keys of a fault or a shape of arrivals.
    if let Some(rest) = message.strip_prefix("unexpected keys in table: ")
        && let Some((words, known)) = rest.split_once(", available keys: ")
    {
        let known: Vec<&str> = known.split(", ").collect();
        return unknown("key", words.split(", ").next().unwrap_or(words), &known);
    }
    if message.starts_with("wanted exactly 1 element") || message.starts_with("expected value at") {
        let help = "write one fault under each `[[fault]]`";
        return ("one key belongs here".to_owned(), help.to_owned());
    }

    let limits = [
        ("expected f64", "write a number such as `0.8`"),
        ("expected a span of time", "write text such as `\"5s\"`"),
        ("expected a share", "write text such as `\"40%\"`"),
        ("expected a limit", "write text such as `\"hold p99 < 500ms\"`"),
        ("expected a target", "write text such as `\"n3\"`"),
        ("EOF while parsing", "the text ends too early: it was cut off"),
        ("expected a string", "write text in quotes"),
        ("expected a boolean", "write `true` or `false`"),
        ("expected a sequence", "write a list in brackets"),
        ("expected an array", "write a list in brackets"),
        ("expected struct", "write a table: `{ key = value }`"),
        ("expected a table", "write a table: `{ key = value }`"),
        ("expected enum", "write a table with one key"),
    ];
    let limit = limits.iter().find(|(expected, _)| message.contains(expected));
    let help = match limit {
        Some((_, help)) => *help,
        None if in_syntax => "fix the syntax: quote text, write each key once",
        None => "`onsale scenarios show fast/calm` prints a whole scenario to compare with",
    };
    (message.to_owned(), help.to_owned())
}

fn unknown(noun: &str, word: &str, known: &[&str]) -> (String, String) {
    let help = match known {
        [] => "nothing belongs here".to_owned(),
        known => human::advice(word, known, "known here:"),
    };
    (format!("unknown {noun} `{word}`"), help)
}
