//! The reference of a scenario file: every key of every section, and of every shape and fault, as Markdown.
//!
//! Owns the layout of a setting on the page. Refuses to know any setting.

use crate::fault::{Moment, When};
use crate::form::settings;
use crate::setting::{Key, Kind, Section, Value as _, join};

/// The reference, from the heading of the first section on; `onsale scenarios reference` prints it.
pub fn reference() -> String {
    let mut page = Page::default();
    page.section("", &settings());
    page.moments();
    page.0
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn section(&mut self, path: &str, section: &Section) {
        let heading = if path.is_empty() { "The top".to_owned() } else { format!("`[{path}]`") };
        self.keys(&heading, section);
        for key in &section.keys {
            let path = join(path, key.name);
            match &key.kind {
                Kind::Table(inner) => self.section(&path, inner),
                Kind::OneOf(shapes) => self.shapes(&format!("`[{path}]`"), key.doc, shapes),
                Kind::List(item) => {
                    if let Kind::OneOf(shapes) = &**item {
                        self.shapes(&format!("`[[{path}]]`"), key.doc, shapes);
                    }
                }
                Kind::Whole { .. }
                | Kind::Decimal { .. }
                | Kind::Flag
                | Kind::Span { .. }
                | Kind::Share
                | Kind::Scale
                | Kind::Timing { .. }
                | Kind::Name(_)
                | Kind::Text { .. }
                | Kind::TextOrTable { .. }
                | Kind::Pair(..) => {}
            }
        }
    }

    fn shapes(&mut self, heading: &str, doc: &str, shapes: &[(&'static str, Section)]) {
        self.line(&format!("\n### {heading}\n\n{doc} One of these keys:"));
        for (name, shape) in shapes {
            self.line(&format!("\n#### `{name}`"));
            self.table(shape);
        }
    }

    fn keys(&mut self, heading: &str, section: &Section) {
        self.line(&format!("\n### {heading}"));
        self.table(section);
    }

    /// The doc of a table, and its keys except those that are tables.
    fn table(&mut self, section: &Section) {
        self.line(&format!("\n{}\n", section.doc));
        let values = |key: &&Key| !matches!(key.kind, Kind::Table(_) | Kind::OneOf(_));
        let keys: Vec<&Key> = section.keys.iter().filter(values).collect();
        if !keys.is_empty() {
            self.line("| key | value | unit | default | basis | what it sets |");
            self.line("|---|---|---|---|---|---|");
        }
        for key in &keys {
            let [default, basis] = match &key.default {
                Some(default) => [format!("`{default}`"), key.basis.to_string()],
                None if key.is_required => ["must be written".to_owned(), String::new()],
                None => ["left out".to_owned(), String::new()],
            };
            let cells = [
                format!("`{}`", key.name),
                key.kind.words(),
                key.unit.to_owned(),
                default,
                basis,
                key.doc.to_owned(),
            ];
            self.line(&format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")));
        }
        let named = keys.iter().filter_map(|key| Some((key.name, names(&key.kind)?)));
        for (key, choices) in named {
            self.line(&format!("\n`{key}` is one of:\n"));
            for choice in choices {
                let doc =
                    if choice.doc.is_empty() { String::new() } else { format!(": {}", choice.doc) };
                self.line(&format!("- `\"{}\"`{doc}", choice.name));
            }
        }
    }

    /// The table of `when`, and the moments.
    fn moments(&mut self) {
        if let Kind::TextOrTable { table, .. } = When::kind(&()) {
            self.keys("`when` of a fault", &table);
        }
        self.line("\nThe moments:\n");
        for moment in Moment::NAMED {
            self.line(&format!("- `\"{moment}\"`: {}", moment.meaning()));
        }
        self.line(
            "- `\"mark:NAME\"`: A node takes the rare path with this name, see [Marks](#marks).",
        );
    }

    fn line(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
    }
}

/// The names that are valid for a key or the items of its list, if they deserve a list.
fn names(kind: &Kind) -> Option<&[crate::setting::Choice]> {
    match kind {
        Kind::Name(choices) => Some(choices),
        Kind::List(item) => names(item),
        Kind::Whole { .. }
        | Kind::Decimal { .. }
        | Kind::Flag
        | Kind::Span { .. }
        | Kind::Share
        | Kind::Scale
        | Kind::Timing { .. }
        | Kind::Text { .. }
        | Kind::TextOrTable { .. }
        | Kind::Pair(..)
        | Kind::Table(_)
        | Kind::OneOf(_) => None,
    }
}
