//! The listener of a world, which may also interfere.
//!
//! Owns the list of notifications. A listener gets each at its instant, after the world has done its part and before
//! the next event, and changes nothing here. Only a meddler changes messages and writes, for tests that break a world
//! as no fault can. Refuses to know what a listener does with a notification.

use onsale_booking::{Instant, NodeId};

use crate::cargo::Cargo;
use crate::machine::Machine;
use crate::place::{Carried, Lost, Place, PlaceTable};
use crate::write::Write;

/// A message that was sent, arrived or was lost.
#[derive(Debug)]
pub struct Passing<'a, C: Cargo> {
    /// Sender of the message.
    pub from: Place,
    /// Receiver of the message.
    pub to: Place,
    /// The message.
    pub message: &'a C::Message,
}

/// Receives notifications of what happens in a world.
pub trait Listener<C: Cargo>: Meddler<C> {
    /// Time advances from one event to the next.
    fn goes_on(&mut self, from: Instant, to: Instant);

    /// Whether it wants to see messages: if not, [`sent`](Self::sent), [`lost`](Self::lost) and
    /// [`arrived`](Self::arrived) may be skipped.
    fn is_watching(&self) -> bool;

    /// A message leaves at `departs`. `cut` says whether it is lost to a cut link.
    fn sent(
        &mut self,
        now: Instant,
        passing: Passing<'_, C>,
        departs: Instant,
        carried: Carried,
        cut: bool,
    );

    /// A message that left is lost.
    fn lost(&mut self, now: Instant, passing: Passing<'_, C>, why: Lost);

    /// A message arrives; it `waits` if the process is paused.
    fn arrived(&mut self, now: Instant, passing: Passing<'_, C>, waits: bool);

    /// A write begins.
    fn write_begins(&mut self, now: Instant, node: Place, write: &Write);

    /// A write failed.
    fn write_failed(&mut self, now: Instant, node: Place);

    /// A write is durable, or so the disk says; `bytes` were appended, or `begin` a new segment.
    fn written(&mut self, now: Instant, node: Place, bytes: &[u8], begin: bool);

    /// A process starts, on a replaced disk if a fault replaced it.
    fn started(
        &mut self,
        now: Instant,
        node: Place,
        has_other_disk: bool,
        machines: &PlaceTable<Machine<C>>,
    );

    /// A fault pauses a process.
    fn paused(&mut self, now: Instant, node: Place, by: usize, boots: u64);

    /// A paused process resumes.
    fn resumed(&mut self, now: Instant, node: Place, boots: u64);

    /// A process died, by a fault or by itself.
    fn died(&mut self, now: Instant, node: Place, by: Option<usize>, machine: &Machine<C>);

    /// The disk of a dead process was replaced by an empty one.
    fn disk_replaced(&mut self, now: Instant, node: Place, machine: &Machine<C>);

    /// Dead nodes are about to be lost for good with their disks, all at one instant.
    fn loses(&mut self, now: Instant, nodes: &[Place], machines: &PlaceTable<Machine<C>>);

    /// A dead node is permanently lost with its disk.
    fn gone_for_good(&mut self, now: Instant, node: Place, machines: &PlaceTable<Machine<C>>);

    /// A node was told to leave for good, or is lost and to be removed by another node.
    fn told_to_leave(&mut self, now: Instant, node: NodeId);
}

/// Changes messages and writes, as no fault may.
pub trait Meddler<C: Cargo> {
    /// Whether it wants to see arriving messages.
    fn relays(&self) -> bool;

    /// Sees an arriving message, may rewrite it, and returns whether it arrives.
    fn relay(&mut self, now: Instant, from: Place, to: Place, message: &mut C::Message) -> bool;

    /// Sees the bytes of a node's write, and may rewrite them.
    fn rewrite(&mut self, node: Place, bytes: &mut Vec<u8>);

    /// Number of acknowledged bytes, the last ones, that a crash loses.
    fn disks_lose(&self) -> u64;
}
