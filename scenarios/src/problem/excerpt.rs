//! The excerpt of a text with problems.
//!
//! Owns the positions of problems and the lines around them: other lines are left empty, so that numbers stay
//! right, long ones are cut off, and control characters are replaced. Walks once through the text, for any
//! number of problems. Refuses to know what the problems are.

use std::collections::BTreeSet;
use std::ops::Range;

/// Longest part of a line that is shown, in bytes.
const LINE_MAX: usize = 400;
/// The replacement of a control character.
const HIDDEN: char = '\u{fffd}';

/// The position of a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    /// Line, from 1.
    pub(super) line: usize,
    /// Column in characters, from 1.
    pub(super) column: usize,
    /// Offset in the excerpt; `None` after the end of the visible part of its line.
    pub(super) shown: Option<Range<usize>>,
}

/// The excerpt, and the positions of some spans in ascending order.
pub(super) fn of(text: &str, spans: &[Range<usize>]) -> (String, Vec<Placed>) {
    let mut placed = Vec::with_capacity(spans.len());
    let (mut line, mut line_start, mut seen) = (1, 0, 0);
    for span in spans {
        let start = boundary_before(text, span.start);
        for (newline, _) in text[seen..start].match_indices('\n') {
            line += 1;
            line_start = seen + newline + 1;
        }
        seen = start;
        let column = 1 + text[line_start..start].chars().count();
        placed.push(Placed { line, column, shown: None });
    }

    let near: BTreeSet<usize> =
        placed.iter().flat_map(|place| place.line - 1..=place.line + 1).collect();
    let mut excerpt = String::new();
    let (mut from, mut next) = (0, 0);
    for (number, whole) in (1..).zip(text.split_inclusive('\n')) {
        let bare = whole.trim_end_matches('\n');
        if near.contains(&number) {
            let at = excerpt.len();
            let kept = &bare[..boundary_before(bare, LINE_MAX)];
            excerpt.extend(kept.chars().map(|c| if moves(c) { HIDDEN } else { c }));
            // Maps an offset into the line to the excerpt.
            let shown = |offset: usize| {
                let before = &kept[..boundary_before(kept, offset)];
                at + before
                    .chars()
                    .map(|c| if moves(c) { HIDDEN } else { c }.len_utf8())
                    .sum::<usize>()
            };
            while next < placed.len() && placed[next].line == number {
                let (start, end) =
                    (spans[next].start - from, spans[next].end.max(spans[next].start) - from);
                if start <= kept.len() {
                    placed[next].shown = Some(shown(start)..shown(end));
                }
                next += 1;
            }
            if kept.len() < bare.len() {
                excerpt.push('…');
            }
        }
        if bare.len() < whole.len() {
            excerpt.push('\n');
        }
        from += whole.len();
    }
    // After the last line.
    for place in placed.iter_mut().skip(next) {
        place.shown = Some(excerpt.len()..excerpt.len());
    }
    (excerpt, placed)
}

fn moves(letter: char) -> bool {
    letter != '\t' && letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last offset up to `offset` at which a character begins or the text ends.
fn boundary_before(text: &str, offset: usize) -> usize {
    let mut boundary = offset.min(text.len());
    while !text.is_char_boundary(boundary) {
        boundary -= 1;
    }
    boundary
}
