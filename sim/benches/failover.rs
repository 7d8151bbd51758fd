//! How long a show is without its owner: the same fault under many seeds.
//!
//! Owns the faults and the distribution of each step over the seeds. What it prints is virtual
//! time, so it is the same on any machine.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use onsale_core::{Draw, Span};
use onsale_reports::{FailoverResult, human};
use onsale_scenarios::{Cut, Fault, Scenario, Target};
use onsale_sim::plan::Plan;
use onsale_sim::run::run;
use onsale_sim::world::Tracing;
use serde_json::json;

/// What the median until the first commit should stay below, in milliseconds.
const TARGET_MS: f64 = 500.0;
/// The earliest strike; beats have settled by then.
const STRIKES: Span = Span::from_secs(5);
/// Strikes are spread over so much, so that each finds the beats elsewhere.
const SPREAD: Span = Span::from_secs(1);
const LASTS: Span = Span::from_secs(3);
const DURATION: Span = Span::from_secs(10);

type Strike = fn(Span) -> Fault;
type Step = fn(&FailoverResult) -> Option<f64>;

const FAULTS: [(&str, Strike); 3] = [
    ("crash of the owner", |at| Fault::Crash { at, node: Target::Owner, down: LASTS }),
    ("pause of the owner", |at| Fault::Pause { at, node: Target::Owner, lasts: LASTS }),
    ("isolation of the owner", |at| Fault::Partition {
        at,
        lasts: LASTS,
        cut: Cut::Isolate(vec![Target::Owner]),
    }),
];

const STEPS: [(&str, Step); 3] = [
    ("suspected", |failover| failover.suspected_ms),
    ("elected", |failover| failover.elected_ms),
    ("first commit", |failover| failover.serving_ms),
];

/// Measures failovers in the default cluster and prints their distribution.
#[derive(Debug, Parser)]
struct Arguments {
    /// Seeds of each fault
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut rows = Vec::new();
    for (fault, strike) in FAULTS {
        eprintln!("{fault}: {} seeds", arguments.seeds);
        let all: Vec<Option<FailoverResult>> =
            (1..=arguments.seeds).map(|seed| failover(strike, seed)).collect();
        let over: Vec<FailoverResult> = all.iter().copied().flatten().collect();
        for (step, of) in STEPS {
            let mut after: Vec<f64> = over.iter().filter_map(of).collect();
            after.sort_unstable_by(f64::total_cmp);
            rows.push(Row { fault, step, after });
        }
    }
    if arguments.json {
        println!("{}", json!(rows.iter().map(Row::to_json).collect::<Vec<_>>()));
    } else {
        println!("{}", table(&rows, arguments.seeds));
    }
    let complete = rows.iter().all(|row| row.after.len() as u64 == arguments.seeds);
    if complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What one fault did under one seed; none if the show kept its owner.
fn failover(strike: Strike, seed: u64) -> Option<FailoverResult> {
    let mut scenario = Scenario {
        title: "A failover".to_owned(),
        duration: DURATION,
        faults: vec![strike(STRIKES + Draw::new(seed).span(SPREAD))],
        ..Scenario::default()
    };
    scenario.crowd.users = 10;
    let outcome = run(&Plan::new(&scenario, seed), &Arc::default(), Tracing::default());
    assert!(outcome.failed().is_empty(), "seed {seed}: {:?}", outcome.failed());
    outcome.summary.facts.faults[0].failover
}

struct Row {
    fault: &'static str,
    step: &'static str,
    /// Milliseconds from the strike, ascending.
    after: Vec<f64>,
}

impl Row {
    /// The least that so many per mille do not exceed.
    fn quantile(&self, per_mille: usize) -> f64 {
        let rank = (self.after.len() * per_mille).div_ceil(1_000).max(1);
        self.after.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "fault": self.fault,
            "step": self.step,
            "seeds": self.after.len(),
            "min_ms": self.quantile(0),
            "p50_ms": self.quantile(500),
            "p90_ms": self.quantile(900),
            "p99_ms": self.quantile(990),
            "max_ms": self.quantile(1_000),
        })
    }
}

fn table(rows: &[Row], seeds: u64) -> String {
    let mut lines = vec![format!(
        "{:<24}{:<14}{:>6}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "fault", "until", "seeds", "min", "p50", "p90", "p99", "max"
    )];
    for row in rows {
        let cells = [0, 500, 900, 990, 1_000].map(|at| human::millis(row.quantile(at)));
        let cells: String = cells.iter().map(|cell| format!("{cell:>10}")).collect();
        lines.push(format!("{:<24}{:<14}{:>6}{cells}", row.fault, row.step, row.after.len()));
    }
    let commits = rows.iter().filter(|row| row.step == STEPS[2].0);
    for row in commits.filter(|row| row.quantile(500) >= TARGET_MS) {
        lines.push(format!("misses {}: a median below {TARGET_MS} ms", row.fault));
    }
    if let Some(row) = rows.iter().find(|row| row.after.len() as u64 != seeds) {
        lines.push(format!("{} was not {} under every seed", row.fault, row.step));
    }
    lines.join("\n")
}
