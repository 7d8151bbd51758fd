//! The cost of an on-sale: wall time and memory of whole runs, and of the same crowd with one task a user.
//!
//! Owns the list of cases and their processes: one at a time, each in its own process, so that peak memory is
//! that case's alone. Refuses to know how figures are laid out.
//!
//! `README.md` beside this directory says what each row means.

mod case;
mod plain;
mod table;
mod yardstick;

use std::process::{Command, ExitCode, Stdio};

use clap::Parser;
use onsale_booking::Span;

use crate::case::{Case, IDLE, Measured, SEED};
use crate::table::{Report, Row, Target};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const GIB: u64 = 1 << 30;

/// Measures whole runs and prints one table.
#[derive(Debug, Parser)]
struct Arguments {
    /// Only small cases: 10,000 users, ten seeds, one run of each
    #[arg(long)]
    quick: bool,
    /// Seeds of the sweep [default: 100, quick 10]
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Users of the pair, as tasks and as ours [default: 100000, quick 10000]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000))]
    users: Option<u32>,
    /// Runs of each other case [default: 3, quick 1]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Measure this case in this process and tell the parent
    #[arg(long, hide = true)]
    child: Option<String>,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(case) = &arguments.child {
        let case: Case = serde_json::from_str(case).expect("the parent names a case");
        println!("{}", serde_json::to_string(&case.measure()).expect("figures are plain data"));
        return ExitCode::SUCCESS;
    }
    match measure(&arguments) {
        Ok(report) => {
            println!("{}", if arguments.json { report.to_json() } else { report.to_text() });
            if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

fn measure(arguments: &Arguments) -> Result<Report, String> {
    let quick = arguments.quick;
    let runs = arguments.runs.unwrap_or(if quick { 1 } else { 3 });
    let seeds = arguments.seeds.unwrap_or(if quick { 10 } else { 100 });
    let users = arguments.users.unwrap_or(if quick { 10_000 } else { 100_000 });

    let mut report = Report::new();
    if !quick {
        for (scenario, target) in [
            ("slow/stadium-10m", Target { wall: Some(Span::from_secs(5)), peak_bytes: Some(GIB) }),
            (
                "slow/stadium-10m-no-queue",
                Target { wall: Some(Span::from_secs(15)), peak_bytes: None },
            ),
        ] {
            let case = Case::Catalogue { scenario: scenario.to_owned() };
            report.rows.push(row(format!("{scenario}, seed {SEED}"), &case, runs, target)?);
        }
    }
    let target = Target { wall: Some(Span::from_millis(50)), peak_bytes: None };
    report.rows.push(row(
        format!("fast/all-families, {seeds} seeds"),
        &Case::Sweep { seeds },
        1,
        target,
    )?);
    let target = Target { wall: Some(Span(IDLE.0 / 200)), peak_bytes: None };
    report.rows.push(row("50 nodes, 1,024 shards, idle".to_owned(), &Case::Idle, runs, target)?);
    report.ours =
        Some(row("the pair: ours".to_owned(), &Case::Ours { users }, runs, Target::default())?);
    report.tasks = Some(row(
        "the pair: one task a user".to_owned(),
        &Case::Tasks { users },
        runs,
        Target::default(),
    )?);
    Ok(report)
}

/// Runs a case this many times, each time in a new process.
fn row(name: String, case: &Case, runs: u16, target: Target) -> Result<Row, String> {
    let mut measured = Measured::default();
    for run in 1..=runs {
        eprintln!("{name}: {run} of {runs}");
        measured.add(in_a_child(case).map_err(|why| format!("{name}: {why}"))?);
    }
    Ok(Row { name, target, measured })
}

fn in_a_child(case: &Case) -> Result<Measured, String> {
    let program =
        std::env::current_exe().map_err(|why| format!("this program is not found: {why}"))?;
    let case = serde_json::to_string(case).expect("a case is plain data");
    let child = Command::new(program).args(["--child", &case]).stderr(Stdio::inherit()).output();
    let child = child.map_err(|why| format!("no process: {why}"))?;
    if !child.status.success() {
        return Err(format!("the process ended with {}", child.status));
    }
    serde_json::from_slice(&child.stdout)
        .map_err(|why| format!("the process told no figures: {why}"))
}
