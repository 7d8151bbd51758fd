//! `facts`: copies of the facts converge, and no session gets a stale read.
//!
//! Owns the judgement over the answers to writes and reads. Refuses to look into any copy.
//!
//! The promise: answers carry versions, and of two versions of a fact the later wins. A tombstone
//! may be dropped once its time is over, so an answer without a version is legal if a requested deletion is, or may be,
//! later than the expected version, and old enough. Five things show that the promise is broken:
//! - a session reads an older version of a fact than it has read or written before;
//! - a write is acknowledged with an older version than its session had read;
//! - a version has a text that was never written, or different texts in different places;
//! - later than the bound after calm, a node does not know a version that another node told longer
//!   ago than the bound: a write vanished, or copies do not agree;
//! - later than the bound after calm, a question gets no answer, not even a late one after the
//!   client gave up; or the answer that the node is behind, unless clocks or a lost disk explain
//!   it. If the network loses messages even without faults, neither counts; if nodes may be too slow
//!   for each other, the latter does not.
//!
//! A version is lost with disks that a fault has destroyed, replaced, or damaged before a process starts, if no disk of
//! the cluster holds it any more, and only nodes whose disks have lost it ever told it. From then on a read may return
//! an older version, no node needs to know it, and a node may be behind for a session that has met it, until its writer
//! has written it off: the writer must once it has heard everybody. Earlier versions that are not lost still count. If a
//! node tells it again, it was not lost, and all must know it.
//!
//! Why no alarm is false: the bound is the time that the scenario grants the cluster to agree after calm, plus the
//! difference of the plan's clocks beyond what nodes accept; before that only order is judged. For the time of that
//! difference, a node may also be behind a new version: one that was first told less than that ago, and that the asking
//! session has seen. With true clocks there is no such version. A write is promised to survive its node's disk only
//! once another node has it: a version that no other disk holds, and no other node has told, may be gone with the disk.
//!
//! Why none is missed: at the end every node is asked for every fact that was ever written, so a
//! version that one of them still has is told, and not lost. A crash alone excuses nothing: a
//! version that a disk should have kept was not taken by a fault of the disk.
//!
//! Exercised once a write was acknowledged, a session has read a version at one node that it had read at another, and a
//! fact was read later than the bound after calm.

mod delays;
mod excuses;
mod history;
mod losses;
mod wording;

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::Stamp;
use onsale_cluster::fact::{FactKey, FactText, QuestionId, Seen, Version};
use onsale_oracles::evidence::Clock;
use onsale_oracles::{Findings, Story};
use onsale_reports::{Oracle, OracleResult};

use self::delays::Delays;
pub(super) use self::excuses::EXCUSES;
use self::history::{Deletions, History, KnownVersion, Write, loss_after};
use self::wording::{read, text, version_name, written};
use crate::seen::asked::SessionId;

onsale_oracles::rules! {
    Facts:
    /// A write was acknowledged with an older version than its session had seen.
    OLDER_WRITE = "older-write";
    /// A question got no answer, although the cluster was whole.
    UNANSWERED = "unanswered";
    /// A session read an older version than it had met.
    BACK_IN_TIME = "back-in-time";
    /// A node does not know a version that another node told long ago.
    NOT_AGREED = "not-agreed";
    /// A version has a text that was never written, or two.
    UNWRITTEN_TEXT = "unwritten-text";
}

/// Bounds on the agreement of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Time after calm within which they must agree if clocks are as close as nodes accept.
    pub agree_within: Span,
    /// Difference of clocks beyond what nodes accept: facts may reach a node later by that.
    pub clocks_apart: Span,
    /// Whether questions may stay unanswered without faults: the network loses messages, or nodes are
    /// overloaded.
    pub may_go_unanswered: bool,
    /// Whether a node may give up on another one before its answer, without faults.
    pub may_lose_patience: bool,
    /// Difference between a clock and the true time, at most.
    pub clocks_wrong: Span,
    /// How far ahead of its clock a node takes a version.
    pub accepted_drift: Span,
    /// Time for which tombstones are kept.
    pub deletions_last: Span,
    /// Time within which a node carries out a question without faults.
    pub slowest: Span,
    /// Time that nodes take to recover from a fault.
    pub recovery: Span,
    /// Interval between two rounds of repair.
    pub repair_every: Span,
}

