//! A sweep as JUnit XML, for CI systems.
//!
//! Owns how a sweep becomes test cases: one suite for each scenario, one case for each range of seeds or, on
//! request, each seed, and one case for each required check that was not exercised. Leaves the XML to
//! `quick-junit`. Results read back carry no times: a case has a time only if all its runs were just made.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::human;
use crate::sweep::{Bucket, InRange, ScenarioFacts, Stopped, SweepFacts};

/// Distinct failures that a case prints in full; the others are counted.
const STORIES_MAX: usize = 10;

/// The sweep as an XML document.
///
/// # Panics
/// Never: only a failing writer could cause it, and writing to a string cannot fail.
pub fn render(facts: &SweepFacts) -> String {
    let mut report = Report::new("onsale check");
    if let Some(wall) = facts.wall {
        report.set_time(Duration::from_secs_f64(wall.seconds));
    }
    let ran = facts.scenarios.iter().filter(|scenario| scenario.runs > 0);
    report.add_test_suites(ran.map(|scenario| suite(facts, scenario)));
    if facts.stopped == Some(Stopped::BrokenOff) {
        report.add_test_suite(broken_off(facts));
    }
    report.to_string().expect("a string takes what is written to it")
}

/// A sweep whose results could not be written is an error, even if all seeds passed before.
fn broken_off(facts: &SweepFacts) -> TestSuite {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
    status.set_type("broken-off").set_message(format!(
        "broken off after {}, since a result could not be written: what follows was not run",
        human::counted(facts.runs(), "seed")
    ));
    let mut case = TestCase::new("runs to its end", status);
    case.set_classname("sweep");
    let mut suite = TestSuite::new("sweep");
    suite.add_test_case(case);
    suite
}

fn suite(facts: &SweepFacts, scenario: &ScenarioFacts) -> TestSuite {
    let mut suite = TestSuite::new(carried(&scenario.id));
    for (name, value) in [
        ("seeds", scenario.runs.to_string()),
        ("seeds asked for", facts.seeds_asked.clone()),
        ("slice", facts.slice.clone().unwrap_or_else(|| "all".to_owned())),
        ("code", facts.code_version.clone()),
        ("profile", facts.build_profile.clone()),
    ] {
        suite.add_property((name, &*carried(&value)));
    }
    let times: Option<Vec<f64>> = scenario.buckets.iter().map(|bucket| bucket.wall_s).collect();
    if let Some(times) = times {
        suite.set_time(Duration::from_secs_f64(times.into_iter().sum()));
    }
    let class = carried(&class_name(&scenario.id));
    let ranges = scenario.buckets.iter().map(|bucket| case(facts, bucket));
    for mut case in ranges.chain(missed(scenario)) {
        case.set_classname(&*class);
        suite.add_test_case(case);
    }
    suite
}

/// The class of a scenario's cases. Jenkins takes the text before the last dot for a package, so dots are
/// replaced: `../sales/hall.5.toml` is `__/sales/hall_5`.
fn class_name(id: &str) -> String {
    let id = id.strip_prefix("./").unwrap_or(id);
    id.strip_suffix(".toml").unwrap_or(id).replace('.', "_")
}

/// A failing case for each required check of a scenario that no seed exercised.
fn missed(scenario: &ScenarioFacts) -> impl Iterator<Item = TestCase> {
    let seeds = human::counted(scenario.runs, "seed");
    let unchecked = scenario.unchecked.then(|| {
        ("requires a check".to_owned(), format!("no oracle had anything to check in {seeds}"))
    });
    let named = scenario.missed().map(move |name| {
        (format!("requires {name}"), format!("{name} was not exercised in {seeds}"))
    });
    unchecked.into_iter().chain(named).map(|(name, message)| {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
        status.set_type("not-exercised").set_message(carried(&message));
        TestCase::new(carried(&name), status)
    })
}

fn case(facts: &SweepFacts, bucket: &Bucket) -> TestCase {
    let (first, last) = bucket.seeds;
    let name =
        if first == last { format!("seed {first}") } else { format!("seeds {first}..={last}") };
    let mut case = TestCase::new(name, status(facts, bucket));
    if let Some(wall_s) = bucket.wall_s {
        case.set_time(Duration::from_secs_f64(wall_s));
    }
    case
}

