//! Sample sweeps, their JSON and their rates.

use super::*;

fn failure(scenario: &str, oracle: &str, seen: Seen, headline: &str) -> Failure {
    Failure {
        scenario: scenario.to_owned(),
        oracle: oracle.to_owned(),
        seen,
        headline: headline.to_owned(),
        details: vec!["calm began at 01:15.000, with 1 µs to recover in".to_owned()],
        reproduce: format!("onsale replay {} --scenario {scenario}", seen.first_seed),
        found: 0,
        capsule: None,
    }
}

fn in_range(failure: usize, seed: u64, headline: &str) -> InRange {
    InRange {
        failure,
        seen: Seen { count: 1, first_seed: seed },
        headline: headline.to_owned(),
        details: vec![format!("calm of seed {seed} began at 01:15.000")],
        reproduce: format!("onsale replay {seed} --scenario fast/crash"),
    }
}

/// Four seeds, of which two failed.
fn crash() -> ScenarioFacts {
    let bucket = |seeds, failures| Bucket { seeds, runs: 2, wall_s: None, failures };
    let third = vec![
        in_range(0, 3, "r9 of u<5> & u8 never ended"),
        in_range(1, 3, "show0 seat 5 was \"promised\": twice, 100%"),
    ];
    ScenarioFacts {
        id: "fast/crash".to_owned(),
        file: Some("scenarios/catalogue/fast/crash.toml".to_owned()),
        runs: 4,
        seeds: Some((1, 4)),
        failed_runs: 2,
        checks: [("hold".to_owned(), Some(40)), ("live".to_owned(), Some(8))].into(),
        buckets: vec![
            bucket((1, 2), vec![in_range(0, 2, "r7 of u<3> & u4 never ended")]),
            bucket((3, 4), third),
        ],
        ..ScenarioFacts::default()
    }
}

/// Four seeds that passed and did not meet an expectation.
fn calm() -> ScenarioFacts {
    ScenarioFacts {
        id: "fast/calm".to_owned(),
        runs: 4,
        seeds: Some((1, 4)),
        failed_runs: 0,
        checks: [("hold".to_owned(), Some(40)), ("live".to_owned(), None)].into(),
        oracles_missed: vec!["live".to_owned()],
        marks_missed: vec!["leader-deposed".to_owned()],
        buckets: vec![Bucket { seeds: (1, 4), runs: 4, wall_s: None, failures: Vec::new() }],
        ..ScenarioFacts::default()
    }
}

/// A regression that passed.
fn regression(id: &str, seed: u64) -> ScenarioFacts {
    ScenarioFacts {
        id: id.to_owned(),
        is_regression: true,
        runs: 1,
        seeds: Some((seed, seed)),
        checks: [("hold".to_owned(), Some(5))].into(),
        buckets: vec![Bucket { seeds: (seed, seed), runs: 1, ..Bucket::default() }],
        ..ScenarioFacts::default()
    }
}

/// Two scenarios, three failures of two kinds, one missed expectation.
pub(crate) fn failed() -> SweepFacts {
    let seen = |count, first_seed| Seen { count, first_seed };
    let promised = "show0 seat 5 was \"promised\": twice, 100%";
    let counted = |count, runs| Counted { count, runs };
    SweepFacts {
        code_version: "0.1.0+0123456789ab".to_owned(),
        build_profile: "release".to_owned(),
        seeds_asked: "1..5".to_owned(),
        failures: vec![
            failure("fast/crash", "live", seen(2, 2), "r7 of u<3> & u4 never ended"),
            failure("fast/crash", "hold", seen(1, 3), promised),
        ],
        failed_runs: 2,
        verified: 1,
        events: 1_234_567,
        virtual_us: 8 * 300_000_000,
        scenarios: vec![crash(), calm()],
        marks: [("leader-deposed".to_owned(), counted(9, 4))].into(),
        marks_never: vec!["stood-still".to_owned()],
        faults: [
            ("crash/electing".to_owned(), counted(2, 2)),
            ("crash/serving".to_owned(), counted(1_200, 4)),
            ("slow-network/serving".to_owned(), counted(3, 3)),
        ]
        .into(),
        new_marks: vec![1],
        meanings: [
            ("electing", "no leader is known"),
            ("serving", "the leader serves and waits for nothing"),
            ("stood-still", "A node found that it had stood still."),
        ]
        .into(),
        ..SweepFacts::default()
    }
}

