//! Default limits of a run, by scenario.
//!
//! Owns the figures, which are far beyond any sound run. Refuses to know how they are counted.

use onsale_scenarios::Scenario;
use onsale_world::limits::{BYTES_PER_REPLICA, Limits};

/// Limits far beyond any sound run of the scenario, and soon reached by a livelock: ten million events plus fifty for
/// each user, ten for each beat and a hundred for each replica; a gibibyte plus a kibibyte for each user and twice the
/// count of the replicas' bytes.
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
    fn larger_scenarios_have_higher_limits() {
        let mut scenario = calm();
        let small = allowance(&scenario);
        scenario.crowd.users *= 1_000;
        let large = allowance(&scenario);
        assert!(large.events_max > small.events_max && large.bytes_max > small.bytes_max);
    }

    #[test]
    fn the_start_of_a_large_cluster_is_within_the_limits() {
        let mut scenario = calm();
        scenario.cluster.shards = 65_536;
        let replicas = 65_536 * 3;
        let usual = allowance(&scenario);
        assert_eq!(usual.exceeded_by_start(10_000_000, 10 * replicas, replicas), None);
    }
}
