//! The ledger: the journals' durable records, read from disks.
//!
//! Owns the reading of every durable byte on every node, and declares each committed record
//! to the judges once. A record counts as committed as soon as one disk holds it with a commit
//! index that covers it. Every other disk with such a commit index must hold the same record, no
//! disk may overwrite it, and at the end of the run a majority of disks must still hold it or a
//! snapshot that covers it. Records at one index of one epoch must be identical, committed or not.
//! Refuses to trust a node's own claims: it sees only bytes on disks.

mod kept;
mod log;
mod recovery;

use onsale_booking::Instant;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{Change, Members, frame};
use onsale_cluster::record::Record;
use onsale_cluster::{Epoch, Placement, ShardId, record};
use onsale_oracles::Position;
use onsale_world::place::{Layout, Place, PlaceTable};
use onsale_world::trace_hash::Fingerprint;

use self::log::{Chosen, Fresh, Log, Spare};
use crate::judges::Judges;

/// The ledger of all journals.
#[derive(Debug)]
pub struct JournalWatch {
    /// By shard: the members, by its committed records.
    members: Vec<Members>,
    /// The shard whose records are versions of the map, if there is one.
    map: Option<ShardId>,
    /// By place and shard: the log on that disk.
    disks: PlaceTable<Vec<Log>>,
    /// By place: incarnation at which the node last detected the loss of its disk.
    forgot: PlaceTable<u64>,
    /// By shard: the committed records, from the first on.
    chosen: Vec<Vec<Chosen>>,
    /// By shard: number of committed records that survivors held when a majority was lost for good; `None` if it never
    /// was.
    survived: Vec<Option<u64>>,
    /// By shard: records not known to be committed, with the instant at which each was first on a disk.
    fresh: Vec<Fresh>,
    /// The shards of the current write; kept for its memory.
    touched: Vec<ShardId>,
    spare: Spare,
}

/// Prefix of stored membership changes. No other record begins with it: it would name a writer beyond all
/// node numbers.
const CHANGE: [u8; 3] = [0xFF; 3];

impl JournalWatch {
    /// A ledger of empty disks.
    pub fn of(placement: &Placement) -> Self {
        let shards = placement.shards() as usize;
        let layout = Layout::new(placement.nodes(), 0);
        let members = (0..placement.shards())
            .map(|shard| Members::initial(placement.replicas(ShardId(shard))));
        Self {
            members: members.collect(),
            map: placement.map_shard(),
            disks: PlaceTable::new(layout, |_| vec![Log::default(); shards]),
            forgot: PlaceTable::new(layout, |_| 0),
            chosen: vec![Vec::new(); shards],
            survived: vec![None; shards],
            fresh: vec![Fresh::default(); shards],
            touched: Vec::new(),
            spare: Spare::default(),
        }
    }

    /// Reads bytes that became durable on a node's disk; they may `begin` a segment.
    pub fn read(
        &mut self,
        now: Instant,
        node: Place,
        bytes: &[u8],
        begin: bool,
        judges: &mut Judges,
    ) {
        let mut touched = std::mem::take(&mut self.touched);
        judges.durable.write_begins(node.node_id(), begin);
        for frame in frame::read(bytes) {
            judges.durable.take(now, node.node_id(), &frame);
            if let Some(shard) = self.take(now, node, frame, judges)
                && touched.last() != Some(&shard)
            {
                touched.push(shard);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        judges.durable.write_ends(now, node.node_id(), &touched);
        for shard in touched.drain(..) {
            self.compare(now, node, shard, judges);
        }
        self.touched = touched;
    }

    /// Rereads the segments of a crashed node's disk from the start.
    ///
    /// A log holds superseded records too. Where it is damaged or incomplete it ends, for the node and for this reader:
    /// a record that was superseded after that point is current again, and committed only as far as the disk still
    /// says. The disk may hold other records in place of lost ones from now on, until it calls them committed again.
    pub fn crashed<'a>(
        &mut self,
        now: Instant,
        node: Place,
        segments: impl Iterator<Item = &'a [u8]> + Clone,
        judges: &mut Judges,
    ) {
        judges.durable.reread(node.node_id(), segments.clone());
        let before = std::mem::take(&mut self.disks[node]);
        self.disks[node] = vec![Log::default(); before.len()];
        self.forgot[node] = 0;
        for bytes in segments {
            for frame in frame::read_batches(bytes).frames() {
                self.take(now, node, frame, judges);
            }
        }
        for (log, mut before) in self.disks[node].iter_mut().zip(before) {
            log.compared = log.compared.max(before.compared.min(log.commit));
            log.drop_through(log.compared, &mut self.spare);
            before.drop_through(u64::MAX, &mut self.spare);
        }
    }

    /// The possible members of each shard, in order.
    pub fn all_members(&self) -> impl Iterator<Item = Vec<Members>> + '_ {
        (0..self.members.len() as u32).map(|shard| self.members(ShardId(shard)))
    }

