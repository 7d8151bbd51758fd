//! A run at a terminal.
//!
//! Owns the layout: one screen, with the verdicts first and the replay command last. Refuses to know whether the
//! terminal wants colour or how wide it is.

pub mod detection;
mod fault;
mod latency;
mod page;
pub mod sweep;

use std::collections::BTreeMap;

use onsale_booking::Instant;

use self::fault::{faults, given_up, lead_transfers, outages};
use self::latency::latencies;
pub use self::page::flow;
use self::page::{Page, Style, WIDTH_MIN, columns, plural};
use crate::human;
use crate::run_facts::{OracleResult, TraceResult, Verdict};
use crate::summary::Summary;

/// Most lines of evidence shown; summary.json has all.
const DETAILS_MAX: usize = 20;

/// The verdicts with evidence, without figures, as they follow a story. The last line is the command that plays
/// the run again.
pub fn render_verdicts(summary: &Summary, colour: bool, width: usize) -> String {
    let mut page = Page { text: String::new(), colour, width: width.max(WIDTH_MIN) };
    title(&mut page, summary);
    oracles(&mut page, summary);
    given_up(&mut page, summary);
    stopped(&mut page, summary);
    page.section("trace", std::slice::from_ref(&summary.facts.trace_hash));
    page.gap();
    reproduce(&mut page, summary);
    page.text
}

/// The summary as text, in lines of at most `width` columns if words allow it. The last line is the command that
/// plays the run again.
pub fn render(summary: &Summary, colour: bool, width: usize) -> String {
    let mut page = Page { text: String::new(), colour, width: width.max(WIDTH_MIN) };
    title(&mut page, summary);
    oracles(&mut page, summary);
    given_up(&mut page, summary);
    stopped(&mut page, summary);
    crowd(&mut page, summary);
    latencies(&mut page, summary);
    faults(&mut page, summary);
    outages(&mut page, summary);
    lead_transfers(&mut page, summary);
    replicated_facts(&mut page, summary);
    costs(&mut page, summary);

    reproduce(&mut page, summary);
    page.text
}

fn reproduce(page: &mut Page, summary: &Summary) {
    let command = page.paint(Style::Bold, &summary.facts.reproduce);
    page.line(&command);
}

fn title(page: &mut Page, summary: &Summary) {
    let facts = &summary.facts;
    let name = page.paint(Style::Bold, &facts.scenario);
    page.line(&format!("{name} · seed {}", facts.seed));
    for line in flow(facts.title.split_whitespace(), " ", page.width) {
        let line = page.paint(Style::Dim, &line);
        page.line(&line);
    }
    if facts.interrupted {
        let stopped = facts.stopped.as_ref().map(|stopped| instant(stopped.at_s));
        let how = stopped.map_or_else(|| "interrupted".to_owned(), |at| format!("stopped at {at}"));
        let warning = format!("{how}: what follows covers only the part that ran");
        let warning = page.paint(Style::Yellow, &warning);
        page.line(&warning);
    }
    page.gap();
}

fn oracles(page: &mut Page, summary: &Summary) {
    let facts = &summary.facts;
    let name_width = columns(facts.oracles.iter().map(|oracle| oracle.name.as_str()));
    let counts: Vec<String> =
        facts.oracles.iter().map(|oracle| human::count(oracle.checked)).collect();
    let count_width = columns(counts.iter().map(String::as_str));

    for (oracle, count) in facts.oracles.iter().zip(&counts) {
        let (mark, style) = match oracle.verdict {
            Verdict::Pass => ("✓", Style::Green),
            Verdict::Fail => ("✗", Style::Red),
            Verdict::NotExercised => ("–", Style::Yellow),
        };
        let mark = page.paint(style, mark);
        let name = &oracle.name;
        match oracle.verdict {
            Verdict::Pass | Verdict::Fail => {
                let unit = plural(oracle.checked, "check");
                page.line(&format!("  {mark} {name:name_width$}  {count:>count_width$} {unit}"));
            }
            Verdict::NotExercised => {
                let words = page.paint(Style::Dim, "not exercised");
                page.line(&format!("  {mark} {name:name_width$}  {words}"));
            }
        }
        evidence(page, oracle, &facts.reproduce);
    }
    if !facts.must_exercise_misses.is_empty() {
        let misses = facts.must_exercise_misses.join(", ");
        let words = format!("required by the scenario and not exercised: {misses}");
        for line in flow(words.split_whitespace(), " ", page.width - 2) {
            let line = page.paint(Style::Yellow, &line);
            page.line(&format!("  {line}"));
        }
    }
    page.gap();
}

