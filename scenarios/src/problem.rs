//! What is wrong with a file, where, and what would be right.
//!
//! Owns how problems are reported. Refuses to know what makes a scenario wrong.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use thiserror::Error;

/// A file that is no scenario: every problem found in it, at least one.
///
/// Its `Display` is one line a problem, `file:line:column: field: what; help`. As a
/// miette `Diagnostic` it shows each place in the text as well.
#[derive(Debug, Error)]
#[error("{}", lines(.problems))]
pub struct ScenarioError {
    /// The problems, in the order of the text; never empty.
    pub problems: Vec<Problem>,
}

/// One problem, with its place.
#[derive(Debug, Error)]
#[error("{field}{}{what}", if .field.is_empty() { "" } else { ": " })]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Path of the key, as in `fault[0].crash.node`; empty if the text has no keys yet.
    pub field: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub help: String,
    text: NamedSource<Arc<str>>,
    span: SourceSpan,
}

/// A text and its name.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    file: String,
    text: Arc<str>,
}

/// What is wrong with which field, before its place in a text is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) field: String,
    /// A field that plays as much of a part: it is to blame if the first was left out.
    pub(crate) other: String,
    pub(crate) what: String,
    pub(crate) help: String,
}

/// Complaints about a scenario whose text is not at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaints(pub(crate) Vec<Complaint>);

impl ScenarioError {
    pub(crate) fn new(
        source: &Source,
        complaints: impl IntoIterator<Item = (Range<usize>, Complaint)>,
    ) -> Self {
        let mut problems: Vec<_> = complaints
            .into_iter()
            .map(|(span, complaint)| Problem::new(source, span, complaint))
            .collect();
        assert!(!problems.is_empty(), "an error has a problem");
        problems.sort_by_key(|problem| problem.span.offset());
        Self { problems }
    }
}

/// Shows every place in the text, with what would be right beside it.
impl Diagnostic for ScenarioError {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.problems.first().map(|problem| &problem.text as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = |problem: &Problem| {
            LabeledSpan::new_with_span(Some(problem.help.clone()), problem.span)
        };
        Some(Box::new(self.problems.iter().map(label)))
    }
}

impl Problem {
    fn new(source: &Source, span: Range<usize>, complaint: Complaint) -> Self {
        let text = &source.text;
        let start = boundary_before(text, span.start);
        let end = boundary_before(text, span.end).max(start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            file: source.file.clone(),
            line: 1 + text[..start].matches('\n').count(),
            column: 1 + text[line_start..start].chars().count(),
            field: complaint.field,
            what: complaint.what,
            help: complaint.help,
            text: NamedSource::new(&source.file, Arc::clone(text)),
            span: (start..end).into(),
        }
    }

    /// As one line: `file:line:column: field: what; help`.
    pub fn line(&self) -> String {
        format!("{}:{}:{}: {self}; {}", self.file, self.line, self.column, self.help)
    }
}

impl Source {
    pub(crate) fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.into() }
    }

    /// A text that must be UTF-8.
    pub(crate) fn from_bytes(file: &str, bytes: &[u8]) -> Result<Self, ScenarioError> {
        match str::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(file, text)),
            Err(error) => {
                let source = Self::new(file, &String::from_utf8_lossy(bytes));
                // Up to here the lossy text and the bytes are the same.
                let at = error.valid_up_to();
                let what = format!("byte {at} is not UTF-8");
                Err(source
                    .error(at..at + 1, Complaint::new("", what, "save the file as UTF-8 text")))
            }
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn error(&self, span: Range<usize>, complaint: Complaint) -> ScenarioError {
        ScenarioError::new(self, [(span, complaint)])
    }
}

impl Complaint {
    pub(crate) fn new(
        field: impl Into<String>,
        what: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self { field: field.into(), other: String::new(), what: what.into(), help: help.into() }
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Complaint { field, what, help, .. }) in self.0.iter().enumerate() {
            let separator = if n > 0 { "\n" } else { "" };
            write!(f, "{separator}{field}: {what}; {help}")?;
        }
        Ok(())
    }
}

fn lines(problems: &[Problem]) -> String {
    let mut lines = String::new();
    for (n, problem) in problems.iter().enumerate() {
        let separator = if n > 0 { "\n" } else { "" };
        // Writing to a string can't fail.
        let _ = write!(lines, "{separator}{}", problem.line());
    }
    lines
}

/// The last offset up to `offset` at which a character begins or the text ends.
fn boundary_before(text: &str, offset: usize) -> usize {
    let mut boundary = offset.min(text.len());
    while !text.is_char_boundary(boundary) {
        boundary -= 1;
    }
    boundary
}
