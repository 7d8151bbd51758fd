//! The kinds of events, and their effects.
//!
//! Owns the mapping from events to turns. Refuses to know when events come, and what a host does in its turn.

use onsale_booking::Instant;

use super::World;
use crate::calendar::Calendar;
use crate::cargo::Cargo;
use crate::listener::Listener;
use crate::place::{Place, Process, Route};
use crate::turn::{ClientsTurn, DirectorTurn, NodeTurn, Order, Stage, Turn};
use crate::write::WriteId;

/// An event of the calendar. Most events are messages: these are kept small, and larger variants are boxed.
#[derive(Debug)]
pub(super) enum Event<C: Cargo> {
    Arrives { route: Route, sender: u32, departed: Instant, message: C::Message },
    Reset { node: Place, departed: Instant, turn: Box<ClientsTurn<C>> },
    Checked { node: Place, changes: u32 },
    Durable { node: Place, incarnation: u32, id: WriteId },
    Scrubbed { node: Place, incarnation: u32 },
    Dies { node: Place, incarnation: u32 },
    Wakes { host: Place, incarnation: u32 },
    CoreFree { node: Place, incarnation: u32, core: usize },
    Boots { node: Place, incarnation: u32 },
    Resumed { node: Place, incarnation: u32, turn: Box<NodeTurn<C>> },
    Fault { fault: usize, strikes: bool },
    FaultStep { fault: usize, step: usize },
    Told { node: Place, incarnation: u32, order: Box<Order> },
    Stage { fault: usize, node: Place, stage: Stage },
    Probes { fault: usize },
    FaultWaits { fault: usize, begins: bool },
    End,
    Stop,
}

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Processes one event. Returns the turn that it gives, if any.
    #[inline]
    pub(super) fn happen(&mut self, event: Event<C>) -> Option<Turn<C>> {
        self.fingerprint.fold(self.now.0);
        match event {
            Event::Arrives { route, sender, departed, message } => {
                self.arrive(route, sender, departed, message)
            }
            Event::Reset { node, departed, turn } => self.reset_arrives(node, departed, *turn),
            Event::Checked { node, changes } => {
                self.rotation.judge(self.now, node, changes);
                None
            }
            Event::Durable { node, incarnation, id } => {
                let life = &self.machines[node].life;
                if life.incarnation() != incarnation || life.state() == Process::Down {
                    return None;
                }
                self.fingerprint.fold(u64::from(node.number()) << 32 | id.0);
                self.write_ends(node, id)
            }
            Event::Wakes { host, incarnation } => {
                if !self.machines[host].life.wakes(self.now, incarnation) {
                    return None;
                }
                match host {
                    Place::Clients => Some(Turn::Clients(ClientsTurn::Wake)),
                    Place::Node(_) | Place::Service(_) | Place::Director => {
                        self.give(host, NodeTurn::Wake)
                    }
                }
            }
            Event::CoreFree { node, incarnation, core } => {
                self.give_same(node, incarnation, NodeTurn::CoreFree(core))
            }
            Event::Scrubbed { node, incarnation } => {
                self.give_rarely(node, incarnation, NodeTurn::DamageFound)
            }
            Event::Dies { node, incarnation } => self.has_to_die(node, incarnation),
            Event::Boots { node, incarnation } => self.boots(node, incarnation),
            Event::Resumed { node, incarnation, turn } => {
                self.give_rarely(node, incarnation, *turn)
            }
            Event::Told { node, incarnation, order } => {
                self.give_rarely(node, incarnation, NodeTurn::Told(*order))
            }
            Event::Stage { fault, node, stage } => {
                let word = (fault as u64) << 32 | u64::from(node.number()) << 2 | stage as u64;
                self.give_director(word, DirectorTurn::Stage { fault, node, stage })
            }
            Event::Fault { fault, strikes } => {
                let word = (fault as u64) << 1 | u64::from(strikes);
                let turn = if strikes { DirectorTurn::Strike } else { DirectorTurn::Heal };
                self.give_director(word, turn(fault))
            }
            Event::FaultStep { fault, step } => {
                let word = (fault as u64) << 32 | step as u64;
                self.give_director(word, DirectorTurn::Step(fault))
            }
            Event::Probes { fault } => Some(Turn::Director(DirectorTurn::Probe(fault))),
            Event::FaultWaits { fault, begins } => {
                let turn = if begins { DirectorTurn::Waits } else { DirectorTurn::Lapses };
                Some(Turn::Director(turn(fault)))
            }
            Event::End => {
                let first = !std::mem::replace(&mut self.course.ended, true);
                first.then_some(Turn::Clients(ClientsTurn::End))
            }
            Event::Stop => Some(Turn::Director(DirectorTurn::End)),
        }
    }

    #[cold]
    fn has_to_die(&mut self, node: Place, incarnation: u32) -> Option<Turn<C>> {
        let life = &self.machines[node].life;
        let same = life.incarnation() == incarnation && life.state() != Process::Down;
        same.then_some(Turn::Director(DirectorTurn::Dies(node)))
    }

    /// Boots a process that may start; if that exceeds the run's limits, the run ends instead.
    #[cold]
    fn boots(&mut self, node: Place, incarnation: u32) -> Option<Turn<C>> {
        let running = self.machines.values().filter(|it| it.life.state() != Process::Down).count();
        let (affords, ends) = self.course.affords_start(running as u64);
        if ends {
            // No other event may happen: the process that they are for has not started.
            self.calendar = Calendar::default();
            self.calendar.enter(self.now, Event::End);
        }
        if affords { self.give_same(node, incarnation, NodeTurn::Boot) } else { None }
    }

    /// A rare kind of turn, kept out of the hot path.
    #[cold]
    fn give_rarely(&mut self, node: Place, incarnation: u32, turn: NodeTurn<C>) -> Option<Turn<C>> {
        self.give_same(node, incarnation, turn)
    }
}
