//! Faults: at fixed times, and drawn from the seed.
//!
//! Owns what a scenario can ask to go wrong. Refuses to know how the world does it.

use std::fmt;
use std::str::FromStr;

use onsale_core::{NodeId, Span};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::human::{self, HumanSpan, Misread, Pair};
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

/// Faults drawn from the seed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "SwarmTable", into = "SwarmTable")]
pub struct Swarm {
    /// Which families may be on; each seed draws a subset.
    pub families: Vec<Family>,
    /// Least number of faults.
    pub faults_min: u16,
    /// Greatest number of faults.
    pub faults_max: u16,
    /// The first may strike at …
    pub from: Span,
    /// … and the last has ended by …
    pub until: Span,
    /// A fault lasts at least …
    pub lasts_min: Span,
    /// … and at most.
    pub lasts_max: Span,
    /// Whether each seed draws its own kind of crowd as well.
    pub mix: bool,
}

/// A family of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Crash and restart of a node.
    Crash,
    /// Pause of a node.
    Pause,
    /// Loss of a zone's power.
    ZoneLoss,
    /// Loss of the whole cluster's power.
    PowerLoss,
    /// Partitions of every shape.
    Partition,
    /// Message loss.
    Loss,
    /// Message duplication.
    Duplicate,
    /// Message reordering.
    Reorder,
    /// Slow links.
    SlowNetwork,
    /// Slow disks.
    SlowDisk,
    /// Failing writes.
    FsyncError,
    /// Stalled disks.
    DiskStall,
    /// Full disks.
    DiskFull,
    /// Torn writes.
    TornTail,
    /// Flipped bits.
    BitRot,
    /// Replaced disks.
    Wipe,
    /// Lying disks.
    LyingDisk,
}

impl Fault {
    /// When it strikes.
    pub const fn at(&self) -> Span {
        self.timing().0
    }

    /// How long it lasts, or how long what it struck stays down.
    pub const fn lasts(&self) -> Span {
        self.timing().1
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
            Self::FsyncError { .. } => Family::FsyncError,
            Self::DiskStall { .. } => Family::DiskStall,
            Self::DiskFull { .. } => Family::DiskFull,
            Self::TornTail { .. } => Family::TornTail,
            Self::BitRot { .. } => Family::BitRot,
            Self::Wipe { .. } => Family::Wipe,
            Self::LyingDisk { .. } => Family::LyingDisk,
        }
    }

    const fn timing(&self) -> (Span, Span) {
        match self {
            Self::Crash { at, down, .. }
            | Self::ZoneLoss { at, down, .. }
            | Self::TornTail { at, down, .. }
            | Self::Wipe { at, down, .. }
            | Self::PowerLoss { at, down } => (*at, *down),
            Self::Pause { at, lasts, .. }
            | Self::Partition { at, lasts, .. }
            | Self::Loss { at, lasts, .. }
            | Self::Duplicate { at, lasts, .. }
            | Self::Reorder { at, lasts, .. }
            | Self::SlowNetwork { at, lasts, .. }
            | Self::SlowDisk { at, lasts, .. }
            | Self::FsyncError { at, lasts, .. }
            | Self::DiskStall { at, lasts, .. }
            | Self::DiskFull { at, lasts, .. }
            | Self::BitRot { at, lasts, .. }
            | Self::LyingDisk { at, lasts, .. } => (*at, *lasts),
        }
    }
}

impl Family {
    /// Every family that breaks no promise, in the order in which seeds draw them. New ones go
    /// last. What a lying disk loses no safe system can know: it is drawn only where it is named.
    pub const ALL: [Self; 16] = [
        Self::Crash,
        Self::Pause,
        Self::ZoneLoss,
        Self::PowerLoss,
        Self::Partition,
        Self::Loss,
        Self::Duplicate,
        Self::Reorder,
        Self::SlowNetwork,
        Self::SlowDisk,
        Self::FsyncError,
        Self::DiskStall,
        Self::DiskFull,
        Self::TornTail,
        Self::BitRot,
        Self::Wipe,
    ];

