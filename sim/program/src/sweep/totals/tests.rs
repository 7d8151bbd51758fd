//! Totals of results made by hand.

use onsale_world::limits::Limit;

use super::*;
use crate::sweep::{BoundToFail, Named, SCHEMA};

fn header(slice: &str, seeds: &str) -> Header {
    let named = |id: &str| Named {
        id: id.to_owned(),
        hash: String::new(),
        oracles: vec!["hold".to_owned(), "live".to_owned()],
        marks: vec!["leader-deposed".to_owned()],
        fails: None,
        replay: None,
        allow_outside: false,
    };
    Header {
        schema: SCHEMA,
        code_version: "0.1.0".to_owned(),
        build_profile: "debug".to_owned(),
        scenarios: vec![named("fast/crash"), named("fast/calm")],
        seeds: seeds.parse().unwrap(),
        slice: slice.parse().unwrap(),
        verify_every: 0,
        events_max: None,
        bytes_max: None,
        fail_fast: false,
        settings: false,
        guided: false,
    }
}

fn passed(scenario: &str, seed: u64) -> SeedResult {
    SeedResult {
        scenario: scenario.to_owned(),
        seed,
        trace: format!("{seed:016x}"),
        events: 10,
        virtual_us: 1_000_000,
        verified: false,
        near: false,
        limit: None,
        checks: [("hold".to_owned(), Some(3)), ("live".to_owned(), Some(1))].into(),
        failures: Vec::new(),
        marks: [("leader-deposed".to_owned(), 2)].into(),
        faults: [("crash/serving".to_owned(), 1)].into(),
        reached: [("crash/serving".to_owned(), ["leader-deposed".to_owned()].into())].into(),
        moments: [("voting/came".to_owned(), 1)].into(),
    }
}

fn failed(scenario: &str, seed: u64, oracle: &str, headline: &str) -> SeedResult {
    let failed = Failed {
        oracle: oracle.to_owned(),
        headline: headline.to_owned(),
        details: vec![format!("told of seed {seed}")],
    };
    SeedResult { failures: vec![failed], ..passed(scenario, seed) }
}

fn totals(results: &[SeedResult]) -> SweepFacts {
    let mut totals = Totals::new(&header("hash:1/1", "1..101"));
    results.iter().for_each(|result| totals.add(result));
    totals.facts(None)
}

#[test]
fn failures_that_differ_in_numbers_are_one() {
    let facts = totals(&[
        passed("fast/crash", 1),
        failed("fast/crash", 2, "live", "r7 of u41 never ended"),
        failed("fast/calm", 2, "live", "r7 of u41 never ended"),
        failed("fast/crash", 3, "live", "r12 of u9 never ended"),
        failed("fast/crash", 4, "hold", "r12 of u9 never ended"),
        failed("fast/crash", 5, "live", "h3 of u9 was never resolved"),
    ]);
    let seen: Vec<_> = facts
        .failures
        .iter()
        .map(|failure| (&*failure.scenario, &*failure.oracle, failure.seen.count))
        .collect();
    let expected = [
        ("fast/crash", "live", 2),
        ("fast/calm", "live", 1),
        ("fast/crash", "hold", 1),
        ("fast/crash", "live", 1),
    ];
    assert_eq!(seen, expected);
    let first = &facts.failures[0];
    assert_eq!(first.seen.first_seed, 2);
    assert_eq!(first.details, ["told of seed 2"]);
    assert_eq!(first.reproduce, "onsale replay 2 --scenario fast/crash");
    assert_eq!((facts.runs(), facts.failed_runs), (6, 5));
    assert_eq!(exit(&facts), Exit::OracleFailed);
}

#[test]
fn limits_that_were_missed_are_told_apart_from_broken_promises() {
    let slow = || failed("fast/crash", 2, "latency", "hold p99 < 1s: it was 5000 ms");
    assert_eq!(exit(&totals(&[slow()])), Exit::LatencyMissed);
    let broken = failed("fast/crash", 3, "live", "r7 of u41 never ended");
    assert_eq!(exit(&totals(&[slow(), broken])), Exit::OracleFailed);
}

