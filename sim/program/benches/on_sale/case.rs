//! One case: the scenario that runs, and the figures read off the run.
//!
//! Owns the scenarios of the cases and the figures of a run. Refuses to know in which process it runs, and what
//! the figures are compared with.

use std::sync::Arc;

use onsale_booking::Span;
use onsale_scenarios::{Arrivals, Scenario, catalogue};
use onsale_sim::plan::Plan;
use onsale_sim::run::run;
use onsale_sim::wall::peak_rss_bytes;
use onsale_world::Tracing;
use serde::{Deserialize, Serialize};

use crate::plain;

/// The seed of every case except the sweep, which begins with it.
pub(crate) const SEED: u64 = 1;
/// Duration of the idle cluster's run.
pub(crate) const IDLE: Span = Span::from_secs(600);
/// The scenario that the pair plays, scaled.
pub(crate) const PAIRED: &str = "slow/stadium-10m-no-queue";

/// A case to measure.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Case {
    /// A scenario of the catalogue, unchanged.
    Catalogue {
        /// Its id.
        scenario: String,
    },
    /// The standard fault seed, many seeds one after another.
    Sweep {
        /// Number of seeds.
        seeds: u64,
    },
    /// A large idle cluster with hardly any users: heartbeats only.
    Idle,
    /// The scenario of the pair on this engine.
    Ours {
        /// Number of people.
        users: u32,
    },
    /// The scenario of the pair as one task a user on plain madsim.
    Tasks {
        /// Number of people.
        users: u32,
    },
}

/// The figures of one run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Real time from start to end, in seconds.
    pub wall_s: f64,
    /// Virtual time from start to end, in seconds.
    pub virtual_s: f64,
    /// People of the scenario.
    pub users: u64,
    /// Events simulated; `None` if the executor does not count them.
    pub events: Option<u64>,
    /// Messages delivered.
    pub messages: u64,
    /// Seats booked at the end, and seats in all.
    pub seats: (u64, u64),
    /// Fates of the people.
    pub fates: Vec<(String, u64)>,
    /// Oracles that failed, with the seed.
    pub failed: Vec<String>,
}

/// The figures of a case.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Every run.
    pub runs: Vec<Run>,
    /// Resident memory of the process before its first run, in bytes.
    pub before_bytes: u64,
    /// Peak resident memory of the process, in bytes.
    pub peak_bytes: u64,
}

impl Measured {
    /// Adds the figures that another process measured.
    pub(crate) fn add(&mut self, other: Self) {
        self.runs.extend(other.runs);
        self.before_bytes = self.before_bytes.max(other.before_bytes);
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
    }
}

impl Case {
    /// Runs the case in this process.
    pub(crate) fn measure(&self) -> Measured {
        let before_bytes = peak_rss_bytes();
        let runs = match self {
            Self::Catalogue { scenario } => vec![ours(&load(scenario), SEED)],
            Self::Sweep { seeds } => {
                let scenario = load("fast/all-families");
                (SEED..SEED + seeds).map(|seed| ours(&scenario, seed)).collect()
            }
            Self::Idle => vec![ours(&idle(), SEED)],
            Self::Ours { users } => vec![ours(&scaled(*users), SEED)],
            Self::Tasks { users } => vec![plain::run(&Plan::new(&scaled(*users), SEED))],
        };
        Measured { runs, before_bytes, peak_bytes: peak_rss_bytes() }
    }
}

/// Fifty nodes, 1,024 shards, ten minutes, one person.
fn idle() -> Scenario {
    let title = "A large cluster waits".to_owned();
    let mut scenario = Scenario { title, duration: IDLE, ..Scenario::default() };
    scenario.cluster.nodes = 50;
    scenario.cluster.shards = 1_024;
    scenario.crowd.users = 1;
    scenario.crowd.arrivals = Arrivals::Constant { over: IDLE };
    scenario
}

fn ours(scenario: &Scenario, seed: u64) -> Run {
    let outcome = run(&Plan::new(scenario, seed), &Arc::default(), Tracing::default());
    let failed =
        outcome.failed().into_iter().map(|oracle| format!("{oracle} (seed {seed})")).collect();
    let facts = outcome.summary.facts;
    Run {
        wall_s: facts.wall_s,
        virtual_s: facts.virtual_s,
        users: facts.users,
        events: Some(facts.events),
        messages: facts.messages,
        seats: (facts.sold_seats, facts.seats),
        fates: facts.users_outcome,
        failed,
    }
}

fn load(scenario: &str) -> Scenario {
    catalogue::load(scenario).expect("the catalogue has the scenario")
}

/// The pair's scenario for fewer people and proportionally fewer seats, so that the same share of the crowd is
/// refused. The hall loses rows before sections, because people look at sections.
fn scaled(users: u32) -> Scenario {
    let mut scenario = load(PAIRED);
    let (sale, crowd) = (&mut scenario.sale, &mut scenario.crowd);
    let rows =
        u64::from(sale.sections) * u64::from(sale.rows) * u64::from(users) / u64::from(crowd.users);
    sale.sections = rows.clamp(1, u64::from(sale.sections)) as u16;
    sale.rows = (rows / u64::from(sale.sections)).max(1) as u16;
    crowd.users = users;
    scenario
}
