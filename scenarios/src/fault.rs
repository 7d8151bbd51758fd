//! Faults: at fixed times, and drawn from the seed.
//!
//! Owns what a scenario can ask to go wrong. Refuses to know how the world does it.

mod family;
mod partition;
mod swarm;

use std::fmt;
use std::str::FromStr;

use onsale_booking::{NodeId, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::family::Family;
pub use self::swarm::Swarm;
use crate::defaults;
use crate::human::{self, Misread};
use crate::ratio::Ratio;

/// Which node a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `n3`.
    Node(NodeId),
    /// `owner`: whoever owns the hot show when the fault strikes.
    Owner,
    /// `follower`: a node that replicates the hot show and does not own it.
    Follower,
}

/// One fault at a fixed time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub enum Fault {
    /// The process dies, loses un-synced data, and starts again.
    Crash {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// Which.
        node: Target,
        /// How long it stays down.
        #[serde(with = "human::span")]
        down: Span,
    },
    /// The process is told to stop, stops once it is done or its patience ends, and starts again.
    Restart {
        /// When it is told.
        #[serde(with = "human::span")]
        at: Span,
        /// Which.
        node: Target,
        /// How long it may take to stop.
        #[serde(default = "defaults::stop_patience", with = "human::span")]
        patience: Span,
        /// How long it stays down.
        #[serde(with = "human::span")]
        down: Span,
    },
    /// Every process is told to stop and starts again, one node after the other.
    RollingRestart {
        /// When the first is told.
        #[serde(with = "human::span")]
        at: Span,
        /// How long all take together, each as long as the others.
        #[serde(with = "human::span")]
        lasts: Span,
        /// How long one may take to stop.
        #[serde(default = "defaults::stop_patience", with = "human::span")]
        patience: Span,
        /// How long one stays down.
        #[serde(with = "human::span")]
        down: Span,
    },
    /// Spare nodes start and join the cluster.
    Join {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long it counts as a disturbance.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        nodes: Vec<Target>,
    },
    /// Nodes are told to leave the cluster, and stop once they carry nothing any more. For one
    /// that is dead, another is told.
    Leave {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long it counts as a disturbance.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        nodes: Vec<Target>,
    },
    /// A node and its disk are gone for good. A spare joins, and another node is told to have the lost
    /// one struck off.
    Replace {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long it counts as a disturbance.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which is lost.
        node: Target,
        /// Which takes its place.
        by: Target,
    },
    /// The process stands still and then goes on, knowing nothing of it.
    Pause {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// Which.
        node: Target,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
    },
    /// All nodes of a zone lose power.
    ZoneLoss {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// Which zone, from 1.
        zone: u16,
        /// How long.
        #[serde(with = "human::span")]
        down: Span,
    },
    /// All nodes lose power at once.
    PowerLoss {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        down: Span,
    },
    /// Links are cut, what is in flight on them included.
    #[serde(with = "partition")]
    Partition {
        /// When.
        at: Span,
        /// How long.
        lasts: Span,
        /// Which links.
        cut: Cut,
    },
    /// Messages between nodes are lost more often.
    Loss {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Share lost.
        chance: Ratio,
    },
    /// Messages between nodes arrive twice more often.
    Duplicate {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Share duplicated.
        chance: Ratio,
    },
    /// Messages on one link overtake each other more often.
    Reorder {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Share that may be overtaken.
        chance: Ratio,
    },
    /// All links between nodes are slower.
    SlowNetwork {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// How many times slower.
        factor: u32,
    },
    /// A node's disk is slower.
    SlowDisk {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
        /// How many times slower.
        factor: u32,
    },
    /// Messages between a node and the others are lost more often, in one direction.
    OneWayLoss {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Whose.
        node: Target,
        /// Whether those are lost that it is sent, rather than those that it sends.
        #[serde(default, skip_serializing_if = "is_off")]
        inbound: bool,
        /// Share lost.
        chance: Ratio,
    },
    /// Links between nodes carry so little that messages queue on them, and are lost where the
    /// queue is full.
    Congestion {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Those from and to this node; without it, all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Target>,
        /// What each carries in each direction, in KiB a second.
        kib_per_s: u32,
    },
    /// A node is cut off and comes back, again and again.
    Flapping {
        /// When it is cut off first.
        #[serde(with = "human::span")]
        at: Span,
        /// How long this goes on.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
        /// Only its link with this one; without it, all its links, those with clients too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<Target>,
        /// How long it is cut off each time.
        #[serde(with = "human::span")]
        down: Span,
        /// How long it is whole in between.
        #[serde(with = "human::span")]
        up: Span,
    },
    /// Nodes are cut off one after another, from the clients too, and come back one after another.
    Swizzle {
        /// When the first is cut off.
        #[serde(with = "human::span")]
        at: Span,
        /// How long until the last is back; cuts and returns are evenly spread.
        #[serde(with = "human::span")]
        lasts: Span,
        /// In which order they are cut off.
        cut: Vec<Target>,
        /// In which order they come back: the same nodes.
        mend: Vec<Target>,
    },
    /// A node's clock does not keep time.
    ClockDrift {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long, until it is put right and keeps time again.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Whose.
        node: Target,
        /// Gains this share of the time that passes.
        by: Ratio,
        /// Whether it loses it instead.
        #[serde(default, skip_serializing_if = "is_off")]
        slow: bool,
    },
    /// A node's wall clock is set wrong. A process that runs goes on evenly; one that starts
    /// takes the wrong time for its own.
    ClockJump {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long, until it is put right.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Whose.
        node: Target,
        /// By how much it jumps ahead.
        #[serde(with = "human::span")]
        by: Span,
        /// Whether it jumps back instead.
        #[serde(default, skip_serializing_if = "is_off")]
        back: bool,
    },
    /// A node's cores are slower.
    Limp {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
        /// How many times slower.
        factor: u32,
    },
    /// A process dies again and again, each time soon after it has started.
    CrashLoop {
        /// When it dies first.
        #[serde(with = "human::span")]
        at: Span,
        /// How long until it is up for good.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
        /// How long it is down each time.
        #[serde(with = "human::span")]
        down: Span,
        /// How long it is up in between.
        #[serde(with = "human::span")]
        up: Span,
    },
    /// A node's writes fail, and the process stops at the first that does. It starts again when
    /// the disk is well.
    FsyncError {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
    },
    /// No write of a node completes for a while; then they go on.
    DiskStall {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
    },
    /// A node's disk has no room: writes are refused until there is.
    DiskFull {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
    },
    /// The process dies in the midst of its next write, of which any sectors survive.
    TornTail {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// Which.
        node: Target,
        /// Until when after that it stays down.
        #[serde(with = "human::span")]
        down: Span,
    },
    /// A bit of what is durable flips. Whoever starts meanwhile finds it; a scrub does at the end.
    BitRot {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long until the scrub.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
    },
    /// The process dies, and starts again with an empty disk.
    Wipe {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// Which.
        node: Target,
        /// How long it stays down.
        #[serde(with = "human::span")]
        down: Span,
    },
    /// A node's disk acknowledges what a crash takes with it, until the fault is over.
    LyingDisk {
        /// When.
        #[serde(with = "human::span")]
        at: Span,
        /// How long.
        #[serde(with = "human::span")]
        lasts: Span,
        /// Which.
        node: Target,
    },
}

