//! Faults drawn from the seed: how many, of which families, when and how long.
//!
//! Owns the bounds of what a seed may draw, and how they are written. Refuses to know how it draws.

use onsale_booking::Span;
use serde::{Deserialize, Serialize};

use super::Family;
use crate::human::{HumanSpan, Pair};

/// Faults drawn from the seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "SwarmTable", into = "SwarmTable")]
pub struct Swarm {
    /// Which families may be on; each seed draws a subset.
    pub families: Vec<Family>,
    /// Least number of faults.
    pub faults_min: u16,
    /// Greatest number of faults.
    pub faults_max: u16,
    /// The first may strike at …
    pub from: Span,
    /// … and the last has ended by …
    pub until: Span,
    /// A fault lasts at least …
    pub lasts_min: Span,
    /// … and at most.
    pub lasts_max: Span,
    /// Whether each seed draws its own kind of crowd as well.
    pub mix: bool,
}

/// How a swarm is written: bounds as pairs.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct SwarmTable {
    families: Vec<Family>,
    faults: Pair<u16, u16>,
    from: HumanSpan,
    until: HumanSpan,
    lasts: Pair<HumanSpan, HumanSpan>,
    mix: bool,
}

impl Default for SwarmTable {
    fn default() -> Self {
        Swarm::default().into()
    }
}

impl From<Swarm> for SwarmTable {
    fn from(swarm: Swarm) -> Self {
        Self {
            families: swarm.families,
            faults: Pair(swarm.faults_min, swarm.faults_max),
            from: HumanSpan(swarm.from),
            until: HumanSpan(swarm.until),
            lasts: Pair(HumanSpan(swarm.lasts_min), HumanSpan(swarm.lasts_max)),
            mix: swarm.mix,
        }
    }
}

impl From<SwarmTable> for Swarm {
    fn from(table: SwarmTable) -> Self {
        let Pair(faults_min, faults_max) = table.faults;
        let Pair(HumanSpan(lasts_min), HumanSpan(lasts_max)) = table.lasts;
        Self {
            families: table.families,
            faults_min,
            faults_max,
            from: table.from.0,
            until: table.until.0,
            lasts_min,
            lasts_max,
            mix: table.mix,
        }
    }
}
