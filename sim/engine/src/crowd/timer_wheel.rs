//! The crowd's timer wheel: each person's next act.
//!
//! Owns the order of the crowd's acts, in buckets of time. An entry takes eight bytes, and a few
//! nanoseconds to add and to remove, no matter how many million people wait. Refuses to know what
//! the acts are.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use onsale_booking::Instant;

/// Width of a bucket in microseconds, as a power of two: an eighth of a second.
const BUCKET_BITS: u32 = 17;
/// Buckets in a group, and groups within reach, as a power of two: a group is eight seconds wide. So few that the ends
/// of all stay in a fast cache while people are added in random order.
const WHEEL_BITS: u32 = 6;
const WHEEL: u64 = 1 << WHEEL_BITS;
const GROUP_BITS: u32 = BUCKET_BITS + WHEEL_BITS;

/// A person's next act. Acts with an old `stamp` are void.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Act {
    /// Instant of the act.
    pub at: Instant,
    /// The person.
    pub user: u32,
    /// The person's stamp when the act was added.
    pub stamp: u8,
}

/// An act of a known group, packed in one word in the order of acts: time within the group, person,
/// stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Packed(u64);

impl Packed {
    const fn new(act: Act) -> Self {
        let within = act.at.0 & ((1 << GROUP_BITS) - 1);
        Self(within << 40 | (act.user as u64) << 8 | act.stamp as u64)
    }

    const fn act(self, group: u64) -> Act {
        Act {
            at: Instant(group << GROUP_BITS | self.0 >> 40),
            user: (self.0 >> 8) as u32,
            stamp: self.0 as u8,
        }
    }

    /// Its bucket within the group.
    const fn bucket(self) -> usize {
        (self.0 >> (40 + BUCKET_BITS)) as usize
    }
}

/// The pending acts of the crowd.
///
/// Acts of the current group are in their buckets, those of later groups in one pile each, distributed to buckets when
/// their group comes up. That moves an act once more, but always to one of a few places.
#[derive(Debug, Default)]
pub struct TimerWheel {
    /// The current group's buckets that are still to come.
    buckets: Wheel,
    /// Later groups within reach, by number mod [`WHEEL`].
    groups: Wheel,
    /// Acts of groups that were out of reach when they were added.
    far: BTreeMap<u64, Vec<Packed>>,
    /// The bucket being served.
    current: u64,
    /// Acts of the bucket being served, in order, and the number taken.
    open: Vec<Packed>,
    taken: usize,
    /// Scratch memory of [`sort`].
    spare: Vec<Packed>,
    /// Acts added when their bucket was already open.
    late: BinaryHeap<Reverse<Act>>,
    blocks: Blocks,
    waiting: usize,
}

/// Piles of acts; the bits of a word say which are not empty.
#[derive(Debug)]
struct Wheel {
    piles: [Pile; WHEEL as usize],
    occupied: u64,
}

impl Default for Wheel {
    fn default() -> Self {
        Self { piles: [Pile::default(); WHEEL as usize], occupied: 0 }
    }
}

impl Wheel {
    #[inline]
    fn put(&mut self, place: usize, act: Packed, blocks: &mut Blocks) {
        self.occupied |= 1 << place;
        blocks.put(&mut self.piles[place], act);
    }

    fn take(&mut self, place: usize) -> Pile {
        self.occupied &= !(1 << place);
        std::mem::take(&mut self.piles[place])
    }
}

/// Blocks of acts, shared by all piles.
#[derive(Debug, Default)]
struct Blocks {
    blocks: Vec<[Packed; BLOCK]>,
    /// By block, the previous block of its pile.
    before: Vec<u32>,
    /// Free blocks.
    empty: Vec<u32>,
}

impl Blocks {
    #[inline]
    fn put(&mut self, pile: &mut Pile, act: Packed) {
        let place = pile.len as usize % BLOCK;
        if place == 0 {
            let block = self.empty.pop().unwrap_or(self.blocks.len() as u32);
            if block as usize == self.blocks.len() {
                self.blocks.push([Packed::default(); BLOCK]);
                self.before.push(0);
            }
            self.before[block as usize] = pile.last;
            pile.last = block;
        }
        self.blocks[pile.last as usize][place] = act;
        pile.len += 1;
    }

    /// Takes a block of acts off a pile; `None` if it is empty.
    fn take(&mut self, pile: &mut Pile) -> Option<([Packed; BLOCK], usize)> {
        let filled = (pile.len as usize).checked_sub(1)? % BLOCK + 1;
        let block = pile.last;
        self.empty.push(block);
        *pile = Pile { last: self.before[block as usize], len: pile.len - filled as u32 };
        Some((self.blocks[block as usize], filled))
    }
}

/// Acts in a block.
const BLOCK: usize = 64;

/// A pile of acts: the block being filled, and the number of acts in all.
#[derive(Clone, Copy, Debug, Default)]
struct Pile {
    last: u32,
    len: u32,
}

