//! A shorter run: it ends once it has failed, and nothing waits for long before.
//!
//! Owns the moments of a plan (who comes, what strikes and heals, the end) and how they are
//! moved. Refuses to know what happens at them.

use onsale_core::Span;

use super::fault::{LASTS_LEAST, timed};
use super::people::{list, with};
use super::{Dial, readable};
use crate::plan::Plan;

/// The shortest run that can hold anything.
const DURATION_LEAST: Span = Span::from_millis(1);

/// The plan as far as it goes until `end`: up to there the run is the same.
pub(super) fn cut(plan: &Plan, end: Span) -> Plan {
    let end = end.max(DURATION_LEAST).min(plan.scenario.duration);
    let mut cut = match list(plan) {
        Some(people) => with(plan, people.iter().copied().filter(|&(at, _)| at <= end).collect()),
        None => plan.clone(),
    };
    cut.scenario.duration = end;
    cut.faults.retain(|fault| fault.at() < end);
    for fault in &mut cut.faults {
        let lasts = fault.lasts().min(end - fault.at());
        *fault = timed(fault, fault.at(), lasts);
    }
    cut
}

/// How long the run goes on.
pub(super) fn duration() -> Dial {
    Dial::new(
        DURATION_LEAST.0,
        readable,
        |plan| plan.scenario.duration.0,
        |plan, duration| *plan = cut(plan, Span(duration)),
    )
}

/// More moments are not looked at one by one: first there must be fewer people.
const MOMENTS_MAX: usize = 100;

/// The moments of a plan, in order, each once.
fn moments(plan: &Plan) -> Vec<Span> {
    let people = list(plan).unwrap_or_default().iter().map(|&(at, _)| at);
    let faults = plan.faults.iter().flat_map(|fault| [fault.at(), fault.at() + fault.lasts()]);
    let mut moments: Vec<Span> = people.chain(faults).chain([plan.scenario.duration]).collect();
    moments.sort_unstable();
    moments.dedup();
    moments
}

/// So much between two moments lets what one leads to settle before the other.
pub(super) const SLACK: Span = Span::from_secs(1);

/// The gaps between the moments, each down to `least`. The last one comes first: one that closes
/// renumbers those behind it.
pub(super) fn gaps(plan: &Plan, least: Span) -> Vec<Dial> {
    let moments = moments(plan).len();
    if moments > MOMENTS_MAX {
        return Vec::new();
    }
    (0..moments).rev().map(|nth| gap(nth, least)).collect()
}

/// The time before the `nth` moment, in which nothing is planned: what comes later moves with it.
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
    let units = [Span::from_secs(1), Span::from_millis(100), Span::from_millis(1)];
    let down = |at: Span, unit: Span| Span(at.0 - at.0 % unit.0);
    let all = units.iter().map(|&unit| moved(plan, |at| down(at, unit)));
    let moments = moments(plan);
    let each = moments.iter().filter(|_| moments.len() <= MOMENTS_MAX).flat_map(|&moment| {
        units.map(|unit| moved(plan, |at| if at == moment { down(at, unit) } else { at }))
    });
    all.chain(each).collect()
}

/// The plan with every moment moved.
fn moved(plan: &Plan, to: impl Fn(Span) -> Span) -> Plan {
    let mut plan = match list(plan) {
        Some(people) => with(plan, people.iter().map(|&(at, user)| (to(at), user)).collect()),
        None => plan.clone(),
    };
    for fault in &mut plan.faults {
        let (at, healed) = (to(fault.at()), to(fault.at() + fault.lasts()));
        // No fault becomes longer because its beginning moves.
        let lasts = (healed - at).max(LASTS_LEAST).min(fault.lasts());
        *fault = timed(fault, at, lasts);
    }
    plan.scenario.duration = to(plan.scenario.duration);
    plan
}
