//! Nodes that join and leave, and a node that is lost for good and replaced.
//!
//! Owns the operators' part: start the spare, tell nodes to leave, and have another node remove the lost one. Refuses
//! to know how shards move.

use onsale_booking::Span;
use onsale_scenarios::{Family, Fault, MembersFault, Scenario, Target};
use onsale_world::place::{Place, Process};
use onsale_world::process::Death;
use onsale_world::stream::{Stream, below};

use super::swarm::Draw;
use super::victims::spared;
use super::{Faults, Strike};
use crate::system::System;

/// Time for which a joining node counts as new: about as long as its first shards take to arrive.
const FIRST_MOVES: Span = Span::from_secs(10);

impl<S: System> Faults<'_, S> {
    pub(super) fn strike_members(
        &self,
        strike: &mut Strike<'_, S>,
        fault: &MembersFault,
    ) -> String {
        match fault {
            MembersFault::Join { nodes } => {
                let joining = self.victims(strike.world, nodes);
                joining.iter().for_each(|&place| self.join(strike, place));
                moved(&joining, "join")
            }
            MembersFault::Leave { nodes } => {
                let leaving = self.victims(strike.world, nodes);
                leaving.iter().for_each(|&place| {
                    strike.world.touches.turn(strike.index);
                    strike.world.tell_to_leave(strike.index, place);
                });
                moved(&leaving, "leave")
            }
            MembersFault::Replace { node, by } => self.replace(strike, *node, *by),
        }
    }

    /// Starts a spare, which joins.
    fn join(&self, strike: &mut Strike<'_, S>, place: Place) {
        let world = &mut *strike.world;
        if world.may_start(place) {
            world.touches.turn(strike.index);
            world.start_to_join(place);
        }
    }

    /// Loses a node for good and starts the spare that replaces it. Returns the fault's description.
    fn replace(&self, strike: &mut Strike<'_, S>, lost: Target, by: Target) -> String {
        let (victim, spare) = (self.victim(strike.world, lost), self.victim(strike.world, by));
        let name = self.name(strike.world, victim);
        if let Some(log) = self.endangers(strike.world, victim) {
            self.join(strike, spare);
            return format!("{}; {spare} joins", spared(&name, &log));
        }
        let (world, index) = (&mut *strike.world, strike.index);
        // Its machine is gone too, so no kernel resets its connections.
        world.cut_power(victim);
        if world.process(victim) != Process::Down {
            world.kill(victim, Death::Machine, Some(index));
        }
        world.lose(index, victim);
        self.join(strike, spare);
        format!("permanent loss of {name}; {spare} replaces it")
    }
}

/// The nodes and what they do: `n4 joins`, `n4, n5 join`.
fn moved(places: &[Place], verb: &str) -> String {
    let names: Vec<String> = places.iter().map(Place::to_string).collect();
    let ending = if names.len() == 1 { "s" } else { "" };
    format!("{} {verb}{ending}", names.join(", "))
}

/// Draws a fault, if the family is one of these that seeds draw.
pub(super) fn draw(family: Family, draw: &mut Draw<'_>) -> Option<MembersFault> {
    if family != Family::Replace {
        return None;
    }
    let by = draw.scenario.spare_at_hand().expect("a spare is at hand");
    let mut node = draw.target;
    let fits =
        |&(at, _): &(Span, Target)| at >= draw.swarm.from && at + draw.lasts <= draw.swarm.until;
    if let Some(new) = newcomer(draw.scenario, draw.stream).filter(fits) {
        (draw.at, node) = new;
    }
    Some(MembersFault::Replace { node, by })
}

/// A joining node and an instant shortly after it began to join; `None` for half of the seeds.
fn newcomer(scenario: &Scenario, stream: &mut Stream) -> Option<(Span, Target)> {
    let joins = |fault: &'_ Fault| -> Vec<(Span, Target)> {
        fault.joining().iter().map(|&node| (fault.at, node)).collect()
    };
    let joining: Vec<(Span, Target)> = scenario.faults.iter().flat_map(joins).collect();
    let (off, nth, after) = (stream.below(2) == 0, stream.draw(), stream.below(FIRST_MOVES.0));
    if off || joining.is_empty() {
        return None;
    }
    let (at, node) = joining[below(nth, joining.len() as u64) as usize];
    Some((at + Span(after), node))
}
