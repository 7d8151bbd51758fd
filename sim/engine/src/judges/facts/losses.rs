//! Versions lost with disks: which they are, and for how long nodes may be behind because of them.
//!
//! Owns the rules of loss. Refuses to read disks: it is told what is left on them.

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::Stamp;

use super::history::{Deletions, History};
use super::{Facts, Loss};
use crate::seen::asked::SessionId;

impl Facts {
    /// Notes that a node's disk has lost facts.
    pub fn on_disk_lost(&mut self, node: NodeId, loss: Loss) {
        let versions = self.histories.values_mut().flat_map(|history| &mut history.versions);
        for (&stamp, told) in versions {
            told.holders.retain(|&holder| holder != node || loss.left.covers(stamp));
            told.is_lost |= told.holders.is_empty() && !loss.kept.covers(stamp);
        }
        self.losses.insert(node, loss);
    }

    /// Number of acknowledged writes lost with disks.
    pub fn lost(&self) -> usize {
        self.histories.values().map(History::lost).sum()
    }

    /// Whether a node may be behind a session because of a lost version: one that its writer has not written off for as
    /// long as nodes take to agree. The writer itself does so once it has been asked by such a session, in calm, after
    /// three rounds of repair.
    pub(super) fn loss_explains(&self, session: SessionId, node: NodeId, asked: Instant) -> bool {
        let Deletions { delays, clocks_wrong, accepted_drift, .. } = &self.deletions;
        let hears_all = delays.quiet_since().is_some_and(|since| {
            asked >= since.max(self.judged_from()) + Span(3 * self.repair_every.0)
        });
        self.lost_and_met(session).any(|stamp| {
            let is_accepted = stamp.at + *clocks_wrong <= asked + *accepted_drift;
            let by_writer = node == stamp.node && hears_all && is_accepted;
            let off = self.written_off.get(&stamp.node);
            let by_others = off.is_some_and(|&(off, at)| stamp <= off && at + self.bound <= asked);
            !by_writer && !by_others
        })
    }

    /// Notes that a node serves a session: it has written off its own lost versions that the session has met.
    pub(super) fn note_written_off(&mut self, at: Instant, session: SessionId, node: NodeId) {
        if self.losses.is_empty() {
            return;
        }
        let own = self.lost_and_met(session).filter(|stamp| stamp.node == node).max();
        let Some(stamp) = own else { return };
        let off = self.written_off.entry(node).or_insert((stamp, at));
        if stamp > off.0 {
            *off = (stamp, at);
        }
    }

    /// The lost versions that a session has met.
    fn lost_and_met(&self, session: SessionId) -> impl Iterator<Item = Stamp> {
        self.sessions.get(&session).into_iter().flatten().flat_map(|(key, met)| {
            let history = self.histories.get(key);
            let lost = met
                .iter()
                .filter(move |met| history.is_some_and(|history| history.is_lost(met.stamp)));
            lost.map(|met| met.stamp)
        })
    }
}
