//! Scenarios as text: TOML that people write, JSON inside plans and capsules.
//!
//! Owns reading and writing. Refuses to know what makes a scenario sound, and keeps no
//! default of its own.

use std::ops::Range;
use std::{fmt, io};

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::facts::Facts;
use crate::fault::{Fault, Swarm};
use crate::human::{self, HumanSpan};
use crate::limit::Limit;
use crate::locate::Place;
use crate::problem::{Complaint, Complaints, ScenarioError, Source};
use crate::reading;
use crate::scenario::{
    Arrivals, Cluster, Costs, Crowd, Disk, MustFail, Network, Sale, Scenario, Written,
};
use crate::trace;
use crate::{basis, check};

/// How a scenario's top level is written.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct ScenarioFile {
    /// Only in JSON: a file's id is its path.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    title: String,
    duration: HumanSpan,
    calm: HumanSpan,
    quantum: HumanSpan,
    cluster: Cluster,
    sale: Sale,
    crowd: Crowd,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<Facts>,
    network: Network,
    disk: Disk,
    costs: Costs,
    fault: Vec<Fault>,
    #[serde(skip_serializing_if = "Option::is_none")]
    swarm: Option<Swarm>,
    expect: Expect,
    /// Only in JSON: of a file it is known.
    #[serde(skip_serializing_if = "Written::is_empty")]
    written: Written,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Expect {
    exercised: Vec<String>,
    marks: Vec<String>,
    latency: Vec<Limit>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fails: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<u32>,
}

impl Expect {
    fn new(
        exercised: Vec<String>,
        marks: Vec<String>,
        latency: Vec<Limit>,
        must_fail: Option<MustFail>,
    ) -> Self {
        let (fails, within) = must_fail.map(|MustFail { oracle, within }| (oracle, within)).unzip();
        Self { exercised, marks, latency, fails, within }
    }

    /// What must fail; where one of the keys is missing, with a value that is sure to be
    /// complained about.
    fn must_fail(&self) -> Option<MustFail> {
        (self.fails.is_some() || self.within.is_some()).then(|| MustFail {
            oracle: self.fails.clone().unwrap_or_default(),
            within: self.within.unwrap_or_default(),
        })
    }
}

impl Default for ScenarioFile {
    fn default() -> Self {
        let mut file = Self::from(Scenario::default());
        file.id = None;
        file
    }
}

impl From<Scenario> for ScenarioFile {
    fn from(scenario: Scenario) -> Self {
        Self {
            id: Some(scenario.id),
            title: scenario.title,
            duration: HumanSpan(scenario.duration),
            calm: HumanSpan(scenario.calm),
            quantum: HumanSpan(scenario.quantum),
            cluster: scenario.cluster,
            sale: scenario.sale,
            crowd: scenario.crowd,
            facts: scenario.facts,
            network: scenario.network,
            disk: scenario.disk,
            costs: scenario.costs,
            fault: scenario.faults,
            swarm: scenario.swarm,
            expect: Expect::new(
                scenario.must_exercise,
                scenario.must_mark,
                scenario.limits,
                scenario.must_fail,
            ),
            written: scenario.written,
        }
    }
}

impl ScenarioFile {
    /// The scenario as it was written, sound or not.
    fn unchecked(self) -> Scenario {
        Scenario {
            id: self.id.unwrap_or_default(),
            title: self.title,
            duration: self.duration.0,
            calm: self.calm.0,
            quantum: self.quantum.0,
            cluster: self.cluster,
            sale: self.sale,
            crowd: self.crowd,
            facts: self.facts,
            network: self.network,
            disk: self.disk,
            costs: self.costs,
            faults: self.fault,
            swarm: self.swarm,
            must_fail: self.expect.must_fail(),
            must_exercise: self.expect.exercised,
            limits: self.expect.latency,
            must_mark: self.expect.marks,
            written: self.written,
        }
    }
}

