//! The second system through the program: a planted failure is found, reported, kept, replayed and shrunk.
//!
//! Its one process answers before its log is written, and power fails meanwhile.

use serde_json::Value;

use crate::desk::Desk;

/// For a tenth of a second, a booking is acknowledged but not on the disk.
const HASTY: &str = r#"
title = "One process answers before its log is written, and the power goes"
duration = "100s"
calm = "30s"

[cluster]
system = "solo"
nodes = 1
zones = 1
shards = 1
replicas = 1

[cluster.leader]
acknowledge = "proposal"

[sale]
shows = 1
hot-share = "100%"
hold = "20s"

[crowd]
users = 120

[crowd.arrivals]
constant = { over = "60s" }

[crowd.session]
pick-think = { median = "2s", sigma = 0.8 }
checkout-think = { median = "5s", sigma = 0.6 }

[disk]
fsync = "100ms"

[[fault]]
power-loss = { at = "30s", down = "1s" }

[[fault]]
power-loss = { at = "45s", down = "1s" }

[[fault]]
power-loss = { at = "60s", down = "1s" }
"#;

/// Parts that one process lacks.
const FOREIGN: [&str; 9] =
    ["leader", "follower", "shard", "quorum", "elect", "replica", "proposed", "owns", "of s0"];

#[track_caller]
fn speaks_of_one_process(text: &str) {
    // A setting's name and the counts of what is left are what the scenario's file says.
    let line = text.lines().filter(|line| !line.starts_with("  shards ")).find(|line| {
        let line = line.replace("cluster.leader.", "").replace("1 shard;", "").to_lowercase();
        FOREIGN.iter().any(|word| line.contains(word))
    });
    assert_eq!(line, None, "{text}");
}

/// A desk where a sweep has found the failure: its first seed, and the capsule that it left.
fn swept(test: &str) -> (Desk, String, String) {
    let desk = Desk::new(test);
    desk.put("hasty.toml", HASTY);
    let check = ["check", "hasty.toml", "--seeds", "6..10", "--json", "--quiet"];
    let totals = desk.onsale(&check, 1).json();
    let failures = totals["failures"].as_array().expect("a list of failures");
    let sold = failures.iter().find(|failure| failure["oracle"] == "hold");
    let sold = sold.unwrap_or_else(|| panic!("no seat was sold twice: {totals}"));
    let seed = sold["first_seed"].as_str().expect("seeds are text").to_owned();
    let capsule = sold["capsule"].as_str().expect("the first of each kind is kept").to_owned();
    (desk, seed, capsule)
}

#[test]
fn a_sweep_finds_the_seat_that_is_sold_twice_and_its_capsule_replays_to_the_same_hash() {
    let (desk, seed, capsule) = swept("solo-sweep");
    let replayed = desk.onsale(&["replay", &capsule, "--verify", "--no-out"], 1);
    for words in [": identical", "the same oracles failed as recorded", "the trace hash matches"] {
        assert!(replayed.err.contains(words), "{words}: {}", replayed.err);
    }
    assert!(replayed.out.contains("✗ hold"), "{}", replayed.out);
    assert!(replayed.out.contains("power loss of the whole cluster (n1)"), "{}", replayed.out);
    let from_seed = desk
        .onsale(&["replay", &seed, "--scenario", "hasty.toml", "--json", "--quiet", "--no-out"], 1);
    assert_eq!(from_seed.json()["trace_hash"], desk.json(&capsule)["trace_hash"]);
}

#[test]
fn what_is_left_of_it_fails_as_it_did_and_its_story_names_seat_people_and_fault() {
    let (desk, _, capsule) = swept("solo-shrink");
    let arguments = ["shrink", &capsule, "--oracle", "linearizable", "--budget", "2m"];
    let told: Value =
        desk.onsale(&[&arguments[..], &["--out", "small", "--json", "--quiet"]].concat(), 0).json();
    assert_eq!(told["is_finished"], true, "{told}");
    assert_eq!(told["signature"]["oracle"], "linearizable");
    let (before, after) = (&told["before"], &told["after"]);
    for (key, most) in [("users", 3), ("faults", 1), ("seats", 4)] {
        assert!(after[key].as_u64() <= Some(most), "{key}: {told}");
    }
    assert!(after["events"].as_u64() < before["events"].as_u64(), "{told}");

    let replayed = desk.onsale(&["replay", "small/capsule.json", "--verify", "--no-out"], 1);
    assert!(replayed.err.contains("the same oracles failed as recorded"), "{}", replayed.err);
    assert!(replayed.err.contains("the trace hash matches"), "{}", replayed.err);
    speaks_of_one_process(&replayed.out);

    let story = desk.read("small/story.txt");
    let expected = [
        " u",
        "asks n1: book h",
        "booked, paid with p",
        "written as record ",
        "hears from n1: r",
        "FAULT   ",
        "restarts and reads its disk",
        "hold fails: ",
        "UNSAFE  cluster.leader.acknowledge",
    ];
    for words in expected {
        assert!(story.contains(words), "{words}: {story}");
    }
    speaks_of_one_process(&story);

    // Without the setting nothing is wrong.
    let scenario = desk.read("small/scenario.toml");
    let cause = "acknowledge = \"proposal\"";
    assert!(scenario.contains(cause) && scenario.contains("system = \"solo\""), "{scenario}");
    desk.put("safe.toml", &scenario.replace(cause, "acknowledge = \"quorum\""));
    desk.onsale(&["run", "safe.toml", "--no-out"], 0);
}

#[test]
fn a_seat_is_followed_from_the_question_to_the_disk_and_a_trace_is_drawn() {
    let desk = Desk::new("solo-story");
    let replay = ["replay", "1", "--scenario", "fast/solo", "--no-out"];
    let look = ["--follow", "show0 seat 0", "--trace", "solo.trace.json"];
    let said = desk.onsale(&[&replay[..], &look].concat(), 0);
    for words in ["asks n1: hold", "written as record ", "(start 1) on disk", "hears from n1: r"] {
        assert!(said.out.contains(words), "{words}: {}", said.out);
    }
    speaks_of_one_process(&said.out);
    let trace = desk.json("solo.trace.json");
    let names = || trace["traceEvents"].as_array().into_iter().flatten();
    let is_named = |name: &str| names().any(|event| event["args"]["name"] == name);
    assert!(is_named("the log") && !is_named("s0"), "{trace}");
}
