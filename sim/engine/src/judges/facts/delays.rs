//! Until when faults may delay a question about facts.
//!
//! Owns the spells in which faults delay everything, or one node does not run. Refuses to know what a question asks.

use onsale_booking::{Instant, NodeId, Span};

/// The spells so far, and the pace of a cluster without faults.
#[derive(Debug)]
pub(super) struct Delays {
    slowest: Span,
    recovery: Span,
    /// Faults in force that delay everything.
    troubles: usize,
    /// In the order of their beginnings; one at a time of everything, and of each node.
    spells: Vec<Spell>,
}

#[derive(Clone, Copy, Debug)]
struct Spell {
    /// The node that does not run; `None` if everything is delayed.
    node: Option<NodeId>,
    from: Instant,
    /// Its end; later than everything while it lasts.
    until: Instant,
}

impl Delays {
    /// No spell yet. A question takes at most `slowest` without faults, and after a spell `recovery` more.
    pub(super) const fn new(slowest: Span, recovery: Span) -> Self {
        Self { slowest, recovery, troubles: 0, spells: Vec::new() }
    }

    pub(super) fn on_trouble(&mut self, at: Instant) {
        self.troubles += 1;
        if self.troubles == 1 {
            self.begin(at, None);
        }
    }

    pub(super) fn on_trouble_over(&mut self, at: Instant) {
        self.troubles -= 1;
        if self.troubles == 0 {
            self.end(at, None);
        }
    }

    pub(super) fn on_process(&mut self, at: Instant, node: NodeId, is_up: bool) {
        match is_up {
            true => self.end(at, Some(node)),
            false => self.begin(at, Some(node)),
        }
    }

    /// The latest instant at which a node may carry out a question asked at an instant: the slowest duration later, or
    /// recovery and the slowest duration after the last of the spells that touch it and each other.
    pub(super) fn latest(&self, asked: Instant, node: NodeId) -> Instant {
        let touch = self.spells.iter().filter(|spell| spell.node.is_none_or(|down| down == node));
        touch.fold(asked + self.slowest, |latest, spell| {
            let reaches = spell.until + self.recovery;
            let is_touched = spell.from <= latest && reaches >= asked;
            if is_touched { latest.max(reaches + self.slowest) } else { latest }
        })
    }

    /// The instant since which everything runs as it should; `None` while it does not.
    pub(super) fn quiet_since(&self) -> Option<Instant> {
        let last = self.spells.iter().map(|spell| spell.until + self.recovery).max();
        let since = last.unwrap_or_default();
        (since < Instant::MAX).then_some(since)
    }

    fn begin(&mut self, from: Instant, node: Option<NodeId>) {
        if self.under_way(node).is_none() {
            self.spells.push(Spell { node, from, until: Instant::MAX });
        }
    }

    fn end(&mut self, at: Instant, node: Option<NodeId>) {
        if let Some(spell) = self.under_way(node) {
            spell.until = at;
        }
    }

    fn under_way(&mut self, node: Option<NodeId>) -> Option<&mut Spell> {
        let mut spells = self.spells.iter_mut().rev();
        spells.find(|spell| spell.node == node).filter(|spell| spell.until == Instant::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: u64) -> Instant {
        Instant::ZERO + Span::from_secs(at)
    }

    /// Two seconds without faults, three of recovery.
    fn delays() -> Delays {
        Delays::new(Span::from_secs(2), Span::from_secs(3))
    }

    #[test]
    fn a_question_is_delayed_by_spells_that_touch_it() {
        let mut delays = delays();
        delays.on_trouble(second(10));
        delays.on_trouble(second(12));
        assert_eq!(delays.latest(second(11), NodeId(1)), Instant::MAX, "it lasts");
        assert_eq!(delays.quiet_since(), None);
        delays.on_trouble_over(second(14));
        delays.on_trouble_over(second(20));
        // From 10 to 23.
        for (asked, latest) in [(7, 9), (8, 25), (23, 25), (24, 26)] {
            assert_eq!(delays.latest(second(asked), NodeId(1)), second(latest), "{asked}");
        }
        // A spell of its node that begins before the recovery from the first is over.
        delays.on_process(second(25), NodeId(1), false);
        delays.on_process(second(30), NodeId(1), true);
        assert_eq!(delays.latest(second(8), NodeId(1)), second(35));
        assert_eq!(delays.latest(second(8), NodeId(2)), second(25), "of another node");
        assert_eq!(delays.quiet_since(), Some(second(33)));
    }
}
