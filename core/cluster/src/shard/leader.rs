//! The leader of a shard in one epoch: the single writer of its shows.
//!
//! Owns the decisions that are not yet committed, and the answers that wait for them. Refuses to answer early, unless
//! its settings say so: a change is answered once its record is applied, and an answer from the state alone leaves once
//! a quorum has confirmed, after the decision, that the state was the latest. So neither an acknowledgement nor a
//! refusal of a deposed leader ever leaves.

use std::collections::BTreeMap;
use std::sync::Arc;

use onsale_booking::{
    Command, Decision, Event, Instant, NodeId, Outcome, Refusal, Reply, Request, Show, ShowId,
};

use super::Answers;
use super::expiry::HoldExpiry;
use super::pending_replies::PendingReplies;
use crate::config::{DecidesOn, Reads, Setup};
use crate::id::{Epoch, ShardId};
use crate::journal::ReadId;
use crate::mark::Mark;
use crate::message::Answer;
use crate::record::Events;

/// An answer and the gateway that waits for it.
type Due = (NodeId, Answer);

/// The single writer of a shard's shows, from its activation to the end of its epoch.
#[derive(Debug)]
pub(super) struct Leader {
    shard: ShardId,
    epoch: Epoch,
    /// The shows as they will be once all decisions are committed; only those that were requested since the activation.
    heads: BTreeMap<ShowId, Show>,
    /// This turn's events, and the answers that wait for them.
    record: Events,
    replies: Answers,
    /// Replies that wait for the journal.
    pending: PendingReplies,
    /// The expiry of holds.
    expiry: HoldExpiry,
    marks: Vec<Mark>,
    /// The shard's time at the latest decision.
    latest: Instant,
    /// Number of requests decided; wraps.
    decided: u32,
}

/// A turn's request to the journal.
pub(super) enum Turn<'a> {
    /// Nothing was decided, or the answers wait for an open read index.
    Idle,
    /// Something changed: propose these events.
    Changed(&'a Events),
    /// Only answers: open a read index.
    Asked,
}

