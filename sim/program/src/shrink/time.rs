//! A shorter run: it ends once it has failed, with no long idle times before.
//!
//! Owns the instants of a plan (arrivals, strikes and ends of faults, the end) and how they are moved. Refuses to
//! know what happens at them.

use onsale_booking::Span;
use onsale_scenarios::LASTS_LEAST;
use onsale_sim::plan::Plan;

use super::people::{list, with};
use super::{Case, Dial, facts, moment, readable};
use crate::signature::Signature;

/// The shortest sensible run.
const DURATION_LEAST: Span = Span::from_millis(1);

/// The plan cut off at `end`: up to there the run is the same.
pub(super) fn cut(plan: &Plan, end: Span) -> Plan {
    let end = end.max(DURATION_LEAST).min(plan.scenario.duration);
    let mut cut = match list(plan) {
        Some(people) => with(plan, people.iter().copied().filter(|&(at, _)| at <= end).collect()),
        None => plan.clone(),
    };
    cut.scenario.duration = end;
    facts::cut(&mut cut, end);
    cut.faults.retain(|fault| fault.at < end);
    for fault in &mut cut.faults {
        moment::end_window(fault, end);
        let lasts = fault.lasts.min(end - fault.strikes_by());
        *fault = fault.timed(fault.at, lasts);
    }
    cut
}

/// The plan cut off at the instant at which the failure was found.
pub(super) fn until_it_failed(case: &Case, target: &Signature) -> Vec<Plan> {
    let found = case.trial.failure(target).and_then(|failure| failure.found);
    let end = found.map(|found| next_readable(Span(found.0 + 1)));
    let end = end.filter(|&end| end < case.plan.scenario.duration);
    end.map(|end| cut(&case.plan, end)).into_iter().collect()
}

/// The plan cut off after the last event.
pub(super) fn until_it_ended(case: &Case) -> Vec<Plan> {
    vec![cut(&case.plan, next_readable(case.trial.ended))]
}

/// The next instant that reads well.
fn next_readable(at: Span) -> Span {
    Span(at.0.next_multiple_of(readable(at.0)))
}

/// Duration of the run.
pub(super) fn duration() -> Dial {
    Dial::new(
        DURATION_LEAST.0,
        readable,
        |plan| plan.scenario.duration.0,
        |plan, duration| *plan = cut(plan, Span(duration)),
    )
}

/// Most instants that are moved one by one: with more, there must first be fewer people.
const INSTANTS_MAX: usize = 100;

/// The planned instants, in order, each once. The time after the last instant is reduced by the duration.
fn instants(plan: &Plan) -> Vec<Span> {
    let people = list(plan).unwrap_or_default().iter().map(|&(at, _)| at);
    let faults = plan.faults.iter().flat_map(|fault| [fault.at, fault.strikes_by(), fault.ends()]);
    let mut instants: Vec<Span> = people.chain(faults).chain(facts::instants(plan)).collect();
    instants.sort_unstable();
    instants.dedup();
    instants
}

/// Gap between two instants in which the effects of the first settle.
pub(super) const SLACK: Span = Span::from_secs(1);

/// The gaps between the instants, each down to `least`. The last gap comes first, because closing one renumbers
/// those behind it.
pub(super) fn gaps(plan: &Plan, least: Span) -> Vec<Dial> {
    let instants = instants(plan).len();
    if instants > INSTANTS_MAX {
        return Vec::new();
    }
    (0..instants).rev().map(|nth| gap(nth, least)).collect()
}

/// The idle time before the `nth` instant; later instants move with it.
fn gap(nth: usize, least: Span) -> Dial {
    let bounds = move |plan: &Plan| {
        let instants = instants(plan);
        let until = instants.get(nth).copied();
        let from = nth.checked_sub(1).and_then(|before| instants.get(before)).copied();
        until.map(|until| (from.unwrap_or_default(), until))
    };
    Dial::new(
        least.0,
        readable,
        move |plan| bounds(plan).map_or(0, |(from, until)| (until - from).0),
        move |plan, length| {
            if let Some((from, until)) = bounds(plan) {
                let earlier = until - (from + Span(length));
                *plan = moved(plan, |at| if at >= until { at - earlier } else { at });
            }
        },
    )
}

/// The plan with instants that are easier to read: all of them, then one by one.
pub(super) fn rounded(plan: &Plan) -> Vec<Plan> {
    let units = [1_000, 100, 10, 1].map(Span::from_millis);
    let down = |at: Span, unit: Span| Span(at.0 - at.0 % unit.0);
    let all = units.iter().map(|&unit| moved(plan, |at| down(at, unit)));
    let instants = instants(plan);
    let each = instants.iter().filter(|_| instants.len() <= INSTANTS_MAX).flat_map(|&instant| {
        units.map(|unit| moved(plan, |at| if at == instant { down(at, unit) } else { at }))
    });
    all.chain(each).collect()
}

/// The plan with a fault that strikes slightly later, at an instant that reads better, for each fault. Tried at
/// the very end: nothing else makes an instant later.
pub(super) fn later(plan: &Plan) -> Vec<Plan> {
    let units = [1_000, 100, 10, 1].map(Span::from_millis);
    let mut plans = Vec::new();
    for (nth, fault) in plan.faults.iter().enumerate() {
        // The coarsest rounding first, down to the present one.
        let coarser = units.into_iter().take_while(|unit| !fault.at.0.is_multiple_of(unit.0));
        for unit in coarser {
            let mut plan = plan.clone();
            plan.faults[nth] = fault.timed(Span(fault.at.0.next_multiple_of(unit.0)), fault.lasts);
            plans.push(plan);
        }
    }
    plans
}

/// The plan with every instant moved.
fn moved(plan: &Plan, to: impl Fn(Span) -> Span) -> Plan {
    let mut plan = match list(plan) {
        Some(people) => with(plan, people.iter().map(|&(at, user)| (to(at), user)).collect()),
        None => plan.clone(),
    };
    for fault in &mut plan.faults {
        let [at, by, healed] = [fault.at, fault.strikes_by(), fault.ends()].map(&to);
        // No fault becomes longer because its beginning moves.
        let lasts = (healed - by).max(LASTS_LEAST).min(fault.lasts);
        moment::shorten_window(fault, by - at);
        *fault = fault.timed(at, lasts);
    }
    facts::move_instants(&mut plan, &to);
    plan.scenario.duration = to(plan.scenario.duration);
    plan
}
