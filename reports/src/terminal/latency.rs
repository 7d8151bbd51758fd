//! The latency table at a terminal.
//!
//! Owns its columns. Refuses to know the width of a terminal: the page knows it.

use onsale_booking::Span;

use super::page::{Page, Style, TEXT_COLUMN};
use crate::human;
use crate::operation::{Operation, Window};
use crate::summary::{LatencyRow, Percentiles, Summary};

/// A line of the latency table: label, count, five percentiles, unanswered.
type Line = [String; 8];

pub(super) fn latencies(page: &mut Page, summary: &Summary) {
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

/// The label aligned left, the figures aligned right.
fn padded(line: &Line, widths: &[usize; 8], gap: usize) -> String {
    let mut text = format!("{:1$}", line[0], widths[0]);
    for (cell, width) in line.iter().zip(widths).skip(1) {
        text.extend(std::iter::repeat_n(' ', gap + width - cell.chars().count()));
        text.push_str(cell);
    }
    text
}
