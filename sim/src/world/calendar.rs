//! The calendar: what happens when.
//!
//! Owns the order of all events: by instant, and at one instant in the order in which
//! they were entered. Refuses to know what they are.
//!
//! A ring of short slots holds the near future and a heap the rest: most events lie a
//! network's latency, a disk's or a beat's pace ahead, and enter and leave the ring
//! without a comparison.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use onsale_core::Instant;

/// Width of a slot in microseconds, as a power of two.
const WIDTH_BITS: u32 = 7;
/// Slots in the ring: an eighth of a second in all, more than a beat's pace.
const RING: u64 = 1 << 10;
const WORDS: usize = RING as usize / 64;

/// Events to come.
#[derive(Debug)]
pub struct Calendar<E> {
    ring: Vec<Vec<Entry<E>>>,
    /// One bit a slot: whether anything stands in it.
    occupied: [u64; WORDS],
    /// The slot being served, counted from the beginning of time; its events, the next one last.
    current: u64,
    open: Vec<Entry<E>>,
    far: BinaryHeap<Reverse<Entry<E>>>,
    entered: u64,
}

#[derive(Debug)]
struct Entry<E> {
    at: Instant,
    number: u64,
    event: E,
}

impl<E> Entry<E> {
    const fn key(&self) -> (u64, u64) {
        (self.at.0, self.number)
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self {
            ring: (0..RING).map(|_| Vec::new()).collect(),
            occupied: [0; WORDS],
            current: 0,
            open: Vec::new(),
            far: BinaryHeap::new(),
            entered: 0,
        }
    }
}

impl<E> Calendar<E> {
    /// Enters an event.
    pub fn enter(&mut self, at: Instant, event: E) {
        let entry = Entry { at, number: self.entered, event };
        self.entered += 1;
        let slot = at.0 >> WIDTH_BITS;
        if slot <= self.current {
            let place = self.open.partition_point(|open| *open > entry);
            self.open.insert(place, entry);
        } else if slot - self.current < RING {
            self.put(slot, entry);
        } else {
            self.far.push(Reverse(entry));
        }
    }

    /// Events to come, counted one slot after the other.
    pub fn len(&self) -> usize {
        self.open.len() + self.far.len() + self.ring.iter().map(Vec::len).sum::<usize>()
    }

    /// Whether nothing is to come.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the next event.
    pub fn take(&mut self) -> Option<(Instant, E)> {
        if self.open.is_empty() {
            self.open_next();
        }
        self.open.pop().map(|entry| (entry.at, entry.event))
    }

    fn put(&mut self, slot: u64, entry: Entry<E>) {
        let place = (slot % RING) as usize;
        self.ring[place].push(entry);
        self.occupied[place / 64] |= 1 << (place % 64);
    }

    fn open_next(&mut self) {
        let far = self.far.peek().map(|Reverse(entry)| entry.at.0 >> WIDTH_BITS);
        let Some(next) = self.next_occupied().into_iter().chain(far).min() else { return };
        self.current = next;
        let place = (next % RING) as usize;
        std::mem::swap(&mut self.open, &mut self.ring[place]);
        self.occupied[place / 64] &= !(1 << (place % 64));
        while self.far.peek().is_some_and(|Reverse(entry)| (entry.at.0 >> WIDTH_BITS) - next < RING)
        {
            let Some(Reverse(entry)) = self.far.pop() else { break };
            let slot = entry.at.0 >> WIDTH_BITS;
            if slot == next {
                self.open.push(entry);
            } else {
                self.put(slot, entry);
            }
        }
        if self.open.len() > 1 {
            self.open.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// The first slot after the current one in which something stands.
    fn next_occupied(&self) -> Option<u64> {
        let start = self.current + 1;
        let first = (start % RING) as usize;
        (0..=WORDS).find_map(|step| {
            let word = (first / 64 + step) % WORDS;
            let mask = match step {
                0 => u64::MAX << (first % 64),
                WORDS => !(u64::MAX << (first % 64)),
                _ => u64::MAX,
            };
            let bits = self.occupied[word] & mask;
            (bits != 0).then(|| {
                let place = word as u64 * 64 + u64::from(bits.trailing_zeros());
                start + (place + RING - first as u64) % RING
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn events_come_by_instant_then_by_entry() {
        let mut calendar = Calendar::default();
        for (at, name) in [(5, "c"), (1, "a"), (5, "d"), (1, "b"), (9_000_000, "f"), (200_000, "e")]
        {
            calendar.enter(Instant(at), name);
        }
        let order: Vec<&str> =
            std::iter::from_fn(|| calendar.take().map(|(_, name)| name)).collect();
        assert_eq!(order, ["a", "b", "c", "d", "e", "f"]);
    }

    proptest! {
        /// Near and far, dense and sparse, entered before and after the calendar has moved on.
        #[test]
        fn it_orders_like_a_sorted_list(steps in prop::collection::vec((0_u64..400_000, 0_u32..3, any::<bool>()), 1..300)) {
            let mut calendar = Calendar::default();
            let mut model: Vec<(u64, usize)> = Vec::new();
            let mut now = 0;
            for (number, (ahead, takes, sparse)) in steps.into_iter().enumerate() {
                let at = now + if sparse { ahead } else { ahead % 500 };
                calendar.enter(Instant(at), number);
                model.push((at, number));
                prop_assert_eq!(calendar.len(), model.len());
                model.sort_unstable();
                for _ in 0..takes {
                    let expected = (!model.is_empty()).then(|| model.remove(0));
                    let taken = calendar.take().map(|(at, number)| (at.0, number));
                    prop_assert_eq!(taken, expected);
                    now = taken.map_or(now, |(at, _)| at);
                }
            }
        }
    }
}
