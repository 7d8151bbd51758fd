//! A node's disk: the durable bytes, and what a crash leaves of the rest.
//!
//! Owns the segments of the write-ahead log and the fsync in flight. Refuses to know
//! what the bytes mean.

mod ailment;
mod pace;
mod page_cache;
mod torn_write;

use std::collections::{BTreeMap, VecDeque};

use ailment::Ailments;
pub use ailment::Answer;
use onsale_booking::{Instant, Span};
use onsale_scenarios::Disk as Settings;
use pace::Pace;
use page_cache::PageCache;

use crate::sample::{hits, most, timing};
use crate::stream::{Stream, below, fork};
use crate::touches::Touches;
use crate::write::{Write, WriteId};

/// Initial capacity of a segment, in bytes: growing would copy it repeatedly.
const SEGMENT_ROOM: usize = 64 << 10;

/// The longest duration of a write without faults, but for the time for its bytes.
pub fn longest_sync(settings: &Settings) -> Span {
    let fsync = most(&settings.fsync);
    Span((fsync.0 + settings.jitter.of(fsync.0)) * u64::from(settings.tail_factor))
}

/// One node's disk.
#[derive(Debug)]
pub struct Disk {
    settings: Settings,
    segments: BTreeMap<u32, Vec<u8>>,
    in_flight: Option<Write>,
    /// Acknowledged writes still in the volatile cache: when they settle, and their bytes.
    cached: VecDeque<(Instant, u64)>,
    pace: Pace,
    stream: Stream,
    /// Stream of drawn fsync latencies.
    fsyncs: Stream,
    ailments: Ailments,
    unsynced: PageCache,
    /// Writes that faults touched, and durable bytes that they damaged.
    pub(crate) touches: Touches,
}

impl Disk {
    /// An empty disk. Its faults draw from a seed of their own.
    pub fn new(settings: Settings, seed: u64, faults_seed: u64) -> Self {
        Self {
            ailments: Ailments::new(faults_seed),
            settings,
            segments: BTreeMap::new(),
            in_flight: None,
            cached: VecDeque::new(),
            pace: Pace::default(),
            stream: Stream::new(seed),
            unsynced: PageCache::default(),
            touches: Touches::default(),
            fsyncs: Stream::new(fork(seed, "fsync")),
        }
    }

    /// Starts a write at an instant and returns the time until it is due, unless faults end before.
    ///
    /// # Panics
    /// If another write is in flight: a node has one at a time.
    pub fn begin(&mut self, at: Instant, write: Write) -> Span {
        assert!(self.in_flight.is_none(), "a node has at most one write in flight");
        let fate = [self.stream.draw(), self.stream.draw()];
        let fsync = match self.settings.fsync.constant() {
            Some(fsync) => fsync,
            None => timing(self.fsyncs.draw(), &self.settings.fsync),
        };
        let mut takes = fsync.0 + below(fate[0], self.settings.jitter.of(fsync.0) + 1);
        if hits(fate[1], self.settings.tail) {
            takes *= u64::from(self.settings.tail_factor);
        }
        takes += write.bytes.len() as u64 * 1_000_000 / (u64::from(self.settings.mib_per_s) << 20);
        self.in_flight = Some(write);
        self.pace.begin(at, Span(takes), &mut self.touches)
    }

    /// Completes the write in flight: it is durable, or so the disk says. Returns the appended bytes.
    ///
    /// # Panics
    /// If another write than `id` is in flight.
    pub fn complete(&mut self, now: Instant, id: WriteId) -> &[u8] {
        let write = self.in_flight.take().expect("only a write in flight completes");
        assert_eq!(write.id, id, "writes complete in order");
        if self.ailments.lies() {
            self.ailments.lying().for_each(|fault| self.touches.write(fault));
            self.cached.push_back((Instant::MAX, write.bytes.len() as u64));
        } else if self.settings.write_back > Span::ZERO {
            self.settle(now);
            self.cached.push_back((now + self.settings.write_back, write.bytes.len() as u64));
        }
        let start = self.append(write.segment, &write.bytes);
        self.segments.retain(|&segment, _| segment >= write.retire_below);
        self.ailments.retire_below(write.retire_below);
        self.unsynced.retire_below(write.retire_below);
        let start = self.unsynced.synced(write.segment, start);
        &self.segments[&write.segment][start..]
    }