fn status(facts: &SweepFacts, bucket: &Bucket) -> TestCaseStatus {
    let Some(worst) = bucket.failures.first() else { return TestCaseStatus::success() };
    let mut text = String::new();
    for failure in bucket.failures.iter().take(STORIES_MAX) {
        text += &story(facts, failure);
    }
    if let Some(untold) = bucket.failures.len().checked_sub(STORIES_MAX).filter(|&more| more > 0) {
        text.extend(["and ", &human::counted(untold as u64, "other failure"), "\n"]);
    }
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status
        .set_type(carried(&facts.failures[worst.failure].oracle))
        .set_message(carried(&message(facts, bucket)))
        .set_description(carried(&text));
    status
}

/// The short message of a case.
fn message(facts: &SweepFacts, bucket: &Bucket) -> String {
    let first = &bucket.failures[0];
    let others = match bucket.failures.len() - 1 {
        0 => String::new(),
        others => format!("; and {}", human::counted(others as u64, "other failure")),
    };
    format!(
        "{} failed in {} of {}, first {}: {}{others}",
        facts.failures[first.failure].oracle,
        human::count(first.seen.count),
        human::counted(bucket.runs, "seed"),
        first.seen.first_seed,
        first.headline
    )
}

/// A failure in a range of seeds: the evidence and the replay command of the first of them.
fn story(facts: &SweepFacts, failure: &InRange) -> String {
    let (whole, seen) = (&facts.failures[failure.failure], failure.seen);
    let mut text = format!(
        "{}: {} here, first {}; {} in all, first {}\n",
        whole.oracle,
        human::counted(seen.count, "seed"),
        seen.first_seed,
        human::counted(whole.seen.count, "seed"),
        whole.seen.first_seed
    );
    let lines = std::iter::once(&failure.headline).chain(&failure.details);
    text.extend(lines.map(|line| format!("  {line}\n")));
    text.push_str(&failure.reproduce);
    text.push_str("\n\n");
    text
}

/// Text without the two characters that XML 1.0 cannot carry and `quick-junit` leaves in.
fn carried(text: &str) -> String {
    text.replace(['\u{fffe}', '\u{ffff}'], "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::Wall;
    use crate::sweep::tests::{failed, passed};

    #[test]
    fn a_sweep_becomes_suites_and_cases() {
        insta::assert_snapshot!("junit", render(&failed()));
        assert!(!render(&passed()).contains("<failure"));
    }

    #[test]
    fn times_are_those_of_the_runs_that_were_made() {
        let mut facts = passed();
        assert!(!render(&facts).contains(" time="));
        facts.wall = Some(Wall { seconds: 2.5, runs: 8 });
        facts.scenarios[0].buckets[0].wall_s = Some(0.25);
        // One of the scenario's ranges was read back: its own time is known, the scenario's is not.
        let xml = render(&facts);
        assert_eq!(xml.matches(" time=").count(), 2, "{xml}");
        facts.scenarios[0].buckets[1].wall_s = Some(0.5);
        let xml = render(&facts);
        for time in ["2.500", "0.750", "0.250", "0.500"] {
            assert!(xml.contains(&format!("time=\"{time}\"")), "{time}: {xml}");
        }
    }

    #[test]
    fn no_class_is_split_at_a_dot() {
        let table = [
            ("fast/crash", "fast/crash"),
            ("my-sale.toml", "my-sale"),
            ("./my-sale.toml", "my-sale"),
            ("../sales/hall.5.toml", "__/sales/hall_5"),
        ];
        for (id, class) in table {
            assert_eq!(class_name(id), class);
        }
    }

    #[test]
    fn what_xml_cannot_carry_goes_away() {
        let mut facts = failed();
        facts.scenarios[0].buckets[0].failures[0].headline =
            "a\u{0}b\u{1b}[31m\u{7f}\u{fffe}c\r\n\t<&>\"']]>é🎫".to_owned();
        let xml = render(&facts);
        for gone in ['\u{0}', '\u{1b}', '\u{fffe}'] {
            assert!(!xml.contains(gone), "{gone:?}");
        }
        assert!(xml.contains("é🎫") && !xml.contains("]]>"), "{xml}");
    }

    #[test]
    fn a_case_tells_ten_failures_and_counts_the_rest() {
        let mut facts = failed();
        let one = facts.scenarios[0].buckets[0].failures[0].clone();
        facts.scenarios[0].buckets[0].failures = vec![one; 13];
        let xml = render(&facts);
        assert!(xml.contains("and 3 other failures\n"), "{xml}");
        assert!(xml.contains("; and 12 other failures\""), "{xml}");
    }
}