impl TryFrom<ScenarioFile> for Scenario {
    type Error = Complaints;

    fn try_from(file: ScenarioFile) -> Result<Self, Complaints> {
        let scenario = file.unchecked();
        let complaints = check::complaints(&scenario);
        if complaints.is_empty() { Ok(scenario) } else { Err(Complaints(complaints)) }
    }
}

impl Scenario {
    /// Reads a scenario from TOML.
    ///
    /// `file` names the text in errors; `read` loads a file that the scenario names, by
    /// its path relative to the scenario's.
    ///
    /// # Errors
    ///
    /// With file, line, column, field and a way out: the first problem if the text is
    /// not TOML or a value not of its type, else everything that makes the scenario unsound.
    pub fn from_toml(
        id: &str,
        file: &str,
        bytes: &[u8],
        read: &dyn Fn(&str) -> io::Result<Vec<u8>>,
    ) -> Result<Self, ScenarioError> {
        let source = Source::from_bytes(file, bytes)?;
        let parsed = toml::from_str::<ScenarioFile>(source.text());
        let mut parsed = parsed.map_err(|error| explain_toml(&source, &error))?;
        let places = || Place::of_toml(source.text());

        let only_in_json = [
            (parsed.id.is_some(), "id", "a file has no id of its own", "the path is the id"),
            (
                !parsed.written.is_empty(),
                "written",
                "a file says by itself what it writes",
                "it is for plans",
            ),
        ];
        if let Some((_, key, what, why)) = only_in_json.into_iter().find(|&(is_there, ..)| is_there)
        {
            let complaint = Complaint::new(key, what, format!("remove the key: {why}"));
            return Err(located(&source, places().as_ref(), vec![complaint]));
        }
        if let Arrivals::Trace { file, points, .. } = &mut parsed.crowd.arrivals
            && points.is_empty()
        {
            let field = "crowd.arrivals.trace.file";
            let loaded = read(file).map_err(|error| {
                let what = format!("{file:?} can't be read: {error}");
                let complaint =
                    Complaint::new(field, what, "the path is relative to the scenario's file");
                located(&source, places().as_ref(), vec![complaint])
            })?;
            // What somebody else's file says is nobody's business here.
            *points = trace::parse(file, &loaded).map_err(|error| {
                if reading::is_below(file) { error } else { error.without_text() }
            })?;
        }

        let written: Table = toml::from_str(source.text()).expect("it was read as TOML just now");
        if let Err(complaint) = settle_users(&mut parsed.crowd, &written) {
            return Err(located(&source, places().as_ref(), vec![complaint]));
        }
        parsed.written = basis::written(&written);
        let scenario = Self { id: id.to_owned(), ..parsed.unchecked() };
        match check::complaints(&scenario) {
            complaints if complaints.is_empty() => Ok(scenario),
            complaints => Err(located(&source, places().as_ref(), complaints)),
        }
    }

    /// Reads a scenario from JSON, as [`Scenario::to_json`] writes it.
    ///
    /// The same keys and units as in TOML, with the id; a trace carries its points.
    /// `Deserialize` checks as much, but knows less of where a problem stands.
    ///
    /// # Errors
    ///
    /// As for TOML.
    pub fn from_json(file: &str, bytes: &[u8]) -> Result<Self, ScenarioError> {
        let source = Source::from_bytes(file, bytes)?;
        let parsed = serde_json::from_str::<ScenarioFile>(source.text());
        let scenario = parsed.map_err(|error| explain_json(&source, &error))?.unchecked();
        match check::complaints(&scenario) {
            complaints if complaints.is_empty() => Ok(scenario),
            complaints => Err(located(&source, Place::of_json(source.text()).as_ref(), complaints)),
        }
    }

    /// The scenario in full as TOML, every default filled in; it reads back to an equal one.
    ///
    /// The id is left out, as in every file.
    pub fn to_toml(&self) -> String {
        let mut text = String::new();
        write_table(&mut text, "", &self.to_table()).expect("a string takes whatever is written");
        text
    }

