//! The figures, as a table for people and as JSON.
//!
//! Owns medians, ratios, the extrapolation and the layout. Refuses to know how a figure was measured.

use onsale::capsule;
use onsale_booking::Span;
use onsale_reports::human;
use onsale_sim::run::reproduce::build_profile;
use serde_json::{Value, json};

use crate::case::{Measured, PAIRED};
use crate::yardstick;

/// Size of the crowd to which figures are extrapolated.
const WHOLE_CROWD: u64 = 10_000_000;

/// A target of a case; a miss is printed and is no error.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Target {
    /// Bound of the median wall time.
    pub wall: Option<Span>,
    /// Bound of the peak resident memory.
    pub peak_bytes: Option<u64>,
}

/// One case with its figures.
#[derive(Debug)]
pub(crate) struct Row {
    /// Label in the first column.
    pub name: String,
    /// Its targets.
    pub target: Target,
    /// Its figures; at least one run.
    pub measured: Measured,
}

/// All measurements of one invocation.
#[derive(Debug)]
pub(crate) struct Report {
    machine: Machine,
    /// The cases that stand alone.
    pub rows: Vec<Row>,
    /// The pair's crowd on this engine.
    pub ours: Option<Row>,
    /// The pair's crowd as tasks.
    pub tasks: Option<Row>,
}

/// The machine.
#[derive(Debug)]
struct Machine {
    cpu: String,
    cores: usize,
    /// The load average of the last minute before the first case.
    load: String,
    /// Its yardstick events a second, before the first case.
    events_per_s: f64,
}

impl Machine {
    fn here() -> Self {
        let read = |file| std::fs::read_to_string(file).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let info = read("/proc/cpuinfo");
        let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        Self {
            cpu: model.map_or_else(unknown, |(_, model)| model.to_owned()),
            cores: std::thread::available_parallelism().map_or(0, usize::from),
            load: read("/proc/loadavg")
                .split_whitespace()
                .next()
                .map_or_else(unknown, str::to_owned),
            events_per_s: yardstick::events_per_s(),
        }
    }
}

impl Row {
    /// Wall times, ascending.
    fn walls(&self) -> Vec<f64> {
        let mut walls: Vec<f64> = self.measured.runs.iter().map(|run| run.wall_s).collect();
        walls.sort_unstable_by(f64::total_cmp);
        walls
    }

    /// The median; for an even number of values, the mean of the middle two.
    fn median(&self) -> f64 {
        let walls = self.walls();
        (walls[(walls.len() - 1) / 2] + walls[walls.len() / 2]) / 2.0
    }

    /// The 90th percentile: the least value that nine in ten do not exceed.
    fn ninetieth(&self) -> f64 {
        let walls = self.walls();
        walls[(walls.len() * 9).div_ceil(10) - 1]
    }

    fn min(&self) -> f64 {
        self.walls()[0]
    }

    fn max(&self) -> f64 {
        self.walls()[self.measured.runs.len() - 1]
    }

    /// A figure of the first run; except in a sweep, all runs agree.
    fn users(&self) -> u64 {
        self.measured.runs[0].users
    }

    /// Sum of a figure over all runs, divided by the sum of their wall times.
    fn rate(&self, total: u64) -> f64 {
        total as f64 / self.walls().iter().sum::<f64>()
    }

    fn users_per_s(&self) -> f64 {
        self.rate(self.measured.runs.iter().map(|run| run.users).sum())
    }

    fn events_per_s(&self) -> Option<f64> {
        self.measured
            .runs
            .iter()
            .map(|run| run.events)
            .sum::<Option<u64>>()
            .map(|events| self.rate(events))
    }

    /// Virtual seconds of the median run.
    fn virtual_s(&self) -> f64 {
        let mut spans: Vec<f64> = self.measured.runs.iter().map(|run| run.virtual_s).collect();
        spans.sort_unstable_by(f64::total_cmp);
        spans[spans.len() / 2]
    }

    fn failed(&self) -> Vec<&str> {
        self.measured.runs.iter().flat_map(|run| &run.failed).map(String::as_str).collect()
    }

