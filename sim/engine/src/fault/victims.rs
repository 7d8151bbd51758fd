//! The nodes that a fault strikes, and their names in reports.
//!
//! Owns the choice of victims: a target is resolved when its fault strikes. Refuses to know what is done to them.

use onsale_booking::ShowId;
use onsale_scenarios::Target;
use onsale_world::place::{Layout, Place};

use super::Faults;
use crate::system::{Ledger, System, World};

impl<S: System> Faults<'_, S> {
    pub(super) fn places(&self) -> impl DoubleEndedIterator<Item = Place> + Clone + use<S> {
        Layout::new(self.placement.nodes(), 0).nodes()
    }

    pub(super) fn zone(&self, place: Place) -> u16 {
        self.placement.zone_of(place.node_id()).0
    }

    pub(super) fn victim(&self, world: &World<S>, target: Target) -> Place {
        match target {
            Target::Node(node) => Place::Node(node),
            Target::Leader => world.ears.hot_leader(),
            Target::There => self.there.expect("a fault with `there` waits for a moment"),
            Target::Follower => {
                let leader = world.ears.hot_leader();
                let mut replicas = world.ears.hot_replicas.iter().map(|&node| Place::Node(node));
                replicas.find(|&place| place != leader).unwrap_or(leader)
            }
        }
    }

    /// A log that must keep a majority of good copies, and would lose it if the victim's disk were damaged; `None` if
    /// the disk may be damaged.
    pub(super) fn endangers(&self, world: &World<S>, victim: Place) -> Option<String> {
        let ledger = &world.ears.ledger;
        let log = ledger.endangers(self.setup, world.machines(), victim, self.good_copies);
        log.map(S::NAMING.log)
    }

    pub(super) fn victims(&self, world: &World<S>, targets: &[Target]) -> Vec<Place> {
        targets.iter().map(|&target| self.victim(world, target)).collect()
    }

    pub(super) fn name(&self, world: &World<S>, place: Place) -> String {
        if S::NAMING.has_leaders && place == world.ears.hot_leader() {
            format!("{place}, the leader of {}", ShowId(0))
        } else {
            place.to_string()
        }
    }
}

/// The description of a fault that spares a disk.
pub(super) fn spared(name: &str, log: &str) -> String {
    format!("disk of {name} spared: {log} would lose its majority of good copies")
}

/// Several nodes in braces.
pub(super) fn listed(places: &[Place]) -> String {
    let names: Vec<String> = places.iter().map(Place::to_string).collect();
    format!("{{{}}}", names.join(", "))
}
