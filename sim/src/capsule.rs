//! Capsules: a failing run in one file.
//!
//! Owns what must be kept to see a failure again, the line that does it, and how to know
//! whether the code that replays it is the code that failed. Refuses to know how a failure is
//! shown.

use std::path::Path;

use onsale_reports::json;
use onsale_reports::plain::quoted;
use onsale_scenarios::{Arrivals, reading};
use serde::{Deserialize, Serialize};

use crate::plan::{Plan, SCHEMA};
use crate::run::{BUDGET, Outcome};

/// A failing run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule {
    /// The version of this format.
    pub schema: u32,
    /// The code that failed.
    pub code_version: String,
    /// How it was built.
    pub build_profile: String,
    /// The hash over everything that happened; empty if it was not recorded, or if the run was
    /// interrupted or stopped by a limit, so that it covers a part that no replay ends at.
    pub trace_hash: String,
    /// The oracles that failed.
    pub failed: Vec<String>,
    /// What was run.
    pub plan: Plan,
}

/// Why a capsule cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum CapsuleError {
    /// The file cannot be read.
    #[error("{file}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is not a capsule.
    #[error(
        "{file}:{line}:{column}: not a capsule: {what}; expected a capsule.json that a failing run wrote, whole and unedited, or a plan.json"
    )]
    Malformed {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// The file is of another version of the format.
    #[error(
        "{file}: a capsule of format {found}; this onsale reads format {SCHEMA}: replay it with the code that wrote it"
    )]
    OtherSchema {
        /// The file.
        file: String,
        /// Its version.
        found: u64,
    },
    /// The scenario inside is not valid.
    #[error("{file}: the plan's scenario is not valid: {what}")]
    Invalid {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
}

impl Capsule {
    /// The capsule of a run.
    pub fn new(plan: &Plan, outcome: &Outcome) -> Self {
        let facts = &outcome.summary.facts;
        let failed: Vec<String> = outcome.failed().into_iter().map(str::to_owned).collect();
        let whole = !facts.interrupted && failed.iter().all(|oracle| oracle != BUDGET);
        Self {
            schema: SCHEMA,
            code_version: facts.code_version.clone(),
            build_profile: facts.build_profile.clone(),
            trace_hash: if whole { facts.trace_hash.clone() } else { String::new() },
            failed,
            plan: plan.clone(),
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }

    /// What about this code is not the code that failed; none if all is the same.
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

impl From<Plan> for Capsule {
    /// A capsule that expects nothing of its plan.
    fn from(plan: Plan) -> Self {
        Self {
            schema: SCHEMA,
            code_version: code_version().to_owned(),
            build_profile: build_profile().to_owned(),
            trace_hash: String::new(),
            failed: Vec::new(),
            plan,
        }
    }
}

/// The version of this code: the package's, and the commit it was built from where that is known.
pub const fn code_version() -> &'static str {
    env!("ONSALE_VERSION")
}

/// How this code was built.
pub const fn build_profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

/// The line that plays a seed's run again, for whoever has a checkout.
pub fn reproduce(plan: &Plan) -> String {
    let outside = match &plan.scenario.crowd.arrivals {
        Arrivals::Trace { file, .. } if !reading::is_below(file) => " --allow-outside",
        Arrivals::Trace { .. }
        | Arrivals::Constant { .. }
        | Arrivals::Ramp { .. }
        | Arrivals::Spike { .. }
        | Arrivals::OnSale { .. }
        | Arrivals::Named { .. } => "",
    };
    replay_line(&format!("{} --scenario {}{outside}", plan.seed, quoted(&plan.scenario.id)))
}

/// The line that replays what is named. One form for everybody: whoever debugs has a checkout,
/// and whoever installed the program reads `onsale` for all before the dashes.
pub fn replay_line(subject: &str) -> String {
    format!("cargo run --release -- replay {subject}")
}

/// Reads a capsule or a plan. A plan alone makes a capsule that expects nothing.
///
/// # Errors
/// If the file cannot be read, is no capsule, is of another format, or its scenario is not valid.
pub fn read(path: &Path) -> Result<Capsule, CapsuleError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|source| CapsuleError::Unreadable { file: file.clone(), source })?;
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
        what: without_place(&error),
    };
    let value: serde_json::Value = serde_json::from_str(text).map_err(malformed)?;
    let schema = value.get("schema").and_then(serde_json::Value::as_u64);
    if let Some(found) = schema.filter(|&found| found != u64::from(SCHEMA)) {
        return Err(CapsuleError::OtherSchema { file: file.to_owned(), found });
    }
    let capsule: Capsule = if value.get("plan").is_some() {
        serde_json::from_str(text).map_err(malformed)?
    } else {
        let plan: Plan = serde_json::from_str(text).map_err(malformed)?;
        Capsule::from(plan)
    };
    if capsule.plan.schema != SCHEMA {
        return Err(CapsuleError::OtherSchema {
            file: file.to_owned(),
            found: capsule.plan.schema.into(),
        });
    }
    capsule.plan.check().map_err(|error| CapsuleError::Invalid {
        file: file.to_owned(),
        what: error.to_string(),
    })?;
    Ok(capsule)
}

/// What serde says, without the place that it says it at: that stands before it already.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::new(&onsale_scenarios::catalogue::find("fast/crash").unwrap().scenario(), 7)
    }

    #[test]
    fn lines_to_paste_survive_a_shell() {
        let mut plan = plan();
        assert!(reproduce(&plan).ends_with("-- replay 7 --scenario fast/crash"));
        plan.scenario.id = "my sales/it's.toml".to_owned();
        assert!(reproduce(&plan).ends_with(r"--scenario 'my sales/it'\''s.toml'"));
    }

    #[test]
    fn a_plan_is_a_capsule_that_expects_nothing() {
        let capsule = parse("plan.json", &plan().to_json()).unwrap();
        assert_eq!(capsule.plan, plan());
        assert_eq!(capsule.mismatch(), None);
        assert_eq!((capsule.trace_hash.as_str(), capsule.failed.len()), ("", 0));
        assert_eq!(parse("capsule.json", &capsule.to_json()).unwrap(), capsule);
    }

    #[test]
    fn other_code_is_told() {
        let mut capsule = parse("plan.json", &plan().to_json()).unwrap();
        capsule.code_version = "9.9.9".to_owned();
        let words = capsule.mismatch().unwrap();
        assert!(words.contains("written by onsale 9.9.9"), "{words}");
    }

    #[test]
    fn what_is_no_capsule_is_refused_in_one_line() {
        let whole = parse("plan.json", &plan().to_json()).unwrap().to_json();
        let table = [
            (whole[..whole.len() / 2].to_owned(), "EOF while parsing"),
            ("[]".to_owned(), "not a capsule"),
            ("{}".to_owned(), "missing field"),
            (whole.replacen("\"schema\": 1", "\"schema\": 2", 1), "a capsule of format 2"),
            (
                whole.replace("\"schema\": 1", "\"schema\": 2").replacen(
                    "\"schema\": 2",
                    "\"schema\": 1",
                    1,
                ),
                "format 2",
            ),
            (
                whole
                    .replace("\"n4\"", "\"n99\"")
                    .replace("\"node\": \"owner\"", "\"node\": \"n99\""),
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
