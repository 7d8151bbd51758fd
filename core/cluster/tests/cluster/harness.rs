//! A cluster in memory: nodes, links of constant latency and disks that keep synced writes. Owns the passage of time;
//! refuses to know what the nodes say.

mod disks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onsale_booking::{
    Checks, ClientId, Draw, Endpoint, Hall, Instant, NodeId, Outcome, Request, RequestId, Rules,
    ShowId, Span, ZoneId,
};
use onsale_cluster::{
    Config, Effects, Epoch, Found, Input, Message, Node, Observation, Placement, Release, Setup,
    ShardId, Write,
};

use crate::sample::config;

/// Latency between nodes, latency to a client, and duration of an fsync.
const LINK: Span = Span::from_micros(250);
const CLIENT: Span = Span::from_micros(1_000);
pub(crate) const FSYNC: Span = Span::from_micros(300);

enum Event {
    Deliver { from: Endpoint, to: Endpoint, message: Message },
    Synced { node: NodeId, incarnation: u64, write: Write },
}

/// Number of messages of each kind sent between nodes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) beats: u64,
    pub(crate) journal: u64,
    pub(crate) others: u64,
}

pub(crate) struct Cluster {
    setup: Arc<Setup>,
    now: Instant,
    nodes: BTreeMap<NodeId, Node>,
    incarnations: BTreeMap<NodeId, u64>,
    /// The release that a node starts with, if not the first.
    releases: BTreeMap<NodeId, Release>,
    /// Nodes that refused to go on with their release.
    pub(crate) refused: BTreeSet<NodeId>,
    disks: BTreeMap<NodeId, BTreeMap<u32, Vec<u8>>>,
    /// Nodes with a write that was ever durable.
    written: BTreeSet<NodeId>,
    /// The page cache after the death of a process alone, by node: a segment, and how many of its bytes are durable.
    cached: BTreeMap<NodeId, (u32, usize)>,
    /// Every write, and when it was begun.
    pub(crate) begun: Vec<(Instant, NodeId, Write)>,
    events: BTreeMap<(Instant, u64), Event>,
    scheduled: u64,
    cut: BTreeSet<(NodeId, NodeId)>,
    paused: BTreeMap<NodeId, Instant>,
    /// Nodes whose disks have no room.
    full: BTreeSet<NodeId>,
    /// How far a node's clock is ahead, if it is.
    ahead: BTreeMap<NodeId, Span>,
    loss: Option<u64>,
    draw: Draw,
    effects: Effects,
    pub(crate) sent: Sent,
    pub(crate) replies: Vec<(RequestId, Outcome)>,
    pub(crate) observed: Vec<(Instant, NodeId, Observation)>,
    /// Nodes that have said that they may be stopped.
    pub(crate) drained: BTreeSet<NodeId>,
}

impl Cluster {
    /// Boots `nodes` nodes, the nth with a clock that is n − 1 times `apart` ahead.
    pub(crate) fn with_clocks_apart(config: Config, nodes: u16, shards: u32, apart: Span) -> Self {
        let ahead = (1..=nodes).map(|n| (NodeId(n), Span(apart.0 * u64::from(n - 1))));
        Self::begin(config, nodes, Placement::new(nodes, 3, shards, 3), ahead.collect())
    }

    /// Boots this many nodes in three zones and lets them elect their leaders.
    pub(crate) fn new(nodes: u16, shards: u32) -> Self {
        Self::with(config(), nodes, shards)
    }

    pub(crate) fn with(config: Config, nodes: u16, shards: u32) -> Self {
        Self::begin(config, nodes, Placement::new(nodes, 3, shards, 3), BTreeMap::new())
    }

    /// A cluster of `nodes` nodes that `spares` more may join.
    pub(crate) fn changing(nodes: u16, spares: u16, shards: u32) -> Self {
        Self::changing_with(3, nodes, spares, shards)
    }

    /// A changing cluster with `replicas` replicas of each shard.
    pub(crate) fn changing_with(replicas: u16, nodes: u16, spares: u16, shards: u32) -> Self {
        let placement = Placement::new(nodes, 3, shards, replicas).changing(spares);
        Self::begin(config(), nodes, placement, BTreeMap::new())
    }

    /// Boots this many nodes in three zones, with the venues of all shows in one of them.
    pub(crate) fn with_venues_in(zone: ZoneId, config: Config, nodes: u16, shards: u32) -> Self {
        let placement = Placement::new(nodes, 3, shards, 3);
        let shows = (0..4 * shards).map(ShowId);
        let homes = placement.homes(shows.map(|show| (show, zone)));
        Self::begin_with(config, nodes, placement, BTreeMap::new(), homes)
    }

