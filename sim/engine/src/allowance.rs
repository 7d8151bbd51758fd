//! How much a run of a scenario may do before it is stopped.
//!
//! Owns the figures, which are far beyond what any sound run takes. Refuses to know how they are counted.

use onsale_scenarios::Scenario;
use onsale_world::limits::{BYTES_PER_REPLICA, Limits};

/// Far more than any sound run of the scenario takes, and soon reached by one that turns in
/// circles: ten million events, fifty for each user, ten for each beat, and a hundred for each replica; a
/// gibibyte, a kibibyte for each user, and twice what replicas count for.
pub fn allowance(scenario: &Scenario) -> Limits {
    let (cluster, users) = (&scenario.cluster, u64::from(scenario.crowd.users));
    let span = scenario.duration + scenario.calm + scenario.sale.hold + scenario.sale.grace;
    let rounds = span.micros() / cluster.beat_every.micros().max(1);
    let beats = rounds.saturating_mul(u64::from(cluster.numbers()).pow(2));
    let replicas = u64::from(cluster.shards) * u64::from(cluster.replicas);
    let events_max = beats
        .saturating_mul(10)
        .saturating_add(50 * users + 100 * replicas)
        .saturating_add(10_000_000);
    let bytes_max = (1 << 30) + (users << 10) + 2 * replicas * BYTES_PER_REPLICA;
    Limits { events_max, bytes_max }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm() -> Scenario {
        onsale_scenarios::catalogue::find("fast/calm").expect("it is there").scenario()
    }

    #[test]
    fn larger_scenarios_may_do_more() {
        let mut scenario = calm();
        let small = allowance(&scenario);
        scenario.crowd.users *= 1_000;
        let large = allowance(&scenario);
        assert!(large.events_max > small.events_max && large.bytes_max > small.bytes_max);
    }

    #[test]
    fn what_a_large_cluster_takes_to_start_is_allowed() {
        let mut scenario = calm();
        scenario.cluster.shards = 65_536;
        let replicas = 65_536 * 3;
        let usual = allowance(&scenario);
        assert_eq!(usual.exceeded_by_start(10_000_000, 10 * replicas, replicas), None);
    }
}
