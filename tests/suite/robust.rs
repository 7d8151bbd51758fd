//! Hostile input: text of a file is shown and not obeyed, only a bounded part of it is read, and senseless
//! requests are refused at once.

use std::fs;
use std::process::Stdio;

use crate::desk::{BLACKOUT, Desk, sweep};

/// Sequences that no output may contain, even if a file does.
fn assert_plain(text: &str) {
    let obeyed = |letter: char| letter.is_control() && letter != '\n' || letter == '\u{202e}';
    assert!(!text.contains(obeyed), "{text:?}");
    for line in text.lines() {
        assert!(!line.trim_start().starts_with("::"), "{text}");
        assert!(!line.contains("##["), "{text}");
    }
}

/// Escape sequences, a turned direction, a line break, and commands of two CI systems, as TOML and JSON write
/// them.
const EVIL: &str =
    r"evil \u001b[2J\u001b]0;pwn\u0007 \u009b31m \u202e title\n::error::no ##[error]no";

#[test]
fn titles_ids_and_names_are_shown_and_not_obeyed() {
    let desk = Desk::new("evil");
    let evil = BLACKOUT.replace("No cluster comes back from a blackout within a microsecond", EVIL);
    desk.put("evil.toml", &evil);
    for colour in ["never", "always"] {
        let run = ["run", "evil.toml", "--color", colour, "--out", "d"];
        let said = desk.onsale(&run, 1);
        assert!(said.out.contains(r"evil \u{1b}[2J\u{1b}]0;pwn\u{7} \u{9b}31m \u{202e} title"));
        assert_plain(&said.out);
        assert_plain(&said.err);
    }
    let json = desk.onsale(&["run", "evil.toml", "--json", "--no-out"], 1);
    assert_plain(&json.out);
    let title = json.json()["title"].as_str().unwrap().to_owned();
    assert!(title.contains("\u{1b}[2J") && title.contains("\n::error::no ##[error]no"));

    let shown = desk.onsale(&["scenarios", "show", "evil.toml"], 0).out;
    assert_plain(&shown);
    desk.put("again.toml", &shown);
    desk.onsale(&["scenarios", "validate", "again.toml"], 0);
    assert_plain(&desk.onsale(&["scenarios", "show", "evil.toml", "--json"], 0).out);
    for file in ["plan.json", "capsule.json", "summary.json"] {
        assert_plain(&desk.read(&format!("d/{file}")));
    }

    // A foreign capsule: its id, its code version, its oracles and its hash.
    let mut capsule = desk.json("d/capsule.json");
    capsule["plan"]["scenario"]["id"] = "\u{1b}[2Jx\n::error::hi.toml".into();
    capsule["code_version"] = "\u{1b}[31m\u{7}evil".into();
    capsule["build_profile"] = "\n::error::x".into();
    capsule["failed"] = serde_json::json!(["\u{1b}[2J"]);
    capsule["trace_hash"] = "\u{1b}[2J".into();
    desk.put("evil.json", &capsule.to_string());
    for more in [&["--color", "always"][..], &["--json"], &["--follow", "n1", "--to", "1s"]] {
        let said = desk.onsale(&[&["replay", "evil.json", "--no-out"], more].concat(), 1);
        assert_plain(&said.out.replace("\u{1b}[", "").replace("\u{1b}", ""));
        assert_plain(&said.err.replace("\u{1b}[1;33mwarning:\u{1b}[0m", ""));
        assert!(!said.out.contains("\u{1b}[2J") && !said.err.contains("\u{1b}[2J"));
    }
    desk.onsale(&["replay", "evil.json"], 1);
    let named = fs::read_dir(desk.0.join("onsale-out")).unwrap();
    named.for_each(|dir| assert_plain(&dir.unwrap().file_name().to_string_lossy()));

    // Keys and file names in errors.
    desk.put("key.toml", "title = \"t\"\n\"\\u001b[2J\\n::error::x\" = 1\n");
    desk.put("raw.toml", "title = \"\u{1b}[2J\"\n");
    for arguments in [
        &["run", "key.toml"][..],
        &["run", "raw.toml"],
        &["scenarios", "validate", "key.toml", "raw.toml", "--color", "always"],
        &["run", "\u{1b}[2J.toml"],
        &["replay", "\u{1b}[2J\n::error::x.json"],
        &["run", "small.toml", "\u{1b}[2J"],
        &["check", "small.toml", "--seeds", "\u{1b}[2J"],
    ] {
        let said = desk.onsale(arguments, 2);
        assert!(!said.err.contains("\u{1b}[2J"), "{:?}", said.err);
        if !arguments.contains(&"always") {
            assert_plain(&said.err);
        }
    }
}

