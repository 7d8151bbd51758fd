//! What oracles excuse, and how far.
//!
//! Owns the form of an excuse, as the reference page prints it. Refuses to know how it is judged: each oracle declares
//! its own beside its rules.

use onsale_reports::Oracle;

/// A deviation that an oracle excuses, up to a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excuse {
    /// The oracle.
    pub oracle: Oracle,
    /// The deviation.
    pub excused: &'static str,
    /// Its bound, by the settings and the faults in force.
    pub bound: &'static str,
    /// Name of the test that fails a history just beyond the bound.
    pub beyond: &'static str,
}

/// The test that measures every rule at its bound.
pub(crate) const MEASURED: &str = "each_rule_is_broken_by_its_own_history_alone";
