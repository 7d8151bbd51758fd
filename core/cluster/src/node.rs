//! A booking node: a gateway, replicas of shards, and an eye on its peers.
//!
//! Owns the composition: who is told what in which order, the node's one write-ahead
//! log, its timers, and when sleeping groups are woken. Refuses to know what a request
//! means, who may write, and how anything is carried out.

mod audit;
mod balance;
mod elections;
mod members;
mod moves;
mod reports;
mod requests;
mod retirement;
mod start;
mod storage;

use std::collections::BTreeSet;
use std::sync::Arc;

use onsale_booking::{Draw, Endpoint, Instant, NodeId, Request, Span, Timed};

pub use self::audit::Audit;
use self::balance::Balance;
use self::moves::Wishes;
use self::retirement::Retirement;
use self::storage::Storage;
use crate::beat::Beat;
use crate::config::{Config, Overdue, Setup};
use crate::detector::{Detector, Heard};
use crate::effect::{Effects, Sending};
use crate::facts::Facts;
use crate::gateway::Gateway;
use crate::id::{Epoch, ShardId};
use crate::input::Input;
use crate::journal::{Durable, Found, Journal, JournalMessage, RaftGroup, Ready, Settings, Wal};
use crate::mark::Mark;
use crate::membership::Membership;
use crate::message::Message;
use crate::observation::Observation;
use crate::placement::Placement;
use crate::resolver::Resolver;
use crate::shard::{Answers, Shard, TELL_EVERY};
use crate::write::PersistId;

/// So many requests or answers of a batch are looked at ahead of their turn.
const READ_AHEAD: usize = 32;

/// One node of the cluster.
#[derive(Debug)]
pub struct Node {
    me: NodeId,
    incarnation: u64,
    setup: Arc<Setup>,
    /// The map that it goes by; that of the setup is the first.
    placement: Arc<Placement>,
    wishes: Wishes,
    /// None where leads stay where they fall.
    balance: Option<Balance>,
    /// For replicas that begin later.
    draw: Draw,
    now: Instant,
    detector: Detector,
    membership: Membership,
    resolver: Resolver,
    gateway: Gateway,
    facts: Facts,
    /// By shard number; those that this node replicates. Boxed, for of many shards it has few.
    shards: Vec<Option<Box<Shard>>>,
    /// Their numbers, in order.
    carried: Vec<ShardId>,
    /// Shards to settle at the end of the turn, in the order of their first touch.
    touched: Vec<ShardId>,
    is_touched: Vec<bool>,
    /// By shard number: whether its journal needs ticks; and how many do.
    is_awake: Vec<bool>,
    awake: usize,
    wal: Wal,
    writing: Option<PersistId>,
    /// Elections to stand for: when, where, the epoch that must not have passed, and the
    /// leader to replace.
    campaigns: BTreeSet<(Instant, ShardId, Epoch, NodeId)>,
    next_beat: Instant,
    /// With the first beat from then on it tells the time of shards with live holds to who may not know it.
    next_telling: Instant,
    /// Ticks come at this offset of each multiple of the pace, so that nodes differ.
    tick_offset: Span,
    next_tick: Option<Instant>,
    /// No hold of an owned show ends before this.
    expires_at: Instant,
    /// What was found on the disk at the start, and is still to be told.
    found: Option<Mark>,
    /// Messages held back until the first write of this boot is durable; none once it is.
    held: Option<Vec<Sending>>,
    /// In which boot it found the latest time that its disk had forgotten, where replicas are renewed then.
    forgot: Option<u64>,
    storage: Storage,
    retirement: Option<Retirement>,
    ready: Ready,
    answers: Answers,
}

