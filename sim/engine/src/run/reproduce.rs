//! How a run is played again.
//!
//! Owns the line to paste, and how this code was built. Refuses to know how the program was started:
//! lines begin with `onsale`.

use onsale_reports::plain::quoted;
use onsale_scenarios::{Arrivals, Scenario, reading};

use crate::plan::Plan;

/// How this code was built.
pub const fn build_profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

/// The line that plays a seed's run again.
pub fn reproduce(plan: &Plan) -> String {
    replay_line(&seed_of(plan.seed, &plan.scenario.id)) + permission(&plan.scenario)
}

/// What lets the program read a trace that is not below the folder of its scenario.
pub const ALLOW_OUTSIDE: &str = " --allow-outside";

/// What must stand behind a line that reads the scenario: ` --allow-outside`, if it names a trace that is not
/// below its folder.
pub fn permission(scenario: &Scenario) -> &'static str {
    match &scenario.crowd.arrivals {
        Arrivals::Trace { file, .. } if !reading::is_below(file) => ALLOW_OUTSIDE,
        Arrivals::Trace { .. }
        | Arrivals::Constant { .. }
        | Arrivals::Poisson { .. }
        | Arrivals::Ramp { .. }
        | Arrivals::Spike { .. }
        | Arrivals::OnSale { .. }
        | Arrivals::Named { .. } => "",
    }
}

/// A seed and its scenario, as `replay` takes them.
pub fn seed_of(seed: u64, scenario: &str) -> String {
    format!("{seed} --scenario {}", quoted(scenario))
}

/// The line that replays what is named. A program that was started in another way says it in that way.
pub fn replay_line(subject: &str) -> String {
    format!("onsale replay {subject}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_to_paste_survive_a_shell() {
        let scenario = onsale_scenarios::catalogue::find("fast/crash").unwrap().scenario();
        let mut plan = Plan::new(&scenario, 7);
        assert_eq!(reproduce(&plan), "onsale replay 7 --scenario fast/crash");
        plan.scenario.id = "my sales/it's.toml".to_owned();
        assert!(reproduce(&plan).ends_with(r"--scenario 'my sales/it'\''s.toml'"));
    }
}
