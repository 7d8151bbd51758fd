//! Which settings let a cluster do its work at all.
//!
//! Owns what must hold before an oracle may ask for anything within a time: gateways wait for answers, elections can
//! be won, and a node's first core does its work faster than it comes. Where it does not hold, a verdict would be on
//! the settings. Refuses to know how long anything takes at most: that is [`slowest`](super::slowest)'s.

use onsale_core::{Acknowledge, Promises, Span};
use onsale_scenarios::{Disk, Network, Ratio, Scenario};

/// Whether requests are answered where nothing is wrong.
pub(super) fn answers_come(scenario: &Scenario) -> bool {
    gateways_wait(scenario) && leaders_lead(scenario)
}

/// Whether moves come to an end where nothing is wrong: on a network that always loses messages nodes may suspect each
/// other for ever.
pub(super) fn moves_end(scenario: &Scenario) -> bool {
    scenario.network.loss.is_never() && leaders_lead(scenario)
}

/// Whether every shard gets a leader, and the leader comes to what is due.
pub(super) fn leaders_lead(scenario: &Scenario) -> bool {
    elections_are_won(scenario) && first_core_keeps_up(scenario)
}

/// Whether a gateway waits for at least as long as the shortest way to a leader in another zone and back takes, and
/// what has to be written before the answer: else it gives up every try there, though nothing is wrong.
fn gateways_wait(scenario: &Scenario) -> bool {
    let cluster = &scenario.cluster;
    let way = shortest_way(&scenario.network, cluster.zones > 1);
    let write = shortest_write(&scenario.disk);
    let rests_on = match cluster.owner.acknowledge {
        Acknowledge::Quorum if cluster.replicas > 1 => 2 * way_to_quorum(scenario).0 + write.0,
        Acknowledge::Quorum | Acknowledge::OwnDisk => write.0,
        Acknowledge::Proposal => 0,
    };
    cluster.gateway.try_timeout.0 >= 2 * way.0 + rests_on
}

/// Whether a replica that stands for election waits for at least as long as the shortest way to the votes and back
/// takes, and the write that they rest on: else it stands again before it can have won, and whether anybody ever
/// wins is luck.
fn elections_are_won(scenario: &Scenario) -> bool {
    let cluster = &scenario.cluster;
    let write = match cluster.journal.promises {
        Promises::AfterWrite => shortest_write(&scenario.disk),
        Promises::BeforeWrite => Span::ZERO,
    };
    let time_out = cluster.tick_every.0 * u64::from(cluster.election_ticks);
    cluster.replicas == 1 || time_out >= 2 * way_to_quorum(scenario).0 + write.0
}

/// Whether beats and the repair of facts leave a node's first core half of its time. In a round of repairs a node
/// sends its digest to as many peers as the fan-out says, and takes in as many, and as many answers; on a network that
/// duplicates, some of it twice. What has to wait for that core waits for ever where it is never through: timers, too.
fn first_core_keeps_up(scenario: &Scenario) -> bool {
    let (cluster, costs, facts) = (&scenario.cluster, &scenario.costs, &scenario.cluster.facts);
    let peers = u64::from(cluster.numbers().saturating_sub(1));
    let repairs = match scenario.facts.is_some() {
        true => 2 * peers.min(u64::from(facts.fanout)) * costs.route.typical().0,
        false => 0,
    };
    // How much work comes in a span, both in microseconds, in parts of 2³² of a core.
    let load = |work: u64, every: Span| (u128::from(work) << 32) / u128::from(every.0.max(1));
    let once = load(repairs, facts.repair_every)
        + load(peers * costs.beat.typical().0, cluster.beat_every);
    let Ratio { num, den } = scenario.network.duplicate;
    let twice = once * u128::from(num) / u128::from(den);
    once + twice <= 1 << 31
}

/// The shortest way from one replica to enough others: within its zone where not all have zones of their own.
fn way_to_quorum(scenario: &Scenario) -> Span {
    shortest_way(&scenario.network, scenario.cluster.zones >= scenario.cluster.replicas)
}

/// The shortest that a way between two nodes takes. Of ways that are drawn none is the shortest.
fn shortest_way(network: &Network, between_zones: bool) -> Span {
    let way = if between_zones { &network.between_zones } else { &network.within_zone };
    Span(way.constant().unwrap_or_default().0 * always(network.tail, network.tail_factor))
}

