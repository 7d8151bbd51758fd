//! Capsules: a failing run in one file.
//!
//! Owns what must be kept to see a failure again, and to know whether the code that
//! replays it is the code that failed. Refuses to know how a failure is shown.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plan::{Plan, SCHEMA};
use crate::run::Outcome;

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
    /// The hash over everything that happened.
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
    #[error("{file}:{line}:{column}: not a capsule: {what}; expected a capsule.json that a failing run wrote, whole and unedited, or a plan.json")]
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
    #[error("{file}: a capsule of format {found}; this onsale reads format {SCHEMA}: replay it with the code that wrote it")]
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
        Self {
            schema: SCHEMA,
            code_version: facts.code_version.clone(),
            build_profile: facts.build_profile.clone(),
            trace_hash: facts.trace_hash.clone(),
            failed: outcome.failed().into_iter().map(str::to_owned).collect(),
            plan: plan.clone(),
        }
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a capsule is plain data")
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

/// The version of this code: the package's, and the commit it was built from where that is known.
pub fn code_version() -> String {
    match option_env!("ONSALE_COMMIT") {
        Some(commit) => format!("{}+{commit}", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// How this code was built.
pub const fn build_profile() -> &'static str {
    if cfg!(debug_assertions) { "debug" } else { "release" }
}

/// Reads a capsule or a plan. A plan alone makes a capsule that expects nothing.
///
/// # Errors
/// If the file cannot be read, is no capsule, is of another format, or its scenario is not valid.
pub fn read(path: &Path) -> Result<Capsule, CapsuleError> {
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| CapsuleError::Unreadable { file: file.clone(), source })?;
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
        what: error.to_string(),
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
        Capsule {
            schema: SCHEMA,
            code_version: code_version(),
            build_profile: build_profile().to_owned(),
            trace_hash: String::new(),
            failed: Vec::new(),
            plan,
        }
    };
    capsule.plan.check().map_err(|error| CapsuleError::Invalid { file: file.to_owned(), what: error.to_string() })?;
    Ok(capsule)
}
