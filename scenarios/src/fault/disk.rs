//! Faults of disks.
//!
//! Owns these families: their keys and bounds, and which faults are simpler. Refuses to know how a disk fails.

use onsale_booking::Span;

use super::declare::faults;
use super::site::FACTOR;
use super::{Family, Fault, Group, ProcessFault, Site, Target, Trouble};
use crate::setting::Checks;

faults! {
    /// A fault of one node's disk.
    pub enum DiskFault in disk_keys {
        /// A node's disk is slower. Of several such faults the worst counts. Once it is over, the rest of a write that
        /// began meanwhile takes its usual time.
        SlowDisk for lasts {
            /// The node.
            node: Target;
            /// Factor by which it is slower.
            factor: u32, in FACTOR;
        }
        /// A node's writes fail, and the process stops at the first failure. It starts again when the fault is over.
        FsyncError for lasts {
            /// The node.
            node: Target;
        }
        /// A node's writes stall until the fault is over.
        DiskStall for lasts {
            /// The node.
            node: Target;
        }
        /// A node's disk is full: writes are refused until the fault is over.
        DiskFull for lasts {
            /// The node.
            node: Target;
        }
        /// The process dies during its next write (torn write): an arbitrary subset of the sectors survives.
        TornTail for down {
            /// The node.
            node: Target;
        }
        /// A bit of durable data flips. The process finds it if it starts meanwhile, otherwise by a scrub at the end.
        BitRot for lasts {
            /// The node.
            node: Target;
        }
        /// The process dies, and starts again with an empty disk.
        Wipe for down {
            /// The node.
            node: Target;
        }
        /// A node's disk acknowledges writes that a crash loses, until the fault is over.
        LyingDisk for lasts {
            /// The node.
            node: Target;
        }
    }
}

impl DiskFault {
    /// The node of the disk.
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

    /// A crash is the simplest fault of stored data.
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

    fn each_target(&mut self, visit: &mut dyn FnMut(&mut Target)) {
        visit(self.node_mut());
    }
}
