//! Settings that real systems ship and that break a promise.
//!
//! Owns the list: which value of which setting causes which failure. Refuses to know the consequences; each is
//! an ordinary setting of its component.

use crate::assumptions::leaves;
use crate::scenario::Scenario;
use crate::settings::{Cluster, Disk, FactsSettings, Leader, Sale};

/// One way to break a promise by configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hazard {
    /// Path of the key, as in `cluster.leader.acknowledge`.
    pub key: &'static str,
    /// The unsafe value; for a span, every value except the default is unsafe.
    pub value: Option<&'static str>,
    /// The failures that it causes, by the ids of the [README](crate); empty if the hardware fails.
    pub failures: &'static [&'static str],
    /// Its effect, in a few words.
    pub lets: &'static str,
}

const fn named(
    key: &'static str,
    value: &'static str,
    failures: &'static [&'static str],
    lets: &'static str,
) -> Hazard {
    Hazard { key, value: Some(value), failures, lets }
}

const fn span(key: &'static str, failures: &'static [&'static str], lets: &'static str) -> Hazard {
    Hazard { key, value: None, failures, lets }
}

/// Every hazard, in the order of a scenario's keys.
pub const HAZARDS: [Hazard; 22] = [
    named(
        "cluster.on-suspicion",
        "down",
        &["A1", "A2"],
        "a node takes a silent peer for dead, on both sides of a partition",
    ),
    named(
        "cluster.journal.promises",
        "before-write",
        &["E3", "E4"],
        "replicas vote and acknowledge before their disks have it",
    ),
    named(
        "cluster.journal.activates",
        "at-once",
        &["H1"],
        "a node of a newer release writes what the others cannot read",
    ),
    named(
        "cluster.leader.acknowledge",
        "own-disk",
        &["B4", "D2"],
        "a leader answers before a quorum has the record",
    ),
    named(
        "cluster.leader.acknowledge",
        "proposal",
        &["A11"],
        "answers leave before any disk has the record",
    ),
    named(
        "cluster.leader.reads",
        "local",
        &["D2"],
        "a leader answers from memory without asking whether it still leads",
    ),
    named(
        "cluster.leader.decides-on",
        "committed",
        &["B1", "B6"],
        "a leader decides without what it has decided but not committed yet",
    ),
    named(
        "cluster.leader.serves",
        "elected",
        &["A7", "B4"],
        "a leader serves before it has applied what was committed before it",
    ),
    named(
        "cluster.leader.deposed",
        "answers",
        &["A3", "D3"],
        "a leader that was deposed answers as if its decisions were kept",
    ),
    named(
        "cluster.leader.reckoning",
        "instants",
        &["C2", "D6"],
        "a new leader takes its own clock for the shard's time",
    ),
    named(
        "cluster.facts.sessions",
        "ignored",
        &["G1"],
        "a node answers sessions that have seen more than it has",
    ),
    named(
        "cluster.facts.forgets",
        "silently",
        &["G2"],
        "deletions are forgotten, and nodes that missed them are not told",
    ),
    named("sale.expiry", "swept", &["C4"], "holds end only when a job runs"),
    named(
        "sale.expiry",
        "timers",
        &["A11", "F5"],
        "the timer of a hold dies with the leader's process",
    ),
    named(
        "sale.expiry",
        "listed",
        &["C1"],
        "a job frees the holds of a list without looking again",
    ),
    span("sale.early", &["F4"], "the server ends a hold before its client's timer does"),
    named(
        "sale.repeats",
        "executed-again",
        &["B3"],
        "a request that arrives twice is executed twice",
    ),
    named("sale.confirms", "any-hold", &["C3"], "a payment books seats although its hold is over"),
    named("sale.releases", "any-hold", &["D4"], "a release frees seats although its hold is over"),
    named("sale.orders", "partial", &["E2"], "an order is granted in part"),
    span("disk.write-back", &["E4"], "a disk calls durable what it loses with the power"),
    named("disk.good-copies", "any", &[], "faults may damage more copies than a majority can bear"),
];

/// The hazards that a scenario switches on, each as its file writes it: `sale.early = "10s"`.
pub fn hazards(scenario: &Scenario) -> Vec<(&'static Hazard, String)> {
    let (values, defaults) = (leaves(scenario), leaves(&Scenario::default()));
    let on = |hazard: &'static Hazard| {
        let leaf = values.iter().find(|(key, _)| key == hazard.key)?;
        let unsafe_here = match hazard.value {
            Some(value) => leaf.1 == value,
            None => !defaults.contains(leaf),
        };
        unsafe_here.then(|| (hazard, format!("{} = \"{}\"", leaf.0, leaf.1)))
    };
    HAZARDS.iter().filter_map(on).collect()
}

