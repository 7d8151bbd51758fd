//! A hybrid logical clock (Kulkarni and others, 2014).
//!
//! Owns the stamps that order writes on different nodes by cause and effect, and stay close to physical time. Refuses
//! to know what is stamped.
//!
//! A stamp is the greatest of the physical clock and all earlier stamps and stamps heard, with a count where the
//! physical clock has not moved past it. So a node's stamps rise even if its clock jumps back, and each is later than
//! all stamps heard before. In return a clock far ahead would drag all others along, and no stamp would say anything
//! about time any more: so a stamp further ahead than the accepted drift is not heard.

use onsale_booking::{Instant, NodeId, Span};
use serde::{Deserialize, Serialize};

/// When and where a fact was written; no two writes have the same stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// Physical part: microseconds, never behind the writer's clock.
    pub at: Instant,
    /// Logical part: orders writes of the same physical part.
    pub count: u32,
    /// The node that wrote.
    pub node: NodeId,
}

/// The clock of one node.
#[derive(Clone, Debug)]
pub struct HybridClock {
    me: NodeId,
    /// The greatest stamp made or heard.
    latest: (Instant, u32),
    accepted_drift: Span,
}

impl HybridClock {
    /// The clock of node `me`, which hears stamps up to `accepted_drift` ahead of its own
    /// physical clock.
    pub fn new(me: NodeId, accepted_drift: Span) -> Self {
        Self { me, latest: (Instant::ZERO, 0), accepted_drift }
    }

    /// Stamps a write: later than all stamps made or heard before, even if the physical clock is behind.
    pub fn stamp(&mut self, now: Instant) -> Stamp {
        let (at, count) = self.latest;
        self.latest = if now > at {
            (now, 0)
        } else if let Some(count) = count.checked_add(1) {
            (at, count)
        } else {
            (at + Span(1), 0)
        };
        let (at, count) = self.latest;
        Stamp { at, count, node: self.me }
    }

    /// The instant from which a stamp is within the accepted drift of the physical clock.
    pub fn accepts_from(&self, stamp: Stamp) -> Instant {
        Instant(stamp.at.0.saturating_sub(self.accepted_drift.0))
    }

    /// Hears an accepted stamp: later stamps of this clock are greater.
    pub fn hear(&mut self, stamp: Stamp) {
        self.latest = self.latest.max((stamp.at, stamp.count));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DRIFT: Span = Span(500);

    #[derive(Clone, Debug)]
    enum ClockOp {
        /// A node's clock is set, forwards or back.
        Set(usize, u64),
        /// A node writes.
        Write(usize),
        /// A node hears of one of the writes so far.
        Hear(usize, prop::sample::Index),
    }

    fn steps() -> impl Strategy<Value = Vec<ClockOp>> {
        let node = 0..3_usize;
        let step = prop_oneof![
            (node.clone(), 0..2_000_u64).prop_map(|(node, at)| ClockOp::Set(node, at)),
            node.clone().prop_map(ClockOp::Write),
            (node, any::<prop::sample::Index>())
                .prop_map(|(node, write)| ClockOp::Hear(node, write)),
        ];
        prop::collection::vec(step, 1..200)
    }

    proptest! {
        /// However the clocks are set: no stamp comes twice, a node's stamps rise, and a write is later than all that
        /// its node heard before.
        #[test]
        fn stamps_respect_cause_and_effect(steps in steps()) {
            let mut clocks: Vec<HybridClock> =
                (1..=3).map(|node| HybridClock::new(NodeId(node), DRIFT)).collect();
            let (mut now, mut known) = ([Instant::ZERO; 3], [None; 3]);
            let mut written: Vec<Stamp> = Vec::new();
            for step in steps {
                match step {
                    ClockOp::Set(node, at) => now[node] = Instant(at),
                    ClockOp::Write(node) => {
                        let stamp = clocks[node].stamp(now[node]);
                        prop_assert!(Some(stamp) > known[node], "{:?} after {:?}", stamp, known[node]);
                        prop_assert!(stamp.at >= now[node]);
                        prop_assert!(!written.contains(&stamp));
                        known[node] = Some(stamp);
                        written.push(stamp);
                    }
                    ClockOp::Hear(node, write) if !written.is_empty() => {
                        let stamp = *write.get(&written);
                        if clocks[node].accepts_from(stamp) <= now[node] {
                            clocks[node].hear(stamp);
                            known[node] = known[node].max(Some(stamp));
                        } else {
                            prop_assert!(stamp.at > now[node] + DRIFT);
                        }
                    }
                    ClockOp::Hear(..) => {}
                }
            }
        }

        /// While clocks run forwards, no stamp is further ahead of its writer's clock than is accepted.
        #[test]
        fn stamps_stay_close_to_the_clock(heard in prop::collection::vec((0..3_000_u64, 0..100_u64), 1..100)) {
            let mut clock = HybridClock::new(NodeId(1), DRIFT);
            let mut now = Instant::ZERO;
            for (at, passed) in heard {
                now += Span(passed);
                let stamp = Stamp { at: Instant(at), count: 0, node: NodeId(2) };
                if clock.accepts_from(stamp) <= now {
                    clock.hear(stamp);
                }
                prop_assert!(clock.stamp(now).at <= now + DRIFT);
            }
        }
    }

    #[test]
    fn an_exhausted_count_moves_time() {
        let mut clock = HybridClock::new(NodeId(1), DRIFT);
        clock.hear(Stamp { at: Instant(7), count: u32::MAX, node: NodeId(2) });
        assert_eq!(clock.stamp(Instant(5)), Stamp { at: Instant(8), count: 0, node: NodeId(1) });
    }
}
