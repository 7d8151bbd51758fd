//! A run as a trace for tools that draw it: nodes as processes; shards, cores, disks and links as
//! their threads.
//!
//! Owns the layout, and what must be remembered to draw a span when it ends. Refuses to know the
//! format, which `onsale_reports::trace` owns.

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;

use onsale_booking::{Command, Instant, RequestId, Span, UserId};
use onsale_cluster::{Message, Observation, ShardId};
use onsale_reports::trace::{Row, TraceWriter, Written};
use onsale_scenarios::Scenario;
use onsale_world::place::{Place, Process};

use super::records::{Newest, Record};
use super::words;
use crate::seen::asked::undecided;
use crate::seen::messages::Shown;
use crate::seen::naming::Naming;
use crate::seen::sight::Sight;

/// Upper bound of events in a trace: the tools that draw them fail beyond.
pub const EVENTS_MAX: u64 = 2_000_000;

/// Number of the process that shows faults and oracles.
const FAULTS: u32 = 1_000;
/// Thread numbers of a node: its own state, then its cores, then these, then its shards.
const STATE: u32 = 0;
const DISK: u32 = 70;
const OUT: u32 = 71;
const IN: u32 = 72;
const SHARDS: u32 = 100;

/// Records a window of virtual time.
#[derive(Debug)]
pub struct Recording {
    out: TraceWriter<BufWriter<File>>,
    naming: Naming,
    from: Instant,
    to: Instant,
    seen: Instant,
    newest: Newest,
    /// Open spans, at most one a row.
    spans: BTreeMap<Row, Open>,
    requests: BTreeMap<RequestId, Asked>,
    /// Messages on their way, by link and instant of arrival.
    flying: BTreeMap<(Place, Place, Instant), VecDeque<Flying>>,
    messages: u64,
}

#[derive(Debug)]
struct Open {
    category: &'static str,
    name: String,
    since: Instant,
}

/// An unanswered request.
#[derive(Debug)]
struct Asked {
    name: &'static str,
    user: UserId,
    since: Instant,
    begun: bool,
}

#[derive(Debug)]
struct Flying {
    id: u64,
    name: String,
    departed: Instant,
}

impl Recording {
    /// A recording of the window from `from` to `to`, written to `file`.
    ///
    /// # Errors
    /// If the file cannot be created.
    pub fn create(
        file: &Path,
        (from, to): (Instant, Instant),
        scenario: &Scenario,
        naming: Naming,
    ) -> io::Result<Self> {
        let mut out = TraceWriter::new(BufWriter::new(File::create(file)?), EVENTS_MAX);
        out.process(0, "clients", 0);
        out.process(FAULTS, "faults and oracles", 1);
        let cluster = &scenario.cluster;
        let map = scenario.changes_nodes().then_some(ShardId(cluster.shards));
        for node in 1..=u32::from(cluster.numbers()) {
            let zone = (node - 1) % u32::from(cluster.zones) + 1;
            out.process(node, &format!("n{node} in zone {zone}"), node + 1);
            let mut thread = |tid, name: &str| out.thread(Row { pid: node, tid }, name);
            thread(STATE, "process");
            (0..cluster.cores)
                .for_each(|core| thread(1 + u32::from(core), &format!("core {core}")));
            thread(DISK, "disk");
            thread(OUT, "sends");
            thread(IN, "receives");
            (0..cluster.shards).for_each(|log| thread(SHARDS + log, &(naming.log)(log)));
            map.into_iter().for_each(|shard| thread(SHARDS + shard.0, "the map"));
        }
        out.thread(Row { pid: 0, tid: OUT }, "sends");
        out.thread(Row { pid: 0, tid: IN }, "receives");
        Ok(Self {
            out,
            naming,
            from,
            to,
            seen: Instant::ZERO,
            newest: Newest::new(map),
            spans: BTreeMap::new(),
            requests: BTreeMap::new(),
            flying: BTreeMap::new(),
            messages: 0,
        })
    }

