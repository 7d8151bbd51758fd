//! The course of a run: from the start of its hosts to the last turn.
//!
//! Owns the hosts and who of them takes the next turn: the world says it. The director's own turns are here: it starts
//! the nodes, has faults strike and heal, and ends the run. Refuses to know what a fault does, and what hosts decide.

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

/// The nodes whose processes run.
type Hosts<S> = PlaceTable<Option<<S as System>::Host>>;

/// Carries out a plan in a world in which nothing has happened.
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
                let host = hosts[place].as_mut().expect("a process that runs has booted");
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

/// Starts the nodes, and enters what the plan says into the calendar.
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

/// A fault is about to strike: what is the hot show's shard doing, as far as its leader can say?
fn probe<S: System>(world: &World<S>, hosts: &Hosts<S>) -> Phase {
    let hot = world.ears.hot;
    let leader = world.ears.leaders[hot.0 as usize].map(|(_, node)| Place::Node(node));
    let leader = leader.filter(|&place| world.process(place) == Process::Up);
    let host = leader.and_then(|place| hosts[place].as_ref());
    host.map_or(Phase::Electing, |host| host.phase(hot))
}

/// What a process had in its memory goes with it.
fn bury<S: System>(world: &World<S>, hosts: &mut Hosts<S>) {
    for place in world.layout().nodes() {
        if world.process(place) == Process::Down {
            hosts[place] = None;
        }
    }
}

/// The run is over: each node that is up is looked at while it still has all that it had.
fn part<S: System>(world: &mut World<S>, hosts: &Hosts<S>) {
    for place in world.layout().nodes() {
        if let Some(host) = &hosts[place]
            && world.process(place) == Process::Up
        {
            world.ears.replicas_replayed += host.audit(&world.machines()[place]);
        }
    }
}
