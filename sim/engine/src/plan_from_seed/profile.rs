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