    /// Its key in a scenario file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Pause => "pause",
            Self::ZoneLoss => "zone-loss",
            Self::PowerLoss => "power-loss",
            Self::Partition => "partition",
            Self::Loss => "loss",
            Self::Duplicate => "duplicate",
            Self::Reorder => "reorder",
            Self::SlowNetwork => "slow-network",
            Self::SlowDisk => "slow-disk",
            Self::FsyncError => "fsync-error",
            Self::DiskStall => "disk-stall",
            Self::DiskFull => "disk-full",
            Self::TornTail => "torn-tail",
            Self::BitRot => "bit-rot",
            Self::Wipe => "wipe",
            Self::LyingDisk => "lying-disk",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
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

/// How a partition is written: the cut is one of five keys beside its times.
mod partition {
    use super::*;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "kebab-case")]
    struct PartitionTable {
        at: HumanSpan,
        lasts: HumanSpan,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        isolate: Option<Vec<Target>>,
        #[serde(default, skip_serializing_if = "is_off")]
        halves: bool,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        one_way: Option<Target>,
        #[serde(default, skip_serializing_if = "is_off")]
        majority_ring: bool,
        #[serde(default, skip_serializing_if = "is_off")]
        bridge: bool,
    }

    pub(super) fn serialize<S: Serializer>(
        at: &Span,
        lasts: &Span,
        cut: &Cut,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut table = PartitionTable {
            at: HumanSpan(*at),
            lasts: HumanSpan(*lasts),
            isolate: None,
            halves: false,
            one_way: None,
            majority_ring: false,
            bridge: false,
        };
        match cut {
            Cut::Isolate(nodes) => table.isolate = Some(nodes.clone()),
            Cut::Halves => table.halves = true,
            Cut::OneWay(node) => table.one_way = Some(*node),
            Cut::MajorityRing => table.majority_ring = true,
            Cut::Bridge => table.bridge = true,
        }
        table.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<(Span, Span, Cut), D::Error> {
        deserializer.deserialize_map(PartitionVisitor)
    }

    /// Judges the cut while the reader still knows where the table stands.
    struct PartitionVisitor;

    impl<'de> de::Visitor<'de> for PartitionVisitor {
        type Value = (Span, Span, Cut);

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("struct of a partition")
        }

        fn visit_map<M: de::MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
            let table = PartitionTable::deserialize(de::value::MapAccessDeserializer::new(map))?;
            let cuts = [
                table.isolate.map(Cut::Isolate),
                table.halves.then_some(Cut::Halves),
                table.one_way.map(Cut::OneWay),
                table.majority_ring.then_some(Cut::MajorityRing),
                table.bridge.then_some(Cut::Bridge),
            ];
            let mut cuts = cuts.into_iter().flatten();
            match (cuts.next(), cuts.next()) {
                (Some(cut), None) => Ok((table.at.0, table.lasts.0, cut)),
                (None, _) => Err(Misread::new("the partition cuts nothing", ONE_CUT).into_serde()),
                (Some(_), Some(_)) => {
                    Err(Misread::new("the partition is cut in several ways", ONE_CUT).into_serde())
                }
            }
        }
    }

    const ONE_CUT: &str = "give one of `isolate = [\"n1\"]`, `halves = true`, `one-way = \"n1\"`, `majority-ring = true`, `bridge = true`";

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_off(flag: &bool) -> bool {
        !flag
    }
}

/// How a swarm is written: bounds as pairs.
#[derive(Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct SwarmTable {
    families: Vec<Family>,
    faults: Pair<u16, u16>,
    from: HumanSpan,
    until: HumanSpan,
    lasts: Pair<HumanSpan, HumanSpan>,
    mix: bool,
}

impl Default for SwarmTable {
    fn default() -> Self {
        Swarm::default().into()
    }
}

impl From<Swarm> for SwarmTable {
    fn from(swarm: Swarm) -> Self {
        Self {
            families: swarm.families,
            faults: Pair(swarm.faults_min, swarm.faults_max),
            from: HumanSpan(swarm.from),
            until: HumanSpan(swarm.until),
            lasts: Pair(HumanSpan(swarm.lasts_min), HumanSpan(swarm.lasts_max)),
            mix: swarm.mix,
        }
    }
}

impl From<SwarmTable> for Swarm {
    fn from(table: SwarmTable) -> Self {
        let Pair(faults_min, faults_max) = table.faults;
        let Pair(HumanSpan(lasts_min), HumanSpan(lasts_max)) = table.lasts;
        Self {
            families: table.families,
            faults_min,
            faults_max,
            from: table.from.0,
            until: table.until.0,
            lasts_min,
            lasts_max,
            mix: table.mix,
        }
    }
}
