//! The pitfalls of the Raft library, one test each; then this crate's additions.

use onsale_booking::NodeId;
use onsale_cluster::journal::frame::Frame;
use onsale_cluster::journal::{
    Durable, Found, JournalMessage, RaftGroup, ReadId, Ready, ReplicaId, Settings, Snapshot,
    Ticket, Wal,
};
use onsale_cluster::{Epoch, Mark, ShardId};

use crate::cluster::{NODES, is_snapshot};

const SHARD: ShardId = ShardId(3);

/// Three replicas without a network: messages wait in a queue until they are let through.
struct Trio {
    groups: Vec<RaftGroup>,
    queue: Vec<JournalMessage>,
    /// Whether each disk answers at once; other replicas' writes wait in `tickets`.
    instant: [bool; 3],
    tickets: [Option<Ticket>; 3],
    records: [Vec<Vec<u8>>; 3],
    installed: [Option<Snapshot>; 3],
    reads: Vec<ReadId>,
    refused: Vec<Mark>,
}

impl Trio {
    /// Node 1 leads, all are level and asleep.
    fn new() -> Self {
        let mut trio = Self {
            groups: (0..3).map(|at| group(at, 10 + 10 * at, Durable::default())).collect(),
            queue: Vec::new(),
            instant: [true; 3],
            tickets: [None; 3],
            records: Default::default(),
            installed: Default::default(),
            reads: Vec::new(),
            refused: Vec::new(),
        };
        trio.groups[0].campaign();
        trio.run(4, |_| true);
        assert!(trio.groups[0].may_serve());
        assert!(trio.groups.iter().all(|group| !group.awake()), "{:?}", trio.groups);
        trio
    }

    /// Polls one replica.
    fn turn(&mut self, at: usize) {
        let mut ready = Ready::default();
        self.groups[at].poll(&mut ready);
        self.queue.append(&mut ready.messages);
        self.refused.append(&mut ready.refused);
        self.reads.append(&mut ready.reads);
        self.records[at]
            .extend(ready.committed.iter().map(|committed| committed.record().to_vec()));
        if ready.installed.is_some() {
            self.installed[at] = ready.installed;
        }
        if ready.ticket.is_some() {
            self.tickets[at] = ready.ticket;
            if self.instant[at] {
                self.sync(at);
            }
        }
    }

    fn sync(&mut self, at: usize) {
        if let Some(ticket) = self.tickets[at].take() {
            self.groups[at].fsynced(ticket);
            self.turn(at);
        }
    }

    /// Delivers the messages that pass, and the messages that follow from them.
    fn pump(&mut self, mut passes: impl FnMut(&JournalMessage) -> bool) {
        (0..3).for_each(|at| self.turn(at));
        while !self.queue.is_empty() {
            for message in std::mem::take(&mut self.queue) {
                if passes(&message) {
                    let at = usize::from(message.to().0 - 1);
                    self.groups[at].step(message);
                    self.turn(at);
                }
            }
        }
    }

    fn run(&mut self, ticks: usize, mut passes: impl FnMut(&JournalMessage) -> bool) {
        self.pump(&mut passes);
        for _ in 0..ticks {
            self.groups.iter_mut().filter(|group| group.awake()).for_each(RaftGroup::tick);
            self.pump(&mut passes);
        }
    }

    fn propose(&mut self, record: &[u8]) {
        assert!(self.groups[0].propose(record.to_vec()));
    }
}

fn group(at: usize, election_ticks: usize, durable: Durable) -> RaftGroup {
    let settings = Settings { election_ticks, keep_records: 3, ..Settings::default() };
    RaftGroup::new(SHARD, NODES[at], &NODES, settings, durable)
}

fn concerns(message: &JournalMessage, at: usize) -> bool {
    message.to() == NODES[at] || message.from() == NODES[at]
}

