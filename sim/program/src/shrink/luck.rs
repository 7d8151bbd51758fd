//! The random streams of a shrunk plan.
//!
//! Owns which other streams a candidate is tried under, and how a plan becomes one that its scenario and a small
//! seed expand into. Refuses to know what is drawn from a stream.

use onsale_sim::plan::Plan;

use super::people::{list, with};

/// Number of other seeds under whose streams a candidate is tried.
pub(super) const OTHERS: usize = 8;

/// The seeds tried as a plan's own seed.
const PLAIN: std::ops::RangeInclusive<u64> = 1..=8;

/// The streams of people's wishes, which are kept.
const DEMAND: &str = "demand";

/// Gives the plan the streams of another seed, except for those of people's wishes.
pub(super) fn draw_again(plan: &mut Plan, nth: usize) {
    let demand = plan.stream(DEMAND);
    let other = Plan::new(&plan.scenario, nth as u64 + 1);
    plan.streams = other.streams;
    plan.streams.insert(DEMAND.to_owned(), demand);
}

/// Drops the streams of parts that the plan no longer has.
pub(super) fn tidy(plan: &mut Plan) {
    let drawn = Plan::new(&plan.scenario, plan.seed).streams;
    plan.streams.retain(|name, _| drawn.contains_key(name));
}

/// Whether the scenario and the seed expand into exactly this plan.
pub(super) fn is_plain(plan: &Plan) -> bool {
    Plan::new(&plan.scenario, plan.seed).streams == plan.streams
}

/// The plan as the scenario expands into it under a small seed, with people numbered from 0 if possible.
pub(super) fn plainer(plan: &Plan) -> Vec<Plan> {
    let drawn = |plan: &Plan, seed| {
        let streams = Plan::new(&plan.scenario, seed).streams;
        Plan { seed, streams, ..plan.clone() }
    };
    let mut plans = Vec::new();
    let people = list(plan).unwrap_or_default();
    let is_counted = people.iter().map(|&(_, user)| user).eq(0..people.len() as u32);
    if !is_counted && !people.is_empty() {
        let counted = people.iter().zip(0..).map(|(&(at, _), user)| (at, user)).collect();
        let counted = with(plan, counted);
        plans.extend(PLAIN.map(|seed| drawn(&counted, seed)));
    }
    if !is_plain(plan) {
        plans.extend(PLAIN.map(|seed| drawn(plan, seed)));
    }
    plans
}
