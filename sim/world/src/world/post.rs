//! The delivery of messages from place to place.
//!
//! Owns when a message is given to the network, when it arrives, and why it is lost. Heartbeats that say nothing new
//! take a path of their own. Refuses to know what a message says.

use onsale_booking::{Instant, NodeId};

use super::event::Event;
use super::{World, word};
use crate::cargo::Cargo;
use crate::chatter::Coming;
use crate::congestion::Load;
use crate::listener::{Listener, Passing};
use crate::place::{Carried, Lost, Place, Process, Route, Slot};
use crate::turn::{ClientsTurn, NodeTurn, Turn};

impl<C: Cargo, L: Listener<C>> World<C, L> {
    /// Sends a message that leaves at `departs`.
    #[inline]
    pub fn send(&mut self, from: Place, to: Place, departs: Instant, message: C::Message) {
        let (route, departed) = (self.layout().route(from, to), departs.max(self.now));
        let load = || Load { bytes: C::bytes(&message), counts: C::beat(&message).is_none() };
        let waits = self.queues.wait((from, to), departed, load);
        let carried = self.network.carry_after(route, departed, waits);
        if self.ears.is_watching() {
            self.show_sent((from, to), departed, &message, carried);
        }
        let sender = self.machines[route.from].life.incarnation();
        if let Some(beat) = C::beat(&message) {
            let heard = self.machines[route.to].chatter.heard(route.from);
            if C::is_steady(beat, heard) && !self.ears.relays() {
                return self.send_beat((from.node_id(), sender), route.to, departed, carried, beat);
            }
        } else if !carried.befell.is_nothing() {
            self.network.note(from, to, carried.befell);
        }
        let mut arrives = |latency, mut message: C::Message| {
            C::retime(&mut message, |at| at + latency);
            let event = Event::Arrives { route, sender, departed, message };
            self.calendar.enter(departed + latency, event);
        };
        if let Some(latency) = carried.second {
            arrives(latency, message.clone());
        }
        if let Some(latency) = carried.first {
            arrives(latency, message);
        }
    }

    /// Shows a sent message to the listener; kept out of the hot path of runs that nobody watches.
    #[cold]
    #[inline(never)]
    fn show_sent(
        &mut self,
        (from, to): (Place, Place),
        departs: Instant,
        message: &C::Message,
        carried: Carried,
    ) {
        let cut = self.network.severed_since(self.layout().route(from, to), departs);
        self.ears.sent(self.now, Passing { from, to, message }, departs, carried, cut);
    }

    /// Why a message that would arrive now does not; `None` if it does.
    #[inline]
    fn why_lost(&self, route: Route, departed: Instant, sender: u32) -> Option<Lost> {
        let (source, target) = (&self.machines[route.from].life, &self.machines[route.to].life);
        source
            .why_lost(target, departed, sender)
            .or_else(|| self.network.severed_since(route, departed).then_some(Lost::Cut))
    }

    /// Attributes a lost message, heartbeats aside, to the fault that lost it.
    #[cold]
    fn note_lost(&mut self, from: Place, to: Place, why: Lost) {
        let by = match why {
            Lost::NeverLeft => self.machines[from].life.killed_by(),
            Lost::Down | Lost::Restarted => self.machines[to].life.killed_by(),
            Lost::Cut => return self.network.note_cut(from, to),
            Lost::Loss | Lost::Taken => None,
        };
        by.into_iter().for_each(|fault| self.touches.message(fault));
    }

