//! The waiting room in front of an on-sale.
//!
//! Owns the users who wait, their order, and when the next one is admitted. Users who come before the opening wait in a
//! pool that is shuffled at the opening, so that being early by a second wins nothing; from then on it is first come,
//! first served (the order that Queue-it documents). Refuses to know which users come when called, what a token is
//! worth and how people learn of their turn.

use std::ops::Range;

use crate::draw::Draw;
use crate::id::UserId;
use crate::time::{Instant, Span};

const MINUTE: u128 = 60_000_000;

/// A waiting room. Users are numbered densely from 0: each costs four bytes and two bits.
#[derive(Clone, Debug)]
pub struct WaitingRoom {
    opening: Instant,
    per_minute: u32,
    seed: u64,
    /// The pool, then the line behind it; users before `head` have been admitted or have left.
    line: Vec<u32>,
    head: usize,
    /// Number of users in `line` from `head` on who have left.
    absent: usize,
    opened: bool,
    closed: bool,
    joined: UserSet,
    left: UserSet,
    /// Number of the next admission slot: slot k opens k minutes / `per_minute` after the opening.
    slot: u64,
}

/// The admission of one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// When the turn came; no later than the instant passed to `release_due`.
    pub at: Instant,
    /// The admitted user.
    pub user: UserId,
}

impl WaitingRoom {
    /// A room that opens at `opening` and admits `per_minute` people a minute, evenly spread. The pool is shuffled by
    /// `seed`; `expected` is the number of people to reserve memory for.
    pub fn new(opening: Instant, per_minute: u32, seed: u64, expected: u32) -> Self {
        assert!(per_minute > 0, "a room that admits nobody never empties");
        Self {
            opening,
            per_minute,
            seed,
            line: Vec::with_capacity(expected as usize),
            head: 0,
            absent: 0,
            opened: false,
            closed: false,
            joined: UserSet::with_capacity(expected),
            left: UserSet::with_capacity(expected),
            slot: 0,
        }
    }

    /// Lets these users in at `at`, in this order. A user who has ever been here is not let in again; after the close
    /// no user is. Returns how many joined.
    ///
    /// Every user due before `at` must have been released: a slot that opened earlier is not for later users.
    pub fn join(&mut self, users: Range<u32>, at: Instant) -> u32 {
        if self.closed {
            return 0;
        }
        if at >= self.opening {
            self.open();
            self.skip_absent();
            if self.head == self.line.len() {
                self.slot = self.slot.max(self.first_slot_from(at));
            } else {
                assert!(
                    self.slot_at(self.slot) >= at,
                    "a user who was due before has not been released"
                );
            }
        }
        let before = self.line.len();
        for user in users {
            if self.joined.insert(user) {
                self.line.push(user);
            }
        }
        (self.line.len() - before) as u32
    }

    /// Removes a user who leaves without having been admitted. Returns whether the user was waiting.
    pub fn leave(&mut self, user: UserId) -> bool {
        let leaves = !self.closed && self.joined.contains(user.0) && self.left.insert(user.0);
        self.absent += usize::from(leaves);
        leaves
    }

    /// Number of people waiting.
    pub fn waiting(&self) -> usize {
        self.line.len() - self.head - self.absent
    }

    /// When the next user will be admitted; `None` if no user waits or the room is closed.
    pub fn next_release(&self) -> Option<Instant> {
        (!self.closed && self.waiting() > 0).then(|| self.slot_at(self.slot))
    }

    /// Admits the users whose turn has come by `now`, in order. Admissions that the iterator is not asked for stay due.
    pub fn release_due(&mut self, now: Instant) -> impl Iterator<Item = Admission> + '_ {
        if now >= self.opening {
            self.open();
        }
        std::iter::from_fn(move || {
            let at = self.next_release().filter(|&at| at <= now)?;
            self.skip_absent();
            let user = self.line[self.head];
            self.head += 1;
            self.slot += 1;
            // Marked as gone, so that a late `leave` has no effect.
            self.left.insert(user);
            Some(Admission { at, user: UserId(user) })
        })
    }

    /// Number of people before this user; `None` if the user does not wait here. Before the opening no user has a place
    /// yet, and all others count.
    ///
    /// Walks the line: for rare questions, not for every step.
    pub fn position_of(&self, user: UserId) -> Option<usize> {
        if !self.joined.contains(user.0) || self.left.contains(user.0) {
            return None;
        }
        if !self.opened {
            return Some(self.waiting() - 1);
        }
        let present = self.line[self.head..].iter().filter(|&&other| !self.left.contains(other));
        present.clone().position(|&other| other == user.0)
    }

    /// The time in which the rate admits this many people.
    pub fn wait_for(&self, people: usize) -> Span {
        Span((people as u128 * MINUTE / u128::from(self.per_minute)) as u64)
    }

    /// Ends the sale: nobody is admitted or let in any more. Returns the users who still waited, in order.
    pub fn close(&mut self) -> impl Iterator<Item = UserId> + '_ {
        self.closed = true;
        self.absent = 0;
        let rest = std::mem::replace(&mut self.head, self.line.len());
        self.line[rest..]
            .iter()
            .filter(|&&user| !self.left.contains(user))
            .map(|&user| UserId(user))
    }

    fn open(&mut self) {
        if !self.opened {
            self.opened = true;
            Draw::new(self.seed).shuffle(&mut self.line);
        }
    }

    fn skip_absent(&mut self) {
        while self.absent > 0
            && self.head < self.line.len()
            && self.left.contains(self.line[self.head])
        {
            self.head += 1;
            self.absent -= 1;
        }
    }

    fn slot_at(&self, slot: u64) -> Instant {
        self.opening + Span((u128::from(slot) * MINUTE / u128::from(self.per_minute)) as u64)
    }

    /// The first slot that does not open before `at`.
    fn first_slot_from(&self, at: Instant) -> u64 {
        let slot = (u128::from(at.since(self.opening).0) * u128::from(self.per_minute))
            .div_ceil(MINUTE) as u64;
        // Slots open at whole microseconds, rounded down, so the one found may be just before.
        slot + u64::from(self.slot_at(slot) < at)
    }
}