/// The same sweep without failures.
pub(crate) fn passed() -> SweepFacts {
    let mut facts = SweepFacts { failures: Vec::new(), failed_runs: 0, ..failed() };
    for scenario in &mut facts.scenarios {
        scenario.failed_runs = 0;
        scenario.oracles_missed.clear();
        scenario.marks_missed.clear();
        scenario.buckets.iter_mut().for_each(|bucket| bucket.failures.clear());
    }
    facts
}

#[test]
fn json_names_what_programs_look_for() {
    let json: serde_json::Value = serde_json::from_str(&failed().to_json()).unwrap();
    assert_eq!((&json["seeds"], &json["failed_seeds"]), (&8.into(), &2.into()));
    assert_eq!(json["failures"][0]["oracle"], "live");
    assert_eq!(json["failures"][0]["first_seed"], "2");
    assert_eq!(json["failure_rate_below"], serde_json::Value::Null);
    assert_eq!(json["virtual_s"], 2_400.0);
    assert_eq!(json["marks"]["leader-deposed"]["runs"], 4);
    let never = serde_json::json!([
        { "scenario": "fast/calm", "oracle": "live", "required": true }
    ]);
    assert_eq!(json["not_exercised"], never);
    assert_eq!(json["marks_missed"][0]["mark"], "leader-deposed");
    assert_eq!(json["faults"]["crash/serving"]["count"], 1_200);

    let json: serde_json::Value = serde_json::from_str(&passed().to_json()).unwrap();
    let rate = json["failure_rate_below"].as_f64().unwrap();
    assert!((rate - 0.312_344).abs() < 1e-6, "{rate}");
    assert_eq!(json["not_exercised"][0]["required"], false);
}

#[test]
fn the_failure_rate_is_below_the_bound_of_clopper_and_pearson() {
    // One minus the n-th root of a twentieth; 59, 299 and 2,995 runs rule out one in 20, 100 and 1,000.
    let table = [
        (1, 0.95),
        (2, 0.776_393_202),
        (3, 0.631_596_850),
        (10, 0.258_865_572),
        (58, 0.050_339_338),
        (59, 0.049_507_610),
        (299, 0.009_969_147),
        (2_995, 0.000_999_744),
        (1_000_000, 2.995_728e-6),
    ];
    let mut before = 1.0;
    for (runs, bound) in table {
        let mut facts = passed();
        facts.scenarios.truncate(1);
        facts.scenarios[0].runs = runs;
        let rate = facts.failure_rate_below().unwrap();
        assert!((rate / bound - 1.0).abs() < 1e-6, "{rate} after {runs} runs, not {bound}");
        assert!(rate < before, "{runs} runs say more than fewer do");
        before = rate;
    }
}

/// The same sweep after three regressions, one of which fails.
pub(crate) fn relapsed() -> SweepFacts {
    let mut facts = failed();
    let mut lost = regression("regressions/lost-vote", 7);
    lost.failed_runs = 1;
    facts.failed_runs += 1;
    let forgot =
        failure("regressions/lost-vote", "hold", Seen { count: 1, first_seed: 7 }, "it is back");
    facts.failures.insert(0, forgot);
    let others = [regression("regressions/old-text", 318), regression("regressions/torn", 1)];
    facts.scenarios.splice(0..0, others.into_iter().chain([lost]));
    facts
}

#[test]
fn regressions_are_no_sample() {
    let mut facts = relapsed();
    assert_eq!(facts.failed_of(), "2 of 8 seeds and 1 of 3 regressions");
    let json: serde_json::Value = serde_json::from_str(&facts.to_json()).unwrap();
    assert_eq!((&json["seeds"], &json["failed_seeds"]), (&8.into(), &2.into()));
    assert_eq!(json["regressions"], serde_json::json!({ "played": 3, "failed": 1 }));
    assert_eq!(json["scenarios"][0]["regression"], true);
    facts.scenarios.retain(|scenario| scenario.is_regression || scenario.id == "fast/calm");
    assert_eq!(facts.failed_of(), "1 of 3 regressions");
    assert_eq!((facts.runs(), facts.passes()), (7, 4));
    assert_eq!(facts.failure_rate_below(), None, "a regression failed");
}