    /// The possible members of a shard: by its committed records, and after each later membership change on
    /// some disk.
    pub fn members(&self, shard: ShardId) -> Vec<Members> {
        let place = shard.0 as usize;
        let (committed, known) = (&self.members[place], self.chosen[place].len() as u64);
        let mut all = vec![committed.clone()];
        for log in self.disks.values().map(|logs| &logs[place]) {
            let mut after = None;
            for (_, record) in (known + 1..).map_while(|index| log.get(index)) {
                let change = record.strip_prefix(&CHANGE).and_then(Change::decode);
                let members: &Members = after.as_ref().unwrap_or(committed);
                if let Some(next) = change.and_then(|change| members.after(change)) {
                    all.push(next.clone());
                    after = Some(next);
                }
            }
        }
        all
    }

    /// Closes the ledger at the end of the run. Records on a majority of disks are committed, even without a later
    /// commit index: declares the rest to the oracles, and checks that every committed record is still there.
    pub fn close<'a, D: Iterator<Item = &'a [u8]>>(
        &mut self,
        now: Instant,
        disks: impl Iterator<Item = D>,
        judges: &mut Judges,
    ) {
        self.tell_the_rest(now, judges);
        self.members.iter().for_each(|members| judges.kept_by(members));
        self.check_kept(now, disks, judges);
    }

    fn tell_the_rest(&mut self, now: Instant, judges: &mut Judges) {
        for shard in (0..self.chosen.len() as u32).map(ShardId) {
            self.tell_agreed(now, shard, judges);
            let known = self.chosen[shard.0 as usize].len() as u64;
            let commits = self.disks.values().map(|logs| logs[shard.0 as usize].commit);
            if let Some(committed) = commits.max().filter(|&committed| committed > known) {
                judges.oracles.journal_gap(now, shard.0, known + 1, committed);
            }
        }
    }

    /// Declares the records of a shard that a majority of its disks agrees on.
    fn tell_agreed(&mut self, now: Instant, shard: ShardId, judges: &mut Judges) {
        let place = shard.0 as usize;
        loop {
            let next = self.chosen[place].len() as u64 + 1;
            let held: Vec<(Place, Chosen)> = self
                .disks
                .iter()
                .filter_map(|(node, logs)| {
                    logs[place]
                        .get(next)
                        .map(|(epoch, record)| (node, Chosen { epoch: *epoch, hash: hash(record) }))
                })
                .collect();
            let agreed = |entry: &Chosen| {
                self.members[place].is_quorum(|member| {
                    let node = Place::Node(member.node());
                    let is_it = self.disks[node][place].generation == member.generation();
                    is_it && held.contains(&(node, *entry))
                })
            };
            let Some(&(node, _)) = held.iter().find(|(_, entry)| agreed(entry)) else { break };
            self.disks[node][place].commit = next;
            self.compare(now, node, shard, judges);
        }
    }

