//! Foreign files: no command replaces a file that it reads, that another of its options writes, that it did not
//! make, or that belongs to another run.

use std::fs;
#[cfg(unix)]
use std::os::unix::fs::symlink;
use std::process::Stdio;

use crate::desk::{BLACKOUT, Desk, await_lines, sweep};

/// The two slices of a small sweep.
fn slices(desk: &Desk) {
    for (slice, file) in [("count:1/2", "slice-1.jsonl"), ("count:2/2", "slice-2.jsonl")] {
        desk.onsale(&sweep(file, &["--partition", slice]), 0);
    }
}

#[cfg(unix)]
#[test]
fn a_merge_replaces_none_of_its_slices() {
    let desk = Desk::of_sweeps("own-slices");
    slices(&desk);
    symlink("slice-1.jsonl", desk.0.join("soft.jsonl")).unwrap();
    fs::hard_link(desk.0.join("slice-1.jsonl"), desk.0.join("hard.jsonl")).unwrap();
    let before = desk.read("slice-1.jsonl");
    for target in ["slice-1.jsonl", "./slice-1.jsonl", "soft.jsonl", "hard.jsonl"] {
        for option in [&["--results", target, "--overwrite"][..], &["--junit", target]] {
            let arguments = [&["merge", "slice-1.jsonl", "slice-2.jsonl"], option].concat();
            let said = desk.onsale(&arguments, 2);
            let words = format!("{} {target} would overwrite what is merged", option[0]);
            assert!(said.err.contains(&words), "{}", said.err);
            assert_eq!(desk.read("slice-1.jsonl"), before, "{arguments:?}");
        }
    }
    let whole = ["merge", "slice-1.jsonl", "slice-2.jsonl", "--results", "whole.jsonl"];
    desk.onsale(&whole, 0);
    // An incomplete merge replaces nothing.
    let kept = desk.read("whole.jsonl");
    desk.put("slice-2.jsonl", &desk.read("slice-2.jsonl")[..900]);
    desk.onsale(&[&whole[..], &["--overwrite"]].concat(), 2);
    assert_eq!(desk.read("whole.jsonl"), kept);
}

#[test]
fn two_options_write_two_files() {
    let desk = Desk::of_sweeps("two-options");
    desk.onsale(&sweep("x.jsonl", &[]), 0);
    let before = desk.read("x.jsonl");
    for more in [&["--resume"][..], &["--overwrite"]] {
        let more = [more, &["--junit", "./x.jsonl"]].concat();
        let said = desk.onsale(&sweep("x.jsonl", &more), 2);
        assert!(said.err.contains("is also the file of --results"), "{}", said.err);
        assert_eq!(desk.read("x.jsonl"), before);
    }
    let said = desk.onsale(&sweep("new.jsonl", &["--junit", "new.jsonl"]), 2);
    assert!(said.err.contains("is also the file of --results"), "{}", said.err);
    assert!(!desk.0.join("new.jsonl").exists(), "nothing was run");
}

#[test]
fn what_is_read_or_was_not_made_here_stays() {
    let desk = Desk::of_sweeps("not-ours");
    desk.put("notes.txt", "dear diary\n");
    desk.put("json.json", "{\"schema\":1,\"precious\":\"data of mine, 1 line\"}");
    let results = sweep("tiny.toml", &["--overwrite"]);
    let said = desk.onsale(&results, 2);
    assert!(said.err.contains("would overwrite the scenario"), "{}", said.err);
    for file in ["notes.txt", "json.json"] {
        let before = desk.read(file);
        for more in [&[][..], &["--resume"], &["--overwrite"]] {
            let said = desk.onsale(&sweep(file, more), 2);
            let words = ["holds something other than results of a sweep", ":1: not a results file"];
            let told = words.iter().any(|words| said.err.contains(words));
            assert!(told, "{}", said.err);
            assert_eq!(desk.read(file), before);
        }
        let said = desk.onsale(&sweep("x.jsonl", &["--junit", file]), 2);
        assert!(said.err.contains("which onsale did not make"), "{}", said.err);
        let trace = ["replay", "1", "--scenario", "small.toml", "--no-out", "--trace", file];
        let said = desk.onsale(&trace, 2);
        assert!(said.err.contains("which onsale did not make"), "{}", said.err);
        assert_eq!(desk.read(file), before);
    }
    let said = desk.onsale(&sweep(".", &[]), 2);
    assert!(said.err.contains("is no regular file"), "{}", said.err);

    // It replaces its own files: repeating a command is no mistake.
    for _ in 0..2 {
        desk.onsale(&sweep("y.jsonl", &["--overwrite", "--junit", "y.xml"]), 0);
        let trace = ["replay", "1", "--scenario", "small.toml", "--out", "d", "--trace", "t.json"];
        desk.onsale(&trace, 0);
    }
    let said = desk.onsale(&["replay", "d/plan.json", "--out", "e", "--trace", "d/plan.json"], 2);
    assert!(said.err.contains("would overwrite the input"), "{}", said.err);
    let said = desk.onsale(&["replay", "d/plan.json", "--out", "e", "--trace", "e/plan.json"], 2);
    assert!(said.err.contains("is also the file of --out"), "{}", said.err);
}

