//! The log as the Raft library reads it, in memory.
//!
//! Owns all that was handed to the write-ahead log, durable or not: the library itself tracks which is which.

use std::cell::Cell;

use onsale_booking::NodeId;
use raft::eraftpb::{ConfState, Entry, HardState, Snapshot};
use raft::{Error, GetEntriesContext, RaftState, Result, Storage, StorageError};

use crate::journal::{Durable, Members, ReplicaId};

#[derive(Debug)]
pub(super) struct Log {
    hard_state: HardState,
    voters: ConfState,
    snapshot: Snapshot,
    /// Index and term of the entry before the first; at or before the snapshot.
    before: (u64, u64),
    entries: Vec<Entry>,
    /// Whether a member needs a snapshot that includes it, and this one does not.
    wanted: Cell<bool>,
}

impl Log {
    /// The log that a disk held. `initial` are the nodes of its first members, in the order in which the library is to
    /// speak to them.
    pub(super) fn new(initial: &[NodeId], durable: Durable) -> Self {
        let Durable { hard_state, mut snapshot, entries, .. } = durable;
        if snapshot.get_metadata().get_conf_state().voters.is_empty() {
            let voters = initial.iter().map(|&node| ReplicaId::new(node, 0).raft());
            let voters = ConfState { voters: voters.collect(), ..ConfState::default() };
            snapshot.mut_metadata().set_conf_state(voters);
        }
        let voters = snapshot.get_metadata().get_conf_state().clone();
        let meta = snapshot.get_metadata();
        assert!(hard_state.commit >= meta.index, "a snapshot holds only what is committed");
        let before = (meta.index, meta.term);
        let wanted = Cell::new(false);
        let log = Self { before, hard_state, voters, snapshot, entries, wanted };
        assert!(log.hard_state.commit <= log.last(), "what is known to be committed is there");
        log
    }

    /// The members in force: those of the snapshot, changed by the records applied since.
    pub(super) fn voters(&self) -> &ConfState {
        &self.voters
    }

    pub(super) fn set_voters(&mut self, voters: ConfState) {
        self.voters = voters;
    }

    /// Whether a record that changes the members is among these.
    pub(super) fn changes_members(&self, after: u64, through: u64) -> bool {
        let (from, end) = (after.max(self.before.0) + 1, through.min(self.last()) + 1);
        from < end
            && self.entries[self.position(from)..self.position(end)]
                .iter()
                .any(|entry| !entry.context.is_empty())
    }

    /// Drops everything except the members.
    pub(super) fn clear(&mut self) {
        *self = Self {
            hard_state: HardState::default(),
            voters: ConfState::default(),
            snapshot: Snapshot::default(),
            before: (0, 0),
            entries: Vec::new(),
            wanted: Cell::new(false),
        };
    }

    /// Whether the next snapshot is due regardless of the length of the log.
    pub(super) fn is_snapshot_wanted(&self) -> bool {
        self.wanted.get()
    }

    pub(super) fn hard_state(&self) -> &HardState {
        &self.hard_state
    }

    /// Takes the replica's promises and its commit index. Returns whether it promises more than before.
    ///
    /// # Panics
    ///
    /// If it takes a promise back.
    pub(super) fn keep(&mut self, term: u64, vote: u64, commit: u64) -> bool {
        let kept = &mut self.hard_state;
        assert!(term >= kept.term, "an epoch is never left for an earlier one");
        assert!(commit >= kept.commit, "what was committed stays committed");
        assert!(
            term > kept.term || kept.vote == 0 || vote == kept.vote,
            "a replica votes once in an epoch"
        );
        let promised = (term, vote) != (kept.term, kept.vote);
        (kept.term, kept.vote, kept.commit) = (term, vote, commit);
        promised
    }

    pub(super) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The entries after `index`.
    pub(super) fn after(&self, index: u64) -> &[Entry] {
        &self.entries[self.position(index + 1)..]
    }

    /// The entry at `index`, which must be in the log.
    pub(super) fn entry(&self, index: u64) -> &Entry {
        &self.entries[self.position(index)]
    }

    /// Replaces the whole log by a snapshot.
    pub(super) fn install(&mut self, snapshot: Snapshot) {
        let meta = snapshot.get_metadata();
        self.before = (meta.index, meta.term);
        self.entries.clear();
        self.voters = meta.get_conf_state().clone();
        self.snapshot = snapshot;
    }

