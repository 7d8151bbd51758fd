//! Administrators, who change facts, and visitors, who read them.
//!
//! Owns the administrators, the visitors, and the surveys that find when all nodes agree, with their
//! questions and timing. Refuses to know how facts are kept, and to judge answers.
//!
//! Everybody has a session, whose token carries the versions seen to the next node. Visitors go from node to node;
//! administrators do not retry writes, so an unanswered write may have happened or not. If no node accepts a session
//! any more, its owner begins a new one.

mod pages;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::{Instant, NodeId, Span};
use onsale_cluster::fact::{
    Asked, FactKey, FactText, FactsAnswer, FactsReply, Question, QuestionId,
};
use onsale_reports::FactsResult;
use onsale_scenarios::{Facts, Scenario};
use onsale_world::stream::{Stream, UserDraws, fork};

use self::pages::{catalogue, page};
use self::session::Session;
use crate::judges::facts::Reading;
use crate::seen::asked::SessionId;
use crate::witness::Witness;

/// Interval between writes of the initial facts.
const LOAD_EVERY: Span = Span::from_millis(20);
/// Interval between surveys of the nodes, until they agree.
const SURVEY_EVERY: Span = Span::from_millis(250);
/// Attempts of a visitor at one page, each at another node.
const TRIES: u8 = 3;

/// The clients of facts: administrators, visitors, surveys.
#[derive(Debug)]
pub struct Browsing {
    facts: Facts,
    /// The nodes to ask.
    nodes: Vec<NodeId>,
    patience: Span,
    /// Longest duration of an answer without faults.
    slowest: Span,
    /// Longest latency to a node.
    way: Span,
    /// Pause after a lost connection before the next try.
    pause: Span,
    changes: Stream,
    visits_seed: u64,
    /// Instant at which the last fault has healed; `None` if there are no faults.
    calm: Option<Instant>,
    timers: BTreeSet<(Instant, Act)>,
    /// Session by person: administrators first, then visitors.
    sessions: BTreeMap<u32, Session>,
    open: BTreeMap<QuestionId, Open>,
    /// Questions given up by their client, whose patience may be shorter than an answer takes; only
    /// those still here at the end are unanswered.
    given_up: BTreeMap<QuestionId, Open>,
    asked: u64,
    outbox: Vec<Posted>,
    result: FactsResult,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    /// Write the nth initial fact.
    Load(u32),
    /// Make the nth change.
    Change(u32),
    /// A visitor arrives.
    Come(u32),
    /// A visitor reads the nth page, in its mth attempt.
    Look(u32, u32, u8),
    /// Ask all nodes for every fact.
    Survey,
    /// Ask all nodes for every fact, for the last time.
    LastSurvey,
    /// The patience with a question ends.
    GiveUp(QuestionId),
}

/// A question to send.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The node asked.
    pub node: NodeId,
    /// The session that asks; `None` in a survey.
    pub session: Option<SessionId>,
    /// The question.
    pub question: Question,
}

/// An unanswered question.
#[derive(Clone, Debug)]
struct Open {
    asked: Instant,
    /// Instant at which the patience with it ends.
    until: Instant,
    node: NodeId,
    /// The session at that time; `None` for a survey.
    session: Option<SessionId>,
    by: By,
}

#[derive(Clone, Debug)]
enum By {
    Admin(u32, FactKey),
    Visitor { visitor: u32, look: u32, attempt: u8 },
    Survey,
}

impl Browsing {
    /// The clients of facts before the first act, or no clients if the scenario has no facts. `slowest` is the longest
    /// duration of an answer without faults, `apart` the time by which clocks may delay agreement.
    pub fn new(
        scenario: &Scenario,
        seed: u64,
        calm: Option<Instant>,
        (slowest, apart): (Span, Span),
    ) -> Option<Self> {
        let facts = scenario.facts.clone()?;
        let mut timers = BTreeSet::new();
        let (from, until) = (Instant::ZERO + facts.from, Instant::ZERO + facts.until);
        timers.insert((from, Act::Load(0)));
        if facts.changes_per_minute > 0 {
            timers.insert((from, Act::Change(0)));
        }
        if facts.visitors > 0 {
            timers.insert((from, Act::Come(0)));
        }
        timers.extend(calm.map(|calm| (calm, Act::Survey)));
        let over = until.max(calm.unwrap_or_default());
        // Late enough that every node must know everything told before.
        let patience = scenario.crowd.session.request_timeout;
        let last = over + patience + facts.agree_within + apart + Span::from_secs(1);
        timers.insert((last, Act::LastSurvey));
        Some(Self {
            nodes: (1..=scenario.cluster.nodes).map(NodeId).collect(),
            patience,
            slowest,
            way: scenario.network.client.least(),
            pause: scenario.crowd.session.backoff_base,
            changes: Stream::new(fork(seed, "changes")),
            visits_seed: fork(seed, "visits"),
            calm,
            timers,
            sessions: BTreeMap::new(),
            open: BTreeMap::new(),
            given_up: BTreeMap::new(),
            asked: 0,
            outbox: Vec::new(),
            result: FactsResult::default(),
            facts,
        })
    }

