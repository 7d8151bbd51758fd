//! Fewer changes of facts, and fewer people who read them.
//!
//! Owns which of a scenario's fact settings can be reduced, and when readers and writers begin and end. Refuses
//! to know what facts say.

use onsale_booking::Span;
use onsale_scenarios::Facts;
use onsale_sim::plan::Plan;

use super::{Dial, one};

/// Ends the readers and writers with the run. The people who came before that still come at the same instants:
/// visitors come evenly, so as many are kept as had come by then.
pub(super) fn cut(plan: &mut Plan, end: Span) {
    let Some(facts) = &mut plan.scenario.facts else { return };
    if facts.until <= end {
        return;
    }
    let every = (facts.until.0.saturating_sub(facts.from.0))
        .checked_div(facts.visitors.into())
        .filter(|&every| every > 0);
    match every {
        Some(every) if end.0 > facts.from.0 + every => {
            let visitors = (end.0 - facts.from.0) / every;
            facts.visitors = visitors as u32;
            facts.until = facts.from + Span(every * visitors);
        }
        Some(_) | None => {
            facts.visitors = facts.visitors.min(1);
            facts.until = end;
            facts.from = facts.from.min(Span(end.0.saturating_sub(1)));
        }
    }
}

/// The interval in which they are active.
pub(super) fn instants(plan: &Plan) -> impl Iterator<Item = Span> + '_ {
    plan.scenario.facts.iter().flat_map(|facts| [facts.from, facts.until])
}

/// Moves that interval.
pub(super) fn move_instants(plan: &mut Plan, to: impl Fn(Span) -> Span) {
    if let Some(facts) = &mut plan.scenario.facts {
        (facts.from, facts.until) = (to(facts.from), to(facts.until));
    }
}

/// The plan with few visitors, the fewest first, for a short interval that begins before a fault strikes.
pub(super) fn windows(plan: &Plan) -> Vec<Plan> {
    let Some(facts) = &plan.scenario.facts else { return Vec::new() };
    let few = [1, 2, 4, 8, 16, 32].into_iter().filter(|&visitors| visitors < facts.visitors);
    let strikes: Vec<Span> = plan.faults.iter().map(|fault| fault.at).collect();
    let lengths = [4, 10, 20].map(Span::from_secs);
    let lengths = lengths.into_iter().filter(|&length| length < facts.until - facts.from);
    let before = [0, 1, 3, 7].map(Span::from_secs);
    let mut windows = Vec::new();
    for (visitors, length) in few.flat_map(|few| lengths.clone().map(move |length| (few, length))) {
        for from in strikes.iter().flat_map(|at| before.map(|before| at.0.saturating_sub(before.0)))
        {
            let mut plan = plan.clone();
            let until = (Span(from) + length).min(plan.scenario.duration);
            if let Some(window) = &mut plan.scenario.facts {
                (window.from, window.until, window.visitors) = (Span(from), until, visitors);
            }
            windows.push(plan);
        }
    }
    windows
}

/// The reducible settings, in the order of reduction.
pub(super) fn dials() -> Vec<Dial> {
    let dial = |least, get: fn(&Facts) -> u32, set: fn(&mut Facts, u32)| {
        Dial::new(
            least,
            one,
            move |plan| plan.scenario.facts.as_ref().map_or(0, get).into(),
            move |plan, value| {
                if let Some(facts) = &mut plan.scenario.facts {
                    set(facts, value as u32);
                }
            },
        )
    };
    vec![
        dial(0, |facts| facts.visitors, |facts, value| facts.visitors = value),
        dial(
            0,
            |facts| facts.visitors,
            |facts, value| {
                // The first visitors are kept, at the instants at which they came.
                let every =
                    facts.until.0.saturating_sub(facts.from.0) / u64::from(facts.visitors.max(1));
                facts.visitors = value;
                facts.until = facts.from + Span(every * u64::from(value)).max(Span(1));
            },
        ),
        dial(0, |facts| facts.changes_per_minute, |facts, value| facts.changes_per_minute = value),
        dial(1, |facts| facts.events, |facts, value| facts.events = value),
        dial(1, |facts| facts.reads, |facts, value| facts.reads = value),
        dial(1, |facts| facts.admins.into(), |facts, value| facts.admins = value as u16),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let entry = onsale_scenarios::catalogue::find("unsafe/facts-sessions");
        Plan::new(&entry.expect("it is in the catalogue").scenario(), 1)
    }

    #[test]
    fn who_came_before_the_cut_comes_as_before_and_nobody_else() {
        let mut plan = plan();
        let before = plan.scenario.facts.clone().unwrap();
        let pace = |facts: &Facts| (facts.until - facts.from).0 / u64::from(facts.visitors);
        cut(&mut plan, Span::from_secs(33));
        let after = plan.scenario.facts.clone().unwrap();
        assert_eq!(pace(&after), pace(&before));
        assert!(after.until <= Span::from_secs(33) && after.visitors < before.visitors);
        assert!(after.until.0 + pace(&before) > Span::from_secs(33).0, "nobody is left out");
        cut(&mut plan, Span::from_millis(7));
        let shortest = plan.scenario.facts.unwrap();
        assert_eq!(shortest.visitors, 1);
        assert!(shortest.from < shortest.until && shortest.until == Span::from_millis(7));
    }

    #[test]
    fn few_visitors_come_around_each_fault() {
        let plan = plan();
        let windows = windows(&plan);
        assert!(!windows.is_empty());
        for window in windows {
            assert!(window.check().is_ok());
            let (few, all) =
                (window.scenario.facts.unwrap(), plan.scenario.facts.as_ref().unwrap());
            assert!(few.visitors < all.visitors && few.from <= plan.faults[0].at);
        }
    }
}