/// A read, as its client saw it.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// Instant at which it was sent.
    pub asked: Instant,
    /// Instant of its answer.
    pub at: Instant,
    /// The session that reads; `None` for a survey, which binds no session.
    pub session: Option<SessionId>,
    /// The node that answered.
    pub node: NodeId,
    /// The facts in the answer.
    pub facts: &'a [(FactKey, Option<Version>)],
}

/// The loss of facts from a disk.
#[derive(Clone, Debug)]
pub struct Loss {
    /// Instant at which the loss was found.
    pub at: Instant,
    /// Facts that the node has seen, by the rest of its disk.
    pub left: Seen,
    /// Facts on all disks of the cluster together.
    pub kept: Seen,
}

/// The oracle `facts`.
#[derive(Debug)]
pub struct Facts {
    findings: Findings,
    bound: Span,
    clocks_apart: Span,
    may_go_unanswered: bool,
    may_lose_patience: bool,
    calm: Instant,
    histories: BTreeMap<FactKey, History>,
    /// By session and fact, the versions that it has met, in rising order.
    sessions: BTreeMap<SessionId, BTreeMap<FactKey, Vec<Met>>>,
    /// By session, the instant at which the newest version that it has met was first told.
    newest: BTreeMap<SessionId, Instant>,
    /// The latest loss of each node's disk.
    losses: BTreeMap<NodeId, Loss>,
    deletions: Deletions,
    repair_every: Span,
    /// By writer, the latest lost version that it has written off, as it served a session with it, and the instant.
    written_off: BTreeMap<NodeId, (Stamp, Instant)>,
    acknowledged: u64,
    reread_elsewhere: u64,
    read_in_calm: u64,
    /// By node, the instant at which it was first found to know everything told before calm.
    agreed: BTreeMap<NodeId, Instant>,
}

/// A version of a fact that a session met, with node and instant.
#[derive(Clone, Copy, Debug)]
struct Met {
    stamp: Stamp,
    node: NodeId,
    at: Instant,
}

impl Facts {
    /// An oracle over nodes that must agree within these bounds after calm.
    pub(super) fn new(bounds: Bounds, clock: &Clock) -> Self {
        let Bounds { agree_within, clocks_apart, may_go_unanswered, may_lose_patience, .. } =
            bounds;
        let mut findings = Findings::new(Oracle::Facts);
        findings.go_by(clock);
        Self {
            findings,
            bound: agree_within + clocks_apart,
            may_go_unanswered,
            may_lose_patience,
            clocks_apart,
            calm: Instant::MAX,
            histories: BTreeMap::new(),
            sessions: BTreeMap::new(),
            newest: BTreeMap::new(),
            losses: BTreeMap::new(),
            deletions: Deletions {
                last: bounds.deletions_last,
                clocks_wrong: bounds.clocks_wrong,
                accepted_drift: bounds.accepted_drift,
                delays: Delays::new(bounds.slowest, bounds.recovery),
            },
            repair_every: bounds.repair_every,
            written_off: BTreeMap::new(),
            acknowledged: 0,
            reread_elsewhere: 0,
            read_in_calm: 0,
            agreed: BTreeMap::new(),
        }
    }

    pub(super) fn on_calm(&mut self, at: Instant) {
        assert_eq!(self.calm, Instant::MAX, "calm begins once");
        self.calm = at;
    }

    /// Time from calm until each of these nodes was found to know everything told before calm.
    pub fn agreement(&self, nodes: &[NodeId]) -> Option<Span> {
        let agreed: Option<Vec<_>> = nodes.iter().map(|node| self.agreed.get(node)).collect();
        Some(agreed?.into_iter().max()?.since(self.calm))
    }