#[test]
fn trap_1_the_library_does_not_draw_the_election_timeout() {
    for (round, ticks) in (0..100).zip([7, 13, 29].into_iter().cycle()) {
        let mut group = group(round % 3, ticks, Durable::default());
        let mut ready = Ready::default();
        for _ in 1..ticks {
            group.tick();
        }
        group.poll(&mut ready);
        assert!(ready.messages.is_empty(), "not before its time");
        group.tick();
        group.poll(&mut ready);
        assert_eq!(ready.messages.len(), 2, "a request to each peer");
    }
}

/// Without a leader, and with one node down, two replicas always stand for election at the same time.
#[test]
fn trap_1_equal_timeouts_do_not_split_votes_for_ever() {
    for ticks in 2..20 {
        let mut trio = Trio::new();
        trio.groups[1] = group(1, ticks, first_epoch());
        trio.groups[2] = group(2, ticks, first_epoch());
        trio.groups[1].campaign();
        trio.groups[2].campaign();
        trio.run(6 * ticks, |message| !concerns(message, 0));
        assert!(trio.groups[1].is_leader() || trio.groups[2].is_leader(), "{:?}", trio.groups);
    }
}

/// The same with the third replica up: it has a record that the two lack, votes for neither, and says so, and is asked
/// again before it would stand itself. Told that they lost, the two are followers again.
#[test]
fn trap_1_candidates_that_were_told_that_they_lost_do_not_split_votes_for_ever() {
    for ticks in 2..9 {
        let mut trio = Trio::new();
        trio.propose(b"alone");
        trio.run(1, |message| !concerns(message, 0));
        trio.groups[1] = group(1, ticks, first_epoch());
        trio.groups[2] = group(2, ticks, first_epoch());
        trio.groups[1].campaign();
        trio.groups[2].campaign();
        trio.run(6 * ticks, |_| true);
        assert!(trio.groups.iter().any(RaftGroup::is_leader), "{ticks} ticks: {:?}", trio.groups);
    }
}

#[test]
fn trap_2_nothing_is_applied_before_it_is_durable_here() {
    let mut trio = Trio::new();
    trio.instant[0] = false;
    let before = trio.groups[0].applied();
    trio.propose(b"sold");
    trio.run(3, |_| true);
    // Both followers have it on disk, so it is committed; the leader's disk is slow.
    assert_eq!(trio.groups[0].applied(), before);
    assert!(trio.records[1].contains(&b"sold".to_vec()), "followers apply it");
    trio.sync(0);
    assert_eq!(trio.groups[0].applied(), before + 1);
    assert!(trio.groups[0].may_serve(), "the leader served throughout");
}

/// Node 3 misses so much that it needs a snapshot.
fn lag(trio: &mut Trio) {
    for number in 0..20_u8 {
        trio.propose(&[number + 1]);
        trio.run(1, |message| !concerns(message, 2));
    }
    trio.groups[0].compact(b"state".to_vec());
}

#[test]
fn trap_3_a_lost_snapshot_is_sent_again() {
    let mut trio = Trio::new();
    lag(&mut trio);
    trio.groups[0].ping();
    let mut lost = 0;
    trio.run(30, |message| {
        let lose = is_snapshot(message) && lost < 2;
        lost += usize::from(lose);
        !lose
    });
    trio.run(30, |_| true);
    assert_eq!(lost, 2);
    assert_eq!(trio.installed[2].as_ref().unwrap().state(), b"state");
    assert_eq!(trio.groups[2].applied(), trio.groups[0].applied());
    trio.propose(b"next");
    trio.run(3, |_| true);
    assert!(trio.records[2].contains(&b"next".to_vec()), "the follower follows again");
}

