//! Faults of processes and of the machines that they run on.
//!
//! Owns these families: their keys and bounds, and which faults are simpler. Refuses to know how a process dies.

use onsale_booking::Span;

use super::declare::faults;
use super::site::{FACTOR, TURN};
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
            Self::RollingRestart { patience, down } => site.takes_turns(checks, *patience, *down),
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
            Self::ZoneLoss { .. } | Self::RollingRestart { .. } | Self::PowerLoss {} => {}
        }
    }

    fn aim_within(&mut self, nodes: u16, zones: u16) {
        self.each_target(&mut |target| target.aim_within(nodes));
        if let Self::ZoneLoss { zone } = self {
            *zone = (*zone - 1) % zones + 1;
        }
    }
}

impl Site<'_> {
    /// Every node in turn has to stop and start within its part of the time.
    fn takes_turns(&self, checks: &mut Checks, patience: Span, down: Span) {
        let nodes = self.cluster.numbers();
        let (turn, needs) = (self.lasts.0 / u64::from(nodes.max(1)), patience + down);
        checks.that_both(turn > needs.0, &self.key("lasts"), "cluster.nodes", || {
            let what = format!(
                "each of {nodes} nodes has {}, but may take {needs} to stop and start",
                Span(turn)
            );
            let most = Span((needs.0 + 1_000_000) * u64::from(nodes));
            (what, format!("at least `lasts = \"{most}\"`, or less `patience` or `down`"))
        });
    }
}
