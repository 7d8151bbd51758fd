//! A smaller cluster, fewer shows, a smaller hall, shorter holds.
//!
//! Owns which sizes of a scenario can be reduced, and what must be reduced with them so that the plan stays
//! valid.

use onsale_booking::Span;
use onsale_scenarios::Ratio;
use onsale_sim::plan::Plan;

use super::{Dial, one, readable};

/// Least number of nodes of a scenario.
const NODES_LEAST: u64 = 3;

/// Shortest hold: a person needs time to pay.
const HOLD_LEAST: Span = Span::from_secs(1);

/// The shows, and the cluster that sells them, in the order of reduction.
pub(super) fn cluster() -> [Dial; 4] {
    [
        Dial::new(
            1,
            one,
            |plan| plan.scenario.sale.shows.into(),
            |plan, shows| {
                plan.scenario.sale.shows = shows as u32;
                if shows == 1 {
                    plan.scenario.sale.hot_share = Ratio::ALWAYS;
                }
            },
        ),
        Dial::new(
            1,
            one,
            |plan| plan.scenario.cluster.shards.into(),
            |plan, shards| plan.scenario.cluster.shards = shards as u32,
        ),
        Dial::new(
            NODES_LEAST,
            one,
            |plan| plan.scenario.cluster.nodes.into(),
            |plan, nodes| {
                let cluster = &mut plan.scenario.cluster;
                cluster.nodes = nodes as u16;
                cluster.zones = cluster.zones.min(cluster.nodes);
                let quorum = &mut cluster.membership.static_quorum;
                *quorum = quorum.map(|quorum| quorum.min(cluster.nodes));
                aim_faults(plan);
            },
        ),
        Dial::new(
            1,
            one,
            |plan| plan.scenario.cluster.zones.into(),
            |plan, zones| {
                plan.scenario.cluster.zones = zones as u16;
                aim_faults(plan);
            },
        ),
    ]
}

/// The seats of each hall.
pub(super) fn hall() -> [Dial; 3] {
    [
        Dial::new(
            1,
            one,
            |plan| plan.scenario.sale.sections.into(),
            |plan, sections| plan.scenario.sale.sections = sections as u16,
        ),
        Dial::new(
            1,
            one,
            |plan| plan.scenario.sale.rows.into(),
            |plan, rows| plan.scenario.sale.rows = rows as u16,
        ),
        Dial::new(
            1,
            one,
            |plan| plan.scenario.sale.seats_per_row.into(),
            |plan, seats| plan.scenario.sale.seats_per_row = seats as u16,
        ),
    ]
}

/// The duration of holds.
pub(super) fn hold() -> Dial {
    Dial::new(
        HOLD_LEAST.0,
        readable,
        |plan| plan.scenario.sale.hold.0,
        |plan, hold| plan.scenario.sale.hold = Span(hold),
    )
}

/// The plan with fewer replicas, the fewest first; their number stays odd.
pub(super) fn with_fewer_replicas(plan: &Plan) -> Vec<Plan> {
    let fewer = (1..plan.scenario.cluster.replicas).step_by(2);
    let with = |replicas| {
        let mut plan = plan.clone();
        plan.scenario.cluster.replicas = replicas;
        plan
    };
    fewer.map(with).collect()
}

fn aim_faults(plan: &mut Plan) {
    let (nodes, zones) = (plan.scenario.cluster.nodes, plan.scenario.cluster.zones);
    plan.faults.iter_mut().for_each(|fault| fault.aim_within(nodes, zones));
}