#[test]
fn what_one_seed_missed_another_may_exercise() {
    let mut idle = passed("fast/crash", 1);
    idle.checks.insert("live".to_owned(), None);
    let facts = totals(std::slice::from_ref(&idle));
    assert_eq!(facts.scenarios[0].oracles_missed, ["live"]);
    assert_eq!(exit(&facts), Exit::NotExercised);
    assert_eq!(facts.missed().count(), 1, "of the scenario that ran");

    let facts = totals(&[idle.clone(), passed("fast/crash", 2)]);
    assert_eq!(facts.missed().count(), 0);
    assert_eq!(facts.scenarios[0].checks["live"], Some(1));
    assert_eq!(exit(&facts), Exit::Passed);

    let unmarked = SeedResult { marks: BTreeMap::new(), ..passed("fast/calm", 1) };
    let facts = totals(std::slice::from_ref(&unmarked));
    assert_eq!(facts.scenarios[1].marks_missed, ["leader-deposed"]);
    assert_eq!(exit(&facts), Exit::NotExercised);
    assert_eq!(exit(&totals(&[unmarked, passed("fast/calm", 2)])), Exit::Passed);

    // Neither a slice nor an interrupted sweep can tell what the other runs exercise.
    let mut slice = Totals::new(&header("hash:1/2", "1..101"));
    slice.add(&idle);
    assert_eq!(exit(&slice.facts(None)), Exit::Passed);
    let mut cut = Totals::new(&header("hash:1/1", "1..101"));
    cut.add(&idle);
    assert_eq!(exit(&cut.facts(Some(Stopped::Interrupted))), Exit::Interrupted);
}

#[test]
fn a_scenario_of_which_nothing_was_checked_is_no_pass() {
    let idle = |seed, checks| {
        let checks = [("hold".to_owned(), checks), ("live".to_owned(), None)].into();
        SeedResult { checks, ..passed("fast/calm", seed) }
    };
    let mut header = header("hash:1/1", "1..101");
    header.scenarios.iter_mut().for_each(|named| named.oracles.clear());
    let facts = |results: &[SeedResult]| {
        let mut totals = Totals::new(&header);
        results.iter().for_each(|result| totals.add(result));
        totals.facts(None)
    };
    for idle in [idle(1, None), idle(1, Some(0))] {
        let facts = facts(&[passed("fast/crash", 1), idle]);
        assert!(facts.unchecked().map(|scenario| &*scenario.id).eq(["fast/calm"]));
        assert_eq!(exit(&facts), Exit::NotExercised);
    }
    assert_eq!(exit(&facts(&[idle(1, None), idle(2, Some(1))])), Exit::Passed);
}

#[test]
fn each_range_tells_of_its_own_first_seed() {
    let mut totals = Totals::new(&header("hash:1/1", "1..1001")).by_seed();
    let mut ranges = Totals::new(&header("hash:1/1", "1..1001"));
    for seed in 1..=300 {
        let words = format!("r{seed} of u41 never ended");
        let result = failed("fast/crash", seed, "live", &words);
        totals.add_made(&result, 0.5);
        if seed == 7 {
            ranges.add(&result);
        } else {
            ranges.add_made(&result, 0.5);
        }
    }
    for (facts, count) in [(totals.facts(None), 300), (ranges.facts(None), 75)] {
        let buckets = &facts.scenarios[0].buckets;
        assert_eq!((buckets.len(), facts.failures.len()), (count, 1));
        for bucket in buckets {
            let (seed, told) = (bucket.seeds.0, &bucket.failures[0]);
            assert_eq!(told.seen.first_seed, seed);
            assert_eq!(told.headline, format!("r{seed} of u41 never ended"));
            assert_eq!(told.details, [format!("told of seed {seed}")]);
            assert_eq!(told.reproduce, format!("onsale replay {seed} --scenario fast/crash"));
            // The time of one run is unknown.
            let known = count == 300 || !(bucket.seeds.0..=bucket.seeds.1).contains(&7);
            assert_eq!(bucket.wall_s, known.then_some(0.5 * bucket.runs as f64));
        }
    }
}

#[test]
fn what_is_bound_to_fail_passes_alone() {
    let bound = |seeds: &str, results: &[SeedResult]| {
        let mut header = header("hash:1/1", seeds);
        header.scenarios.truncate(1);
        header.scenarios[0].fails = Some(BoundToFail { oracle: "hold".to_owned(), within: 5 });
        let mut totals = Totals::new(&header);
        results.iter().for_each(|result| totals.add(result));
        totals.facts(None)
    };
    let hold = failed("fast/crash", 1, "hold", "h1 ended early");
    let facts = bound("1..6", &[hold.clone(), passed("fast/crash", 2)]);
    assert_eq!((exit(&facts), facts.failed_runs), (Exit::Passed, 0));
    assert_eq!((facts.failures.len(), facts.expected.len()), (0, 1));
    assert_eq!(facts.scenarios[0].bound_to_fail, Some(("hold".to_owned(), 1)));
    assert!(facts.scenarios[0].buckets[0].failures.is_empty());

    // Too few seeds were asked for.
    let facts = bound("1..5", std::slice::from_ref(&hold));
    assert_eq!((exit(&facts), facts.failed_runs), (Exit::OracleFailed, 1));
    // Another oracle failed as well; and no oracle failed.
    let both = failed("fast/crash", 2, "live", "r7 of u41 never ended");
    let facts = bound("1..6", &[hold, both]);
    assert_eq!(
        (exit(&facts), facts.failures.len(), facts.expected.len()),
        (Exit::OracleFailed, 1, 1)
    );
    let facts = bound("1..6", &[passed("fast/crash", 1)]);
    assert_eq!(exit(&facts), Exit::NotExercised);
    assert!(facts.missed().map(|(_, name)| name).eq(["a failure of hold"]));
}

