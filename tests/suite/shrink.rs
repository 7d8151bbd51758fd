//! `onsale shrink`, from outside: the size of the result, that it fails in the same way, and that the failure is
//! gone once the fault in the system is.

use std::fs;

use onsale::shrink::regression;
use onsale::shrink::regression::Origin;
use onsale::signature::Signature;
use onsale_booking::{NodeId, Span};
use onsale_scenarios::{Arrivals, Fault, ProcessFault, Target};
use onsale_sim::plan::Plan;
use onsale_tests::small_sale;
use serde_json::Value;

use crate::desk::{BLACKOUT, Desk};
use crate::golden::matches;

/// The test that shrinking makes of a plan, as it makes it; it passes, as nothing fails here.
#[path = "../golden/regression.rs"]
mod regression_file;

/// Every kind of fault, and a repeated request that is executed again.
const MIXED: &str = r#"
title = "Repeats take effect twice while everything breaks"
duration = "90s"
calm = "60s"

[cluster]
shards = 4

[sale]
shows = 3
hold = "20s"
repeats = "executed-again"

[crowd]
users = 120

[crowd.arrivals]
constant = { over = "60s" }

[crowd.session]
pick-think = { median = "2s", sigma = 0.8 }
checkout-think = { median = "5s", sigma = 0.6 }

[swarm]
faults = [3, 6]
from = "10s"
until = "70s"
lasts = ["500ms", "15s"]
"#;

/// More time than a search needs: a search that ends by itself does not depend on the machine.
const ENOUGH: &str = "20m";

/// A desk with a capsule of the first seed under which the mixed sale fails.
fn failed(test: &str) -> (Desk, String) {
    let desk = Desk::new(test);
    desk.put("mixed.toml", MIXED);
    for seed in 1..100 {
        let seed = seed.to_string();
        let arguments = ["run", "mixed.toml", "--seed", &seed, "--quiet"];
        let run = desk.command(&arguments).output().expect("onsale starts");
        if run.status.code() == Some(1) {
            return (desk, format!("onsale-out/mixed-{seed}/capsule.json"));
        }
    }
    panic!("nothing failed under any seed");
}

fn shrink(desk: &Desk, capsule: &str, more: &[&str]) -> Value {
    let arguments = [&["shrink", capsule, "--json", "--quiet", "--budget", ENOUGH], more].concat();
    desk.onsale(&arguments, 0).json()
}

#[test]
fn a_mixed_failure_ends_small_and_goes_with_its_cause() {
    let (desk, capsule) = failed("shrink-mixed");
    let told = shrink(&desk, &capsule, &["--out", "small"]);
    assert_eq!(told["is_finished"], true, "{told}");
    let after = |key: &str| told["after"][key].as_u64().unwrap();
    assert!(after("faults") <= 3 && after("users") <= 10, "{told}");
    assert!(after("nodes") <= 5 && after("events") < told["before"]["events"].as_u64().unwrap());

    // It fails as it did, and again in the same way.
    let oracle = told["signature"]["oracle"].as_str().unwrap();
    let replayed = desk.onsale(&["replay", "small/capsule.json", "--no-out"], 1);
    assert!(replayed.err.contains("the same oracles failed as recorded"), "{}", replayed.err);
    assert!(replayed.err.contains("the trace hash matches"), "{}", replayed.err);
    assert!(replayed.out.contains(&format!("✗ {oracle}")), "{}", replayed.out);
    assert!(desk.read("small/story.txt").contains(&format!("✗ {oracle}: ")));

    // The scenario tells the same story; without the unsafe setting there is none.
    let scenario = desk.read("small/scenario.toml");
    let seed = desk.json("small/capsule.json")["plan"]["seed"].as_str().unwrap().to_owned();
    desk.onsale(&["run", "small/scenario.toml", "--no-out"], 1);
    let cause = "repeats = \"executed-again\"\n";
    assert!(scenario.contains(cause), "{scenario}");
    desk.put("safe.toml", &scenario.replace(cause, ""));
    desk.onsale(&["run", "safe.toml", "--seed", &seed, "--no-out"], 0);

    // The plan without the setting, streams and all, as the test has it.
    let mut plan = desk.json("small/capsule.json")["plan"].take();
    plan["scenario"]["sale"].as_object_mut().unwrap().remove("repeats").unwrap();
    desk.put("safe.json", &plan.to_string());
    desk.onsale(&["replay", "safe.json", "--no-out"], 0);

    // A small failure stays as it is.
    let again = shrink(&desk, "small/capsule.json", &["--out", "again"]);
    assert_eq!(again["before"]["events"], again["after"]["events"], "{again}");
    assert_eq!(desk.read("again/capsule.json"), desk.read("small/capsule.json"));
}

