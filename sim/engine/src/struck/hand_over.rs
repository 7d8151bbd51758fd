//! How long shards were without a leader while they were handed over.
//!
//! Owns the measure: from the instant at which the old leader admits no more requests until the
//! new one has committed a record of its own epoch and serves.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::{ShardId, TransferReason};
use onsale_reports::{HandOvers as Summary, LeadTransfers};

/// A shard on its way from one leader to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Passage {
    pub(super) since: Instant,
    pub(super) to: NodeId,
    pub(super) reason: TransferReason,
}

/// Shards that were handed over although nothing was wrong.
#[derive(Clone, Debug, Default)]
pub struct Balanced {
    /// To nodes nearer to their venues.
    pub near_venue: HandOvers,
    /// To nodes with less to do.
    pub by_load: HandOvers,
}

impl Balanced {
    /// What reports tell of them.
    pub fn summary(&self, hot: ShardId) -> LeadTransfers {
        LeadTransfers {
            near_venue: self.near_venue.summary(hot),
            by_load: self.by_load.summary(hot),
        }
    }
}

/// The shards that were handed over, with how long each took.
#[derive(Clone, Debug, Default)]
pub struct HandOvers(Vec<(ShardId, Span)>);

impl HandOvers {
    pub(super) fn note(&mut self, shard: ShardId, took: Span) {
        self.0.push((shard, took));
    }

    /// What reports tell of them; nothing if there was none.
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
