//! Scenarios from all over the settings' ranges: whatever is sound to write, nothing breaks.
//!
//! The catalogue keeps to values that somebody might use. Here every setting may be at an end of its
//! range, all at once, so that oracles and reports cannot rest on what is merely usual.

use std::fmt::Write;
use std::io;

use onsale_core::draw::Draw;
use onsale_scenarios::{Family, Scenario, ScenarioError};
use onsale_tests::{complaint, play};

/// A setting, and what it may be.
type Setting = (&'static str, &'static [&'static str]);

/// By section.
const SETTINGS: [(&str, &[Setting]); 13] = [
    ("", &[("quantum", &["\"1us\"", "\"500us\"", "\"5ms\""])]),
    (
        "cluster",
        &[
            ("shards", &["1", "2", "7", "200"]),
            ("partition-by", &["\"show\"", "\"event\""]),
            ("cores", &["1", "2", "64"]),
            ("beat-every", &["\"10ms\"", "\"333ms\"", "\"1s\""]),
            ("suspicion-phi", &["1", "2", "30"]),
            ("acceptable-pause", &["\"0us\"", "\"10ms\"", "\"1s\""]),
            ("min-std-deviation", &["\"1us\"", "\"100ms\""]),
            ("tick-every", &["\"10ms\"", "\"200ms\""]),
            ("election-ticks", &["5", "30"]),
            ("snapshot-every", &["1", "2", "50"]),
            ("keep-records", &["0", "1", "5"]),
            ("segment-bytes", &["4096", "65536"]),
            ("clock-skew", &["\"1ms\"", "\"5s\"", "\"1h\""]),
        ],
    ),
    ("cluster.membership", &[("stable-after", &["\"1ms\"", "\"500ms\"", "\"20s\""])]),
    ("cluster.leads", &[("by-load", &["true"]), ("rest", &["\"1us\"", "\"100ms\"", "\"60s\""])]),
    (
        "cluster.gateway",
        &[
            ("tries", &["1", "100"]),
            ("try-timeout", &["\"1ms\"", "\"50ms\"", "\"30s\""]),
            ("backoff-base", &["\"0us\"", "\"1us\""]),
            ("retry-budget", &["\"0%\"", "\"100%\""]),
            ("in-flight-per-shard", &["1", "10"]),
        ],
    ),
    (
        "sale",
        &[
            ("hot-share", &["\"0%\"", "\"100%\"", "\"1/3\""]),
            ("shows-per-event", &["2", "100"]),
            ("sections", &["1", "5"]),
            ("rows", &["1", "20"]),
            ("seats-per-row", &["1", "2", "63", "64"]),
            ("hold", &["\"1us\"", "\"1s\"", "\"10s\"", "\"1h\""]),
            ("grace", &["\"1us\"", "\"1s\"", "\"1m\""]),
        ],
    ),
    (
        "crowd.session",
        &[
            (
                "pick-think",
                &["{ median = \"1us\", sigma = 4.0 }", "{ median = \"1s\", sigma = 0.0 }"],
            ),
            (
                "checkout-think",
                &["{ median = \"10ms\", sigma = 1.5 }", "{ median = \"1m\", sigma = 0.5 }"],
            ),
            (
                "payment",
                &["{ median = \"1us\", sigma = 0.0 }", "{ median = \"10s\", sigma = 1.5 }"],
            ),
            ("approval", &["\"0%\"", "\"100%\""]),
            ("abandon", &["\"0%\"", "\"100%\""]),
            ("release", &["\"100%\"", "\"1/7\""]),
            ("best-available", &["\"0%\"", "\"100%\""]),
            ("split", &["\"100%\""]),
            ("group-weights", &["[1]", "[0, 0, 1]", "[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]"]),
            ("zipf", &["0.0", "10.0"]),
            ("request-timeout", &["\"1ms\"", "\"100ms\"", "\"1m\""]),
            ("tries", &["1", "20"]),
            ("backoff-base", &["\"0us\"", "\"1ms\""]),
            ("refreshes", &["0", "50"]),
            ("refresh-min", &["\"0us\"", "\"1ms\""]),
        ],
    ),
    (
        "crowd.health-check",
        &[
            ("every", &["\"1us\"", "\"100ms\"", "\"1h\""]),
            ("fall", &["1", "100"]),
            ("rise", &["1", "100"]),
        ],
    ),
    (
        "network",
        &[
            ("within-zone", &["\"1us\"", "\"5ms\""]),
            ("between-zones", &["\"1us\"", "\"80ms\""]),
            ("client", &["\"5ms\"", "\"300ms\""]),
            ("jitter", &["\"0%\"", "\"100%\""]),
            ("tail", &["\"0%\"", "\"100%\""]),
            ("loss", &["\"1%\"", "\"10%\"", "\"30%\""]),
            ("duplicate", &["\"10%\"", "\"100%\""]),
            ("reorder", &["\"10%\"", "\"100%\""]),
        ],
    ),
    (
        "disk",
        &[
            ("fsync", &["\"1us\"", "\"5ms\""]),
            ("jitter", &["\"0%\"", "\"100%\""]),
            ("tail", &["\"0%\"", "\"10%\""]),
            ("mib-per-s", &["1", "10000"]),
        ],
    ),
    (
        "costs",
        &[
            ("route", &["\"0us\"", "\"100us\""]),
            ("decide", &["\"0us\"", "\"1ms\""]),
            ("journal-message", &["\"0us\"", "\"100us\""]),
            ("recover-mib", &["\"0us\"", "\"1s\""]),
        ],
    ),
    (
        "cluster.facts",
        &[
            ("fanout", &["1", "8"]),
            ("repair-every", &["\"10ms\"", "\"5s\""]),
            ("accepted-drift", &["\"1ms\"", "\"1h\""]),
            ("patience", &["\"1ms\"", "\"5s\""]),
        ],
    ),
    (
        "facts",
        &[
            ("admins", &["1", "5"]),
            ("changes-per-minute", &["1", "600"]),
            ("visitors", &["1", "100"]),
            ("reads", &["1", "10"]),
        ],
    ),
];

/// What every scenario here has.
const SOUND: &str = r#"
[crowd.arrivals]
constant = { over = "80s" }

[swarm]
faults = [0, 6]
from = "2s"
until = "70s"
lasts = ["1ms", "8s"]
"#;

/// A scenario as somebody might write it whose dice fell like this.
fn written(draw: &mut Draw) -> String {
    let mut pick = |from: &[u64]| from[draw.below(from.len() as u64) as usize];
    let (nodes, zones) = (pick(&[3, 4, 5, 7]), pick(&[1, 2, 3]));
    let replicas = pick(if zones == 3 { &[1, 3] } else { &[1] });
    let (users, shows) = (pick(&[1, 10, 200, 500]), pick(&[2, 8, 32]));
    let (spares, joins, leaves) = (pick(&[0, 0, 1, 3]), pick(&[5, 30]), pick(&[10, 40]));
    let mut text = String::from("title = \"Anything\"\nduration = \"100s\"\ncalm = \"60s\"\n");
    for (section, settings) in SETTINGS {
        if section == "facts" && draw.below(2) == 0 {
            continue;
        }
        let head = match section {
            "" => String::new(),
            "cluster" => {
                format!(
                    "[cluster]\nnodes = {nodes}\nzones = {zones}\nreplicas = {replicas}\nspares = {spares}\n"
                )
            }
            "sale" => format!("[sale]\nshows = {shows}\n"),
            "facts" => {
                "[facts]\nfrom = \"1s\"\nuntil = \"95s\"\nagree-within = \"30s\"\n".to_owned()
            }
            other => format!("[{other}]\n"),
        };
        text += &head;
        for (key, values) in settings {
            if draw.below(3) == 0 {
                let value = values[draw.below(values.len() as u64) as usize];
                writeln!(text, "{key} = {value}").expect("a string takes what is written to it");
            }
        }
    }
    let families = Family::ALL.iter().filter(|_| draw.below(3) == 0).map(|family| family.name());
    let families: Vec<_> = families.collect();
    let families = if families.is_empty() { vec![Family::Crash.name()] } else { families };
    let joining = format!(
        "[[fault]]\njoin = {{ at = \"{joins}s\", lasts = \"9s\", nodes = [\"n{}\"] }}\n\
         [[fault]]\nleave = {{ at = \"{leaves}s\", lasts = \"9s\", nodes = [\"n1\"] }}\n",
        nodes + 1
    );
    let faults = if spares > 0 { &*joining } else { "" };
    text + &format!("[crowd]\nusers = {users}\n{SOUND}families = {families:?}\n{faults}")
}

fn read(text: &str) -> Result<Scenario, ScenarioError> {
    let nothing = |_: &str| Err(io::Error::from(io::ErrorKind::NotFound));
    Scenario::from_toml("test/anything", "anything.toml", text.as_bytes(), &nothing)
}

#[test]
fn whatever_is_sound_to_write_breaks_nothing() {
    let (mut sound, mut judged) = (0, 0);
    for seed in 0..60 {
        let text = written(&mut Draw::new(seed));
        let Ok(scenario) = read(&text) else { continue };
        sound += 1;
        let outcome = play(&scenario, seed);
        assert_eq!(complaint(&outcome), None, "{text}");
        judged += outcome.summary.facts.oracles.iter().map(|oracle| oracle.checked).sum::<u64>();
    }
    assert!(sound > 30 && judged > 10_000, "{sound} are sound, {judged} things were looked at");
}