#[test]
fn a_directory_is_of_one_run() {
    let desk = Desk::new("one-run");
    desk.onsale(&["run", "small.toml", "--seed", "3", "--out", "d"], 0);
    let before = desk.read("d/summary.json");
    let said = desk.onsale(&["run", "small.toml", "--seed", "4", "--out", "./d"], 2);
    assert!(said.err.contains("holds the files of seed 3 of small.toml"), "{}", said.err);
    assert_eq!(desk.read("d/summary.json"), before);

    // Two scenarios of one name have a directory each.
    fs::create_dir(desk.0.join("other")).unwrap();
    desk.put("other/small.toml", &desk.read("small.toml"));
    desk.onsale(&["run", "small.toml"], 0);
    let said = desk.onsale(&["run", "other/small.toml"], 0);
    assert!(said.err.contains("files in onsale-out/other-small+"), "{}", said.err);
    assert_eq!(desk.json("onsale-out/small-1/summary.json")["scenario"], "small.toml");

    desk.put("file", "");
    let said = desk.onsale(&["run", "small.toml", "--out", "file"], 2);
    assert!(said.err.contains("--out file: a directory is expected"), "{}", said.err);
}

/// The second run finds the first one's files and leaves them as they are.
#[test]
fn runs_into_one_directory_leave_the_files_of_one() {
    let desk = Desk::new("one-directory");
    for turn in ["a", "b", "c"] {
        let mut runs: Vec<_> = ["3", "4"]
            .map(|seed| ["run", "small.toml", "--quiet", "--json", "--seed", seed, "--out", turn])
            .map(|arguments| desk.command(&arguments).stdout(Stdio::null()).spawn().unwrap())
            .into_iter()
            .collect();
        let codes: Vec<_> = runs.iter_mut().map(|run| run.wait().unwrap().code()).collect();
        assert!(codes.contains(&Some(0)), "{codes:?}");
        let (plan, summary) =
            (desk.json(&format!("{turn}/plan.json")), desk.json(&format!("{turn}/summary.json")));
        assert_eq!(plan["seed"], summary["seed"]);
        let names = fs::read_dir(desk.0.join(turn)).unwrap();
        let partial = |name: &String| name.ends_with(".partial");
        let left = names.map(|name| name.unwrap().file_name().into_string().unwrap()).find(partial);
        assert_eq!(left, None);
    }
}

#[test]
fn what_is_shrunk_is_never_written_over() {
    let desk = Desk::new("own-scenario");
    fs::create_dir(desk.0.join("d")).unwrap();
    desk.put("d/scenario.toml", BLACKOUT);
    let shrink = ["shrink", "1", "--scenario", "d/scenario.toml", "--budget", "0s", "--out"];
    let said = desk.onsale(&[&shrink[..], &["d"]].concat(), 2);
    assert!(said.err.contains("--out d would overwrite the scenario"), "{}", said.err);
    assert_eq!(desk.read("d/scenario.toml"), BLACKOUT);

    desk.put("e.txt", "");
    fs::create_dir(desk.0.join("e")).unwrap();
    desk.put("e/scenario.toml", "# my own\n");
    let said = desk.onsale(&[&shrink[..], &["e"]].concat(), 2);
    assert!(said.err.contains("e/scenario.toml, which onsale did not make"), "{}", said.err);

    // It replaces the files of an earlier search.
    for _ in 0..2 {
        desk.onsale(&[&shrink[..], &["f"]].concat(), 0);
    }
}

