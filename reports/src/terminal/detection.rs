//! Detections at a terminal.
//!
//! Owns the layout: one line for each setting, the verdict in front, and missed detections at the end.

use super::{Page, Style, WIDTH_MIN, columns};
use crate::detection::{Detection, Detections};

/// The table as text. It does not depend on the number of parallel runs.
pub fn render(facts: &Detections, colour: bool) -> String {
    let mut page = Page { text: String::new(), colour, width: WIDTH_MIN };
    let rows: Vec<[String; 6]> = facts.detections.iter().map(row).collect();
    let header = ["setting", "failures", "oracle", "median", "worst", "limit"];
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str());
        columns(cells.chain([header[column]]))
    };
    let widths: Vec<usize> = (0..header.len()).map(width).collect();
    let line = |cells: [&str; 6]| {
        let [setting, failures, oracle, median, worst, limit] = cells;
        let [s, f, o, m, w, l] = [0, 1, 2, 3, 4, 5].map(|column| widths[column]);
        format!("{setting:s$}  {failures:f$}  {oracle:o$}  {median:>m$}  {worst:>w$}  {limit:>l$}")
    };
    let head = page.paint(Style::Dim, &line(header));
    page.line(&format!("    {head}"));
    for (detection, row) in facts.detections.iter().zip(&rows) {
        let (mark, style) =
            if detection.is_seen() { ("✓", Style::Green) } else { ("✗", Style::Red) };
        let mark = page.paint(style, mark);
        page.line(&format!("  {mark} {}", line(row.each_ref().map(String::as_str))));
    }
    page.gap();

    let blind: Vec<&Detection> =
        facts.detections.iter().filter(|detection| !detection.is_seen()).collect();
    for detection in &blind {
        let missed = detection.seeds.iter().filter(|seeds| seeds.is_none()).count();
        let words = format!(
            "{} was blind to {} from {missed} of {} starts",
            detection.oracle, detection.scenario, facts.starts
        );
        let words = page.paint(Style::Red, &words);
        page.line(&words);
    }
    let (seen, all) = (facts.detections.len() - blind.len(), facts.detections.len());
    let which = if seen == all { format!("all {all}") } else { format!("{seen} of {all}") };
    page.line(&format!(
        "{which} settings were detected, from {} starting seeds each",
        facts.starts
    ));
    page.text
}

fn row(detection: &Detection) -> [String; 6] {
    let seeds = |seeds: Option<u32>| seeds.map_or_else(|| "–".to_owned(), |n| n.to_string());
    let settings = match detection.settings.join(", ") {
        none if none.is_empty() => detection.scenario.clone(),
        settings => settings,
    };
    [
        settings,
        detection.failures.join(" "),
        detection.oracle.clone(),
        seeds(detection.median()),
        seeds(detection.worst()),
        detection.within.to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use crate::detection::{Detections, detection};

    #[test]
    fn what_is_blind_is_named() {
        let facts = Detections {
            schema: 1,
            code_version: "0.1.0".to_owned(),
            starts: 3,
            detections: vec![
                detection("unsafe/a", &[Some(1), Some(3), Some(2)]),
                detection("unsafe/b", &[None, Some(1), None]),
            ],
        };
        insta::assert_snapshot!(super::render(&facts, false), @r#"
            setting             failures  oracle  median  worst  limit
          ✓ sale.early = "15s"  F4        hold         2      3      5
          ✗ sale.early = "15s"  F4        hold         –      –      5

        hold was blind to unsafe/b from 2 of 3 starts
        1 of 2 settings were detected, from 3 starting seeds each
        "#);
    }
}