#[test]
fn where_limits_are_caps_to_be_stopped_is_neither_a_failure_nor_a_pass() {
    let mut header = header("hash:1/1", "1..101");
    header.scenarios.iter_mut().for_each(|named| {
        named.oracles.clear();
        named.marks.clear();
    });
    let stopped = SeedResult {
        limit: Some(Limit::MaxEvents(9)),
        ..failed("fast/crash", 1, "budget", "at 01:00.000 the run was stopped")
    };
    let vacuous =
        SeedResult { checks: [("hold".to_owned(), None)].into(), ..passed("fast/crash", 2) };
    for settings in [false, true] {
        header.settings = settings;
        let mut totals = Totals::new(&header);
        for result in [&stopped, &vacuous, &passed("fast/crash", 3), &passed("fast/calm", 1)] {
            totals.add(result);
        }
        let facts = totals.facts(None);
        assert_eq!(exit(&facts) == Exit::Passed, settings);
        assert_eq!(facts.failures.len(), usize::from(!settings));
        assert_eq!(facts.scenarios[0].capped_runs, u64::from(settings));
        assert_eq!(facts.scenarios[0].unchecked_runs, 1);
        // A failure is a check as well.
        assert_eq!(facts.passes(), if settings { 2 } else { 3 });
    }
}

#[test]
fn nothing_run_is_no_pass_but_for_a_part() {
    assert_eq!(exit(&totals(&[])), Exit::NotExercised);
    let slice = Totals::new(&header("hash:3/7", "1..2"));
    assert_eq!(exit(&slice.facts(None)), Exit::Passed);
}

#[test]
fn two_runs_that_differ_are_graver_than_a_failure() {
    let facts = totals(&[
        failed("fast/crash", 1, "live", "it never ended"),
        failed("fast/crash", 2, DETERMINISM, "two runs of one plan differ"),
    ]);
    assert_eq!(exit(&facts), Exit::Internal);
}

#[test]
fn a_scenario_has_at_most_a_hundred_ranges_that_hold_everything() {
    for seeds in [1, 99, 100, 101, 257, 10_000] {
        let mut totals = Totals::new(&header("hash:1/1", "5.."));
        for seed in 5..5 + seeds {
            totals.add(&if seed % 10 == 0 {
                failed("fast/crash", seed, "live", "it never ended")
            } else {
                passed("fast/crash", seed)
            });
        }
        let facts = totals.facts(None);
        let buckets = &facts.scenarios[0].buckets;
        assert!(buckets.len() as u64 <= BUCKETS_MAX, "{seeds}: {} ranges", buckets.len());
        assert!(seeds < 100 || buckets.len() > 50, "{seeds}: {} ranges", buckets.len());
        assert_eq!(buckets.iter().map(|bucket| bucket.runs).sum::<u64>(), seeds);
        assert!(buckets.windows(2).all(|pair| pair[0].seeds.1 + 1 == pair[1].seeds.0));
        let seen = buckets.iter().flat_map(|bucket| {
            bucket.failures.iter().map(move |InRange { seen, .. }| {
                assert!((bucket.seeds.0..=bucket.seeds.1).contains(&seen.first_seed));
                assert_eq!(seen.first_seed, bucket.seeds.0.next_multiple_of(10));
                seen.count
            })
        });
        assert_eq!(seen.sum::<u64>(), facts.failed_runs);
    }
}

#[test]
fn new_marks_are_counted_by_thousands() {
    let mut totals = Totals::new(&header("hash:1/1", "1..9999"));
    for seed in 1..=2_001 {
        let mut result = passed("fast/crash", seed);
        if seed > 1_000 {
            result.marks.insert("peer-suspected".to_owned(), 1);
        }
        totals.add(&result);
    }
    let facts = totals.facts(None);
    assert_eq!(facts.new_marks, [1, 1, 0]);
    assert_eq!(facts.marks["leader-deposed"], Counted { count: 4_002, runs: 2_001 });
    assert_eq!(facts.marks["peer-suspected"].runs, 1_001);
    assert_eq!(facts.faults["crash/serving"], Counted { count: 2_001, runs: 2_001 });
    assert_eq!(facts.marks_never.len(), Mark::ALL.len() - 2);
}
