//! A shrunk failure as files for a repository: a scenario and a test.
//!
//! Owns their text. Both expand into exactly the plan that failed. Refuses to write the files.

use std::fmt::Write as _;

use onsale_reports::json::seed::Seed;
use onsale_scenarios::{Replay, Scenario};
use onsale_sim::plan::Plan;
use onsale_world::limits::Limit;
use onsale_world::stream::fork;

use crate::signature::Signature;

/// The origin of a shrunk failure, for its files.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The scenario of the original plan.
    pub scenario: &'a str,
    /// The seed of the original plan.
    pub seed: u64,
    /// The signature of the failure.
    pub signature: &'a Signature,
    /// The limit that stops the run, if one does.
    pub limit: Option<Limit>,
}

impl<'a> Origin<'a> {
    /// The origin of a failure that is shrunk from a plan.
    pub fn of(plan: &'a Plan, signature: &'a Signature, limit: Option<Limit>) -> Self {
        Self { scenario: &plan.scenario.id, seed: plan.seed, signature, limit }
    }
}

/// The plan's scenario as a file: with faults at fixed times, people by name, and the seed under which it fails.
pub fn scenario(plan: &Plan, origin: Origin<'_>) -> String {
    let Origin { scenario, seed, signature, limit } = origin;
    let mut text = format!(
        "# {} fails: {}\n# Shrunk from seed {seed} of {}.\n",
        signature.oracle,
        plainly(&signature.kind),
        plainly(scenario)
    );
    if let Some(limit) = limit {
        writeln!(text, "# It fails with {limit}.").expect(TAKES);
    }
    text + &fixed(plan).to_brief_toml()
}

/// Most lines of a story in a regression's comment, so that the file stays readable.
const STORY_LINES: usize = 40;

/// The same file as a regression of the catalogue, with its story as comment.
pub fn saved(plan: &Plan, origin: Origin<'_>, story: &str) -> String {
    let Origin { scenario, seed, signature, .. } = origin;
    let mut text = format!(
        "# {} failed: {}\n# Shrunk from seed {seed} of {}.\n#\n",
        signature.oracle,
        plainly(&signature.kind),
        plainly(scenario)
    );
    for line in story.lines().take(STORY_LINES) {
        writeln!(text, "# {}", plainly(line).trim_end()).expect(TAKES);
    }
    let untold = story.lines().count().saturating_sub(STORY_LINES);
    if untold > 0 {
        writeln!(text, "# and {untold} lines more").expect(TAKES);
    }
    text + &fixed(plan).to_brief_toml()
}

/// The name of the file, without extension: `crash-7-double-booking`.
pub fn file_stem(origin: Origin<'_>) -> String {
    let name = name(origin.scenario, origin.seed, &origin.signature.oracle);
    name.trim_start_matches('_').replace('_', "-")
}

