//! The longest duration of answers without faults.
//!
//! Owns the bounds by which oracles tell a late answer from one that never comes: the most that the scenario's
//! links, disks and cores take, all in their tails. Refuses to know who waits.

use onsale_booking::Span;
use onsale_scenarios::{Costs, Network, Scenario, Timing};

use onsale_world::disk::longest_sync;
use onsale_world::network::REORDERED;
use onsale_world::sample::most;

/// The longest duration of a request: a round trip between client and gateway, and the gateway's attempt.
pub(super) fn of_request(scenario: &Scenario) -> Span {
    let network = &scenario.network;
    Span(2 * way(network, &network.client).0) + of_attempt(scenario)
}

/// The longest time until a gateway's attempt is answered: round trips between gateway and leader, and leader and
/// follower, two writes, and the work.
pub(crate) fn of_attempt(scenario: &Scenario) -> Span {
    let (inside, write) = (inside(&scenario.network), longest_sync(&scenario.disk));
    Span(2 * (2 * inside.0 + write.0 + work(&scenario.costs).0))
}

/// The longest duration of a question about facts: a round trip between client and node, the node's patience with
/// missing versions, and for a write twice that of a disk: behind the write in flight, and again if the fact must be
/// rewritten.
pub(super) fn of_question(scenario: &Scenario) -> Span {
    let network = &scenario.network;
    let writes = 4 * longest_sync(&scenario.disk).0;
    Span(2 * way(network, &network.client).0 + scenario.cluster.facts.patience.0 + writes)
}

/// Whether a node may give up on another one's answer about facts.
pub(super) fn outlasts_patience(scenario: &Scenario) -> bool {
    2 * inside(&scenario.network).0 > scenario.cluster.facts.patience.0
}

/// The longest latency between a client and a node.
pub(super) fn of_client(scenario: &Scenario) -> Span {
    way(&scenario.network, &scenario.network.client)
}

/// The longest latency between two nodes.
pub(crate) fn inside(network: &Network) -> Span {
    way(network, &network.between_zones).max(way(network, &network.within_zone))
}

/// The longest latency without faults: with all its jitter, and in its tail. A network that always reorders may delay a
/// message by [`REORDERED`] latencies more.
fn way(network: &Network, latency: &Timing) -> Span {
    let longest = most(latency);
    let held_back = if network.reorder.is_never() { 0 } else { REORDERED * longest.0 };
    let way = longest.0 + network.jitter.of(longest.0) + held_back;
    Span(way * u64::from(network.tail_factor))
}

/// A request's work at its gateway, its leader and a follower, in one direction.
pub(super) fn work(costs: &Costs) -> Span {
    let reply = costs.reply.as_ref().unwrap_or(&costs.route);
    let each = [&costs.route, &costs.decide, &costs.journal_message, &costs.persisted, reply];
    Span(each.into_iter().map(|cost| most(cost).0).sum())
}

#[cfg(test)]
mod tests {
    use onsale_booking::Instant;
    use onsale_scenarios::Ratio;
    use onsale_world::network::Network as Links;
    use onsale_world::place::{Layout, Place};

    use super::*;

    /// No message takes longer than the bound, and a reordered one takes longer than a bound without reordering.
    #[test]
    fn a_way_takes_at_most_its_bound_on_a_network_that_reorders() {
        let reorder = Ratio::percent(50);
        let network = Network { tail: Ratio::ALWAYS, reorder, ..Scenario::default().network };
        let mut links = Links::new(network.clone(), Layout::new(3, 0), 3, 1);
        let taken = (0..2_000).map(|n| {
            // Far apart, so that no message waits for the one before it.
            let departs = Instant(n * 1_000_000_000);
            let route = links.route(Place::node(1), Place::node(2));
            links.carry(route, departs).first.expect("nothing is lost")
        });
        let longest = taken.max().unwrap_or_default();
        let in_order = Network { reorder: Ratio::NEVER, ..network.clone() };
        let without = way(&in_order, &network.between_zones);
        assert!(longest <= way(&network, &network.between_zones), "{longest}");
        assert!(longest > without, "{longest} is explained by {without}");
    }
}