#[test]
fn results_of_a_stranger_are_shown_and_not_obeyed() {
    let desk = Desk::of_sweeps("stranger");
    desk.onsale(&["check", "never.toml", "--seeds", "1..3", "--results", "r.jsonl"], 1);
    let evil = "\u{1b}[2J\u{1b}]0;pwn\u{7} ]]> & <b> \0 \u{fffe}\n::error::line\r\n::add-mask::x";
    let mut lines: Vec<serde_json::Value> =
        desk.read("r.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines[0]["code_version"] = evil.into();
    for line in &mut lines[1..] {
        for failure in line["failures"].as_array_mut().unwrap() {
            failure["oracle"] = evil.into();
            failure["headline"] = evil.into();
            failure["details"] = serde_json::json!([evil, "::warning::x"]);
        }
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    desk.put("evil.jsonl", &text);
    for colour in ["never", "always"] {
        let merge = ["merge", "evil.jsonl", "--junit", "j.xml", "--annotations", "--color", colour];
        let said = desk.onsale(&merge, 1);
        assert_plain(&said.out);
        let (ours, others): (Vec<&str>, Vec<&str>) =
            said.err.lines().partition(|line| line.starts_with("::error "));
        assert_eq!(ours.len(), 1, "{}", said.err);
        assert_plain(&ours[0].replacen("::error ", "", 1));
        assert_plain(&others.join("\n"));
        assert!(!desk.read("j.xml").contains('\u{1b}'));
    }
    assert_plain(&desk.onsale(&["merge", "evil.jsonl", "--json"], 1).out);
}

#[cfg(unix)]
#[test]
fn what_has_no_end_is_not_read() {
    let desk = Desk::of_sweeps("endless");
    let pipe = desk.0.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", desk.0.join("zero.toml")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", desk.0.join("zero.json")).unwrap();
    std::os::unix::fs::symlink("pipe", desk.0.join("pipe.toml")).unwrap();
    let arrivals = |file: &str| {
        let trace = format!("trace = {{ file = \"{file}\" }}");
        desk.read("tiny.toml").replace("constant = { over = \"40s\" }", &trace)
    };
    desk.put("pipe-trace.toml", &arrivals("pipe"));
    desk.put("zero-trace.toml", &arrivals("/dev/zero"));
    for arguments in [
        &["run", "zero.toml"][..],
        &["run", "pipe.toml"],
        &["run", "pipe-trace.toml"],
        &["run", "zero-trace.toml", "--allow-outside"],
        &["replay", "zero.json"],
        &["replay", "pipe"],
        &["shrink", "pipe"],
    ] {
        let said = desk.onsale(arguments, 2);
        let words = said.err.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>();
        let words = words.join(" ");
        assert!(words.contains("is a pipe or a device, and no regular file"), "{words}");
    }
    for file in ["/dev/zero", "pipe"] {
        let said = desk.onsale(&["merge", file], 2);
        assert!(said.err.contains("is a pipe or a device"), "{}", said.err);
    }
    desk.onsale(&sweep("pipe", &["--resume"]), 70);
}

#[test]
fn large_files_are_refused_or_told_of_in_a_few_lines() {
    let desk = Desk::new("large");
    let small = desk.read("small.toml");
    desk.put("blank.toml", &format!("{small}{}", "\n".repeat(5 << 20)));
    let said = desk.onsale(&["run", "blank.toml"], 2);
    assert!(said.err.contains("it is larger than 4 MiB"), "{}", said.err);

    let bad =
        "[[fault]]\ncrash = { at = \"7s\", down = \"200s\", node = \"n77\" }\n".repeat(20_000);
    desk.put("bad.toml", &format!("{small}{bad}"));
    let said = desk.onsale(&["scenarios", "validate", "bad.toml"], 2);
    assert!(said.err.contains(" more problems"), "{}", said.err);
    assert!(said.err.len() < 30_000, "{} bytes", said.err.len());

    desk.put("long.csv", &format!("offset_s,arrivals\n0,{}\n", "9".repeat(10 << 20)));
    let long = small.replace("constant = { over = \"90s\" }", "trace = { file = \"long.csv\" }");
    desk.put("long.toml", &long);
    let said = desk.onsale(&["run", "long.toml"], 2);
    assert!(said.err.contains("long.csv:2:1"), "{}", said.err);
    assert!(said.err.len() < 5_000, "{} bytes", said.err.len());
}

#[test]
fn a_scenario_reads_below_its_folder() {
    let desk = Desk::new("outside");
    fs::create_dir(desk.0.join("sales")).unwrap();
    let trace = "trace = { file = \"../curve.csv\" }";
    let text = desk.read("small.toml").replace("constant = { over = \"90s\" }", trace);
    desk.put("sales/x.toml", &text);
    desk.put("curve.csv", "offset_s,arrivals\n0,40\n40,20\n");
    for arguments in [
        &["run", "sales/x.toml"][..],
        &["check", "sales/x.toml", "--seeds", "1"],
        &["shrink", "1", "--scenario", "sales/x.toml"],
        &["scenarios", "validate", "sales/x.toml"],
    ] {
        let said = desk.onsale(arguments, 2);
        assert!(said.err.contains("--allow-outside"), "{}", said.err);
    }
    let said = desk.onsale(&["run", "sales/x.toml", "--no-out", "--allow-outside"], 0);
    let line = said.out.lines().last().unwrap().strip_prefix("onsale ").unwrap().to_owned();
    desk.onsale(&line.split(' ').chain(["--no-out"]).collect::<Vec<_>>(), 0);

    desk.put("curve.csv", "root:x:0:0:root:/root:/bin/sh\n");
    let said = desk.onsale(&["run", "sales/x.toml", "--allow-outside"], 2);
    assert!(said.err.contains("curve.csv:1:1") && !said.err.contains("root"), "{}", said.err);
}

#[test]
fn starting_a_cluster_counts_against_limits() {
    let desk = Desk::new("boot");
    let many = desk.read("small.toml").replace("shards = 4", "shards = 65536");
    desk.put("many.toml", &many);
    for more in [&["--max-events", "1000"][..], &["--max-memory", "16MiB"]] {
        let said = desk.onsale(&[&["run", "many.toml", "--no-out"], more].concat(), 1);
        assert!(said.out.contains("✗ budget"), "{}", said.out);
        let check = ["check", "many.toml", "--seeds", "1", "--overwrite"];
        desk.onsale(&[&check[..], more].concat(), 1);
    }
    let said = desk.onsale(&["replay", "onsale-out/check/many-1/capsule.json", "--no-out"], 1);
    assert!(said.err.contains("the same oracles failed as recorded: budget"), "{}", said.err);

    let beats = desk.read("small.toml").replace("[cluster]", "[cluster]\nbeat-every = \"1us\"");
    desk.put("beats.toml", &beats);
    let run = ["run", "beats.toml", "--no-out", "--max-events", "100000"];
    assert!(desk.onsale(&run, 1).out.contains("✗ budget"));
}

#[test]
fn more_jobs_than_runs_start_no_more_threads() {
    let desk = Desk::of_sweeps("threads");
    let many = desk.onsale(&sweep("r.jsonl", &["--jobs", "1000000000"]), 0);
    let one = desk.onsale(&sweep("one.jsonl", &["--jobs", "1"]), 0);
    assert_eq!(many.out, one.out);
}

#[test]
fn a_machine_without_threads_is_told_of_and_is_no_panic() {
    let desk = Desk::of_sweeps("no-threads");
    // Enough memory for the program, and none for another stack.
    for arguments in [&sweep("r.jsonl", &[])[..], &["run", "tiny.toml"]] {
        let output = desk
            .command(arguments)
            .env("RUST_MIN_STACK", "70368744177664")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(70), "{err}");
        assert!(err.contains("error: the system starts no more threads: "), "{err}");
        assert!(!err.contains("panicked"), "{err}");
    }
}

