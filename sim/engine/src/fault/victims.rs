//! Which nodes a fault strikes, and what people call them.
//!
//! Owns the choice of victims: a target is resolved when its fault strikes. Refuses to know what happens to them.

use onsale_booking::ShowId;
use onsale_scenarios::Target;

use super::Faults;
use crate::seen::place::{Layout, Place};
use crate::world::World;

impl Faults<'_> {
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = Place> + Clone + use<> {
        Layout::new(self.placement.nodes(), 0).nodes()
    }

    pub(super) fn zone(&self, place: Place) -> u16 {
        self.placement.zone_of(place.node_id()).0
    }

    pub(super) fn leader(&self, world: &World) -> Place {
        let shard = world.hot;
        let leader = world.leaders[shard.0 as usize]
            .map_or_else(|| self.placement.replicas(shard)[0], |(_, node)| node);
        Place::Node(leader)
    }

    pub(super) fn victim(&self, world: &World, target: Target) -> Place {
        match target {
            Target::Node(node) => Place::Node(node),
            Target::Leader => self.leader(world),
            Target::Follower => {
                let leader = self.leader(world);
                let replicas = self.placement.replicas(world.hot);
                replicas
                    .iter()
                    .map(|&node| Place::Node(node))
                    .find(|&place| place != leader)
                    .unwrap_or(leader)
            }
        }
    }

    pub(super) fn victims(&self, world: &World, targets: &[Target]) -> Vec<Place> {
        targets.iter().map(|&target| self.victim(world, target)).collect()
    }

    pub(super) fn name(&self, world: &World, place: Place) -> String {
        if place == self.leader(world) {
            format!("{place}, the leader of {}", ShowId(0))
        } else {
            place.to_string()
        }
    }
}

/// Several nodes in braces.
pub(super) fn listed(places: &[Place]) -> String {
    let names: Vec<String> = places.iter().map(Place::to_string).collect();
    format!("{{{}}}", names.join(", "))
}
