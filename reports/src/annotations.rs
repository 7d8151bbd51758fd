//! A sweep as annotations of GitHub Actions: one line for each distinct failure.
//!
//! Owns the form of a workflow command and its escapes. Refuses to know where they are printed.

use crate::human;
use crate::plain;
use crate::sweep::SweepFacts;

/// GitHub shows ten errors a step and drops the rest.
const ERRORS_MAX: usize = 10;
/// Longest message: GitHub cuts longer ones, and the beginning of the story and the replay command must survive.
const DETAILS_MAX: usize = 12;

/// One error for each distinct failure, and for each required check that was not exercised; at most ten, the
/// last of which then counts the others.
pub fn render(facts: &SweepFacts) -> String {
    let failures = facts.failures.iter().map(|failure| {
        let title = format!("{} failed in {}", failure.oracle, failure.scenario);
        let mut lines = vec![failure.headline.clone()];
        lines.extend(failure.details.iter().take(DETAILS_MAX).cloned());
        lines.push(format!(
            "in {} of {}, first {}",
            human::count(failure.seen.count),
            human::counted(facts.runs_of(&failure.scenario), "seed"),
            failure.seen.first_seed
        ));
        lines.push(failure.reproduce.clone());
        command(file_of(facts, &failure.scenario), &title, &lines.join("\n"))
    });
    let missed = facts.missed().map(|(scenario, name)| {
        let seeds = human::counted(scenario.runs, "seed");
        let message = format!("the scenario requires it, and {seeds} did not exercise it");
        let title = format!("{name} was not exercised in {}", scenario.id);
        command(scenario.file.as_deref(), &title, &message)
    });
    let unchecked = facts.unchecked().map(|scenario| {
        let message = format!("in {}", human::counted(scenario.runs, "seed"));
        let title = format!("no oracle had anything to check in {}", scenario.id);
        command(scenario.file.as_deref(), &title, &message)
    });
    let mut commands: Vec<String> = failures.chain(missed).chain(unchecked).collect();
    if commands.len() > ERRORS_MAX {
        let untold = commands.len() - (ERRORS_MAX - 1);
        commands.truncate(ERRORS_MAX - 1);
        commands.push(command(
            None,
            &human::counted(untold as u64, "other failure"),
            "they are in the log and in the files of the sweep",
        ));
    }
    commands.concat()
}

fn file_of<'a>(facts: &'a SweepFacts, id: &str) -> Option<&'a str> {
    facts.scenarios.iter().find(|scenario| scenario.id == id)?.file.as_deref()
}

/// An error beside the scenario's file, if the file is known.
fn command(file: Option<&str>, title: &str, message: &str) -> String {
    let property = |text: &str| escaped(text).replace(':', "%3A").replace(',', "%2C");
    let file = file.map(|file| format!("file={},", property(file))).unwrap_or_default();
    format!("::error {file}title={}::{}\n", property(title), escaped(message))
}

/// A message on one line.
fn escaped(text: &str) -> String {
    let breaks = text.replace("\r\n", "\n");
    plain::text(&breaks).replace('%', "%25").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::tests::{failed, passed};

    #[test]
    fn each_distinct_failure_is_a_line() {
        insta::assert_snapshot!("annotations", render(&failed()));
        assert_eq!(render(&passed()), "");
    }

    #[test]
    fn ten_lines_are_all_that_github_shows() {
        let mut facts = failed();
        let one = facts.failures[0].clone();
        facts.failures = (0..25).map(|_| one.clone()).collect();
        let text = render(&facts);
        assert_eq!(text.lines().count(), 10);
        let last = text.lines().last().unwrap();
        assert!(last.starts_with("::error title=18 other failures::"), "{last}");
    }

    #[test]
    fn titles_and_messages_survive_their_escapes() {
        assert_eq!(
            command(Some("a:b,c.toml"), "a: 5%, b", "100%\r\n::error::no\x1b[2J"),
            "::error file=a%3Ab%2Cc.toml,title=a%3A 5%25%2C b::100%25%0A\\u{3a}:error::no\\u{1b}[2J\n"
        );
    }
}
