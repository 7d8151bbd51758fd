//! The reference page and the schema agree with the program.

use std::collections::BTreeSet;
use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas, ValidationError};
use onsale_scenarios::{Scenario, catalogue, schema};
use serde_json::Value;

use crate::desk::Desk;
use crate::tidy::files;

#[test]
fn the_reference_is_what_the_program_prints() {
    let desk = Desk::new("reference");
    let printed = desk.onsale(&["scenarios", "reference"], 0).out;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/REFERENCE.md");
    if std::env::var_os("ONSALE_BLESS").is_some() {
        std::fs::write(&path, &printed).expect("the reference is writable");
    }
    for leak in ["[`", "a pair of ,", "| `\"\"` |"] {
        let line = printed.lines().find(|line| line.contains(leak));
        assert_eq!(line, None, "says nothing to a reader of the page: {leak}");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(printed.lines()).find(|(page, printed)| page != printed);
    assert!(
        page == printed,
        "scenarios/REFERENCE.md is stale; ONSALE_BLESS=1 writes it. First difference: {differs:?}"
    );
}

/// An excuse is a bound: a history just beyond it fails.
#[test]
fn the_test_just_beyond_each_excuse_exists() {
    let sources = ["sim/oracles", "sim/engine"].map(|folder| files(folder, &["rs"]));
    let lines = sources.iter().flatten().flat_map(|(_, text)| text.lines());
    let sources: String = lines.flat_map(|line| [line.trim_start(), "\n"]).collect();
    let mut count = 0;
    for excuse in onsale_sim::judges::excuses() {
        let test = format!("#[test]\nfn {}()", excuse.beyond);
        assert!(sources.contains(&test), "{excuse:?}");
        count += 1;
    }
    assert!(count > 10, "{count} excuses");
}

/// The schema, read by an independent validator.
struct Judge {
    schemas: Schemas,
    schema: SchemaIndex,
}

impl Judge {
    fn new(schema: Value) -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.add_resource("onsale.schema.json", schema).expect("the schema is JSON");
        let schema = compiler.compile("onsale.schema.json", &mut schemas);
        Self { schema: schema.expect("the schema is one of its draft"), schemas }
    }

    /// The positions of errors in a scenario, as JSON pointers; empty if it passes.
    fn places(&self, toml: &str) -> BTreeSet<String> {
        let scenario: Value =
            toml::from_str(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
        let mut places = BTreeSet::new();
        if let Err(error) = self.schemas.validate(&scenario, self.schema) {
            collect(&error, &mut places);
        }
        places
    }
}

fn collect(error: &ValidationError<'_, '_>, places: &mut BTreeSet<String>) {
    if error.causes.is_empty() {
        places.insert(error.instance_location.to_string());
    }
    error.causes.iter().for_each(|cause| collect(cause, places));
}

#[test]
fn the_schema_is_printed_and_sound() {
    let desk = Desk::new("schema");
    let printed = desk.onsale(&["scenarios", "schema"], 0).json();
    assert_eq!(printed, schema());
    assert_eq!(printed["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(Judge::new(printed).places("title = \"t\"").is_empty());
}

#[test]
fn every_scenario_of_the_catalogue_passes_the_schema() {
    let judge = Judge::new(schema());
    for entry in catalogue::all() {
        let full = entry.scenario().to_toml();
        for text in [entry.text, &full] {
            assert_eq!(judge.places(text), BTreeSet::new(), "{}", entry.id);
        }
    }
}

#[test]
fn what_is_wrong_with_a_file_alone_is_refused_by_the_schema_too() {
    let judge = Judge::new(schema());
    let cases = [
        ("title = \"\"", "/title"),
        ("durration = \"5m\"", ""),
        ("duration = 5", "/duration"),
        ("duration = \"5 minutes\"", "/duration"),
        ("calm = \"0s\"", "/calm"),
        ("[cluster]\nnodes = 100", "/cluster/nodes"),
        ("[cluster]\nnodes = 2.5", "/cluster/nodes"),
        ("[cluster]\nbeat_every = \"1s\"", "/cluster"),
        ("[cluster]\nshard-by = \"venue\"", "/cluster/shard-by"),
        ("[cluster.gateway]\ntries = 0", "/cluster/gateway/tries"),
        ("[cluster.gateway]\nretry-budget = \"140%\"", "/cluster/gateway/retry-budget"),
        ("[crowd.session]\nzipf = 11", "/crowd/session/zipf"),
        ("[crowd.session]\npick-think = { median = \"5s\" }", "/crowd/session/pick-think"),
        ("[crowd.arrivals]\nonsale = {}", "/crowd/arrivals"),
        ("[crowd.arrivals]\nramp = {}", "/crowd/arrivals/ramp"),
        ("[swarm]\nfamilies = [\"flood\"]", "/swarm/families/0"),
        ("[swarm]\nfaults = [1]", "/swarm/faults"),
        ("[[fault]]\ncrahs = {}", "/fault/0"),
        ("[[fault]]\n", "/fault/0"),
        ("[[fault]]\ncrash = { at = \"1s\", node = \"n1\" }", "/fault/0/crash"),
        (
            "[[fault]]\ncrash = { at = \"1s\", node = \"first\", down = \"1s\" }",
            "/fault/0/crash/node",
        ),
        (
            "[[fault]]\nlimp = { at = \"1s\", lasts = \"1s\", node = \"n1\", factor = 1 }",
            "/fault/0/limp/factor",
        ),
        ("[expect]\nexercised = [\"luck\"]", "/expect/exercised/0"),
        ("[expect]\nlatency = [\"hold below 1s\"]", "/expect/latency/0"),
    ];
    for (body, place) in cases {
        let text = if body.starts_with("title") {
            body.to_owned()
        } else {
            format!("title = \"t\"\n{body}")
        };
        let places = judge.places(&text);
        let is_there = !places.is_empty() && places.iter().all(|it| it.starts_with(place));
        assert!(is_there, "{body}: {places:?}");
    }
}

/// An editor underlines the same spans that `onsale scenarios validate` refuses: at each bound, in each unit.
#[test]
fn spans_out_of_bounds_are_refused_by_the_schema_too() {
    let judge = Judge::new(schema());
    let keys = [
        ("quantum", "\"SPAN\""),
        ("calm", "\"SPAN\""),
        ("cluster.clock-skew", "\"SPAN\""),
        ("costs.route", "\"SPAN\""),
        ("costs.beat", "{ median = \"SPAN\", sigma = 1.0 }"),
        (
            "fault",
            "[{ clock-jump = { at = \"1s\", lasts = \"1s\", node = \"n1\", by = \"SPAN\" } }]",
        ),
        (
            "fault",
            "[{ crash-loop = { at = \"1s\", lasts = \"9s\", node = \"n1\", down = \"SPAN\", up = \"1s\" } }]",
        ),
    ];
    let mut spans: Vec<String> = ["0h", "000us", "1us", "0001ms", "12", "1.5s", "1 s", "-1s", "1d"]
        .map(str::to_owned)
        .into();
    for (unit, micros) in
        [("us", 1), ("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000)]
    {
        for bound in [1_000, 1_000_000, 60_000_000, 24 * 3_600_000_000, 1_000 * 3_600_000_000_u64] {
            let number = bound / micros;
            spans.extend((number.saturating_sub(1)..=number + 1).map(|n| format!("{n}{unit}")));
        }
    }
    let nothing = |_: &str| Err(std::io::Error::other("there is no file"));
    let mut refused = 0;
    for (key, value) in keys {
        for span in &spans {
            let text = format!("title = \"t\"\n{key} = {}\n", value.replace("SPAN", span));
            let read = Scenario::from_toml("t", "t.toml", text.as_bytes(), &nothing);
            let problems = read.err().map(|error| error.problems).unwrap_or_default();
            let words = ["is out of bounds", "no time at all", "is too long", "is not a span"];
            let is_refused =
                problems.iter().any(|it| words.iter().any(|word| it.what.contains(word)));
            assert_eq!(!judge.places(&text).is_empty(), is_refused, "{text}: {problems:?}");
            refused += usize::from(is_refused);
        }
    }
    assert!((200..600).contains(&refused), "{refused} are refused");
}
