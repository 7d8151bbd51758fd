//! The main loop of a run: from the start of its hosts to the last turn.
//!
//! Owns the hosts, and passes each turn from the world to its host. The director's own turns are here: it starts the
//! nodes, lets faults strike and heal, and ends the run. Refuses to know what a fault does, and what hosts decide.

use std::sync::Arc;

use onsale_booking::Instant;
use onsale_cluster::Phase;
use onsale_scenarios::Moment;
use onsale_world::place::{Place, PlaceTable, Process};
use onsale_world::{DirectorTurn, NodeTurn, Turn};

use super::bounds::clocks_apart;
use super::slowest;
use crate::awaited::Came;
use crate::browsing::Browsing;
use crate::clients::Clients;
use crate::crowd::Crowd;
use crate::fault::Faults;
use crate::plan::Plan;
use crate::system::{Host, System, World};

/// The hosts of running processes.
type Hosts<S> = PlaceTable<Option<<S as System>::Host>>;

/// Carries out a plan in a new world.
pub(super) fn direct<S: System>(plan: &Plan, setup: &Arc<S::Setup>, world: &mut World<S>) {
    let calm = Instant::ZERO + plan.calm_from();
    let mut clients = clients(plan, calm);
    let mut hosts: Hosts<S> = PlaceTable::new(world.layout(), |_| None);
    let mut faults = Faults::<S>::new(plan, setup);
    enter_plan(plan, &faults, world);
    let mut over = 0;
    loop {
        let turn = match world.advance() {
            Turn::Node(place, NodeTurn::Boot) => {
                hosts[place] = Some(S::Host::boot(world, place, plan, setup));
                continue;
            }
            Turn::Node(place, turn) => {
                let host = hosts[place].as_mut().expect("a running process has booted");
                host.take_turn(world, turn);
                continue;
            }
            Turn::Clients(turn) => {
                clients.take_turn(world, turn);
                continue;
            }
            Turn::Director(turn) => turn,
        };
        match turn {
            DirectorTurn::Probe(index) => {
                world.ears.phase = probe(world, &hosts, index);
                continue;
            }
            DirectorTurn::Waits(index) => {
                faults.wait(world, index);
                continue;
            }
            DirectorTurn::Strike(index) => faults.strike(world, index),
            DirectorTurn::Step(index) => faults.step(world, index),
            DirectorTurn::Heal(index) => {
                faults.heal(world, index);
                over += 1;
                note_calm(plan, world, over);
            }
            DirectorTurn::Lapses(index) => {
                if faults.lapse(world, index) {
                    over += 1;
                    note_calm(plan, world, over);
                }
                continue;
            }
            DirectorTurn::Stage { fault, node, stage } => faults.reach(world, fault, node, stage),
            DirectorTurn::Dies(place) => faults.die(world, place),
            DirectorTurn::End => return part(world, &hosts),
        }
        bury(world, &mut hosts);
        world.check_gateways();
    }
}

fn clients(plan: &Plan, calm: Instant) -> Clients {
    let scenario = &plan.scenario;
    let faults_end = (!plan.faults.is_empty()).then_some(calm);
    let slowest = slowest::of_question(scenario);
    let seed = plan.stream("facts");
    let browsing = Browsing::new(scenario, seed, faults_end, (slowest, clocks_apart(plan)));
    let crowd = Crowd::new(scenario, plan.stream("demand"), plan.stream("room"));
    Clients::new(crowd, browsing, scenario.clone(), calm)
}

/// Starts the nodes, and enters the plan's faults in the calendar.
fn enter_plan<S: System>(plan: &Plan, faults: &Faults<'_, S>, world: &mut World<S>) {
    let scenario = &plan.scenario;
    (1..=scenario.cluster.nodes).for_each(|node| world.start(Place::node(node)));
    world.wake_at(Place::Clients, Some(Instant::ZERO));
    faults.enter(world);
    world.end_at(Instant::ZERO + scenario.duration);
    world.course.stops_at.into_iter().for_each(|at| world.end_at(at));
    note_calm(plan, world, 0);
}

/// Tells the judges when calm begins: `over` faults have healed, or will never strike.
fn note_calm<S: System>(plan: &Plan, world: &mut World<S>, over: usize) {
    if over == plan.faults.len() {
        world.ears.witness.judges.faults_over(world.now);
    }
}

/// The phase just before a strike of the shard that the fault's moment was about, as far as its node knows; else of the
/// hot show's shard, as far as its leader knows.
fn probe<S: System>(world: &World<S>, hosts: &Hosts<S>, fault: usize) -> Phase {
    let phase = |node, log| {
        let up = world.process(node) == Process::Up;
        let host = hosts[node].as_ref().filter(|_| up);
        host.map_or(Phase::Electing, |host| host.phase(log))
    };
    match world.ears.awaited.came(fault) {
        // A candidate knows of no leader, whichever of its shards it is about.
        Some(Came { moment: Moment::Electing, .. }) => Phase::Electing,
        Some(Came { node, log: Some(log), .. }) => phase(node, log),
        Some(Came { log: None, .. }) | None => {
            let hot = world.ears.hot.0;
            let serves = world.ears.leaders[hot as usize];
            let leader = serves.max(world.ears.elected);
            leader.map_or(Phase::Electing, |(_, node)| phase(Place::Node(node), hot))
        }
    }
}

/// Drops the hosts of dead processes.
fn bury<S: System>(world: &World<S>, hosts: &mut Hosts<S>) {
    for place in world.layout().nodes() {
        if world.process(place) == Process::Down {
            hosts[place] = None;
        }
    }
}

/// Audits every running node at the end of the run, and reads its tables.
fn part<S: System>(world: &mut World<S>, hosts: &Hosts<S>) {
    for place in world.layout().nodes() {
        if let Some(host) = &hosts[place]
            && world.process(place) == Process::Up
        {
            let well = |node| world.ears.witness.judges.is_well(world.now, node);
            for table in host.tables(world.now, &well) {
                world.ears.witness.judges.waits_at_the_end(world.now, place.node_id(), table);
            }
            world.ears.replicas_replayed += host.audit(&world.machines()[place]);
        }
    }
}
