//! A sweep at a terminal.
//!
//! Owns the layout: one line for each scenario, then the failures with their evidence, and last the totals.
//! Nothing depends on the machine, so the page is the same for any number of jobs, resumed or not, whole or
//! merged.

use std::collections::{BTreeMap, BTreeSet};

use super::page::{Page, Style, TEXT_COLUMN, WIDTH_MIN, columns, flow, plural};
use crate::human;
use crate::sweep::pairs::Share;
use crate::sweep::{Counted, Failure, ScenarioFacts, Stopped, SweepFacts};

/// Most distinct failures shown; the others are counted.
const STORIES_MAX: usize = 20;
const DETAILS_MAX: usize = 12;
/// Most missing marks shown by name; --json lists all.
const NEVER_MAX: usize = 10;
/// Most thousands of runs whose new marks are listed.
const SATURATION_MAX: usize = 12;

/// The sweep as text, in lines of at most `width` columns if words allow it. The last lines are the totals.
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

/// One line for each scenario, and one for all regressions that pass.
fn scenarios(page: &mut Page, facts: &SweepFacts) {
    let told = |scenario: &&ScenarioFacts| !scenario.is_regression || state(scenario).0 != "✓";
    let holding = facts.scenarios.iter().filter(|scenario| !told(scenario)).count() as u64;
    let held = (holding > 0).then(|| Row {
        state: ("✓", Style::Green),
        id: REGRESSIONS,
        runs: holding,
        words: "pass".to_owned(),
    });
    let rows: Vec<Row<'_>> =
        held.into_iter().chain(facts.scenarios.iter().filter(told).map(row)).collect();
    let id_width = columns(rows.iter().map(|row| row.id));
    let counts: Vec<String> = rows.iter().map(|row| human::count(row.runs)).collect();
    let count_width = columns(counts.iter().map(String::as_str));
    for (Row { state: (mark, style), id, runs, words }, count) in rows.iter().zip(&counts) {
        let (mark, words) = (page.paint(*style, mark), page.paint(*style, words));
        let seeds = plural(*runs, "seed");
        page.line(
            format!("  {mark} {id:id_width$}  {count:>count_width$} {seeds}  {words}").trim_end(),
        );
    }
    page.gap();
}

/// The beginning of the line of all regressions that pass.
const REGRESSIONS: &str = "regressions";

struct Row<'a> {
    state: (&'static str, Style),
    id: &'a str,
    runs: u64,
    words: String,
}

/// The symbol of a scenario, and its colour.
fn state(scenario: &ScenarioFacts) -> (&'static str, Style) {
    if scenario.failed_runs > 0 {
        ("✗", Style::Red)
    } else if scenario.runs == 0 || scenario.unchecked || scenario.missed().next().is_some() {
        ("–", Style::Yellow)
    } else {
        ("✓", Style::Green)
    }
}

fn row(scenario: &ScenarioFacts) -> Row<'_> {
    let missed: Vec<&str> = scenario.missed().collect();
    let mut words = Vec::new();
    if scenario.failed_runs > 0 {
        words.push(format!("{} failed", human::count(scenario.failed_runs)));
    }
    if let Some((oracle, runs)) = scenario.bound_to_fail.as_ref().filter(|(_, runs)| *runs > 0) {
        words.push(format!("{oracle} failed in {}, as it must", human::count(*runs)));
    }
    if scenario.unchecked_runs > 0 && !scenario.unchecked {
        words.push(format!("{} checked nothing", human::count(scenario.unchecked_runs)));
    }
    if scenario.capped_runs > 0 {
        words.push(format!("{} stopped by a cap", human::count(scenario.capped_runs)));
    }
    if scenario.unchecked {
        words.push("no oracle had anything to check".to_owned());
    }
    if !missed.is_empty() {
        words.push(format!("not exercised: {}", missed.join(", ")));
    }
    let words = words.join(" · ");
    Row { state: state(scenario), id: &scenario.id, runs: scenario.runs, words }
}

