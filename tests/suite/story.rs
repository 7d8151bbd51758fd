//! `onsale replay` for understanding a failure: stories, stops and traces, from outside. The subjects are taken
//! from the run's own output, never known beforehand.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::desk::{BLACKOUT, Desk};

/// Enough people that some of them meet a crash, on one show.
const FAILOVER: &str = r#"
title = "A leader dies while everybody wants something of it"
duration = "90s"
calm = "30s"

[cluster]
shards = 2

[sale]
shows = 1
hot-share = "100%"
hold = "20s"

[crowd]
users = 900

[crowd.arrivals]
constant = { over = "60s" }

[crowd.session]
pick-think = { median = "2s", sigma = 0.8 }
checkout-think = { median = "5s", sigma = 0.6 }

[[fault]]
crash = { at = "30s", node = "leader", down = "5s" }
"#;

/// The story in lines, and the summary behind it.
fn story(desk: &Desk, arguments: &[&str], code: i32) -> (Vec<Value>, Value) {
    let said = desk.onsale(&[arguments, &["--json", "--no-out", "--quiet"]].concat(), code);
    let mut lines: Vec<Value> = said
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("a story in JSON is an object a line"))
        .collect();
    let last = lines.pop().expect("the summary comes last");
    assert!(lines.is_sorted_by_key(|line| line["at_us"].as_u64()), "{lines:?}");
    (lines, last["summary"].clone())
}

fn text<'a>(line: &'a Value, key: &str) -> &'a str {
    line[key].as_str().unwrap_or_default()
}

/// The places of lines of these kinds with these words, each after the one before.
#[track_caller]
fn in_order(lines: &[Value], expected: &[(&str, &str)]) {
    let mut rest = lines.iter();
    for (kind, words) in expected {
        assert!(
            rest.any(|line| text(line, "kind") == *kind && text(line, "what").contains(words)),
            "no '{words}' ({kind}) in its place: {lines:#?}"
        );
    }
}

/// The first line of a kind about a request.
fn first<'a>(lines: &'a [Value], kind: &str, words: &str) -> &'a Value {
    let is = |line: &&Value| text(line, "kind") == kind && text(line, "what").contains(words);
    lines.iter().filter(|line| line["request"].is_string()).find(is).expect("it happened")
}

#[test]
fn a_story_goes_from_the_question_to_the_answer_and_changes_nothing() {
    let desk = Desk::new("story-user");
    let played = desk.onsale(&["run", "small.toml", "--json", "--no-out"], 0).json();
    let replay = ["replay", "1", "--scenario", "small.toml"];
    let (lines, summary) = story(&desk, &[&replay[..], &["--follow", "show0"]].concat(), 0);
    assert_eq!(summary["trace_hash"], played["trace_hash"], "nobody notices who looks on");

    // Somebody who got seats, by each name that can be followed.
    let held = first(&lines, "decision", "held for u");
    let (request, what) = (text(held, "request"), text(held, "what"));
    let user = what.split(' ').find(|word| word.starts_with('u')).unwrap();
    let hold = format!("h{}", &request[1..]);
    let (_, seats) = what.split_once("seat").unwrap();
    let seat = seats.trim_start_matches(['s', ' ']).split([',', ' ']).next().unwrap();
    let from_ask_to_answer = [
        ("ask", "asks n"),
        ("decision", "held for u"),
        ("record", "a quorum"),
        ("client", "held until"),
    ];
    for name in [request, user, &hold, &format!("seat:0/{seat}"), &format!("show0 seat {seat}")] {
        let (lines, summary) = story(&desk, &[&replay[..], &["--follow", name]].concat(), 0);
        in_order(&lines, &from_ask_to_answer);
        assert!(lines.iter().any(|line| text(line, "request") == request), "{name}");
        assert_eq!(summary["trace_hash"], played["trace_hash"]);
    }

    let followed = [&replay[..], &["--follow", user, "--verify", "--no-out"]].concat();
    let said = desk.onsale(&followed, 0);
    assert!(said.err.contains(": identical"), "{}", said.err);
    assert!(said.out.starts_with("00:") || said.out.contains(" 00:"), "{}", said.out);
    assert!(said.out.contains("✓ hold") && !said.out.contains("latency"), "{}", said.out);
}

