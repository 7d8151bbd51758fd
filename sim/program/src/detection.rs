//! Detection: how soon an oracle sees what an unsafe setting breaks.
//!
//! Owns the count of seeds from a start to the first run in which the named oracle fails, and the choice of
//! starts. Refuses to know what the setting does and how many runs go on at once.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use onsale_reports::Detection;
use onsale_scenarios::{MustFail, Scenario, hazards};
use onsale_sim::allowance::allowance;
use onsale_sim::plan::Plan;
use onsale_sim::run::run_within;
use onsale_world::{Progress, Tracing};

/// Number of starts from which each scenario is measured, so that no single lucky seed decides.
pub const STARTS: u32 = 20;
/// The seeds of the nth start begin at n times this.
const STRIDE: u64 = 1_000;

/// Number of seeds from a start until the oracle fails; `None` if it does not within the scenario's limit.
///
/// # Errors
/// [`Interrupted`]: an incomplete count means nothing.
pub fn seeds_to_failure(
    scenario: &Scenario,
    must_fail: &MustFail,
    start: u32,
    progress: &Arc<Progress>,
) -> Result<Option<u32>, Interrupted> {
    let first = u64::from(start) * STRIDE;
    for count in 1..=must_fail.within {
        let plan = Plan::new(scenario, first + u64::from(count - 1));
        let outcome = run_within(&plan, progress, Tracing::default(), allowance(scenario));
        if progress.stop.load(Ordering::Relaxed) {
            return Err(Interrupted);
        }
        if outcome.failed().contains(&must_fail.oracle.as_str()) {
            return Ok(Some(count));
        }
    }
    Ok(None)
}

/// The runs were interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

/// The facts known of a scenario before the first run.
pub fn unmeasured(scenario: &Scenario, must_fail: &MustFail) -> Detection {
    let hazards = hazards(scenario);
    let ids = hazards.iter().flat_map(|(hazard, _)| hazard.failures);
    Detection {
        scenario: scenario.id.clone(),
        failures: ids.map(|&id| id.to_owned()).collect(),
        settings: hazards.into_iter().map(|(_, setting)| setting).collect(),
        oracle: must_fail.oracle.clone(),
        within: must_fail.within,
        seeds: Vec::new(),
    }
}
