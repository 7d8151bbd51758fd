//! Faults of disks.
//!
//! Owns how they strike, heal and are drawn. A strike that would leave a record without a majority of good copies
//! spares the disk. Refuses to know how a disk behaves.

use onsale_scenarios::{DiskFault, Family};
use onsale_world::disk::Disk;
use onsale_world::place::Place;
use onsale_world::process::Death;
use onsale_world::stream::below;

use super::swarm::Draw;
use super::victims::spared;
use super::{Faults, Strike};
use crate::system::{System, World};

/// State that a disk fault must undo.
#[derive(Debug, Default)]
pub(super) struct Force {
    /// The node whose disk is slow.
    slow: Option<Place>,
    /// The node whose disk has an ailment.
    ill: Option<Place>,
}

impl<S: System> Faults<'_, S> {
    pub(super) fn strike_disk(&self, strike: &mut Strike<'_, S>, fault: &DiskFault) -> String {
        let index = strike.index;
        let victim = self.victim(strike.world, fault.node());
        let name = self.name(strike.world, victim);
        match fault {
            DiskFault::SlowDisk { factor, .. } => {
                strike.world.machine(victim).disk.slow_down(index, *factor);
                strike.force.disk.slow = Some(victim);
                format!("disk of {name} {factor} times slower")
            }
            DiskFault::FsyncError { .. } => {
                strike.ill_disk(victim).fail_writes(index);
                format!("writes of {name} fail")
            }
            DiskFault::DiskStall { .. } => {
                strike.ill_disk(victim).stall(index);
                format!("disk of {name} stalls")
            }
            DiskFault::DiskFull { .. } => {
                strike.ill_disk(victim).fill(index);
                format!("disk of {name} full")
            }
            DiskFault::LyingDisk { .. } => {
                strike.ill_disk(victim).lie(index);
                format!("disk of {name} acknowledges writes that it loses")
            }
            DiskFault::TornTail { .. } => {
                strike.ill_disk(victim).arm(index);
                if strike.world.machine(victim).disk.in_flight().is_some() {
                    self.kill(strike, victim, Death::Machine);
                }
                format!("crash of {name} during a write")
            }
            DiskFault::BitRot { .. } => match self.endangers(strike.world, victim) {
                Some(log) => spared(&name, &log),
                None => {
                    let rots = strike.ill_disk(victim).rot(index);
                    let what = if rots { "a bit flips" } else { "no bit to flip" };
                    format!("{what} on the disk of {name}")
                }
            },
            DiskFault::Wipe { .. } => match self.endangers(strike.world, victim) {
                Some(log) => spared(&name, &log),
                None => {
                    self.kill(strike, victim, Death::Machine);
                    strike.world.touches.write(index);
                    strike.world.wipe(victim);
                    format!("crash of {name}, its disk replaced by an empty one")
                }
            },
        }
    }
}

impl<S: System> Strike<'_, S> {
    /// The victim's disk, marked for the cure when the fault heals.
    fn ill_disk(&mut self, victim: Place) -> &mut Disk {
        self.force.disk.ill = Some(victim);
        &mut self.world.machine(victim).disk
    }
}

impl Force {
    pub(super) fn heal<S: System>(self, world: &mut World<S>, index: usize) {
        self.slow.into_iter().for_each(|place| world.speed_up_disk(place, index));
        self.ill.into_iter().for_each(|place| world.cure_disk(place, index));
    }
}

/// Draws a fault, if the family is one of these.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other families are of other groups")]
pub(super) fn draw(family: Family, draw: &Draw<'_>) -> Option<DiskFault> {
    let node = draw.target;
    Some(match family {
        Family::SlowDisk => {
            DiskFault::SlowDisk { node, factor: 2 + below(draw.strength, 99) as u32 }
        }
        Family::FsyncError => DiskFault::FsyncError { node },
        Family::DiskStall => DiskFault::DiskStall { node },
        Family::DiskFull => DiskFault::DiskFull { node },
        Family::TornTail => DiskFault::TornTail { node },
        Family::BitRot => DiskFault::BitRot { node },
        Family::Wipe => DiskFault::Wipe { node },
        _ => return None,
    })
}