    /// Sets the nodes to ask, after a change of members.
    pub fn ask_among(&mut self, nodes: Vec<NodeId>) {
        self.nodes = nodes;
    }

    /// Instant of the next act of anyone.
    pub fn next_wake(&self) -> Option<Instant> {
        self.timers.first().map(|&(at, _)| at)
    }

    /// Whether no act and no open question is left.
    pub fn is_done(&self) -> bool {
        self.timers.is_empty()
    }

    /// Takes the questions to send.
    pub fn drain_outbox(&mut self) -> Vec<Posted> {
        std::mem::take(&mut self.outbox)
    }

    /// The report section on facts so far.
    pub fn result(&self, witness: &Witness) -> FactsResult {
        let oracle = witness.judges.facts.as_ref();
        FactsResult {
            facts: oracle.map_or(0, |oracle| oracle.keys().count() as u64),
            lost_with_disks: oracle.map_or(0, |oracle| oracle.lost() as u64),
            agreed_ms: oracle
                .filter(|_| self.calm.is_some())
                .and_then(|oracle| oracle.agreement(&self.nodes))
                .map(Span::as_millis_f64),
            ..self.result.clone()
        }
    }

    /// Carries out all acts due at `now`.
    pub fn act(&mut self, now: Instant, witness: &mut Witness) {
        while let Some((at, act)) = self.timers.first().copied().filter(|&(at, _)| at <= now) {
            self.timers.pop_first();
            match act {
                Act::Load(n) => self.load(at, n, witness),
                Act::Change(n) => self.change(at, n, witness),
                Act::Come(visitor) => self.come(at, visitor),
                Act::Look(visitor, look, attempt) => self.look(at, visitor, look, attempt),
                Act::Survey => self.survey(at, false, witness),
                Act::LastSurvey => self.survey(at, true, witness),
                Act::GiveUp(id) => self.give_up(at, id),
            }
        }
    }

    /// Takes a node's answer.
    pub fn hear(&mut self, now: Instant, node: NodeId, told: &FactsReply, witness: &mut Witness) {
        let Some(Open { asked, until, session, by, .. }) = self.open.remove(&told.id) else {
            return self.hear_late(now, node, told, witness);
        };
        self.timers.remove(&(until, Act::GiveUp(told.id)));
        let Some(oracle) = &mut witness.judges.facts else { return };
        let reading = Reading { asked, at: now, session, node, facts: &[] };
        match (&told.answer, by) {
            (FactsAnswer::Written(stamp), By::Admin(admin, key)) => {
                self.result.writes += 1;
                let session = self.session(admin);
                session.on_answer([*stamp].into_iter());
                oracle.on_written((asked, now), session.id, (told.id, key), node, *stamp);
            }
            (FactsAnswer::Read(facts), By::Visitor { visitor, look, .. }) => {
                self.result.reads += 1;
                let versions = facts.iter().filter_map(|(_, version)| version.as_ref());
                let visitor_session = self.session(self.person(visitor));
                visitor_session.on_answer(versions.map(|version| version.stamp));
                oracle.on_read(Reading { facts, ..reading });
                self.after_look(now, visitor, look);
            }
            (FactsAnswer::Read(facts), By::Survey) => {
                oracle.on_survey(Reading { facts, ..reading })
            }
            (FactsAnswer::Behind, by) => {
                self.result.behind += 1;
                oracle.on_behind(asked, now, session, node);
                self.after_behind(node, &by);
                self.after_failure(now, &by);
            }
            (FactsAnswer::Written(_) | FactsAnswer::Read(_) | FactsAnswer::BadQuestion, _) => {
                panic!("{told:?} is not an answer to the question")
            }
        }
    }

    fn load(&mut self, at: Instant, n: u32, witness: &mut Witness) {
        let mut keys = catalogue(self.facts.events).skip(n as usize);
        let Some(key) = keys.next() else { return };
        let Some(admin) = self.free_admin(n) else {
            self.timers.insert((at + LOAD_EVERY, Act::Load(n)));
            return;
        };
        if keys.next().is_some() {
            self.timers.insert((at + LOAD_EVERY, Act::Load(n + 1)));
        }
        self.write(at, admin, n, key, Some(format!("{key}, as planned")), witness);
    }

