//! What a disk may say, by what it and the others have said before.
//!
//! Owns the reading of frames, and these rules of `durable`:
//!
//! - *one vote*: a disk holds one vote an epoch, and takes none back;
//! - *kept*: it does not go back to an earlier epoch, nor overwrite what its replica acknowledged to the leader of the
//!   epoch that it still knows. A new segment, which replaces the ones before it, holds as much as they did: the same
//!   epoch and vote or a later epoch, every committed and every acknowledged record, the node's own facts. That covers the
//!   first write of a start, which is a segment: what a node reads back is what its disk held. A disk on which the
//!   replica is in repair, or forgot, promises less;
//! - *committed*: a commit index on a disk, and a snapshot, cover only records that a quorum of disks has held at one
//!   instant.
//!
//! A process that dies has its disk reread, as its successor will. If less is there than the disk once said, then the
//! disk has lied, rotted or been replaced, and the replica may come to contradict what it does not know: what was said
//! before is forgotten. Other oracles see the harm. But the leader does not know, and goes by what the replica had
//! acknowledged: up to that record of that epoch's log, the lost disk counts in quorums. If more is there, then a write
//! that was under way has reached the disk, and its records were on it.

use onsale_booking::{Instant, NodeId};
use onsale_cluster::journal::ReplicaId;
use onsale_cluster::journal::claim::LogPosition;
use onsale_cluster::journal::frame::{self, Frame};
use onsale_cluster::{Epoch, ShardId};
use onsale_oracles::Story;

use super::held::Held;
use super::{
    Before, COMMIT_WRITTEN, DROPPED, Disk, Durable, EPOCH_BACK, ONE_VOTE, SEGMENT, SEGMENT_FACTS,
    SEGMENT_FORGOT, SNAPSHOT_WRITTEN, replica_of,
};

impl Durable {
    /// The bytes that follow are of one write; it `begins` a segment, or appends to one.
    pub fn write_begins(&mut self, node: NodeId, begins: bool) {
        if !begins {
            return;
        }
        let disk = &mut self.disks[usize::from(node.0)];
        let empty = disk.replicas.iter().map(Held::to_reread).collect();
        disk.before = Some(Before {
            replicas: std::mem::replace(&mut disk.replicas, empty),
            forgot: std::mem::take(&mut disk.forgot),
            facts: std::mem::take(&mut disk.facts),
        });
        disk.facts.ever = disk.before.as_ref().and_then(|before| before.facts.ever);
    }

    /// Takes the next frame of a write.
    pub fn take(&mut self, now: Instant, node: NodeId, frame: &Frame<'_>) {
        if let Frame::HardState { shard, epoch, vote, in_repair, .. } = *frame {
            self.judge_batch((now, node), shard, (epoch, vote, in_repair));
        }
        if let Frame::Change { shard, change, .. } = *frame {
            self.logs[shard.0 as usize].quorums.on_change(change);
        }
        let disk = &mut self.disks[usize::from(node.0)];
        disk.take(node, frame);
        if let Frame::Entry { shard, index, epoch, .. }
        | Frame::Change { shard, index, epoch, .. } = *frame
        {
            let held = &disk.replicas[shard.0 as usize];
            if let Some(begins) = held.last_run().filter(|&(first, _)| first == index) {
                let me = ReplicaId::new(node, held.generation);
                self.note_begin(shard, me, epoch, begins);
            }
        }
    }

    /// The write is read to its end; it `touched` these shards.
    pub fn write_ends(&mut self, now: Instant, node: NodeId, touched: &[ShardId]) {
        for &shard in touched {
            let held = &self.disks[usize::from(node.0)].replicas[shard.0 as usize];
            let log = &mut self.logs[shard.0 as usize];
            let replica = |member| replica_of(&self.disks, shard, member);
            log.quorums.count(held, replica, &mut log.terms);
            self.judge_committed(now, node, shard);
        }
        if let Some(before) = self.disks[usize::from(node.0)].before.take() {
            self.judge_segment(now, node, &before);
        }
    }

