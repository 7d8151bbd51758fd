//! Live holds in the order in which they end.
//!
//! Owns a slab and a doubly linked list through it. All holds of a show last equally long, so the order of ends is the
//! order of grants unless a clock stepped back: a new hold is inserted from the tail, and the walk is empty except in
//! that case. Refuses to know of grace and of the fate of the seats.

use std::{iter, mem};

use serde::{Deserialize, Serialize};

use crate::id::{HoldId, UserId};
use crate::seat_list::SeatList;
use crate::time::Instant;

/// Seats granted to a user: a hold, and later perhaps a booking.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Grant {
    pub(super) hold: HoldId,
    pub(super) user: UserId,
    pub(super) seats: SeatList,
    /// The end of the user's timer.
    pub(super) expires: Instant,
}

/// The slot of a live hold until it is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(u32);

/// No neighbour.
const NIL: Slot = Slot(u32::MAX);

#[derive(Clone, Debug)]
struct Link {
    grant: Grant,
    before: Slot,
    after: Slot,
}

/// The live holds.
#[derive(Clone, Debug)]
pub(super) struct Holds {
    links: Vec<Link>,
    vacant: Vec<Slot>,
    first: Slot,
    last: Slot,
}

impl Holds {
    pub(super) fn new() -> Self {
        Self { links: Vec::new(), vacant: Vec::new(), first: NIL, last: NIL }
    }

    /// Number of live holds.
    pub(super) fn len(&self) -> usize {
        self.links.len() - self.vacant.len()
    }

    /// The hold in an occupied slot.
    pub(super) fn get(&self, slot: Slot) -> &Grant {
        &self.link(slot).grant
    }

    /// The hold that ends next.
    pub(super) fn first(&self) -> Option<&Grant> {
        self.iter().next()
    }

    /// All holds in the order of their ends; of equal ends, in the order of insertion.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Grant> {
        iter::successors(self.at(self.first), |link| self.at(link.after)).map(|link| &link.grant)
    }

    /// Inserts a hold behind all that end no later.
    pub(super) fn insert(&mut self, grant: Grant) -> Slot {
        let mut before = self.last;
        while self.at(before).is_some_and(|link| link.grant.expires > grant.expires) {
            before = self.link(before).before;
        }
        let after = if before == NIL { self.first } else { self.link(before).after };
        assert!(
            self.at(after).is_none_or(|link| grant.expires < link.grant.expires),
            "holds stand in the order of their ends"
        );

        let link = Link { grant, before, after };
        let slot = match self.vacant.pop() {
            Some(slot) => {
                *self.link_mut(slot) = link;
                slot
            }
            None => {
                let slot = Slot(
                    u32::try_from(self.links.len()).expect("a show has fewer holds than seats"),
                );
                self.links.push(link);
                slot
            }
        };
        self.join(before, slot);
        self.join(slot, after);
        slot
    }

    /// Removes a hold from any position.
    pub(super) fn remove(&mut self, slot: Slot) -> Grant {
        let link = self.link_mut(slot);
        let (grant, before, after) = (mem::take(&mut link.grant), link.before, link.after);
        assert!(!grant.seats.is_empty(), "a slot is emptied once");
        self.join(before, after);
        self.vacant.push(slot);
        grant
    }

    /// Makes two slots neighbours; if one is `NIL`, the other becomes the first or the last.
    fn join(&mut self, before: Slot, after: Slot) {
        if before == NIL {
            self.first = after;
        } else {
            self.link_mut(before).after = after;
        }
        if after == NIL {
            self.last = before;
        } else {
            self.link_mut(after).before = before;
        }
    }

    fn at(&self, slot: Slot) -> Option<&Link> {
        (slot != NIL).then(|| self.link(slot))
    }

    fn link(&self, slot: Slot) -> &Link {
        &self.links[slot.0 as usize]
    }

    fn link_mut(&mut self, slot: Slot) -> &mut Link {
        &mut self.links[slot.0 as usize]
    }

    /// Panics unless the list is whole and in order.
    pub(super) fn assert_consistent(&self) {
        let (mut before, mut at, mut count) = (NIL, self.first, 0);
        while let Some(link) = self.at(at) {
            assert_eq!(link.before, before, "neighbours know each other");
            if let Some(earlier) = self.at(before) {
                assert!(
                    earlier.grant.expires <= link.grant.expires,
                    "holds stand in the order of their ends"
                );
            }
            count += 1;
            assert!(count <= self.len(), "the list has no loop");
            (before, at) = (at, link.after);
        }
        assert_eq!(self.last, before, "the list ends in its last hold");
        assert_eq!(count, self.len(), "every slot is in the list or vacant");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SeatId;

    fn grant(hold: u64, expires: u64) -> Grant {
        let seats = [SeatId(0)].into_iter().collect();
        Grant { hold: HoldId(hold), user: UserId(0), seats, expires: Instant(expires) }
    }

    fn order(holds: &Holds) -> Vec<u64> {
        holds.assert_consistent();
        holds.iter().map(|grant| grant.hold.0).collect()
    }

    #[test]
    fn holds_stand_in_the_order_of_their_ends_however_they_come_and_go() {
        let mut holds = Holds::new();
        assert_eq!(order(&holds), []);
        let one = holds.insert(grant(1, 10));
        let two = holds.insert(grant(2, 20));
        let three = holds.insert(grant(3, 20));
        assert_eq!(order(&holds), [1, 2, 3]);
        holds.insert(grant(4, 15));
        holds.insert(grant(5, 5));
        assert_eq!(order(&holds), [5, 1, 4, 2, 3], "a clock that stepped back");

        assert_eq!(holds.remove(one).hold, HoldId(1));
        assert_eq!(holds.remove(three).hold, HoldId(3));
        assert_eq!(order(&holds), [5, 4, 2]);
        holds.insert(grant(6, 30));
        assert_eq!(order(&holds), [5, 4, 2, 6], "a vacant slot is used again");
        assert_eq!(holds.get(two).hold, HoldId(2));
        assert_eq!(holds.links.len(), 5);
    }

    #[test]
    #[should_panic(expected = "holds stand in the order of their ends")]
    fn a_list_out_of_order_is_caught() {
        let mut holds = Holds::new();
        holds.insert(grant(1, 10));
        let later = holds.insert(grant(2, 20));
        holds.link_mut(later).grant.expires = Instant(5);
        holds.link_mut(later).before = NIL;
        holds.last = Slot(0);
        holds.insert(grant(3, 15));
    }

    #[test]
    #[should_panic(expected = "a slot is emptied once")]
    fn a_hold_is_removed_once() {
        let mut holds = Holds::new();
        let slot = holds.insert(grant(1, 10));
        holds.remove(slot);
        holds.remove(slot);
    }
}
