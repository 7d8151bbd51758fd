//! Faults, outages and lead transfers of a run, at a terminal.
//!
//! Owns their lines and how many are shown. Refuses to know their effect on latencies.

use super::page::{INERT, Page, Style, flow, plural};
use crate::human;
use crate::run_facts::{FailoverResult, FaultResult, Lost, OutageResult, Touched, TransferTimes};
use crate::summary::Summary;

/// Longest list; longer ones end with a pointer to the file that has all of it.
const FAULTS_MAX: usize = 12;
/// Most lost bookings and holds shown one by one.
const LOST_MAX: usize = 4;
/// Most outages shown one by one.
const OUTAGES_MAX: usize = 3;

pub(super) fn faults(page: &mut Page, summary: &Summary) {
    let facts = &summary.facts;
    for (position, fault) in facts.faults.iter().take(FAULTS_MAX).enumerate() {
        let label = if position == 0 { "faults" } else { "" };
        let at = super::instant(fault.at_s).to_string();
        page.hanging(label, &format!("{at}  "), &fault_items(fault, facts.is_one_process));
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

/// What operators' recoveries gave up: a warning if clients had been told of any of it, the counts, and the first
/// bookings and holds by name.
pub(super) fn given_up(page: &mut Page, summary: &Summary) {
    let Some(losses) = &summary.facts.given_up else { return };
    let counted = |count, one| format!("{} {}", human::count(count), plural(count, one));
    let told = |what: &str| losses.told.iter().filter(|lost| lost.what == what).count() as u64;
    let (bookings, holds) = (told("booking"), told("hold"));
    let warning = format!(
        "{} and {} that clients were told of are lost for good",
        counted(bookings, "booking"),
        counted(holds, "hold")
    );
    if !losses.told.is_empty() {
        for line in flow(warning.split_whitespace(), " ", page.width - 4) {
            let line = page.paint(Style::Yellow, &line);
            page.line(&format!("  ! {line}"));
        }
    }
    let items = [
        format!("{} recovered by an operator", counted(losses.logs, "log")),
        format!("{} on lost disks only", counted(losses.records, "committed record")),
        counted(losses.bookings, "booking"),
        counted(losses.holds, "live hold"),
        counted(losses.releases, "release"),
    ];
    page.section("given up", &items);
    for lost in losses.told.iter().take(LOST_MAX) {
        let at = super::instant(lost.told_s);
        let Lost { what, hold, user, seats, .. } = lost;
        page.section("", &[format!("{what} {hold} of {user}, told at {at}: {seats}")]);
    }
    if let Some(more) = losses.told.len().checked_sub(LOST_MAX + 1) {
        page.section("", &[format!("… and {} more in summary.json", more + 1)]);
    }
    page.gap();
}

/// The outages of shards, or of the only process: all in one line, then the longest.
pub(super) fn outages(page: &mut Page, summary: &Summary) {
    let outages = &summary.facts.outages;
    if outages.count == 0 {
        return;
    }
    let counted = |count, one| format!("{} {}", human::count(count), plural(count, one));
    let is_one_process = summary.facts.is_one_process;
    let outage = |it: &OutageResult| match is_one_process {
        true => outage(it),
        false => format!("{} {}", it.shard, outage(it)),
    };
    let times = counted(outages.count, "time");
    let altogether = format!("{times}, {} altogether", human::seconds(outages.total_s));
    let longest = format!("longest {}", outage(&outages.longest[0]));
    let mut items = match is_one_process {
        true => vec![altogether, longest],
        false => vec![format!("{}, {altogether}", counted(outages.shards, "shard")), longest],
    };
    if outages.open > 0 && !is_one_process {
        items.push(format!("{} without a leader at the end", counted(outages.open, "shard")));
    }
    page.section(if is_one_process { "away" } else { "leaderless" }, &items);
    let more = outages.longest.iter().skip(1).take(OUTAGES_MAX - 1).map(outage);
    page.section("", &more.collect::<Vec<_>>());
    page.gap();
}

fn outage(outage: &OutageResult) -> String {
    let OutageResult { from_s, to_s, lasted_ms, why, .. } = outage;
    let end = if to_s.is_none() { ", to the end" } else { "" };
    format!("{} from {}{end}: {why}", human::millis(*lasted_ms), super::instant(*from_s))
}

fn fault_items(fault: &FaultResult, is_one_process: bool) -> Vec<String> {
    let mut items = vec![fault.what.clone()];
    if !fault.struck() {
        items.push(INERT.to_owned());
        return items;
    }
    items.push(match fault.healed_s {
        Some(healed) => format!("lasted {}", human::seconds(healed - fault.at_s)),
        None => "lasted to the end".to_owned(),
    });
    items.push(touched(fault));
    if fault.shards_lost_leader > 0 {
        let number = u64::from(fault.shards_lost_leader);
        let shards = format!("{} {}", human::count(number), plural(number, "shard"));
        let back = fault.recovery_ms.map(|took| format!("back within {}", human::millis(took)));
        items.push(match (back, is_one_process) {
            (Some(back), true) => back,
            (None, true) => "never came back".to_owned(),
            (Some(back), false) => format!("{shards} lost the leader, {back}"),
            (None, false) => format!("{shards} lost the leader, not all came back"),
        });
    }
    items.extend(fault.failover.iter().flat_map(failover_items));
    items.extend(fault.lead_transfers.iter().map(|passed| transfer_times("transferred", passed)));
    items
}

/// The effects of a fault. A shard that it left without a leader counts as touched.
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

fn transfer_times(how: &str, passed: &TransferTimes) -> String {
    let number = u64::from(passed.shards);
    let hot = passed.hot_ms.map(|took| format!(", the hot one {}", human::millis(took)));
    format!(
        "{} {} {how}: median {}, longest {}{}",
        human::count(number),
        plural(number, "lead"),
        human::millis(passed.median_ms),
        human::millis(passed.max_ms),
        hot.unwrap_or_default(),
    )
}

pub(super) fn lead_transfers(page: &mut Page, summary: &Summary) {
    let transfers = &summary.facts.lead_transfers;
    if transfers.is_empty() {
        return;
    }
    let drawn = transfers
        .near_venue
        .iter()
        .map(|passed| transfer_times("transferred nearer to venues", passed));
    let shed = transfers
        .by_load
        .iter()
        .map(|passed| transfer_times("transferred to less loaded nodes", passed));
    page.section("transfers", &drawn.chain(shed).collect::<Vec<_>>());
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