    fn take(
        &mut self,
        now: Instant,
        node: Place,
        frame: Frame<'_>,
        judges: &mut Judges,
    ) -> Option<ShardId> {
        if let Frame::Forgot { incarnation } = frame {
            self.forget(node, incarnation);
        }
        let shard = frame.shard()?;
        let log = &mut self.disks[node][shard.0 as usize];
        match frame {
            Frame::Entry { index, epoch, record, .. } => {
                if index > log.compared {
                    log.put(index, epoch, record, &mut self.spare);
                    if index > self.chosen[shard.0 as usize].len() as u64 {
                        self.note_fresh(now, position(shard, index, epoch), record, judges);
                    }
                    self.check_written_once(now, node, position(shard, index, epoch), judges);
                } else if let Some(&first) = self.chosen[shard.0 as usize].get(index as usize - 1) {
                    check_same(now, node, position(shard, index, epoch), record, first, judges);
                }
            }
            Frame::Change { index, epoch, change, .. } => {
                let (shard, record) = (shard, marked(change));
                if index > log.compared {
                    if let Some(Change::Recovers(_)) = Change::decode(change) {
                        log.recovers = Some(index);
                    }
                    log.put(index, epoch, &record, &mut self.spare);
                    self.check_written_once(now, node, position(shard, index, epoch), judges);
                } else if let Some(&first) = self.chosen[shard.0 as usize].get(index as usize - 1) {
                    let at = position(shard, index, epoch);
                    check_same(now, node, at, &record, first, judges);
                }
            }
            // A new replica begins on this disk, or the old one ends.
            Frame::Replica { generation, left, .. } => {
                if left || generation != log.generation {
                    *log = Log::of(generation);
                }
            }
            Frame::Members { .. } => {}
            Frame::HardState { commit, .. } => log.commit = log.commit.max(commit),
            Frame::Snapshot { index, epoch, .. } => {
                // The records under the snapshot were committed: other disks hold them, or held them. This disk's
                // records at their indexes are the same if they end in the snapshot's own epoch. Else a deposed leader
                // wrote them, and they are superseded.
                let leads_to_it = log.get(index).is_some_and(|&(last, _)| last == epoch);
                if !leads_to_it {
                    log.drop_through(index, &mut self.spare);
                }
                log.commit = log.commit.max(index);
                let known = self.chosen[shard.0 as usize].len() as u64;
                log.compared = log.compared.max(index.min(known));
                log.drop_through(log.compared, &mut self.spare);
            }
            Frame::Checkpoint { .. } | Frame::Facts { .. } | Frame::Forgot { .. } => {}
        }
        Some(shard)
    }

    /// Notes a record that is on a disk and not known to be committed.
    fn note_fresh(&mut self, now: Instant, at: Position, record: &[u8], judges: &mut Judges) {
        let (shard, epoch) = (ShardId(at.log), Epoch(at.term));
        let is_map = self.map == Some(shard);
        let read = || if is_map { None } else { record::decode(record).ok().flatten() };
        let Some(record) = self.fresh[at.log as usize].note(at.index, epoch, now, read) else {
            return;
        };
        judges.durable.record_written((shard, at.index, epoch), &record.events);
    }

    /// Notes a disk that forgot: its former replicas are gone. Each segment repeats it, for the same
    /// incarnation.
    fn forget(&mut self, node: Place, incarnation: u64) {
        if std::mem::replace(&mut self.forgot[node], incarnation) != incarnation {
            self.disks[node].fill(Log::default());
        }
    }

    /// Checks that all disks hold the same record at an index of an epoch, long before it is known
    /// to be committed.
    fn check_written_once(&self, now: Instant, node: Place, at: Position, judges: &mut Judges) {
        let (place, index, epoch) = (at.log as usize, at.index, Epoch(at.term));
        let Some((_, record)) = self.disks[node][place].get(index) else { return };
        if let Some(&first) = self.chosen[place].get(index as usize - 1)
            && first.epoch == epoch
        {
            check_same(now, node, at, record, first, judges);
            return;
        }
        for (other, logs) in self.disks.iter() {
            if let Some((theirs, other_record)) = logs[place].get(index)
                && *theirs == epoch
                && other_record != record
            {
                judges.oracles.journal_fork(
                    now,
                    at,
                    format!(
                        "{node} holds a record with hash {:016x}, {other} one with hash {:016x}",
                        hash(record),
                        hash(other_record)
                    ),
                );
                return;
            }
        }
    }

