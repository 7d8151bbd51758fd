//! The links that a partition cuts.
//!
//! Owns the shapes: islands, halves, one direction, a ring of majorities, a bridge. Refuses to know
//! how links are cut.

use onsale_scenarios::{Cut, Target};
use onsale_world::place::Place;

use super::Faults;
use super::victims::listed;
use crate::system::{System, World};

/// Directed links.
type Links = Vec<(Place, Place)>;

impl<S: System> Faults<'_, S> {
    /// The directed links that a partition cuts, and its description.
    pub(super) fn links(&self, world: &World<S>, cut: &Cut) -> (Links, String) {
        match cut {
            Cut::Isolate(targets) => self.isolation(world, targets),
            Cut::Halves => self.halves(world),
            Cut::OneWay(target) => {
                let victim = self.victim(world, *target);
                let others = self.places().filter(|&place| place != victim);
                let links = others.map(|place| (victim, place)).collect();
                (links, format!("one-way partition: no node hears {}", self.name(world, victim)))
            }
            Cut::MajorityRing => {
                (self.majority_ring(), "majority ring: each node sees another majority".to_owned())
            }
            Cut::Bridge => self.bridge(),
        }
    }

    fn isolation(&self, world: &World<S>, targets: &[Target]) -> (Links, String) {
        let mut island = self.victims(world, targets);
        island.sort_unstable();
        island.dedup();
        let nodes = self.places().filter(|place| !island.contains(place));
        let mainland: Vec<Place> = std::iter::once(Place::Clients).chain(nodes).collect();
        let names: Vec<String> = island.iter().map(|&place| self.name(world, place)).collect();
        (across(&island, &mainland), format!("isolation of {}", names.join(" and ")))
    }

    fn halves(&self, world: &World<S>) -> (Links, String) {
        let leader = world.ears.hot_leader();
        let rest: Vec<Place> = self.places().filter(|&place| place != leader).collect();
        let with_leader = rest.len() / 2;
        let (beside, other) = rest.split_at(with_leader.saturating_sub(1));
        let small: Vec<Place> = std::iter::once(leader).chain(beside.iter().copied()).collect();
        let (half, rest) = (listed(&small), listed(other));
        let what = format!("split into {half} and {rest}, {leader} in the smaller half");
        (across(&small, other), what)
    }

    /// Each node sees itself and equally many neighbours on both sides of the ring: a bare majority.
    fn majority_ring(&self) -> Links {
        let nodes = self.places().count();
        let reach = nodes / 2 / 2 + nodes / 2 % 2;
        let apart = |a: Place, b: Place| {
            let gap = a.number().abs_diff(b.number()) as usize;
            gap.min(nodes - gap) > reach
        };
        let pairs = self.places().flat_map(|a| self.places().map(move |b| (a, b)));
        both_ways(pairs.filter(|&(a, b)| a < b && apart(a, b)))
    }

    fn bridge(&self) -> (Links, String) {
        let middle = Place::node(self.placement.nodes().div_ceil(2));
        let others = self.places().filter(|&place| place != middle);
        let (left, right): (Vec<Place>, Vec<Place>) = others.partition(|&place| place < middle);
        let (one, other) = (listed(&left), listed(&right));
        let what = format!("bridge: {one} and {other} see each other only through {middle}");
        (across(&left, &right), what)
    }
}

/// All links between two sides.
fn across(left: &[Place], right: &[Place]) -> Links {
    both_ways(left.iter().flat_map(|&a| right.iter().map(move |&b| (a, b))))
}

fn both_ways(pairs: impl Iterator<Item = (Place, Place)>) -> Links {
    pairs.flat_map(|(a, b)| [(a, b), (b, a)]).collect()
}
