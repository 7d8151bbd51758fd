//! Signs of life that say nothing new.
//!
//! Owns those that are on their way to a machine, those that have arrived, and what was heard last. One that its
//! receiver has heard just so before only puts off a suspicion, and a node looks at its suspicions in its turns: so
//! nothing happens when it arrives, and whether it did is found out at the node's next turn, or before the next
//! fault. Refuses to know what a node concludes from it.

use std::collections::VecDeque;

use onsale_booking::{Instant, NodeId};

use crate::place::{Layout, Place, PlaceTable};

/// A sign of life on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coming<B> {
    pub(crate) at: Instant,
    pub(crate) departed: Instant,
    pub(crate) beat: B,
    pub(crate) sender: u32,
    pub(crate) from: NodeId,
}

/// The signs of life that one machine is sent.
#[derive(Debug)]
pub(crate) struct Chatter<B> {
    /// On their way, in the order of their arrivals.
    coming: VecDeque<Coming<B>>,
    /// Those that have arrived, with their instants: taken in at the node's next turn.
    arrived: Vec<(Instant, NodeId, B)>,
    /// By sender: what came last.
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

    /// What was heard last from a place.
    #[inline]
    pub(crate) fn heard(&self, from: Place) -> B {
        self.heard[from]
    }

    /// Notes what was heard from a place, and returns what was heard before.
    #[inline]
    pub(crate) fn hears(&mut self, from: Place, beat: B) -> B {
        std::mem::replace(&mut self.heard[from], beat)
    }

    /// One has arrived.
    #[inline]
    pub(crate) fn arrive(&mut self, at: Instant, from: NodeId, beat: B) {
        self.arrived.push((at, from, beat));
    }

    /// Hands those over that have arrived.
    #[inline]
    pub(crate) fn take(&mut self, beats: &mut Vec<(Instant, NodeId, B)>) {
        if !self.arrived.is_empty() {
            std::mem::swap(&mut self.arrived, beats);
        }
    }

    /// Whether one is due.
    #[inline]
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        self.coming.front().is_some_and(|next| next.at <= now)
    }

    /// Takes the queue of those on their way, to be put back.
    pub(crate) fn take_coming(&mut self) -> VecDeque<Coming<B>> {
        std::mem::take(&mut self.coming)
    }

    pub(crate) fn put_back(&mut self, coming: VecDeque<Coming<B>>) {
        self.coming = coming;
    }

    /// One sets out. Few are on their way, and most come last.
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

    /// The receiver died: it has heard nothing, and what is on its way is lost.
    pub(crate) fn forget(&mut self) {
        self.coming.clear();
        self.arrived.clear();
        self.heard.values_mut().for_each(|heard| *heard = B::default());
    }
}
