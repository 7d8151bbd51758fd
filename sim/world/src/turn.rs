//! What the world hands to a host.
//!
//! Owns the vocabulary alone: one list for each kind of host, so that nobody is handed what is not theirs. Refuses to
//! know when a turn comes and what a host makes of it.

use onsale_booking::{Instant, NodeId};

use crate::cargo::Cargo;
use crate::place::Place;
use crate::write::{Write, WriteId};

/// What happens next, and to whom.
#[derive(Debug)]
pub enum Turn<C: Cargo> {
    /// To a node.
    Node(Place, NodeTurn<C>),
    /// To the clients.
    Clients(ClientsTurn<C>),
    /// To the director.
    Director(DirectorTurn),
}

/// What happens next to a node. What is rare and large is boxed: turns are moved a lot.
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
    /// There was no room for a write.
    WriteRefused(Box<Write>),
    /// A scrub found damage on the disk.
    DamageFound,
    /// The instant that the node asked for has come.
    Wake,
    /// A core has caught up with its queue.
    CoreFree(usize),
    /// An operator tells the process something.
    Told(Order),
}

/// What an operator tells a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Stop as soon as nothing is left to do.
    Retire,
    /// Join the cluster.
    Join,
    /// This node is to leave the cluster for good.
    Leave(NodeId),
}

/// What happens next to the clients.
#[derive(Debug)]
pub enum ClientsTurn<C: Cargo> {
    /// A message arrived from a place.
    Delivered(Place, C::Message),
    /// A machine resets the connections of a process that died at this instant.
    Reset(Place, Instant),
    /// A machine refuses what arrived when no process was there. Its items carry the instants at which clients hear
    /// of it.
    Returned(Place, Box<C::Message>),
    /// The instant that the clients asked for has come.
    Wake,
    /// The run is over.
    End,
}

/// What happens next to the director.
#[derive(Clone, Copy, Debug)]
pub enum DirectorTurn {
    /// A fault is about to strike.
    Probe,
    /// A fault strikes; its number in the plan.
    Strike(usize),
    /// A fault that is in force goes on to its next step.
    Step(usize),
    /// A fault heals.
    Heal(usize),
    /// A fault that takes its course reaches the next stage of it.
    Stage {
        /// Its number in the plan.
        fault: usize,
        /// The node concerned.
        node: Place,
        /// What is to happen to it.
        stage: Stage,
    },
    /// A process has to die: during its write, or because it asked for it.
    Dies(Place),
    /// The clients have gone: the run is over.
    End,
}

/// What happens next to a node in the course of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is told to stop.
    Told,
    /// It stops: it said that it may, or it has had its time.
    Stops,
    /// It starts again.
    Starts,
}
