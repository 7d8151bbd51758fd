//! What makes a scenario's facts sound.

use onsale_booking::Span;

use super::{Checks, DAY};
use crate::facts::{Facts, FactsSettings};

impl Checks {
    pub(super) fn facts_settings(&mut self, settings: &FactsSettings) {
        self.within("cluster.facts.fanout", settings.fanout, 1..=99);
        self.some_time("cluster.facts.repair-every", settings.repair_every);
        self.some_time("cluster.facts.accepted-drift", settings.accepted_drift);
        self.span_within("cluster.facts.deletions-last", settings.deletions_last, Span::ZERO..=DAY);
        self.some_time("cluster.facts.patience", settings.patience);
    }

    pub(super) fn facts(&mut self, facts: &Facts, duration: Span) {
        self.within("facts.events", facts.events, 1..=800);
        self.within("facts.admins", facts.admins, 1..=1_000);
        self.within("facts.changes-per-minute", facts.changes_per_minute, 0..=60_000);
        self.before("facts.from", facts.from, facts.until, "the end of it");
        self.that_both(facts.until <= duration, "facts.until", "duration", || {
            let what =
                format!("facts change until {}, but the run ends at {duration}", facts.until);
            (what, format!("at most `until = \"{duration}\"`"))
        });
        self.within("facts.visitors", facts.visitors, 0..=1_000_000);
        self.within("facts.reads", facts.reads, 1..=1_000);
        self.some_time("facts.agree-within", facts.agree_within);
    }
}
