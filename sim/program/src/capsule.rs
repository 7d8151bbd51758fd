//! Capsules: a failing run in one file.
//!
//! Owns the data needed to replay a failure, and the check whether the replaying code is the code that failed.
//! Refuses to know how a failure is shown.

use std::path::Path;

use onsale_reports::json;
use onsale_scenarios::reading;
use onsale_sim::plan::{Plan, SCHEMA};
use onsale_sim::run::Outcome;
use onsale_sim::run::reproduce::build_profile;
use onsale_world::limits::Limit;
use onsale_world::trace_hash::Fingerprint;
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// Largest capsule or plan that is read, in bytes: a trace of arrivals for a year of minutes takes twelve
/// mebibytes.
const CAPSULE_MAX: u64 = 64 << 20;

/// A failing run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// The version of this format.
    pub schema: u32,
    /// The version of the code that failed.
    pub code_version: String,
    /// The build profile.
    pub build_profile: String,
    /// The trace hash; empty if it was not recorded, or if the run was interrupted, since no replay ends at the
    /// same point.
    pub trace_hash: String,
    /// The oracles that failed.
    pub failed: Vec<String>,
    /// The limit that stopped the run; it stops a replay as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// The hash of the plan, which detects an edited plan.
    pub plan_hash: String,
    /// The plan.
    pub plan: Plan,
    /// Whether the plan is the one that failed.
    #[serde(skip)]
    pub plan_is: PlanIs,
}

/// The comparison of a capsule's hash with its plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanIs {
    /// The plan that failed, or a plan without expectations.
    #[default]
    Recorded,
    /// An edited plan.
    Edited,
}

/// Why a capsule cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum CapsuleError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// The file is not a capsule.
    #[error(
        "{file}:{line}:{column}: not a capsule: {what}; give a capsule.json that a failing run wrote, whole and unedited, or a plan.json"
    )]
    Malformed {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// The problem.
        what: String,
    },
    /// The file is of another version of the format.
    #[error(
        "{file}: a capsule of schema {found}; this onsale reads schema {SCHEMA} only: replay it with the version that wrote it"
    )]
    OtherSchema {
        /// The file.
        file: String,
        /// The version of its format.
        found: u64,
    },
    /// The scenario inside is not valid.
    #[error("{file}: the plan's scenario is not valid: {what}")]
    Invalid {
        /// The file.
        file: String,
        /// The problem.
        what: String,
    },
}

impl Capsule {
    /// The capsule of a run.
    pub fn new(plan: &Plan, outcome: &Outcome) -> Self {
        let facts = &outcome.summary.facts;
        let trace_hash = if facts.interrupted { String::new() } else { facts.trace_hash.clone() };
        Self {
            trace_hash,
            failed: outcome.failed().into_iter().map(str::to_owned).collect(),
            limit: outcome.limit,
            ..Self::from(plan.clone())
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }

    /// The differences of this code from the code that failed; `None` if it is the same.
    pub fn mismatch(&self) -> Option<String> {
        let (version, profile) = (code_version(), build_profile());
        (self.code_version != version || self.build_profile != profile).then(|| {
            format!(
                "the capsule was written by onsale {} ({}), this is onsale {version} ({profile})",
                self.code_version, self.build_profile
            )
        })
    }
}

impl Capsule {
    /// Compares the hash with the plan in the file. Other code may write the same plan differently, and other
    /// programs its numbers: either form will do.
    fn judge(&self, plan: &serde_json::Value) -> PlanIs {
        if [hash(plan), hash(&json_of(&self.plan))].contains(&self.plan_hash) {
            PlanIs::Recorded
        } else {
            PlanIs::Edited
        }
    }
}

fn json_of(plan: &Plan) -> serde_json::Value {
    serde_json::from_str(&plan.to_json()).expect("a plan is written as JSON")
}

/// Hash of JSON, independent of white space and of the order of keys.
fn hash(value: &serde_json::Value) -> String {
    let mut fingerprint = Fingerprint::default();
    // Keys of an object stay in order as text.
    fingerprint.fold_bytes(value.to_string().as_bytes());
    format!("{:016x}", fingerprint.value())
}

impl From<Plan> for Capsule {
    /// A capsule without expectations of its plan.
    fn from(plan: Plan) -> Self {
        Self {
            schema: SCHEMA,
            code_version: code_version().to_owned(),
            build_profile: build_profile().to_owned(),
            trace_hash: String::new(),
            failed: Vec::new(),
            limit: None,
            plan_hash: hash(&json_of(&plan)),
            plan,
            plan_is: PlanIs::Recorded,
        }
    }
}

/// The version of this code: the package's version, and the commit that it was built from, if known.
pub const fn code_version() -> &'static str {
    env!("ONSALE_VERSION")
}

/// Reads a capsule or a plan. A plan alone makes a capsule without expectations.
///
/// # Errors
/// If the file cannot be read, is no capsule, is of another format, or its scenario is not valid.
pub fn read(path: &Path) -> Result<Capsule, CapsuleError> {
    let file = path.display().to_string();
    let text = reading::whole(path, CAPSULE_MAX).and_then(|bytes| {
        let no_text = |_| std::io::Error::new(std::io::ErrorKind::InvalidData, "it is not UTF-8");
        String::from_utf8(bytes).map_err(no_text)
    });
    let text = text.map_err(|source| CapsuleError::Unreadable { file: file.clone(), source })?;
    parse(&file, &text)
}