impl Leader {
    pub(super) fn new(
        shard: ShardId,
        epoch: Epoch,
        now: Instant,
        setup: &Setup,
        shows: &BTreeMap<ShowId, Show>,
    ) -> Self {
        Self {
            shard,
            epoch,
            heads: BTreeMap::new(),
            record: Events::new(),
            replies: Answers::default(),
            pending: PendingReplies::default(),
            expiry: HoldExpiry::new(now, setup, shows),
            marks: Vec::new(),
            latest: now,
            decided: 0,
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Number of requests decided; wraps.
    pub(super) fn decided(&self) -> u32 {
        self.decided
    }

    /// The earliest instant at which a hold may end.
    pub(super) fn expires_at(&self) -> Instant {
        self.expiry.next()
    }

    /// The invariants after every turn; cheap.
    pub(super) fn check_invariants(&self) {
        self.pending.check_invariants();
    }

    /// Advances the shard's time, which never runs backwards while one node leads.
    fn advance(&mut self, now: Instant) {
        assert!(self.latest <= now, "{}: time runs backwards in {}", self.shard, self.epoch);
        self.latest = now;
    }

    /// Number of records proposed and not yet committed.
    pub(super) fn proposed_records(&self) -> usize {
        self.pending.records()
    }

    /// Number of records and reads with replies that have not left.
    pub(super) fn waiting(&self) -> usize {
        self.pending.with_replies()
    }

    /// Whether a record was proposed and not yet committed.
    pub(super) fn awaits_commit(&self) -> bool {
        !self.pending.awaits_no_record()
    }

    /// Whether a read index was asked for and its answers have not left.
    pub(super) fn awaits_confirmation(&self) -> bool {
        !self.pending.awaits_no_read()
    }

    /// Whether every decision is answered.
    pub(super) fn is_drained(&self) -> bool {
        let told = self.record.is_empty() && self.replies.is_empty();
        told && self.pending.awaits_no_record() && self.pending.awaits_no_read()
    }

    /// The marks since the last call.
    pub(super) fn marks(&mut self) -> impl Iterator<Item = Mark> + '_ {
        self.marks.drain(..)
    }

    /// Whether the turn's decisions have to go to the journal now.
    pub(super) fn has_to_close(&self) -> bool {
        !matches!(self.close_turn(), Turn::Idle)
    }

    /// Decides a request after all earlier decisions, and ends overdue holds first. Returns the answer if it need not
    /// wait. `now` is the shard's time and this node's own. The client is told the end of a hold by the latter: however
    /// far the shard's time is behind, no client is told an end in the past.
    pub(super) fn decide(
        &mut self,
        (now, own): (Instant, Instant),
        from: NodeId,
        request: &Request,
        setup: &Setup,
        shows: &BTreeMap<ShowId, Show>,
    ) -> Option<Due> {
        self.advance(now);
        self.decided = self.decided.wrapping_add(1);
        if setup.config.leader.decides_on == DecidesOn::Committed {
            self.heads.remove(&request.show);
        }
        let head = head_of(&mut self.heads, request.show, setup, shows);
        let log = (&mut self.record, &mut self.marks);
        self.expiry.end_before_decision(head, request.show, now, log);
        let decision = head.decide(request, now);
        let waits = !matches!(decision, Decision::Answer(_))
            || setup.config.leader.reads == Reads::Confirmed;
        let outcome = match decision {
            Decision::Record(event) => {
                let outcome = head.outcome(&event);
                head.apply(&event);
                self.expiry.note(request.show, &event, setup);
                self.record.push((request.show, event));
                outcome
            }
            // By far the most: not moved about with the room for seats that the others need.
            Decision::Answer(Outcome::Refused(why)) if waits => {
                self.marks.extend(mark_of(request, &Outcome::Refused(why)));
                self.expiry.see(head);
                self.replies.refuse(from, request.id, why);
                return None;
            }
            Decision::Answer(outcome) => {
                self.marks.extend(mark_of(request, &outcome));
                outcome
            }
        };
        let outcome = told_by((now, own), outcome);
        self.expiry.see(head);
        let due = (from, Answer::Decided(Reply { request: request.id, outcome }));
        if !waits {
            return Some(due);
        }
        self.replies.push(due);
        None
    }

    /// Prefetches what `decide` will read for each of these requests for a show.
    pub(super) fn read_ahead<'a>(&self, show: ShowId, requests: impl Iterator<Item = &'a Request>) {
        if let Some(head) = self.heads.get(&show) {
            head.read_ahead(requests.map(|request| request.id));
        }
    }

    /// Records the ends of all holds whose time and grace are over.
    pub(super) fn expire(&mut self, now: Instant, setup: &Setup, shows: &BTreeMap<ShowId, Show>) {
        self.advance(now);
        let Self { expiry, heads, record, marks, .. } = self;
        expiry.end_due(now, heads, setup, shows, (record, marks));
    }

    /// A record of an earlier epoch turned out to be committed: later decisions build on it.
    pub(super) fn overtaken(&mut self, show: ShowId, event: &Event, setup: &Setup) {
        if let Some(head) = self.heads.get_mut(&show) {
            head.apply(event);
        }
        self.expiry.note(show, event, setup);
    }

    /// This turn's request to the journal; to be followed by `proposed` or `asked` if the journal takes it.
    ///
    /// One read index is open at a time: answers that arise meanwhile share the next one, as writes that arise during
    /// an fsync share the next.
    pub(super) fn close_turn(&self) -> Turn<'_> {
        match (self.record.is_empty(), self.replies.is_empty()) {
            (false, _) => Turn::Changed(&self.record),
            (true, false) if !self.pending.has_open_read() => Turn::Asked,
            (true, _) => Turn::Idle,
        }
    }

    /// The turn's record was proposed. All replies of the turn wait for it, those from the state alone too: it was
    /// proposed after they were decided, so that its commit proves this leader's leadership at a later time.
    pub(super) fn proposed(&mut self) {
        self.record.clear();
        self.pending.on_proposed(self.replies.take());
    }

    /// The read index was asked for. The replies rest on every record proposed before it.
    pub(super) fn asked(&mut self, read: ReadId) {
        self.pending.on_read_asked(read, self.replies.take());
    }

    /// Takes the replies that wait for proposed records, all but those for the last `behind`.
    pub(super) fn take_proposed(&mut self, behind: u64) -> impl Iterator<Item = Due> + '_ {
        self.pending.take_proposed(behind)
    }

    /// The oldest proposed record was committed, and the shard has applied it.
    pub(super) fn committed(&mut self, answers: &mut Answers) {
        let due = self.pending.on_committed().unwrap_or_else(|| {
            panic!("{} of {} has a record that its leader did not propose", self.epoch, self.shard)
        });
        answers.append(due);
    }

    /// Whether a quorum has confirmed this read.
    pub(super) fn is_confirmed(&self, read: ReadId) -> bool {
        self.pending.is_confirmed(read)
    }

    /// These reads were confirmed. A later read confirms the earlier ones too.
    pub(super) fn confirmed(&mut self, reads: &[ReadId], answers: &mut Answers) {
        self.pending.on_confirmed(reads, answers);
    }

    /// The replies that must not leave any more, oldest first of each kind.
    pub(super) fn into_pending(self) -> impl Iterator<Item = Due> {
        self.pending.into_each().chain([self.replies]).flat_map(Answers::into_each)
    }
}

