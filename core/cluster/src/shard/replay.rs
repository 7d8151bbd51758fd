//! Replay of a journal into shows.
//!
//! Owns the fold of records and snapshots into shows: a running replica takes its state from it, and it gives the same
//! state again from the disk. Refuses to know who proposed a record.

use std::collections::BTreeMap;
use std::sync::Arc;

use onsale_booking::{Instant, Show, ShowId};

use super::{Answers, Shard};
use crate::config::{Serves, Setup};
use crate::effect::Effects;
use crate::journal::{Durable, Ready, Snapshot};
use crate::mark::Mark;
use crate::observation::Observation;
use crate::placement::Placement;
use crate::record::{self, Events, Format};
use crate::shard_time::ShardTime;

/// A shard's snapshot: its time by the latest stamp, and each show that was ever touched, in order.
type State = (Option<ShardTime>, Vec<(ShowId, Vec<u8>)>);

type Shows = BTreeMap<ShowId, Show>;

/// Folds a committed record into the shows. Returns whether it recorded any events, which are then in `events`; a
/// record without any opens an epoch or activates a format.
///
/// # Panics
/// If the bytes are no record.
fn fold(shows: &mut Shows, setup: &Setup, record: &[u8], events: &mut Events) -> bool {
    let writer = record::decode_into(record, events).expect("a committed record is readable");
    for (show, event) in &*events {
        show_of(shows, setup, *show).apply(event);
    }
    writer.is_some() && !events.is_empty()
}

/// A version of the map, if the record holds one.
fn map_of(record: &[u8]) -> Option<Placement> {
    let map = || Placement::decode(record).expect("a committed map is readable");
    (!record.is_empty()).then(map)
}

/// The shows of a snapshot in any format, and the shard's time by their latest event.
fn shows_of(setup: &Setup, state: &[u8]) -> (Option<ShardTime>, Shows) {
    let state = Format::of_snapshot(state).end_snapshot(state);
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
    /// Applies the result of a poll: a snapshot, then committed records.
    pub(super) fn apply(
        &mut self,
        now: Instant,
        ready: &Ready,
        answers: &mut Answers,
        effects: &mut Effects,
    ) {
        if let Some(snapshot) = &ready.installed {
            self.install(now, snapshot, effects);
        }
        for committed in &ready.committed {
            assert_eq!(committed.index(), self.applied + 1, "records are applied without gaps");
            self.applied = committed.index();
            if let Some(map) = &mut self.map {
                if let Some(next) = map_of(committed.record()) {
                    *map = Arc::new(next);
                }
                continue;
            }
            let record = committed.record();
            self.stored.applied(Format::of_record(record));
            if !fold(&mut self.shows, &self.setup, record, &mut self.events) {
                self.note_activation(committed.epoch(), effects);
                continue;
            }
            if let Some((_, event)) = self.events.last() {
                let stamped = ShardTime::stamped(committed.epoch(), event.at());
                self.latest = Some(stamped);
                self.clock.hear(now, stamped);
            }
            if committed.epoch() == self.outstanding.0 {
                assert!(self.outstanding.1 > 0, "only the leader of an epoch proposes in it");
                self.outstanding.1 -= 1;
            }
            let serves_early = self.setup.config.leader.serves == Serves::Elected;
            if let Some(leader) = &mut self.leader {
                if serves_early && committed.epoch() != leader.epoch() {
                    self.events
                        .iter()
                        .for_each(|(id, event)| leader.overtaken(*id, event, &self.setup));
                    continue;
                }
                assert_eq!(
                    committed.epoch(),
                    leader.epoch(),
                    "a leader has applied all that older epochs committed"
                );
                leader.committed(answers);
            }
        }
        assert_eq!(self.applied, self.journal.applied(), "what is handed over is applied");
    }

    #[cold]
    pub(super) fn compact(&mut self, effects: &mut Effects) {
        self.journal.compact(self.snapshot());
        effects.observe(Observation::Mark(Mark::SnapshotTaken));
    }

    fn snapshot(&self) -> Vec<u8> {
        if let Some(map) = &self.map {
            return map.encode();
        }
        let shows = self.shows.iter().map(|(&id, show)| (id, show.snapshot())).collect();
        let (state, mut bytes): (State, _) = ((self.latest, shows), Vec::new());
        self.stored.get().begin_snapshot(&mut bytes);
        postcard::to_extend(&state, bytes).expect("memory holds a snapshot")
    }

    #[cold]
    fn install(&mut self, now: Instant, snapshot: &Snapshot, effects: &mut Effects) {
        assert!(self.leader.is_none(), "nobody overwrites a leader's state");
        assert!(snapshot.index() >= self.applied, "a snapshot never takes applied records back");
        if self.map.is_none() {
            self.stored.applied(Format::of_snapshot(snapshot.state()));
        }
        self.restore(now, snapshot.state());
        self.applied = snapshot.index();
        effects.observe(Observation::Mark(Mark::SnapshotInstalled));
    }

    fn restore(&mut self, now: Instant, state: &[u8]) {
        if let Some(map) = &mut self.map {
            *map = Arc::new(map_of(state).expect("a snapshot of the map holds one"));
            return;
        }
        let (latest, shows) = shows_of(&self.setup, state);
        self.latest = latest;
        latest.into_iter().for_each(|stamped| self.clock.hear(now, stamped));
        self.shows = shows;
    }

    /// Whether the disk's copy of this replica, replayed as far as the replica has applied its journal, gives the same
    /// state; `None` if the disk does not reach as far. A replica that has left has no state, whether its disk says so
    /// yet or still holds the old journal.
    pub(crate) fn is_replayed_by(&self, durable: Durable) -> Option<bool> {
        if self.journal.has_left() {
            return (!self.shows.is_empty()).then_some(false);
        }
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

#[cfg(test)]
mod tests {
    use super::super::tests::{read, replica};
    use super::*;

    #[test]
    fn only_a_replica_that_has_left_may_be_less_than_its_journal() {
        let (mut shard, disk) = replica();
        shard.apply_next();
        assert_eq!(shard.is_replayed_by(read(&disk)), Some(true));
        let shows = std::mem::take(&mut shard.shows);
        assert_eq!(shard.is_replayed_by(read(&disk)), Some(false), "it forgot, and is a member");
        shard.journal.leave();
        assert_eq!(shard.is_replayed_by(read(&disk)), None, "its disk does not say so yet");
        assert_eq!(shard.is_replayed_by(Durable::default()), None, "its disk has dropped it");
        shard.shows = shows;
        assert_eq!(
            shard.is_replayed_by(read(&disk)),
            Some(false),
            "it has left and kept its shows"
        );
    }
}
