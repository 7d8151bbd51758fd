//! Records of journals, as they show up between the hosts.
//!
//! Owns which of them is seen for the first time. A record travels and is written many times,
//! and is told once: where it first shows up, which is at its proposer. Refuses to know what
//! its events mean.

use std::collections::BTreeMap;

use onsale_booking::{Event, Instant, ShowId};
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{Change, frame};
use onsale_cluster::{Epoch, Message, Placement, ShardId, record};
use onsale_world::place::Place;

use crate::seen::declared::Declared;
use crate::seen::sight::Sight;

/// A record's place: no two records stand in one, unless somebody breaks a promise.
pub(super) type Key = (ShardId, u64, Epoch);

/// A record that is seen for the first time.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// When it was proposed.
    pub(super) at: Instant,
    /// By whom.
    pub(super) node: Place,
    /// In which place.
    pub(super) key: Key,
    /// What it says; nothing if it opens an epoch, or is a version of the map.
    pub(super) events: Vec<(ShowId, Event)>,
    /// The map, if it is a version of it.
    pub(super) map: Option<Placement>,
}

/// By shard and epoch: the newest record that was seen.
#[derive(Clone, Debug)]
pub(super) struct Newest {
    by_epoch: BTreeMap<(ShardId, Epoch), u64>,
    /// The shard whose records are the versions of the map, if there is one.
    map: Option<ShardId>,
}

impl Newest {
    /// Nothing was seen yet.
    pub(super) fn new(map: Option<ShardId>) -> Self {
        Self { by_epoch: BTreeMap::new(), map }
    }

    /// The records that first show up here.
    pub(super) fn records(&mut self, now: Instant, sight: &Sight<'_>) -> Vec<Record> {
        let mut fresh = Vec::new();
        let mut take = |at, node, key: Key, bytes| {
            if !self.is_news(key) {
                return;
            }
            // What does not read back is the oracles' business.
            let (events, map) = if self.map == Some(key.0) {
                (Vec::new(), Placement::decode(bytes))
            } else {
                let record = record::decode(bytes).unwrap_or_default();
                (record.map_or_else(Vec::new, |record| record.events), None)
            };
            fresh.push(Record { at, node, key, events, map });
        };
        if let Sight::Sent { from, departs, message: Message::Journal(batch), .. } = sight {
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

    /// Those of records that a system declares.
    fn declared(&mut self, at: Instant, node: Place, declared: &[Declared]) -> Vec<Record> {
        let key = |record: &Declared| (record.log, record.index, record.term);
        let fresh = declared.iter().filter(|record| self.is_news(key(record)));
        let told = |record: &Declared| Record {
            at,
            node,
            key: key(record),
            events: record.events.clone(),
            map: None,
        };
        fresh.map(told).collect()
    }

    /// Within an epoch there is one proposer, whose indexes rise.
    fn is_news(&mut self, (shard, index, epoch): Key) -> bool {
        let newest = self.by_epoch.entry((shard, epoch)).or_default();
        let news = index > *newest;
        *newest = index.max(*newest);
        news
    }
}

/// The steps towards other members in framed bytes.
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

/// The places of the records in what was written: as the system declares them, else as framed.
pub(super) fn keys(bytes: &[u8], declared: Option<&[Declared]>) -> Vec<Key> {
    match declared {
        Some(declared) => {
            declared.iter().map(|record| (record.log, record.index, record.term)).collect()
        }
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
