//! Ailments of a disk: how it answers a write, whether it tears one, and which bits flip.
//!
//! Owns the ailments in force, by the number of the fault that caused each, and the damage that
//! they do. Refuses to know when they begin and end, and how a node reacts to an answer.

use onsale_booking::Instant;

use super::Disk;
use super::torn_write::torn;
use crate::stream::{Stream, below};
use crate::write::{Write, WriteId};

/// A disk's answer when a write's time has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The write is durable.
    Durable,
    /// No answer, while it stalls.
    Silent,
    /// The write, or its fsync, failed.
    Failed,
    /// The disk is full.
    Full,
}

/// The ailments of one disk, each by the number of its fault.
#[derive(Debug)]
pub(super) struct Ailments {
    stalled: Vec<usize>,
    failing: Vec<usize>,
    full: Vec<usize>,
    lying: Vec<usize>,
    tearing: Option<usize>,
    /// Bit rot, with the segment concerned.
    rotten: Vec<(usize, u32)>,
    /// Whether a write's time has come while the disk stalls.
    overdue: bool,
    stream: Stream,
}

impl Ailments {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            stalled: Vec::new(),
            failing: Vec::new(),
            full: Vec::new(),
            lying: Vec::new(),
            tearing: None,
            rotten: Vec::new(),
            overdue: false,
            stream: Stream::new(seed),
        }
    }

    /// Drops the pending answer, as the process died.
    pub(super) fn crash(&mut self) {
        self.overdue = false;
    }

    /// Drops the rot of segments below this number, which are deleted.
    pub(super) fn retire_below(&mut self, number: u32) {
        self.rotten.retain(|&(_, segment)| segment >= number);
    }

    /// A draw for the damage that a fault does.
    pub(super) fn draw(&mut self) -> u64 {
        self.stream.draw()
    }

    pub(super) fn lies(&self) -> bool {
        !self.lying.is_empty()
    }

    /// The faults that make it lie.
    pub(super) fn lying(&self) -> impl Iterator<Item = usize> {
        self.lying.iter().copied()
    }

    /// Whether this crash tears the write in flight. A fault tears at most one.
    pub(super) fn tears(&mut self) -> bool {
        self.tearing.take().is_some()
    }
}

impl Disk {
    /// The answer to the write in flight, whose time has come.
    pub fn answer(&mut self) -> Answer {
        let ailments = &mut self.ailments;
        if !ailments.stalled.is_empty() {
            ailments.stalled.iter().for_each(|&fault| self.touches.write(fault));
            ailments.overdue = true;
            Answer::Silent
        } else if let Some(&fault) = ailments.failing.first() {
            self.touches.write(fault);
            Answer::Failed
        } else if let Some(&fault) = ailments.full.first() {
            self.touches.write(fault);
            Answer::Full
        } else {
            Answer::Durable
        }
    }

    /// Stalls the disk: no write completes.
    pub fn stall(&mut self, fault: usize) {
        self.ailments.stalled.push(fault);
    }

    /// Ends a stall. Returns the write in flight if it became due during the stall: it is due now.
    pub fn go_on(&mut self, now: Instant, fault: usize) -> Option<WriteId> {
        self.ailments.stalled.retain(|&of| of != fault);
        let goes_on =
            self.ailments.stalled.is_empty() && std::mem::take(&mut self.ailments.overdue);
        let id = self.in_flight().filter(|_| goes_on)?;
        self.pace.make_due(now);
        Some(id)
    }

    /// Makes every write fail.
    pub fn fail_writes(&mut self, fault: usize) {
        self.ailments.failing.push(fault);
    }

    /// The fault that makes writes fail, the oldest if there are several.
    pub fn fails_by(&self) -> Option<usize> {
        self.ailments.failing.first().copied()
    }

    /// Ends the failing of writes, for a fault.
    pub fn write_again(&mut self, fault: usize) {
        self.ailments.failing.retain(|&of| of != fault);
    }

    /// Fills the disk.
    pub fn fill(&mut self, fault: usize) {
        self.ailments.full.push(fault);
    }

    /// Ends the lack of space, for a fault.
    pub fn make_room(&mut self, fault: usize) {
        self.ailments.full.retain(|&of| of != fault);
    }

    /// Makes the disk lie: acknowledged writes survive only until a crash.
    pub fn lie(&mut self, fault: usize) {
        self.ailments.lying.push(fault);
    }

    /// Ends the lying, for a fault: all acknowledged writes are durable.
    pub fn keep_word(&mut self, fault: usize) {
        self.ailments.lying.retain(|&of| of != fault);
        if self.ailments.lying.is_empty() {
            self.cached.retain(|&(until, _)| until != Instant::MAX);
        }
    }

    /// Takes back the write in flight, with nothing of it on the disk.
    ///
    /// # Panics
    /// If no write is in flight.
    pub fn refuse(&mut self) -> Write {
        self.in_flight.take().expect("only a write in flight is refused")
    }

