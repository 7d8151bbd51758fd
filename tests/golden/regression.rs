//! A regression: hold failed, shrunk from seed 1 of test/small-sale.
//!
//! hN of uN is shorter than N

use onsale_scenarios::Scenario;
use onsale_sim::plan::Plan;
use onsale_sim::run::run;
use onsale_tests::complaint;
use onsale_world::Tracing;

const SCENARIO: &str = r#"
title = "A crowd competes for too few seats, and nothing breaks"
duration = "150s"
calm = "45s"

[cluster]
shards = 16

[sale]
shows = 8
hold = "30s"

[crowd]
users = 3

[crowd.arrivals]
named = { people = [["3s", 3], ["17s", 17], ["40s", 40]] }

[crowd.session]
pick-think = { median = "2s", sigma = 0.8 }
checkout-think = { median = "8s", sigma = 0.6 }

[[fault]]
crash = { at = "20s", node = "n2", down = "5s" }

[replay]
seed = "7"
streams = [["network", "24301"]]
"#;

#[test]
fn small_sale_1_hold() {
    let id = "shrunk/small-sale";
    let no_files = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let scenario = Scenario::from_toml(id, id, SCENARIO.as_bytes(), &no_files);
    let scenario = scenario.unwrap_or_else(|error| panic!("{error}"));
    let plan = Plan::new(&scenario, 7);
    let outcome = run(&plan, &std::sync::Arc::default(), Tracing::default());
    assert_eq!(complaint(&outcome), None);
}
