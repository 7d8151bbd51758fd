//! Validation of a scenario's facts.

use onsale_booking::Span;

use super::Checks;
use crate::settings::Facts;

impl Checks {
    pub(super) fn facts(&mut self, facts: &Facts, duration: Span) {
        self.before("facts.from", facts.from, facts.until, "the end of it");
        self.that_both(facts.until <= duration, "facts.until", "duration", || {
            let what =
                format!("facts change until {}, but the run ends at {duration}", facts.until);
            (what, format!("at most `until = \"{duration}\"`"))
        });
    }
}
