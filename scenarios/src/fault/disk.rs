//! Faults of disks.
//!
//! Owns these families: their keys and bounds, and which faults are simpler. Refuses to know how a disk fails.

use super::{Fault, Group, ProcessFault, Site, Target, Trouble};
use crate::fault::Family;
use crate::setting::Checks;

/// A fault of one node's disk.
#[derive(Clone, Debug, PartialEq)]
pub enum DiskFault {
    /// A node's disk is slower.
    SlowDisk {
        /// Which.
        node: Target,
        /// How many times slower.
        factor: u32,
    },
    /// A node's writes fail, and the process stops at the first that does. It starts again when
    /// the disk is well.
    FsyncError {
        /// Which.
        node: Target,
    },
    /// No write of a node completes for a while; then they go on.
    DiskStall {
        /// Which.
        node: Target,
    },
    /// A node's disk has no room: writes are refused until there is.
    DiskFull {
        /// Which.
        node: Target,
    },
    /// The process dies during its next write, of which any sectors survive.
    TornTail {
        /// Which.
        node: Target,
    },
    /// A bit of what is durable flips. A process that starts meanwhile finds it; a scrub does at the end.
    BitRot {
        /// Which.
        node: Target,
    },
    /// The process dies, and starts again with an empty disk.
    Wipe {
        /// Which.
        node: Target,
    },
    /// A node's disk acknowledges what a crash takes with it, until the fault is over.
    LyingDisk {
        /// Which.
        node: Target,
    },
}

impl DiskFault {
    /// The node whose disk it is.
    pub const fn node(&self) -> Target {
        match self {
            Self::SlowDisk { node, .. }
            | Self::FsyncError { node }
            | Self::DiskStall { node }
            | Self::DiskFull { node }
            | Self::TornTail { node }
            | Self::BitRot { node }
            | Self::Wipe { node }
            | Self::LyingDisk { node } => *node,
        }
    }

    const fn node_mut(&mut self) -> &mut Target {
        match self {
            Self::SlowDisk { node, .. }
            | Self::FsyncError { node }
            | Self::DiskStall { node }
            | Self::DiskFull { node }
            | Self::TornTail { node }
            | Self::BitRot { node }
            | Self::Wipe { node }
            | Self::LyingDisk { node } => node,
        }
    }
}

impl Group for DiskFault {
    fn family(&self) -> Family {
        match self {
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

    fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::SlowDisk { .. } | Self::DiskStall { .. } | Self::DiskFull { .. } => {
                Some(Trouble::Delays)
            }
            Self::FsyncError { .. }
            | Self::TornTail { .. }
            | Self::BitRot { .. }
            | Self::Wipe { .. }
            | Self::LyingDisk { .. } => Some(Trouble::Forgets),
        }
    }

    fn check(&self, site: &Site<'_>, checks: &mut Checks) {
        site.target(checks, "node", self.node());
    }

    /// A crash is the simplest thing that can happen to what a disk holds.
    fn simpler(&self, fault: &Fault, _nodes: u16, _zones: u16) -> Vec<Fault> {
        match self {
            Self::TornTail { node } | Self::Wipe { node } | Self::FsyncError { node } => {
                vec![fault.but(ProcessFault::Crash { node: *node })]
            }
            Self::SlowDisk { .. }
            | Self::DiskStall { .. }
            | Self::DiskFull { .. }
            | Self::BitRot { .. }
            | Self::LyingDisk { .. } => Vec::new(),
        }
    }

    fn factor(&mut self) -> Option<&mut u32> {
        if let Self::SlowDisk { factor, .. } = self { Some(factor) } else { None }
    }

    fn aim_within(&mut self, nodes: u16, _zones: u16) {
        self.node_mut().aim_within(nodes);
    }
}