#[test]
fn trap_4_no_election_during_a_snapshot() {
    let mut trio = Trio::new();
    lag(&mut trio);
    trio.instant[2] = false;
    trio.groups[0].ping();
    trio.run(2, |_| true);
    assert!(trio.tickets[2].is_some() && trio.installed[2].is_none(), "written, not durable");
    trio.groups[2].campaign();
    (0..100).for_each(|_| trio.groups[2].tick());
    trio.turn(2);
    assert!(trio.queue.is_empty(), "{:?}", trio.queue);
    trio.sync(2);
    assert!(trio.installed[2].is_some());
    trio.instant[2] = true;
    trio.run(3, |_| true);
    trio.groups[2].campaign();
    trio.run(30, |_| true);
    assert!(trio.groups[2].is_leader(), "it may stand again");
}

#[test]
fn trap_5_compaction_spares_records_that_are_not_applied_or_not_durable() {
    let mut trio = Trio::new();
    (1..=10_u8).for_each(|number| trio.propose(&[number]));
    trio.run(3, |_| true);
    trio.instant[0] = false;
    trio.propose(b"slow");
    trio.run(1, |_| true);
    let applied = trio.groups[0].applied();
    trio.groups[0].compact(b"state".to_vec());
    assert_eq!((trio.groups[0].applied(), trio.groups[0].uncompacted()), (applied, 0));
    trio.sync(0);
    assert_eq!(
        trio.groups[0].applied(),
        applied + 1,
        "the records in flight are applied once they are durable"
    );
    assert_eq!(trio.groups[0].uncompacted(), 1);
}

#[test]
fn trap_6_a_batch_is_one_record() {
    let mut trio = Trio::new();
    let before = trio.groups[0].applied();
    let batch = vec![7; 4_800];
    trio.propose(&batch);
    trio.turn(0);
    assert_eq!(trio.queue.len(), 2, "one append to each follower");
    assert!(trio.queue.iter().all(|message| message.bytes() < 5_000));
    trio.run(2, |_| true);
    assert_eq!(trio.groups[0].applied(), before + 1);
    assert!(trio.records.iter().all(|records| records.last() == Some(&batch)));
}

/// Its disk left no trace of the loss, but its leader knows of its lost acknowledgement.
#[test]
fn trap_7_a_replica_that_lost_durable_state_keeps_out_until_it_is_repaired() {
    let mut trio = Trio::new();
    trio.propose(b"sold");
    trio.run(3, |_| true);
    trio.groups[1] = group(1, 20, Durable::default());
    trio.records[1].clear();
    trio.groups[0].ping();
    trio.pump(|message| !concerns(message, 2));
    assert!(trio.groups[1].is_in_repair());
    assert!(trio.refused.contains(&Mark::DurableStateMissing));

    // It takes all peers: one of them may be the only one that knows of a vote.
    trio.run(100, |message| !concerns(message, 2));
    assert!(trio.groups[1].is_in_repair() && trio.records[1].is_empty());
    trio.groups[0].ping();
    trio.run(200, |_| true);
    assert!(!trio.groups[1].is_in_repair(), "{:?}", trio.groups);
    assert!(trio.records[1].contains(&b"sold".to_vec()));
    assert!(trio.groups.iter().all(|group| !group.awake()), "{:?}", trio.groups);
}

#[test]
#[should_panic(expected = "both lead epoch")]
fn trap_7_a_second_leader_in_one_epoch_panics() {
    let mut trio = Trio::new();
    // Nodes 1 and 3 forget their votes, so that node 2 wins the same epoch again.
    trio.groups[1] = group(1, 20, Durable::default());
    let mut forgetful = group(0, 10, Durable::default());
    std::mem::swap(&mut trio.groups[0], &mut forgetful);
    trio.groups[1].campaign();
    trio.run(2, |message| !concerns(message, 2));
    assert!(trio.groups[1].is_leader());
    trio.groups[1].ping();
    trio.pump(|_| true);
}

fn first_epoch() -> Durable {
    let mut segment = Vec::new();
    Frame::Entry { shard: SHARD, index: 1, epoch: Epoch(1), record: &[] }.write(&mut segment);
    Frame::HardState {
        shard: SHARD,
        epoch: Epoch(1),
        vote: Some(ReplicaId::new(NODES[0], 0)),
        commit: 1,
        in_repair: false,
    }
    .write(&mut segment);
    Frame::Checkpoint { groups: 1 }.write(&mut segment);
    Wal::recover(Found { has_written: true, segments: vec![(0, segment)] }).take(SHARD)
}

