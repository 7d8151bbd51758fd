//! The storyteller: turns what is seen into lines about whoever is followed.
//!
//! Owns what is remembered of each request and record in the story, so that a line can say
//! "again", "too late" or "on a quorum of disks". Refuses to judge, and to know how lines look.

use std::collections::{BTreeMap, BTreeSet};

use onsale_booking::{HoldId, Instant, NodeId, Outcome, Refusal, Request, RequestId, UserId};
use onsale_cluster::journal::JournalMessage;
use onsale_cluster::{Answer, Epoch, Message, Observation, ShardId};
use onsale_reports::human;

use super::asked::Asked;
use super::carried;
use super::cast::{Cast, Part};
use super::elections::Elections;
use super::facts::FactsTold;
use super::hazards::Hazards;
use super::line::{Kind, Line, arrange};
use super::moves::{self, MovesTold};
use super::observed::{self, of_facts, of_the_disk};
use super::records::{Key, Newest, Record, changes, framed};
use super::waits::Waits;
use super::words::{self, place};
use crate::seen::asked::{requester, undecided};
use crate::seen::place::{Place, Process};
use crate::seen::sight::{Lost, Sight};
use crate::seen::subject::Subject;

/// A story of more lines is cut: nobody reads it, and memory is finite.
const LINES_MAX: usize = 200_000;
/// From this attempt on a client's attempts are told as one.
const ATTEMPTS_TOLD: u32 = 3;

/// A story as it was told.
#[derive(Clone, Debug)]
pub struct Story {
    /// Its lines, in order.
    pub lines: Vec<Line>,
    /// Lines that were too many to be kept.
    pub untold: u64,
}

/// Tells a story.
#[derive(Debug)]
pub struct Follow {
    cast: Cast,
    hazards: Hazards,
    from: Instant,
    to: Instant,
    requests: BTreeMap<RequestId, Asked>,
    records: BTreeMap<Key, Written>,
    newest: Newest,
    every_fault: bool,
    /// Whether the unsafe settings were told.
    is_blamed: bool,
    /// Shards whose leaders matter.
    shards: BTreeSet<ShardId>,
    leaders: BTreeMap<ShardId, (Epoch, Place)>,
    /// Who led a shard and was deposed.
    deposed: BTreeSet<(ShardId, Place)>,
    /// How often each node was started.
    boots: BTreeMap<Place, u64>,
    elections: Elections,
    facts: FactsTold,
    moves: MovesTold,
    /// Steps towards other members that were seen.
    steps: BTreeSet<Key>,
    waits: Waits,
    lines: Vec<Line>,
    untold: u64,
}

/// A record in the story.
#[derive(Debug)]
struct Written {
    request: Option<RequestId>,
    shard: ShardId,
    part: Part,
    disks: BTreeSet<Place>,
}

impl Follow {
    /// A story about a cast, as far as it takes place from `from` to `to`.
    pub fn new(cast: Cast, hazards: Hazards, (from, to): (Instant, Instant)) -> Self {
        Self {
            hazards,
            deposed: BTreeSet::new(),
            newest: Newest::new(cast.map_shard()),
            shards: cast.shards(),
            cast,
            from,
            to,
            every_fault: false,
            is_blamed: false,
            requests: BTreeMap::new(),
            records: BTreeMap::new(),
            leaders: BTreeMap::new(),
            boots: BTreeMap::new(),
            elections: Elections::default(),
            facts: FactsTold::default(),
            moves: MovesTold::default(),
            steps: BTreeSet::new(),
            waits: Waits::default(),
            lines: Vec::new(),
            untold: 0,
        }
    }

    /// The same with every fault, whether anything else happens in it or not: of a failure that was shrunk
    /// each fault that is left is a part.
    pub fn with_every_fault(self) -> Self {
        Self { every_fault: true, ..self }
    }

