//! What a watcher sees of a run, between the hosts.
//!
//! Owns the vocabulary. Refuses to know the watchers.

use onsale_booking::{Instant, Outcome, Request, RequestId, UserId};
use onsale_cluster::Observation;
use onsale_cluster::fact::Question;
use onsale_world::place::{Carried, Lost, Place, Process};

use crate::seen::asked::SessionId;
use crate::seen::declared::Declared;
use crate::seen::fate::Fate;
use crate::seen::messages::Shown;

/// One thing that happened, shown by reference at its instant.
#[derive(Clone, Copy, Debug)]
pub enum Sight<'a> {
    /// A message leaves; its items carry the instants at which they leave.
    Sent {
        /// Its sender.
        from: Place,
        /// Its receiver.
        to: Place,
        /// Instant at which it leaves.
        departs: Instant,
        /// The message.
        message: Shown<'a>,
        /// Its fate on the network.
        carried: Carried,
        /// Whether it is lost to a cut link.
        cut: bool,
    },
    /// A message that left is lost.
    Lost {
        /// Its sender.
        from: Place,
        /// Its receiver.
        to: Place,
        /// The message.
        message: Shown<'a>,
        /// The cause.
        why: Lost,
    },
    /// A message arrives; its items carry the instants at which they do.
    Arrived {
        /// Its sender.
        from: Place,
        /// Its receiver.
        to: Place,
        /// The message.
        message: Shown<'a>,
        /// Whether it waits for a paused process.
        waits: bool,
    },
    /// A write begins.
    Writes {
        /// The node of the disk.
        node: Place,
        /// The appended bytes.
        bytes: &'a [u8],
        /// The records in it, if the system declares them.
        declared: Option<&'a [Declared]>,
    },
    /// A write failed.
    WriteFails {
        /// The node of the disk.
        node: Place,
    },
    /// A write is durable.
    Durable {
        /// The node of the disk.
        node: Place,
        /// The appended bytes.
        bytes: &'a [u8],
        /// The records in it, if the system declares them.
        declared: Option<&'a [Declared]>,
    },
    /// A core did a piece of work.
    Worked {
        /// The node of the core.
        node: Place,
        /// Number of the core.
        core: usize,
        /// Start of the work.
        from: Instant,
        /// End of the work.
        until: Instant,
        /// Name of the work.
        work: &'static str,
    },
    /// A node says something about itself.
    Observed {
        /// The node.
        node: Place,
        /// What it says.
        observation: &'a Observation,
    },
    /// A process starts, pauses, resumes or dies.
    Process {
        /// Its node.
        node: Place,
        /// Its new state.
        state: Process,
        /// Number of its starts so far.
        boots: u64,
    },
    /// A fault strikes or heals.
    Fault {
        /// Number of the fault in the plan.
        index: usize,
        /// Whether it strikes, rather than heals.
        strikes: bool,
        /// Description of what it does.
        what: &'a str,
    },
    /// A fault in force takes its next step.
    FaultStep {
        /// Number of the fault in the plan.
        index: usize,
        /// Description of the step.
        what: &'a str,
    },
    /// A client learns that its gateway is dead.
    Disconnected {
        /// The client.
        user: UserId,
        /// The open request.
        request: RequestId,
        /// The gateway.
        gateway: u16,
    },
    /// A session or survey asks a node to read or write facts.
    Looks {
        /// The session; `None` in a survey of all nodes.
        session: Option<SessionId>,
        /// The node asked.
        node: Place,
        /// The question.
        question: &'a Question,
    },
    /// A client sends the first attempt of a request.
    Asks {
        /// The request.
        request: &'a Request,
        /// Whether it repeats a request, long after its answer or by a double click.
        again: bool,
    },
    /// A client takes the answer to a request.
    Told {
        /// The request.
        request: RequestId,
        /// Whether it is the answer to the repetition.
        again: bool,
        /// The answer.
        outcome: &'a Outcome,
    },
    /// A client gives up on an unanswered request.
    GaveUp {
        /// The client.
        user: UserId,
        /// The request.
        request: RequestId,
    },
    /// A person leaves.
    Left {
        /// The person.
        user: UserId,
        /// The fate.
        fate: Fate,
    },
    /// An oracle found a failure.
    Judged {
        /// The oracle's name.
        oracle: &'a str,
        /// The failure in one sentence.
        headline: &'a str,
    },
}