    /// Rereads a disk whose process died, or which was replaced, as a starting node would.
    pub fn reread<'a>(&mut self, node: NodeId, segments: impl Iterator<Item = &'a [u8]>) {
        let disk = &mut self.disks[usize::from(node.0)];
        let before: Vec<Held> = std::mem::take(&mut disk.replicas);
        let empty = || before.iter().map(Held::to_reread).collect::<Vec<_>>();
        let forgot_last = disk.forgot_last;
        let fresh = || Disk { replicas: empty(), forgot_last, ..Disk::default() };
        let (mut found, mut changes) = (fresh(), Vec::new());
        for bytes in segments {
            let (mut segment, mut changed) = (fresh(), Vec::new());
            let (mut batches, mut is_whole) = (frame::read_batches(bytes), false);
            while let Some(frames) = batches.next_batch() {
                for frame in frames {
                    is_whole |= matches!(frame, Frame::Checkpoint { .. });
                    if let Frame::Change { shard, index, epoch, change } = *frame {
                        changed.push((shard, (index, epoch), change));
                    }
                    segment.take(node, frame);
                }
            }
            if is_whole {
                (found, changes) = (segment, changed);
            }
        }
        let ever = disk.facts.ever;
        *disk = found;
        disk.facts.ever = ever.max(disk.facts.ever);
        for ((held, before), log) in disk.replicas.iter_mut().zip(&before).zip(&mut self.logs) {
            let is_other = held.generation != before.generation;
            if is_other || held.has_less_than(before).is_some() || held.ends() < before.ends() {
                held.start_over();
                let member = ReplicaId::new(node, before.generation);
                log.quorums.on_lost(member, before.said.acknowledged);
            }
            held.said.at_start = held.epoch;
        }
        self.count_unheard(node, &before, &changes);
    }

    /// Counts the records that a reread disk holds and that were never said to be durable: a write that was under way
    /// may reach the disk as its process dies. Of the `changes` on it only these are news.
    fn count_unheard(
        &mut self,
        node: NodeId,
        before: &[Held],
        changes: &[(ShardId, LogPosition, &[u8])],
    ) {
        for (place, (before, log)) in before.iter().zip(&mut self.logs).enumerate() {
            let shard = ShardId(place as u32);
            let held = &self.disks[usize::from(node.0)].replicas[place];
            if before.covers(held.ends()) {
                continue;
            }
            let is_news = |&&(of, at, _): &&(ShardId, LogPosition, &[u8])| {
                of == shard && !before.covers(at) && held.epoch_at(at.0) == Some(at.1)
            };
            changes.iter().filter(is_news).for_each(|(.., change)| log.quorums.on_change(change));
            log.quorums.count(
                held,
                |member| replica_of(&self.disks, shard, member),
                &mut log.terms,
            );
        }
    }

    /// Judges the hard state that closes a batch, before it is taken. A new segment is judged as a whole.
    fn judge_batch(
        &mut self,
        (now, node): (Instant, NodeId),
        shard: ShardId,
        (epoch, vote, in_repair): (Epoch, Option<ReplicaId>, bool),
    ) {
        let disk = &self.disks[usize::from(node.0)];
        if disk.before.is_some() {
            return;
        }
        let held = &disk.replicas[shard.0 as usize];
        let me = ReplicaId::new(node, held.generation);
        let (acknowledged_in, acknowledged) = held.said.acknowledged;
        let (rule, why) = if epoch < held.epoch {
            (EPOCH_BACK, format!("goes back to {epoch}"))
        } else if let Some(other) = held.vote_in(epoch).filter(|&other| Some(other) != vote) {
            let now = vote.map_or_else(|| "nobody".to_owned(), |vote| vote.to_string());
            (ONE_VOTE, format!("votes for {now} in {epoch}, in which it voted for {other}"))
        } else if acknowledged_in == epoch && held.ends().0 < acknowledged && !in_repair {
            let dropped = format!("drops records up to {acknowledged}");
            (DROPPED, format!("{dropped} that it acknowledged in {epoch}"))
        } else {
            return self.judge_append_only(shard, node, epoch);
        };
        self.durable.fail(rule, || Story {
            headline: format!("the disk of {me} {why} in {shard}"),
            lines: vec![format!("at {now} the disk says so; before it held {held}")],
        });
    }

    /// Judges the commit index and the snapshot that a disk holds.
    fn judge_committed(&mut self, now: Instant, node: NodeId, shard: ShardId) {
        let held = &self.disks[usize::from(node.0)].replicas[shard.0 as usize];
        let log = &self.logs[shard.0 as usize];
        let is_kept = |at| log.terms.was_on_quorum(at);
        let commit = held.epoch_at(held.commit).map(|epoch| (held.commit, epoch));
        let (rule, what, at) = match (commit, held.base) {
            (Some(commit), _) if !is_kept(commit) => (COMMIT_WRITTEN, "calls record", commit),
            (_, base) if base.0 > 0 && base.1 > Epoch(0) && !is_kept(base) => {
                (SNAPSHOT_WRITTEN, "has a snapshot up to record", base)
            }
            _ => return,
        };
        let me = ReplicaId::new(node, held.generation);
        let voters = log.quorums.voters();
        self.durable.fail(rule, || Story {
            headline: format!(
                "the disk of {me} {what} {} ({}) of {shard} committed, and no quorum of disks has \
                 held it",
                at.0, at.1
            ),
            lines: vec![format!("at {now} it holds {held}"), format!("the voters: {voters}")],
        });
    }

    /// Judges a new segment against the ones before it.
    fn judge_segment(&mut self, now: Instant, node: NodeId, before: &Before) {
        let disk = &self.disks[usize::from(node.0)];
        let forgot = disk.forgot > before.forgot;
        if disk.forgot < before.forgot {
            self.durable.fail(SEGMENT_FORGOT, || Story {
                headline: format!("a new segment of {node} does not say that the node forgot"),
                lines: vec![format!("at {now} it replaces one that says so")],
            });
        }
        if !forgot && disk.facts.has_less_than(&before.facts) {
            self.durable.fail(SEGMENT_FACTS, || Story {
                headline: format!(
                    "a new segment of {node} holds fewer of its own facts than the one before"
                ),
                lines: vec![format!("at {now} it replaces the one before")],
            });
        }
        for (shard, (held, before)) in
            (0..).map(ShardId).zip(disk.replicas.iter().zip(&before.replicas))
        {
            let is_excused = forgot || held.in_repair || held.generation > before.generation;
            let me = ReplicaId::new(node, before.generation);
            let terms = &self.logs[shard.0 as usize].terms;
            let less = held.has_less_than(before).or_else(|| {
                let leads = held.epoch == before.epoch && terms.leader(held.epoch) == Some(me);
                (leads && held.ends() < before.ends()).then_some("fewer records as the leader")
            });
            let Some(less) = less.filter(|_| !is_excused) else { continue };
            self.durable.fail(SEGMENT, || Story {
                headline: format!(
                    "a new segment of {me} holds {less} of {shard} than the one before"
                ),
                lines: vec![
                    format!("the one before: {before}"),
                    format!("at {now} it is replaced by: {held}"),
                ],
            });
        }
    }
}

impl Disk {
    /// Folds a frame in.
    fn take(&mut self, node: NodeId, frame: &Frame<'_>) {
        match *frame {
            Frame::Forgot { incarnation } => {
                self.forgot = incarnation;
                if std::mem::replace(&mut self.forgot_last, incarnation) != incarnation {
                    self.replicas.fill(Held::default());
                }
            }
            Frame::Facts { delta } => self.facts.take(node, delta),
            Frame::Checkpoint { .. } | Frame::Members { .. } => {}
            Frame::Entry { shard, index, epoch, .. }
            | Frame::Change { shard, index, epoch, .. } => {
                self.replicas[shard.0 as usize].put(index, epoch);
            }
            Frame::Snapshot { shard, index, epoch, .. } => {
                self.replicas[shard.0 as usize].cover((index, epoch));
            }
            Frame::HardState { shard, epoch, vote, commit, in_repair } => {
                let held = &mut self.replicas[shard.0 as usize];
                held.promise(epoch, vote, commit);
                held.in_repair = in_repair;
            }
            Frame::Replica { shard, generation, left } => {
                self.replicas[shard.0 as usize].name(generation, left);
            }
        }
    }
}
