//! Failover of the hot show, step by step.
//!
//! Owns the instants at which its leader was suspected, another elected, and the first record of
//! the new epoch committed. Refuses to know the fate of the old leader, and the cause.

use onsale_booking::{Instant, NodeId};
use onsale_cluster::Epoch;

/// Failover from one leader of the hot show to the next.
#[derive(Clone, Debug)]
pub struct Failover {
    leader: NodeId,
    epoch: Epoch,
    /// Instant at which another node first suspected the leader.
    pub suspected: Option<Instant>,
    /// Instant at which a leader of another epoch was elected.
    pub elected: Option<Instant>,
    /// Instant at which the first record of that or a later epoch was committed: its leader serves.
    pub serving: Option<Instant>,
}

impl Failover {
    /// A failover from this leader of this epoch, before its first step.
    pub(crate) fn new((epoch, leader): (Epoch, NodeId)) -> Self {
        Self { leader, epoch, suspected: None, elected: None, serving: None }
    }

    pub(super) fn on_suspected(&mut self, now: Instant, peer: NodeId) {
        if peer == self.leader && self.elected.is_none() {
            self.suspected.get_or_insert(now);
        }
    }

    pub(super) fn on_elected(&mut self, now: Instant, epoch: Epoch) {
        if epoch > self.epoch {
            self.elected.get_or_insert(now);
        }
    }

    /// Notes a lead transfer: the failover is from the new leader now.
    pub(super) fn on_handed_over(&mut self, epoch: Epoch, leader: NodeId) {
        if !self.happened() {
            *self = Self::new((epoch, leader));
        }
    }

    pub(super) fn on_serving(&mut self, now: Instant, epoch: Epoch) {
        if epoch > self.epoch {
            self.serving.get_or_insert(now);
        }
    }

    /// Whether the leader was replaced.
    pub(super) fn happened(&self) -> bool {
        self.elected.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_transfer_is_no_failover() {
        let mut failover = Failover::new((Epoch(3), NodeId(2)));
        failover.on_handed_over(Epoch(4), NodeId(1));
        failover.on_serving(Instant(1), Epoch(4));
        assert!(!failover.happened() && failover.serving.is_none());
        failover.on_suspected(Instant(2), NodeId(1));
        failover.on_elected(Instant(3), Epoch(5));
        failover.on_handed_over(Epoch(6), NodeId(2));
        failover.on_serving(Instant(4), Epoch(5));
        let steps = (failover.suspected, failover.elected, failover.serving);
        assert_eq!(steps, (Some(Instant(2)), Some(Instant(3)), Some(Instant(4))));
    }

    #[test]
    fn each_step_counts_once_and_only_the_struck_leader_s_epoch_ends() {
        let mut failover = Failover::new((Epoch(3), NodeId(2)));
        failover.on_suspected(Instant(1), NodeId(4));
        failover.on_elected(Instant(2), Epoch(3));
        assert!(failover.suspected.is_none() && !failover.happened());
        failover.on_suspected(Instant(3), NodeId(2));
        failover.on_suspected(Instant(4), NodeId(2));
        failover.on_elected(Instant(5), Epoch(4));
        failover.on_suspected(Instant(6), NodeId(2));
        failover.on_elected(Instant(7), Epoch(5));
        failover.on_serving(Instant(8), Epoch(5));
        assert!(failover.happened());
        let steps = (failover.suspected, failover.elected, failover.serving);
        assert_eq!(steps, (Some(Instant(3)), Some(Instant(5)), Some(Instant(8))));
    }
}
