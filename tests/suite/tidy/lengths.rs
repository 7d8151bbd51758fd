//! How long a file and a function may be.
//!
//! Owns the bounds and their exceptions, each with its reason. Refuses to know what the lines say.

use std::collections::BTreeMap;

use super::{none, sources};

/// Lines in one source. Past that it has a second topic.
const LINES_MAX: usize = 500;

/// Lines in one function, from its `fn` to its closing brace. Past that it does a second thing.
///
/// Tests are free of it: a test tells one story from its start to its end, or is a table of cases, and a reader of the
/// code never has to pass through it.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that may be longer, with the reason.
const LONGER_FILES: &[(&str, &str)] = &[
    ("scenarios/src/file/tests.rs", "a table: one case for each way in which a file can be wrong"),
    ("sim/oracles/src/tests.rs", "a table: short histories, and what each oracle says of them"),
];

/// Functions that may be longer: file, name and the reason.
const LONGER_FUNCTIONS: &[(&str, &str, &str)] = &[];

#[test]
fn no_source_has_two_topics() {
    let long: Vec<String> = sources()
        .filter(|(path, _)| !LONGER_FILES.iter().any(|(longer, _)| longer == path))
        .map(|(path, text)| (path, text.lines().count()))
        .filter(|&(_, lines)| lines > LINES_MAX)
        .map(|(path, lines)| format!("{path}: {lines} lines"))
        .collect();
    none(
        "past 500 lines a file has a second topic: give it a file of its own, or say here why not",
        &long,
    );
}

#[test]
fn no_function_does_two_things() {
    let mut long = Vec::new();
    for (path, text) in sources().filter(|(path, _)| !path.contains("tests")) {
        for (name, lines) in long_functions(&text) {
            let is_known = |known: &(&str, &str, &str)| (known.0, known.1) == (&path, name);
            if !LONGER_FUNCTIONS.iter().any(is_known) {
                long.push(format!("{path}: {name}: {lines} lines"));
            }
        }
    }
    none("past 70 lines a function does two things: give each a name, or say here why not", &long);
}

#[test]
fn nothing_is_excused_that_needs_no_excuse() {
    let texts: BTreeMap<String, String> = sources().collect();
    let lines = |path: &str| texts.get(path).map_or(0, |text| text.lines().count());
    let files = LONGER_FILES.iter().filter(|(path, _)| lines(path) <= LINES_MAX);
    let mut idle: Vec<String> = files.map(|(path, _)| (*path).to_owned()).collect();
    for (path, name, _) in LONGER_FUNCTIONS {
        let text = texts.get(*path).map_or("", String::as_str);
        if !long_functions(text).any(|(found, _)| found == *name) {
            idle.push(format!("{path}: {name}"));
        }
    }
    none("an exception that is not needed any more is taken off the list", &idle);
}

#[test]
fn a_planted_long_function_is_found() {
    let body = |indent: &str, lines: usize| format!("{indent}    it();\n").repeat(lines);
    let function = |indent: &str, head: &str, lines: usize| {
        format!("{indent}{head} {{\n{}{indent}}}\n", body(indent, lines))
    };
    let text = [
        function("", "pub(super) const fn just_short_enough()", FUNCTION_LINES_MAX - 2),
        function("", "fn too_long()", FUNCTION_LINES_MAX - 1),
        "trait It {\n    fn one(&self);\n    fn two(\n        &self,\n    ) -> u8;\n".to_owned(),
        "    fn three() {}\n".to_owned(),
        function("    ", "async fn on_many_lines(\n        self,\n    ) -> u8", 80),
        "}\n#[cfg(test)]\nmod tests {\n".to_owned(),
        function("    ", "fn a_test()", 100),
    ];
    let text = text.concat();
    let found = long_functions(&text).collect::<Vec<_>>();
    let longer = FUNCTION_LINES_MAX + 1;
    assert_eq!(found, [("too_long", longer), ("on_many_lines", 84)]);
}

/// Every function outside a source's tests that is too long, with its lines.
fn long_functions(text: &str) -> impl Iterator<Item = (&str, usize)> {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines: Vec<&str> = code.lines().collect();
    let functions = (0..lines.len()).filter_map(move |first| {
        let name = function_at(lines[first])?;
        Some((name, length(&lines[first..])))
    });
    functions.filter(|&(_, lines)| lines > FUNCTION_LINES_MAX)
}

/// The name of the function that begins on a line.
fn function_at(line: &str) -> Option<&str> {
    let mut words = line.split_whitespace();
    words
        .find(|word| {
            let qualifies = ["const", "async", "unsafe", "extern", "\"C\""].contains(word);
            !qualifies && !word.starts_with("pub")
        })
        .filter(|&word| word == "fn")?;
    words.next()?.split(['(', '<']).next()
}

/// Lines of the function that begins on the first of these, as they are formatted: what begins at some depth ends
/// at the first line that closes it there.
fn length(lines: &[&str]) -> usize {
    let depth = lines[0].len() - lines[0].trim_start().len();
    let at_depth = |line: &&str| line.len() - line.trim_start().len() == depth;
    let ends = |line: &&str| at_depth(line) && line.ends_with(['}', ';']);
    let last = lines.iter().position(ends);
    last.expect("a function ends") + 1
}