    /// Records what happened.
    pub(super) fn see(&mut self, now: Instant, sight: &Sight<'_>) {
        if self.seen < self.from && now >= self.from {
            self.begin_what_is_open();
        }
        self.seen = now;
        for record in self.newest.records(now, sight) {
            self.on_record(&record);
        }
        match *sight {
            Sight::Sent { from, to, departs, message, carried, .. } => {
                self.on_sent(from, to, departs, message);
                if let (Some(name), Some(latency)) = (called(message), carried.first) {
                    self.messages += 1;
                    let flying = Flying { id: self.messages, name, departed: departs };
                    self.flying.entry((from, to, departs + latency)).or_default().push_back(flying);
                }
            }
            Sight::Arrived { from, to, message, .. } => {
                self.on_landed(now, from, to, None);
                if to == Place::Clients {
                    self.on_replies(now, message);
                }
            }
            Sight::Lost { from, to, why, .. } => {
                self.on_landed(now, from, to, Some(words::lost(why, from, to)));
            }
            Sight::Writes { node, bytes, .. } => {
                let name = format!("fsync of {} bytes", bytes.len());
                self.begin(row(node, DISK), "disk", name, now);
            }
            Sight::Durable { node, .. } | Sight::WriteFails { node } => {
                self.end(row(node, DISK), now)
            }
            Sight::Worked { node, core, from, until, work } => {
                let core = 1 + u32::try_from(core).unwrap_or(0);
                self.span(row(node, core), "work", work, (from, until));
            }
            Sight::Observed { node, observation } => self.on_observed(now, node, *observation),
            Sight::Process { node, state, .. } => self.on_process(now, node, state),
            Sight::Fault { index, strikes, what } => {
                let row = Row { pid: FAULTS, tid: 1 + u32::try_from(index).unwrap_or(0) };
                if strikes {
                    self.out.thread(row, &format!("fault {index}"));
                    self.begin(row, "fault", what.to_owned(), now);
                    self.mark(row, "fault", what, now);
                } else {
                    self.end(row, now);
                }
            }
            Sight::FaultStep { index, what } => {
                let row = Row { pid: FAULTS, tid: 1 + u32::try_from(index).unwrap_or(0) };
                self.mark(row, "fault", what, now);
            }
            Sight::GaveUp { request, .. } => self.on_answered(now, request, "gave up"),
            Sight::Left { .. }
            | Sight::Disconnected { .. }
            | Sight::Looks { .. }
            | Sight::Asks { .. }
            | Sight::Told { .. } => {}
            Sight::Judged { oracle, headline } => {
                let row = Row { pid: FAULTS, tid: 0 };
                self.mark(row, "oracle", &format!("{oracle}: {headline}"), now);
            }
        }
    }

    fn on_record(&mut self, record: &Record) {
        let (shard, index, epoch) = record.key;
        let says = record.events.first().map(|(_, event)| words::happened(event));
        let more = record.events.len().saturating_sub(1);
        let says = match (says, &record.map) {
            (None, None) => "opens its epoch".to_owned(),
            (None, Some(map)) => format!("version {} of the map", map.version()),
            (Some(says), _) if more == 0 => says,
            (Some(says), _) => format!("{says} and {more} more"),
        };
        let name = format!("record {index} ({}): {says}", (self.naming.term)(epoch.0));
        self.mark(row(record.node, SHARDS + shard.0), "record", &name, record.at);
    }

    /// Closes the open spans and the file.
    ///
    /// # Errors
    /// The first error in writing it.
    pub fn finish(mut self) -> io::Result<Written> {
        let end = self.seen.min(self.to);
        for row in self.spans.keys().copied().collect::<Vec<_>>() {
            self.end(row, end);
        }
        for request in self.requests.keys().copied().collect::<Vec<_>>() {
            self.on_answered(end, request, "open at the end");
        }
        self.out.finish()
    }