    /// Every fact that was ever written.
    pub fn keys(&self) -> impl Iterator<Item = FactKey> + '_ {
        self.histories.keys().copied()
    }

    /// Notes that a fault that delays everything strikes.
    pub(super) fn on_trouble(&mut self, at: Instant) {
        self.deletions.delays.on_trouble(at);
    }

    /// Notes that such a fault heals.
    pub(super) fn on_trouble_over(&mut self, at: Instant) {
        self.deletions.delays.on_trouble_over(at);
    }

    /// Notes that a node's process runs from now on, or no longer.
    pub(super) fn on_process(&mut self, at: Instant, node: NodeId, is_up: bool) {
        self.deletions.delays.on_process(at, node, is_up);
    }

    /// Notes a write requested of a node; without text it is a deletion.
    pub fn on_write(
        &mut self,
        (asked, node): (Instant, NodeId),
        (question, key): (QuestionId, FactKey),
        text: Option<FactText>,
    ) {
        let writes = &mut self.histories.entry(key).or_default().writes;
        writes.insert(question, Write { asked, node, text, stamp: None });
    }

    /// Notes the acknowledgement of a write whose client has given up: its stamp is known, and binds no session.
    pub fn on_written_late(
        &mut self,
        at: Instant,
        (question, key): (QuestionId, FactKey),
        node: NodeId,
        stamp: Stamp,
    ) {
        let Some(history) = self.histories.get_mut(&key) else { return };
        let Some(write) = history.writes.get_mut(&question) else { return };
        write.stamp = Some(stamp);
        let version = Version { stamp, text: write.text.clone() };
        let before = loss_after(&self.losses, node, write.asked);
        history.tell(at, node, &version, before);
    }

    /// Judges the acknowledgement of a session's write.
    pub fn on_written(
        &mut self,
        (asked, at): (Instant, Instant),
        session: SessionId,
        (question, key): (QuestionId, FactKey),
        node: NodeId,
        stamp: Stamp,
    ) {
        self.findings.checks();
        self.acknowledged += 1;
        let Some(history) = self.histories.get_mut(&key) else { return };
        let text = history.writes.get_mut(&question).and_then(|write| {
            write.stamp = Some(stamp);
            write.text.clone()
        });
        if let Some(met) = self.latest_met(session, key).filter(|met| stamp <= met.stamp) {
            self.findings.fail(OLDER_WRITE, || Story {
                headline: format!(
                    "a write of {key} was acknowledged with an older version than its writer had seen"
                ),
                lines: vec![met.told(session, key), written(at, session, key, node, stamp)],
            });
        }
        self.check_text((session, key), (asked, at), node, &Version { stamp, text });
        self.note_written_off(at, session, node);
        self.meet(session, key, Met { stamp, node, at });
    }

    /// Judges the answer to a read.
    pub fn on_read(&mut self, reading: Reading<'_>) {
        if let Some(session) = reading.session {
            self.note_written_off(reading.at, session, reading.node);
        }
        for (key, version) in reading.facts {
            self.findings.checks();
            if let Some(session) = reading.session {
                self.check_order(session, *key, version.as_ref(), reading);
            }
            self.check_agreement(*key, version.as_ref(), reading);
            let Some(version) = version else { continue };
            if let Some(session) = reading.session {
                let times = (reading.asked, reading.at);
                self.check_text((session, *key), times, reading.node, version);
                self.meet(
                    session,
                    *key,
                    Met { stamp: version.stamp, node: reading.node, at: reading.at },
                );
            } else if let Some(history) = self.histories.get_mut(key) {
                let before = loss_after(&self.losses, reading.node, reading.asked);
                history.tell(reading.at, reading.node, version, before);
            }
        }
    }

    /// Judges a node's answer about every fact: whether it knows everything told before calm.
    pub fn on_survey(&mut self, reading: Reading<'_>) {
        let found: BTreeMap<FactKey, Option<&Version>> =
            reading.facts.iter().map(|(key, version)| (*key, version.as_ref())).collect();
        let knows = |(key, history): (&FactKey, &History)| {
            history.told_by(self.calm).is_none_or(|(stamp, _)| {
                found.get(key).is_some_and(|version| {
                    history.reaches(stamp, *version, reading.at, &self.deletions)
                })
            })
        };
        if reading.asked >= self.calm && self.histories.iter().all(knows) {
            self.agreed.entry(reading.node).or_insert(reading.at);
        }
        self.on_read(reading);
    }

    /// Judges a node's answer that it is behind the session.
    pub fn on_behind(
        &mut self,
        asked: Instant,
        at: Instant,
        session: Option<SessionId>,
        node: NodeId,
    ) {
        let newest = session.and_then(|session| self.newest.get(&session));
        let clocks_explain = newest.is_some_and(|&told| told + self.clocks_apart > asked);
        if !self.may_lose_patience
            && !clocks_explain
            && !session.is_some_and(|session| self.loss_explains(session, node, asked))
        {
            self.on_unanswered(asked, at, node, "said that it was behind");
        }
    }

    /// Judges an unanswered question.
    pub fn on_unanswered(&mut self, asked: Instant, at: Instant, node: NodeId, how: &'static str) {
        if self.may_go_unanswered || asked < self.judged_from() {
            return;
        }
        self.findings.fail(UNANSWERED, || Story {
            headline: format!("{node} {how} although the cluster was whole"),
            lines: vec![
                format!("calm began at {}, with {} to agree in", self.calm, self.bound),
                format!(
                    "a question about facts was sent to {node} at {asked}, and at {at} it {how}"
                ),
            ],
        });
    }

    pub(super) const fn findings(&self) -> &Findings {
        &self.findings
    }

    pub(super) fn finish(self) -> OracleResult {
        let exercised = self.acknowledged > 0 && self.reread_elsewhere > 0 && self.read_in_calm > 0;
        self.findings.finish(exercised)
    }

    fn judged_from(&self) -> Instant {
        self.calm + self.bound
    }

    fn check_order(
        &mut self,
        session: SessionId,
        key: FactKey,
        found: Option<&Version>,
        reading: Reading<'_>,
    ) {
        let Some(met) = self.latest_met(session, key) else { return };
        self.reread_elsewhere += u64::from(met.node != reading.node);
        if self
            .histories
            .get(&key)
            .is_some_and(|history| history.reaches(met.stamp, found, reading.at, &self.deletions))
        {
            return;
        }
        self.findings.fail(BACK_IN_TIME, || Story {
            headline: format!("session {} read {key} back in time", session.0),
            lines: vec![met.told(session, key), read(reading, key, found)],
        });
    }

    fn check_agreement(&mut self, key: FactKey, found: Option<&Version>, reading: Reading<'_>) {
        if reading.asked < self.judged_from() {
            return;
        }
        self.read_in_calm += 1;
        let Some(history) = self.histories.get(&key) else { return };
        let long_ago = Instant(reading.asked.0 - self.bound.0);
        let Some((stamp, &KnownVersion { at, node, .. })) = history.told_by(long_ago) else {
            return;
        };
        if !history.reaches(stamp, found, reading.at, &self.deletions) {
            self.findings.fail(NOT_AGREED, || Story {
                headline: format!("{} does not know what {node} said about {key}", reading.node),
                lines: vec![
                    format!("calm began at {}, with {} to agree in", self.calm, self.bound),
                    format!("told at {at} by {node}: {key} in version {}", version_name(stamp)),
                    read(reading, key, found),
                ],
            });
        }
    }

    /// Judges the text of a version: it was written, and is the same in every answer.
    fn check_text(
        &mut self,
        (session, key): (SessionId, FactKey),
        (asked, at): (Instant, Instant),
        node: NodeId,
        version: &Version,
    ) {
        let history = self.histories.entry(key).or_default();
        let was_written = history.writes.values().any(|write| write.text == version.text);
        let told = history.tell(at, node, version, loss_after(&self.losses, node, asked));
        let newest = self.newest.entry(session).or_insert(told.at);
        *newest = (*newest).max(told.at);
        if was_written && told.text == version.text {
            return;
        }
        let known = told.text.clone();
        self.findings.fail(UNWRITTEN_TEXT, || Story {
            headline: format!("{node} told a text of {key} that was never written"),
            lines: vec![
                format!(
                    "version {} was {} before",
                    version_name(version.stamp),
                    text(known.as_ref())
                ),
                format!(
                    "session {}: told at {at} by {node}: {}",
                    session.0,
                    text(version.text.as_ref())
                ),
            ],
        });
    }

    fn meet(&mut self, session: SessionId, key: FactKey, met: Met) {
        let known = self.sessions.entry(session).or_default().entry(key).or_default();
        if known.last().is_none_or(|latest| met.stamp > latest.stamp) {
            known.push(met);
        }
    }

    /// The latest version of a fact that a session has met and that is not lost.
    fn latest_met(&self, session: SessionId, key: FactKey) -> Option<Met> {
        let (met, history) = (self.sessions.get(&session)?.get(&key)?, self.histories.get(&key)?);
        met.iter().rev().find(|met| !history.is_lost(met.stamp)).copied()
    }
}

#[cfg(test)]
mod tests;
