//! Words and sentence openings that plain English does without.
//!
//! Owns their list, with the exceptions. Reads comments, docs and Markdown; code in backquotes and in blocks is left out.
//! Refuses to know what a sentence means.

use super::{files, none};

/// Words that read as translated.
const REFUSED: [&str; 10] = [
    "anew",
    "thereby",
    "thence",
    "hence",
    "whence",
    "whatever",
    "in the midst",
    "none if",
    "so many",
    "so long",
];

/// Words that are fine when these follow: a consequence, and *regardless of* before a noun.
const FINE_BEFORE: [(&str, &[&str]); 3] =
    [("so many", &["that"]), ("so long", &["that"]), ("whatever", &["its", "their", "the"])];

/// No statement begins with a relative clause about a person; a question may.
const OPENINGS: [&str; 5] = ["who", "whoever", "whose", "whom", "whomever"];

/// This file spells the words out.
const SPELLS_THEM_OUT: &str = "tests/suite/tidy/dialect.rs";

#[test]
fn comments_and_docs_are_plain_english() {
    let mut found = Vec::new();
    for (path, text) in files("", &["rs", "md", "toml"]) {
        if path == SPELLS_THEM_OUT {
            continue;
        }
        for (line, prose) in paragraphs(&path, &text) {
            found.extend(offences(&prose).into_iter().map(|word| format!("{path}:{line}: {word}")));
        }
    }
    none("say it as at a whiteboard: subject, verb, object", &found);
}

#[test]
fn planted_dialect_is_found() {
    let source = "/// Who leads is told anew. Holds end so\n/// long before their time.\nfn it() {} // none if it fails\n";
    let found: Vec<(usize, Vec<String>)> = paragraphs("x.rs", source)
        .into_iter()
        .map(|(line, prose)| (line, offences(&prose)))
        .collect();
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    assert_eq!(found, [(1, words(&["anew", "so long", "Who …"])), (3, words(&["none if"]))]);
    let page =
        "Calm.\n```sh\nanew\n```\nIt waits so long that `whatever` it is.\n| Who leads? | n1 |\n";
    let found: Vec<String> =
        paragraphs("x.md", page).iter().flat_map(|(_, prose)| offences(prose)).collect();
    assert!(found.is_empty(), "{found:?}");
    let file = "a = 1  # so many\n# Whom it concerns. Whatever the cause, whatever happens.\n";
    let found: Vec<String> =
        paragraphs("x.toml", file).iter().flat_map(|(_, prose)| offences(prose)).collect();
    assert_eq!(found, ["so many", "whatever", "Whom …"]);
}

/// The prose of a file by paragraph, each with the number of its first line, without code in backquotes.
fn paragraphs(path: &str, text: &str) -> Vec<(usize, String)> {
    let (mut paragraphs, mut in_code, mut goes_on): (Vec<(usize, String)>, _, _) =
        (Vec::new(), false, false);
    for (number, line) in (1..).zip(text.lines()) {
        let Some((prose, stands_alone)) = prose(path, line) else {
            goes_on = false;
            continue;
        };
        let is_fence = prose.trim_start().starts_with("```");
        in_code ^= is_fence;
        if in_code || is_fence || prose.trim().is_empty() {
            goes_on = false;
            continue;
        }
        match paragraphs.last_mut() {
            Some((_, paragraph)) if goes_on && stands_alone => {
                *paragraph += " ";
                *paragraph += prose.trim();
            }
            _ => paragraphs.push((number, prose.trim().to_owned())),
        }
        goes_on = stands_alone;
    }
    let without_code = |prose: String| prose.split('`').step_by(2).collect::<Vec<_>>().join("code");
    paragraphs.into_iter().map(|(line, prose)| (line, without_code(prose))).collect()
}

/// The prose of a line, and whether the line holds nothing else.
fn prose<'a>(path: &str, line: &'a str) -> Option<(&'a str, bool)> {
    let mark = match path.rsplit('.').next() {
        Some("md") => return Some((line, !line.trim_start().starts_with('|'))),
        Some("rs") => "//",
        _ => "#",
    };
    let starts = line.match_indices(mark).map(|(at, _)| at);
    // Neither an address nor a part of a text or a name.
    let mut starts = starts.filter(|&at| {
        let before = line[..at].trim_end_matches([' ', '\t']);
        before.is_empty()
            || (before.len() < at && line[..at].matches('"').count().is_multiple_of(2))
    });
    let at = starts.next()?;
    let prose = line[at..].trim_start_matches(['/', '!', '#']);
    Some((prose, line[..at].trim().is_empty()))
}

/// What is wrong with a paragraph.
fn offences(prose: &str) -> Vec<String> {
    let is_letter = |c: char| c.is_alphanumeric() || c == '-' || c == '\'';
    let lower = prose.to_lowercase();
    let mut found = Vec::new();
    for word in REFUSED {
        for (at, _) in lower.match_indices(word) {
            let (before, after) = (&lower[..at], &lower[at + word.len()..]);
            let is_whole = !before.ends_with(is_letter) && !after.starts_with(is_letter);
            let next = after.split_whitespace().next().unwrap_or_default();
            let is_fine = FINE_BEFORE
                .iter()
                .any(|(fine, followers)| *fine == word && followers.contains(&next));
            if is_whole && !is_fine {
                found.push(word.to_owned());
            }
        }
    }
    for sentence in prose.split_inclusive(['.', '!', '?', ':', '|']) {
        let words = sentence.trim_start_matches(|c: char| !c.is_alphanumeric());
        let first = words.split(|c| !is_letter(c)).next().unwrap_or_default();
        let begins = first.starts_with(char::is_uppercase);
        if begins && OPENINGS.contains(&first.to_lowercase().as_str()) && !sentence.ends_with('?') {
            found.push(format!("{first} …"));
        }
    }
    found
}
