//! A shard's time: what its holds are measured by, whoever owns it.
//!
//! Owns the passage of a node's own clock into the shard's time. Refuses to compare the clocks
//! of two nodes: they may be any distance apart.
//!
//! The first owner's clock sets the shard's time, and each owner stamps its records with it. A
//! replica remembers the latest stamp and when, on its own clock, it applied that record. If it
//! becomes the owner it lets the time go on from that stamp, by as much as its own clock has
//! moved since. The record was decided before it was applied, so the shard's time never runs
//! ahead: after a failover no hold ends too soon, and it ends later only by as long as the
//! latest record was on its way to being applied. That is milliseconds for a replica that was
//! there, the election's length if its owner died with it, and the whole absence for a replica
//! that has read it back from its disk.

use serde::{Deserialize, Serialize};

use crate::config::Reckoning;
use crate::time::Instant;

/// The latest stamp that a replica has applied.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Stamp {
    /// The shard's time.
    pub(super) at: Instant,
    /// This node's, when it was applied.
    #[serde(skip)]
    pub(super) applied: Instant,
}

/// How an owner's clock is turned into the shard's time. Fixed for its epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardClock {
    /// When the node's own clock read `own`, the shard's time was this.
    shard: Instant,
    own: Instant,
}

impl ShardClock {
    /// The clock of an owner whose replica has applied this stamp last.
    pub(super) fn new(reckoning: Reckoning, latest: Option<Stamp>) -> Self {
        match (reckoning, latest) {
            (Reckoning::Elapsed, Some(Stamp { at, applied })) => Self { shard: at, own: applied },
            (Reckoning::Elapsed, None) | (Reckoning::Instants, _) => {
                Self { shard: Instant::ZERO, own: Instant::ZERO }
            }
        }
    }

    /// The shard's time when the node's own clock reads `own`.
    pub(super) fn at(self, own: Instant) -> Instant {
        self.shard + own.since(self.own)
    }

    /// What the node's own clock reads at an instant of the shard's time.
    pub(super) fn own_at(self, at: Instant) -> Instant {
        if at == Instant::MAX { at } else { self.own + at.since(self.shard) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_from_the_latest_stamp_by_the_nodes_own_clock() {
        for applied in [40, 1_000, 90_000].map(Instant) {
            let clock =
                ShardClock::new(Reckoning::Elapsed, Some(Stamp { at: Instant(1_000), applied }));
            assert_eq!(clock.at(Instant(applied.0 + 7)), Instant(1_007));
            assert_eq!(clock.own_at(Instant(1_007)), Instant(applied.0 + 7));
        }
    }

    #[test]
    fn where_nothing_was_stamped_the_nodes_clock_sets_the_time() {
        let clock = ShardClock::new(Reckoning::Elapsed, None);
        assert_eq!((clock.at(Instant(7)), clock.own_at(Instant(7))), (Instant(7), Instant(7)));
        assert_eq!(clock.own_at(Instant::MAX), Instant::MAX);
    }
}
