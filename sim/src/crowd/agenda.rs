//! The agenda: what each person does next, and when.
//!
//! Owns the order of the crowd's intentions, in buckets of time. Refuses to know what
//! they are. An entry costs eight bytes, its entry and its removal a few
//! nanoseconds, however many million people wait.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use onsale_core::Instant;

/// Width of a bucket in microseconds, as a power of two: an eighth of a second. So wide that the
/// ends of all buckets stay in a fast cache while people are entered in no order.
const WIDTH_BITS: u32 = 17;
/// Buckets in the ring: 134 seconds.
const RING: u64 = 1 << 10;
const WORDS: usize = RING as usize / 64;

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

/// An act of a known bucket in one word, in the order of acts: the time within the bucket, the person,
/// the stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Packed(u64);

impl Packed {
    const fn new(act: Act) -> Self {
        let within = act.at.0 & ((1 << WIDTH_BITS) - 1);
        Self(within << 40 | (act.user as u64) << 8 | act.stamp as u64)
    }

    const fn act(self, bucket: u64) -> Act {
        Act {
            at: Instant(bucket << WIDTH_BITS | self.0 >> 40),
            user: (self.0 >> 8) as u32,
            stamp: self.0 as u8,
        }
    }
}

/// Acts to come.
#[derive(Debug)]
pub struct Agenda {
    /// Acts of bucket b stand in `ring[b mod RING]` for b in `current + 1 .. current + RING`.
    ring: Vec<Bucket>,
    occupied: [u64; WORDS],
    /// Acts beyond the ring.
    far: BTreeMap<u64, Vec<Packed>>,
    /// The bucket being served.
    current: u64,
    /// Its acts in order, and how many of them were taken.
    open: Vec<Packed>,
    taken: usize,
    /// Kept for its memory.
    spare: Vec<Packed>,
    /// Acts that were entered when their bucket was open already.
    late: BinaryHeap<Reverse<Act>>,
    /// Blocks of acts, shared by all buckets of the ring, and after each block the one filled before it.
    blocks: Vec<[Packed; BLOCK]>,
    before: Vec<u32>,
    /// Blocks that hold nothing.
    empty: Vec<u32>,
    waiting: usize,
}

