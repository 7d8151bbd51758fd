//! What disks keep at the end of a run of what was committed.
//!
//! Owns the count of those that hold the last record of each shard, and what counts as held. Refuses to know
//! how it came to be committed.

use onsale_booking::{Instant, NodeId};
use onsale_cluster::ShardId;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{ReplicaId, frame};

use super::{Chosen, JournalWatch, hash, marked, position};
use crate::judges::Judges;

impl JournalWatch {
    /// The last record that was committed in each shard must be on a majority of disks, or
    /// covered by a snapshot there. Those before it were compared when they were committed. A disk whose
    /// replica is in doubt of what it has lost counts with them as long as one has the record: until that
    /// replica is repaired it has no vote, so the others elect nobody who lacks it.
    pub(super) fn check_kept<'a, D: Iterator<Item = &'a [u8]>>(
        &self,
        now: Instant,
        disks: impl Iterator<Item = D>,
        judges: &mut Judges,
    ) {
        let mut holders = vec![Vec::new(); self.chosen.len()];
        let mut doubters = holders.clone();
        let mut ends_in_change = vec![false; self.chosen.len()];
        for (node, disk) in disks.enumerate() {
            let mut holds = vec![false; self.chosen.len()];
            let mut repairing = holds.clone();
            let mut generations = vec![0; self.chosen.len()];
            let mut forgot = 0;
            for bytes in disk {
                for frame in frame::read_batches(bytes).frames() {
                    if let Frame::Forgot { incarnation } = frame
                        && std::mem::replace(&mut forgot, incarnation) != incarnation
                    {
                        holds.fill(false);
                        generations.fill(0);
                    }
                    let Some(shard) = frame.shard().map(|shard| shard.0 as usize) else { continue };
                    let last = self.chosen[shard].len() as u64;
                    match frame {
                        Frame::Entry { index, epoch, record, .. } if index <= last => {
                            let is_held =
                                |last: &Chosen| *last == Chosen { epoch, hash: hash(record) };
                            holds[shard] =
                                index == last && self.chosen[shard].last().is_some_and(is_held);
                        }
                        Frame::Change { index, epoch, change, .. } if index <= last => {
                            let held = Chosen { epoch, hash: hash(&marked(change)) };
                            holds[shard] =
                                index == last && self.chosen[shard].last() == Some(&held);
                            ends_in_change[shard] |= holds[shard];
                        }
                        Frame::Snapshot { index, .. } => holds[shard] |= index >= last,
                        Frame::Replica { generation, left, .. } => {
                            holds[shard] &= generation == generations[shard] && !left;
                            generations[shard] = generation;
                        }
                        Frame::HardState { in_repair, .. } => repairing[shard] = in_repair,
                        Frame::Entry { .. }
                        | Frame::Change { .. }
                        | Frame::Members { .. }
                        | Frame::Checkpoint { .. }
                        | Frame::Facts { .. }
                        | Frame::Forgot { .. } => {}
                    }
                }
            }
            for shard in 0..self.chosen.len() {
                let replica = ReplicaId::new(NodeId(node as u16), generations[shard]);
                if holds[shard] {
                    holders[shard].push(replica);
                } else if repairing[shard] {
                    doubters[shard].push(replica);
                }
            }
        }
        let found = holders.iter().zip(&doubters);
        for (shard, (chosen, (holders, doubters))) in
            (0..).map(ShardId).zip(self.chosen.iter().zip(found))
        {
            let counts = |member| holders.contains(&member) || doubters.contains(&member);
            // Who gets a say by a change has none in whether it is committed.
            let members = &self.members[shard.0 as usize];
            let is_kept = match ends_in_change[shard.0 as usize] {
                true => members.before_change().is_quorum(counts),
                false => members.is_quorum(counts),
            };
            if let Some(last) = chosen.last()
                && (holders.is_empty() || !is_kept)
            {
                let holders = holders.len() as u16;
                let at = position(shard, chosen.len() as u64, last.epoch);
                judges.oracles.journal_lost(now, at, holders);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use onsale_cluster::journal::Change;
    use onsale_cluster::{Epoch, Placement};
    use onsale_reports::Verdict;

    use super::super::tests::{commit, entry};
    use super::*;
    use crate::judges::tests::settings;
    use crate::seen::place::Place;

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

    /// What `lost-booking` says once nodes 1 and 2 of three have had the first frames, and at the end disks
    /// hold the others.
    fn verdict(had: &[Frame<'_>], kept: &[&[Frame<'_>]]) -> Verdict {
        let bytes = |frames: &[Frame<'_>]| {
            let mut bytes = Vec::new();
            frames.iter().for_each(|frame| frame.write(&mut bytes));
            bytes
        };
        let (mut watch, mut judges) =
            (JournalWatch::new(&Placement::new(3, 3, 1, 3)), Judges::new(settings()));
        for node in [1, 2] {
            watch.read(Instant::ZERO, Place::node(node), &bytes(had), &mut judges);
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
        assert_eq!(verdict(&had, &[&[doubt(1)], &[doubt(1)], &[]]), Verdict::Fail, "all is lost");
        let repaired = [doubt(1), commit(1, 1)];
        assert_eq!(verdict(&had, &[&had, &repaired, &[]]), Verdict::Fail, "and it has one again");
    }

    #[test]
    fn who_gets_a_say_need_not_have_the_record_that_says_so() {
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
        // The one that goes and one that stays: a majority of those of old, and not of the new ones.
        let mut kept: Vec<&[Frame<'_>]> = vec![&[]; 4];
        (kept[gone - 1], kept[other - 1]) = (&had, &had);
        assert_eq!(verdict(&had, &kept), Verdict::NotExercised);
        kept[other - 1] = &[];
        assert_eq!(verdict(&had, &kept), Verdict::Fail);
    }
}
