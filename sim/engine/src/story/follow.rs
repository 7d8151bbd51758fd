//! The storyteller: turns what happens into lines about the followed subjects.
//!
//! Owns the dispatch of sights to the parts that remember: requests, records on disks, leaders, and so on. Refuses to
//! judge, and to know how lines look.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::{Event, HoldId, Instant, Outcome, Refusal, Request, RequestId, UserId};
use onsale_cluster::{Answer, Message, Observation};
use onsale_reports::human;
use onsale_world::place::{Lost, Place, Process};

use super::asked::Asked;
use super::carried;
use super::cast::{Cast, Part};
use super::disks::Disks;
use super::elections::Elections;
use super::facts::FactsTold;
use super::hazards::Hazards;
use super::leaders::Leaders;
use super::line::{Kind, Line};
use super::moves::{self, MovesTold};
use super::observed;
use super::records::{Key, Newest, Record, changes, keys};
use super::requests::Requests;
use super::telling::{Story, Telling};
use super::waits::Waits;
use super::words::{self, place};
use crate::seen::asked::{requester, undecided};
use crate::seen::fate::Fate;
use crate::seen::messages::Shown;
use crate::seen::sight::Sight;
use crate::seen::subject::Subject;

/// Tells a story.
#[derive(Debug)]
pub struct Follow {
    cast: Cast,
    hazards: Hazards,
    /// Whether the unsafe settings have been listed.
    is_blamed: bool,
    story: Telling,
    newest: Newest,
    requests: Requests,
    disks: Disks,
    leaders: Leaders,
    /// Starts of each node.
    boots: BTreeMap<Place, u64>,
    elections: Elections,
    facts: FactsTold,
    moves: MovesTold,
    /// Membership changes that were seen.
    steps: BTreeSet<Key>,
    waits: Waits,
}

impl Follow {
    /// A story about a cast, within a window of virtual time.
    pub fn new(cast: Cast, hazards: Hazards, within: (Instant, Instant)) -> Self {
        Self {
            hazards,
            is_blamed: false,
            story: Telling::new(within, cast.is_a_place()),
            newest: Newest::new(cast.map_shard()),
            leaders: Leaders::of(cast.shards()),
            cast,
            requests: Requests::default(),
            disks: Disks::default(),
            boots: BTreeMap::new(),
            elections: Elections::default(),
            facts: FactsTold::default(),
            moves: MovesTold::default(),
            steps: BTreeSet::new(),
            waits: Waits::default(),
        }
    }

    /// The same with every fault, even one in which nothing else happens: each fault left in a shrunk failure is part
    /// of it.
    pub fn with_every_fault(self) -> Self {
        Self { story: self.story.with_every_fault(), ..self }
    }

    /// Tells what happened, if it belongs to the story.
    pub(super) fn see(&mut self, now: Instant, sight: &Sight<'_>) {
        for record in self.newest.records(now, sight) {
            self.on_record(&record);
        }
        if self.cast.is_of_facts() {
            self.story.tell_all(self.facts.see(now, sight, &self.cast));
        }
        match *sight {
            Sight::Sent { from, to, departs, message, carried, cut } => {
                self.on_sent(from, to, departs, message);
                if carried.first.is_none() {
                    let why = if cut { Lost::Cut } else { Lost::Loss };
                    self.on_lost(departs, from, to, message, why);
                }
            }
            Sight::Lost { from, to, message, why } => self.on_lost(now, from, to, message, why),
            Sight::Arrived { to, message, waits: true, .. } => self.on_waits(now, to, message),
            Sight::Arrived { from, to, message, waits: false } => {
                self.on_arrived(now, from, to, message);
            }
            Sight::Writes { node, bytes, .. } => self.on_writes(now, node, bytes),
            Sight::Durable { node, bytes, declared } => {
                self.on_durable(now, node, &keys(bytes, declared));
            }
            Sight::Observed { node, observation } => self.on_observed(now, node, *observation),
            Sight::Process { node, state, boots } => self.on_process(now, node, state, boots),
            Sight::Fault { index, strikes: true, what } => {
                self.on_fault(now, index, Kind::Strike, what.to_owned());
            }
            Sight::Fault { index, strikes: false, what } => {
                self.on_fault(now, index, Kind::Heal, format!("over: {what}"));
            }
            Sight::FaultStep { index, what } => {
                self.on_fault(now, index, Kind::Step, what.to_owned());
            }
            Sight::Disconnected { user, request, gateway } => {
                self.on_disconnected(now, user, request, gateway);
            }
            Sight::GaveUp { user, request } => self.on_given_up(now, user, request),
            Sight::Left { user, fate } => self.on_left(now, user, fate),
            Sight::Judged { oracle, headline } => self.on_judged(now, oracle, headline),
            // The node's own observation tells of a failed write.
            Sight::WriteFails { .. } | Sight::Worked { .. } | Sight::Looks { .. } => {}
            // The messages tell of requests and replies.
            Sight::Asks { .. } | Sight::Told { .. } => {}
        }
    }

