//! The clients' view of one fact: requested writes, and the versions told.
//!
//! Owns the set of versions lost with disks. Refuses to judge.

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId};
use onsale_cluster::Stamp;
use onsale_cluster::fact::{FactText, QuestionId, Version};

use super::Loss;

/// The clients' view of one fact.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) writes: BTreeMap<QuestionId, Write>,
    /// The versions that some client was told.
    pub(super) versions: BTreeMap<Stamp, KnownVersion>,
}

#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) text: Option<FactText>,
    pub(super) stamp: Option<Stamp>,
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

    /// Whether an answer is at least as late as `stamp`, or empty where a deletion may explain it.
    pub(super) fn reaches(&self, stamp: Stamp, found: Option<&Version>) -> bool {
        let may_delete =
            |write: &Write| write.text.is_none() && write.stamp.is_none_or(|at| at >= stamp);
        match found {
            Some(version) => version.stamp >= stamp,
            None => self.writes.values().any(may_delete),
        }
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
