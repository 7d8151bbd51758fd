//! The command line, from outside: what it prints where, which files it leaves, how it ends.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::desk::{BLACKOUT, Desk, SMALL, await_handler};

#[test]
fn a_run_prints_its_summary_and_leaves_its_files() {
    let desk = Desk::new("run");
    let said = desk.onsale(&["run", "small.toml", "--seed", "7"], 0);
    assert!(said.out.starts_with("small.toml · seed 7\n"), "{}", said.out);
    assert!(!said.out.contains('\x1b'), "no colour in a pipe");
    assert_eq!(said.err, "files in onsale-out/small-7\n");

    let mut files: Vec<_> = fs::read_dir(desk.0.join("onsale-out/small-7"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["latency.csv", "latency.hlog", "plan.json", "summary.json", "timeline.csv"]);

    let coloured = desk.onsale(&["run", "small.toml", "--color", "always", "--no-out", "-q"], 0);
    assert!(coloured.out.contains('\x1b'));
    assert_eq!(coloured.err, "");
    assert!(!desk.0.join("onsale-out/small-1").exists());
}

#[test]
fn the_last_line_plays_the_run_again() {
    let desk = Desk::new("again");
    let first = desk.onsale(&["run", "small.toml", "--seed", "3", "--json"], 0).json();
    let said = desk.onsale(&["run", "small.toml", "--seed", "3"], 0);
    let line = said.out.lines().last().unwrap();
    assert_eq!(line, first["reproduce"].as_str().unwrap());
    let mut arguments: Vec<_> = line.strip_prefix("onsale ").unwrap().split(' ').collect();
    arguments.push("--json");
    let again = desk.onsale(&arguments, 0).json();
    assert_eq!(again["trace_hash"], first["trace_hash"]);
    assert!(desk.0.join("onsale-out/small-3-replay/summary.json").exists());

    // The line can also be pasted where cargo runs the program.
    let by_cargo = desk
        .command(&["run", "small.toml", "--seed", "3", "--no-out"])
        .env("CARGO", "/bin/cargo")
        .env("CARGO_PKG_NAME", "onsale-sim")
        .output()
        .unwrap();
    let out = String::from_utf8(by_cargo.stdout).unwrap();
    let line = line.replace("onsale ", "cargo run --release -- ");
    assert_eq!(out.lines().last(), Some(&*line));
}

#[test]
fn json_carries_what_programs_look_for() {
    let desk = Desk::new("json");
    let said = desk.onsale(&["run", "small.toml", "--json"], 0);
    let json = said.json();
    assert_eq!(json["schema"], 3);
    assert_eq!(json["scenario"], "small.toml");
    assert_eq!(json["seed"], "1");
    assert_eq!(json["interrupted"], false);
    assert_eq!(json["users"], 60);
    for key in ["code_version", "build_profile", "trace_hash", "reproduce"] {
        assert!(json[key].as_str().is_some_and(|text| !text.is_empty()), "{key}");
    }
    for key in ["events", "messages", "virtual_s", "wall_s", "sold_seats", "seats"] {
        assert!(json[key].is_number(), "{key}");
    }
    for oracle in ["double-booking", "lost-booking", "atomic", "hold", "linearizable", "live"] {
        assert_eq!(json["oracles"][oracle]["verdict"], "pass", "{oracle}");
    }
    assert!(json["latency_ms"]["hold"]["p99_9"].is_number());
    assert_eq!(json["faults"].as_array().unwrap().len(), 1);
    assert_eq!(desk.read("onsale-out/small-1/summary.json"), said.out);
}

#[test]
fn a_plan_is_stable_and_replays_to_the_same_trace() {
    let desk = Desk::new("plan");
    let plan = |seed| desk.onsale(&["run", "small.toml", "--plan-only", "--seed", seed], 0);
    let said = plan("5");
    assert_eq!(said.out, plan("5").out);
    assert_ne!(said.out, plan("6").out);
    assert!(!desk.0.join("onsale-out").exists(), "a plan alone runs nothing");

    let run = desk.onsale(&["run", "small.toml", "--seed", "5", "--json"], 0);
    assert_eq!(desk.read("onsale-out/small-5/plan.json"), said.out);
    desk.put("plan.json", &said.out);
    let replayed = desk.onsale(&["replay", "plan.json", "--json"], 0);
    assert_eq!(replayed.json()["trace_hash"], run.json()["trace_hash"]);
    assert!(replayed.json()["reproduce"].as_str().unwrap().ends_with("onsale replay plan.json"));
}

#[test]
fn two_runs_of_one_plan_are_identical() {
    let desk = Desk::new("verify");
    let said = desk.onsale(&["run", "small.toml", "--verify", "--no-out"], 0);
    assert!(
        said.err.starts_with("two runs, ") && said.err.ends_with(": identical\n"),
        "{}",
        said.err
    );
    desk.onsale(&["replay", "1", "--scenario", "small.toml", "--verify", "--no-out"], 0);
}

#[test]
fn a_failure_ends_with_1_and_leaves_a_capsule() {
    let desk = Desk::new("fail");
    desk.put("blackout.toml", BLACKOUT);
    let said = desk.onsale(&["run", "blackout.toml"], 1);
    assert!(said.out.contains("✗ live"), "{}", said.out);
    let capsule = "onsale-out/blackout-1/capsule.json";
    assert!(said.err.contains(capsule), "{}", said.err);
    assert_eq!(desk.json(capsule)["failed"], serde_json::json!(["live"]));

    let again = desk.onsale(&["replay", capsule], 1);
    assert!(again.err.contains("the same oracles failed as recorded: live"), "{}", again.err);
    assert!(again.err.contains("the trace hash matches the recorded one"), "{}", again.err);
    assert!(again.out.ends_with(&format!("\nonsale replay {capsule}\n")), "{}", again.out);

    let over = desk.onsale(&["replay", capsule, "--out", "onsale-out/blackout-1"], 2);
    assert!(over.err.contains("would overwrite the input"), "{}", over.err);

    let mut other = desk.json(capsule);
    other["trace_hash"] = "0123456789abcdef".into();
    other["failed"] = serde_json::json!(["hold"]);
    desk.put("same.json", &other.to_string());
    let same = desk.onsale(&["replay", "same.json", "--no-out"], 70);
    assert!(same.err.contains("recorded was 0123456789abcdef"), "{}", same.err);

    other["code_version"] = "0.0.1".into();
    desk.put("other.json", &other.to_string());
    let other = desk.onsale(&["replay", "other.json", "--no-out", "--quiet"], 1);
    assert!(other.err.contains("warning: other code: the capsule was written by onsale 0.0.1"));
    assert!(other.err.contains("recorded as failed: hold; failed now: live"), "{}", other.err);
}

#[test]
fn an_edited_capsule_is_told_as_edited() {
    let desk = Desk::new("edited");
    desk.put("blackout.toml", BLACKOUT);
    desk.onsale(&["run", "blackout.toml", "--seed", "18446744073709551615"], 1);
    let capsule = desk.read("onsale-out/blackout-18446744073709551615/capsule.json");
    let replay = |text: &str| {
        desk.put("capsule.json", text);
        let said = desk.command(&["replay", "capsule.json", "--no-out"]).output().unwrap();
        // An edited one may fail or not; it is no fault of the program.
        assert!(matches!(said.status.code(), Some(0 | 1)), "{said:?}");
        String::from_utf8(said.stderr).unwrap()
    };
    assert!(!replay(&capsule).contains("edited"), "{}", replay(&capsule));
    assert!(replay(&capsule).contains("the trace hash matches"), "{}", replay(&capsule));
    let edited = capsule.replacen("\"users\": 300", "\"users\": 301", 1);
    assert_ne!(edited, capsule);
    let said = replay(&edited);
    assert!(said.contains("warning: the capsule's hash shows that its plan was edited"), "{said}");
    assert!(!said.contains("function of its plan"), "{said}");
    desk.put("named.json", &capsule.replacen("No cluster comes", "Nothing comes", 1));
    let said = desk.onsale(&["shrink", "named.json", "--budget", "0s"], 0);
    assert!(said.err.contains("its plan was edited; shrinking"), "{}", said.err);

    // Formats before this one used other words.
    let older = capsule.replacen("\"schema\": 3", "\"schema\": 2", 1);
    assert_ne!(older, capsule);
    desk.put("older.json", &older);
    let said = desk.onsale(&["replay", "older.json"], 2);
    assert!(
        said.err.contains("older.json: a capsule of schema 2; this onsale reads schema 3"),
        "{}",
        said.err
    );
}

/// A run that its budget stopped is reproduced by the line, and by the capsule.
#[test]
fn a_budget_stops_a_replay_at_the_same_event() {
    let desk = Desk::new("budget");
    let run = ["run", "small.toml", "--max-events", "4000", "--json"];
    let first = desk.onsale(&run, 1).json();
    assert_eq!(first["oracles"]["budget"]["verdict"], "fail");
    let line = first["reproduce"].as_str().unwrap();
    assert_eq!(line, "onsale replay 1 --scenario small.toml --max-events 4000");
    let capsule = "onsale-out/small-1/capsule.json";
    assert_eq!(desk.json(capsule)["limit"], serde_json::json!({ "max_events": 4000 }));
    for again in [&line.split(' ').skip(1).collect::<Vec<_>>()[..], &["replay", capsule]] {
        let again = desk.onsale(&[again, &["--json", "--no-out", "--verify"]].concat(), 1);
        assert_eq!(again.json()["trace_hash"], first["trace_hash"]);
        assert_eq!(again.json()["events"], first["events"]);
    }
    let said = desk.onsale(&["replay", capsule, "--no-out"], 1);
    assert!(said.err.contains("the trace hash matches the recorded one"), "{}", said.err);
    let other = desk.onsale(&["replay", capsule, "--no-out", "--max-events", "100000000"], 0);
    assert!(other.err.contains("other limits than recorded"), "{}", other.err);

    let shrunk = desk.onsale(&["shrink", capsule, "--budget", "10s", "--json"], 0).json();
    assert_eq!(shrunk["signature"]["oracle"], "budget");
    let small = "onsale-out/shrink-small-1/capsule.json";
    assert_eq!(desk.json(small)["limit"], serde_json::json!({ "max_events": 4000 }));
    let said = desk.onsale(&["replay", small, "--no-out"], 1);
    assert!(said.err.contains("the trace hash matches the recorded one"), "{}", said.err);
    let test = desk.read("onsale-out/shrink-small-1/regression.rs");
    assert!(test.contains("Limits::only(Some(Limit::MaxEvents(4000)))"), "{test}");
}

#[test]
fn a_run_in_which_nothing_was_checked_is_no_pass() {
    let desk = Desk::new("vacuous");
    let far = "\"1000h\"";
    let vacuous = format!(
        "title = \"Nobody ever hears of anybody\"\nduration = \"20s\"\ncalm = \"20s\"\n\
         [crowd]\nusers = 20\n[crowd.arrivals]\nconstant = {{ over = \"8s\" }}\n\
         [network]\nwithin-zone = {far}\nbetween-zones = {far}\nclient = {far}\n\
         [[fault]]\ncrash = {{ at = \"3s\", node = \"leader\", down = \"2s\" }}\n"
    );
    desk.put("vacuous.toml", &vacuous);
    let said = desk.onsale(&["run", "vacuous.toml", "--no-out"], 4);
    assert!(said.err.contains("not a pass: no oracle had anything to check"), "{}", said.err);
    let said = desk.onsale(&["check", "vacuous.toml", "small.toml", "--seeds", "1..3"], 4);
    assert!(said.out.contains("– vacuous.toml  2 seeds  no oracle had anything to check"));
    assert!(said.out.contains("✓ small.toml"), "{}", said.out);
}

#[test]
fn what_was_not_exercised_is_no_pass() {
    let desk = Desk::new("idle");
    let text = SMALL.replace("[crowd.session]", "[crowd.session]\napproval = \"0%\"");
    desk.put("idle.toml", &text);
    let said = desk.onsale(&["run", "idle.toml", "--no-out"], 4);
    assert!(said.err.contains("not a pass: double-booking: not exercised"), "{}", said.err);
}

#[test]
fn a_limit_that_was_missed_ends_with_3_and_leaves_a_capsule() {
    let desk = Desk::new("slow");
    let limits = "latency = [\"hold p99 < 10s\", \"hold max < 1ms outside faults\"]";
    desk.put("slow.toml", &format!("{SMALL}{limits}\n"));
    let said = desk.onsale(&["run", "slow.toml"], 3);
    assert!(said.out.contains("✗ latency"), "{}", said.out);
    assert!(said.out.contains("hold max < 1ms outside faults: missed at "), "{}", said.out);
    assert!(said.err.contains("the failure in one file"), "{}", said.err);
    desk.onsale(&["replay", "onsale-out/slow-1/capsule.json", "--no-out"], 3);

    let kept = format!("{SMALL}latency = [\"hold p99 < 10s\"]\n");
    desk.put("kept.toml", &kept.replace("\"hold\"]", "\"latency\"]"));
    let said = desk.onsale(&["run", "kept.toml", "--no-out"], 0);
    assert!(said.out.contains("✓ latency"), "{}", said.out);
}

#[test]
fn bad_scenarios_are_refused_with_place_and_remedy() {
    let desk = Desk::new("bad");
    desk.put("gap.csv", "offset_s,arrivals\n0,5\n10,5\n30,5\n");
    desk.put("negative.csv", "offset_s,arrivals\n0,5\n10,-5\n");
    let trace = "[crowd.arrivals]\ntrace = { file = \"gap.csv\" }\n";
    let crash = "[[fault]]\ncrash = { at = \"1s\", node = \"n9\", down = \"5s\" }\n";
    let table = [
        (
            "key",
            "[cluster]\nnods = 5\n".to_owned(),
            "key.toml:3:1: cluster.nods",
            "did you mean `nodes`?",
        ),
        ("unit", "duration = \"5 parsecs\"\n".to_owned(), "unit.toml:2:12: duration", "`"),
        ("node", crash.to_owned(), "node.toml:3:29: fault[0].crash.node", "the nodes are n1 to n5"),
        (
            "quorum",
            "[cluster]\nreplicas = 4\n".to_owned(),
            "quorum.toml:3:12: cluster.replicas",
            "1, 3, 5 or 7",
        ),
        ("gap", trace.to_owned(), "gap.csv:4:", "the next offset would be 20"),
        ("negative", trace.replace("gap", "negative"), "negative.csv:3:", "counts start at 0"),
    ];
    for (name, text, place, remedy) in table {
        let file = format!("{name}.toml");
        desk.put(&file, &format!("title = \"It is not sound\"\n{text}"));
        for arguments in [&["run", &file][..], &["scenarios", "validate", &file]] {
            let said = desk.onsale(arguments, 2);
            assert_eq!(said.out, "");
            // Wrapped for the terminal, the words stay in order.
            let words = said.err.split_whitespace().filter(|word| *word != "│");
            let words = words.collect::<Vec<_>>().join(" ");
            assert!(words.contains(place) && words.contains(remedy), "{name}: {}", said.err);
        }
    }
    assert!(!desk.0.join("onsale-out").exists());
}

#[test]
fn bad_capsules_are_refused_in_a_line() {
    let desk = Desk::new("capsule");
    let plan = desk.onsale(&["run", "small.toml", "--plan-only"], 0).out;
    desk.put("truncated.json", &plan[..plan.len() / 2]);
    desk.put("newer.json", &plan.replacen("\"schema\": 3", "\"schema\": 4", 1));
    desk.put("node.json", &plan.replace("\"node\": \"leader\"", "\"node\": \"n9\""));
    desk.put("binary.json", "\u{0}\u{1}");
    let table = [
        ("truncated.json", "not a capsule: the text ends too early"),
        ("newer.json", "a capsule of schema 4"),
        ("node.json", "there is no node n9"),
        ("binary.json", "not a capsule"),
        ("missing.json", "cannot be read"),
    ];
    for (file, expected) in table {
        let said = desk.onsale(&["replay", file], 2);
        assert!(said.err.starts_with(&format!("error: {file}")), "{}", said.err);
        assert!(said.err.contains(expected), "{}", said.err);
        assert_eq!((said.out.as_str(), said.err.lines().count()), ("", 1), "{}", said.err);
    }
}

#[test]
fn bad_usage_ends_with_2_and_a_hint() {
    let desk = Desk::new("usage");
    let table: [(&[&str], &str); 9] = [
        (&[], "Usage: onsale"),
        (&["runs"], "a similar subcommand exists: 'run'"),
        (&["run"], "<SCENARIO>"),
        (&["run", "crahs"], "did you mean `fast/crash`?"),
        (&["run", "crash", "--sed", "1"], "--seed"),
        (&["run", "crash", "--seed", "-1"], "--seed"),
        (&["run", "crash", "--out", "x", "--no-out"], "cannot be used with"),
        (&["replay", "7"], "onsale replay 7 --scenario SCENARIO"),
        (&["replay", "x.json", "--scenario", "crash"], "brings its own scenario"),
    ];
    for (arguments, hint) in table {
        let said = desk.onsale(arguments, 2);
        assert!(said.err.contains(hint), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "", "{arguments:?}");
    }
}

#[test]
fn every_command_has_help_with_examples() {
    let desk = Desk::new("help");
    let verbs = ["run", "replay", "shrink", "check", "merge", "scenarios", "completions"];
    for verb in std::iter::once(None).chain(verbs.map(Some)) {
        let arguments: Vec<_> = verb.into_iter().chain(["--help"]).collect();
        let said = desk.onsale(&arguments, 0);
        assert!(said.out.contains("  onsale "), "{verb:?}: {}", said.out);
    }
    assert!(desk.onsale(&["--version"], 0).out.starts_with("onsale 0."));
}

#[test]
fn scenarios_are_listed_shown_and_checked() {
    let desk = Desk::new("scenarios");
    let list = desk.onsale(&["scenarios", "list"], 0).out;
    let json = desk.onsale(&["scenarios", "list", "--json"], 0).json();
    assert_eq!(list.lines().count(), json.as_array().unwrap().len());
    assert!(json[0]["id"].is_string() && json[0]["title"].is_string());

    for entry in json.as_array().unwrap() {
        let id = entry["id"].as_str().unwrap();
        let shown = desk.onsale(&["scenarios", "show", id], 0).out;
        desk.put("shown.toml", &shown);
        let said = desk.onsale(&["scenarios", "validate", "shown.toml", id], 0);
        assert_eq!(said.out, format!("shown.toml: ok\n{id}: ok\n"));
        assert_eq!(desk.onsale(&["scenarios", "show", "shown.toml"], 0).out, shown);
        assert_eq!(desk.onsale(&["scenarios", "show", id, "--json"], 0).json()["id"], id);
    }

    desk.put("bad.toml", "title = \"x\"\n[cluster]\nnods = 5\n");
    let checked =
        desk.onsale(&["scenarios", "validate", "--json", "small.toml", "bad.toml"], 2).json();
    assert_eq!(checked[0], serde_json::json!({"file": "small.toml", "ok": true, "problems": []}));
    assert_eq!(checked[1]["problems"][0]["line"], 3);
    assert_eq!(checked[1]["problems"][0]["field"], "cluster.nods");
}

#[test]
fn completions_come_for_each_shell() {
    let desk = Desk::new("completions");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(desk.onsale(&["completions", shell], 0).out.contains("replay"), "{shell}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_told_before_the_run() {
    let desk = Desk::new("full");
    let said = desk.onsale(&["run", "small.toml", "--json", "--out", "small.toml/out"], 70);
    assert_eq!(said.out, "", "nothing is played whose files have no place to go");
    assert!(said.err.contains("error: cannot create small.toml/out"), "{}", said.err);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let desk = Desk::new("pipe");
    for arguments in [
        &["scenarios", "show", "crash"][..],
        &["completions", "bash"],
        &["run", "small.toml", "--no-out"],
    ] {
        let mut child =
            desk.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_with_130_and_a_valid_report_of_the_part_that_ran() {
    let desk = Desk::new("ctrl-c");
    let child = desk
        .command(&["run", "stadium-10m", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    await_handler(child.id(), 2);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());

    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["interrupted"], true);
    assert_eq!(desk.json("onsale-out/stadium-10m-1/summary.json"), json);
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted: ending the run"));
}
