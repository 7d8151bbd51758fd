//! JSON as people and programs both read it.
//!
//! Owns its form: indented, with a newline at its end, and with nothing in it that a terminal obeys.
//! Refuses to know what is told.

use serde::Serialize;

use crate::plain;

/// The text of a document, its keys in the order of its fields.
///
/// # Panics
///
/// When it is no plain data: a map's key that is no text, or a field that refuses to be written.
pub fn pretty(document: &impl Serialize) -> String {
    let mut json = serde_json::to_string_pretty(document).expect("a document is plain data");
    json.push('\n');
    plain::json(&json).into_owned()
}

/// The same in one line, with a newline at its end.
///
/// # Panics
///
/// As [`pretty`].
pub fn line(document: &impl Serialize) -> String {
    let mut json = serde_json::to_string(document).expect("a document is plain data");
    json.push('\n');
    plain::json(&json).into_owned()
}
