//! From a fault to the table that a file has, and back.
//!
//! Owns which of a table's keys say when a fault strikes and how long it lasts. Refuses to know what makes a fault sound.

use onsale_booking::Span;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::partition::CutKeys;
use super::tables::Table;
use super::{ClockFault, DiskFault, Fault, MembersFault, NetworkFault, ProcessFault, What};
use crate::setting::{Checks, Kind, Switch, Value};

impl Value for Fault {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Table::kind(&())
    }

    fn check(&self, field: &str, (): &(), checks: &mut Checks) {
        Table::from(self.clone()).check(field, &(), checks);
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Table::read(deserializer).map(Self::from)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Table::from(self.clone()).write(serializer)
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer)
    }
}

impl<'de> Deserialize<'de> for Fault {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(deserializer)
    }
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
            Table::Partition { at, lasts, isolate, halves, one_way, majority_ring, bridge } => {
                let keys = CutKeys { isolate, halves, one_way, majority_ring, bridge };
                let cut = keys.cut().expect("a table that was read has one cut");
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
                Self::new(at, lasts, NetworkFault::OneWayLoss { node, inbound: inbound.0, chance })
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
                Self::new(at, lasts, ClockFault::Drift { node, by, slow: slow.0 })
            }
            Table::ClockJump { at, lasts, node, by, back } => {
                Self::new(at, lasts, ClockFault::Jump { node, by, back: back.0 })
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
                Self::Restart { at, node, patience, down: Span(lasts.0.saturating_sub(patience.0)) }
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
            What::Network(NetworkFault::Partition { cut }) => {
                let CutKeys { isolate, halves, one_way, majority_ring, bridge } = cut.into();
                Self::Partition { at, lasts, isolate, halves, one_way, majority_ring, bridge }
            }
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
                Self::OneWayLoss { at, lasts, node, inbound: Switch(inbound), chance }
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
                Self::ClockDrift { at, lasts, node, by, slow: Switch(slow) }
            }
            What::Clock(ClockFault::Jump { node, by, back }) => {
                Self::ClockJump { at, lasts, node, by, back: Switch(back) }
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
