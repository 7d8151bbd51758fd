//! How a fault is written: one key, its family, with a table of all its keys.
//!
//! Owns those tables. Refuses to know what makes a fault sound.

use onsale_booking::Span;
use serde::{Deserialize, Serialize};

use super::{
    ClockFault, Cut, DiskFault, Fault, MembersFault, NetworkFault, ProcessFault, Target, What,
};
use crate::human;
use crate::ratio::Ratio;

/// A fault with all its keys.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum Table {
    Crash {
        #[serde(with = "human::span")]
        at: Span,
        node: Target,
        #[serde(with = "human::span")]
        down: Span,
    },
    Restart {
        #[serde(with = "human::span")]
        at: Span,
        node: Target,
        #[serde(default = "stop_patience", with = "human::span")]
        patience: Span,
        #[serde(with = "human::span")]
        down: Span,
    },
    RollingRestart {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        #[serde(default = "stop_patience", with = "human::span")]
        patience: Span,
        #[serde(with = "human::span")]
        down: Span,
    },
    Join {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        nodes: Vec<Target>,
    },
    Leave {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        nodes: Vec<Target>,
    },
    Replace {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        by: Target,
    },
    Pause {
        #[serde(with = "human::span")]
        at: Span,
        node: Target,
        #[serde(with = "human::span")]
        lasts: Span,
    },
    ZoneLoss {
        #[serde(with = "human::span")]
        at: Span,
        zone: u16,
        #[serde(with = "human::span")]
        down: Span,
    },
    PowerLoss {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        down: Span,
    },
    #[serde(with = "super::partition")]
    Partition { at: Span, lasts: Span, cut: Cut },
    Loss {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        chance: Ratio,
    },
    Duplicate {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        chance: Ratio,
    },
    Reorder {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        chance: Ratio,
    },
    SlowNetwork {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        factor: u32,
    },
    SlowDisk {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        factor: u32,
    },
    OneWayLoss {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        #[serde(default, skip_serializing_if = "is_off")]
        inbound: bool,
        chance: Ratio,
    },
    Congestion {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node: Option<Target>,
        kib_per_s: u32,
    },
    Flapping {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        peer: Option<Target>,
        #[serde(with = "human::span")]
        down: Span,
        #[serde(with = "human::span")]
        up: Span,
    },
    Swizzle {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        cut: Vec<Target>,
        mend: Vec<Target>,
    },
    ClockDrift {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        by: Ratio,
        #[serde(default, skip_serializing_if = "is_off")]
        slow: bool,
    },
    ClockJump {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        #[serde(with = "human::span")]
        by: Span,
        #[serde(default, skip_serializing_if = "is_off")]
        back: bool,
    },
    Limp {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        factor: u32,
    },
    CrashLoop {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
        #[serde(with = "human::span")]
        down: Span,
        #[serde(with = "human::span")]
        up: Span,
    },
    FsyncError {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
    },
    DiskStall {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
    },
    DiskFull {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
    },
    TornTail {
        #[serde(with = "human::span")]
        at: Span,
        node: Target,
        #[serde(with = "human::span")]
        down: Span,
    },
    BitRot {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
    },
    Wipe {
        #[serde(with = "human::span")]
        at: Span,
        node: Target,
        #[serde(with = "human::span")]
        down: Span,
    },
    LyingDisk {
        #[serde(with = "human::span")]
        at: Span,
        #[serde(with = "human::span")]
        lasts: Span,
        node: Target,
    },
}

impl From<Table> for Fault {
    fn from(table: Table) -> Self {
        match table {
            Table::Crash { at, node, down } => Self::new(at, down, ProcessFault::Crash { node }),
            Table::Restart { at, node, patience, down } => {
                Self::new(at, patience + down, ProcessFault::Restart { node, patience })
            }
            Table::RollingRestart { at, lasts, patience, down } => {
                Self::new(at, lasts, ProcessFault::RollingRestart { patience, down })
            }
            Table::Join { at, lasts, nodes } => Self::new(at, lasts, MembersFault::Join { nodes }),
            Table::Leave { at, lasts, nodes } => {
                Self::new(at, lasts, MembersFault::Leave { nodes })
            }
            Table::Replace { at, lasts, node, by } => {
                Self::new(at, lasts, MembersFault::Replace { node, by })
            }
            Table::Pause { at, node, lasts } => Self::new(at, lasts, ProcessFault::Pause { node }),
            Table::ZoneLoss { at, zone, down } => {
                Self::new(at, down, ProcessFault::ZoneLoss { zone })
            }
            Table::PowerLoss { at, down } => Self::new(at, down, ProcessFault::PowerLoss),
            Table::Partition { at, lasts, cut } => {
                Self::new(at, lasts, NetworkFault::Partition { cut })
            }
            Table::Loss { at, lasts, chance } => {
                Self::new(at, lasts, NetworkFault::Loss { chance })
            }
            Table::Duplicate { at, lasts, chance } => {
                Self::new(at, lasts, NetworkFault::Duplicate { chance })
            }
            Table::Reorder { at, lasts, chance } => {
                Self::new(at, lasts, NetworkFault::Reorder { chance })
            }
            Table::SlowNetwork { at, lasts, factor } => {
                Self::new(at, lasts, NetworkFault::SlowNetwork { factor })
            }
            Table::SlowDisk { at, lasts, node, factor } => {
                Self::new(at, lasts, DiskFault::SlowDisk { node, factor })
            }
            Table::OneWayLoss { at, lasts, node, inbound, chance } => {
                Self::new(at, lasts, NetworkFault::OneWayLoss { node, inbound, chance })
            }
            Table::Congestion { at, lasts, node, kib_per_s } => {
                Self::new(at, lasts, NetworkFault::Congestion { node, kib_per_s })
            }
            Table::Flapping { at, lasts, node, peer, down, up } => {
                Self::new(at, lasts, NetworkFault::Flapping { node, peer, down, up })
            }
            Table::Swizzle { at, lasts, cut, mend } => {
                Self::new(at, lasts, NetworkFault::Swizzle { cut, mend })
            }
            Table::ClockDrift { at, lasts, node, by, slow } => {
                Self::new(at, lasts, ClockFault::Drift { node, by, slow })
            }
            Table::ClockJump { at, lasts, node, by, back } => {
                Self::new(at, lasts, ClockFault::Jump { node, by, back })
            }
            Table::Limp { at, lasts, node, factor } => {
                Self::new(at, lasts, ProcessFault::Limp { node, factor })
            }
            Table::CrashLoop { at, lasts, node, down, up } => {
                Self::new(at, lasts, ProcessFault::CrashLoop { node, down, up })
            }
            Table::FsyncError { at, lasts, node } => {
                Self::new(at, lasts, DiskFault::FsyncError { node })
            }
            Table::DiskStall { at, lasts, node } => {
                Self::new(at, lasts, DiskFault::DiskStall { node })
            }
            Table::DiskFull { at, lasts, node } => {
                Self::new(at, lasts, DiskFault::DiskFull { node })
            }
            Table::TornTail { at, node, down } => Self::new(at, down, DiskFault::TornTail { node }),
            Table::BitRot { at, lasts, node } => Self::new(at, lasts, DiskFault::BitRot { node }),
            Table::Wipe { at, node, down } => Self::new(at, down, DiskFault::Wipe { node }),
            Table::LyingDisk { at, lasts, node } => {
                Self::new(at, lasts, DiskFault::LyingDisk { node })
            }
        }
    }
}