    fn change(&mut self, at: Instant, n: u32, witness: &mut Witness) {
        let pace = 60_000_000 / u64::from(self.facts.changes_per_minute);
        let next = at + Span(pace / 2 + self.changes.below(pace));
        if next < Instant::ZERO + self.facts.until {
            self.timers.insert((next, Act::Change(n + 1)));
        }
        let event = pages::event(self.changes.draw(), self.facts.events);
        let key = pages::changed(self.changes.draw(), event);
        let deletes = self.changes.below(100) < 15;
        let text = (!deletes).then(|| format!("{key}, change {n}"));
        let first = self.changes.below(u64::from(self.facts.admins)) as u32;
        let node = self.changes.below(self.nodes.len() as u64) as u32;
        // If all administrators wait for an answer, the change is skipped.
        if let Some(admin) = self.free_admin(first) {
            self.write(at, admin, node, key, text, witness);
        }
    }

    /// The next administrator, from the nth on, without an open question: a session does one thing after the other.
    fn free_admin(&self, first: u32) -> Option<u32> {
        let admins = u32::from(self.facts.admins);
        let busy = |admin: &u32| {
            let mut open = self.open.values();
            open.any(|open| matches!(open.by, By::Admin(by, _) if by == *admin))
        };
        (0..admins).map(|step| first.wrapping_add(step) % admins).find(|admin| !busy(admin))
    }

    fn write(
        &mut self,
        at: Instant,
        admin: u32,
        turn: u32,
        key: FactKey,
        text: Option<String>,
        witness: &mut Witness,
    ) {
        let text: Option<FactText> = text.map(Into::into);
        let id = self.ask(at, turn, By::Admin(admin, key), Asked::Write(key, text.clone()));
        if let Some(oracle) = &mut witness.judges.facts {
            oracle.on_write((at, self.open[&id].node), (id, key), text);
        }
    }

    fn come(&mut self, at: Instant, visitor: u32) {
        if visitor + 1 < self.facts.visitors {
            let every = (self.facts.until - self.facts.from).0 / u64::from(self.facts.visitors);
            self.timers.insert((at + Span(every), Act::Come(visitor + 1)));
        }
        self.timers.insert((at, Act::Look(visitor, 0, 0)));
    }

    fn look(&mut self, at: Instant, visitor: u32, look: u32, attempt: u8) {
        let draws = UserDraws::new(self.visits_seed, visitor);
        let keys = page(pages::event(draws.draw(0, 0), self.facts.events)).collect();
        let turn = visitor.wrapping_add(look).wrapping_add(u32::from(attempt));
        self.ask(at, turn, By::Visitor { visitor, look, attempt }, Asked::Read(keys));
    }

    fn after_look(&mut self, at: Instant, visitor: u32, look: u32) {
        if look + 1 < self.facts.reads {
            let draws = UserDraws::new(self.visits_seed, visitor);
            let think = Span::from_secs(1) + Span(draws.draw(1, look) % 4_000_000);
            self.timers.insert((at + think, Act::Look(visitor, look + 1, 0)));
        } else {
            self.sessions.remove(&self.person(visitor));
        }
    }

    fn survey(&mut self, at: Instant, last: bool, witness: &Witness) {
        let Some(oracle) = &witness.judges.facts else { return };
        let keys: Vec<FactKey> = oracle.keys().collect();
        let agreed = oracle.agreement(&self.nodes).is_some();
        let within = self.calm.is_some_and(|calm| at < calm + self.facts.agree_within);
        if !last && (agreed || !within) {
            return;
        }
        for node in 0..self.nodes.len() as u32 {
            self.ask(at, node, By::Survey, Asked::Read(keys.clone()));
        }
        if !last {
            self.timers.insert((at + SURVEY_EVERY, Act::Survey));
        }
    }

    fn give_up(&mut self, at: Instant, id: QuestionId) {
        let Some(open) = self.open.remove(&id) else { return };
        self.result.unanswered += 1;
        self.after_failure(at, &open.by);
        self.given_up.insert(id, open);
    }

    /// Notes that a node died with all its connections. Questions on their way to it are refused separately.
    pub fn lose_connections(&mut self, now: Instant, node: NodeId, died: Instant) {
        let lost = |open: &Open| open.node == node && open.asked + self.way <= died;
        let lost: Vec<QuestionId> =
            self.open.iter().filter(|(_, open)| lost(open)).map(|(&id, _)| id).collect();
        lost.into_iter().for_each(|id| self.take_refusal(now, id));
    }

