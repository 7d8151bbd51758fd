//! The replicas of shards on one node.
//!
//! Owns which shards the node carries, which of them must be settled before the turn ends, which are awake, and when
//! the next one needs a tick or has a hold to end. Refuses to know what a replica does, and which others exist.

use std::mem;

use onsale_booking::{Instant, Span};

use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::{RaftGroup, Ready};
use crate::shard::{Answers, Shard, TELL_EVERY};

/// The replicas of one node.
#[derive(Debug)]
pub(super) struct Replicas {
    /// By shard number; `None` where the node has no replica. Boxed, because a node has few of many shards.
    shards: Vec<Option<Box<Shard>>>,
    /// The numbers of the shards that it carries, in order.
    carried: Vec<ShardId>,
    /// Shards to settle at the end of the turn, in the order of their first touch.
    touched: Vec<ShardId>,
    is_touched: Vec<bool>,
    /// By shard number: whether its journal needs ticks.
    is_awake: Vec<bool>,
    /// Number of journals that need ticks.
    awake: usize,
    ticks: Ticks,
    /// No hold of a shard that is led here ends before this instant.
    expires_at: Instant,
    /// From this instant on, leaders may tell the time of shards with live holds to followers that have not heard it.
    next_telling: Instant,
    /// The result of the last poll; kept for its memory.
    ready: Ready,
}

/// The node's own grid of ticks, offset so that nodes differ. Without an awake journal there is no next tick.
#[derive(Debug)]
pub(super) struct Ticks {
    offset: Span,
    every: Span,
    next: Option<Instant>,
}

impl Ticks {
    /// Ticks at every multiple of `every` (not zero) plus `offset`.
    pub(super) fn new(every: Span, offset: Span) -> Self {
        Self { offset, every, next: None }
    }

    /// The first tick after `now`.
    pub(super) fn after(&self, now: Instant) -> Instant {
        let passed = now.0.saturating_sub(self.offset.0) / self.every.0;
        Instant((passed + 1) * self.every.0 + self.offset.0)
    }
}

impl Replicas {
    /// The replicas of a node that starts at `now`, by shard number. All have to be settled.
    pub(super) fn new(shards: Vec<Option<Box<Shard>>>, ticks: Ticks, now: Instant) -> Self {
        let numbered = (0..).map(ShardId).zip(&shards);
        let carried: Vec<_> =
            numbered.filter(|(_, shard)| shard.is_some()).map(|(id, _)| id).collect();
        let mut replicas = Self {
            touched: Vec::new(),
            is_touched: vec![false; shards.len()],
            is_awake: vec![false; shards.len()],
            awake: 0,
            ticks,
            expires_at: Instant::MAX,
            next_telling: now,
            ready: Ready::default(),
            carried,
            shards,
        };
        replicas.for_each_touched(|_, _| true);
        replicas.audit();
        replicas
    }

    /// The invariants after every turn; cheap.
    pub(super) fn check_invariants(&self) {
        assert!(self.touched.is_empty(), "every shard that was touched is settled");
        assert!(self.awake <= self.carried.len(), "only what is carried is awake");
        assert_eq!(
            self.ticks.next.is_some(),
            self.awake > 0,
            "ticks come exactly while a journal is awake"
        );
    }

    /// Compares all redundant state; takes time in proportion to the shards.
    fn audit(&self) {
        let carried = (0..).map(ShardId).zip(&self.shards).filter(|(_, shard)| shard.is_some());
        let carried = carried.map(|(id, _)| id);
        assert!(carried.eq(self.carried.iter().copied()), "a node has what it carries, in order");
        let awake = self.is_awake.iter().filter(|&&awake| awake).count();
        assert_eq!(awake, self.awake, "those that are awake are counted");
        let touched = self.is_touched.iter().filter(|&&touched| touched).count();
        assert_eq!(touched, self.touched.len(), "a shard is touched once");
    }

