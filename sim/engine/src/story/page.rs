//! A story on a page: aligned for people, or one JSON object a line for programs.
//!
//! Owns columns, colour, and the rails on the left that show the faults in force. Refuses to
//! know what a line means.

use std::fmt::Write as _;

use onsale_reports::terminal::flow;
use onsale_reports::{human, json};
use serde::Serialize;

use super::line::{Kind, Line};
use super::telling::Story;

/// Columns left for the text on the narrowest terminal.
const ROOM_MIN: usize = 24;

/// The story for people: in each line the rails of the faults in force, the instant, the actor and
/// the text, wrapped to `width` columns if one is given.
pub fn render(story: &Story, colour: bool, width: Option<usize>) -> String {
    let who = story.lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0);
    let rails = rails(&story.lines);
    let gutter = rails.iter().map(|rail| rail.chars().count()).max().unwrap_or(0);
    let paint = |code: &str, text: &str| {
        if colour && !text.trim().is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let mut page = String::new();
    let gap = if gutter > 0 { " " } else { "" };
    for (line, rail) in story.lines.iter().zip(rails) {
        let below = paint("33", &format!("{:gutter$}", passing(&rail)));
        let rail = paint("33", &format!("{rail:gutter$}"));
        let at = paint("2", &line.at.to_string());
        let actor = paint("1", &format!("{:who$}", line.who));
        let say = |what: &str| match line.kind {
            Kind::Strike | Kind::Step | Kind::Heal => paint("33", what),
            Kind::Lost => paint("31", what),
            Kind::Verdict => paint("1;31", what),
            Kind::Client => paint("32", what),
            Kind::Leader | Kind::Health => paint("36", what),
            Kind::Ask | Kind::Route | Kind::Decision | Kind::Record | Kind::Answer => {
                what.to_owned()
            }
        };
        let indent = line.at.to_string().chars().count() + 2 + who + 2;
        let room = width.map_or(usize::MAX, |width| {
            width.saturating_sub(gutter + gap.len() + indent).max(ROOM_MIN)
        });
        let mut parts = flow(line.what.split(' '), " ", room).into_iter();
        let what = say(&parts.next().unwrap_or_default());
        writeln!(page, "{rail}{gap}{at}  {actor}  {what}").expect("a string takes what is written");
        for part in parts {
            writeln!(page, "{below}{gap}{:indent$}{}", "", say(&part))
                .expect("a string takes what is written");
        }
    }
    if story.untold > 0 {
        let untold = human::count(story.untold);
        writeln!(page, "… and {untold} more lines: narrow the story with --from, --to or --until")
            .expect("a string takes what is written");
    }
    page
}

/// The rails that continue below a line.
fn passing(rail: &str) -> String {
    let below = |mark| match mark {
        '┌' | '│' => '│',
        _ => ' ',
    };
    rail.chars().map(below).collect()
}

/// The story for programs: one JSON object a line.
pub fn json_lines(story: &Story) -> String {
    let mut in_force: Vec<usize> = Vec::new();
    let mut text = String::new();
    for line in &story.lines {
        match (line.kind, line.fault) {
            (Kind::Strike, Some(fault)) => in_force.push(fault),
            (Kind::Heal, Some(fault)) => in_force.retain(|&other| other != fault),
            _ => {}
        }
        let document = Document {
            at_us: line.at.micros(),
            at: line.at.to_string(),
            kind: line.kind.name(),
            who: &line.who,
            what: &line.what,
            request: line.request.map(|id| id.to_string()),
            shard: line.shard.map(|shard| shard.to_string()),
            faults_in_force: &in_force,
        };
        text.push_str(&json::line(&document));
    }
    text
}

/// The keys of a line, in the order written.
#[derive(Serialize)]
struct Document<'a> {
    at_us: u64,
    at: String,
    kind: &'static str,
    who: &'a str,
    what: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shard: Option<String>,
    /// Numbers of the faults in the plan.
    faults_in_force: &'a [usize],
}

/// The rails of each line, one for each fault in force: a rail opens where its fault strikes and
/// closes where it heals.
fn rails(lines: &[Line]) -> Vec<String> {
    let mut rails: Vec<Option<usize>> = Vec::new();
    let mut drawn = Vec::with_capacity(lines.len());
    for line in lines {
        let mut marked = None;
        if let (Kind::Strike, Some(fault)) = (line.kind, line.fault) {
            let free = rails.iter().position(Option::is_none).unwrap_or(rails.len());
            rails.resize(rails.len().max(free + 1), None);
            rails[free] = Some(fault);
            marked = Some((free, '┌'));
        } else if let (Kind::Heal, Some(fault)) = (line.kind, line.fault)
            && let Some(rail) = rails.iter().position(|rail| *rail == Some(fault))
        {
            rails[rail] = None;
            marked = Some((rail, '└'));
        }
        let mark = |(number, rail): (usize, &Option<usize>)| match marked {
            Some((at, mark)) if at == number => mark,
            _ if rail.is_some() => '│',
            _ => ' ',
        };
        drawn.push(rails.iter().enumerate().map(mark).collect());
        while rails.last() == Some(&None) {
            rails.pop();
        }
    }
    drawn
}

#[cfg(test)]
mod tests {
    use onsale_booking::Instant;

    use super::*;

    fn story() -> Story {
        let line = |at: u64, who: &str, kind, what: &str, fault| Line {
            at: Instant(at * 1_000),
            who: who.to_owned(),
            what: what.to_owned(),
            kind,
            request: None,
            shard: None,
            fault,
            context: false,
            repeats: None,
        };
        Story {
            lines: vec![
                line(1, "u17", Kind::Ask, "asks n2", None),
                line(2, "FAULT", Kind::Strike, "crash of n3", Some(0)),
                line(3, "FAULT", Kind::Strike, "pause of n2", Some(1)),
                line(4, "FAULT", Kind::Heal, "over: crash of n3", Some(0)),
                line(5, "n2", Kind::Lost, "is paused", None),
                line(6, "FAULT", Kind::Heal, "over: pause of n2", Some(1)),
            ],
            untold: 0,
        }
    }

    #[test]
    fn rails_mark_the_lines_during_a_fault() {
        let expected = "   00:00.001  u17    asks n2
┌  00:00.002  FAULT  crash of n3
│┌ 00:00.003  FAULT  pause of n2
└│ 00:00.004  FAULT  over: crash of n3
 │ 00:00.005  n2     is paused
 └ 00:00.006  FAULT  over: pause of n2
";
        assert_eq!(render(&story(), false, None), expected);
        assert_eq!(render(&story(), false, Some(40)), expected);
        assert!(render(&story(), true, None).contains("\x1b[31mis paused\x1b[0m"));
    }

    #[test]
    fn a_line_wraps_at_the_terminal_s_width_and_rails_continue() {
        let mut story = story();
        story.lines.truncate(4);
        "crash of n3, which leads show0 and many others".clone_into(&mut story.lines[1].what);
        let expected = "   00:00.001  u17    asks n2
┌  00:00.002  FAULT  crash of n3, which leads
│                    show0 and many others
│┌ 00:00.003  FAULT  pause of n2
└│ 00:00.004  FAULT  over: crash of n3
";
        assert_eq!(render(&story, false, Some(45)), expected);
    }

    #[test]
    fn programs_get_an_object_a_line() {
        let lines = json_lines(&story());
        let told: Vec<serde_json::Value> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(told.len(), 6);
        assert_eq!(told[4]["faults_in_force"], serde_json::json!([1]));
        assert_eq!(told[0]["at_us"], 1_000);
    }
}
