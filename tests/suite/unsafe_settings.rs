//! Every oracle sees failures by unsafe settings, and none when they are off.
//!
//! `onsale check --unsafe` measures how soon, from many starts.

use std::path::PathBuf;
use std::process::{Command, Output};

use assert_cmd::assert::OutputAssertExt;
use onsale::detection::seeds_to_failure;
use onsale_scenarios::safe_twin;
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

fn check_unsafe(arguments: &[&str], code: i32) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onsale-under-test"));
    command.args(["check", "--unsafe", "--quiet"]).args(arguments);
    command.assert().code(code).get_output().clone()
}

#[test]
fn the_table_is_the_same_for_any_number_of_jobs() {
    let table = |jobs| check_unsafe(&["expiry-early", "order-partial", "--jobs", jobs], 0).stdout;
    let table = [table("1"), table("3")].map(|text| String::from_utf8(text).expect("it is text"));
    assert_eq!(table[0], table[1]);
    assert!(table[0].contains("sale.early = \"15s\""), "{}", table[0]);
    assert!(table[0].ends_with("all 2 settings were detected, from 20 starting seeds each\n"));
}

/// A scenario without an unsafe setting in which something must fail nonetheless.
#[test]
fn an_oracle_that_sees_nothing_is_told_and_ends_with_1() {
    let mut safe = safe_twin(&scenario("unsafe/expiry-early"));
    safe.crowd.users = 20;
    // The last table of the output is `[expect]`.
    let text = safe.to_toml() + "fails = \"hold\"\nwithin = 1\n";
    let path: PathBuf = [env!("CARGO_TARGET_TMPDIR"), "harmless.toml"].iter().collect();
    std::fs::write(&path, text).expect("a test writes into its own directory");
    let path = path.to_string_lossy();

    let told = check_unsafe(&[&path], 1).stdout;
    let told = String::from_utf8(told).expect("it is text");
    assert!(told.contains("hold was blind to"), "{told}");
    assert!(told.contains("from 20 of 20 starts"), "{told}");
    let told = check_unsafe(&[&path, "--json"], 1).stdout;
    let json: serde_json::Value = serde_json::from_slice(&told).expect("it is JSON alone");
    assert_eq!(json["detections"][0]["seeds"], serde_json::json!(vec![None::<u32>; 20]));
}

#[test]
fn what_does_not_say_what_must_fail_is_bad_usage() {
    for arguments in [&["fast/crash"][..], &["--seeds", "1..9"], &["unsafe", "--fail-fast"]] {
        assert!(!check_unsafe(arguments, 2).stderr.is_empty(), "{arguments:?}");
    }
}