/// The same scenario with every hazard switched off; nothing has to fail in it.
pub fn safe_twin(scenario: &Scenario) -> Scenario {
    let Cluster { on_suspicion, journal, leader, facts, .. } = Cluster::default();
    let Sale { expiry, early, repeats, confirms, releases, orders, .. } = Sale::default();
    let Disk { write_back, good_copies, .. } = Disk::default();
    let twin = scenario.clone();
    let FactsSettings { sessions, forgets, .. } = facts;
    let facts = FactsSettings { sessions, forgets, ..twin.cluster.facts };
    // Deciding late requests costs time and breaks nothing.
    let leader = Leader { overdue: twin.cluster.leader.overdue, ..leader };
    Scenario {
        cluster: Cluster { on_suspicion, journal, leader, facts, ..twin.cluster },
        sale: Sale { expiry, early, repeats, confirms, releases, orders, ..twin.sale },
        disk: Disk { write_back, good_copies, ..twin.disk },
        must_fail: None,
        ..twin
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn every_hazard_is_a_setting_that_is_off_unless_asked_for() {
        let defaults = leaves(&Scenario::default());
        for hazard in HAZARDS {
            assert!(defaults.iter().any(|(key, _)| key == hazard.key), "no such key: {hazard:?}");
        }
        assert_eq!(hazards(&Scenario::default()), []);
    }

    #[test]
    fn each_unsafe_scenario_switches_on_one_hazard_and_every_hazard_has_one() {
        let (mut shown, mut expected) =
            (Vec::new(), HAZARDS.map(|hazard| (hazard.key, hazard.value)));
        for entry in catalogue::all() {
            let scenario = entry.scenario();
            let on = hazards(&scenario);
            if entry.id.starts_with("unsafe/") {
                assert_eq!(on.len(), 1, "{}", entry.id);
                assert!(scenario.must_fail.is_some(), "{} says what must fail", entry.id);
                assert_eq!(hazards(&safe_twin(&scenario)), [], "{}", entry.id);
                shown.push((on[0].0.key, on[0].0.value));
            } else {
                assert_eq!(on, [], "{}", entry.id);
                assert_eq!(safe_twin(&scenario), scenario, "{}", entry.id);
            }
        }
        shown.sort_unstable();
        expected.sort_unstable();
        assert_eq!(shown, expected);
    }

    #[test]
    fn the_readme_tells_of_every_hazard_and_its_failures() {
        let readme = include_str!("../README.md");
        for Hazard { key, value, failures, .. } in HAZARDS {
            let (_, name) = key.rsplit_once('.').expect("every setting stands in a table");
            let row = |line: &&str| {
                line.starts_with('|')
                    && line.contains(&format!("`{name}"))
                    && value.is_none_or(|value| line.contains(&format!("\"{value}\"")))
            };
            let row = readme.lines().find(row);
            let row = row.unwrap_or_else(|| panic!("{key} {value:?} has no row"));
            for failure in failures {
                assert!(row.contains(failure), "{key}: the row lacks {failure}");
                assert!(readme.contains(&format!("\n| {failure} |")), "what is {failure}?");
            }
        }
    }
}