    /// Takes `entries`, and replaces all from the index of the first.
    pub(super) fn append(&mut self, entries: &mut Vec<Entry>) {
        let Some(first) = entries.first() else { return };
        assert!(first.index <= self.last() + 1, "a log has no gaps");
        self.entries.truncate(self.position(first.index));
        self.entries.append(entries);
    }

    /// Makes `state` the snapshot at `index`, and keeps `keep` entries before it.
    pub(super) fn compact(&mut self, index: u64, state: Vec<u8>, keep: u64) {
        if index <= self.snapshot.get_metadata().index {
            return;
        }
        self.wanted.set(false);
        self.snapshot.data = state.into();
        let term = self.term_of(index).expect("what is applied is in the log");
        let meta = self.snapshot.mut_metadata();
        meta.index = index;
        meta.term = term;
        meta.set_conf_state(self.voters.clone());
        let cut = index.saturating_sub(keep);
        if cut > self.before.0 {
            let term = self.term_of(cut).expect("what is cut is in the log");
            self.entries.drain(..self.position(cut + 1));
            self.before = (cut, term);
        }
    }

    fn last(&self) -> u64 {
        self.before.0 + self.entries.len() as u64
    }

    fn position(&self, index: u64) -> usize {
        let offset =
            index.checked_sub(self.before.0 + 1).expect("only entries that are kept are asked for");
        usize::try_from(offset).expect("entries are in memory")
    }

    fn term_of(&self, index: u64) -> Option<u64> {
        match index.cmp(&self.before.0) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Equal => Some(self.before.1),
            std::cmp::Ordering::Greater => {
                self.entries.get(self.position(index)).map(|entry| entry.term)
            }
        }
    }
}

impl Storage for Log {
    fn initial_state(&self) -> Result<RaftState> {
        Ok(RaftState { hard_state: self.hard_state.clone(), conf_state: self.voters.clone() })
    }

    fn entries(
        &self,
        low: u64,
        high: u64,
        max_size: impl Into<Option<u64>>,
        _context: GetEntriesContext,
    ) -> Result<Vec<Entry>> {
        if low <= self.before.0 {
            return Err(Error::Store(StorageError::Compacted));
        }
        let entries = &self.entries[self.position(low)..self.position(high)];
        let Some(max_size) = max_size.into() else { return Ok(entries.to_vec()) };
        let mut size = 0;
        let fits = entries.iter().take_while(|entry| {
            let first = size == 0;
            size += entry.data.len() as u64 + 1;
            first || size <= max_size
        });
        Ok(fits.cloned().collect())
    }

    fn term(&self, index: u64) -> Result<u64> {
        let missing =
            if index < self.before.0 { StorageError::Compacted } else { StorageError::Unavailable };
        self.term_of(index).ok_or(Error::Store(missing))
    }

    fn first_index(&self) -> Result<u64> {
        Ok(self.before.0 + 1)
    }

    fn last_index(&self) -> Result<u64> {
        Ok(self.last())
    }

    fn snapshot(&self, request_index: u64, to: u64) -> Result<Snapshot> {
        let known = Members::of_raft(self.snapshot.get_metadata().get_conf_state()).all();
        if !known.contains(&ReplicaId::of(to)) {
            self.wanted.set(true);
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        if self.snapshot.get_metadata().index < request_index.max(1) {
            return Err(Error::Store(StorageError::SnapshotTemporarilyUnavailable));
        }
        Ok(self.snapshot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promised() -> Log {
        let mut log = Log::new(&[NodeId(1)], Durable::default());
        log.append(&mut vec![Entry { index: 1, term: 5, ..Entry::default() }]);
        assert!(log.keep(5, 1, 1));
        assert!(!log.keep(5, 1, 1), "nothing new is promised");
        log
    }

    #[test]
    #[should_panic(expected = "a log has no gaps")]
    fn a_gap_is_caught() {
        promised().append(&mut vec![Entry { index: 3, term: 5, ..Entry::default() }]);
    }

    #[test]
    #[should_panic(expected = "an epoch is never left for an earlier one")]
    fn an_epoch_that_goes_back_is_caught() {
        promised().keep(4, 1, 1);
    }

    #[test]
    #[should_panic(expected = "what was committed stays committed")]
    fn a_commit_index_that_goes_back_is_caught() {
        promised().keep(5, 1, 0);
    }

    #[test]
    #[should_panic(expected = "a replica votes once in an epoch")]
    fn a_second_vote_in_one_epoch_is_caught() {
        promised().keep(5, 2, 1);
    }
}
