//! What one disk holds of a replica: its promises, and its log by epochs.
//!
//! Owns the fold of a replica's frames. A log is kept as runs of records of one epoch: so it takes memory by its epochs,
//! not by its records. Refuses to judge.

use std::fmt;

use onsale_cluster::Epoch;
use onsale_cluster::journal::ReplicaId;
use onsale_cluster::journal::claim::LogPosition;

/// A replica on a disk.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    pub(super) generation: u32,
    /// Whether the replica has left, and holds nothing.
    pub(super) left: bool,
    pub(super) epoch: Epoch,
    pub(super) vote: Option<ReplicaId>,
    pub(super) commit: u64,
    pub(super) in_repair: bool,
    /// The record up to which a snapshot covers the log.
    pub(super) base: LogPosition,
    /// For each run of records of one epoch behind the snapshot: its first index, or an earlier one, and its epoch.
    runs: Vec<LogPosition>,
    last: u64,
    pub(super) said: Said,
    /// What the batch of frames that is being read did to the log.
    pub(super) batch: Batch,
}

/// What the disk has said of a replica that the latest frames no longer show, and what was told of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// The generation of the replica of which it was said.
    generation: u32,
    /// Every vote that was durable or told.
    votes: Vec<(Epoch, ReplicaId)>,
    /// The latest acknowledgement: its epoch and index.
    pub(super) acknowledged: (Epoch, u64),
    /// The epoch on the disk at the last death of the process.
    pub(super) at_start: Epoch,
}

/// A change of the log by the batch of frames that is being read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    /// The last index before it, if it wrote records.
    pub(super) before: Option<u64>,
    /// The first index at which it replaced a record by one of another epoch.
    pub(super) replaced: Option<u64>,
}

impl Held {
    /// A disk that is about to be read once more: nothing is read yet, and what was said stays said.
    pub(super) fn to_reread(&self) -> Self {
        Self { said: self.said.clone(), ..Self::default() }
    }

    /// Takes the name of the replica; another one begins with nothing.
    pub(super) fn name(&mut self, generation: u32, left: bool) {
        if left || generation != self.generation {
            let is_same = !left && generation == self.said.generation;
            let said = Said { generation, ..Said::default() };
            let said = if is_same { std::mem::take(&mut self.said) } else { said };
            *self = Self { generation, left, said, ..Self::default() };
        }
    }

    /// The end of the log.
    pub(super) fn ends(&self) -> LogPosition {
        (self.last, self.epoch_at(self.last).unwrap_or(self.base.1))
    }

    /// The epoch of the record at an index; `None` if a snapshot covers it or the log ends before it.
    pub(super) fn epoch_at(&self, index: u64) -> Option<Epoch> {
        if index <= self.base.0 || index > self.last {
            return None;
        }
        let run = self.runs.iter().rev().find(|&&(first, _)| first <= index);
        run.map(|&(_, epoch)| epoch)
    }

    /// Whether it has this record, or a snapshot that covers it.
    pub(super) fn covers(&self, (index, epoch): LogPosition) -> bool {
        index <= self.base.0 || self.epoch_at(index) == Some(epoch)
    }

    /// Notes a vote that was told in an epoch which the disk knows to be over.
    #[cold]
    pub(super) fn note_vote(&mut self, epoch: Epoch, vote: ReplicaId) {
        self.said.votes.insert(0, (epoch, vote));
    }

    /// The replica that it voted for in an epoch, by its disk or by what was told since the epoch was over.
    pub(super) fn vote_in(&self, epoch: Epoch) -> Option<ReplicaId> {
        let votes = self.said.votes.iter().rev();
        votes.copied().find(|&(of, _)| of == epoch).map(|(_, vote)| vote)
    }

    /// Takes its promises.
    pub(super) fn promise(&mut self, epoch: Epoch, vote: Option<ReplicaId>, commit: u64) {
        (self.epoch, self.vote, self.commit) = (epoch, vote, commit);
        if let Some(vote) = vote
            && self.said.votes.last() != Some(&(epoch, vote))
        {
            self.said.votes.push((epoch, vote));
        }
        self.batch = Batch::default();
    }