pub(super) fn head_of<'a>(
    heads: &'a mut BTreeMap<ShowId, Show>,
    id: ShowId,
    setup: &Setup,
    shows: &BTreeMap<ShowId, Show>,
) -> &'a mut Show {
    heads.entry(id).or_insert_with(|| match shows.get(&id) {
        Some(show) => show.clone(),
        None => Show::new(Arc::clone(&setup.hall), setup.rules),
    })
}

/// An outcome as the client is told it, from the shard's time and this node's clock.
fn told_by((now, own): (Instant, Instant), outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Held { hold, seats, expires } => {
            Outcome::Held { hold, seats, expires: own + expires.since(now) }
        }
        Outcome::Booked { .. } | Outcome::Released { .. } | Outcome::Refused(_) => outcome,
    }
}

/// The mark of an answer that changed nothing, if it is worth counting.
fn mark_of(request: &Request, outcome: &Outcome) -> Option<Mark> {
    match (&request.command, outcome) {
        (Command::Confirm { .. }, Outcome::Refused(Refusal::HoldLost)) => {
            Some(Mark::ConfirmTooLate)
        }
        (_, Outcome::Refused(_)) => None,
        (_, Outcome::Held { .. } | Outcome::Booked { .. } | Outcome::Released { .. }) => {
            Some(Mark::RepeatAnswered)
        }
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::{Checks, Hall, RequestId, Rules, SeatId, Span, UserId, Wish};

    use super::*;
    use crate::config::Config;
    use crate::placement::Placement;

    const GATEWAY: NodeId = NodeId(2);

    struct Desk {
        setup: Setup,
        shows: BTreeMap<ShowId, Show>,
        leader: Leader,
        reads: u64,
    }

    fn desk() -> Desk {
        let rules = Rules {
            hold: Span(100),
            grace: Span(5),
            seats_per_request: 4,
            remember: Span(1_000),
            checks: Checks::COMPLETE,
        };
        let (placement, hall) =
            (Arc::new(Placement::new(1, 1, 1, 1)), Arc::new(Hall::uniform(1, 1, 4)));
        let setup = Setup {
            config: Config::example(),
            placement,
            hall,
            rules,
            shows: 1,
            homes: Vec::new(),
        };
        let shows = BTreeMap::new();
        let leader = Leader::new(ShardId(0), Epoch(3), Instant(0), &setup, &shows);
        Desk { setup, shows, leader, reads: 0 }
    }

    impl Desk {
        fn ask(&mut self, now: u64, id: u64, seat: u32) {
            let picked = [SeatId(seat)].into_iter().collect();
            let command = Command::Hold(Wish { picked, ..Wish::default() });
            let request = Request { id: RequestId(id), user: UserId(0), show: ShowId(0), command };
            let now = (Instant(now), Instant(now));
            let early = self.leader.decide(now, GATEWAY, &request, &self.setup, &self.shows);
            assert_eq!(early, None, "every answer waits");
        }

        /// Hands the turn to a journal that takes everything; returns what the turn asked for.
        fn close(&mut self) -> &'static str {
            match self.leader.close_turn() {
                Turn::Idle => "nothing",
                Turn::Changed(_) => {
                    self.leader.proposed();
                    "record"
                }
                Turn::Asked => {
                    self.reads += 1;
                    self.leader.asked(ReadId(self.reads));
                    "read"
                }
            }
        }

        fn commit(&mut self) -> Vec<(u64, bool)> {
            let mut answers = Answers::default();
            self.leader.committed(&mut answers);
            answers.into_each().map(granted).chain(self.confirm(&[])).collect()
        }

        fn confirm(&mut self, reads: &[u64]) -> Vec<(u64, bool)> {
            let mut answers = Answers::default();
            let reads: Vec<ReadId> = reads.iter().copied().map(ReadId).collect();
            self.leader.confirmed(&reads, &mut answers);
            answers.into_each().map(granted).collect()
        }
    }

    fn granted((_, answer): Due) -> (u64, bool) {
        let Answer::Decided(reply) = answer else { panic!("a leader decides") };
        let refused = matches!(reply.outcome, Outcome::Refused(Refusal::SeatTaken));
        (reply.request.0, !refused)
    }

    #[test]
    fn a_turn_is_one_record_and_its_refusals_wait_for_it() {
        let mut desk = desk();
        assert_eq!(desk.close(), "nothing");
        desk.ask(1, 10, 0);
        desk.ask(1, 20, 0);
        desk.ask(1, 30, 1);
        assert_eq!(desk.close(), "record");
        assert_eq!(desk.close(), "nothing");
        assert!(desk.confirm(&[9]).is_empty());
        assert_eq!(desk.commit(), [(10, true), (20, false), (30, true)]);
    }

    #[test]
    fn a_refusal_waits_for_the_question_and_for_the_records_that_it_rests_on() {
        let mut desk = desk();
        desk.ask(1, 10, 0);
        assert_eq!(desk.close(), "record");
        desk.ask(2, 20, 0);
        assert_eq!(desk.close(), "read");
        assert!(desk.confirm(&[1]).is_empty(), "the hold that blocks it may still be lost");
        assert_eq!(desk.commit(), [(10, true), (20, false)]);
        desk.ask(3, 30, 0);
        assert_eq!(desk.close(), "read");
        desk.ask(4, 40, 0);
        assert_eq!(desk.close(), "nothing", "one read index is open at a time");
        assert!(desk.confirm(&[1]).is_empty(), "an earlier read proves nothing");
        assert_eq!(desk.confirm(&[2]), [(30, false)], "a later refusal waits for the next read");
        assert_eq!(desk.close(), "read");
        assert_eq!(desk.confirm(&[4]), [(40, false)], "a later one proves more");
    }

    #[test]
    fn overdue_holds_end_before_the_next_request_is_decided() {
        let mut desk = desk();
        desk.ask(1, 10, 0);
        desk.close();
        assert_eq!(desk.leader.expires_at(), Instant(106));
        desk.ask(105, 20, 0);
        desk.ask(106, 30, 0);
        let Turn::Changed(record) = desk.leader.close_turn() else {
            panic!("the seat changed hands")
        };
        assert_eq!(record.len(), 2, "one hold ends, the other is granted");
        desk.close();
        assert_eq!(desk.commit(), [(10, true)]);
        assert_eq!(desk.commit(), [(20, false), (30, true)]);
        desk.leader.expire(Instant(500), &desk.setup, &desk.shows);
        assert_eq!(desk.close(), "record");
        assert_eq!(desk.leader.expires_at(), Instant::MAX);
    }

    #[test]
    #[should_panic(expected = "time runs backwards")]
    fn a_clock_that_steps_back_is_caught() {
        let mut desk = desk();
        desk.ask(2, 10, 0);
        desk.ask(1, 20, 1);
    }

    #[test]
    fn a_deposed_leader_leaves_every_reply_undelivered() {
        let mut desk = desk();
        desk.ask(1, 10, 0);
        desk.close();
        desk.ask(2, 20, 0);
        desk.close();
        desk.ask(3, 30, 1);
        let pending: Vec<u64> =
            desk.leader.into_pending().map(|(_, answer)| answer.request().0).collect();
        assert_eq!(pending, [10, 20, 30]);
    }
}
