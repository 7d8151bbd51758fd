//! The committed records that disks keep at the end of a run.
//!
//! Owns the count of disks that hold the last record of each shard, and the rule for what counts as held. Refuses
//! to know how it was committed.

use onsale_booking::{Instant, NodeId};
use onsale_cluster::ShardId;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{Change, Members, ReplicaId, frame};

use super::{Chosen, JournalWatch, hash, marked, position};
use crate::judges::Judges;

/// The contents of one disk at the end, by shard.
struct DiskEnd {
    /// Whether it holds the last committed record, or a snapshot that covers it.
    holds: Vec<bool>,
    /// Whether its replica is in repair, and may have lost records.
    doubts: Vec<bool>,
    generations: Vec<u32>,
    /// Incarnation at which its node last detected the loss of the disk.
    forgot: u64,
}

/// The replicas that have the last record of each shard.
struct Keepers {
    holders: Vec<Vec<ReplicaId>>,
    doubters: Vec<Vec<ReplicaId>>,
    /// The membership change that is the last record, if it is one.
    last_change: Vec<Option<Change>>,
}

impl DiskEnd {
    fn new(shards: usize) -> Self {
        Self {
            holds: vec![false; shards],
            doubts: vec![false; shards],
            generations: vec![0; shards],
            forgot: 0,
        }
    }

    /// Takes the next frame on the disk. Returns its shard and change if it is the shard's last record and a membership
    /// change.
    fn take(&mut self, frame: Frame<'_>, chosen: &[Vec<Chosen>]) -> Option<(usize, Change)> {
        if let Frame::Forgot { incarnation } = frame
            && std::mem::replace(&mut self.forgot, incarnation) != incarnation
        {
            self.holds.fill(false);
            self.generations.fill(0);
        }
        let shard = frame.shard()?.0 as usize;
        let (last, holds) = (chosen[shard].len() as u64, &mut self.holds[shard]);
        let is_last = |index, epoch, hash: &dyn Fn() -> u64| {
            index == last
                && chosen[shard]
                    .last()
                    .is_some_and(|last| last.epoch == epoch && last.hash == hash())
        };
        match frame {
            Frame::Entry { index, epoch, record, .. } if index <= last => {
                *holds = is_last(index, epoch, &|| hash(record));
            }
            Frame::Change { index, epoch, change, .. } if index <= last => {
                *holds = is_last(index, epoch, &|| hash(&marked(change)));
                return Change::decode(change).filter(|_| *holds).map(|change| (shard, change));
            }
            Frame::Snapshot { index, .. } => *holds |= index >= last,
            Frame::Replica { generation, left, .. } => {
                *holds &= generation == self.generations[shard] && !left;
                self.generations[shard] = generation;
            }
            Frame::HardState { in_repair, .. } => self.doubts[shard] = in_repair,
            Frame::Entry { .. }
            | Frame::Change { .. }
            | Frame::Members { .. }
            | Frame::Checkpoint { .. }
            | Frame::Facts { .. }
            | Frame::Forgot { .. } => {}
        }
        None
    }
}

impl Keepers {
    fn new(shards: usize) -> Self {
        let nobody = vec![Vec::new(); shards];
        Self { holders: nobody.clone(), doubters: nobody, last_change: vec![None; shards] }
    }

    fn add(&mut self, node: NodeId, end: &DiskEnd) {
        for (shard, &generation) in end.generations.iter().enumerate() {
            let replica = ReplicaId::new(node, generation);
            if end.holds[shard] {
                self.holders[shard].push(replica);
            } else if end.doubts[shard] {
                self.doubters[shard].push(replica);
            }
        }
    }

    /// Whether the replicas with the last record of a shard, and those in repair, are a majority of its members.
    fn are_enough(&self, shard: usize, members: &Members) -> bool {
        let (holders, doubters) = (&self.holders[shard], &self.doubters[shard]);
        let counts = |member| holders.contains(&member) || doubters.contains(&member);
        // A node that becomes a voter by a change does not vote on that change.
        let is_quorum = match self.last_change[shard] {
            Some(Change::Adds(new)) => {
                let voters = members.voters().iter().filter(|&&voter| voter != new);
                2 * voters.clone().filter(|&&voter| counts(voter)).count() > voters.count()
            }
            Some(_) => members.before_change().is_quorum(counts),
            None => members.is_quorum(counts),
        };
        !holders.is_empty() && is_quorum
    }
}

