//! Faults of processes and of the machines that they run on.
//!
//! Owns these families: their keys and bounds, and which faults are simpler. Refuses to know how a process dies.

use onsale_booking::Span;

use super::declare::faults;
use super::site::{FACTOR, TURN};
use super::upgrade::{Rollback, installations};
use super::{Family, Fault, Group, Site, Target, Trouble};
use crate::setting::{Checks, SOME_TIME};

faults! {
    /// A fault of a process or of its machine.
    pub enum ProcessFault in process_keys {
        /// The machine crashes: the process dies, loses unsynced data, and starts again.
        Crash for down {
            /// The node.
            node: Target;
        }
        /// The process is killed and starts again, while its machine lives on: it reads back what it had written and not
        /// synced, which the loss of the machine's power still takes.
        Kill for down {
            /// The node.
            node: Target;
        }
        /// The process is told to stop, stops when its work is done or its patience ends, and starts again. The fault
        /// lasts for that patience and the downtime.
        Restart for down after patience {
            /// The node.
            node: Target;
            /// Time that it may take to stop.
            patience: Span = Span::from_secs(2), chosen, in SOME_TIME;
        }
        /// Every process in turn is told to stop and starts again, each in an equal part of the time.
        RollingRestart for lasts {
            /// Time that each node may take to stop.
            patience: Span = Span::from_secs(2), chosen, in SOME_TIME;
            /// Downtime of each node.
            down: Span, in SOME_TIME;
        }
        /// Every process in turn is told to stop and starts with the next release of the program, each in an equal part of
        /// the time. A node that goes back to the first release has turns of its own. All nodes start a run with the
        /// first release.
        Upgrade for lasts {
            /// Time that each node may take to stop.
            patience: Span = Span::from_secs(2), chosen, in SOME_TIME;
            /// Downtime of each node.
            down: Span, in SOME_TIME;
            /// The node, by number, that goes back to the first release after it was upgraded first; default: none does.
            rolls_back: Option<Target>;
            /// When that node goes back, and how the upgrade goes on.
            rollback: Rollback = Rollback::Early, chosen;
        }
        /// A process dies repeatedly, each time soon after it has started.
        CrashLoop for lasts {
            /// The node.
            node: Target;
            /// Downtime each time.
            down: Span, in TURN;
            /// Time that it is up in between.
            up: Span, in TURN;
        }
        /// The process stands still and then goes on, unaware of the pause.
        Pause for lasts {
            /// The node.
            node: Target;
        }
        /// A node's cores are slower.
        Limp for lasts {
            /// The node.
            node: Target;
            /// Factor by which they are slower.
            factor: u32, in FACTOR;
        }
        /// All nodes of a zone lose power.
        ZoneLoss for down {
            /// The zone, from 1.
            zone: u16;
        }
        /// All nodes lose power at once.
        PowerLoss for down {}
    }
}