impl From<Fault> for Table {
    fn from(Fault { at, lasts, what }: Fault) -> Self {
        match what {
            What::Process(ProcessFault::Crash { node }) => Self::Crash { at, node, down: lasts },
            What::Process(ProcessFault::Restart { node, patience }) => {
                Self::Restart { at, node, patience, down: lasts - patience }
            }
            What::Process(ProcessFault::RollingRestart { patience, down }) => {
                Self::RollingRestart { at, lasts, patience, down }
            }
            What::Members(MembersFault::Join { nodes }) => Self::Join { at, lasts, nodes },
            What::Members(MembersFault::Leave { nodes }) => Self::Leave { at, lasts, nodes },
            What::Members(MembersFault::Replace { node, by }) => {
                Self::Replace { at, lasts, node, by }
            }
            What::Process(ProcessFault::Pause { node }) => Self::Pause { at, node, lasts },
            What::Process(ProcessFault::ZoneLoss { zone }) => {
                Self::ZoneLoss { at, zone, down: lasts }
            }
            What::Process(ProcessFault::PowerLoss) => Self::PowerLoss { at, down: lasts },
            What::Network(NetworkFault::Partition { cut }) => Self::Partition { at, lasts, cut },
            What::Network(NetworkFault::Loss { chance }) => Self::Loss { at, lasts, chance },
            What::Network(NetworkFault::Duplicate { chance }) => {
                Self::Duplicate { at, lasts, chance }
            }
            What::Network(NetworkFault::Reorder { chance }) => Self::Reorder { at, lasts, chance },
            What::Network(NetworkFault::SlowNetwork { factor }) => {
                Self::SlowNetwork { at, lasts, factor }
            }
            What::Disk(DiskFault::SlowDisk { node, factor }) => {
                Self::SlowDisk { at, lasts, node, factor }
            }
            What::Network(NetworkFault::OneWayLoss { node, inbound, chance }) => {
                Self::OneWayLoss { at, lasts, node, inbound, chance }
            }
            What::Network(NetworkFault::Congestion { node, kib_per_s }) => {
                Self::Congestion { at, lasts, node, kib_per_s }
            }
            What::Network(NetworkFault::Flapping { node, peer, down, up }) => {
                Self::Flapping { at, lasts, node, peer, down, up }
            }
            What::Network(NetworkFault::Swizzle { cut, mend }) => {
                Self::Swizzle { at, lasts, cut, mend }
            }
            What::Clock(ClockFault::Drift { node, by, slow }) => {
                Self::ClockDrift { at, lasts, node, by, slow }
            }
            What::Clock(ClockFault::Jump { node, by, back }) => {
                Self::ClockJump { at, lasts, node, by, back }
            }
            What::Process(ProcessFault::Limp { node, factor }) => {
                Self::Limp { at, lasts, node, factor }
            }
            What::Process(ProcessFault::CrashLoop { node, down, up }) => {
                Self::CrashLoop { at, lasts, node, down, up }
            }
            What::Disk(DiskFault::FsyncError { node }) => Self::FsyncError { at, lasts, node },
            What::Disk(DiskFault::DiskStall { node }) => Self::DiskStall { at, lasts, node },
            What::Disk(DiskFault::DiskFull { node }) => Self::DiskFull { at, lasts, node },
            What::Disk(DiskFault::TornTail { node }) => Self::TornTail { at, node, down: lasts },
            What::Disk(DiskFault::BitRot { node }) => Self::BitRot { at, lasts, node },
            What::Disk(DiskFault::Wipe { node }) => Self::Wipe { at, node, down: lasts },
            What::Disk(DiskFault::LyingDisk { node }) => Self::LyingDisk { at, lasts, node },
        }
    }
}

/// How long a node may take to stop.
const fn stop_patience() -> Span {
    Span::from_secs(2)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_off(flag: &bool) -> bool {
    !flag
}