/// The shortest that a write takes.
fn shortest_write(disk: &Disk) -> Span {
    Span(disk.fsync.constant().unwrap_or_default().0 * always(disk.tail, disk.tail_factor))
}

/// By how much everything is in the tail, if everything is.
fn always(tail: Ratio, factor: u32) -> u64 {
    if tail.num >= tail.den { u64::from(factor) } else { 1 }
}

#[cfg(test)]
mod tests {
    use onsale_scenarios::{Timing, catalogue};

    use super::*;

    /// With a patience shorter than the ways there and back, to the leader and from there to a follower that writes,
    /// nobody is ever answered; with just that patience people are.
    #[test]
    fn gateways_that_give_up_before_any_answer_can_come_excuse_it() {
        let mut scenario = with_ways_of_a_millisecond();
        let first_judged = |scenario: &mut Scenario| {
            (1..10_000).find(|&micros| {
                scenario.cluster.gateway.try_timeout = Span(micros);
                answers_come(scenario)
            })
        };
        assert_eq!(first_judged(&mut scenario), Some(4_500));
        scenario.cluster.owner.acknowledge = Acknowledge::OwnDisk;
        assert_eq!(first_judged(&mut scenario), Some(2_500));
        scenario.cluster.owner.acknowledge = Acknowledge::Proposal;
        assert_eq!(first_judged(&mut scenario), Some(2_000), "nothing is written before");
        scenario.cluster.owner.acknowledge = Acknowledge::Quorum;
        scenario.cluster.replicas = 1;
        assert_eq!(first_judged(&mut scenario), Some(2_500), "nobody else writes");
        scenario.cluster.zones = 1;
        assert_eq!(first_judged(&mut scenario), Some(800), "within a zone it is nearer");
    }

    #[test]
    fn candidates_that_stand_again_before_any_vote_can_come_excuse_everything() {
        let mut scenario = with_ways_of_a_millisecond();
        scenario.cluster.election_ticks = 1;
        for (micros, is_judged) in [(2_499, false), (2_500, true)] {
            scenario.cluster.tick_every = Span(micros);
            assert_eq!(answers_come(&scenario), is_judged, "{micros}");
        }
        scenario.network.tail = Ratio::ALWAYS;
        scenario.network.tail_factor = 8;
        assert!(!answers_come(&scenario), "everything takes eight times as long");
        scenario.cluster.tick_every = Span(16_500);
        assert!(answers_come(&scenario));
        scenario.cluster.tick_every = Span(1);
        scenario.cluster.replicas = 1;
        assert!(answers_come(&scenario), "a sole replica needs no vote");
    }

    #[test]
    fn nothing_in_the_catalogue_is_excused_so() {
        for entry in catalogue::all() {
            assert!(answers_come(&entry.scenario()), "{}", entry.id);
        }
    }

    #[test]
    fn repairs_that_take_more_than_half_of_a_core_excuse_everything() {
        let mut scenario = catalogue::find("facts-swarm").expect("it is there").scenario();
        scenario.costs.beat = Timing::ZERO;
        scenario.costs.route = Timing::Constant(Span(100));
        let peers = u64::from(scenario.cluster.numbers() - 1);
        let work = 2 * peers.min(u64::from(scenario.cluster.facts.fanout)) * 100;
        for (duplicate, times) in [(Ratio::NEVER, 1), (Ratio::ALWAYS, 2)] {
            scenario.network.duplicate = duplicate;
            for (every, is_judged) in [(2 * times * work - 1, false), (2 * times * work, true)] {
                scenario.cluster.facts.repair_every = Span(every);
                assert_eq!(leaders_lead(&scenario), is_judged, "{every}");
            }
        }
        scenario.cluster.facts.repair_every = Span(1);
        scenario.facts = None;
        assert!(leaders_lead(&scenario), "nobody repairs what there is not");
        scenario.cluster.beat_every = Span(1_000);
        scenario.costs.beat = Timing::Constant(Span(1_000));
        assert!(!leaders_lead(&scenario), "beats are work as well");
    }

    fn with_ways_of_a_millisecond() -> Scenario {
        let mut scenario = Scenario::default();
        scenario.network.between_zones = Timing::Constant(Span::from_millis(1));
        scenario.disk.fsync = Timing::Constant(Span(500));
        scenario
    }
}