    fn begin(
        config: Config,
        nodes: u16,
        placement: Placement,
        ahead: BTreeMap<NodeId, Span>,
    ) -> Self {
        Self::begin_with(config, nodes, placement, ahead, Vec::new())
    }

    fn begin_with(
        config: Config,
        nodes: u16,
        placement: Placement,
        ahead: BTreeMap<NodeId, Span>,
        homes: Vec<Option<ZoneId>>,
    ) -> Self {
        let mut cluster = Self::without_power(config, placement, ahead, homes);
        for node in (1..=nodes).map(NodeId) {
            cluster.start(node);
        }
        cluster.run_for(Span::from_millis(200));
        cluster
    }

    /// A cluster with no node started yet.
    pub(crate) fn unstarted(placement: Placement) -> Self {
        Self::without_power(config(), placement, BTreeMap::new(), Vec::new())
    }

    fn without_power(
        config: Config,
        placement: Placement,
        ahead: BTreeMap<NodeId, Span>,
        homes: Vec<Option<ZoneId>>,
    ) -> Self {
        let shows = 4 * placement.shards();
        let rules = Rules {
            hold: Span::from_secs(300),
            grace: Span::from_secs(5),
            seats_per_request: 10,
            remember: Span::from_secs(600),
            checks: Checks::COMPLETE,
        };
        let placement = Arc::new(placement);
        let hall = Arc::new(Hall::uniform(2, 10, 20));
        let setup = Arc::new(Setup { config, placement, hall, rules, shows, homes });
        Self {
            setup,
            now: Instant::ZERO,
            nodes: BTreeMap::new(),
            incarnations: BTreeMap::new(),
            releases: BTreeMap::new(),
            refused: BTreeSet::new(),
            disks: BTreeMap::new(),
            written: BTreeSet::new(),
            cached: BTreeMap::new(),
            begun: Vec::new(),
            events: BTreeMap::new(),
            scheduled: 0,
            cut: BTreeSet::new(),
            paused: BTreeMap::new(),
            full: BTreeSet::new(),
            ahead,
            loss: None,
            draw: Draw::new(0),
            effects: Effects::default(),
            sent: Sent::default(),
            replies: Vec::new(),
            observed: Vec::new(),
            drained: BTreeSet::new(),
        }
    }

    pub(crate) fn start(&mut self, id: NodeId) {
        let incarnation = self.incarnations.entry(id).or_insert(0);
        *incarnation += 1;
        let seed = u64::from(id.0) << 32 | *incarnation;
        let disk = self.disks.entry(id).or_default();
        let segments = disk.iter().map(|(&segment, bytes)| (segment, bytes.clone())).collect();
        let found = Found { has_written: self.written.contains(&id), segments };
        let now = self.now + self.ahead_of(id);
        let incarnation = self.incarnations[&id];
        let release = self.releases.get(&id).copied().unwrap_or_default();
        let node = Node::boot(Arc::clone(&self.setup), id, incarnation, release, seed, found, now);
        assert!(self.nodes.insert(id, node).is_none(), "{id} is up already");
    }

    /// Stops a process in peace and starts it with a release.
    pub(crate) fn change_release(&mut self, id: NodeId, release: Release) {
        self.retire(id);
        self.run_for(Span::from_secs(1));
        self.crash(id);
        self.restart(id, release);
    }

    /// Starts a dead process with a release.
    pub(crate) fn restart(&mut self, id: NodeId, release: Release) {
        self.releases.insert(id, release);
        self.run_for(Span::from_secs(1));
        self.start(id);
        self.run_for(Span::from_secs(2));
    }

    /// Hands an input to a process.
    pub(crate) fn tell(&mut self, id: NodeId, input: Input) {
        self.turn(id, input);
    }

    /// Tells a process to stop.
    pub(crate) fn retire(&mut self, id: NodeId) {
        self.turn(id, Input::Retire);
    }

    /// Stops a process for a while; it finds the inputs of that time when it goes on.
    pub(crate) fn pause(&mut self, id: NodeId, span: Span) {
        self.paused.insert(id, self.now + span);
    }

    pub(crate) fn is_up(&self, id: NodeId) -> bool {
        self.nodes.contains_key(&id)
    }

    pub(crate) fn lose_one_in(&mut self, messages: Option<u64>) {
        self.loss = messages;
    }

    /// Cuts a node from its peers, both ways; clients still reach it.
    pub(crate) fn isolate(&mut self, id: NodeId) {
        self.split(&[id]);
    }

