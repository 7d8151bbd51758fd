//! Moments in the world: a fault that waits for one strikes when it comes.
//!
//! Owns the way from a moment to the strike in the calendar, and which node a filter means then. Refuses to know how a
//! host shows a moment.

use onsale_scenarios::Target;
use onsale_world::place::Place;

use super::{System, World};
use crate::awaited::Came;

/// Notes that a moment came: the faults that waited for it strike.
#[cold]
pub fn moment_came<S: System>(world: &mut World<S>, came: Came) {
    let ears = &mut world.ears;
    let leader = ears.hot_leader();
    let follows = ears.hot_replicas.iter().any(|&node| Place::Node(node) == came.node);
    let is_at = |target| match target {
        Target::Node(node) => Place::Node(node) == came.node,
        Target::Leader => leader == came.node,
        Target::Follower => follows && leader != came.node,
        Target::There => true,
    };
    for (at, fault) in ears.awaited.take(came, is_at) {
        world.enter_strike(at, fault);
    }
}
