//! The judges' settings for a plan: its sale, and the lateness that its faults allow.
//!
//! Owns the translation of scenario and faults. Refuses to know what happens in a run.

use onsale_booking::{ShowId, Span};
use onsale_cluster::Placement;
use onsale_cluster::facts::EARLY_MAX;
use onsale_cluster::gateway::BUDGET_REFILLS;
use onsale_oracles::{Load, OracleSettings, Promise};
use onsale_scenarios::{ClockFault, Facts, Family, Fault, NetworkFault, Sale, Scenario, What};

use super::{feasible, late, recovery, slowest};
use crate::judges::JudgeSettings;
use crate::judges::facts::Bounds;
use crate::plan::Plan;
use crate::sale::REMEMBER;

/// Share of a clock's error by which a deferred delta may come later.
const DEFERRED: u64 = EARLY_MAX as u64 / 2;

/// The judges' settings for a plan, played with this placement.
pub(super) fn judge_settings(plan: &Plan, placement: &Placement) -> JudgeSettings {
    let scenario = &plan.scenario;
    let sale = &scenario.sale;
    let seats_per_section = u32::from(sale.rows) * u32::from(sale.seats_per_row);
    let (lateness, paces) = late::lateness(plan);
    let oracles = OracleSettings {
        shows: sale.shows,
        seats_per_show: seats_per_section * u32::from(sale.sections),
        seats_per_section,
        seats_per_row: u32::from(sale.seats_per_row),
        seats_per_request: sale.seats_per_request,
        hold: sale.hold,
        grace: sale.grace,
        remember: REMEMBER,
        early: early(plan),
        lateness,
        slowest_answer: feasible::answers_come(scenario).then(|| slowest::of_request(scenario)),
        patience: scenario.crowd.session.request_timeout + scenario.crowd.session.backoff_cap,
        log_of: (0..sale.shows).map(|show| placement.shard_of(ShowId(show)).0).collect(),
        recovery: recovery::recovery(scenario).min(scenario.calm),
        unseen: recovery::unseen(scenario),
        load: load(scenario),
        live_bound: scenario.calm,
        may_recover: may_recover(plan),
        quantum: scenario.quantum,
        answers_within: answers_within(scenario),
        expires_within: recovery::expiry(scenario),
        flight: flight(scenario),
        in_flight_per_log: scenario.cluster.gateway.in_flight_per_shard,
        duplicates: may_duplicate(plan),
        lost_ppb: feasible::lost_ppb(scenario),
    };
    let facts = scenario.facts.as_ref().map(|facts| Bounds {
        agree_within: facts.agree_within,
        clocks_apart: clocks_apart(plan),
        may_go_unanswered: !feasible::facts_arrive(scenario),
        may_lose_patience: slowest::outlasts_patience(scenario),
        clocks_wrong: clocks_wrong(plan),
        accepted_drift: scenario.cluster.facts.accepted_drift,
        deletions_last: scenario.cluster.facts.deletions_last,
        slowest: slowest::of_question(scenario) + longest_queue(scenario, facts),
        recovery: recovery::recovery(scenario),
        repair_every: scenario.cluster.facts.repair_every,
    });
    let replicas = placement.clone();
    let moves_end = feasible::moves_end(scenario);
    JudgeSettings { oracles, paces, moves_end, prompt: recovery::prompt(scenario), facts, replicas }
}

/// Time within which a request is answered that no interruption touches: recovery and the slowest answer. A network that
/// loses messages without faults bounds none.
fn answers_within(scenario: &Scenario) -> Option<Span> {
    let is_bounded = feasible::answers_come(scenario) && scenario.network.loss.is_never();
    is_bounded.then(|| recovery::recovery(scenario) + slowest::of_request(scenario))
}

/// The longest time for which an attempt of a client may be under way at a gateway: all tries of the gateway, each with a
/// backoff and once more for a hint about the leader, the ways of the client, and the batching window. No less than the
/// time in which a gateway's budget of retries refills.
fn flight(scenario: &Scenario) -> Span {
    let gateway = &scenario.cluster.gateway;
    let each = gateway.try_timeout + gateway.backoff_cap;
    let ways = slowest::of_client(scenario).0;
    let flight = Span(2 * u64::from(gateway.tries) * each.0 + 2 * ways + scenario.quantum.0);
    flight.max(BUDGET_REFILLS)
}

