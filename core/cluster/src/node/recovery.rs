//! A node's part in a recovery that an operator orders, because a majority of a shard's voters is lost for good.
//!
//! Owns the check that an order is for the replica that is here, and the generation of the one that goes on. Refuses to
//! know what the replica does, and how others come to it.

use onsale_booking::NodeId;

use super::Node;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::LEAP;
use crate::shard::Shard;

impl Node {
    /// Has a replica go on alone, where the map can change: others could not come to it otherwise.
    #[cold]
    pub(super) fn on_recover(
        &mut self,
        id: ShardId,
        generation: u32,
        lost: &[NodeId],
        effects: &mut Effects,
    ) {
        let Some(version) = self.placement.map_shard().map(|_| self.placement.version()) else {
            return;
        };
        let version = u32::try_from(version).expect("maps are few");
        let next = generation.max(version).saturating_add(LEAP);
        let is_lost = |node| lost.contains(&node);
        if let Some(shard) = addressed(self.replicas.get_mut(id), generation)
            && shard.recover(next, is_lost, &mut self.answers, effects)
        {
            self.replicas.touch(id);
        }
    }

    /// Drops a replica for good.
    #[cold]
    pub(super) fn on_give_up(&mut self, id: ShardId, generation: u32, effects: &mut Effects) {
        if let Some(shard) = addressed(self.replicas.get_mut(id), generation)
            && shard.give_up(&mut self.answers, effects)
        {
            self.replicas.touch(id);
        }
    }
}

/// The replica that an order is for, if it is the one that is here.
fn addressed(shard: Option<&mut Shard>, generation: u32) -> Option<&mut Shard> {
    shard.filter(|shard| shard.journal().replica().generation() == generation)
}
