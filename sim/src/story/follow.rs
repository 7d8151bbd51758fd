//! The storyteller: turns what is seen into lines about whoever is followed.
//!
//! Owns what is remembered of each request and record in the story, so that a line can say
//! "again", "too late" or "on a quorum of disks". Refuses to judge, and to know how lines look.

use std::collections::{BTreeMap, BTreeSet};

use onsale_core::journal::JournalMessage;
use onsale_core::{
    Answer, Epoch, HoldId, Instant, Message, NodeId, Observation, Outcome, Refusal, Request,
    RequestId, ShardId, UserId,
};
use onsale_reports::human;

use super::cast::{Cast, Part};
use super::elections::Elections;
use super::line::{Kind, Line, arrange};
use super::records::{Key, Newest, Record, framed};
use super::sight::{Lost, Sight};
use super::subject::Subject;
use super::words;
use crate::crowd::session::{requester, undecided};
use crate::world::Process;
use crate::world::network::{CLIENTS, Place};

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
    from: Instant,
    to: Instant,
    requests: BTreeMap<RequestId, Asked>,
    records: BTreeMap<Key, Written>,
    newest: Newest,
    /// Shards whose owners matter.
    shards: BTreeSet<ShardId>,
    owners: BTreeMap<ShardId, (Epoch, Place)>,
    /// How often each node was started.
    boots: BTreeMap<Place, u64>,
    elections: Elections,
    lines: Vec<Line>,
    untold: u64,
}

/// A request in the story.
#[derive(Debug)]
struct Asked {
    user: UserId,
    shard: ShardId,
    part: Part,
    last: Instant,
    attempts: u32,
    /// By gateway, how often it was forwarded in this attempt.
    tries: BTreeMap<Place, u32>,
    heard: bool,
    /// When its client stopped waiting for good.
    ended: Option<Instant>,
}

/// A record in the story.
#[derive(Debug)]
struct Written {
    request: Option<RequestId>,
    part: Part,
    disks: BTreeSet<Place>,
}

impl Follow {
    /// A story about a cast, as far as it takes place from `from` to `to`.
    pub fn new(cast: Cast, (from, to): (Instant, Instant)) -> Self {
        Self {
            newest: Newest::new(cast.map_shard()),
            shards: cast.shards(),
            cast,
            from,
            to,
            requests: BTreeMap::new(),
            records: BTreeMap::new(),
            owners: BTreeMap::new(),
            boots: BTreeMap::new(),
            elections: Elections::default(),
            lines: Vec::new(),
            untold: 0,
        }
    }

