//! Every fast scenario of the catalogue under several seeds.
//!
//! Tests marked as long play more of them, in `.ci/run`. The nightly sweeps take fresh seeds.

use std::ops::Range;

use onsale_reports::Verdict;
use onsale_sim::run::Outcome;
use onsale_tests::{complaint, folder, play, play_all, scenario, verdict};

/// Applied state must also have been replayed from the disks, or nothing shows that it is the same.
fn unproven(seed: u64, outcome: &Outcome) -> Option<String> {
    let is_unproven = outcome.summary.facts.replicas_replayed == 0;
    is_unproven.then(|| format!("seed {seed}: no replica was replayed"))
}

/// The last seed under which `live` must have judged at least a hundred requests of every fast scenario.
const JUDGED: u64 = 3;

/// `live` passes where it has judged next to nothing, unless this says so.
fn unjudged(seed: u64, outcome: &Outcome) -> Option<String> {
    let is_unjudged = seed <= JUDGED && verdict(outcome, "live") == Verdict::NotExercised;
    is_unjudged.then(|| format!("seed {seed}: live has judged fewer than a hundred requests"))
}

/// Plays every scenario of a folder under these seeds. Replicas of `rare` need not be replayed: their disks may lie.
fn hold(name: &str, seeds: &Range<u64>) {
    let ids = folder(name);
    assert!(ids.len() >= 10, "the catalogue shrank to {ids:?}");
    let complaints = ids.into_iter().flat_map(|id| {
        play_all(&scenario(id), seeds.clone(), |seed, outcome| {
            let is_fast = name == "fast";
            let lacks = || unproven(seed, &outcome).or_else(|| unjudged(seed, &outcome));
            complaint(&outcome).or_else(|| is_fast.then(lacks).flatten())
        })
    });
    let complaints: Vec<String> = complaints.flatten().collect();
    assert!(complaints.is_empty(), "{} failed:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn every_fast_scenario_keeps_its_promises() {
    hold("fast", &(1..3));
}

#[test]
fn every_rare_scenario_keeps_its_promises() {
    hold("rare", &(1..2));
}

#[test]
#[ignore = "long: a minute of computing"]
fn every_fast_scenario_keeps_its_promises_under_more_seeds() {
    hold("fast", &(3..11));
}

#[test]
#[ignore = "long: a quarter of a minute of computing"]
fn every_rare_scenario_keeps_its_promises_under_more_seeds() {
    hold("rare", &(2..6));
}

/// Seeds under which an oracle once fired, found among a hundred thousand. Later code may draw other runs under
/// the same numbers; each failure has a test of its own, beside the fix.
#[test]
fn seeds_that_failed_once_pass() {
    let table = [
        // Two that had drawn equal timeouts split the votes of every epoch.
        ("fast/all-families", 86_606),
        // Rot brought a superseded record back, and the oracle took it for committed.
        ("fast/all-families", 35_231),
        ("fast/all-families", 68_472),
        // A leader transferred its lead to a dead node, repeatedly; and a late answer about facts was ignored.
        ("rare/elastic-everything", 111),
        // A node that was down got a say before it had started; then another was lost for good, or forgot.
        ("rare/elastic-everything", 34),
        ("rare/elastic-everything", 16),
        // A node was lost for good while there was no power: no node heard that it was to be removed.
        ("rare/elastic-everything", 150),
        // A node with a fast clock went on writing, so no other node took its facts.
        ("rare/elastic-everything", 1_018),
        // Facts were new to a node, and further ahead than it accepts.
        ("rare/elastic-everything", 430),
        // Facts were lost with the disk of the only node that had them; sessions that had seen them were served
        // by no node.
        ("rare/elastic-everything", 102_104),
        ("rare/elastic-everything", 102_925),
        ("rare/elastic-everything", 104_649),
        // Facts stamped by a fast clock and lost with a disk waited at peers until they were due, and then
        // counted as proof that their writer's later facts had been seen.
        ("rare/facts-slow-disks", 16),
        // A restarted node rewrote facts in the middle of replaying its log: an old text replaced later ones,
        // and a peer that had lost those believed that it had seen them.
        ("rare/facts-slow-disks", 318),
        ("rare/facts-slow-disks", 326),
        // More facts came too early than a node keeps, so it kept nothing new until the first of them was due.
        ("rare/facts-slow-disks", 658),
        ("rare/facts-slow-disks", 836),
        // A leader decided requests that nobody waited for any more, and never caught up.
        ("rare/retry-storm-budgeted", 6),
        // A snapshot for a node that had forgotten was lost, and counted as in flight forever.
        ("fast/elastic-disks", 309),
        // A leader that did not know of its deposal reported the map's own move as over, by former members.
        ("fast/elastic-faults", 644),
        // All members were to leave, and the leader tried to transfer to one that stays.
        ("fast/elastic-faults", 58),
    ];
    for (id, seed) in table {
        assert_eq!(complaint(&play(&scenario(id), seed)), None, "seed {seed} of {id}");
    }
}
