//! Beats that say nothing new.
//!
//! Owns the way of a beat that its receiver has heard from its sender just so before. It only
//! puts off a suspicion, and a node looks at its suspicions in its turns: so nothing happens
//! when it arrives, and whether it did is found out at the node's next turn, or before the
//! next fault. Refuses to know what a node concludes from it.

use std::collections::VecDeque;

use onsale_booking::{Endpoint, Instant, NodeId};
use onsale_cluster::{Beat, Message};

use super::{Turn, World, digest, word};
use crate::seen::place::{Carried, Place, Process};

/// A beat on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coming {
    at: Instant,
    departed: Instant,
    beat: Beat,
    sender: u32,
    from: NodeId,
}

impl World {
    /// Takes the beats that came since the host's last turn.
    #[inline]
    pub fn take_beats(&mut self, node: Place, beats: &mut Vec<(Instant, NodeId, Beat)>) {
        self.let_beats_arrive(node);
        let arrived = &mut self.machines[node].beats;
        if !arrived.is_empty() {
            std::mem::swap(arrived, beats);
        }
    }

    /// Whether a beat will tell its receiver nothing but that it came, and its sender's load, which
    /// is looked at in its turns as well.
    pub(super) fn is_steady(&self, from: Place, to: Place, beat: Beat) -> bool {
        let heard = self.machines[to].heard[from];
        Beat { load: beat.load, ..heard } == beat && self.sabotage.relay.is_none()
    }

    /// Sends such a beat.
    pub(super) fn send_beat(
        &mut self,
        from: Place,
        to: Place,
        departed: Instant,
        carried: Carried,
        beat: Beat,
    ) {
        let (sender, from) = (self.machines[from].incarnation, from.node_id());
        let coming = &mut self.machines[to].coming;
        let beat = |latency| Coming { at: departed + latency, departed, beat, sender, from };
        if let Some(latency) = carried.first {
            line_up(coming, beat(latency));
        }
        if let Some(latency) = carried.second {
            line_up(coming, beat(latency));
        }
    }

    /// Before something happens to nodes: what has arrived before is not struck.
    pub(super) fn let_all_beats_arrive(&mut self) {
        self.layout().places().for_each(|place| self.let_beats_arrive(place));
    }

    /// The beats that were to arrive by now have arrived, or were lost on their way. Nothing that
    /// decides that may have changed since the first of them was due.
    #[inline]
    pub(super) fn let_beats_arrive(&mut self, node: Place) {
        if self.machines[node].coming.front().is_some_and(|next| next.at <= self.now) {
            self.let_due_beats_arrive(node);
        }
    }

    #[inline(never)]
    fn let_due_beats_arrive(&mut self, node: Place) {
        let mut coming = std::mem::take(&mut self.machines[node].coming);
        while let Some(&beat) = coming.front()
            && beat.at <= self.now
        {
            coming.pop_front();
            self.let_beat_arrive(node, beat);
        }
        self.machines[node].coming = coming;
    }

    #[inline(always)]
    fn let_beat_arrive(&mut self, node: Place, coming: Coming) {
        let Coming { at, departed, beat, sender, from } = coming;
        self.fingerprint.fold(at.0);
        if self.why_lost(Place::Node(from), node, departed, sender).is_some() {
            self.fingerprint.fold(u64::MAX);
            return;
        }
        self.messages += 1;
        self.fingerprint.fold(word((Place::Node(from), node)));
        digest::digest_beat(&mut self.fingerprint, beat);
        let machine = &mut self.machines[node];
        machine.heard_at[Place::Node(from)] = at;
        match machine.process {
            Process::Up => machine.beats.push((at, from, beat)),
            Process::Paused => machine
                .stalled
                .push(Turn::Delivered { from: Endpoint::Node(from), message: Message::Beat(beat) }),
            Process::Down => {}
        }
    }
}

/// Few are on their way, and most come last.
#[inline]
fn line_up(coming: &mut VecDeque<Coming>, beat: Coming) {
    if coming.back().is_none_or(|last| last.at <= beat.at) {
        coming.push_back(beat);
    } else {
        let place = coming.partition_point(|before| before.at <= beat.at);
        coming.insert(place, beat);
    }
}
