//! A system's names for its logs, terms and records.
//!
//! Owns the words that depend on the system in stories and reports: a log with one copy has no quorum, and one process
//! has no leader. Refuses to know what the records say.

/// Names of a system's logs, terms and records, for people.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    /// The name of a log, by its number: `s12`.
    pub log: fn(u32) -> String,
    /// The name of a term, by its number: `e3`.
    pub term: fn(u64) -> String,
    /// The name of a record, by its log, index and term: `record 4 of s12 (e3)`.
    pub record: fn(u32, u64, u64) -> String,
    /// The verb for a decision that becomes a record: `proposed as`, or `written as`.
    pub decided: &'static str,
    /// Whether a log has copies on several nodes, one of which leads it.
    pub has_leaders: bool,
}

impl Naming {
    /// The phrase for a decision that becomes a record: `proposed as record 4 of s12 (e3)`.
    pub fn becomes(&self, log: u32, index: u64, term: u64) -> String {
        format!("{} {}", self.decided, (self.record)(log, index, term))
    }
}
