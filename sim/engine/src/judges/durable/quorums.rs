//! The members of one log, as far as a quorum of them may be counted.
//!
//! Owns the members by the committed changes, those before the last change, and those by each change that stands on a disk
//! and is not known to be committed. Refuses to say which of them a leader goes by: it applies a change somewhere between
//! its first copy and the first commit index that covers it, so a quorum of any of them may be what it counted.

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
}

impl Quorums {
    pub(super) fn of(members: Members) -> Self {
        Self { now: vec![members], before: None }
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
        let agrees = |member: ReplicaId| held(member).map_or(0, |held| log.agrees_with(held));
        for members in self.now.iter().chain(&self.before) {
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