impl Node {
    /// A node as it comes up at `now` with what was found on its disk. `incarnation` rises with every boot.
    /// Its first deadline is `now`.
    ///
    /// What a process reads back is durable only as far as somebody synced it: after the crash of a process
    /// alone it may be in the page cache and nowhere else, and after a failed fsync even another fsync may
    /// report a success that means nothing. So a node does not trust that what it has read is on the disk. It writes all of
    /// it anew at once, into a segment of its own, and sends nothing before that is durable.
    ///
    /// What a driver must do for it: create that segment as a new file, and answer a write with
    /// [`Input::Persisted`] only when the file and the directory entry are durable. Keep
    /// [`Found::has_written`] where the loss of the log's disk does not lose it, and set it durably before it hands over
    /// the first such answer that the node ever gets. Hand over the segments as they are: a driver that drops or mends
    /// a torn one takes away the evidence.
    pub fn boot(
        setup: Arc<Setup>,
        me: NodeId,
        incarnation: u64,
        seed: u64,
        found: Found,
        now: Instant,
    ) -> Self {
        let mut draw = Draw::new(seed);
        let (config, placement) = (&setup.config, &setup.placement);
        let renewed = placement.map_shard().is_some();
        let mut recovered = storage::recover(incarnation, found, renewed);
        let facts_start = members::facts_start(&recovered, placement.has(me));
        let mut shards = Vec::with_capacity(placement.shards() as usize);
        let mut carried = Vec::new();
        for id in (0..placement.shards()).map(ShardId) {
            let members = placement.replicas(id);
            // What the first map says a node that forgot no longer remembers to be true of it.
            let begins = members.contains(&me) && recovered.forgot.is_none();
            if !begins && !recovered.has(id) {
                shards.push(None);
                continue;
            }
            let settings = settings(config, &mut draw);
            let durable = recovered.take(id);
            let first_boot = durable == Durable::default();
            let journal = RaftGroup::new(id, me, members, settings, durable);
            let mut shard = Shard::new(id, me, Arc::clone(&setup), journal);
            if first_boot && members[0] == me {
                shard.campaign();
            }
            shards.push(Some(Box::new(shard)));
            carried.push(id);
        }
        let tick_offset = Span(draw.below(config.tick_every.0));
        let gateway_draw = Draw::new(draw.below(u64::MAX));
        let placement = Arc::clone(placement);
        let gateway = Gateway::new(
            config.gateway.clone(),
            Arc::clone(&placement),
            setup.shows,
            gateway_draw,
            now,
        );
        let facts = Facts::boot(
            (me, incarnation),
            facts_start,
            config.facts.clone(),
            placement.node_ids().filter(|&node| node != me),
            Draw::new(draw.below(u64::MAX)),
            &recovered.facts,
            now,
        );
        let mut node = Self {
            me,
            incarnation,
            wishes: Wishes::default(),
            balance: Balance::new(config.leads, placement.shards(), placement.nodes(), now),
            draw,
            now,
            detector: Detector::new(config.suspicion(), placement.node_ids(), me, now),
            membership: Membership::new(me, incarnation, placement.nodes(), now),
            resolver: Resolver::new(config, placement.node_ids().count() as u16, now),
            gateway,
            facts,
            touched: Vec::new(),
            is_touched: vec![false; shards.len()],
            is_awake: vec![false; shards.len()],
            awake: 0,
            wal: Wal::new(config.segment_bytes as usize, recovered.next_segment),
            writing: None,
            campaigns: BTreeSet::new(),
            next_beat: now,
            next_telling: now,
            tick_offset,
            next_tick: None,
            expires_at: Instant::MAX,
            found: storage::found(&recovered),
            held: Some(Vec::new()),
            forgot: recovered.forgot,
            storage: Storage::default(),
            retirement: None,
            ready: Ready::default(),
            answers: Answers::default(),
            shards,
            carried,
            placement,
            setup,
        };
        node.wal.remember(node.forgot);
        node.wal.renew();
        if node.placement.map_shard().is_some() {
            node.on_other_nodes();
        }
        for place in 0..node.carried.len() {
            node.touch(node.carried[place]);
        }
        node
    }

