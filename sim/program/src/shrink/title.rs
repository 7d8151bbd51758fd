//! The title of a shrunk plan, which says what is left.
//!
//! Owns the sentence. Refuses to know the original plan.

use std::fmt::Write as _;

use onsale_reports::human;
use onsale_scenarios::hazards;
use onsale_sim::plan::Plan;

/// `hold fails with 2 people, 1 show, 3 nodes and 1 shard; a crash; sale.expiry = "timers"`.
pub(super) fn of(plan: &Plan, oracle: &str) -> String {
    let scenario = &plan.scenario;
    let count = |number: u64, one: &str, many: &str| {
        format!("{} {}", human::count(number), if number == 1 { one } else { many })
    };
    let mut title = format!(
        "{oracle} fails with {}, {}, {} and {}",
        count(scenario.crowd.users.into(), "person", "people"),
        count(scenario.sale.shows.into(), "show", "shows"),
        count(scenario.cluster.nodes.into(), "node", "nodes"),
        count(scenario.cluster.shards.into(), "shard", "shards"),
    );
    let mut families: Vec<&str> = Vec::new();
    for fault in &plan.faults {
        let name = fault.family().name();
        if !families.contains(&name) {
            families.push(name);
        }
    }
    let faults = families.into_iter().map(|name| {
        let many = plan.faults.iter().filter(|fault| fault.family().name() == name).count();
        if many == 1 { name.to_owned() } else { format!("{many} × {name}") }
    });
    let settings = hazards(scenario).into_iter().map(|(_, setting)| setting);
    for cause in faults.chain(settings) {
        write!(title, "; {cause}").expect("a string takes what is written to it");
    }
    title
}
