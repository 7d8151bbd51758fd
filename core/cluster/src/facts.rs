//! The facts of a node: what is played where, when and for how much.
//!
//! Owns a node's copy of the facts, from which it answers, and how writes reach all the others. Refuses to know the
//! meaning of a fact, and takes no part in selling: the journal decides who may have a seat.
//!
//! Facts prefer answers to agreement. A write is acknowledged once it is on the disk of the node that was asked, and
//! then gossiped, so facts can be read and written on every side of a partition. Of two writes on one fact the one with
//! the later [stamp](crate::hlc) wins, on every node alike. A session's reads never go back in time: it carries what it
//! has seen, and a node that has not seen as much fetches it first, or says that it is behind.
//!
//! A node logs the news of others with its own next write. So a lost disk loses only writes that were made through its
//! node and not yet gossiped. No node could serve a session that has seen such a write; so a node that is back, and
//! learns from all its peers that none has it, writes off the lost write with a later, empty one.

mod early;
mod exchange;
mod gossip;
mod own_writes;
mod repeats;
mod replica;
#[cfg(test)]
mod tests;

use std::mem;

use onsale_booking::{Draw, Endpoint, Instant, NodeId};

pub use self::early::EARLY_MAX;
use self::early::{Arrival, Early};
pub use self::gossip::Start;
use self::gossip::{Boot, Gossip};
use self::own_writes::{Own, OwnWrites, frame, logged};
pub use self::own_writes::{covered, remembered};
use self::repeats::{Repeat, Repeats};
pub use self::replica::{Gap, Replica};
use crate::config::{FactsConfig, Forgets, Sessions};
use crate::effect::Effects;
use crate::fact::{
    Asked, Delta, FactKey, FactText, FactsAnswer, FactsMessage, FactsReply, KEYS_MAX, Question,
    QuestionId, Seen, TEXT_BYTES_MAX, Wanted,
};
use crate::hlc::{HybridClock, Stamp};
use crate::mark::Mark;
use crate::observation::Observation;

/// The most questions that wait for a node to catch up; further ones are answered *behind* at once.
const WAITING_MAX: usize = 1_024;

/// The facts of one node.
#[derive(Debug)]
pub struct Facts {
    me: NodeId,
    incarnation: u64,
    config: FactsConfig,
    clock: HybridClock,
    replica: Replica,
    gossip: Gossip,
    /// Deltas of peers whose stamps are still too far ahead.
    early: Early,
    own: OwnWrites,
    /// Questions that this node has not seen enough for, in the order of their deadlines.
    waiting: Vec<Waiting>,
    /// Writes that may be delivered a second time.
    repeats: Repeats,
    /// Whether the node is about to leave, and takes no more questions.
    leaves: bool,
}

#[derive(Clone, Debug)]
struct Waiting {
    until: Instant,
    from: Endpoint,
    question: Question,
}

impl Facts {
    /// The facts of node `me` as it starts at `now` with the deltas of its log, in order.
    pub fn boot(
        (me, incarnation): (NodeId, u64),
        start: Start,
        config: FactsConfig,
        peers: impl IntoIterator<Item = NodeId>,
        draw: Draw,
        durable: &[Vec<u8>],
        now: Instant,
    ) -> Self {
        let (fanout, every) = (usize::from(config.fanout), config.repair_every);
        let gossip = Gossip::new(start, peers, fanout, every, draw);
        let mut facts = Self {
            me,
            incarnation,
            clock: HybridClock::new(me, config.accepted_drift),
            replica: Replica::default(),
            gossip,
            early: Early::default(),
            own: OwnWrites::default(),
            waiting: Vec::new(),
            repeats: Repeats::default(),
            leaves: false,
            config,
        };
        let mut late = Vec::new();
        for delta in logged(durable) {
            // Damage to the log leaves a gap: peers fill it.
            if let Ok(more) = facts.replica.merge(&delta) {
                facts.hear(&delta);
                late.extend(more);
            }
        }
        // Only after the whole log: a new write covers all earlier writes of this node, so it must follow on the last
        // of them. A fact that the log itself rewrote or changed later is left as it is.
        for (key, version) in late {
            if facts.replica.get(key).is_none_or(|known| *known <= version) {
                facts.write(now, key, version.text, None);
            }
        }
        facts.gossip.plan(now, facts.replica.seen());
        facts
    }

