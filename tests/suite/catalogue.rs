//! Every fast scenario of the catalogue under several seeds.
//!
//! A nightly sweep takes more: `onsale check fast --seeds 1..3000`.

use onsale_sim::run::Outcome;
use onsale_tests::{complaint, folder, play, play_all, scenario};

/// Few enough for a debug build on two cores to be through with the catalogue in minutes.
const SEEDS: std::ops::Range<u64> = 1..11;

/// What was applied was also replayed from the disks, or there is no proof that it is the same.
fn complaint_or_unproven(seed: u64, outcome: &Outcome) -> Option<String> {
    complaint(outcome).or_else(|| {
        let unproven = outcome.summary.facts.replicas_replayed == 0;
        unproven.then(|| format!("seed {seed}: no replica was replayed"))
    })
}

fn holds_under_every_seed(id: &str) {
    let complaints =
        play_all(&scenario(id), SEEDS, |seed, outcome| complaint_or_unproven(seed, &outcome));
    let complaints: Vec<String> = complaints.into_iter().flatten().collect();
    assert!(
        complaints.is_empty(),
        "{} of {} seeds:\n{}",
        complaints.len(),
        SEEDS.count(),
        complaints.join("\n")
    );
}

#[test]
fn every_fast_scenario_keeps_its_promises() {
    let ids = folder("fast");
    assert!(ids.len() >= 15, "the catalogue shrank to {ids:?}");
    ids.into_iter().for_each(holds_under_every_seed);
}

/// Seeds under which an oracle once fired, found among a hundred thousand. Later code may draw others
/// under the same numbers; what each of them showed has a test of its own, beside what was mended.
#[test]
fn seeds_that_failed_once_pass() {
    let table = [
        // Two that had drawn equal timeouts split the votes of every epoch.
        ("fast/all-families", 86_606),
        // Rot brought a superseded record back, and the oracle took it for committed.
        ("fast/all-families", 35_231),
        ("fast/all-families", 68_472),
        // A leader handed its leadership over to a dead node, again and again; and a late answer about facts
        // was taken for none.
        ("rare/elastic-everything", 111),
        // A node that was down got a say before it had begun; then another was lost for good, or forgot.
        ("rare/elastic-everything", 34),
        ("rare/elastic-everything", 16),
        // A node was lost for good while there was no power: nobody heard that it was to be struck off.
        ("rare/elastic-everything", 150),
        // A node whose clock was far ahead went on writing, so nobody took anything of it.
        ("rare/elastic-everything", 1_018),
        // It was new what a node had not seen, and further ahead than it accepts.
        ("rare/elastic-everything", 430),
        // Facts went with the disk of the only node that had them; whoever had seen them was served by nobody.
        ("rare/elastic-everything", 102_104),
        ("rare/elastic-everything", 102_925),
        ("rare/elastic-everything", 104_649),
        // What a clock far ahead had stamped and a disk had lost waited at peers for its time, and then passed for
        // having seen what its writer wrote anew.
        ("rare/facts-slow-disks", 16),
        // A restarted node rewrote facts in the middle of replaying its log: an old text replaced later ones, and a
        // peer that had lost those believed that it had seen them.
        ("rare/facts-slow-disks", 318),
        ("rare/facts-slow-disks", 326),
        // More came too early than a node keeps, so it kept nothing new until the first of it was due.
        ("rare/facts-slow-disks", 658),
        ("rare/facts-slow-disks", 836),
        // A leader decided what nobody waited for any more, and never caught up.
        ("rare/retry-storm-budgeted", 6),
        // A snapshot for a node that forgot was lost, and taken for under way ever after.
        ("fast/elastic-disks", 309),
        // A leader deposed unawares reported the map's own move as over, by members of long ago.
        ("fast/elastic-faults", 644),
        // All members were to go, and the leader tried to hand over to one that stays.
        ("fast/elastic-faults", 58),
    ];
    for (id, seed) in table {
        assert_eq!(complaint(&play(&scenario(id), seed)), None, "seed {seed} of {id}");
    }
}
