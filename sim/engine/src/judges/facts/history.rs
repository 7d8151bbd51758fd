//! What clients know of one fact: what was asked to be written, and which versions somebody was told of.
//!
//! Owns which versions are lost with disks. Refuses to judge.

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId};
use onsale_cluster::Stamp;
use onsale_cluster::fact::{FactText, QuestionId, Version};

use super::Loss;

/// All that clients know of one fact.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    pub(super) writes: BTreeMap<QuestionId, Write>,
    /// The versions of which somebody was told.
    pub(super) versions: BTreeMap<Stamp, Told>,
}

#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) text: Option<FactText>,
    pub(super) stamp: Option<Stamp>,
}

/// A version of which somebody was told.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) text: Option<FactText>,
    /// When somebody was first told, and by whom.
    pub(super) at: Instant,
    pub(super) node: NodeId,
    /// The nodes that told of it and have not lost it with their disks since.
    pub(super) holders: Vec<NodeId>,
    pub(super) is_lost: bool,
}

impl History {
    /// The latest version of which somebody was told by `at` and that is not lost.
    pub(super) fn told_by(&self, at: Instant) -> Option<(Stamp, &Told)> {
        let mut latest = self.versions.iter().rev().map(|(&stamp, told)| (stamp, told));
        latest.find(|(_, told)| told.at <= at && !told.is_lost)
    }

    /// Somebody is told of a version, by what the node's disk held before a loss or else by what it
    /// holds. Returns what is known of it.
    pub(super) fn tell(
        &mut self,
        at: Instant,
        node: NodeId,
        version: &Version,
        before: Option<&Loss>,
    ) -> &Told {
        let (text, stamp) = (version.text.clone(), version.stamp);
        let new = || Told { text, at, node, holders: Vec::new(), is_lost: false };
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

    /// How many writes were acknowledged and are lost.
    pub(super) fn lost(&self) -> usize {
        let stamps = self.writes.values().filter_map(|write| write.stamp);
        stamps.filter(|&stamp| self.is_lost(stamp)).count()
    }

    /// Whether an answer is as late as `stamp`, or nothing, where that may be deleted.
    pub(super) fn reaches(&self, stamp: Stamp, found: Option<&Version>) -> bool {
        let may_delete =
            |write: &Write| write.text.is_none() && write.stamp.is_none_or(|at| at >= stamp);
        match found {
            Some(version) => version.stamp >= stamp,
            None => self.writes.values().any(may_delete),
        }
    }
}

/// What a node that was asked at an instant has lost since: it may have answered by what it had
/// before.
pub(super) fn loss_after(
    losses: &BTreeMap<NodeId, Loss>,
    node: NodeId,
    asked: Instant,
) -> Option<&Loss> {
    losses.get(&node).filter(|loss| asked <= loss.at)
}
