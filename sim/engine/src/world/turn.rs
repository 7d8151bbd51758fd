//! What the world hands to a host, and how a host's process can be.
//!
//! Owns the vocabulary alone. Refuses to know when a turn comes and what a host makes of it.

use onsale_booking::Endpoint;
use onsale_cluster::{Input, Message, PersistId, Write};

use super::connections::Reset;
use super::stopping::Stage;
use crate::seen::place::Place;

/// What happens next to a host. What is rare and large is boxed: turns are moved a lot.
#[derive(Debug)]
pub enum Turn {
    /// The process starts.
    Boot,
    /// A message arrived.
    Delivered {
        /// Who sent it.
        from: Endpoint,
        /// What it says.
        message: Message,
    },
    /// A machine says that a process of it is dead.
    Reset {
        /// Which node's.
        node: Place,
        /// What it says.
        reset: Box<Reset>,
    },
    /// A write became durable.
    Persisted(PersistId),
    /// A write failed.
    WriteFailed(PersistId),
    /// There was no room for a write.
    WriteRefused(Box<Write>),
    /// A scrub found damage on the disk.
    DamageFound,
    /// The instant that the host asked for has come.
    Wake,
    /// A core has caught up with its queue.
    CoreFree(usize),
    /// A fault strikes, or heals.
    Fault {
        /// Its number in the plan.
        index: usize,
        /// Whether it strikes.
        strikes: bool,
    },
    /// A fault that is in force goes on to its next step.
    FaultStep {
        /// Its number in the plan.
        index: usize,
        /// Which step, from 0.
        step: usize,
    },
    /// The process is told something by whoever runs the cluster.
    Told(Box<Input>),
    /// A fault that takes its course reaches the next stage of it.
    Stage {
        /// Its number in the plan.
        index: usize,
        /// The node concerned.
        node: Place,
        /// What is to happen to it.
        stage: Stage,
    },
    /// A process has to die: in the midst of its write, or because it asked for it.
    Dies(Place),
    /// A fault is about to strike: what is the hot show's shard doing?
    Probed,
    /// The run is over.
    End,
}
