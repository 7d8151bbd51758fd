//! The calendar: what happens when.
//!
//! Owns the order of all events: by instant, and at one instant in the order in which
//! they were entered. Refuses to know what they are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use onsale_core::Instant;

/// Events to come.
#[derive(Debug)]
pub struct Calendar<E> {
    /// (instant, number of entry and slot): the entry number breaks ties, the slot finds the event.
    order: BinaryHeap<Reverse<(u64, u64)>>,
    slots: Vec<Option<E>>,
    free: Vec<u32>,
    entered: u64,
}

const SLOT_BITS: u32 = 24;

impl<E> Default for Calendar<E> {
    fn default() -> Self {
        Self { order: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), entered: 0 }
    }
}

impl<E> Calendar<E> {
    /// Enters an event.
    ///
    /// # Panics
    /// If more than 16 million events wait at once: something multiplies messages without end.
    pub fn enter(&mut self, at: Instant, event: E) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(event);
                slot
            }
            None => {
                self.slots.push(Some(event));
                (self.slots.len() - 1) as u32
            }
        };
        assert!(slot < 1 << SLOT_BITS, "more than 16 million events wait at once");
        self.order.push(Reverse((at.0, (self.entered << SLOT_BITS) | u64::from(slot))));
        self.entered += 1;
    }

    /// The instant of the next event.
    pub fn next_at(&self) -> Option<Instant> {
        self.order.peek().map(|&Reverse((at, _))| Instant(at))
    }

    /// Takes the next event.
    pub fn take(&mut self) -> Option<(Instant, E)> {
        let Reverse((at, key)) = self.order.pop()?;
        let slot = (key & ((1 << SLOT_BITS) - 1)) as u32;
        let event = self.slots[slot as usize].take().expect("an ordered event stands in its slot");
        self.free.push(slot);
        Some((Instant(at), event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_instant_then_by_entry() {
        let mut calendar = Calendar::default();
        for (at, name) in [(5, "c"), (1, "a"), (5, "d"), (1, "b")] {
            calendar.enter(Instant(at), name);
        }
        assert_eq!(calendar.next_at(), Some(Instant(1)));
        let order: Vec<&str> = std::iter::from_fn(|| calendar.take().map(|(_, name)| name)).collect();
        assert_eq!(order, ["a", "b", "c", "d"]);
    }

    #[test]
    fn slots_are_used_again() {
        let mut calendar = Calendar::default();
        for round in 0..1_000 {
            calendar.enter(Instant(round), round);
            assert_eq!(calendar.take(), Some((Instant(round), round)));
        }
        assert_eq!(calendar.slots.len(), 1);
    }
}
