//! The machines of one seed: in a third of the seeds slow, few or with short logs, so that the windows between a
//! promise and its write are wide.
//!
//! Owns the traits of a profile and their ranges, and the time-outs that must follow so that the cluster still works.
//! Each trait draws from a stream of its own. A trait that does not fit the scenario is left out. Refuses to change what
//! is for sale, the people, and the faults of the scenario.

use onsale_booking::Span;
use onsale_scenarios::{Costs, Scenario, System, Timing};
use onsale_world::disk::longest_sync;
use onsale_world::stream::{Stream, fork};

use super::pick;
use crate::run::{feasible, slowest};

/// A change of one trait, drawn from a stream.
type Trait = fn(&mut Scenario, &mut Stream);

const TRAITS: [(&str, Trait); 5] =
    [("few", few), ("logs", logs), ("disks", disks), ("links", links), ("cores", cores)];

/// Gives the scenario the machines of a seed.
pub(super) fn draw(scenario: &mut Scenario, seed: u64) {
    let mut stream = Stream::new(fork(seed, "profile"));
    // Limits on waits are those of the machines that the scenario describes.
    let is_open = scenario.limits.is_empty()
        && scenario.must_fail.is_none()
        && scenario.cluster.system == System::Replicated;
    if stream.below(3) > 0 || !is_open {
        return;
    }
    for (name, change) in TRAITS {
        let mut stream = Stream::new(fork(seed, &format!("profile/{name}")));
        let mut changed = scenario.clone();
        if stream.below(2) == 0 {
            change(&mut changed, &mut stream);
            wait_longer(&mut changed);
            if works_as_well(&changed, scenario) {
                *scenario = changed;
            }
        }
    }
}

/// Whether everything that must come in time with one scenario must with the other.
fn works_as_well(changed: &Scenario, before: &Scenario) -> bool {
    [feasible::answers_come, feasible::facts_arrive, feasible::moves_end]
        .into_iter()
        .all(|comes| comes(changed) || !comes(before))
}

/// Three nodes and two shards, unless faults name nodes or venues zones.
fn few(scenario: &mut Scenario, _: &mut Stream) {
    let cluster = &mut scenario.cluster;
    let is_plain = scenario.faults.is_empty()
        && scenario.sale.venues.is_empty()
        && cluster.spares == 0
        && cluster.membership.static_quorum.is_none()
        && (cluster.zones, cluster.replicas) == (3, 3);
    if is_plain {
        (cluster.nodes, cluster.shards) = (3, 2);
    }
}

/// Snapshots and new segments at every turn.
fn logs(scenario: &mut Scenario, stream: &mut Stream) {
    let cluster = &mut scenario.cluster;
    cluster.snapshot_every = cluster.snapshot_every.min(pick(&[4, 16, 64], stream));
    cluster.keep_records = cluster.keep_records.min(pick(&[1, 4, 16], stream));
    cluster.segment_bytes = cluster.segment_bytes.min(pick(&[4_096, 32_768], stream));
}

/// Disks 10 to 500 times slower; where shards move, at most 30 times, as a move takes dozens of writes.
///
/// A write under drawn faults takes at most 500 × 100 times as long as on the scenario's disk: a swarm's `slow-disk`
/// draws at most 100, of overlapping ones the worst counts, and 50,000 is within the bounds of a written `factor`.
fn disks(scenario: &mut Scenario, stream: &mut Stream) {
    let factor = pick(&[10, 30, 100, 500], stream);
    let factor = if scenario.changes_nodes() { factor.min(30) } else { factor };
    slow(&mut scenario.disk.fsync, factor);
    // The tail of such a disk is no longer than a slow write.
    scenario.disk.tail_factor = scenario.disk.tail_factor.min(2);
}

/// Links between nodes 3 to 20 times slower.
fn links(scenario: &mut Scenario, stream: &mut Stream) {
    let factor = pick(&[3, 8, 20], stream);
    let network = &mut scenario.network;
    slow(&mut network.within_zone, factor);
    slow(&mut network.between_zones, factor);
    network.tail_factor = network.tail_factor.min(2);
}

/// Cores 10 or 50 times slower.
fn cores(scenario: &mut Scenario, stream: &mut Stream) {
    let factor = pick(&[10, 50], stream);
    let Costs { route, reply, decide, journal_message, beat, persisted, .. } = &mut scenario.costs;
    for cost in [route, decide, journal_message, beat, persisted].into_iter().chain(reply) {
        slow(cost, factor);
    }
}

fn slow(timing: &mut Timing, factor: u64) {
    timing.set_typical(Span(timing.typical().0 * factor));
}

