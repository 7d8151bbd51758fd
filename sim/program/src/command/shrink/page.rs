//! The output at the end of a search.
//!
//! Owns the page and the JSON of `onsale shrink`. Refuses to know how the search works.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use onsale_reports::terminal::flow;
use onsale_reports::{OracleResult, human, json};
use onsale_sim::run::Outcome;
use onsale_sim::story;
use onsale_sim::story::telling::Story;
use serde::Serialize;

use crate::shrink::scale::Scale;
use crate::signature::Signature;

/// A finished search, for the page and the JSON.
#[derive(Serialize)]
pub(super) struct SearchResult<'a> {
    pub(super) schema: u32,
    pub(super) scenario: &'a str,
    #[serde(with = "json::seed")]
    pub(super) seed: u64,
    pub(super) signature: &'a Signature,
    pub(super) is_finished: bool,
    pub(super) runs: u64,
    pub(super) wall_s: f64,
    pub(super) before: Scale,
    pub(super) after: Scale,
    pub(super) dir: &'a Path,
    pub(super) saved: Option<PathBuf>,
    pub(super) reproduce: String,
}

impl SearchResult<'_> {
    pub(super) fn json(&self) -> String {
        json::pretty(self)
    }

    /// The table, the failure, and the story of the smallest run.
    pub(super) fn page(
        &self,
        last: &Outcome,
        story: Option<&Story>,
        colour: bool,
        width: Option<usize>,
    ) -> String {
        let mut text =
            format!("{} · seed {} · {} fails\n\n", self.scenario, self.seed, self.signature.oracle);
        self.table(&mut text);
        let (runs, took) = (human::count(self.runs), human::seconds(self.wall_s));
        let end = if self.is_finished {
            "nothing smaller fails in the same way"
        } else {
            "not finished: a larger --budget may shrink it further"
        };
        writeln!(text, "\n  {runs} runs in {took} · {end}\n").expect(TAKES);

        if let Some(story) = story {
            text += &story::page::render(story, colour, width);
        }
        let failed = |result: &&OracleResult| result.name == self.signature.oracle;
        let result = last.summary.facts.oracles.iter().find(failed);
        if let Some(evidence) = result.and_then(|result| result.evidence.as_ref()) {
            let headline = format!("✗ {}: {}", self.signature.oracle, evidence.headline);
            text += "\n";
            hang(&mut text, &headline, (2, 6), width);
            evidence.details.iter().for_each(|detail| hang(&mut text, detail, (6, 8), width));
        }
        writeln!(text, "\n{}", self.reproduce).expect(TAKES);
        text
    }

    fn table(&self, text: &mut String) {
        let (before, after) = (&self.before, &self.after);
        let count =
            |name, of: fn(&Scale) -> u64| (name, human::count(of(before)), human::count(of(after)));
        let rows = [
            ("", "before".to_owned(), "after".to_owned()),
            count("faults", |scale| scale.faults),
            count("users", |scale| scale.users),
            count("shows", |scale| scale.shows),
            count("seats a show", |scale| scale.seats),
            count("nodes", |scale| scale.nodes),
            count("shards", |scale| scale.shards),
            ("duration", human::seconds(before.duration_s), human::seconds(after.duration_s)),
            count("events", |scale| scale.events),
            ("wall", human::millis(before.wall_ms), human::millis(after.wall_ms)),
        ];
        for (name, before, after) in rows {
            writeln!(text, "  {name:<14}{before:>10}{after:>12}").expect(TAKES);
        }
    }
}

/// Text that begins at one column and continues at another.
fn hang(text: &mut String, words: &str, (first, rest): (usize, usize), width: Option<usize>) {
    let room = width.map_or(usize::MAX, |width| width.saturating_sub(rest));
    for (nth, line) in flow(words.split(' '), " ", room).iter().enumerate() {
        let indent = if nth == 0 { first } else { rest };
        writeln!(text, "{:indent$}{line}", "").expect(TAKES);
    }
}

const TAKES: &str = "a string takes what is written to it";
