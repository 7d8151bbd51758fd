//! `[disk]`: how writes become durable.
//!
//! Owns the durations of writes and the reliability of disks. Refuses to know what is written.

use onsale_booking::{Span, choices};

use crate::ratio::Ratio;
use crate::setting::{UP_TO_A_DAY, names, settings};
use crate::timing::Timing;

settings! {
    /// How writes become durable.
    pub section Disk {
        /// Duration of an append with its fsync, without the time for its bytes.
        fsync: Timing = Timing::Constant(Span::from_micros(500)), assumed;
        /// Uniform jitter on top, as a share of `fsync`.
        jitter: Ratio = Ratio::new(1, 2), assumed;
        /// Share of fsyncs in the tail.
        tail: Ratio = Ratio::new(1, 100), assumed;
        /// Factor by which fsyncs in the tail take longer.
        tail_factor: u32 = 10, assumed, in 1..=100_000, unit "times";
        /// Bandwidth of a disk.
        mib_per_s: u32 = 400, assumed, in 1..=1_000_000, unit "MiB a second";
        /// Time that acknowledged writes stay in a volatile cache, which a crash loses; zero: acknowledged writes are
        /// durable.
        write_back: Span = Span::ZERO, chosen, in UP_TO_A_DAY;
        /// Copies of each shard that faults of disks leave intact.
        good_copies: GoodCopies = GoodCopies::Majority, chosen;
    }
}

choices! {
    /// Copies of each shard that faults of disks leave intact.
    pub enum GoodCopies {
        /// A majority of the copies of every record: a fault that would damage one too many spares its disk.
        Majority,
        /// None for certain: disks fail faster than replicas are repaired.
        Any,
    }
}

names!(GoodCopies);
