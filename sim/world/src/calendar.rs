//! The calendar: the event queue of a run.
//!
//! Owns the order of all events: by instant, and at one instant in the order of entry.
//! Refuses to know what they are.
//!
//! A ring of short slots holds the near future and a heap the rest: most events lie only a
//! network latency, a disk latency or a beat ahead, and enter and leave the ring without a
//! comparison. The events themselves do not move: they lie in notes that are reused as soon as
//! they are free, so a calendar with few events touches little memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use onsale_booking::Instant;

/// Width of a slot in microseconds, as a power of two.
const WIDTH_BITS: u32 = 7;
/// Slots in the ring: an eighth of a second in all, longer than the interval between beats.
const RING: u64 = 1 << 10;
const WORDS: usize = RING as usize / 64;
/// Note number that means none.
const NONE: u32 = u32::MAX;

/// Event queue, ordered by instant and then by entry.
#[derive(Debug)]
pub struct Calendar<E> {
    notes: Vec<Note<E>>,
    /// Head of the linked list of free notes.
    free: u32,
    /// By slot: head of the linked list of its notes, the last entered first.
    ring: Vec<u32>,
    /// One bit a slot: whether it has notes.
    occupied: [u64; WORDS],
    /// The slot being served, counted from instant zero; its notes, the next one last.
    current: u64,
    open: Vec<(Instant, u32)>,
    /// Far events, by instant and then by entry.
    far: BinaryHeap<Reverse<(Instant, u64, u32)>>,
    /// Far events entered so far.
    entered: u64,
    len: usize,
}

#[derive(Debug)]
struct Note<E> {
    event: Option<E>,
    at: Instant,
    next: u32,
}

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self {
            notes: Vec::new(),
            free: NONE,
            ring: vec![NONE; RING as usize],
            occupied: [0; WORDS],
            current: 0,
            open: Vec::new(),
            far: BinaryHeap::new(),
            entered: 0,
            len: 0,
        }
    }
}

impl<E> Calendar<E> {
    /// Enters an event.
    #[inline]
    pub fn enter(&mut self, at: Instant, event: E) {
        let note = self.note(at, event);
        self.len += 1;
        let slot = at.0 >> WIDTH_BITS;
        if slot <= self.current {
            // At one instant, earlier entries come first, and so stand behind it.
            let place = self.open.partition_point(|&(other, _)| other > at);
            self.open.insert(place, (at, note));
        } else if slot - self.current < RING {
            self.put(slot, note);
        } else {
            self.far.push(Reverse((at, self.entered, note)));
            self.entered += 1;
        }
    }

    /// Number of pending events.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no event is pending.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Removes and returns the next event.
    #[inline]
    pub fn take(&mut self) -> Option<(Instant, E)> {
        if self.open.is_empty() {
            self.open_next();
        }
        let (at, number) = self.open.pop()?;
        let note = &mut self.notes[number as usize];
        let event = note.event.take()?;
        note.next = std::mem::replace(&mut self.free, number);
        self.len -= 1;
        Some((at, event))
    }

    /// Stores an event in a free note, and returns its number.
    #[inline]
    fn note(&mut self, at: Instant, event: E) -> u32 {
        let event = Some(event);
        if let Some(note) = self.notes.get_mut(self.free as usize) {
            let number = std::mem::replace(&mut self.free, note.next);
            *note = Note { event, at, next: NONE };
            return number;
        }
        let number = self.notes.len() as u32;
        assert!(number < NONE, "memory runs out before note numbers do");
        self.notes.push(Note { event, at, next: NONE });
        number
    }

    #[inline]
    fn put(&mut self, slot: u64, note: u32) {
        let place = (slot % RING) as usize;
        self.notes[note as usize].next = std::mem::replace(&mut self.ring[place], note);
        self.occupied[place / 64] |= 1 << (place % 64);
    }

    fn open_next(&mut self) {
        let far = self.far.peek().map_or(u64::MAX, |Reverse((at, ..))| at.0 >> WIDTH_BITS);
        let next = self.next_occupied().unwrap_or(u64::MAX).min(far);
        if next == u64::MAX {
            return;
        }
        self.current = next;
        // Far events move into the ring as soon as their slot is near, before anything else can be
        // entered there: so each slot's notes are in the order of entry.
        while let Some(&Reverse((at, _, note))) = self.far.peek()
            && (at.0 >> WIDTH_BITS) - next < RING
        {
            self.far.pop();
            self.put(at.0 >> WIDTH_BITS, note);
        }
        let place = (next % RING) as usize;
        self.occupied[place / 64] &= !(1 << (place % 64));
        let mut number = std::mem::replace(&mut self.ring[place], NONE);
        while let Some(note) = self.notes.get(number as usize) {
            self.open.push((note.at, number));
            number = note.next;
        }
        if self.open.len() > 1 {
            // The last entered stand first already, and the sort is stable.
            self.open.sort_by_key(|&(at, _)| Reverse(at));
        }
    }

    /// The first slot after the current one that has notes.
    #[inline]
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