    /// Takes in what happens.
    pub(super) fn see(&mut self, now: Instant, sight: &Sight<'_>) {
        for record in self.newest.records(now, sight) {
            self.on_record(&record);
        }
        if self.cast.is_of_facts() {
            let lines = self.facts.see(now, sight, &self.cast);
            lines.into_iter().for_each(|line| self.tell(line));
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
            Sight::Arrived { from, to, message, waits } => {
                if waits {
                    self.on_waits(now, to, message);
                } else {
                    let mut ids = carried::to_do(message);
                    ids.retain(|id| self.requests.contains_key(id));
                    ids.into_iter().for_each(|id| self.waits.come(now, to, id));
                }
                if let (false, Place::Clients, Message::Replies(batch)) = (waits, to, message) {
                    for reply in batch {
                        self.on_heard(
                            reply.at.max(now),
                            from,
                            reply.item.request,
                            &reply.item.outcome,
                        );
                    }
                }
            }
            Sight::Durable { node, bytes } => self.on_durable(now, node, bytes),
            // What the node says of it is told.
            Sight::WriteFails { .. } => {}
            Sight::Observed { node, observation } => self.on_observed(now, node, *observation),
            Sight::Process { node, state, boots } => self.on_process(now, node, state, boots),
            Sight::Fault { index, strikes, what } => {
                let (kind, what) = if strikes {
                    (Kind::Strike, what.to_owned())
                } else {
                    (Kind::Heal, format!("over: {what}"))
                };
                self.tell(Line {
                    fault: Some(index),
                    context: true,
                    ..Line::plain(now, "FAULT".to_owned(), kind, what)
                });
            }
            Sight::FaultStep { index, what } => self.tell(Line {
                fault: Some(index),
                context: true,
                ..Line::plain(now, "FAULT".to_owned(), Kind::Step, what.to_owned())
            }),
            Sight::Disconnected { user, request, gateway } => {
                if let Some(asked) = self.requests.get_mut(&request) {
                    asked.is_cut_off = true;
                }
                if self.tells(request, Place::Clients, Place::node(gateway)) {
                    let what = format!("loses the connection to n{gateway}: {request}");
                    self.tell_of(request, Line::plain(now, user.to_string(), Kind::Client, what));
                }
            }
            Sight::GaveUp { user, request } => {
                if let Some(asked) = self.requests.get_mut(&request) {
                    asked.ended = Some(now);
                    let what = format!("gives {request} up, after {} attempts", asked.attempts);
                    self.tell_of(request, Line::plain(now, user.to_string(), Kind::Client, what));
                }
            }
            Sight::Left { user, fate } => {
                let beyond = !self.cast.is_of_requests();
                let acts = |asked: &Asked| {
                    let now = beyond || asked.ended == Some(now);
                    asked.user == user && asked.part == Part::Principal && now
                };
                if self.cast.user(user) || self.requests.values().any(acts) {
                    let what = format!("leaves: {}", fate.name());
                    self.tell(Line::plain(now, user.to_string(), Kind::Client, what));
                }
            }
            Sight::Judged { oracle, headline } => {
                if self.concerns(headline) {
                    let what = format!("{oracle} fails: {headline}");
                    self.tell(Line::plain(now, "ORACLE".to_owned(), Kind::Verdict, what));
                    self.tell_hazards(now);
                }
            }
            Sight::Writes { node, write, .. } => self.on_writes(now, node, &write.bytes),
            Sight::Worked { .. } | Sight::Looks { .. } => {}
        }
    }

    /// Which unsafe settings are in force, once, below the first verdict.
    fn tell_hazards(&mut self, now: Instant) {
        if !std::mem::replace(&mut self.is_blamed, true) {
            for setting in self.hazards.told().to_vec() {
                self.tell(Line::plain(now, "UNSAFE".to_owned(), Kind::Verdict, setting));
            }
        }
    }

    /// The story, in order and without what nobody misses.
    pub fn finish(self, end: Instant) -> Story {
        // What a busy node was about to send when the run ended was never sent.
        let lines = self.lines.into_iter().filter(|line| line.at <= end).collect();
        Story { lines: arrange(lines), untold: self.untold }
    }