    /// The only way in which the node changes. Never fails: what is hostile or stale is
    /// refused with an observed reason. Inputs of one turn may come slightly out of
    /// order; the node's own time never runs backwards.
    ///
    /// # Panics
    ///
    /// When one of its own promises is broken.
    #[inline]
    pub fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if !self.begins(now, effects) {
            return;
        }
        match input {
            Input::Delivered { from, message } => self.on_delivered(from, message, effects),
            Input::Request { from, request } => self.on_request(from, &request, effects),
            Input::Forwarded { from, request } => self.on_forwarded(from, &request, effects),
            Input::Answered { from, answer } => self.on_answered(from, &answer, effects),
            Input::Persisted(id) => self.on_persisted(id, effects),
            Input::WriteFailed(id) => self.on_write_failed(id, effects),
            Input::WriteRefused(write) => self.on_write_refused(write, effects),
            Input::DamageFound => self.on_damage_found(effects),
            Input::Join => self.on_join(),
            Input::Leave(node) => self.on_leave(node, effects),
            Input::Retire => self.on_retire(),
            Input::DeadlineReached => self.on_deadline(effects),
            Input::TurnEnded => self.on_turn_ended(effects),
        }
    }

    /// Looks ahead at what steps with these inputs will look at: the misses overlap, where one step after
    /// another would wait for each in turn. Changes nothing but the time it takes.
    pub fn read_ahead<'a>(&self, inputs: impl Iterator<Item = &'a Input>) {
        self.read_ahead_of_decisions(inputs.filter_map(|input| match input {
            Input::Forwarded { request, .. } => Some(request),
            Input::Delivered { .. }
            | Input::Request { .. }
            | Input::Answered { .. }
            | Input::Persisted(_)
            | Input::WriteFailed(_)
            | Input::WriteRefused(_)
            | Input::DamageFound
            | Input::Join
            | Input::Leave(_)
            | Input::Retire
            | Input::DeadlineReached
            | Input::TurnEnded => None,
        }));
    }

    /// The same as `step` with a message that arrived.
    #[inline]
    pub fn deliver(
        &mut self,
        now: Instant,
        from: Endpoint,
        message: Message,
        effects: &mut Effects,
    ) {
        if self.begins(now, effects) {
            self.on_delivered(from, message, effects);
        }
    }

    /// The same as `step` with a beat, which is most of what a node hears, and no message around it.
    #[inline]
    pub fn hear(&mut self, now: Instant, from: NodeId, beat: Beat, effects: &mut Effects) {
        if self.begins(now, effects) {
            self.on_beat(from, beat, effects);
        }
    }

    /// The same as `step` with [`Input::DeadlineReached`].
    #[inline]
    pub fn wake(&mut self, now: Instant, effects: &mut Effects) {
        if self.begins(now, effects) {
            self.on_deadline(effects);
        }
    }

    /// The same as `step` with [`Input::TurnEnded`], which every turn ends with.
    #[inline]
    pub fn end_turn(&mut self, now: Instant, effects: &mut Effects) {
        if self.begins(now, effects) {
            self.on_turn_ended(effects);
        }
    }

    /// The same as `step` with a request that a gateway passed on, looked at where it stands.
    #[inline]
    pub fn decide(&mut self, now: Instant, from: NodeId, request: &Request, effects: &mut Effects) {
        if self.begins(now, effects) {
            self.on_forwarded(from, request, effects);
        }
    }

    /// Whether a request that a gateway passed on has waited for so long that this node no longer decides it.
    #[inline]
    pub fn is_overdue(&self, waited: Span) -> bool {
        let config = &self.setup.config;
        let quarter = Span(config.gateway.try_timeout.0 / 4);
        config.owner.overdue == Overdue::PassedOver && waited > quarter
    }

    /// Such a request is passed over.
    pub fn pass_over(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::PassedOver));
    }

    /// When the node wants to be stepped next, whatever else happens. May lie too early.
    #[inline]
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.storage.has_failed() {
            return None;
        }
        let mut next = self.next_beat.min(self.detector.next_deadline()).min(self.expires_at);
        next = next.min(self.storage.next_deadline());
        next = next.min(self.next_tick.unwrap_or(Instant::MAX));
        next = next.min(self.gateway.next_deadline().unwrap_or(Instant::MAX));
        next = next.min(self.facts.next_deadline().unwrap_or(Instant::MAX));
        next = next.min(self.next_campaign());
        Some(next)
    }

    /// Begins a step; false if the node does nothing any more.
    #[inline]
    fn begins(&mut self, now: Instant, effects: &mut Effects) -> bool {
        if self.storage.has_failed() {
            return false;
        }
        self.advance(now, effects);
        true
    }

    #[inline]
    fn advance(&mut self, now: Instant, effects: &mut Effects) {
        self.now = self.now.max(now);
        effects.begin(self.now, self.me);
        self.excuse_own_standstill(effects);
    }

    /// If this node's own beat is overdue it was this node that stood still, and what its
    /// peers have sent meanwhile is still to be taken in.
    #[inline]
    fn excuse_own_standstill(&mut self, effects: &mut Effects) {
        if self.now > self.next_beat + self.setup.config.acceptable_pause {
            self.stood_still(effects);
        }
    }

    #[cold]
    fn stood_still(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::StoodStill));
        self.detector.excuse(self.now);
        self.membership.excuse(self.now);
        self.resolver.excuse(self.now);
        self.next_beat = self.now;
    }

    fn on_delivered(&mut self, from: Endpoint, message: Message, effects: &mut Effects) {
        match (from, message) {
            (Endpoint::Client(_), Message::Requests(batch)) => {
                self.on_requests(from, batch, effects)
            }
            (Endpoint::Node(node), Message::Forwarded(batch)) => {
                for ahead in batch.chunks(READ_AHEAD) {
                    self.read_ahead_of_decisions(ahead.iter().map(|timed| &timed.item));
                    for Timed { at, item } in ahead {
                        self.advance(*at, effects);
                        self.on_forwarded(node, item, effects);
                    }
                }
            }
            (Endpoint::Node(node), Message::Answers(batch)) => {
                for ahead in batch.chunks(READ_AHEAD) {
                    self.gateway.read_ahead_of_answers(ahead);
                    for Timed { at, item } in ahead {
                        self.advance(*at, effects);
                        self.on_answered(node, item, effects);
                    }
                }
            }
            (Endpoint::Node(node), Message::Beat(beat)) => self.on_beat(node, beat, effects),
            (Endpoint::Node(node), Message::Gossip(gossip)) => {
                self.on_gossip(node, &gossip, effects);
            }
            (Endpoint::Node(node), Message::Moves(moves)) => self.on_moves(node, moves, effects),
            (Endpoint::Node(node), Message::Leaving(beat)) => {
                self.on_leaving(node, beat, effects);
            }
            (Endpoint::Node(node), Message::Journal(mut batch)) => {
                for (shard, message) in batch.drain(..) {
                    self.on_journal(node, shard, message, effects);
                }
                effects.reuse(batch);
            }
            (from, Message::Facts(message)) => {
                self.facts.on_message(self.now, from, *message, effects)
            }
            (Endpoint::Node(_), Message::Requests(_) | Message::Replies(_))
            | (
                Endpoint::Client(_),
                Message::Forwarded(_)
                | Message::Answers(_)
                | Message::Replies(_)
                | Message::Beat(_)
                | Message::Gossip(_)
                | Message::Leaving(_)
                | Message::Moves(_)
                | Message::Journal(_),
            ) => effects.observe(Observation::Mark(Mark::ImpossibleMessage)),
        }
    }

    fn on_persisted(&mut self, id: PersistId, effects: &mut Effects) {
        if self.writing != Some(id) {
            return effects.observe(Observation::Mark(Mark::StrayWriteAnswer));
        }
        self.writing = None;
        self.speak(effects);
        self.facts.on_persisted(self.now, effects);
        let tickets = self.wal.persisted(id);
        for &(id, ticket) in &tickets {
            if let Some(shard) = &mut self.shards[id.0 as usize] {
                shard.on_fsynced(ticket);
                self.touch(id);
            }
        }
        self.wal.reuse(tickets);
    }

    fn on_journal(
        &mut self,
        from: NodeId,
        id: ShardId,
        message: JournalMessage,
        effects: &mut Effects,
    ) {
        if self.placement.map_shard().is_some() {
            self.begin_replica(id, &message, effects);
        }
        let shard = self.shards.get_mut(id.0 as usize).and_then(Option::as_mut);
        match shard.filter(|_| message.from() == from) {
            Some(shard) => {
                shard.on_message(self.now, message);
                self.touch(id);
            }
            None => {
                effects.observe(Observation::Refused { shard: id, reason: Mark::JournalAstray })
            }
        }
    }

    #[inline]
    fn on_beat(&mut self, from: NodeId, beat: Beat, effects: &mut Effects) {
        if u64::from(beat.map) != self.placement.version() {
            self.on_version(from, beat.map.into(), effects);
        }
        if let Some(balance) = &mut self.balance {
            balance.on_told(from, beat.load);
        }
        let heard = self.detector.heard(from, beat.incarnation, self.now);
        if heard != Some(Heard::Steady) {
            self.on_news(from, beat, heard, effects);
        }
        if self.membership.on_beat(from, beat) {
            self.admit(from, effects);
        }
    }

    /// A beat said more than that its sender is well.
    #[cold]
    fn on_news(&mut self, from: NodeId, beat: Beat, heard: Option<Heard>, effects: &mut Effects) {
        match heard {
            Some(Heard::Steady) => {}
            Some(Heard::Again) => {
                effects.observe(Observation::Trusted { peer: from });
                self.gateway.on_trusted(from);
                self.facts.on_heard(self.now, from, beat.incarnation);
                self.campaigns.retain(|&(.., leader)| leader != from);
                self.wake_followers(from);
            }
            Some(Heard::Restarted { suspected }) => {
                if suspected {
                    effects.observe(Observation::Trusted { peer: from });
                }
                self.gateway.on_trusted(from);
                effects.observe(Observation::Mark(Mark::PeerRestarted));
                self.facts.on_heard(self.now, from, beat.incarnation);
                self.wake_followers(from);
                self.replace(from);
            }
            Some(Heard::Stale) => effects.observe(Observation::Mark(Mark::StaleBeat)),
            None => effects.observe(Observation::Mark(Mark::StrangeBeat)),
        }
    }

    fn on_deadline(&mut self, effects: &mut Effects) {
        if self.next_beat <= self.now {
            self.beat(effects);
            self.move_on(effects);
            self.balance(effects);
            self.tell_times();
            // Beats missed while the process stood still are not made up for.
            self.next_beat = self.now + self.setup.config.beat_every;
        }
        if self.next_tick.is_some_and(|at| at <= self.now) {
            for place in 0..self.carried.len() {
                let id = self.carried[place];
                if self.is_awake[id.0 as usize]
                    && let Some(shard) = &mut self.shards[id.0 as usize]
                {
                    shard.on_tick();
                    self.touch(id);
                }
            }
            self.next_tick = Some(self.tick_after(self.now));
        }
        if self.expires_at <= self.now {
            self.expire();
        }
        self.write_again(effects);
        self.gateway.on_deadline(self.now, effects);
        if self.facts.next_deadline().is_some_and(|at| at <= self.now) {
            self.facts.on_deadline(self.now, effects);
        }
    }

    /// Suspicion comes here and not with the deadline: what has arrived is heard first.
    fn on_turn_ended(&mut self, effects: &mut Effects) {
        if self.found.is_some() {
            self.tell_what_was_found(effects);
        }
        if self.detector.next_deadline() <= self.now {
            self.suspect(effects);
        }
        if self.next_campaign() <= self.now {
            self.campaign(effects);
        }
        if self.retirement.is_some() {
            self.transfer_leads(effects);
        }
        while !self.touched.is_empty() {
            self.settle(effects);
        }
        if !self.answers.is_empty() {
            let answers = self.answers.take_runs();
            answers.into_iter().for_each(|(gateway, batch)| effects.answer(gateway, batch));
        }
        self.gateway.on_turn_ended();
        self.write(effects);
        if self.retirement.is_some() {
            self.drain(effects);
        }
        self.hold_back(effects);
        self.detector.sharpen(self.next_beat);
    }

    fn touch(&mut self, id: ShardId) {
        if !std::mem::replace(&mut self.is_touched[id.0 as usize], true) {
            self.touched.push(id);
        }
    }

    fn settle(&mut self, effects: &mut Effects) {
        let mut touched = std::mem::take(&mut self.touched);
        let (mut orphaned, mut newer_map) = (Vec::new(), None);
        for id in touched.drain(..) {
            self.is_touched[id.0 as usize] = false;
            let Some(shard) = &mut self.shards[id.0 as usize] else { continue };
            shard.settle(self.now, &mut self.ready, &mut self.answers, effects);
            self.wal.gather(id, &self.ready);
            self.expires_at = self.expires_at.min(shard.next_deadline());
            if let Some(map) = shard.map().filter(|map| map.version() > self.placement.version()) {
                newer_map = Some(Arc::clone(map));
            }
            let journal = shard.journal();
            let leader = journal.leader();
            if let Some(leader) = leader {
                self.gateway.on_owner_known(id, leader, journal.epoch());
            }
            let awake = journal.awake();
            if std::mem::replace(&mut self.is_awake[id.0 as usize], awake) != awake {
                self.awake = if awake { self.awake + 1 } else { self.awake - 1 };
            }
            if !awake {
                // No suspicion is to come that would wake it.
                if let Some(leader) = leader.filter(|&leader| self.detector.suspects(leader)) {
                    orphaned.push((id, leader));
                }
            }
            if shard.is_unsettled() {
                self.is_touched[id.0 as usize] = true;
                self.touched.push(id);
            }
        }
        self.next_tick = match self.next_tick {
            _ if self.awake == 0 => None,
            Some(at) => Some(at),
            None => Some(self.tick_after(self.now)),
        };
        if self.touched.is_empty() {
            self.touched = touched;
        }
        newer_map.into_iter().for_each(|map| self.adopt(&map));
        // A leader that is well is heard before this, and trusted again.
        let later = self.now + self.setup.config.beat_every + self.setup.config.beat_every;
        if !orphaned.is_empty() {
            orphaned.into_iter().for_each(|(id, leader)| self.stand_against(id, leader, later));
        }
    }

    fn write(&mut self, effects: &mut Effects) {
        if self.facts.has_log() {
            self.wal.gather_facts(self.facts.drain_log());
        }
        if !self.wal.has_a_write() {
            return;
        }
        if self.wal.segment_is_due() {
            self.wal.inherits(|out| self.facts.checkpoint(out));
        }
        let journals = self.shards.iter().flatten().map(|shard| shard.journal());
        if let Some(write) = self.wal.begin(journals) {
            assert!(self.writing.is_none(), "at most one write is in flight");
            self.writing = Some(write.id);
            self.facts.on_write_begun();
            effects.persist(write);
        }
    }

    /// Holds go on by the same time whichever replica leads next: all hear it.
    fn tell_times(&mut self) {
        if self.now < self.next_telling {
            return;
        }
        self.next_telling = self.now + TELL_EVERY;
        for place in 0..self.carried.len() {
            let id = self.carried[place];
            if let Some(shard) = &mut self.shards[id.0 as usize]
                && shard.tell_time()
            {
                self.touch(id);
            }
        }
    }

    fn expire(&mut self) {
        self.expires_at = Instant::MAX;
        for place in 0..self.carried.len() {
            let id = self.carried[place];
            let Some(shard) = &mut self.shards[id.0 as usize] else { continue };
            let due = shard.next_deadline() <= self.now;
            if due {
                shard.on_deadline(self.now);
            }
            self.expires_at = self.expires_at.min(shard.next_deadline());
            if due {
                self.touch(id);
            }
        }
    }

    /// The first tick after `now` on this node's grid.
    fn tick_after(&self, now: Instant) -> Instant {
        let every = self.setup.config.tick_every.0;
        let passed = now.0.saturating_sub(self.tick_offset.0) / every;
        Instant((passed + 1) * every + self.tick_offset.0)
    }
}

/// How a replica on this node behaves in time. The library would draw election timeouts from an
/// unseeded generator; a range of one value that is drawn here leaves it no choice.
fn settings(config: &Config, draw: &mut Draw) -> Settings {
    let election_ticks = u64::from(config.election_ticks);
    Settings {
        election_ticks: (election_ticks + draw.below(election_ticks)) as usize,
        keep_records: u64::from(config.keep_records),
        promises: config.promises,
        ..Settings::default()
    }
}

#[cfg(test)]
mod tests;
