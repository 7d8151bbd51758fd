//! A node's disk, as the node sees it: its write-ahead log, the write in flight, and what it does when a write fails.
//!
//! Owns the answer to each kind of refusal. After a failed write the node stops: the pages of a failed fsync may count
//! as clean, and a second fsync may report success. Without room the node acknowledges nothing and tries the same write
//! again until there is room. Refuses to know what is written, and how long a disk may take.

use onsale_booking::{Instant, Span};

use super::replicas::Replicas;
use crate::effect::Effects;
use crate::facts::Facts;
use crate::id::ShardId;
use crate::journal::frame::Damage;
use crate::journal::{Found, Ready, Recovered, Ticket, Wal};
use crate::mark::Mark;
use crate::observation::Observation;
use crate::write::{PersistId, Write};

/// How long a node waits for room before it tries again.
pub(super) const RETRY_EVERY: Span = Span::from_millis(100);

/// The disk of one node.
#[derive(Debug)]
pub(super) struct Disk {
    wal: Wal,
    in_flight: Option<PersistId>,
    state: State,
    /// The finding at the start, until it is observed.
    found: Option<Mark>,
    /// Incarnation at which disk loss was last detected (only where membership can change).
    forgot: Option<u64>,
}

/// The state of the disk, by its answers.
#[derive(Debug, Default)]
enum State {
    /// Writes succeed.
    #[default]
    Works,
    /// The disk had no room for the write, which is tried again at the instant.
    Full(Instant, Write),
    /// A write failed, or the node has refused to go on: it does nothing any more.
    Failed,
}

impl Disk {
    /// The disk of a node that starts with what was found. Its first write is a whole segment.
    pub(super) fn new(segment_bytes: usize, recovered: &Recovered) -> Self {
        let mut wal = Wal::new(segment_bytes, recovered.next_segment);
        wal.remember(recovered.forgot);
        wal.renew();
        let found = found(recovered);
        Self { wal, in_flight: None, state: State::Works, found, forgot: recovered.forgot }
    }

    /// The disk holds what this release cannot read: the node leaves all of it as it is, and does nothing.
    pub(super) fn refuse(&mut self) {
        (self.state, self.found) = (State::Failed, Some(Mark::RollbackRefused));
    }

    /// Nothing is written any more.
    pub(super) fn close(&mut self) {
        self.state = State::Failed;
    }