    fn on_sent(&mut self, from: Place, to: Place, departs: Instant, message: &Message) {
        match message {
            Message::Requests(batch) => {
                batch.iter().for_each(|timed| self.on_asked(timed.at, to, &timed.item))
            }
            Message::Forwarded(batch) => {
                for timed in batch {
                    self.on_forwarded(timed.at, from, to, &timed.item);
                }
            }
            Message::Answers(batch) => {
                for timed in batch {
                    self.on_answered(timed.at, from, to, &timed.item);
                }
            }
            Message::Replies(batch) => {
                for timed in batch {
                    let request = timed.item.request;
                    // Everything else is a leader's answer, and told as such.
                    if let Outcome::Refused(refusal @ (Refusal::Unavailable | Refusal::Minority)) =
                        timed.item.outcome
                        && self.tells(request, from, to)
                    {
                        let what = format!("gives {request} up: {}", words::refused(refusal));
                        self.tell_of(
                            request,
                            Line::plain(timed.at, place(from), Kind::Answer, what),
                        );
                    }
                }
            }
            Message::Journal(batch) => {
                for (shard, message) in batch {
                    let copy = moves::on_journal(departs, (from, to), *shard, message, &self.cast);
                    copy.into_iter().for_each(|line| self.tell(line));
                    let followed = self.cast.node(from);
                    if (followed || self.shards.contains(shard))
                        && let Some(what) = self.elections.news(*shard, (from, to), message)
                    {
                        self.tell(Line {
                            shard: Some(*shard),
                            context: !followed,
                            repeats: Some(what.clone()),
                            ..Line::plain(departs, place(from), Kind::Leader, what)
                        });
                    }
                }
            }
            Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_)
            | Message::Facts(_) => {}
        }
    }

    fn on_asked(&mut self, at: Instant, gateway: Place, request: &Request) {
        let id = request.id;
        let Some(part) = self.cast.request(request) else {
            if self.cast.node(gateway) {
                let wanted = words::wanted(request.show, &request.command);
                let what = format!("asks {gateway}: {wanted}, {id}");
                let line = Line::plain(at, request.user.to_string(), Kind::Ask, what);
                self.tell(Line { request: Some(id), ..line });
            }
            return;
        };
        let shard = self.cast.shard_of(request.show);
        if part == Part::Principal {
            self.shards.insert(shard);
        }
        let thinks = self.waits.thinks(at, request.user);
        let new = || Asked::new(at, request.user, shard, part);
        let asked = self.requests.entry(id).or_insert_with(new);
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
        let what = match self.requests.get_mut(&id) {
            Some(asked) => asked.pass_on(at, from, to, id),
            None => format!("forwards {id} to {to}, which it takes for the leader of {shard}"),
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
                let is_early = |written: &Written| {
                    let quorum = self.cast.replicas(written.shard).len() / 2 + 1;
                    written.request == Some(reply.request) && written.disks.len() < quorum
                };
                let keys = ["cluster.leader.acknowledge"];
                let was_deposed = |asked: &Asked| self.deposed.contains(&(asked.shard, from));
                let what = if self.hazards.has(keys[0]) && self.records.values().any(is_early) {
                    self.hazards.blame(format!("{what}, before a quorum has it"), &keys)
                } else if self.requests.get(&reply.request).is_some_and(was_deposed) {
                    self.hazards.blame(what, &["cluster.leader.deposed"])
                } else {
                    what
                };
                (reply.request, what)
            }
            Answer::NotLeader { request, shard, leader } => {
                let hint = match leader {
                    Some((leader, epoch)) if Place::Node(*leader) == from => {
                        format!("it leads {shard} in {epoch}, but does not serve yet")
                    }
                    Some((leader, epoch)) => {
                        format!("not the leader of {shard}, which is {leader} in {epoch}")
                    }
                    None => format!("not the leader of {shard}, and knows of none"),
                };
                if let Some(asked) = self.requests.get_mut(request) {
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
        let Some(asked) = self.requests.get_mut(&id) else {
            if self.cast.node(from) {
                let what = format!("hears from {from}: {id}, {told}");
                let line = Line::plain(at, user.to_string(), Kind::Client, what);
                self.tell(Line { request: Some(id), ..line });
            }
            return;
        };
        self.waits.hear(at, user);
        let late = asked.ended.is_some();
        asked.heard = true;
        asked.ended = asked.ended.or_else(|| decided.then_some(at));
        match asked.part {
            Part::Principal => {
                let again = if late { ", which it no longer waits for" } else { "" };
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
            let lines = self.moves.on_map(record.at, record.node, map, &self.cast);
            lines.into_iter().for_each(|line| self.tell(line));
        }
        let older = (shard, index, Epoch(0))..record.key;
        let overtaken: Vec<(Epoch, Option<RequestId>, usize)> = self
            .records
            .range(older)
            .map(|((.., before), written)| (*before, written.request, written.disks.len()))
            .collect();
        for (before, request, disks) in overtaken {
            let named = request.map_or_else(|| "an expiry".to_owned(), |id| id.to_string());
            let replicas = self.cast.replicas(shard).len();
            let kept = match disks > replicas / 2 {
                true => format!(", although {disks} of {replicas} had it on disk"),
                false => String::new(),
            };
            let what = format!(
                "puts another record in place of record {index} of {shard} ({before}): what was decided \
                 of {named} is void{kept}"
            );
            self.tell(Line {
                request,
                shard: Some(shard),
                ..Line::plain(record.at, place(record.node), Kind::Record, what)
            });
        }
        for (show, event) in &record.events {
            let Some(part) = self.cast.event(*show, event, record.node) else { continue };
            let request = event.request();
            let happened = words::happened(event);
            let repeats = self.hazards.has("sale.repeats");
            let again = |written: &Written| repeats && written.request == request;
            let decides = match request {
                Some(request) if self.deposed.contains(&(shard, record.node)) => {
                    let decides = format!("decides {request}, though deposed: {happened}");
                    self.hazards.blame(decides, &["cluster.leader.deposed"])
                }
                Some(request) if self.records.values().any(again) => {
                    let decides = format!("decides {request} once more: {happened}");
                    self.hazards.blame(decides, &["sale.repeats"])
                }
                Some(request) => format!("decides {request}: {happened}"),
                None => {
                    let keys = ["sale.expiry", "sale.early", "cluster.leader.reckoning"];
                    self.hazards.blame(format!("finds {happened}"), &keys)
                }
            };
            let waited = request.and_then(|id| self.waits.decided(record.at, record.node, id));
            let later = waited.map_or_else(String::new, |at| {
                let waited = human::span(record.at.since(at));
                format!(" {waited} later, once the write before it was done")
            });
            let time = words::of_the_shard(event.at(), waited.unwrap_or(record.at));
            let what =
                format!("{decides}{time}; proposed as record {index} of {shard} ({epoch}){later}");
            self.records.entry(record.key).or_insert_with(|| Written {
                request,
                shard,
                part,
                disks: BTreeSet::new(),
            });
            self.tell(Line {
                request,
                shard: Some(shard),
                ..Line::plain(waited.unwrap_or(record.at), place(record.node), Kind::Decision, what)
            });
        }
    }

    fn on_writes(&mut self, now: Instant, node: Place, bytes: &[u8]) {
        self.waits.begin_write(now, node);
        for (key, change) in changes(bytes) {
            if self.steps.insert(key) {
                let step = moves::on_change(now, node, key, change, &self.cast);
                step.into_iter().for_each(|line| self.tell(line));
            }
        }
    }

    fn on_durable(&mut self, now: Instant, node: Place, bytes: &[u8]) {
        let after = self.waits.end_write(now, node);
        for (key, _) in framed(bytes) {
            let (shard, index, epoch) = key;
            let Some(written) = self.records.get_mut(&key) else { continue };
            if !written.disks.insert(node) || written.part < Part::Principal {
                continue;
            }
            let (disks, replicas) = (written.disks.len(), self.cast.replicas(shard).len());
            let quorum = if disks == replicas / 2 + 1 { ", a quorum" } else { "" };
            let what = format!(
                "has record {index} of {shard} ({epoch}) on disk: {disks} of {replicas}{quorum}{after}"
            );
            let request = written.request;
            self.tell(Line {
                request,
                shard: Some(shard),
                // What comes after the quorum is nobody's news, but it closes no story either.
                context: disks > replicas / 2 + 1,
                ..Line::plain(now, place(node), Kind::Record, what)
            });
        }
    }

    fn on_lost(&mut self, at: Instant, from: Place, to: Place, message: &Message, why: Lost) {
        let why = words::lost(why, from, to);
        if let Message::Journal(batch) = message {
            for (shard, message) in batch {
                self.on_records_lost(at, (from, to), *shard, message, &why);
            }
        }
        for (id, who, what) in carried::told(message, from) {
            if self.tells(id, from, to) {
                let what = format!("{what} never reaches {}: {why}", place(to));
                self.tell_of(id, Line::plain(at, who, Kind::Lost, what));
            }
        }
    }

    /// Records that do not get to a node that has not got them yet.
    fn on_records_lost(
        &mut self,
        at: Instant,
        (from, to): (Place, Place),
        shard: ShardId,
        message: &JournalMessage,
        why: &str,
    ) {
        for (index, epoch, _) in message.records() {
            let Some(written) = self.records.get(&(shard, index, epoch)) else { continue };
            if written.part < Part::Principal || written.disks.contains(&to) {
                continue;
            }
            let what = format!("record {index} of {shard} ({epoch}) never reaches {to}: {why}");
            self.tell(Line {
                request: written.request,
                shard: Some(shard),
                // Once a quorum has it, nobody waits for this node.
                context: written.disks.len() > self.cast.replicas(shard).len() / 2,
                repeats: Some(format!("record {index} of {shard} on its way to {to}")),
                ..Line::plain(at, place(from), Kind::Lost, what)
            });
        }
    }

    fn on_waits(&mut self, at: Instant, node: Place, message: &Message) {
        for id in carried::to_do(message) {
            if self.tells(id, node, node) {
                let what = format!("stands still, and {id} waits for it");
                self.tell_of(id, Line::plain(at, place(node), Kind::Lost, what));
            }
        }
    }

    fn on_observed(&mut self, now: Instant, node: Place, observation: Observation) {
        let followed = self.cast.node(node);
        match observation {
            Observation::LeaderActivated { shard, epoch } => {
                self.leaders.insert(shard, (epoch, node));
                self.deposed.remove(&(shard, node));
            }
            Observation::LeaderDeposed { shard, .. } => {
                self.deposed.insert((shard, node));
            }
            Observation::Elected { .. }
            | Observation::LeadTransferBegan { .. }
            | Observation::LeadTransferGivenUp { .. }
            | Observation::Suspected { .. }
            | Observation::Trusted { .. }
            | Observation::GivenUp { .. }
            | Observation::Withdrew
            | Observation::Returned
            | Observation::Refused { .. }
            | Observation::Mark(_) => {}
        }
        let concerns = match observation {
            Observation::GivenUp { peer }
            | Observation::Suspected { peer }
            | Observation::Trusted { peer } => self.owns_a_shard(peer),
            Observation::Elected { .. } | Observation::Refused { .. } => false,
            Observation::Mark(mark) => {
                of_the_disk(mark).is_some() && self.replicates(node)
                    || of_facts(mark).is_some() && self.cast.is_of_facts()
            }
            Observation::LeaderActivated { .. }
            | Observation::LeaderDeposed { .. }
            | Observation::LeadTransferBegan { .. }
            | Observation::LeadTransferGivenUp { .. }
            | Observation::Withdrew
            | Observation::Returned => true,
        };
        if !followed && !concerns {
            return;
        }
        let (kind, shard, what) = observed::told(observation, &self.hazards);
        if !followed && shard.is_some_and(|shard| !self.shards.contains(&shard)) {
            return;
        }
        let repeats = (kind == Kind::Health).then(|| what.clone());
        self.tell(Line {
            shard,
            context: !followed,
            repeats,
            ..Line::plain(now, place(node), kind, what)
        });
    }

    fn on_process(&mut self, now: Instant, node: Place, state: Process, boots: u64) {
        let before = self.boots.insert(node, boots);
        let what = match state {
            Process::Up if before == Some(boots) => "goes on",
            Process::Up if before.is_some() => "starts anew and reads its disk",
            // The first start is no news, and of the others the fault tells.
            Process::Up | Process::Paused | Process::Down => return,
        };
        let followed = self.cast.node(node);
        if followed || self.replicates(node) {
            let line = Line::plain(now, place(node), Kind::Health, what.to_owned());
            self.tell(Line { context: !followed, ..line });
        }
    }

    /// Whether something said is about anybody or anything in the story.
    fn concerns(&self, words: &str) -> bool {
        let leads = |user: Option<UserId>, id: u64| {
            self.requests.iter().any(|(request, asked)| {
                asked.part == Part::Principal && (Some(asked.user) == user || request.0 == id)
            })
        };
        self.cast.is_a_place()
            || Subject::named_in(words).into_iter().any(|subject| match subject {
                Subject::User(user) => leads(Some(user), 0),
                Subject::Hold(HoldId(id)) | Subject::Request(RequestId(id)) => leads(None, id),
                Subject::Shard(shard) => self.shards.contains(&shard),
                Subject::Seat(..)
                | Subject::Session(_)
                | Subject::Fact(_)
                | Subject::Show(_)
                | Subject::Node(_) => self.cast.follows(subject),
            })
    }

    fn owns_a_shard(&self, node: NodeId) -> bool {
        self.shards.iter().any(|shard| {
            self.leaders.get(shard).is_some_and(|&(_, leader)| leader == Place::Node(node))
        })
    }

    fn replicates(&self, node: Place) -> bool {
        self.shards.iter().any(|&shard| {
            self.cast.replicas(shard).iter().any(|&replica| Place::Node(replica) == node)
        })
    }

    /// Whether it is told how a request goes its way between two places.
    fn tells(&self, id: RequestId, from: Place, to: Place) -> bool {
        self.requests.get(&id).is_some_and(|asked| asked.part == Part::Principal)
            || self.cast.node(from)
            || self.cast.node(to)
    }

    /// Tells a line about a request; from a number of attempts on, they count as repetition.
    fn tell_of(&mut self, id: RequestId, mut line: Line) {
        line.request = Some(id);
        if let Some(asked) = self.requests.get(&id) {
            line.shard = line.shard.or(Some(asked.shard));
            line.repeats = match asked.part {
                Part::Bystander => Some("others who wanted it and were refused".to_owned()),
                Part::Principal if asked.attempts > ATTEMPTS_TOLD && line.kind != Kind::Client => {
                    Some(format!("attempts with {id}"))
                }
                Part::Journaled => Some("clients that give up".to_owned()),
                Part::Principal => None,
            };
        }
        self.tell(line);
    }

    fn tell(&mut self, mut line: Line) {
        // Where a place is followed, what happens around it is the story itself.
        let is_wanted = self.cast.is_a_place() || self.every_fault && line.fault.is_some();
        line.context &= !is_wanted;
        if line.at < self.from {
            if line.fault.is_none() {
                return;
            }
            line.context = true;
        }
        if line.at >= self.to {
            return;
        }
        if self.lines.len() < LINES_MAX {
            self.lines.push(line);
        } else {
            self.untold += 1;
        }
    }
}
