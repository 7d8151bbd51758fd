//! The settings of a cluster, shared by all its nodes.
//!
//! Owns the parameters that the machines read. Refuses to know where they come from:
//! the values are taken as valid, defaults and their sources stand with the scenarios.

use std::sync::Arc;

use crate::detector::Suspicion;
use crate::placement::Placement;
use crate::show::{Hall, Rules};
use crate::time::Span;

/// What all nodes of a cluster share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// How the nodes behave.
    pub config: Config,
    /// Who carries what.
    pub placement: Arc<Placement>,
    /// The hall in which all shows are played.
    pub hall: Arc<Hall>,
    /// The rules of sale.
    pub rules: Rules,
    /// The number of shows; they are numbered from 0.
    pub shows: u32,
}

/// A share as an integer ratio, so that no float decides an outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ratio {
    /// So many …
    pub num: u32,
    /// … in so many; never zero.
    pub den: u32,
}

/// How the nodes of a cluster behave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Pace of the node-level beats; not zero.
    pub beat_every: Span,
    /// φ at which a silent peer is suspected.
    pub suspicion_phi: u32,
    /// Silence accepted beyond the mean interval before φ rises.
    pub acceptable_pause: Span,
    /// Least standard deviation of the beat interval that the detector assumes.
    pub min_std_deviation: Span,
    /// Pace of the clock of journals that are awake; not zero.
    pub tick_every: Span,
    /// Ticks without a leader's word before an awake replica campaigns.
    pub election_ticks: u16,
    /// A shard's snapshot is taken after so many records.
    pub snapshot_every: u32,
    /// Records kept behind a snapshot so that brief absences need none.
    pub keep_records: u32,
    /// A write-ahead log segment is closed at this size in bytes.
    pub segment_bytes: u32,
    /// How a gateway treats requests.
    pub gateway: GatewayConfig,
}

/// How a gateway treats requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayConfig {
    /// Attempts a request, the first included; at least one.
    pub tries: u8,
    /// Patience with one attempt.
    pub try_timeout: Span,
    /// First backoff; attempt k waits a uniform draw from 0 to base × 2^k (full jitter).
    pub backoff_base: Span,
    /// Longest backoff.
    pub backoff_cap: Span,
    /// Retries allowed as a share of first attempts.
    pub retry_budget: Ratio,
    /// Requests in flight to one shard before the gateway answers "overloaded".
    pub in_flight_per_shard: u32,
}

impl Config {
    /// What the failure detector needs to know.
    pub fn suspicion(&self) -> Suspicion {
        Suspicion {
            phi: self.suspicion_phi,
            acceptable_pause: self.acceptable_pause,
            min_std_deviation: self.min_std_deviation,
            beat_every: self.beat_every,
        }
    }
}

#[cfg(test)]
impl Config {
    /// Settings for unit tests.
    pub(crate) fn example() -> Self {
        Self {
            beat_every: Span::from_millis(100),
            suspicion_phi: 8,
            acceptable_pause: Span::from_millis(100),
            min_std_deviation: Span::from_millis(20),
            tick_every: Span::from_millis(50),
            election_ticks: 6,
            snapshot_every: 1_000,
            keep_records: 100,
            segment_bytes: 1 << 20,
            gateway: GatewayConfig {
                tries: 3,
                try_timeout: Span::from_millis(500),
                backoff_base: Span::from_millis(20),
                backoff_cap: Span::from_millis(400),
                retry_budget: Ratio { num: 1, den: 10 },
                in_flight_per_shard: 100,
            },
        }
    }
}
