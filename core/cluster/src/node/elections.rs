//! When this node stands for election.
//!
//! Owns what follows from a peer's silence, and from its return, for the shards that both
//! replicate: who is replaced, and after what delay. Refuses to know who wins.

use onsale_booking::{Instant, NodeId, Span};

use super::{Node, storage};
use crate::config::OnSuspicion;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::Journal;
use crate::mark::Mark;
use crate::observation::Observation;

/// How much longer each further replica waits before it stands for election, so that
/// the first in the shard's list wins unopposed: longer than a round trip and a write.
const RANK_DELAY: Span = Span::from_millis(30);

impl Node {
    /// Peers have been silent for too long.
    #[cold]
    pub(super) fn suspect(&mut self, effects: &mut Effects) {
        for peer in self.detector.overdue(self.now) {
            effects.observe(Observation::Suspected { peer });
            if self.is_of_cluster() {
                self.membership.suspect(peer, self.now);
            }
            self.gateway.on_suspected(self.now, peer, effects);
            self.facts.on_suspected(peer);
            self.replace(peer);
            if self.setup.config.on_suspicion == OnSuspicion::Down {
                self.strike_off(peer);
            }
        }
    }

    /// A peer is here again: where this node leads and the peer follows, it is spoken to.
    pub(super) fn wake_followers(&mut self, peer: NodeId) {
        for id in self.shared_with(peer) {
            if let Some(shard) = &mut self.shards[id.0 as usize] {
                shard.on_peer_heard(peer);
                self.touch(id);
            }
        }
    }

    /// A peer is gone, or has forgotten that it led: where it did, this node will stand
    /// for election, the sooner the further up it is in the shard's list.
    pub(super) fn replace(&mut self, peer: NodeId) {
        for id in self.shared_with(peer) {
            let led =
                self.shards[id.0 as usize].as_ref().and_then(|shard| shard.journal().leader());
            if led == Some(peer) {
                self.stand_against(id, peer, self.now);
            }
        }
    }

    /// A silent peer is taken for dead in every shard that it shares with this node.
    fn strike_off(&mut self, peer: NodeId) {
        for id in self.shared_with(peer) {
            if let Some(shard) = &mut self.shards[id.0 as usize] {
                shard.strike_off(peer);
                self.touch(id);
            }
        }
    }

    pub(super) fn stand_against(&mut self, id: ShardId, leader: NodeId, earliest: Instant) {
        let Some(shard) = &self.shards[id.0 as usize] else { return };
        let rivals = self.placement.replicas(id).iter().take_while(|&&member| member != self.me);
        let rank =
            rivals.filter(|&&rival| rival != leader && !self.detector.suspects(rival)).count();
        let at = earliest + Span(RANK_DELAY.0 * rank as u64);
        self.campaigns.insert((at, id, shard.journal().epoch(), leader));
    }

    #[inline]
    pub(super) fn next_campaign(&self) -> Instant {
        match self.campaigns.is_empty() {
            true => Instant::MAX,
            false => self.campaigns.first().map_or(Instant::MAX, |&(at, ..)| at),
        }
    }

    /// Stands for the elections that are due.
    #[cold]
    pub(super) fn campaign(&mut self, effects: &mut Effects) {
        while self.next_campaign() <= self.now {
            let Some((_, id, epoch, leader)) = self.campaigns.pop_first() else { return };
            if self.storage.is_full() {
                effects.observe(Observation::Mark(Mark::AbstainedWithoutDisk));
                self.campaigns.insert((self.now + storage::RETRY_EVERY, id, epoch, leader));
                continue;
            }
            let Some(shard) = &mut self.shards[id.0 as usize] else { continue };
            // If the epoch has passed, somebody else was quicker.
            if shard.journal().epoch() == epoch && !shard.journal().is_leader() {
                effects.observe(Observation::Mark(Mark::StoodForElection));
                shard.campaign();
                self.touch(id);
            }
        }
    }

    /// Whether a peer leads a shard as far as this node's replica knows.
    fn follows(&self, id: ShardId, peer: NodeId) -> bool {
        let shard = self.shards[id.0 as usize].as_ref();
        shard.is_some_and(|shard| shard.journal().leader() == Some(peer))
    }

    fn shared_with(&self, peer: NodeId) -> Vec<ShardId> {
        let ours = self.carried.iter().copied();
        ours.filter(|&id| self.placement.replicas(id).contains(&peer) || self.follows(id, peer))
            .collect()
    }
}
