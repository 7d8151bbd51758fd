//! Problems of a file: what is wrong, where, and advice.
//!
//! Owns how problems are reported. Refuses to know what makes a scenario invalid.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use thiserror::Error;

mod excerpt;

/// Most problems of a file that are printed; the others are counted.
pub(crate) const PROBLEMS_MAX: usize = 20;
/// Longest name or value in a message, in characters; longer ones are cut off.
const WORDS_MAX: usize = 1_000;

/// A file that is not a valid scenario: the first problems found in it, at least one.
///
/// Its `Display` is one line a problem, `file:line:column: field: what; help`. As a
/// miette `Diagnostic` it shows each place in the text as well.
#[derive(Debug, Error)]
#[error("{}", lines(.problems, *.untold))]
pub struct ScenarioError {
    /// The problems, in the order of the text; never empty, and at most twenty.
    pub problems: Vec<Problem>,
    /// Number of further problems.
    pub untold: usize,
    /// The excerpt of the text; empty for a foreign text.
    excerpt: Option<NamedSource<String>>,
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
    /// The advice.
    pub help: String,
    /// Its position in the excerpt, if the excerpt contains it.
    span: Option<SourceSpan>,
}

/// A text and its name.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    file: String,
    text: Arc<str>,
}

/// A problem of a field, before its position in a text is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) field: String,
    /// Other fields concerned: the first that was written is pointed at if the field was left out.
    pub(crate) others: Vec<String>,
    pub(crate) what: String,
    pub(crate) help: String,
}

/// Complaints about a scenario without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaints(pub(crate) Vec<Complaint>);

impl ScenarioError {
    pub(crate) fn new(
        source: &Source,
        complaints: impl IntoIterator<Item = (Range<usize>, Complaint)>,
    ) -> Self {
        let mut complaints: Vec<_> = complaints.into_iter().collect();
        assert!(!complaints.is_empty(), "an error has a problem");
        complaints.sort_by_key(|(span, _)| span.start);
        let untold = complaints.len().saturating_sub(PROBLEMS_MAX);
        complaints.truncate(PROBLEMS_MAX);
        let (spans, complaints): (Vec<_>, Vec<_>) = complaints.into_iter().unzip();
        let (text, places) = excerpt::of(&source.text, &spans);
        let problem = |(place, complaint): (excerpt::Placed, Complaint)| Problem {
            file: source.file.clone(),
            line: place.line,
            column: place.column,
            field: brief(complaint.field),
            what: brief(complaint.what),
            help: brief(complaint.help),
            span: place.shown.map(SourceSpan::from),
        };
        Self {
            problems: places.into_iter().zip(complaints).map(problem).collect(),
            untold,
            excerpt: Some(NamedSource::new(&source.file, text)),
        }
    }

    /// The same without an excerpt: for a foreign file.
    pub(crate) fn without_text(self) -> Self {
        Self { excerpt: None, ..self }
    }
}

/// Shows every position in the text, with the advice beside it.
impl Diagnostic for ScenarioError {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.excerpt.as_ref().map(|excerpt| excerpt as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.excerpt.as_ref()?;
        // Two labels at one place would push each other past the text.
        let mut labels: Vec<(SourceSpan, String)> = Vec::new();
        for problem in &self.problems {
            let Some(span) = problem.span else { continue };
            match labels.iter_mut().find(|(placed, _)| *placed == span) {
                Some((_, helps)) => *helps = format!("{helps}\n{}", problem.help),
                None => labels.push((span, problem.help.clone())),
            }
        }
        let label = |(span, helps)| LabeledSpan::new_with_span(Some(helps), span);
        (!labels.is_empty()).then(|| -> Box<dyn Iterator<Item = LabeledSpan>> {
            Box::new(labels.into_iter().map(label))
        })
    }
}

impl Problem {
    /// The problem on one line: `file:line:column: field: what; help`.
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
        Self { field: field.into(), others: Vec::new(), what: what.into(), help: help.into() }
    }
}

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, Complaint { field, what, help, .. }) in self.0.iter().take(PROBLEMS_MAX).enumerate()
        {
            let separator = if n > 0 { "\n" } else { "" };
            write!(f, "{separator}{field}: {what}; {help}")?;
        }
        f.write_str(&more(self.0.len().saturating_sub(PROBLEMS_MAX)))
    }
}

fn lines(problems: &[Problem], untold: usize) -> String {
    let mut lines = String::new();
    for (n, problem) in problems.iter().enumerate() {
        let separator = if n > 0 { "\n" } else { "" };
        // Writing to a string can't fail.
        let _ = write!(lines, "{separator}{}", problem.line());
    }
    lines + &more(untold)
}

fn more(untold: usize) -> String {
    match untold {
        0 => String::new(),
        1 => "\n… and one more problem".to_owned(),
        _ => format!("\n… and {untold} more problems"),
    }
}

/// Text shortened to fit on a page.
fn brief(words: String) -> String {
    match words.char_indices().nth(WORDS_MAX) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}
