//! Whether a scenario's settings let a cluster work at all.
//!
//! Owns the preconditions of every oracle that demands something within a time: messages arrive, gateways wait for
//! answers, elections can be won, and a node's first core keeps up with its work. Without them, a verdict would be about
//! the settings. Refuses to know the longest duration of anything: that is [`slowest`]'s.

use onsale_booking::Span;
use onsale_scenarios::{Ratio, Scenario};

use onsale_world::disk::longest_sync;

use super::{recovery, slowest};

/// Messages on the way of an attempt and its answer: client, gateway, leader, follower and back.
const MESSAGES: f64 = 6.0;

/// Whether requests are answered without faults, except those that the network loses.
pub(crate) fn answers_come(scenario: &Scenario) -> bool {
    suspicions_are_rare(scenario) && gateways_wait(scenario) && leaders_lead(scenario)
}

/// The chance that a request stays unanswered without faults, in parts per billion, rounded up. With loss *p* an
/// attempt of a client fails if one of its six messages is lost, *f = 1 − (1 − p)⁶*, although the gateway may try again;
/// a request fails if all *n* attempts of its client fail, *fⁿ*.
pub(super) fn lost_ppb(scenario: &Scenario) -> u64 {
    let Ratio { num, den } = scenario.network.loss;
    let kept = 1.0 - f64::from(num) / f64::from(den);
    let fails = 1.0 - libm::pow(kept, MESSAGES);
    let all_fail = libm::pow(fails, f64::from(scenario.crowd.session.tries));
    libm::ceil(all_fail * 1e9) as u64
}

/// Whether a network that loses messages even without faults hardly ever makes a node suspect another one: less than
/// once in ten times the recovery. A suspicion takes as many beats lost in a row as fit into the acceptable pause, and
/// one more; each of the nodes listens to each other one's beats.
fn suspicions_are_rare(scenario: &Scenario) -> bool {
    if loses_nothing(scenario) {
        return true;
    }
    let cluster = &scenario.cluster;
    let Ratio { num, den } = scenario.network.loss;
    let in_a_row = 1 + cluster.acceptable_pause.0 / cluster.beat_every.0.max(1);
    let chance = libm::pow(f64::from(num) / f64::from(den), in_a_row as f64);
    let nodes = f64::from(cluster.numbers());
    let beats = recovery::recovery(scenario).0 as f64 / cluster.beat_every.0.max(1) as f64;
    nodes * nodes * beats * chance < 0.1
}

/// Whether nodes never suspect a live peer without faults: no beat is lost, and the slowest comes within the acceptable
/// pause after the time of the usual one.
pub(super) fn peers_are_heard(scenario: &Scenario) -> bool {
    let slowest = 2 * slowest::inside(&scenario.network).0 + slowest::work(&scenario.costs).0;
    loses_nothing(scenario) && scenario.cluster.acceptable_pause.0 >= slowest
}

/// Whether questions about facts are answered without faults.
pub(crate) fn facts_arrive(scenario: &Scenario) -> bool {
    loses_nothing(scenario) && first_core_keeps_up(scenario)
}

/// Whether moves end without faults: on a network that loses many messages, nodes may suspect each other for ever.
pub(crate) fn moves_end(scenario: &Scenario) -> bool {
    suspicions_are_rare(scenario) && leaders_lead(scenario)
}

/// Whether every shard gets a leader that has time for its timers.
pub(super) fn leaders_lead(scenario: &Scenario) -> bool {
    elections_are_won(scenario) && first_core_keeps_up(scenario)
}

/// Whether the network delivers every message without faults.
fn loses_nothing(scenario: &Scenario) -> bool {
    scenario.network.loss.is_never()
}

/// Whether a gateway waits for the slowest answer without faults. Else it may give up every try, and the fate of a
/// request is luck.
fn gateways_wait(scenario: &Scenario) -> bool {
    scenario.cluster.gateway.try_timeout >= slowest::of_attempt(scenario)
}

/// Whether a candidate waits for the slowest votes: a round trip, and the write before the vote. Else it may stand again
/// before it can have won, and an election is luck.
fn elections_are_won(scenario: &Scenario) -> bool {
    let cluster = &scenario.cluster;
    let vote = 2 * slowest::inside(&scenario.network).0 + longest_sync(&scenario.disk).0;
    let time_out = cluster.tick_every.0 * u64::from(cluster.election_ticks);
    cluster.replicas == 1 || time_out >= vote
}

/// Whether beats, heartbeats of journals and the repair of facts leave half of a node's first core idle. While all
/// shards are awake, each leader sends to its followers with every tick, and they answer. In a round of repair a node
/// sends its digest to as many peers as the fan-out says, and receives as many digests and answers. On a network that
/// duplicates, some messages come twice. An overloaded core never gets to its queue, timers included.
fn first_core_keeps_up(scenario: &Scenario) -> bool {
    let (cluster, costs, facts) = (&scenario.cluster, &scenario.costs, &scenario.cluster.facts);
    let words = 2 * u64::from(cluster.shards) * (u64::from(cluster.replicas) - 1);
    let heartbeats = words * costs.journal_message.typical().0 / u64::from(cluster.nodes);
    let peers = u64::from(cluster.numbers().saturating_sub(1));
    let repairs = match scenario.facts.is_some() {
        true => 2 * peers.min(u64::from(facts.fanout)) * costs.route.typical().0,
        false => 0,
    };
    // Load of a core by this work, both in microseconds, in units of 2⁻³² of a core.
    let load = |work: u64, every: Span| (u128::from(work) << 32) / u128::from(every.0.max(1));
    let once = load(repairs, facts.repair_every)
        + load(heartbeats, cluster.tick_every)
        + load(peers * costs.beat.typical().0, cluster.beat_every);
    let Ratio { num, den } = scenario.network.duplicate;
    let twice = once * u128::from(num) / u128::from(den);
    once + twice <= 1 << 31
}

