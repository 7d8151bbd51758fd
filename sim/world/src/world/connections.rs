//! What clients notice of a gateway that answers no more.
//!
//! Owns what a machine says in place of a process that is dead, and health checks of gateways. As long as
//! a machine has power its kernel resets the connections that a process leaves behind, and refuses what
//! arrives where none listens: clients learn of it one way later. A machine without power, one that is cut off,
//! and a process that stands still say nothing. Refuses to know what clients make of it.

use onsale_booking::Instant;

use super::World;
use super::event::Event;
use crate::cargo::Cargo;
use crate::listener::Listener;
use crate::place::{Place, Process};
use crate::turn::{ClientsTurn, Turn};

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// A machine loses power, for one more fault.
    pub fn cut_power(&mut self, node: Place) {
        self.machines[node].life.cut_power();
    }

    /// A machine has power again, as far as one fault is concerned.
    pub fn restore_power(&mut self, node: Place) {
        self.machines[node].life.restore_power();
    }

    /// A process has died: clients that were connected to it learn of it, unless its machine has no power.
    pub(super) fn reset_connections(&mut self, node: Place) {
        self.enter_reset(node, ClientsTurn::Reset(node, self.now));
    }

    /// What a client sent arrives where no process is, or another than the one to which it was sent.
    #[cold]
    pub(super) fn refuse(&mut self, node: Place, mut message: C::Message) {
        if let Some(way) = self.network.follow(node, Place::Clients, self.now)
            && C::is_refused(&message)
        {
            C::retime(&mut message, |at| at + way);
            self.enter_reset(node, ClientsTurn::Returned(node, Box::new(message)));
        }
    }

    /// It follows what the process had sent before, and is lost with it where the link is cut.
    fn enter_reset(&mut self, node: Place, turn: ClientsTurn<C>) {
        if !self.machines[node].life.has_power() {
            return;
        }
        if let Some(way) = self.network.follow(node, Place::Clients, self.now) {
            let (departed, turn) = (self.now, Box::new(turn));
            self.calendar.enter(departed + way, Event::Reset { node, departed, turn });
        }
    }

    /// A machine's word about a process that is dead reaches the clients, unless it was cut on its way.
    #[cold]
    pub(super) fn reset_arrives(
        &mut self,
        node: Place,
        departed: Instant,
        turn: ClientsTurn<C>,
    ) -> Option<Turn<C>> {
        if self.network.severed_since(node, Place::Clients, departed) {
            return None;
        }
        self.fingerprint.fold(u64::from(node.number()));
        Some(Turn::Clients(turn))
    }

    /// Health checks learn what has changed since the last call.
    pub fn check_gateways(&mut self) {
        for node in self.layout().nodes() {
            let is_up = self.machines[node].life.state() == Process::Up;
            let answers = is_up
                && !self.network.is_cut(Place::Clients, node)
                && !self.network.is_cut(node, Place::Clients);
            if let Some(due) = self.rotation.see(self.now, node, answers) {
                self.calendar.enter(due.at, Event::Checked { node, changes: due.changes });
            }
        }
    }
}