/// Lengthens the time-outs that slower machines outlast: elections, attempts of gateways, questions of people.
fn wait_longer(scenario: &mut Scenario) {
    let (inside, write) = (slowest::inside(&scenario.network), longest_sync(&scenario.disk));
    let attempt = slowest::of_attempt(scenario);
    let cluster = &mut scenario.cluster;
    // A vote takes two writes and a round trip, and half as long again may pass before others stand.
    let election = 3 * (write.0 + inside.0);
    let ticks = election.div_ceil(cluster.tick_every.0).min(u64::from(u16::MAX)) as u16;
    cluster.election_ticks = cluster.election_ticks.max(ticks);
    cluster.gateway.try_timeout = cluster.gateway.try_timeout.max(Span(2 * attempt.0));
    let session = &mut scenario.crowd.session;
    session.request_timeout = session.request_timeout.max(Span(6 * attempt.0));
    cluster.facts.patience = cluster.facts.patience.max(Span(4 * inside.0));
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use onsale_scenarios::catalogue;

    use super::*;
    use crate::plan::Plan;

    fn swarming() -> Scenario {
        catalogue::find("fast/all-families").expect("it is in the catalogue").scenario()
    }

    fn drawn(scenario: &Scenario, seed: u64) -> Scenario {
        let mut drawn = scenario.clone();
        draw(&mut drawn, seed);
        drawn
    }

    fn ratio(after: &Timing, before: &Timing) -> u64 {
        assert_eq!(after.typical().0 % before.typical().0, 0, "{after:?} of {before:?}");
        after.typical().0 / before.typical().0
    }

    /// A seed has the same machines each time, a third of the seeds others than the scenario, and each trait some.
    #[test]
    fn a_third_of_the_seeds_draws_other_machines_each_the_same_every_time() {
        let scenario = swarming();
        let (mut others, mut kinds) = (0, BTreeSet::new());
        for seed in 0..300 {
            let machines = drawn(&scenario, seed);
            assert_eq!(machines, drawn(&scenario, seed), "{seed}");
            others += u32::from(machines != scenario);
            let (cluster, costs) = (&machines.cluster, &machines.costs);
            kinds.extend([
                ("logs", cluster.keep_records != scenario.cluster.keep_records),
                ("disks", machines.disk.fsync != scenario.disk.fsync),
                ("links", machines.network.within_zone != scenario.network.within_zone),
                ("cores", costs.decide != scenario.costs.decide),
            ]);
        }
        assert!((60..=110).contains(&others), "{others} of 300");
        assert_eq!(kinds.len(), 8, "each trait is drawn and left out: {kinds:?}");
    }

    /// The ranges of each trait, the rest as the scenario has it, and time-outs that are never shorter.
    #[test]
    fn machines_stay_within_the_ranges_of_their_traits() {
        let scenario = swarming();
        for seed in 0..300 {
            let it = drawn(&scenario, seed);
            let (now, before) = (&it.cluster, &scenario.cluster);
            assert!([1, 10, 30, 100, 500].contains(&ratio(&it.disk.fsync, &scenario.disk.fsync)));
            let links = ratio(&it.network.between_zones, &scenario.network.between_zones);
            assert_eq!(ratio(&it.network.within_zone, &scenario.network.within_zone), links);
            assert!([1, 3, 8, 20].contains(&links), "{seed}: {links}");
            assert!([1, 10, 50].contains(&ratio(&it.costs.decide, &scenario.costs.decide)));
            assert!(now.keep_records <= before.keep_records && now.keep_records >= 1);
            assert!(now.snapshot_every <= before.snapshot_every && now.snapshot_every >= 4);
            assert!(now.segment_bytes <= before.segment_bytes && now.segment_bytes >= 4_096);
            assert!(now.election_ticks >= before.election_ticks);
            assert!(now.gateway.try_timeout >= before.gateway.try_timeout);
            assert!(it.crowd.session.request_timeout >= scenario.crowd.session.request_timeout);
            assert!(works_as_well(&it, &scenario), "{seed}");
            assert_eq!(
                (&it.sale, &it.faults, &it.swarm),
                (&scenario.sale, &scenario.faults, &scenario.swarm)
            );
        }
    }

    /// Only swarms that ask for machines get them, and no scenario whose verdict depends on its own.
    #[test]
    fn machines_are_the_scenarios_without_profiles_or_where_a_verdict_depends_on_them() {
        let mut plain = swarming();
        plain.swarm.as_mut().expect("it swarms").profiles = false;
        let must_fail = catalogue::all()
            .iter()
            .map(|entry| entry.scenario())
            .find(|scenario| scenario.must_fail.is_some())
            .expect("some must fail");
        let solo = catalogue::find("fast/solo").expect("it is there").scenario();
        for seed in 0..100 {
            let plan = Plan::new(&plain, seed).scenario;
            assert_eq!(
                (&plan.disk, &plan.network, &plan.cluster),
                (&plain.disk, &plain.network, &plain.cluster)
            );
            for own in [&must_fail, &solo] {
                assert_eq!(drawn(own, seed), *own, "{seed}");
            }
        }
    }
}