    /// (target, figure in words, whether it is met)
    fn judged(&self) -> Vec<(&'static str, String, bool)> {
        let wall = self
            .target
            .wall
            .map(|most| ("wall", human::span(most), self.median() < most.as_secs_f64()));
        let peak = self
            .target
            .peak_bytes
            .map(|most| ("memory", human::bytes(most), self.measured.peak_bytes < most));
        wall.into_iter().chain(peak).collect()
    }

    fn cells(&self) -> [String; 8] {
        let n = self.measured.runs.len();
        let judged = self.judged().into_iter();
        let targets =
            judged.map(|(_, most, met)| format!("< {most} {}", if met { "met" } else { "misses" }));
        [
            self.name.clone(),
            human::count(self.users()),
            human::seconds(self.virtual_s()),
            human::seconds(self.median()),
            match n {
                1 => "one run".to_owned(),
                2..10 => format!("min {}, n {n}", human::seconds(self.min())),
                _ => format!(
                    "p90 {}, max {}, n {n}",
                    human::seconds(self.ninetieth()),
                    human::seconds(self.max())
                ),
            },
            human::rate(self.users_per_s()),
            self.events_per_s().map_or_else(|| "not counted".to_owned(), human::rate),
            format!(
                "{}   {}",
                human::bytes(self.measured.peak_bytes),
                targets.collect::<Vec<_>>().join(", ")
            ),
        ]
    }

    fn to_json(&self) -> Value {
        let targets = self
            .judged()
            .into_iter()
            .map(|(what, most, met)| json!({"what": what, "below": most, "met": met}));
        json!({
            "case": self.name,
            "users": self.users(),
            "virtual_s": self.virtual_s(),
            "wall_s": {
                "n": self.measured.runs.len(),
                "median": self.median(),
                "min": self.min(),
                "p90": self.ninetieth(),
                "max": self.max(),
            },
            "users_per_s": self.users_per_s(),
            "events_per_s": self.events_per_s(),
            "peak_bytes": self.measured.peak_bytes,
            "targets": targets.collect::<Vec<_>>(),
            "failed": self.failed(),
            "runs": self.measured.runs,
        })
    }
}

/// The same crowd simulated both ways.
#[derive(Debug)]
struct Pair<'a> {
    ours: &'a Row,
    tasks: &'a Row,
    /// The full crowd on this engine, if it was measured.
    whole: Option<&'a Row>,
}

impl Pair<'_> {
    fn time_ratio(&self) -> f64 {
        self.tasks.median() / self.ours.median()
    }

    fn memory_ratio(&self) -> f64 {
        self.tasks.measured.peak_bytes as f64 / self.ours.measured.peak_bytes as f64
    }

    /// Seconds and bytes of the full crowd as tasks, in proportion to the crowd measured here.
    fn extrapolated(&self) -> (f64, u64) {
        let times = WHOLE_CROWD as f64 / self.tasks.users() as f64;
        let Measured { before_bytes, peak_bytes, .. } = self.tasks.measured;
        let grown = peak_bytes.saturating_sub(before_bytes) as f64 * times;
        (self.tasks.median() * times, before_bytes + grown as u64)
    }

    fn to_text(&self) -> String {
        let a_user = |row: &Row| format!("{:.2} µs", row.median() * 1e6 / row.users() as f64);
        let sold = |row: &Row| {
            let (sold, seats) = row.measured.runs[0].seats;
            format!("{} of {} seats sold", human::count(sold), human::count(seats))
        };
        let messages =
            |row: &Row| format!("{} messages", human::count(row.measured.runs[0].messages));
        let told = |row: &Row| format!("{} a user, {}, {}", a_user(row), messages(row), sold(row));
        let (seconds, bytes) = self.extrapolated();
        let whole = self.whole.map_or_else(String::new, |whole| {
            let (seconds, bytes) = (whole.median(), whole.measured.peak_bytes);
            format!(
                "\n  Ours, measured above: {} and {}.",
                human::seconds(seconds),
                human::bytes(bytes)
            )
        });
        format!(
            "The pair: the {users} people of {PAIRED}, scaled.\n  \
             ours             {ours}\n  \
             one task a user  {tasks}\n  \
             Ours replicates, writes to disks, bears two faults and is watched by every oracle, for an \
             hour of virtual time\n  however few people come; the tasks do none of it.\n  \
             One task a user takes {time:.1} times as long and {memory:.1} times the memory.\n  \
             Extrapolated, not measured: {crowd} people as tasks would take {seconds} and {bytes}, if each \
             cost as much as here.{whole}",
            users = human::count(self.ours.users()),
            ours = told(self.ours),
            tasks = told(self.tasks),
            time = self.time_ratio(),
            memory = self.memory_ratio(),
            crowd = human::count(WHOLE_CROWD),
            seconds = human::seconds(seconds),
            bytes = human::bytes(bytes),
        )
    }

    fn to_json(&self) -> Value {
        let (wall_s, peak_bytes) = self.extrapolated();
        json!({
            "users": self.ours.users(),
            "ours": self.ours.to_json(),
            "one_task_a_user": self.tasks.to_json(),
            "time_ratio": self.time_ratio(),
            "memory_ratio": self.memory_ratio(),
            "extrapolated_not_measured": {
                "users": WHOLE_CROWD,
                "one_task_a_user_wall_s": wall_s,
                "one_task_a_user_peak_bytes": peak_bytes,
            },
        })
    }
}

