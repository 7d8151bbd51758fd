//! `onsale scenarios reference`: all keys of scenarios and all outputs of runs, on one page.
//!
//! Owns the order of the page. Refuses to know any key, column or mark: each is documented where it is declared.

use onsale_cluster::Mark;
use onsale_cluster::observation::Phase;
use onsale_reports::{Field, csv, history, summary};

const INTRODUCTION: &str = "\
<!-- Printed by `onsale scenarios reference`. A test compares it; ONSALE_BLESS=1 writes it. -->

# Reference

Every key of a scenario file, every fault, and everything that a run puts out. How a value is written, and what
scenarios are for, stands in [README.md](README.md). *Chosen* is a setting of the system, *assumed* a value that nobody
measured, *sourced* one with a source.

## Keys of a scenario
";

/// The page.
pub(super) fn page() -> String {
    let mark = |mark: &Mark| Field { name: mark.name(), doc: mark.meaning() };
    let phase = |phase: Phase| Field { name: phase.name(), doc: phase.meaning() };
    [
        INTRODUCTION,
        &onsale_scenarios::reference(),
        "\n## Columns\n\n### `latency.csv`\n\nA row an operation and window.\n\n",
        &table("column", csv::latency_columns()),
        "\n### `timeline.csv`\n\nA row a virtual second.\n\n",
        &table("column", csv::timeline_columns()),
        "\n## Fields of `summary.json`\n\n`run --json` prints the same.\n",
        &summary::documents()
            .iter()
            .map(|(place, fields)| document(place, fields))
            .collect::<String>(),
        "\n## Operations of a history\n\nA line of `--history` each; in EDN, keys and texts are keywords.\n",
        &history::documents()
            .iter()
            .map(|(place, fields)| document(place, fields))
            .collect::<String>(),
        "\n## Marks\n\nRare paths, as `[expect] marks` names them and summaries count them.\n\n",
        &table("mark", Mark::ALL.iter().map(mark)),
        "\n## Excuses\n\nWhat oracles excuse, how far, and the test that fails a history just beyond.\n\n",
        &excuses(),
        "\n## Phases\n\nWhat the shard that a fault's moment was about, else the hot show's, was doing when the fault struck.\n\n",
        &table("phase", Phase::ALL.map(phase)),
    ]
    .concat()
}

fn excuses() -> String {
    let row = |it: &onsale_sim::judges::Excuse| {
        format!("| `{}` | {} | {} | `{}` |\n", it.oracle.name(), it.excused, it.bound, it.beyond)
    };
    let rows: String = onsale_sim::judges::excuses().map(row).collect();
    format!("| oracle | excused | bound | test just beyond |\n|---|---|---|---|\n{rows}")
}

fn document(place: &str, fields: &[Field]) -> String {
    let heading = if place.is_empty() { "The top".to_owned() } else { format!("`{place}`") };
    format!("\n### {heading}\n\n{}", table("field", fields.iter().copied()))
}

fn table(noun: &str, fields: impl IntoIterator<Item = Field>) -> String {
    let row = |Field { name, doc }| format!("| `{name}` | {} |\n", doc.replace('|', "\\|"));
    let rows: String = fields.into_iter().map(row).collect();
    format!("| {noun} | what it says |\n|---|---|\n{rows}")
}
