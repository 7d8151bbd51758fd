//! A node's write-ahead log: one log shared by the node's groups, one fsync in flight.
//!
//! Owns the gathering of frames into writes and the order of segments. Refuses to know files, how a segment is read
//! back, and the meaning of a group's state.

use std::mem;

use super::frame::Frame;
use super::{RaftGroup, Ready, Ticket};
use crate::id::ShardId;
use crate::write::{PersistId, Write};

/// Gathers a node's frames into writes.
#[derive(Debug)]
pub struct Wal {
    segment_bytes: usize,
    segment: Segment,
    gathered: Vec<u8>,
    /// Recent size of a write in bytes, to reserve memory.
    room: usize,
    tickets: Vec<(ShardId, Ticket)>,
    /// Frames that the next segment inherits besides the groups' checkpoints.
    inherited: Vec<u8>,
    in_flight: Option<(PersistId, Vec<(ShardId, Ticket)>)>,
    last: PersistId,
    /// Whether a new segment is to begin, even if nothing was gathered.
    renewing: bool,
    /// Incarnation at which disk loss was last detected.
    forgot: Option<u64>,
}

#[derive(Debug)]
enum Segment {
    /// The next write begins the segment.
    Due(u32),
    Open {
        number: u32,
        checkpoint: usize,
        since: usize,
    },
}

impl Wal {
    /// A log that closes a segment once more than `segment_bytes`, and more than its checkpoint takes, follow the
    /// checkpoint; so checkpoints are at most half of all bytes written. Its first write begins `first_segment`, which
    /// must be greater than any segment on the disk.
    pub fn new(segment_bytes: usize, first_segment: u32) -> Self {
        Self {
            segment_bytes,
            segment: Segment::Due(first_segment),
            gathered: Vec::new(),
            room: 0,
            tickets: Vec::new(),
            inherited: Vec::new(),
            in_flight: None,
            last: PersistId(0),
            renewing: false,
            forgot: None,
        }
    }

    /// Sets the incarnation that detected a disk loss; each segment from now on records it.
    pub fn remember(&mut self, forgot: Option<u64>) {
        self.forgot = forgot;
    }

    /// A durable segment was found damaged while the node runs: the next write begins a new segment, which is all that
    /// recovery needs, and the damaged one is deleted.
    pub fn renew(&mut self) {
        if let Segment::Open { number, .. } = self.segment {
            self.segment = Segment::Due(number + 1);
        }
        self.renewing = true;
    }

    /// Takes the frames of a poll, if it has any.
    pub fn gather(&mut self, shard: ShardId, ready: &Ready) {
        if let Some(ticket) = ready.ticket {
            assert!(!ready.frames.is_empty(), "a ticket is for frames");
            self.gathered.extend_from_slice(&ready.frames);
            self.tickets.push((shard, ticket));
        }
    }

    /// Takes frames that belong to no group.
    pub fn gather_facts(&mut self, frames: impl Iterator<Item = u8>) {
        self.gathered.extend(frames);
    }

    /// Whether there is a write to begin, and it begins a segment, so that `inherits` must be called first.
    pub fn segment_is_due(&self) -> bool {
        self.has_a_write() && matches!(self.segment, Segment::Due(_))
    }

    /// Takes the frames that the next segment inherits and that belong to no group.
    pub fn inherits(&mut self, checkpoint: impl FnOnce(&mut Vec<u8>)) {
        self.inherited.clear();
        checkpoint(&mut self.inherited);
    }

    /// The next write, if something was gathered and no write is in flight. `groups` are
    /// all groups of the node, each gathered since it was last polled; they are asked for
    /// their checkpoints when a new segment begins.
    pub fn begin<'a>(&mut self, groups: impl IntoIterator<Item = &'a RaftGroup>) -> Option<Write> {
        if !self.has_a_write() {
            return None;
        }
        self.renewing = false;
        self.room = (self.room - self.room / 16).max(self.gathered.len());
        let next = Vec::with_capacity(2 * self.room);
        let mut bytes = mem::replace(&mut self.gathered, next);
        let number = match &mut self.segment {
            Segment::Open { number, since, .. } => {
                *since += bytes.len();
                *number
            }
            Segment::Due(number) => {
                // The groups' checkpoints include the gathered frames.
                bytes.clear();
                if let Some(incarnation) = self.forgot {
                    Frame::Forgot { incarnation }.write(&mut bytes);
                }
                let mut count = 0;
                for group in groups {
                    group.checkpoint(&mut bytes);
                    count += 1;
                }
                bytes.append(&mut self.inherited);
                Frame::Checkpoint { groups: count }.write(&mut bytes);
                let number = *number;
                self.segment = Segment::Open { number, checkpoint: bytes.len(), since: 0 };
                number
            }
        };
        if let Segment::Open { checkpoint, since, .. } = self.segment
            && since > self.segment_bytes.max(checkpoint)
        {
            self.segment = Segment::Due(number + 1);
        }
        self.last.0 += 1;
        self.in_flight = Some((self.last, mem::take(&mut self.tickets)));
        Some(Write { id: self.last, segment: number, bytes, retire_below: number })
    }

    /// The write in flight.
    pub(crate) fn in_flight(&self) -> Option<PersistId> {
        self.in_flight.as_ref().map(|(id, _)| *id)
    }

    /// Whether there is a write to begin.
    #[inline]
    pub(crate) fn has_a_write(&self) -> bool {
        self.in_flight.is_none() && (self.renewing || !self.gathered.is_empty())
    }

    /// The polls that a finished write made durable, to be passed on to `RaftGroup::fsynced`. Empty if no such write is
    /// in flight.
    pub fn persisted(&mut self, id: PersistId) -> Vec<(ShardId, Ticket)> {
        match self.in_flight.take_if(|(in_flight, _)| *in_flight == id) {
            Some((_, tickets)) => tickets,
            None => Vec::new(),
        }
    }

    /// Takes the tickets of a finished write back to reuse their memory.
    pub(crate) fn reuse(&mut self, mut tickets: Vec<(ShardId, Ticket)>) {
        if self.tickets.is_empty() {
            tickets.clear();
            self.tickets = tickets;
        }
    }
}
