//! The journal's durable content, read from the disks.
//!
//! Owns the reading of every byte that became durable, on every node, and tells the
//! judges each committed record once. A record counts as committed as soon as one disk
//! holds it together with a commit index that covers it; every other disk that says the
//! same later must hold the same record, no disk may overwrite it, and when the run is
//! over a majority of disks must still hold it or a snapshot that covers it. Records of one
//! epoch in one place must be the same from the first byte on, committed or not. Refuses to
//! hear what a node says about itself: bytes on disks are all it sees.

mod kept;
mod log;

use onsale_booking::Instant;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{Change, Members, frame};
use onsale_cluster::record::Record;
use onsale_cluster::{Epoch, Placement, ShardId, record};
use onsale_oracles::Position;
use onsale_world::fingerprint::Fingerprint;
use onsale_world::place::{Layout, Place, PlaceTable};

use self::log::{Chosen, Fresh, Log, Spare};
use crate::judges::Judges;

/// Everything that the disks hold as committed.
#[derive(Debug)]
pub struct JournalWatch {
    /// By shard: the members, as far as its committed records say.
    members: Vec<Members>,
    /// The shard whose records are versions of the map, if there is one.
    map: Option<ShardId>,
    /// By place and by shard: the log as that disk holds it.
    disks: PlaceTable<Vec<Log>>,
    /// By place: in which boot its node found the latest time that it had forgotten what was there.
    forgot: PlaceTable<u64>,
    /// By shard: the records that are committed, from the first on, and how many were told.
    chosen: Vec<Vec<Chosen>>,
    /// By shard: records that are not known to be committed, and since when one stands on any disk.
    fresh: Vec<Fresh>,
    /// The shards of the present write; kept for its memory.
    touched: Vec<ShardId>,
    spare: Spare,
}

/// A record that changes the members is kept behind these bytes, with which no other begins: they
/// would name a writer with a number beyond all numbers of nodes.
const CHANGE: [u8; 3] = [0xFF; 3];

