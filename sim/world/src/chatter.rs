//! Heartbeats that say nothing new.
//!
//! Owns those on their way to a machine, those that have arrived, and the last one heard from each place. A repeated
//! heartbeat only delays a suspicion, and a node checks its suspicions in its turns: so its arrival is no event, and is
//! settled at the node's next turn, or before the next fault. Refuses to know what a node concludes from it.

use std::collections::VecDeque;

use onsale_booking::{Instant, NodeId};

use crate::place::{Layout, PlaceTable, Slot};

/// A heartbeat on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coming<B> {
    pub(crate) at: Instant,
    pub(crate) departed: Instant,
    pub(crate) beat: B,
    pub(crate) sender: u32,
    pub(crate) from: NodeId,
}

/// The heartbeats sent to one machine.
#[derive(Debug)]
pub(crate) struct Chatter<B> {
    /// Heartbeats on their way, in the order of arrival.
    coming: VecDeque<Coming<B>>,
    /// Arrived heartbeats with their instants, for the node's next turn.
    arrived: Vec<(Instant, NodeId, B)>,
    /// By sender: the last heartbeat.
    heard: PlaceTable<B>,
}

impl<B: Copy + Default> Chatter<B> {
    pub(crate) fn new(layout: Layout) -> Self {
        Self {
            coming: VecDeque::new(),
            arrived: Vec::new(),
            heard: PlaceTable::new(layout, |_| B::default()),
        }
    }

    /// The last heartbeat heard from a place.
    #[inline]
    pub(crate) fn heard(&self, from: Slot) -> B {
        self.heard[from]
    }

    /// Notes a heartbeat from a place, and returns the one before.
    #[inline]
    pub(crate) fn hears(&mut self, from: Slot, beat: B) -> B {
        std::mem::replace(&mut self.heard[from], beat)
    }

    /// Adds an arrived heartbeat.
    #[inline]
    pub(crate) fn arrive(&mut self, at: Instant, from: NodeId, beat: B) {
        self.arrived.push((at, from, beat));
    }

    /// Moves the arrived heartbeats to `beats`.
    #[inline]
    pub(crate) fn take(&mut self, beats: &mut Vec<(Instant, NodeId, B)>) {
        if !self.arrived.is_empty() {
            std::mem::swap(&mut self.arrived, beats);
        }
    }

    /// Whether a heartbeat on its way is due by `now`.
    #[inline]
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.coming.front().is_some_and(|next| next.at <= now)
    }

    /// Takes the queue of heartbeats on their way, to be put back.
    pub(crate) fn take_coming(&mut self) -> VecDeque<Coming<B>> {
        std::mem::take(&mut self.coming)
    }

    pub(crate) fn put_back(&mut self, coming: VecDeque<Coming<B>>) {
        self.coming = coming;
    }

    /// Queues a heartbeat by its arrival. The queue is short, and most go to its end.
    #[inline]
    pub(crate) fn line_up(&mut self, beat: Coming<B>) {
        let coming = &mut self.coming;
        if coming.back().is_none_or(|last| last.at <= beat.at) {
            coming.push_back(beat);
        } else {
            let place = coming.partition_point(|before| before.at <= beat.at);
            coming.insert(place, beat);
        }
    }

    /// Forgets everything, as the receiver died: heartbeats on their way are lost.
    pub(crate) fn forget(&mut self) {
        self.coming.clear();
        self.arrived.clear();
        self.heard.values_mut().for_each(|heard| *heard = B::default());
    }
}
