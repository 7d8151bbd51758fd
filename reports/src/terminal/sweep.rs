//! A sweep at a terminal.
//!
//! Owns the layout: a line each scenario, then the failures with their evidence, and last what
//! was learned. Nothing that the machine decides stands here, so that the page is the same for
//! any number of jobs, resumed or not, whole or put together.

use super::{Page, Style, WIDTH_MIN, columns, flow, plural};
use crate::human;
use crate::sweep::{Failure, ScenarioFacts, Stopped, SweepFacts};

/// Distinct failures that are told in full; all of them stand in the last lines.
const STORIES_MAX: usize = 20;
const DETAILS_MAX: usize = 12;
/// Thousands of runs whose new marks are listed.
const SATURATION_MAX: usize = 12;

/// The sweep as text, in lines of at most `width` columns where words allow it. The last lines
/// say what was learned.
pub fn render(facts: &SweepFacts, colour: bool, width: usize) -> String {
    let mut page = Page { text: String::new(), colour, width: width.max(WIDTH_MIN) };
    scenarios(&mut page, facts);
    for failure in facts.failures.iter().take(STORIES_MAX) {
        story(&mut page, facts, failure);
    }
    coverage(&mut page, facts);
    learned(&mut page, facts);
    page.text
}

fn scenarios(page: &mut Page, facts: &SweepFacts) {
    let name_width = columns(facts.scenarios.iter().map(|scenario| scenario.id.as_str()));
    let counts: Vec<String> =
        facts.scenarios.iter().map(|scenario| human::count(scenario.runs)).collect();
    let count_width = columns(counts.iter().map(String::as_str));
    for (scenario, count) in facts.scenarios.iter().zip(&counts) {
        let (mark, style) = if scenario.failed_runs > 0 {
            ("✗", Style::Red)
        } else if scenario.runs == 0 || !scenario.required_never.is_empty() {
            ("–", Style::Yellow)
        } else {
            ("✓", Style::Green)
        };
        let (mark, id) = (page.paint(style, mark), &scenario.id);
        let seeds = plural(scenario.runs, "seed");
        let mut words = Vec::new();
        if scenario.failed_runs > 0 {
            words.push(format!("{} failed", human::count(scenario.failed_runs)));
        }
        if !scenario.required_never.is_empty() {
            words.push(format!("never exercised: {}", scenario.required_never.join(", ")));
        }
        let words = page.paint(style, &words.join(" · "));
        page.line(
            format!("  {mark} {id:name_width$}  {count:>count_width$} {seeds}  {words}").trim_end(),
        );
    }
    page.gap();
}

fn runs_of<'a>(facts: &'a SweepFacts, failure: &Failure) -> &'a ScenarioFacts {
    let found = facts.scenarios.iter().find(|scenario| scenario.id == failure.scenario);
    found.expect("a failure is of one of the sweep's scenarios")
}

fn story(page: &mut Page, facts: &SweepFacts, failure: &Failure) {
    let mark = page.paint(Style::Red, "✗");
    let seeds = runs_of(facts, failure).runs;
    page.line(&format!(
        "  {mark} {} in {} · {} of {} {} · first seed {}",
        failure.oracle,
        failure.scenario,
        human::count(failure.seen.count),
        human::count(seeds),
        plural(seeds, "seed"),
        failure.seen.first_seed
    ));
    for line in flow(failure.headline.split_whitespace(), " ", page.width - 6) {
        let line = page.paint(Style::Red, &line);
        page.line(&format!("      {line}"));
    }
    for detail in failure.details.iter().take(DETAILS_MAX) {
        for line in flow(detail.split_whitespace(), " ", page.width - 8) {
            page.line(&format!("        {line}"));
        }
    }
    if let Some(more) = failure.details.len().checked_sub(DETAILS_MAX).filter(|&more| more > 0) {
        page.line(&format!("        … and {more} more in the results file"));
    }
    if let Some(capsule) = &failure.capsule {
        page.line(&format!("        {capsule}"));
    }
    page.gap();
}