/// Whether a message may arrive twice, without faults or by one of the plan.
fn may_duplicate(plan: &Plan) -> bool {
    let duplicates =
        |fault: &Fault| matches!(fault.what, What::Network(NetworkFault::Duplicate { .. }));
    !plan.scenario.network.duplicate.is_never() || plan.faults.iter().any(duplicates)
}

/// Whether an operator may recover a log of which a majority is lost for good.
fn may_recover(plan: &Plan) -> bool {
    plan.faults.iter().any(|fault| fault.family() == Family::MajorityLoss)
}

/// The load under which requests may stay unanswered: a gateway tries again by a budget, which is a share of first
/// attempts, and a leader drops requests that have waited for a quarter of a gateway's time-out.
fn load(scenario: &Scenario) -> Load {
    let gateway = &scenario.cluster.gateway;
    let once = slowest::work(&scenario.costs).0;
    let work = Span(once.saturating_add(gateway.retry_budget.of(once)));
    Load { work, wait: Span(gateway.try_timeout.0 / 4) }
}

/// Time by which holds may end early by the fastest clock of the plan, all drifts at once; `None` if no clock is ever
/// wrong.
fn early(plan: &Plan) -> Option<Span> {
    let mut faults = plan.faults.iter();
    let may_be_wrong = faults.any(|fault| matches!(fault.what, What::Clock(_)));
    if plan.scenario.cluster.clock_skew == Span::ZERO && !may_be_wrong {
        return None;
    }
    let Sale { hold, grace, .. } = plan.scenario.sale;
    let drifts = plan.faults.iter().filter_map(|fault| {
        let What::Clock(ClockFault::ClockDrift { by, slow, .. }) = &fault.what else { return None };
        (!slow).then_some(by)
    });
    let lost = drifts.map(|by| Promise { hold, grace }.lost_to(by.num, by.den));
    Some(lost.fold(Span::ZERO, |sum, lost| sum + lost))
}

/// The longest time for which a question may wait for a node's cores: the work of all attempts of everybody.
fn longest_queue(scenario: &Scenario, facts: &Facts) -> Span {
    let people = u64::from(scenario.crowd.users) + u64::from(facts.visitors);
    let attempts = people.saturating_mul(u64::from(scenario.crowd.session.tries));
    Span(attempts.saturating_mul(load(scenario).work.0))
}

/// Difference of the plan's clocks from the true time, all faults at once.
fn clocks_wrong(plan: &Plan) -> Span {
    wrong_with(&plan.scenario, &plan.faults)
}

/// Difference of the clocks from the true time with these faults, all at once.
pub(crate) fn wrong_with(scenario: &Scenario, faults: &[Fault]) -> Span {
    let wrong_by = |fault: &Fault| {
        if let What::Clock(clock) = &fault.what { clock.wrong_by(fault.lasts).0 } else { 0 }
    };
    Span(scenario.cluster.clock_skew.0 + faults.iter().map(wrong_by).sum::<u64>())
}

/// The most by which clocks may be wrong if the last fault ends after this time, so that nodes must agree on facts and are
/// asked for them before the run is over; `None` without facts.
pub(crate) fn wrong_at_most(scenario: &Scenario, faults_end: Span) -> Option<Span> {
    let facts = scenario.facts.as_ref()?;
    let answers = scenario.crowd.session.request_timeout + slowest::of_question(scenario);
    let over = facts.until.max(faults_end) + facts.agree_within + answers + Span::from_secs(2);
    let apart = Span((scenario.duration - over).0 / (DEFERRED + 1) * DEFERRED);
    Some(apart + scenario.cluster.facts.accepted_drift)
}

/// Difference of the plan's clocks beyond what nodes accept, all faults at once, and a 32nd of it: facts
/// from a node whose clock is ahead may arrive later by that difference, and the deltas that a node defers
/// are a 32nd of it apart.
pub(super) fn clocks_apart(plan: &Plan) -> Span {
    let apart = clocks_wrong(plan).0.saturating_sub(plan.scenario.cluster.facts.accepted_drift.0);
    Span(apart + apart / DEFERRED)
}
