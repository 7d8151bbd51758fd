//! Rolling upgrades: when the newer record format is activated, and what a rollback does before and after that.

use onsale_booking::{NodeId, Span};
use onsale_cluster::Activates;
use onsale_reports::Verdict;
use onsale_scenarios::{Fault, ProcessFault, Rollback, Target};
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, play, sale_with, scenario, verdict};

const AT: Span = Span::from_secs(30);
const LASTS: Span = Span::from_secs(56);

fn upgrade(rolls_back: Option<u16>, rollback: Rollback) -> Fault {
    let (patience, down) = (Span::from_secs(2), Span::from_secs(2));
    let rolls_back = rolls_back.map(|node| Target::Node(NodeId(node)));
    Fault::new(AT, LASTS, ProcessFault::Upgrade { patience, down, rolls_back, rollback })
}

fn mark(outcome: &Outcome, name: &str) -> u64 {
    outcome.summary.facts.marks.get(name).copied().unwrap_or_default()
}

/// Plays an upgrade under a few seeds: all oracles pass, every node's state equals a replay of its disk, and `then`
/// holds.
fn tell(upgrade: &Fault, then: impl Fn(&Outcome)) {
    for seed in 1..=3 {
        let mut sale = sale_with(std::slice::from_ref(upgrade));
        (sale.cluster.snapshot_every, sale.cluster.keep_records) = (32, 8);
        let outcome = play(&sale, seed);
        assert_eq!(complaint(&outcome), None);
        assert_eq!(outcome.summary.facts.replicas_replayed, 3 * 16, "all nodes run at the end");
        then(&outcome);
    }
}

#[test]
fn every_shard_activates_the_format_when_the_last_node_is_upgraded() {
    tell(&upgrade(None, Rollback::Early), |outcome| {
        assert_eq!(mark(outcome, "format-activated"), 16);
        assert_eq!(mark(outcome, "newer-format-met") + mark(outcome, "rollback-refused"), 0);
    });
}

#[test]
fn a_rollback_before_the_activation_harms_nobody() {
    tell(&upgrade(Some(3), Rollback::Early), |outcome| {
        assert_eq!(mark(outcome, "format-activated"), 16, "once it is upgraded again");
        assert_eq!(mark(outcome, "newer-format-met") + mark(outcome, "rollback-refused"), 0);
    });
    tell(&upgrade(Some(3), Rollback::ForGood), |outcome| {
        assert_eq!(mark(outcome, "format-activated"), 0, "nodes run the first release");
        assert_eq!(mark(outcome, "newer-format-met") + mark(outcome, "rollback-refused"), 0);
    });
}

#[test]
fn a_rollback_after_the_activation_is_refused_and_the_others_serve_on() {
    tell(&upgrade(Some(3), Rollback::Late), |outcome| {
        assert_eq!(mark(outcome, "format-activated"), 16);
        assert_eq!(mark(outcome, "rollback-refused"), 1);
        // The node stays down from its last turn but one until its last turn.
        let (from, until) = (AT.0 + LASTS.0 / 7 * 5, AT.0 + LASTS.0 / 7 * 6);
        let seconds = (from / 1_000_000) as usize..(until / 1_000_000) as usize;
        let granted = &outcome.records.timeline()[seconds];
        let granted = granted.iter().map(|second| second.holds[0]).sum::<u64>();
        assert!(granted > 5, "{granted} holds in its absence");
    });
}

/// The canary has to lead before it goes back: where another node leads all the time, nothing is wrong.
#[test]
fn without_the_gate_an_upgrade_that_is_called_off_takes_the_cluster_down() {
    let mut sale = scenario("unsafe/activate-at-once");
    let outcome = play(&sale, 1);
    assert_eq!(verdict(&outcome, "live"), Verdict::Fail);
    assert!(mark(&outcome, "newer-format-met") > 0, "nodes of the first release stop");
    assert_eq!(mark(&outcome, "rollback-refused"), 1, "the canary cannot read its own log");
    sale.cluster.journal.activates = Activates::Agreed;
    assert_eq!(complaint(&play(&sale, 1)), None);
}
