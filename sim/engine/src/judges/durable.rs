//! `durable` and `raft`: what nodes promise each other and their clients, against what disks hold.
//!
//! Owns the fold of every disk's frames, and the dispatch of each message that a node hands to the network to the rule
//! that it may break. Refuses to know a node's memory, what it observes, and what is on its way: it reads effects and
//! durable bytes alone. A disk that lies is believed until its process dies: only then do its bytes show.
//!
//! Each rule stands with its reasons where it is judged: votes and logs in `promises`, bytes in `writes`, answers in
//! `replies`, facts in `facts`, and Raft's own properties in `raft`.

mod facts;
mod held;
mod promises;
mod quorums;
pub(super) mod raft;
mod replies;
mod terms;
mod writes;

use onsale_booking::{Instant, NodeId};
use onsale_cluster::journal::claim::LogPosition;
use onsale_cluster::journal::{Members, ReplicaId};
use onsale_cluster::{Epoch, Message, Placement, ShardId};
use onsale_oracles::evidence::Clock;
use onsale_oracles::{Findings, Oracles};
use onsale_reports::{Oracle, OracleResult};
use onsale_world::place::Place;

use self::held::Held;
use self::quorums::Quorums;
use self::replies::Pending;
use self::terms::Terms;

onsale_oracles::rules! { Durable:
    /// A vote, or a word that implies one, left before its sender's disk held it.
    VOTE = "vote";
    /// A replica voted or led while its disk said that it was in repair.
    VOTE_IN_REPAIR = "vote-in-repair";
    /// A candidate's log ended beyond what its disk held.
    CANDIDACY = "candidacy";
    /// A replica spoke in an epoch that its disk did not know.
    EPOCH = "epoch";
    /// A replica spoke in an earlier epoch than its disk held when it started.
    EPOCH_AT_START = "epoch-at-start";
    /// A replica spoke that its node's disk does not name.
    NAME = "name";
    /// An acknowledgement left before its sender's disk held the records.
    ACKNOWLEDGEMENT = "acknowledgement";
    /// A commit index was told that no quorum of disks had covered.
    COMMIT_TOLD = "commit-told";
    /// A snapshot was sent that holds more than a quorum of disks had covered.
    SNAPSHOT_SENT = "snapshot-sent";
    /// A disk voted twice in an epoch, or took its vote back.
    ONE_VOTE = "one-vote";
    /// A disk went back to an earlier epoch.
    EPOCH_BACK = "epoch-back";
    /// A disk dropped records that its replica had acknowledged in the same epoch.
    DROPPED = "dropped";
    /// A disk held a commit index that no quorum of disks had covered.
    COMMIT_WRITTEN = "commit-written";
    /// A disk held a snapshot of more than a quorum of disks had covered.
    SNAPSHOT_WRITTEN = "snapshot-written";
    /// A new segment held less of a replica than the one before.
    SEGMENT = "segment";
    /// A new segment held fewer of the node's own facts than the one before.
    SEGMENT_FACTS = "segment-facts";
    /// A new segment did not say that the node forgot, as the one before did.
    SEGMENT_FORGOT = "segment-forgot";
    /// A client or gateway was told of a change that too few disks had held.
    REPLY = "reply";
    /// A node told of its own fact before its disk held it.
    FACT = "fact";
    /// A node said that it forgot, and its disk did not.
    FORGOT = "forgot";
}

/// The judge of both oracles.
#[derive(Debug)]
pub struct Durable {
    durable: Findings,
    raft: Findings,
    /// By node number.
    disks: Vec<Disk>,
    /// By shard number.
    logs: Vec<Log>,
    /// Records that are on some disk and not known to be committed.
    pending: Pending,
    /// Votes and acknowledgements judged.
    promises: u64,
    /// Epochs that followed another one's commits.
    successions: u64,
}

