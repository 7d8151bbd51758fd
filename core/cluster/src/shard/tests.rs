//! That each promise of a shard is asserted: a state that breaks it is caught.

use onsale_booking::{Event, HoldId, SeatId, UserId};

use super::*;
use crate::journal::frame::Frame;
use crate::journal::{Durable, Found, Settings, Snapshot, Wal};

const SHARD: ShardId = ShardId(0);
const ME: NodeId = NodeId(1);

/// The only replica of its journal, with what its disk held.
fn started(durable: Durable) -> Shard {
    let setup = Setup::example(Placement::new(1, 1, 1, 1), 1);
    let journal = RaftGroup::new(SHARD, ME, &[ME], Settings::default(), durable);
    Shard::new(SHARD, ME, Arc::new(setup), journal, Format::FIRST)
}

/// A replica whose disk holds one committed record of epoch 1, not applied yet; and the disk.
pub(super) fn replica() -> (Shard, Vec<u8>) {
    let held = Event::Held {
        hold: HoldId(1),
        user: UserId(1),
        seats: [SeatId(0)].into_iter().collect(),
        at: Instant(1),
        expires: Instant(301),
    };
    let record = record::encode(Format::FIRST, ME, &vec![(ShowId(0), held)]);
    let mut disk = Vec::new();
    Frame::Entry { shard: SHARD, index: 1, epoch: Epoch(1), record: &record }.write(&mut disk);
    let (epoch, vote, commit, in_repair) = (Epoch(1), None, 1, false);
    Frame::HardState { shard: SHARD, epoch, vote, commit, in_repair }.write(&mut disk);
    Frame::Checkpoint { groups: 1 }.write(&mut disk);
    (started(read(&disk)), disk)
}

/// What a disk holds of the shard.
pub(super) fn read(disk: &[u8]) -> Durable {
    let segments = vec![(0, disk.to_vec())];
    Wal::recover(Found { has_written: true, segments }).take(SHARD)
}

impl Shard {
    /// Applies what the journal hands out.
    pub(super) fn apply_next(&mut self) {
        let mut ready = Ready::default();
        self.journal.poll(&mut ready);
        self.apply_ready(&ready);
    }

    fn apply_ready(&mut self, ready: &Ready) {
        let mut effects = Effects::default();
        self.apply(Instant(1), ready, &mut Answers::default(), &mut effects);
    }

    /// Serves in an epoch, in which nobody may have elected it.
    fn serve(&mut self, epoch: Epoch) {
        self.leader = Some(Leader::new(SHARD, epoch, Instant::ZERO, &self.setup, &self.shows));
    }
}

/// A replica that was elected, and serves.
fn leader() -> Shard {
    let (mut shard, mut effects) = (started(Durable::default()), Effects::default());
    shard.campaign();
    let (mut ready, mut answers) = (Ready::default(), Answers::default());
    for _ in 0..4 {
        effects.begin(Instant::ZERO, ME);
        shard.settle(Instant::ZERO, &mut ready, &mut answers, &mut effects);
        if let Some(ticket) = ready.ticket {
            shard.on_fsynced(ticket);
        }
    }
    assert!(shard.serves().is_some());
    shard
}

#[test]
#[should_panic(expected = "s0: epochs rise")]
fn an_election_in_a_later_epoch_than_the_journal_is_caught() {
    let mut shard = leader();
    shard.elected = Epoch(99);
    shard.check_invariants();
}

#[test]
#[should_panic(expected = "s0: only the leader of an epoch serves in it")]
fn a_leader_that_was_not_elected_is_caught() {
    let mut shard = started(Durable::default());
    shard.serve(Epoch(1));
    shard.check_invariants();
}

#[test]
#[should_panic(expected = "every record that is proposed and not applied has its answers waiting")]
fn a_record_without_its_answers_is_caught() {
    let mut shard = leader();
    shard.outstanding = (shard.journal.epoch(), 1);
    shard.check_invariants();
}

#[test]
#[should_panic(expected = "records are applied without gaps")]
fn a_record_that_is_applied_twice_is_caught() {
    let (mut shard, _) = replica();
    shard.applied = 1;
    shard.apply_next();
}

#[test]
#[should_panic(expected = "what is handed over is applied")]
fn a_record_that_was_never_handed_over_is_caught() {
    let (mut shard, _) = replica();
    shard.applied = 1;
    shard.apply_ready(&Ready::default());
}

#[test]
#[should_panic(expected = "only the leader of an epoch proposes in it")]
fn a_record_that_another_proposed_in_its_epoch_is_caught() {
    let (mut shard, _) = replica();
    shard.outstanding = (Epoch(1), 0);
    shard.apply_next();
}

#[test]
#[should_panic(expected = "a leader has applied all that older epochs committed")]
fn a_leader_that_serves_before_it_has_caught_up_is_caught() {
    let (mut shard, _) = replica();
    shard.serve(Epoch(2));
    shard.apply_next();
}

#[test]
#[should_panic(expected = "nobody overwrites a leader's state")]
fn a_snapshot_over_a_leaders_state_is_caught() {
    let mut shard = leader();
    shard.apply_ready(&Ready { installed: Some(Snapshot::default()), ..Ready::default() });
}

#[test]
#[should_panic(expected = "a snapshot never takes applied records back")]
fn a_snapshot_before_what_is_applied_is_caught() {
    let (mut shard, _) = replica();
    shard.apply_next();
    shard.apply_ready(&Ready { installed: Some(Snapshot::default()), ..Ready::default() });
}
