//! How long a show has no leader: the same fault, or the same restart, under many seeds.
//!
//! Owns what happens to the leader, and the distribution of each step over the seeds. It prints virtual time,
//! which is the same on any machine.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::process::ExitCode;
use std::thread;

use clap::Parser;
use onsale::sweep::pool;
use onsale::sweep::pool::Stop;
use onsale_booking::{Draw, Span};
use onsale_reports::{FaultResult, human};
use onsale_scenarios::{Arrivals, Cut, Fault, NetworkFault, ProcessFault, Scenario, Target};
use onsale_sim::plan::Plan;
use onsale_sim::run::run;
use onsale_world::Tracing;
use serde_json::json;

/// The earliest strike; heartbeats have settled by then.
const STRIKES: Span = Span::from_secs(5);
/// Strikes are spread over this time, so that each meets another phase of the heartbeats.
const SPREAD: Span = Span::from_secs(1);
const LASTS: Span = Span::from_secs(3);
const DURATION: Span = Span::from_secs(10);

/// Something that happens to the hot show's leader, and the steps until the next leader serves.
struct Case {
    name: &'static str,
    strike: fn(Span) -> Fault,
    /// Number of people who come meanwhile.
    users: u32,
    /// The steps in order; the target applies to the last one.
    steps: &'static [(&'static str, Milestone)],
    /// Target for the median of the last step, in milliseconds.
    target_ms: f64,
}

/// Milliseconds until a step, if it came.
type Milestone = fn(&FaultResult) -> Option<f64>;

const FAILOVER: [(&str, Milestone); 3] = [
    ("suspected", |fault| fault.failover?.suspected_ms),
    ("elected", |fault| fault.failover?.elected_ms),
    ("first commit", |fault| fault.failover?.serving_ms),
];

const HAND_OFF: [(&str, Milestone); 3] = [
    ("half are over", |fault| Some(fault.lead_transfers.as_ref()?.median_ms)),
    ("all are over", |fault| Some(fault.lead_transfers.as_ref()?.max_ms)),
    ("hot one is over", |fault| fault.lead_transfers.as_ref()?.hot_ms),
];

const CASES: [Case; 4] = [
    Case {
        name: "crash of the leader",
        strike: |at| Fault::new(at, LASTS, ProcessFault::Crash { node: Target::Leader }),
        users: 10,
        steps: &FAILOVER,
        target_ms: 500.0,
    },
    Case {
        name: "pause of the leader",
        strike: |at| Fault::new(at, LASTS, ProcessFault::Pause { node: Target::Leader }),
        users: 10,
        steps: &FAILOVER,
        target_ms: 500.0,
    },
    Case {
        name: "isolation of the leader",
        strike: |at| {
            Fault::new(
                at,
                LASTS,
                NetworkFault::Partition { cut: Cut::Isolate(vec![Target::Leader]) },
            )
        },
        users: 10,
        steps: &FAILOVER,
        target_ms: 500.0,
    },
    // Under load, because a leader transfers its lead only once it has sent all its answers.
    Case {
        name: "hand-offs in a restart",
        strike: |at| {
            Fault::new(
                at,
                LASTS + LASTS,
                ProcessFault::Restart { node: Target::Leader, patience: LASTS },
            )
        },
        users: 1_000,
        steps: &HAND_OFF,
        target_ms: 20.0,
    },
];

/// Measures failovers and hand-offs in the default cluster and prints their distribution.
#[derive(Debug, Parser)]
struct Arguments {
    /// Seeds of each case
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
    for case in &CASES {
        eprintln!("{}: {} seeds", case.name, arguments.seeds);
        let faults = faults(case, arguments.seeds);
        for &(step, of) in case.steps {
            let mut after: Vec<f64> = faults.iter().filter_map(of).collect();
            after.sort_unstable_by(f64::total_cmp);
            rows.push(Row { case, step, after });
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

/// The outcomes of a case under each seed, on all cores.
fn faults(case: &Case, seeds: u64) -> Vec<FaultResult> {
    let mut all = Vec::new();
    let jobs = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let stop = Stop::default();
    let play = |seed, progress: &_| {
        let mut scenario = Scenario {
            title: case.name.to_owned(),
            duration: DURATION,
            faults: vec![(case.strike)(STRIKES + Draw::new(seed).span(SPREAD))],
            ..Scenario::default()
        };
        scenario.crowd.users = case.users;
        scenario.crowd.arrivals = Arrivals::Constant { over: DURATION };
        // They send their requests as soon as they arrive.
        scenario.crowd.session.pick_think.set_typical(Span::from_secs(1));
        let outcome = run(&Plan::new(&scenario, seed), progress, Tracing::default());
        assert!(outcome.failed().is_empty(), "seed {seed}: {:?}", outcome.failed());
        Some(outcome.summary.facts.faults[0].clone())
    };
    pool::in_order(jobs, 1..=seeds, &stop, play, |fault| {
        all.push(fault);
        ControlFlow::Continue(())
    });
    all
}

struct Row {
    case: &'static Case,
    step: &'static str,
    /// Milliseconds, ascending.
    after: Vec<f64>,
}

impl Row {
    /// The least value that this many per mille do not exceed.
    fn quantile(&self, per_mille: usize) -> f64 {
        let rank = (self.after.len() * per_mille).div_ceil(1_000).max(1);
        self.after.get(rank - 1).copied().unwrap_or(f64::NAN)
    }

    /// Whether it has a target and misses the target.
    fn misses(&self) -> bool {
        let is_last = self.case.steps.last().is_some_and(|&(step, _)| step == self.step);
        is_last && self.quantile(500) >= self.case.target_ms
    }

    fn to_json(&self) -> serde_json::Value {
        json!({
            "fault": self.case.name,
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
        "{:<24}{:<17}{:>6}{:>10}{:>10}{:>10}{:>10}{:>10}",
        "fault", "until", "seeds", "min", "p50", "p90", "p99", "max"
    )];
    for row in rows {
        let cells = [0, 500, 900, 990, 1_000].map(|at| human::millis(row.quantile(at)));
        let cells: String = cells.iter().map(|cell| format!("{cell:>10}")).collect();
        lines.push(format!("{:<24}{:<17}{:>6}{cells}", row.case.name, row.step, row.after.len()));
    }
    for Row { case, .. } in rows.iter().filter(|row| row.misses()) {
        lines.push(format!("misses {}: a median below {} ms", case.name, case.target_ms));
    }
    if let Some(row) = rows.iter().find(|row| row.after.len() as u64 != seeds) {
        lines.push(format!("{}: {} did not come under every seed", row.case.name, row.step));
    }
    lines.join("\n")
}
