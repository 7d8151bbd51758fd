//! The circumstances of a failure: the promise and the rules that broke, when it was found, the failure before it, the
//! unsafe settings in force, and the latest fault.
//!
//! Owns these lines of the evidence. Refuses to judge, and to claim a cause.

use onsale_booking::Instant;
use onsale_oracles::Oracles;
use onsale_reports::{Oracle, OracleResult};
use onsale_scenarios::{Scenario, hazards};

use crate::judges;
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
        let mut lines = promises(&result.name, &evidence.rules);
        let at = evidence.found_us.map(Instant);
        let earlier = first.as_ref().filter(|(first, _)| at.is_none_or(|at| *first < at));
        let when = at.map_or_else(|| "at the end of the run".to_owned(), |at| format!("at {at}"));
        lines.push(match earlier {
            Some((first, name)) => format!("found {when}; {name} had failed before, at {first}"),
            None => format!("found {when}"),
        });
        let nearest = struck.iter().rfind(|struck| at.is_none_or(|at| struck.at <= at));
        lines.extend(nearest.map(fault));
        lines.extend_from_slice(&unsafe_settings);
        evidence.details.splice(..0, lines);
    }
}

/// The promise of an oracle, and the broken rules, each in a sentence.
fn promises(oracle: &str, rules: &[String]) -> Vec<String> {
    let promise = Oracle::ALL.iter().find(|known| known.name() == oracle);
    let promise = promise.map(|oracle| format!("promised: {}", oracle.meaning()));
    let known = || Oracles::RULES.into_iter().chain(judges::RULES).flatten();
    let sentence = |name: &String| {
        let rule = known().find(|rule| rule.oracle.name() == oracle && rule.name == name)?;
        Some(format!("broken rule {name}: {}", rule.failure))
    };
    promise.into_iter().chain(rules.iter().filter_map(sentence)).collect()
}

fn fault(struck: &Struck) -> String {
    let Struck { what, at, healed, .. } = struck;
    match healed {
        Some(healed) => format!("latest fault: {what}, from {at} to {healed}"),
        None => format!("latest fault: {what}, from {at} to the end"),
    }
}