    /// The scenario as TOML without what is at its default; it reads back to an equal one.
    pub fn to_brief_toml(&self) -> String {
        let mut table = self.to_table();
        leave_out_defaults(&mut table, &Self::default().to_table(), SECTION_LEVELS);
        // Left out, the number would be what the trace counts.
        if let Arrivals::Trace { .. } = self.crowd.arrivals
            && let Some(Value::Table(crowd)) = table.get_mut("crowd")
        {
            crowd.insert("users".to_owned(), Value::Integer(self.crowd.users.into()));
        }
        let mut text = String::new();
        write_table(&mut text, "", &table).expect("a string takes whatever is written");
        text
    }

    pub(crate) fn to_table(&self) -> Table {
        let file = ScenarioFile { id: None, written: Written::default(), ..self.clone().into() };
        Table::try_from(file).expect("every field of a scenario has a form in TOML")
    }

    /// The scenario in full as JSON, with its id; it reads back to an equal one.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("every field of a scenario has a form in JSON")
    }
}

/// As many people come as the trace counts, unless the file scales them or says how many.
fn settle_users(crowd: &mut Crowd, written: &Table) -> Result<(), Complaint> {
    let Arrivals::Trace { points, scale, .. } = &mut crowd.arrivals else { return Ok(()) };
    let says_users = written
        .get("crowd")
        .and_then(Value::as_table)
        .is_some_and(|crowd| crowd.contains_key("users"));
    let scale = scale.take();
    if says_users {
        let both = || {
            let what = "`users` and `scale` both say how many of the trace's people come";
            Complaint::new("crowd.arrivals.trace.scale", what, "keep one of the two")
        };
        return if scale.is_some() { Err(both()) } else { Ok(()) };
    }
    let counted = points.iter().fold(0_u64, |sum, &(_, people)| sum.saturating_add(people));
    let come = scale.map_or(counted, |scale| scale.of(counted));
    let users = u32::try_from(come).ok().filter(|&users| (1..=check::USERS_MAX).contains(&users));
    crowd.users = users.ok_or_else(|| {
        let what = format!("{come} people come of the {counted} that the trace counts");
        let help = format!(
            "1 to {} may come: write `scale = \"10%\"` beside `file`, or `users` under `[crowd]`",
            check::USERS_MAX
        );
        Complaint::new("crowd.arrivals.trace.file", what, help)
    })?;
    Ok(())
}

/// Sections lie in sections at most so deep; what lies deeper is a value.
const SECTION_LEVELS: u8 = 2;

fn leave_out_defaults(table: &mut Table, defaults: &Table, levels: u8) {
    table.retain(|key, value| match (value, defaults.get(key)) {
        (Value::Table(section), Some(Value::Table(defaults))) if levels > 0 => {
            leave_out_defaults(section, defaults, levels - 1);
            !section.is_empty()
        }
        (value, default) => default != Some(&*value),
    });
}

/// Writes scalars first, then sections of at most two levels; what lies deeper stays on one line.
fn write_table(text: &mut impl fmt::Write, path: &str, table: &Table) -> fmt::Result {
    let is_section = |value: &Value| {
        let tables = |items: &[Value]| !items.is_empty() && items.iter().all(Value::is_table);
        (value.is_table() || value.as_array().is_some_and(|items| tables(items)))
            && !path.contains('.')
    };
    for (key, value) in table.iter().filter(|(_, value)| !is_section(value)) {
        // Only the list of faults can stand empty at the top: it has nothing to say then.
        if !(path.is_empty() && value.is_array()) {
            writeln!(text, "{key} = {}", Plain(value))?;
        }
    }
    for (key, value) in table.iter().filter(|(_, value)| is_section(value)) {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        if let Value::Table(section) = value {
            writeln!(text, "\n[{path}]")?;
            write_table(text, &path, section)?;
        }
        for item in value.as_array().into_iter().flatten().filter_map(Value::as_table) {
            writeln!(text, "\n[[{path}]]")?;
            for (key, value) in item {
                writeln!(text, "{key} = {}", Plain(value))?;
            }
        }
    }
    Ok(())
}

