//! Health checks: when a gateway is found to be down, or up again.
//!
//! Owns the verdict on one gateway, and when it is due. A check is no event: its result follows from the instants at
//! which the gateway went silent or came back, so checks of an unchanged gateway cost nothing. Refuses to know why a
//! gateway is silent, and where clients are sent.
//!
//! Checks are on a grid, and a check not answered by the time of the next has failed.

use onsale_booking::{Instant, Span};
use onsale_scenarios::HealthCheck;

/// A load balancer's view of one gateway.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Health {
    settings: HealthCheck,
    /// Time of the first check.
    first: Span,
    /// Whether checks are answered.
    answers: bool,
    /// Instant of the last change of `answers`.
    since: Instant,
    /// Whether clients are sent to the gateway.
    is_healthy: bool,
    /// Checks in a row that contradicted `is_healthy`, up to `since`.
    streak: u64,
    /// Counts the changes of `answers`: a verdict planned before a change is void.
    changes: u32,
}

/// A planned verdict, void if something changes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Due {
    /// Instant of the verdict.
    pub(crate) at: Instant,
    /// Changes counted when it was planned.
    pub(crate) changes: u32,
}

impl Health {
    /// A gateway that is checked from `first` on; `answers` says whether it is up at the start.
    pub(crate) fn new(settings: HealthCheck, first: Span, answers: bool) -> Self {
        let since = Instant::ZERO;
        Self { settings, first, answers, since, is_healthy: answers, streak: 0, changes: 0 }
    }

    pub(crate) fn is_healthy(&self) -> bool {
        self.is_healthy
    }

    /// Notes that checks are answered from now on, or not. Returns the verdict that this plans, if any.
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
        // An answered check succeeds at once, an unanswered one fails at the time of the next.
        let wanted = u64::from(if answers { rise } else { fall + 1 });
        let more = wanted.saturating_sub(self.streak + 1);
        let next = self.checks_before(now) + more;
        let at = Instant::ZERO + self.first + Span(every.0 * next);
        Some(Due { at, changes: self.changes })
    }

    /// Carries out a verdict that is due. Returns whether it changes anything.
    pub(crate) fn judge(&mut self, now: Instant, changes: u32) -> bool {
        let stands = changes == self.changes && self.answers != self.is_healthy;
        if stands {
            (self.is_healthy, self.since, self.streak) = (self.answers, now, 0);
        }
        stands
    }

    /// Number of checks before an instant.
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
    fn a_silent_gateway_is_out_after_failed_checks_and_back_after_answered_ones() {
        let mut health = health();
        let out = health.see(Instant(15), false);
        assert_eq!(
            at(out),
            Some(54),
            "checks at 24, 34 and 44 fail, the last at the time of the next"
        );
        assert_eq!(health.see(Instant(16), false), None, "no change");
        assert!(health.judge(Instant(54), 1) && !health.is_healthy());
        let back = health.see(Instant(60), true);
        assert_eq!(at(back), Some(74), "checks at 64 and 74 are answered");
        assert!(health.judge(Instant(74), 2) && health.is_healthy());
    }

    #[test]
    fn one_check_is_enough_where_one_is_configured() {
        let mut health = Health::new(HealthCheck { fall: 1, rise: 1, ..SETTINGS }, Span(4), true);
        assert_eq!(at(health.see(Instant(5), false)), Some(24));
        assert!(health.judge(Instant(24), 1));
        assert_eq!(at(health.see(Instant(25), true)), Some(34));
    }

    #[test]
    fn only_checks_in_a_row_count_not_changes_between_them() {
        let mut health = health();
        health.see(Instant(15), false);
        // It answers between the checks at 34 and 44, which no check sees.
        assert_eq!(health.see(Instant(36), true), None);
        assert_eq!(at(health.see(Instant(38), false)), Some(54));
        // It answers the check at 44: the count starts over.
        assert_eq!(health.see(Instant(40), true), None);
        assert_eq!(at(health.see(Instant(46), false)), Some(84));
        assert!(!health.judge(Instant(54), 3), "a verdict planned before a change is void");
        assert!(health.is_healthy());
    }
}
