//! The reports of one small run, as people and scripts read them.
//!
//! A difference means that the simulated system behaves differently, or is reported differently. If that is
//! intended: `ONSALE_BLESS=1 cargo test -p onsale-tests golden`.

use std::path::Path;
use std::sync::LazyLock;

use onsale_booking::Span;
use onsale_reports::{csv, terminal};
use onsale_scenarios::{Cut, Fault, NetworkFault, ProcessFault, Target};
use onsale_sim::run::Outcome;
use onsale_tests::{play, sale_with};

/// A leader crashes and another one is cut off; seed 1.
static RUN: LazyLock<Outcome> = LazyLock::new(|| {
    let mut outcome = play(
        &sale_with(&[
            Fault::new(
                Span::from_secs(30),
                Span::from_secs(10),
                ProcessFault::Crash { node: Target::Leader },
            ),
            Fault::new(
                Span::from_secs(50),
                Span::from_secs(15),
                NetworkFault::Partition { cut: Cut::Isolate(vec![Target::Leader]) },
            ),
        ]),
        1,
    );
    // Lines that depend on the machine and the build.
    let facts = &mut outcome.summary.facts;
    facts.wall_s = 0.0;
    facts.peak_rss_bytes = 0;
    facts.code_version.clear();
    facts.build_profile.clear();
    outcome
});

pub(super) fn matches(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(name);
    if std::env::var_os("ONSALE_BLESS").is_some() {
        std::fs::write(&path, text).expect("the golden file is writable");
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = golden.lines().zip(text.lines()).position(|(golden, line)| golden != line);
    let line = differs.unwrap_or_else(|| golden.lines().count().min(text.lines().count()));
    assert!(
        golden == text,
        "golden/{name} differs from line {} on:\n- {}\n+ {}",
        line + 1,
        golden.lines().nth(line).unwrap_or_default(),
        text.lines().nth(line).unwrap_or_default(),
    );
}

#[test]
fn the_terminal() {
    matches("terminal.txt", &terminal::render(&RUN.summary, false, 100));
}

#[test]
fn the_latency_table() {
    matches("latency.csv", &csv::latency(&RUN.summary));
}

#[test]
fn the_timeline_around_the_faults() {
    let timeline = csv::timeline(&RUN.records);
    let head: String = timeline.lines().take(71).map(|line| format!("{line}\n")).collect();
    matches("timeline.csv", &head);
}

#[test]
fn the_summary() {
    matches("summary.json", &RUN.summary.to_json());
}
