//! The basis of a default.
//!
//! Owns the three kinds of basis, so that a report can mark assumed values. Refuses to know any value: the basis
//! of a default is declared with it.

use std::fmt;

/// The basis of a value.
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