    /// Whether the write in flight begins a segment.
    pub fn begins_segment(&self) -> bool {
        self.in_flight.as_ref().is_some_and(|write| !self.segments.contains_key(&write.segment))
    }

    /// The machine crashes: a random prefix of what was not synced survives, and of the write in flight, unless a
    /// volatile cache lost something before it.
    pub fn crash(&mut self, now: Instant) {
        let bits = self.stream.draw();
        self.ailments.crash();
        self.lose_page_cache();
        self.settle(now);
        if !self.cached.is_empty() {
            self.in_flight = None;
            let lost = self.cached.drain(..).map(|(_, bytes)| bytes).sum();
            self.forget(lost);
        }
        if self.ailments.tears() {
            return self.tear();
        }
        if let Some(write) = self.in_flight.take() {
            let kept = below(bits, write.bytes.len() as u64 + 1) as usize;
            if kept > 0 {
                self.append(write.segment, &write.bytes[..kept]);
            }
        }
    }

    /// Drops the last `bytes` acknowledged bytes, for a disk that lied. The oldest file stays, even if
    /// empty, so that a disk that lost everything does not look like a replaced one.
    pub fn forget(&mut self, bytes: u64) {
        let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
        let oldest = self.segments.keys().next().copied();
        while left > 0
            && let Some(mut newest) = self.segments.last_entry()
        {
            let is_oldest = Some(*newest.key()) == oldest;
            let stored = newest.get_mut();
            if stored.len() > left {
                stored.truncate(stored.len() - left);
                return;
            }
            left -= stored.len();
            if is_oldest {
                return stored.clear();
            }
            newest.remove();
        }
    }

    /// The segments that a starting node reads back, with their numbers: what is durable, and what is in the page cache.
    pub fn contents(&self) -> Vec<(u32, Vec<u8>)> {
        self.segments.iter().map(|(&segment, bytes)| (segment, bytes.clone())).collect()
    }

    /// The bytes of each segment that a starting node reads back, in the order of the segments.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        self.segments.values().map(Vec::as_slice)
    }

    /// The size of what a starting node reads back, in bytes.
    pub fn bytes(&self) -> u64 {
        self.segments.values().map(|bytes| bytes.len() as u64).sum()
    }

    /// Whether this write is in flight and due at this instant; true once for each due instant.
    pub fn is_due(&mut self, now: Instant, id: WriteId) -> bool {
        self.in_flight() == Some(id) && self.pace.is_due(now)
    }

    /// Makes the disk `factor` times slower, for a fault. Of several faults the worst counts.
    pub fn slow_down(&mut self, fault: usize, factor: u32) {
        self.pace.slow_down(fault, factor);
    }

    /// Ends the slowness of a fault. Returns the write in flight and its due instant, if it is due sooner than before.
    pub fn speed_up(&mut self, now: Instant, fault: usize) -> Option<(WriteId, Instant)> {
        let sooner = self.pace.speed_up(now, fault);
        self.in_flight().zip(sooner)
    }

    /// Removes writes from the cache that have settled by `now`.
    fn settle(&mut self, now: Instant) {
        while self.cached.front().is_some_and(|&(until, _)| until <= now) {
            self.cached.pop_front();
        }
    }

    fn append(&mut self, segment: u32, bytes: &[u8]) -> usize {
        let stored =
            self.segments.entry(segment).or_insert_with(|| Vec::with_capacity(SEGMENT_ROOM));
        let start = stored.len();
        stored.extend_from_slice(bytes);
        start
    }
}

#[cfg(test)]
mod tests {
    use onsale_scenarios::{GoodCopies, Ratio};

    use super::*;

    const NOW: Instant = Instant(1_000);

    fn disk(seed: u64) -> Disk {
        disk_with_cache(seed, Span::ZERO)
    }

    fn disk_with_cache(seed: u64, write_back: Span) -> Disk {
        let settings = Settings {
            fsync: Span(500).into(),
            jitter: Ratio { num: 1, den: 2 },
            tail: Ratio { num: 0, den: 1 },
            tail_factor: 10,
            mib_per_s: 100,
            write_back,
            good_copies: GoodCopies::Majority,
        };
        Disk::new(settings, seed, seed)
    }

    fn write(id: u64, segment: u32, bytes: &[u8], retire_below: u32) -> Write {
        Write { id: WriteId(id), segment, bytes: bytes.to_vec(), retire_below }
    }

