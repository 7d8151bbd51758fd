//! The attempts of clients, by log, of the recent past.
//!
//! Owns two counts a log, of this window and of the one before. Refuses to know what becomes of an attempt.
//!
//! An attempt is under way at a gateway for at most a *flight*: the time in which the gateway gives up on it, ways
//! included. A window is as long as that, so two windows hold every attempt that may still be under way.

use onsale_booking::{Instant, Span};

/// The attempts of the recent past.
#[derive(Debug)]
pub(super) struct Attempts {
    flight: Span,
    logs: Vec<Counts>,
}

/// The attempts about one log.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// Number of the window of the latest attempt.
    window: u64,
    now: u32,
    before: u32,
}

impl Attempts {
    pub(super) fn new(flight: Span) -> Self {
        Self { flight: flight.max(Span(1)), logs: Vec::new() }
    }

    /// Notes an attempt about a log.
    #[inline]
    pub(super) fn note(&mut self, log: u32, at: Instant) {
        let (window, place) = (at.0 / self.flight.0, log as usize);
        if place >= self.logs.len() {
            self.logs.resize(place + 1, Counts::default());
        }
        let counts = &mut self.logs[place];
        if counts.window != window {
            let before = if counts.window + 1 == window { counts.now } else { 0 };
            *counts = Counts { window, now: 0, before };
        }
        counts.now += 1;
    }

    /// The most attempts about a log that may be under way at an instant.
    pub(super) fn under_way(&self, log: u32, at: Instant) -> u64 {
        let window = at.0 / self.flight.0;
        let Some(counts) = self.logs.get(log as usize) else { return 0 };
        match window - counts.window.min(window) {
            0 => u64::from(counts.now) + u64::from(counts.before),
            1 => u64::from(counts.now),
            _ => 0,
        }
    }
}

impl Attempts {
    /// The most attempts about all logs that may be under way at an instant.
    pub(super) fn all_under_way(&self, at: Instant) -> u64 {
        (0..self.logs.len() as u32).map(|log| self.under_way(log, at)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_are_under_way_for_a_flight_and_at_most_two() {
        let secs = |secs: u64| Instant(secs * 1_000_000);
        let mut attempts = Attempts::new(Span::from_secs(10));
        for at in [1, 9, 10, 19] {
            attempts.note(3, secs(at));
        }
        assert_eq!(attempts.under_way(3, secs(19)), 4);
        assert_eq!(attempts.under_way(3, secs(20)), 2, "the first two are over");
        assert_eq!(attempts.under_way(3, secs(29)), 2);
        assert_eq!(attempts.under_way(3, secs(30)), 0);
        assert_eq!((attempts.under_way(0, secs(19)), attempts.under_way(9, secs(19))), (0, 0));
        attempts.note(3, secs(45));
        assert_eq!(attempts.under_way(3, secs(45)), 1);
    }
}