fn coverage(page: &mut Page, facts: &SweepFacts) {
    let mut checks = std::collections::BTreeMap::<&str, u64>::new();
    for (oracle, count) in facts.scenarios.iter().flat_map(|scenario| &scenario.checks) {
        *checks.entry(oracle).or_default() += count.unwrap_or(0);
    }
    let checks: Vec<String> = checks
        .into_iter()
        .filter(|&(_, count)| count > 0)
        .map(|(oracle, count)| format!("{oracle} {}", human::count(count)))
        .collect();
    page.section("checks", &checks);

    let optional = facts.never_exercised().filter(|&(_, _, required)| !required);
    let never: Vec<String> =
        optional.map(|(scenario, oracle, _)| format!("{oracle} in {}", scenario.id)).collect();
    if !never.is_empty() {
        page.section("unexercised", &never);
    }
    if facts.verified > 0 {
        let runs = plural(facts.verified, "run");
        page.section("verified", &[format!("{} {runs} twice", human::count(facts.verified))]);
    }
    if !facts.marks.is_empty() {
        let mut seen = vec![format!(
            "{} rare {} taken",
            facts.marks.len(),
            plural(facts.marks.len() as u64, "path")
        )];
        let new: Vec<String> =
            facts.new_marks.iter().take(SATURATION_MAX).map(u64::to_string).collect();
        let rest = if facts.new_marks.len() > SATURATION_MAX {
            format!(", then {}", facts.new_marks[SATURATION_MAX..].iter().sum::<u64>())
        } else {
            String::new()
        };
        seen.push(format!("new in each thousand seeds: {}{rest}", new.join(", ")));
        page.section("marks", &seen);
    }
    page.section("code", &[facts.code_version.clone(), facts.build_profile.clone()]);
    page.gap();
}

fn learned(page: &mut Page, facts: &SweepFacts) {
    let runs = facts.runs();
    let scenarios = facts.scenarios.len() as u64;
    let mut swept = vec![
        format!("{} {}", human::count(runs), plural(runs, "seed")),
        format!("{scenarios} {}", plural(scenarios, "scenario")),
        format!("seeds {}", facts.seeds_asked),
    ];
    swept.extend(facts.partition.as_ref().map(|partition| format!("part {partition}")));
    swept.push(format!("{} virtual", human::seconds(facts.virtual_us as f64 / 1e6)));
    page.line(&swept.join(" · "));
    if let Some(stopped) = facts.stopped {
        let last =
            facts.scenarios.iter().filter_map(|scenario| scenario.seeds).map(|(_, last)| last);
        let last =
            last.max().map_or_else(String::new, |last| format!("; the last seed was {last}"));
        let words = match stopped {
            Stopped::Interrupted => "interrupted: --resume goes on",
            Stopped::FirstFailure => "stopped at the first failure",
        };
        let words = page.paint(Style::Yellow, &format!("{words}{last}"));
        page.line(&words);
    }
    for (scenario, oracle, _) in facts.never_exercised().filter(|&(_, _, required)| required) {
        let words = format!("{} requires {oracle}, and no seed exercised it", scenario.id);
        let words = page.paint(Style::Yellow, &words);
        page.line(&words);
    }
    match facts.failure_rate_below() {
        Some(rate) => {
            let words = format!(
                "0 failures in {} {}: failure rate below {} at 95 %",
                human::count(runs),
                plural(runs, "seed"),
                percent(rate)
            );
            let words = page.paint(Style::Bold, &words);
            page.line(&words);
        }
        None if runs == 0 => page.line("nothing was run"),
        None => {
            page.line(&format!(
                "{} of {} {} failed, in {} {}:",
                human::count(facts.failed_runs),
                human::count(runs),
                plural(runs, "seed"),
                facts.failures.len(),
                plural(facts.failures.len() as u64, "way")
            ));
            for failure in &facts.failures {
                page.line(&format!(
                    "  {} in {}, {} {}, first {}:",
                    failure.oracle,
                    failure.scenario,
                    human::count(failure.seen.count),
                    plural(failure.seen.count, "seed"),
                    failure.seen.first_seed
                ));
                let command = page.paint(Style::Bold, &failure.reproduce);
                page.line(&format!("    {command}"));
            }
        }
    }
}

/// Two significant digits, rounded up: it is a bound.
fn percent(rate: f64) -> String {
    let percent = rate * 100.0;
    let mut unit = 10.0;
    let mut decimals = 0;
    while percent < unit && decimals < 9 {
        unit /= 10.0;
        decimals += 1;
    }
    let step = 10_f64.powi(decimals);
    format!("{:.*} %", decimals as usize, (percent * step - 1e-9).ceil() / step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::{failed, passed};

    #[test]
    fn a_sweep_with_failures_shows_each_once() {
        insta::assert_snapshot!("sweep-failed", render(&failed(), false, 80));
    }

    #[test]
    fn a_sweep_without_says_what_that_means() {
        insta::assert_snapshot!("sweep-passed", render(&passed(), false, 100));
    }

    #[test]
    fn a_bound_is_rounded_up() {
        let table =
            [(3.0, "300 %"), (0.375, "38 %"), (3.0 / 1_600.0, "0.19 %"), (3e-5, "0.0030 %")];
        for (rate, text) in table {
            assert_eq!(percent(rate), text);
        }
    }
}