#[test]
fn a_story_across_a_failover_names_the_crash_and_the_new_leader() {
    let desk = Desk::new("story-failover");
    desk.put("failover.toml", FAILOVER);
    let replay = ["replay", "1", "--scenario", "failover.toml"];
    let (lines, _) = story(&desk, &[&replay[..], &["--follow", "show0"]].concat(), 0);
    let strike = lines.iter().find(|line| text(line, "kind") == "strike").expect("a crash");
    let victim = text(strike, "what").split([' ', ',']).nth(2).expect("crash of nX, …");

    let moment = ["--follow", victim, "--from", "30s", "--to", "31s"];
    let (lines, _) = story(&desk, &[&replay[..], &moment].concat(), 0);
    let lost = first(&lines, "lost", "is down");
    let (lines, _) = story(&desk, &[&replay[..], &["--follow", text(lost, "request")]].concat(), 0);
    in_order(
        &lines,
        &[
            ("strike", &format!("crash of {victim}")),
            ("lost", &format!("never reaches {victim}: {victim} is down")),
            ("health", &format!("has not heard from {victim}")),
            ("leader", "stands for election"),
            ("leader", "votes for"),
            ("leader", "leads s"),
            ("client", "hears from n"),
        ],
    );
    let leader = lines.iter().find(|line| text(line, "what").starts_with("leads s")).unwrap();
    assert_ne!(text(leader, "who"), victim);
    let lost = lines.iter().find(|line| text(line, "kind") == "lost").unwrap();
    assert_eq!(lost["faults_in_force"], serde_json::json!([0]));
}

#[test]
fn a_failure_suggests_its_story_and_the_story_ends_with_it() {
    let desk = Desk::new("story-failure");
    desk.put("blackout.toml", BLACKOUT);
    let run = desk.onsale(&["run", "blackout.toml", "--no-out"], 1);
    let (_, line) = run.out.split_once("its story: ").expect("a failure suggests its story");
    let arguments = line.lines().next().unwrap().strip_prefix("onsale ").unwrap();
    let mut arguments: Vec<_> = arguments.split(' ').collect();
    arguments.push("--no-out");
    let said = desk.onsale(&arguments, 1);
    let (told, verdicts) = said.out.split_once("\n\n").unwrap();
    assert!(told.contains(" ORACLE ") && told.contains("live fails: "), "{told}");
    assert!(
        verdicts.contains("✗ live") && verdicts.contains("no interruption excuses"),
        "{verdicts}"
    );
}

/// Two sides of a partition each decide for themselves: the story of the seat has both decisions, made in
/// concurrent epochs, and ends with the oracle's verdict.
#[test]
fn the_story_of_a_double_booking_tells_of_both() {
    let desk = Desk::new("story-twice");
    let run = ["--scenario", "unsafe/suspicion-down", "--json", "--no-out", "--quiet"];
    let found = (1..=5).find_map(|seed: u32| {
        let seed = seed.to_string();
        let output = desk.command(&[&["replay", &seed], &run[..]].concat()).output().unwrap();
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        let seat = &summary["oracles"]["double-booking"]["evidence"]["follow"][0];
        seat.as_str().map(|seat| (seed, seat.to_owned()))
    });
    let (seed, seat) = found.expect("this setting sells seats twice within a few seeds");
    assert!(seat.starts_with("seat:"), "{seat}");

    let replay = ["replay", &seed, "--scenario", "unsafe/suspicion-down", "--follow", &seat];
    let (lines, _) = story(&desk, &replay, 1);
    let verdict = |line: &Value| {
        text(line, "kind") == "verdict" && text(line, "what").starts_with("double-booking fails")
    };
    let verdict = lines.iter().position(verdict).expect("the oracle speaks where it sees it");
    let booked = lines[..=verdict].iter().filter(|line| {
        text(line, "kind") == "decision" && text(line, "what").contains("booked, paid with")
    });
    let leaders: BTreeSet<&str> = booked.map(|line| text(line, "who")).collect();
    assert_eq!(leaders.len(), 2, "{lines:#?}");
}