impl JournalWatch {
    /// Empty disks.
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
            fresh: vec![Fresh::default(); shards],
            touched: Vec::new(),
            spare: Spare::default(),
        }
    }

    /// Bytes became durable on a node's disk.
    pub fn read(&mut self, now: Instant, node: Place, bytes: &[u8], judges: &mut Judges) {
        let mut touched = std::mem::take(&mut self.touched);
        for frame in frame::read(bytes) {
            if let Some(shard) = self.take(now, node, frame, judges)
                && touched.last() != Some(&shard)
            {
                touched.push(shard);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        for shard in touched.drain(..) {
            self.compare(now, node, shard, judges);
        }
        self.touched = touched;
    }

    /// A node crashed, and its disk kept these segments. They are read from the start.
    ///
    /// A log holds superseded records too. Where it
    /// is damaged, or a handover is not whole, it ends, for the node as for whoever reads here: a record that
    /// was superseded behind that place stands there again, and is no more committed than the disk still says.
    /// What the disk forgot it may hold otherwise from now on, until it calls it committed once more.
    pub fn crashed<'a>(
        &mut self,
        now: Instant,
        node: Place,
        segments: impl Iterator<Item = &'a [u8]>,
        judges: &mut Judges,
    ) {
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

    /// By whom each shard may be kept, in order.
    pub fn all_members(&self) -> impl Iterator<Item = Vec<Members>> + '_ {
        (0..self.members.len() as u32).map(|shard| self.members(ShardId(shard)))
    }

    /// By whom a shard may be kept by now: the members as the committed records say, and after each
    /// change that stands behind those on some disk.
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

    /// The run is over. What a majority of disks holds alike is committed, whether or not a
    /// commit index was written since: it tells the oracles the rest, and whether all that
    /// was ever committed is still there.
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
            loop {
                let next = self.chosen[shard.0 as usize].len() as u64 + 1;
                let place = shard.0 as usize;
                let held: Vec<(Place, Chosen)> = self
                    .disks
                    .iter()
                    .filter_map(|(node, logs)| {
                        logs[place].get(next).map(|(epoch, record)| {
                            (node, Chosen { epoch: *epoch, hash: hash(record) })
                        })
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
            let known = self.chosen[shard.0 as usize].len() as u64;
            let commits = self.disks.values().map(|logs| logs[shard.0 as usize].commit);
            if let Some(committed) = commits.max().filter(|&committed| committed > known) {
                judges.oracles.journal_gap(now, shard.0, known + 1, committed);
            }
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
                        self.fresh[shard.0 as usize].note(index, epoch, now);
                    }
                    self.check_written_once(now, node, position(shard, index, epoch), judges);
                } else if let Some(&first) = self.chosen[shard.0 as usize].get(index as usize - 1) {
                    check_same(now, node, position(shard, index, epoch), record, first, judges);
                }
            }
            Frame::Change { index, epoch, change, .. } => {
                let (shard, record) = (shard, marked(change));
                if index > log.compared {
                    log.put(index, epoch, &record, &mut self.spare);
                    self.check_written_once(now, node, position(shard, index, epoch), judges);
                } else if let Some(&first) = self.chosen[shard.0 as usize].get(index as usize - 1) {
                    let at = position(shard, index, epoch);
                    check_same(now, node, at, &record, first, judges);
                }
            }
            // Another replica begins on this disk, or there is none any more.
            Frame::Replica { generation, left, .. } => {
                if left || generation != log.generation {
                    *log = Log::of(generation);
                }
            }
            Frame::Members { .. } => {}
            Frame::HardState { commit, .. } => log.commit = log.commit.max(commit),
            Frame::Snapshot { index, epoch, .. } => {
                // The records that it stands for were committed: other disks hold them, or held them.
                // What this disk holds in their places is the same if it ends in the snapshot's own
                // epoch. Else it is what a deposed leader wrote, and superseded.
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

    /// A node says of its disk that it forgot: no replica that it held is there any more. Each segment says so
    /// again, of the same boot.
    fn forget(&mut self, node: Place, incarnation: u64) {
        if std::mem::replace(&mut self.forgot[node], incarnation) != incarnation {
            self.disks[node].fill(Log::default());
        }
    }

    /// What a disk holds must be what every other disk holds in that place of that epoch,
    /// long before anybody knows whether it is committed.
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

    /// Tells or compares what this disk holds as committed and has not been looked at.
    fn compare(&mut self, now: Instant, node: Place, shard: ShardId, judges: &mut Judges) {
        let log = &mut self.disks[node][shard.0 as usize];
        let chosen = &mut self.chosen[shard.0 as usize];
        while log.compared < log.commit {
            let index = log.compared + 1;
            let Some((epoch, record)) = log.take(index, &mut self.spare) else {
                // This disk came by the record through a snapshot.
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
                        "committed records are told in order"
                    );
                    chosen.push(Chosen { epoch, hash: hash(&record) });
                    let written = self.fresh[shard.0 as usize].take(index, epoch);
                    let (when, at) = ((written.unwrap_or(now), now), position(shard, index, epoch));
                    if let Some(change) = record.strip_prefix(&CHANGE) {
                        let members = &mut self.members[shard.0 as usize];
                        let change = Change::decode(change);
                        if let Some(next) = change.and_then(|change| members.after(change)) {
                            let before = std::mem::replace(members, next.clone());
                            judges.members_changed(now, shard, before, next);
                        }
                        judges.oracles.committed(when, at, None, &[]);
                    } else if self.map == Some(shard) {
                        let map = Placement::decode(&record);
                        map.into_iter().for_each(|map| judges.map_changed(now, map));
                        judges.oracles.committed(when, at, None, &[]);
                    } else {
                        tell(when, at, &record, judges);
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

/// A disk holds another record where one was committed: somebody's promise is lost.
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

fn tell(when: (Instant, Instant), at: Position, record: &[u8], judges: &mut Judges) {
    match record::decode(record) {
        Ok(None) => judges.oracles.committed(when, at, None, &[]),
        Ok(Some(Record { writer, events })) => {
            judges.oracles.committed(when, at, Some(writer), &events)
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