    /// Delivers a message, unless it is lost on the way. Returns the turn that it gives.
    pub(super) fn arrive(
        &mut self,
        route: Route,
        sender: u32,
        departed: Instant,
        mut message: C::Message,
    ) -> Option<Turn<C>> {
        let layout = self.layout();
        let (from, to) = (layout.place(route.from), layout.place(route.to));
        let lost = self.why_lost(route, departed, sender).or_else(|| {
            let arrives = self.ears.relay(self.now, from, to, &mut message);
            (!arrives).then_some(Lost::Taken)
        });
        if let Some(why) = lost {
            self.never_arrives(from, to, message, why);
            return None;
        }
        let state = self.machines[route.to].life.state();
        if self.ears.is_watching() {
            let passing = Passing { from, to, message: &message };
            self.ears.arrived(self.now, passing, state == Process::Paused);
        }
        self.course.messages += 1;
        self.machines[route.to].heard_at[route.from] = self.now;
        self.fingerprint.fold(word(route));
        C::fold(&message, &mut self.fingerprint);
        if let Some(beat) = C::beat(&message)
            && state == Process::Up
            && self.machines[route.to].chatter.hears(route.from, beat) == beat
        {
            self.machines[route.to].chatter.arrive(self.now, from.node_id(), beat);
            return None;
        }
        match to {
            Place::Clients => Some(Turn::Clients(ClientsTurn::Delivered(from, message))),
            Place::Node(_) | Place::Service(_) | Place::Director => {
                self.give(to, NodeTurn::Delivered(from, message))
            }
        }
    }

    #[inline(never)]
    fn never_arrives(&mut self, from: Place, to: Place, message: C::Message, why: Lost) {
        if self.ears.is_watching() {
            self.ears.lost(self.now, Passing { from, to, message: &message }, why);
        }
        if C::beat(&message).is_none() {
            self.note_lost(from, to, why);
        }
        self.fingerprint.fold(u64::MAX);
        if from == Place::Clients && matches!(why, Lost::Down | Lost::Restarted) {
            self.refuse(to, message);
        }
    }

    /// Moves the heartbeats that came since the host's last turn to `beats`.
    #[inline]
    pub fn take_beats(&mut self, node: Place, beats: &mut Vec<(Instant, NodeId, C::Beat)>) {
        self.let_beats_arrive(node);
        self.machines[node].chatter.take(beats);
    }

    /// Sends a heartbeat that says nothing new.
    fn send_beat(
        &mut self,
        (from, sender): (NodeId, u32),
        to: Slot,
        departed: Instant,
        carried: Carried,
        beat: C::Beat,
    ) {
        let chatter = &mut self.machines[to].chatter;
        let mut arrives = |latency| {
            chatter.line_up(Coming { at: departed + latency, departed, beat, sender, from });
        };
        if let Some(latency) = carried.first {
            arrives(latency);
        }
        if let Some(latency) = carried.second {
            arrives(latency);
        }
    }

    /// Settles the heartbeats due by now: each has arrived or is lost. Nothing that decides that may have
    /// changed since the first of them was due.
    #[inline]
    pub(super) fn let_beats_arrive(&mut self, node: Place) {
        let slot = self.layout().slot(node);
        if self.machines[slot].chatter.is_due(self.now) {
            self.let_due_beats_arrive(slot);
        }
    }

    #[inline(never)]
    fn let_due_beats_arrive(&mut self, node: Slot) {
        let mut coming = self.machines[node].chatter.take_coming();
        while let Some(&beat) = coming.front()
            && beat.at <= self.now
        {
            coming.pop_front();
            self.let_beat_arrive(node, beat);
        }
        self.machines[node].chatter.put_back(coming);
    }

    #[inline(always)]
    fn let_beat_arrive(&mut self, node: Slot, coming: Coming<C::Beat>) {
        let Coming { at, departed, beat, sender, from } = coming;
        let route = Route { from: Slot::of_node(from), to: node };
        self.fingerprint.fold(at.0);
        if self.why_lost(route, departed, sender).is_some() {
            self.fingerprint.fold(u64::MAX);
            return;
        }
        self.course.messages += 1;
        self.fingerprint.fold(word(route));
        C::fold_beat(beat, &mut self.fingerprint);
        let machine = &mut self.machines[node];
        machine.heard_at[route.from] = at;
        match machine.life.state() {
            Process::Up => machine.chatter.arrive(at, from, beat),
            Process::Paused => {
                machine.stalled.push(NodeTurn::Delivered(Place::Node(from), C::of_beat(beat)));
            }
            Process::Down => {}
        }
    }
}
