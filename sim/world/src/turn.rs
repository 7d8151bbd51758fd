//! The turns that the world gives to hosts.
//!
//! Owns the vocabulary: one list for each kind of host, so that no host can get another's turn. Refuses to know when a
//! turn comes and what a host does with it.

use onsale_booking::{Instant, NodeId};

use crate::cargo::Cargo;
use crate::place::Place;
use crate::write::{Write, WriteId};

/// A turn, and the host that gets it.
#[derive(Debug)]
pub enum Turn<C: Cargo> {
    /// A node's turn.
    Node(Place, NodeTurn<C>),
    /// The clients' turn.
    Clients(ClientsTurn<C>),
    /// The director's turn.
    Director(DirectorTurn),
}

/// A node's turn. Rare and large variants are boxed, as turns are moved often.
#[derive(Debug)]
pub enum NodeTurn<C: Cargo> {
    /// The process starts.
    Boot,
    /// A message arrived from a place.
    Delivered(Place, C::Message),
    /// A write became durable.
    Persisted(WriteId),
    /// A write failed.
    WriteFailed(WriteId),
    /// The disk was too full for a write.
    WriteRefused(Box<Write>),
    /// A scrub found damage on the disk.
    DamageFound,
    /// The instant that the node asked to be woken at.
    Wake,
    /// A core has finished its queue.
    CoreFree(usize),
    /// An operator's order to the process.
    Told(Order),
}

/// An operator's order to a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Stop as soon as no work is left.
    Retire,
    /// Join the cluster.
    Join,
    /// Have this node leave the cluster for good.
    Leave(NodeId),
    /// Go on alone with a log, because these nodes are lost for good and a majority of its copies with them.
    Recover {
        /// Number of the log.
        log: u32,
        /// The generation of the copy that the order is for.
        generation: u32,
        /// The nodes that never come back.
        lost: Vec<NodeId>,
    },
    /// Drop the copy of a log, because another one goes on alone.
    GiveUp {
        /// Number of the log.
        log: u32,
        /// The generation of the copy that the order is for.
        generation: u32,
    },
}

/// The clients' turn.
#[derive(Debug)]
pub enum ClientsTurn<C: Cargo> {
    /// A message arrived from a place.
    Delivered(Place, C::Message),
    /// A machine resets the connections to a process that died at this instant.
    Reset(Place, Instant),
    /// A machine refuses a message that arrived when no process was there. Its items carry the instants at which
    /// clients learn of it.
    Returned(Place, Box<C::Message>),
    /// The instant that the clients asked to be woken at.
    Wake,
    /// The run is over.
    End,
}

/// The director's turn.
#[derive(Clone, Copy, Debug)]
pub enum DirectorTurn {
    /// The fault with this number in the plan is about to strike.
    Probe(usize),
    /// The fault with this number begins to wait.
    Waits(usize),
    /// The fault with this number waits no longer.
    Lapses(usize),
    /// The fault with this number strikes.
    Strike(usize),
    /// The fault with this number takes its next step.
    Step(usize),
    /// The fault with this number heals.
    Heal(usize),
    /// A restart reaches its next stage at a node.
    Stage {
        /// Number of the fault in the plan.
        fault: usize,
        /// The node concerned.
        node: Place,
        /// The stage reached.
        stage: Stage,
    },
    /// A process must die: during its write, or because it asked to.
    Dies(Place),
    /// The clients are done: the run is over.
    End,
}

/// A stage in the restart of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The node is told to stop.
    Told,
    /// The node stops: it said that it may, or its time is up.
    Stops,
    /// The node starts again.
    Starts,
}
