//! The kept lines of a story.
//!
//! Owns the window of time that is told, and the bound on its lines. Refuses to know what they say.

use onsale_booking::Instant;

use super::line::{Line, arrange};

/// Upper bound of lines in a story: nobody reads more, and memory is finite.
const LINES_MAX: usize = 200_000;

/// A finished story.
#[derive(Clone, Debug)]
pub struct Story {
    /// Lines of the story, in order.
    pub lines: Vec<Line>,
    /// Lines dropped past the bound.
    pub untold: u64,
}

/// A story in the making.
#[derive(Debug)]
pub(super) struct Telling {
    from: Instant,
    to: Instant,
    /// Whether a place is followed: then no line is mere context.
    is_a_place: bool,
    every_fault: bool,
    lines: Vec<Line>,
    untold: u64,
}

impl Telling {
    pub(super) const fn new((from, to): (Instant, Instant), is_a_place: bool) -> Self {
        Self { from, to, is_a_place, every_fault: false, lines: Vec::new(), untold: 0 }
    }

    /// The same with every fault, even one in which nothing else happens.
    pub(super) fn with_every_fault(self) -> Self {
        Self { every_fault: true, ..self }
    }

    pub(super) fn tell(&mut self, mut line: Line) {
        let is_wanted = self.is_a_place || self.every_fault && line.fault.is_some();
        line.context &= !is_wanted;
        if line.at < self.from {
            if line.fault.is_none() {
                return;
            }
            line.context = true;
        }
        if line.at >= self.to {
            return;
        }
        if self.lines.len() < LINES_MAX {
            self.lines.push(line);
        } else {
            self.untold += 1;
        }
    }

    pub(super) fn tell_all(&mut self, lines: impl IntoIterator<Item = Line>) {
        lines.into_iter().for_each(|line| self.tell(line));
    }

    /// The story, in order, without irrelevant context.
    pub(super) fn finish(self, end: Instant) -> Story {
        // A busy node's messages that would have left after the run's end were never sent.
        let lines = self.lines.into_iter().filter(|line| line.at <= end).collect();
        Story { lines: arrange(lines), untold: self.untold }
    }
}