    /// Takes a record: it supersedes the records at its index and after it.
    pub(super) fn put(&mut self, index: u64, epoch: Epoch) {
        self.batch.before.get_or_insert(self.last);
        if index <= self.base.0 || index > self.last + 1 {
            self.runs.clear();
            (self.base, self.last) = ((index - 1, Epoch(0)), index - 1);
        }
        if index <= self.last {
            if self.epoch_at(index) != Some(epoch) {
                self.batch.replaced = Some(self.batch.replaced.map_or(index, |at| at.min(index)));
            }
            while self.runs.last().is_some_and(|&(first, _)| first >= index) {
                self.runs.pop();
            }
        }
        if self.runs.last().is_none_or(|&(_, of)| of != epoch) {
            self.runs.push((index, epoch));
        }
        self.last = index;
    }

    /// The first index of the last run of records of one epoch, and the epoch of the record before it, if it is known.
    pub(super) fn last_run(&self) -> Option<LogPosition> {
        let &(first, epoch) = self.runs.last()?;
        match first.checked_sub(1)? {
            0 => Some((first, Epoch(0))),
            before => {
                let of = if before == self.base.0 { self.base.1 } else { self.epoch_at(before)? };
                (of > Epoch(0) && of < epoch).then_some((first, of))
            }
        }
    }

    /// Takes a snapshot: the records behind it stay if the log leads to it.
    pub(super) fn cover(&mut self, base: LogPosition) {
        if base.0 <= self.base.0 {
            return;
        }
        if !self.covers(base) {
            self.runs.clear();
            self.last = base.0;
        }
        self.base = base;
        let later = self.runs.iter().position(|&(first, _)| first > base.0 + 1);
        let kept = later.unwrap_or(self.runs.len()).saturating_sub(1);
        self.runs.drain(..kept);
        if self.last == base.0 {
            self.runs.clear();
        }
    }

    /// The index up to which both logs hold the same records.
    pub(super) fn agrees_with(&self, other: &Self) -> u64 {
        let mut index = self.last.min(other.last);
        while index > self.base.0.max(other.base.0) && self.epoch_at(index) != other.epoch_at(index)
        {
            let first = |held: &Self| {
                let run = held.runs.iter().rev().find(|&&(first, _)| first <= index);
                run.map_or(0, |&(first, _)| first)
            };
            index = first(self).max(first(other)).saturating_sub(1);
        }
        index
    }

    /// The runs of records of one epoch, from the last on: last index and epoch.
    pub(super) fn runs_back(&self) -> impl Iterator<Item = LogPosition> + '_ {
        let mut last = self.last;
        self.runs.iter().rev().map(move |&(first, epoch)| {
            let run = (last, epoch);
            last = first - 1;
            run
        })
    }

    /// Whether it holds less than before of what was promised with it: an earlier epoch, another vote in the same, or
    /// fewer records than are committed or were acknowledged in the same epoch.
    pub(super) fn has_less_than(&self, before: &Self) -> Option<&'static str> {
        let acknowledged = before.said.acknowledged;
        if self.left {
            None
        } else if self.epoch < before.epoch {
            Some("an earlier epoch")
        } else if self.epoch == before.epoch && before.vote.is_some() && self.vote != before.vote {
            Some("another vote")
        } else if self.last < before.commit.max(before.base.0) {
            Some("fewer records than were committed")
        } else if self.epoch == acknowledged.0 && self.last < acknowledged.1 {
            Some("fewer records than were acknowledged")
        } else {
            None
        }
    }

    /// The disk lost something that it had said to be durable: nothing that it said before counts any more.
    pub(super) fn start_over(&mut self) {
        self.said = Said { generation: self.generation, ..Said::default() };
        self.said.votes.extend(self.vote.map(|vote| (self.epoch, vote)));
    }
}

impl fmt::Display for Held {
    /// Formats what the disk holds, for evidence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, ", self.epoch)?;
        match self.vote {
            Some(vote) => write!(f, "a vote for {vote}, ")?,
            None => write!(f, "no vote, ")?,
        }
        let (last, epoch) = self.ends();
        match last {
            0 => write!(f, "no record")?,
            last => {
                write!(f, "records up to {last} ({epoch}), {} known to be committed", self.commit)?
            }
        }
        if self.base.0 > 0 {
            write!(f, ", a snapshot up to {}", self.base.0)?;
        }
        if self.generation > 0 {
            write!(f, ", generation {}", self.generation)?;
        }
        if self.in_repair { write!(f, ", in repair") } else { Ok(()) }
    }
}
