//! The reference page and the schema: what they say is what the program knows and takes.

use std::collections::BTreeSet;
use std::path::Path;

use boon::{Compiler, SchemaIndex, Schemas, ValidationError};
use onsale_scenarios::{catalogue, schema};
use serde_json::Value;

use crate::desk::Desk;

#[test]
fn the_reference_is_what_the_program_prints() {
    let desk = Desk::new("reference");
    let printed = desk.onsale(&["scenarios", "reference"], 0).out;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/REFERENCE.md");
    if std::env::var_os("ONSALE_BLESS").is_some() {
        std::fs::write(&path, &printed).expect("the reference is writable");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = page.lines().zip(printed.lines()).find(|(page, printed)| page != printed);
    assert!(
        page == printed,
        "scenarios/REFERENCE.md is stale; ONSALE_BLESS=1 writes it. First difference: {differs:?}"
    );
}

/// The schema, as somebody else reads it.
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

    /// Where a scenario is wrong, as JSON pointers; nowhere if it passes.
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
        ("[cluster]\npartition-by = \"venue\"", "/cluster/partition-by"),
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
