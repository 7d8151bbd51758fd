//! A run at a terminal.
//!
//! Owns the layout: one screen, the verdicts first, the line that reproduces the run last.
//! Refuses to know whether the terminal wants colour or how wide it is.

pub mod detection;
pub mod sweep;

use onsale_booking::{Instant, Span};

use crate::facts::{
    FailoverResult, FaultResult, HandOvers, OracleResult, OutageResult, Touched, TraceResult,
    Verdict,
};
use crate::human;
use crate::operation::{Operation, Window};
use crate::summary::{LatencyRow, Percentiles, Summary};

/// A narrower terminal is treated as this wide.
const WIDTH_MIN: usize = 40;
/// Where a section's text starts; its label stands before.
const TEXT_COLUMN: usize = 14;
/// Longer lists end in a hint at the file that has all of it.
const FAULTS_MAX: usize = 12;
const DETAILS_MAX: usize = 20;
/// Of the times without a leader these many are told one by one.
const OUTAGES_MAX: usize = 3;
/// What stands out of a fault's line.
const INERT: &str = "touched nothing";

/// What broke and what held, without figures: what belongs below a story. The last line is the
/// command that plays the run again.
pub fn render_verdicts(summary: &Summary, colour: bool, width: usize) -> String {
    let mut page = Page { text: String::new(), colour, width: width.max(WIDTH_MIN) };
    title(&mut page, summary);
    oracles(&mut page, summary);
    stopped(&mut page, summary);
    page.section("trace", std::slice::from_ref(&summary.facts.trace_hash));
    page.gap();
    reproduce(&mut page, summary);
    page.text
}

/// The summary as text, in lines of at most `width` columns where words allow it. The last
/// line is the command that plays the run again.
pub fn render(summary: &Summary, colour: bool, width: usize) -> String {
    let mut page = Page { text: String::new(), colour, width: width.max(WIDTH_MIN) };
    title(&mut page, summary);
    oracles(&mut page, summary);
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
        let words = format!("required by the scenario and did not happen: {misses}");
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
    // A session's story is about the fact that it read.
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

/// How things stood where the run was stopped.
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
    page.gap();
}

/// Which trace people come by, and how many of those that it counts.
fn by_trace(users: u64, TraceResult { file, arrivals }: &TraceResult) -> String {
    if users == *arrivals {
        return format!("all arrivals of {file}");
    }
    let share = users as f64 / *arrivals as f64 * 100.0;
    format!("scaled: {share:.3} % of the {} arrivals of {file}", human::count(*arrivals))
}

/// A line of the latency table: label, count, five percentiles, unanswered.
type Line = [String; 8];

fn latencies(page: &mut Page, summary: &Summary) {
    let header = ["latency", "count", "p50", "p90", "p99", "p99.9", "max", "unanswered"];
    let mut lines: Vec<(Line, u64)> = Vec::new();
    for operation in Operation::ALL {
        let row = summary.latency(operation, Window::Whole);
        if row.is_empty() {
            continue;
        }
        lines.push((line(operation.name(), row), row.unanswered));
        let split = matches!(operation, Operation::Hold | Operation::Confirm);
        let in_faults = summary.latency(operation, Window::InFaults);
        if split && !in_faults.is_empty() {
            let outside = summary.latency(operation, Window::OutsideFaults);
            lines.push((line("  in faults", in_faults), in_faults.unanswered));
            lines.push((line("  outside", outside), outside.unanswered));
        }
    }
    if lines.is_empty() {
        return;
    }

    let mut widths = header.map(|cell| cell.chars().count());
    for (line, _) in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    widths[0] = widths[0].max(TEXT_COLUMN - 4);
    let total: usize = widths.iter().sum();
    let gap = if 2 + total + 2 * (widths.len() - 1) <= page.width { 2 } else { 1 };

    let heading = page.paint(Style::Dim, &padded(&header.map(str::to_owned), &widths, gap));
    page.line(&format!("  {heading}"));
    for (line, unanswered) in lines {
        let text = padded(&line, &widths, gap);
        let style = if unanswered > 0 { Style::Yellow } else { Style::Plain };
        let (figures, last) = text.split_at(text.len() - line[line.len() - 1].len());
        let last = page.paint(style, last);
        page.line(&format!("  {figures}{last}"));
    }
    page.gap();
}

fn line(label: &str, row: &LatencyRow) -> Line {
    let span = |of: fn(&Percentiles) -> Span| {
        row.percentiles.as_ref().map_or_else(|| "–".to_owned(), |found| human::span(of(found)))
    };
    [
        label.to_owned(),
        human::count(row.count),
        span(|found| found.p50),
        span(|found| found.p90),
        span(|found| found.p99),
        span(|found| found.p99_9),
        span(|found| found.max),
        human::count(row.unanswered),
    ]
}