    fn on_sent(&mut self, from: Place, to: Place, departs: Instant, message: Shown<'_>) {
        let (Place::Clients, Shown::Requests(batch)) = (from, message) else { return };
        for timed in batch {
            let (id, at) = (timed.item.id, timed.at);
            if self.requests.contains_key(&id) {
                if self.requests[&id].begun && self.is_inside(at) {
                    let step = format!("asks {to} again");
                    self.out.step(
                        row(Place::Clients, 0),
                        ("request", id.0),
                        &step,
                        at.max(departs),
                    );
                }
                continue;
            }
            let name = match timed.item.command {
                Command::Hold(_) => "hold",
                Command::Confirm { .. } => "book",
                Command::Release { .. } => "release",
            };
            let open = Asked { name, user: timed.item.user, since: at, begun: false };
            self.requests.insert(id, open);
            if self.is_inside(at) {
                self.begin_request(id, at);
            }
        }
    }

    fn on_replies(&mut self, now: Instant, message: Shown<'_>) {
        let Shown::Replies(batch) = message else { return };
        for reply in batch {
            let (id, at) = (reply.item.request, reply.at.max(now));
            let told = words::told(&reply.item.outcome);
            if undecided(&reply.item.outcome).is_none() {
                self.on_answered(at, id, &told);
            } else if self.requests.get(&id).is_some_and(|open| open.begun) && self.is_inside(at) {
                self.out.step(row(Place::Clients, 0), ("request", id.0), &told, at);
            }
        }
    }

    fn on_answered(&mut self, at: Instant, id: RequestId, told: &str) {
        let Some(open) = self.requests.remove(&id).filter(|open| open.begun) else { return };
        let arguments = [("told", told.to_owned())];
        let at = at.min(self.to).max(open.since);
        self.out.end(row(Place::Clients, 0), ("request", id.0), open.name, at, &arguments);
    }

    fn on_landed(&mut self, now: Instant, from: Place, to: Place, lost: Option<String>) {
        let std::collections::btree_map::Entry::Occupied(mut entry) =
            self.flying.entry((from, to, now))
        else {
            return;
        };
        let flying = entry.get_mut().pop_front();
        if entry.get().is_empty() {
            entry.remove();
        }
        let Some(Flying { id, name, departed }) = flying else { return };
        if departed < self.from || now >= self.to {
            return;
        }
        let (start, end) = (row(from, OUT), row(to, IN));
        let instant = Span(1);
        let way = |name: &str| [("message", name.to_owned()), ("to", words::place(to))];
        self.out.complete(start, "message", &name, (departed, instant), &way(&name));
        let arrives = lost.map_or_else(|| name.clone(), |why| format!("{name}, lost: {why}"));
        self.out.complete(end, "message", &arrives, (now, instant), &way(&name));
        self.out.arrow(id, &name, (start, departed), (end, now));
    }

    fn on_observed(&mut self, now: Instant, node: Place, observation: Observation) {
        let state = row(node, STATE);
        match observation {
            Observation::LeaderActivated { shard, epoch } => {
                let name = format!("leader of {shard} ({epoch})");
                self.begin(row(node, SHARDS + shard.0), "leader", name, now);
            }
            Observation::LeaderDeposed { shard, .. } => {
                self.end(row(node, SHARDS + shard.0), now);
            }
            Observation::LeadTransferBegan { shard, to, .. } => {
                self.mark(state, "leader", &format!("transfers the lead of {shard} to {to}"), now);
            }
            Observation::LeadTransferGivenUp { shard } => {
                self.mark(state, "leader", &format!("goes on leading {shard}"), now);
            }
            Observation::Suspected { peer } => {
                self.mark(state, "health", &format!("suspects {peer}"), now);
            }
            Observation::Trusted { peer } => {
                self.mark(state, "health", &format!("hears from {peer} again"), now);
            }
            Observation::Elected { shard, epoch } => {
                self.mark(state, "elected", &format!("elected leader of {shard} ({epoch})"), now);
            }
            Observation::GivenUp { peer } => {
                self.mark(state, "health", &format!("gives up on {peer}"), now);
            }
            Observation::Withdrew => self.mark(state, "health", "withdraws", now),
            Observation::Returned => self.mark(state, "health", "serves again", now),
            Observation::Refused { reason, .. } => self.mark(state, "refused", reason.name(), now),
            Observation::Mark(mark) => self.mark(state, "mark", mark.name(), now),
        }
    }

