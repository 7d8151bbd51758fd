//! `[disk]`: how writes become durable.
//!
//! Owns how long writes take, and how far disks may be trusted. Refuses to know what is written.

use onsale_booking::{Span, choices};

use crate::ratio::Ratio;
use crate::setting::{UP_TO_A_DAY, names, settings};
use crate::timing::Timing;

settings! {
    /// How writes become durable.
    pub section Disk {
        /// An append with its fsync, but for the bytes.
        fsync: Timing = Timing::Constant(Span::from_micros(500)), assumed;
        /// Uniform jitter on top, as a share of it.
        jitter: Ratio = Ratio::new(1, 2), assumed;
        /// Share of fsyncs in the tail.
        tail: Ratio = Ratio::new(1, 100), assumed;
        /// How many times longer those take.
        tail_factor: u32 = 10, assumed, in 1..=100_000, unit "times";
        /// Bandwidth.
        mib_per_s: u32 = 400, assumed, in 1..=1_000_000, unit "MiB a second";
        /// How long what was acknowledged as durable stays in a volatile cache, and is lost in a crash; zero for a
        /// disk that keeps its word.
        write_back: Span = Span::ZERO, chosen, in UP_TO_A_DAY;
        /// What faults that damage disks leave each shard.
        good_copies: GoodCopies = GoodCopies::Majority, chosen;
    }
}

choices! {
    /// What faults that damage disks leave each shard.
    pub enum GoodCopies {
        /// A majority of good copies of every record: a strike that would be one too many spares its disk.
        Majority,
        /// Whatever chance leaves: disks fail faster than replicas are repaired.
        Any,
    }
}

names!(GoodCopies);
