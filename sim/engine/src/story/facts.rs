//! Facts in a story: who asks about them, what the nodes answer, and how a write gets to the others.
//!
//! Owns what is remembered of each question and version in the story. Refuses to judge what is
//! answered, and to know how lines look.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::Instant;
use onsale_cluster::fact::{
    Asked, Delta, FactKey, FactText, FactsAnswer, FactsMessage, Question, QuestionId, Told, Version,
};
use onsale_cluster::{Message, Stamp};
use onsale_world::place::Place;

use super::cast::Cast;
use super::line::{Kind, Line};
use super::words;
use crate::seen::asked::SessionId;
use crate::seen::sight::Sight;

/// What is known of the facts in a story.
#[derive(Debug, Default)]
pub(super) struct FactsTold {
    /// The questions of the story that have no answer yet, with who asks.
    open: BTreeMap<QuestionId, Asker>,
    /// Which node was told of which version, or has written it.
    known: BTreeSet<(Place, FactKey, Stamp)>,
    /// By session, what it was last told of each fact.
    last: BTreeMap<(Option<SessionId>, FactKey), Option<Version>>,
}

#[derive(Clone, Copy, Debug)]
struct Asker {
    session: Option<SessionId>,
    writes: Option<FactKey>,
}

impl FactsTold {
    /// What a sight tells of facts that are followed, or of sessions that are.
    ///
    /// Where a session is followed, the story is its own: what others do with the facts is told in between.
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
            Sight::Sent { from, to, departs, message: Message::Facts(facts), carried, cut } => {
                let mut lines = self.on_sent(departs, (from, to), facts, cast);
                if carried.first.is_none() {
                    let why = if cut { "the link is cut" } else { "lost on the way" };
                    lines.extend(self.on_lost(departs, (from, to), facts, why, cast));
                }
                lines
            }
            Sight::Lost { from, to, message: Message::Facts(facts), why } => {
                let why = words::lost(why, from, to);
                self.on_lost(now, (from, to), facts, &why, cast)
            }
            Sight::Arrived { from, to: Place::Clients, message: Message::Facts(facts), .. } => {
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
                    Some(text) => format!("asks {node} to make {key} {text:?}"),
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
                // A survey asks every node for everything: what it hears is enough.
                if surveys {
                    return None;
                }
                format!("asks {node} about {}", named(keys, cast))
            }
        };
        Some(Line::plain(now, asker(session), Kind::Ask, what))
    }

    fn on_heard(&mut self, now: Instant, from: Place, told: &Told, cast: &Cast) -> Option<Line> {
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
                    (true, 0) => "nothing of it".to_owned(),
                    (true, _) => "what it knew already".to_owned(),
                    (false, 0) => told.join("; "),
                    (false, _) => format!("{}; and what it knew already", told.join("; ")),
                }
            }
            FactsAnswer::Written(stamp) => {
                let key = writes.map_or_else(|| "it".to_owned(), |key| key.to_string());
                format!("{key} is written, {}", version(*stamp))
            }
            FactsAnswer::Behind => {
                "it has not seen what this session has, and could not fetch it in time".to_owned()
            }
            FactsAnswer::BadQuestion => "this is no question for it".to_owned(),
        };
        let line =
            Line::plain(now, asker(session), Kind::Client, format!("hears from {from}: {what}"));
        // Surveys ask again and again until all nodes agree.
        let repeats = session.is_none().then(|| format!("what {from} knows: {what}"));
        Some(Line { repeats, ..line })
    }

    /// A node tells another of a version for the first time.
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
                    let line = lost(words::place(from), format!("what it says about {key}"));
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

/// The facts of the story among these, or all.
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
        None => format!("nothing is known of {key}"),
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
