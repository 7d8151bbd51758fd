//! The page cache: bytes that a killed process had written and not synced.
//!
//! Owns which bytes of each segment a starting process reads back although no sync has covered them, and what the loss
//! of the machine's power takes of them. Refuses to know why a process died.

use std::collections::BTreeMap;

use super::Disk;
use crate::stream::below;

/// The unsynced ends of segments.
#[derive(Debug, Default)]
pub(super) struct PageCache {
    /// By segment, where its unsynced bytes begin.
    ends: BTreeMap<u32, Unsynced>,
}

/// The unsynced end of a segment.
#[derive(Clone, Copy, Debug)]
struct Unsynced {
    /// The first byte that is not durable.
    from: usize,
    /// Whether a sync of it has failed: its pages count as clean, so no later sync writes them.
    is_clean: bool,
}

impl PageCache {
    /// Notes a sync of a segment that was appended to at `start`. Returns where the bytes begin that it made durable.
    ///
    /// Pages of a failed sync count as clean: bytes behind them are as good as lost with them, even if
    /// the disk says that they are durable.
    pub(super) fn synced(&mut self, segment: u32, start: usize) -> usize {
        match self.ends.get(&segment) {
            Some(&Unsynced { from, is_clean: false }) => {
                self.ends.remove(&segment);
                from
            }
            Some(Unsynced { is_clean: true, .. }) | None => start,
        }
    }

    /// Drops the segments below this number, which are deleted.
    pub(super) fn retire_below(&mut self, number: u32) {
        self.ends.retain(|&segment, _| segment >= number);
    }

    /// Drops everything, with the disk.
    pub(super) fn clear(&mut self) {
        self.ends.clear();
    }
}

impl Disk {
    /// The process dies and its machine lives on: a prefix of the write in flight, in half of all cases all of it, is
    /// in the page cache.
    pub fn kill(&mut self) {
        let bits = self.stream.draw();
        self.ailments.crash();
        let Some(write) = self.in_flight.take() else { return };
        // The draw's low bit decides whether it is whole, its high bits how much of it there is.
        let written = match bits.is_multiple_of(2) {
            true => write.bytes.len(),
            false => below(bits, write.bytes.len() as u64 + 1) as usize,
        };
        if written > 0 {
            let from = self.append(write.segment, &write.bytes[..written]);
            let is_clean = self.fails_by().is_some();
            let end = self.unsynced.ends.entry(write.segment);
            end.or_insert(Unsynced { from, is_clean }).is_clean |= is_clean;
        }
    }

    /// The machine loses its power: of the bytes in the page cache that were not synced, a random prefix survives.
    pub fn lose_page_cache(&mut self) {
        for (segment, Unsynced { from, .. }) in std::mem::take(&mut self.unsynced.ends) {
            let bits = self.ailments.draw();
            let Some(bytes) = self.segments.get_mut(&segment) else { continue };
            let unsynced = bytes.len().saturating_sub(from) as u64;
            bytes.truncate(from + below(bits, unsynced + 1) as usize);
            if bytes.is_empty() {
                self.segments.remove(&segment);
            }
        }
    }

    /// The durable bytes of each segment, in the order of the segments: without what is in the page cache alone.
    pub fn durable(&self) -> impl Iterator<Item = &[u8]> + Clone {
        self.durable_by_number().map(|(_, bytes)| bytes)
    }

    /// The durable segments, with their numbers: what is left if the machine loses its power now, or more of it.
    pub fn durable_contents(&self) -> Vec<(u32, Vec<u8>)> {
        self.durable_by_number().map(|(segment, bytes)| (segment, bytes.to_vec())).collect()
    }

