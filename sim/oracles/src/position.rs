//! The position of a record in a system's logs.
//!
//! Owns the three numbers that every system supplies, and how evidence prints them. Refuses to know how a
//! system numbers its records.

use std::fmt;

/// Position of a record: log, index and term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Number of the log, from 0.
    pub log: u32,
    /// Index in the log, from 1 without gaps.
    pub index: u64,
    /// Term in which it was written: at most one writer commits in each.
    pub term: u64,
}

impl Position {
    /// The name of the log in evidence: `s12`.
    pub(super) fn log_name(self) -> String {
        log_name(self.log)
    }
}

/// The name of a log in evidence: `s12`.
pub(super) fn log_name(log: u32) -> String {
    format!("s{log}")
}

impl fmt::Display for Position {
    /// Formats a position as `s12#88 (e3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}#{} (e{})", self.log, self.index, self.term)
    }
}
