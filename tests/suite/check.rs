//! `onsale check` and `onsale merge`, from outside: results do not depend on the number of threads, machines or
//! attempts.

use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::desk::{Desk, NEVER, TINY, await_handler, await_lines, sweep};

/// The totals that depend on this machine, or on its files.
fn timeless(mut json: Value) -> Value {
    for key in ["wall_s", "seeds_per_s"] {
        json[key] = Value::Null;
    }
    for failure in json["failures"].as_array_mut().into_iter().flatten() {
        failure["capsule"] = Value::Null;
    }
    json
}

#[test]
fn nobody_can_tell_how_many_threads_there_were() {
    let desk = Desk::of_sweeps("jobs");
    let alone = desk.onsale(&sweep("one.jsonl", &["--jobs", "1", "--verify-every", "3"]), 0);
    let three = desk.onsale(&sweep("three.jsonl", &["--jobs", "3", "--verify-every", "3"]), 0);
    assert_eq!(alone.out, three.out);
    assert_eq!(desk.read("one.jsonl"), desk.read("three.jsonl"));
    assert_eq!(desk.read("one.jsonl").lines().count(), 1 + 6 * 2);
    assert!(alone.out.contains("verified    4 runs twice"), "{}", alone.out);
    assert!(three.out.ends_with("0 failures in 12 seeds: failure rate below 23 % at 95 %\n"));
    assert!(three.err.ends_with("results in three.jsonl\n"), "{}", three.err);
    // Only verdicts matter: a run that was played once has the same results.
    let plain = desk.onsale(&sweep("plain.jsonl", &["--json"]), 0);
    assert_eq!(plain.json()["verified"], 0);
    assert_eq!(plain.json()["scenarios"][0]["first_seed"], "1");
    assert_eq!(plain.json()["scenarios"][0]["last_seed"], "6");
}

#[test]
fn a_run_of_a_sweep_is_the_run_of_its_seed() {
    let desk = Desk::of_sweeps("same");
    desk.onsale(&["check", "tiny.toml", "--seeds", "5", "--results", "one.jsonl"], 0);
    let line: Value = serde_json::from_str(desk.read("one.jsonl").lines().nth(1).unwrap()).unwrap();
    let run = desk.onsale(&["run", "tiny.toml", "--seed", "5", "--no-out", "--json"], 0).json();
    assert_eq!(line["trace"], run["trace_hash"]);
    assert_eq!(line["events"], run["events"]);
    assert_eq!(line["checks"]["hold"], run["oracles"]["hold"]["checked"]);
}

/// A kill may strike at the end of a line or within one, even the first: only lost runs are played again.
#[test]
fn a_sweep_that_was_killed_goes_on_to_the_same_bytes() {
    let desk = Desk::of_sweeps("resume");
    let unbroken = desk.onsale(&sweep("whole.jsonl", &[]), 0);
    let whole = desk.read("whole.jsonl");
    let ends: Vec<usize> = whole.match_indices('\n').map(|(end, _)| end + 1).collect();
    for cut in [0, 7, ends[0] - 1, ends[0], ends[0] + 1, ends[4], ends[6] - 1, whole.len()] {
        desk.put("cut.jsonl", &whole[..cut]);
        let resumed = desk.onsale(&sweep("cut.jsonl", &["--resume"]), 0);
        assert_eq!(desk.read("cut.jsonl"), whole, "cut at {cut}");
        assert_eq!(resumed.out, unbroken.out, "cut at {cut}");
        let known = ends.iter().filter(|&&end| end <= cut).count().saturating_sub(1);
        assert_eq!(resumed.err.contains("resumed after "), known > 0, "{}", resumed.err);
    }
    // A script may always ask to resume.
    desk.onsale(&sweep("new.jsonl", &["--resume"]), 0);
    assert_eq!(desk.read("new.jsonl"), whole);
}

