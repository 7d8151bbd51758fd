//! What clients notice of a gateway that is down.
//!
//! Owns a machine's answers for a dead process, and the gateways' health checks. While a machine has power, its kernel
//! resets the connections of a dead process, and refuses messages that arrive when no process listens: clients learn
//! of it one way later. A machine without power, one that is cut off, and a paused process are silent. Refuses to know
//! how clients react.

use onsale_booking::Instant;

use super::World;
use super::event::Event;
use crate::cargo::Cargo;
use crate::listener::Listener;
use crate::place::{Place, Process};
use crate::turn::{ClientsTurn, Turn};

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Cuts a machine's power, for one more fault. What a process killed before had not synced is lost with it.
    pub fn cut_power(&mut self, node: Place) {
        let machine = &mut self.machines[node];
        machine.life.cut_power();
        if machine.life.state() == Process::Down {
            machine.disk.lose_page_cache();
        }
    }

    /// Restores a machine's power, for one fault.
    pub fn restore_power(&mut self, node: Place) {
        self.machines[node].life.restore_power();
    }

    /// Resets the clients' connections to a dead process, unless its machine has no power.
    pub(super) fn reset_connections(&mut self, node: Place) {
        self.enter_reset(node, ClientsTurn::Reset(node, self.now));
    }

    /// Refuses a client's message that finds no process, or another incarnation than it was sent to.
    #[cold]
    pub(super) fn refuse(&mut self, node: Place, mut message: C::Message) {
        if let Some(way) = self.network.follow(node, Place::Clients, self.now)
            && C::is_refused(&message)
        {
            C::retime(&mut message, |at| at + way);
            self.enter_reset(node, ClientsTurn::Returned(node, Box::new(message)));
        }
    }

    /// Enters a reset behind the process's last messages; it is lost with them if the link is cut.
    fn enter_reset(&mut self, node: Place, turn: ClientsTurn<C>) {
        if !self.machines[node].life.has_power() {
            return;
        }
        if let Some(way) = self.network.follow(node, Place::Clients, self.now) {
            let (departed, turn) = (self.now, Box::new(turn));
            self.calendar.enter(departed + way, Event::Reset { node, departed, turn });
        }
    }

    /// The clients' turn for a machine's reset or refusal, unless a cut took it on its way.
    #[cold]
    pub(super) fn reset_arrives(
        &mut self,
        node: Place,
        departed: Instant,
        turn: ClientsTurn<C>,
    ) -> Option<Turn<C>> {
        let route = self.layout().route(node, Place::Clients);
        if self.network.severed_since(route, departed) {
            return None;
        }
        self.fingerprint.fold(u64::from(node.number()));
        Some(Turn::Clients(turn))
    }

    /// Updates the health checks with the changes since the last call.
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
