//! The way of a message from place to place.
//!
//! Owns when it is handed to the network, when it arrives, and why it is lost if it is. Refuses
//! to know what it says beyond what its receiver's turn needs. Beats that say nothing new have
//! a way of their own.

use onsale_booking::{Endpoint, Instant};
use onsale_cluster::Message;

use super::{Event, Turn, World, digest, word};
use crate::seen::place::{Carried, Place, Process};
use crate::seen::sight::{Lost, Sight};

impl World {
    /// Sends a message that leaves at `departs`; each item of a batch leaves at its own instant.
    #[inline]
    pub fn send(&mut self, from: Place, to: Place, departs: Instant, message: Message) {
        let departed = departs.max(self.now);
        let waits = self.queues.wait((from, to), departed, &message);
        let carried = self.network.carry_after(from, to, departed, waits);
        if self.witness.is_watched() {
            self.show_sent((from, to), departed, &message, carried);
        }
        let sender = self.machines[from].incarnation;
        if let Message::Beat(beat) = message {
            if self.is_steady(from, to, beat) {
                return self.send_beat(from, to, departed, carried, beat);
            }
        } else if !carried.befell.is_nothing() {
            self.network.note(from, to, carried.befell);
        }
        let mut arrives = |latency, mut message: Message| {
            message.retime(|at| at + latency);
            let event = Event::Arrives { from, to, sender, departed, message };
            self.calendar.enter(departed + latency, event);
        };
        if let Some(latency) = carried.second {
            arrives(latency, message.clone());
        }
        if let Some(latency) = carried.first {
            arrives(latency, message);
        }
    }

    /// Out of the way of the many runs at which nobody looks.
    #[cold]
    #[inline(never)]
    fn show_sent(
        &mut self,
        (from, to): (Place, Place),
        departs: Instant,
        message: &Message,
        carried: Carried,
    ) {
        let cut = self.network.severed_since(from, to, departs);
        self.witness.sees(self.now, || Sight::Sent { from, to, departs, message, carried, cut });
    }

    /// Why a message that would arrive now does not; none if it does.
    #[inline]
    pub(super) fn why_lost(
        &self,
        from: Place,
        to: Place,
        departed: Instant,
        sender: u32,
    ) -> Option<Lost> {
        let (source, target) = (&self.machines[from], &self.machines[to]);
        // A process that died before the message was to leave never sent it.
        let died_before = source.incarnation != sender || source.process == Process::Down;
        if died_before && departed > source.died {
            Some(Lost::NeverLeft)
        } else if target.process == Process::Down {
            Some(Lost::Down)
        } else if departed < target.booted {
            Some(Lost::Restarted)
        } else if self.network.severed_since(from, to, departed) {
            Some(Lost::Cut)
        } else {
            None
        }
    }

    /// A message, beats aside, was lost on its way: the fault that lost it is held to account.
    #[cold]
    fn note_lost(&mut self, from: Place, to: Place, why: Lost) {
        let by = match why {
            Lost::NeverLeft => self.machines[from].killed_by,
            Lost::Down | Lost::Restarted => self.machines[to].killed_by,
            Lost::Cut => return self.network.note_cut(from, to),
            Lost::Loss | Lost::Taken => None,
        };
        by.into_iter().for_each(|fault| self.touches.message(fault));
    }

    /// A message arrives, unless it is lost on the way. Returns the turn that it gives.
    pub(super) fn arrive(
        &mut self,
        from: Place,
        to: Place,
        sender: u32,
        departed: Instant,
        mut message: Message,
    ) -> Option<(Place, Turn)> {
        let lost = self.why_lost(from, to, departed, sender).or_else(|| {
            let arrives = self.sabotage.relay(self.now, from, to, &mut message);
            (!arrives).then_some(Lost::Taken)
        });
        if let Some(why) = lost {
            self.witness.sees(self.now, || Sight::Lost { from, to, message: &message, why });
            if !matches!(message, Message::Beat(_)) {
                self.note_lost(from, to, why);
            }
            self.fingerprint.fold(u64::MAX);
            if from == Place::Clients && matches!(why, Lost::Down | Lost::Restarted) {
                self.refuse(to, &message);
            }
            return None;
        }
        let waits = self.machines[to].process == Process::Paused;
        self.witness.sees(self.now, || Sight::Arrived { from, to, message: &message, waits });
        self.messages += 1;
        self.machines[to].heard_at[from] = self.now;
        self.fingerprint.fold(word((from, to)));
        digest::fold(&mut self.fingerprint, &message);
        if let Message::Beat(beat) = message
            && self.machines[to].process == Process::Up
            && std::mem::replace(&mut self.machines[to].heard[from], beat) == beat
        {
            self.machines[to].beats.push((self.now, from.node_id(), beat));
            return None;
        }
        let from = match from {
            Place::Node(node) => Endpoint::Node(node),
            Place::Clients => Endpoint::Client(onsale_booking::ClientId(0)),
            Place::Service(_) | Place::Director => panic!("{from} sends nothing yet"),
        };
        self.give(to, Turn::Delivered { from, message })
    }
}
