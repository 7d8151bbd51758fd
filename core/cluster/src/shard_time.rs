//! A shard's time as one replica tells it to another.
//!
//! Owns the order of such readings: which of two is believed. Refuses to know any node's clock; [`crate::shard`] turns
//! a reading into instants of the node that heard it.
//!
//! A reading is a lower bound: at the instant at which it was made, the shard's time was at least `at`. It stays one
//! for ever, however late it arrives, because only the replica that heard it counts the time since, and only from when
//! it heard it.
//!
//! Of two readings the source decides first. A reading of a later leader is believed before any of an earlier one, even
//! if it is behind: the later leader stamps its grants with its own time, and a hold may not end by another that is
//! ahead of it. Of one leader's readings those made after a later record are believed first. A replica whose clock runs
//! too fast may count on for as long as a shard is idle; once a hold is granted, only readings made after that count,
//! so no more than the hold's own time can be measured too fast. Among readings that are equal in both, the latest time
//! is nearest to the truth, since none of them is ahead of it.

use onsale_booking::Instant;
use serde::{Deserialize, Serialize};

use crate::id::Epoch;

/// A reading of a shard's time by one replica. The order of the fields is the order of belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShardTime {
    /// The epoch of the leader whose time it is.
    pub epoch: Epoch,
    /// The instant of that leader's last record before the reading, or the beginning of its epoch; in the shard's time.
    pub since: Instant,
    /// The shard's time, at least.
    pub at: Instant,
}

impl ShardTime {
    /// The reading that a leader's record with this stamp proves.
    pub const fn stamped(epoch: Epoch, at: Instant) -> Self {
        Self { epoch, since: at, at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(epoch: u64, since: u64, at: u64) -> ShardTime {
        ShardTime { epoch: Epoch(epoch), since: Instant(since), at: Instant(at) }
    }

    #[test]
    fn the_later_source_is_believed_and_then_the_later_time() {
        let rising = [time(1, 5, 900), time(2, 3, 3), time(2, 3, 8), time(2, 4, 4)];
        assert!(rising.is_sorted());
    }
}
