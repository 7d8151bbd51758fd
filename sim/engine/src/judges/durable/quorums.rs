//! The members of one log, as far as a quorum of them may be counted.
//!
//! Owns the members by the committed changes, those before the last change, and those by each change that stands on a disk
//! and is not known to be committed; and what members had acknowledged whose disks were then lost. Refuses to say which of
//! the members a leader goes by: it applies a change somewhere between its first copy and the first commit index that
//! covers it, so a quorum of any of them may be what it counted.

use onsale_cluster::Epoch;
use onsale_cluster::journal::{Change, Members, ReplicaId};

use super::held::Held;
use super::terms::Terms;

/// The possible members of one log.
#[derive(Debug)]
pub(super) struct Quorums {
    /// The members by the committed changes, then those by each later change in turn.
    now: Vec<Members>,
    /// The members before the last committed change.
    before: Option<Members>,
    /// Members whose disks were lost, the epoch in which each acknowledged records last, and the last of those.
    lost: Vec<(ReplicaId, Epoch, u64)>,
}

impl Quorums {
    pub(super) fn of(members: Members) -> Self {
        Self { now: vec![members], before: None, lost: Vec::new() }
    }

    /// A change stands on a disk.
    pub(super) fn on_change(&mut self, change: &[u8]) {
        let Some(change) = Change::decode(change) else { return };
        for place in 0..self.now.len() {
            if let Some(next) = self.now[place].after(change)
                && !self.now.contains(&next)
            {
                self.now.push(next);
            }
        }
    }

    /// A change is committed.
    pub(super) fn on_committed(&mut self, members: Members) {
        let known = self.now.iter().position(|now| *now == members);
        self.before = Some(self.now[0].clone());
        match known {
            Some(place) => drop(self.now.drain(..place)),
            None => self.now = vec![members],
        }
    }

    /// The disk of a member is lost that had acknowledged records in an epoch up to an index.
    pub(super) fn on_lost(&mut self, member: ReplicaId, (epoch, index): (Epoch, u64)) {
        self.lost.retain(|&(known, ..)| known != member);
        self.lost.push((member, epoch, index));
    }

    /// The last record of a log that a member had acknowledged before its disk was lost; 0 if there is none. The leader of
    /// that epoch counts it for as long as it leads, and others may know of a later epoch by then.
    fn lost_upto(&self, member: ReplicaId, log: &Held, terms: &Terms) -> u64 {
        let lost = self.lost.iter().find(|&&(known, ..)| known == member);
        let Some(&(_, epoch, acknowledged)) = lost else { return 0 };
        let index = acknowledged.min(log.ends().0);
        let is_theirs = terms.epoch_at(epoch, index).is_some_and(|of| log.covers((index, of)));
        if is_theirs { index } else { 0 }
    }

    /// Notes the records of a log that a quorum of disks holds, after one of them has changed. `held` gives a member's
    /// replica, if its disk has one of that generation.
    pub(super) fn count<'a>(
        &self,
        log: &Held,
        held: impl Fn(ReplicaId) -> Option<&'a Held>,
        terms: &mut Terms,
    ) {
        if terms.was_on_quorum(log.ends()) {
            return;
        }
        for members in self.now.iter().chain(&self.before) {
            let agrees = |member: ReplicaId| {
                let kept = held(member).map_or(0, |held| log.agrees_with(held));
                kept.max(self.lost_upto(member, log, terms))
            };
            let mut upto = 0;
            for index in members.each().map(agrees) {
                if index > upto && members.is_quorum(|other| agrees(other) >= index) {
                    upto = index;
                }
            }
            for (last, epoch) in log.runs_back() {
                if last <= upto {
                    if !terms.on_quorum((last, epoch)) {
                        break;
                    }
                } else if log.epoch_at(upto) == Some(epoch) {
                    terms.on_quorum((upto, epoch));
                }
            }
        }
    }

    /// The voters by the committed changes, for evidence.
    pub(super) fn voters(&self) -> String {
        self.now[0].voters().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }
}