#[test]
fn capsules_of_two_scenarios_have_two_names() {
    let desk = Desk::of_sweeps("clash");
    for folder in ["a", "sub"] {
        fs::create_dir(desk.0.join(folder)).unwrap();
    }
    let never = desk.read("never.toml");
    desk.put("a/x.toml", &never);
    desk.put("a-x.toml", &never);
    desk.put("x.toml", &never);
    let files = ["a/x.toml", "a-x.toml", "x.toml", "./x.toml"];
    let arguments = [&["check"], &files[..], &["--seeds", "1", "--json"]].concat();
    let json = desk.onsale(&arguments, 1).json();
    let mut capsules = Vec::new();
    for failure in json["failures"].as_array().unwrap() {
        let capsule = failure["capsule"].as_str().unwrap();
        assert_eq!(desk.json(capsule)["plan"]["scenario"]["id"], failure["scenario"]);
        capsules.push(capsule.to_owned());
    }
    capsules.sort();
    capsules.dedup();
    assert_eq!(capsules.len(), files.len(), "{capsules:?}");
    assert!(capsules.contains(&"onsale-out/check/a-x-1/capsule.json".to_owned()), "{capsules:?}");
}

#[cfg(unix)]
#[test]
fn one_sweep_at_a_time_writes_a_results_file() {
    let desk = Desk::of_sweeps("lock");
    let running = ["check", "tiny.toml", "--seeds", "1..", "--for", "10m", "--results", "r.jsonl"];
    let mut first = desk.command(&running).spawn().unwrap();
    await_lines(&desk, "r.jsonl", 2, &mut first);
    for more in [&["--resume"][..], &["--overwrite"], &[]] {
        let said = desk.onsale(&sweep("r.jsonl", more), 2);
        assert!(said.err.contains("a running sweep writes its results there"), "{}", said.err);
    }
    first.kill().unwrap();
    first.wait().unwrap();
    assert!(!desk.read("r.jsonl").contains('\0'));
    desk.onsale(&sweep("r.jsonl", &["--overwrite"]), 0);
}

#[test]
fn what_stands_behind_the_last_run_is_not_cut_off() {
    let desk = Desk::of_sweeps("behind");
    desk.onsale(&sweep("r.jsonl", &[]), 0);
    let whole = desk.read("r.jsonl");
    let last = whole.lines().last().unwrap();
    for behind in [format!("{last}\n"), "notes\n".to_owned(), "notes".to_owned()] {
        let text = format!("{whole}{behind}");
        desk.put("r.jsonl", &text);
        let said = desk.onsale(&sweep("r.jsonl", &["--resume"]), 2);
        assert!(said.err.contains("more results than the sweep has runs"), "{}", said.err);
        assert_eq!(desk.read("r.jsonl"), text);
        desk.onsale(&["merge", "r.jsonl"], 2);
    }
}

#[test]
fn missing_slices_are_not_counted_one_by_one() {
    let desk = Desk::of_sweeps("many-slices");
    desk.onsale(&sweep("slice.jsonl", &["--partition", "hash:1/4294967295"]), 0);
    let said = desk.onsale(&["merge", "slice.jsonl"], 2);
    assert!(said.err.contains("hash:2/4294967295, hash:3/4294967295"), "{}", said.err);
    assert!(said.err.contains(" and 4294967284 more; "), "{}", said.err);
    assert!(said.err.len() < 1_000, "{}", said.err);
}

/// A full disk is reported on the page and in the report for CI, and not only at the end.
#[cfg(target_os = "linux")]
#[test]
fn a_sweep_that_breaks_off_says_so() {
    let desk = Desk::of_sweeps("full");
    // Limits the size of files: `ulimit -f` counts blocks of 512 or 1,024 bytes.
    let program = desk.command(&[]).get_program().to_owned();
    let script = format!(
        "trap '' XFSZ; ulimit -f 4; exec {} check --skip-regressions tiny.toml --seeds 1..200 --results r.jsonl --junit j.xml",
        program.to_string_lossy()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(&desk.0)
        .output()
        .unwrap();
    let page = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(70), "{output:?}");
    assert!(page.contains("broken off, since a result could not be written"), "{page}");
    let xml = desk.read("j.xml");
    assert!(xml.contains("errors=\"1\"") && xml.contains("broken off after"), "{xml}");
}
