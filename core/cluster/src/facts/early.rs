//! Early deltas: their stamps are further ahead than is accepted.
//!
//! Owns the deltas that wait until the clock has come near, when each may be taken, and which of them can be spared.
//! Refuses to look at what was written, and to judge stamps.
//!
//! It would not do to refuse such a delta and wait for the next: a writer whose clock is ahead, and that goes on
//! writing, always has a latest write that is too far ahead, and a delta is taken as a whole or not at all. So no peer
//! would take anything of it as long as it writes. A delta kept here is taken as late as its writer's clock was wrong,
//! no matter how much has been written since.
//!
//! At most 64 deltas are kept. When another comes, one is dropped that the next one includes, so that the kept ones are
//! spread evenly over the time until the last is due: no write is taken later than it should be by more than a small
//! part of that time. Dropping the newest instead would double the delay: while the writer goes on, nothing new would
//! be kept until the first is due.

use onsale_booking::{Instant, NodeId};

use crate::fact::{Delta, Seen};

/// The most deltas kept. Beyond it one that the next one includes is dropped; if there is none, the newest, which a
/// later round brings again.
pub const EARLY_MAX: usize = 64;

/// A delta, and how it arrived.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) from: NodeId,
    pub(super) delta: Delta,
    /// Whether it is news, which is passed on, or a repair, which is answered.
    pub(super) is_news: bool,
}

/// The early deltas of one node.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// Each with the instant at which it may be taken, the soonest first.
    kept: Vec<(Instant, Arrival)>,
}