/// Acts in a block.
const BLOCK: usize = 64;

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
            occupied: [0; WORDS],
            far: BTreeMap::new(),
            current: 0,
            open: Vec::new(),
            taken: 0,
            spare: Vec::new(),
            late: BinaryHeap::new(),
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
        let bucket = act.at.0 >> WIDTH_BITS;
        if bucket <= self.current {
            self.late.push(Reverse(act));
        } else if bucket - self.current < RING {
            self.put(bucket, Packed::new(act));
        } else {
            self.far.entry(bucket).or_default().push(Packed::new(act));
        }
    }

    /// When the next act comes.
    pub fn next_at(&mut self) -> Option<Instant> {
        self.next().map(|act| act.at)
    }

    /// Takes the next act if it comes before `end`.
    pub fn take_before(&mut self, end: Instant) -> Option<Act> {
        let next = self.next().filter(|act| act.at < end)?;
        self.waiting -= 1;
        // Equal acts are one and the same.
        if self.late.peek() == Some(&Reverse(next)) {
            self.late.pop();
        } else {
            self.taken += 1;
        }
        Some(next)
    }

    /// Moves all acts before `end` to `out`, in order.
    pub fn take_all_before(&mut self, end: Instant, out: &mut Vec<Act>) {
        while self.next_at().is_some_and(|at| at < end) {
            if !self.late.is_empty() {
                out.extend(self.take_before(end));
                continue;
            }
            let open = self.open[self.taken..].iter().map(|packed| packed.act(self.current));
            let before = out.len();
            out.extend(open.take_while(|act| act.at < end));
            self.taken += out.len() - before;
            self.waiting -= out.len() - before;
        }
    }

    /// How many acts are entered, overtaken ones included.
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    fn next(&mut self) -> Option<Act> {
        if self.taken == self.open.len() && self.late.is_empty() {
            self.open_next();
        }
        let open = self.open.get(self.taken).map(|packed| packed.act(self.current));
        match self.late.peek() {
            Some(&Reverse(late)) => Some(open.map_or(late, |open| open.min(late))),
            None => open,
        }
    }

    fn put(&mut self, bucket: u64, act: Packed) {
        let slot = (bucket % RING) as usize;
        let bucket = &mut self.ring[slot];
        let place = bucket.len as usize % BLOCK;
        if place == 0 {
            let block = self.empty.pop().unwrap_or(self.blocks.len() as u32);
            if block as usize == self.blocks.len() {
                self.blocks.push([Packed::default(); BLOCK]);
                self.before.push(0);
            }
            self.before[block as usize] = bucket.last;
            bucket.last = block;
            self.occupied[slot / 64] |= 1 << (slot % 64);
        }
        self.blocks[bucket.last as usize][place] = act;
        bucket.len += 1;
    }

    /// Opens the next bucket that holds an act.
    fn open_next(&mut self) {
        let near = self.next_occupied();
        let far = self.far.first_key_value().map(|(&bucket, _)| bucket);
        let Some(bucket) = near.into_iter().chain(far).min() else { return };
        self.current = bucket;
        self.open.clear();
        self.taken = 0;
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
        sort(&mut self.open, &mut self.spare);
    }

    fn next_occupied(&self) -> Option<u64> {
        let start = self.current + 1;
        let first = (start % RING) as usize;
        (0..=WORDS).find_map(|step| {
            let word = (first / 64 + step) % WORDS;
            let mut bits = self.occupied[word];
            if step == 0 {
                bits &= u64::MAX << (first % 64);
            } else if step == WORDS {
                bits &= !(u64::MAX << (first % 64));
            }
            (bits != 0).then(|| {
                let slot = word as u64 * 64 + u64::from(bits.trailing_zeros());
                start + (slot + RING - first as u64) % RING
            })
        })
    }
}

/// Sorts acts of one bucket; `spare` is room to work in.
///
/// Many acts are dealt out by the halves of their times, the lower half first: that costs a few
/// instructions an act, where comparing costs a hundred. The few of one microsecond are put in order
/// where they meet.
fn sort(acts: &mut Vec<Packed>, spare: &mut Vec<Packed>) {
    const DIGIT_BITS: u32 = WIDTH_BITS.div_ceil(2);
    const DIGITS: usize = 1 << DIGIT_BITS;
    if acts.len() < DIGITS {
        return acts.sort_unstable();
    }
    spare.resize(acts.len(), Packed::default());
    for shift in [40, 40 + DIGIT_BITS] {
        let digit = |act: &Packed| (act.0 >> shift) as usize % DIGITS;
        let mut places = [0_u32; DIGITS];
        acts.iter().for_each(|act| places[digit(act)] += 1);
        let mut before = 0;
        for place in &mut places {
            (*place, before) = (before, before + *place);
        }
        for act in acts.iter() {
            let place = &mut places[digit(act)];
            spare[*place as usize] = *act;
            *place += 1;
        }
        std::mem::swap(acts, spare);
    }
    acts.chunk_by_mut(|a, b| a.0 >> 40 == b.0 >> 40).for_each(<[Packed]>::sort_unstable);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_bucket_is_in_order() {
        let mut acts: Vec<Packed> = (0..5_000_u64)
            .map(|n| Act {
                at: Instant(crate::stream::mix(n) % (1 << WIDTH_BITS) / 100 * 100),
                user: crate::stream::mix(n + 1) as u32,
                stamp: n as u8,
            })
            .map(Packed::new)
            .collect();
        let mut sorted = acts.clone();
        sorted.sort_unstable();
        sort(&mut acts, &mut Vec::new());
        assert_eq!(acts, sorted);
    }

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