    #[test]
    fn a_write_is_durable_when_it_completes() {
        let mut disk = disk(1);
        let takes = disk.begin(NOW, write(1, 0, b"abc", 0));
        assert!((500..=750).contains(&takes.0));
        assert!(disk.contents().is_empty());
        assert_eq!(disk.complete(NOW, WriteId(1)), b"abc");
        assert_eq!(disk.contents(), [(0, b"abc".to_vec())]);
    }

    #[test]
    fn a_crash_keeps_a_prefix_of_the_unsynced_write() {
        let kept: Vec<u64> = (0..200)
            .map(|seed| {
                let mut disk = disk(seed);
                disk.begin(NOW, write(1, 0, b"durable", 0));
                disk.complete(NOW, WriteId(1));
                disk.begin(NOW, write(2, 0, b"volatile", 0));
                disk.crash(NOW);
                let contents = disk.contents();
                assert!(
                    b"durablevolatile".starts_with(&contents[0].1)
                        && contents[0].1.starts_with(b"durable")
                );
                disk.bytes() - 7
            })
            .collect();
        assert!(
            kept.contains(&0) && kept.contains(&8),
            "any prefix can survive, from nothing to all"
        );
    }

    #[test]
    fn a_disk_that_lied_loses_its_newest_bytes() {
        let mut disk = disk(1);
        for (id, segment) in [(1, 0), (2, 1)] {
            disk.begin(NOW, write(id, segment, b"abc", 0));
            disk.complete(NOW, WriteId(id));
        }
        disk.forget(0);
        assert_eq!(disk.bytes(), 6);
        disk.forget(4);
        assert_eq!(disk.contents(), [(0, b"ab".to_vec())]);
        disk.forget(u64::MAX);
        assert_eq!(disk.contents(), [(0, Vec::new())]);
    }

    #[test]
    fn a_volatile_cache_loses_acknowledged_writes() {
        let mut disk = disk_with_cache(1, Span(100));
        for (id, at) in [(1, 1_000), (2, 1_050), (3, 1_120)] {
            disk.begin(NOW, write(id, 0, b"abc", 0));
            disk.complete(Instant(at), WriteId(id));
        }
        disk.begin(NOW, write(4, 0, b"in flight", 0));
        disk.crash(Instant(1_150));
        assert_eq!(disk.contents(), [(0, b"abcabc".to_vec())]);
        disk.crash(Instant(1_151));
        assert_eq!(disk.bytes(), 6, "only settled writes are left");
    }

    #[test]
    fn old_segments_are_deleted_once_the_new_one_is_durable() {
        let mut disk = disk(1);
        disk.begin(NOW, write(1, 0, b"old", 0));
        disk.complete(NOW, WriteId(1));
        disk.begin(NOW, write(2, 1, b"new", 1));
        assert_eq!(disk.contents().len(), 1);
        disk.complete(NOW, WriteId(2));
        assert_eq!(disk.contents(), [(1, b"new".to_vec())]);
    }

    #[test]
    fn bandwidth_and_slowness_count() {
        let mut disk = disk(1);
        let megabyte = vec![0; 1 << 20];
        assert!(disk.begin(NOW, write(1, 0, &megabyte, 0)) >= Span::from_millis(10));
        disk.complete(NOW, WriteId(1));
        disk.slow_down(7, 10);
        assert!(disk.begin(NOW, write(2, 0, b"x", 0)) >= Span(5_000));
        disk.complete(NOW, WriteId(2));
        assert_eq!(disk.speed_up(NOW, 7), None, "no write is in flight");
        assert!(disk.begin(NOW, write(3, 0, b"x", 0)) < Span(5_000));
    }

    #[test]
    #[should_panic(expected = "a node has at most one write in flight")]
    fn a_second_write_in_flight_is_caught() {
        let mut disk = disk(1);
        disk.begin(NOW, write(1, 0, b"abc", 0));
        disk.begin(NOW, write(2, 0, b"def", 0));
    }

    #[test]
    #[should_panic(expected = "writes complete in order")]
    fn a_write_that_completes_before_another_is_caught() {
        let mut disk = disk(1);
        disk.begin(NOW, write(1, 0, b"abc", 0));
        disk.complete(NOW, WriteId(2));
    }

    #[test]
    #[should_panic(expected = "only a write in flight completes")]
    fn a_write_that_was_never_begun_is_caught() {
        disk(1).complete(NOW, WriteId(1));
    }
}