/// A value in one line, its text with an escape for whatever has no form of its own on a page: printed, it
/// moves no terminal, and begins no line that somebody takes for a command.
struct Plain<'a>(&'a Value);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !is_formless(self.0) {
            return write!(f, "{}", self.0);
        }
        match self.0 {
            Value::String(text) => {
                f.write_str("\"")?;
                for letter in text.chars() {
                    match letter {
                        '"' | '\\' => write!(f, "\\{letter}")?,
                        '#' => f.write_str("\\u0023")?,
                        letter if has_form(letter) => write!(f, "{letter}")?,
                        letter => write!(f, "\\U{:08X}", u32::from(letter))?,
                    }
                }
                f.write_str("\"")
            }
            Value::Array(items) => {
                f.write_str("[")?;
                for (n, item) in items.iter().enumerate() {
                    write!(f, "{}{}", if n > 0 { ", " } else { "" }, Plain(item))?;
                }
                f.write_str("]")
            }
            Value::Table(table) => {
                f.write_str("{ ")?;
                for (n, (key, value)) in table.iter().enumerate() {
                    write!(f, "{}{key} = {}", if n > 0 { ", " } else { "" }, Plain(value))?;
                }
                f.write_str(" }")
            }
            value @ (Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)) => write!(f, "{value}"),
        }
    }
}

/// Whether a text in it holds what has no form of its own on a page.
fn is_formless(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.chars().all(has_form) || text.contains("##"),
        Value::Array(items) => items.iter().any(is_formless),
        Value::Table(table) => table.values().any(is_formless),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => false,
    }
}

fn has_form(letter: char) -> bool {
    matches!(letter, '\'' | '"' | '\\') || letter.escape_debug().len() == 1
}

fn located(source: &Source, places: Option<&Place>, complaints: Vec<Complaint>) -> ScenarioError {
    let place = |complaint: Complaint| {
        let Some(places) = places else { return (0..0, complaint) };
        let (span, name) = places.point_at(&complaint.field, &complaint.others);
        let field = name.to_owned();
        (span, Complaint { field, ..complaint })
    };
    ScenarioError::new(source, complaints.into_iter().map(place))
}

fn explain_toml(source: &Source, error: &toml::de::Error) -> ScenarioError {
    let text = source.text();
    let span = error.span().or_else(|| too_deep(text)).unwrap_or(0..0);
    // A file has no id of its own: that key is known, and refused.
    let message = error.message().replace("expected one of `id`, ", "expected one of ");
    explain(source, span, Place::of_toml(text), &message)
}

/// So deep the reader of TOML goes.
const TOML_DEPTH_MAX: usize = 80;

/// Where a text nests deeper than its reader follows, by brackets, braces or dotted keys: it says that one does,
/// but not where.
fn too_deep(text: &str) -> Option<Range<usize>> {
    let (mut open, mut dots, mut quote) = (0_usize, 0_usize, None);
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match (quote, letter) {
            (Some('"'), '\\') => drop(letters.next()),
            (Some(end), _) if letter == end => quote = None,
            (Some('#'), '\n') => (quote, dots) = (None, 0),
            (Some(_), _) => {}
            (None, '"' | '\'' | '#') => quote = Some(letter),
            (None, '[' | '{') => open += 1,
            (None, ']' | '}') => open = open.saturating_sub(1),
            (None, '.') => dots += 1,
            (None, '\n' | '=' | ',') => dots = 0,
            (None, _) => {}
        }
        if open + dots >= TOML_DEPTH_MAX {
            return Some(at..at + 1);
        }
    }
    None
}