    /// Arms a fault: the next crash tears the write in flight.
    pub fn arm(&mut self, fault: usize) {
        self.ailments.tearing = Some(fault);
    }

    /// The fault that waits for a write to tear.
    pub fn armed_by(&self) -> Option<usize> {
        self.ailments.tearing
    }

    /// Disarms a fault that has torn no write.
    pub fn disarm(&mut self, fault: usize) {
        self.ailments.tearing.take_if(|of| *of == fault);
    }

    /// The write in flight.
    pub fn in_flight(&self) -> Option<WriteId> {
        self.in_flight.as_ref().map(|write| write.id)
    }

    /// Flips one durable bit. Returns whether there was one.
    pub fn rot(&mut self, fault: usize) -> bool {
        let bits = self.ailments.stream.draw();
        let Some(mut newest) = self.segments.last_entry() else { return false };
        let segment = *newest.key();
        let bytes = newest.get_mut();
        if bytes.is_empty() {
            return false;
        }
        let bit = below(bits, bytes.len() as u64 * 8) as usize;
        bytes[bit / 8] ^= 1 << (bit % 8);
        self.ailments.rotten.push((fault, segment));
        self.touches.write(fault);
        true
    }

    /// Whether the damage of a fault is still on the disk; forgets it.
    pub fn scrub(&mut self, fault: usize) -> bool {
        let before = self.ailments.rotten.len();
        self.ailments.rotten.retain(|&(of, _)| of != fault);
        self.ailments.rotten.len() < before
    }

    /// Replaces the disk by an empty one.
    pub fn wipe(&mut self) {
        self.segments.clear();
        self.cached.clear();
        self.unsynced.clear();
        self.ailments.rotten.clear();
    }

    /// Tears the write in flight.
    pub(super) fn tear(&mut self) {
        let Some(write) = self.in_flight.take() else { return };
        let start = self.segments.get(&write.segment).map_or(0, Vec::len);
        let torn = torn(&write.bytes, start, &mut self.ailments.stream);
        if !torn.is_empty() {
            self.append(write.segment, &torn);
        }
    }
}

#[cfg(test)]
mod tests {
    use onsale_scenarios::Scenario;

    use super::*;

    fn disk(seed: u64) -> Disk {
        Disk::new(Scenario::default().disk, seed, seed)
    }

    fn write(id: u64, bytes: Vec<u8>) -> Write {
        Write { id: WriteId(id), segment: 0, bytes, retire_below: 0 }
    }

    /// Records in the order of their numbers.
    fn records(first: u64, count: u64) -> Vec<u8> {
        (first..first + count).flat_map(|index| [index as u8; 90]).collect()
    }

    /// A disk with this many records, all durable.
    fn used(seed: u64, count: u64) -> Disk {
        let mut disk = disk(seed);
        disk.begin(Instant::ZERO, write(1, records(1, count)));
        disk.complete(Instant::ZERO, WriteId(1));
        disk
    }

    #[test]
    fn a_disk_answers_for_the_worst_of_its_ailments() {
        let mut disk = disk(1);
        assert_eq!(disk.answer(), Answer::Durable);
        disk.fill(1);
        assert_eq!(disk.answer(), Answer::Full);
        disk.fail_writes(2);
        assert_eq!(disk.answer(), Answer::Failed);
        assert_eq!(disk.fails_by(), Some(2));
        disk.stall(3);
        disk.stall(4);
        assert_eq!(disk.answer(), Answer::Silent);
        let begun = Instant(7);
        disk.begin(begun, write(5, records(1, 1)));
        assert_eq!(disk.go_on(begun, 3), None, "another stall is in force");
        assert_eq!(disk.go_on(begun, 4), Some(WriteId(5)), "a write is overdue");
        assert!(!disk.is_due(begun, WriteId(4)) && disk.is_due(begun, WriteId(5)));
        disk.write_again(2);
        disk.make_room(1);
        assert_eq!(disk.answer(), Answer::Durable);
    }

    #[test]
    fn a_lying_disk_loses_acknowledged_writes_in_a_crash_only() {
        let mut disk = used(1, 3);
        let before = disk.contents();
        disk.lie(1);
        disk.begin(Instant::ZERO, write(2, records(4, 2)));
        disk.complete(Instant::ZERO, WriteId(2));
        disk.crash(Instant::ZERO);
        assert_eq!(disk.contents(), before);
        disk.begin(Instant::ZERO, write(3, records(4, 2)));
        disk.complete(Instant::ZERO, WriteId(3));
        disk.keep_word(1);
        disk.crash(Instant::ZERO);
        assert!(disk.contents() > before, "all acknowledged writes are durable");
    }

    #[test]
    fn a_wiped_disk_is_empty() {
        let mut disk = used(1, 3);
        disk.rot(1);
        disk.wipe();
        assert!(disk.contents().is_empty() && !disk.scrub(1) && !disk.rot(1));
    }
}
