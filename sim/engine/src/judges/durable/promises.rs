//! What a replica may tell another, by its disk: votes, acknowledgements, and what a leader says.
//!
//! Owns these rules of `durable`; each holds at the instant at which the message is handed to the network:
//!
//! - *vote*: a vote, and a call for votes or a leader's word, which imply the sender's vote for itself, leaves only once
//!   the sender's disk has held that vote in that epoch, or holds a later epoch, in which it cannot vote in that one any
//!   more: a message may leave with the write of a later epoch. No two votes in one epoch are told or held, and none
//!   while the disk says that the replica is in repair.
//! - *candidacy*: a call for votes claims a log that ends where the disk's log has that record, until the disk has a
//!   record of that epoch or knows of a later one: then the election is over, and its leader may have superseded it.
//! - *epoch*: a replica speaks in an epoch only once its disk knows of that epoch, or of a later one. A replica
//!   in repair calls its peers into an epoch without a promise. And nothing is said after a start in an epoch before the
//!   one that the disk held then.
//! - *acknowledgement*: an acknowledgement of records up to an index leaves only once the disk has the record there of
//!   the leader's log, or a snapshot that covers it. An acknowledgement in an epoch that the disk knows to be over is not
//!   judged: what it said to a deposed leader may have been superseded in the same write, and no later leader was elected
//!   without it. (The replica refuses its vote to a log that lacks it until it enters the later epoch, and acknowledges
//!   nothing in the earlier epoch from then on.)
//! - *commit*: a commit index that is told is covered by records that a quorum of disks has held at one instant, along
//!   the log of the leader that tells it. So is a snapshot.
//!
//! Trial calls for votes and their answers promise nothing. A heartbeat's answer confirms that no later epoch is known,
//! which the rule *epoch* covers; that enough replicas confirm it at the right time is no durable state, and not judged.

use onsale_booking::Instant;
use onsale_cluster::journal::claim::{Claim, LogPosition};
use onsale_cluster::journal::{JournalMessage, ReplicaId};
use onsale_cluster::{Epoch, ShardId};
use onsale_oracles::Story;

use super::held::Held;
use super::{
    ACKNOWLEDGEMENT, CANDIDACY, COMMIT_TOLD, Durable, EPOCH, EPOCH_AT_START, Log, NAME, ONE_VOTE,
    SNAPSHOT_SENT, VOTE, VOTE_IN_REPAIR,
};

/// A message being judged, without the records that it carries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Heard {
    pub(super) now: Instant,
    pub(super) shard: ShardId,
    pub(super) sender: ReplicaId,
    pub(super) to: ReplicaId,
    pub(super) epoch: Epoch,
    pub(super) claim: Claim,
}

impl Heard {
    /// Position of its sender's disk among all.
    pub(super) fn disk(&self) -> usize {
        usize::from(self.sender.node().0)
    }

    /// Position of its log among all.
    pub(super) fn log(&self) -> usize {
        self.shard.0 as usize
    }

    /// The failure of a message: what its sender told, and what its disk holds instead.
    fn story(&self, told: &str, held: &Held, why: &str) -> Story {
        let Self { sender, shard, epoch, .. } = self;
        Story {
            headline: format!("{sender} {told} in {epoch} of {shard}, and its disk {why}"),
            lines: vec![
                format!("at {} to {}: {sender} {told}", self.now, self.to),
                format!("the disk of {sender}: {held}"),
            ],
        }
    }

    /// The failure of a message about a record that no quorum of disks has held.
    fn without_quorum(&self, told: &str, voters: &str, held: &Held) -> Story {
        let Self { sender, shard, epoch, .. } = self;
        Story {
            headline: format!("{sender} {told}, and no quorum of disks has held it in {shard}"),
            lines: vec![
                format!("at {} to {}, in {epoch}", self.now, self.to),
                format!("the voters: {voters}"),
                format!("the disk of {sender}: {held}"),
            ],
        }
    }
}

impl Durable {
    pub(super) fn on_journal(&mut self, now: Instant, shard: ShardId, message: &JournalMessage) {
        let claim = message.claim();
        if claim == Claim::Nothing {
            return;
        }
        let (sender, to) = (message.sender(), message.replica());
        let heard = Heard { now, shard, sender, to, epoch: message.epoch(), claim };
        self.on_claim(heard, message.records().map(|(index, epoch, _)| (index, epoch)));
    }

    /// Judges the claim of a message that carries these records.
    pub(super) fn on_claim(&mut self, heard: Heard, records: impl Iterator<Item = LogPosition>) {
        self.promises += 1;
        self.durable.checks();
        self.judge_epoch(heard);
        match heard.claim {
            Claim::Stands { ends } => {
                self.judge_vote(heard);
                self.judge_candidacy(heard, ends);
            }
            Claim::Votes => self.judge_vote(heard),
            Claim::Leads { before, snapshot, commit } => {
                self.judge_vote(heard);
                self.judge_leader(heard, before, records);
                if let Some(position) = snapshot {
                    self.judge_snapshot_sent(heard, position);
                }
                self.judge_commit(heard, commit);
            }
            Claim::Holds { index, commit } => {
                self.judge_acknowledgement(heard, index);
                self.judge_commit(heard, commit);
            }
            Claim::Entered { commit } => self.judge_commit(heard, commit),
            Claim::Nothing => {}
        }
    }