    /// Takes in what happens.
    pub(super) fn see(&mut self, now: Instant, sight: &Sight<'_>) {
        for record in self.newest.records(now, sight) {
            self.on_record(&record);
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
                } else if let (CLIENTS, Message::Replies(batch)) = (to, message) {
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
                    ..line(now, "FAULT".to_owned(), kind, what)
                });
            }
            Sight::FaultStep { index, what } => self.tell(Line {
                fault: Some(index),
                context: true,
                ..line(now, "FAULT".to_owned(), Kind::Step, what.to_owned())
            }),
            Sight::Disconnected { user, request, gateway } => {
                let what = format!("loses the connection to n{gateway}: {request}");
                self.tell_of(request, line(now, user.to_string(), Kind::Client, what));
            }
            Sight::GaveUp { user, request } => {
                if let Some(asked) = self.requests.get_mut(&request) {
                    asked.ended = Some(now);
                    let what = format!("gives {request} up, after {} attempts", asked.attempts);
                    self.tell_of(request, line(now, user.to_string(), Kind::Client, what));
                }
            }
            Sight::Left { user, fate } => {
                let beyond = !self.cast.is_of_requests();
                let acts = |asked: &Asked| {
                    let now = beyond || asked.ended == Some(now);
                    asked.user == user && asked.part == Part::Lead && now
                };
                if self.cast.user(user) || self.requests.values().any(acts) {
                    let what = format!("leaves: {}", fate.name());
                    self.tell(line(now, user.to_string(), Kind::Client, what));
                }
            }
            Sight::Judged { oracle, headline } => {
                if self.concerns(headline) {
                    let what = format!("{oracle} fails: {headline}");
                    self.tell(line(now, "ORACLE".to_owned(), Kind::Verdict, what));
                }
            }
            Sight::Writes { .. } | Sight::Worked { .. } => {}
        }
    }

    /// The story, in order and without what nobody misses.
    pub fn finish(self) -> Story {
        Story { lines: arrange(self.lines), untold: self.untold }
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
                    // Everything else is an owner's answer, and told as such.
                    if let Outcome::Refused(refusal @ (Refusal::Unavailable | Refusal::Minority)) =
                        timed.item.outcome
                        && self.tells(request, from, to)
                    {
                        let what = format!("gives {request} up: {}", words::refused(refusal));
                        self.tell_of(request, line(timed.at, name(from), Kind::Answer, what));
                    }
                }
            }
            Message::Journal(batch) => {
                for (shard, message) in batch {
                    let followed = self.cast.node(from);
                    if (followed || self.shards.contains(shard))
                        && let Some(what) = self.elections.news(*shard, (from, to), message)
                    {
                        self.tell(Line {
                            shard: Some(*shard),
                            context: !followed,
                            repeats: Some(what.clone()),
                            ..line(departs, name(from), Kind::Owner, what)
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
                let what = format!("asks n{gateway}: {wanted}, {id}");
                let line = line(at, request.user.to_string(), Kind::Ask, what);
                self.tell(Line { request: Some(id), ..line });
            }
            return;
        };
        let shard = self.cast.shard_of(request.show);
        if part == Part::Lead {
            self.shards.insert(shard);
        }
        let asked = self.requests.entry(id).or_insert_with(|| Asked {
            user: request.user,
            shard,
            part,
            last: at,
            attempts: 0,
            tries: BTreeMap::new(),
            heard: false,
            ended: None,
        });
        asked.attempts += 1;
        asked.tries.clear();
        let what = if asked.attempts == 1 {
            format!("asks n{gateway}: {}, {id}", words::wanted(request.show, &request.command))
        } else {
            let silence = human::span(at.since(asked.last));
            let why = if asked.heard {
                "told to come back later".to_owned()
            } else {
                format!("nothing heard for {silence}")
            };
            format!("asks again, n{gateway} this time: {id}, attempt {}, {why}", asked.attempts)
        };
        asked.last = at;
        asked.heard = false;
        if asked.part == Part::Lead {
            self.tell_of(id, line(at, request.user.to_string(), Kind::Ask, what));
        }
    }

    fn on_forwarded(&mut self, at: Instant, from: Place, to: Place, request: &Request) {
        let id = request.id;
        if !self.tells(id, from, to) {
            return;
        }
        let shard = self.cast.shard_of(request.show);
        let tries = self.requests.get_mut(&id).map_or(1, |asked| {
            let tries = asked.tries.entry(from).or_default();
            *tries += 1;
            *tries
        });
        let what = if tries > 1 {
            format!("tries n{to} now: {id}, try {tries}")
        } else {
            format!("forwards {id} to n{to}, which it takes for the owner of {shard}")
        };
        self.tell_of(id, Line { shard: Some(shard), ..line(at, name(from), Kind::Route, what) });
    }

    fn on_answered(&mut self, at: Instant, from: Place, to: Place, answer: &Answer) {
        let (id, what) = match answer {
            Answer::Decided(reply) => {
                let outcome = words::told(&reply.outcome);
                (reply.request, format!("answers n{to}: {}, {outcome}", reply.request))
            }
            Answer::NotOwner { request, shard, owner } => {
                let hint = match owner {
                    Some((owner, epoch)) if usize::from(owner.0) == from => {
                        format!("it leads {shard} in {epoch}, but does not serve yet")
                    }
                    Some((owner, epoch)) => {
                        format!("not the owner of {shard}, which is {owner} in {epoch}")
                    }
                    None => format!("not the owner of {shard}, and knows of none"),
                };
                (*request, format!("sends {request} back to n{to}: {hint}"))
            }
        };
        if self.tells(id, from, to) {
            self.tell_of(id, line(at, name(from), Kind::Answer, what));
        }
    }

    fn on_heard(&mut self, at: Instant, from: Place, id: RequestId, outcome: &Outcome) {
        let user = UserId(requester(id).0);
        let told = words::told(outcome);
        let decided = undecided(outcome).is_none();
        let Some(asked) = self.requests.get_mut(&id) else {
            if self.cast.node(from) {
                let what = format!("hears from n{from}: {id}, {told}");
                let line = line(at, user.to_string(), Kind::Client, what);
                self.tell(Line { request: Some(id), ..line });
            }
            return;
        };
        let late = asked.ended.is_some();
        asked.heard = true;
        asked.ended = asked.ended.or_else(|| decided.then_some(at));
        match asked.part {
            Part::Lead => {
                let again = if late { ", which it no longer waits for" } else { "" };
                let what = format!("hears from n{from}: {id}, {told}{again}");
                self.tell_of(id, line(at, user.to_string(), Kind::Client, what));
            }
            Part::Bystander if !late => {
                let what = format!("wanted it too, and hears from n{from}: {id}, {told}");
                self.tell_of(id, line(at, user.to_string(), Kind::Client, what));
            }
            Part::Bystander | Part::Journaled => {}
        }
    }

    fn on_record(&mut self, record: &Record) {
        let (shard, index, epoch) = record.key;
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
                ..line(record.at, name(record.node), Kind::Record, what)
            });
        }
        for (show, event) in &record.events {
            let Some(part) = self.cast.event(*show, event, record.node) else { continue };
            let request = event.request();
            let happened = words::happened(event);
            let decides = match request {
                Some(request) => format!("decides {request}: {happened}"),
                None => format!("finds {happened}"),
            };
            let what = format!("{decides}; proposed as record {index} of {shard} ({epoch})");
            self.records.entry(record.key).or_insert_with(|| Written {
                request,
                part,
                disks: BTreeSet::new(),
            });
            self.tell(Line {
                request,
                shard: Some(shard),
                ..line(record.at, name(record.node), Kind::Decision, what)
            });
        }
    }

    fn on_durable(&mut self, now: Instant, node: Place, bytes: &[u8]) {
        for (key, _) in framed(bytes) {
            let (shard, index, epoch) = key;
            let Some(written) = self.records.get_mut(&key) else { continue };
            if !written.disks.insert(node) || written.part < Part::Lead {
                continue;
            }
            let (disks, replicas) = (written.disks.len(), self.cast.replicas(shard).len());
            let quorum = if disks == replicas / 2 + 1 { ", a quorum" } else { "" };
            let what = format!(
                "has record {index} of {shard} ({epoch}) on disk: {disks} of {replicas}{quorum}"
            );
            let request = written.request;
            self.tell(Line {
                request,
                shard: Some(shard),
                // What comes after the quorum is nobody's news, but it closes no story either.
                context: disks > replicas / 2 + 1,
                ..line(now, name(node), Kind::Record, what)
            });
        }
    }

    fn on_lost(&mut self, at: Instant, from: Place, to: Place, message: &Message, why: Lost) {
        let why = words::lost(why, from, to);
        let mut lost = Vec::new();
        match message {
            Message::Requests(batch) => {
                for timed in batch {
                    let user = timed.item.user.to_string();
                    lost.push((timed.item.id, user, timed.item.id.to_string()));
                }
            }
            Message::Forwarded(batch) => {
                lost.extend(
                    batch
                        .iter()
                        .map(|timed| (timed.item.id, name(from), timed.item.id.to_string())),
                );
            }
            Message::Answers(batch) => {
                for timed in batch {
                    let id = match &timed.item {
                        Answer::Decided(reply) => reply.request,
                        Answer::NotOwner { request, .. } => *request,
                    };
                    lost.push((id, name(from), format!("the answer to {id}")));
                }
            }
            Message::Replies(batch) => {
                for timed in batch {
                    let id = timed.item.request;
                    lost.push((id, name(from), format!("the reply to {id}")));
                }
            }
            Message::Journal(batch) => {
                for (shard, message) in batch {
                    self.on_records_lost(at, (from, to), *shard, message, &why);
                }
            }
            Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_)
            | Message::Facts(_) => {}
        }
        for (id, who, what) in lost {
            if self.tells(id, from, to) {
                let what = format!("{what} never reaches {}: {why}", words::place(to));
                self.tell_of(id, line(at, who, Kind::Lost, what));
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
            if written.part < Part::Lead || written.disks.contains(&to) {
                continue;
            }
            let what = format!("record {index} of {shard} ({epoch}) never reaches n{to}: {why}");
            self.tell(Line {
                request: written.request,
                shard: Some(shard),
                // Once a quorum has it, nobody waits for this node.
                context: written.disks.len() > self.cast.replicas(shard).len() / 2,
                repeats: Some(format!("record {index} of {shard} on its way to n{to}")),
                ..line(at, name(from), Kind::Lost, what)
            });
        }
    }

    fn on_waits(&mut self, at: Instant, node: Place, message: &Message) {
        let ids: Vec<RequestId> = match message {
            Message::Requests(batch) | Message::Forwarded(batch) => {
                batch.iter().map(|timed| timed.item.id).collect()
            }
            Message::Answers(batch) => batch
                .iter()
                .map(|timed| match &timed.item {
                    Answer::Decided(reply) => reply.request,
                    Answer::NotOwner { request, .. } => *request,
                })
                .collect(),
            Message::Replies(_)
            | Message::Beat(_)
            | Message::Gossip(_)
            | Message::Leaving(_)
            | Message::Moves(_)
            | Message::Journal(_)
            | Message::Facts(_) => Vec::new(),
        };
        for id in ids {
            if self.tells(id, node, node) {
                let what = format!("stands still, and {id} waits for it");
                self.tell_of(id, line(at, name(node), Kind::Lost, what));
            }
        }
    }

    fn on_observed(&mut self, now: Instant, node: Place, observation: Observation) {
        let followed = self.cast.node(node);
        let (kind, shard, what) = match observation {
            Observation::OwnerActivated { shard, epoch } => {
                self.owners.insert(shard, (epoch, node));
                let what = format!("owns {shard} now ({epoch}): all that was committed is applied");
                (Kind::Owner, Some(shard), what)
            }
            Observation::OwnerDeposed { shard, epoch } => {
                let what =
                    format!("owns {shard} no longer ({epoch}), and drops what was not committed");
                (Kind::Owner, Some(shard), what)
            }
            Observation::Elected { shard, epoch } => {
                if !followed {
                    return;
                }
                (Kind::Owner, Some(shard), format!("is elected to lead {shard} ({epoch})"))
            }
            Observation::GivenUp { peer } => {
                if !followed && !self.owns_a_shard(peer) {
                    return;
                }
                (Kind::Health, None, format!("sees a quorum without {peer}, and gives it up"))
            }
            Observation::Withdrew => {
                (Kind::Health, None, "withdraws: a quorum is out of its sight".to_owned())
            }
            Observation::Returned => (Kind::Health, None, "serves clients again".to_owned()),
            Observation::HandOverBegan { shard, to, reason } => {
                (Kind::Owner, Some(shard), words::of_a_hand_over(shard, to, reason))
            }
            Observation::HandOverGivenUp { shard } => {
                (Kind::Owner, Some(shard), format!("could not hand {shard} over, and goes on"))
            }
            Observation::Suspected { peer } => {
                if !followed && !self.owns_a_shard(peer) {
                    return;
                }
                (Kind::Health, None, format!("has not heard {peer} for too long, and suspects it"))
            }
            Observation::Trusted { peer } => {
                if !followed && !self.owns_a_shard(peer) {
                    return;
                }
                (Kind::Health, None, format!("hears {peer} again"))
            }
            Observation::Refused { .. } if !followed => return,
            Observation::Refused { shard, reason } => {
                (Kind::Health, Some(shard), format!("refuses: {reason} ({shard})"))
            }
            Observation::Mark(mark) => {
                let on_disk = words::of_the_disk(mark);
                if !followed && (on_disk.is_none() || !self.replicates(node)) {
                    return;
                }
                (Kind::Health, None, on_disk.map_or_else(|| mark.to_string(), str::to_owned))
            }
        };
        if !followed && shard.is_some_and(|shard| !self.shards.contains(&shard)) {
            return;
        }
        let repeats = (kind == Kind::Health).then(|| what.clone());
        self.tell(Line { shard, context: !followed, repeats, ..line(now, name(node), kind, what) });
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
            let line = line(now, name(node), Kind::Health, what.to_owned());
            self.tell(Line { context: !followed, ..line });
        }
    }

    /// Whether something said is about anybody or anything in the story.
    fn concerns(&self, words: &str) -> bool {
        let leads = |user: Option<UserId>, id: u64| {
            self.requests.iter().any(|(request, asked)| {
                asked.part == Part::Lead && (Some(asked.user) == user || request.0 == id)
            })
        };
        self.cast.is_a_place()
            || Subject::named_in(words).into_iter().any(|subject| match subject {
                Subject::User(user) => leads(Some(user), 0),
                Subject::Hold(HoldId(id)) | Subject::Request(RequestId(id)) => leads(None, id),
                Subject::Shard(shard) => self.shards.contains(&shard),
                Subject::Seat(..) | Subject::Show(_) | Subject::Node(_) => {
                    self.cast.follows(subject)
                }
            })
    }

    fn owns_a_shard(&self, node: NodeId) -> bool {
        self.shards.iter().any(|shard| {
            self.owners.get(shard).is_some_and(|&(_, owner)| owner == usize::from(node.0))
        })
    }

    fn replicates(&self, node: Place) -> bool {
        self.shards.iter().any(|&shard| {
            self.cast.replicas(shard).iter().any(|replica| usize::from(replica.0) == node)
        })
    }

    /// Whether it is told how a request goes its way between two places.
    fn tells(&self, id: RequestId, from: Place, to: Place) -> bool {
        self.requests.get(&id).is_some_and(|asked| asked.part == Part::Lead)
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
                Part::Lead if asked.attempts > ATTEMPTS_TOLD && line.kind != Kind::Client => {
                    Some(format!("attempts with {id}"))
                }
                Part::Journaled => Some("clients that give up".to_owned()),
                Part::Lead => None,
            };
        }
        self.tell(line);
    }

    fn tell(&mut self, mut line: Line) {
        // Where a place is followed, what happens around it is the story itself.
        line.context &= !self.cast.is_a_place();
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

fn name(node: Place) -> String {
    words::place(node)
}

fn line(at: Instant, who: String, kind: Kind, what: String) -> Line {
    Line {
        at,
        who,
        what,
        kind,
        request: None,
        shard: None,
        fault: None,
        context: false,
        repeats: None,
    }
}
