//! One copy of the facts.
//!
//! Owns the last-writer-wins map, its version vector, and the vector of its dropped tombstones. Refuses to know clocks,
//! messages and disks.
//!
//! A copy is always the result of *all* that it has [`Seen`]: a delta that does not begin where the copy ends is not
//! taken. So a seen write never has to be looked at again, which makes it safe to drop tombstones:
//! - an old value that comes once more is known to be seen, and does not come back to life;
//! - a node that has not seen a tombstone that is dropped here is given a whole copy instead of a delta, and drops
//!   every fact that is not in it;
//! - a write that one side has not seen, and that would win there, may be older than a tombstone of that key that it
//!   has dropped and the other has not seen: it is impossible to tell. It is handed back, to be rewritten, so that no
//!   acknowledged write is lost, and all copies come to agree.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::Instant;

use crate::fact::{Base, Delta, FactKey, Seen, Version};
use crate::hlc::Stamp;

/// The error of a delta that does not begin where the copy ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

/// A copy of the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    facts: BTreeMap<FactKey, Version>,
    /// The tombstones, oldest first.
    deleted: BTreeSet<(Stamp, FactKey)>,
    seen: Seen,
    forgotten: Seen,
}

impl Replica {
    /// The latest version seen of a fact; `None` also if its tombstone was dropped.
    pub fn get(&self, key: FactKey) -> Option<&Version> {
        self.facts.get(&key)
    }

    /// The version vector of this copy.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Number of facts, tombstones included.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there are no facts.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Takes a delta. Returns the writes that may or may not have been deleted: they are to be rewritten.
    ///
    /// # Errors
    /// If it begins after what was seen here; then nothing is taken.
    pub fn merge(&mut self, delta: &Delta) -> Result<Vec<(FactKey, Version)>, Gap> {
        if self.seen.includes(&delta.until) {
            return Ok(Vec::new());
        }
        if !delta.fits(&self.seen) {
            return Err(Gap);
        }
        let mut late = match &delta.base {
            Base::Since(_) => Vec::new(),
            Base::Nothing { forgotten } => self.compare_with_copy(delta, forgotten),
        };
        let oldest_sure = missed(&self.forgotten, &delta.until);
        for (key, version) in &delta.written {
            if self.seen.covers(version.stamp) {
                continue;
            }
            match &version.text {
                Some(_) if Some(version.stamp) < oldest_sure => {
                    late.extend(self.loses_to(key, version).then(|| (*key, version.clone())));
                }
                _ => self.put(*key, version.clone()),
            }
        }
        self.seen.merge(&delta.until);
        if let Base::Nothing { forgotten } = &delta.base {
            self.forgotten.merge(forgotten);
        }
        Ok(late)
    }

    /// The delta that a copy with vector `seen` lacks: a whole copy, if it lacks tombstones that are dropped here.
    pub fn delta_since(&self, seen: &Seen) -> Delta {
        if !seen.includes(&self.forgotten) {
            return self.copy();
        }
        let lacks = |(_, version): &(&FactKey, &Version)| !seen.covers(version.stamp);
        let written = self.facts.iter().filter(lacks);
        Delta {
            base: Base::Since(seen.clone()),
            until: self.seen.clone(),
            written: written.map(|(key, version)| (*key, version.clone())).collect(),
        }
    }

    /// The whole copy.
    pub fn copy(&self) -> Delta {
        Delta {
            base: Base::Nothing { forgotten: self.forgotten.clone() },
            until: self.seen.clone(),
            written: self.facts.iter().map(|(key, version)| (*key, version.clone())).collect(),
        }
    }

    /// Drops tombstones stamped before `before`; with `tells`, remembers that there were such. Returns their number.
    pub fn forget(&mut self, before: Instant, tells: bool) -> usize {
        let mut count = 0;
        while let Some(&(stamp, key)) = self.deleted.first().filter(|(stamp, _)| stamp.at < before)
        {
            self.deleted.pop_first();
            self.facts.remove(&key);
            if tells {
                self.forgotten.add(stamp);
            }
            count += 1;
        }
        count
    }

    /// The stamp of the oldest tombstone.
    #[inline]
    pub fn oldest_deletion(&self) -> Option<Instant> {
        self.deleted.first().map(|(stamp, _)| stamp.at)
    }

    /// Compares this copy with a whole one, which lacks a fact or has an older version of it: if its giver has seen
    /// that fact, it has seen it superseded, and the fact goes. If not, it may be older than a tombstone that the giver
    /// has dropped and this copy has not seen, and is returned.
    fn compare_with_copy(&mut self, copy: &Delta, forgotten: &Seen) -> Vec<(FactKey, Version)> {
        let oldest_sure = missed(forgotten, &self.seen);
        let (deleted, mut late) = (&mut self.deleted, Vec::new());
        self.facts.retain(|key, version| {
            let in_copy = copy.written.binary_search_by_key(key, |(key, _)| *key);
            let in_copy = in_copy.ok().map(|place| &copy.written[place].1);
            let wins = in_copy.is_none_or(|other| other < version);
            if wins && copy.until.covers(version.stamp) {
                deleted.remove(&(version.stamp, *key));
                return false;
            }
            if wins && Some(version.stamp) < oldest_sure {
                late.extend(version.text.is_some().then(|| (*key, version.clone())));
            }
            true
        });
        late
    }

    fn loses_to(&self, key: &FactKey, version: &Version) -> bool {
        self.facts.get(key).is_none_or(|known| known < version)
    }

    fn put(&mut self, key: FactKey, version: Version) {
        if !self.loses_to(&key, &version) {
            return;
        }
        let (stamp, is_deletion) = (version.stamp, version.text.is_none());
        if let Some(before) = self.facts.insert(key, version) {
            self.deleted.remove(&(before.stamp, key));
        }
        if is_deletion {
            self.deleted.insert((stamp, key));
        }
    }
}

/// The latest of the tombstones dropped on one side that the other has not seen.
fn missed(forgotten: &Seen, seen: &Seen) -> Option<Stamp> {
    forgotten.stamps().filter(|&stamp| !seen.covers(stamp)).max()
}

#[cfg(test)]
mod tests;
