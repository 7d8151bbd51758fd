//! Fewer, simpler, later and shorter faults.
//!
//! Owns which faults of a plan are removed, simplified and weakened. Refuses to know what a fault does and which
//! fault is simpler: its family says so.

use std::ops::Range;

use onsale_booking::Span;
use onsale_scenarios::{Fault, LASTS_LEAST};
use onsale_sim::plan::Plan;

use super::{Dial, one, readable};

/// The plan without some of its faults.
pub(super) fn without(plan: &Plan, which: Range<usize>) -> Option<Plan> {
    let mut plan = plan.clone();
    plan.faults.drain(which);
    Some(plan)
}

/// The plan with one fault simplified, for each fault and each way: fewer nodes, fewer links, and nothing left
/// to chance.
pub(super) fn simpler(plan: &Plan) -> Vec<Plan> {
    let mut plans = Vec::new();
    for (nth, fault) in plan.faults.iter().enumerate() {
        let cluster = &plan.scenario.cluster;
        for simpler in fault.simpler(cluster.nodes, cluster.zones) {
            let mut plan = plan.clone();
            plan.faults[nth] = simpler;
            plans.push(plan);
        }
    }
    plans
}

/// The reducible numbers of each fault: its strength, its end and its beginning.
pub(super) fn dials(plan: &Plan) -> Vec<Dial> {
    let of = |nth: usize| {
        let factor = Dial::new(
            2,
            one,
            move |plan| factor(plan, nth),
            move |plan, value| {
                let factor = plan.faults[nth].factor_mut();
                factor.into_iter().for_each(|factor| *factor = value as u32);
            },
        );
        let jump = Dial::new(
            LASTS_LEAST.0,
            readable,
            move |plan| jump(plan, nth),
            move |plan, value| {
                let by = plan.faults[nth].jump_mut();
                by.into_iter().for_each(|by| *by = Span(value));
            },
        );
        let lasts = move |plan: &Plan| plan.faults.get(nth).map_or(0, |fault| fault.lasts.0);
        let heal_earlier = Dial::new(LASTS_LEAST.0, readable, lasts, move |plan, lasts| {
            let fault = &mut plan.faults[nth];
            *fault = fault.timed(fault.at, Span(lasts));
        });
        let strike_later = Dial::new(LASTS_LEAST.0, readable, lasts, move |plan, lasts| {
            let fault = &mut plan.faults[nth];
            *fault = fault.timed(fault.ends() - Span(lasts), Span(lasts));
        });
        [factor, jump, heal_earlier, strike_later]
    };
    (0..plan.faults.len()).flat_map(of).collect()
}

/// Factor by which a fault slows something down; 0 if it does not.
fn factor(plan: &Plan, nth: usize) -> u64 {
    let mut fault = plan.faults.get(nth).cloned();
    fault.as_mut().and_then(Fault::factor_mut).map_or(0, |factor| u64::from(*factor))
}

/// Error of a clock that a fault causes; 0 if it causes none.
fn jump(plan: &Plan, nth: usize) -> u64 {
    let mut fault = plan.faults.get(nth).cloned();
    fault.as_mut().and_then(Fault::jump_mut).map_or(0, |by| by.0)
}