fn evidence(page: &mut Page, oracle: &OracleResult, reproduce: &str) {
    let Some(evidence) = &oracle.evidence else { return };
    for line in flow(evidence.headline.split_whitespace(), " ", page.width - 6) {
        let line = page.paint(Style::Red, &line);
        page.line(&format!("      {line}"));
    }
    for detail in evidence.details.iter().take(DETAILS_MAX) {
        for (position, line) in
            flow(detail.split_whitespace(), " ", page.width - 10).iter().enumerate()
        {
            let indent = if position == 0 { 8 } else { 10 };
            page.line(&format!("{:indent$}{line}", ""));
        }
    }
    if let Some(more) = evidence.details.len().checked_sub(DETAILS_MAX + 1) {
        page.line(&format!("        … and {} more in summary.json", more + 1));
    }
    // The story of a session is about the fact that it read.
    let is_of_facts =
        |subject: &&String| subject.starts_with("session:") || subject.starts_with("fact:");
    let of_facts = evidence.follow.iter().filter(is_of_facts).count();
    let subjects = evidence.follow.iter().take(of_facts.max(1));
    let follow: String = subjects.map(|subject| format!(" --follow {subject}")).collect();
    if !follow.is_empty() {
        let label = page.paint(Style::Dim, "its story:");
        page.line(&format!("        {label} {reproduce}{follow}"));
    }
}

/// The state at the instant at which the run was stopped.
fn stopped(page: &mut Page, summary: &Summary) {
    let Some(stopped) = &summary.facts.stopped else { return };
    page.section("shards", &stopped.nodes);
    let mut waiting =
        vec![format!("{} {}", human::count(stopped.waiting), plural(stopped.waiting, "request"))];
    waiting.extend(stopped.waits_longest.iter().map(|longest| format!("longest {longest}")));
    page.section("waiting", &waiting);
    page.gap();
}

fn crowd(page: &mut Page, summary: &Summary) {
    let facts = &summary.facts;
    let mut seats =
        vec![format!("{} of {} sold", human::count(facts.sold_seats), human::count(facts.seats))];
    if facts.held_at_end > 0 {
        seats.push(format!("{} on hold at the end", human::count(facts.held_at_end)));
    }
    page.section("seats", &seats);

    let mut users = vec![format!("{} users", human::count(facts.users))];
    users.extend(facts.trace.as_ref().map(|trace| by_trace(facts.users, trace)));
    if facts.admitted > 0 {
        users.push(format!("{} admitted", human::count(facts.admitted)));
    }
    page.section("crowd", &users);
    let outcomes: Vec<String> = facts
        .users_outcome
        .iter()
        .filter(|(_, users)| *users > 0)
        .map(|(outcome, users)| format!("{outcome} {}", human::count(*users)))
        .collect();
    if !outcomes.is_empty() {
        page.section("", &outcomes);
    }
    page.section("manners", &facts.manners.iter().map(by_habit).collect::<Vec<_>>());
    page.gap();
}

/// The requests of one bad habit, and their answers.
fn by_habit((habit, answers): (&String, &BTreeMap<String, u64>)) -> String {
    let total: u64 = answers.values().sum();
    let each = answers.iter().map(|(answer, count)| format!("{answer} {}", human::count(*count)));
    format!("{habit} {} ({})", human::count(total), each.collect::<Vec<_>>().join(", "))
}

/// The trace of arrivals, and the number of its people who come.
fn by_trace(users: u64, TraceResult { file, arrivals }: &TraceResult) -> String {
    if users == *arrivals {
        return format!("all arrivals of {file}");
    }
    let share = users as f64 / *arrivals as f64 * 100.0;
    format!("scaled: {share:.3} % of the {} arrivals of {file}", human::count(*arrivals))
}

fn replicated_facts(page: &mut Page, summary: &Summary) {
    let Some(facts) = &summary.facts.facts else { return };
    let counted = |count, one| format!("{} {}", human::count(count), plural(count, one));
    let mut items = vec![
        counted(facts.facts, "fact"),
        counted(facts.writes, "write"),
        counted(facts.reads, "read"),
    ];
    if facts.behind > 0 {
        items.push(format!("{} sent on by a node that was behind", human::count(facts.behind)));
    }
    if facts.unanswered > 0 {
        items.push(format!("{} without an answer", human::count(facts.unanswered)));
    }
    if facts.started_over > 0 {
        items.push(format!("{} started over", counted(facts.started_over, "session")));
    }
    if facts.lost_with_disks > 0 {
        items.push(format!("{} lost with disks", counted(facts.lost_with_disks, "write")));
    }
    if let Some(agreed) = facts.agreed_ms {
        let agreed = human::millis(agreed);
        items.push(format!("all nodes agree {agreed} after the last fault"));
    }
    page.section("facts", &items);
    page.gap();
}

fn instant(seconds: f64) -> Instant {
    Instant::ZERO + human::from_seconds(seconds)
}