/// A resumed sweep may ask for more seeds: existing results are not played again.
#[test]
fn a_sweep_may_go_on_to_a_later_seed() {
    let desk = Desk::of_sweeps("extend");
    let check = |file: &str, seeds: &str, more: &[&str]| {
        let arguments = [
            "check",
            "tiny.toml",
            "calm.toml",
            "--verify-every",
            "3",
            "--seeds",
            seeds,
            "--results",
            file,
        ];
        desk.onsale(&[&arguments, more].concat(), 0)
    };
    let whole = check("whole.jsonl", "1..7", &[]);
    for cut in [0, 9] {
        check("slice.jsonl", "1..4", &["--overwrite"]);
        let slice = desk.read("slice.jsonl");
        desk.put("slice.jsonl", &slice[..slice.len() - cut]);
        let longer = check("slice.jsonl", "1..7", &["--resume"]);
        assert_eq!(desk.read("slice.jsonl"), desk.read("whole.jsonl"));
        assert_eq!(longer.out, whole.out);
        let known = if cut == 0 { "6 results" } else { "5 results" };
        assert!(longer.err.contains(&format!("resumed after {known}")), "{}", longer.err);
    }
    // Also for a slice.
    let half = ["--partition", "hash:1/2"];
    check("half.jsonl", "1..7", &half);
    check("growing.jsonl", "1..3", &half);
    check("growing.jsonl", "1..7", &[&half[..], &["--resume"]].concat());
    assert_eq!(desk.read("growing.jsonl"), desk.read("half.jsonl"));
}

#[cfg(unix)]
#[test]
fn a_real_kill_leaves_what_can_be_resumed() {
    let desk = Desk::of_sweeps("kill");
    desk.onsale(&sweep("whole.jsonl", &[]), 0);
    let mut child = desk
        .command(&sweep("killed.jsonl", &[]))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    await_lines(&desk, "killed.jsonl", 4, &mut child);
    // SIGKILL, or nothing if the sweep is already over: the bytes must be the same both ways.
    child.kill().unwrap();
    child.wait().unwrap();
    desk.onsale(&sweep("killed.jsonl", &["--resume"]), 0);
    assert_eq!(desk.read("killed.jsonl"), desk.read("whole.jsonl"));
}

#[test]
fn results_are_neither_lost_nor_mixed() {
    let desk = Desk::of_sweeps("guard");
    let one = |more: &[&str], code| {
        let arguments = ["check", "tiny.toml", "--seeds", "1..3", "--results", "r.jsonl"];
        desk.onsale(&[&arguments, more].concat(), code)
    };
    one(&[], 0);
    let kept = desk.read("r.jsonl");
    let table: [(&[&str], &str); 7] = [
        (&[], "--resume continues them, --overwrite starts over"),
        (&["--resume", "--seeds", "1..2"], "seeds: 1..3, not 1..2"),
        (&["--resume", "--seeds", "2..5"], "seeds: 1..3, not 2..5"),
        (&["--resume", "calm.toml"], "scenarios: tiny.toml, not tiny.toml calm.toml"),
        (&["--resume", "--partition", "hash:1/2"], "slice hash:1/1, not hash:1/2"),
        (&["--resume", "--max-events", "9"], "max-events: by scenario, not 9"),
        (&["--resume", "--overwrite"], "cannot be used with"),
    ];
    for (more, words) in table {
        let arguments: Vec<&str> = if more.contains(&"--seeds") {
            ["check", "tiny.toml", "--results", "r.jsonl"]
                .into_iter()
                .chain(more.to_vec())
                .collect()
        } else {
            ["check", "tiny.toml", "--seeds", "1..3", "--results", "r.jsonl"]
                .into_iter()
                .chain(more.to_vec())
                .collect()
        };
        let said = desk.onsale(&arguments, 2);
        assert!(said.err.contains(words), "{more:?}: {}", said.err);
        assert_eq!(desk.read("r.jsonl"), kept, "{more:?}");
    }
    desk.put("tiny.toml", &TINY.replace("users = 15", "users = 16"));
    let said = one(&["--resume"], 2);
    assert!(said.err.contains("the content of tiny.toml"), "{}", said.err);
    desk.put("tiny.toml", TINY);

    let lines: Vec<&str> = kept.lines().collect();
    let swapped = [lines[0], lines[2], lines[1], ""].join("\n");
    desk.put("r.jsonl", &swapped);
    let said = one(&["--resume"], 2);
    assert!(said.err.contains("r.jsonl:2: the result of seed 2 of tiny.toml; expected"));
    desk.put("r.jsonl", &kept.replacen("\"events\"", "\"event\"", 1));
    let said = one(&["--resume"], 2);
    assert!(said.err.contains("r.jsonl:2: not a result: unknown field `event`"), "{}", said.err);
    for text in ["a diary", "{\"schema\":3}\n", "{\"schema\":7}\n", "[]\n"] {
        desk.put("r.jsonl", text);
        let said = one(&["--resume"], 2);
        assert!(said.err.contains("r.jsonl:1: "), "{}", said.err);
        assert_eq!(desk.read("r.jsonl"), text);
        // The file is the user's own, and must not be replaced.
        let said = one(&["--overwrite"], 2);
        assert!(said.err.contains("r.jsonl holds something other than results"), "{}", said.err);
        assert_eq!(desk.read("r.jsonl"), text);
    }
    desk.put("r.jsonl", &kept.replacen("\"events\"", "\"event\"", 1));
    one(&["--overwrite"], 0);
    assert_eq!(desk.read("r.jsonl"), kept);
}

