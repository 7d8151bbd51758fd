//! A replica that goes on alone, because a majority of the voters is lost for good.
//!
//! Owns its state: all that the old replica held, under a new number, closed by a record that makes the new one the only
//! member. Refuses to know which nodes are lost, and which replica holds most of the log: an operator says.
//!
//! The numbers leap. The lost nodes may have elected leaders and made versions of the map that no survivor knows, and
//! what they said may still be on its way. Epoch and generation of the new replica lie far beyond all of that, so no
//! vote, acknowledgement or record from before is taken for a later one.

use onsale_booking::NodeId;
use raft::eraftpb::{Entry, HardState};

use super::RaftGroup;
use crate::journal::{Change, Durable, ReplicaId};

/// Distance by which epoch and generation leap in a recovery: more than the elections and versions of the map that the
/// survivors can have missed.
pub const LEAP: u32 = 1_000_000;

impl RaftGroup {
    /// The replica that goes on alone in place of this one, with a generation that no replica has had. All that this
    /// one holds counts as committed, known to be or not; its first poll writes all of it, and nothing behind its
    /// snapshot is applied before that write is durable. `None` if the members in force have a quorum among the nodes
    /// that are not lost, or if this replica has left. `voters` are the nodes at the beginning of the log.
    pub fn alone(
        &self,
        voters: &[NodeId],
        generation: u32,
        is_lost: impl Fn(NodeId) -> bool,
    ) -> Option<Self> {
        if self.left || self.members.is_quorum(|member| !is_lost(member.node())) {
            return None;
        }
        let me = ReplicaId::new(self.replica().node(), generation);
        let log = self.raft.store();
        let snapshot = log.snapshot().clone();
        let mut entries = log.after(snapshot.get_metadata().index).to_vec();
        let index = snapshot.get_metadata().index + entries.len() as u64 + 1;
        let term = self.raft.raft.term + u64::from(LEAP);
        let context = Change::Recovers(me).encode().into();
        entries.push(Entry { term, index, context, ..Entry::default() });
        let hard_state = HardState { term, commit: index, ..HardState::default() };
        let before = snapshot.get_metadata().index;
        let held = Durable { hard_state, snapshot, entries, generation, ..Durable::default() };
        let mut alone = Self::new(self.shard, me.node(), voters, self.settings, held);
        // A segment that begins now would hold the record that makes it the only member in a snapshot alone.
        alone.raft.raft.raft_log.persisted = before;
        alone.writes.push(None, Some((index, term)));
        Some(Self { named: false, ..alone })
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::NodeId;
    use raft::eraftpb::{Entry, HardState};

    use super::super::Settings;
    use super::*;
    use crate::id::ShardId;
    use crate::journal::Ready;

    #[test]
    fn nothing_is_applied_before_the_record_that_leaves_it_alone_is_durable() {
        // One of three holds two records, one of them known to be committed, and goes on alone. If it applied them at
        // once it could take a snapshot of them; if its next write began a segment, that record would never be on disk.
        let voters = [1, 2, 3].map(NodeId);
        let record = |index| Entry { index, term: 4, data: vec![7].into(), ..Entry::default() };
        let held = Durable {
            hard_state: HardState { term: 4, commit: 1, ..HardState::default() },
            entries: vec![record(1), record(2)],
            ..Durable::default()
        };
        let settings = Settings::default();
        let group = RaftGroup::new(ShardId(0), NodeId(3), &voters, settings, held);
        let lost = |node| node != NodeId(3);
        let mut alone = group.alone(&voters, LEAP, lost).expect("two of three are lost");
        let mut ready = Ready::default();
        alone.poll(&mut ready);
        assert!(ready.committed.is_empty() && alone.applied() == 0);
        alone.campaign();
        assert!(!alone.is_leader(), "it stands for election once it knows that it is alone");
        let ticket = ready.ticket.take().expect("it has to be written");
        alone.fsynced(ticket);
        ready.clear();
        alone.poll(&mut ready);
        assert_eq!((ready.committed.len(), alone.applied()), (3, 3));
        assert_eq!(alone.members().voters(), [ReplicaId::new(NodeId(3), LEAP)]);
        alone.campaign();
        assert!(alone.is_leader());
    }
}
