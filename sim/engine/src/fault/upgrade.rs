//! Rolling upgrades: every node in turn starts with the next release of the program, and one may go back.
//!
//! Owns which release is installed in which turn, and how an upgrade is drawn. A release is installed when its node is
//! told to stop, so a process that another fault ends meanwhile starts with it as well. Refuses to know what differs
//! between releases: a process that cannot run with one says so, and stays down until its node gets another.

use onsale_booking::{Instant, NodeId, Span};
use onsale_reports::human;
use onsale_scenarios::{ProcessFault, Rollback, Target, What, installations};
use onsale_world::Stage;
use onsale_world::place::Place;
use onsale_world::stream::below;

use super::process::stop_patience;
use super::swarm::Draw;
use super::{Faults, Strike};
use crate::system::{System, World};

/// An upgrade in force.
#[derive(Debug)]
pub(super) struct Upgrade {
    since: Instant,
    turn: Span,
    order: Vec<(NodeId, u16)>,
}

impl Upgrade {
    /// The release of the turn that begins at an instant.
    fn release(&self, now: Instant) -> Option<u16> {
        let turn = now.since(self.since).0 / self.turn.0;
        self.order.get(usize::try_from(turn).ok()?).map(|&(_, release)| release)
    }
}

impl<S: System> Faults<'_, S> {
    /// Begins an upgrade, in which each installation has an equal part of the time. Returns the fault's description.
    pub(super) fn upgrade(
        &self,
        strike: &mut Strike<'_, S>,
        rolls_back: Option<Target>,
        rollback: Rollback,
    ) -> String {
        let (world, index) = (&mut *strike.world, strike.index);
        let back = rolls_back.map(|target| self.victim(world, target).node_id());
        let order = installations(back, rollback, self.placement.nodes());
        let turn = Span(strike.lasts.0 / order.len() as u64);
        for (nth, &(node, _)) in (0..).zip(&order) {
            let at = world.now + Span(turn.0 * nth);
            world.enter_stage(at, index, Place::Node(node), Stage::Told);
        }
        // Spares that start later get the release that the upgrade leaves.
        if let Some(&(_, last)) = order.last() {
            for spare in self.places() {
                if world.incarnation(spare) == 0 {
                    world.machine(spare).program.install(last, index);
                }
            }
        }
        strike.force.process.upgrade = Some(Upgrade { since: world.now, turn, order });
        let back = back.map_or_else(String::new, |node| match rollback {
            Rollback::Early => format!("; {node} goes back before the others"),
            Rollback::Late => format!("; {node} goes back after the others"),
            Rollback::ForGood => format!("; {node} goes back, and it is called off"),
        });
        format!("upgrade, one node every {}{back}", human::span(turn))
    }

    /// Installs the release of this turn on a node, if the fault is an upgrade. A process that has refused to run with
    /// the one before starts with this one after the downtime.
    pub(super) fn install(&self, world: &mut World<S>, index: usize, node: Place) {
        let What::Process(ProcessFault::Upgrade { down, .. }) = &self.plan[index].what else {
            return;
        };
        let upgrade =
            self.in_force[index].as_ref().and_then(|force| force.process.upgrade.as_ref());
        let Some(release) = upgrade.and_then(|upgrade| upgrade.release(world.now)) else { return };
        let program = &mut world.machine(node).program;
        let has_refused = program.has_refused();
        program.install(release, index);
        if has_refused {
            world.enter_stage(world.now + *down, index, node, Stage::Starts);
        }
    }
}

/// Draws an upgrade: in three of four, a node goes back.
pub(super) fn draw(draw: &mut Draw<'_>) -> ProcessFault {
    let (nodes, numbers) = (draw.scenario.cluster.nodes, draw.scenario.cluster.numbers());
    let (goes_back, node) = (draw.stream.below(4) > 0, draw.stream.draw());
    let node = NodeId(1 + below(node, u64::from(nodes)) as u16);
    let back = goes_back.then_some(node);
    let rollback = Rollback::ALL[draw.stream.below(Rollback::ALL.len() as u64) as usize];
    let turns = installations(back, rollback, numbers).len() as u64;
    let turn = Span(draw.lasts.0 / turns);
    let patience = stop_patience(turn);
    ProcessFault::Upgrade {
        patience,
        down: Span((turn - patience).0 / 2),
        rolls_back: back.map(Target::Node),
        rollback,
    }
}
