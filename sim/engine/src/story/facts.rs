//! Facts in a story: questions about them, the nodes' answers, and how a write spreads.
//!
//! Owns what is remembered of each question and version in the story. Refuses to judge answers,
//! and to know how lines look.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::Instant;
use onsale_cluster::fact::{
    Asked, Delta, FactKey, FactText, FactsAnswer, FactsMessage, FactsReply, Question, QuestionId,
    Version,
};
use onsale_cluster::{Message, Stamp};
use onsale_world::place::Place;

use super::cast::Cast;
use super::line::{Kind, Line};
use super::words;
use crate::seen::asked::SessionId;
use crate::seen::messages::Shown;
use crate::seen::sight::Sight;

/// The questions and versions of facts that a story has told.
#[derive(Debug, Default)]
pub(super) struct FactsTold {
    /// The unanswered questions of the story, each with its asker.
    open: BTreeMap<QuestionId, Asker>,
    /// The versions that each node was told of, or has written.
    known: BTreeSet<(Place, FactKey, Stamp)>,
    /// By session and fact, the version that it was last told.
    last: BTreeMap<(Option<SessionId>, FactKey), Option<Version>>,
}

#[derive(Clone, Copy, Debug)]
struct Asker {
    session: Option<SessionId>,
    writes: Option<FactKey>,
}

impl FactsTold {
    /// The lines for followed facts and sessions.
    ///
    /// If a session is followed, the lines of others are only context.
    pub(super) fn see(&mut self, now: Instant, sight: &Sight<'_>, cast: &Cast) -> Vec<Line> {
        let mut lines = self.look(now, sight, cast);
        for line in &mut lines {
            line.context = cast.follows_sessions() && !cast.is_session(&line.who);
        }
        lines
    }

    fn look(&mut self, now: Instant, sight: &Sight<'_>, cast: &Cast) -> Vec<Line> {
        match *sight {
            Sight::Looks { session, node, question } => {
                self.on_asked(now, session, node, question, cast).into_iter().collect()
            }
            Sight::Sent {
                from,
                to,
                departs,
                message: Shown::Cluster(Message::Facts(facts)),
                carried,
                cut,
            } => {
                let mut lines = self.on_sent(departs, (from, to), facts, cast);
                if carried.first.is_none() {
                    let why = if cut { "the link is cut" } else { "lost on the way" };
                    lines.extend(self.on_lost(departs, (from, to), facts, why, cast));
                }
                lines
            }
            Sight::Lost { from, to, message: Shown::Cluster(Message::Facts(facts)), why } => {
                let why = words::lost(why, from, to);
                self.on_lost(now, (from, to), facts, &why, cast)
            }
            Sight::Arrived {
                from,
                to: Place::Clients,
                message: Shown::Cluster(Message::Facts(facts)),
                ..
            } => {
                let FactsMessage::Told(told) = &**facts else { return Vec::new() };
                self.on_heard(now, from, told, cast).into_iter().collect()
            }
            Sight::Sent { .. }
            | Sight::Lost { .. }
            | Sight::Arrived { .. }
            | Sight::Writes { .. }
            | Sight::WriteFails { .. }
            | Sight::Durable { .. }
            | Sight::Worked { .. }
            | Sight::Observed { .. }
            | Sight::Process { .. }
            | Sight::Fault { .. }
            | Sight::FaultStep { .. }
            | Sight::Asks { .. }
            | Sight::Told { .. }
            | Sight::GaveUp { .. }
            | Sight::Disconnected { .. }
            | Sight::Left { .. }
            | Sight::Judged { .. } => Vec::new(),
        }
    }

    fn on_asked(
        &mut self,
        now: Instant,
        session: Option<SessionId>,
        node: Place,
        question: &Question,
        cast: &Cast,
    ) -> Option<Line> {
        let follows = session.is_some_and(|session| cast.session(session));
        let what = match &question.asked {
            Asked::Write(key, text) => {
                if !follows && !cast.fact(*key) {
                    return None;
                }
                self.open.insert(question.id, Asker { session, writes: Some(*key) });
                match text {
                    Some(text) => format!("asks {node} to set {key} to {text:?}"),
                    None => format!("asks {node} to delete {key}"),
                }
            }
            Asked::Read(keys) => {
                let is_asked_for =
                    !cast.follows_sessions() && keys.iter().any(|key| cast.fact(*key));
                let surveys = session.is_none() && is_asked_for;
                if !follows && !surveys {
                    return None;
                }
                self.open.insert(question.id, Asker { session, writes: None });
                // A survey asks every node for everything: its answers are enough.
                if surveys {
                    return None;
                }
                format!("asks {node} about {}", named(keys, cast))
            }
        };
        Some(Line::plain(now, asker(session), Kind::Ask, what))
    }