    fn on_arrived(&mut self, now: Instant, from: Place, to: Place, message: Shown<'_>) {
        for id in carried::to_do(message) {
            if self.requests.has(id) {
                self.waits.come(now, to, id);
            }
        }
        if let (Place::Clients, Shown::Replies(batch)) = (to, message) {
            for reply in batch {
                let (id, outcome) = (reply.item.request, &reply.item.outcome);
                self.on_heard(reply.at.max(now), from, id, outcome);
            }
        }
    }

    fn on_fault(&mut self, now: Instant, index: usize, kind: Kind, what: String) {
        let line = Line::plain(now, "FAULT".to_owned(), kind, what);
        self.story.tell(Line { fault: Some(index), context: true, ..line });
    }

    fn on_disconnected(&mut self, now: Instant, user: UserId, request: RequestId, gateway: u16) {
        if let Some(asked) = self.requests.get_mut(request) {
            asked.is_cut_off = true;
        }
        if self.tells(request, Place::Clients, Place::node(gateway)) {
            let what = format!("loses the connection to n{gateway}: {request}");
            self.tell_of(request, Line::plain(now, user.to_string(), Kind::Client, what));
        }
    }

    fn on_given_up(&mut self, now: Instant, user: UserId, request: RequestId) {
        if let Some(asked) = self.requests.get_mut(request) {
            asked.ended = Some(now);
            let what = format!("gives up on {request} after {} attempts", asked.attempts);
            self.tell_of(request, Line::plain(now, user.to_string(), Kind::Client, what));
        }
    }

    fn on_left(&mut self, now: Instant, user: UserId, fate: Fate) {
        let at = self.cast.is_of_requests().then_some(now);
        if self.cast.user(user) || self.requests.end_with(user, at) {
            let what = format!("leaves: {}", fate.name());
            self.story.tell(Line::plain(now, user.to_string(), Kind::Client, what));
        }
    }

    fn on_judged(&mut self, now: Instant, oracle: &str, headline: &str) {
        if self.concerns(headline) {
            let what = format!("{oracle} fails: {headline}");
            self.story.tell(Line::plain(now, "ORACLE".to_owned(), Kind::Verdict, what));
            self.tell_hazards(now);
        }
    }