/// A set of users, one bit each.
#[derive(Clone, Debug)]
struct UserSet(Vec<u64>);

impl UserSet {
    fn with_capacity(users: u32) -> Self {
        Self(vec![0; users.div_ceil(64) as usize])
    }

    fn contains(&self, user: u32) -> bool {
        self.0.get(user as usize / 64).is_some_and(|word| word >> (user % 64) & 1 == 1)
    }

    /// Adds a user; returns whether it is new.
    fn insert(&mut self, user: u32) -> bool {
        let slot = user as usize / 64;
        if slot >= self.0.len() {
            self.0.resize(slot + 1, 0);
        }
        let was = self.0[slot];
        self.0[slot] |= 1 << (user % 64);
        was != self.0[slot]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENING: Instant = Instant(60_000_000);

    fn room(per_minute: u32) -> WaitingRoom {
        WaitingRoom::new(OPENING, per_minute, 1, 100)
    }

    fn released(room: &mut WaitingRoom, now: Instant) -> Vec<u32> {
        room.release_due(now).map(|admission| admission.user.0).collect()
    }

    #[test]
    fn the_pool_is_shuffled_and_goes_first_and_late_comers_line_up() {
        let mut room = room(600);
        assert_eq!(room.join(0..50, Instant::ZERO), 50);
        assert!(released(&mut room, Instant(59_999_999)).is_empty(), "the doors are shut");
        assert_eq!(room.next_release(), Some(OPENING));
        room.join(50..60, OPENING);
        let order = released(&mut room, OPENING + Span::from_secs(6));
        assert!(order[..50].windows(2).any(|pair| pair[0] > pair[1]), "the pool was not shuffled");
        let mut pool = order[..50].to_vec();
        pool.sort_unstable();
        assert!(pool.into_iter().eq(0..50));
        assert!(order[50..].iter().copied().eq(50..60));
    }

    #[test]
    fn admissions_are_even_and_do_not_drift() {
        let mut room = room(7);
        room.join(0..15, Instant::ZERO);
        let at: Vec<u64> =
            room.release_due(Instant::MAX).map(|admission| admission.at.0 - OPENING.0).collect();
        assert_eq!(at[1], 8_571_428);
        assert_eq!((at[7], at[14]), (60_000_000, 120_000_000));
    }

    #[test]
    fn an_idle_room_saves_no_admissions_up() {
        let mut room = room(60);
        room.join(0..1, Instant::ZERO);
        assert_eq!(released(&mut room, OPENING + Span::from_secs(30)), [0]);
        let late = OPENING + Span::from_millis(30_500);
        room.join(1..4, late);
        assert_eq!(room.next_release(), Some(OPENING + Span::from_secs(31)));
        assert_eq!(released(&mut room, OPENING + Span::from_secs(32)), [1, 2]);
    }

    #[test]
    fn users_who_leave_cost_no_slot_and_do_not_return() {
        let mut room = room(60);
        room.join(0..3, OPENING);
        assert!(room.leave(UserId(0)) && !room.leave(UserId(0)) && !room.leave(UserId(9)));
        assert_eq!((room.waiting(), room.join(0..1, OPENING)), (2, 0));
        assert_eq!(room.position_of(UserId(2)), Some(1));
        assert_eq!(room.position_of(UserId(0)), None);
        assert_eq!(released(&mut room, OPENING + Span::from_secs(1)), [1, 2]);
        assert!(!room.leave(UserId(1)), "an admitted user is not waiting");
        assert_eq!((room.waiting(), room.next_release()), (0, None));
    }

    #[test]
    fn a_closed_room_sends_all_users_home() {
        let mut room = room(60);
        room.join(0..4, OPENING);
        assert_eq!(released(&mut room, OPENING), [0]);
        room.leave(UserId(2));
        assert_eq!(room.close().collect::<Vec<_>>(), [UserId(1), UserId(3)]);
        assert!(!room.leave(UserId(1)), "there is nowhere left to leave");
        assert_eq!((room.waiting(), room.next_release(), room.join(9..10, OPENING)), (0, None, 0));
        assert_eq!(room.wait_for(90), Span::from_secs(90));
    }
}
