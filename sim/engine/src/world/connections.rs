//! What clients notice of a gateway that answers no more.
//!
//! Owns what a machine says in place of a process that is dead, and health checks of gateways. As long as
//! a machine has power its kernel resets the connections that a process leaves behind, and refuses what
//! arrives where none listens: clients learn of it one way later. A machine without power, one that is cut off,
//! and a process that stands still say nothing. Refuses to know what clients make of it.

use onsale_booking::{Instant, RequestId, Timed};
use onsale_cluster::Message;
use onsale_cluster::fact::{FactsMessage, QuestionId};

use super::{Event, Turn, World};
use crate::seen::place::{Place, Process};

/// What a machine tells clients in place of its process.
#[derive(Clone, Debug)]
pub enum Reset {
    /// The process died at this instant, and all its connections with it.
    Died(Instant),
    /// These requests arrived when none was there, and when a client hears of each.
    Requests(Vec<Timed<RequestId>>),
    /// So did this question about facts.
    Question(QuestionId),
}

impl World {
    /// A machine loses power, for one more fault.
    pub fn cut_power(&mut self, node: Place) {
        self.machines[node].dark += 1;
    }

    /// A machine has power again, as far as one fault is concerned.
    pub fn restore_power(&mut self, node: Place) {
        let dark = &mut self.machines[node].dark;
        *dark = dark.checked_sub(1).expect("only power that was cut is restored");
    }

    /// A process has died: clients that were connected to it learn of it, unless its machine has no power.
    pub(super) fn reset_connections(&mut self, node: Place) {
        self.enter_reset(node, Reset::Died(self.now));
    }

    /// What a client sent arrives where no process is, or another than the one to which it was sent.
    #[cold]
    pub(super) fn refuse(&mut self, node: Place, message: &Message) {
        let Some(way) = self.network.follow(node, Place::Clients, self.now) else { return };
        match message {
            Message::Requests(batch) => {
                let heard =
                    batch.iter().map(|sent| Timed { at: sent.at + way, item: sent.item.id });
                let refused = heard.collect();
                self.enter_reset(node, Reset::Requests(refused));
            }
            Message::Facts(message) => {
                if let FactsMessage::Question(question) = &**message {
                    self.enter_reset(node, Reset::Question(question.id));
                }
            }
            Message::Forwarded(_)
            | Message::Answers(_)
            | Message::Replies(_)
            | Message::Journal(_)
            | Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_) => {}
        }
    }

    /// It follows what the process had sent before, and is lost with it where the link is cut.
    fn enter_reset(&mut self, node: Place, reset: Reset) {
        if self.machines[node].dark > 0 {
            return;
        }
        if let Some(way) = self.network.follow(node, Place::Clients, self.now) {
            let (departed, reset) = (self.now, Box::new(reset));
            self.calendar.enter(departed + way, Event::Reset { node, departed, reset });
        }
    }

    /// A machine's word about a process that is dead reaches the clients, unless it was cut on its way.
    #[cold]
    pub(super) fn reset_arrives(
        &mut self,
        node: Place,
        departed: Instant,
        reset: Box<Reset>,
    ) -> Option<(Place, Turn)> {
        if self.network.severed_since(node, Place::Clients, departed) {
            return None;
        }
        self.fingerprint.fold(u64::from(node.number()));
        self.give(Place::Clients, Turn::Reset { node, reset })
    }

    /// Whoever checks gateways finds out what has changed since this was called last.
    pub fn check_gateways(&mut self) {
        for node in self.layout().nodes() {
            let is_up = self.machines[node].process == Process::Up;
            let answers = is_up
                && !self.network.is_cut(Place::Clients, node)
                && !self.network.is_cut(node, Place::Clients);
            if let Some(due) = self.rotation.see(self.now, node, answers) {
                self.calendar.enter(due.at, Event::Checked { node, changes: due.changes });
            }
        }
    }
}
