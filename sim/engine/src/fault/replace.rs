//! Nodes that join, and a node that is lost for good while another takes its place.
//!
//! Owns what operators do then: start the spare, and have the lost one struck off by another's word.
//! Refuses to know how shards move.

use onsale_scenarios::Target;

use super::{Faults, spared};
use crate::seen::place::{Place, Process};
use crate::world::World;

impl Faults<'_> {
    /// A spare starts and joins.
    pub(super) fn join(&self, world: &mut World, index: usize, place: Place) {
        if world.may_start(place) {
            world.touches.turn(index);
            self.executor.restart(self.processes[place]);
            world.start_to_join(place);
        }
    }

    /// A node is lost, and another takes its place. Says what happened.
    pub(super) fn replace(
        &self,
        world: &mut World,
        index: usize,
        lost: Target,
        by: Target,
    ) -> String {
        let (victim, spare) = (self.victim(world, lost), self.victim(world, by));
        let name = self.name(world, victim);
        if let Some(shard) = self.endangers(world, victim) {
            self.join(world, index, spare);
            return format!("{}; {spare} joins", spared(&name, shard));
        }
        // It is gone for good with its machine, which answers nobody for it.
        world.cut_power(victim);
        if world.process(victim) != Process::Down {
            self.executor.kill(self.processes[victim]);
            world.kill(victim, Some(index));
        }
        world.lose(index, victim);
        self.join(world, index, spare);
        format!("loss of {name} for good; {spare} takes its place")
    }
}