fn story(page: &mut Page, facts: &SweepFacts, failure: &Failure) {
    let mark = page.paint(Style::Red, "✗");
    let seeds = facts.runs_of(&failure.scenario);
    page.line(&format!(
        "  {mark} {} in {} · {} of {} · first {}",
        failure.oracle,
        failure.scenario,
        human::count(failure.seen.count),
        human::counted(seeds, "seed"),
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
    let mut checks = BTreeMap::<&str, u64>::new();
    for (oracle, count) in facts.scenarios.iter().flat_map(|scenario| &scenario.checks) {
        *checks.entry(oracle).or_default() += count.unwrap_or(0);
    }
    let checks: Vec<String> = checks
        .into_iter()
        .filter(|&(_, count)| count > 0)
        .map(|(oracle, count)| format!("{oracle} {}", human::count(count)))
        .collect();
    page.section("checks", &checks);
    if !checks.is_empty() {
        note(page, "how often each oracle looked whether a promise was kept, in all runs");
    }

    let never = facts.never_exercised();
    let never: Vec<String> =
        never.map(|(scenario, oracle)| format!("{oracle} in {}", scenario.id)).collect();
    if !never.is_empty() {
        page.section("unexercised", &never);
    }
    if facts.verified > 0 {
        page.section("verified", &[format!("{} twice", human::counted(facts.verified, "run"))]);
    }
    if !facts.marks.is_empty() {
        page.section("marks", &marks(facts));
        if !facts.marks_never.is_empty() {
            let mut never: Vec<String> =
                facts.marks_never.iter().take(NEVER_MAX).cloned().collect();
            if let Some(more) = facts.marks_never.len().checked_sub(NEVER_MAX + 1) {
                never.push(format!("… and {} more in --json", more + 1));
            }
            for (position, name) in never.iter().enumerate() {
                let label = if position == 0 { "never seen" } else { "" };
                let what = facts.meanings.get(name.as_str());
                let what = what.map_or_else(String::new, |meaning| format!(": {meaning}"));
                sentence(page, label, &format!("{name}{what}"));
            }
        }
        note(
            page,
            "a mark says that the cluster took a rare path, not that this was right or wrong; \
                    once a thousand seeds show no new one, more of the same will hardly find anything",
        );
    }
    phases(page, facts);
    moments(page, facts);
    learned_pairs(page, facts);
    page.section("code", &[facts.code_version.clone(), facts.build_profile.clone()]);
    page.gap();
}

/// Number of rare paths taken, and how soon no new ones appear.
fn marks(facts: &SweepFacts) -> Vec<String> {
    let seen = facts.marks.len();
    let (first, rest) = facts.new_marks.split_at(SATURATION_MAX.min(facts.new_marks.len()));
    let mut new: Vec<String> = first.iter().map(u64::to_string).collect();
    if !rest.is_empty() {
        new.push(format!("then {}", rest.iter().sum::<u64>()));
    }
    vec![
        format!("{seen} of {} rare paths taken", seen + facts.marks_never.len()),
        format!("new in each thousand seeds: {}", new.join(", ")),
    ]
}

/// How often a fault of each family met each phase of the hot show's shard: a pair that is not in the table was
/// never tried.
fn phases(page: &mut Page, facts: &SweepFacts) {
    let cells = cells(&facts.faults);
    grid(page, "faults", &cells);
    let phases: BTreeSet<&str> = cells.keys().map(|&(_, phase)| phase).collect();
    let meaning = |phase| Some(format!("{phase}: {}", facts.meanings.get(phase)?));
    let known: Vec<String> = phases.into_iter().filter_map(meaning).collect();
    if !known.is_empty() {
        note(
            page,
            "how many faults of each family found their shard, or that of the hot show, in each phase:",
        );
        page.section("", &known);
    }
}

/// Pairs of a fault in its phase and a rare path, and how many more there may be.
fn learned_pairs(page: &mut Page, facts: &SweepFacts) {
    let Some(Share { share, low, high }) = facts.pairs.unreached() else { return };
    let mut reached = vec![
        format!("{} reached", human::counted(facts.pairs.distinct, "pair")),
        format!("{} in one run only", human::count(facts.pairs.in_one_run)),
    ];
    if facts.near > 0 {
        reached.push(format!("{} with plans near earlier ones", human::counted(facts.near, "run")));
    }
    page.section("pairs", &reached);
    note(
        page,
        &format!(
            "a pair is a fault in a phase, alone or with a rare path taken under it; of what further seeds \
             reach, {} will be new: Good and Turing's estimate, at 95 % between {} and {}",
            percent(share),
            percent(low),
            percent(high)
        ),
    );
}

/// How often each moment that faults waited for came.
fn moments(page: &mut Page, facts: &SweepFacts) {
    let cells = cells(&facts.moments);
    grid(page, "moments", &cells);
    if !cells.is_empty() {
        note(
            page,
            "how many faults that waited for a moment struck at it, and for how many it never came",
        );
    }
}

/// Counts by row and column, which a name such as `crash/serving` tells.
fn cells(counts: &BTreeMap<String, Counted>) -> BTreeMap<(&str, &str), u64> {
    let cells = counts.iter().map(|(name, counted)| (name.as_str(), counted.count));
    cells.filter_map(|(name, count)| Some((name.split_once('/')?, count))).collect()
}

/// A table of counts.
fn grid(page: &mut Page, label: &str, cells: &BTreeMap<(&str, &str), u64>) {
    let rows: BTreeSet<&str> = cells.keys().map(|&(row, _)| row).collect();
    let heads: BTreeSet<&str> = cells.keys().map(|&(_, head)| head).collect();
    let rows_width = columns(rows.iter().copied());
    let column = |head: &str| -> Vec<String> {
        let counts = rows.iter().map(|&row| {
            cells.get(&(row, head)).map_or_else(|| "·".to_owned(), |&count| human::count(count))
        });
        let lines: Vec<String> = std::iter::once(head.to_owned()).chain(counts).collect();
        let width = columns(lines.iter().map(String::as_str));
        lines.into_iter().map(|line| format!("  {line:>width$}")).collect()
    };
    let columns: Vec<Vec<String>> = heads.into_iter().map(column).collect();
    for (nth, row) in std::iter::once("").chain(rows).enumerate() {
        let cells: String = columns.iter().map(|column| column[nth].as_str()).collect();
        if !cells.is_empty() {
            let label = if nth == 0 { label } else { "" };
            page.section(label, &[format!("{row:rows_width$}{cells}")]);
        }
    }
}

/// Explanations of the figures, below them.
fn note(page: &mut Page, words: &str) {
    for line in flow(words.split_whitespace(), " ", page.width - TEXT_COLUMN) {
        let line = page.paint(Style::Dim, &line);
        page.line(&format!("{:TEXT_COLUMN$}{line}", ""));
    }
}

/// A sentence beside a label, with further lines indented.
fn sentence(page: &mut Page, label: &str, words: &str) {
    let lines = flow(words.split_whitespace(), " ", page.width - TEXT_COLUMN - 2);
    for (position, line) in lines.into_iter().enumerate() {
        let (label, indent) = if position == 0 { (label, "") } else { ("", "  ") };
        let label = page.paint(Style::Dim, &format!("{label:0$}", TEXT_COLUMN - 2));
        page.line(&format!("  {label}{indent}{line}"));
    }
}

/// The last lines: the runs, the reason of an early end, and the conclusions.
fn learned(page: &mut Page, facts: &SweepFacts) {
    let slice = facts.slice.as_ref().map(|slice| format!(", slice {slice}")).unwrap_or_default();
    page.line(&format!(
        "{} of {} · {} each{slice} · {} virtual",
        human::counted(facts.seeds().all, "seed"),
        human::counted(facts.swept().count() as u64, "scenario"),
        facts.seeds_asked,
        human::seconds(facts.virtual_us as f64 / 1e6)
    ));
    let regressions = facts.regressions();
    if regressions.all > 0 {
        let words = if regressions.failed == 0 { "all pass" } else { "not all pass" };
        let played = human::counted(regressions.all, "regression");
        page.line(&format!("{played} played first: {words}"));
    }
    let words = match facts.stopped {
        Some(Stopped::Interrupted) => Some("interrupted: --resume goes on"),
        Some(Stopped::FirstFailure) => Some("stopped at the first failure"),
        Some(Stopped::BrokenOff) => {
            Some("broken off, since a result could not be written: --resume goes on")
        }
        None if facts.seeds_asked.ends_with("..") => Some("the time is over"),
        None => None,
    };
    if let (Some(words), Some(reached)) = (words, reached(facts)) {
        let words = page.paint(Style::Yellow, &format!("{words}; {reached}"));
        page.line(&words);
    }
    for (scenario, name) in facts.missed() {
        let words = format!("{} requires {name}: not exercised under any seed", scenario.id);
        let words = page.paint(Style::Yellow, &words);
        page.line(&words);
    }
    for scenario in facts.unchecked() {
        let words = format!("{} is not a pass: no oracle had anything to check", scenario.id);
        let words = page.paint(Style::Yellow, &words);
        page.line(&words);
    }
    match facts.failure_rate_below() {
        Some(rate) => {
            let words = format!(
                "0 failures in {}: failure rate below {} at 95 %",
                human::counted(facts.passes(), "seed"),
                percent(rate)
            );
            let words = page.paint(Style::Bold, &words);
            page.line(&words);
        }
        None if facts.runs() == 0 => page.line("nothing was run"),
        None if facts.failed_runs == 0 => page.line("no seed showed anything"),
        None => failed(page, facts),
    }
}

/// The failures, each with its replay command.
fn failed(page: &mut Page, facts: &SweepFacts) {
    let ways = human::counted(facts.failures.len() as u64, "way");
    page.line(&format!("{} failed, in {ways}:", facts.failed_of()));
    for failure in facts.failures.iter().take(STORIES_MAX) {
        page.line(&format!(
            "  {} in {}, {}, first {}:",
            failure.oracle,
            failure.scenario,
            human::counted(failure.seen.count, "seed"),
            failure.seen.first_seed
        ));
        let command = page.paint(Style::Bold, &failure.reproduce);
        page.line(&format!("    {command}"));
    }
    let untold = facts.failures.len().saturating_sub(STORIES_MAX) as u64;
    if untold > 0 {
        let untold = human::counted(untold, "other way");
        page.line(&format!("  and {untold}; --json lists all"));
    }
}

/// How far a sweep came without a last seed; `None` if it did not begin.
fn reached(facts: &SweepFacts) -> Option<String> {
    let lasts = || facts.swept().map(|scenario| scenario.seeds.map(|(_, last)| last));
    let last = lasts().max()??;
    let (there, all) = (lasts().filter(|&seed| seed == Some(last)).count(), lasts().count());
    // A slice has only some of the scenarios under each seed.
    Some(if there == all || facts.slice.is_some() {
        format!("the last seed was {last}")
    } else {
        format!("the last seed was {last}, under {there} of {all} scenarios")
    })
}

/// Two significant digits, rounded up, because it is a bound.
fn percent(rate: f64) -> String {
    if rate == 0.0 {
        return "0 %".to_owned();
    }
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
    use crate::sweep::tests::{failed, passed, relapsed};

    #[test]
    fn a_sweep_with_failures_shows_each_once() {
        insta::assert_snapshot!("sweep-failed", render(&failed(), false, 80));
    }

    #[test]
    fn a_sweep_without_says_what_that_means() {
        insta::assert_snapshot!("sweep-passed", render(&passed(), false, 100));
    }

    #[test]
    fn a_regression_that_fails_is_told_like_a_seed() {
        let page = render(&relapsed(), false, 80);
        for words in [
            "  ✓ regressions            2 seeds  pass\n  ✗ regressions/lost-vote  1 seed  1 failed\n",
            "\n  ✗ hold in regressions/lost-vote · 1 of 1 seed · first 7\n",
            "\n8 seeds of 2 scenarios · 1..5 each · 40m 00s virtual\n3 regressions played first: not all pass\n",
            "\n2 of 8 seeds and 1 of 3 regressions failed, in 3 ways:\n",
            "\n    onsale replay 7 --scenario regressions/lost-vote\n",
        ] {
            assert!(page.contains(words), "{words}{page}");
        }
    }

    #[test]
    fn a_bound_is_rounded_up() {
        let table =
            [(0.95, "95 %"), (0.312_344, "32 %"), (0.001_870_6, "0.19 %"), (3e-5, "0.0030 %")];
        for (rate, text) in table {
            assert_eq!(percent(rate), text);
        }
    }
}
