//! Health checks: when it is found out that a gateway answers no more, or again.
//!
//! Owns the verdict on one gateway, and when it is due. A check is no event: what it would find is known
//! from the instants at which the gateway fell silent or came back, so that checks of a gateway at
//! which nothing changes cost nothing. Refuses to know why a gateway is silent, and who is sent where.
//!
//! Checks come on a grid, and one that is not answered by the time of the next has failed.

use onsale_booking::{Instant, Span};
use onsale_scenarios::HealthCheck;

/// What whoever checks a gateway knows of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    settings: HealthCheck,
    /// When the first check is.
    first: Span,
    /// Whether checks are answered, and since when.
    answers: bool,
    since: Instant,
    /// Whether clients are sent there.
    is_healthy: bool,
    /// So many checks in a row said otherwise, up to `since`.
    streak: u64,
    /// Counts the changes of `answers`, so that a verdict that was planned before one is none.
    changes: u32,
}

/// A verdict that is due unless something changes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// When.
    pub(crate) at: Instant,
    /// After how many changes.
    pub(crate) changes: u32,
}

impl Health {
    /// A gateway that is checked from `first` on, and answers from the start, or does not.
    pub(crate) fn new(settings: HealthCheck, first: Span, answers: bool) -> Self {
        let since = Instant::ZERO;
        Self { settings, first, answers, since, is_healthy: answers, streak: 0, changes: 0 }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.is_healthy
    }

    /// From now on checks are answered, or not. Says when that changes the verdict, if this is new.
    pub(crate) fn see(&mut self, now: Instant, answers: bool) -> Option<Due> {
        if answers == self.answers {
            return None;
        }
        let checks = self.checks_before(now) - self.checks_before(self.since);
        if self.answers != self.is_healthy {
            self.streak += checks;
        } else if checks > 0 {
            self.streak = 0;
        }
        (self.answers, self.since) = (answers, now);
        self.changes += 1;
        if answers == self.is_healthy {
            return None;
        }
        let HealthCheck { every, fall, rise } = self.settings;
        // A check that is answered has succeeded at once, one that is not has failed with the next.
        let wanted = u64::from(if answers { rise } else { fall + 1 });
        let more = wanted.saturating_sub(self.streak + 1);
        let next = self.checks_before(now) + more;
        let at = Instant::ZERO + self.first + Span(every.0 * next);
        Some(Due { at, changes: self.changes })
    }

    /// A verdict is due. Says whether it changes anything.
    pub(crate) fn judge(&mut self, now: Instant, changes: u32) -> bool {
        let stands = changes == self.changes && self.answers != self.is_healthy;
        if stands {
            (self.is_healthy, self.since, self.streak) = (self.answers, now, 0);
        }
        stands
    }

    /// How many checks there are before an instant.
    fn checks_before(&self, now: Instant) -> u64 {
        now.0.saturating_sub(self.first.0).div_ceil(self.settings.every.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: HealthCheck = HealthCheck { every: Span(10), fall: 3, rise: 2 };

    fn at(due: Option<Due>) -> Option<u64> {
        due.map(|due| due.at.0)
    }

    /// Checks are at 4, 14, 24 and so on.
    fn health() -> Health {
        Health::new(SETTINGS, Span(4), true)
    }

    #[test]
    fn a_silent_gateway_is_out_after_so_many_checks_and_back_after_so_many() {
        let mut health = health();
        let out = health.see(Instant(15), false);
        assert_eq!(
            at(out),
            Some(54),
            "checks at 24, 34 and 44 fail, the last when the next is due"
        );
        assert_eq!(health.see(Instant(16), false), None, "nothing new");
        assert!(health.judge(Instant(54), 1) && !health.is_healthy());
        let back = health.see(Instant(60), true);
        assert_eq!(at(back), Some(74), "checks at 64 and 74 are answered");
        assert!(health.judge(Instant(74), 2) && health.is_healthy());
    }

    #[test]
    fn one_check_is_enough_where_one_is_asked_for() {
        let mut health = Health::new(HealthCheck { fall: 1, rise: 1, ..SETTINGS }, Span(4), true);
        assert_eq!(at(health.see(Instant(5), false)), Some(24));
        assert!(health.judge(Instant(24), 1));
        assert_eq!(at(health.see(Instant(25), true)), Some(34));
    }

    #[test]
    fn checks_count_in_a_row_whatever_happens_between_them() {
        let mut health = health();
        health.see(Instant(15), false);
        // It answers between the checks at 34 and 44, and nobody notices.
        assert_eq!(health.see(Instant(36), true), None);
        assert_eq!(at(health.see(Instant(38), false)), Some(54));
        // It answers the check at 44: they count anew.
        assert_eq!(health.see(Instant(40), true), None);
        assert_eq!(at(health.see(Instant(46), false)), Some(84));
        assert!(!health.judge(Instant(54), 3), "what was planned before is no verdict");
        assert!(health.is_healthy());
    }
}
