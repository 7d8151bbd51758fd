//! The position of each key of a text.
//!
//! Owns the mapping from a field's path to its position and back, for TOML and JSON. Refuses to judge the
//! content.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::value::RawValue;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Deepest nesting that is followed; no scenario nests deeper.
const DEPTH_MAX: u32 = 12;

/// A value in a text, with its content.
#[derive(Debug)]
pub(crate) struct Place {
    /// The key and the value, as far as both are known.
    whole: Range<usize>,
    /// The span to point at: the value, or the key of a table.
    point: Range<usize>,
    children: Vec<(Segment, Self)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Key(String),
    Index(usize),
}

impl Place {
    /// The positions of a TOML text; `None` if it is not TOML.
    pub(crate) fn of_toml(text: &str) -> Option<Self> {
        let root = DeTable::parse(text).ok()?;
        let children = toml_table(root.get_ref(), DEPTH_MAX);
        Some(Self { whole: 0..text.len(), point: 0..0, children })
    }

    /// The positions of a JSON text; `None` if it is not JSON.
    pub(crate) fn of_json(text: &str) -> Option<Self> {
        let root: &RawValue = serde_json::from_str(text).ok()?;
        Some(json_value(root, text, DEPTH_MAX))
    }

    /// The span to point at for a field, and its name. If the field was left out, that of the first of `others`
    /// that is there, else of the table that would contain it.
    pub(crate) fn point_at<'a>(
        &self,
        field: &'a str,
        others: &'a [String],
    ) -> (Range<usize>, &'a str) {
        let names = std::iter::once(field).chain(others.iter().map(String::as_str));
        let written = |name| match self.follow(name) {
            (place, true) => Some((place.point.clone(), name)),
            (_, false) => None,
        };
        names
            .filter_map(written)
            .next()
            .unwrap_or_else(|| (self.follow(field).0.point.clone(), field))
    }

    /// The value at the end of a path, or where the path leaves the text; and whether it is the end.
    fn follow(&self, field: &str) -> (&Self, bool) {
        let mut place = self;
        for step in steps(field) {
            let child = match step {
                Segment::Index(index) => place.children.get(index).filter(|(key, _)| *key == step),
                Segment::Key(_) => place.children.iter().find(|(key, _)| *key == step),
            };
            let Some((_, child)) = child else { return (place, false) };
            place = child;
        }
        (place, true)
    }

    /// The path of the deepest field at an offset; empty outside of every field.
    pub(crate) fn field_at(&self, offset: usize) -> String {
        let mut field = String::new();
        let mut place = self;
        loop {
            let inside = |(_, child): &&(Segment, Self)| child.holds(offset);
            let Some((step, child)) = place.children.iter().find(inside) else { return field };
            match step {
                Segment::Key(key) if field.is_empty() => field.push_str(key),
                Segment::Key(key) => field = format!("{field}.{key}"),
                Segment::Index(index) => field = format!("{field}[{index}]"),
            }
            place = child;
        }
    }

    fn holds(&self, offset: usize) -> bool {
        (self.whole.start <= offset && offset <= self.whole.end)
            || self.children.iter().any(|(_, child)| child.holds(offset))
    }
}

fn steps(field: &str) -> Vec<Segment> {
    let mut steps = Vec::new();
    for part in field.split('.') {
        let (key, indices) = part.split_once('[').unwrap_or((part, ""));
        steps.push(Segment::Key(key.to_owned()));
        for index in indices.split(['[', ']']).filter_map(|index| index.parse().ok()) {
            steps.push(Segment::Index(index));
        }
    }
    steps
}

fn toml_table(table: &DeTable<'_>, depth: u32) -> Vec<(Segment, Place)> {
    let entry = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let name: &std::borrow::Cow<'_, str> = key.get_ref();
        (Segment::Key(name.to_string()), toml_value(Some(key.span()), value, depth))
    };
    table.iter().map(entry).collect()
}

fn toml_value(key: Option<Range<usize>>, value: &Spanned<DeValue<'_>>, depth: u32) -> Place {
    let span = value.span();
    let key = key.unwrap_or_else(|| span.clone());
    let children = match value.get_ref() {
        DeValue::Table(table) if depth > 0 => toml_table(table, depth - 1),
        DeValue::Array(items) if depth > 0 => {
            let item = |(index, item): (usize, &Spanned<DeValue<'_>>)| {
                (Segment::Index(index), toml_value(None, item, depth - 1))
            };
            items.iter().enumerate().map(item).collect()
        }
        DeValue::Table(_)
        | DeValue::Array(_)
        | DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_) => Vec::new(),
    };
    let point = if value.get_ref().is_table() { key.clone() } else { span.clone() };
    // A table's header may come before or after its key's first mention.
    let whole = if key.end <= span.start { key.start..span.end } else { span };
    Place { whole, point, children }
}

fn json_value(raw: &RawValue, text: &str, depth: u32) -> Place {
    let json = raw.get();
    // A raw value borrows from the text that it was read from.
    let start = json.as_ptr().addr() - text.as_ptr().addr();
    let whole = start..start + json.len();
    let mut children = Vec::new();
    if depth > 0 && json.starts_with('{') {
        let fields: BTreeMap<String, &RawValue> = serde_json::from_str(json).unwrap_or_default();
        children.extend(
            fields
                .into_iter()
                .map(|(key, value)| (Segment::Key(key), json_value(value, text, depth - 1))),
        );
    } else if depth > 0 && json.starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
        let item = |(index, value)| (Segment::Index(index), json_value(value, text, depth - 1));
        children.extend(items.into_iter().enumerate().map(item));
    }
    // An object is pointed at by its brace: the whole object would be too much to read.
    let point = if json.starts_with('{') { start..start + 1 } else { whole.clone() };
    Place { whole, point, children }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOML: &str =
        "title = \"x\"\n[cluster]\nnodes = 5\n[[fault]]\ncrash = { at = \"1s\", node = \"n9\" }\n";

    #[test]
    fn paths_lead_to_places_and_back() {
        let places = Place::of_toml(TOML).unwrap();
        for (field, text) in
            [("title", "\"x\""), ("cluster.nodes", "5"), ("fault[0].crash.node", "\"n9\"")]
        {
            let (span, _) = places.point_at(field, &[]);
            assert_eq!(&TOML[span.clone()], text);
            assert_eq!(places.field_at(span.start), field);
        }
        assert_eq!(
            &TOML[places.point_at("cluster.zones", &[]).0],
            "cluster",
            "a missing key points at its table"
        );
        let others = ["cluster.spares".to_owned(), "cluster.nodes".to_owned()];
        let (span, name) = places.point_at("cluster.zones", &others);
        assert_eq!((&TOML[span], name), ("5", "cluster.nodes"), "the first that was written");

        let json = r#"{"title": "x", "fault": [{"crash": {"at": "1s", "node": "n9"}}]}"#;
        let places = Place::of_json(json).unwrap();
        let (span, _) = places.point_at("fault[0].crash.node", &[]);
        assert_eq!(&json[span.clone()], "\"n9\"");
        assert_eq!(places.field_at(span.start), "fault[0].crash.node");
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let places = Place::of_json(&deep).unwrap();
        assert_eq!(places.point_at("title", &[]), (0..deep.len(), "title"));
    }
}