    /// Notes that a question found no process: its client waits only until the next try.
    pub fn take_refusal(&mut self, now: Instant, id: QuestionId) {
        let Some(open) = self.open.get_mut(&id) else { return };
        let sooner = open.until.min(now + self.pause);
        let until = std::mem::replace(&mut open.until, sooner);
        self.timers.remove(&(until, Act::GiveUp(id)));
        self.timers.insert((sooner, Act::GiveUp(id)));
    }

    /// Tells the judge of an answer to a question that its client has given up.
    fn hear_late(&mut self, now: Instant, node: NodeId, told: &FactsReply, witness: &mut Witness) {
        let Some(oracle) = &mut witness.judges.facts else { return };
        let Some(Open { asked, session, by, .. }) = self.given_up.remove(&told.id) else { return };
        match (&told.answer, by) {
            (FactsAnswer::Written(stamp), By::Admin(_, key)) => {
                oracle.on_written_late(now, (told.id, key), node, *stamp);
            }
            (FactsAnswer::Read(facts), _) => {
                oracle.on_read(Reading { asked, at: now, session: None, node, facts });
            }
            (FactsAnswer::Behind, _) => oracle.on_behind(asked, now, session, node),
            (FactsAnswer::Written(_) | FactsAnswer::BadQuestion, _) => {
                panic!("{told:?} is not an answer to the question")
            }
        }
    }

    /// Ends the run: reports as unanswered the open questions older than the bounds on agreement and on an
    /// answer.
    pub fn close(&mut self, now: Instant, witness: &mut Witness) {
        let Some(oracle) = &mut witness.judges.facts else { return };
        for Open { asked, node, .. } in std::mem::take(&mut self.given_up).into_values() {
            if asked + self.facts.agree_within.max(self.slowest) <= now {
                oracle.on_unanswered(asked, asked + self.patience, node, "gave no answer");
            }
        }
    }

    /// Replaces a session that no node accepts any more by a new one.
    fn after_behind(&mut self, node: NodeId, by: &By) {
        let Some(person) = self.person_of(by) else { return };
        let known = self.sessions.get_mut(&person);
        if known.is_some_and(|session| session.on_behind(node, &self.nodes)) {
            self.result.started_over += 1;
            let persons = u32::from(self.facts.admins) + self.facts.visitors;
            let id = SessionId(persons + self.result.started_over as u32);
            self.sessions.insert(person, Session::new(id));
        }
    }

    /// Lets a visitor try another node, or give up on the page.
    fn after_failure(&mut self, at: Instant, by: &By) {
        let &By::Visitor { visitor, look, attempt } = by else { return };
        if attempt + 1 < TRIES {
            self.timers.insert((at, Act::Look(visitor, look, attempt + 1)));
        } else {
            self.after_look(at, visitor, look);
        }
    }

    fn ask(&mut self, at: Instant, turn: u32, by: By, asked: Asked) -> QuestionId {
        self.asked += 1;
        let (id, node) = (QuestionId(self.asked), self.nodes[turn as usize % self.nodes.len()]);
        let session = self.person_of(&by).map(|person| self.session(person).clone());
        let (session, seen) = session.map(|session| (session.id, session.seen)).unzip();
        let until = at + self.patience_of(&by);
        self.timers.insert((until, Act::GiveUp(id)));
        self.open.insert(id, Open { asked: at, until, node, session, by });
        let question = Question { id, seen: seen.unwrap_or_default(), asked };
        self.outbox.push(Posted { node, session, question });
        id
    }

    /// The patience with a question. A survey waits for the slowest answer: it stands for no client, and needs
    /// each node's final state.
    fn patience_of(&self, by: &By) -> Span {
        match by {
            By::Admin(..) | By::Visitor { .. } => self.patience,
            By::Survey => self.patience.max(self.slowest),
        }
    }

    /// A person's session; a new one if there is none.
    fn session(&mut self, person: u32) -> &mut Session {
        self.sessions.entry(person).or_insert_with(|| Session::new(SessionId(person)))
    }

    /// The session that asks; `None` in a survey.
    fn person_of(&self, by: &By) -> Option<u32> {
        match *by {
            By::Admin(admin, _) => Some(admin),
            By::Visitor { visitor, .. } => Some(self.person(visitor)),
            By::Survey => None,
        }
    }

    fn person(&self, visitor: u32) -> u32 {
        u32::from(self.facts.admins) + visitor
    }
}
