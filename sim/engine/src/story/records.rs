//! Records of journals, as they appear in messages and writes.
//!
//! Owns which of them are seen for the first time. A record is sent and written many times, and
//! told once: where it first appears, which is at its proposer. Refuses to know what its events
//! mean.

use std::collections::BTreeMap;

use onsale_booking::{Event, Instant, ShowId};
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{Change, frame};
use onsale_cluster::{Epoch, Message, Placement, ShardId, record};
use onsale_world::place::Place;

use crate::seen::declared::Declared;
use crate::seen::messages::Shown;
use crate::seen::sight::Sight;

/// A record's key: no two records share one, unless a promise is broken.
pub(super) type Key = (ShardId, u64, Epoch);

/// A record seen for the first time.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// Instant of its proposal.
    pub(super) at: Instant,
    /// Its proposer.
    pub(super) node: Place,
    /// Its key.
    pub(super) key: Key,
    /// Its events; empty if it opens an epoch, or is a version of the map.
    pub(super) events: Vec<(ShowId, Event)>,
    /// The map, if the record is a version of it.
    pub(super) map: Option<Placement>,
}

/// The newest record seen, by shard and epoch.
#[derive(Clone, Debug)]
pub(super) struct Newest {
    by_epoch: BTreeMap<(ShardId, Epoch), u64>,
    /// The shard whose records are versions of the map, if there is one.
    map: Option<ShardId>,
}

impl Newest {
    /// No record seen yet.
    pub(super) fn new(map: Option<ShardId>) -> Self {
        Self { by_epoch: BTreeMap::new(), map }
    }

    /// The records that a sight shows for the first time.
    pub(super) fn records(&mut self, now: Instant, sight: &Sight<'_>) -> Vec<Record> {
        let mut fresh = Vec::new();
        let mut take = |at, node, key: Key, bytes| {
            if !self.is_news(key) {
                return;
            }
            // A record that does not decode is the oracles' concern.
            let (events, map) = if self.map == Some(key.0) {
                (Vec::new(), Placement::decode(bytes))
            } else {
                let record = record::decode(bytes).unwrap_or_default();
                (record.map_or_else(Vec::new, |record| record.events), None)
            };
            fresh.push(Record { at, node, key, events, map });
        };
        if let Sight::Sent {
            from, departs, message: Shown::Cluster(Message::Journal(batch)), ..
        } = sight
        {
            for (shard, message) in batch {
                for (index, epoch, bytes) in message.records() {
                    take(*departs, *from, (*shard, index, epoch), bytes);
                }
            }
        } else if let Sight::Writes { node, declared: Some(declared), .. } = sight {
            return self.declared(now, *node, declared);
        } else if let Sight::Writes { node, bytes, .. } = sight {
            for (key, bytes) in framed(bytes) {
                take(now, *node, key, bytes);
            }
        }
        fresh
    }

    /// The new ones among the records that a system declares.
    fn declared(&mut self, at: Instant, node: Place, declared: &[Declared]) -> Vec<Record> {
        let fresh = declared.iter().filter(|record| self.is_news(key_of(record)));
        let told = |record: &Declared| Record {
            at,
            node,
            key: key_of(record),
            events: record.events.clone(),
            map: None,
        };
        fresh.map(told).collect()
    }

    /// Whether a record is new: an epoch has one proposer, and its indexes rise.
    fn is_news(&mut self, (shard, index, epoch): Key) -> bool {
        let newest = self.by_epoch.entry((shard, epoch)).or_default();
        let news = index > *newest;
        *newest = index.max(*newest);
        news
    }
}

/// The membership changes in framed bytes.
pub(super) fn changes(bytes: &[u8]) -> impl Iterator<Item = (Key, Change)> {
    frame::read(bytes).filter_map(|frame| match frame {
        Frame::Change { shard, index, epoch, change } => {
            Change::decode(change).map(|change| ((shard, index, epoch), change))
        }
        Frame::Entry { .. }
        | Frame::HardState { .. }
        | Frame::Snapshot { .. }
        | Frame::Members { .. }
        | Frame::Replica { .. }
        | Frame::Checkpoint { .. }
        | Frame::Facts { .. }
        | Frame::Forgot { .. } => None,
    })
}

const fn key_of(record: &Declared) -> Key {
    (ShardId(record.at.log), record.at.index, Epoch(record.at.term))
}

/// The keys of the records in a write: as the system declares them, else as framed.
pub(super) fn keys(bytes: &[u8], declared: Option<&[Declared]>) -> Vec<Key> {
    match declared {
        Some(declared) => declared.iter().map(key_of).collect(),
        None => framed(bytes).map(|(key, _)| key).collect(),
    }
}

/// The records in framed bytes.
fn framed(bytes: &[u8]) -> impl Iterator<Item = (Key, &[u8])> {
    frame::read(bytes).filter_map(|frame| match frame {
        Frame::Entry { shard, index, epoch, record } => Some(((shard, index, epoch), record)),
        Frame::HardState { .. }
        | Frame::Snapshot { .. }
        | Frame::Change { .. }
        | Frame::Members { .. }
        | Frame::Replica { .. }
        | Frame::Checkpoint { .. }
        | Frame::Facts { .. }
        | Frame::Forgot { .. } => None,
    })
}