    /// The next instant at which the facts want to be stepped, if nothing else happens.
    #[inline]
    pub fn next_deadline(&self) -> Option<Instant> {
        let round = self.gossip.next_deadline().unwrap_or(Instant::MAX);
        let early = self.early.next_deadline().unwrap_or(Instant::MAX);
        let waits = self.waiting.first().map_or(Instant::MAX, |waiting| waiting.until);
        let forgets = self.replica.oldest_deletion();
        let forgets = forgets.map_or(Instant::MAX, |stamped| stamped + self.config.deletions_last);
        Some(round.min(early).min(waits).min(forgets)).filter(|&at| at < Instant::MAX)
    }

    /// Takes a message about facts.
    pub fn on_message(
        &mut self,
        now: Instant,
        from: Endpoint,
        message: FactsMessage,
        effects: &mut Effects,
    ) {
        match (from, message) {
            (Endpoint::Client(_), FactsMessage::Question(question)) => {
                self.on_question(now, from, question, effects)
            }
            (Endpoint::Node(from), FactsMessage::Digest { incarnation, knows, seen, wanted }) => {
                if self.is_latest_boot(from, incarnation, effects) {
                    self.on_digest(now, from, knows, (&seen, wanted), effects);
                }
            }
            (Endpoint::Node(from), FactsMessage::Repair { incarnation, delta }) => {
                if self.is_latest_boot(from, incarnation, effects) {
                    self.on_delta(now, Arrival { from, delta, is_news: false }, effects);
                }
            }
            (Endpoint::Node(from), FactsMessage::News { incarnation, delta }) => {
                if self.is_latest_boot(from, incarnation, effects) {
                    self.on_delta(now, Arrival { from, delta, is_news: true }, effects);
                }
            }
            (Endpoint::Node(_), FactsMessage::Question(_) | FactsMessage::Told(_))
            | (
                Endpoint::Client(_),
                FactsMessage::Told(_)
                | FactsMessage::Digest { .. }
                | FactsMessage::Repair { .. }
                | FactsMessage::News { .. },
            ) => effects.observe(Observation::Mark(Mark::ImpossibleMessage)),
        }
    }

    /// Handles what is due: a round, early deltas, questions that have waited too long, tombstones that expire.
    pub fn on_deadline(&mut self, now: Instant, effects: &mut Effects) {
        while let Some(arrival) = self.early.take_due(now) {
            self.on_delta(now, arrival, effects);
        }
        for node in self.gossip.on_deadline(now, self.replica.seen()) {
            self.tell_seen(node, Wanted::RepairAndDigest, effects);
        }
        self.gossip.plan(now, self.replica.seen());
        while self.waiting.first().is_some_and(|waiting| waiting.until <= now) {
            let Waiting { from, question, .. } = self.waiting.remove(0);
            self.tell_behind(from, question.id, effects);
        }
        let Some(oldest) = self.replica.oldest_deletion() else { return };
        if oldest + self.config.deletions_last <= now {
            let before = Instant(now.0 - self.config.deletions_last.0 + 1);
            self.replica.forget(before, self.config.forgets == Forgets::AndTells);
            effects.observe(Observation::Mark(Mark::FactsForgotten));
        }
    }

    /// Replaces the peers.
    pub fn on_peers(&mut self, now: Instant, peers: impl IntoIterator<Item = NodeId>) {
        self.gossip.follow(peers);
        self.gossip.plan(now, self.replica.seen());
    }

    /// This node is about to leave: further questions are answered *behind*.
    pub fn on_leave(&mut self, effects: &mut Effects) {
        self.leaves = true;
        for Waiting { from, question, .. } in mem::take(&mut self.waiting) {
            self.tell_behind(from, question.id, effects);
        }
    }

    /// Whether nothing is lost with this node: some peer has seen all that was written here.
    pub fn is_told(&self) -> bool {
        !self.own.are_pending() && self.own.last().is_none_or(|last| self.gossip.has_told(last))
    }

    /// A peer has fallen silent.
    pub fn on_suspected(&mut self, peer: NodeId) {
        self.gossip.on_suspected(peer);
    }

    /// A peer is heard again, or in a new boot.
    pub fn on_heard(&mut self, now: Instant, peer: NodeId, incarnation: u64) {
        self.learn_of_boot(peer, incarnation);
        self.gossip.on_heard(peer);
        self.gossip.plan(now, self.replica.seen());
    }

