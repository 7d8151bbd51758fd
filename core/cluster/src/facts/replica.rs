//! One copy of the facts.
//!
//! Owns the last-writer-wins map, what it was told of every writer, and what it has forgotten.
//! Refuses to know clocks, messages and disks.
//!
//! A copy is always what follows from *all* that it has [`Seen`]: a delta that does not begin
//! where the copy ends is not taken. So what is seen never has to be looked at again, and that
//! is what makes it safe to forget that something was deleted:
//! - an old value that comes once more is known to be seen, and does not come back to life;
//! - who has not seen a deletion that is forgotten here is given a whole copy instead of a
//!   delta, and drops what is not in it;
//! - a write that one side has not seen, and that would win there, may be older
//!   than a deletion of that key that it has forgotten and the other has not seen: nobody can
//!   tell any more. It is handed back, to be written again, so that no write that was
//!   acknowledged is lost, and all copies come to agree.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::Instant;

use crate::fact::{Base, Delta, FactKey, Seen, Version};
use crate::hlc::Stamp;

/// A delta does not begin where the copy ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap;

/// A copy of the facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replica {
    facts: BTreeMap<FactKey, Version>,
    /// The deletions among them, the oldest first.
    deleted: BTreeSet<(Stamp, FactKey)>,
    seen: Seen,
    forgotten: Seen,
}

impl Replica {
    /// The latest that was seen of a fact; a deletion may have been forgotten.
    pub fn get(&self, key: FactKey) -> Option<&Version> {
        self.facts.get(&key)
    }

    /// All that was seen.
    pub fn seen(&self) -> &Seen {
        &self.seen
    }

    /// How many facts there are, deletions that are remembered included.
    pub fn len(&self) -> usize {
        self.facts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.facts.is_empty()
    }

    /// Takes a delta. Returns the writes of which nobody can tell any more whether they were
    /// deleted: they are to be written again.
    ///
    /// # Errors
    /// If it begins after what was seen here; nothing is taken then.
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

    /// What somebody lacks who has seen so much: a whole copy, if that includes deletions that
    /// are forgotten here.
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

    /// Forgets deletions that were stamped before `before`; with `tells`, remembers that there
    /// were such. Returns how many.
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

    /// When the oldest deletion that is remembered was stamped.
    #[inline]
    pub fn oldest_deletion(&self) -> Option<Instant> {
        self.deleted.first().map(|(stamp, _)| stamp.at)
    }

    /// What is here and not in the copy, or in it as it was before: if its giver has seen it, it
    /// has seen it superseded, and it goes. If not, it may be older than a deletion that its
    /// giver has forgotten and that was not seen here, and is returned.
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

/// The latest of the deletions forgotten on one side that the other has not seen.
fn missed(forgotten: &Seen, seen: &Seen) -> Option<Stamp> {
    forgotten.stamps().filter(|&stamp| !seen.covers(stamp)).max()
}

#[cfg(test)]
mod tests;