    /// Declares or compares this disk's committed records not yet looked at.
    fn compare(&mut self, now: Instant, node: Place, shard: ShardId, judges: &mut Judges) {
        self.look_for_recovery(now, node, shard, judges);
        let log = &mut self.disks[node][shard.0 as usize];
        let chosen = &mut self.chosen[shard.0 as usize];
        while log.compared < log.commit {
            let index = log.compared + 1;
            let Some((epoch, record)) = log.take(index, &mut self.spare) else {
                // This disk got the record by a snapshot.
                if (chosen.len() as u64) < index {
                    return;
                }
                log.compared = index;
                continue;
            };
            match chosen.get(index as usize - 1) {
                Some(&first) => {
                    check_same(now, node, position(shard, index, epoch), &record, first, judges)
                }
                None => {
                    assert_eq!(
                        chosen.len() as u64 + 1,
                        index,
                        "committed records are declared in order"
                    );
                    chosen.push(Chosen { epoch, hash: hash(&record) });
                    let fresh = self.fresh[shard.0 as usize].take(index, epoch);
                    let (written, read) = fresh.unwrap_or((now, None));
                    let (when, at) = ((written, now), position(shard, index, epoch));
                    if let Some(change) = record.strip_prefix(&CHANGE) {
                        let members = &mut self.members[shard.0 as usize];
                        let change = Change::decode(change);
                        let next = change.and_then(|change| members.after(change));
                        if let Some((change, next)) = change.zip(next) {
                            let before = std::mem::replace(members, next.clone());
                            match change {
                                Change::Recovers(_) => judges.recovered(now, shard, &next),
                                Change::Learns(_)
                                | Change::Swaps { .. }
                                | Change::Settles
                                | Change::Drops(_)
                                | Change::Adds(_) => {
                                    judges.members_changed(now, shard, before, next);
                                }
                            }
                        }
                        judges.oracles.committed(when, at, None, &[]);
                    } else if self.map == Some(shard) {
                        let map = Placement::decode(&record);
                        map.into_iter().for_each(|map| judges.map_changed(when, map));
                        judges.oracles.committed(when, at, None, &[]);
                    } else {
                        tell(when, at, (&record, read), judges);
                    }
                }
            }
            self.spare.0.push(record);
            log.compared = index;
        }
    }
}

const fn position(shard: ShardId, index: u64, epoch: Epoch) -> Position {
    Position { log: shard.0, index, term: epoch.0 }
}

fn marked(change: &[u8]) -> Vec<u8> {
    [&CHANGE[..], change].concat()
}

/// Checks a disk's record against the committed one at its index: a difference is a lost promise.
fn check_same(
    now: Instant,
    node: Place,
    at: Position,
    record: &[u8],
    first: Chosen,
    judges: &mut Judges,
) {
    let epoch = Epoch(at.term);
    let held = Chosen { epoch, hash: hash(record) };
    if held != first {
        let detail = format!(
            "{node} holds a record of {epoch} with hash {:016x}, another disk one of {} with hash {:016x}",
            held.hash, first.epoch, first.hash
        );
        if held.epoch == first.epoch {
            judges.oracles.journal_fork(now, at, detail);
        } else {
            judges.oracles.journal_conflict(now, at, detail);
        }
    }
}

/// Tells the judges of a committed record; it may have been `read` when it was first on a disk.
fn tell(
    when: (Instant, Instant),
    at: Position,
    (record, read): (&[u8], Option<Record>),
    judges: &mut Judges,
) {
    match read.map_or_else(|| record::decode(record), |read| Ok(Some(read))) {
        Ok(None) => judges.oracles.committed(when, at, None, &[]),
        Ok(Some(Record { writer, events })) => {
            judges.oracles.committed(when, at, Some(writer), &events);
            judges.durable.record_committed(&events);
        }
        Err(error) => judges.oracles.journal_conflict(
            when.1,
            at,
            format!("the committed record cannot be read: {error}"),
        ),
    }
}

fn hash(record: &[u8]) -> u64 {
    let mut fingerprint = Fingerprint::default();
    fingerprint.fold_bytes(record);
    fingerprint.value()
}

#[cfg(test)]
mod tests;