/// The label flush left, the figures flush right.
fn padded(line: &Line, widths: &[usize; 8], gap: usize) -> String {
    let mut text = format!("{:1$}", line[0], widths[0]);
    for (cell, width) in line.iter().zip(widths).skip(1) {
        text.extend(std::iter::repeat_n(' ', gap + width - cell.chars().count()));
        text.push_str(cell);
    }
    text
}

fn faults(page: &mut Page, summary: &Summary) {
    let facts = &summary.facts;
    for (position, fault) in facts.faults.iter().take(FAULTS_MAX).enumerate() {
        let label = if position == 0 { "faults" } else { "" };
        let at = instant(fault.at_s).to_string();
        page.hanging(label, &format!("{at}  "), &fault_items(fault));
    }
    if let Some(more) = facts.faults.len().checked_sub(FAULTS_MAX + 1) {
        page.section("", &[format!("… and {} more in summary.json", more + 1)]);
    }
    if let Some(recovery) = facts.calm_recovery_ms {
        let recovery = human::millis(recovery);
        page.section("calm", &[format!("live again {recovery} after the last fault")]);
    }
    if !facts.faults.is_empty() || facts.calm_recovery_ms.is_some() {
        page.gap();
    }
}

/// The times in which shards had no leader: all in one line, then the longest.
fn outages(page: &mut Page, summary: &Summary) {
    let outages = &summary.facts.outages;
    if outages.count == 0 {
        return;
    }
    let counted = |count, one| format!("{} {}", human::count(count), plural(count, one));
    let mut items = vec![
        format!(
            "{}, {}, {} altogether",
            counted(outages.shards, "shard"),
            counted(outages.count, "time"),
            human::seconds(outages.total_s)
        ),
        format!("longest {}", outage(&outages.longest[0])),
    ];
    if outages.open > 0 {
        items.push(format!("{} without a leader at the end", counted(outages.open, "shard")));
    }
    page.section("leaderless", &items);
    let more = outages.longest.iter().skip(1).take(OUTAGES_MAX - 1).map(outage);
    page.section("", &more.collect::<Vec<_>>());
    page.gap();
}

