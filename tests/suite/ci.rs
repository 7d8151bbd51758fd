//! Output of a sweep for CI systems: JUnit XML, annotations, and the summary of a step.

use std::fs;

use serde_json::Value;

use crate::desk::{Desk, NEVER};

#[test]
fn a_failure_is_told_to_everybody_who_must_know() {
    let desk = Desk::of_sweeps("fail");
    let arguments =
        ["check", "never.toml", "tiny.toml", "--seeds", "1..4", "--junit", "ci/junit.xml"];
    let said = desk.onsale(&[&arguments[..], &["--annotations"]].concat(), 1);
    assert!(said.out.contains("✗ never.toml  3 seeds  3 failed"), "{}", said.out);
    let last: Vec<&str> = said.out.lines().rev().take(2).collect();
    assert!(last[1].starts_with("  live in never.toml, "), "{}", said.out);
    let replay = last[0].trim_start().strip_prefix("onsale ");
    let replay = replay.expect("the last line plays a failure again");
    desk.onsale(&replay.split(' ').chain(["--no-out"]).collect::<Vec<_>>(), 1);

    // Replay starts from the capsule, and so does everything else.
    let json = desk.onsale(&[&arguments[..], &["--json", "--resume"]].concat(), 1).json();
    let failure = &json["failures"][0];
    assert_eq!((&failure["oracle"], &failure["first_seed"]), (&"live".into(), &"1".into()));
    assert_eq!(failure["scenario"], "never.toml");
    assert_eq!(json["failure_rate_below"], Value::Null);
    let capsule = failure["capsule"].as_str().unwrap();
    assert_eq!(capsule, "onsale-out/check/never-1/capsule.json");
    let again = desk.onsale(&["replay", capsule, "--no-out"], 1);
    assert!(again.err.contains("the trace hash matches the recorded one"), "{}", again.err);

    let annotations: Vec<&str> =
        said.err.lines().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(annotations.len(), json["failures"].as_array().unwrap().len());
    let beginning = "::error file=never.toml,title=live failed in never.toml::";
    assert!(annotations[0].starts_with(beginning), "{}", annotations[0]);
    assert!(annotations[0].contains("%0Aonsale replay "));

    let xml = desk.read("ci/junit.xml");
    let document = roxmltree::Document::parse(&xml).expect("it is XML");
    let named = |name: &str| {
        document.descendants().filter(|node| node.has_tag_name(name)).collect::<Vec<_>>()
    };
    assert_eq!(document.root_element().tag_name().name(), "testsuites");
    let suites: Vec<_> =
        named("testsuite").iter().filter_map(|suite| suite.attribute("name")).collect();
    assert_eq!(suites, ["never.toml", "tiny.toml"]);
    assert_eq!(named("testcase").len(), 6);
    assert_eq!(document.root_element().attribute("failures"), Some("3"));
    let failures = named("failure");
    assert_eq!(failures.len(), 3);
    // Each case with its own seed's evidence and line.
    let results = desk.read("onsale-out/check/results.jsonl");
    for (seed, failure) in (1..).zip(&failures) {
        let text = failure.text().unwrap();
        let line = format!("onsale replay {seed} --scenario never.toml\n");
        for words in ["no interruption excuses it", &line] {
            assert!(text.contains(words), "{text}");
        }
        let own = results.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let name = Value::from(seed.to_string());
        let is_its_own = |own: &Value| own["seed"] == name && own["scenario"] == "never.toml";
        let own: Vec<Value> = own.filter(is_its_own).collect();
        let headline = own[0]["failures"][0]["headline"].as_str().unwrap();
        assert!(text.contains(headline), "{headline}: {text}");
    }
    for case in named("testcase") {
        assert!(!case.attribute("classname").unwrap().contains('.'));
    }
    // The sweep was read back: its runs have no times.
    assert!(!xml.contains("<testcase name=\"seed 1\" classname=\"never\" time="), "{xml}");
}

/// A report without its times.
pub(super) fn without_times(xml: &str) -> String {
    let mut parts = xml.split(" time=\"");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('"').expect("an attribute ends").1);
    }
    text
}

/// Ranges of seeds keep a report short; on request each seed has a case.
#[test]
fn a_case_is_a_range_of_seeds_or_a_seed() {
    let desk = Desk::of_sweeps("cases");
    desk.onsale(&["check", "never.toml", "--seeds", "1..131", "--junit", "ranges.xml", "-q"], 1);
    let results = "onsale-out/check/results.jsonl";
    desk.onsale(&["merge", results, "--junit", "seeds.xml", "--junit-seeds"], 1);
    let (ranges, seeds) = (desk.read("ranges.xml"), desk.read("seeds.xml"));
    assert_eq!(seeds.matches("<testcase ").count(), 130);
    assert_eq!(ranges.matches("<testcase ").count(), 65);
    let times = ranges.matches("classname=\"never\" time=\"").count();
    assert_eq!(times, 65, "{ranges}");
    for seed in [1, 64, 130] {
        let line = format!("onsale replay {seed} --scenario never.toml\n");
        assert!(seeds.contains(&line), "{line}");
    }
}

/// GitHub is recognised by the environment.
#[test]
fn annotations_come_unasked_where_they_are_read() {
    let desk = Desk::of_sweeps("github");
    let check = ["check", "never.toml", "--seeds", "1", "--overwrite"];
    let said = |value: &str| {
        let mut command = desk.command(&check);
        let output = command.env("GITHUB_ACTIONS", value).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("true").contains("::error file=never.toml,title="));
    let slice = |more: &[&str]| {
        let slice = [&check[..], &["--partition", "count:1/1"], more].concat();
        let mut command = desk.command(&slice);
        let output = command.env("GITHUB_ACTIONS", "true").output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(slice(&[]).contains("::error"), "one of one is the whole sweep");
    assert!(!said("false").contains("::error"));
}

/// Failures of slices are reported only by their merge, as errors beside their scenario and in the summary of
/// the step.
#[test]
fn slices_leave_the_telling_to_their_merge() {
    let desk = Desk::of_sweeps("doubles");
    fs::create_dir_all(desk.0.join("repo/sales")).unwrap();
    desk.put("repo/sales/never.toml", NEVER);
    let top = desk.0.join("repo");
    let onsale = |arguments: &[&str]| {
        let mut command = desk.command(arguments);
        command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", "../../summary.md");
        command.env("GITHUB_WORKSPACE", &top).current_dir(top.join("sales"));
        String::from_utf8(command.output().unwrap().stderr).unwrap()
    };
    desk.put("summary.md", "# Somebody else's\n");
    for number in ["1", "2"] {
        let (name, file) = (format!("count:{number}/2"), format!("{number}.jsonl"));
        let said = onsale(&[
            "check",
            "never.toml",
            "--seeds",
            "1..5",
            "--partition",
            &name,
            "--results",
            &file,
        ]);
        assert!(!said.contains("::error"), "{said}");
    }
    assert_eq!(desk.read("summary.md"), "# Somebody else's\n");
    let said = onsale(&["merge", "1.jsonl", "2.jsonl"]);
    let beginning = "::error file=sales/never.toml,title=live failed in never.toml::";
    assert_eq!(said.matches("::error").count(), said.matches(beginning).count(), "{said}");
    assert!(said.contains(beginning), "{said}");
    let summary = desk.read("summary.md");
    assert!(summary.starts_with("# Somebody else's\n### onsale check: ❌ 4 of 4 seeds failed\n"));
    assert!(summary.contains("onsale replay 1 --scenario never.toml"), "{summary}");
}