/// Which links a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// These nodes are cut from the others, and from the clients too.
    Isolate(Vec<Target>),
    /// The nodes split into two halves, the smaller one with the owner of the hot show.
    Halves,
    /// What this node sends to the other nodes is lost; what they send arrives.
    OneWay(Target),
    /// Each node sees a majority, no two the same one.
    MajorityRing,
    /// Two halves see each other only through one node.
    Bridge,
}

impl Fault {
    /// When it strikes.
    pub const fn at(&self) -> Span {
        self.timing().0
    }

    /// How long it lasts, or how long what it struck stays down, at most.
    pub const fn lasts(&self) -> Span {
        self.timing().1
    }

    /// The spares that it has join.
    pub fn joining(&self) -> &[Target] {
        if let Self::Join { nodes, .. } = self {
            return nodes;
        }
        if let Self::Replace { by, .. } = self { std::slice::from_ref(by) } else { &[] }
    }

    /// Its family.
    pub const fn family(&self) -> Family {
        match self {
            Self::Crash { .. } => Family::Crash,
            Self::Pause { .. } => Family::Pause,
            Self::ZoneLoss { .. } => Family::ZoneLoss,
            Self::PowerLoss { .. } => Family::PowerLoss,
            Self::Partition { .. } => Family::Partition,
            Self::Loss { .. } => Family::Loss,
            Self::Duplicate { .. } => Family::Duplicate,
            Self::Reorder { .. } => Family::Reorder,
            Self::SlowNetwork { .. } => Family::SlowNetwork,
            Self::SlowDisk { .. } => Family::SlowDisk,
            Self::OneWayLoss { .. } => Family::OneWayLoss,
            Self::Congestion { .. } => Family::Congestion,
            Self::Flapping { .. } => Family::Flapping,
            Self::Swizzle { .. } => Family::Swizzle,
            Self::ClockDrift { .. } => Family::ClockDrift,
            Self::ClockJump { .. } => Family::ClockJump,
            Self::Limp { .. } => Family::Limp,
            Self::CrashLoop { .. } => Family::CrashLoop,
            Self::FsyncError { .. } => Family::FsyncError,
            Self::DiskStall { .. } => Family::DiskStall,
            Self::DiskFull { .. } => Family::DiskFull,
            Self::TornTail { .. } => Family::TornTail,
            Self::BitRot { .. } => Family::BitRot,
            Self::Wipe { .. } => Family::Wipe,
            Self::LyingDisk { .. } => Family::LyingDisk,
            Self::Restart { .. } => Family::Restart,
            Self::RollingRestart { .. } => Family::RollingRestart,
            Self::Join { .. } => Family::Join,
            Self::Leave { .. } => Family::Leave,
            Self::Replace { .. } => Family::Replace,
        }
    }