fn costs(page: &mut Page, summary: &Summary) {
    let facts = &summary.facts;
    let mut time = vec![format!(
        "{} virtual in {} wall",
        human::seconds(facts.virtual_s),
        human::seconds(facts.wall_s)
    )];
    if facts.wall_s > 0.0 {
        time.push(format!("{} events/s", human::rate(facts.events as f64 / facts.wall_s)));
        time.push(format!("{} users/s", human::rate(facts.users as f64 / facts.wall_s)));
    }
    page.section("time", &time);
    if facts.peak_rss_bytes > 0 {
        page.section("memory", &[format!("{} at its peak", human::bytes(facts.peak_rss_bytes))]);
    }
    if !facts.assumptions.is_empty() {
        let all = facts.assumptions.len() as u64;
        let assumed = facts.assumptions.iter().filter(|(.., basis)| basis.starts_with("assumed"));
        let (assumed, values) = (assumed.count(), plural(all, "value"));
        page.section("assumed", &[format!("{assumed} of {all} {values}; summary.json lists them")]);
    }
    page.section("code", &[facts.code_version.clone(), facts.build_profile.clone()]);
    page.section("trace", std::slice::from_ref(&facts.trace_hash));
    page.gap();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_facts::{FactsResult, Losses, Lost, TransferTimes};
    use crate::sample;

    #[test]
    fn a_passing_run() {
        insta::assert_snapshot!("terminal-passed", render(&sample::passed(), false, 100));
    }

    #[test]
    fn a_failing_run_shows_its_evidence() {
        insta::assert_snapshot!("terminal-failed", render(&sample::failed(), false, 80));
    }

    #[test]
    fn replicated_facts_are_told_of_where_there_are_any() {
        let mut summary = sample::passed();
        summary.facts.facts = Some(FactsResult {
            facts: 90,
            writes: 1_200,
            reads: 1,
            unanswered: 2,
            started_over: 1,
            lost_with_disks: 3,
            agreed_ms: Some(292.0),
            ..FactsResult::default()
        });
        let told = "facts       90 facts · 1,200 writes · 1 read · 2 without an answer";
        assert!(render(&summary, false, 100).contains(told));
        let lost = "1 session started over · 3 writes lost with disks";
        assert!(render(&summary, false, 160).contains(lost));
        assert!(
            render(&summary, false, 120).contains("all nodes agree 292 ms after the last fault")
        );
        let json: serde_json::Value = serde_json::from_str(&summary.to_json()).unwrap();
        assert_eq!(json["facts"]["agreed_ms"], 292.0);
        assert!(!sample::passed().to_json().contains("agreed_ms"));
    }

    #[test]
    fn what_a_recovery_gave_up_is_counted_and_named() {
        let mut summary = sample::passed();
        assert!(!summary.to_json().contains("given_up"));
        let lost = |what: &str, hold: u64| Lost {
            what: what.to_owned(),
            log: 3,
            hold: format!("h{hold}"),
            user: "u9".to_owned(),
            seats: "show0 seats 1 2".to_owned(),
            told_s: 61.5,
        };
        let told: Vec<Lost> =
            (1..=5).map(|hold| lost("booking", hold)).chain([lost("hold", 6)]).collect();
        summary.facts.given_up =
            Some(Losses { logs: 9, records: 134, bookings: 6, holds: 2, releases: 1, told });
        let page = render(&summary, false, 200);
        for line in [
            "  ! 5 bookings and 1 hold that clients were told of are lost for good\n",
            "  given up    9 logs recovered by an operator · 134 committed records on lost disks only · 6 bookings · 2 live holds · 1 release",
            "              booking h4 of u9, told at 01:01.500: show0 seats 1 2\n",
            "              … and 2 more in summary.json\n",
        ] {
            assert!(page.contains(line), "{line}{page}");
        }
        let json: serde_json::Value = serde_json::from_str(&summary.to_json()).unwrap();
        assert_eq!(json["given_up"]["told"][5]["what"], "hold");
        summary.facts.given_up = Some(Losses { logs: 9, ..Losses::default() });
        assert!(!render(&summary, false, 120).contains("lost for good"));
    }

    #[test]
    fn transfers_without_a_fault_stand_beside_their_label() {
        let mut summary = sample::passed();
        let times = TransferTimes { shards: 27, median_ms: 12.0, max_ms: 30.0, hot_ms: None };
        summary.facts.lead_transfers.near_venue = Some(times);
        let told = "\n  transfers   27 leads transferred nearer to venues: median";
        assert!(render(&summary, false, 100).contains(told), "{}", render(&summary, false, 100));
    }

    #[test]
    fn words_wrap_at_the_width() {
        let mut summary = sample::failed();
        summary.facts.reproduce = "onsale".to_owned();
        for width in [80, 100, 120] {
            let text = render(&summary, false, width);
            let too_wide = text.lines().find(|line| line.chars().count() > width);
            assert_eq!(too_wide, None, "{width}");
        }
        assert_eq!(flow("a bc defg h".split(' '), " ", 4), ["a bc", "defg", "h"]);
        assert_eq!(flow(["wider than that", "b"].into_iter(), " · ", 4), ["wider than that", "b"]);
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let summary = sample::failed();
        let mut plain = String::new();
        let coloured = render(&summary, true, 80);
        let mut rest = coloured.as_str();
        while let Some((before, code)) = rest.split_once('\x1b') {
            plain.push_str(before);
            rest = code.split_once('m').unwrap().1;
        }
        plain.push_str(rest);
        assert_eq!(plain, render(&summary, false, 80));
    }

    #[test]
    fn the_last_line_reproduces_the_run() {
        let summary = sample::passed();
        let text = render(&summary, false, 100);
        assert_eq!(text.lines().last(), Some(summary.facts.reproduce.as_str()));
    }
}
