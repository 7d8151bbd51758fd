//! Where a record stands in what a system declares durable.
//!
//! Owns the three numbers that every system has for it, and how evidence prints them. Refuses to know how a
//! system comes to them.

use std::fmt;

/// Where a record stands: in which log, at which index, of which term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The log, counted from 0.
    pub log: u32,
    /// The place in the log, counted from 1 without gaps.
    pub index: u64,
    /// The term of office in which it was written: at most one writer commits in each.
    pub term: u64,
}

impl Position {
    /// The log as evidence names it: `s12`.
    pub(super) fn log_name(self) -> String {
        log_name(self.log)
    }
}

/// A log as evidence names it: `s12`.
pub(super) fn log_name(log: u32) -> String {
    format!("s{log}")
}

impl fmt::Display for Position {
    /// `s12#88 (e3)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s{}#{} (e{})", self.log, self.index, self.term)
    }
}
