//! A shard's time as one replica tells it to another.
//!
//! Owns the order of such readings: which of two is to be believed. Refuses to know any node's
//! clock; [`crate::shard`] turns a reading into instants of the node that heard it.
//!
//! A reading is a lower bound: at the instant at which it was made, the shard's time was at least
//! `at`. It stays one for ever, however late it arrives, because the time since is not counted by
//! anybody but the replica that heard it, from when it heard it.
//!
//! Which of two readings is to be believed is decided by their sources first. Time that a later
//! leader tells is believed before any of an earlier one, even if it is behind: the later leader
//! stamps what it grants with its own time, and a hold may not end by another that is ahead of it.
//! Of one leader's readings those are believed first that were made after its later record. A
//! replica whose clock runs too fast may count on for as long as a shard is idle; once something
//! is granted, only what was told after that counts, so no more than the hold's own time can be
//! measured too fast. Among readings that are equal in both, the latest time is the nearest to the
//! truth, since none of them is ahead of it.

use onsale_booking::Instant;
use serde::{Deserialize, Serialize};

use crate::id::Epoch;

/// What a replica knows of its shard's time. The order of the fields is the order of belief.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ShardTime {
    /// The epoch of the leader whose time it is.
    pub epoch: Epoch,
    /// That leader's latest record when it told the time, or the beginning of its epoch; in the
    /// shard's time.
    pub since: Instant,
    /// The shard's time, at least.
    pub at: Instant,
}

impl ShardTime {
    /// What a record proves that a leader stamped in its epoch.
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
