//! Every fast scenario of the catalogue under several seeds.
//!
//! A nightly sweep takes more: `onsale check fast --seeds 1..3000`.

use onsale_tests::{complaint, folder, play_all, scenario};

/// Few enough for a debug build on two cores to be through with the catalogue in minutes.
const SEEDS: std::ops::Range<u64> = 1..11;

fn holds_under_every_seed(id: &str) {
    let complaints = play_all(&scenario(id), SEEDS, |_, outcome| complaint(&outcome));
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
