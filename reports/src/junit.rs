//! A sweep as JUnit XML, for CI systems.
//!
//! Owns how a sweep becomes test cases: a suite a scenario, a case a range of seeds, so that a
//! hundred thousand seeds make a hundred cases, and a case for each check that had to be exercised
//! and was not. Owns the few rules of XML that this takes. No times: a result does not carry them.

use std::fmt::{self, Write};

use crate::human;
use crate::sweep::{Bucket, Failure, ScenarioFacts, Seen, SweepFacts};

/// A case tells so many distinct failures in full; the others are counted.
const STORIES_MAX: usize = 10;

/// The sweep as an XML document.
pub fn render(facts: &SweepFacts) -> String {
    let mut xml = String::new();
    document(&mut xml, facts).expect("a string takes what is written to it");
    xml
}

fn document(xml: &mut String, facts: &SweepFacts) -> fmt::Result {
    let ran = || facts.scenarios.iter().filter(|scenario| scenario.runs > 0);
    let (tests, failures) =
        ran().map(counts).fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1));
    writeln!(xml, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        xml,
        r#"<testsuites name="onsale check" tests="{tests}" failures="{failures}" errors="0">"#
    )?;
    for scenario in ran() {
        suite(xml, facts, scenario)?;
    }
    writeln!(xml, "</testsuites>")
}

/// Cases of a scenario, and how many of them failed.
fn counts(scenario: &ScenarioFacts) -> (usize, usize) {
    let failed = scenario.buckets.iter().filter(|bucket| !bucket.failures.is_empty()).count();
    let missed = scenario.oracles_missed.len() + scenario.marks_missed.len();
    (scenario.buckets.len() + missed, failed + missed)
}

fn suite(xml: &mut String, facts: &SweepFacts, scenario: &ScenarioFacts) -> fmt::Result {
    let id = Escaped(&scenario.id);
    let (tests, failures) = counts(scenario);
    writeln!(
        xml,
        r#"  <testsuite name="{id}" tests="{tests}" failures="{failures}" errors="0" skipped="0">"#
    )?;
    writeln!(xml, "    <properties>")?;
    let properties = [
        ("seeds", scenario.runs.to_string()),
        ("seeds asked for", facts.seeds_asked.clone()),
        ("partition", facts.partition.clone().unwrap_or_else(|| "all".to_owned())),
        ("code", facts.code_version.clone()),
        ("profile", facts.build_profile.clone()),
    ];
    for (name, value) in properties {
        let (name, value) = (Escaped(name), Escaped(&value));
        writeln!(xml, r#"      <property name="{name}" value="{value}"/>"#)?;
    }
    writeln!(xml, "    </properties>")?;
    for bucket in &scenario.buckets {
        case(xml, facts, scenario, bucket)?;
    }
    for name in scenario.oracles_missed.iter().chain(&scenario.marks_missed) {
        let message = format!("{name} did not happen in {}", human::counted(scenario.runs, "seed"));
        let (name, message) = (Escaped(name), Escaped(&message));
        writeln!(xml, r#"    <testcase classname="{id}" name="requires {name}">"#)?;
        writeln!(xml, r#"      <failure type="not-exercised" message="{message}"/>"#)?;
        writeln!(xml, "    </testcase>")?;
    }
    writeln!(xml, "  </testsuite>")
}

fn case(
    xml: &mut String,
    facts: &SweepFacts,
    scenario: &ScenarioFacts,
    bucket: &Bucket,
) -> fmt::Result {
    let id = Escaped(&scenario.id);
    let (first, last) = bucket.seeds;
    let name =
        if first == last { format!("seed {first}") } else { format!("seeds {first}..={last}") };
    let Some(&(worst, _)) = bucket.failures.first() else {
        return writeln!(xml, r#"    <testcase classname="{id}" name="{name}"/>"#);
    };
    writeln!(xml, r#"    <testcase classname="{id}" name="{name}">"#)?;
    let worst = &facts.failures[worst];
    let (kind, message) = (Escaped(&worst.oracle), message(facts, bucket));
    writeln!(xml, r#"      <failure type="{kind}" message="{}">"#, Escaped(&message))?;
    for &(failure, seen) in bucket.failures.iter().take(STORIES_MAX) {
        write!(xml, "{}", Escaped(&story(&facts.failures[failure], seen)))?;
    }
    if let Some(untold) = bucket.failures.len().checked_sub(STORIES_MAX).filter(|&more| more > 0) {
        writeln!(xml, "and {}", human::counted(untold as u64, "other failure"))?;
    }
    writeln!(xml, "      </failure>")?;
    writeln!(xml, "    </testcase>")
}

/// What a case shows before it is opened.
fn message(facts: &SweepFacts, bucket: &Bucket) -> String {
    let (first, seen) = bucket.failures[0];
    let failure = &facts.failures[first];
    let others = match bucket.failures.len() - 1 {
        0 => String::new(),
        others => format!("; and {}", human::counted(others as u64, "other failure")),
    };
    format!(
        "{} failed in {} of {}, first {}: {}{others}",
        failure.oracle,
        human::count(seen.count),
        human::counted(bucket.runs, "seed"),
        seen.first_seed,
        failure.headline
    )
}

/// A failure in a range of seeds. The evidence is that of the first in the whole sweep, which may
/// lie in an earlier range: the line that plays it again says which.
fn story(failure: &Failure, seen: Seen) -> String {
    let mut text = format!(
        "{}: {} here, first {}; {} in all, first {}\n",
        failure.oracle,
        human::counted(seen.count, "seed"),
        seen.first_seed,
        human::counted(failure.seen.count, "seed"),
        failure.seen.first_seed
    );
    let lines = std::iter::once(&failure.headline).chain(&failure.details);
    text.extend(lines.map(|line| format!("  {line}\n")));
    text.push_str(&failure.reproduce);
    text.push_str("\n\n");
    text
}

/// Text as XML 1.0 carries it, in an attribute or between tags. What it cannot carry goes away.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\t' | '\n' | '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.. => {
                    f.write_char(letter)?
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::{failed, passed};

    #[test]
    fn a_sweep_becomes_suites_and_cases() {
        insta::assert_snapshot!("junit", render(&failed()));
        assert!(!render(&passed()).contains("<failure"));
    }

    #[test]
    fn what_xml_cannot_carry_goes_away() {
        let text = "a\u{0}b\u{1b}[31m\u{7f}\u{85}\u{fffe}c\r\n\t<&>\"'é🎫";
        assert_eq!(Escaped(text).to_string(), "ab[31mc\n\t&lt;&amp;&gt;&quot;'é🎫");
    }

    #[test]
    fn a_case_tells_ten_failures_and_counts_the_rest() {
        let mut facts = failed();
        let one = facts.failures[0].clone();
        facts.failures = (0..13).map(|_| one.clone()).collect();
        facts.scenarios[0].buckets[0].failures =
            (0..13).map(|failure| (failure, one.seen)).collect();
        let xml = render(&facts);
        assert!(xml.contains("and 3 other failures\n"), "{xml}");
        assert!(xml.contains("; and 12 other failures\""), "{xml}");
    }
}
