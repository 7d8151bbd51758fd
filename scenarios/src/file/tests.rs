//! Good files are read as written, bad ones are refused with advice, and none panics.

use std::fmt::Write as _;

use miette::{GraphicalReportHandler, GraphicalTheme};
use onsale_booking::{NodeId, Span};
use onsale_cluster::Mark;
use onsale_reports::Oracle;
use proptest::prelude::*;

use super::*;
use crate::catalogue;
use crate::fault::{
    ClockFault, Cut, DiskFault, Family, Fault, MembersFault, Moment, NetworkFault, ProcessFault,
    Rollback, Swarm, Target, When,
};
use crate::limit::{Figure, Limit, Part, Wait};
use crate::ratio::Ratio;
use crate::setting::Milli;
use crate::settings::WaitingRoom;
use crate::timing::Timing;

fn no_files(_: &str) -> io::Result<Vec<u8>> {
    Err(io::Error::new(io::ErrorKind::NotFound, "no such file"))
}

fn read(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::from_toml("x", "x.toml", text.as_bytes(), &no_files)
}

fn render(error: &ScenarioError) -> String {
    let handler =
        GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut text = String::new();
    handler.render_report(&mut text, error).expect("an error can be shown");
    text
}

/// The complaints about each bad body, after a good title.
fn complaints_about(bodies: &[&str]) -> String {
    let mut said = String::new();
    for body in bodies {
        let error = read(&format!("title = \"t\"\n{body}")).expect_err(body);
        writeln!(said, "{error}").unwrap();
    }
    said
}

#[test]
fn what_is_left_out_has_its_default() {
    let scenario = read("title = \"t\"").unwrap();
    let expected = Scenario { id: "x".into(), title: "t".into(), ..Scenario::default() };
    assert_eq!(scenario, expected);
}

#[test]
fn the_readme_s_example_is_sound() {
    let readme = include_str!("../../README.md");
    let example = readme.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let scenario = read(example).unwrap();
    assert_eq!(scenario.faults.len(), 2);
    assert_eq!(scenario.swarm.unwrap().families, [Family::Loss, Family::Pause]);
    assert!(readme.contains("fault[0].crash.node: there is no node n9; the nodes are n1 to n5"));
}

