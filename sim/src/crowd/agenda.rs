//! The agenda: what each person does next, and when.
//!
//! Owns the order of the crowd's intentions, in buckets of time. Refuses to know what
//! they are. An entry costs sixteen bytes, its entry and its removal a few
//! nanoseconds, however many million people wait.

use std::collections::BTreeMap;

use onsale_core::{Instant, Span};

/// Width of a bucket.
const WIDTH: u64 = Span::from_millis(10).0;
/// Buckets in the ring: 82 seconds.
const RING: u64 = 1 << 13;

/// A person's next act. `stamp` tells it from acts that were overtaken by an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// When.
    pub at: Instant,
    /// Whose.
    pub user: u32,
    /// The person's stamp when it was entered.
    pub stamp: u8,
}

/// Acts to come.
#[derive(Debug)]
pub struct Agenda {
    /// Acts of bucket b stand in `ring[b mod RING]` for b in `current + 1 .. current + RING`.
    ring: Vec<Bucket>,
    occupied: Vec<u64>,
    /// Acts beyond the ring.
    far: BTreeMap<u64, Vec<Act>>,
    /// The bucket being served.
    current: u64,
    /// Its acts, the next one last.
    open: Vec<Act>,
    /// Blocks of acts, shared by all buckets of the ring, and after each block the one filled before it.
    blocks: Vec<[Act; BLOCK]>,
    before: Vec<u32>,
    /// Blocks that hold nothing.
    empty: Vec<u32>,
    waiting: usize,
}

/// Acts in a block.
const BLOCK: usize = 32;

/// The acts of a bucket: the block that is being filled, and how many there are in all.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    last: u32,
    len: u32,
}

impl Default for Agenda {
    fn default() -> Self {
        Self {
            ring: vec![Bucket::default(); RING as usize],
            occupied: vec![0; RING as usize / 64],
            far: BTreeMap::new(),
            current: 0,
            open: Vec::new(),
            blocks: Vec::new(),
            before: Vec::new(),
            empty: Vec::new(),
            waiting: 0,
        }
    }
}

impl Agenda {
    /// Enters an act. An act in the past comes next.
    pub fn enter(&mut self, act: Act) {
        self.waiting += 1;
        let bucket = act.at.0 / WIDTH;
        if bucket <= self.current {
            let place = self.open.partition_point(|open| *open > act);
            self.open.insert(place, act);
        } else if bucket - self.current < RING {
            self.put(bucket, act);
        } else {
            self.far.entry(bucket).or_default().push(act);
        }
    }

    /// When the next act comes.
    pub fn next_at(&mut self) -> Option<Instant> {
        if self.open.is_empty() {
            self.open_next();
        }
        self.open.last().map(|act| act.at)
    }

    /// Takes the next act if it comes before `end`.
    pub fn take_before(&mut self, end: Instant) -> Option<Act> {
        if self.next_at()? >= end {
            return None;
        }
        self.waiting -= 1;
        self.open.pop()
    }

    /// Moves all acts before `end` to `out`, in order.
    pub fn take_all_before(&mut self, end: Instant, out: &mut Vec<Act>) {
        out.extend(std::iter::from_fn(|| self.take_before(end)));
    }

    /// How many acts are entered, overtaken ones included.
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    fn put(&mut self, bucket: u64, act: Act) {
        let slot = (bucket % RING) as usize;
        let bucket = &mut self.ring[slot];
        let place = bucket.len as usize % BLOCK;
        if place == 0 {
            let block = self.empty.pop().unwrap_or(self.blocks.len() as u32);
            if block as usize == self.blocks.len() {
                self.blocks.push([Act { at: Instant::ZERO, user: 0, stamp: 0 }; BLOCK]);
                self.before.push(0);
            }
            self.before[block as usize] = bucket.last;
            bucket.last = block;
        }
        self.blocks[bucket.last as usize][place] = act;
        bucket.len += 1;
        self.occupied[slot / 64] |= 1 << (slot % 64);
    }

    /// Opens the next bucket that holds an act.
    fn open_next(&mut self) {
        let near = self.next_occupied();
        let far = self.far.first_key_value().map(|(&bucket, _)| bucket);
        let Some(bucket) = near.into_iter().chain(far).min() else { return };
        self.current = bucket;
        let slot = (bucket % RING) as usize;
        let mut left = std::mem::take(&mut self.ring[slot]);
        while left.len > 0 {
            let filled = (left.len as usize - 1) % BLOCK + 1;
            self.open.extend_from_slice(&self.blocks[left.last as usize][..filled]);
            self.empty.push(left.last);
            left = Bucket { last: self.before[left.last as usize], len: left.len - filled as u32 };
        }
        self.occupied[slot / 64] &= !(1 << (slot % 64));
        // What was far and has come into reach moves to the ring.
        while let Some(entry) = self.far.first_entry() {
            if *entry.key() >= bucket + RING {
                break;
            }
            let (bucket, acts) = entry.remove_entry();
            if bucket == self.current {
                self.open.extend(acts);
            } else {
                acts.into_iter().for_each(|act| self.put(bucket, act));
            }
        }
        self.open.sort_unstable_by(|a, b| b.cmp(a));
    }

    fn next_occupied(&self) -> Option<u64> {
        let start = self.current + 1;
        let first = (start % RING) as usize;
        let words = self.occupied.len();
        (0..=words).find_map(|step| {
            let word = (first / 64 + step) % words;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << (first % 64);
            } else if step == words {
                bits &= !(u64::MAX << (first % 64));
            }
            (bits != 0).then(|| {
                let slot = word as u64 * 64 + u64::from(bits.trailing_zeros());
                start + (slot + RING - first as u64) % RING
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn acts_come_in_order_and_none_is_lost(steps in prop::collection::vec((0_u64..2_000_000_000, 0_u64..3), 1..200)) {
            let mut agenda = Agenda::default();
            let mut model: Vec<Act> = Vec::new();
            let mut now = 0;
            for (user, (ahead, takes)) in (0_u32..).zip(steps) {
                let act = Act { at: Instant(now + ahead), user, stamp: 0 };
                agenda.enter(act);
                model.push(act);
                model.sort_unstable();
                for _ in 0..takes {
                    let end = Instant(now + 500_000_000);
                    let expected = model.first().filter(|act| act.at < end).copied();
                    prop_assert_eq!(agenda.next_at(), model.first().map(|act| act.at));
                    let taken = agenda.take_before(end);
                    prop_assert_eq!(taken, expected);
                    if let Some(taken) = taken {
                        model.remove(0);
                        now = now.max(taken.at.0);
                    }
                }
                prop_assert_eq!(agenda.waiting(), model.len());
            }
        }
    }
}