    fn durable_by_number(&self) -> impl Iterator<Item = (u32, &[u8])> + Clone {
        let segments = self.segments.iter().map(|(&segment, bytes)| {
            let end = self.unsynced.ends.get(&segment).map_or(bytes.len(), |end| end.from);
            (segment, &bytes[..end.min(bytes.len())])
        });
        segments.filter(|(_, bytes)| !bytes.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::Instant;
    use onsale_scenarios::Scenario;

    use super::*;
    use crate::write::{Write, WriteId};

    const NOW: Instant = Instant(1_000);

    fn write(id: u64, segment: u32, bytes: &[u8]) -> Write {
        Write { id: WriteId(id), segment, bytes: bytes.to_vec(), retire_below: 0 }
    }

    /// A disk whose process was killed during its second write to segment 0.
    fn killed(seed: u64, prepare: impl Fn(&mut Disk)) -> Disk {
        let mut disk = Disk::new(Scenario::default().disk, seed, seed);
        disk.begin(Instant::ZERO, write(1, 0, b"durable"));
        disk.complete(NOW, WriteId(1));
        disk.begin(Instant::ZERO, write(2, 0, b"cached"));
        prepare(&mut disk);
        disk.kill();
        disk
    }

    fn read(disk: &Disk) -> Vec<u8> {
        disk.segments().flatten().copied().collect()
    }

    #[test]
    fn a_killed_process_reads_back_what_it_wrote_and_power_loss_takes_it() {
        let (mut whole, mut parts, mut kept, mut lost) = (0, 0, 0, 0);
        for seed in 0..200 {
            let mut disk = killed(seed, |_| {});
            let back = read(&disk);
            assert!(b"durablecached".starts_with(&back[..]) && back.starts_with(b"durable"));
            let durable: Vec<u8> = disk.durable().flatten().copied().collect();
            assert_eq!(durable, b"durable");
            (whole, parts) = match back.len() {
                13 => (whole + 1, parts),
                _ => (whole, parts + 1),
            };
            disk.lose_page_cache();
            let left = read(&disk);
            assert!(back.starts_with(&left) && left.starts_with(b"durable"));
            (kept, lost) = match left.len() < back.len() {
                true => (kept, lost + 1),
                false => (kept + 1, lost),
            };
        }
        assert!(
            whole > 80 && parts > 60 && kept > 20 && lost > 60,
            "{whole} {parts} {kept} {lost}"
        );
    }

    #[test]
    fn a_later_sync_covers_what_was_read_back() {
        let mut disk = (0..).map(|seed| killed(seed, |_| {})).find(|disk| read(disk).len() == 13);
        let disk = disk.as_mut().expect("half of all writes are whole");
        disk.begin(Instant::ZERO, write(3, 0, b"!"));
        assert_eq!(disk.complete(NOW, WriteId(3)), b"cached!");
        disk.crash(NOW);
        assert_eq!(read(disk), b"durablecached!");
    }

    #[test]
    fn no_later_sync_covers_the_pages_of_a_failed_one() {
        let fails = |disk: &mut Disk| disk.fail_writes(1);
        let mut disk = (0..).map(|seed| killed(seed, fails)).find(|disk| read(disk).len() == 13);
        let disk = disk.as_mut().expect("half of all writes are whole");
        disk.write_again(1);
        disk.begin(Instant::ZERO, write(3, 0, b"!"));
        assert_eq!(disk.complete(NOW, WriteId(3)), b"!");
        let durable: Vec<u8> = disk.durable().flatten().copied().collect();
        assert_eq!(durable, b"durable", "the disk said that it is durable");
    }

    #[test]
    fn a_new_segment_leaves_the_old_one_in_doubt_until_it_is_deleted() {
        let mut disk = killed(1, |_| {});
        disk.begin(Instant::ZERO, Write { retire_below: 1, ..write(3, 1, b"all of it") });
        disk.complete(NOW, WriteId(3));
        disk.crash(NOW);
        assert_eq!(disk.contents(), [(1, b"all of it".to_vec())]);
        assert_eq!(disk.durable_contents(), disk.contents());
    }
}