/// Reads a capsule or a plan from its text; `file` names it in errors.
///
/// # Errors
/// As [`read`].
pub fn parse(file: &str, text: &str) -> Result<Capsule, CapsuleError> {
    let malformed = |error: serde_json::Error| CapsuleError::Malformed {
        file: file.to_owned(),
        line: error.line(),
        column: error.column(),
        what: problem(&error),
    };
    // Some editors put a byte order mark before the text.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let value: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
    let schema = value.get("schema").and_then(serde_json::Value::as_u64);
    let other = |found| CapsuleError::OtherSchema { file: file.to_owned(), found };
    if let Some(found) = schema.filter(|&found| found != u64::from(SCHEMA)) {
        return Err(other(found));
    }
    let mut capsule: Capsule = if let Some(plan) = value.get("plan") {
        let mut capsule: Capsule = serde_json::from_str(text).map_err(malformed)?;
        capsule.plan_is = capsule.judge(plan);
        capsule
    } else {
        let plan: Plan = serde_json::from_str(text).map_err(malformed)?;
        Capsule::from(plan)
    };
    if capsule.plan.schema != SCHEMA {
        return Err(other(capsule.plan.schema.into()));
    }
    capsule.plan_hash = hash(&json_of(&capsule.plan));
    capsule.plan.check().map_err(|error| CapsuleError::Invalid {
        file: file.to_owned(),
        what: error.to_string(),
    })?;
    Ok(capsule)
}

/// The problem: in own words if the text is not JSON, else the message about the key that is wrong, without its
/// position, which is printed already.
pub(crate) fn problem(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Eof => return "the text ends too early".to_owned(),
        Category::Syntax | Category::Io => return "it is not JSON".to_owned(),
        Category::Data => {}
    }
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    if text.contains("expected struct") {
        return "it holds something else".to_owned();
    }
    match text.strip_prefix("missing field ") {
        Some(key) => format!("{key} is missing"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(&onsale_scenarios::catalogue::find("fast/crash").unwrap().scenario(), 7)
    }

    #[test]
    fn a_plan_is_a_capsule_that_expects_nothing() {
        let capsule = parse("plan.json", &plan().to_json()).unwrap();
        assert_eq!(capsule.plan, plan());
        assert_eq!(capsule.mismatch(), None);
        assert_eq!((capsule.trace_hash.as_str(), capsule.failed.len()), ("", 0));
        assert_eq!(parse("capsule.json", &capsule.to_json()).unwrap(), capsule);
        let marked = format!("\u{feff}{}", capsule.to_json());
        assert_eq!(parse("bom.json", &marked).unwrap(), capsule, "a byte order mark is no harm");
    }

    #[test]
    fn other_code_is_told() {
        let mut capsule = parse("plan.json", &plan().to_json()).unwrap();
        capsule.code_version = "9.9.9".to_owned();
        let words = capsule.mismatch().unwrap();
        assert!(words.contains("written by onsale 9.9.9"), "{words}");
    }

    #[test]
    fn an_edited_plan_is_known_by_its_hash() {
        let text = parse("plan.json", &plan().to_json()).unwrap().to_json();
        let is = |text: &str| parse("capsule.json", text).unwrap().plan_is;
        assert_eq!(is(&text), PlanIs::Recorded);
        // As another program may write it.
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(is(&value.to_string()), PlanIs::Recorded);
        for (from, to) in
            [("\"users\": 2000", "\"users\": 2001"), ("\"seed\": \"7\"", "\"seed\": \"8\"")]
        {
            let edited = text.replacen(from, to, 1);
            assert_ne!(edited, text);
            assert_eq!(is(&edited), PlanIs::Edited, "{to}");
        }
        let mut nameless = value;
        nameless["plan_hash"] = "".into();
        assert_eq!(is(&nameless.to_string()), PlanIs::Edited);
    }

    #[test]
    fn an_older_format_is_refused_by_name() {
        let text = Capsule::from(plan()).to_json();
        for (from, to) in [("\"schema\": 3", "\"schema\": 2"), ("\"schema\": 3", "\"schema\": 1")] {
            let words = parse("capsule.json", &text.replacen(from, to, 1)).unwrap_err().to_string();
            assert_eq!(
                words,
                format!(
                    "capsule.json: a capsule of schema {}; this onsale reads schema 3 only: replay it \
                     with the version that wrote it",
                    &to[10..]
                )
            );
        }
    }

    #[test]
    fn what_is_no_capsule_is_refused_in_one_line() {
        let whole = parse("plan.json", &plan().to_json()).unwrap().to_json();
        let table = [
            (whole[..whole.len() / 2].to_owned(), "the text ends too early"),
            ("[]".to_owned(), "not a capsule: it holds something else"),
            ("no JSON".to_owned(), "not a capsule: it is not JSON"),
            ("{}".to_owned(), "`schema` is missing"),
            (whole.replacen("\"schema\": 3", "\"schema\": 4", 1), "a capsule of schema 4"),
            (
                whole.replace("\"schema\": 3", "\"schema\": 0").replacen(
                    "\"schema\": 0",
                    "\"schema\": 3",
                    1,
                ),
                "schema 0",
            ),
            (whole.replacen("\"seed\": \"7\"", "\"seed\": \"seven\"", 1), "a whole number"),
            (
                whole
                    .replace("\"n4\"", "\"n99\"")
                    .replace("\"node\": \"leader\"", "\"node\": \"n99\""),
                "n99",
            ),
        ];
        for (text, expected) in table {
            let words = parse("x.json", &text).expect_err(expected).to_string();
            assert!(words.contains(expected), "{words}");
            assert!(words.starts_with("x.json:"), "{words}");
        }
    }
}
