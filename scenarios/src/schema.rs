//! The JSON Schema of a scenario file, for editors that complete and underline.
//!
//! Owns how each type of a key is put in draft 2020-12. What only a rule between two settings can refuse passes it.
//! Refuses to know any setting.

mod span;

use onsale_booking::Span;
use serde_json::{Map, Value, json};

use self::span::span;
use crate::form::settings;
use crate::setting::{Key, Kind, Section};

/// A percentage up to 100, or a fraction.
const SHARE: &str = r"^(0*(100(\.0{1,6})?|[0-9]{1,2}(\.[0-9]{1,6})?)%|[0-9]+/0*[1-9][0-9]*)$";
const SCALE: &str = r"^[0-9]+(\.[0-9]{1,6})?%$";

/// The schema: `onsale scenarios schema` prints it.
pub fn schema() -> Value {
    let mut schema = table(&settings());
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("onsale scenario");
    schema["properties"]["title"]["minLength"] = json!(1);
    schema
}

fn table(section: &Section) -> Value {
    let properties: Map<_, _> =
        section.keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<_> =
        section.keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
    let mut table = json!({
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": false,
    });
    if !required.is_empty() {
        table["required"] = json!(required);
    }
    table
}

fn property(key: &Key) -> Value {
    let mut property = value(&key.kind);
    let words = key.words();
    property["description"] = match words.as_str() {
        "" => json!(key.doc),
        words => json!(format!("{}\n\n{words}", key.doc)),
    };
    if let Some(default) = &key.default {
        property["default"] = json!(default);
    }
    property
}

fn value(kind: &Kind) -> Value {
    match kind {
        Kind::Whole { least, most } => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        Kind::Decimal { least_milli, most_milli } => {
            let (least, most) = (f64::from(*least_milli) / 1e3, f64::from(*most_milli) / 1e3);
            json!({ "type": "number", "minimum": least, "maximum": most })
        }
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Span { least, most } => json!({ "type": "string", "pattern": span(*least, *most) }),
        Kind::Share => json!({ "type": "string", "pattern": SHARE }),
        Kind::Scale => json!({ "type": "string", "pattern": SCALE }),
        Kind::Timing { most } => timing(*most),
        Kind::Name(choices) => {
            let names: Vec<_> = choices.iter().map(|choice| &choice.name).collect();
            let docs: Vec<_> = choices.iter().map(|choice| choice.doc).collect();
            // Editors that use taplo show what each name means.
            json!({ "type": "string", "enum": names, "x-taplo": { "docs": { "enumValues": docs } } })
        }
        Kind::Text { pattern: "", .. } => json!({ "type": "string" }),
        Kind::Text { pattern, .. } => json!({ "type": "string", "pattern": pattern }),
        Kind::TextOrTable { pattern, table: section, .. } => {
            json!({ "oneOf": [{ "type": "string", "pattern": pattern }, table(section)] })
        }
        Kind::List(item) => json!({ "type": "array", "items": value(item) }),
        Kind::Pair(first, second) => pair(value(first), value(second)),
        Kind::Table(section) => table(section),
        Kind::OneOf(shapes) => {
            let shapes: Map<_, _> =
                shapes.iter().map(|(name, shape)| ((*name).to_owned(), table(shape))).collect();
            json!({
                "type": "object",
                "properties": shapes,
                "additionalProperties": false,
                "minProperties": 1,
                "maxProperties": 1,
            })
        }
    }
}

fn pair(first: Value, second: Value) -> Value {
    let both = [first, second];
    json!({ "type": "array", "prefixItems": both, "items": false, "minItems": 2, "maxItems": 2 })
}

/// A span, or how one is drawn. None that is written down is longer than `most`.
fn timing(most: Span) -> Value {
    let (some_time, any) = (span(Span(1), most), span(Span::ZERO, most));
    let span = |doc: &str| json!({ "type": "string", "pattern": some_time, "description": doc });
    let drawn = |doc: &str, keys: &[&str], properties: Value| {
        json!({
            "type": "object",
            "description": doc,
            "properties": properties,
            "required": keys,
            "additionalProperties": false,
        })
    };
    let points = pair(
        json!({ "type": "string", "pattern": SHARE }),
        json!({ "type": "string", "pattern": any }),
    );
    json!({ "oneOf": [
        { "type": "string", "pattern": any, "description": "Always as long." },
        drawn("Exponential.", &["mean"], json!({ "mean": span("The mean.") })),
        drawn("Lognormal.", &["median", "sigma"], json!({
            "median": span("Half of all draws lie below."),
            "sigma": {
                "type": "number", "minimum": 0, "maximum": 10,
                "description": "Standard deviation of the logarithm.",
            },
        })),
        drawn("By its quantiles, evenly spread between each two.", &["quantiles"], json!({
            "quantiles": {
                "type": "array", "items": points, "minItems": 2, "maxItems": 1_000,
                "description": "Shares from 0% to 100% with the span that so many do not exceed.",
            },
        })),
    ] })
}
