//! What can be seen of a run by whoever looks between the hosts.
//!
//! Owns the vocabulary of the watched. Refuses to know who looks, and why.

use onsale_booking::{Instant, RequestId, UserId};
use onsale_cluster::fact::Question;
use onsale_cluster::{Message, Observation};
use onsale_world::place::{Carried, Lost, Place, Process};

use crate::seen::asked::SessionId;
use crate::seen::declared::Declared;
use crate::seen::fate::Fate;

/// One thing that happened, shown at its instant and only looked at.
#[derive(Clone, Copy, Debug)]
pub enum Sight<'a> {
    /// A message leaves; its items carry the instants at which they leave.
    Sent {
        /// From where.
        from: Place,
        /// Where to.
        to: Place,
        /// When.
        departs: Instant,
        /// What it says.
        message: &'a Message,
        /// What the network makes of it.
        carried: Carried,
        /// Whether the link is cut, which is why it is not carried.
        cut: bool,
    },
    /// A message that left never gets there.
    Lost {
        /// From where.
        from: Place,
        /// Where to.
        to: Place,
        /// What it says.
        message: &'a Message,
        /// Why.
        why: Lost,
    },
    /// A message gets there; its items carry the instants at which they do.
    Arrived {
        /// From where.
        from: Place,
        /// Where to.
        to: Place,
        /// What it says.
        message: &'a Message,
        /// Whether it has to wait, because the process stands still.
        waits: bool,
    },
    /// A write begins.
    Writes {
        /// On which disk.
        node: Place,
        /// What is appended.
        bytes: &'a [u8],
        /// The records in it, if the system declares them.
        declared: Option<&'a [Declared]>,
    },
    /// A write is over, and is not durable.
    WriteFails {
        /// On which disk.
        node: Place,
    },
    /// A write is durable.
    Durable {
        /// On which disk.
        node: Place,
        /// What was appended.
        bytes: &'a [u8],
        /// The records in it, if the system declares them.
        declared: Option<&'a [Declared]>,
    },
    /// A core is busy.
    Worked {
        /// Whose core.
        node: Place,
        /// Which of them.
        core: usize,
        /// From when on.
        from: Instant,
        /// Until when.
        until: Instant,
        /// With what.
        work: &'static str,
    },
    /// A node says something about itself.
    Observed {
        /// Which.
        node: Place,
        /// What.
        observation: &'a Observation,
    },
    /// A process starts, stands still, goes on or dies.
    Process {
        /// Whose.
        node: Place,
        /// How it is from now on.
        state: Process,
        /// Counts its starts.
        boots: u64,
    },
    /// A fault strikes or heals.
    Fault {
        /// Its number in the plan.
        index: usize,
        /// Whether it strikes.
        strikes: bool,
        /// What it does.
        what: &'a str,
    },
    /// A fault that is in force goes on.
    FaultStep {
        /// Its number in the plan.
        index: usize,
        /// What it does now.
        what: &'a str,
    },
    /// A client learns that the gateway that it waits for is dead.
    Disconnected {
        /// Who.
        user: UserId,
        /// What it waits for.
        request: RequestId,
        /// The gateway.
        gateway: u16,
    },
    /// Somebody asks a node about facts, or to change one.
    Looks {
        /// Who; nobody in a survey of all nodes.
        session: Option<SessionId>,
        /// Which node.
        node: Place,
        /// What.
        question: &'a Question,
    },
    /// A client stops repeating a request that was not answered.
    GaveUp {
        /// Who.
        user: UserId,
        /// The request.
        request: RequestId,
    },
    /// A person's story ends.
    Left {
        /// Who.
        user: UserId,
        /// How.
        fate: Fate,
    },
    /// An oracle found a promise broken.
    Judged {
        /// Which.
        oracle: &'a str,
        /// In one sentence.
        headline: &'a str,
    },
}
