//! `facts`: copies of the facts come to agree, and no session reads back in time.
//!
//! Owns the judgement over what administrators were told of their writes and what sessions read.
//! Refuses to look into any copy.
//!
//! Answers carry versions, and of two versions of a fact the later wins: that is the promise. A
//! deletion may be forgotten, so an answer without a version is legal where a deletion was asked
//! for that may be later than what ought to be there. Five things show that the promise is broken:
//! - a session reads an older version of a fact than it has read or written before;
//! - a write is acknowledged with an older version than its session had read;
//! - a version says something that nobody wrote, or one thing here and another there;
//! - later than the bound after calm, a node does not know what somebody was told by another node
//!   longer ago than the bound: a write vanished, or copies do not agree;
//! - later than the bound after calm, a question gets no answer, not even one so late that nobody
//!   waits for it any more; or the answer that the node is behind, unless clocks or a lost disk
//!   explain it. Where the network loses messages while nothing is wrong, neither shows anything, and
//!   where nodes may be too slow for each other the latter does not.
//!
//! A version is lost once disks have taken it that by a fault are gone, are others, or are damaged where a
//! process starts: no disk of the cluster holds it any more, and nobody ever told of it but nodes
//! whose disks have lost it. From then on a read may go back behind it, no node need know it, and a
//! node may be behind for a session that has met it. What was told before it and is not lost counts
//! as ever. If anybody tells of it once more, it was not lost, and all have to know it.
//!
//! Why no alarm is false: the bound is what the scenario grants the cluster to come to an agreement
//! when nothing is broken any more, and as much more as the plan's clocks may be further apart than
//! nodes accept; before that only order is judged. For as long as clocks may be so far apart, a
//! node may also be behind what is new: what somebody was first told of less than that ago, and the
//! session that asks has seen. Where clocks are right, that is nothing. And a write is promised to
//! outlive its node's disk only once another node has it: what no other disk holds, and no other
//! node was heard to know, may have gone with the disk.
//!
//! Why none is missed: at the end every node is asked for every fact that anybody asked to write;
//! what one of them still has is told by that, and is not lost. A crash alone excuses nothing: what
//! a disk ought to have kept and did not, no fault of the disk took.
//!
//! Exercised once a write was acknowledged, a session has read at one node what it read at another
//! before, and a fact was read later than the bound after calm.

mod history;

use std::collections::BTreeMap;

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::Stamp;
use onsale_cluster::fact::{FactKey, FactText, QuestionId, Seen, Version};
use onsale_oracles::evidence::Clock;
use onsale_oracles::{Findings, Story};
use onsale_reports::{Oracle, OracleResult};

use self::history::{History, Told, Write, loss_after};
use crate::seen::asked::SessionId;

/// What nodes are granted to agree in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How soon after calm they are to agree if clocks are as close as nodes accept.
    pub agree_within: Span,
    /// How much further than that clocks may be apart: facts may reach a node later by as much.
    pub clocks_apart: Span,
    /// Whether answers may fail to come where nothing is wrong: the network loses messages, or nodes are never
    /// through with their work.
    pub may_go_unanswered: bool,
    /// Whether a node may ask another one and lose its patience before the answer where nothing is wrong.
    pub may_lose_patience: bool,
}

/// A read, as its client saw it.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// When it was sent.
    pub asked: Instant,
    /// When its answer was heard.
    pub at: Instant,
    /// The session that reads; `None` if what is found binds nobody.
    pub session: Option<SessionId>,
    /// Which node answered.
    pub node: NodeId,
    /// What it answered.
    pub facts: &'a [(FactKey, Option<Version>)],
}

/// A disk has lost something.
#[derive(Clone, Debug)]
pub struct Loss {
    /// When that was found.
    pub at: Instant,
    /// What its node has seen by what is left on it.
    pub left: Seen,
    /// What all disks of the cluster hold together.
    pub kept: Seen,
}

/// The oracle.
#[derive(Debug)]
pub struct Facts {
    findings: Findings,
    bound: Span,
    clocks_apart: Span,
    may_go_unanswered: bool,
    may_lose_patience: bool,
    calm: Instant,
    histories: BTreeMap<FactKey, History>,
    /// What each session has met of a fact, each version later than those before.
    sessions: BTreeMap<SessionId, BTreeMap<FactKey, Vec<Met>>>,
    /// When the newest of what each session has met was first told to anybody.
    newest: BTreeMap<SessionId, Instant>,
    /// The latest loss of each node's disk.
    losses: BTreeMap<NodeId, Loss>,
    acknowledged: u64,
    reread_elsewhere: u64,
    read_in_calm: u64,
    /// When each node was first found to know all that had been told when calm began.
    agreed: BTreeMap<NodeId, Instant>,
}

/// A version that a session met of a fact, and where.
#[derive(Clone, Copy, Debug)]
struct Met {
    stamp: Stamp,
    node: NodeId,
    at: Instant,
}

impl Facts {
    /// An oracle over nodes that are to agree after calm within what they are granted.
    pub(super) fn new(bounds: Bounds, clock: &Clock) -> Self {
        let Bounds { agree_within, clocks_apart, may_go_unanswered, may_lose_patience } = bounds;
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

    /// From calm until each of these nodes was found to know all that had been told when it began.
    pub fn agreement(&self, nodes: &[NodeId]) -> Option<Span> {
        let agreed: Option<Vec<_>> = nodes.iter().map(|node| self.agreed.get(node)).collect();
        Some(agreed?.into_iter().max()?.since(self.calm))
    }

    /// Every fact that anybody asked to write.
    pub fn keys(&self) -> impl Iterator<Item = FactKey> + '_ {
        self.histories.keys().copied()
    }