    /// The replica of a shard, if the node has one.
    #[inline]
    pub(super) fn get(&self, id: ShardId) -> Option<&Shard> {
        self.shards.get(id.0 as usize)?.as_deref()
    }

    /// The replica of a shard, to be changed; the caller must `touch` it.
    #[inline]
    pub(super) fn get_mut(&mut self, id: ShardId) -> Option<&mut Shard> {
        self.shards.get_mut(id.0 as usize)?.as_deref_mut()
    }

    /// Replicas by shard number, `None` where the node has none.
    pub(super) fn by_number(&self) -> &[Option<Box<Shard>>] {
        &self.shards
    }

    /// Whether a shard has this number, carried here or not.
    pub(super) fn knows(&self, id: ShardId) -> bool {
        (id.0 as usize) < self.shards.len()
    }

    /// The numbers of the shards that the node carries, in order.
    pub(super) fn carried(&self) -> &[ShardId] {
        &self.carried
    }

    /// Every replica, by shard number.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Shard> {
        self.shards.iter().flatten().map(|shard| &**shard)
    }

    /// The journals of all replicas, by shard number.
    pub(super) fn journals(&self) -> impl Iterator<Item = &RaftGroup> {
        self.iter().map(Shard::journal)
    }

    /// Begins a replica on this node, in place of an earlier one if there is one.
    pub(super) fn begin(&mut self, id: ShardId, shard: Shard) {
        self.shards[id.0 as usize] = Some(Box::new(shard));
        if let Err(place) = self.carried.binary_search(&id) {
            self.carried.insert(place, id);
        }
        if mem::take(&mut self.is_awake[id.0 as usize]) {
            self.awake -= 1;
        }
        self.audit();
    }

    /// Notes that the shard has to be settled before the turn ends.
    #[inline]
    pub(super) fn touch(&mut self, id: ShardId) {
        if !mem::replace(&mut self.is_touched[id.0 as usize], true) {
            self.touched.push(id);
        }
    }

    /// Changes each replica, in order, and touches it if `change` returns `true`.
    pub(super) fn for_each_touched(&mut self, mut change: impl FnMut(ShardId, &mut Shard) -> bool) {
        for place in 0..self.carried.len() {
            let id = self.carried[place];
            if let Some(shard) = &mut self.shards[id.0 as usize]
                && change(id, shard)
            {
                self.touch(id);
            }
        }
    }

    /// Whether a shard has to be settled.
    pub(super) fn has_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Takes the shards that have to be settled. Give the list back with `settled`.
    pub(super) fn take_touched(&mut self) -> Vec<ShardId> {
        mem::take(&mut self.touched)
    }

    /// Closes the turn of one replica. Returns it, and what its journal wants written. A replica that has more to
    /// propose is touched again.
    #[inline]
    pub(super) fn settle(
        &mut self,
        id: ShardId,
        now: Instant,
        answers: &mut Answers,
        effects: &mut Effects,
    ) -> Option<(&Shard, &Ready)> {
        let place = id.0 as usize;
        self.is_touched[place] = false;
        let shard = self.shards[place].as_mut()?;
        shard.settle(now, &mut self.ready, answers, effects);
        self.expires_at = self.expires_at.min(shard.next_deadline());
        let awake = shard.journal().awake();
        if mem::replace(&mut self.is_awake[place], awake) != awake {
            self.awake = if awake { self.awake + 1 } else { self.awake - 1 };
        }
        if shard.is_unsettled() {
            self.is_touched[place] = true;
            self.touched.push(id);
        }
        Some((shard, &self.ready))
    }

    /// Ends a round of settling: ticks go on while a journal is awake. `emptied` is the list of that round.
    pub(super) fn settled(&mut self, now: Instant, emptied: Vec<ShardId>) {
        self.ticks.next = match self.ticks.next {
            _ if self.awake == 0 => None,
            Some(at) => Some(at),
            None => Some(self.ticks.after(now)),
        };
        if self.touched.is_empty() {
            self.touched = emptied;
        }
    }

    /// When `on_deadline` has something to do. May be too early, never too late.
    #[inline]
    pub(super) fn next_deadline(&self) -> Instant {
        self.expires_at.min(self.ticks.next.unwrap_or(Instant::MAX))
    }

    /// Ticks the journals that are awake and ends holds, as far as either is due.
    #[inline]
    pub(super) fn on_deadline(&mut self, now: Instant) {
        if self.ticks.next.is_some_and(|at| at <= now) {
            self.tick(now);
        }
        if self.expires_at <= now {
            self.expire(now);
        }
    }

    /// Tells followers the time of shards with live holds, once a second, so that holds go on by the same time
    /// whichever replica leads next.
    pub(super) fn tell_times(&mut self, now: Instant) {
        if now >= self.next_telling {
            self.next_telling = now + TELL_EVERY;
            self.for_each_touched(|_, shard| shard.tell_time());
        }
    }

    fn tick(&mut self, now: Instant) {
        for place in 0..self.carried.len() {
            let id = self.carried[place];
            if self.is_awake[id.0 as usize]
                && let Some(shard) = &mut self.shards[id.0 as usize]
            {
                shard.on_tick();
                self.touch(id);
            }
        }
        self.ticks.next = Some(self.ticks.after(now));
    }

    fn expire(&mut self, now: Instant) {
        let mut expires_at = Instant::MAX;
        self.for_each_touched(|_, shard| {
            let is_due = shard.next_deadline() <= now;
            if is_due {
                shard.on_deadline(now);
            }
            expires_at = expires_at.min(shard.next_deadline());
            is_due
        });
        self.expires_at = expires_at;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> Replicas {
        let ticks = Ticks::new(Span(50_000), Span(1_234));
        Replicas::new(vec![None, None], ticks, Instant::ZERO)
    }

    #[test]
    #[should_panic(expected = "every shard that was touched is settled")]
    fn a_shard_that_is_left_unsettled_is_caught() {
        let mut replicas = none();
        replicas.check_invariants();
        replicas.touch(ShardId(1));
        replicas.check_invariants();
    }

    #[test]
    #[should_panic(expected = "a node has what it carries, in order")]
    fn a_shard_that_is_carried_without_a_replica_is_caught() {
        let mut replicas = none();
        replicas.carried.push(ShardId(1));
        replicas.audit();
    }

    #[test]
    fn ticks_keep_to_a_grid() {
        let ticks = Ticks::new(Span(50_000), Span(1_234));
        let first = ticks.after(Instant(1_000_000));
        assert_eq!(first, Instant(1_001_234));
        assert_eq!(ticks.after(first), Instant(first.0 + 50_000));
        assert_eq!(ticks.after(Instant(first.0 - 1)), first);
        assert_eq!(ticks.after(Instant::ZERO), Instant(51_234));
    }

    #[test]
    #[should_panic(expected = "only what is carried is awake")]
    fn a_shard_that_is_awake_and_not_carried_is_caught() {
        let mut replicas = none();
        replicas.awake = 1;
        replicas.check_invariants();
    }

    #[test]
    #[should_panic(expected = "ticks come exactly while a journal is awake")]
    fn ticks_for_nobody_are_caught() {
        let mut replicas = none();
        replicas.ticks.next = Some(Instant(7));
        replicas.check_invariants();
    }

    #[test]
    #[should_panic(expected = "those that are awake are counted")]
    fn a_shard_that_is_awake_and_not_counted_is_caught() {
        let mut replicas = none();
        replicas.is_awake[1] = true;
        replicas.audit();
    }

    #[test]
    #[should_panic(expected = "a shard is touched once")]
    fn a_shard_that_is_touched_and_not_listed_is_caught() {
        let mut replicas = none();
        replicas.is_touched[1] = true;
        replicas.audit();
    }
}