/// A deposed leader's decision for a client is shown with the setting that allows it, and the evidence with its
/// instant, the fault and the earlier failures.
#[test]
fn an_unsafe_setting_is_named_beside_what_it_let_through() {
    let desk = Desk::new("story-unsafe");
    let replay = ["replay", "1", "--scenario", "unsafe/repeat-anew"];
    let summary: Value =
        serde_json::from_str(&desk.onsale(&[&replay[..], &["--json", "--no-out"]].concat(), 1).out)
            .unwrap();
    let evidence = &summary["oracles"]["atomic"]["evidence"];
    let found = evidence["found_us"].as_u64().expect("it was found on the way");
    let details: Vec<&str> =
        evidence["details"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let minutes = format!("found at {:02}:{:02}.", found / 60_000_000, found / 1_000_000 % 60);
    let has = |start: &str| details.iter().any(|line| line.starts_with(start));
    assert_eq!(details[0], "promised: A request is granted whole or not at all.", "{details:?}");
    assert!(details[1].starts_with("broken rule "), "{details:?}");
    let setting = "unsafe setting: sale.repeats = \"executed-again\": a request that arrives twice";
    for start in [&minutes[..], "latest fault: 10% of messages duplicated", setting] {
        assert!(has(start), "{start}: {details:?}");
    }

    let follow = evidence["follow"][0].as_str().unwrap();
    let (lines, _) = story(&desk, &[&replay[..], &["--follow", follow]].concat(), 1);
    in_order(
        &lines,
        &[
            ("decision", "held for"),
            ("decision", "once more: "),
            ("verdict", "atomic fails"),
            (
                "verdict",
                "sale.repeats = \"executed-again\": a request that arrives twice is executed twice",
            ),
        ],
    );
    in_order(&lines, &[("decision", "[sale.repeats = \"executed-again\"]")]);
}

/// Every line of a story, a report and a shrunk failure stays within the width, except for commands to paste.
#[test]
fn eighty_columns_are_respected() {
    let desk = Desk::new("story-width");
    let replay = ["replay", "1", "--scenario", "unsafe/deposed-answers", "--no-out", "--quiet"];
    let follow = ["--follow", "show0"];
    for columns in ["80", "60"] {
        let said = desk.command(&[&replay[..], &follow].concat()).env("COLUMNS", columns).output();
        let out = String::from_utf8(said.unwrap().stdout).unwrap();
        let wide = out.lines().find(|line| {
            line.chars().count() > columns.parse().unwrap() && !line.contains("replay 1")
        });
        assert_eq!(wide, None);
        assert!(out.lines().count() > 100, "{out}");
    }
    // A pipe gets a line an event, for grep.
    let said = desk.command(&[&replay[..], &follow].concat()).output().unwrap();
    let out = String::from_utf8(said.stdout).unwrap();
    assert!(out.lines().any(|line| line.chars().count() > 100));
}

/// A session that reads back in time gets the story of that visitor and that fact, not of a buyer.
#[test]
fn a_failure_about_facts_is_followed_as_the_evidence_names_it() {
    let desk = Desk::new("story-facts");
    let replay = ["replay", "1", "--scenario", "unsafe/facts-sessions"];
    let summary: Value =
        serde_json::from_str(&desk.onsale(&[&replay[..], &["--json", "--no-out"]].concat(), 1).out)
            .unwrap();
    let evidence = &summary["oracles"]["facts"]["evidence"];
    let headline = evidence["headline"].as_str().unwrap();
    let follow: Vec<&str> =
        evidence["follow"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let [session, fact] = follow[..] else { panic!("{evidence}") };
    let name = session.replace(':', " ");
    assert!(headline.starts_with(&format!("{name} read ")), "{headline}");
    assert!(headline.contains(&fact.replace("fact:", "").replace('/', " ")), "{headline}");

    let both = [&replay[..], &["--follow", session, "--follow", fact]].concat();
    let (lines, _) = story(&desk, &both, 1);
    in_order(
        &lines,
        &[
            ("ask", "asks n"),
            ("client", "hears from n"),
            ("client", "hears from n"),
            ("verdict", headline),
        ],
    );
    assert_eq!(text(&lines[0], "who"), name, "{lines:#?}");
    // A name from the evidence is accepted as well; an unknown one is refused.
    let (same, _) =
        story(&desk, &[&replay[..], &["--follow", &name, "--follow", fact]].concat(), 1);
    assert_eq!(same, lines);
    let none =
        desk.onsale(&["replay", "1", "--scenario", "fast/crash", "--follow", "session 3"], 2);
    assert!(none.err.contains("fast/crash has no facts"), "{}", none.err);
}

/// The story of a moving shard has the request for the move and the steps of its members.
#[test]
fn a_move_is_followed_step_by_step() {
    let desk = Desk::new("story-move");
    let replay = ["replay", "1", "--scenario", "fast/elastic", "--until", "60s"];
    let moved = (0..64).find_map(|shard| {
        let shard = format!("shard:{shard}");
        let (lines, _) = story(&desk, &[&replay[..], &["--follow", &shard]].concat(), 0);
        lines.iter().any(|line| text(line, "what").starts_with("wants s")).then_some(lines)
    });
    in_order(
        &moved.expect("nodes join, and shards move to them"),
        &[
            ("leader", "instead of n"),
            ("leader", "joins as a learner"),
            ("leader", "as a voter, in a joint configuration"),
            ("leader", "the joint configuration ends"),
            ("leader", "is removed"),
            ("leader", "notes that s"),
        ],
    );
}

#[test]
fn a_run_stops_where_it_is_told_to() {
    let desk = Desk::new("story-until");
    let replay = ["replay", "1", "--scenario", "small.toml"];
    let (short, clock) = (["--until", "31s"], ["--until", "00:31.000", "--json"]);
    let said = desk.onsale(&[&replay[..], &short].concat(), 0);
    assert!(said.out.contains("stopped at 00:31.000: what follows"), "{}", said.out);
    assert!(said.out.contains(" down · ") || said.out.contains(" down\n"), "{}", said.out);
    let json = desk.onsale(&[&replay[..], &clock].concat(), 0).json();
    assert_eq!((&json["virtual_s"], &json["interrupted"]), (&31.0.into(), &true.into()));
    assert_eq!(json["stopped"]["at_s"], 31.0);
    assert_eq!(json["stopped"]["nodes"].as_array().unwrap().len(), 5);

    // There is nothing to stop after the end.
    let late = [&replay[..], &["--until", "10h", "--json", "--no-out"]].concat();
    let late = desk.onsale(&late, 0);
    assert!(late.err.contains("before --until 10:00:00"), "{}", late.err);
    let late = late.json();
    assert_eq!((&late["interrupted"], &late["stopped"]), (&false.into(), &Value::Null));
}

#[test]
fn a_trace_is_what_its_readers_expect() {
    let desk = Desk::new("story-trace");
    let replay = ["replay", "1", "--scenario", "small.toml", "--no-out"];
    let window = ["--trace", "trace.json", "--from", "25s", "--to", "40s", "--json"];
    let played = desk.onsale(&["run", "small.toml", "--json", "--no-out"], 0).json();
    let said = desk.onsale(&[&replay[..], &window].concat(), 0);
    assert_eq!(said.json()["trace_hash"], played["trace_hash"]);
    assert!(said.err.contains("events in trace.json"), "{}", said.err);

    let trace = desk.json("trace.json");
    let events = trace["traceEvents"].as_array().unwrap();
    let (mut rows, mut open) = (BTreeMap::new(), BTreeMap::new());
    let (mut pairs, mut arrows, mut works) = (0, (0, 0), 0);
    for event in events {
        let phase = text(event, "ph");
        let ts = event["ts"].as_u64().expect("times are whole microseconds");
        let row = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        if phase == "M" {
            rows.insert((row, text(event, "name")), text(&event["args"], "name"));
            continue;
        }
        assert!((25_000_000..=40_000_000).contains(&ts), "{event}");
        let key = (text(event, "cat"), text(event, "id"), text(event, "name"));
        match phase {
            "b" => assert!(open.insert(key, ts).is_none(), "{event}"),
            "e" => {
                let begun = open.remove(&key).expect("what ends has begun");
                assert!(begun <= ts, "{event}");
                pairs += 1;
            }
            "n" => assert!(open.contains_key(&key), "{event}"),
            "s" => arrows.0 += 1,
            "f" => arrows.1 += 1,
            "X" => {
                assert!(ts + event["dur"].as_u64().unwrap() <= 40_000_001, "{event}");
                works += usize::from(text(event, "cat") == "work");
            }
            "i" => assert_eq!(text(event, "s"), "t", "{event}"),
            other => panic!("no event is of the phase {other}"),
        }
        let process = rows.get(&((row.0, 0), "process_name"));
        assert!(process.is_some_and(|name| !name.is_empty()), "{event}");
    }
    assert!(open.is_empty(), "{open:?}");
    assert!(pairs > 0 && works > 0 && arrows.0 > 0 && arrows.0 == arrows.1);
    assert!(rows.values().any(|name| *name == "n1 in zone 1"), "{rows:?}");
    let named = |what: &str| events.iter().any(|event| text(event, "name").contains(what));
    assert!(named("crash of n") && named("fsync of ") && named("leader of s") && named("decide"));
}

#[test]
fn what_cannot_be_looked_at_is_answered_with_what_can() {
    let desk = Desk::new("story-usage");
    let table: [(&[&str], &str); 8] = [
        (&["--follow", "gate:1"], "follow seat:SHOW/SEAT, user:U, hold:H"),
        (&["--follow", "u60"], "small.toml has users 0 to 59, not 60"),
        (&["--follow", "n9"], "small.toml has nodes 1 to 5, not 9"),
        (&["--follow", "seat:2/0"], "small.toml has shows 0 to 1, not 2"),
        (&["--until", "soon"], "such as 95s"),
        (&["--from", "10s"], "add --follow or --trace"),
        (&["--follow", "u1", "--from", "20s", "--to", "10s"], "is not before"),
        (&["--trace"], "--trace <FILE>"),
    ];
    for (arguments, words) in table {
        let replay = ["replay", "1", "--scenario", "small.toml"];
        let said = desk.onsale(&[&replay[..], arguments].concat(), 2);
        assert!(said.err.contains(words), "{arguments:?}: {}", said.err);
        assert_eq!(said.out, "");
    }
    let nowhere = ["replay", "1", "--scenario", "small.toml", "--trace", "no/such/place.json"];
    let said = desk.onsale(&nowhere, 70);
    assert!(said.err.contains("cannot write the trace no/such/place.json"), "{}", said.err);
}

#[test]
fn a_capsule_of_another_build_says_so_and_whether_it_still_holds() {
    let desk = Desk::new("story-capsule");
    desk.put("blackout.toml", BLACKOUT);
    desk.onsale(&["run", "blackout.toml"], 1);
    let mut capsule = desk.json("onsale-out/blackout-1/capsule.json");
    capsule["build_profile"] = "bench".into();
    desk.put("bench.json", &capsule.to_string());
    let said = desk.onsale(&["replay", "bench.json", "--no-out"], 1);
    assert!(said.err.contains("warning: other code: the capsule was written by"), "{}", said.err);
    assert!(said.err.contains("(bench), this is onsale"), "{}", said.err);
    assert!(said.err.contains("the trace hash matches the recorded one"), "{}", said.err);

    capsule["trace_hash"] = "0123456789abcdef".into();
    desk.put("moved.json", &capsule.to_string());
    let said = desk.onsale(&["replay", "moved.json", "--no-out"], 1);
    assert!(said.err.contains("on this code the plan plays out differently"), "{}", said.err);

    let said = desk.onsale(&["replay", "moved.json", "--no-out", "--until", "70s"], 0);
    assert!(said.err.contains("nothing is compared with the recorded run"), "{}", said.err);
}
