//! How a partition is written: the cut is one of five keys beside its times.
//!
//! Owns that table, and what is wrong with one that cuts nothing or in several ways. Refuses to
//! know what is cut.

use std::fmt;

use onsale_booking::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::written::is_off;
use super::{Cut, Target};
use crate::human::{HumanSpan, Misread};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PartitionTable {
    at: HumanSpan,
    lasts: HumanSpan,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    isolate: Option<Vec<Target>>,
    #[serde(default, skip_serializing_if = "is_off")]
    halves: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_way: Option<Target>,
    #[serde(default, skip_serializing_if = "is_off")]
    majority_ring: bool,
    #[serde(default, skip_serializing_if = "is_off")]
    bridge: bool,
}

pub(super) fn serialize<S: Serializer>(
    at: &Span,
    lasts: &Span,
    cut: &Cut,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut table = PartitionTable {
        at: HumanSpan(*at),
        lasts: HumanSpan(*lasts),
        isolate: None,
        halves: false,
        one_way: None,
        majority_ring: false,
        bridge: false,
    };
    match cut {
        Cut::Isolate(nodes) => table.isolate = Some(nodes.clone()),
        Cut::Halves => table.halves = true,
        Cut::OneWay(node) => table.one_way = Some(*node),
        Cut::MajorityRing => table.majority_ring = true,
        Cut::Bridge => table.bridge = true,
    }
    table.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(Span, Span, Cut), D::Error> {
    deserializer.deserialize_map(PartitionVisitor)
}

/// Judges the cut while the reader still knows where the table stands.
struct PartitionVisitor;

impl<'de> de::Visitor<'de> for PartitionVisitor {
    type Value = (Span, Span, Cut);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct of a partition")
    }

    fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
        let table = PartitionTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
        let cuts = [
            table.isolate.map(Cut::Isolate),
            table.halves.then_some(Cut::Halves),
            table.one_way.map(Cut::OneWay),
            table.majority_ring.then_some(Cut::MajorityRing),
            table.bridge.then_some(Cut::Bridge),
        ];
        let mut cuts = cuts.into_iter().flatten();
        match (cuts.next(), cuts.next()) {
            (Some(cut), None) => Ok((table.at.0, table.lasts.0, cut)),
            (None, _) => Err(Misread::new("the partition cuts nothing", ONE_CUT).into_serde()),
            (Some(_), Some(_)) => {
                Err(Misread::new("the partition is cut in several ways", ONE_CUT).into_serde())
            }
        }
    }
}

const ONE_CUT: &str = "give one of `isolate = [\"n1\"]`, `halves = true`, `one-way = \"n1\"`, `majority-ring = true`, `bridge = true`";
