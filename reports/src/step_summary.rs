//! A sweep as the summary of a step in GitHub Actions: Markdown.
//!
//! Owns its content, and that text from outside stays text. Refuses to know where it is written.

use std::fmt::Write;

use crate::sweep::{Failure, Stopped, SweepFacts};
use crate::{human, plain};

/// Distinct failures printed in full, since GitHub takes a mebibyte a step; the others are counted.
const STORIES_MAX: usize = 20;
/// Most lines of a story.
const DETAILS_MAX: usize = 12;
/// Longest line of a story, in characters.
const LINE_MAX: usize = 1_000;
/// Most scenarios listed.
const SCENARIOS_MAX: usize = 500;

const TAKES: &str = "a string takes what is written to it";

/// The sweep as Markdown: the totals, a table of scenarios, and every distinct failure with its evidence and its
/// replay command.
pub fn render(facts: &SweepFacts) -> String {
    let seeds = human::counted(facts.seeds().all, "seed");
    let scenarios = human::counted(facts.swept().count() as u64, "scenario");
    let slice = facts.slice.as_ref().map(|slice| format!(", slice {slice}")).unwrap_or_default();
    let verdict = if facts.stopped == Some(Stopped::BrokenOff) {
        format!(
            "❌ broken off, since a result could not be written: {} failed until then",
            facts.failed_of()
        )
    } else if facts.failed_runs > 0 {
        format!("❌ {} failed", facts.failed_of())
    } else if facts.missed().next().is_some() || facts.unchecked().next().is_some() {
        format!("⚠️ no failure in {seeds}, and not everything was checked")
    } else {
        format!("✅ no failure in {seeds}")
    };
    let mut text = format!("### onsale check: {verdict}\n\n");
    writeln!(text, "{seeds} of {scenarios}, {} each{slice}\n", facts.seeds_asked).expect(TAKES);
    table(&mut text, facts);
    for failure in facts.failures.iter().take(STORIES_MAX) {
        story(&mut text, failure);
    }
    if let Some(untold) = facts.failures.len().checked_sub(STORIES_MAX).filter(|&more| more > 0) {
        writeln!(text, "and {}\n", human::counted(untold as u64, "other failure")).expect(TAKES);
    }
    text
}

fn table(text: &mut String, facts: &SweepFacts) {
    text.push_str("| | scenario | seeds | |\n|---|---|---:|---|\n");
    for scenario in facts.scenarios.iter().take(SCENARIOS_MAX) {
        let missed: Vec<&str> = scenario.missed().collect();
        let (mark, words) = if scenario.failed_runs > 0 {
            ("❌", format!("{} failed", human::count(scenario.failed_runs)))
        } else if scenario.unchecked {
            ("⚠️", "no oracle had anything to check".to_owned())
        } else if !missed.is_empty() {
            ("⚠️", format!("not exercised: {}", missed.join(", ")))
        } else {
            ("✅", String::new())
        };
        let (id, runs) = (escaped(&scenario.id), human::count(scenario.runs));
        writeln!(text, "| {mark} | {id} | {runs} | {} |", escaped(&words)).expect(TAKES);
    }
    text.push('\n');
}

fn story(text: &mut String, failure: &Failure) {
    writeln!(
        text,
        "**{} in {}** · {} · first {}\n",
        escaped(&failure.oracle),
        escaped(&failure.scenario),
        human::counted(failure.seen.count, "seed"),
        failure.seen.first_seed
    )
    .expect(TAKES);
    let lines = std::iter::once(&failure.headline).chain(&failure.details).take(1 + DETAILS_MAX);
    let lines: Vec<String> = lines.map(|line| line.chars().take(LINE_MAX).collect()).collect();
    fenced(text, &lines.join("\n"));
    fenced(text, &failure.reproduce);
}

/// A block of verbatim text: its fence is longer than any row of backticks in it.
fn fenced(text: &mut String, block: &str) {
    let longest = block.split(|letter| letter != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat((longest + 1).max(3));
    writeln!(text, "{fence}text\n{}\n{fence}\n", plain::text(block)).expect(TAKES);
}

/// Text within a line of Markdown.
fn escaped(text: &str) -> String {
    let mut line = String::new();
    for letter in plain::line(text).chars() {
        if letter.is_ascii_punctuation() && !"/-,.:;".contains(letter) {
            line.push('\\');
        }
        line.push(letter);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::{failed, passed};

    #[test]
    fn a_step_tells_what_failed_and_how_to_see_it_again() {
        insta::assert_snapshot!("step_summary", render(&failed()));
        assert!(render(&passed()).starts_with("### onsale check: ✅ no failure in 8 seeds\n"));
    }

    #[test]
    fn text_from_outside_stays_text() {
        let mut facts = failed();
        facts.failures[0].headline = "```\n# not a heading\u{1b}[31m ````".to_owned();
        facts.failures[0].scenario = "a|b\n<script>.toml".to_owned();
        let text = render(&facts);
        assert!(text.contains("`````text\n```\n# not a heading\\u{1b}[31m ````\n"), "{text}");
        assert!(text.contains("in a\\|b\\\\u\\{a\\}\\<script\\>.toml**"), "{text}");
    }

    #[test]
    fn many_failures_are_counted() {
        let mut facts = failed();
        facts.failures = vec![facts.failures[0].clone(); 33];
        let text = render(&facts);
        assert!(text.ends_with("and 13 other failures\n\n"), "{text}");
    }
}