impl Early {
    /// When the next delta may be taken.
    #[inline]
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.kept.first().map(|&(at, _)| at)
    }

    /// Keeps a delta that may be taken at instant `at`, unless a kept one says as much by then. `seen` is this node's
    /// version vector.
    pub(super) fn keep(&mut self, seen: &Seen, at: Instant, arrival: Arrival) {
        let says_as_much = |(until, kept): &(Instant, Arrival)| {
            *until == at && kept.delta.until.includes(&arrival.delta.until)
        };
        if self.kept.iter().any(says_as_much) {
            return;
        }
        let place = self.kept.partition_point(|&(until, _)| until <= at);
        self.kept.insert(place, (at, arrival));
        if self.kept.len() > EARLY_MAX {
            self.kept.remove(self.spare(seen).unwrap_or(EARLY_MAX));
        }
        assert!(self.kept.len() <= EARLY_MAX, "what comes too early is bounded");
    }

    /// The delta to drop: the next one can be taken without it and includes it, and dropping it leaves the shortest
    /// gap. Never the first: it would be dropped shortly before it is due, and so would each later first one.
    fn spare(&self, seen: &Seen) -> Option<usize> {
        let is_spare = |&place: &usize| {
            let (this, next) = (&self.kept[place].1.delta, &self.kept[place + 1].1.delta);
            next.fits(seen) && next.until.includes(&this.until)
        };
        let gap = |&place: &usize| self.kept[place + 1].0.since(self.kept[place - 1].0);
        (1..self.kept.len() - 1).filter(is_spare).min_by_key(gap)
    }

    /// A node is in a later boot than before, and `seen` of its writes were seen here: drops the deltas kept of its
    /// earlier boots. If the node's disk kept them it tells them again. If not they must not be taken any more: the
    /// node does not know what it wrote, and the stamps in them would cover its new writes.
    pub(super) fn drop_earlier_boots(&mut self, node: NodeId, seen: &Seen) {
        let is_known = |arrival: &Arrival| arrival.delta.until.of(node) <= seen.of(node);
        self.kept.retain(|(_, arrival)| arrival.from != node && is_known(arrival));
    }

    /// When each delta is due, the next first.
    pub(super) fn due(&self) -> impl Iterator<Item = Instant> + '_ {
        self.kept.iter().map(|&(at, _)| at)
    }

    /// Takes the next delta that is due at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Arrival> {
        self.kept.first().filter(|&&(at, _)| at <= now)?;
        Some(self.kept.remove(0).1)
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::Span;

    use super::*;
    use crate::fact::Base;
    use crate::hlc::Stamp;

    /// How far ahead the writer's clock is.
    const AHEAD: Span = Span::from_secs(64);

    fn stamp(at: u64) -> Stamp {
        Stamp { at: Instant(at), count: 0, node: NodeId(2) }
    }

    /// Node 2's writes until `until`, as a delta for a node that has seen its writes until `since`.
    fn arrival(since: Option<u64>, until: u64) -> Arrival {
        let seen = |at: Option<u64>| at.map(stamp).into_iter().collect();
        let base = Base::Since(seen(since));
        let delta = Delta { base, until: seen(Some(until)), written: Vec::new() };
        Arrival { from: NodeId(2), delta, is_news: true }
    }

    /// A node hears from node 2 every 100 ms: everything that it lacks where `asks` says so, else only the newest
    /// write. Returns by how much the latest write was seen too late.
    fn latest(asks: impl Fn(u64) -> bool) -> Span {
        let (mut early, mut seen, mut last) = (Early::default(), Seen::default(), None);
        let (mut late, every) = (Span::ZERO, Span::from_millis(100));
        for step in 0..4_000 {
            let now = Instant(step * every.0);
            let since = if asks(step) { seen.of(NodeId(2)).map(|stamp| stamp.at.0) } else { last };
            early.keep(&seen, now + AHEAD, arrival(since, now.0));
            last = Some(now.0);
            while let Some(Arrival { delta, .. }) = early.take_due(now) {
                if delta.fits(&seen) {
                    seen.merge(&delta.until);
                }
            }
            let seen = seen.of(NodeId(2)).map_or(Instant::ZERO, |stamp| stamp.at);
            late = late.max(Instant(now.0.saturating_sub(AHEAD.0)).since(seen));
            assert!(early.kept.len() <= EARLY_MAX);
        }
        late
    }

    #[test]
    fn a_repeated_delta_is_kept_once_and_the_soonest_come_first() {
        let mut early = Early::default();
        for at in [7, 5, 7, 6, 5] {
            early.keep(&Seen::default(), Instant(at), arrival(None, at));
        }
        assert_eq!(early.next_deadline(), Some(Instant(5)));
        let due: Vec<_> = std::iter::from_fn(|| early.take_due(Instant(6))).collect();
        let until =
            |arrival: &Arrival| arrival.delta.until.stamps().map(|stamp| stamp.at.0).sum::<u64>();
        assert_eq!(due.iter().map(until).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(early.next_deadline(), Some(Instant(7)));
    }

    #[test]
    fn a_flood_is_taken_as_late_as_the_clock_is_wrong_and_a_32nd_more() {
        // Only repairs: each covers all before it.
        assert!(latest(|_| true) <= bound(0), "{}", latest(|_| true));
        // Repairs now and then, and each write by itself in between, which needs the one before it.
        for every in [2, 5, 10, 20] {
            let late = latest(|step| step % every == 0);
            assert!(late <= bound(every), "{every}: {late}");
        }
    }

    /// Two average gaps, and the time until a repair comes.
    fn bound(every: u64) -> Span {
        Span(2 * AHEAD.0 / EARLY_MAX as u64 + (every + 1) * 100_000)
    }

    #[test]
    #[should_panic(expected = "what comes too early is bounded")]
    fn more_than_may_be_kept_is_caught() {
        let mut early = Early::default();
        for at in 0..=EARLY_MAX as u64 {
            early.kept.push((Instant(at), arrival(None, at)));
        }
        early.keep(&Seen::default(), Instant(1_000), arrival(None, 1_000));
    }

    #[test]
    fn where_no_delta_includes_another_the_last_is_dropped() {
        let mut early = Early::default();
        for at in (1..=2 * EARLY_MAX as u64).rev() {
            early.keep(&Seen::default(), Instant(at), arrival(Some(at - 1), at));
        }
        assert_eq!(early.kept.len(), EARLY_MAX);
        assert_eq!(early.next_deadline(), Some(Instant(1)));
    }
}
