//! Validation of a swarm: its families may be drawn, and its faults fit into the run.
//!
//! Owns the rules for drawn faults. Refuses to know how they are drawn.

use onsale_booking::Span;

use super::Checks;
use crate::fault::{Family, Swarm};

impl Checks {
    pub(super) fn swarm(&mut self, swarm: &Swarm, duration: Span) {
        let families = &swarm.families;
        self.that(!families.is_empty(), "swarm.families", || {
            let all: Vec<_> = Family::ALL.iter().map(|family| family.name()).collect();
            (
                "no family may strike".into(),
                format!("name some, or leave the key out for all: {}", all.join(", ")),
            )
        });
        for (n, family) in families.iter().enumerate() {
            self.that(family.may_be_drawn(), &format!("swarm.families[{n}]"), || {
                (format!("`{family}` is never drawn"), "write it as a `[[fault]]`".into())
            });
            self.that(!families[..n].contains(family), &format!("swarm.families[{n}]"), || {
                (format!("`{family}` is named twice"), "name each family once".into())
            });
        }
        let Swarm { faults_min, faults_max, from, until, lasts_min, lasts_max, .. } = *swarm;
        self.that(faults_min <= faults_max, "swarm.faults", || {
            (
                format!("the least number, {faults_min}, is above the greatest, {faults_max}"),
                format!("write `faults = [{faults_max}, {faults_min}]`"),
            )
        });
        self.that((1..=1_000).contains(&faults_max), "swarm.faults", || {
            (format!("up to {faults_max} faults are drawn"), "draw at most 1 to 1000".into())
        });
        self.that(lasts_min <= lasts_max, "swarm.lasts", || {
            (
                format!("the shortest, {lasts_min}, is above the longest, {lasts_max}"),
                format!("write `lasts = [\"{lasts_max}\", \"{lasts_min}\"]`"),
            )
        });
        self.some_time("swarm.lasts", lasts_min);
        self.that_both(from < until, "swarm.until", "swarm.from", || {
            (
                format!("the faults end by {until}, before they begin at {from}"),
                "let `from` be before `until`".into(),
            )
        });
        self.that_both(until <= duration, "swarm.until", "duration", || {
            let what = format!("the faults go on until {until}, but the run ends at {duration}");
            (what, format!("at most `until = \"{duration}\"`, or lengthen `duration`"))
        });
        self.that(from >= until || lasts_max <= until - from, "swarm.lasts", || {
            let window = until - from;
            (
                format!("a fault of {lasts_max} doesn't fit between {from} and {until}"),
                format!("a fault lasts at most {window} there"),
            )
        });
    }
}
