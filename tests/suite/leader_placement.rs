//! Placement of leaders while nothing is wrong, and its effect on latency.

use onsale_booking::{NodeId, Span};
use onsale_reports::{Operation, Window};
use onsale_scenarios::{Fault, LeaderPlacement, ProcessFault, Scenario, Target};
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, sale_with, scenario};

fn mark(outcome: &Outcome, name: &str) -> u64 {
    outcome.summary.facts.marks.get(name).copied().unwrap_or_default()
}

fn hold_p50(outcome: &Outcome) -> Span {
    let holds = outcome.summary.latency(Operation::Hold, Window::Whole);
    holds.percentiles.expect("people ask for holds").p50
}

/// The same people want the same seats; with each hall led where its people are, half of all holds
/// are faster by a way between regions and back.
#[test]
fn leads_near_their_venues_save_a_way_between_regions_and_back() {
    let (near, far) = (scenario("fast/region-near"), scenario("fast/region-far"));
    let (mut led_alike, from) = (far.clone(), &near.cluster.leader_placement);
    led_alike.cluster.leader_placement = from.clone();
    assert_eq!(led_alike.cluster, near.cluster);
    assert_eq!((&far.sale, &far.crowd, &far.network), (&near.sale, &near.crowd, &near.network));
    let apart = near.network.between_zones.typical().0 - near.network.within_zone.typical().0;
    for seed in 1..=3 {
        let (near, far) = (play(&near, seed), play(&far, seed));
        assert_eq!((complaint(&near), complaint(&far)), (None, None), "seed {seed}");
        let (near_p50, far_p50) = (hold_p50(&near), hold_p50(&far));
        assert!(near_p50 + Span(2 * apart) <= far_p50, "seed {seed}: {near_p50}, {far_p50} far");
        assert!(
            mark(&near, "leader-drawn-to-venue") > 0 && mark(&far, "leader-drawn-to-venue") == 0
        );
        assert_eq!(mark(&near, "stood-for-election"), 0);
    }
}

/// A node that was away leads nothing when it comes back. With `by-load` it soon has its share again, and no
/// fault is blamed for that.
#[test]
fn a_node_that_comes_back_gets_its_share_again() {
    let node = Target::Node(NodeId(1));
    let crash = Fault::new(Span::from_secs(30), Span::from_secs(10), ProcessFault::Crash { node });
    let stay = sale_with(&[crash]);
    let mut share = stay.clone();
    share.cluster.leader_placement =
        LeaderPlacement { by_load: true, ..LeaderPlacement::default() };
    let given = |scenario: &Scenario, seed| {
        let outcome = play(scenario, seed);
        assert_eq!(complaint(&outcome), None, "seed {seed}");
        let fault = &outcome.summary.facts.faults[0];
        assert_eq!(fault.lead_transfers, None, "seed {seed}");
        outcome.summary.facts.lead_transfers.by_load.as_ref().map_or(0, |given| given.shards)
    };
    for seed in 1..=3 {
        assert_eq!(given(&stay, seed), 0);
        assert!(given(&share, seed) >= 2, "seed {seed}");
    }
}
