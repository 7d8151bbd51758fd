//! The kinds of events, and what each does.
//!
//! Owns which host an event gives a turn. Refuses to know when events come, and what a host does in its turn.

use onsale_booking::Instant;
use onsale_cluster::{Input, Message, PersistId};

use super::connections::Reset;
use super::stopping::Stage;
use super::{Turn, World};
use crate::seen::place::{Place, Process};

/// An event of the calendar. Most events are messages: they are kept small, and what is larger is boxed.
#[derive(Debug)]
pub(super) enum Event {
    Arrives { from: Place, to: Place, sender: u32, departed: Instant, message: Message },
    Reset { node: Place, departed: Instant, reset: Box<Reset> },
    Checked { node: Place, changes: u32 },
    Durable { node: Place, incarnation: u32, id: PersistId },
    Scrubbed { node: Place, incarnation: u32 },
    Dies { node: Place, incarnation: u32 },
    Wakes { host: Place, incarnation: u32 },
    CoreFree { node: Place, incarnation: u32, core: usize },
    Boots { node: Place, incarnation: u32 },
    Resumed { node: Place, incarnation: u32, turn: Box<Turn> },
    Fault { index: usize, strikes: bool },
    FaultStep { index: usize, step: usize },
    Told { node: Place, incarnation: u32, input: Box<Input> },
    Stage { index: usize, node: Place, stage: Stage },
    Probes,
    End,
    Stop,
}

impl World {
    /// One event. Returns the host that it gives a turn, if it gives one.
    #[inline]
    pub(super) fn happen(&mut self, event: Event) -> Option<(Place, Turn)> {
        self.fingerprint.fold(self.now.0);
        match event {
            Event::Arrives { from, to, sender, departed, message } => {
                self.arrive(from, to, sender, departed, message)
            }
            Event::Reset { node, departed, reset } => self.reset_arrives(node, departed, reset),
            Event::Checked { node, changes } => {
                self.rotation.judge(self.now, node, changes);
                None
            }
            Event::Durable { node, incarnation, id } => {
                if self.machines[node].incarnation != incarnation
                    || self.machines[node].process == Process::Down
                {
                    return None;
                }
                self.fingerprint.fold(u64::from(node.number()) << 32 | id.0);
                self.write_ends(node, id)
            }
            Event::Wakes { host, incarnation } => {
                let machine = &mut self.machines[host];
                if machine.incarnation != incarnation || machine.wake != Some(self.now) {
                    return None;
                }
                machine.wake = None;
                self.give(host, Turn::Wake)
            }
            Event::CoreFree { node, incarnation, core } => {
                self.give_same(node, incarnation, Turn::CoreFree(core))
            }
            Event::Scrubbed { node, incarnation } => {
                self.give_rarely(node, incarnation, Turn::DamageFound)
            }
            Event::Dies { node, incarnation } => self.has_to_die(node, incarnation),
            Event::Boots { node, incarnation } => self.boots(node, incarnation),
            Event::Resumed { node, incarnation, turn } => {
                self.give_rarely(node, incarnation, *turn)
            }
            Event::Told { node, incarnation, input } => {
                self.give_rarely(node, incarnation, Turn::Told(input))
            }
            Event::Stage { index, node, stage } => {
                let word = (index as u64) << 32 | u64::from(node.number()) << 2 | stage as u64;
                self.give_director(word, Turn::Stage { index, node, stage })
            }
            Event::Fault { index, strikes } => {
                let word = (index as u64) << 1 | u64::from(strikes);
                self.give_director(word, Turn::Fault { index, strikes })
            }
            Event::FaultStep { index, step } => {
                let word = (index as u64) << 32 | step as u64;
                self.give_director(word, Turn::FaultStep { index, step })
            }
            Event::Probes => self.probe(),
            Event::End => {
                let first = !std::mem::replace(&mut self.ended, true);
                first.then_some((Place::Clients, Turn::End))
            }
            Event::Stop => Some((Place::Director, Turn::End)),
        }
    }

    /// The turn of a fault: before it strikes, goes on or ends, what has come so far has come.
    #[cold]
    fn give_director(&mut self, word: u64, turn: Turn) -> Option<(Place, Turn)> {
        self.let_all_beats_arrive();
        self.fingerprint.fold(word);
        Some((Place::Director, turn))
    }

    #[cold]
    fn has_to_die(&mut self, node: Place, incarnation: u32) -> Option<(Place, Turn)> {
        let machine = &self.machines[node];
        let same = machine.incarnation == incarnation && machine.process != Process::Down;
        same.then_some((Place::Director, Turn::Dies(node)))
    }

    #[cold]
    fn boots(&mut self, node: Place, incarnation: u32) -> Option<(Place, Turn)> {
        if self.affords_start() { self.give_same(node, incarnation, Turn::Boot) } else { None }
    }

    /// A turn of a kind that is rare, out of the way of those that are most of a run.
    #[cold]
    fn give_rarely(&mut self, node: Place, incarnation: u32, turn: Turn) -> Option<(Place, Turn)> {
        self.give_same(node, incarnation, turn)
    }
}
