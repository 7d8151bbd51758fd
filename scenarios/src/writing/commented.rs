//! A scenario in full with a comment at each key, as `onsale scenarios show` prints it.
//!
//! Owns the page: the comments and the line breaks. Refuses to know any setting.

use toml::{Table, Value};

use super::{Plain, is_section};
use crate::form::settings;
use crate::scenario::Scenario;
use crate::setting::{Key, Kind, Section, join};

/// Longest line, in characters, unless a single value is longer.
const WIDTH: usize = 100;

impl Scenario {
    /// The scenario in full as TOML, each key with its doc, bounds, default and basis; it reads back to an equal
    /// one.
    pub fn to_commented_toml(&self) -> String {
        let mut page = Page::default();
        page.table("", &self.to_table(), &settings());
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn table(&mut self, path: &str, table: &Table, section: &Section) {
        let known = |key: &str| section.keys.iter().find(|known| known.name == key);
        for (key, value) in table.iter().filter(|(_, value)| !is_section(path, value)) {
            // Only the list of faults can be empty at the top: then it is left out.
            if path.is_empty() && value.is_array() {
                continue;
            }
            if let Some(known) = known(key) {
                self.note(&told(known));
            }
            self.entry(key, value);
        }
        for (key, value) in table.iter().filter(|(_, value)| is_section(path, value)) {
            let Some(known) = known(key) else { continue };
            self.section(&join(path, key), value, known);
        }
    }

    fn section(&mut self, path: &str, value: &Value, known: &Key) {
        if let Value::Table(section) = value {
            self.0.push('\n');
            self.note(&told(known));
            self.line(&format!("[{path}]"));
            if let Kind::Table(keys) = &known.kind {
                self.table(path, section, keys);
            } else {
                self.shape(path, section, &known.kind);
            }
        }
        for item in value.as_array().into_iter().flatten().filter_map(Value::as_table) {
            self.line(&format!("\n[[{path}]]"));
            if let Kind::List(kind) = &known.kind {
                self.shape(path, item, kind);
            }
        }
    }

    /// A table whose only key selects the shape of the rest, or the keys of a distribution.
    fn shape(&mut self, path: &str, table: &Table, kind: &Kind) {
        let shapes = if let Kind::OneOf(shapes) = kind { shapes.as_slice() } else { &[] };
        for (key, value) in table {
            let shape = shapes.iter().find(|(name, _)| name == key).map(|(_, shape)| shape);
            if let (Some(shape), Value::Table(keys)) = (shape, value) {
                self.note(shape.doc);
                self.line(&format!("[{path}.{key}]"));
                self.entries(keys, shape);
            } else {
                self.entry(key, value);
            }
        }
    }

    /// Keys with their values, each below its comment.
    fn entries(&mut self, table: &Table, section: &Section) {
        for (key, value) in table {
            if let Some(known) = section.keys.iter().find(|known| known.name == key) {
                self.note(&told(known));
            }
            self.entry(key, value);
        }
    }

    /// Words as comments, wrapped.
    fn note(&mut self, words: &str) {
        let mut line = "#".to_owned();
        for word in words.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                "#".clone_into(&mut line);
            }
            line.push(' ');
            line.push_str(word);
        }
        self.line(&line);
    }

    fn entry(&mut self, key: &str, value: &Value) {
        let whole = format!("{key} = {}", Plain(value));
        if whole.chars().count() <= WIDTH {
            self.line(&whole);
        } else {
            self.line(&format!("{key} = {}", broken(value)));
        }
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// A key in words: `Booking nodes, numbered from 1. [1 to 99 nodes; default 5, chosen]`.
fn told(key: &Key) -> String {
    match key.words() {
        words if words.is_empty() => key.doc.to_owned(),
        words => format!("{} [{words}]", key.doc),
    }
}

/// A list over several lines: TOML allows line breaks within no other value.
fn broken(value: &Value) -> String {
    let Value::Array(items) = value else { return Plain(value).to_string() };
    let mut lines = String::from("[\n");
    let mut line = String::from(" ");
    for item in items {
        let item = format!(" {},", Plain(item));
        if line.chars().count() + item.chars().count() > WIDTH && line.len() > 1 {
            lines.push_str(&line);
            lines.push('\n');
            line = String::from(" ");
        }
        line.push_str(&item);
    }
    format!("{lines}{line}\n]")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    fn read(id: &str, text: &str) -> Scenario {
        let nothing = |_: &str| Err(std::io::Error::other("it names no file"));
        Scenario::from_toml(id, "shown.toml", text.as_bytes(), &nothing)
            .unwrap_or_else(|error| panic!("{id}: {error}\n{text}"))
    }

    #[test]
    fn what_is_shown_of_the_catalogue_loads_to_the_same_and_fits_a_page() {
        for entry in catalogue::all() {
            let scenario = entry.scenario();
            let text = scenario.to_commented_toml();
            assert_eq!(read(entry.id, &text), scenario, "{}", entry.id);
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{}: {line}", entry.id);
            }
        }
    }

    #[test]
    fn every_key_that_is_shown_has_a_comment_above_it() {
        let text = catalogue::find("fast/all-families").unwrap().scenario().to_commented_toml();
        let lines: Vec<&str> = text.lines().collect();
        let mut keys = 0;
        for (n, line) in lines.iter().enumerate() {
            let is_key = line.contains(" = ") && line.starts_with(|c: char| c.is_ascii_lowercase());
            if is_key {
                assert!(lines[n - 1].starts_with('#'), "{line}");
                keys += 1;
            }
        }
        assert!(keys > 100, "{keys} keys are shown");
    }

    #[test]
    fn long_lists_go_on_on_further_lines() {
        let mut scenario = catalogue::find("fast/crash").unwrap().scenario();
        let people: Vec<_> = (0..50).map(|n| format!("[\"{n}s\", {n}]")).collect();
        let text = format!(
            "title = \"t\"\n[crowd]\nusers = 50\n[crowd.arrivals]\nnamed = {{ people = [{}] }}\n",
            people.join(", ")
        );
        scenario.crowd = read("named", &text).crowd;
        let text = scenario.to_commented_toml();
        assert_eq!(read(&scenario.id, &text), scenario);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }
}
