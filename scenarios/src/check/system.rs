//! What each system under test supports.
//!
//! Owns the table of operations and fault families by system, and the complaints about a scenario that asks for more: a
//! fault or a setting that a system does not support is refused, never left out. Refuses to know how a system works.

use crate::assumptions::leaves;
use crate::fault::{Family, Fault, Moment, NetworkFault, What};
use crate::scenario::Scenario;
use crate::setting::Checks;
use crate::settings::System;

/// Keys of `[cluster]` and `[costs]` that one process uses. It has no gateway, no journal and no peers to set.
const SOLO_KEYS: [&str; 9] = [
    "cluster.system",
    "cluster.nodes",
    "cluster.zones",
    "cluster.shards",
    "cluster.replicas",
    "cluster.leader.acknowledge",
    "costs.decide",
    "costs.persisted",
    "costs.recover-mib",
];
/// Keys of other sections for parts that one process does not have.
const FOREIGN_KEYS: [&str; 5] = [
    "sale.expiry",
    "sale.venues",
    "disk.good-copies",
    "network.within-zone",
    "network.between-zones",
];

/// Oracles that judge nothing about one process, each with the reason.
const FOREIGN_ORACLES: [(&str, &str); 3] = [
    (
        "durable",
        "one process replicates no log: other oracles compare its one disk with its answers",
    ),
    ("raft", "one process replicates no log"),
    ("facts", "one process keeps no facts to judge"),
];

/// What is said where a family needs messages between nodes.
const ALONE: &str = "it strikes messages between nodes, and there is one";
/// What is said where a family changes which nodes there are.
const FIXED: &str = "its one node neither comes nor goes";
/// What is said where a moment takes several replicas.
const NO_REPLICAS: &str = "it has no replicas";
/// What is said where a family takes away what was durable.
const ONE_COPY: &str = "it destroys what was durable, and there is one copy";
/// What is said where work that begins under a fault outlasts it. Its end is the work's own, which no bound of the
/// judges knows; with replicas, others serve meanwhile.
const OUTLASTS: &str = "work that begins under it outlasts it, and nobody else serves meanwhile";
/// What is said where a family makes a clock wrong. One process measures a hold by its wall clock across restarts: a
/// clock that is set wrong, or put right, between two starts ends holds early, and no promise could be kept.
const CLOCK: &str = "it measures holds by its wall clock across restarts";

impl System {
    /// Whether faults of a family can strike it.
    pub const fn supports(self, family: Family) -> bool {
        self.lacks(family).is_none()
    }

