//! A booking node: a gateway, replicas of shards, and a view of its peers.
//!
//! Owns the composition: which part is told what, and in which order, the doors through which a driver changes the
//! node, and the invariants after every step. Refuses to know what a request means, who may write, and how anything is
//! carried out. Each part owns its fields and says in its header what it refuses to know.

mod activation;
mod audit;
mod beats;
mod boot;
mod boot_barrier;
mod coordinator;
mod disk;
mod elections;
mod lead_balance;
mod leader_placement;
mod moves;
mod peers;
mod recovery;
mod replicas;
mod reports;
mod requests;
mod retirement;
mod successors;

use std::sync::Arc;

use onsale_booking::{Draw, Endpoint, Instant, NodeId, Request, Span, Timed};

pub use self::audit::{Audit, Unsettled};
use self::boot_barrier::BootBarrier;
use self::coordinator::Coordinator;
use self::disk::Disk;
use self::elections::Elections;
use self::lead_balance::LeadBalance;
use self::moves::Wishes;
use self::peers::Peers;
use self::replicas::Replicas;
use self::retirement::Retirement;
use crate::beat::Beat;
use crate::config::{Overdue, Setup};
use crate::effect::Effects;
use crate::facts::Facts;
use crate::gateway::Gateway;
use crate::id::ShardId;
use crate::input::Input;
use crate::journal::JournalMessage;
use crate::mark::Mark;
use crate::message::Message;
use crate::observation::Observation;
use crate::placement::Placement;
use crate::release::Release;
use crate::shard::Answers;
use crate::write::{PersistId, Write};

/// Number of requests or answers of a batch that are prefetched together.
const READ_AHEAD: usize = 32;

/// One node of the cluster.
#[derive(Debug)]
pub struct Node {
    me: NodeId,
    /// Rises with every boot.
    incarnation: u64,
    release: Release,
    setup: Arc<Setup>,
    /// The latest map that the node knows; at first the one of the setup.
    placement: Arc<Placement>,
    /// Never runs backwards.
    now: Instant,
    next_beat: Instant,
    peers: Peers,
    gateway: Gateway,
    facts: Facts,
    replicas: Replicas,
    elections: Elections,
    disk: Disk,
    barrier: BootBarrier,
    wishes: Wishes,
    coordinator: Coordinator,
    /// `None` where leaders stay where elections put them.
    balance: Option<LeadBalance>,
    retirement: Retirement,
    /// Seeds the replicas that begin later.
    draw: Draw,
    /// This turn's answers to gateways.
    answers: Answers,
}

impl Node {
    /// Changes the node; the one door that all others are cases of. Never fails: hostile or stale input is refused with
    /// an observed reason. Inputs of one turn may come slightly out of order; the node's own time never runs backwards.
    ///
    /// # Panics
    ///
    /// If one of its own promises is broken.
    #[inline(always)]
    pub fn step(&mut self, now: Instant, input: Input, effects: &mut Effects) {
        if !self.enter(now, effects) {
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
            Input::DamageFound => self.disk.on_damage_found(effects),
            Input::Join => self.on_join(),
            Input::Leave(leaver) => self.on_leave(leaver, effects),
            Input::Recover { shard, generation, lost } => {
                self.on_recover(shard, generation, &lost, effects);
            }
            Input::GiveUp { shard, generation } => self.on_give_up(shard, generation, effects),
            Input::Retire => self.retirement.begin(),
            Input::DeadlineReached => self.on_deadline(effects),
            Input::TurnEnded => self.on_turn_ended(effects),
        }
    }