impl JournalWatch {
    /// Checks that the last committed record of each shard is on a majority of disks, or covered by a
    /// snapshot there. Earlier records were compared when they were committed. A disk whose replica is in
    /// repair counts as holding it as long as one disk does: that replica has no vote until it is repaired,
    /// so the others elect no leader without the record.
    pub(super) fn check_kept<'a, D: Iterator<Item = &'a [u8]>>(
        &self,
        now: Instant,
        disks: impl Iterator<Item = D>,
        judges: &mut Judges,
    ) {
        let shards = self.chosen.len();
        let mut keepers = Keepers::new(shards);
        for (node, disk) in disks.enumerate() {
            let mut end = DiskEnd::new(shards);
            for bytes in disk {
                for frame in frame::read_batches(bytes).frames() {
                    if let Some((shard, change)) = end.take(frame, &self.chosen) {
                        keepers.last_change[shard] = Some(change);
                    }
                }
            }
            keepers.add(NodeId(node as u16), &end);
        }
        for (shard, chosen) in (0..).zip(&self.chosen) {
            let place = shard as usize;
            let Some(last) = chosen.last() else { continue };
            if !keepers.are_enough(place, &self.members[place]) {
                let at = position(ShardId(shard), chosen.len() as u64, last.epoch);
                let holders = keepers.holders[place].len() as u16;
                judges.oracles.journal_lost(now, at, holders);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use onsale_cluster::{Epoch, Placement};
    use onsale_reports::Verdict;
    use onsale_world::place::Place;

    use super::super::tests::{commit, entry};
    use super::*;
    use crate::judges::tests::settings;

    const SHARD: ShardId = ShardId(0);

    fn doubt(index: u64) -> Frame<'static> {
        Frame::HardState {
            shard: SHARD,
            epoch: Epoch(1),
            vote: None,
            commit: index,
            in_repair: true,
        }
    }

    /// The verdict of `lost-booking` if nodes 1 and 2 of three have had the frames `had`, and at the end disks
    /// hold the frames `kept`.
    fn verdict(had: &[Frame<'_>], kept: &[&[Frame<'_>]]) -> Verdict {
        let bytes = |frames: &[Frame<'_>]| {
            let mut bytes = Vec::new();
            frames.iter().for_each(|frame| frame.write(&mut bytes));
            bytes
        };
        let (mut watch, mut judges) =
            (JournalWatch::of(&Placement::new(3, 3, 1, 3)), Judges::new(settings()));
        for node in [1, 2] {
            watch.read(Instant::ZERO, Place::node(node), &bytes(had), false, &mut judges);
        }
        let disks: Vec<_> = [&[][..]].iter().chain(kept).map(|frames| bytes(frames)).collect();
        let disks = disks.iter().map(|bytes| std::iter::once(&bytes[..]));
        watch.check_kept(Instant::ZERO, disks, &mut judges);
        let results = judges.finish(Instant::ZERO, &[]);
        results[1].verdict
    }

    #[test]
    fn a_record_that_a_majority_keeps_is_kept() {
        let had = [entry(1, 1), commit(1, 1)];
        assert_eq!(verdict(&had, &[&had, &had, &[]]), Verdict::NotExercised);
        assert_eq!(verdict(&had, &[&had, &[], &[]]), Verdict::Fail);
    }

    #[test]
    fn a_replica_in_repair_has_no_vote_against_it() {
        let had = [entry(1, 1), commit(1, 1)];
        assert_eq!(verdict(&had, &[&had, &[doubt(1)], &[]]), Verdict::NotExercised);
        assert_eq!(
            verdict(&had, &[&[doubt(1)], &[doubt(1)], &[]]),
            Verdict::Fail,
            "no disk has the record"
        );
        let repaired = [doubt(1), commit(1, 1)];
        assert_eq!(
            verdict(&had, &[&had, &repaired, &[]]),
            Verdict::Fail,
            "a repaired replica has a vote again"
        );
    }

    #[test]
    fn a_new_voter_need_not_have_the_change_that_makes_it_one() {
        let members = Placement::new(3, 3, 1, 3);
        let leader = ReplicaId::new(members.replicas(SHARD)[0], 0);
        let new = ReplicaId::new(NodeId(4), 1);
        let change = |index, change: Change| Frame::Change {
            shard: SHARD,
            index,
            epoch: Epoch(1),
            change: change.encode().leak(),
        };
        let swap = Change::Swaps { promoted: new, demoted: leader };
        let had = [change(1, Change::Learns(new)), change(2, swap), commit(1, 2)];
        let gone = leader.node().0 as usize;
        let other = if gone == 1 { 2 } else { 1 };
        // The leaving voter and a staying one: a majority of the old voters, and not of the new ones.
        let mut kept: Vec<&[Frame<'_>]> = vec![&[]; 4];
        (kept[gone - 1], kept[other - 1]) = (&had, &had);
        assert_eq!(verdict(&had, &kept), Verdict::NotExercised);
        kept[other - 1] = &[];
        assert_eq!(verdict(&had, &kept), Verdict::Fail);
    }

    #[test]
    fn a_voter_that_is_added_need_not_have_the_record_that_adds_it() {
        let new = ReplicaId::new(NodeId(4), 1);
        let change = |index, change: Change| Frame::Change {
            shard: SHARD,
            index,
            epoch: Epoch(1),
            change: change.encode().leak(),
        };
        let had = [change(1, Change::Learns(new)), change(2, Change::Adds(new)), commit(1, 2)];
        assert_eq!(verdict(&had, &[&had, &had, &[], &[]]), Verdict::NotExercised, "two of three");
        assert_eq!(verdict(&had, &[&had, &[], &[], &had]), Verdict::Fail, "it had no vote on it");
    }
}
