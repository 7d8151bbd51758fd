//! Recoveries: what an operator's order gave up, read off the disks.
//!
//! Owns the count of committed records that survivors held when a majority was lost for good, and the comparison of the
//! log that goes on with them. Refuses to know who gave the order, and which replica was chosen.
//!
//! A recovery gives up the committed records from the first one on that the log that goes on does not hold. The oracles
//! excuse exactly these, on that shard alone, if no survivor's disk held the first of them at the loss: a record that a
//! survivor held and that is gone after the recovery is a broken promise, and so is one that is lost where there was no
//! loss.

use onsale_booking::Instant;
use onsale_cluster::journal::Members;
use onsale_cluster::{Epoch, ShardId};
use onsale_world::place::Place;

use super::log::Chosen;
use super::{JournalWatch, hash, position};
use crate::judges::Judges;

impl JournalWatch {
    /// Dead nodes are about to be lost for good. In each shard that loses its quorum with them, nothing can be committed
    /// any more: declares what the disks agree on, while all are there, and notes how much of it survives.
    pub(in crate::replicated) fn on_loss(
        &mut self,
        now: Instant,
        lost: &[Place],
        judges: &mut Judges,
    ) {
        for shard in (0..self.chosen.len() as u32).map(ShardId) {
            let place = shard.0 as usize;
            let stays = |node| !lost.contains(&Place::Node(node));
            let lives = |members: &Members| {
                members.is_quorum(|member| {
                    let disk = &self.disks[Place::Node(member.node())][place];
                    stays(member.node()) && disk.generation == member.generation()
                })
            };
            if self.members(shard).iter().all(lives) {
                continue;
            }
            self.tell_agreed(now, shard, judges);
            let survivors = self.disks.iter().filter(|(node, _)| !lost.contains(node));
            let held = survivors.map(|(node, _)| self.held_by(node, shard)).max();
            self.survived[place] = held;
        }
    }

    /// Number of committed records of a shard that a disk holds, without a gap.
    fn held_by(&self, node: Place, shard: ShardId) -> u64 {
        let (log, chosen) = (&self.disks[node][shard.0 as usize], &self.chosen[shard.0 as usize]);
        let differs = first_difference(log.compared, chosen, |index| {
            log.get(index).map(|(epoch, record)| Chosen { epoch: *epoch, hash: hash(record) })
        });
        differs - 1
    }

    /// If a disk holds a recovery that is committed and not yet compared: gives up the committed records that its log
    /// does not hold, and goes on with those that it holds in their place.
    pub(super) fn look_for_recovery(
        &mut self,
        now: Instant,
        node: Place,
        shard: ShardId,
        judges: &mut Judges,
    ) {
        let place = shard.0 as usize;
        let log = &mut self.disks[node][place];
        let Some(recovery) = log.recovers.take_if(|index| *index <= log.commit) else { return };
        if recovery <= log.compared {
            return;
        }
        let last =
            log.get(recovery).map(|(epoch, record)| Chosen { epoch: *epoch, hash: hash(record) });
        let known = self.chosen[place].get(recovery as usize - 1).copied();
        if last.is_none() || last == known {
            return;
        }
        let held = self.held_by(node, shard);
        let chosen = &mut self.chosen[place];
        let survived = self.survived[place].take();
        if held < chosen.len() as u64 {
            let first = position(shard, held + 1, chosen[held as usize].epoch);
            if survived.is_none_or(|survived| held < survived) {
                let survived = survived.unwrap_or(chosen.len() as u64);
                judges.oracles.journal_dropped(now, first, survived);
            }
            chosen.truncate(held as usize);
            for logs in self.disks.values_mut() {
                logs[place].compared = logs[place].compared.min(held);
            }
        }
        let of = held.checked_sub(1).map_or(Epoch(0), |last| chosen[last as usize].epoch);
        judges.records_given_up(now, shard, (held, of));
    }
}

/// Index of the first committed record after `compared` that a log does not hold.
fn first_difference(compared: u64, chosen: &[Chosen], held: impl Fn(u64) -> Option<Chosen>) -> u64 {
    let mut index = compared + 1;
    while let Some(&record) = chosen.get(index as usize - 1)
        && held(index) == Some(record)
    {
        index += 1;
    }
    index
}
