//! Which links a partition cuts.
//!
//! Owns the shapes of partitions: who still hears whom. Refuses to know when a partition comes and goes.

use onsale_scenarios::Cut;

use super::{Faults, listed};
use crate::seen::place::{CLIENTS, Place};
use crate::world::World;

impl Faults<'_> {
    /// The directed links that a partition cuts.
    pub(super) fn links(&self, world: &World, cut: &Cut) -> (Vec<(Place, Place)>, String) {
        let all: Vec<Place> = self.places().collect();
        let nodes = all.len();
        let both = |pairs: &mut dyn Iterator<Item = (Place, Place)>| {
            pairs.flat_map(|(a, b)| [(a, b), (b, a)]).collect::<Vec<_>>()
        };
        let across = |left: &[Place], right: &[Place]| {
            both(&mut left.iter().flat_map(|&a| right.iter().map(move |&b| (a, b))))
        };
        match cut {
            Cut::Isolate(targets) => {
                let mut island: Vec<Place> =
                    targets.iter().map(|&target| self.victim(world, target)).collect();
                island.sort_unstable();
                island.dedup();
                let mainland: Vec<Place> = std::iter::once(CLIENTS)
                    .chain(all.iter().copied().filter(|place| !island.contains(place)))
                    .collect();
                let names = island
                    .iter()
                    .map(|&place| self.name(world, place))
                    .collect::<Vec<_>>()
                    .join(" and ");
                (across(&island, &mainland), format!("isolation of {names}"))
            }
            Cut::Halves => {
                let owner = self.owner(world);
                let rest: Vec<Place> =
                    all.iter().copied().filter(|&place| place != owner).collect();
                let with_owner = (nodes - 1) / 2;
                let (beside, other) = rest.split_at(with_owner.saturating_sub(1));
                let small: Vec<Place> =
                    std::iter::once(owner).chain(beside.iter().copied()).collect();
                (
                    across(&small, other),
                    format!(
                        "split into {} and {}, n{owner} in the smaller half",
                        listed(&small),
                        listed(other)
                    ),
                )
            }
            Cut::OneWay(target) => {
                let victim = self.victim(world, *target);
                let links = all
                    .iter()
                    .filter(|&&place| place != victim)
                    .map(|&place| (victim, place))
                    .collect();
                (links, format!("what {} sends to other nodes is lost", self.name(world, victim)))
            }
            Cut::MajorityRing => {
                // Each node sees itself and the same number of neighbours on both sides of the ring: just a majority.
                let reach = nodes / 2 / 2 + nodes / 2 % 2;
                let apart = |a: Place, b: Place| {
                    let gap = a.abs_diff(b);
                    gap.min(nodes - gap) > reach
                };
                let mut pairs = all
                    .iter()
                    .flat_map(|&a| all.iter().map(move |&b| (a, b)))
                    .filter(|&(a, b)| a < b && apart(a, b));
                (both(&mut pairs), "majority ring: each node sees another majority".to_owned())
            }
            Cut::Bridge => {
                let middle = nodes.div_ceil(2);
                let (left, right): (Vec<Place>, Vec<Place>) = all
                    .iter()
                    .filter(|&&place| place != middle)
                    .partition(|&&place| place < middle);
                (
                    across(&left, &right),
                    format!(
                        "bridge: {} and {} see each other only through n{middle}",
                        listed(&left),
                        listed(&right)
                    ),
                )
            }
        }
    }
}
