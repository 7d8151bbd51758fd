//! A shorter run: it ends once it has failed, with no long idle times before.
//!
//! Owns the moments of a plan (arrivals, strikes and ends of faults, the end) and how they are moved. Refuses to
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

/// Most moments that are moved one by one: with more, there must first be fewer people.
const MOMENTS_MAX: usize = 100;

/// The planned moments, in order, each once. The time after the last moment is reduced by the duration.
fn moments(plan: &Plan) -> Vec<Span> {
    let people = list(plan).unwrap_or_default().iter().map(|&(at, _)| at);
    let faults = plan.faults.iter().flat_map(|fault| [fault.at, fault.strikes_by(), fault.ends()]);
    let mut moments: Vec<Span> = people.chain(faults).chain(facts::moments(plan)).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// Gap between two moments in which the effects of the first settle.
pub(super) const SLACK: Span = Span::from_secs(1);

/// The gaps between the moments, each down to `least`. The last gap comes first, because closing one renumbers
/// those behind it.
pub(super) fn gaps(plan: &Plan, least: Span) -> Vec<Dial> {
    let moments = moments(plan).len();
    if moments > MOMENTS_MAX {
        return Vec::new();
    }
    (0..moments).rev().map(|nth| gap(nth, least)).collect()
}

/// The idle time before the `nth` moment; later moments move with it.
fn gap(nth: usize, least: Span) -> Dial {
    let bounds = move |plan: &Plan| {
        let moments = moments(plan);
        let until = moments.get(nth).copied();
        let from = nth.checked_sub(1).and_then(|before| moments.get(before)).copied();
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

/// The plan with moments that are easier to read: all of them, then one by one.
pub(super) fn rounded(plan: &Plan) -> Vec<Plan> {
    let units = [1_000, 100, 10, 1].map(Span::from_millis);
    let down = |at: Span, unit: Span| Span(at.0 - at.0 % unit.0);
    let all = units.iter().map(|&unit| moved(plan, |at| down(at, unit)));
    let moments = moments(plan);
    let each = moments.iter().filter(|_| moments.len() <= MOMENTS_MAX).flat_map(|&moment| {
        units.map(|unit| moved(plan, |at| if at == moment { down(at, unit) } else { at }))
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

/// The plan with every moment moved.
fn moved(plan: &Plan, to: impl Fn(Span) -> Span) -> Plan {
    let plan = &moment::windows_moved(plan, &to);
    let mut plan = match list(plan) {
        Some(people) => with(plan, people.iter().map(|&(at, user)| (to(at), user)).collect()),
        None => plan.clone(),
    };
    for fault in &mut plan.faults {
        let (at, healed) = (to(fault.at), to(fault.ends()));
        // No fault becomes longer because its beginning moves.
        let lasts = (healed - at).max(LASTS_LEAST).min(fault.lasts);
        *fault = fault.timed(at, lasts);
    }
    facts::move_moments(&mut plan, &to);
    plan.scenario.duration = to(plan.scenario.duration);
    plan
}