    /// Cuts `side` from the others, both ways; clients still reach all.
    pub(crate) fn split(&mut self, side: &[NodeId]) {
        let others = self.incarnations.keys().filter(|node| !side.contains(node));
        for &other in others {
            self.cut.extend(side.iter().flat_map(|&node| [(node, other), (other, node)]));
        }
    }

    /// Loses a node's messages to its peers; it hears them, and clients reach it.
    pub(crate) fn mute(&mut self, id: NodeId) {
        let peers = self.incarnations.keys().copied().filter(|&peer| peer != id);
        self.cut.extend(peers.map(|peer| (id, peer)));
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
    }

    pub(crate) fn now(&self) -> Instant {
        self.now
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[&id]
    }

    pub(crate) fn disk(&self, id: NodeId) -> Vec<(u32, Vec<u8>)> {
        let segments = self.disks.get(&id).into_iter().flatten();
        segments.map(|(&segment, bytes)| (segment, bytes.clone())).collect()
    }

    pub(crate) fn setup(&self) -> &Setup {
        &self.setup
    }

    pub(crate) fn shard(&self, show: u32) -> ShardId {
        self.setup.placement.shard_of(ShowId(show))
    }

    /// The node that serves a show in the latest epoch.
    pub(crate) fn leader(&self, show: u32) -> Option<(NodeId, Epoch)> {
        let shard = self.shard(show);
        let serving = self.nodes.values().filter_map(|node| Some((node.id(), node.serves(shard)?)));
        serving.max_by_key(|&(_, epoch)| epoch)
    }

    /// A node that replicates the show and does not serve it.
    pub(crate) fn follower(&self, show: u32) -> NodeId {
        let leader = self.leader(show).expect("a node serves").0;
        let members = self.setup.placement.replicas(self.shard(show));
        *members.iter().find(|&&member| member != leader).expect("a shard has followers")
    }

    /// A client hands a request to a gateway.
    pub(crate) fn ask(&mut self, gateway: NodeId, request: Request) {
        let message =
            Message::Requests(vec![onsale_booking::Timed { at: self.now + CLIENT, item: request }]);
        let (from, to) = (Endpoint::Client(ClientId(0)), Endpoint::Node(gateway));
        self.schedule(CLIENT, Event::Deliver { from, to, message });
    }

    /// Asks, and runs until the reply arrives.
    pub(crate) fn outcome(&mut self, gateway: NodeId, request: Request) -> Outcome {
        let (id, before) = (request.id, self.replies.len());
        self.ask(gateway, request);
        for _ in 0..1_000 {
            self.run_for(Span::from_millis(10));
            if let Some((_, outcome)) =
                self.replies[before..].iter().find(|(answered, _)| *answered == id)
            {
                return outcome.clone();
            }
        }
        panic!("{id} was not answered in ten seconds");
    }

    pub(crate) fn run_for(&mut self, span: Span) {
        self.run_until(self.now + span);
    }

    pub(crate) fn run_until(&mut self, end: Instant) {
        let mut turns = 0;
        while let Some(at) = self.next_instant().filter(|&at| at <= end) {
            turns = if at == self.now { turns + 1 } else { 0 };
            assert!(turns < 1_000, "a node wants {at} for ever");
            self.now = at;
            // Each event is a turn of its own: the harder case for the nodes.
            if self.events.first_key_value().is_some_and(|(&(due, _), _)| due <= at) {
                let event = self.events.pop_first().map(|(_, event)| event);
                event.into_iter().for_each(|event| self.deliver(event));
                continue;
            }
            let due = self
                .nodes
                .values()
                .find(|node| self.deadline_of(node).is_some_and(|due| due <= at));
            if let Some(id) = due.map(Node::id) {
                self.turn(id, Input::DeadlineReached);
            }
        }
        self.now = end;
    }

    fn next_instant(&self) -> Option<Instant> {
        let event = self.events.first_key_value().map(|(&(at, _), _)| at);
        let deadline = self.nodes.values().filter_map(|node| self.deadline_of(node)).min();
        event.into_iter().chain(deadline).min()
    }

    fn deadline_of(&self, node: &Node) -> Option<Instant> {
        let resumes = self.paused.get(&node.id()).copied().unwrap_or(Instant::ZERO);
        let ahead = self.ahead_of(node.id());
        node.next_deadline().map(|at| Instant(at.0 - ahead.0).max(resumes).max(self.now))
    }

    fn ahead_of(&self, id: NodeId) -> Span {
        self.ahead.get(&id).copied().unwrap_or_default()
    }