#[test]
fn slices_make_the_whole() {
    let desk = Desk::of_sweeps("merge");
    let all = ["tiny.toml", "never.toml", "--seeds", "1..6", "--verify-every", "4"];
    let check =
        |more: &[&'static str], code| desk.onsale(&[&["check"], &all[..], more].concat(), code);
    let whole = check(&["--results", "whole.jsonl", "--junit", "whole.xml", "--json"], 1);
    for (rule, files) in [("hash", ["h1", "h2", "h3"]), ("count", ["c1", "c2", "c3"])] {
        for (number, file) in (1..).zip(files) {
            let slice = format!("{rule}:{number}/3");
            let arguments =
                [&["check"], &all[..], &["--partition", &slice, "--results", file]].concat();
            let status = desk.command(&arguments).output().unwrap().status.code();
            assert!(matches!(status, Some(0 | 1)), "{status:?}");
        }
        let [one, two, three] = files;
        // In any order.
        let merge = ["merge", three, one, two, "--results", "merged.jsonl", "--overwrite"];
        let merged = [&merge[..], &["--junit", "merged.xml", "--json"]].concat();
        let merged = desk.onsale(&merged, 1);
        assert_eq!(timeless(merged.json()), timeless(whole.json()));
        assert_eq!(desk.read("merged.jsonl"), desk.read("whole.jsonl"));
        // Only runs that were just made have times.
        assert!(!desk.read("merged.xml").contains(" time="));
        assert_eq!(desk.read("merged.xml"), crate::ci::without_times(&desk.read("whole.xml")));
    }
    // The page of one file once more.
    let page = desk.onsale(&["merge", "whole.jsonl"], 1).out;
    assert!(page.contains("✗ live in never.toml"), "{page}");

    desk.onsale(&["check", "tiny.toml", "--seeds", "1..3", "--results", "other"], 0);
    let torn = desk.read("h2");
    desk.put("torn", &torn[..torn.len() - 9]);
    desk.put("longer", &format!("{torn}{}\n", torn.lines().last().unwrap()));
    desk.put("empty", "");
    let table: [(&[&str], &str); 8] = [
        (&["h1", "h3"], "slices are missing: hash:2/3"),
        (&["h2"], "slices are missing: hash:1/3, hash:3/3"),
        (&["h1", "h2", "h3", "h2"], "slice hash:2/3 was run twice: h2 and h2"),
        (
            &["h1", "other", "h3"],
            "other belongs to another sweep than h1: scenarios: tiny.toml, not",
        ),
        (&["h1", "c2", "h3"], "slice count:2/3 does not belong to the same division as hash:1/3"),
        (&["h1", "torn", "h3"], "torn: slice hash:2/3 ends before seed"),
        (&["h1", "longer", "h3"], "longer:"),
        (&["h1", "empty", "h3"], "empty: it holds no results"),
    ];
    for (files, words) in table {
        let said = desk.onsale(&[&["merge"], files].concat(), 2);
        assert!(said.err.contains(words), "{files:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
    let said = desk.onsale(&["merge", "nowhere.jsonl"], 2);
    assert!(said.err.contains("nowhere.jsonl: "), "{}", said.err);
}

/// A scenario with an expected failure passes if that oracle failed and no other.
#[test]
fn what_must_fail_passes_if_it_does() {
    let desk = Desk::of_sweeps("bound");
    let bound = |oracle: &str, text: &str| {
        let (text, _) = text.split_once("[expect]").unwrap_or((text, ""));
        desk.put("bound.toml", &format!("{text}\n[expect]\nfails = \"{oracle}\"\nwithin = 3\n"));
    };
    bound("live", NEVER);
    let check = |more: &[&str], code| {
        let arguments = ["check", "bound.toml", "tiny.toml", "--overwrite", "--annotations"];
        desk.onsale(&[&arguments, more].concat(), code)
    };
    let said = check(&["--seeds", "1..4", "--junit", "j.xml"], 0);
    assert!(
        said.out.contains("✓ bound.toml  3 seeds  live failed in 3, as it must"),
        "{}",
        said.out
    );
    assert!(!said.err.contains("::error"), "{}", said.err);
    assert!(!desk.read("j.xml").contains("<failure"));
    let json = check(&["--seeds", "1..4", "--json", "--fail-fast"], 0).json();
    assert_eq!((&json["failed_seeds"], &json["failures"]), (&0.into(), &serde_json::json!([])));
    assert_eq!(json["expected_failures"][0]["oracle"], "live");
    // Two seeds are too few to tell.
    let said = check(&["--seeds", "1..3"], 1);
    assert!(said.out.contains("✗ bound.toml"), "{}", said.out);
    // A slice may have too few seeds, the whole has enough.
    check(&["--seeds", "1..4", "--partition", "count:2/4"], 0);

    // A failure of another oracle fails, and so does no failure at all.
    bound("hold", NEVER);
    let said = check(&["--seeds", "1..4"], 1);
    assert!(said.out.contains("✗ live in bound.toml"), "{}", said.out);
    assert!(
        said.out.contains("bound.toml requires a failure of hold: not exercised under any seed")
    );
    bound("hold", TINY);
    let said = check(&["--seeds", "1..4"], 4);
    assert!(said.out.contains("not exercised: a failure of hold"), "{}", said.out);
    assert!(said.err.contains("title=a failure of hold was not exercised in bound.toml"));
}

#[test]
fn the_first_failure_may_be_the_last() {
    let desk = Desk::of_sweeps("fast");
    let check = |file, jobs, more: &[&'static str]| {
        let arguments = ["check", "tiny.toml", "never.toml", "calm.toml", "--seeds", "4..40"];
        let rest = ["--fail-fast", "--results", file, "--jobs", jobs];
        desk.onsale(&[&arguments[..], &rest, more].concat(), 1)
    };
    let alone = check("one.jsonl", "1", &[]);
    assert!(alone.out.contains("stopped at the first failure; the last seed was 4, under 2 of 3"));
    assert_eq!(check("four.jsonl", "4", &[]).out, alone.out);
    assert_eq!(desk.read("one.jsonl"), desk.read("four.jsonl"));
    assert_eq!(desk.read("one.jsonl").lines().count(), 3);
    // There is nothing to resume.
    assert_eq!(check("one.jsonl", "2", &["--resume"]).out, alone.out);
    assert_eq!(desk.read("one.jsonl"), desk.read("four.jsonl"));
}

#[test]
fn a_sweep_may_end_by_time() {
    let desk = Desk::of_sweeps("time");
    let time = ["check", "tiny.toml", "--seeds", "11..", "--for", "1s", "--results", "r.jsonl"];
    let first = desk.onsale(&time, 0);
    let seeds = desk.read("r.jsonl").lines().count() as u64 - 1;
    assert!(seeds > 0);
    let last = 10 + seeds;
    assert!(first.out.contains(&format!("the time is over; the last seed was {last}\n")));
    let again = desk.onsale(&[&time[..], &["--resume", "--json"]].concat(), 0).json();
    assert!(again["seeds"].as_u64().unwrap() > seeds, "it goes on for as long again");
    assert_eq!(again["scenarios"][0]["first_seed"], "11");
    assert_eq!(again["seeds_asked"], "11..");
    desk.onsale(&["merge", "r.jsonl"], 0);
}

#[test]
fn what_no_seed_exercised_is_no_pass() {
    let desk = Desk::of_sweeps("idle");
    let idle = TINY.replace("[crowd.session]", "[crowd.session]\napproval = \"0%\"");
    desk.put("idle.toml", &idle.replace("[\"hold\"]", "[\"hold\", \"double-booking\"]"));
    let check = ["check", "idle.toml", "--seeds", "1..4", "--junit", "j.xml", "--annotations"];
    let said = desk.onsale(&check, 4);
    assert!(said.out.contains("– idle.toml  3 seeds  not exercised: double-booking"));
    assert!(said.out.contains("idle.toml requires double-booking: not exercised under any seed"));
    assert!(
        said.err.contains(
            "::error file=idle.toml,title=double-booking was not exercised in idle.toml::"
        )
    );
    assert!(desk.read("j.xml").contains("type=\"not-exercised\""));
    let json = desk.onsale(&["merge", "onsale-out/check/results.jsonl", "--json"], 4).json();
    let required = serde_json::json!(
        { "scenario": "idle.toml", "oracle": "double-booking", "required": true }
    );
    assert!(json["not_exercised"].as_array().unwrap().contains(&required));

    // A slice cannot know; an empty slice passes.
    desk.onsale(
        &["check", "idle.toml", "--seeds", "1..4", "--partition", "hash:1/2", "--results", "p"],
        0,
    );
    for slice in ["count:1/2", "count:2/2"] {
        let arguments = ["check", "tiny.toml", "--seeds", "1", "--partition", slice, "--overwrite"];
        desk.onsale(&arguments, 0);
    }
}

#[test]
fn a_run_that_exceeds_its_limits_is_stopped_and_told() {
    let desk = Desk::of_sweeps("limits");
    let check = ["check", "tiny.toml", "--seeds", "1..3", "--json", "--overwrite"];
    let said = desk.onsale(&[&check[..], &["--max-events", "2000"]].concat(), 1);
    let failure = &said.json()["failures"][0];
    assert_eq!(failure["oracle"], "budget");
    assert_eq!(failure["count"], 2);
    let headline = failure["headline"].as_str().unwrap();
    assert!(headline.ends_with("stopped after 2,048 events: the limit is 2,000"), "{headline}");
    desk.onsale(&[&check[..], &["--max-events", "100000000"]].concat(), 0);
    // Bytes are counted once in 65,536 events: the sale must be larger.
    let larger = ["check", "fast/calm", "--seeds", "1", "--json", "--overwrite"];
    let said = desk.onsale(&[&larger[..], &["--max-memory", "64KiB"]].concat(), 1);
    let headline = said.json()["failures"][0]["headline"].as_str().unwrap().to_owned();
    assert!(headline.ends_with("because it keeps more than 65,536 bytes, the limit"), "{headline}");
    let said = desk.onsale(&[&check[..], &["--max-memory", "16"]].concat(), 2);
    assert!(said.err.contains("write a whole number and KiB, MiB or GiB"), "{}", said.err);
}

#[test]
fn nonsense_is_answered_with_what_would_be_right() {
    let desk = Desk::of_sweeps("usage");
    let table: [(&[&str], &str); 9] = [
        (&["--seeds", "9..3"], "its end must lie above its start"),
        (&["--seeds", "-3..4"], "no seed"),
        (&["--seeds", "5.."], "has no end: give it one, as in 5..=104"),
        (&["--for", "0s"], "the time must be above zero"),
        (&["--for", "1m", "--seeds", "1..5"], "write --seeds 1.."),
        (&["--partition", "hash:5/4"], "slices are numbered from 1 to 4"),
        (&["--partition", "2/4"], "write hash:2/4"),
        (&["--jobs", "0"], "--jobs"),
        (&["fats"], "there is no scenario `fats`"),
    ];
    for (arguments, words) in table {
        let said = desk.onsale(&[&["check"], arguments].concat(), 2);
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
    fs::create_dir(desk.0.join("dir")).unwrap();
    let said = desk.onsale(&["check", "tiny.toml", "--seeds", "1", "--junit", "dir"], 2);
    assert!(said.err.contains("--junit dir: a file is expected"), "{}", said.err);
    assert!(!desk.0.join("onsale-out").exists(), "nothing was run");
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_keeps_what_was_found_and_it_can_be_resumed() {
    let desk = Desk::of_sweeps("ctrl-c");
    let sweep = ["check", "tiny.toml", "calm.toml", "--seeds", "1..5000", "--results", "r.jsonl"];
    let mut child = desk
        .command(&[&sweep[..], &["--json", "--jobs", "2"]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    await_handler(child.id(), 2);
    await_lines(&desk, "r.jsonl", 5, &mut child);
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted: ending the sweep"));

    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["stopped"], "interrupted");
    let kept = desk.read("r.jsonl");
    assert!(kept.ends_with('\n'));
    assert_eq!(json["seeds"], kept.lines().count() as u64 - 1);

    // The results are a beginning of the sweep, except for the header.
    desk.onsale(
        &["check", "tiny.toml", "calm.toml", "--seeds", "1..3", "--results", "few.jsonl"],
        0,
    );
    let results = |text: &str| text.lines().skip(1).take(4).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(results(&kept), results(&desk.read("few.jsonl")));
    let mut resumed = desk.command(&[&sweep[..], &["--resume"]].concat());
    let mut child = resumed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    await_lines(&desk, "r.jsonl", kept.lines().count() + 2, &mut child);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(desk.read("r.jsonl").starts_with(&kept), "it went on behind what was there");
}

/// CI systems end a job with SIGTERM.
#[cfg(target_os = "linux")]
#[test]
fn sigterm_ends_a_sweep_with_a_report_of_the_part_that_ran() {
    let desk = Desk::of_sweeps("sigterm");
    let sweep = ["check", "tiny.toml", "--seeds", "1..5000", "--results", "r.jsonl", "--json"];
    let mut child =
        desk.command(&sweep).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    await_handler(child.id(), 15);
    await_lines(&desk, "r.jsonl", 3, &mut child);
    // Twice at once, as `timeout` does: that counts as one request.
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-TERM", &id, &id]).status().unwrap();
    assert!(sent.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let json: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["stopped"], "interrupted");
    assert_eq!(json["seeds"], desk.read("r.jsonl").lines().count() as u64 - 1);
}

/// A full disk ends the sweep with the results so far.
#[cfg(target_os = "linux")]
#[test]
fn results_that_cannot_be_written_end_the_sweep() {
    let desk = Desk::of_sweeps("full");
    let check = ["check", "tiny.toml", "--seeds", "1..3", "--overwrite", "--results", "/dev/full"];
    let said = desk.onsale(&check, 70);
    assert!(said.err.contains("/dev/full: "), "{}", said.err);
    let mut file = File::create(desk.0.join("check")).unwrap();
    file.write_all(b"not a directory").unwrap();
    let said = desk.onsale(&["check", "tiny.toml", "--seeds", "1", "--out", "check"], 70);
    assert!(said.err.contains("check/results.jsonl: "), "{}", said.err);
}

/// Which plans are changed, and how, follows from results, and from no thread and no interruption.
#[test]
fn a_guided_sweep_is_the_same_on_any_threads_and_resumed() {
    let desk = Desk::of_sweeps("guided");
    let guided = |file: &str, more: &[&str]| {
        let usual = ["check", "fast/leads", "fast/moments", "--guided"];
        let usual = [&usual[..], &["--seeds", "1..46", "--json", "--results", file]].concat();
        desk.onsale(&[&usual[..], more].concat(), 0)
    };
    let alone = guided("alone.jsonl", &["--jobs", "1"]).json();
    let whole = desk.read("alone.jsonl");
    assert!(alone["near"].as_u64() > Some(10), "{}", alone["near"]);
    guided("three.jsonl", &["--jobs", "3"]);
    assert_eq!(desk.read("three.jsonl"), whole);
    let ends: Vec<usize> = whole.match_indices('\n').map(|(end, _)| end + 1).collect();
    desk.put("cut.jsonl", &whole[..ends[80] + 9]);
    guided("cut.jsonl", &["--resume"]);
    assert_eq!(desk.read("cut.jsonl"), whole);
    let blind = ["check", "fast/leads", "--seeds", "1..91", "--json"];
    let blind = desk.onsale(&[&blind[..], &["--results", "blind.jsonl"]].concat(), 0).json();
    assert_eq!(blind["near"], 0);
    assert!(blind["pairs"]["reached"].as_u64() > Some(50), "{}", blind["pairs"]);
}
