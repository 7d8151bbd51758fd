//! The size of a failure.
//!
//! Owns the figures that shrinking reduces. Refuses to say what is small.

use serde::Serialize;

use super::Case;

/// The size of a failing run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Scale {
    /// Faults.
    pub faults: u64,
    /// People.
    pub users: u64,
    /// Shows.
    pub shows: u64,
    /// Seats of each show.
    pub seats: u64,
    /// Booking nodes.
    pub nodes: u64,
    /// Shards.
    pub shards: u64,
    /// Latest virtual end of the run, in seconds.
    pub duration_s: f64,
    /// Events simulated.
    pub events: u64,
    /// Wall time of one run, in milliseconds.
    pub wall_ms: f64,
}

impl Scale {
    /// The size of a case.
    pub fn of(case: &Case) -> Self {
        let scenario = &case.plan.scenario;
        let sale = &scenario.sale;
        Self {
            faults: case.plan.faults.len() as u64,
            users: scenario.crowd.users.into(),
            shows: sale.shows.into(),
            seats: u64::from(sale.sections) * u64::from(sale.rows) * u64::from(sale.seats_per_row),
            nodes: scenario.cluster.nodes.into(),
            shards: scenario.cluster.shards.into(),
            duration_s: scenario.duration.as_secs_f64(),
            events: case.trial.events,
            wall_ms: case.trial.wall_s * 1e3,
        }
    }
}
