//! `[swarm]`: faults drawn from the seed: their number, families, times and durations.
//!
//! Owns the bounds of the draws, and their keys. Refuses to know how a seed draws.

use onsale_booking::Span;
use serde::{Deserializer, Serializer};

use super::Family;
use crate::setting::{Checks, Kind, Table, Value, settings};

/// Faults drawn from the seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Swarm {
    /// Families that may strike; each seed draws a subset.
    pub families: Vec<Family>,
    /// Least number of faults.
    pub faults_min: u16,
    /// Greatest number of faults.
    pub faults_max: u16,
    /// Earliest instant at which a fault strikes.
    pub from: Span,
    /// Instant by which the last fault has ended.
    pub until: Span,
    /// Shortest duration of a fault.
    pub lasts_min: Span,
    /// Longest duration of a fault.
    pub lasts_max: Span,
    /// Whether each seed draws its own kind of crowd as well.
    pub mix: bool,
    /// Whether faults also wait for moments, and follow each other in bursts.
    pub moments: bool,
    /// Whether a third of the seeds also draw slow or small machines.
    pub profiles: bool,
}

// All families, over the middle of a five-minute run.
settings! {
    /// Faults drawn from the seed.
    section SwarmTable {
        /// Families that may strike, of which each seed draws some; default: all that break no promise.
        families: Vec<Family> = Family::ALL.to_vec(), chosen;
        /// Least and greatest number of faults, up to 1,000.
        faults: (u16, u16) = (2, 6), chosen, unit "faults";
        /// Earliest instant at which a fault strikes; before `until`.
        from: Span = Span::from_secs(20), chosen;
        /// Instant by which the last fault has ended; at most `duration`.
        until: Span = Span::from_secs(240), chosen;
        /// Shortest and longest duration of a fault.
        lasts: (Span, Span) = (Span::from_secs(1), Span::from_secs(20)), chosen;
        /// Whether each seed draws its own kind of crowd as well.
        mix: bool = true, chosen;
        /// Whether faults also wait for moments, and a second or third strike follows within the election, the write or
        /// the start that the first brought about.
        moments: bool = true, chosen;
        /// Whether a third of the seeds also draw their own machines: slow disks, links or cores, few nodes, short logs.
        profiles: bool = true, chosen;
    }
}

impl Default for Swarm {
    fn default() -> Self {
        SwarmTable::default().into()
    }
}

impl Value for Swarm {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Table(SwarmTable::describe())
    }

    fn check(&self, field: &str, (): &(), checks: &mut Checks) {
        SwarmTable::from(self.clone()).check_keys(field, checks);
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SwarmTable::read(deserializer).map(Self::from)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        SwarmTable::from(self.clone()).write(serializer)
    }
}

impl From<Swarm> for SwarmTable {
    fn from(swarm: Swarm) -> Self {
        Self {
            families: swarm.families,
            faults: (swarm.faults_min, swarm.faults_max),
            from: swarm.from,
            until: swarm.until,
            lasts: (swarm.lasts_min, swarm.lasts_max),
            mix: swarm.mix,
            moments: swarm.moments,
            profiles: swarm.profiles,
        }
    }
}

impl From<SwarmTable> for Swarm {
    fn from(table: SwarmTable) -> Self {
        let ((faults_min, faults_max), (lasts_min, lasts_max)) = (table.faults, table.lasts);
        Self {
            families: table.families,
            faults_min,
            faults_max,
            from: table.from,
            until: table.until,
            lasts_min,
            lasts_max,
            mix: table.mix,
            moments: table.moments,
            profiles: table.profiles,
        }
    }
}
