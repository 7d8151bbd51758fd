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

use std::collections::VecDeque;

use onsale_booking::Instant;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{Change, Members, frame};
use onsale_cluster::record::Record;
use onsale_cluster::{Epoch, Placement, ShardId, record};
use onsale_oracles::Position;

use crate::fingerprint::Fingerprint;
use crate::judges::Judges;
use crate::seen::place::{Layout, Place, PlaceTable};

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

/// Room for most records.
const RECORD_BYTES: usize = 128;

/// Records that are not needed any more; kept for their memory.
#[derive(Debug, Default)]
struct Spare(Vec<Vec<u8>>);

impl Spare {
    fn copy(&mut self, record: &[u8]) -> Vec<u8> {
        let mut copy = self.0.pop().unwrap_or_default();
        copy.clear();
        copy.reserve(record.len().max(RECORD_BYTES));
        copy.extend_from_slice(record);
        copy
    }
}

/// A shard's log on one disk, as far as it is not known to be committed.
#[derive(Clone, Debug, Default)]
struct Log {
    /// Records without gaps, the first of them in the place `first`.
    tail: VecDeque<(Epoch, Vec<u8>)>,
    first: u64,
    commit: u64,
    /// Up to here this disk's committed records were compared.
    compared: u64,
    /// The generation of the replica, of which the disk may have had others.
    generation: u32,
}

/// A record that changes the members is kept behind these bytes, with which no other begins: they
/// would name a writer with a number beyond all numbers of nodes.
const CHANGE: [u8; 3] = [0xFF; 3];

impl Log {
    /// A record in its place supersedes what stands there and after it.
    fn put(&mut self, index: u64, epoch: Epoch, record: &[u8], spare: &mut Spare) {
        let fits = (self.first..=self.first + self.tail.len() as u64).contains(&index);
        if self.tail.is_empty() || !fits {
            self.drop_through(u64::MAX, spare);
            self.first = index;
        }
        while self.tail.len() as u64 > index - self.first {
            spare.0.extend(self.tail.pop_back().map(|(_, record)| record));
        }
        self.tail.push_back((epoch, spare.copy(record)));
    }

    fn get(&self, index: u64) -> Option<&(Epoch, Vec<u8>)> {
        self.tail.get(index.checked_sub(self.first)? as usize)
    }

    /// Drops the records up to `index`.
    fn drop_through(&mut self, index: u64, spare: &mut Spare) {
        while self.first <= index
            && let Some((_, record)) = self.tail.pop_front()
        {
            spare.0.push(record);
            self.first += 1;
        }
    }

