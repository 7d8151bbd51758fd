//! `--history` from outside: its two forms, the files that it leaves alone, and its operations.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::desk::{Desk, TINY};

/// The lines of a history as JSON.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[test]
fn a_history_has_every_request_and_its_end() {
    let desk = Desk::new("history");
    let run = ["run", "small.toml", "--no-out", "--json"];
    let played = desk.onsale(&run, 0).json();
    let said = desk.onsale(&[&run[..], &["--history", "h.jsonl"]].concat(), 0);
    assert_eq!(said.json()["trace_hash"], played["trace_hash"], "it changes nothing");
    assert!(said.err.contains("operations in h.jsonl"), "{}", said.err);

    let history = lines(&desk.read("h.jsonl"));
    let mut open = BTreeMap::new();
    let mut ends: BTreeMap<String, u64> = BTreeMap::new();
    let mut time = 0;
    for (index, op) in (0_u64..).zip(&history) {
        assert_eq!(op["index"], index);
        assert!(op["time"].as_u64().expect("a time") >= time, "{op}");
        time = op["time"].as_u64().expect("a time");
        let (kind, process) = (op["type"].as_str().expect("a type"), op["process"].as_u64());
        if kind == "invoke" {
            assert!(open.insert(process, op).is_none(), "a process does one thing: {op}");
            continue;
        }
        let asked = open.remove(&process).expect("what is told was asked");
        assert_eq!(asked["f"], op["f"]);
        for key in ["request", "user", "show"] {
            assert_eq!(asked["value"][key], op["value"][key], "{op}");
        }
        assert_eq!(op["error"].is_null(), kind == "ok", "{op}");
        let f = op["f"].as_str().expect("a function");
        *ends.entry(format!("{f} {kind}")).or_default() += 1;
    }
    assert!(open.is_empty(), "the end of the run ends every operation: {open:?}");
    let count = |end: &str| ends.get(end).copied().unwrap_or_default();
    let granted = |operation: &str| played["latency_ms"][operation]["endings"]["granted"].as_u64();
    assert_eq!(Some(count("hold ok")), granted("hold"), "{ends:?}");
    assert_eq!(Some(count("confirm ok")), granted("confirm"), "{ends:?}");
    assert!(count("hold ok") > 50 && count("confirm ok") > 10, "{ends:?}");
}

#[test]
fn a_history_is_edn_by_its_name_and_of_a_replay_too() {
    let desk = Desk::new("history-edn");
    let replay = ["replay", "1", "--scenario", "small.toml", "--no-out"];
    for file in ["h.jsonl", "h.edn"] {
        desk.onsale(&[&replay[..], &["--history", file, "--verify"]].concat(), 0);
    }
    let (json, edn) = (desk.read("h.jsonl"), desk.read("h.edn"));
    assert_eq!(json.lines().count(), edn.lines().count());
    assert!(edn.starts_with("{:index 0, :type :invoke, :process 0, :f :hold, :value {:request "));
    for (json, edn) in lines(&json).iter().zip(edn.lines()) {
        assert!(edn.contains(&format!(":time {}}}", json["time"])), "{edn}");
    }
}

#[test]
fn a_history_replaces_no_file_of_others() {
    let desk = Desk::new("history-files");
    desk.put("tiny.toml", TINY);
    desk.put("mine.jsonl", "{\"precious\":\"data of mine\"}\n");
    let run = |file| ["run", "tiny.toml", "--no-out", "--quiet", "--history", file];
    let said = desk.onsale(&run("mine.jsonl"), 2);
    assert!(said.err.contains("which onsale did not make"), "{}", said.err);
    assert_eq!(desk.read("mine.jsonl"), "{\"precious\":\"data of mine\"}\n");
    let said = desk.onsale(&run("history.txt"), 2);
    assert!(said.err.contains("ends in .jsonl or .edn"), "{}", said.err);
    let said = desk.onsale(&run("no/such/place.edn"), 70);
    assert!(said.err.contains("cannot write the history no/such/place.edn"), "{}", said.err);
    // It replaces its own.
    for _ in 0..2 {
        desk.onsale(&run("h.edn"), 0);
    }
    let out = ["run", "tiny.toml", "--out", "d", "--history", "d/plan.json"];
    let said = desk.onsale(&out, 2);
    assert!(said.err.contains("is also the file of"), "{}", said.err);
}