    /// Lists the unsafe settings in force, once, below the first verdict.
    fn tell_hazards(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.is_blamed, true) {
            for setting in self.hazards.told().to_vec() {
                self.story.tell(Line::plain(now, "UNSAFE".to_owned(), Kind::Verdict, setting));
            }
        }
    }

    /// The story, in order, without irrelevant context.
    pub fn finish(self, end: Instant) -> Story {
        self.story.finish(end)
    }

    fn on_sent(&mut self, from: Place, to: Place, departs: Instant, message: Shown<'_>) {
        match message {
            Shown::Requests(batch) => {
                batch.iter().for_each(|timed| self.on_asked(timed.at, to, &timed.item))
            }
            Shown::Cluster(Message::Forwarded(batch)) => {
                for timed in batch {
                    self.on_forwarded(timed.at, from, to, &timed.item);
                }
            }
            Shown::Cluster(Message::Answers(batch)) => {
                for timed in batch {
                    self.on_answered(timed.at, from, to, &timed.item);
                }
            }
            Shown::Replies(batch) => {
                for timed in batch {
                    let request = timed.item.request;
                    // All other replies are a leader's answer, and told as such.
                    if let Outcome::Refused(refusal @ (Refusal::Unavailable | Refusal::Minority)) =
                        timed.item.outcome
                        && self.tells(request, from, to)
                    {
                        let what = format!("gives up on {request}: {}", words::refused(refusal));
                        self.tell_of(
                            request,
                            Line::plain(timed.at, place(from), Kind::Answer, what),
                        );
                    }
                }
            }
            Shown::Cluster(Message::Journal(batch)) => {
                for (shard, message) in batch {
                    let copy = moves::on_journal(departs, (from, to), *shard, message, &self.cast);
                    self.story.tell_all(copy);
                    let followed = self.cast.node(from);
                    if (followed || self.leaders.has(*shard))
                        && let Some(what) = self.elections.news(*shard, (from, to), message)
                    {
                        self.story.tell(Line {
                            shard: Some(*shard),
                            context: !followed,
                            repeats: Some(what.clone()),
                            ..Line::plain(departs, place(from), Kind::Leader, what)
                        });
                    }
                }
            }
            Shown::Cluster(_) => {}
        }
    }

    fn on_asked(&mut self, at: Instant, gateway: Place, request: &Request) {
        let id = request.id;
        let Some(part) = self.cast.request(request) else {
            if self.cast.node(gateway) {
                let wanted = words::wanted(request.show, &request.command);
                let what = format!("asks {gateway}: {wanted}, {id}");
                let line = Line::plain(at, request.user.to_string(), Kind::Ask, what);
                self.story.tell(Line { request: Some(id), ..line });
            }
            return;
        };
        let shard = self.cast.shard_of(request.show);
        if part == Part::Principal {
            self.leaders.add(shard);
        }
        let thinks = self.waits.thinks(at, request.user);
        let new = || Asked::new(at, request.user, shard, part);
        let asked = self.requests.enter(id, new);
        let what = format!("{thinks}{}", asked.ask(at, gateway, request));
        if asked.part == Part::Principal {
            self.tell_of(id, Line::plain(at, request.user.to_string(), Kind::Ask, what));
        }
    }

    fn on_forwarded(&mut self, at: Instant, from: Place, to: Place, request: &Request) {
        let id = request.id;
        if !self.tells(id, from, to) {
            return;
        }
        let shard = self.cast.shard_of(request.show);
        let what = match self.requests.get_mut(id) {
            Some(asked) => asked.pass_on(at, from, to, id),
            None => format!("forwards {id} to {to}, which it believes to lead {shard}"),
        };
        self.tell_of(
            id,
            Line { shard: Some(shard), ..Line::plain(at, place(from), Kind::Route, what) },
        );
    }

    fn on_answered(&mut self, at: Instant, from: Place, to: Place, answer: &Answer) {
        let (id, what) = match answer {
            Answer::Decided(reply) => {
                let outcome = words::told(&reply.outcome);
                let what = format!("answers {to}: {}, {outcome}", reply.request);
                let is_early = || self.disks.lack_a_quorum_of(reply.request, &self.cast);
                let keys = ["cluster.leader.acknowledge"];
                let was_deposed = |asked: &Asked| self.leaders.is_deposed(asked.shard, from);
                let what = if self.hazards.has(keys[0]) && is_early() {
                    self.hazards.blame(format!("{what}, before a quorum has it"), &keys)
                } else if self.requests.get(reply.request).is_some_and(was_deposed) {
                    self.hazards.blame(what, &["cluster.leader.deposed"])
                } else {
                    what
                };
                (reply.request, what)
            }
            Answer::NotLeader { request, shard, leader } => {
                let hint = words::not_the_leader(*shard, *leader, from);
                if let Some(asked) = self.requests.get_mut(*request) {
                    asked.send_back(to);
                }
                (*request, format!("sends {request} back to {to}: {hint}"))
            }
        };
        if self.tells(id, from, to) {
            self.tell_of(id, Line::plain(at, place(from), Kind::Answer, what));
        }
    }

    fn on_heard(&mut self, at: Instant, from: Place, id: RequestId, outcome: &Outcome) {
        let user = UserId(requester(id).0);
        let told = words::told(outcome);
        let decided = undecided(outcome).is_none();
        let Some(asked) = self.requests.get_mut(id) else {
            if self.cast.node(from) {
                let what = format!("hears from {from}: {id}, {told}");
                let line = Line::plain(at, user.to_string(), Kind::Client, what);
                self.story.tell(Line { request: Some(id), ..line });
            }
            return;
        };
        self.waits.hear(at, user);
        let late = asked.ended.is_some();
        asked.heard = true;
        asked.ended = asked.ended.or_else(|| decided.then_some(at));
        match asked.part {
            Part::Principal => {
                let again = if late { ", but no longer waits for it" } else { "" };
                let what = format!("hears from {from}: {id}, {told}{again}");
                self.tell_of(id, Line::plain(at, user.to_string(), Kind::Client, what));
            }
            Part::Bystander if !late => {
                let what = format!("wanted it too, and hears from {from}: {id}, {told}");
                self.tell_of(id, Line::plain(at, user.to_string(), Kind::Client, what));
            }
            Part::Bystander | Part::Journaled => {}
        }
    }

    fn on_record(&mut self, record: &Record) {
        let (shard, index, epoch) = record.key;
        if let Some(map) = &record.map {
            self.story.tell_all(self.moves.on_map(record.at, record.node, map, &self.cast));
        }
        self.story.tell_all(self.disks.overtaken(record, &self.cast));
        for (show, event) in &record.events {
            let Some(part) = self.cast.event(*show, event, record.node) else { continue };
            let request = event.request();
            let decides = self.decides(record, event);
            let waited = request.and_then(|id| self.waits.decided(record.at, record.node, id));
            let later = waited.map_or_else(String::new, |at| {
                let waited = human::span(record.at.since(at));
                format!(" {waited} later, once the previous write was done")
            });
            let time = words::of_the_shard(event.at(), waited.unwrap_or(record.at));
            let becomes = self.cast.naming().becomes(shard.0, index, epoch.0);
            let what = format!("{decides}{time}; {becomes}{later}");
            self.disks.enter(record.key, request, part);
            self.story.tell(Line {
                request,
                shard: Some(shard),
                ..Line::plain(waited.unwrap_or(record.at), place(record.node), Kind::Decision, what)
            });
        }
    }

    /// The phrase for what an event decides, with the unsafe setting that allows it.
    fn decides(&self, record: &Record, event: &Event) -> String {
        let happened = words::happened(event);
        let Some(request) = event.request() else {
            let keys = ["sale.expiry", "sale.early", "cluster.leader.reckoning"];
            return self.hazards.blame(format!("finds {happened}"), &keys);
        };
        if self.leaders.is_deposed(record.key.0, record.node) {
            let decides = format!("decides {request}, though deposed: {happened}");
            self.hazards.blame(decides, &["cluster.leader.deposed"])
        } else if self.hazards.has("sale.repeats") && self.disks.have_decided(request) {
            let decides = format!("decides {request} once more: {happened}");
            self.hazards.blame(decides, &["sale.repeats"])
        } else {
            format!("decides {request}: {happened}")
        }
    }

    fn on_writes(&mut self, now: Instant, node: Place, bytes: &[u8]) {
        self.waits.begin_write(now, node);
        for (key, change) in changes(bytes) {
            if self.steps.insert(key) {
                let step = moves::on_change(now, node, key, change, &self.cast);
                self.story.tell_all(step);
            }
        }
    }

    fn on_durable(&mut self, now: Instant, node: Place, keys: &[Key]) {
        let after = self.waits.end_write(now, node);
        self.story.tell_all(self.disks.durable(now, node, (keys, &after), &self.cast));
    }

    fn on_lost(&mut self, at: Instant, from: Place, to: Place, message: Shown<'_>, why: Lost) {
        let why = words::lost(why, from, to);
        if let Shown::Cluster(Message::Journal(batch)) = message {
            for (shard, message) in batch {
                let lost = self.disks.lost(at, (from, to), (*shard, message), &why, &self.cast);
                self.story.tell_all(lost);
            }
        }
        for (id, who, what) in carried::told(message, from) {
            if self.tells(id, from, to) {
                let what = format!("{what} never reaches {}: {why}", place(to));
                self.tell_of(id, Line::plain(at, who, Kind::Lost, what));
            }
        }
    }

    fn on_waits(&mut self, at: Instant, node: Place, message: Shown<'_>) {
        for id in carried::to_do(message) {
            if self.tells(id, node, node) {
                let what = format!("is paused, and {id} waits for it");
                self.tell_of(id, Line::plain(at, place(node), Kind::Lost, what));
            }
        }
    }

    fn on_observed(&mut self, now: Instant, node: Place, observation: Observation) {
        let followed = self.cast.node(node);
        self.leaders.hear(node, observation);
        let concerns = observed::concerns(
            observation,
            |peer| self.leaders.lead_one(peer),
            || self.leaders.replicate_one(node, &self.cast),
            self.cast.is_of_facts(),
        );
        if !followed && !concerns {
            return;
        }
        let (kind, shard, what) = observed::told(observation, &self.hazards);
        if !followed && shard.is_some_and(|shard| !self.leaders.has(shard)) {
            return;
        }
        let repeats = (kind == Kind::Health).then(|| what.clone());
        let line = Line::plain(now, place(node), kind, what);
        self.story.tell(Line { shard, context: !followed, repeats, ..line });
    }

    fn on_process(&mut self, now: Instant, node: Place, state: Process, boots: u64) {
        let before = self.boots.insert(node, boots);
        let what = match state {
            Process::Up if before == Some(boots) => "resumes",
            Process::Up if before.is_some() => "restarts and reads its disk",
            // The first start is no news, and the fault tells of the others.
            Process::Up | Process::Paused | Process::Down => return,
        };
        let followed = self.cast.node(node);
        if followed || self.leaders.replicate_one(node, &self.cast) {
            let line = Line::plain(now, place(node), Kind::Health, what.to_owned());
            self.story.tell(Line { context: !followed, ..line });
        }
    }

    /// Whether these words name a subject of the story.
    fn concerns(&self, words: &str) -> bool {
        self.cast.is_a_place()
            || Subject::named_in(words).into_iter().any(|subject| match subject {
                Subject::User(user) => self.requests.is_by(user),
                Subject::Hold(HoldId(id)) | Subject::Request(RequestId(id)) => {
                    self.requests.is_lead(RequestId(id))
                }
                Subject::Shard(shard) => self.leaders.has(shard),
                Subject::Seat(..)
                | Subject::Session(_)
                | Subject::Fact(_)
                | Subject::Show(_)
                | Subject::Node(_) => self.cast.follows(subject),
            })
    }

    /// Whether the story tells how a request travels between two places.
    fn tells(&self, id: RequestId, from: Place, to: Place) -> bool {
        self.requests.is_lead(id) || self.cast.node(from) || self.cast.node(to)
    }

    /// Tells a line about a request.
    fn tell_of(&mut self, id: RequestId, line: Line) {
        self.story.tell(self.requests.mark(id, line));
    }
}
