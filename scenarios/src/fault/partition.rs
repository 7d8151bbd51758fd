//! How a partition is written: the cut is one of five keys beside its times.
//!
//! Owns what is wrong with a table that cuts nothing or in several ways. Refuses to know what is cut.

use super::{Cut, Target};
use crate::human::Misread;
use crate::setting::Switch;

/// The keys of which one says what is cut.
pub(super) struct CutKeys {
    pub(super) isolate: Option<Vec<Target>>,
    pub(super) halves: Switch,
    pub(super) one_way: Option<Target>,
    pub(super) majority_ring: Switch,
    pub(super) bridge: Switch,
}

impl CutKeys {
    /// The one cut, or what is wrong.
    pub(super) fn cut(self) -> Result<Cut, Misread> {
        let cuts = [
            self.isolate.map(Cut::Isolate),
            self.halves.0.then_some(Cut::Halves),
            self.one_way.map(Cut::OneWay),
            self.majority_ring.0.then_some(Cut::MajorityRing),
            self.bridge.0.then_some(Cut::Bridge),
        ];
        let mut cuts = cuts.into_iter().flatten();
        match (cuts.next(), cuts.next()) {
            (Some(cut), None) => Ok(cut),
            (None, _) => Err(Misread::new("the partition cuts nothing", ONE_CUT)),
            (Some(_), Some(_)) => {
                Err(Misread::new("the partition is cut in several ways", ONE_CUT))
            }
        }
    }
}

impl From<Cut> for CutKeys {
    fn from(cut: Cut) -> Self {
        let off = Switch(false);
        let mut keys =
            Self { isolate: None, halves: off, one_way: None, majority_ring: off, bridge: off };
        match cut {
            Cut::Isolate(nodes) => keys.isolate = Some(nodes),
            Cut::Halves => keys.halves = Switch(true),
            Cut::OneWay(node) => keys.one_way = Some(node),
            Cut::MajorityRing => keys.majority_ring = Switch(true),
            Cut::Bridge => keys.bridge = Switch(true),
        }
        keys
    }
}

const ONE_CUT: &str = "give one of `isolate = [\"n1\"]`, `halves = true`, `one-way = \"n1\"`, `majority-ring = true`, `bridge = true`";
