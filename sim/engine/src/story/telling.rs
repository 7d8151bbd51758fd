//! The lines of a story that are kept.
//!
//! Owns from when until when it is told, and how many lines it may have. Refuses to know what they say.

use onsale_booking::Instant;

use super::line::{Line, arrange};

/// A story of more lines is cut: nobody reads it, and memory is finite.
const LINES_MAX: usize = 200_000;

/// A story as it was told.
#[derive(Clone, Debug)]
pub struct Story {
    /// Its lines, in order.
    pub lines: Vec<Line>,
    /// Lines that were too many to be kept.
    pub untold: u64,
}

/// A story while it is told.
#[derive(Debug)]
pub(super) struct Telling {
    from: Instant,
    to: Instant,
    /// Whether a place is followed: what happens around it is the story itself.
    is_a_place: bool,
    every_fault: bool,
    lines: Vec<Line>,
    untold: u64,
}

impl Telling {
    pub(super) const fn new((from, to): (Instant, Instant), is_a_place: bool) -> Self {
        Self { from, to, is_a_place, every_fault: false, lines: Vec::new(), untold: 0 }
    }

    /// The same with every fault, whether anything else happens in it or not.
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

    /// The story, in order and without what nobody misses.
    pub(super) fn finish(self, end: Instant) -> Story {
        // What a busy node was about to send when the run ended was never sent.
        let lines = self.lines.into_iter().filter(|line| line.at <= end).collect();
        Story { lines: arrange(lines), untold: self.untold }
    }
}
