//! Writing scenarios: in full, without defaults, and as JSON.
//!
//! Owns the form of a scenario as text, which reads back to an equal scenario. Refuses to know any setting.

mod commented;

use std::fmt;

use toml::{Table, Value};

use crate::scenario::Scenario;
use crate::settings::Arrivals;

impl Scenario {
    /// The scenario in full as TOML, every default filled in; it reads back to an equal one.
    ///
    /// The id is left out, because files have none.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        write_table(&mut text, "", &self.to_table()).expect("a string takes whatever is written");
        text
    }

    /// The scenario as TOML without keys at their default; it reads back to an equal one.
    pub fn to_brief_toml(&self) -> String {
        let mut table = self.to_table();
        leave_out_defaults(&mut table, &Self::default().to_table(), SECTION_LEVELS);
        // If it were left out, the trace's count would be used.
        if let Arrivals::Trace { .. } = self.crowd.arrivals
            && let Some(Value::Table(crowd)) = table.get_mut("crowd")
        {
            crowd.insert("users".to_owned(), Value::Integer(self.crowd.users.into()));
        }
        let mut text = String::new();
        write_table(&mut text, "", &table).expect("a string takes whatever is written");
        text
    }

    /// The scenario in full as JSON, with its id; it reads back to an equal one.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every field of a scenario has a form in JSON")
    }
}

/// Deepest nesting of sections; deeper tables are values.
const SECTION_LEVELS: u8 = 2;

fn leave_out_defaults(table: &mut Table, defaults: &Table, levels: u8) {
    table.retain(|key, value| match (value, defaults.get(key)) {
        (Value::Table(section), Some(Value::Table(defaults))) if levels > 0 => {
            leave_out_defaults(section, defaults, levels - 1);
            !section.is_empty()
        }
        (value, default) => default != Some(&*value),
    });
}

/// Whether a value of the table at `path` has a heading of its own.
fn is_section(path: &str, value: &Value) -> bool {
    let tables = |items: &[Value]| !items.is_empty() && items.iter().all(Value::is_table);
    let is_table = value.is_table() || value.as_array().is_some_and(|items| tables(items));
    is_table && !path.contains('.')
}

/// Writes scalars first, then sections of at most two levels; deeper tables stay on one line.
fn write_table(text: &mut impl fmt::Write, path: &str, table: &Table) -> fmt::Result {
    for (key, value) in table.iter().filter(|(_, value)| !is_section(path, value)) {
        // Only the list of faults can be empty at the top: then it is left out.
        if !(path.is_empty() && value.is_array()) {
            writeln!(text, "{key} = {}", Plain(value))?;
        }
    }
    for (key, value) in table.iter().filter(|(_, value)| is_section(path, value)) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Value::Table(section) = value {
            writeln!(text, "\n[{path}]")?;
            write_table(text, &path, section)?;
        }
        for item in value.as_array().into_iter().flatten().filter_map(Value::as_table) {
            writeln!(text, "\n[[{path}]]")?;
            for (key, value) in item {
                writeln!(text, "{key} = {}", Plain(value))?;
            }
        }
    }
    Ok(())
}

/// A value on one line, with escapes for characters that cannot be printed: it moves no terminal, and begins no line
/// that a CI system takes for a command.
struct Plain<'a>(&'a Value);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_formless(self.0) {
            return write!(f, "{}", self.0);
        }
        match self.0 {
            Value::String(text) => {
                f.write_str("\"")?;
                for letter in text.chars() {
                    match letter {
                        '"' | '\\' => write!(f, "\\{letter}")?,
                        '#' => f.write_str("\\u0023")?,
                        letter if has_form(letter) => write!(f, "{letter}")?,
                        letter => write!(f, "\\U{:08X}", u32::from(letter))?,
                    }
                }
                f.write_str("\"")
            }
            Value::Array(items) => {
                f.write_str("[")?;
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if n > 0 { ", " } else { "" }, Plain(item))?;
                }
                f.write_str("]")
            }
            Value::Table(table) => {
                f.write_str("{ ")?;
                for (n, (key, value)) in table.iter().enumerate() {
                    write!(f, "{}{key} = {}", if n > 0 { ", " } else { "" }, Plain(value))?;
                }
                f.write_str(" }")
            }
            value @ (Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)) => write!(f, "{value}"),
        }
    }
}

/// Whether a text in it holds what has no form of its own on a page.
fn is_formless(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.chars().all(has_form) || text.contains("##"),
        Value::Array(items) => items.iter().any(is_formless),
        Value::Table(table) => table.values().any(is_formless),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}

fn has_form(letter: char) -> bool {
    matches!(letter, '\'' | '"' | '\\') || letter.escape_debug().len() == 1
}
