//! The moments that faults wait for.
//!
//! Owns which faults wait for which moment, at which node and until when, and what has come for each. A run in which no
//! fault waits pays for one look at a set of bits. Refuses to know how a host shows that a moment has come.

use std::collections::BTreeMap;

use onsale_booking::Instant;
use onsale_scenarios::{Moment, Target, When};
use onsale_world::place::Place;

/// The set of moments that a host looks for at one place: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moments(u32);

impl Moments {
    /// A set of moments. All marks share one bit.
    pub const fn of(moments: &[Moment]) -> Self {
        let (mut bits, mut nth) = (0, 0);
        while nth < moments.len() {
            bits |= 1 << moments[nth].kind();
            nth += 1;
        }
        Self(bits)
    }

    /// The moments of both sets.
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// A moment that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Came {
    /// The moment.
    pub moment: Moment,
    /// The instant.
    pub at: Instant,
    /// The node at which it came.
    pub node: Place,
    /// The log that it is about, if it is about one.
    pub log: Option<u32>,
}

/// A fault that waits.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    fault: usize,
    when: When,
    until: Instant,
    /// Moments still to come, the one that it waits for included.
    left: u32,
}

/// The faults that wait, and the moments that came for others.
#[derive(Debug, Default)]
pub struct Awaited {
    /// The moments that any fault waits for now.
    moments: Moments,
    waiting: Vec<Waiting>,
    came: BTreeMap<usize, Came>,
}

impl Awaited {
    /// Whether a fault waits for one of these moments.
    #[inline(always)]
    pub const fn any(&self, of: Moments) -> bool {
        self.moments.0 & of.0 != 0
    }

    /// Lets a fault wait from `now` on.
    pub fn begin(&mut self, now: Instant, fault: usize, when: When) {
        self.waiting.push(Waiting { fault, when, until: now + when.within, left: when.count });
        self.look();
    }

    /// Ends the window of a fault. Returns whether its moment never came.
    pub fn end(&mut self, fault: usize) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|waiting| waiting.fault != fault);
        self.look();
        self.waiting.len() < before
    }

    /// Notes that a moment came, and tells apart by `is_at` which targets are its node. Returns the faults that
    /// waited for it, each with the instant of its strike.
    pub fn take(&mut self, came: Came, is_at: impl Fn(Target) -> bool) -> Vec<(Instant, usize)> {
        let mut strikes = Vec::new();
        for Waiting { fault, when, until, left } in &mut self.waiting {
            let counts =
                when.moment == came.moment && came.at <= *until && when.node.is_none_or(&is_at);
            if !counts {
                continue;
            }
            *left -= 1;
            if *left == 0 {
                strikes.push((came.at + when.delay, *fault));
                self.came.insert(*fault, came);
            }
        }
        self.waiting.retain(|waiting| waiting.left > 0);
        self.look();
        strikes
    }

    /// The moment that came for a fault; `None` if it waited for none.
    pub fn came(&self, fault: usize) -> Option<Came> {
        self.came.get(&fault).copied()
    }

    fn look(&mut self) {
        let bits = self.waiting.iter().map(|waiting| 1 << waiting.when.moment.kind());
        self.moments = Moments(bits.fold(0, |all, bit: u32| all | bit));
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::{NodeId, Span};

    use super::*;

    const VOTING: Moments = Moments::of(&[Moment::Voting]);

    fn voting(at: u64, node: u16) -> Came {
        Came { moment: Moment::Voting, at: Instant(at), node: Place::node(node), log: None }
    }

    fn awaits(when: When) -> Awaited {
        let mut awaited = Awaited::default();
        awaited.begin(Instant(100), 7, when);
        awaited
    }

    #[test]
    fn the_moment_that_counts_strikes_after_its_delay() {
        let mut awaited = awaits(When { count: 2, delay: Span(5), ..When::next(Moment::Voting) });
        assert!(awaited.any(VOTING) && !awaited.any(Moments::of(&[Moment::Expiring])));
        assert_eq!(awaited.take(Came { moment: Moment::Expiring, ..voting(101, 1) }, |_| true), []);
        assert_eq!(awaited.take(voting(102, 1), |_| true), []);
        assert_eq!(awaited.came(7), None);
        assert_eq!(awaited.take(voting(103, 2), |_| true), [(Instant(108), 7)]);
        assert_eq!(awaited.came(7), Some(voting(103, 2)));
        assert!(!awaited.any(VOTING) && !awaited.end(7), "it waits no more");
    }

    #[test]
    fn only_its_node_and_its_window_count() {
        let node = Some(Target::Node(NodeId(3)));
        let mut awaited = awaits(When { node, within: Span(50), ..When::next(Moment::Voting) });
        let is = |number| move |target| target == Target::Node(NodeId(number));
        assert_eq!(awaited.take(voting(101, 2), is(2)), []);
        assert_eq!(awaited.take(voting(151, 3), is(3)), [], "after its window");
        assert!(awaited.end(7), "its moment never came");
        assert!(!awaited.any(VOTING));
    }

    #[test]
    fn several_wait_for_one_moment_and_marks_are_told_apart() {
        let mark = |name: &str| format!("mark:{name}").parse::<Moment>().unwrap();
        let (taken, installed) = (mark("snapshot-taken"), mark("snapshot-installed"));
        let mut awaited = awaits(When::next(taken));
        awaited.begin(Instant(100), 8, When::next(taken));
        awaited.begin(Instant(100), 9, When::next(installed));
        let came = Came { moment: taken, ..voting(101, 1) };
        assert_eq!(awaited.take(came, |_| true), [(Instant(101), 7), (Instant(101), 8)]);
        assert!(awaited.any(Moments::of(&[taken])), "another mark is awaited");
    }
}
