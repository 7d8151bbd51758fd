//! The command line that replays a run.
//!
//! Owns the line to paste, and the build profile. Refuses to know how the program was started:
//! lines begin with `onsale`.

use onsale_reports::plain::quoted;
use onsale_scenarios::{Arrivals, Scenario, reading};

use crate::plan::Plan;

/// The profile that this code was built with: `debug` or `release`.
pub const fn build_profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

/// The line that replays a seed's run.
pub fn reproduce(plan: &Plan) -> String {
    replay_line(&seed_of(plan.seed, &plan.scenario.id)) + permission(&plan.scenario)
}

/// The flag that lets the program read a trace outside the folder of its scenario.
pub const ALLOW_OUTSIDE: &str = " --allow-outside";

/// The end of a line that reads the scenario: ` --allow-outside` if its trace is outside its folder, else
/// nothing.
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

/// A seed and its scenario, as arguments of `replay`.
pub fn seed_of(seed: u64, scenario: &str) -> String {
    format!("{seed} --scenario {}", quoted(scenario))
}

/// The line that replays a subject. A program that was started in another way rewrites it.
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
