//! The records of a story, and the disks that hold each of them.
//!
//! Owns the phrases for a record that becomes durable, is lost on the way, or is overwritten. Refuses to know what it
//! says.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::{Instant, RequestId};
use onsale_cluster::journal::JournalMessage;
use onsale_cluster::{Epoch, ShardId};
use onsale_world::place::Place;

use super::cast::{Cast, Part};
use super::line::{Kind, Line};
use super::records::{Key, Record};
use super::words::place;
use crate::seen::naming::Naming;

/// The records of a story.
#[derive(Debug, Default)]
pub(super) struct Disks(BTreeMap<Key, Written>);

/// A record in the story.
#[derive(Debug)]
struct Written {
    request: Option<RequestId>,
    shard: ShardId,
    part: Part,
    disks: BTreeSet<Place>,
}

impl Written {
    /// The disks that hold it, and the replicas of its shard.
    fn spread(&self, cast: &Cast) -> (usize, usize) {
        (self.disks.len(), cast.replicas(self.shard).len())
    }
}

impl Disks {
    /// Adds a record to the story, with the request that it decides, if any.
    pub(super) fn enter(&mut self, key: Key, request: Option<RequestId>, part: Part) {
        let new = || Written { request, shard: key.0, part, disks: BTreeSet::new() };
        self.0.entry(key).or_insert_with(new);
    }

    /// Whether a record already decides this request.
    pub(super) fn have_decided(&self, request: RequestId) -> bool {
        self.0.values().any(|written| written.request == Some(request))
    }

    /// Whether a record that decides this request is on fewer disks than a quorum.
    pub(super) fn lack_a_quorum_of(&self, request: RequestId, cast: &Cast) -> bool {
        let lacks = |written: &Written| {
            let (disks, replicas) = written.spread(cast);
            disks < replicas / 2 + 1
        };
        self.0.values().any(|written| written.request == Some(request) && lacks(written))
    }

    /// The lines for records of earlier epochs that this record overwrites.
    pub(super) fn overtaken(&self, record: &Record, cast: &Cast) -> Vec<Line> {
        let (shard, index, _) = record.key;
        let older = self.0.range((shard, index, Epoch(0))..record.key);
        let told = older.map(|((.., before), written)| {
            let (disks, replicas) = written.spread(cast);
            let named = written.request.map_or_else(|| "an expiry".to_owned(), |id| id.to_string());
            let kept = if disks > replicas / 2 {
                format!(", although {disks} of {replicas} had it on disk")
            } else {
                String::new()
            };
            let before = (cast.naming().record)(shard.0, index, before.0);
            let what = format!("overwrites {before}: the decision on {named} is void{kept}");
            Line {
                request: written.request,
                shard: Some(shard),
                ..Line::plain(record.at, place(record.node), Kind::Record, what)
            }
        });
        told.collect()
    }

    /// The lines for records that became durable on a node's disk; `after` says what they waited for.
    pub(super) fn durable(
        &mut self,
        now: Instant,
        node: Place,
        (keys, after): (&[Key], &str),
        cast: &Cast,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        for &key in keys {
            let (shard, index, epoch) = key;
            let Some(written) = self.0.get_mut(&key) else { continue };
            if !written.disks.insert(node) || written.part < Part::Principal {
                continue;
            }
            let (disks, replicas) = written.spread(cast);
            let Naming { record, has_leaders, .. } = cast.naming();
            let quorum = if disks == replicas / 2 + 1 { ", a quorum" } else { "" };
            let spread = match has_leaders {
                true => format!(": {disks} of {replicas}{quorum}"),
                false => String::new(),
            };
            let record = record(shard.0, index, epoch.0);
            let what = format!("has {record} on disk{spread}{after}");
            lines.push(Line {
                request: written.request,
                shard: Some(shard),
                // Copies after the quorum are only context: no story ends with one.
                context: disks > replicas / 2 + 1,
                ..Line::plain(now, place(node), Kind::Record, what)
            });
        }
        lines
    }

    /// The lines for records lost on the way to a node that lacks them.
    pub(super) fn lost(
        &self,
        at: Instant,
        (from, to): (Place, Place),
        (shard, message): (ShardId, &JournalMessage),
        why: &str,
        cast: &Cast,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        for (index, epoch, _) in message.records() {
            let Some(written) = self.0.get(&(shard, index, epoch)) else { continue };
            if written.part < Part::Principal || written.disks.contains(&to) {
                continue;
            }
            let (disks, replicas) = written.spread(cast);
            let what = format!("record {index} of {shard} ({epoch}) never reaches {to}: {why}");
            lines.push(Line {
                request: written.request,
                shard: Some(shard),
                // Once a quorum has it, nothing waits for this node.
                context: disks > replicas / 2,
                repeats: Some(format!("record {index} of {shard} on its way to {to}")),
                ..Line::plain(at, place(from), Kind::Lost, what)
            });
        }
        lines
    }
}
