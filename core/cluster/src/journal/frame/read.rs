//! Reading frames back, as far as they can be trusted.
//!
//! Owns the line between a write that a crash cut short and damage to durable state. Refuses to know the meaning of a
//! sequence of frames.

use super::*;

/// Why reading a segment stopped before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The frame is cut short or lacks a sector, as a crash during a write leaves it: nothing after it was durable
    /// either.
    Torn,
    /// The frame is complete and does not match its checksum: durable state is lost.
    Rotten,
}

/// Reads a segment up to its end or to the first damage.
pub fn read(segment: &[u8]) -> Frames<'_> {
    Frames { segment, at: 0, damage: None }
}

/// The frames of a segment, in order.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    segment: &'a [u8],
    at: usize,
    damage: Option<Damage>,
}

impl<'a> Frames<'a> {
    /// The byte at which the next frame begins.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Why there was no next frame; `None` at the segment's proper end.
    pub fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// The next frame, or the damage to it; `None` at the segment's end.
    #[inline(always)]
    fn read_on(&mut self) -> Option<Result<Frame<'a>, Damage>> {
        if self.at == self.segment.len() {
            return None;
        }
        let read = self.frame();
        Some(read.map(|(frame, next)| {
            self.at = next;
            frame
        }))
    }

    #[inline(always)]
    fn frame(&self) -> Result<(Frame<'a>, usize), Damage> {
        let rest = &self.segment[self.at..];
        let (header, rest) = rest.split_first_chunk::<HEADER>().ok_or(Damage::Torn)?;
        let mut fields = Fields(header);
        let (first, length, payload) = (fields.u32(), fields.u32(), fields.u32());
        let (Some(first), Some(length), Some(payload)) = (first, length, payload) else {
            return Err(Damage::Rotten);
        };
        let mark = first as u8;
        let is_known = matches!(mark, MARK | MARK_OF_ZEROS);
        if !is_known || length == 0 || first != first_word(mark, length, payload) {
            // Of the payload only its first byte, the kind, is known to be there, and is not zero.
            return Err(self.damage_within(self.at, self.at + HEADER + 1));
        }
        let body = rest.get(..length as usize).ok_or(Damage::Torn)?;
        let end = self.at + HEADER + body.len();
        if payload != crc(body) {
            if mark == MARK_OF_ZEROS {
                return Err(Damage::Rotten);
            }
            // The sectors of a sound header were written.
            let rest = (self.at + HEADER).next_multiple_of(SECTOR);
            return Err(self.damage_within(rest, end));
        }
        let frame = parse(body).ok_or(Damage::Rotten)?;
        Ok((frame, end))
    }

    /// `Torn` if a sector between two offsets was never written, else `Rotten`. The last sector was written: otherwise
    /// the segment would end before it.
    fn damage_within(&self, from: usize, until: usize) -> Damage {
        let mut at = from;
        while at < until {
            let next = (at + 1).next_multiple_of(SECTOR);
            match self.segment.get(at..next) {
                Some(sector) if sector.iter().all(|&byte| byte == 0) => return Damage::Torn,
                Some(_) => at = next,
                None => break,
            }
        }
        Damage::Rotten
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        if self.damage.is_some() {
            return None;
        }
        match self.read_on()? {
            Ok(frame) => Some(frame),
            Err(damage) => {
                self.damage = Some(damage);
                None
            }
        }
    }
}

/// Reads the valid part of a segment: up to its end, to the first damage or to an incomplete batch.
pub fn read_batches(segment: &[u8]) -> Batches<'_> {
    Batches { frames: read(segment), batch: Vec::new(), at: 0, damage: None }
}

/// The batches of a segment in order; each frame of no replica is a batch by itself.
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    frames: Frames<'a>,
    batch: Vec<Frame<'a>>,
    at: usize,
    damage: Option<Damage>,
}

impl<'a> Batches<'a> {
    /// The byte at which the next batch begins.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Why there was no next batch; `None` at the segment's proper end.
    pub fn damage(&self) -> Option<Damage> {
        self.damage
    }

    /// The frames of the next batch.
    pub fn next_batch(&mut self) -> Option<&[Frame<'a>]> {
        self.batch.clear();
        while self.damage.is_none() {
            let frame = match self.frames.read_on() {
                Some(Ok(frame)) => frame,
                Some(Err(damage)) => {
                    self.damage = Some(damage);
                    break;
                }
                None => {
                    self.damage = (!self.batch.is_empty()).then_some(Damage::Torn);
                    break;
                }
            };
            if self.batch.first().is_some_and(|first| first.shard() != frame.shard()) {
                // No write puts anything else within a batch.
                self.damage = Some(Damage::Rotten);
                break;
            }
            self.batch.push(frame);
            if frame.shard().is_none() || frame.closes_batch() {
                self.at = self.frames.offset();
                return Some(&self.batch);
            }
        }
        None
    }

    /// The frames of all the batches, one by one.
    pub fn frames(mut self) -> impl Iterator<Item = Frame<'a>> {
        let mut at = 0;
        std::iter::from_fn(move || {
            if at == self.batch.len() {
                at = 0;
                self.next_batch()?;
            }
            at += 1;
            Some(self.batch[at - 1])
        })
    }
}

/// The frame of a payload; `None` if no version of this code wrote it.
fn parse(body: &[u8]) -> Option<Frame<'_>> {
    let (kind, rest) = body.split_first()?;
    let mut fields = Fields(rest);
    let shard = ShardId(fields.u32()?);
    let frame = match *kind {
        ENTRY => Frame::Entry {
            shard,
            index: fields.u64()?,
            epoch: Epoch(fields.u64()?),
            record: fields.rest(),
        },
        HARD_STATE => Frame::HardState {
            shard,
            epoch: Epoch(fields.u64()?),
            vote: match fields.u64()? {
                0 => None,
                replica => Some(ReplicaId::of(replica)),
            },
            commit: fields.u64()?,
            in_repair: match fields.rest() {
                [0] => false,
                [1] => true,
                _ => return None,
            },
        },
        SNAPSHOT => Frame::Snapshot {
            shard,
            index: fields.u64()?,
            epoch: Epoch(fields.u64()?),
            state: fields.rest(),
        },
        CHANGE => Frame::Change {
            shard,
            index: fields.u64()?,
            epoch: Epoch(fields.u64()?),
            change: fields.rest(),
        },
        MEMBERS => Frame::Members { shard, members: fields.rest() },
        REPLICA => Frame::Replica {
            shard,
            generation: fields.u32()?,
            left: match fields.rest() {
                [0] => false,
                [1] => true,
                _ => return None,
            },
        },
        CHECKPOINT => Frame::Checkpoint { groups: fields.u32()? },
        FACTS => Frame::Facts { delta: fields.rest() },
        FORGOT => Frame::Forgot { incarnation: fields.u64()? },
        _ => return None,
    };
    fields.0.is_empty().then_some(frame)
}

/// The rest of a payload.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn u32(&mut self) -> Option<u32> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*field))
    }

    fn u64(&mut self) -> Option<u64> {
        let (field, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*field))
    }

    fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}
