//! A node's own writes of facts, from their stamp to the disk, and their log.
//!
//! Owns the order of the node's writes, which of them are gathered for the next disk write and which are in the present
//! one, and the frames for the write-ahead log. Refuses to know which other nodes have to hear of them.

use std::mem;

use onsale_booking::Endpoint;

use super::Replica;
use crate::fact::{Base, Delta, FactKey, FactText, QuestionId, Seen, Version};
use crate::hlc::Stamp;
use crate::journal::frame::Frame;

/// A node's own writes. No peer hears of one before it is durable.
#[derive(Debug, Default)]
pub(super) struct OwnWrites {
    /// The stamp of the latest write, on the disk or on the way there.
    last: Option<Stamp>,
    /// Writes for the next disk write.
    gathered: Vec<Own>,
    /// Writes in the disk write in flight.
    writing: Vec<Own>,
    /// The next frames of the write-ahead log.
    log: Vec<u8>,
}

/// A write of this node.
#[derive(Clone, Debug)]
pub(super) struct Own {
    pub(super) stamp: Stamp,
    pub(super) delta: Delta,
    /// The client that waits for it, and its question; `None` if the node rewrites another one's write by itself.
    pub(super) asker: Option<(Endpoint, QuestionId)>,
}

impl OwnWrites {
    /// The stamp of the latest write.
    pub(super) fn last(&self) -> Option<Stamp> {
        self.last
    }

    /// Notes a write of this node that turned up elsewhere, if it is the latest.
    pub(super) fn remember(&mut self, stamp: Option<Stamp>) {
        self.last = self.last.max(stamp);
    }

    /// Logs a write; `what` is `None` if it is empty and only covers all before it.
    pub(super) fn add(
        &mut self,
        stamp: Stamp,
        what: Option<(FactKey, Option<FactText>)>,
        asker: Option<(Endpoint, QuestionId)>,
    ) {
        assert!(self.last < Some(stamp), "a node's writes are stamped in order");
        let written = what.map(|(key, text)| (key, Version { stamp, text }));
        let delta = Delta {
            base: Base::Since(self.last.into_iter().collect()),
            until: [stamp].into_iter().collect(),
            written: written.into_iter().collect(),
        };
        self.last = Some(stamp);
        self.log(&delta);
        self.gathered.push(Own { stamp, delta, asker });
    }

    /// Logs another node's delta.
    pub(super) fn log(&mut self, delta: &Delta) {
        frame(delta, &mut self.log);
    }

    /// Whether there are frames for the write-ahead log.
    #[inline]
    pub(super) fn has_log(&self) -> bool {
        !self.log.is_empty()
    }

    /// Takes the frames for the write-ahead log.
    pub(super) fn drain_log(&mut self) -> std::vec::Drain<'_, u8> {
        self.log.drain(..)
    }

    /// Appends the frames of all writes that are not durable.
    pub(super) fn checkpoint(&self, out: &mut Vec<u8>) {
        self.pending().for_each(|own| frame(&own.delta, out));
    }

    /// All that was logged is part of the disk write that begins.
    pub(super) fn on_write_begun(&mut self) {
        assert!(self.writing.is_empty(), "at most one write is in flight");
        mem::swap(&mut self.writing, &mut self.gathered);
    }

    /// Whether the write in flight holds a write of this node.
    #[inline]
    pub(super) fn are_being_written(&self) -> bool {
        !self.writing.is_empty()
    }

    /// Takes the writes that have become durable with the write in flight.
    pub(super) fn take_durable(&mut self) -> Vec<Own> {
        mem::take(&mut self.writing)
    }

    /// Whether a write is not durable yet.
    pub(super) fn are_pending(&self) -> bool {
        self.pending().next().is_some()
    }

    /// Whether one of them rewrites another write, for no client.
    pub(super) fn repeat_another(&self) -> bool {
        self.pending().any(|own| own.asker.is_none())
    }

    /// The writes for the next disk write.
    #[cfg(test)]
    pub(super) fn gathered(&self) -> &[Own] {
        &self.gathered
    }

    fn pending(&self) -> impl Iterator<Item = &Own> {
        self.writing.iter().chain(&self.gathered)
    }
}

/// The version vector of a node that starts with these deltas of its log, in order. For readers of disks.
pub fn remembered(durable: &[Vec<u8>]) -> Seen {
    let mut replica = Replica::default();
    for delta in logged(durable) {
        // The node does not take deltas after a gap either.
        replica.merge(&delta).ok();
    }
    replica.seen().clone()
}

/// The version vector at the end of a delta, without the writes in it; `None` if the bytes are no delta. For readers of
/// disks.
pub fn covered(delta: &[u8]) -> Option<Seen> {
    let (base, rest): (Base, &[u8]) = postcard::take_from_bytes(delta).ok()?;
    drop(base);
    postcard::take_from_bytes(rest).ok().map(|(until, _)| until)
}

pub(super) fn logged(durable: &[Vec<u8>]) -> impl Iterator<Item = Delta> + '_ {
    durable.iter().filter_map(|bytes| postcard::from_bytes(bytes).ok())
}

pub(super) fn frame(delta: &Delta, out: &mut Vec<u8>) {
    Frame::Facts { delta: &delta.encode() }.write(out);
}

#[cfg(test)]
mod tests {
    use onsale_booking::{Instant, NodeId};

    use super::*;

    #[test]
    #[should_panic(expected = "a node's writes are stamped in order")]
    fn a_stamp_that_steps_back_is_caught() {
        let mut own = OwnWrites::default();
        for at in [7, 5] {
            own.add(Stamp { at: Instant(at), count: 0, node: NodeId(1) }, None, None);
        }
    }

    #[test]
    #[should_panic(expected = "at most one write is in flight")]
    fn a_second_write_in_flight_is_caught() {
        let mut own = OwnWrites::default();
        own.add(Stamp { at: Instant(7), count: 0, node: NodeId(1) }, None, None);
        own.on_write_begun();
        own.on_write_begun();
    }
}