    const fn timing(&self) -> (Span, Span) {
        match self {
            Self::Crash { at, down, .. }
            | Self::ZoneLoss { at, down, .. }
            | Self::TornTail { at, down, .. }
            | Self::Wipe { at, down, .. }
            | Self::PowerLoss { at, down } => (*at, *down),
            Self::Restart { at, patience, down, .. } => (*at, Span(patience.0 + down.0)),
            Self::Pause { at, lasts, .. }
            | Self::RollingRestart { at, lasts, .. }
            | Self::Join { at, lasts, .. }
            | Self::Leave { at, lasts, .. }
            | Self::Replace { at, lasts, .. }
            | Self::Partition { at, lasts, .. }
            | Self::Loss { at, lasts, .. }
            | Self::Duplicate { at, lasts, .. }
            | Self::Reorder { at, lasts, .. }
            | Self::SlowNetwork { at, lasts, .. }
            | Self::SlowDisk { at, lasts, .. }
            | Self::OneWayLoss { at, lasts, .. }
            | Self::Congestion { at, lasts, .. }
            | Self::Flapping { at, lasts, .. }
            | Self::Swizzle { at, lasts, .. }
            | Self::ClockDrift { at, lasts, .. }
            | Self::ClockJump { at, lasts, .. }
            | Self::Limp { at, lasts, .. }
            | Self::CrashLoop { at, lasts, .. }
            | Self::FsyncError { at, lasts, .. }
            | Self::DiskStall { at, lasts, .. }
            | Self::DiskFull { at, lasts, .. }
            | Self::BitRot { at, lasts, .. }
            | Self::LyingDisk { at, lasts, .. } => (*at, *lasts),
        }
    }

    /// When it goes on to its next step, after it strikes and before it heals.
    pub fn steps(&self) -> Vec<Span> {
        let lasts = self.lasts();
        match self {
            Self::Flapping { down, up, .. } | Self::CrashLoop { down, up, .. } => {
                let turns = [*down, *up].into_iter().cycle();
                let ends = turns.scan(self.at(), |at, turn| {
                    *at = *at + turn;
                    Some(*at)
                });
                ends.take_while(|&end| end < self.at() + lasts).collect()
            }
            Self::Swizzle { cut, .. } => {
                let gaps = (2 * cut.len() as u64).saturating_sub(1);
                (1..gaps).map(|nth| self.at() + Span(lasts.0 * nth / gaps)).collect()
            }
            Self::Crash { .. }
            | Self::Restart { .. }
            | Self::RollingRestart { .. }
            | Self::Join { .. }
            | Self::Leave { .. }
            | Self::Replace { .. }
            | Self::Pause { .. }
            | Self::ZoneLoss { .. }
            | Self::PowerLoss { .. }
            | Self::Partition { .. }
            | Self::Loss { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::SlowNetwork { .. }
            | Self::SlowDisk { .. }
            | Self::OneWayLoss { .. }
            | Self::Congestion { .. }
            | Self::ClockDrift { .. }
            | Self::ClockJump { .. }
            | Self::Limp { .. }
            | Self::FsyncError { .. }
            | Self::DiskStall { .. }
            | Self::DiskFull { .. }
            | Self::TornTail { .. }
            | Self::BitRot { .. }
            | Self::Wipe { .. }
            | Self::LyingDisk { .. } => Vec::new(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Owner => f.write_str("owner"),
            Self::Follower => f.write_str("follower"),
        }
    }
}

impl FromStr for Target {
    type Err = Misread;

    /// Reads `n3`, `owner` or `follower`.
    fn from_str(text: &str) -> Result<Self, Misread> {
        let number =
            text.strip_prefix('n').filter(|digits| !digits.is_empty()).and_then(human::digits);
        match (text, number.map(u16::try_from)) {
            ("owner", _) => Ok(Self::Owner),
            ("follower", _) => Ok(Self::Follower),
            (_, Some(Ok(number))) => Ok(Self::Node(NodeId(number))),
            (_, Some(Err(_)) | None) => {
                let help = match (human::digits(text), human::closest(text, ["owner", "follower"]))
                {
                    (Some(number), _) if !text.is_empty() => format!("did you mean `n{number}`?"),
                    (_, Some(name)) => format!("did you mean `{name}`?"),
                    (Some(_) | None, None) => {
                        "name a node `n3`, or `owner`, or `follower`".to_owned()
                    }
                };
                Err(Misread::new(format!("{text:?} is no target"), help))
            }
        }
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        human::from_text(deserializer, "a target such as `n3` or `owner`", Self::from_str)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_off(flag: &bool) -> bool {
    !flag
}
