//! What a default rests on.
//!
//! Owns the three ways in which a value can come about, so that a report can mark what is assumed. Refuses to know any
//! value: what a default rests on stands beside it.

use std::fmt;

/// What a value rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// A default, within what this source reports.
    Sourced(&'static str),
    /// A default for which no source was found: calibrate it before trusting absolute numbers.
    Assumed,
    /// Chosen by the scenario, or a setting of the system rather than a claim about the world.
    Chosen,
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sourced(source) => write!(f, "sourced: {source}"),
            Self::Assumed => f.write_str("assumed"),
            Self::Chosen => f.write_str("chosen"),
        }
    }
}