impl Group for ProcessFault {
    fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Limp { .. } => Some(Trouble::Delays),
            Self::Crash { .. }
            | Self::Kill { .. }
            | Self::Pause { .. }
            | Self::Restart { .. }
            | Self::RollingRestart { .. }
            | Self::Upgrade { .. }
            | Self::CrashLoop { .. }
            | Self::ZoneLoss { .. }
            | Self::PowerLoss {} => None,
        }
    }

    fn check(&self, site: &Site<'_>, checks: &mut Checks) {
        match self {
            Self::Crash { node }
            | Self::Kill { node }
            | Self::Restart { node, .. }
            | Self::Pause { node }
            | Self::Limp { node, .. } => site.target(checks, "node", *node),
            Self::RollingRestart { patience, down } => {
                site.takes_turns(checks, site.cluster.numbers().into(), *patience + *down);
            }
            Self::Upgrade { patience, down, rolls_back, rollback } => {
                let turns = site.installs(checks, *rolls_back, *rollback);
                site.takes_turns(checks, turns, *patience + *down);
            }
            Self::CrashLoop { node, down, up } => {
                site.target(checks, "node", *node);
                site.comes_and_goes(checks, *down, *up);
            }
            Self::ZoneLoss { zone } => {
                let zones = site.cluster.zones;
                checks.that((1..=zones).contains(zone), &site.key("zone"), || {
                    (format!("there is no zone {zone}"), format!("the zones are 1 to {zones}"))
                });
            }
            Self::PowerLoss {} => {}
        }
    }

    fn simpler(&self, fault: &Fault, _nodes: u16, zones: u16) -> Vec<Fault> {
        let crashes = || Target::BOTH_ROLES.map(|node| fault.but(Self::Crash { node }));
        match self {
            Self::PowerLoss {} => {
                let zone_losses = (1..=zones).map(|zone| fault.but(Self::ZoneLoss { zone }));
                crashes().into_iter().chain(zone_losses).collect()
            }
            Self::ZoneLoss { .. } | Self::Restart { .. } => crashes().into(),
            Self::RollingRestart { patience, down } => Target::BOTH_ROLES
                .map(|node| {
                    let restart = Self::Restart { node, patience: *patience };
                    Fault { lasts: *patience + *down, ..fault.but(restart) }
                })
                .into(),
            Self::Upgrade { patience, down, rolls_back, .. } => {
                let (patience, down) = (*patience, *down);
                let restarts = fault.but(Self::RollingRestart { patience, down });
                let forward = fault.but(Self::Upgrade {
                    patience,
                    down,
                    rolls_back: None,
                    rollback: Rollback::default(),
                });
                let straight = rolls_back.is_some().then_some(forward);
                [restarts].into_iter().chain(straight).collect()
            }
            Self::CrashLoop { node, .. } => {
                vec![fault.but(Self::Crash { node: *node }), fault.but(Self::Kill { node: *node })]
            }
            Self::Kill { node } => vec![fault.but(Self::Crash { node: *node })],
            Self::Crash { .. } | Self::Pause { .. } | Self::Limp { .. } => Vec::new(),
        }
    }

    fn fit(&mut self, lasts: Span) {
        if let Self::Restart { patience, .. } = self {
            *patience = (*patience).min(Span(lasts.0 / 2));
        }
        if let Self::CrashLoop { down, .. } = self {
            *down = (*down).min(lasts);
        }
    }

    fn factor(&mut self) -> Option<&mut u32> {
        if let Self::Limp { factor, .. } = self { Some(factor) } else { None }
    }

    fn each_target(&mut self, visit: &mut dyn FnMut(&mut Target)) {
        match self {
            Self::Crash { node }
            | Self::Kill { node }
            | Self::Restart { node, .. }
            | Self::CrashLoop { node, .. }
            | Self::Pause { node }
            | Self::Limp { node, .. } => visit(node),
            // The node that goes back in an upgrade is named by number.
            Self::ZoneLoss { .. }
            | Self::RollingRestart { .. }
            | Self::Upgrade { .. }
            | Self::PowerLoss {} => {}
        }
    }

    fn aim_within(&mut self, nodes: u16, zones: u16) {
        self.each_target(&mut |target| target.aim_within(nodes));
        if let Self::ZoneLoss { zone } = self {
            *zone = (*zone - 1) % zones + 1;
        }
        if let Self::Upgrade { rolls_back, .. } = self {
            rolls_back.iter_mut().for_each(|node| node.aim_within(nodes));
        }
    }
}

impl Site<'_> {
    /// Each of the turns has to be long enough for a node to stop and start.
    fn takes_turns(&self, checks: &mut Checks, turns: u64, needs: Span) {
        let turn = Span(self.lasts.0 / turns.max(1));
        checks.that_both(turn > needs, &self.key("lasts"), "cluster.nodes", || {
            let what =
                format!("each of {turns} nodes has {turn}, but may take {needs} to stop and start");
            let most = Span((needs.0 + 1_000_000).saturating_mul(turns));
            (what, format!("at least `lasts = \"{most}\"`, or less `patience` or `down`"))
        });
    }

    /// Checks the node that goes back in an upgrade. Returns the number of installations.
    fn installs(&self, checks: &mut Checks, back: Option<Target>, rollback: Rollback) -> u64 {
        let (last, numbers) = (self.cluster.nodes, self.cluster.numbers());
        let node = back.and_then(|target| match target {
            Target::Node(node) if (1..=last).contains(&node.0) => Some(node),
            Target::Node(_) | Target::Leader | Target::Follower | Target::There => None,
        });
        checks.that(back.is_none() || node.is_some(), &self.key("rolls-back"), || {
            let named = back.map_or_else(String::new, |target| target.to_string());
            (format!("`{named}` is not a node by number"), format!("one of n1 to n{last}"))
        });
        installations(node, rollback, numbers).len() as u64
    }
}