impl TimerWheel {
    /// Adds an act. An act in the past comes next.
    pub fn enter(&mut self, act: Act) {
        self.waiting += 1;
        if act.at.0 >> BUCKET_BITS <= self.current {
            return self.late.push(Reverse(act));
        }
        let (group, packed) = (act.at.0 >> GROUP_BITS, Packed::new(act));
        match group - self.group() {
            0 => self.buckets.put(packed.bucket(), packed, &mut self.blocks),
            1..WHEEL => {
                self.groups.put((group % WHEEL) as usize, packed, &mut self.blocks);
            }
            _ => self.far.entry(group).or_default().push(packed),
        }
    }

    /// Instant of the next act.
    pub fn next_at(&mut self) -> Option<Instant> {
        self.next().map(|act| act.at)
    }

    /// Removes and returns the next act if it is before `end`.
    pub fn take_before(&mut self, end: Instant) -> Option<Act> {
        let next = self.next().filter(|act| act.at < end)?;
        self.waiting -= 1;
        // Equal acts are the same act.
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
            let late = self.late.peek().map(|&Reverse(late)| late);
            let is_next = |act: &Act| act.at < end && late.is_none_or(|late| *act < late);
            let open = self.open[self.taken..].iter().map(|packed| packed.act(self.group()));
            let before = out.len();
            out.extend(open.take_while(is_next));
            self.taken += out.len() - before;
            self.waiting -= out.len() - before;
            out.extend(late.and_then(|_| self.take_before(end)));
        }
    }

    /// Number of pending acts, void ones included.
    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    fn next(&mut self) -> Option<Act> {
        if self.taken == self.open.len() && self.late.is_empty() {
            self.open_next();
        }
        let open = self.open.get(self.taken).map(|packed| packed.act(self.group()));
        match self.late.peek() {
            Some(&Reverse(late)) => Some(open.map_or(late, |open| open.min(late))),
            None => open,
        }
    }

    const fn group(&self) -> u64 {
        self.current >> WHEEL_BITS
    }

    /// Opens the next bucket that is not empty.
    fn open_next(&mut self) {
        if self.buckets.occupied == 0 && !self.deal_next() {
            return;
        }
        let bucket = self.buckets.occupied.trailing_zeros();
        self.current = self.group() << WHEEL_BITS | u64::from(bucket);
        self.open.clear();
        self.taken = 0;
        let mut pile = self.buckets.take(bucket as usize);
        while let Some((acts, filled)) = self.blocks.take(&mut pile) {
            self.open.extend_from_slice(&acts[..filled]);
        }
        sort(&mut self.open, &mut self.spare);
    }

    /// Distributes the next group that is not empty to buckets; returns whether there is one.
    fn deal_next(&mut self) -> bool {
        let coming = self.groups.occupied.rotate_right((self.group() % WHEEL) as u32);
        let near = (coming != 0).then(|| self.group() + u64::from(coming.trailing_zeros()));
        let far = self.far.first_key_value().map(|(&group, _)| group);
        let Some(group) = near.into_iter().chain(far).min() else { return false };
        self.current = group << WHEEL_BITS;
        let mut pile = self.groups.take((group % WHEEL) as usize);
        while let Some((acts, filled)) = self.blocks.take(&mut pile) {
            for &act in &acts[..filled] {
                self.buckets.put(act.bucket(), act, &mut self.blocks);
            }
        }
        for act in self.far.remove(&group).unwrap_or_default() {
            self.buckets.put(act.bucket(), act, &mut self.blocks);
        }
        true
    }
}

/// Sorts the acts of one bucket; `spare` is scratch memory.
///
/// Many acts are radix-sorted by the two halves of their times, the lower half first: a few
/// instructions an act, where comparing takes a hundred. The few of one microsecond are then sorted
/// by comparison.
fn sort(acts: &mut Vec<Packed>, spare: &mut Vec<Packed>) {
    const DIGIT_BITS: u32 = BUCKET_BITS.div_ceil(2);
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
                at: Instant(onsale_world::stream::mix(n) % (1 << BUCKET_BITS) / 100 * 100),
                user: onsale_world::stream::mix(n + 1) as u32,
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
            let mut wheel = TimerWheel::default();
            let mut model: Vec<Act> = Vec::new();
            let mut now = 0;
            for (user, (ahead, takes)) in (0_u32..).zip(steps) {
                let act = Act { at: Instant(now + ahead), user, stamp: 0 };
                wheel.enter(act);
                model.push(act);
                model.sort_unstable();
                for _ in 0..takes {
                    let end = Instant(now + 500_000_000);
                    let expected = model.first().filter(|act| act.at < end).copied();
                    prop_assert_eq!(wheel.next_at(), model.first().map(|act| act.at));
                    let taken = wheel.take_before(end);
                    prop_assert_eq!(taken, expected);
                    if let Some(taken) = taken {
                        model.remove(0);
                        now = now.max(taken.at.0);
                    }
                }
                prop_assert_eq!(wheel.waiting(), model.len());
            }
        }
    }
}