#[test]
fn words_that_are_not_known_are_answered_with_near_ones() {
    let said = complaints_about(&[
        "durration = \"5m\"",
        "id = \"mine\"",
        "[clutser]\nnodes = 5",
        "[cluster]\nnode = 5",
        "[cluster]\nbeat_every = \"1s\"",
        "[cluster.gateway]\ntry = 3",
        "[crowd.session]\npick_think = { median = \"5s\", sigma = 0.8 }",
        "[crowd.session]\npick-think = { median = \"5s\", sigmas = 0.8 }",
        "[crowd.arrivals]\nonsale = { opening = \"1m\", over = \"2m\" }",
        "[crowd.arrivals]\nconstant = { over = \"1m\", peak = 3 }",
        "[[fault]]\ncrahs = { at = \"1s\", node = \"n1\", down = \"1s\" }",
        "[[fault]]\ncrash = { at = \"1s\", nod = \"n1\", down = \"1s\" }",
        "[[fault]]\npartition = { at = \"1s\", lasts = \"1s\", halfs = true }",
        "[[fault]]\npause = { at = \"1s\", node = \"leadr\", lasts = \"1s\" }",
        "[[fault]]\npause = { at = \"1s\", node = \"3\", lasts = \"1s\" }",
        "[swarm]\nfamilies = [\"crash\", \"zone_los\"]",
        "[expect]\nexercised = [\"hold\", \"dubble-booking\"]",
        "[expect]\nlatency = [\"hold p99 < 1s\", \"hodl p99 < 1s\"]",
        "[expect]\nviolation = \"hold\"",
        "[expect]\nmarks = [\"leader-lost\"]",
        "[expect]\nmarks = [\"quux\"]",
        "[cluster]\nquux = 1",
    ]);
    insta::assert_snapshot!(said, @r#"
    x.toml:2:1: durration: unknown key `durration`; did you mean `duration`?
    x.toml:2:6: id: a file has no id of its own; remove the key: the path is the id
    x.toml:2:2: clutser: unknown key `clutser`; did you mean `cluster`?
    x.toml:3:1: cluster.node: unknown key `node`; did you mean `nodes`?
    x.toml:3:1: cluster.beat_every: unknown key `beat_every`; did you mean `beat-every`?
    x.toml:3:1: cluster.gateway.try: unknown key `try`; did you mean `try-timeout`?
    x.toml:3:1: crowd.session.pick_think: unknown key `pick_think`; did you mean `pick-think`?
    x.toml:3:31: crowd.session.pick-think.sigmas: unknown key `sigmas`; did you mean `sigma`?
    x.toml:3:1: crowd.arrivals.onsale: unknown name `onsale`; did you mean `on-sale`?
    x.toml:3:27: crowd.arrivals.constant.peak: unknown key `peak`; known here: over
    x.toml:3:1: fault[0].crahs: unknown name `crahs`; did you mean `crash`?
    x.toml:3:22: fault[0].crash.nod: unknown key `nod`; did you mean `node`?
    x.toml:3:40: fault[0].partition.halfs: unknown key `halfs`; did you mean `halves`?
    x.toml:3:29: fault[0].pause.node: "leadr" is no target; did you mean `leader`?
    x.toml:3:29: fault[0].pause.node: "3" is no target; did you mean `n3`?
    x.toml:3:22: swarm.families[1]: unknown name `zone_los`; did you mean `zone-loss`?
    x.toml:3:22: expect.exercised[1]: there is no oracle "dubble-booking"; did you mean `double-booking`?
    x.toml:3:29: expect.latency[1]: "hodl" is nothing that people wait for; did you mean `hold`?
    x.toml:3:1: expect.violation: unknown key `violation`; known here: exercised, marks, latency, fails, within
    x.toml:3:10: expect.marks[0]: there is no mark "leader-lost"; did you mean `leader-deposed`?
    x.toml:3:10: expect.marks[0]: there is no mark "quux"; the nearest of 83 are `rumours-told`, `request-astray` and `returned`; for all see REFERENCE.md, or `onsale scenarios reference`
    x.toml:3:1: cluster.quux: unknown key `quux`; the nearest of 25 are `journal`, `on-suspicion` and `suspicion-phi`; for all see REFERENCE.md, or `onsale scenarios reference`
    "#);
}

#[test]
fn a_renamed_word_is_refused_with_its_new_name() {
    let said = complaints_about(&[
        "[cluster.owner]\nacknowledge = \"own-disk\"",
        "[cluster.leads]\nnear-venue = true",
        "[cluster]\npartition-by = \"show\"",
        "[[fault]]\npause = { at = \"1s\", node = \"owner\", lasts = \"1s\" }",
        "[expect]\nmarks = [\"owner-deposed\", \"lead-shed\", \"hand-over-given-up\"]",
        "[sale]\nrepeats = \"anew\"",
        "[expect]\nmarks = [\"joined-anew\", \"facts-written-anew\", \"replica-begun-anew\"]",
    ]);
    insta::assert_snapshot!(said, @r#"
    x.toml:2:10: cluster.owner: unknown key `owner`; renamed to `leader`
    x.toml:2:10: cluster.leads: unknown key `leads`; renamed to `leader-placement`
    x.toml:3:1: cluster.partition-by: unknown key `partition-by`; renamed to `shard-by`
    x.toml:3:29: fault[0].pause.node: "owner" is no target; renamed to `leader`
    x.toml:3:10: expect.marks[0]: there is no mark "owner-deposed"; renamed to `leader-deposed`
    x.toml:3:27: expect.marks[1]: there is no mark "lead-shed"; renamed to `leader-shed`
    x.toml:3:40: expect.marks[2]: there is no mark "hand-over-given-up"; renamed to `lead-transfer-given-up`
    x.toml:3:11: sale.repeats: unknown name `anew`; renamed to `executed-again`
    x.toml:3:10: expect.marks[0]: there is no mark "joined-anew"; renamed to `rejoined`
    x.toml:3:25: expect.marks[1]: there is no mark "facts-written-anew"; renamed to `facts-rewritten`
    x.toml:3:47: expect.marks[2]: there is no mark "replica-begun-anew"; renamed to `replica-replaced`
    "#);
}

/// It reads as a seed, but TOML has no such number.
#[test]
fn a_seed_beyond_the_numbers_of_toml_is_refused_at_its_place() {
    let told = complaints_about(&["[replay]\nseed = 18446744073709551615"]);
    assert!(told.starts_with("x.toml:3:8: replay.seed: "), "{told}");
}

#[test]
fn values_of_another_type_are_answered_with_the_right_form() {
    let said = complaints_about(&[
        "duration = \"5min\"",
        "duration = \"1m30s\"",
        "duration = 300",
        "duration = 1.5",
        "duration = \"1001h\"",
        "duration = true",
        "[sale]\nhot-share = \"140%\"",
        "[sale]\nhot-share = 0.4",
        "[sale]\nhot-share = \"2/1\"",
        "[sale]\nseats-per-row = 70000",
        "[sale]\nrows = -4",
        "[sale]\nrows = \"four\"",
        "[cluster]\nnodes = 5.5",
        "[crowd.session]\npick-think = { median = \"5s\" }",
        "[crowd.session]\nzipf = 1.2345",
        "[crowd.session]\nzipf = nan",
        "[crowd.session]\ngroup-weights = 3",
        "[crowd]\narrivals = \"constant\"",
        "[crowd.arrivals]\n",
        "[crowd.arrivals]\nconstant = { over = \"1m\" }\nramp = { over = \"1m\" }",
        "[crowd.arrivals]\ntrace = { file = \"gone.csv\" }",
        "[[fault]]\n",
        "fault = 3",
        "[[fault]]\ncrash = { node = \"n1\", down = \"1s\" }",
        "[[fault]]\ncrash = { at = \"1s\", node = 3, down = \"1s\" }",
        "[[fault]]\npartition = { at = \"1s\", lasts = \"1s\" }",
        "[[fault]]\npartition = { at = \"1s\", lasts = \"1s\", halves = true, bridge = true }",
        "[swarm]\nfaults = [1]",
        "[swarm]\nfaults = [1, 2, 3]",
        "title = \"again\"",
        "duration = \"5m",
        "duration == 5",
        "[cluster",
        "[fault]\ncrash = { at = \"1s\", node = \"n1\", down = \"1s\" }",
        "[[fault]]\nslow-network = { at = \"1s\", lasts = \"1s\", factor = -1 }",
        "[cluster]\nreplicas = \"three\"",
        "[expect]\nlatency = [\"hold p99 < 500 ms\"]",
    ]);
    insta::assert_snapshot!(said, @r#"
    x.toml:2:12: duration: "5min" is not a span of time; did you mean `5m`?
    x.toml:2:12: duration: "1m30s" is not a span of time; did you mean `90s`?
    x.toml:2:12: duration: 300 is a bare number, not a span of time such as `80ms` or `5s`; did you mean `5m`?
    x.toml:2:12: duration: 1.5 is a bare number, not a span of time such as `80ms` or `5s`; did you mean `1500ms`?
    x.toml:2:12: duration: "1001h" is too long; a span is at most `1000h`
    x.toml:2:12: duration: invalid type: boolean `true`, expected a span of time such as `80ms` or `5s`; write text such as `"5s"`
    x.toml:3:13: sale.hot-share: "140%" is more than everything; a share is at most `100%`
    x.toml:3:13: sale.hot-share: 0.4 is a bare number, not a share such as `1/200` or `40%`; did you mean `40%`?
    x.toml:3:13: sale.hot-share: "2/1" is more than everything; a share is at most `100%`
    x.toml:3:17: sale.seats-per-row: invalid value: integer `70000`, expected a whole number; write a whole number from 1 to 64
    x.toml:3:8: sale.rows: invalid value: integer `-4`, expected a whole number; write a whole number from 1 to 65535
    x.toml:3:8: sale.rows: invalid type: string "four", expected a whole number; write a whole number from 1 to 65535
    x.toml:3:9: cluster.nodes: invalid type: floating point `5.5`, expected a whole number; write a whole number from 1 to 99
    x.toml:3:14: crowd.session.pick-think: `sigma` is missing; add `sigma = …`
    x.toml:3:8: crowd.session.zipf: 1.2345 is too fine; write at most three decimals
    x.toml:3:8: crowd.session.zipf: NaN is out of range; write a number from 0 to 10
    x.toml:3:17: crowd.session.group-weights: invalid type: integer `3`, expected a sequence; write a list in brackets
    x.toml:3:12: crowd.arrivals: invalid type: string "constant", expected a table with one key; write a table: `{ key = value }`
    x.toml:2:1: crowd.arrivals: one key belongs here; write one of `constant`, `poisson`, `ramp`, `spike`, `on-sale`, `trace` and `named`
    x.toml:2:1: crowd.arrivals: one key belongs here; write one of `constant`, `poisson`, `ramp`, `spike`, `on-sale`, `trace` and `named`
    x.toml:3:18: crowd.arrivals.trace.file: "gone.csv" can't be read: no such file; the path is relative to the scenario's file
    x.toml:2:1: fault[0]: one key belongs here; write one fault under each `[[fault]]`
    x.toml:2:9: fault: invalid type: integer `3`, expected a sequence; write a list in brackets
    x.toml:3:9: fault[0].crash: `at` is missing; add `at = …`
    x.toml:3:29: fault[0].crash.node: 3 is a bare number, not a target such as `n3` or `leader`; did you mean `n3`?
    x.toml:3:13: fault[0].partition: the partition cuts nothing; give one of `isolate = ["n1"]`, `halves = true`, `one-way = "n1"`, `majority-ring = true`, `bridge = true`
    x.toml:3:13: fault[0].partition: the partition is cut in several ways; give one of `isolate = ["n1"]`, `halves = true`, `one-way = "n1"`, `majority-ring = true`, `bridge = true`
    x.toml:3:10: swarm.faults: not two values; write two values in brackets, the least first
    x.toml:3:10: swarm.faults: not two values; write two values in brackets, the least first
    x.toml:2:1: duplicate key; fix the syntax: quote text, write each key once
    x.toml:2:15: invalid basic string, expected `"`; fix the syntax: quote text, write each key once
    x.toml:2:11: extra `=`, expected nothing; fix the syntax: quote text, write each key once
    x.toml:2:9: unclosed table, expected `]`; fix the syntax: quote text, write each key once
    x.toml:2:1: fault: `[fault]` is one table, where a list of tables belongs; write `[[fault]]`
    x.toml:3:52: fault[0].slow-network.factor: invalid value: integer `-1`, expected a whole number; write a whole number from 2 to 1000000
    x.toml:3:12: cluster.replicas: invalid type: string "three", expected a whole number; write a whole number from 1 to 7
    x.toml:3:12: expect.latency[0]: "500 ms" is not a span of time; write `500ms`, without a space
    "#);
}

#[test]
fn a_timing_is_a_span_or_says_how_it_is_drawn() {
    let decide = |text: &str| {
        read(&format!("title = \"t\"\n[costs]\ndecide = {text}")).unwrap().costs.decide
    };
    let quantiles = vec![
        (Ratio::NEVER, Span(1_000)),
        (Ratio::percent(90), Span(2_000)),
        (Ratio::percent(90), Span(7_000)),
        (Ratio::ALWAYS, Span(7_000)),
    ];
    let table = [
        ("\"5ms\"", Timing::Constant(Span(5_000))),
        ("{ mean = \"5ms\" }", Timing::Exponential { mean: Span(5_000) }),
        ("{ median = \"5ms\", sigma = 0.8 }", Timing::log_normal(Span(5_000), 800)),
        (
            "{ quantiles = [[\"0%\", \"1ms\"], [\"90%\", \"2ms\"], [\"90%\", \"7ms\"], [\"100%\", \"7ms\"]] }",
            Timing::Quantiles(quantiles),
        ),
    ];
    for (text, timing) in table {
        assert_eq!(decide(text), timing, "{text}");
    }
    let said = complaints_about(&[
        "[costs]\ndecide = 5",
        "[costs]\ndecide = \"5min\"",
        "[costs]\ndecide = true",
        "[costs]\ndecide = {}",
        "[costs]\ndecide = { mean = \"5ms\", sigma = 0.8 }",
        "[costs]\ndecide = { sigma = 0.8 }",
        "[costs]\ndecide = { mena = \"5ms\" }",
        "[costs]\ndecide = { mean = \"0us\" }",
        "[costs]\ndecide = { mean = \"61s\" }",
        "[costs]\ndecide = { quantiles = [] }",
        "[costs]\ndecide = { quantiles = [[\"0%\", \"1ms\"]] }",
        "[costs]\ndecide = { quantiles = [[\"1%\", \"1ms\"], [\"99%\", \"2ms\"]] }",
        "[costs]\ndecide = { quantiles = [[\"0%\", \"2ms\"], [\"50%\", \"1ms\"], [\"40%\", \"2ms\"], [\"100%\", \"2ms\"]] }",
        "[costs]\ndecide = { quantiles = [[\"0%\", \"2ms\", 3], [\"100%\", \"2ms\"]] }",
        "quantum = \"1ms\"\n[network]\nclient = { mean = \"5ms\" }",
        "[disk]\nfsync = { mean = \"200ms\" }",
    ]);
    insta::assert_snapshot!(said, @r#"
    x.toml:3:10: costs.decide: 5 is a bare number, not a span of time; did you mean `5s`?
    x.toml:3:10: costs.decide: "5min" is not a span of time; did you mean `5m`?
    x.toml:3:10: costs.decide: invalid type: boolean `true`, expected a span of time such as `80ms` or `5s`, or how it is drawn; write text such as `"5s"`
    x.toml:3:10: costs.decide: this is not one way to draw a span; write one of `"5ms"`, `{ mean = "5ms" }`, `{ median = "5ms", sigma = 0.8 }` and `{ quantiles = [["0%", "1ms"], ["100%", "9ms"]] }`
    x.toml:3:10: costs.decide: this is not one way to draw a span; write one of `"5ms"`, `{ mean = "5ms" }`, `{ median = "5ms", sigma = 0.8 }` and `{ quantiles = [["0%", "1ms"], ["100%", "9ms"]] }`
    x.toml:3:10: costs.decide: `median` is missing; add `median = …`
    x.toml:3:12: costs.decide.mena: unknown key `mena`; did you mean `mean`?
    x.toml:3:19: costs.decide.mean: no time at all; write a span above zero, such as `5s`
    x.toml:3:19: costs.decide.mean: 61s is out of bounds; write 0us to 1m
    x.toml:3:24: costs.decide.quantiles: there are 0 quantiles; write 2 to 1000: `[["0%", "1ms"], ["100%", "9ms"]]`
    x.toml:3:24: costs.decide.quantiles: there are 1 quantiles; write 2 to 1000: `[["0%", "1ms"], ["100%", "9ms"]]`
    x.toml:3:26: costs.decide.quantiles[0][0]: the quantiles go from 0% to 100%, and here is 1%; write `"0%"`
    x.toml:3:41: costs.decide.quantiles[1][0]: the quantiles go from 0% to 100%, and here is 99%; write `"100%"`
    x.toml:3:48: costs.decide.quantiles[1][1]: 1ms at 50% is below 2ms at 0%; a greater share takes no less
    x.toml:3:57: costs.decide.quantiles[2][0]: 40% stands after 50%; put the least share first
    x.toml:3:25: costs.decide.quantiles[0]: not two values; write two values in brackets, the least first
    x.toml:2:11: quantum: a quantum of 1ms is longer than a client's way, which may be 0us; keep it at or below the latency between clients and nodes
    x.toml:3:1: disk.fsync: a vote takes two writes, up to 600ms, and after 500ms without a leader others stand too: elections can't settle; at most `fsync = "166666us"`, or at least `election-ticks = 12`, or longer ticks
    "#);
}

#[test]
fn unsound_scenarios_are_refused_at_the_right_key() {
    let said = complaints_about(&[
        "duration = \"0s\"",
        "quantum = \"2s\"",
        "[cluster]\nnodes = 0",
        "[cluster]\nzones = 1\nreplicas = 1\nnodes = 2\n[[fault]]\npower-loss = { at = \"1m\", down = \"1s\" }",
        "[cluster]\nnodes = 2",
        "[cluster]\nzones = 6",
        "[cluster]\nreplicas = 0",
        "[cluster]\nreplicas = 4",
        "[cluster]\nreplicas = 7",
        "[cluster]\nreplicas = 5",
        "[cluster]\nreplicas = 9\nnodes = 9\nzones = 9",
        "[cluster.membership]\nstatic-quorum = 2",
        "[cluster]\nnodes = 6\n[cluster.membership]\nstatic-quorum = 7\nstable-after = \"0s\"",
        "[cluster]\nshards = 0",
        "[sale]\nvenues = [1, 4]\n[cluster.leader-placement]\nrest = \"0s\"",
        "[cluster.leader-placement]\nnear-venue = true",
        "[cluster.gateway]\nbackoff-base = \"1s\"",
        "[sale]\nshows = 1",
        "[sale]\nseats-per-row = 65",
        "[sale]\nrows = 0",
        "[sale]\nseats-per-request = 11",
        "[sale]\nseats-per-request = 4",
        "[sale]\nhold = \"0s\"\ngrace = \"0s\"",
        "[sale]\nsections = 60000",
        "[crowd]\nusers = 0",
        "[crowd.arrivals]\nconstant = { over = \"6m\" }",
        "[crowd.arrivals]\nramp = { over = \"0s\" }",
        "[crowd.arrivals]\nspike = { over = \"4m\", at = \"4m\" }",
        "[crowd.arrivals]\non-sale = { opening = \"0s\", over = \"4m\" }",
        "[crowd.arrivals]\non-sale = { opening = \"2m\", over = \"121s\" }",
        "[crowd.arrivals]\non-sale = { opening = \"2m\", over = \"4m\" }\n[crowd.waiting-room]\nopening = \"1m\"",
        "[crowd.waiting-room]\nrelease-per-minute = 0\nopening = \"5m\"",
        "[crowd.session]\nrefresh-min = \"11s\"",
        "[crowd.session]\ngroup-weights = [0, 0]",
        "[crowd.session]\ngroup-weights = []",
        "[network]\nloss = \"100%\"",
        "[network]\ntail-factor = 0",
        "[disk]\nmib-per-s = 0",
        "[costs]\ndecide = \"2m\"",
        "[[fault]]\ncrash = { at = \"1s\", node = \"n9\", down = \"1s\" }",
        "[[fault]]\ncrash = { at = \"1s\", node = \"n0\", down = \"0s\" }",
        "[[fault]]\nzone-loss = { at = \"1s\", zone = 4, down = \"1s\" }",
        "[[fault]]\npower-loss = { at = \"6m\", down = \"1s\" }",
        "[[fault]]\npower-loss = { at = \"290s\", down = \"11s\" }",
        "[[fault]]\nloss = { at = \"1s\", lasts = \"1s\", chance = \"0%\" }",
        "[[fault]]\nslow-network = { at = \"1s\", lasts = \"1s\", factor = 1 }",
        "[[fault]]\npartition = { at = \"1s\", lasts = \"1s\", isolate = [] }",
        "[[fault]]\npartition = { at = \"1s\", lasts = \"1s\", isolate = [\"n1\", \"n1\"] }",
        "[[fault]]\npartition = { at = \"1s\", lasts = \"1s\", isolate = [\"n1\", \"n2\", \"n3\", \"n4\", \"n5\"] }",
        "[[fault]]\npartition = { at = \"1s\", lasts = \"1s\", one-way = \"n6\" }",
        "[cluster]\nreplicas = 1\n[[fault]]\npause = { at = \"1s\", node = \"follower\", lasts = \"1s\" }",
        "[swarm]\nfamilies = []",
        "[swarm]\nfamilies = [\"loss\", \"loss\"]",
        "[swarm]\nfaults = [3, 2]",
        "[swarm]\nlasts = [\"3s\", \"2s\"]",
        "[swarm]\nfrom = \"4m\"",
        "[swarm]\nuntil = \"6m\"",
        "[swarm]\nlasts = [\"1s\", \"5m\"]",
        "[expect]\nexercised = [\"hold\", \"hold\"]",
        "[expect]\nexercised = [\"latency\"]",
        "[expect]\nlatency = [\"hold max < 1s in faults\"]",
        "[expect]\nlatency = [\"queue max < 1s\"]",
        "[expect]\nfails = \"hold\"",
    ]);
    insta::assert_snapshot!(said, @r#"
    x.toml:2:12: duration: no time at all; write a span above zero, such as `5s`
    x.toml:2:12: duration: people come until 4m, but the run ends at 0us; at most `over = "0us"`, or lengthen `duration`
    x.toml:2:11: quantum: 2s is out of bounds; write 0us to 1s
    x.toml:3:9: cluster.nodes: 0 is out of bounds; write a number from 1 to 99
    x.toml:3:9: cluster.nodes: 0 nodes cannot fill 3 zones; every zone needs a node, and every node a zone
    x.toml:5:9: cluster.nodes: with 2 of them there is nothing left to fail over to; have at least 3 nodes, or no faults
    x.toml:3:9: cluster.nodes: 2 nodes cannot fill 3 zones; every zone needs a node, and every node a zone
    x.toml:3:9: cluster.nodes: 3 replicas need as many nodes, and there are 2; use 1, or add nodes
    x.toml:3:9: cluster.zones: 5 nodes cannot fill 6 zones; every zone needs a node, and every node a zone
    x.toml:3:12: cluster.replicas: a journal without replicas is nowhere; use 1, 3, 5 or 7: three survive the loss of a zone, five of two
    x.toml:3:12: cluster.replicas: 4 replicas survive no more losses than 3; use 1, 3, 5 or 7: three survive the loss of a zone, five of two
    x.toml:3:12: cluster.replicas: 7 replicas need as many nodes, and there are 5; use 3, or add nodes
    x.toml:3:12: cluster.replicas: 5 replicas need as many zones, and there are 3; use 3, or `zones = 5`
    x.toml:3:12: cluster.replicas: 9 replicas are more than a journal can have; use 1, 3, 5 or 7: three survive the loss of a zone, five of two
    x.toml:3:17: cluster.membership.static-quorum: both sides of a split can see 2 of 5 nodes; at least 3, more than half of the nodes
    x.toml:5:17: cluster.membership.static-quorum: nobody ever sees 7 of 6 nodes; at most 6; at 4 most nodes may be lost
    x.toml:6:16: cluster.membership.stable-after: no time at all; write a span above zero, such as `5s`
    x.toml:3:10: cluster.shards: 0 is out of bounds; write a number from 1 to 65536
    x.toml:3:14: sale.venues[1]: there is no zone 4; the zones are 1 to 3
    x.toml:5:8: cluster.leader-placement.rest: no time at all; write a span above zero, such as `5s`
    x.toml:3:14: cluster.leader-placement.near-venue: leaders are drawn to venues, and no venue stands anywhere; say in which zones they stand: `venues = [1]` under `[sale]`
    x.toml:3:16: cluster.gateway.backoff-base: 1s is above `backoff-cap`, 500ms; `backoff-base` is at most `backoff-cap`
    x.toml:3:9: sale.shows: 20% want the hot show, but there is no other for the rest; with one show, write `hot-share = "100%"`
    x.toml:3:17: sale.seats-per-row: 65 is out of bounds; write a number from 1 to 64
    x.toml:3:8: sale.rows: 0 is out of bounds; write a number from 1 to 65535
    x.toml:3:21: sale.seats-per-request: 11 is out of bounds; write a number from 1 to 10
    x.toml:3:21: sale.seats-per-request: groups of 6 come, but a request is for 4 seats at most; give at most 4 weights, or raise `sale.seats-per-request`
    x.toml:3:8: sale.hold: no time at all; write a span above zero, such as `5s`
    x.toml:4:9: sale.grace: no time at all; write a span above zero, such as `5s`
    x.toml:3:12: sale.sections: the hall has 3000000 seats; a hall holds at most 1000000: fewer sections, rows or seats a row
    x.toml:3:9: crowd.users: 0 is out of bounds; write a number from 1 to 100000000
    x.toml:3:21: crowd.arrivals.constant.over: people come until 6m, but the run ends at 5m; at most `over = "5m"`, or lengthen `duration`
    x.toml:3:17: crowd.arrivals.ramp.over: no time at all; write a span above zero, such as `5s`
    x.toml:3:29: crowd.arrivals.spike.at: 4m is not before the last arrival at 4m; choose an earlier time
    x.toml:3:23: crowd.arrivals.on-sale.opening: 60% come before an opening at the start; open later, or write `before = "0%"`
    x.toml:3:1: crowd.arrivals.on-sale.rush: the rush ends at 122s, after the last arrival at 121s; shorten the rush
    x.toml:5:11: crowd.waiting-room.opening: the doors open at 1m, but the crowd comes for 2m; write `opening = "2m"` in both places
    x.toml:3:22: crowd.waiting-room.release-per-minute: 0 is out of bounds; write a number from 1 to 4294967295
    x.toml:4:11: crowd.waiting-room.opening: 5m is not before the end of the run at 5m; choose an earlier time
    x.toml:3:15: crowd.session.refresh-min: 11s is above `refresh-max`, 10s; `refresh-min` is at most `refresh-max`
    x.toml:3:17: crowd.session.group-weights: nobody comes in a group of any size; give a weight to groups of 1, 2, 3 …: `[20, 50, 10, 20]`
    x.toml:3:17: crowd.session.group-weights: nobody comes in a group of any size; give a weight to groups of 1, 2, 3 …: `[20, 50, 10, 20]`
    x.toml:3:8: network.loss: every message is lost, so nothing can happen; lose a part: `loss = "1/200"`
    x.toml:3:15: network.tail-factor: 0 is out of bounds; write a number from 1 to 100000
    x.toml:3:13: disk.mib-per-s: 0 is out of bounds; write a number from 1 to 1000000
    x.toml:3:10: costs.decide: 2m is out of bounds; write 0us to 1m
    x.toml:3:29: fault[0].crash.node: there is no node n9; the nodes are n1 to n5
    x.toml:3:29: fault[0].crash.node: there is no node n0; the nodes are n1 to n5
    x.toml:3:42: fault[0].crash.down: no time at all; write a span above zero, such as `5s`
    x.toml:3:33: fault[0].zone-loss.zone: there is no zone 4; the zones are 1 to 3
    x.toml:3:21: fault[0].power-loss.at: the fault strikes at 6m, but the run ends at 5m; strike earlier, or lengthen `duration`
    x.toml:3:36: fault[0].power-loss.down: the fault lasts until 301s, but the run ends at 5m; at most `down = "10s"`, or lengthen `duration`
    x.toml:3:44: fault[0].loss.chance: a fault with no chance does nothing; write a share above 0, such as `1/20`
    x.toml:3:52: fault[0].slow-network.factor: 1 is out of bounds; write a number from 2 to 1000000
    x.toml:3:50: fault[0].partition.isolate: no node is isolated; name at least one: `isolate = ["leader"]`
    x.toml:3:57: fault[0].partition.isolate[1]: `n1` is named twice; name each node once
    x.toml:3:50: fault[0].partition.isolate: all 5 nodes are isolated from no other; leave at least one node out
    x.toml:3:50: fault[0].partition.one-way: there is no node n6; the nodes are n1 to n5
    x.toml:5:29: fault[0].pause.node: with one replica there is no follower; write `leader`, or `cluster.replicas = 3`
    x.toml:3:12: swarm.families: no family may strike; name some, or leave the key out for all: crash, pause, zone-loss, power-loss, partition, loss, duplicate, reorder, slow-network, slow-disk, one-way-loss, congestion, flapping, swizzle, clock-drift, clock-jump, limp, crash-loop, fsync-error, disk-stall, disk-full, torn-tail, bit-rot, wipe, restart, rolling-restart, kill
    x.toml:3:21: swarm.families[1]: `loss` is named twice; name each family once
    x.toml:3:10: swarm.faults: the least number, 3, is above the greatest, 2; write `faults = [2, 3]`
    x.toml:3:9: swarm.lasts: the shortest, 3s, is above the longest, 2s; write `lasts = ["2s", "3s"]`
    x.toml:3:8: swarm.from: the faults end by 4m, before they begin at 4m; let `from` be before `until`
    x.toml:3:9: swarm.until: the faults go on until 6m, but the run ends at 5m; at most `until = "5m"`, or lengthen `duration`
    x.toml:3:9: swarm.lasts: a fault of 5m doesn't fit between 20s and 4m; a fault lasts at most 220s there
    x.toml:3:22: expect.exercised[1]: "hold" is named twice; name each oracle once
    x.toml:3:14: expect.exercised[0]: there is no limit for `latency` to check; add one: `latency = ["hold p99 < 500ms"]`
    x.toml:3:12: expect.latency[0]: the scenario has no faults to wait in; leave `in faults` away
    x.toml:3:12: expect.latency[0]: nobody queues: the scenario has no waiting room; add `[crowd.waiting-room]`, or limit another wait
    x.toml:3:9: expect.fails: `fails` needs `within`; add `within = 20`, in seeds
    "#);
    insta::assert_snapshot!(read("title = ' '").unwrap_err(), @r#"x.toml:1:9: title: the scenario has no title; say in one sentence what it shows: `title = "…"`"#);
    insta::assert_snapshot!(read("").unwrap_err(), @r#"x.toml:1:1: `title` is missing; add `title = …`"#);
    insta::assert_snapshot!(Scenario::from_toml("x", "x.toml", b"title = \"\xff\"", &no_files).unwrap_err(), @"x.toml:1:10: byte 9 is not UTF-8; save the file as UTF-8 text");
}

#[test]
fn what_disks_cannot_do_is_refused() {
    let said = complaints_about(&[
        "[disk]\nfsync = \"400ms\"",
        "[disk]\nfsync = \"10ms\"\n[cluster]\nelection-ticks = 2\ntick-every = \"2ms\"",
        "[[fault]]\ndisk-full = { at = \"1s\", lasts = \"1s\", node = \"n6\" }",
        "[[fault]]\nwipe = { at = \"1s\", node = \"leader\", down = \"0s\" }",
        "[[fault]]\nbit-rot = { at = \"1s\", down = \"1s\", node = \"leader\" }",
        "[swarm]\nfamilies = [\"disk-ful\"]",
    ]);
    insta::assert_snapshot!(said, @r#"
    x.toml:3:9: disk.fsync: a vote takes two writes, up to 1200ms, and after 500ms without a leader others stand too: elections can't settle; at most `fsync = "166666us"`, or at least `election-ticks = 24`, or longer ticks
    x.toml:3:9: disk.fsync: a vote takes two writes, up to 30ms, and after 4ms without a leader others stand too: elections can't settle; at most `fsync = "1333us"`, or at least `election-ticks = 15`, or longer ticks
    x.toml:3:47: fault[0].disk-full.node: there is no node n6; the nodes are n1 to n5
    x.toml:3:45: fault[0].wipe.down: no time at all; write a span above zero, such as `5s`
    x.toml:3:24: fault[0].bit-rot.down: unknown key `down`; known here: at, when, lasts, node
    x.toml:3:13: swarm.families[0]: unknown name `disk-ful`; did you mean `disk-full`?
    "#);
}

#[test]
fn problems_are_shown_in_the_text() {
    let typo = read(
        "title = \"t\"\n\n[[fault]]\ncrahs = { at = \"1m\", node = \"n3\", down = \"20s\" }\n",
    )
    .unwrap_err();
    insta::assert_snapshot!(render(&typo), @r#"
     × x.toml:4:1: fault[0].crahs: unknown name `crahs`; did you mean `crash`?
      ╭─[x.toml:4:1]
    3 │ [[fault]]
    4 │ crahs = { at = "1m", node = "n3", down = "20s" }
      · ──┬──
      ·   ╰── did you mean `crash`?
      ╰────
    "#);

    let text = "title = \"t\"\n\n[cluster]\nreplicas = 4\n\n[[fault]]\npause = { at = \"1m\", node = \"n7\", lasts = \"5s\" }\n";
    insta::assert_snapshot!(render(&read(text).unwrap_err()), @r#"
     × x.toml:4:12: cluster.replicas: 4 replicas survive no more losses than 3; use 1, 3, 5 or 7:
     │ three survive the loss of a zone, five of two
     │ x.toml:7:29: fault[0].pause.node: there is no node n7; the nodes are n1 to n5
      ╭─[x.toml:4:12]
    3 │ [cluster]
    4 │ replicas = 4
      ·            ┬
      ·            ╰── use 1, 3, 5 or 7: three survive the loss of a zone, five of two
    5 │ 
    6 │ [[fault]]
    7 │ pause = { at = "1m", node = "n7", lasts = "5s" }
      ·                             ──┬─
      ·                               ╰── the nodes are n1 to n5
      ╰────
    "#);
}

#[test]
fn problems_of_one_value_share_a_label() {
    let text = "title = \"t\"\n\n[expect]\nfails = \"doublebooking\"\n";
    insta::assert_snapshot!(render(&read(text).unwrap_err()), @r#"
     × x.toml:4:9: expect.fails: there is no oracle "doublebooking"; did you mean `double-booking`?
     │ x.toml:4:9: expect.fails: `fails` needs `within`; add `within = 20`, in seeds
      ╭─[x.toml:4:9]
    3 │ [expect]
    4 │ fails = "doublebooking"
      ·         ───────┬───────
      ·                ╰─┤ did you mean `double-booking`?
      ·                  │ add `within = 20`, in seeds
      ╰────
    "#);
}

#[test]
fn a_trace_is_read_beside_the_scenario_and_its_own_problems_are_its_own() {
    let text = "title = \"t\"\n[crowd.arrivals]\ntrace = { file = \"curve.csv\" }\n";
    let with = |csv: &'static str| {
        Scenario::from_toml("x", "x.toml", text.as_bytes(), &move |_: &str| Ok(csv.into()))
    };

    let scenario = with("offset_s,arrivals\n0,10\n60,20\n").unwrap();
    let points = vec![(Span::ZERO, 10), (Span::from_secs(60), 20)];
    let file = "curve.csv".into();
    assert_eq!(scenario.crowd.arrivals, Arrivals::Trace { file, scale: None, points });
    assert_eq!(
        read(&scenario.to_toml()).unwrap(),
        scenario,
        "what is printed needs no second file"
    );

    let error = with("offset_s,arrivals\n0,10\n60,-20\n").unwrap_err();
    insta::assert_snapshot!(error, @r#"curve.csv:3:1: a number is negative; time and counts start at 0"#);
    let error = with("offset_s,arrivals\n0,10\n400,20\n").unwrap_err();
    insta::assert_snapshot!(error, @r#"x.toml:3:18: crowd.arrivals.trace.file: the trace goes on until 400s, after the end of the run at 5m; let the run last: `duration = "400s"` or more"#);
}

/// Nobody is scaled without a word: as many come as the trace counts.
#[test]
fn a_trace_brings_as_many_people_as_it_counts_unless_told_otherwise() {
    let with = |keys: &str, crowd: &str| {
        let trace = format!("trace = {{ file = \"curve.csv\"{keys} }}");
        let text = format!("title = \"t\"\n[crowd]\n{crowd}\n[crowd.arrivals]\n{trace}\n");
        let csv = |_: &str| Ok("offset_s,arrivals\n0,1000\n60,3000\n".into());
        Scenario::from_toml("x", "x.toml", text.as_bytes(), &csv)
    };
    let table = [
        ("", "", 4_000),
        (", scale = \"25%\"", "", 1_000),
        (", scale = \"250%\"", "", 10_000),
        ("", "users = 7", 7),
        // The default of other shapes, if it is written.
        ("", "users = 2000", 2_000),
    ];
    for (keys, crowd, users) in table {
        let scenario = with(keys, crowd).unwrap();
        assert_eq!(scenario.crowd.users, users, "{keys} {crowd}");
        for text in [scenario.to_toml(), scenario.to_brief_toml()] {
            assert_eq!(read(&text).unwrap(), scenario, "{text}");
        }
        assert_eq!(Scenario::from_json("x", scenario.to_json().as_bytes()).unwrap(), scenario);
    }
    let error = with(", scale = \"25%\"", "users = 7").unwrap_err();
    insta::assert_snapshot!(error, @"x.toml:5:39: crowd.arrivals.trace.scale: `users` and `scale` both say how many of the trace's people come; keep one of the two");
    let error = with(", scale = \"0.001%\"", "").unwrap_err();
    insta::assert_snapshot!(error, @"x.toml:5:18: crowd.arrivals.trace.file: 0 people come of the 4000 that the trace counts; 1 to 100000000 may come: write `scale = \"10%\"` beside `file`, or `users` under `[crowd]`");
    let error = with(", scale = \"a tenth\"", "").unwrap_err();
    insta::assert_snapshot!(error, @r#"x.toml:5:39: crowd.arrivals.trace.scale: "a tenth" is no scale; write text such as `10%` or `250%`"#);
}

#[test]
fn a_file_does_not_say_what_it_writes() {
    let error = read("title = \"t\"\nwritten = [\"disk.fsync\"]\n").unwrap_err();
    insta::assert_snapshot!(error, @"x.toml:2:11: written: a file says by itself what it writes; remove the key: it is for plans");
}

#[test]
fn what_does_not_follow_nodes_that_come_and_go_is_refused() {
    let text = |spares: u16, family: &str| {
        let fault = format!("{family} = {{ at = \"1s\", node = \"n1\", lasts = \"1s\" }}");
        format!("title = \"t\"\n[cluster]\nspares = {spares}\n[[fault]]\n{fault}\n")
    };
    assert!(read(&text(0, "lying-disk")).is_ok());
    assert!(read(&text(1, "bit-rot")).is_ok());
    let said = read(&text(1, "lying-disk")).unwrap_err().to_string();
    assert!(said.contains("where nodes come and go"), "{said}");
    assert!(read("title = \"t\"\n[cluster]\nspares = 1\n[swarm]\nfamilies = [\"wipe\"]\n").is_ok());
}

#[test]
fn one_node_at_most_is_lost_for_good() {
    let replace = |node: &str, by: &str| {
        format!(
            "[[fault]]\nreplace = {{ at = \"9s\", lasts = \"9s\", node = \"{node}\", by = \"{by}\" }}\n"
        )
    };
    let said = |faults: &str| {
        let text = format!("title = \"t\"\n[cluster]\nspares = 2\n{faults}");
        read(&text).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(said(&replace("leader", "n6")), "");
    let twice = said(&(replace("n1", "n6") + &replace("n2", "n7")));
    assert!(twice.contains("fault[1].replace: more nodes are lost for good"), "{twice}");
    let by_no_spare = said(&replace("n1", "n2"));
    assert!(by_no_spare.contains("`n2` is not a spare; one of n6 to n7"), "{by_no_spare}");
}

#[test]
fn a_majority_is_lost_only_where_an_operator_can_recover_the_rest() {
    let loss = |nodes: &str, by: &str, after: &str| {
        format!(
            "[[fault]]\nmajority-loss = {{ at = \"9s\", lasts = \"20s\", nodes = {nodes}, by = {by}, after = \"{after}\" }}\n"
        )
    };
    let said = |cluster: &str, faults: &str| {
        let text = format!("title = \"t\"\n[cluster]\n{cluster}\n{faults}");
        read(&text).err().map(|error| error.to_string()).unwrap_or_default()
    };
    let three = "nodes = 3\nspares = 2";
    let (two, spares) = ("[\"n1\", \"n2\"]", "[\"n4\", \"n5\"]");
    assert_eq!(said(three, &loss(two, spares, "8s")), "");
    let no_majority = said(three, &loss("[\"n1\"]", "[\"n4\"]", "8s"));
    assert!(no_majority.contains("1 of 3 replicas of a shard are no majority"), "{no_majority}");
    let all = said(three, &loss("[\"n1\", \"n2\", \"n3\"]", spares, "8s"));
    assert!(all.contains("3 nodes may be all 3 replicas of a shard"), "{all}");
    let few = said(three, &loss(two, "[\"n4\"]", "8s"));
    assert!(few.contains("2 nodes are left to carry 3 replicas"), "{few}");
    let late = said(three, &loss(two, spares, "20s"));
    assert!(late.contains("the operator's order comes after 20s"), "{late}");
    let replace =
        "[[fault]]\nreplace = { at = \"9s\", lasts = \"9s\", node = \"n3\", by = \"n6\" }\n";
    let both = said("nodes = 3\nspares = 3", &(loss(two, spares, "8s") + replace));
    assert!(both.contains("fault[1].replace: more nodes are lost for good"), "{both}");

    let swarm = |cluster: &str, more: &str, lasts: &str| {
        let families =
            format!("families = [\"majority-loss\"{more}]\nlasts = [\"{lasts}\", \"60s\"]");
        said(cluster, &format!("[swarm]\n{families}\n"))
    };
    assert_eq!(swarm(three, ", \"crash\"", "10s"), "");
    let short = swarm(three, ", \"crash\"", "9s");
    assert!(short.contains("a fault may be over before an operator's order"), "{short}");
    let few = swarm("nodes = 3\nspares = 1", ", \"crash\"", "10s");
    assert!(few.contains("too few nodes are left to carry 3 replicas"), "{few}");
    let both = swarm("nodes = 3\nspares = 3", ", \"replace\"", "10s");
    assert!(both.contains("more nodes may be lost for good"), "{both}");
}

#[test]
fn a_fixed_quorum_is_more_than_half_of_all_that_join_and_no_more_than_are_left() {
    let said = |quorum: u16, spares: u16, leaves: &str| {
        let leave = format!("leave = {{ at = \"9s\", lasts = \"9s\", nodes = [{leaves}] }}");
        let faults = if leaves.is_empty() { String::new() } else { format!("[[fault]]\n{leave}") };
        let cluster = format!("[cluster]\nspares = {spares}\n");
        let membership = format!("[cluster.membership]\nstatic-quorum = {quorum}\n");
        let text = format!("title = \"t\"\n{cluster}{membership}{faults}\n");
        read(&text).err().map(|error| error.to_string()).unwrap_or_default()
    };
    assert_eq!(said(4, 2, ""), "", "four of seven");
    assert_eq!(said(4, 2, "\"n1\""), "", "four are left");
    assert!(said(3, 1, "").contains("at least 4"), "{}", said(3, 1, ""));
    assert!(said(5, 6, "").contains("leave it out"), "{}", said(5, 6, ""));
    let too_few = said(4, 2, "\"n1\", \"n2\"");
    assert!(too_few.contains("nobody sees 4 nodes where only 3 are left"), "{too_few}");
}

#[test]
fn json_is_checked_like_toml() {
    let json = catalogue::find("crash").unwrap().scenario().to_json();
    let said =
        |json: &str| Scenario::from_json("plan.json", json.as_bytes()).unwrap_err().to_string();
    insta::assert_snapshot!(said(&json.replace("\"replicas\": 3", "\"replicas\": 4")), @"plan.json:14:17: cluster.replicas: 4 replicas survive no more losses than 3; use 1, 3, 5 or 7: three survive the loss of a zone, five of two");
    insta::assert_snapshot!(said(&json.replace("\"replicas\": 3", "\"replica\": 3")), @"plan.json:14:13: cluster: unknown key `replica`; did you mean `replicas`?");
    insta::assert_snapshot!(said(&json.replace("\"hold\": \"1m\"", "\"hold\": 60")), @"plan.json:74:14: sale.hold: 60 is a bare number, not a span of time such as `80ms` or `5s`; did you mean `1m`?");
    insta::assert_snapshot!(said(&json.replacen("\"follower\"", "\"n6\"", 1)), @"plan.json:179:17: fault[2].crash.node: there is no node n6; the nodes are n1 to n5");
    let (cut_off, _) = json.split_once("1m\"").unwrap();
    insta::assert_snapshot!(said(cut_off), @"plan.json:74:13: EOF while parsing a string; the text ends too early: it was cut off");
    insta::assert_snapshot!(said(""), @"plan.json:1:1: EOF while parsing a value; the text ends too early: it was cut off");

    let capsule = format!(
        "{{\"seed\": 1, \"scenario\": {}}}",
        json.replace("\"replicas\": 3", "\"replicas\": 4")
    );
    #[derive(Debug, Deserialize)]
    struct Capsule {
        #[expect(dead_code, reason = "only the reading is of interest")]
        scenario: Scenario,
    }
    let error = serde_json::from_str::<Capsule>(&capsule).unwrap_err().to_string();
    assert!(error.starts_with("cluster.replicas: 4 replicas survive no more losses"), "{error}");
}

#[test]
fn the_whole_catalogue_reads_back_from_what_it_prints() {
    for entry in catalogue::all() {
        let scenario = entry.scenario();
        let printed = scenario.to_toml();
        let again = Scenario::from_toml(entry.id, "printed.toml", printed.as_bytes(), &no_files);
        assert_eq!(again.unwrap(), scenario, "{printed}");
        assert_eq!(
            Scenario::from_json("printed.json", scenario.to_json().as_bytes()).unwrap(),
            scenario
        );
        let value = serde_json::to_value(&scenario).unwrap();
        assert_eq!(serde_json::from_value::<Scenario>(value).unwrap(), scenario);
    }
}

#[test]
fn a_scenario_is_printed_in_full() {
    insta::assert_snapshot!(catalogue::find("all-families").unwrap().scenario().to_toml(), @r#"
    title = "Under all kinds of faults, no seat is sold twice and nothing acknowledged is lost"
    duration = "5m"
    calm = "90s"
    quantum = "0us"

    [cluster]
    system = "replicated"
    nodes = 5
    spares = 0
    zones = 3
    shards = 64
    shard-by = "show"
    replicas = 3
    cores = 4
    beat-every = "100ms"
    suspicion-phi = 8
    acceptable-pause = "120ms"
    min-std-deviation = "20ms"
    tick-every = "50ms"
    election-ticks = 10
    snapshot-every = 4096
    keep-records = 1024
    segment-bytes = 16777216
    on-suspicion = "elect"
    clock-skew = "0us"

    [cluster.membership]
    stable-after = "3s"

    [cluster.leader-placement]
    near-venue = false
    by-load = false
    rest = "5s"

    [cluster.journal]
    promises = "after-write"
    activates = "agreed"

    [cluster.leader]
    acknowledge = "quorum"
    reads = "confirmed"
    decides-on = "latest"
    serves = "caught-up"
    deposed = "hands-back"
    reckoning = "elapsed"
    overdue = "passed-over"

    [cluster.gateway]
    tries = 4
    try-timeout = "1s"
    backoff-base = "20ms"
    backoff-cap = "500ms"
    retry-budget = "10%"
    in-flight-per-shard = 2000

    [cluster.facts]
    fanout = 3
    repair-every = "1s"
    accepted-drift = "10s"
    deletions-last = "10m"
    patience = "500ms"
    sessions = "monotonic"
    forgets = "and-tells"

    [sale]
    shows = 32
    shows-per-event = 1
    venues = []
    sections = 2
    rows = 5
    seats-per-row = 10
    hot-share = "20%"
    hold = "1m"
    grace = "5s"
    seats-per-request = 10
    expiry = "due"
    sweep-every = "1m"
    early = "0us"
    repeats = "recognised"
    confirms = "live-holds"
    releases = "live-holds"
    orders = "whole"

    [crowd]
    users = 2000

    [crowd.arrivals]
    constant = { over = "4m" }

    [crowd.session]
    pick-think = { median = "5s", sigma = 0.8 }
    checkout-think = { median = "15s", sigma = 0.6 }
    payment = { median = "1800ms", sigma = 0.6 }
    approval = "88%"
    abandon = "30%"
    release = "20%"
    group-weights = [10, 33, 20, 27, 4, 6]
    best-available = "50%"
    split = "5%"
    zipf = 1.0
    request-timeout = "5s"
    tries = 3
    backoff-base = "200ms"
    backoff-cap = "5s"
    refreshes = 5
    refresh-min = "3s"
    refresh-max = "10s"

    [crowd.health-check]
    every = "2s"
    fall = 3
    rise = 2

    [network]
    within-zone = "150us"
    between-zones = "1ms"
    client = "20ms"
    jitter = "20%"
    tail = "1%"
    tail-factor = 8
    loss = "0%"
    duplicate = "0%"
    reorder = "0%"

    [disk]
    fsync = "500us"
    jitter = "50%"
    tail = "1%"
    tail-factor = 10
    mib-per-s = 400
    write-back = "0us"
    good-copies = "majority"

    [costs]
    route = "4us"
    decide = "10us"
    journal-message = "4us"
    beat = "1us"
    persisted = "3us"
    recover-mib = "5ms"

    [swarm]
    families = ["crash", "pause", "zone-loss", "power-loss", "partition", "loss", "duplicate", "reorder", "slow-network", "slow-disk", "one-way-loss", "congestion", "flapping", "swizzle", "clock-drift", "clock-jump", "limp", "crash-loop", "fsync-error", "disk-stall", "disk-full", "torn-tail", "bit-rot", "wipe", "restart", "rolling-restart", "kill"]
    faults = [4, 12]
    from = "20s"
    until = "4m"
    lasts = ["500ms", "20s"]
    mix = true
    moments = true
    profiles = true

    [expect]
    exercised = ["double-booking", "lost-booking", "linearizable"]
    marks = []
    latency = []
    "#);
}

#[test]
fn depth_and_width_are_no_danger() {
    for deep in [
        "[".repeat(100_000),
        "{ a = ".repeat(100_000),
        "{\"fault\": ".repeat(100_000),
        "a.".repeat(100_000),
    ] {
        let toml = format!("title = \"t\"\nfault = {deep}");
        assert!(read(&toml).is_err());
        assert!(read(&deep).is_err());
        assert!(Scenario::from_json("x.json", deep.as_bytes()).is_err());
    }
    let wide = "[[fault]]\npower-loss = { at = \"6m\", down = \"1s\" }\n".repeat(300);
    let error = read(&format!("title = \"t\"\n{wide}")).unwrap_err();
    assert_eq!((error.problems.len(), error.untold), (20, 280));
    assert_eq!(error.problems[19].line, 41);
    assert!(error.to_string().ends_with("\n… and 280 more problems"), "{error}");
}

/// Each problem costs what its own line costs, and not the whole text.
#[test]
fn twenty_thousand_problems_are_told_in_a_moment() {
    let bad = "[[fault]]\ncrash = { at = \"7s\", down = \"200s\", node = \"n77\" }\n";
    let error = read(&format!("title = \"t\"\n{}", bad.repeat(20_000))).unwrap_err();
    assert_eq!(error.problems.len(), 20);
    assert_eq!(error.untold, 20_000 - 20);
    assert!(render(&error).len() < 20_000, "{} bytes", render(&error).len());

    let long = format!("title = \"t\"\n{} = 1\n", "a".repeat(1 << 20));
    let error = read(&long).unwrap_err();
    assert!(error.to_string().starts_with("x.toml:2:1: aaa"), "its place stays right");
    assert!(render(&error).len() < 10_000, "{} bytes", render(&error).len());
}

#[test]
fn problems_are_told_where_somebody_can_mend_them() {
    let told = |text: &str| read(&format!("title = \"t\"\n{text}")).unwrap_err().to_string();
    let tick = told("[cluster]\ntick-every = \"1us\"\n");
    assert!(tick.starts_with("x.toml:3:14: cluster.tick-every: a vote takes two writes"), "{tick}");
    let deep = told(&format!("[cluster]\n{}b = 1\n", "a.".repeat(1_000)));
    assert!(deep.starts_with("x.toml:3:160: "), "{deep}");
    let deep = told(&format!("# [[[[ \"\nfault = {}", "[".repeat(1_000)));
    assert!(deep.starts_with("x.toml:3:"), "{deep}");
    let key = told("quux = 1\n");
    assert!(key.contains("known here: title, duration"), "{key}");
    let key = told("idd = 1\n");
    assert!(!key.contains("`id`"), "{key}");
}

#[test]
fn what_a_terminal_obeys_is_not_shown_from_the_text() {
    let error = read("title = \"\x1b[2J\u{202e}\"\nnods = 1").unwrap_err();
    let text = render(&error);
    assert!(!text.contains(['\x1b', '\u{202e}']) && text.contains('\u{fffd}'), "{text}");
}

#[test]
fn a_trace_from_outside_is_not_shown() {
    let secret = |_: &str| Ok(b"root:x:0:0:root:/root:/bin/sh\n".to_vec());
    let told = |file: &str| {
        let text = format!("title = \"t\"\n[crowd.arrivals]\ntrace = {{ file = \"{file}\" }}\n");
        let error = Scenario::from_toml("x", "x.toml", text.as_bytes(), &secret).unwrap_err();
        format!("{error}\n{}", render(&error))
    };
    let inside = told("passwd");
    assert!(inside.contains("passwd:1:1: ") && inside.contains("root:x"), "{inside}");
    for file in ["../passwd", "/etc/passwd"] {
        let outside = told(file);
        assert!(outside.contains("passwd:1:1: a line has two columns"), "{outside}");
        assert!(!outside.contains("root"), "{outside}");
    }
}

#[test]
fn faults_of_networks_clocks_and_processes_are_judged_where_they_are_written() {
    let said = complaints_about(&[
        "[[fault]]\none-way-loss = { at = \"1s\", lasts = \"1s\", node = \"n6\", chance = \"0%\" }",
        "[[fault]]\ncongestion = { at = \"1s\", lasts = \"1s\", kib-per-s = 0 }",
        "[[fault]]\nflapping = { at = \"1s\", lasts = \"1s\", node = \"leader\", peer = \"leader\", down = \"2s\", up = \"0s\" }",
        "[[fault]]\ncrash-loop = { at = \"1s\", lasts = \"1m\", node = \"leader\", down = \"1ms\", up = \"1ms\" }",
        "[[fault]]\nswizzle = { at = \"1s\", lasts = \"1s\", cut = [\"n1\", \"n1\"], mend = [\"n2\", \"n1\"] }",
        "[[fault]]\nswizzle = { at = \"1s\", lasts = \"1s\", cut = [\"n1\", \"n2\"], mend = [\"n1\", \"n3\"] }",
        "[[fault]]\nswizzle = { at = \"1s\", lasts = \"1s\", cut = [], mend = [] }",
        "[[fault]]\nclock-drift = { at = \"1s\", lasts = \"1s\", node = \"leader\", by = \"60%\" }",
        "[[fault]]\nclock-jump = { at = \"1s\", lasts = \"1s\", node = \"leader\", by = \"0s\" }",
        "[[fault]]\nlimp = { at = \"1s\", lasts = \"1s\", node = \"leader\", factor = 1 }",
    ]);
    insta::assert_snapshot!(said, @r#"
    x.toml:3:50: fault[0].one-way-loss.node: there is no node n6; the nodes are n1 to n5
    x.toml:3:65: fault[0].one-way-loss.chance: a fault with no chance does nothing; write a share above 0, such as `1/20`
    x.toml:3:53: fault[0].congestion.kib-per-s: 0 is out of bounds; write a number from 1 to 1000000
    x.toml:3:63: fault[0].flapping.peer: a node has no link with itself; name another node
    x.toml:3:80: fault[0].flapping.down: it is down for 2s, but the fault lasts 1s; at most `down = "1s"`, or lengthen `lasts`
    x.toml:3:91: fault[0].flapping.up: 0us is out of bounds; write 1ms to 24h
    x.toml:3:35: fault[0].crash-loop.lasts: it comes and goes 30000 times; shorten `lasts` until it is at most 10000 times
    x.toml:3:51: fault[0].swizzle.cut[1]: `n1` is named twice; name each node once
    x.toml:3:65: fault[0].swizzle.mend: not the nodes that are cut off come back; name the same nodes in `cut` and `mend`, each once
    x.toml:3:44: fault[0].swizzle.cut: no node is named; name at least one: `cut = ["leader"]`
    x.toml:3:55: fault[0].swizzle.mend: no node is named; name at least one: `mend = ["leader"]`
    x.toml:3:64: fault[0].clock-drift.by: a clock does not drift by 60%; write a share above 0 and up to `50%`, such as `1/1000`
    x.toml:3:63: fault[0].clock-jump.by: 0us is out of bounds; write 1us to 24h
    x.toml:3:61: fault[0].limp.factor: 1 is out of bounds; write a number from 2 to 1000000
    "#);
}

/// A way to spoil a text.
#[derive(Clone, Debug)]
enum Spoil {
    Flip(usize, u8),
    Truncate(usize),
    DropLine(usize),
    RepeatLine(usize),
    SwapValues(usize, usize),
    Insert(usize, String),
}

fn spoil() -> impl Strategy<Value = Spoil> {
    let splinters = [
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        ",",
        "\n",
        "-",
        "9999999999999999999999",
        "\"5 min\"",
        "é",
        "nan",
        "[[fault]]\n",
        "'''",
    ];
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Spoil::Flip(at, byte)),
        any::<usize>().prop_map(Spoil::Truncate),
        any::<usize>().prop_map(Spoil::DropLine),
        any::<usize>().prop_map(Spoil::RepeatLine),
        (any::<usize>(), any::<usize>()).prop_map(|(a, b)| Spoil::SwapValues(a, b)),
        (any::<usize>(), prop::sample::select(splinters.to_vec()))
            .prop_map(|(at, text)| Spoil::Insert(at, text.into())),
    ]
}

fn spoilt(bytes: &[u8], how: &Spoil, between: &str) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if bytes.is_empty() || lines.is_empty() {
        return bytes;
    }
    match how {
        Spoil::Flip(at, byte) => {
            let at = at % bytes.len();
            bytes[at] ^= byte;
            return bytes;
        }
        Spoil::Truncate(at) => return bytes[..at % bytes.len()].to_vec(),
        Spoil::Insert(at, splinter) => {
            let at = at % bytes.len();
            bytes.splice(at..at, splinter.bytes());
            return bytes;
        }
        Spoil::DropLine(at) => drop(lines.remove(at % lines.len())),
        Spoil::RepeatLine(at) => {
            let at = at % lines.len();
            lines.insert(at, lines[at].clone());
        }
        Spoil::SwapValues(a, b) => {
            let (a, b) = (a % lines.len(), b % lines.len());
            let cut = |line: &str| {
                line.split_once(between).map(|(key, value)| (key.to_owned(), value.to_owned()))
            };
            if let (Some((key_a, value_a)), Some((key_b, value_b))) =
                (cut(&lines[a]), cut(&lines[b]))
            {
                lines[a] = format!("{key_a}{between}{value_b}");
                lines[b] = format!("{key_b}{between}{value_a}");
            }
        }
    }
    lines.join("\n").into_bytes()
}

fn check_spoilt(read: Result<Scenario, ScenarioError>) -> Result<(), TestCaseError> {
    match read {
        Ok(scenario) => prop_assert!(check::complaints(&scenario).is_empty()),
        Err(error) => {
            prop_assert!(!error.problems.is_empty());
            for problem in &error.problems {
                prop_assert!(problem.line >= 1 && problem.column >= 1);
                prop_assert!(!problem.what.is_empty() && !problem.help.is_empty(), "{}", problem);
            }
            prop_assert!(!render(&error).is_empty());
        }
    }
    Ok(())
}

/// Boxed, as are the other parts: laid out in one another they fill the stack of a test
/// that is built without optimisation.
fn a_span(min_ms: u64, max_ms: u64) -> BoxedStrategy<Span> {
    prop_oneof![
        (min_ms..=max_ms).prop_map(Span::from_millis),
        (min_ms * 1_000..=max_ms * 1_000).prop_map(Span),
        Just(Span::from_millis(max_ms)),
    ]
    .boxed()
}

fn a_share() -> BoxedStrategy<Ratio> {
    let fraction =
        (1_u32..=u32::MAX).prop_flat_map(|den| (0..=den).prop_map(move |num| Ratio { num, den }));
    prop_oneof![
        fraction,
        (0_u32..=100).prop_map(Ratio::percent),
        (1_u32..2_000).prop_map(|den| Ratio::new(1, den))
    ]
    .boxed()
}

fn a_target() -> impl Strategy<Value = Target> {
    prop_oneof![
        Just(Target::Leader),
        Just(Target::Follower),
        (1_u16..=3).prop_map(|node| Target::Node(NodeId(node)))
    ]
}

fn a_family() -> impl Strategy<Value = Family> {
    prop_oneof![prop::sample::select(Family::ALL), Just(Family::LyingDisk)]
}

fn a_fault() -> BoxedStrategy<Fault> {
    let chance = || a_share().prop_filter("a chance", |share| !share.is_never());
    let cut = prop_oneof![
        a_target().prop_map(|target| Cut::Isolate(vec![target])),
        Just(Cut::Isolate(vec![Target::Leader, Target::Node(NodeId(2))])),
        Just(Cut::Halves),
        a_target().prop_map(Cut::OneWay),
        Just(Cut::MajorityRing),
        Just(Cut::Bridge),
    ];
    let times = (a_span(0, 49_000), a_span(1, 10_000));
    (times, a_target(), chance(), cut, 2_u32..1_000, 1_u16..=3, a_family())
        .prop_map(|((at, lasts), node, chance, cut, factor, zone, family)| match family {
            Family::Crash => Fault::new(at, lasts, ProcessFault::Crash { node }),
            Family::Kill => Fault::new(at, lasts, ProcessFault::Kill { node }),
            Family::Pause => Fault::new(at, lasts, ProcessFault::Pause { node }),
            Family::ZoneLoss => Fault::new(at, lasts, ProcessFault::ZoneLoss { zone }),
            Family::PowerLoss => Fault::new(at, lasts, ProcessFault::PowerLoss {}),
            Family::Partition => Fault::new(at, lasts, NetworkFault::Partition { cut }),
            Family::Loss => Fault::new(at, lasts, NetworkFault::Loss { chance }),
            Family::Duplicate => Fault::new(at, lasts, NetworkFault::Duplicate { chance }),
            Family::Reorder => Fault::new(at, lasts, NetworkFault::Reorder { chance }),
            Family::SlowNetwork => Fault::new(at, lasts, NetworkFault::SlowNetwork { factor }),
            Family::SlowDisk => Fault::new(at, lasts, DiskFault::SlowDisk { node, factor }),
            Family::OneWayLoss => Fault::new(
                at,
                lasts,
                NetworkFault::OneWayLoss {
                    node,
                    peer: (zone > 1).then_some(node.other()),
                    inbound: factor % 2 == 0,
                    chance,
                },
            ),
            Family::Congestion => Fault::new(
                at,
                lasts,
                NetworkFault::Congestion { node: (zone > 1).then_some(node), kib_per_s: factor },
            ),
            Family::Flapping => {
                let peer = Some(Target::Leader).filter(|_| zone > 1 && node != Target::Leader);
                let (down, up) = (Span::from_millis(1), Span::from_millis(u64::from(factor)));
                Fault::new(at, lasts, NetworkFault::Flapping { node, peer, down, up })
            }
            Family::Swizzle => {
                let cut = vec![Target::Node(NodeId(1)), Target::Follower];
                let mend = cut.iter().rev().copied().collect();
                Fault::new(at, lasts, NetworkFault::Swizzle { cut, mend })
            }
            Family::ClockDrift => Fault::new(
                at,
                lasts,
                ClockFault::ClockDrift { node, by: Ratio::new(1, factor), slow: zone > 1 },
            ),
            Family::ClockJump => Fault::new(
                at,
                lasts,
                ClockFault::ClockJump { node, by: lasts, back: factor % 2 == 0 },
            ),
            Family::Limp => Fault::new(at, lasts, ProcessFault::Limp { node, factor }),
            Family::CrashLoop => {
                let (down, up) = (Span::from_millis(1), Span::from_millis(u64::from(factor)));
                Fault::new(at, lasts, ProcessFault::CrashLoop { node, down, up })
            }
            Family::FsyncError => Fault::new(at, lasts, DiskFault::FsyncError { node }),
            Family::DiskStall => Fault::new(at, lasts, DiskFault::DiskStall { node }),
            Family::DiskFull => Fault::new(at, lasts, DiskFault::DiskFull { node }),
            Family::TornTail => Fault::new(at, lasts, DiskFault::TornTail { node }),
            Family::BitRot => Fault::new(at, lasts, DiskFault::BitRot { node }),
            Family::Wipe => Fault::new(at, lasts, DiskFault::Wipe { node }),
            Family::LyingDisk => Fault::new(at, lasts, DiskFault::LyingDisk { node }),
            Family::Restart => {
                Fault::new(at, lasts + lasts, ProcessFault::Restart { node, patience: lasts })
            }
            Family::Join => Fault::new(at, lasts, MembersFault::Join { nodes: vec![node] }),
            Family::Leave => Fault::new(at, lasts, MembersFault::Leave { nodes: vec![node] }),
            Family::Replace => {
                Fault::new(at, lasts, MembersFault::Replace { node, by: Target::Node(NodeId(6)) })
            }
            Family::Upgrade => Fault::new(
                at,
                lasts,
                ProcessFault::Upgrade {
                    patience: Span(1),
                    down: Span(1),
                    rolls_back: (zone > 1).then_some(Target::Node(NodeId(zone))),
                    rollback: Rollback::ALL[factor as usize % 3],
                },
            ),
            Family::MajorityLoss => {
                let (nodes, by) = (vec![node], vec![Target::Node(NodeId(6))]);
                let after = lasts.max(Span::from_secs(5));
                Fault::new(at, lasts, MembersFault::MajorityLoss { nodes, by, after })
            }
            Family::RollingRestart => Fault::new(
                at,
                lasts,
                ProcessFault::RollingRestart { patience: Span(1), down: Span(1) },
            ),
        })
        .prop_flat_map(|fault| {
            prop::option::of(a_moment()).prop_map(move |when| Fault { when, ..fault.clone() })
        })
        .boxed()
}

fn a_moment() -> impl Strategy<Value = When> {
    let marks = Mark::ALL.iter().map(|&mark| Moment::Mark(mark));
    let moments: Vec<Moment> = Moment::NAMED.iter().copied().chain(marks).collect();
    let times = (a_span(0, 100), a_span(1, 900));
    let node = prop::option::of(a_target());
    (prop::sample::select(moments), node, 1_u32..3, times).prop_map(
        |(moment, node, count, (delay, within))| When { moment, node, count, delay, within },
    )
}

fn an_arrival() -> BoxedStrategy<Arrivals> {
    let on_sale = (
        a_span(1, 20_000),
        a_span(30_000, 60_000),
        a_share(),
        a_share(),
        a_span(1, 5_000),
        a_span(1, 900_000),
    );
    prop_oneof![
        a_span(1, 60_000).prop_map(|over| Arrivals::Constant { over }),
        a_span(1, 60_000).prop_map(|over| Arrivals::Ramp { over }),
        (a_span(30_000, 60_000), a_span(0, 29_000), a_span(1, 900_000), a_share())
            .prop_map(|(over, at, decay, share)| Arrivals::Spike { over, at, decay, share }),
        on_sale.prop_map(|(opening, over, before, rush_share, rush, decay)| Arrivals::OnSale {
            opening,
            over,
            before,
            rush_share,
            rush,
            decay
        }),
        ("[a-z \"\\\\é]{1,8}", prop::collection::vec(1_u64..i64::MAX as u64 / 64, 2..20)).prop_map(
            |(file, counts)| {
                let points = counts
                    .into_iter()
                    .enumerate()
                    .map(|(n, count)| (Span(n as u64 * 123_457), count))
                    .collect();
                Arrivals::Trace { file, scale: None, points }
            }
        ),
        a_span(1, 60_000).prop_map(|over| Arrivals::Poisson { over }),
        prop::collection::btree_map(0_u32..100_000_000, a_span(0, 60_000), 1..20).prop_map(
            |people| Arrivals::Named {
                people: people.into_iter().map(|(number, at)| (at, number)).collect()
            }
        ),
    ]
    .boxed()
}

fn a_timing() -> BoxedStrategy<Timing> {
    let inner = (a_share(), a_span(0, 9_000), a_span(0, 9_000), a_span(0, 9_000));
    prop_oneof![
        a_span(0, 60_000).prop_map(Timing::Constant),
        a_span(1, 60_000).prop_map(|mean| Timing::Exponential { mean }),
        (a_span(1, 60_000), 0_u32..=10_000)
            .prop_map(|(median, sigma)| Timing::log_normal(median, sigma)),
        inner.prop_map(|(share, a, b, c)| Timing::Quantiles(vec![
            (Ratio::NEVER, a),
            (share, a + b),
            (Ratio::ALWAYS, a + b + c),
        ])),
    ]
    .boxed()
}

prop_compose! {
    fn a_scenario()(
        title in "[a-zA-Z \"\\\\#=é\n\u{7f}]{0,20}x",
        (duration, calm, quantum) in (a_span(60_000, 3_600_000), a_span(1, 600_000), a_span(0, 1_000)),
        (nodes, shards, phi, keep_records) in (3_u16..=99, 1_u32..=65_536, 1_u32..=100, any::<u32>()),
        arrivals in an_arrival(),
        room in prop::option::of((1_u32.., a_share(), a_span(1, 9_000_000))),
        (median, sigma_milli, zipf_milli) in (a_span(1, 600_000), 0_u32..=10_000, 0_u32..=10_000),
        group_weights in prop::collection::vec(1_u32..1_000, 1..=10),
        drawn in a_timing(),
        shares in (a_share(), a_share(), a_share()),
        faults in prop::collection::vec(a_fault(), 0..5),
        families in prop::option::of(prop::sample::subsequence(Family::ALL.to_vec(), 1..=Family::ALL.len())),
        must_exercise in prop::sample::subsequence(Oracle::DEMANDABLE.map(|oracle| oracle.name().to_owned()).to_vec(), 0..=8),
        must_mark in prop::sample::subsequence(Mark::ALL.iter().map(|mark| mark.name().to_owned()).collect::<Vec<_>>(), 0..=3),
        figures in prop::collection::vec((1_u32..=100_000, a_span(1, 600_000)), 1..4),
    ) -> Scenario {
        let mut scenario = Scenario { id: "x".into(), title, duration, calm, quantum, faults, must_exercise, must_mark, ..Scenario::default() };
        scenario.limits = figures.into_iter().map(|(rank, below)| Limit {
            wait: if rank % 2 == 0 { Wait::Hold } else { Wait::Purchase },
            figure: if rank == 100_000 { Figure::Max } else { Figure::Percentile(rank) },
            below,
            part: if rank % 3 == 0 { Part::OutsideFaults } else { Part::Whole },
        }).collect();
        scenario.cluster.nodes = nodes;
        scenario.cluster.shards = shards;
        scenario.cluster.suspicion_phi = phi;
        scenario.cluster.keep_records = keep_records;
        scenario.crowd.waiting_room = room.map(|(release_per_minute, no_show, patience)| WaitingRoom {
            opening: if let Arrivals::OnSale { opening, .. } = arrivals { opening } else { Span::from_secs(1) },
            release_per_minute,
            no_show,
            patience,
            ..WaitingRoom::default()
        });
        if let Arrivals::Named { people } = &arrivals {
            scenario.crowd.users = people.len() as u32;
        }
        scenario.crowd.arrivals = arrivals;
        scenario.crowd.session.pick_think = Timing::log_normal(median, sigma_milli);
        scenario.crowd.session.payment = drawn.clone();
        scenario.costs.decide = drawn.clone();
        scenario.costs.reply = (sigma_milli % 2 == 0).then_some(drawn);
        scenario.network.client = scenario.network.client.typical().max(scenario.quantum).into();
        scenario.crowd.session.zipf = Milli(zipf_milli);
        scenario.crowd.session.group_weights = group_weights;
        (scenario.sale.hot_share, scenario.disk.jitter, scenario.network.duplicate) = shares;
        let bounds = (Span::from_secs(1), Span::from_secs(60));
        scenario.swarm = families.map(|families| Swarm { families, from: bounds.0, until: bounds.1, ..Swarm::default() });
        scenario
    }
}

proptest! {
    #[test]
    fn whatever_is_sound_reads_back_from_what_it_prints(scenario in a_scenario()) {
        let printed = scenario.to_toml();
        let again = read(&printed).map_err(|error| TestCaseError::fail(format!("{error}\n{printed}")))?;
        prop_assert_eq!(&again, &scenario, "{}", printed);
        let printed = scenario.to_brief_toml();
        let again = read(&printed).map_err(|error| TestCaseError::fail(format!("{error}\n{printed}")))?;
        prop_assert_eq!(&again, &scenario, "{}", printed);
        let again = Scenario::from_json("x.json", scenario.to_json().as_bytes());
        prop_assert_eq!(&again.map_err(|error| TestCaseError::fail(error.to_string()))?, &scenario);
    }

    #[test]
    fn spoilt_toml_is_read_or_refused_with_a_line(entry in 0..catalogue::all().len(), how in prop::collection::vec(spoil(), 1..4)) {
        let text = catalogue::all()[entry].text.as_bytes().to_vec();
        let text = how.iter().fold(text, |text, how| spoilt(&text, how, " = "));
        check_spoilt(Scenario::from_toml("x", "x.toml", &text, &no_files))?;
    }

    #[test]
    fn spoilt_json_is_read_or_refused_with_a_line(scenario in a_scenario(), how in prop::collection::vec(spoil(), 1..4)) {
        let text = scenario.to_json().into_bytes();
        let text = how.iter().fold(text, |text, how| spoilt(&text, how, ": "));
        check_spoilt(Scenario::from_json("x.json", &text))?;
    }

    #[test]
    fn a_truncated_plan_is_refused(scenario in a_scenario(), at in any::<prop::sample::Index>()) {
        let json = scenario.to_json();
        let error = Scenario::from_json("x.json", &json.as_bytes()[..at.index(json.len())]);
        prop_assert!(error.is_err());
    }
}

#[test]
fn text_that_a_terminal_obeys_is_written_with_escapes_and_reads_back() {
    let title = "\x1b[31mred\u{9b}\u{202e} ##[error] it's \"x\" \\ é\n::error::no";
    let scenario = Scenario { title: title.to_owned(), ..Scenario::default() };
    for text in [scenario.to_toml(), scenario.to_brief_toml()] {
        let obeyed = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
        assert!(!text.contains(obeyed) && !text.contains("##["), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("::")), "{text}");
        assert_eq!(read(&text).unwrap().title, title);
    }
}
