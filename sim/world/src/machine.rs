//! A machine: its process, its errands, its disk, its clocks and its cores' pace.
//!
//! Owns the parts of one place. Refuses to know what the process on it decides.

use onsale_booking::Instant;

use crate::cargo::Cargo;
use crate::chatter::Chatter;
use crate::clock::Clock;
use crate::disk::Disk;
use crate::limp::Limps;
use crate::place::{Layout, Place, PlaceTable, Process};
use crate::process::{Death, Life};
use crate::program::Program;
use crate::touches::Touches;
use crate::turn::{NodeTurn, Order};

/// One machine.
#[derive(Debug)]
pub struct Machine<C: Cargo> {
    /// The machine's process.
    pub life: Life,
    /// The program that the process runs from its next start on.
    pub program: Program,
    pub(crate) errand: Errand,
    /// Turns that wait for a paused process.
    pub(crate) stalled: Vec<NodeTurn<C>>,
    pub(crate) chatter: Chatter<C::Beat>,
    /// Arrival of the last message, by sender.
    pub(crate) heard_at: PlaceTable<Instant>,
    /// The faults that slow its cores.
    pub limps: Limps,
    /// The machine's clocks.
    pub clock: Clock,
    /// The machine's disk.
    pub disk: Disk,
    /// Whether a fault replaced its disk since its process last started.
    pub(crate) has_other_disk: bool,
    /// Whether a write of it was ever durable: its driver remembers that apart from the disk.
    has_written: bool,
}

/// An operator's orders to a process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Errand {
    /// The fault for which it was told to stop, until it stops.
    pub(crate) stopping: Option<usize>,
    /// The fault for which it is to leave for good.
    pub(crate) leaves_for: Option<usize>,
    /// Whether it is permanently lost.
    pub(crate) is_lost: bool,
    /// Orders that it gets whenever it starts.
    pub(crate) orders: Vec<Order>,
}

impl<C: Cargo> Machine<C> {
    pub(crate) fn new(layout: Layout, place: Place, clock: Clock, disk: Disk) -> Self {
        let always_up = place.as_node().is_none();
        Self {
            life: Life::new(if always_up { Process::Up } else { Process::Down }),
            program: Program::new(),
            errand: Errand::default(),
            stalled: Vec::new(),
            chatter: Chatter::new(layout),
            heard_at: PlaceTable::new(layout, |_| Instant::ZERO),
            limps: Limps::default(),
            clock,
            disk,
            has_other_disk: false,
            has_written: false,
        }
    }

    /// Whether a write of it was ever durable.
    pub const fn has_written(&self) -> bool {
        self.has_written
    }

    /// Whether it stays with the system: it is neither lost nor told to leave for good.
    pub const fn stays(&self) -> bool {
        !self.errand.is_lost && self.errand.leaves_for.is_none()
    }

    /// Whether it is lost for good.
    pub const fn is_lost(&self) -> bool {
        self.errand.is_lost
    }

    pub(crate) fn note_written(&mut self) {
        self.has_written = true;
    }

    /// Loses what its process, which died, had in memory, with the page cache if the machine fell as well, and the last
    /// `lost` bytes that its disk acknowledged.
    pub(crate) fn lose_what_was_not_durable(&mut self, now: Instant, death: Death, lost: u64) {
        self.stalled.clear();
        self.chatter.forget();
        self.errand.stopping = None;
        match death {
            Death::Process => self.disk.kill(),
            Death::Machine => self.disk.crash(now),
        }
        self.disk.forget(lost);
        // If the disk lost everything it ever acknowledged, the driver counts it as never written.
        self.has_written &= self.disk.bytes() > 0 || lost == 0;
    }

    /// Bytes on its disk and turns that wait, for the run's limits.
    pub(crate) fn keeps(&self) -> (usize, u64) {
        (self.stalled.len(), self.disk.bytes())
    }

    pub(crate) fn touches(&self) -> [&Touches; 3] {
        [&self.limps.touches, &self.clock.touches, &self.disk.touches]
    }
}
