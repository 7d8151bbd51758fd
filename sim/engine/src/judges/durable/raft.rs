//! Raft's own properties, over all logs.
//!
//! Owns these rules of `raft`:
//!
//! - *election safety*: at most one replica speaks as the leader in an epoch;
//! - *leader append-only*: while an epoch lasts, its leader's disk replaces none of its records and drops none;
//! - *log matching*: two logs with a record of one epoch agree on where that epoch begins and on the epoch of the record
//!   before, on disks and in appends. So by induction they agree on every record before it, if two records at one index of
//!   one epoch are the same: that is `single-writer`'s to judge, by the bytes on all disks;
//! - *leader completeness*: a leader's log at the beginning of its epoch has every record that leaders of earlier epochs
//!   told to be committed: on its disk when it first speaks and, where such a word comes later, in the log that the
//!   epoch grew on.
//!
//! The fifth, *state-machine safety*, is `lost-booking`'s: no two disks hold different committed records at one index.

use onsale_booking::NodeId;
use onsale_cluster::journal::ReplicaId;
use onsale_cluster::journal::claim::LogPosition;
use onsale_cluster::{Epoch, ShardId};
use onsale_oracles::Story;

use super::Durable;
use super::promises::Heard;

onsale_oracles::rules! { Raft:
    /// Two replicas led a log in one epoch.
    ELECTION_SAFETY = "election-safety";
    /// A leader's disk overwrote its own records.
    APPEND_ONLY = "leader-append-only";
    /// Two logs with records of one epoch differ before them.
    LOG_MATCHING = "log-matching";
    /// A leader lacked a record that an earlier leader had committed.
    COMPLETENESS = "leader-completeness";
}

impl Durable {
    /// A replica speaks as the leader; an append follows on a record.
    pub(super) fn judge_leader(
        &mut self,
        heard: Heard,
        before: Option<LogPosition>,
        records: impl Iterator<Item = LogPosition>,
    ) {
        let Heard { now, shard, sender, epoch, .. } = heard;
        self.raft.checks();
        let log = &mut self.logs[shard.0 as usize];
        match log.terms.leader(epoch) {
            Some(leader) if leader == sender => {}
            Some(leader) => self.raft.fail(ELECTION_SAFETY, || Story {
                headline: format!("{leader} and {sender} both lead {shard} in {epoch}"),
                lines: vec![format!(
                    "at {now}: {sender} speaks as the leader; {leader} did before"
                )],
            }),
            None => {
                log.terms.leads(epoch, sender);
                let (last, told_in) = log.committed;
                self.successions += u64::from(Epoch(0) < told_in && told_in < epoch);
                let held = &self.disks[heard.disk()].replicas[heard.log()];
                if told_in < epoch && !held.covers(last) {
                    self.raft.fail(COMPLETENESS, || Story {
                        headline: format!(
                            "{sender} leads {shard} in {epoch} without record {} ({}), which is \
                             committed",
                            last.0, last.1
                        ),
                        lines: vec![
                            format!("the leader of {told_in} told that it is committed"),
                            format!("at {now}, the disk of {sender}: {held}"),
                        ],
                    });
                }
            }
        }
        let Some((_, mut of)) = before else { return };
        for (index, epoch) in records {
            if epoch != of {
                self.note_begin(heard.shard, sender, epoch, (index, of));
            }
            of = epoch;
        }
    }

    /// A log of a replica has an epoch that begins at an index, after a record of another epoch.
    pub(super) fn note_begin(
        &mut self,
        shard: ShardId,
        whose: ReplicaId,
        epoch: Epoch,
        begins: LogPosition,
    ) {
        let Err(known) = self.logs[shard.0 as usize].terms.begins(epoch, begins) else { return };
        self.raft.fail(LOG_MATCHING, || Story {
            headline: format!("two logs of {shard} differ before the same records of {epoch}"),
            lines: vec![
                format!("one has its first record at {}, after one of {}", known.0, known.1),
                format!("that of {whose} at {}, after one of {}", begins.0, begins.1),
            ],
        });
    }

    /// A leader tells that a record is committed, and a quorum of disks has held it.
    pub(super) fn on_committed(&mut self, heard: Heard, last: LogPosition) {
        let (shard, told_in) = (heard.shard, heard.epoch);
        let log = &mut self.logs[shard.0 as usize];
        log.committed = (last, told_in);
        let lacks = log
            .terms
            .led_after(told_in)
            .find(|&(epoch, _)| log.terms.epoch_at(epoch, last.0).is_some_and(|of| of != last.1));
        if let Some((epoch, leader)) = lacks {
            self.raft.fail(COMPLETENESS, || Story {
                headline: format!(
                    "{leader} leads {shard} in {epoch} without record {} ({}), which is committed",
                    last.0, last.1
                ),
                lines: vec![format!(
                    "at {}: {}, the leader of {told_in}, tells that it is committed",
                    heard.now, heard.sender
                )],
            });
        }
    }

    /// The batch that a leader's disk has taken in its own epoch: it only appends.
    pub(super) fn judge_append_only(&mut self, shard: ShardId, node: NodeId, epoch: Epoch) {
        let held = &self.disks[usize::from(node.0)].replicas[shard.0 as usize];
        let Some(last) = held.batch.before else { return };
        let me = ReplicaId::new(node, held.generation);
        let leads =
            held.epoch == epoch && self.logs[shard.0 as usize].terms.leader(epoch) == Some(me);
        let shrank = held.ends().0 < last;
        if !leads || !(shrank || held.batch.replaced.is_some()) {
            return;
        }
        let at = held.batch.replaced.unwrap_or_else(|| held.ends().0 + 1);
        self.raft.fail(APPEND_ONLY, || Story {
            headline: format!(
                "{me}, the leader of {shard} in {epoch}, overwrites its own record {at}"
            ),
            lines: vec![format!("its disk had records up to {last}, and now: {held}")],
        });
    }
}
