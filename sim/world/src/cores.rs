//! The cores of a node: how long work waits for each.
//!
//! Owns the backlog of every core, and the choice of a core for the gateway's work. Refuses to
//! know what the work is.

use std::ops::Range;

use onsale_booking::{Instant, Span};

/// The cores of one node, at least one; the first is the control core if there are several.
#[derive(Debug)]
pub struct Cores {
    cores: Vec<Core>,
    /// The first core that does the gateway's work.
    first: usize,
    /// The latest instant at which a free gateway core was looked for. Each core catches up with it
    /// when it is needed: most are not.
    asked: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Core {
    /// Instant at which the work given so far is done, unless it was idle since.
    free: Instant,
    /// Never later than `free`.
    seen: Instant,
}

impl Core {
    fn see(&mut self, at: Instant) {
        self.seen = self.seen.max(at);
        self.free = self.free.max(self.seen);
    }
}

impl Cores {
    /// `count` idle cores, at least one.
    pub fn new(count: u16) -> Self {
        assert!(count > 0, "a node has a core");
        let cores = vec![Core::default(); usize::from(count)];
        Self { first: usize::from(cores.len() > 1), cores, asked: Instant::ZERO }
    }

    /// Number of cores.
    pub const fn count(&self) -> usize {
        self.cores.len()
    }

    /// Adds work that arrives at `at`; returns the instant at which it is done. Work that arrives a little
    /// out of order waits for the remaining work, not for the idle time in between.
    pub fn take(&mut self, core: usize, at: Instant, cost: Span) -> Instant {
        let core = self.seen_at(core, at);
        core.free += cost;
        at + core.free.since(core.seen)
    }

    /// The instant at which work that arrives at `at` can start.
    pub fn starts(&mut self, core: usize, at: Instant) -> Instant {
        let core = self.seen_at(core, at);
        at + core.free.since(core.seen)
    }

    /// The cores that do the gateway's work.
    pub fn of_gateway(&self) -> Range<usize> {
        self.first..self.cores.len()
    }

    /// The gateway core that is free first for work that arrives at `at`.
    pub fn freest(&mut self, at: Instant) -> usize {
        self.asked = self.asked.max(at);
        let mut freest = (Span(u64::MAX), self.first);
        for (place, core) in self.cores[self.first..].iter().enumerate() {
            let wait = core.free.since(core.seen.max(self.asked));
            if wait == Span::ZERO {
                return self.first + place;
            }
            if wait < freest.0 {
                freest = (wait, self.first + place);
            }
        }
        freest.1
    }

    fn seen_at(&mut self, core: usize, at: Instant) -> &mut Core {
        let at = if core >= self.first { at.max(self.asked) } else { at };
        let core = &mut self.cores[core];
        core.see(at);
        core
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn work_waits_for_what_is_left_of_earlier_work() {
        let mut cores = Cores::new(1);
        assert_eq!(cores.take(0, Instant(100), Span(30)), Instant(130));
        assert_eq!(cores.take(0, Instant(110), Span(5)), Instant(135));
        assert_eq!(cores.take(0, Instant(105), Span(5)), Instant(135), "out of order");
        assert_eq!(cores.starts(0, Instant(120)), Instant(140));
        assert_eq!(cores.take(0, Instant(120), Span(9)), Instant(149));
        assert_eq!(cores.take(0, Instant(500), Span::ZERO), Instant(500));
    }

    /// A core that catches up every time.
    #[derive(Clone, Default)]
    struct Model {
        backlog: u64,
        seen: u64,
    }

    impl Model {
        fn see(&mut self, at: u64) {
            self.backlog = self.backlog.saturating_sub(at.saturating_sub(self.seen));
            self.seen = self.seen.max(at);
        }
    }

    proptest! {
        /// Cores that catch up lazily wait as long as cores that catch up every time.
        #[test]
        fn the_freest_core_is_the_first_that_waits_least(
            count in 1_u16..5,
            steps in prop::collection::vec((0_u64..40, 0_u64..60, prop::option::of(0_usize..5)), 1..200),
        ) {
            let mut cores = Cores::new(count);
            let count = usize::from(count);
            let mut model = vec![Model::default(); count];
            for (step, (ahead, cost, named)) in (0..).zip(steps) {
                // Roughly in order, sometimes a little earlier.
                let at = step * 10 + ahead;
                let core = if let Some(named) = named {
                    named % count
                } else {
                    let first = usize::from(count > 1);
                    model[first..].iter_mut().for_each(|core| core.see(at));
                    let freest = cores.freest(Instant(at));
                    let waits = |core: &usize| model[*core].backlog;
                    prop_assert_eq!((first..count).min_by_key(waits), Some(freest));
                    freest
                };
                model[core].see(at);
                model[core].backlog += cost;
                let done = cores.take(core, Instant(at), Span(cost));
                prop_assert_eq!(done, Instant(at + model[core].backlog));
            }
        }
    }
}
