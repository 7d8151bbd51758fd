//! The circumstances of a failure: when it was found, the failure before it, the unsafe settings
//! in force, and the latest fault.
//!
//! Owns these lines of the evidence. Refuses to judge, and to claim a cause.

use onsale_booking::Instant;
use onsale_reports::OracleResult;
use onsale_scenarios::{Scenario, hazards};

use crate::struck::Struck;

/// Puts the circumstances in front of the details of each failure.
pub(super) fn add(results: &mut [OracleResult], scenario: &Scenario, struck: &[Struck]) {
    if results.iter().all(|result| result.evidence.is_none()) {
        return;
    }
    let found = |result: &OracleResult| result.evidence.as_ref()?.found_us.map(Instant);
    let first = results
        .iter()
        .filter_map(|result| Some((found(result)?, result.name.clone())))
        .min_by_key(|&(at, _)| at);
    let unsafe_settings: Vec<String> = hazards(scenario)
        .into_iter()
        .map(|(hazard, setting)| format!("unsafe setting: {setting}: {}", hazard.lets))
        .collect();
    for result in results {
        let Some(evidence) = &mut result.evidence else { continue };
        let Some(at) = evidence.found_us.map(Instant) else { continue };
        let earlier = first.as_ref().filter(|(first, _)| *first < at);
        let mut lines = vec![match earlier {
            Some((first, name)) => format!("found at {at}; {name} had failed before, at {first}"),
            None => format!("found at {at}"),
        }];
        lines.extend(struck.iter().rfind(|struck| struck.at <= at).map(fault));
        lines.extend_from_slice(&unsafe_settings);
        evidence.details.splice(..0, lines);
    }
}

fn fault(struck: &Struck) -> String {
    let Struck { what, at, healed, .. } = struck;
    match healed {
        Some(healed) => format!("latest fault: {what}, from {at} to {healed}"),
        None => format!("latest fault: {what}, from {at} to the end"),
    }
}