    fn on_process(&mut self, now: Instant, node: Place, state: Process) {
        let process = row(node, STATE);
        match state {
            Process::Up => self.end(process, now),
            Process::Paused => {
                self.begin(process, "process", "paused".to_owned(), now);
            }
            Process::Down => {
                let of_node = |row: &&Row| row.pid == process.pid;
                for row in self.spans.keys().filter(of_node).copied().collect::<Vec<_>>() {
                    self.end(row, now);
                }
                self.begin(process, "process", "down".to_owned(), now);
            }
        }
    }

    fn begin_what_is_open(&mut self) {
        for id in self.requests.keys().copied().collect::<Vec<_>>() {
            self.begin_request(id, self.from);
        }
    }

    fn begin_request(&mut self, id: RequestId, at: Instant) {
        let Some(open) = self.requests.get_mut(&id) else { return };
        let arguments = [
            ("request", id.to_string()),
            ("user", open.user.to_string()),
            ("asked", open.since.to_string()),
        ];
        open.begun =
            self.out.begin(row(Place::Clients, 0), ("request", id.0), open.name, at, &arguments);
    }

    fn begin(&mut self, row: Row, category: &'static str, name: String, since: Instant) {
        self.spans.insert(row, Open { category, name, since });
    }

    fn end(&mut self, row: Row, until: Instant) {
        if let Some(Open { category, name, since }) = self.spans.remove(&row) {
            self.span(row, category, &name, (since, until));
        }
    }

    /// Writes the part of a span that lies in the window.
    fn span(&mut self, row: Row, category: &str, name: &str, (since, until): (Instant, Instant)) {
        let (since, until) = (since.max(self.from), until.min(self.to));
        if since < until {
            self.out.complete(row, category, name, (since, until.since(since)), &[]);
        }
    }

    fn mark(&mut self, row: Row, category: &str, name: &str, at: Instant) {
        if self.is_inside(at) {
            self.out.instant(row, category, name, at);
        }
    }

    fn is_inside(&self, at: Instant) -> bool {
        (self.from..self.to).contains(&at)
    }
}

fn row(place: Place, tid: u32) -> Row {
    Row { pid: place.number(), tid }
}

/// The name of a message in the trace; `None` for messages not drawn, such as beats.
fn called(message: Shown<'_>) -> Option<String> {
    let many = |what: &str, count: usize| match count {
        1 => what.to_owned(),
        count => format!("{count} {what}s"),
    };
    let message = match message {
        Shown::Requests(batch) => return Some(many("request", batch.len())),
        Shown::Replies([_]) => return Some("reply".to_owned()),
        Shown::Replies(batch) => return Some(format!("{} replies", batch.len())),
        Shown::Cluster(message) => message,
    };
    match message {
        Message::Forwarded(batch) => Some(many("forwarded request", batch.len())),
        Message::Answers(batch) => Some(many("answer", batch.len())),
        Message::Journal(batch) => {
            let records: usize = batch.iter().map(|(_, message)| message.records().count()).sum();
            Some(match records {
                0 => many("journal message", batch.len()),
                records => many("record", records),
            })
        }
        Message::Facts(_) => Some("facts".to_owned()),
        Message::Gossip(gossip) => Some(many("rumour", gossip.rumours.len())),
        // Requests and replies are shown as what they are.
        Message::Requests(_)
        | Message::Replies(_)
        | Message::Beat(_)
        | Message::Leaving(_)
        | Message::Moves(_) => None,
    }
}
