//! The families of faults.
//!
//! Owns their names and which of them seeds draw, in which order. Refuses to know what a fault of
//! a family does.

use std::fmt;

use serde::{Deserialize, Serialize};

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
    /// Message loss in one direction.
    OneWayLoss,
    /// Links that carry little.
    Congestion,
    /// Nodes and links that come and go.
    Flapping,
    /// Nodes cut off in one order and back in another.
    Swizzle,
    /// Clocks that run too fast or too slowly.
    ClockDrift,
    /// Clocks that are set wrong.
    ClockJump,
    /// Slow cores.
    Limp,
    /// Processes that die again and again.
    CrashLoop,
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
    /// Restart of a node that is told to stop.
    Restart,
    /// Restarts of all nodes in turn.
    RollingRestart,
    /// Nodes that join. Never drawn.
    Join,
    /// Nodes that leave. Never drawn.
    Leave,
    /// Nodes that are lost for good and replaced. Drawn only where it is named, once at most.
    Replace,
}

impl Family {
    /// Every family that breaks no promise, in the order in which seeds draw them. New ones go
    /// last. What a lying disk loses no safe system can know: it is drawn only where it is named.
    pub const ALL: [Self; 26] = [
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
        Self::OneWayLoss,
        Self::Congestion,
        Self::Flapping,
        Self::Swizzle,
        Self::ClockDrift,
        Self::ClockJump,
        Self::Limp,
        Self::CrashLoop,
        Self::FsyncError,
        Self::DiskStall,
        Self::DiskFull,
        Self::TornTail,
        Self::BitRot,
        Self::Wipe,
        Self::Restart,
        Self::RollingRestart,
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
            Self::OneWayLoss => "one-way-loss",
            Self::Congestion => "congestion",
            Self::Flapping => "flapping",
            Self::Swizzle => "swizzle",
            Self::ClockDrift => "clock-drift",
            Self::ClockJump => "clock-jump",
            Self::Limp => "limp",
            Self::CrashLoop => "crash-loop",
            Self::FsyncError => "fsync-error",
            Self::DiskStall => "disk-stall",
            Self::DiskFull => "disk-full",
            Self::TornTail => "torn-tail",
            Self::BitRot => "bit-rot",
            Self::Wipe => "wipe",
            Self::LyingDisk => "lying-disk",
            Self::Restart => "restart",
            Self::RollingRestart => "rolling-restart",
            Self::Join => "join",
            Self::Leave => "leave",
            Self::Replace => "replace",
        }
    }

    /// Whether a swarm may name it.
    pub fn may_be_drawn(self) -> bool {
        self == Self::Replace || Self::ALL.contains(&self)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