impl Report {
    /// A report without figures, on this machine.
    pub(crate) fn new() -> Self {
        Self { machine: Machine::here(), rows: Vec::new(), ours: None, tasks: None }
    }

    /// Whether no oracle failed.
    pub(crate) fn is_sound(&self) -> bool {
        self.all().all(|row| row.failed().is_empty())
    }

    /// The table for people.
    pub(crate) fn to_text(&self) -> String {
        let Machine { cpu, cores, load, events_per_s } = &self.machine;
        let mut lines = vec![
            format!(
                "{cpu}, {cores} cores, load {load} before the first case; one run at a time, on one thread"
            ),
            format!(
                "yardstick: a bare heap moves {} events/s here; the targets are for machines that move {}",
                human::rate(*events_per_s),
                human::rate(yardstick::EXPECTED_EVENTS_PER_S)
            ),
            format!("onsale {} ({})", capsule::code_version(), build_profile()),
            String::new(),
        ];
        let titles = ["case", "users", "virtual", "wall", "", "users/s", "events/s", "peak memory"];
        let mut rows = vec![titles.map(str::to_owned)];
        rows[0][7].push_str(", target");
        rows.extend(self.all().map(Row::cells));
        lines.extend(aligned(&rows));
        for row in self.all().filter(|row| !row.failed().is_empty()) {
            lines.push(format!("FAILED  {}: {}", row.name, row.failed().join(", ")));
        }
        if let Some(pair) = self.pair() {
            lines.extend([String::new(), pair.to_text()]);
        }
        lines.join("\n")
    }

    /// The JSON for programs.
    pub(crate) fn to_json(&self) -> String {
        let Machine { cpu, cores, load, events_per_s } = &self.machine;
        let report = json!({
            "schema": 1,
            "machine": {
                "cpu": cpu,
                "cores": cores,
                "load_before": load,
                "heap_events_per_s": events_per_s,
                "heap_events_per_s_expected": yardstick::EXPECTED_EVENTS_PER_S,
            },
            "code_version": capsule::code_version(),
            "build_profile": build_profile(),
            "cases": self.rows.iter().map(Row::to_json).collect::<Vec<_>>(),
            "pair": self.pair().map(|pair| pair.to_json()),
        });
        serde_json::to_string_pretty(&report).expect("figures are plain data")
    }

    fn all(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().chain(&self.ours).chain(&self.tasks)
    }

    fn pair(&self) -> Option<Pair<'_>> {
        let is_whole = |row: &&Row| row.name.starts_with(PAIRED) && row.users() == WHOLE_CROWD;
        let whole = self.rows.iter().find(is_whole);
        Some(Pair { ours: self.ours.as_ref()?, tasks: self.tasks.as_ref()?, whole })
    }
}

/// Names to the left, numbers to the right, remarks to the left.
fn aligned(rows: &[[String; 8]]) -> Vec<String> {
    let width =
        |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    let line = |row: &[String; 8]| {
        let cells =
            row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
                0 | 4 | 7 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