#[test]
fn answers_need_a_quorum() {
    let mut trio = Trio::new();
    assert!(trio.groups[0].confirm_leadership(ReadId(1)));
    trio.run(10, |message| message.from() == NODES[0]);
    assert!(trio.reads.is_empty(), "no follower was heard");
    trio.run(2, |message| !concerns(message, 2));
    assert_eq!(trio.reads, [ReadId(1)], "one follower suffices, and the read was repeated");
    assert!(!trio.groups[1].confirm_leadership(ReadId(2)), "a follower cannot ask");
}

#[test]
fn a_leader_gives_up_on_a_silent_follower_until_it_is_pinged() {
    let mut trio = Trio::new();
    trio.propose(b"sold");
    trio.run(5, |message| !concerns(message, 2));
    assert!(trio.groups[0].awake(), "it tries for a while");
    trio.run(30, |message| !concerns(message, 2));
    assert!(!trio.groups[0].awake());
    trio.groups[0].ping();
    trio.run(3, |_| true);
    assert!(trio.records[2].contains(&b"sold".to_vec()));
    assert!(trio.groups.iter().all(|group| !group.awake()));
}

#[test]
fn a_leader_without_a_quorum_stays_awake_while_something_is_pending() {
    let mut trio = Trio::new();
    trio.propose(b"pending");
    trio.run(100, |_| false);
    assert!(trio.groups[0].awake());
}

#[test]
fn a_transfer_takes_no_election_timeout() {
    let mut trio = Trio::new();
    trio.groups[0].transfer(NODES[2]);
    assert!(!trio.groups[0].propose(vec![1]), "a transfer is under way");
    trio.pump(|_| true);
    assert!(trio.groups[2].may_serve());
    assert_eq!(trio.groups[0].leader(), Some(NODES[2]));
}

#[test]
fn a_transfer_to_a_dead_node_is_given_up() {
    let mut trio = Trio::new();
    trio.groups[0].transfer(NODES[2]);
    trio.run(11, |message| !concerns(message, 2));
    trio.propose(b"on we go");
    trio.run(3, |message| !concerns(message, 2));
    assert!(trio.records[0].contains(&b"on we go".to_vec()));
}

/// A leader lost its leadership without one follower's notice: the follower sleeps on, but a request for its vote wakes
/// it.
#[test]
fn a_request_for_a_vote_wakes_a_follower() {
    let mut trio = Trio::new();
    trio.propose(b"unsynced");
    trio.instant[0] = false;
    trio.run(1, |_| true);
    // Node 1 restarts without the record that both others hold, so it cannot win.
    trio.groups[0] = group(0, 10, first_epoch());
    trio.instant[0] = true;
    trio.run(60, |_| true);
    assert!(trio.groups[1].is_leader(), "{:?}", trio.groups);
    assert!(trio.records[0].contains(&b"unsynced".to_vec()), "and has the record repaired");
}

#[test]
fn foreign_messages_are_refused() {
    let mut trio = Trio::new();
    trio.groups[0].ping();
    trio.turn(0);
    let heartbeat = trio.queue.drain(..).find(|message| message.to() == NODES[1]).unwrap();
    trio.groups[2].step(heartbeat.clone());
    let strangers = [NodeId(3), NodeId(4), NodeId(5)];
    let mut stranger =
        RaftGroup::new(SHARD, NODES[2], &strangers, Settings::default(), Durable::default());
    stranger.campaign();
    let mut ready = Ready::default();
    stranger.poll(&mut ready);
    for message in ready.messages {
        trio.groups[0].step(message);
    }
    trio.run(1, |_| true);
    assert_eq!(trio.refused.len(), 3, "{:?}", trio.refused);
}
