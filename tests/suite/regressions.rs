//! Scenarios that once failed: each passes now, every `check` plays them first, and `shrink --save` adds to them.

use std::fs;

use onsale_scenarios::catalogue;
use onsale_tests::{complaint, play};
use serde_json::Value;

use crate::desk::{BLACKOUT, Desk};

#[test]
fn what_once_failed_passes() {
    for entry in catalogue::regressions() {
        let scenario = entry.scenario();
        let replay = scenario.replay.as_ref().expect("a regression says its seed");
        let outcome = play(&scenario, replay.seed.0);
        assert_eq!(complaint(&outcome), None);
        let checks = outcome.summary.facts.oracles.iter().map(|oracle| oracle.checked);
        assert!(checks.sum::<u64>() > 0, "{}: nothing is checked", entry.id);
    }
}

#[test]
fn every_check_plays_the_regressions_first_unless_told_otherwise() {
    let desk = Desk::of_sweeps("regressions");
    let ids: Vec<&str> = catalogue::regressions().map(|entry| entry.id).collect();
    let count = ids.len();
    let sweep = ["check", "tiny.toml", "--seeds", "1..3", "--results"];
    let said = |file: &str, more: &[&str]| {
        let arguments = [&sweep[..], &[file], more].concat();
        let output = desk.whole(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let page = said("r.jsonl", &[]);
    assert!(page.contains(&format!("✓ regressions  {count} seeds  pass\n")), "{page}");
    assert!(page.contains(&format!("\n{count} regressions played first: all pass\n")), "{page}");
    assert!(page.contains("2 seeds of 1 scenario"), "{page}");
    let results = desk.read("r.jsonl");
    let played = results.lines().skip(1).map(|line| {
        let result: Value = serde_json::from_str(line).unwrap();
        result["scenario"].as_str().unwrap().to_owned()
    });
    let expected = ids.into_iter().chain(["tiny.toml"; 2]);
    assert!(played.eq(expected), "{results}");
    // In slices, too, and what is there is not played again.
    for (slice, file) in [("hash:1/2", "1.jsonl"), ("hash:2/2", "2.jsonl")] {
        said(file, &["--partition", slice]);
    }
    desk.onsale(&["merge", "1.jsonl", "2.jsonl", "--results", "merged.jsonl"], 0);
    assert_eq!(desk.read("merged.jsonl"), results);
    assert!(said("r.jsonl", &["--resume", "--json"]).contains("\"regressions\""));

    let page = said("other.jsonl", &["--skip-regressions"]);
    assert!(!page.contains("regression"), "{page}");
    assert_eq!(desk.read("other.jsonl").lines().count(), 3);
}

#[test]
fn a_shrunk_failure_is_saved_beside_the_others_and_over_none() {
    let desk = Desk::new("save");
    desk.put("blackout.toml", BLACKOUT);
    let shrink = ["shrink", "1", "--scenario", "blackout.toml", "--budget", "0s"];
    let save = |more: &str, code| desk.onsale(&[&shrink[..], &[more]].concat(), code);
    let said = save("--save", 2);
    assert!(said.err.contains("there is none here or above; name a folder"), "{}", said.err);
    let said = save("--save=nowhere", 2);
    assert!(said.err.contains("--save=nowhere: there is no such folder"), "{}", said.err);
    assert!(!desk.0.join("onsale-out").exists(), "nothing was run");

    let folder = "scenarios/catalogue/regressions";
    fs::create_dir_all(desk.0.join(folder)).unwrap();
    for name in ["blackout-1-live.toml", "blackout-1-live-2.toml"] {
        let said = save("--save", 0);
        let file = format!("{folder}/{name}");
        assert!(said.err.contains(&format!("saved as {}", desk.0.join(&file).display())));
        let text = desk.read(&file);
        assert!(text.starts_with("# live failed: "), "{text}");
        assert!(text.contains("\n# Shrunk from seed 1 of blackout.toml.\n#\n# ┌ 01:00.000  FAULT"));
        assert!(text.contains("[replay]\nseed = \"1\"\n"), "{text}");
        // It fails as it did, without being told the seed.
        desk.onsale(&["run", &file, "--no-out"], 1);
        let kept = fs::read_dir(desk.0.join(folder)).unwrap().count();
        save("--save", 0);
        let now = fs::read_dir(desk.0.join(folder)).unwrap().count();
        assert_eq!(now, kept, "the same failure is not saved twice");
        desk.put(&file, &format!("{text}# Edited since.\n"));
    }

    desk.onsale(&["run", "unsafe/repeat-anew", "--quiet", "--out", "run"], 1);
    let said = desk.onsale(&["shrink", "run/capsule.json", "--save"], 2);
    assert!(
        said.err.contains("sale.repeats = \"executed-again\" breaks its promise by design"),
        "{}",
        said.err
    );
}
