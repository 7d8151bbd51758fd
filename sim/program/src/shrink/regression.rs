//! A shrunk failure as files for a repository: a scenario and a test.
//!
//! Owns their text. Both expand into the very plan that failed. Refuses to write them anywhere.

use std::fmt::Write as _;

use onsale_sim::plan::Plan;
use onsale_world::limits::Limit;
use onsale_world::stream::fork;

use crate::signature::Signature;

/// What is told of a shrunk failure beside its plan.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The scenario of the plan that was shrunk.
    pub scenario: &'a str,
    /// Its seed.
    pub seed: u64,
    /// How it fails.
    pub signature: &'a Signature,
    /// The limit that stops it, if one does.
    pub limit: Option<Limit>,
}

/// The plan's scenario as a file: its faults at fixed times, its people by name.
pub fn scenario(plan: &Plan, origin: Origin<'_>) -> String {
    let Origin { scenario, seed, signature, limit } = origin;
    let limit = limit.map(|limit| format!(" {limit}")).unwrap_or_default();
    let mut text = format!(
        "# {} fails: {}\n# Shrunk from seed {seed} of {}.\n",
        signature.oracle,
        plainly(&signature.kind),
        plainly(scenario)
    );
    let foreign = foreign_streams(plan);
    if foreign.is_empty() {
        writeln!(text, "# It fails under `--seed {}{limit}`.", plan.seed).expect(TAKES);
    } else {
        writeln!(
            text,
            "# Seed {} alone draws other values than the failure needs: its capsule has them.",
            plan.seed
        )
        .expect(TAKES);
    }
    text + &fixed(plan).to_brief_toml()
}

/// The plan as a test in Rust that passes once nothing fails any more.
pub fn test(plan: &Plan, origin: Origin<'_>) -> String {
    let Origin { scenario, seed, signature, limit } = origin;
    let (imports, run) = match limit {
        None => (
            "use onsale_sim::run::run;",
            "run(&plan, &std::sync::Arc::default(), Tracing::default())".to_owned(),
        ),
        Some(limit) => {
            let limit = match limit {
                Limit::MaxEvents(events) => format!("MaxEvents({events})"),
                Limit::MaxBytes(bytes) => format!("MaxBytes({bytes})"),
            };
            (
                "use onsale_sim::run::run_within;\nuse onsale_world::limits::{Limit, Limits};",
                format!(
                    "{{\n        let limits = Limits::only(Some(Limit::{limit}));\n        \
                     run_within(&plan, &std::sync::Arc::default(), Tracing::default(), limits)\n    }}"
                ),
            )
        }
    };
    let toml = fixed(plan).to_brief_toml();
    let fence = "#".repeat(1 + longest_run(&toml, '#'));
    let mut streams = String::new();
    for (name, value) in foreign_streams(plan) {
        writeln!(streams, "    plan.streams.insert({name:?}.to_owned(), {value:#018x});")
            .expect(TAKES);
    }
    let mutable = if streams.is_empty() { "" } else { "mut " };
    let name = name(scenario, seed, &signature.oracle);
    format!(
        r##"//! A regression: {oracle} failed, shrunk from seed {seed} of {scenario}.
//!
//! {kind}

use onsale_scenarios::Scenario;
use onsale_sim::plan::Plan;
{imports}
use onsale_world::Tracing;
use onsale_tests::complaint;

const SCENARIO: &str = r{fence}"
{toml}"{fence};

#[test]
fn {name}() {{
    let id = "{id}";
    let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let scenario = Scenario::from_toml(id, id, SCENARIO.as_bytes(), &no_files);
    let scenario = scenario.unwrap_or_else(|error| panic!("{{error}}"));
    let {mutable}plan = Plan::new(&scenario, {plan_seed});
{streams}    let outcome = {run};
    assert_eq!(complaint(&outcome), None);
}}
"##,
        oracle = signature.oracle,
        scenario = plainly(scenario),
        kind = plainly(&signature.kind),
        id = plan.scenario.id.escape_default(),
        plan_seed = plan.seed,
    )
}