/// A visitor who reads back in time: visitors go with the people, and the story is the visitor's.
#[test]
fn a_failure_about_facts_gets_small_and_is_told_of_the_visitor() {
    let desk = Desk::new("shrink-facts");
    desk.onsale(&["run", "unsafe/facts-sessions", "--quiet", "--out", "run"], 1);
    let told = shrink(&desk, "run/capsule.json", &["--out", "small"]);
    assert_eq!(told["is_finished"], true, "{told}");
    let facts = &desk.json("small/capsule.json")["plan"]["scenario"]["facts"];
    assert!(
        facts["visitors"].as_u64().unwrap() <= 4 && facts["reads"].as_u64().unwrap() <= 3,
        "{facts}"
    );
    let story = desk.read("small/story.txt");
    assert!(story.contains(" session ") && story.contains("back in time"), "{story}");
    assert!(!story.contains("hold the best seat"), "{story}");
    let wide = |line: &&str| line.chars().count() > 80 && !line.starts_with("onsale ");
    assert_eq!(story.lines().find(wide), None);
    let scenario = desk.read("small/scenario.toml");
    let title = "title = 'facts fails with 1 person, 1 show, 3 nodes and 1 shard; ";
    assert!(scenario.contains(title), "{scenario}");
    assert!(scenario.contains("cluster.facts.sessions = \"ignored\"'\n"), "{scenario}");
}

#[test]
fn nobody_can_tell_how_many_runs_there_were_at_once() {
    let desk = Desk::new("shrink-jobs");
    desk.put("blackout.toml", BLACKOUT);
    desk.onsale(&["run", "blackout.toml", "--quiet"], 1);
    for jobs in ["1", "3"] {
        let told =
            shrink(&desk, "onsale-out/blackout-1/capsule.json", &["--jobs", jobs, "--out", jobs]);
        assert_eq!(told["is_finished"], true);
    }
    for file in ["capsule.json", "scenario.toml", "regression.rs"] {
        assert_eq!(desk.read(&format!("1/{file}")), desk.read(&format!("3/{file}")), "{file}");
    }
}

