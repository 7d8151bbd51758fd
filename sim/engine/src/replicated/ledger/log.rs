//! The uncommitted tail of a shard's log on one disk, and the first appearance of its records.
//!
//! Owns the records by index, and the reuse of their memory. Refuses to compare disks.

use std::collections::VecDeque;

use onsale_booking::Instant;
use onsale_cluster::Epoch;
use onsale_cluster::record::Record;

/// Initial capacity of a record, enough for most, in bytes.
const RECORD_BYTES: usize = 128;

/// Dropped records, kept for their memory.
#[derive(Debug, Default)]
pub(super) struct Spare(pub(super) Vec<Vec<u8>>);

impl Spare {
    pub(super) fn copy(&mut self, record: &[u8]) -> Vec<u8> {
        let mut copy = self.0.pop().unwrap_or_default();
        copy.clear();
        copy.reserve(record.len().max(RECORD_BYTES));
        copy.extend_from_slice(record);
        copy
    }
}

/// A shard's log on one disk, from the first record not known to be committed.
#[derive(Clone, Debug, Default)]
pub(super) struct Log {
    /// Records without gaps, the first at index `first`.
    tail: VecDeque<(Epoch, Vec<u8>)>,
    first: u64,
    pub(super) commit: u64,
    /// Index up to which this disk's committed records were compared.
    pub(super) compared: u64,
    /// Index of a record by which an operator's order made a replica the only member, until it is compared.
    pub(super) recovers: Option<u64>,
    /// Generation of the current replica; the disk may have had earlier ones.
    pub(super) generation: u32,
}

impl Log {
    /// The empty log of a new replica.
    pub(super) fn of(generation: u32) -> Self {
        Self { generation, ..Self::default() }
    }

    /// Puts a record at its index; it supersedes the records there and after it.
    pub(super) fn put(&mut self, index: u64, epoch: Epoch, record: &[u8], spare: &mut Spare) {
        let fits = (self.first..=self.first + self.tail.len() as u64).contains(&index);
        if self.tail.is_empty() || !fits {
            self.drop_through(u64::MAX, spare);
            self.first = index;
        }
        while self.tail.len() as u64 > index - self.first {
            spare.0.extend(self.tail.pop_back().map(|(_, record)| record));
        }
        self.tail.push_back((epoch, spare.copy(record)));
    }

    pub(super) fn get(&self, index: u64) -> Option<&(Epoch, Vec<u8>)> {
        self.tail.get(index.checked_sub(self.first)? as usize)
    }

    /// Drops the records up to `index`.
    pub(super) fn drop_through(&mut self, index: u64, spare: &mut Spare) {
        while self.first <= index
            && let Some((_, record)) = self.tail.pop_front()
        {
            spare.0.push(record);
            self.first += 1;
        }
    }

    /// Removes and returns the record at `index`, and drops those before it.
    pub(super) fn take(&mut self, index: u64, spare: &mut Spare) -> Option<(Epoch, Vec<u8>)> {
        self.drop_through(index - 1, spare);
        let stands_there = self.first == index && !self.tail.is_empty();
        self.first += u64::from(stands_there);
        if stands_there { self.tail.pop_front() } else { None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) epoch: Epoch,
    pub(super) hash: u64,
}

/// Records by index and epoch, in the order of first writing, with its instant and what was read then.
#[derive(Clone, Debug, Default)]
pub(super) struct Fresh(VecDeque<(u64, Epoch, Instant, Option<Record>)>);

impl Fresh {
    /// Notes a record and reads it, if it is on a disk for the first time. Returns what was read.
    pub(super) fn note(
        &mut self,
        index: u64,
        epoch: Epoch,
        now: Instant,
        read: impl FnOnce() -> Option<Record>,
    ) -> Option<&Record> {
        if self.0.iter().rev().any(|&(at, of, ..)| (at, of) == (index, epoch)) {
            return None;
        }
        self.0.push_back((index, epoch, now, read()));
        self.0.back().and_then(|(.., record)| record.as_ref())
    }

    /// Removes a committed record; returns the instant at which it was first on a disk, and what was read then. Drops
    /// others at its index or before.
    pub(super) fn take(&mut self, index: u64, epoch: Epoch) -> Option<(Instant, Option<Record>)> {
        let place = self.0.iter().position(|&(at, of, ..)| (at, of) == (index, epoch));
        let taken = place.and_then(|place| self.0.remove(place));
        self.0.retain(|&(at, ..)| at > index);
        taken.map(|(_, _, since, record)| (since, record))
    }
}
