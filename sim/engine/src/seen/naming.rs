//! What a system calls its logs and the records in them.
//!
//! Owns the choice of words that stories and reports make by it: a log that has one copy has no quorum, and one process
//! has no leader. Refuses to know what the records say.

/// How people are told of a system's logs.
#[derive(Clone, Copy, Debug)]
pub struct Naming {
    /// A log by its number: `s12`.
    pub log: fn(u32) -> String,
    /// A term by its number: `e3`.
    pub term: fn(u64) -> String,
    /// A record by its log, its place in it and its term: `record 4 of s12 (e3)`.
    pub record: fn(u32, u64, u64) -> String,
    /// What happens to a decision: it is `proposed as`, or `written as`, a record.
    pub decided: &'static str,
    /// Whether a log has copies on several nodes, and one of them leads it.
    pub has_leaders: bool,
}

impl Naming {
    /// The record that a decision becomes: `proposed as record 4 of s12 (e3)`.
    pub fn becomes(&self, log: u32, index: u64, term: u64) -> String {
        format!("{} {}", self.decided, (self.record)(log, index, term))
    }
}