    /// Takes the record at `index` out, and drops those before it.
    fn take(&mut self, index: u64, spare: &mut Spare) -> Option<(Epoch, Vec<u8>)> {
        self.drop_through(index - 1, spare);
        let stands_there = self.first == index && !self.tail.is_empty();
        self.first += u64::from(stands_there);
        if stands_there { self.tail.pop_front() } else { None }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chosen {
    epoch: Epoch,
    hash: u64,
}

/// Records by place and epoch, in the order in which they were first written.
#[derive(Clone, Debug, Default)]
struct Fresh(VecDeque<(u64, Epoch, Instant)>);

impl Fresh {
    fn note(&mut self, index: u64, epoch: Epoch, now: Instant) {
        if !self.0.iter().rev().any(|&(at, of, _)| (at, of) == (index, epoch)) {
            self.0.push_back((index, epoch, now));
        }
    }

    /// A record is committed: since when it stands on a disk. Others in its place or before are not asked for.
    fn take(&mut self, index: u64, epoch: Epoch) -> Option<Instant> {
        let since = self.0.iter().find(|&&(at, of, _)| (at, of) == (index, epoch));
        let since = since.map(|&(.., since)| since);
        self.0.retain(|&(at, ..)| at > index);
        since
    }
}

impl JournalWatch {
    /// Empty disks.
    pub fn new(placement: &Placement) -> Self {
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
    /// is damaged, or a batch is not whole, it ends, for the node as for whoever reads here: a record that
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
    pub fn finish<'a, D: Iterator<Item = &'a [u8]>>(
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
                    *log = Log { generation, ..Log::default() };
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
mod tests {
    use onsale_reports::Verdict;

    use super::*;
    use crate::judges::tests::settings;

    const SHARD: ShardId = ShardId(0);

    pub(super) fn entry(index: u64, epoch: u64) -> Frame<'static> {
        Frame::Entry { shard: SHARD, index, epoch: Epoch(epoch), record: &[] }
    }

    pub(super) fn commit(epoch: u64, commit: u64) -> Frame<'static> {
        Frame::HardState { shard: SHARD, epoch: Epoch(epoch), vote: None, commit, in_repair: false }
    }

    fn snapshot(index: u64, epoch: u64) -> Frame<'static> {
        Frame::Snapshot { shard: SHARD, index, epoch: Epoch(epoch), state: &[] }
    }

    /// What `lost-booking` says once these frames have become durable on these nodes.
    fn verdict(written: &[(u16, &[Frame<'static>])]) -> Verdict {
        verdict_of("lost-booking", written)
    }

    fn verdict_of(oracle: &str, written: &[(u16, &[Frame<'static>])]) -> Verdict {
        verdict_after(oracle, written, None, &[])
    }

    /// The same, with a disk that is read anew in between, and keeps this.
    fn verdict_after(
        oracle: &str,
        written: &[(u16, &[Frame<'static>])],
        kept: Option<(u16, &[Frame<'static>])>,
        then: &[(u16, &[Frame<'static>])],
    ) -> Verdict {
        let (mut watch, mut judges) =
            (JournalWatch::new(&Placement::new(3, 3, 1, 3)), Judges::new(settings()));
        let bytes = |frames: &[Frame<'static>]| {
            let mut bytes = Vec::new();
            frames.iter().for_each(|frame| frame.write(&mut bytes));
            bytes
        };
        for (node, frames) in written {
            watch.read(Instant::ZERO, Place::node(*node), &bytes(frames), &mut judges);
        }
        if let Some((node, frames)) = kept {
            let kept = bytes(frames);
            watch.crashed(Instant::ZERO, Place::node(node), [&kept[..]].into_iter(), &mut judges);
        }
        for (node, frames) in then {
            watch.read(Instant::ZERO, Place::node(*node), &bytes(frames), &mut judges);
        }
        watch.tell_the_rest(Instant::ZERO, &mut judges);
        let results = judges.finish(Instant::ZERO, &[]);
        results
            .iter()
            .find(|result| result.name == oracle)
            .expect("it is one of the oracles")
            .verdict
    }

    #[test]
    fn disks_that_agree_are_left_in_peace() {
        let log: &[_] = &[entry(1, 1), entry(2, 1), commit(1, 2)];
        assert_eq!(verdict(&[(1, log), (2, log), (3, log)]), Verdict::NotExercised);
    }

    #[test]
    fn two_records_committed_in_one_place_are_seen() {
        let (one, other): (&[_], &[_]) =
            (&[entry(1, 1), commit(1, 1)], &[entry(1, 2), commit(2, 1)]);
        assert_eq!(verdict(&[(1, one), (2, other)]), Verdict::Fail);
    }

    #[test]
    fn a_committed_record_that_is_overwritten_is_seen() {
        let log: &[_] = &[entry(1, 1), commit(1, 1)];
        assert_eq!(
            verdict(&[(1, log), (1, &[entry(1, 1)])]),
            Verdict::NotExercised,
            "the same again is the same"
        );
        assert_eq!(verdict(&[(1, log), (1, &[entry(1, 2)])]), Verdict::Fail);
    }

    #[test]
    fn two_records_of_one_epoch_are_seen_before_any_is_committed() {
        let (one, other) = (
            entry(1, 1),
            Frame::Entry { shard: SHARD, index: 1, epoch: Epoch(1), record: b"other" },
        );
        let single_writer =
            |written: &[(u16, &[Frame<'static>])]| verdict_of("single-writer", written);
        assert_eq!(single_writer(&[(1, &[one]), (2, &[other])]), Verdict::Fail);
        assert_eq!(single_writer(&[(1, &[one, commit(1, 1)]), (2, &[other])]), Verdict::Fail);
        assert_eq!(
            single_writer(&[(1, &[one]), (2, &[entry(1, 2)])]),
            Verdict::NotExercised,
            "the one supersedes the other"
        );
    }

    #[test]
    fn a_gap_is_seen() {
        let log: &[_] = &[entry(1, 1), entry(3, 1), commit(1, 3)];
        assert_eq!(verdict_of("single-writer", &[(1, log), (2, log)]), Verdict::Fail);
        let whole: &[_] = &[entry(1, 1), entry(2, 1), entry(3, 1), commit(1, 3)];
        assert_eq!(verdict_of("single-writer", &[(1, log), (2, whole)]), Verdict::NotExercised);
    }

    /// n1 led e1 and wrote a second record that nobody else has. It is deposed and gets the
    /// successor's snapshot. Its own second record was never committed.
    #[test]
    fn a_snapshot_does_not_vouch_for_what_it_supersedes() {
        let deposed: &[_] = &[entry(1, 1), entry(2, 1), commit(1, 1)];
        let others: &[_] = &[entry(1, 1), entry(2, 2), entry(3, 2), commit(2, 3)];
        assert_eq!(
            verdict(&[(1, deposed), (1, &[snapshot(3, 2)]), (2, others), (3, others)]),
            Verdict::NotExercised
        );
    }

    /// A disk's own snapshot comes with a commit index that it never wrote: all before it was committed.
    #[test]
    fn a_snapshot_vouches_for_what_leads_to_it() {
        let own: &[_] = &[entry(1, 1), entry(2, 1), snapshot(2, 1)];
        let other: &[_] = &[entry(1, 1), entry(2, 2), commit(2, 2)];
        assert_eq!(verdict(&[(1, own), (2, other)]), Verdict::Fail);
    }

    /// n1 wrote a second record that nobody else has, and then the one that took its place. The disk
    /// rots there: the first one stands again, uncommitted. Only where the disk calls it committed,
    /// it is one too many.
    #[test]
    fn what_rot_brings_back_is_not_committed_until_the_disk_says_so() {
        let others: &[_] = &[entry(1, 1), entry(2, 2), entry(3, 2), commit(2, 3)];
        let own: &[_] =
            &[entry(1, 1), entry(2, 1), commit(1, 1), entry(2, 2), entry(3, 2), commit(2, 3)];
        let kept = &own[..3];
        let after = |then: &[(u16, &[Frame<'static>])]| {
            let written = [(2, others), (3, others), (1, own)];
            verdict_after("lost-booking", &written, Some((1, kept)), then)
        };
        assert_eq!(after(&[(1, kept)]), Verdict::NotExercised, "as it begins a new segment");
        assert_eq!(after(&[(1, kept), (1, &others[1..])]), Verdict::NotExercised, "repaired");
        assert_eq!(after(&[(1, kept), (1, &[commit(2, 2)])]), Verdict::Fail);
    }
}
