//! The clients' view of one fact: requested writes, and the versions told.
//!
//! Owns the set of versions lost with disks, and the versions that a deletion may explain. Refuses to judge.

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::Stamp;
use onsale_cluster::fact::{FactText, QuestionId, Version};

use super::Loss;
use super::delays::Delays;

/// The clients' view of one fact.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) writes: BTreeMap<QuestionId, Write>,
    /// The versions that some client was told.
    pub(super) versions: BTreeMap<Stamp, KnownVersion>,
}

#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) asked: Instant,
    pub(super) node: NodeId,
    pub(super) text: Option<FactText>,
    /// Its stamp, once it is acknowledged.
    pub(super) stamp: Option<Stamp>,
}

/// What a deletion may explain.
#[derive(Debug)]
pub(super) struct Deletions {
    /// Time for which tombstones are kept.
    pub(super) last: Span,
    /// Difference between a clock and the true time, at most.
    pub(super) clocks_wrong: Span,
    /// How far ahead of its clock a node takes a version.
    pub(super) accepted_drift: Span,
    /// Until when an unanswered deletion may be carried out.
    pub(super) delays: Delays,
}

/// A version that some client was told.
#[derive(Clone, Debug)]
pub(super) struct KnownVersion {
    pub(super) text: Option<FactText>,
    /// Instant at which it was first told, and by which node.
    pub(super) at: Instant,
    pub(super) node: NodeId,
    /// The nodes that told it and have not lost it with their disks since.
    pub(super) holders: Vec<NodeId>,
    pub(super) is_lost: bool,
}

impl History {
    /// The latest version that was told by `at` and is not lost.
    pub(super) fn told_by(&self, at: Instant) -> Option<(Stamp, &KnownVersion)> {
        let mut latest = self.versions.iter().rev().map(|(&stamp, told)| (stamp, told));
        latest.find(|(_, told)| told.at <= at && !told.is_lost)
    }

    /// Notes that a node tells a version, from its disk before a loss or now. Returns the version's
    /// entry.
    pub(super) fn tell(
        &mut self,
        at: Instant,
        node: NodeId,
        version: &Version,
        before: Option<&Loss>,
    ) -> &KnownVersion {
        let (text, stamp) = (version.text.clone(), version.stamp);
        let new = || KnownVersion { text, at, node, holders: Vec::new(), is_lost: false };
        let told = self.versions.entry(stamp).or_insert_with(new);
        if let Some(loss) = before.filter(|loss| !loss.left.covers(stamp)) {
            told.is_lost = told.holders.is_empty() && !loss.kept.covers(stamp);
            return told;
        }
        if !told.holders.contains(&node) {
            told.holders.push(node);
        }
        told.is_lost = false;
        told
    }

    pub(super) fn is_lost(&self, stamp: Stamp) -> bool {
        self.versions.get(&stamp).is_some_and(|told| told.is_lost)
    }

    /// Number of acknowledged writes that are lost.
    pub(super) fn lost(&self) -> usize {
        let stamps = self.writes.values().filter_map(|write| write.stamp);
        stamps.filter(|&stamp| self.is_lost(stamp)).count()
    }

    /// Whether an answer told at `at` is at least as late as `stamp`, or empty where a deletion may explain it.
    pub(super) fn reaches(
        &self,
        stamp: Stamp,
        found: Option<&Version>,
        at: Instant,
        deletions: &Deletions,
    ) -> bool {
        match found {
            Some(version) => version.stamp >= stamp,
            None => self.writes.values().any(|write| deletions.explain(write, stamp, at)),
        }
    }
}

impl Deletions {
    /// Whether a node that has seen this version may know nothing of its fact at `at`: this write deletes it, is as late,
    /// and its tombstone may be dropped by then.
    fn explain(&self, write: &Write, version: Stamp, at: Instant) -> bool {
        if write.text.is_some() {
            return false;
        }
        let stamped = match write.stamp {
            Some(stamp) if stamp >= version => stamp.at,
            Some(_) => return false,
            None => {
                let by = self.delays.latest(write.asked, write.node);
                if by + self.clocks_wrong + self.accepted_drift < version.at {
                    return false;
                }
                version.at.max(Instant(write.asked.0.saturating_sub(self.clocks_wrong.0)))
            }
        };
        stamped + self.last <= at + self.clocks_wrong
    }
}

/// The loss of a node since it was asked, if any: it may have answered from its disk before
/// the loss.
pub(super) fn loss_after(
    losses: &BTreeMap<NodeId, Loss>,
    node: NodeId,
    asked: Instant,
) -> Option<&Loss> {
    losses.get(&node).filter(|loss| asked <= loss.at)
}