    /// Whether the node does nothing any more: a write failed, or it has refused to go on.
    #[inline]
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.state, State::Failed)
    }

    /// Whether there is no room for the write in flight.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        matches!(self.state, State::Full(..))
    }

    /// Incarnation at which disk loss was last detected.
    pub(super) fn forgot(&self) -> Option<u64> {
        self.forgot
    }

    /// When a refused write is tried again. A node that is behind its time comes to it later.
    #[inline]
    pub(super) fn next_deadline(&self) -> Instant {
        match &self.state {
            State::Full(at, _) => *at,
            State::Works | State::Failed => Instant::MAX,
        }
    }

    /// Whether there is a finding that was not observed yet.
    pub(super) fn has_finding(&self) -> bool {
        self.found.is_some()
    }

    /// Observes what was found at the start, once.
    pub(super) fn tell_what_was_found(&mut self, effects: &mut Effects) {
        if let Some(mark) = self.found.take() {
            effects.observe(Observation::Mark(mark));
            effects.refuses |= mark == Mark::RollbackRefused;
        }
    }

    /// Appends the frames of one poll of a journal.
    #[inline]
    pub(super) fn gather(&mut self, shard: ShardId, ready: &Ready) {
        self.wal.gather(shard, ready);
    }

    /// Begins the next write, if there is something to write and none is in flight.
    pub(super) fn write(&mut self, replicas: &Replicas, facts: &mut Facts, effects: &mut Effects) {
        if facts.has_log() {
            self.wal.gather_facts(facts.drain_log());
        }
        if !self.wal.has_a_write() {
            return;
        }
        if self.wal.segment_is_due() {
            self.wal.inherits(|out| facts.checkpoint(out));
        }
        if let Some(write) = self.wal.begin(replicas.journals()) {
            assert!(self.in_flight.is_none(), "at most one write is in flight");
            self.in_flight = Some(write.id);
            facts.on_write_begun();
            effects.persist(write);
        }
    }

    /// The invariants after every turn; cheap.
    pub(super) fn check_invariants(&self) {
        assert_eq!(self.in_flight, self.wal.in_flight(), "the node and its log await one write");
        assert!(!self.wal.has_a_write(), "every promise that waits has a write on its way");
        assert!(
            self.in_flight.is_some() || !self.is_full(),
            "only a write in flight can lack room"
        );
    }

    /// Whether the answer is to the write in flight; any other is observed and ignored.
    pub(super) fn expects(&self, id: PersistId, effects: &mut Effects) -> bool {
        let is_expected = self.in_flight == Some(id);
        if !is_expected {
            effects.observe(Observation::Mark(Mark::StrayWriteAnswer));
        }
        is_expected
    }

    /// The write in flight is durable. Returns the frame batches that it made durable; give the list back with
    /// `reuse`.
    pub(super) fn on_persisted(&mut self, id: PersistId) -> Vec<(ShardId, Ticket)> {
        self.in_flight = None;
        self.wal.persisted(id)
    }

    /// Takes the list back to reuse its memory.
    pub(super) fn reuse(&mut self, tickets: Vec<(ShardId, Ticket)>) {
        self.wal.reuse(tickets);
    }

    /// The write in flight failed, and nobody knows which part of it is durable. The node stops.
    pub(super) fn on_write_failed(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::StoppedOnWriteError));
        effects.stops = true;
        self.state = State::Failed;
    }

    /// The write in flight found no room: it is tried again later.
    pub(super) fn on_write_refused(&mut self, now: Instant, write: Write, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::DiskFull));
        self.state = State::Full(now + RETRY_EVERY, write);
    }

    /// A durable segment was found damaged: the next write is a whole new segment, from memory.
    pub(super) fn on_damage_found(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::LogRenewed));
        self.wal.renew();
    }

    /// Retries the write that found no room, if it is time.
    #[inline]
    pub(super) fn write_again(&mut self, now: Instant, effects: &mut Effects) {
        if self.next_deadline() <= now
            && let State::Full(_, write) = std::mem::take(&mut self.state)
        {
            effects.persist(write);
        }
    }
}

/// Recovers a node from the contents of its disk. Where lost replicas are to be `renewed`, a disk that lost promises
/// gives none back: the members may have changed, and a replica would not know which peers to ask.
pub(super) fn recover(incarnation: u64, found: Found, renewed: bool) -> Recovered {
    let mut recovered = Wal::recover(found);
    if renewed && recovered.lost_promises() {
        recovered.give_up_replicas(incarnation);
    }
    recovered
}

/// The mark of what was found, if it is worth observing.
fn found(recovered: &Recovered) -> Option<Mark> {
    match recovered.damage {
        _ if recovered.replaced => Some(Mark::DiskReplaced),
        Some((.., Damage::Torn)) => Some(Mark::TornLogCutOff),
        Some((.., Damage::Rotten)) => Some(Mark::LogDamageFound),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::node;
    use super::*;
    use crate::input::Input;

    /// The disk of a new node; nothing is gathered for it.
    fn disk() -> Disk {
        let wal = Wal::new(1 << 20, 0);
        Disk { wal, in_flight: None, state: State::Works, found: None, forgot: None }
    }

    #[test]
    #[should_panic(expected = "the node and its log await one write")]
    fn a_write_that_only_the_node_awaits_is_caught() {
        let mut disk = disk();
        disk.check_invariants();
        disk.in_flight = Some(PersistId(1));
        disk.check_invariants();
    }

    #[test]
    #[should_panic(expected = "every promise that waits has a write on its way")]
    fn a_write_that_is_not_begun_is_caught() {
        let mut disk = disk();
        disk.wal.renew();
        disk.check_invariants();
    }

    #[test]
    #[should_panic(expected = "only a write in flight can lack room")]
    fn a_write_without_room_that_is_not_in_flight_is_caught() {
        let mut disk = disk();
        let write = Write { id: PersistId(1), segment: 0, bytes: Vec::new(), retire_below: 0 };
        disk.on_write_refused(Instant(7), write, &mut Effects::default());
        disk.check_invariants();
    }

    #[test]
    #[should_panic(expected = "at most one write is in flight")]
    fn a_second_write_in_flight_is_caught() {
        let mut node = node();
        node.disk.in_flight = Some(PersistId(9));
        node.disk.wal.renew();
        node.step(Instant(7), Input::TurnEnded, &mut Effects::default());
    }
}
