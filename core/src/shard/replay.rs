//! What a journal amounts to.
//!
//! Owns the fold of records and snapshots into shows, which a replica takes its state from while it
//! runs and which gives the same state again from its disk. Refuses to know who proposed a record.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Shard, State};
use crate::config::Setup;
use crate::id::ShowId;
use crate::journal::Durable;
use crate::placement::Placement;
use crate::record::{self, Events};
use crate::shard_time::ShardTime;
use crate::show::Show;

pub(super) type Shows = BTreeMap<ShowId, Show>;

/// Folds a committed record into the shows. Returns whether anything was recorded; its events are in
/// `events` then.
///
/// # Panics
/// If the record is none.
pub(super) fn fold(shows: &mut Shows, setup: &Setup, record: &[u8], events: &mut Events) -> bool {
    let writer = record::decode_into(record, events).expect("a committed record is readable");
    if writer.is_none() {
        return false;
    }
    for (show, event) in events {
        show_of(shows, setup, *show).apply(event);
    }
    true
}

/// A version of the map, if the record holds one.
pub(super) fn map_of(record: &[u8]) -> Option<Placement> {
    let map = || Placement::decode(record).expect("a committed map is readable");
    (!record.is_empty()).then(map)
}

/// The shows of a snapshot, and what their latest event says of the shard's time.
pub(super) fn shows_of(setup: &Setup, state: &[u8]) -> (Option<ShardTime>, Shows) {
    let (latest, shows): State =
        postcard::from_bytes(state).expect("a committed snapshot is readable");
    let restored = shows.into_iter().map(|(id, bytes)| {
        let show = Show::restore(Arc::clone(&setup.hall), setup.rules, &bytes);
        (id, show.expect("a committed snapshot keeps a show's promises"))
    });
    (latest, restored.collect())
}

fn show_of<'a>(shows: &'a mut Shows, setup: &Setup, show: ShowId) -> &'a mut Show {
    shows.entry(show).or_insert_with(|| Show::new(Arc::clone(&setup.hall), setup.rules))
}

impl Shard {
    /// Whether what a disk holds of this replica, replayed as far as the replica has applied its
    /// journal, gives the state that it has; none if the disk does not reach as far.
    pub(crate) fn is_replayed_by(&self, durable: Durable) -> Option<bool> {
        let (snapshot, records) = durable.applied(self.applied)?;
        if let Some(map) = &self.map {
            let versions = records.iter().filter_map(|record| map_of(record.record()));
            let first = map_of(snapshot.state());
            let last = versions.last().or(first);
            return Some(last.as_ref().unwrap_or(&self.setup.placement) == map.as_ref());
        }
        let mut shows = match snapshot.index() {
            0 => Shows::new(),
            _ => shows_of(&self.setup, snapshot.state()).1,
        };
        let mut events = Events::new();
        for record in records {
            fold(&mut shows, &self.setup, record.record(), &mut events);
        }
        Some(self.shows == shows)
    }
}