    fn deliver(&mut self, event: Event) {
        let node = match &event {
            Event::Deliver { to: Endpoint::Node(node), .. } | Event::Synced { node, .. } => {
                Some(*node)
            }
            Event::Deliver { to: Endpoint::Client(_), .. } => None,
        };
        let resumes = node.and_then(|node| self.paused.get(&node).copied());
        if let Some(resumes) = resumes.filter(|&resumes| resumes > self.now) {
            return self.schedule(resumes.since(self.now), event);
        }
        match event {
            Event::Deliver { from, to: Endpoint::Node(node), message } => {
                if self.nodes.contains_key(&node) {
                    self.turn(node, Input::Delivered { from, message });
                }
            }
            Event::Deliver { message, .. } => {
                let Message::Replies(replies) = message else {
                    panic!("{message:?} is not for clients")
                };
                self.replies.extend(
                    replies.into_iter().map(|timed| (timed.item.request, timed.item.outcome)),
                );
            }
            Event::Synced { node, incarnation, write } => {
                // A crash before the sync loses the write.
                if self.nodes.contains_key(&node) && self.incarnations[&node] == incarnation {
                    if self.full.contains(&node) {
                        return self.turn(node, Input::WriteRefused(write));
                    }
                    let disk = self.disks.entry(node).or_default();
                    disk.entry(write.segment).or_default().extend(write.bytes);
                    disk.retain(|&segment, _| segment >= write.retire_below);
                    self.written.insert(node);
                    self.turn(node, Input::Persisted(write.id));
                }
            }
        }
    }

    fn turn(&mut self, id: NodeId, mut input: Input) {
        let now = self.now + self.ahead_of(id);
        if let Input::Delivered { message, .. } = &mut input {
            arrives(message, now);
        }
        let node = self.nodes.get_mut(&id).expect("only a node that is up is stepped");
        node.step(now, input, &mut self.effects);
        loop {
            while let Some(sending) = self.effects.take_own() {
                let (from, mut message) = (sending.to, sending.message);
                arrives(&mut message, now);
                node.step(now, Input::Delivered { from, message }, &mut self.effects);
            }
            node.step(now, Input::TurnEnded, &mut self.effects);
            if !self.effects.sends.iter().any(|sending| sending.to == Endpoint::Node(id)) {
                break;
            }
        }
        self.carry_out(id);
    }

    fn carry_out(&mut self, id: NodeId) {
        let Effects { sends, writes, observations, drained, refuses, .. } =
            std::mem::take(&mut self.effects);
        if refuses {
            self.nodes.remove(&id);
            self.refused.insert(id);
        }
        if drained {
            self.drained.insert(id);
        }
        self.observed
            .extend(observations.into_iter().map(|observation| (self.now, id, observation)));
        assert!(writes.len() <= 1, "one write at a time");
        for write in writes {
            let incarnation = self.incarnations[&id];
            self.begun.push((self.now, id, write.clone()));
            self.schedule(FSYNC, Event::Synced { node: id, incarnation, write });
        }
        for sending in sends {
            let latency = match sending.to {
                Endpoint::Client(_) => CLIENT,
                Endpoint::Node(to) => {
                    match &sending.message {
                        Message::Beat(_) | Message::Gossip(_) | Message::Leaving(_) => {
                            self.sent.beats += 1;
                        }
                        Message::Journal(_) => self.sent.journal += 1,
                        Message::Requests(_)
                        | Message::Forwarded(_)
                        | Message::Answers(_)
                        | Message::Moves(_)
                        | Message::Replies(_)
                        | Message::Facts(_) => {
                            self.sent.others += 1;
                        }
                    }
                    let lost = self.loss.is_some_and(|one_in| self.draw.below(one_in) == 0);
                    if lost || self.cut.contains(&(id, to)) {
                        continue;
                    }
                    LINK
                }
            };
            let (from, to, message) = (Endpoint::Node(id), sending.to, sending.message);
            self.schedule(latency, Event::Deliver { from, to, message });
        }
    }

    fn schedule(&mut self, after: Span, event: Event) {
        self.scheduled += 1;
        self.events.insert((self.now + after, self.scheduled), event);
    }
}

/// Sets the instant of each item of a batch to its arrival, by the receiver's clock.
fn arrives(message: &mut Message, now: Instant) {
    match message {
        Message::Requests(batch) | Message::Forwarded(batch) => {
            batch.iter_mut().for_each(|timed| timed.at = now);
        }
        Message::Answers(batch) => batch.iter_mut().for_each(|timed| timed.at = now),
        Message::Replies(_)
        | Message::Beat(_)
        | Message::Gossip(_)
        | Message::Leaving(_)
        | Message::Moves(_)
        | Message::Journal(_)
        | Message::Facts(_) => {}
    }
}