/// A node's disk.
#[derive(Debug, Default)]
struct Disk {
    /// By shard number: its replica.
    replicas: Vec<Held>,
    /// Incarnation at which the node last detected the loss of its disk.
    forgot: u64,
    /// The same, of any segment or disk before.
    forgot_last: u64,
    /// The latest own write of facts that was ever durable, and whether the segment that is being read has it.
    facts: facts::OnDisk,
    /// While the first write of a segment is read: what the segments before it held.
    before: Option<Before>,
}

/// The contents of a disk before a new segment.
#[derive(Debug)]
struct Before {
    replicas: Vec<Held>,
    forgot: u64,
    facts: facts::OnDisk,
}

/// A shard's log, over all disks.
#[derive(Debug)]
struct Log {
    terms: Terms,
    quorums: Quorums,
    /// The last record that a leader called committed, and the leader's epoch.
    committed: (LogPosition, Epoch),
}

impl Durable {
    /// The judge of a run before its first event.
    pub fn new(placement: &Placement, clock: &Clock) -> Self {
        let shards = placement.shards();
        let disk = || Disk { replicas: vec![Held::default(); shards as usize], ..Disk::default() };
        let log = |shard| Log {
            terms: Terms::default(),
            quorums: Quorums::of(Members::initial(placement.replicas(ShardId(shard)))),
            committed: ((0, Epoch(0)), Epoch(0)),
        };
        let findings = |oracle| {
            let mut findings = Findings::new(oracle);
            findings.go_by(clock);
            findings
        };
        Self {
            durable: findings(Oracle::Durable),
            raft: findings(Oracle::Raft),
            disks: (0..=placement.nodes()).map(|_| disk()).collect(),
            logs: (0..shards).map(log).collect(),
            pending: Pending::default(),
            promises: 0,
            successions: 0,
        }
    }

    /// The findings of both oracles so far.
    pub(super) fn findings(&self) -> impl Iterator<Item = &Findings> {
        [&self.durable, &self.raft].into_iter()
    }

    /// Notes a committed membership change.
    pub(super) fn members_changed(&mut self, shard: ShardId, members: &Members) {
        self.logs[shard.0 as usize].quorums.on_committed(members.clone());
    }

    /// Notes a recovery that gives up the committed records after `held`: a later leader need not have them.
    pub(super) fn given_up(&mut self, shard: ShardId, held: LogPosition) {
        let (last, _) = &mut self.logs[shard.0 as usize].committed;
        *last = (*last).min(held);
    }

    /// Judges a message that a node hands to the network.
    #[inline]
    pub fn sends(
        &mut self,
        now: Instant,
        from: NodeId,
        to: Place,
        message: &Message,
        oracles: &Oracles,
    ) {
        match message {
            Message::Journal(batch) => {
                for (shard, message) in batch {
                    self.on_journal(now, *shard, message);
                }
            }
            Message::Replies(batch) => {
                for timed in batch {
                    self.on_reply(now, (from, to), &timed.item, oracles);
                }
            }
            Message::Answers(batch) => {
                for timed in batch {
                    self.on_answer(now, (from, to), &timed.item, oracles);
                }
            }
            Message::Facts(message) => self.on_facts(now, (from, to), message),
            Message::Moves(moves) => self.on_moves(now, from, moves),
            Message::Requests(_)
            | Message::Forwarded(_)
            | Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_) => {}
        }
    }

    /// The verdicts at the end of the run.
    pub(super) fn finish(self) -> [OracleResult; 2] {
        [self.durable.finish(self.promises > 0), self.raft.finish(self.successions > 0)]
    }
}

/// The replica of a member, if the disk of its node has one of its generation.
fn replica_of(disks: &[Disk], shard: ShardId, member: ReplicaId) -> Option<&Held> {
    let held = &disks.get(usize::from(member.node().0))?.replicas[shard.0 as usize];
    (held.generation == member.generation()).then_some(held)
}

#[cfg(test)]
mod tests;
