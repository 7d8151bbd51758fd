//! The fault atlas: which disks may be damaged, so that every record keeps a majority of good copies,
//! unless the scenario leaves that to chance.
//!
//! Owns the count of damaged copies, which it reads off the disks themselves: a copy counts as
//! damaged until its replica has written that it has made up for it. Refuses to know what damages
//! a disk and whether anybody has noticed.

use onsale_core::journal::{Recovered, Wal};
use onsale_core::{NodeId, ShardId};
use onsale_scenarios::GoodCopies;

use super::Faults;
use crate::world::World;
use crate::world::network::Place;

impl Faults<'_> {
    /// A shard that would be left without a majority of good copies, were the victim's disk damaged too,
    /// and that must not be.
    pub(super) fn endangers(&self, world: &mut World, victim: Place) -> Option<ShardId> {
        match self.good_copies {
            GoodCopies::Majority => {}
            GoodCopies::Any => return None,
        }
        let others: Vec<(NodeId, Recovered)> = self
            .places()
            .filter(|&place| place != victim)
            .map(|place| {
                let contents = world.machine(place).disk.contents();
                let found = if contents.is_empty() && world.incarnation(place) > 0 {
                    Wal::recover_replaced()
                } else {
                    Wal::recover(contents)
                };
                (NodeId(place as u16), found)
            })
            .collect();
        (0..self.placement.shards()).map(ShardId).find(|&shard| {
            let replicas = self.placement.replicas(shard);
            let damaged = others
                .iter()
                .filter(|(node, found)| replicas.contains(node) && found.is_in_doubt(shard))
                .count();
            replicas.contains(&NodeId(victim as u16)) && damaged + 1 > (replicas.len() - 1) / 2
        })
    }
}