    /// Why faults of a family cannot strike it; `None` if they can. A new family must be decided on here.
    const fn lacks(self, family: Family) -> Option<&'static str> {
        match self {
            Self::Replicated => None,
            Self::Solo => match family {
                // A cut from the clients is a flapping without `peer`.
                Family::Crash
                | Family::Kill
                | Family::CrashLoop
                | Family::Pause
                | Family::PowerLoss
                | Family::ZoneLoss
                | Family::DiskStall
                | Family::FsyncError
                | Family::TornTail
                | Family::Flapping => None,
                Family::Partition => {
                    Some("it cuts nodes from each other; `flapping` cuts the one from its clients")
                }
                Family::Loss
                | Family::Duplicate
                | Family::Reorder
                | Family::SlowNetwork
                | Family::OneWayLoss
                | Family::Congestion
                | Family::Swizzle => Some(ALONE),
                Family::Limp | Family::SlowDisk => Some(OUTLASTS),
                Family::ClockDrift | Family::ClockJump => Some(CLOCK),
                Family::DiskFull => Some("it has no way to go on without its log"),
                Family::BitRot | Family::Wipe | Family::LyingDisk => Some(ONE_COPY),
                Family::Restart | Family::RollingRestart => {
                    Some("nobody takes over when it is told to stop; `crash` ends it")
                }
                Family::Upgrade => Some("it has one release, and one format of its log"),
                Family::Replace | Family::MajorityLoss | Family::Join | Family::Leave => {
                    Some(FIXED)
                }
            },
        }
    }

    /// Whether a fault can wait for a moment of it.
    pub const fn has(self, moment: Moment) -> bool {
        self.never_has(moment).is_none()
    }

    /// Why a moment never comes; `None` if it may come. A new moment must be decided on here.
    const fn never_has(self, moment: Moment) -> Option<&'static str> {
        match self {
            Self::Replicated => None,
            Self::Solo => match moment {
                Moment::Recovering
                | Moment::BetweenAppendAndFsync
                | Moment::BeforeReply
                | Moment::Expiring => None,
                Moment::Voting
                | Moment::Electing
                | Moment::TakingOver
                | Moment::Replicating
                | Moment::Asking
                | Moment::MovingJoint
                | Moment::MovingSwap
                | Moment::HandingOver => Some(NO_REPLICAS),
                Moment::InstallingSnapshot => Some("nobody sends it a snapshot"),
                Moment::Mark(_) => Some("it takes none of the paths that coverage counts"),
            },
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
            if let Some(when) = fault.when {
                self.moment(system, when.moment, &format!("fault[{n}].{family}.when"));
            }
        }
        self.drawn_families(system, scenario);
        self.that(scenario.facts.is_none() || system.keeps_facts(), "facts", || {
            let what = format!("the system {:?} keeps no facts", system.name());
            (what, "leave `[facts]` out: it holds, confirms and releases".into())
        });
        if system == System::Solo {
            self.alone(scenario);
            self.of_one_process(scenario);
        }
    }

    /// A swarm that names no families draws of all.
    fn drawn_families(&mut self, system: System, scenario: &Scenario) {
        let Some(swarm) = &scenario.swarm else { return };
        let unsupported = swarm.families.iter().any(|&family| !system.supports(family));
        if unsupported && swarm.families == Family::ALL {
            return self.that(false, "swarm.families", || {
                let what = format!("the system {:?} does not support all families", system.name());
                (what, format!("name those that it supports: {}", supported(system)))
            });
        }
        for (n, &family) in swarm.families.iter().enumerate() {
            self.family(system, family, &format!("swarm.families[{n}]"));
        }
    }

    fn family(&mut self, system: System, family: Family, field: &str) {
        if let Some(why) = system.lacks(family) {
            self.that(false, field, || {
                let name = system.name();
                let what = format!("the system {name:?} does not support `{family}`: {why}");
                (what, format!("it supports {}", supported(system)))
            });
        }
    }

    fn moment(&mut self, system: System, moment: Moment, field: &str) {
        if let Some(why) = system.never_has(moment) {
            self.that(false, field, || {
                let name = system.name();
                let what =
                    format!("the moment `{moment}` never comes in the system {name:?}: {why}");
                let moments = Moment::NAMED.iter().filter(|moment| system.has(**moment));
                let moments = moments.map(Moment::to_string).collect::<Vec<_>>().join(", ");
                (what, format!("these come: {moments}"))
            });
        }
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
        for (n, fault) in scenario.faults.iter().enumerate() {
            let has_peer = matches!(
                fault,
                Fault { what: What::Network(NetworkFault::Flapping { peer: Some(_), .. }), .. }
            );
            self.that(!has_peer, &format!("fault[{n}].flapping.peer"), || {
                let what = "one process has no link with another node".into();
                (what, "leave `peer` out: the process is cut from its clients".into())
            });
        }
    }

    /// Refuses settings of parts that one process does not have, and expectations that it can never meet.
    fn of_one_process(&mut self, scenario: &Scenario) {
        let (values, defaults) = (leaves(scenario), leaves(&Scenario::default()));
        for leaf in &values {
            let (key, value) = leaf;
            let is_its_own = match key.as_str() {
                "cluster.leader.acknowledge" => value != "own-disk",
                key if key.starts_with("cluster.") || key.starts_with("costs.") => {
                    SOLO_KEYS.contains(&key)
                }
                key => !FOREIGN_KEYS.contains(&key),
            };
            self.that(is_its_own || defaults.contains(leaf), key, || {
                let what = format!("one process has no use for `{key}`");
                (what, "leave the key out, or choose `cluster.system = \"replicated\"`".into())
            });
        }
        for (n, oracle) in scenario.must_exercise.iter().enumerate() {
            let why = foreign(oracle);
            self.that(why.is_none(), &format!("expect.exercised[{n}]"), || {
                (why.unwrap_or_default().into(), format!("leave `{oracle}` out"))
            });
        }
        for (n, mark) in scenario.must_mark.iter().enumerate() {
            self.that(false, &format!("expect.marks[{n}]"), || {
                (format!("one process never marks {mark:?}"), "leave `marks` out".into())
            });
        }
        let why = scenario.must_fail.as_ref().and_then(|must_fail| foreign(&must_fail.oracle));
        self.that(why.is_none(), "expect.fails", || {
            (why.unwrap_or_default().into(), "name another oracle".into())
        });
    }
}

/// Why an oracle judges nothing about one process; `None` if it does.
fn foreign(oracle: &str) -> Option<&'static str> {
    FOREIGN_ORACLES.iter().find(|(name, _)| *name == oracle).map(|&(_, why)| why)
}

/// The families that a system supports, for people.
fn supported(system: System) -> String {
    let families = Family::EVERY.iter().filter(|family| system.supports(**family));
    families.map(|family| family.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