fn outage(outage: &OutageResult) -> String {
    let OutageResult { shard, from_s, to_s, lasted_ms, why, .. } = outage;
    let end = if to_s.is_none() { ", to the end" } else { "" };
    format!("{shard} {} from {}{end}: {why}", human::millis(*lasted_ms), instant(*from_s))
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
    if facts.begun_anew > 0 {
        items.push(format!("{} begun anew", counted(facts.begun_anew, "session")));
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

fn fault_items(fault: &FaultResult) -> Vec<String> {
    let mut items = vec![fault.what.clone()];
    items.push(match fault.healed_s {
        Some(healed) => format!("lasted {}", human::seconds(healed - fault.at_s)),
        None => "lasted to the end".to_owned(),
    });
    items.push(touched(fault));
    if fault.shards_lost_leader > 0 {
        let number = u64::from(fault.shards_lost_leader);
        let shards = format!("{} {}", human::count(number), plural(number, "shard"));
        items.push(match fault.recovery_ms {
            Some(recovery) => {
                format!("{shards} lost the leader, back within {}", human::millis(recovery))
            }
            None => format!("{shards} lost the leader, not all came back"),
        });
    }
    items.extend(fault.failover.iter().flat_map(failover_items));
    items.extend(fault.hand_overs.iter().map(|passed| hand_overs("handed over", passed)));
    items
}

/// What a fault touched. A shard that it left without a leader is touched, too.
fn touched(fault: &FaultResult) -> String {
    let Touched { messages, writes, turns } = fault.touched;
    if fault.touched.is_nothing() && fault.shards_lost_leader == 0 {
        return INERT.to_owned();
    }
    let counted = [(messages, "message"), (writes, "write"), (turns, "turn")];
    let told = counted.into_iter().filter(|&(count, _)| count > 0);
    let told = told.map(|(count, one)| format!("{} {}", human::count(count), plural(count, one)));
    let told: Vec<String> = told.collect();
    if told.is_empty() {
        "touched no message".to_owned()
    } else {
        format!("touched {}", told.join(", "))
    }
}

fn hand_overs(how: &str, passed: &HandOvers) -> String {
    let number = u64::from(passed.shards);
    let hot = passed.hot_ms.map(|took| format!(", the hot one {}", human::millis(took)));
    format!(
        "{} {} {how}: median {}, longest {}{}",
        human::count(number),
        plural(number, "shard"),
        human::millis(passed.median_ms),
        human::millis(passed.max_ms),
        hot.unwrap_or_default(),
    )
}

fn lead_transfers(page: &mut Page, summary: &Summary) {
    let transfers = &summary.facts.lead_transfers;
    if transfers.is_empty() {
        return;
    }
    let drawn = transfers.near_venue.iter().map(|passed| hand_overs("drawn to venues", passed));
    let shed = transfers.by_load.iter().map(|passed| hand_overs("given to idler nodes", passed));
    page.section("lead transfers", &drawn.chain(shed).collect::<Vec<_>>());
    page.gap();
}

fn failover_items(failover: &FailoverResult) -> impl Iterator<Item = String> {
    let steps = [
        ("leader suspected after", failover.suspected_ms),
        ("next elected after", failover.elected_ms),
        ("first commit after", failover.serving_ms),
    ];
    let told = |(step, after): (&str, Option<f64>)| {
        after.map(|after| format!("{step} {}", human::millis(after)))
    };
    steps.into_iter().filter_map(told)
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
        let number = facts.assumptions.len() as u64;
        let parameters = plural(number, "parameter");
        page.section("assumed", &[format!("{number} {parameters}, listed in summary.json")]);
    }
    page.section("code", &[facts.code_version.clone(), facts.build_profile.clone()]);
    page.section("trace", std::slice::from_ref(&facts.trace_hash));
    page.gap();
}

#[derive(Clone, Copy)]
enum Style {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
}

struct Page {
    text: String,
    colour: bool,
    width: usize,
}

impl Page {
    /// One line: a break that came with a name would make two of it.
    fn line(&mut self, line: &str) {
        if line.contains('\n') {
            self.text.push_str(&line.replace('\n', "\\u{a}"));
        } else {
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A label and items set apart by dots; an item that does not fit opens a new line.
    fn section(&mut self, label: &str, items: &[String]) {
        self.hanging(label, "", items);
    }

    /// The same behind a lead, below which further lines stay clear.
    fn hanging(&mut self, label: &str, lead: &str, items: &[String]) {
        let indent = lead.chars().count();
        let room = self.width - TEXT_COLUMN - indent;
        let items = items.iter().map(String::as_str);
        for (position, line) in flow(items, " · ", room).iter().enumerate() {
            let (label, lead) = if position == 0 { (label, lead) } else { ("", "") };
            let label = format!("{label:0$}", TEXT_COLUMN - 2);
            let label = self.paint(Style::Dim, &label);
            let line = line.replace(INERT, &self.paint(Style::Yellow, INERT));
            self.line(&format!("  {label}{lead:indent$}{line}"));
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        let code = match style {
            Style::Plain => return text.to_owned(),
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Green => "32",
            Style::Yellow => "33",
            Style::Red => "31",
        };
        let blank = text.trim().is_empty();
        if self.colour && !blank { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The noun for so many.
fn plural(number: u64, noun: &str) -> String {
    if number == 1 { noun.to_owned() } else { format!("{noun}s") }
}

/// Fills lines of `width` columns with pieces. A piece that is wider stands alone and whole,
/// because cut names and commands are of no use.
pub fn flow<'a>(pieces: impl Iterator<Item = &'a str>, between: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line)
                if line.chars().count() + between.chars().count() + piece.chars().count()
                    <= width =>
            {
                line.push_str(between);
                line.push_str(piece);
            }
            Some(_) | None => lines.push(piece.to_owned()),
        }
    }
    lines
}

/// The width of the widest.
fn columns<'a>(texts: impl IntoIterator<Item = &'a str>) -> usize {
    texts.into_iter().map(|text| text.chars().count()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::FactsResult;
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
            begun_anew: 1,
            lost_with_disks: 3,
            agreed_ms: Some(292.0),
            ..FactsResult::default()
        });
        let told = "facts       90 facts · 1,200 writes · 1 read · 2 without an answer";
        assert!(render(&summary, false, 100).contains(told));
        let lost = "1 session begun anew · 3 writes lost with disks";
        assert!(render(&summary, false, 160).contains(lost));
        assert!(
            render(&summary, false, 120).contains("all nodes agree 292 ms after the last fault")
        );
        let json: serde_json::Value = serde_json::from_str(&summary.to_json()).unwrap();
        assert_eq!(json["facts"]["agreed_ms"], 292.0);
        assert!(!sample::passed().to_json().contains("agreed_ms"));
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
