//! That each promise of a replica is asserted: a state that breaks it is caught at the next poll.

use onsale_booking::NodeId;
use raft::eraftpb::{Entry, HardState};

use super::*;
use crate::journal::Committed;

const ME: NodeId = NodeId(1);
const SHARD: ShardId = ShardId(3);

fn started(durable: Durable) -> RaftGroup {
    RaftGroup::new(SHARD, ME, &[ME], Settings::default(), durable)
}

/// The only voter of its log, which leads, and whose opening record is committed and durable.
fn leader() -> RaftGroup {
    let mut group = started(Durable::default());
    group.campaign();
    for _ in 0..3 {
        write(&mut group);
    }
    assert!(group.is_leader() && group.applied() > 0);
    group
}

/// Polls once; what is to be durable is at once.
fn write(group: &mut RaftGroup) {
    let mut ready = Ready::default();
    group.poll(&mut ready);
    if let Some(ticket) = ready.ticket {
        group.fsynced(ticket);
    }
}

#[test]
#[should_panic(expected = "only what is committed is applied")]
fn a_record_applied_before_its_commit_is_caught() {
    let mut group = leader();
    group.raft.raft.raft_log.applied += 1;
    write(&mut group);
}

#[test]
#[should_panic(expected = "only what is in the log is committed")]
fn a_commit_index_beyond_the_log_is_caught() {
    let group = leader();
    let mut group = group;
    group.raft.raft.raft_log.committed += 1;
    group.check_invariants();
}

#[test]
#[should_panic(expected = "only what is committed and durable here is handed out")]
fn a_record_handed_out_before_its_commit_is_caught() {
    let mut group = leader();
    group.handed_out += 1;
    write(&mut group);
}

#[test]
#[should_panic(expected = "a snapshot holds only what is applied")]
fn a_snapshot_of_what_is_not_applied_is_caught() {
    let mut group = leader();
    group.compact(vec![7]);
    group.raft.raft.raft_log.applied -= 1;
    write(&mut group);
}

#[test]
#[should_panic(expected = "a replica that may have forgotten promises does not lead")]
fn a_leader_in_repair_is_caught() {
    let mut group = leader();
    group.repair = Some(Repair::new([2].into_iter()));
    write(&mut group);
}

#[test]
#[should_panic(expected = "holds all that it acknowledged beyond its fence")]
fn a_second_disk_loss_beyond_the_fence_is_caught() {
    let mut group = leader();
    let mut repair = Repair::new([2].into_iter());
    let epoch = Message { from: 2, term: 9, ..Message::default() };
    assert_eq!(repair.hear(&epoch, 1), Some(10));
    group.repair = Some(repair);
    group.begin_repair();
}

#[test]
#[should_panic(expected = "nothing is applied before the snapshot that precedes it")]
fn a_record_handed_out_before_its_snapshot_is_caught() {
    let mut group = started(Durable::default());
    group.campaign();
    write(&mut group);
    group.install = Some((u64::MAX, Snapshot::default()));
    write(&mut group);
}

#[test]
#[should_panic(expected = "a snapshot that was installed is applied before the next is taken")]
fn a_snapshot_taken_before_another_is_applied_is_caught() {
    let mut group = leader();
    group.install = Some((u64::MAX, Snapshot::default()));
    group.compact(vec![7]);
}

#[test]
#[should_panic(expected = "only what is durable here is compacted")]
fn a_snapshot_of_what_is_not_durable_is_caught() {
    let mut group = leader();
    group.raft.raft.raft_log.persisted = 0;
    group.compact(vec![7]);
}

#[test]
#[should_panic(expected = "frames are gathered and cleared before the next poll")]
fn frames_that_were_not_gathered_are_caught() {
    let mut group = started(Durable::default());
    group.campaign();
    let mut ready = Ready::default();
    group.poll(&mut ready);
    assert!(ready.ticket.is_some());
    group.poll(&mut ready);
}

#[test]
#[should_panic(expected = "an empty record is how a leader opens its epoch")]
fn an_empty_record_is_caught() {
    leader().propose(Vec::new());
}

#[test]
#[should_panic(expected = "n2 is no voter of s3")]
fn a_replica_that_is_neither_a_voter_nor_joins_is_caught() {
    RaftGroup::new(SHARD, NodeId(2), &[ME], Settings::default(), Durable::default());
}

#[test]
#[should_panic(expected = "node 0 means none")]
fn node_0_among_the_voters_is_caught() {
    RaftGroup::new(SHARD, ME, &[ME, NodeId(0)], Settings::default(), Durable::default());
}

#[test]
#[should_panic(expected = "a member has a vote")]
fn members_without_a_voter_are_caught() {
    leader().adopt(Members::initial(&[]));
}

#[test]
#[should_panic(expected = "the library sees the same members")]
fn members_that_the_library_does_not_know_are_caught() {
    let mut group = leader();
    let initial = Members::initial(&[ME]);
    let learns = Change::Learns(ReplicaId::new(NodeId(2), 5));
    group.members = initial.after(learns).expect("it follows");
    let drops = Change::Learns(ReplicaId::new(NodeId(3), 6));
    let entry = Entry { context: drops.encode().into(), ..Entry::default() };
    group.apply_changes(&[Committed(entry)]);
}

#[test]
#[should_panic(expected = "a snapshot holds only what is committed")]
fn a_snapshot_found_beyond_what_is_committed_is_caught() {
    let mut durable = Durable::default();
    durable.snapshot.mut_metadata().index = 4;
    started(durable);
}

#[test]
#[should_panic(expected = "what is known to be committed is there")]
fn a_commit_index_found_beyond_the_log_is_caught() {
    started(Durable {
        hard_state: HardState { commit: 4, ..HardState::default() },
        ..Durable::default()
    });
}
