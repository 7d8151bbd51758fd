//! The cluster's log on the world's faulty disks.
//!
//! The world damages bytes without knowing their meaning; the log must recognise the damage.

use onsale_booking::Instant;
use onsale_cluster::journal::frame::{Damage, Frame};
use onsale_cluster::journal::{Recovered, Wal, frame};
use onsale_cluster::{Epoch, Found, ShardId};
use onsale_scenarios::Scenario;
use onsale_world::disk::Disk;
use onsale_world::{Write, WriteId};

fn write(id: u64, bytes: Vec<u8>) -> Write {
    Write { id: WriteId(id), segment: 0, bytes, retire_below: 0 }
}

fn recovered(disk: &Disk) -> Recovered {
    Wal::recover(Found { has_written: true, segments: disk.contents() })
}

/// The frames of this many records.
fn records(first: u64, count: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for index in first..first + count {
        Frame::Entry { shard: ShardId(0), index, epoch: Epoch(1), record: &[7; 90] }
            .write(&mut bytes);
    }
    bytes
}

/// A disk with a checkpoint and this many records, all durable.
fn used(seed: u64, count: u64) -> Disk {
    let mut disk = Disk::new(Scenario::default().disk, seed, seed);
    let mut bytes = Vec::new();
    Frame::Checkpoint { groups: 0 }.write(&mut bytes);
    bytes.extend(records(1, count));
    disk.begin(Instant::ZERO, write(1, bytes));
    disk.complete(Instant::ZERO, WriteId(1));
    disk
}

#[test]
fn a_torn_write_destroys_no_durable_record_and_is_recognised() {
    let (mut holes, mut cuts) = (0, 0);
    for seed in 0..300 {
        let mut disk = used(seed, 1 + seed % 7);
        let durable = disk.contents()[0].1.clone();
        disk.begin(Instant::ZERO, write(2, records(2 + seed % 7, 1 + seed % 40)));
        disk.arm(0);
        disk.crash(Instant::ZERO);
        let left = disk.contents()[0].1.clone();
        assert!(left.starts_with(&durable), "seed {seed}");
        let mut frames = frame::read(&left);
        let survivors = frames.by_ref().count() as u64;
        assert!(survivors >= 2 + seed % 7, "seed {seed}: durable records are read");
        assert_ne!(frames.damage(), Some(Damage::Rotten), "seed {seed}");
        assert!(!recovered(&disk).lost_promises(), "seed {seed}");
        let hole = left[durable.len()..].windows(64).any(|bytes| bytes == [0; 64]);
        (holes, cuts) = (holes + u32::from(hole), cuts + u32::from(frames.damage().is_some()));
    }
    assert!(holes > 100 && cuts > 150, "{holes} with a hole, {cuts} noticed");
}

#[test]
fn a_bit_that_flips_is_never_taken_for_a_torn_write() {
    for seed in 0..300 {
        let mut disk = used(seed, 30);
        assert!(disk.rot(4));
        assert!(recovered(&disk).lost_promises(), "seed {seed}");
        assert!(!disk.scrub(5), "it belongs to another fault");
        assert!(disk.scrub(4) && !disk.scrub(4));
    }
}
