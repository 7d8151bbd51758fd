//! Determinism: two runs of one plan must be the same.
//!
//! Owns the comparison and the description of a difference. Refuses to know how runs are made.

use std::fmt;

use onsale_reports::Summary;
use onsale_sim::run::Outcome;
use onsale_world::Tracing;

/// Longest description of an event; longer ones are cut off, since the event is still recognisable.
const WORDS_MAX: usize = 600;

/// The point at which two runs of one plan diverge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// At this event, counted from 0.
    Event(usize),
    /// All events are the same, but the reports about them differ.
    Report,
}

/// The first event in which two runs with trails differ; `None` if they are the same.
///
/// # Panics
/// If a run kept no trail.
pub fn difference(first: &Outcome, second: &Outcome) -> Option<Difference> {
    let trail = |run: &Outcome| run.trail.clone().expect("a run that is compared keeps its trail");
    if let Some(event) = trail(first).first_difference(&trail(second)) {
        return Some(Difference::Event(event));
    }
    (!same(first, second)).then_some(Difference::Report)
}

/// Whether two runs without trails are the same: their events, and their reports.
pub fn same(first: &Outcome, second: &Outcome) -> bool {
    timeless(&first.summary) == timeless(&second.summary)
}

/// The point at which two runs with trails diverge, with a description that takes two more runs.
///
/// # Panics
/// If a run kept no trail.
pub fn parted(
    first: &Outcome,
    second: &Outcome,
    run: impl Fn(Tracing) -> Outcome,
) -> Option<Parted> {
    let difference = difference(first, second)?;
    let words = |event| run(Tracing { trail: false, describe: Some(event) }).described;
    let (first, second) = match difference {
        Difference::Event(event) => (words(event), words(event)),
        Difference::Report => (None, None),
    };
    Some(Parted { difference, first, second })
}

/// The summary without the figures of the machine.
fn timeless(summary: &Summary) -> Summary {
    let mut summary = summary.clone();
    summary.facts.wall_s = 0.0;
    summary.facts.peak_rss_bytes = 0;
    summary
}

/// A difference for people, with the description of the event in both runs.
#[derive(Clone, Debug)]
pub struct Parted {
    /// The point.
    pub difference: Difference,
    /// The event in the first run; `None` if that run was over, or has no description of it.
    pub first: Option<String>,
    /// The event in the second run.
    pub second: Option<String>,
}

impl fmt::Display for Parted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.difference {
            Difference::Event(event) => {
                let words = |told: &Option<String>| match told {
                    Some(told) => cut(told).to_owned(),
                    None => "the run was over".to_owned(),
                };
                writeln!(
                    f,
                    "two runs of one plan differ: they part at event {event} (counted from 0)"
                )?;
                writeln!(f, "  first:  {}", words(&self.first))?;
                write!(f, "  second: {}", words(&self.second))?;
                if self.first == self.second {
                    write!(f, "\n  the event reads the same; what it led to is not")?;
                }
                Ok(())
            }
            Difference::Report => {
                write!(
                    f,
                    "two runs of one plan differ: every event is the same, but their summaries are not"
                )
            }
        }
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(WORDS_MAX).map_or(text, |(end, _)| &text[..end])
}

#[cfg(test)]
mod tests {
    use onsale_sim::plan::Plan;
    use onsale_sim::run::run;

    use super::*;

    fn outcome() -> Outcome {
        let mut scenario = onsale_scenarios::catalogue::find("fast/calm").unwrap().scenario();
        scenario.crowd.users = 20;
        run(
            &Plan::new(&scenario, 1),
            &std::sync::Arc::default(),
            Tracing { trail: true, describe: Some(3) },
        )
    }

    #[test]
    fn two_runs_are_the_same_but_for_the_machine() {
        let (first, mut second) = (outcome(), outcome());
        assert_eq!(difference(&first, &second), None);

        second.summary.facts.sold_seats += 1;
        assert_eq!(difference(&first, &second), Some(Difference::Report));

        second.trail.as_mut().unwrap().0[3] ^= 1;
        let parted = Parted {
            difference: difference(&first, &second).unwrap(),
            first: first.described,
            second: None,
        };
        let words = parted.to_string();
        assert!(words.contains("they part at event 3"), "{words}");
        assert!(words.contains("  first:  at 00:"), "{words}");
        assert!(words.contains("  second: the run was over"), "{words}");
    }
}