/// The plan as a test in Rust that passes once the failure is gone.
pub fn test(plan: &Plan, origin: Origin<'_>) -> String {
    let Origin { scenario, seed, signature, limit } = origin;
    let (imports, run) = match limit {
        None => (
            "use onsale_sim::run::run;\nuse onsale_tests::complaint;",
            "run(&plan, &std::sync::Arc::default(), Tracing::default())".to_owned(),
        ),
        Some(limit) => {
            let limit = match limit {
                Limit::MaxEvents(events) => format!("MaxEvents({events})"),
                Limit::MaxBytes(bytes) => format!("MaxBytes({bytes})"),
            };
            (
                "use onsale_sim::run::run_within;\nuse onsale_tests::complaint;\nuse onsale_world::limits::{Limit, Limits};",
                format!(
                    "{{\n        let limits = Limits::only(Some(Limit::{limit}));\n        \
                     run_within(&plan, &std::sync::Arc::default(), Tracing::default(), limits)\n    }}"
                ),
            )
        }
    };
    let toml = fixed(plan).to_brief_toml();
    let fence = "#".repeat(1 + longest_run(&toml, '#'));
    let name = name(scenario, seed, &signature.oracle);
    format!(
        r##"//! A regression: {oracle} failed, shrunk from seed {seed} of {scenario}.
//!
//! {kind}

use onsale_scenarios::Scenario;
use onsale_sim::plan::Plan;
{imports}
use onsale_world::Tracing;

const SCENARIO: &str = r{fence}"
{toml}"{fence};

#[test]
fn {name}() {{
    let id = "{id}";
    let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let scenario = Scenario::from_toml(id, id, SCENARIO.as_bytes(), &no_files);
    let scenario = scenario.unwrap_or_else(|error| panic!("{{error}}"));
    let plan = Plan::new(&scenario, {plan_seed});
    let outcome = {run};
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

/// The scenario with the plan's faults in place of a swarm, and with its seeds.
fn fixed(plan: &Plan) -> Scenario {
    let replay = Replay { seed: Seed(plan.seed), streams: foreign_streams(plan) };
    Scenario {
        faults: plan.faults.clone(),
        swarm: None,
        replay: Some(replay),
        ..plan.scenario.clone()
    }
}

/// The streams that do not follow from the plan's seed.
fn foreign_streams(plan: &Plan) -> Vec<(String, Seed)> {
    let foreign = |(name, value): (&String, &u64)| {
        (*value != fork(plan.seed, name)).then(|| (name.clone(), Seed(*value)))
    };
    plan.streams.iter().filter_map(foreign).collect()
}

/// Text that cannot leave its comment.
fn plainly(text: &str) -> String {
    text.split(char::is_control).collect::<Vec<_>>().join(" ")
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|c| c != wanted).map(str::len).max().unwrap_or_default()
}

/// The name of the test: `crash_7_double_booking`.
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
        let again = Plan::new(&scenario, plan.seed);
        Plan { scenario: Scenario { replay: None, ..again.scenario }, ..again }
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
            let (toml, _) = rest[fence.len() + 1..].split_once(&format!("\"#{fence};\n")).unwrap();
            assert_eq!(again(&plan, toml), plan);
            assert_eq!(again(&plan, &saved(&plan, origin, "00:01 u0 asks\n")), plan);
        }
    }

    #[test]
    fn a_scenario_says_what_failed_and_under_which_seeds() {
        let signature = signature();
        let origin =
            Origin { scenario: "my sales/x.toml", seed: 5, signature: &signature, limit: None };
        let mut plan = plan();
        plan.streams.insert("network".to_owned(), 31);
        let text = scenario(&plan, origin);
        assert!(text.starts_with("# double-booking fails: seat N is gone  twice\n"), "{text}");
        assert!(text.contains("# Shrunk from seed 5 of my sales/x.toml.\n"), "{text}");
        assert!(text.contains("[replay]\nseed = \"7\"\n"), "{text}");
        assert!(text.contains("streams = [[\"network\", \"31\"]]"), "{text}");
    }

    #[test]
    fn a_regression_has_its_story_as_comment() {
        let signature = signature();
        let origin = Origin { scenario: "fast/x", seed: 5, signature: &signature, limit: None };
        let story = "  00:01  u0  asks n1\n".repeat(STORY_LINES + 3);
        let text = saved(&plan(), origin, &story);
        assert!(text.starts_with("# double-booking failed: seat N"), "{text}");
        assert_eq!(text.matches("#   00:01  u0  asks n1\n").count(), STORY_LINES);
        assert!(text.contains("\n# and 3 lines more\n"), "{text}");
        assert_eq!(file_stem(origin), "x-5-double-booking");
    }

    #[test]
    fn a_test_has_a_name_that_rust_takes() {
        assert_eq!(name("fast/all-families", 7, "hold"), "all_families_7_hold");
        assert_eq!(name("sales/10 m.toml", 1, "lost-booking"), "_10_m_1_lost_booking");
    }
}
