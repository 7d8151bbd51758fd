//! The plan: a seed's expansion into data.
//!
//! Owns everything that a run depends on besides the code: the scenario with every default, the
//! seeds of the named streams, and every fault with its instant and parameters. A plan can be
//! printed, saved, edited and replayed without the seed. Refuses to know how it is drawn, and how
//! it is carried out.

use std::collections::BTreeMap;

use onsale_booking::Span;
use onsale_reports::json;
use onsale_scenarios::{Fault, Scenario, ScenarioError};
use serde::{Deserialize, Serialize};

use onsale_world::stream::fork;

/// Version of the plan's format.
pub const SCHEMA: u32 = 3;

/// Everything that determines a run, besides the code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of the format.
    pub schema: u32,
    /// The seed that the plan was drawn from; for reports, never drawn from again.
    #[serde(with = "json::seed")]
    pub seed: u64,
    /// Seeds of the named streams. An unnamed stream takes its seed from `seed`.
    #[serde(with = "json::seeds")]
    pub streams: BTreeMap<String, u64>,
    /// Every fault, in the order of the strikes.
    pub faults: Vec<Fault>,
    /// The scenario, with every default and the drawn crowd.
    pub scenario: Scenario,
}

impl Plan {
    /// The seed of a named stream.
    pub fn stream(&self, name: &str) -> u64 {
        self.streams.get(name).copied().unwrap_or_else(|| fork(self.seed, name))
    }

    /// Checks that an edited plan can be carried out.
    ///
    /// # Errors
    /// If its faults do not fit its scenario: what is wrong, and what is allowed.
    pub fn check(&self) -> Result<(), ScenarioError> {
        let fixed = Scenario { faults: self.faults.clone(), swarm: None, ..self.scenario.clone() };
        Scenario::from_json("plan", fixed.to_json().as_bytes()).map(drop)
    }

    /// Time at which the last fault has healed.
    pub fn calm_from(&self) -> Span {
        self.faults.iter().map(Fault::ends).max().unwrap_or_default()
    }

    /// The plan as JSON, for people and for `replay`.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }
}
