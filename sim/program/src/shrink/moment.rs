//! Moments that faults wait for: sooner, at any node, the first of them; and in the end the instant instead.
//!
//! Owns how a wait is made simpler. A fault keeps its moment as long as anything else can be tried: a moment survives
//! other changes of the plan, an instant does not. Refuses to know how a run resolves a moment.

use onsale_booking::Span;
use onsale_reports::FaultResult;
use onsale_scenarios::{Fault, LASTS_LEAST, Target, When};
use onsale_sim::plan::Plan;

use super::{Case, Dial, one, readable};

/// Time by which a window begins before its moment, so that it still comes after a change.
const BEFORE: Span = Span::from_millis(100);

/// The strike of a fault that waited for a moment: the fault's number, the instant, and the node of the moment.
pub(super) fn strike(row: &FaultResult) -> Option<(usize, (Span, Target))> {
    let node = row.moment.as_ref()?.node.as_ref()?;
    Some((row.index, (Span((row.at_s * 1e6).round() as u64), node.parse().ok()?)))
}

/// The plan with a wait that begins shortly before its moment and ends soon after, for each fault that waited: then it
/// is the first moment, or one of the first.
pub(super) fn nearer(case: &Case) -> Vec<Plan> {
    let of = |(nth, when, (strikes, _)): (usize, When, (Span, Target))| {
        let begins = case.plan.faults[nth].at;
        let came = strikes - when.delay.min(strikes);
        let from = Span(came.0.saturating_sub(BEFORE.0)).max(begins);
        let near = When { within: Span((came - from).0 + BEFORE.0).min(when.within), ..when };
        let short = When { within: Span((came - begins).0 + 1).min(when.within), ..when };
        let nearer = [(from, When { count: 1, ..near }), (from, near), (begins, short)];
        nearer.into_iter().filter(move |&smaller| smaller != (begins, when)).map(move |smaller| {
            let mut plan = case.plan.clone();
            (plan.faults[nth].at, plan.faults[nth].when) = (smaller.0, Some(smaller.1));
            plan
        })
    };
    waits(case).flat_map(of).collect()
}

/// The reducible numbers of each wait.
pub(super) fn dials(plan: &Plan) -> Vec<Dial> {
    let get = |nth: usize, of: fn(&When) -> u64| {
        move |plan: &Plan| plan.faults.get(nth).and_then(|fault| fault.when.as_ref()).map_or(0, of)
    };
    let set = |nth: usize, to: fn(&mut When, u64)| {
        move |plan: &mut Plan, value| {
            plan.faults[nth].when.iter_mut().for_each(|when| to(when, value));
        }
    };
    let of = |nth: usize| {
        [
            Dial::new(
                0,
                readable,
                get(nth, |when| when.delay.0),
                set(nth, |when, value| when.delay = Span(value)),
            ),
            Dial::new(
                1,
                one,
                get(nth, |when| u64::from(when.count)),
                set(nth, |when, value| when.count = value as u32),
            ),
            Dial::new(
                LASTS_LEAST.0,
                readable,
                get(nth, |when| when.within.0),
                set(nth, |when, value| when.within = Span(value)),
            ),
        ]
    };
    (0..plan.faults.len()).flat_map(of).collect()
}

/// The plan with a moment at any node, for each fault that waits for one at a certain node.
pub(super) fn simpler(plan: &Plan) -> Vec<Plan> {
    let filters = |fault: &Fault| fault.when.is_some_and(|when| when.node.is_some());
    let of = (0..plan.faults.len()).filter(|&nth| filters(&plan.faults[nth]));
    let anywhere = |nth: usize| {
        let mut plan = plan.clone();
        plan.faults[nth].when.iter_mut().for_each(|when| when.node = None);
        plan
    };
    of.map(anywhere).collect()
}

/// The plan with the instant of a strike instead of its moment, for each fault that waited.
pub(super) fn instants(case: &Case) -> Vec<Plan> {
    let of = |(nth, _, (at, node)): (usize, When, (Span, Target))| {
        let mut plan = case.plan.clone();
        let fault = &mut plan.faults[nth];
        *fault = fault.struck_at(at);
        fault.each_target(&mut |target| {
            if *target == Target::There {
                *target = node;
            }
        });
        plan
    };
    waits(case).map(of).collect()
}

/// Shortens the time from the start of a fault's window to its latest strike to `length`; it never becomes longer.
pub(super) fn shorten_window(fault: &mut Fault, length: Span) {
    if let Some(when) = &mut fault.when {
        let within = Span(length.0.saturating_sub(when.delay.0)).max(LASTS_LEAST);
        when.within = within.min(when.within);
    }
}

/// Ends the window of a fault early enough for a run that ends at `end`.
pub(super) fn end_window(fault: &mut Fault, end: Span) {
    let rest = Span((end - fault.at).0.saturating_sub(LASTS_LEAST.0));
    if let Some(when) = &mut fault.when {
        when.delay = when.delay.min(Span(rest.0 / 2));
        when.within = when.within.min(rest - when.delay).max(Span(1));
    }
}

/// The faults that waited and struck: their numbers, their waits, and the instants and nodes of their strikes.
fn waits(case: &Case) -> impl Iterator<Item = (usize, When, (Span, Target))> + '_ {
    case.trial.strikes.iter().filter_map(|(&nth, &strike)| {
        let when = case.plan.faults.get(nth)?.when?;
        Some((nth, when, strike))
    })
}