    /// Whether there are frames for the write-ahead log.
    #[inline]
    pub fn has_log(&self) -> bool {
        self.own.has_log()
    }

    /// Frames for the write-ahead log since the last call.
    pub fn drain_log(&mut self) -> std::vec::Drain<'_, u8> {
        self.own.drain_log()
    }

    /// Appends everything that a new segment of the write-ahead log inherits, framed.
    pub fn checkpoint(&self, out: &mut Vec<u8>) {
        if !self.replica.seen().is_empty() {
            frame(&self.replica.copy(), out);
        }
        self.own.checkpoint(out);
    }

    /// All that was logged so far is part of the write that begins.
    pub fn on_write_begun(&mut self) {
        self.own.on_write_begun();
    }

    /// The write in flight is durable: this node's own writes in it are visible from now on.
    pub fn on_persisted(&mut self, now: Instant, effects: &mut Effects) {
        if !self.own.are_being_written() {
            return;
        }
        for Own { stamp, delta, asker } in self.own.take_durable() {
            // A write with a stamp that is already used is simply written again, since no peer has heard of it: an
            // earlier boot of this node has used the stamp, on a disk that lost durable state and by a clock that
            // jumped back; or the disk took longer than tombstones are kept, and a dropped one may be later.
            if self.replica.seen().covers(stamp) {
                for (key, version) in delta.written {
                    self.write(now, key, version.text, asker);
                }
                continue;
            }
            let late = self.replica.merge(&delta).expect("a node has seen its own writes in order");
            if !late.is_empty() {
                for (key, version) in late {
                    self.write(now, key, version.text, asker);
                }
                continue;
            }
            if let Some((to, id)) = asker {
                self.tell(to, id, FactsAnswer::Written(stamp), effects);
            }
            self.spread(self.me, &delta, effects);
        }
        self.gossip.plan(now, self.replica.seen());
        self.answer_waiting(now, effects);
    }

    /// Number of clients' questions that have waited for twice their patience at `now`, and of deltas that were to be
    /// taken a patience ago.
    pub fn overdue(&self, now: Instant) -> (usize, usize) {
        let by = |due: Instant| due + self.config.patience <= now;
        let questions = self.waiting.iter().filter(|waiting| by(waiting.until)).count();
        (questions, self.early.due().filter(|&due| by(due)).count())
    }

    /// This node's version vector. For reports, never for verdicts.
    pub fn seen(&self) -> &Seen {
        self.replica.seen()
    }

    fn on_question(
        &mut self,
        now: Instant,
        from: Endpoint,
        question: Question,
        effects: &mut Effects,
    ) {
        let sound = match &question.asked {
            Asked::Read(keys) => keys.len() <= KEYS_MAX,
            Asked::Write(_, text) => text.as_ref().is_none_or(|text| text.len() <= TEXT_BYTES_MAX),
        };
        if !sound {
            return self.tell(from, question.id, FactsAnswer::BadQuestion, effects);
        }
        if question.writes() {
            match self.repeats.on_write(question.id) {
                Repeat::No => {}
                Repeat::UnderWay => {
                    return effects.observe(Observation::Mark(Mark::FactsRepeated));
                }
                Repeat::Answered(answer) => {
                    effects.observe(Observation::Mark(Mark::FactsRepeated));
                    return self.tell(from, question.id, answer, effects);
                }
            }
        }
        if self.leaves {
            return self.tell_behind(from, question.id, effects);
        }
        if self.may_answer(&question) {
            return self.answer(now, from, question, effects);
        }
        effects.observe(Observation::Mark(Mark::FactsFetched));
        if self.waiting.len() >= WAITING_MAX {
            return self.tell_behind(from, question.id, effects);
        }
        let lacks = question.seen.stamps().filter(|&stamp| !self.replica.seen().covers(stamp));
        let writers: Vec<NodeId> = lacks.map(|stamp| stamp.node).collect();
        let needs_all =
            self.gossip.waits_for_all(question.writes()) || self.has_forgotten(&question).is_some();
        for node in self.gossip.sources(&writers, needs_all) {
            self.tell_seen(node, Wanted::RepairAndDigest, effects);
        }
        self.waiting.push(Waiting { until: now + self.config.patience, from, question });
        self.write_off(now, effects);
    }

    /// The stamp of a write of this node's own that a session has seen and this node does not know: its disk forgot it.
    fn has_forgotten(&self, question: &Question) -> Option<Stamp> {
        question.seen.of(self.me).filter(|&stamp| Some(stamp) > self.own.last())
    }

    /// Writes off a forgotten write once all peers have been heard and none of them has it. Any later write of this
    /// node covers it, even an empty one. A stamp that is too far ahead of the clock has to wait here as well.
    fn write_off(&mut self, now: Instant, effects: &mut Effects) {
        let waiting = self.waiting.iter();
        let forgot = waiting.filter_map(|waiting| self.has_forgotten(&waiting.question));
        let Some(lost) = forgot.filter(|&lost| self.clock.accepts_from(lost) <= now).max() else {
            return;
        };
        if self.gossip.has_heard_all(self.me, self.own.last()) {
            effects.observe(Observation::Mark(Mark::FactsWrittenOff));
            self.clock.hear(lost);
            self.log_write(now, None, None);
        }
    }

    fn answer(
        &mut self,
        now: Instant,
        from: Endpoint,
        Question { id, asked, .. }: Question,
        effects: &mut Effects,
    ) {
        match asked {
            Asked::Read(keys) => {
                let known = |key| (key, self.replica.get(key).cloned());
                let answer = FactsAnswer::Read(keys.into_iter().map(known).collect());
                self.tell(from, id, answer, effects);
            }
            Asked::Write(key, text) => self.write(now, key, text, Some((from, id))),
        }
    }

    /// Whether this node has caught up since it started, and has seen all that the asking session has. While a write is
    /// rewritten, the copy briefly shows neither that write nor one that may have superseded it.
    fn may_answer(&self, question: &Question) -> bool {
        let has_caught_up = self.gossip.may_answer(question.writes(), self.me, self.own.last());
        let suits = self.config.sessions == Sessions::Ignored
            || !self.own.repeat_another() && self.replica.seen().includes(&question.seen);
        has_caught_up && suits
    }

    fn tell_behind(&mut self, from: Endpoint, id: QuestionId, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::FactsBehind));
        self.tell(from, id, FactsAnswer::Behind, effects);
    }

    fn tell(&mut self, to: Endpoint, id: QuestionId, answer: FactsAnswer, effects: &mut Effects) {
        self.repeats.on_answer(id, &answer);
        effects.facts(to, FactsMessage::Told(FactsReply { id, answer }));
    }

    /// Stamps a write and logs it; it takes effect once it is durable.
    fn write(
        &mut self,
        now: Instant,
        key: FactKey,
        text: Option<FactText>,
        asker: Option<(Endpoint, QuestionId)>,
    ) {
        self.log_write(now, Some((key, text)), asker);
    }

    fn log_write(
        &mut self,
        now: Instant,
        what: Option<(FactKey, Option<FactText>)>,
        asker: Option<(Endpoint, QuestionId)>,
    ) {
        let stamp = self.clock.stamp(now);
        self.own.add(stamp, what, asker);
    }

    /// Whether a node speaks in its latest boot: news of an earlier one may be lost.
    fn is_latest_boot(&mut self, node: NodeId, incarnation: u64, effects: &mut Effects) -> bool {
        let is_latest = self.learn_of_boot(node, incarnation) != Boot::Earlier;
        if !is_latest {
            effects.observe(Observation::Mark(Mark::FactsFromEarlierBoot));
        }
        is_latest
    }

    fn learn_of_boot(&mut self, node: NodeId, incarnation: u64) -> Boot {
        let boot = self.gossip.on_boot(node, incarnation);
        if boot == Boot::Later {
            self.early.drop_earlier_boots(node, self.replica.seen());
        }
        boot
    }

    fn hear(&mut self, delta: &Delta) {
        delta.until.stamps().for_each(|stamp| self.clock.hear(stamp));
        self.own.remember(self.replica.seen().of(self.me));
    }

    fn answer_waiting(&mut self, now: Instant, effects: &mut Effects) {
        if !self.waiting.iter().any(|waiting| self.may_answer(&waiting.question)) {
            return;
        }
        for waiting in mem::take(&mut self.waiting) {
            if self.may_answer(&waiting.question) {
                self.answer(now, waiting.from, waiting.question, effects);
            } else {
                self.waiting.push(waiting);
            }
        }
    }
}
