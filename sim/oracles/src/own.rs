//! What a system's own judges add.
//!
//! Owns the type. Refuses to judge.

use super::evidence::Story;
use super::rule::Rule;

/// What a system's own judges add to the verdicts of the oracles.
#[derive(Debug, Default)]
pub struct Own {
    /// Findings for `live` to report.
    pub live: Vec<(Rule, Story)>,
    /// Number of their checks for `prompt`, and findings for it to report.
    pub prompt: (u64, Vec<(Rule, Story)>),
}
