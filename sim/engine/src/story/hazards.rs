//! Unsafe settings in a story: each is named beside what it allows.
//!
//! Owns which settings are in force. Refuses to know which lines show them.

use std::collections::BTreeMap;

use onsale_scenarios::{Scenario, hazards};

/// The unsafe settings of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Hazards {
    /// By key, the setting as the scenario's file writes it.
    settings: BTreeMap<&'static str, String>,
    /// The same, each with what it allows.
    told: Vec<String>,
}

impl Hazards {
    /// The unsafe settings that a scenario switches on.
    pub fn of(scenario: &Scenario) -> Self {
        let on = hazards(scenario);
        let told = on.iter().map(|(hazard, setting)| format!("{setting}: {}", hazard.lets));
        Self {
            told: told.collect(),
            settings: on.iter().map(|(hazard, setting)| (hazard.key, setting.clone())).collect(),
        }
    }

    /// The settings, each with what it allows.
    pub(super) fn told(&self) -> &[String] {
        &self.told
    }

    /// Whether this setting is unsafe here.
    pub(super) fn has(&self, key: &str) -> bool {
        self.settings.contains_key(key)
    }

    /// Adds to a line the setting that allowed it, if one of these is unsafe here.
    pub(super) fn blame(&self, line: String, keys: &[&str]) -> String {
        match keys.iter().find_map(|key| self.settings.get(key)) {
            Some(setting) => format!("{line} [{setting}]"),
            None => line,
        }
    }
}