fn explain_json(source: &Source, error: &serde_json::Error) -> ScenarioError {
    let text = source.text();
    let line = error.line().saturating_sub(1);
    let line_start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    // The reader has passed the value's last byte when it finds fault with it.
    let offset = (line_start + error.column()).saturating_sub(1).min(text.len());
    let message = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    explain(
        source,
        offset..offset + 1,
        Place::of_json(text),
        message.strip_suffix(&place).unwrap_or(&message),
    )
}

/// Turns a reader's message into a problem with a way out.
fn explain(
    source: &Source,
    span: Range<usize>,
    places: Option<Place>,
    message: &str,
) -> ScenarioError {
    let in_syntax = places.is_none();
    let field = places.map_or_else(String::new, |places| places.field_at(span.start));
    let (what, help) = advice(message, &field, in_syntax);
    source.error(span, Complaint::new(field, what, help))
}

fn advice(message: &str, field: &str, in_syntax: bool) -> (String, String) {
    // Our own values bring their advice on a second line.
    if let Some((what, help)) = message.split_once('\n') {
        return (what.to_owned(), help.to_owned());
    }

    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let Some((word, known)) = quoted.split_first() {
        for (prefix, noun) in [("unknown field", "key"), ("unknown variant", "name")] {
            if message.starts_with(prefix) {
                return unknown(noun, word, known);
            }
        }
        if message.starts_with("missing field") {
            return (format!("`{word}` is missing"), format!("add `{word} = …`"));
        }
    }
    // How the TOML reader says it of the keys of a fault or a shape of arrivals.
    if let Some(rest) = message.strip_prefix("unexpected keys in table: ")
        && let Some((words, known)) = rest.split_once(", available keys: ")
    {
        let known: Vec<&str> = known.split(", ").collect();
        return unknown("key", words.split(", ").next().unwrap_or(words), &known);
    }
    if message.starts_with("wanted exactly 1 element") || message.starts_with("expected value at") {
        let help = if field.starts_with("fault") {
            "write one fault under each `[[fault]]`"
        } else {
            "write one of `constant`, `poisson`, `ramp`, `spike`, `on-sale`, `trace` and `named`"
        };
        return ("one key belongs here".to_owned(), help.to_owned());
    }

    let limits = [
        ("expected u8", "write a whole number from 0 to 255"),
        ("expected u16", "write a whole number from 0 to 65535"),
        ("expected u32", "write a whole number from 0 to 4294967295"),
        ("expected u64", "write a whole number from 0 up"),
        ("expected f64", "write a number such as `0.8`"),
        ("expected a span of time", "write text such as `\"5s\"`"),
        ("expected a share", "write text such as `\"40%\"`"),
        ("expected a limit", "write text such as `\"hold p99 < 500ms\"`"),
        ("expected a target", "write text such as `\"n3\"`"),
        ("EOF while parsing", "the text ends too early: it was cut off"),
        ("expected a string", "write text in quotes"),
        ("expected a boolean", "write `true` or `false`"),
        ("expected a sequence", "write a list in brackets"),
        ("expected an array", "write a list in brackets"),
        ("expected struct", "write a table: `{ key = value }`"),
        ("expected enum", "write a table with one key"),
    ];
    let limit = limits.iter().find(|(expected, _)| message.contains(expected));
    let help = match limit {
        Some((_, help)) => *help,
        None if in_syntax => "mend the syntax here; text stands in quotes, and each key once",
        None => "`onsale scenarios show fast/calm` prints a whole scenario to compare with",
    };
    (message.to_owned(), help.to_owned())
}

fn unknown(noun: &str, word: &str, known: &[&str]) -> (String, String) {
    let help = match human::closest(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "nothing belongs here".to_owned(),
        None => format!("known here: {}", known.join(", ")),
    };
    (format!("unknown {noun} `{word}`"), help)
}

#[cfg(test)]
mod tests;
