//! The listener of a world, which may also interfere.
//!
//! Owns the list of what a world tells while it happens. A listener hears each at its instant, after the world has
//! done its part and before anything else happens; what it makes of it changes nothing here. Only a meddler changes
//! what is carried and written, for tests that break a world beyond what any fault can.

use onsale_booking::{Instant, NodeId};

use crate::cargo::Cargo;
use crate::machine::Machine;
use crate::place::{Carried, Lost, Place, PlaceTable};
use crate::write::Write;

/// A message on its way, or no longer.
#[derive(Debug)]
pub struct Passing<'a, C: Cargo> {
    /// From where.
    pub from: Place,
    /// Where to.
    pub to: Place,
    /// What it says.
    pub message: &'a C::Message,
}

/// Hears what happens in a world.
pub trait Listener<C: Cargo>: Meddler<C> {
    /// The calendar goes on from one event to the next.
    fn goes_on(&mut self, from: Instant, to: Instant);

    /// Whether messages are to be shown: if not, [`sent`](Self::sent), [`lost`](Self::lost) and
    /// [`arrived`](Self::arrived) may be left out.
    fn is_watching(&self) -> bool;

    /// A message leaves at `departs`. `cut` says whether its link is cut, which is why it is not carried.
    fn sent(
        &mut self,
        now: Instant,
        passing: Passing<'_, C>,
        departs: Instant,
        carried: Carried,
        cut: bool,
    );

    /// A message that left never gets there.
    fn lost(&mut self, now: Instant, passing: Passing<'_, C>, why: Lost);

    /// A message gets there; it `waits` if the process stands still.
    fn arrived(&mut self, now: Instant, passing: Passing<'_, C>, waits: bool);

    /// A write begins.
    fn write_begins(&mut self, now: Instant, node: Place, write: &Write);

    /// A write is over, and is not durable.
    fn write_failed(&mut self, now: Instant, node: Place);

    /// A write is durable, or so the disk says: these bytes were appended.
    fn written(&mut self, now: Instant, node: Place, bytes: &[u8]);

    /// A process starts, on another disk than it had if a fault put one in.
    fn started(
        &mut self,
        now: Instant,
        node: Place,
        has_other_disk: bool,
        machines: &PlaceTable<Machine<C>>,
    );

    /// A process stands still, by a fault.
    fn paused(&mut self, now: Instant, node: Place, by: usize, boots: u64);

    /// A process that stood still goes on.
    fn resumed(&mut self, now: Instant, node: Place, boots: u64);

    /// A process died, by a fault unless by itself.
    fn died(&mut self, now: Instant, node: Place, by: Option<usize>, machine: &Machine<C>);

    /// Another disk stands where a dead process had its own.
    fn disk_replaced(&mut self, now: Instant, node: Place, machine: &Machine<C>);

    /// A dead node is gone for good, and its disk with it.
    fn gone_for_good(&mut self, now: Instant, node: Place, machines: &PlaceTable<Machine<C>>);

    /// A node was told to leave for good, or is lost and is to be struck off by another's word.
    fn told_to_leave(&mut self, now: Instant, node: NodeId);
}

/// Changes what a world carries and writes, as no fault may.
pub trait Meddler<C: Cargo> {
    /// Whether it looks at messages on their last step.
    fn relays(&self) -> bool;

    /// Sees a message on its last step, may rewrite it, and says whether it arrives.
    fn relay(&mut self, now: Instant, from: Place, to: Place, message: &mut C::Message) -> bool;

    /// Sees what a node gives to its disk, and may rewrite it.
    fn rewrite(&mut self, node: Place, bytes: &mut Vec<u8>);

    /// How many of the bytes last acknowledged as durable are gone after a crash.
    fn disks_lose(&self) -> u64;
}
