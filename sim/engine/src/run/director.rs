//! The main loop of a run: from the start of its hosts to the last turn.
//!
//! Owns the hosts, and passes each turn from the world to its host. The director's own turns are here: it starts the
//! nodes, lets faults strike and heal, and ends the run. Refuses to know what a fault does, and what hosts decide.

use std::sync::Arc;

use onsale_booking::Instant;
use onsale_cluster::Phase;
use onsale_world::place::{Place, PlaceTable, Process};
use onsale_world::{DirectorTurn, NodeTurn, Turn};

use super::slowest;
use crate::browsing::Browsing;
use crate::clients::Clients;
use crate::crowd::Crowd;
use crate::fault::{self, Faults};
use crate::plan::Plan;
use crate::system::{Host, System, World};

/// The hosts of running processes.
type Hosts<S> = PlaceTable<Option<<S as System>::Host>>;

/// Carries out a plan in a new world.
pub(super) fn direct<S: System>(plan: &Plan, setup: &Arc<S::Setup>, world: &mut World<S>) {
    let calm = Instant::ZERO + plan.calm_from();
    let mut clients = clients(plan, calm);
    let mut hosts: Hosts<S> = PlaceTable::new(world.layout(), |_| None);
    enter_plan(plan, world);
    let mut faults = Faults::<S>::new(plan, setup);
    let mut healed = 0;
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
            DirectorTurn::Probe => {
                world.ears.phase = probe(world, &hosts);
                continue;
            }
            DirectorTurn::Strike(index) => faults.strike(world, index),
            DirectorTurn::Step(index) => faults.step(world, index),
            DirectorTurn::Heal(index) => {
                faults.heal(world, index);
                healed += 1;
                if healed == plan.faults.len() {
                    world.ears.witness.judges.faults_over(world.now);
                }
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
    let browsing = Browsing::new(scenario, plan.stream("facts"), faults_end, slowest);
    let crowd = Crowd::new(scenario, plan.stream("demand"), plan.stream("room"));
    Clients::new(crowd, browsing, scenario.clone(), calm)
}

/// Starts the nodes, and enters the plan's faults in the calendar.
fn enter_plan<S: System>(plan: &Plan, world: &mut World<S>) {
    let scenario = &plan.scenario;
    (1..=scenario.cluster.nodes).for_each(|node| world.start(Place::node(node)));
    world.wake_at(Place::Clients, Some(Instant::ZERO));
    for (index, fault) in plan.faults.iter().enumerate() {
        world.enter_strike(Instant::ZERO + fault.at, index);
        for (step, at) in fault::steps(fault).into_iter().enumerate() {
            world.enter_step(Instant::ZERO + at, index, step);
        }
        world.enter_heal(Instant::ZERO + fault.ends(), index);
    }
    world.end_at(Instant::ZERO + scenario.duration);
    world.course.stops_at.into_iter().for_each(|at| world.end_at(at));
    if plan.faults.is_empty() {
        world.ears.witness.judges.faults_over(Instant::ZERO);
    }
}

/// The phase of the hot show's shard just before a strike, as far as its leader knows.
fn probe<S: System>(world: &World<S>, hosts: &Hosts<S>) -> Phase {
    let hot = world.ears.hot;
    let leader = world.ears.leaders[hot.0 as usize].map(|(_, node)| Place::Node(node));
    let leader = leader.filter(|&place| world.process(place) == Process::Up);
    let host = leader.and_then(|place| hosts[place].as_ref());
    host.map_or(Phase::Electing, |host| host.phase(hot.0))
}

/// Drops the hosts of dead processes.
fn bury<S: System>(world: &World<S>, hosts: &mut Hosts<S>) {
    for place in world.layout().nodes() {
        if world.process(place) == Process::Down {
            hosts[place] = None;
        }
    }
}

/// Audits every running node at the end of the run.
fn part<S: System>(world: &mut World<S>, hosts: &Hosts<S>) {
    for place in world.layout().nodes() {
        if let Some(host) = &hosts[place]
            && world.process(place) == Process::Up
        {
            world.ears.replicas_replayed += host.audit(&world.machines()[place]);
        }
    }
}
