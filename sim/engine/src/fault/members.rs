//! Nodes that join and leave, and a node that is lost for good and replaced.
//!
//! Owns the operators' part: start the spare, tell nodes to leave, and have another node remove the lost one. Refuses
//! to know how shards move.

use onsale_booking::{NodeId, Span};
use onsale_scenarios::{Family, Fault, MembersFault, Scenario, Target, majority};
use onsale_world::Order;
use onsale_world::place::{Place, Process};
use onsale_world::process::Death;
use onsale_world::stream::{Stream, below};

use super::swarm::Draw;
use super::victims::{listed, spared};
use super::{Faults, Strike};
use crate::system::{System, World};

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
            MembersFault::MajorityLoss { nodes, by, .. } => self.lose_majority(strike, nodes, by),
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

    /// Loses nodes for good at one instant, and starts the spares. Returns the fault's description.
    fn lose_majority(&self, strike: &mut Strike<'_, S>, lost: &[Target], by: &[Target]) -> String {
        let (lost, by) = (self.victims(strike.world, lost), self.victims(strike.world, by));
        if let Some(log) = S::stranded(self.setup, strike.world.machines(), &lost) {
            by.iter().for_each(|&spare| self.join(strike, spare));
            let log = (S::NAMING.log)(log);
            return format!("disks of {} spared: no other has {log}", listed(&lost));
        }
        let names: Vec<String> = lost.iter().map(|&it| self.name(strike.world, it)).collect();
        let (world, index) = (&mut *strike.world, strike.index);
        for &victim in &lost {
            world.cut_power(victim);
            if world.process(victim) != Process::Down {
                world.kill(victim, Death::Machine, Some(index));
            }
        }
        world.lose(index, &lost);
        by.iter().for_each(|&spare| self.join(strike, spare));
        format!("permanent loss of {}; {}", names.join(" and of "), moved(&by, "join"))
    }

    /// Has an operator give orders to the survivors. Returns what was done.
    pub(super) fn step_members(&self, world: &mut World<S>, index: usize) -> String {
        let orders = S::recovery(self.setup, world.machines());
        let logs =
            orders.iter().filter(|(_, order)| matches!(order, Order::Recover { .. })).count();
        for (place, order) in orders {
            world.touches.turn(index);
            world.order(place, order);
        }
        format!("an operator orders survivors to recover {logs} logs")
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
        world.lose(index, &[victim]);
        self.join(strike, spare);
        format!("permanent loss of {name}; {spare} replaces it")
    }
}

/// Time between two readings of the disks by an operator: a survivor may have been down or full at the first.
const READS_EVERY: Span = Span::from_secs(10);

/// Instants at which an operator reads the survivors' disks.
pub(super) fn steps(fault: &Fault, what: &MembersFault) -> Vec<Span> {
    let MembersFault::MajorityLoss { after, .. } = what else { return Vec::new() };
    let reads = (0..).map(|nth| fault.at + *after + Span(READS_EVERY.0 * nth));
    reads.take_while(|&at| at < fault.ends()).collect()
}

/// The nodes and what they do: `n4 joins`, `n4, n5 join`.
fn moved(places: &[Place], verb: &str) -> String {
    let names: Vec<String> = places.iter().map(Place::to_string).collect();
    let ending = if names.len() == 1 { "s" } else { "" };
    format!("{} {verb}{ending}", names.join(", "))
}

/// Draws a fault, if the family is one of these that seeds draw.
pub(super) fn draw(family: Family, draw: &mut Draw<'_>) -> Option<MembersFault> {
    if family == Family::MajorityLoss {
        return Some(drawn_majority_loss(draw));
    }
    (family == Family::Replace).then(|| drawn_replace(draw))
}

fn drawn_replace(draw: &mut Draw<'_>) -> MembersFault {
    let by = draw.scenario.spares_at_hand().next().expect("a spare is at hand");
    let mut node = draw.target;
    let fits =
        |&(at, _): &(Span, Target)| at >= draw.swarm.from && at + draw.lasts <= draw.swarm.until;
    if let Some(new) = newcomer(draw.scenario, draw.stream).filter(fits) {
        (draw.at, node) = new;
    }
    MembersFault::Replace { node, by }
}

/// As many nodes as are a majority of a shard, in a row, and as many spares; the order comes halfway at the latest.
fn drawn_majority_loss(draw: &Draw<'_>) -> MembersFault {
    let cluster = &draw.scenario.cluster;
    let (lost, nodes) = (majority(cluster.replicas), u64::from(cluster.nodes));
    let first = below(draw.strength, nodes);
    let node = |nth| Target::Node(NodeId(1 + ((first + nth) % nodes) as u16));
    MembersFault::MajorityLoss {
        nodes: (0..lost as u64).map(node).collect(),
        by: draw.scenario.spares_at_hand().take(lost).collect(),
        after: MembersFault::ORDER_AFTER.min(Span(draw.lasts.0 / 2)),
    }
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