#[cfg(test)]
mod tests {
    use onsale_scenarios::{Timing, catalogue};

    use super::*;

    /// Two round trips, two writes and the work.
    #[test]
    fn impatient_gateways_excuse_everything() {
        let mut scenario = with_ways_of_a_millisecond();
        let work = 2 * slowest::work(&scenario.costs).0;
        for (micros, is_judged) in [(4_999 + work, false), (5_000 + work, true)] {
            scenario.cluster.gateway.try_timeout = Span(micros);
            assert_eq!(answers_come(&scenario), is_judged, "{micros}");
            assert!(leaders_lead(&scenario), "gateways do not affect leaders");
        }
        scenario.network.tail_factor = 2;
        assert!(!answers_come(&scenario), "in the tail it takes twice as long");
    }

    /// One message in a thousand: 0.6% of attempts fail, and all three of one request in five million.
    #[test]
    fn a_little_loss_excuses_its_share_and_much_of_it_everything() {
        let lossy = |num, den| {
            let mut scenario = Scenario::default();
            scenario.network.loss = Ratio { num, den };
            scenario
        };
        assert_eq!(lost_ppb(&lossy(0, 1)), 0);
        assert_eq!(lost_ppb(&lossy(1, 1_000)), 215);
        assert_eq!(lost_ppb(&lossy(1, 1)), 1_000_000_000);
        assert!(answers_come(&lossy(1, 1_000)) && moves_end(&lossy(1, 1_000)));
        assert!(!answers_come(&lossy(1, 50)), "two beats in a row are lost now and then");
    }

    #[test]
    fn impatient_candidates_excuse_everything() {
        let mut scenario = with_ways_of_a_millisecond();
        scenario.cluster.election_ticks = 1;
        for (micros, is_judged) in [(2_499, false), (2_500, true)] {
            scenario.cluster.tick_every = Span(micros);
            assert_eq!(leaders_lead(&scenario), is_judged, "{micros}");
        }
        scenario.network.reorder = Ratio::percent(1);
        assert!(!leaders_lead(&scenario), "reordered messages are delayed");
        scenario.cluster.replicas = 1;
        assert!(leaders_lead(&scenario), "a sole replica needs no vote");
    }

    /// Two ways of a millisecond, and the work of an attempt.
    #[test]
    fn a_pause_shorter_than_two_messages_excuses_suspicions() {
        let mut scenario = with_ways_of_a_millisecond();
        let pause = 2_000 + slowest::work(&scenario.costs).0;
        for (micros, is_judged) in [(pause - 1, false), (pause, true)] {
            scenario.cluster.acceptable_pause = Span(micros);
            assert_eq!(peers_are_heard(&scenario), is_judged, "{micros}");
        }
        scenario.network.tail_factor = 2;
        assert!(!peers_are_heard(&scenario), "in the tail they take twice as long");
        scenario.network.tail_factor = 1;
        scenario.network.loss = Ratio { num: 1, den: 1_000_000 };
        assert!(!peers_are_heard(&scenario), "beats are lost now and then");
    }

    #[test]
    fn only_scenarios_bound_to_fail_are_excused_in_the_catalogue() {
        let is_excused =
            |id: &&str| !answers_come(&catalogue::find(id).expect("it is there").scenario());
        let excused: Vec<_> =
            catalogue::all().iter().map(|entry| entry.id).filter(is_excused).collect();
        // Their disks take a second and a half in their tail, so that a crash finds unwritten records.
        assert_eq!(excused, ["unsafe/acknowledge-proposal", "unsafe/serve-elected"]);
    }

    #[test]
    fn repairs_that_take_more_than_half_of_a_core_excuse_everything() {
        let mut scenario = catalogue::find("facts-swarm").expect("it is there").scenario();
        (scenario.costs.beat, scenario.costs.journal_message) = (Timing::ZERO, Timing::ZERO);
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
        assert!(leaders_lead(&scenario), "without facts there is no repair");
        scenario.cluster.beat_every = Span(1_000);
        scenario.costs.beat = Timing::Constant(Span(1_000));
        assert!(!leaders_lead(&scenario), "beats are work as well");
        scenario.costs.beat = Timing::ZERO;
        scenario.costs.journal_message = Timing::Constant(Span(1_000));
        scenario.cluster.tick_every = Span(1_000);
        assert!(!leaders_lead(&scenario), "and so are heartbeats");
    }

    fn with_ways_of_a_millisecond() -> Scenario {
        let mut scenario = Scenario::default();
        let (network, disk) = (&mut scenario.network, &mut scenario.disk);
        network.between_zones = Timing::Constant(Span::from_millis(1));
        (network.jitter, network.tail_factor) = (Ratio::NEVER, 1);
        disk.fsync = Timing::Constant(Span(500));
        (disk.jitter, disk.tail_factor) = (Ratio::NEVER, 1);
        scenario
    }
}
