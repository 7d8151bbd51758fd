//! What comes too early: deltas with a stamp further ahead than is accepted.
//!
//! Owns what waits until time has come near, and from when each may be taken. Refuses to look into a
//! delta, and to judge stamps.
//!
//! To refuse such a delta and wait for the next would not do: a writer whose clock is ahead, and that
//! goes on writing, always has a latest write that is too far ahead, and a delta is taken as a whole
//! or not at all. So nobody would take anything of it as long as it writes. What is kept here is
//! taken as late as its writer's clock was wrong, whatever has been written since.

use super::{Delta, Seen};
use crate::id::NodeId;
use crate::time::Instant;

/// The most that is kept. Beyond it what would be taken last is dropped: rounds bring it again.
const KEPT_MAX: usize = 64;

/// A delta, and how it came.
#[derive(Clone, Debug)]
pub(super) struct Arrival {
    pub(super) from: NodeId,
    pub(super) delta: Delta,
    /// Whether it is passed on, or else answered.
    pub(super) is_news: bool,
}

/// What waits until time has come near.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// With when each may be taken, the soonest first.
    kept: Vec<(Instant, Arrival)>,
}

impl Early {
    /// When something may be taken next.
    #[inline]
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.kept.first().map(|&(at, _)| at)
    }

    /// Keeps what may be taken `at` an instant, unless something that says as much is kept until then.
    pub(super) fn keep(&mut self, at: Instant, arrival: Arrival) {
        let says_as_much = |(until, kept): &(Instant, Arrival)| {
            *until == at && kept.delta.until.includes(&arrival.delta.until)
        };
        if self.kept.iter().any(says_as_much) {
            return;
        }
        let place = self.kept.partition_point(|&(until, _)| until <= at);
        self.kept.insert(place, (at, arrival));
        self.kept.truncate(KEPT_MAX);
    }

    /// A node is in a later boot than any before, and this much of what it wrote was seen here: what
    /// is kept of its earlier boots is dropped. If its disk kept it the node tells it again. If not it must
    /// not be taken any more: the node does not know what it wrote, and goes on with stamps that the
    /// stamps in here may pass for having seen.
    pub(super) fn drop_earlier_boots(&mut self, node: NodeId, seen: &Seen) {
        let is_known = |arrival: &Arrival| arrival.delta.until.of(node) <= seen.of(node);
        self.kept.retain(|(_, arrival)| arrival.from != node && is_known(arrival));
    }

    /// What may be taken by now, one after the other.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Arrival> {
        self.kept.first().filter(|&&(at, _)| at <= now)?;
        Some(self.kept.remove(0).1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Base;
    use super::*;
    use crate::hlc::Stamp;

    fn arrival(at: u64) -> Arrival {
        let stamp = Stamp { at: Instant(at), count: 0, node: NodeId(2) };
        let delta = Delta {
            base: Base::Since(Seen::default()),
            until: [stamp].into_iter().collect(),
            written: Vec::new(),
        };
        Arrival { from: NodeId(2), delta, is_news: true }
    }

    #[test]
    fn what_is_said_again_is_kept_once_and_the_soonest_come_first() {
        let mut early = Early::default();
        for at in [7, 5, 7, 6, 5] {
            early.keep(Instant(at), arrival(at));
        }
        assert_eq!(early.next_deadline(), Some(Instant(5)));
        let due: Vec<_> = std::iter::from_fn(|| early.take_due(Instant(6))).collect();
        let until =
            |arrival: &Arrival| arrival.delta.until.stamps().map(|stamp| stamp.at.0).sum::<u64>();
        assert_eq!(due.iter().map(until).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(early.next_deadline(), Some(Instant(7)));
    }

    #[test]
    fn where_there_is_too_much_the_last_are_dropped() {
        let mut early = Early::default();
        for at in (0..2 * KEPT_MAX as u64).rev() {
            early.keep(Instant(at), arrival(at));
        }
        assert_eq!(early.kept.len(), KEPT_MAX);
        assert_eq!(early.next_deadline(), Some(Instant(0)));
    }
}