#[test]
fn a_byte_order_mark_is_no_harm() {
    let desk = Desk::new("bom");
    desk.put("bom.toml", &format!("\u{feff}{}", desk.read("small.toml")));
    let plan = desk.onsale(&["run", "bom.toml", "--plan-only"], 0).out;
    desk.put("bom.json", &format!("\u{feff}{plan}"));
    desk.onsale(&["replay", "bom.json", "--no-out"], 0);
}

#[test]
fn a_story_ends_where_the_run_does() {
    let desk = Desk::new("story-end");
    // Messages cost so much that nodes are still at work when the run ends.
    let costs = "[costs]\njournal-message = \"400ms\"\n\n[[fault]]";
    desk.put("busy.toml", &desk.read("small.toml").replacen("[[fault]]", costs, 1));
    let replay = ["replay", "1", "--scenario", "busy.toml", "--no-out", "--json", "--follow"];
    let mut last = 0;
    for shard in ["s0", "s1", "s2", "s3"] {
        let arguments = [&replay[..], &[shard]].concat();
        let output = desk.command(&arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let end_us = lines.last().unwrap()["summary"]["virtual_s"].as_f64().unwrap() * 1e6;
        for line in &lines[..lines.len() - 1] {
            last = last.max(line["at_us"].as_u64().unwrap());
            assert!(line["at_us"].as_f64().unwrap() <= end_us, "{line}");
        }
    }
    assert!(last > 0, "something was told");
}