    fn judge_epoch(&mut self, heard: Heard) {
        let held = &self.disks[heard.disk()].replicas[heard.log()];
        let (epoch, claim) = (heard.epoch, heard.claim);
        let (rule, why) = if held.generation != heard.sender.generation() {
            (NAME, "knows no such replica")
        } else if held.in_repair {
            return;
        } else if epoch < held.said.at_start {
            (EPOCH_AT_START, "held a later epoch when it started")
        } else if epoch > held.epoch && matches!(claim, Claim::Holds { .. } | Claim::Entered { .. })
        {
            (EPOCH, "does not know of that epoch")
        } else {
            return;
        };
        self.durable.fail(rule, || heard.story(&told(claim), held, why));
    }

    fn judge_vote(&mut self, heard: Heard) {
        let held = &mut self.disks[heard.disk()].replicas[heard.log()];
        let (epoch, claim) = (heard.epoch, heard.claim);
        let vote = if claim == Claim::Votes { heard.to } else { heard.sender };
        let (rule, why) = match held.vote_in(epoch) {
            _ if held.in_repair => (VOTE_IN_REPAIR, "says that it is in repair".to_owned()),
            Some(known) if known == vote => return,
            Some(other) => (ONE_VOTE, format!("voted for {other}")),
            None if held.epoch > epoch => return held.note_vote(epoch, vote),
            None => (VOTE, format!("has no vote for {vote}")),
        };
        self.durable.fail(rule, || heard.story(&told(claim), held, &why));
    }

    fn judge_candidacy(&mut self, heard: Heard, ends: LogPosition) {
        let held = &self.disks[heard.disk()].replicas[heard.log()];
        let is_over = held.epoch > heard.epoch || held.ends().1 == heard.epoch;
        if !is_over && !held.covers(ends) {
            let told = told(heard.claim);
            let why = format!("has no record {} ({})", ends.0, ends.1);
            self.durable.fail(CANDIDACY, || heard.story(&told, held, &why));
        }
    }

    fn judge_acknowledgement(&mut self, heard: Heard, index: u64) {
        let held = &mut self.disks[heard.disk()].replicas[heard.log()];
        let epoch = heard.epoch;
        if held.epoch != epoch || index == 0 {
            return;
        }
        let leaders = self.logs[heard.log()].terms.epoch_at(epoch, index);
        let has_it = match leaders {
            Some(of) => held.covers((index, of)),
            None => held.covers(held.ends()) && held.ends().0 >= index,
        };
        if has_it {
            held.said.acknowledged = held.said.acknowledged.max((epoch, index));
        } else {
            let of = leaders.map_or_else(String::new, |of| format!(" ({of})"));
            let why = format!("has no record {index}{of}");
            self.durable.fail(ACKNOWLEDGEMENT, || heard.story(&told(heard.claim), held, &why));
        }
    }

    /// Judges a commit index that a replica tells: by the log of the epoch in which it speaks, or by its own.
    fn judge_commit(&mut self, heard: Heard, commit: u64) {
        let held = &self.disks[heard.disk()].replicas[heard.log()];
        let Log { terms, quorums, committed } = &mut self.logs[heard.log()];
        if commit <= committed.0.0 {
            return;
        }
        let (epoch, leads) = (heard.epoch, matches!(heard.claim, Claim::Leads { .. }));
        let by_leader = if leads { terms.epoch_at(epoch, commit) } else { None };
        let Some(of) = by_leader.or_else(|| held.epoch_at(commit)) else { return };
        if !terms.was_on_quorum((commit, of)) {
            let told = format!("tells that record {commit} ({of}) is committed");
            let voters = quorums.voters();
            let story = || heard.without_quorum(&told, &voters, held);
            return self.durable.fail(COMMIT_TOLD, story);
        }
        if leads {
            self.on_committed(heard, (commit, of));
        }
    }

    fn judge_snapshot_sent(&mut self, heard: Heard, position: LogPosition) {
        let log = &self.logs[heard.log()];
        if !log.terms.was_on_quorum(position) {
            let held = &self.disks[heard.disk()].replicas[heard.log()];
            let told = format!("sends a snapshot up to record {} ({})", position.0, position.1);
            let voters = log.quorums.voters();
            let story = || heard.without_quorum(&told, &voters, held);
            self.durable.fail(SNAPSHOT_SENT, story);
        }
    }
}

/// The words for a claim.
fn told(claim: Claim) -> String {
    match claim {
        Claim::Stands { ends: (index, of) } => {
            format!("stands for election with a log up to record {index} ({of})")
        }
        Claim::Votes => "grants a vote".to_owned(),
        Claim::Leads { .. } => "speaks as the leader".to_owned(),
        Claim::Holds { index, .. } => format!("acknowledges the log up to record {index}"),
        Claim::Entered { .. } => "answers".to_owned(),
        Claim::Nothing => "says nothing".to_owned(),
    }
}
