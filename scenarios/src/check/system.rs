//! What each system under test supports.
//!
//! Owns the table of operations and fault families by system, and the complaints about a scenario that asks for more: a
//! fault that a system does not support is refused, never left out. Refuses to know how a system works.

use crate::fault::Family;
use crate::scenario::Scenario;
use crate::setting::Checks;
use crate::settings::System;

/// What the only process is struck with: all that needs no second node, and no clock of its own.
const SOLO: &[Family] = &[
    Family::Crash,
    Family::CrashLoop,
    Family::Pause,
    Family::PowerLoss,
    Family::ZoneLoss,
    Family::Limp,
    Family::SlowDisk,
    Family::DiskStall,
    Family::FsyncError,
    Family::TornTail,
    Family::Flapping,
];

impl System {
    /// Whether faults of a family can strike it.
    pub fn supports(self, family: Family) -> bool {
        match self {
            Self::Replicated => true,
            Self::Solo => SOLO.contains(&family),
        }
    }

    /// Whether it keeps facts beside what it sells.
    pub const fn keeps_facts(self) -> bool {
        match self {
            Self::Replicated => true,
            Self::Solo => false,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Replicated => "replicated",
            Self::Solo => "solo",
        }
    }
}

impl Checks {
    /// A scenario asks its system for nothing that it does not support.
    pub(super) fn system(&mut self, scenario: &Scenario) {
        let system = scenario.cluster.system;
        for (n, fault) in scenario.faults.iter().enumerate() {
            let family = fault.family();
            self.family(system, family, &format!("fault[{n}].{family}"));
        }
        for (n, &family) in scenario.swarm.iter().flat_map(|it| &it.families).enumerate() {
            self.family(system, family, &format!("swarm.families[{n}]"));
        }
        self.that(scenario.facts.is_none() || system.keeps_facts(), "facts", || {
            let what = format!("the system {:?} keeps no facts", system.name());
            (what, "leave `[facts]` out: it holds, confirms and releases".into())
        });
        if system == System::Solo {
            self.alone(scenario);
        }
    }

    fn family(&mut self, system: System, family: Family, field: &str) {
        self.that(system.supports(family), field, || {
            let names: Vec<&str> = SOLO.iter().map(|family| family.name()).collect();
            let what = format!("the system {:?} does not support `{family}`", system.name());
            (what, format!("it supports {}", names.join(", ")))
        });
    }

    /// One process: there is nothing to spread over anything.
    fn alone(&mut self, scenario: &Scenario) {
        let cluster = &scenario.cluster;
        let counts = [
            ("nodes", u32::from(cluster.nodes)),
            ("zones", u32::from(cluster.zones)),
            ("shards", cluster.shards),
            ("replicas", u32::from(cluster.replicas)),
        ];
        for (key, count) in counts {
            self.that_both(count == 1, &format!("cluster.{key}"), "cluster.system", || {
                let what = format!("{count} {key} of a system that is one process");
                (what, format!("write `{key} = 1`, or another `system`"))
            });
        }
    }
}