    fn on_heard(
        &mut self,
        now: Instant,
        from: Place,
        told: &FactsReply,
        cast: &Cast,
    ) -> Option<Line> {
        let Asker { session, writes } = self.open.remove(&told.id)?;
        let what = match &told.answer {
            FactsAnswer::Read(facts) => {
                let of_story = |key: &FactKey| !cast.follows_facts() || cast.fact(*key);
                let mut told = Vec::new();
                let mut same = 0;
                for (key, version) in facts.iter().filter(|(key, _)| of_story(key)) {
                    let before = self.last.insert((session, *key), version.clone());
                    if session.is_some() && before.as_ref() == Some(version) {
                        same += 1;
                    } else {
                        told.push(said(*key, version.as_ref()));
                    }
                }
                match (told.is_empty(), same) {
                    (true, 0) => "no such facts".to_owned(),
                    (true, _) => "nothing new".to_owned(),
                    (false, 0) => told.join("; "),
                    (false, _) => format!("{}; the rest is unchanged", told.join("; ")),
                }
            }
            FactsAnswer::Written(stamp) => {
                let key = writes.map_or_else(|| "it".to_owned(), |key| key.to_string());
                format!("{key} is written, {}", version(*stamp))
            }
            FactsAnswer::Behind => {
                "it is behind this session, and could not catch up in time".to_owned()
            }
            FactsAnswer::BadQuestion => "the question is invalid".to_owned(),
        };
        let line =
            Line::plain(now, asker(session), Kind::Client, format!("hears from {from}: {what}"));
        // Surveys repeat until all nodes agree.
        let repeats = session.is_none().then(|| format!("what {from} knows: {what}"));
        Some(Line { repeats, ..line })
    }

    /// The lines for versions that a node sends another for the first time.
    fn on_sent(
        &mut self,
        departs: Instant,
        (from, to): (Place, Place),
        message: &FactsMessage,
        cast: &Cast,
    ) -> Vec<Line> {
        let mut lines = Vec::new();
        for (key, told) in delta(message).into_iter().flat_map(|delta| &delta.written) {
            let writer = Place::Node(told.stamp.node);
            if cast.fact(*key) && to != writer && self.known.insert((to, *key, told.stamp)) {
                let what = format!("tells {to}: {}", said(*key, Some(told)));
                lines.push(Line::plain(departs, words::place(from), Kind::Route, what));
            }
        }
        lines
    }

    fn on_lost(
        &mut self,
        at: Instant,
        (from, to): (Place, Place),
        message: &FactsMessage,
        why: &str,
        cast: &Cast,
    ) -> Vec<Line> {
        let lost = |who: String, what: String| {
            let told = format!("{what} never reaches {}: {why}", words::place(to));
            Line::plain(at, who, Kind::Lost, told)
        };
        match message {
            FactsMessage::Question(question) => {
                let asker_of = |asked: &Asker| asker(asked.session);
                let asked = self.open.get(&question.id).filter(|asked| asked.session.is_some());
                asked.map(asker_of).map(|who| lost(who, "the question".to_owned()))
            }
            FactsMessage::Told(told) => {
                let asked = self.open.get(&told.id).filter(|asked| asked.session.is_some());
                asked.map(|asked| {
                    lost(words::place(from), format!("the answer to {}", asker(asked.session)))
                })
            }
            FactsMessage::Digest { .. }
            | FactsMessage::Repair { .. }
            | FactsMessage::News { .. } => {
                let news = delta(message).into_iter().flat_map(|delta| &delta.written);
                let followed = news.into_iter().find(|(key, _)| cast.fact(*key));
                followed.map(|(key, told)| {
                    self.known.remove(&(to, *key, told.stamp));
                    let line = lost(words::place(from), format!("the update of {key}"));
                    let repeats = Some(format!("{key} on its way from {from} to {to}"));
                    Line { repeats, ..line }
                })
            }
        }
        .into_iter()
        .collect()
    }
}

fn delta(message: &FactsMessage) -> Option<&Delta> {
    match message {
        FactsMessage::Repair { delta, .. } | FactsMessage::News { delta, .. } => Some(delta),
        FactsMessage::Question(_) | FactsMessage::Told(_) | FactsMessage::Digest { .. } => None,
    }
}

/// The followed facts among these and a count of the others, or all if none is followed.
fn named(keys: &[FactKey], cast: &Cast) -> String {
    let followed: Vec<String> =
        keys.iter().filter(|key| cast.fact(**key)).map(ToString::to_string).collect();
    let others = keys.len() - followed.len();
    match (followed.is_empty(), others) {
        (true, _) => keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        (false, 0) => followed.join(", "),
        (false, others) => format!("{} and {others} more", followed.join(", ")),
    }
}

fn asker(session: Option<SessionId>) -> String {
    session.map_or_else(|| "survey".to_owned(), |session| format!("session {}", session.0))
}

fn said(key: FactKey, found: Option<&Version>) -> String {
    match found {
        None => format!("{key} is unknown"),
        Some(Version { stamp, text }) => {
            format!("{key} {}, {}", reads(text.as_ref()), version(*stamp))
        }
    }
}

fn reads(text: Option<&FactText>) -> String {
    text.map_or_else(|| "is deleted".to_owned(), |text| format!("is {text:?}"))
}

fn version(stamp: Stamp) -> String {
    format!("version {}+{} of {}", stamp.at, stamp.count, stamp.node)
}