    /// Prefetches what `step` will read for these inputs, so that the cache misses overlap. Changes nothing but the
    /// time it takes.
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
            | Input::Recover { .. }
            | Input::GiveUp { .. }
            | Input::Retire
            | Input::DeadlineReached
            | Input::TurnEnded => None,
        }));
    }

    /// Takes a message: the same as `step` with [`Input::Delivered`], without building the input.
    #[inline]
    pub fn deliver(
        &mut self,
        now: Instant,
        from: Endpoint,
        message: Message,
        effects: &mut Effects,
    ) {
        if self.enter(now, effects) {
            self.on_delivered(from, message, effects);
        }
    }

    /// Takes a beat, which is most of a node's input: the same as `step`, without a message around it.
    #[inline]
    pub fn hear(&mut self, now: Instant, from: NodeId, beat: Beat, effects: &mut Effects) {
        if self.enter(now, effects) {
            self.on_beat(from, beat, effects);
        }
    }

    /// Takes a request that a gateway passed on: the same as `step` with [`Input::Forwarded`], without a copy.
    #[inline]
    pub fn decide(&mut self, now: Instant, from: NodeId, request: &Request, effects: &mut Effects) {
        if self.enter(now, effects) {
            self.on_forwarded(from, request, effects);
        }
    }

    /// Whether a request that a gateway passed on has waited too long for this node to decide it.
    #[inline]
    pub fn is_overdue(&self, waited: Span) -> bool {
        let config = &self.setup.config;
        let quarter = Span(config.gateway.try_timeout.0 / 4);
        config.leader.overdue == Overdue::PassedOver && waited > quarter
    }

    /// Passes over an overdue request, without an answer.
    pub fn pass_over(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::PassedOver));
    }

    /// The next instant at which the node wants to be stepped, if nothing else happens; `None` once it has stopped. May
    /// be too early, never too late.
    #[inline]
    pub fn next_deadline(&self) -> Option<Instant> {
        if self.disk.has_failed() {
            return self.disk.has_finding().then_some(self.now);
        }
        let mut next = self.next_beat.min(self.peers.next_deadline());
        next = next.min(self.replicas.next_deadline());
        next = next.min(self.disk.next_deadline());
        next = next.min(self.gateway.next_deadline().unwrap_or(Instant::MAX));
        next = next.min(self.facts.next_deadline().unwrap_or(Instant::MAX));
        Some(next.min(self.elections.next_deadline()))
    }

    /// The guard behind every door: whether the node still acts. A node whose disk failed, or that has refused to go
    /// on, does nothing more; for any other, time goes on and never backwards.
    #[inline]
    fn enter(&mut self, now: Instant, effects: &mut Effects) -> bool {
        if self.disk.has_failed() {
            self.disk.tell_what_was_found(effects);
            return false;
        }
        self.advance(now, effects);
        true
    }

    /// The invariants after every turn; cheap.
    fn check_invariants(&self, effects: &Effects) {
        assert!(
            effects.sends.is_empty() || !self.barrier.is_up(),
            "{}: nothing leaves before the first write of a boot is durable",
            self.me
        );
        assert!(self.answers.is_empty(), "{}: what is decided is answered in its turn", self.me);
        self.replicas.check_invariants();
        self.disk.check_invariants();
    }

    #[inline]
    fn advance(&mut self, now: Instant, effects: &mut Effects) {
        self.now = self.now.max(now);
        effects.begin(self.now, self.me);
        self.excuse_own_standstill(effects);
    }

    /// Excuses the peers if this node's own beat is overdue: then it was this node that stood still, and its peers'
    /// messages are still to be read.
    #[inline]
    fn excuse_own_standstill(&mut self, effects: &mut Effects) {
        if self.now > self.next_beat + self.setup.config.acceptable_pause {
            self.stood_still(effects);
        }
    }

    #[cold]
    fn stood_still(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::StoodStill));
        self.peers.excuse(self.now);
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
        if !self.disk.expects(id, effects) {
            return;
        }
        self.barrier.lift(effects);
        self.facts.on_persisted(self.now, effects);
        let tickets = self.disk.on_persisted(id);
        for &(id, ticket) in &tickets {
            if let Some(shard) = self.replicas.get_mut(id) {
                shard.on_fsynced(ticket);
                self.replicas.touch(id);
            }
        }
        self.disk.reuse(tickets);
    }

    fn on_write_failed(&mut self, id: PersistId, effects: &mut Effects) {
        if self.disk.expects(id, effects) {
            self.disk.on_write_failed(effects);
        }
    }

    fn on_write_refused(&mut self, write: Write, effects: &mut Effects) {
        if self.disk.expects(write.id, effects) {
            self.disk.on_write_refused(self.now, write, effects);
            self.call_successors(effects);
        }
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
        if !self.reads(id, &message) {
            return self.refuse(effects);
        }
        match self.replicas.get_mut(id).filter(|_| message.from() == from) {
            Some(shard) => {
                shard.on_message(self.now, message);
                self.replicas.touch(id);
            }
            None => {
                effects.observe(Observation::Refused { shard: id, reason: Mark::JournalAstray })
            }
        }
    }

    fn on_deadline(&mut self, effects: &mut Effects) {
        if self.next_beat <= self.now {
            self.beat(effects);
            self.move_on(effects);
            self.activate_format();
            self.balance_leads(effects);
            self.replicas.tell_times(self.now);
            // Beats missed while the process stood still are not made up for.
            self.next_beat = self.now + self.setup.config.beat_every;
        }
        self.replicas.on_deadline(self.now);
        self.disk.write_again(self.now, effects);
        self.gateway.on_deadline(self.now, effects);
        if self.facts.next_deadline().is_some_and(|at| at <= self.now) {
            self.facts.on_deadline(self.now, effects);
        }
    }

    /// Suspects peers only now and not at the deadline, so that all that has arrived is heard first.
    fn on_turn_ended(&mut self, effects: &mut Effects) {
        self.disk.tell_what_was_found(effects);
        if self.peers.next_deadline() <= self.now {
            self.suspect(effects);
        }
        if self.elections.next_deadline() <= self.now {
            self.campaign(effects);
        }
        if self.retirement.has_begun() {
            self.transfer_all_leads(effects);
        }
        while self.replicas.has_touched() {
            self.settle(effects);
        }
        if !self.answers.is_empty() {
            let answers = self.answers.take_runs();
            answers.into_iter().for_each(|(gateway, batch)| effects.answer(gateway, batch));
        }
        self.gateway.on_turn_ended();
        self.disk.write(&self.replicas, &mut self.facts, effects);
        if self.retirement.has_begun() {
            self.drain(effects);
        }
        self.barrier.hold_back(effects);
        self.peers.sharpen(self.next_beat);
        self.check_invariants(effects);
    }

    /// Closes the turn of every replica that was touched, and draws the consequences for the gateway, the map and
    /// elections.
    fn settle(&mut self, effects: &mut Effects) {
        let mut touched = self.replicas.take_touched();
        let (mut orphaned, mut newer_map) = (Vec::new(), None);
        for id in touched.drain(..) {
            let settled = self.replicas.settle(id, self.now, &mut self.answers, effects);
            let Some((shard, ready)) = settled else { continue };
            self.disk.gather(id, ready);
            if let Some(map) = shard.map().filter(|map| map.version() > self.placement.version()) {
                newer_map = Some(Arc::clone(map));
            }
            let journal = shard.journal();
            if let Some(leader) = journal.leader() {
                self.gateway.on_leader_known(id, leader, journal.epoch());
                // No suspicion is still to come that would wake a sleeping journal.
                if self.peers.suspects(leader) && !journal.awake() {
                    orphaned.push((id, leader));
                }
            }
        }
        self.replicas.settled(self.now, touched);
        newer_map.into_iter().for_each(|map| self.adopt(&map));
        // A leader that is well is heard before this, and trusted again.
        let later = self.now + self.setup.config.beat_every + self.setup.config.beat_every;
        orphaned.into_iter().for_each(|(id, leader)| self.stand_against(id, leader, later));
    }
}

#[cfg(test)]
mod tests;
