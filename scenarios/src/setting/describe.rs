//! The description of a setting without its value.
//!
//! Owns the description of keys and their types, from which schema, reference and comments are made. Refuses to
//! know their layout.

use onsale_booking::Span;
use toml::Value as Toml;

use super::{Value, Writable};
use crate::basis::Basis;

/// A table of a scenario file: its keys, in the order of writing.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its doc.
    pub doc: &'static str,
    /// Its keys.
    pub keys: Vec<Key>,
}

/// One key of a table.
#[derive(Clone, Debug)]
pub struct Key {
    /// Its name in a file.
    pub name: &'static str,
    /// Its doc.
    pub doc: &'static str,
    /// Its type, with its bounds.
    pub kind: Kind,
    /// The unit of its number; empty if the type says it or there is none.
    pub unit: &'static str,
    /// Whether a file must write it.
    pub is_required: bool,
    /// Its default; `None` if its absence has a meaning of its own.
    pub default: Option<Toml>,
    /// The basis of the default.
    pub basis: Basis,
}

/// The type of a value, with its bounds. Both ends of all bounds are included.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A whole number.
    Whole {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// A number with up to three decimals.
    Decimal {
        /// The least, in thousandths.
        least_milli: u32,
        /// The greatest, in thousandths.
        most_milli: u32,
    },
    /// `true` or `false`.
    Flag,
    /// A span of time, as text with a unit.
    Span {
        /// The shortest.
        least: Span,
        /// The longest.
        most: Span,
    },
    /// A share, as text: `1/200`, `40%`.
    Share,
    /// A share or a multiple, as text: `10%`, `250%`.
    Scale,
    /// A span, or a distribution of spans.
    Timing {
        /// The longest that may be written.
        most: Span,
    },
    /// One of several names.
    Name(Vec<Choice>),
    /// Text in a form of its own.
    Text {
        /// Its form, in a few words; empty for any text.
        form: &'static str,
        /// A regular expression for the whole text; empty for any text.
        pattern: &'static str,
    },
    /// Text in a form of its own, or a table of which it is one key.
    TextOrTable {
        /// The form of the text, in a few words.
        form: &'static str,
        /// A regular expression for the whole text.
        pattern: &'static str,
        /// The table.
        table: Section,
    },
    /// A list of values.
    List(Box<Self>),
    /// Two values in brackets.
    Pair(Box<Self>, Box<Self>),
    /// A table.
    Table(Section),
    /// A table with exactly one key, one of these.
    OneOf(Vec<(&'static str, Section)>),
}

/// One of the valid names of a key's value.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The name in a file.
    pub name: String,
    /// Its meaning.
    pub doc: &'static str,
}

impl Kind {
    /// The type of the value of a key in a table.
    pub(crate) fn at_key(self, name: &str) -> Option<Self> {
        if let Self::Table(section) | Self::TextOrTable { table: section, .. } = self {
            return section.keys.into_iter().find(|key| key.name == name).map(|key| key.kind);
        }
        let Self::OneOf(shapes) = self else { return None };
        let shape = shapes.into_iter().find(|(shape, _)| *shape == name);
        shape.map(|(_, section)| Self::Table(section))
    }

    /// The type of an item of a list or a pair.
    pub(crate) fn at_index(self, index: usize) -> Option<Self> {
        if let Self::List(item) = self {
            return Some(*item);
        }
        let Self::Pair(first, second) = self else { return None };
        [*first, *second].into_iter().nth(index)
    }
}

impl Key {
    pub(crate) fn new<T: Value>(
        name: &'static str,
        doc: &'static str,
        bounds: &T::Bounds,
        unit: &'static str,
        default: Option<T>,
        basis: Basis,
    ) -> Self {
        let is_required = default.is_none() && T::left_out().is_none();
        let written = default.filter(|value| !value.is_left_out());
        let default = written.map(|value| {
            Toml::try_from(Writable(&value)).expect("every default has a form in TOML")
        });
        Self { name, doc, kind: T::kind(bounds), unit, is_required, default, basis }
    }
}