#[test]
fn without_a_budget_everything_stays_and_every_file_is_there() {
    let desk = Desk::new("shrink-budget");
    desk.put("blackout.toml", BLACKOUT);
    desk.onsale(&["run", "blackout.toml", "--quiet"], 1);
    let arguments = ["shrink", "1", "--scenario", "blackout.toml", "--budget", "0s"];
    let said = desk.onsale(&arguments, 0);
    assert!(said.out.contains("not finished"), "{}", said.out);
    let line = said.out.lines().last().unwrap();
    assert_eq!(line, "onsale replay onsale-out/shrink-blackout-1/capsule.json");
    let capsule = "onsale-out/shrink-blackout-1/capsule.json";
    assert_eq!(desk.read(capsule), desk.read("onsale-out/blackout-1/capsule.json"));
    desk.onsale(&["replay", capsule, "--no-out"], 1);
    let scenario = "onsale-out/shrink-blackout-1/scenario.toml";
    desk.onsale(&["run", scenario, "--no-out"], 1);
    let mut files: Vec<_> = fs::read_dir(desk.0.join("onsale-out/shrink-blackout-1"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["capsule.json", "regression.rs", "scenario.toml", "story.txt"]);

    // The next search has a directory of its own; the input is never overwritten.
    desk.onsale(&["shrink", capsule, "--budget", "0s", "--quiet"], 0);
    assert!(desk.0.join("onsale-out/shrink-blackout-1-2/capsule.json").exists());
    let over = desk.onsale(&["shrink", capsule, "--out", "onsale-out/shrink-blackout-1"], 2);
    assert!(over.err.contains("would overwrite the input"), "{}", over.err);
}

#[test]
fn what_cannot_be_shrunk_is_refused_in_a_line() {
    let desk = Desk::new("shrink-usage");
    desk.put("blackout.toml", BLACKOUT);
    let table: [(&[&str], &str); 8] = [
        (&["1", "--scenario", "small.toml"], "nothing fails on this code"),
        (&["1", "--scenario", "blackout.toml", "--oracle", "hold"], "but live fails"),
        (
            &["1", "--scenario", "blackout.toml", "--oracle", "hodl"],
            "a similar value exists: 'hold'",
        ),
        (
            &["1", "--scenario", "blackout.toml", "--oracle", "hodl"],
            "possible values: double-booking, ",
        ),
        (&["1"], "onsale shrink 1 --scenario SCENARIO"),
        (&["x.json", "--scenario", "small.toml"], "brings its own scenario"),
        (&["missing.json"], "missing.json: cannot be read"),
        (&["1", "--scenario", "small.toml", "--budget", "1 day"], "did you mean `24h`?"),
    ];
    for (arguments, expected) in table {
        let said = desk.onsale(&[&["shrink"], arguments].concat(), 2);
        assert!(said.err.contains(expected), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "", "{arguments:?}");
    }
    assert!(!desk.0.join("onsale-out").exists());
}

#[test]
fn a_capsule_that_does_not_replay_on_its_own_code_is_no_function_of_its_plan() {
    let desk = Desk::new("shrink-hash");
    desk.put("blackout.toml", BLACKOUT);
    desk.onsale(&["run", "blackout.toml", "--quiet"], 1);
    let mut capsule = desk.json("onsale-out/blackout-1/capsule.json");
    capsule["trace_hash"] = "0123456789abcdef".into();
    desk.put("moved.json", &capsule.to_string());
    let said = desk.onsale(&["shrink", "moved.json"], 70);
    assert!(said.err.contains("two runs of one plan differ"), "{}", said.err);

    capsule["code_version"] = "0.0.1".into();
    desk.put("other.json", &capsule.to_string());
    let said = desk.onsale(&["shrink", "other.json", "--budget", "0s"], 0);
    assert!(said.err.contains("warning: other code"), "{}", said.err);
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_with_130_and_the_best_so_far() {
    use std::process::{Command, Stdio};

    let (desk, capsule) = failed("shrink-ctrl-c");
    let mut child = desk
        .command(&["shrink", &capsule, "--out", "best", "--budget", ENOUGH, "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first capsule on disk is the input, and the search has begun.
    while !desk.0.join("best/capsule.json").exists() {
        assert_eq!(child.try_wait().unwrap(), None, "the search is over");
        std::thread::yield_now();
    }
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["is_finished"], false);
    desk.onsale(&["replay", "best/capsule.json", "--no-out"], 1);
}

/// What shrinking makes of a plan is a test of this repository as it stands.
#[test]
fn the_test_that_is_made_compiles_and_is_compared() {
    let mut scenario = small_sale();
    let people = [3, 17, 40].map(|number| (Span::from_secs(u64::from(number)), number));
    scenario.crowd.users = 3;
    scenario.crowd.arrivals = Arrivals::Named { people: people.into() };
    scenario.faults = vec![Fault::new(
        Span::from_secs(20),
        Span::from_secs(5),
        ProcessFault::Crash { node: Target::Node(NodeId(2)) },
    )];
    scenario.must_exercise.clear();
    scenario.limits.clear();
    "shrunk/small-sale".clone_into(&mut scenario.id);
    let mut plan = Plan::new(&scenario, 7);
    plan.streams.insert("network".to_owned(), 0x5eed);
    let signature =
        Signature { oracle: "hold".to_owned(), kind: "hN of uN is shorter than N".to_owned() };
    let origin =
        Origin { scenario: "test/small-sale", seed: 1, signature: &signature, limit: None };
    matches("regression.rs", &regression::test(&plan, origin));
}
