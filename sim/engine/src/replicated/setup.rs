//! The cluster that a scenario describes.
//!
//! Owns the mapping from a scenario's settings to those of the nodes, and the initial placement.
//! Refuses to know how anything runs.

use std::sync::Arc;

use onsale_cluster::{
    Config, FactsConfig, GatewayConfig, LeaderConfig, MembershipConfig, Placement, Setup,
};
use onsale_scenarios::{Cluster, Sale, Scenario, ShardBy};

use crate::sale::{hall, rules};

/// The initial placement of a run.
pub fn placement(scenario: &Scenario) -> Placement {
    let cluster = &scenario.cluster;
    let together = match cluster.shard_by {
        ShardBy::Show => 1,
        ShardBy::Event => scenario.sale.shows_per_event,
    };
    let placement = Placement::new(cluster.nodes, cluster.zones, cluster.shards, cluster.replicas)
        .together(together);
    if scenario.changes_nodes() { placement.changing(cluster.spares) } else { placement }
}

/// The shared settings of the nodes.
pub fn setup(scenario: &Scenario) -> Setup {
    let (cluster, sale) = (&scenario.cluster, &scenario.sale);
    let leader = leader(cluster, sale);
    let rules = rules(sale, leader.is_single_writer());
    let placement = placement(scenario);
    Setup {
        config: Config {
            beat_every: cluster.beat_every,
            suspicion_phi: cluster.suspicion_phi,
            acceptable_pause: cluster.acceptable_pause,
            min_std_deviation: cluster.min_std_deviation,
            tick_every: cluster.tick_every,
            election_ticks: cluster.election_ticks,
            snapshot_every: cluster.snapshot_every,
            keep_records: cluster.keep_records,
            segment_bytes: cluster.segment_bytes,
            on_suspicion: cluster.on_suspicion,
            membership: MembershipConfig {
                quorum: cluster.membership.static_quorum,
                stable_after: cluster.membership.stable_after,
            },
            leader_placement: cluster.leader_placement.config(),
            promises: cluster.journal.promises,
            activates: cluster.journal.activates,
            leader,
            gateway: gateway(cluster),
            facts: facts(cluster),
        },
        homes: placement.homes(sale.venues_of_shows()),
        placement: Arc::new(placement),
        hall: Arc::new(hall(sale)),
        rules,
        shows: sale.shows,
    }
}

fn leader(cluster: &Cluster, sale: &Sale) -> LeaderConfig {
    LeaderConfig {
        acknowledge: cluster.leader.acknowledge,
        reads: cluster.leader.reads,
        decides_on: cluster.leader.decides_on,
        serves: cluster.leader.serves,
        deposed: cluster.leader.deposed,
        reckoning: cluster.leader.reckoning,
        overdue: cluster.leader.overdue,
        expiry: sale.expiry,
        sweep_every: sale.sweep_every,
    }
}

fn gateway(cluster: &Cluster) -> GatewayConfig {
    let gateway = &cluster.gateway;
    GatewayConfig {
        tries: gateway.tries,
        try_timeout: gateway.try_timeout,
        backoff_base: gateway.backoff_base,
        backoff_cap: gateway.backoff_cap,
        retry_budget: onsale_cluster::Ratio {
            num: gateway.retry_budget.num,
            den: gateway.retry_budget.den,
        },
        in_flight_per_shard: gateway.in_flight_per_shard,
    }
}

fn facts(cluster: &Cluster) -> FactsConfig {
    let facts = &cluster.facts;
    FactsConfig {
        fanout: facts.fanout,
        repair_every: facts.repair_every,
        accepted_drift: facts.accepted_drift,
        deletions_last: facts.deletions_last,
        patience: facts.patience,
        sessions: facts.sessions,
        forgets: facts.forgets,
    }
}
