//! The table of a partition: the cut is one of five keys, beside its times.
//!
//! Owns the table, and the complaints about one with no cut or with several. Refuses to know what is cut.

use std::fmt;

use onsale_booking::Span;
use serde::{Deserializer, Serializer, de};

use super::{Cut, Target, When};
use crate::human::Misread;
use crate::setting::{Checks, Kind, SOME_TIME, Switch, Table, Value, settings};

/// The keys of a partition in a file.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    pub(super) at: Span,
    pub(super) when: Option<When>,
    pub(super) lasts: Span,
    pub(super) cut: Cut,
}

settings! {
    /// Links are cut, and messages in flight on them are lost; one of the keys says which links.
    table PartitionTable {
        /// Instant at which it strikes, or begins to wait, from the start of the run.
        at: Span;
        /// The moment that it waits for; default: none.
        when: Option<When>;
        /// Its duration.
        lasts: Span, in SOME_TIME;
        /// These nodes are cut off from the others, and from clients.
        isolate: Option<Vec<Target>>;
        /// Two halves, the smaller one with the leader of the hot show.
        halves: Switch;
        /// Messages from this node to other nodes are lost; messages to it arrive.
        one_way: Option<Target>;
        /// Each node sees a majority, no two the same one.
        majority_ring: Switch;
        /// Two halves see each other only through one node.
        bridge: Switch;
    }
}

impl From<&Partition> for PartitionTable {
    fn from(Partition { at, when, lasts, cut }: &Partition) -> Self {
        let mut table = Self {
            at: *at,
            when: *when,
            lasts: *lasts,
            isolate: None,
            halves: Switch(false),
            one_way: None,
            majority_ring: Switch(false),
            bridge: Switch(false),
        };
        match cut {
            Cut::Isolate(nodes) => table.isolate = Some(nodes.clone()),
            Cut::Halves => table.halves = Switch(true),
            Cut::OneWay(node) => table.one_way = Some(*node),
            Cut::MajorityRing => table.majority_ring = Switch(true),
            Cut::Bridge => table.bridge = Switch(true),
        }
        table
    }
}

impl TryFrom<PartitionTable> for Partition {
    type Error = Misread;

    fn try_from(table: PartitionTable) -> Result<Self, Misread> {
        let PartitionTable { at, when, lasts, isolate, halves, one_way, majority_ring, bridge } =
            table;
        let cuts = [
            isolate.map(Cut::Isolate),
            halves.0.then_some(Cut::Halves),
            one_way.map(Cut::OneWay),
            majority_ring.0.then_some(Cut::MajorityRing),
            bridge.0.then_some(Cut::Bridge),
        ];
        let mut cuts = cuts.into_iter().flatten();
        match (cuts.next(), cuts.next()) {
            (Some(cut), None) => Ok(Self { at, when, lasts, cut }),
            (None, _) => Err(Misread::new("the partition cuts nothing", ONE_CUT)),
            (Some(_), Some(_)) => {
                Err(Misread::new("the partition is cut in several ways", ONE_CUT))
            }
        }
    }
}

impl Value for Partition {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        PartitionTable::kind(&())
    }

    fn check(&self, field: &str, (): &(), checks: &mut Checks) {
        PartitionTable::from(self).check_keys(field, checks);
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PartitionVisitor)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        PartitionTable::from(self).write(serializer)
    }
}

/// Checks the cut while the reader still knows the position of the table.
struct PartitionVisitor;

impl<'de> de::Visitor<'de> for PartitionVisitor {
    type Value = Partition;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct of a partition")
    }

    fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Partition, M::Error> {
        let table = PartitionTable::read_keys(map)?;
        Partition::try_from(table).map_err(Misread::into_serde)
    }
}

const ONE_CUT: &str = "give one of `isolate = [\"n1\"]`, `halves = true`, `one-way = \"n1\"`, `majority-ring = true`, `bridge = true`";