const TAKES: &str = "a string takes what is written to it";

/// The scenario with the plan's faults instead of those that a seed would draw.
fn fixed(plan: &Plan) -> onsale_scenarios::Scenario {
    onsale_scenarios::Scenario { faults: plan.faults.clone(), swarm: None, ..plan.scenario.clone() }
}

/// The streams that the plan's seed does not draw.
fn foreign_streams(plan: &Plan) -> Vec<(&str, u64)> {
    let streams = plan.streams.iter().map(|(name, &value)| (name.as_str(), value));
    streams.filter(|&(name, value)| value != fork(plan.seed, name)).collect()
}

/// Text that stays in its comment.
fn plainly(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or_default()
}

/// `crash_7_double_booking`.
fn name(scenario: &str, seed: u64, oracle: &str) -> String {
    let stem = std::path::Path::new(scenario).file_stem().unwrap_or_default().to_string_lossy();
    let mut name: String = format!("{stem}_{seed}_{oracle}")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

#[cfg(test)]
mod tests {
    use onsale_scenarios::Scenario;

    use super::*;
    use crate::shrink::people;

    fn plan() -> Plan {
        let scenario = onsale_scenarios::catalogue::find("fast/all-families").unwrap().scenario();
        let mut plan = Plan::new(&scenario, 7);
        plan = people::named(&plan).remove(0);
        plan = people::without(&plan, 3..2_000).unwrap();
        crate::shrink::tidy(&mut plan);
        plan
    }

    fn signature() -> Signature {
        Signature { oracle: "double-booking".to_owned(), kind: "seat N is gone\n twice".to_owned() }
    }

    fn again(plan: &Plan, toml: &str) -> Plan {
        let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
        let id = &plan.scenario.id;
        let scenario = Scenario::from_toml(id, id, toml.as_bytes(), &no_files).unwrap();
        let mut again = Plan::new(&scenario, plan.seed);
        for (name, value) in foreign_streams(plan) {
            again.streams.insert(name.to_owned(), value);
        }
        again
    }

    #[test]
    fn the_files_expand_into_the_very_plan() {
        let (plain, mut lucky) = (plan(), plan());
        lucky.streams.insert("network".to_owned(), 0x1f);
        lucky.scenario.title = "A \"#quoted\"## title".to_owned();
        for plan in [plain, lucky] {
            let signature = signature();
            let origin = Origin {
                scenario: "fast/all-families",
                seed: 7,
                signature: &signature,
                limit: None,
            };
            assert_eq!(again(&plan, &scenario(&plan, origin)), plan);

            let test = test(&plan, origin);
            let (_, rest) = test.split_once("const SCENARIO: &str = r#").unwrap();
            let fence = &rest[..rest.find('"').unwrap()];
            let (toml, code) =
                rest[fence.len() + 1..].split_once(&format!("\"#{fence};\n")).unwrap();
            assert_eq!(again(&plan, toml), plan);
            assert_eq!(code.contains("\"network\".to_owned(), 0x000000000000001f"), {
                !foreign_streams(&plan).is_empty()
            });
        }
    }

    #[test]
    fn the_scenario_says_whether_its_seed_is_enough() {
        let signature = signature();
        let origin =
            Origin { scenario: "my sales/x.toml", seed: 5, signature: &signature, limit: None };
        let mut plan = plan();
        let text = scenario(&plan, origin);
        assert!(text.starts_with("# double-booking fails: seat N is gone  twice\n"), "{text}");
        assert!(text.contains("# Shrunk from seed 5 of my sales/x.toml.\n"), "{text}");
        assert!(text.contains("# It fails under `--seed 7`.\n"), "{text}");
        plan.streams.insert("network".to_owned(), 0x1f);
        assert!(scenario(&plan, origin).contains("# Seed 7 alone draws other values"));
    }

    #[test]
    fn a_test_has_a_name_that_rust_takes() {
        assert_eq!(name("fast/all-families", 7, "hold"), "all_families_7_hold");
        assert_eq!(name("sales/10 m.toml", 1, "lost-booking"), "_10_m_1_lost_booking");
    }
}
