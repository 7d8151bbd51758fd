//! Every oracle sees what unsafe settings break, and nothing where they are off.
//!
//! `onsale check --unsafe` measures how soon, from many starts.

use onsale_scenarios::safe_twin;
use onsale_sim::detection::seeds_to_failure;
use onsale_tests::{complaint, folder, play_all, scenario};

#[test]
fn each_is_caught_by_its_oracle_and_its_safe_twin_passes_the_same_seeds() {
    let ids = folder("unsafe");
    assert!(ids.len() >= 15, "the catalogue shrank to {ids:?}");
    let mut wrong = Vec::new();
    for id in ids {
        let scenario = scenario(id);
        let must_fail = scenario.must_fail.clone().expect("an unsafe scenario says what must fail");
        let seen = seeds_to_failure(&scenario, &must_fail, 0, &std::sync::Arc::default());
        let Some(seeds) = seen.expect("nobody interrupts a test") else {
            wrong.push(format!("{id}: {} is blind to it", must_fail.oracle));
            continue;
        };
        let twin = safe_twin(&scenario);
        let told = play_all(&twin, 0..u64::from(seeds), |_, outcome| complaint(&outcome));
        wrong.extend(told.into_iter().flatten().map(|told| format!("the safe twin of {told}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