    /// A client asks for a write; no text is a deletion.
    pub fn on_write(&mut self, question: QuestionId, key: FactKey, text: Option<FactText>) {
        let writes = &mut self.histories.entry(key).or_default().writes;
        writes.insert(question, Write { text, stamp: None });
    }

    /// A session is told that its write is acknowledged.
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
            self.findings.fail(|| Story {
                headline: format!(
                    "a write of {key} was acknowledged and is older than what its writer had seen"
                ),
                lines: vec![met.told(session, key), written(at, session, key, node, stamp)],
            });
        }
        self.check_text((session, key), (asked, at), node, &Version { stamp, text });
        self.meet(session, key, Met { stamp, node, at });
    }

    /// A read is answered.
    pub fn on_read(&mut self, reading: Reading<'_>) {
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

    /// A node was asked for every fact: does it know what had been told when calm began?
    pub fn on_survey(&mut self, reading: Reading<'_>) {
        let found: BTreeMap<FactKey, Option<&Version>> =
            reading.facts.iter().map(|(key, version)| (*key, version.as_ref())).collect();
        let knows = |(key, history): (&FactKey, &History)| {
            history.told_by(self.calm).is_none_or(|(stamp, _)| {
                found.get(key).is_some_and(|version| history.reaches(stamp, *version))
            })
        };
        if reading.asked >= self.calm && self.histories.iter().all(knows) {
            self.agreed.entry(reading.node).or_insert(reading.at);
        }
        self.on_read(reading);
    }

    /// A node said that it had not seen what the session has, if it is one that asks.
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
            && !session.is_some_and(|session| self.has_met_what_is_lost(session))
        {
            self.on_unanswered(asked, at, node, "said that it was behind");
        }
    }

    /// A node's disk has lost something.
    pub fn on_disk_lost(&mut self, node: NodeId, loss: Loss) {
        let versions = self.histories.values_mut().flat_map(|history| &mut history.versions);
        for (&stamp, told) in versions {
            told.holders.retain(|&holder| holder != node || loss.left.covers(stamp));
            told.is_lost |= told.holders.is_empty() && !loss.kept.covers(stamp);
        }
        self.losses.insert(node, loss);
    }

    /// How many acknowledged writes were lost with disks.
    pub fn lost(&self) -> usize {
        self.histories.values().map(History::lost).sum()
    }

    /// A node did not answer a question.
    pub fn on_unanswered(&mut self, asked: Instant, at: Instant, node: NodeId, how: &'static str) {
        if self.may_go_unanswered || asked < self.judged_from() {
            return;
        }
        self.findings.fail(|| Story {
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
        if self.histories.get(&key).is_some_and(|history| history.reaches(met.stamp, found)) {
            return;
        }
        self.findings.fail(|| Story {
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
        let Some((stamp, &Told { at, node, .. })) = history.told_by(long_ago) else { return };
        if !history.reaches(stamp, found) {
            self.findings.fail(|| Story {
                headline: format!("{} does not know what {node} said about {key}", reading.node),
                lines: vec![
                    format!("calm began at {}, with {} to agree in", self.calm, self.bound),
                    format!("told at {at} by {node}: {key} in version {}", version_name(stamp)),
                    read(reading, key, found),
                ],
            });
        }
    }

    /// What a version says was written, and is the same wherever it is read.
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
        self.findings.fail(|| Story {
            headline: format!("{node} says about {key} what was not written"),
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

    /// The latest version that a session has met of a fact and that is not lost.
    fn latest_met(&self, session: SessionId, key: FactKey) -> Option<Met> {
        let (met, history) = (self.sessions.get(&session)?.get(&key)?, self.histories.get(&key)?);
        met.iter().rev().find(|met| !history.is_lost(met.stamp)).copied()
    }

    fn has_met_what_is_lost(&self, session: SessionId) -> bool {
        let mut met = self.sessions.get(&session).into_iter().flatten();
        met.any(|(key, met)| {
            let history = self.histories.get(key);
            history.is_some_and(|history| met.iter().any(|met| history.is_lost(met.stamp)))
        })
    }
}

impl Met {
    fn told(self, session: SessionId, key: FactKey) -> String {
        let Self { stamp, node, at } = self;
        format!(
            "session {}: told at {at} by {node}: {key} in version {}",
            session.0,
            version_name(stamp)
        )
    }
}

fn written(at: Instant, session: SessionId, key: FactKey, node: NodeId, stamp: Stamp) -> String {
    let version = version_name(stamp);
    format!("session {}: told at {at} by {node}: {key} is written in version {version}", session.0)
}

fn read(reading: Reading<'_>, key: FactKey, found: Option<&Version>) -> String {
    let Reading { asked, at, session, node, .. } = reading;
    let who =
        session.map_or_else(|| "survey".to_owned(), |session| format!("session {}", session.0));
    let what = found.map_or_else(
        || "nothing is known of it".to_owned(),
        |version| {
            format!("version {}, {}", version_name(version.stamp), text(version.text.as_ref()))
        },
    );
    format!("{who}: asked at {asked}, told at {at} by {node}: {key}: {what}")
}

fn version_name(stamp: Stamp) -> String {
    format!("{}+{} of {}", stamp.at, stamp.count, stamp.node)
}

fn text(text: Option<&FactText>) -> String {
    text.map_or_else(|| "deleted".to_owned(), |text| format!("{text:?}"))
}

#[cfg(test)]
mod tests;
