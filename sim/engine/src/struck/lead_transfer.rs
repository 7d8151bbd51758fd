//! Lead transfers, and how long shards had no leader during them.
//!
//! Owns the measure: from the instant at which the old leader stops admitting requests until the
//! new one has committed a record of its own epoch and serves. Refuses to know why a lead is
//! transferred.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::{ShardId, TransferReason};
use onsale_reports::{LeadTransfers, TransferTimes as Summary};

/// A lead transfer in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) since: Instant,
    pub(super) to: NodeId,
    pub(super) reason: TransferReason,
}

/// Lead transfers without a fault.
#[derive(Clone, Debug, Default)]
pub struct Balanced {
    /// Transfers to nodes nearer to the venue.
    pub near_venue: TransferTimes,
    /// Transfers to nodes with less load.
    pub by_load: TransferTimes,
}

impl Balanced {
    /// The report section on them.
    pub fn summary(&self, hot: ShardId) -> LeadTransfers {
        LeadTransfers {
            near_venue: self.near_venue.summary(hot),
            by_load: self.by_load.summary(hot),
        }
    }
}

/// Lead transfers: the shard, and the time without a leader.
#[derive(Clone, Debug, Default)]
pub struct TransferTimes(Vec<(ShardId, Span)>);

impl TransferTimes {
    pub(super) fn note(&mut self, shard: ShardId, took: Span) {
        self.0.push((shard, took));
    }

    /// The report section on them; `None` if there were none.
    pub fn summary(&self, hot: ShardId) -> Option<Summary> {
        let mut spans: Vec<Span> = self.0.iter().map(|&(_, took)| took).collect();
        spans.sort_unstable();
        let of_hot = self.0.iter().filter(|(shard, _)| *shard == hot).map(|&(_, took)| took);
        Some(Summary {
            shards: spans.len() as u32,
            median_ms: spans.get(spans.len() / 2)?.as_millis_f64(),
            max_ms: spans.last()?.as_millis_f64(),
            hot_ms: of_hot.max().map(Span::as_millis_f64),
        })
    }
}
