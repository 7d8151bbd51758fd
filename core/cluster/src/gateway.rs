//! The gateway: takes clients' requests and ensures replies.
//!
//! Owns the requests in flight, which node it believes to lead each shard, and the cost of retries. Refuses to know
//! what a request means: it reads a request's id and show. Every node is a gateway; a request for a shard that its own
//! node leads is sent to that node like any other.

mod budget;
mod flights;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

use onsale_booking::{
    Draw, Endpoint, Instant, NodeId, Outcome, Refusal, Reply, Request, RequestId, Span, Timed,
};

pub use self::budget::BUDGET_REFILLS;
use self::budget::Budget;
use self::flights::{Flight, Flights, Phase};
use crate::config::GatewayConfig;
use crate::effect::Effects;
use crate::id::{Epoch, ShardId};
use crate::mark::Mark;
use crate::message::Answer;
use crate::observation::Observation;
use crate::placement::Placement;
use crate::resolver::Service;

/// The gateway of one node.
#[derive(Clone, Debug)]
pub struct Gateway {
    config: GatewayConfig,
    placement: Arc<Placement>,
    shows: u32,
    draw: Draw,
    budget: Budget,
    beliefs: Vec<Belief>,
    in_flight: Vec<u32>,
    suspected: Vec<bool>,
    /// The shards for which it serves clients, as the resolver has judged.
    service: Service,
    flights: Flights,
    /// In order of their instants, since every attempt has the same time-out.
    timeouts: VecDeque<Alarm>,
    backoffs: BinaryHeap<Reverse<Alarm>>,
}

/// The node that the gateway believes to lead a shard.
#[derive(Clone, Copy, Debug)]
struct Belief {
    leader: NodeId,
    epoch: Epoch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Alarm {
    at: Instant,
    slot: u32,
    moves: u32,
}

impl Gateway {
    /// A gateway for shows numbered below `shows`.
    pub fn new(
        config: GatewayConfig,
        placement: Arc<Placement>,
        shows: u32,
        draw: Draw,
        now: Instant,
    ) -> Self {
        let first =
            |shard| Belief { leader: placement.replicas(ShardId(shard))[0], epoch: Epoch(0) };
        Self {
            budget: Budget::new(config.retry_budget, now),
            beliefs: (0..placement.shards()).map(first).collect(),
            in_flight: vec![0; placement.shards() as usize],
            suspected: vec![false; usize::from(placement.nodes()) + 1],
            service: Service::All,
            flights: Flights::default(),
            timeouts: VecDeque::new(),
            backoffs: BinaryHeap::new(),
            config,
            placement,
            shows,
            draw,
        }
    }

    /// Takes a client's request. Its reply leaves through `effects`, now or later.
    pub fn on_request(
        &mut self,
        now: Instant,
        from: Endpoint,
        request: &Request,
        effects: &mut Effects,
    ) {
        if let Some(target) = self.admit(now, from, request, effects) {
            effects.forward(target, request.clone());
        }
    }

    /// Takes a client's request, but leaves it to the caller to pass it on: returns the node that it has to go to, if
    /// any.
    #[inline]
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        from: Endpoint,
        request: &Request,
        effects: &mut Effects,
    ) -> Option<NodeId> {
        if request.show.0 >= self.shows {
            effects.refuse(from, request.id, Refusal::BadRequest);
            return None;
        }
        if let Some(slot) = self.flights.find(request.id) {
            self.flights[slot].reply_to = from;
            effects.observe(Observation::Mark(Mark::RepeatInFlight));
            return None;
        }
        let shard = self.placement.shard_of(request.show);
        if self.refuses(shard) {
            effects.observe(Observation::Refused { shard, reason: Mark::RefusedInMinority });
            effects.refuse(from, request.id, Refusal::Minority);
            return None;
        }
        let in_flight = &mut self.in_flight[shard.0 as usize];
        if *in_flight >= self.config.in_flight_per_shard {
            effects.observe(Observation::Refused { shard, reason: Mark::TooManyInFlight });
            effects.refuse(from, request.id, Refusal::Overloaded);
            return None;
        }
        *in_flight += 1;
        self.budget.deposit();
        let slot = self.flights.take_off(request, from, shard);
        let target = self.first_choice(shard);
        self.attempt(now, slot, target);
        Some(target)
    }

    /// Prefetches what `admit` will read for each of these requests.
    pub(crate) fn read_ahead_of_requests(&self, requests: &[Timed<Request>]) {
        self.flights.read_ahead_of_take_off(requests.iter().map(|timed| timed.item.id));
    }

    /// Prefetches what `on_answer` will read for each of these answers.
    pub(crate) fn read_ahead_of_answers(&self, answers: &[Timed<Answer>]) {
        self.flights.read_ahead(answers.iter().map(|timed| timed.item.request()));
    }

    /// Takes an answer of a node, perhaps this one.
    #[inline]
    pub fn on_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        answer: &Answer,
        effects: &mut Effects,
    ) {
        match answer {
            Answer::Decided(reply) => self.on_decided(from, reply, effects),
            &Answer::NotLeader { request, shard, leader } => {
                self.on_not_leader(now, from, request, shard, leader, effects)
            }
        }
    }

    /// Handles time-outs and backoffs that have ended.
    pub fn on_deadline(&mut self, now: Instant, effects: &mut Effects) {
        while let Some(alarm) = self.timeouts.front().copied().filter(|alarm| alarm.at <= now) {
            self.timeouts.pop_front();
            if self.is_live(alarm) {
                effects.observe(Observation::Mark(Mark::AttemptTimedOut));
                self.back_off(now, alarm.slot, effects);
            }
        }
        while let Some(alarm) =
            self.backoffs.peek().map(|entry| entry.0).filter(|alarm| alarm.at <= now)
        {
            self.backoffs.pop();
            if self.is_live(alarm) {
                let target = self.next_choice(&self.flights[alarm.slot]);
                self.ask_again(now, alarm.slot, target, effects);
            }
        }
    }

    /// A peer has fallen silent: attempts pending there have failed, and the next go elsewhere.
    pub fn on_suspected(&mut self, now: Instant, peer: NodeId, effects: &mut Effects) {
        self.suspected[usize::from(peer.0)] = true;
        for slot in self.flights.places() {
            let flight = &self.flights[slot];
            if flight.phase == Phase::Asked && flight.target == peer {
                self.back_off(now, slot, effects);
            }
        }
        self.refuse_those_under_way(effects);
    }

    /// A peer is about to stop: it will still answer pending attempts, but the next ones go elsewhere.
    pub fn on_leaving(&mut self, peer: NodeId) {
        self.suspected[usize::from(peer.0)] = true;
    }

    /// Whether requests avoid a peer if they can.
    pub fn avoids(&self, peer: NodeId) -> bool {
        self.suspected[usize::from(peer.0)]
    }

    /// A peer is heard again.
    pub fn on_trusted(&mut self, peer: NodeId) {
        self.suspected[usize::from(peer.0)] = false;
    }

    /// The shards for which clients are served.
    pub fn service(&self) -> Service {
        self.service
    }

    /// Sets the shards for which the node serves clients: pending requests for others are refused, and so are new ones.
    pub fn serve(&mut self, service: Service, effects: &mut Effects) {
        self.service = service;
        self.refuse_those_under_way(effects);
    }

    /// Adopts a newer map. A node that no longer carries a shard is not asked about it any more: it may be gone, and
    /// never learns which node leads the shard.
    pub fn on_map(&mut self, placement: Arc<Placement>) {
        self.placement = placement;
        for shard in (0..self.placement.shards()).map(ShardId) {
            self.forget_leader(shard, self.beliefs[shard.0 as usize].leader);
        }
    }

    /// Believes that a shard's first replica leads it, if `node`, believed so far, carries no replica of it by the map.
    /// If it is the map that is old, that replica gives a hint.
    fn forget_leader(&mut self, shard: ShardId, node: NodeId) {
        let belief = &mut self.beliefs[shard.0 as usize];
        if belief.leader == node && !carries(&self.placement, shard, node) {
            belief.leader = self.placement.replicas(shard)[0];
        }
    }

    /// Takes a hint: a shard's leader, and its epoch.
    pub fn on_leader_known(&mut self, shard: ShardId, leader: NodeId, epoch: Epoch) {
        let belief = &mut self.beliefs[shard.0 as usize];
        if epoch > belief.epoch {
            *belief = Belief { leader, epoch };
        }
    }

    /// Drops the alarms in front that are no longer live, so that `next_deadline` is never one of them. Answers come
    /// roughly in order: each alarm is dropped once.
    #[inline]
    pub fn on_turn_ended(&mut self) {
        while self.timeouts.front().is_some_and(|&alarm| !self.is_live(alarm)) {
            self.timeouts.pop_front();
        }
        while self.backoffs.peek().is_some_and(|entry| !self.is_live(entry.0)) {
            self.backoffs.pop();
        }
    }

    /// When to call `on_deadline`.
    pub fn next_deadline(&self) -> Option<Instant> {
        let timeout = self.timeouts.front().map(|alarm| alarm.at);
        let backoff = self.backoffs.peek().map(|entry| entry.0.at);
        timeout.into_iter().chain(backoff).min()
    }

    /// Number of clients' requests that wait for a reply.
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Retries that the budget lacks at `now` of those that it grants at any load. It refills within
    /// [`BUDGET_REFILLS`].
    pub(crate) fn retries_short(&self, now: Instant) -> u32 {
        self.budget.short(now)
    }

    /// Number of clients' requests about a shard that wait for a reply.
    pub fn in_flight_to(&self, shard: ShardId) -> u32 {
        self.in_flight[shard.0 as usize]
    }

    /// The node that this gateway believes to lead a shard.
    pub fn believed_leader(&self, shard: ShardId) -> NodeId {
        self.beliefs[shard.0 as usize].leader
    }

    fn on_decided(&mut self, from: NodeId, reply: &Reply, effects: &mut Effects) {
        // A refusal of an earlier attempt, by a node that has lost the shard since, says nothing about a
        // later attempt that may be granted: the client would be told "taken" and hold the seat.
        let is_refusal = matches!(reply.outcome, Outcome::Refused(_));
        let may_land = |flight: &Flight| !is_refusal || flight.target == from;
        let flight = match self.land(reply.request, may_land) {
            Some(Ok(flight)) => flight,
            Some(Err(_)) => return effects.observe(Observation::Mark(Mark::AnswerTooLate)),
            None => return effects.observe(Observation::Mark(Mark::AnswerToNobody)),
        };
        let belief = &mut self.beliefs[flight.shard.0 as usize];
        // A node that decides is the leader; but a delayed answer may know less than a hint or map that came since.
        if flight.target == from
            && flight.epoch == belief.epoch
            && belief.leader != from
            && carries(&self.placement, flight.shard, from)
        {
            belief.leader = from;
        }
        match reply.outcome {
            // By far the most frequent outcome.
            Outcome::Refused(why) => effects.refuse(flight.reply_to, reply.request, why),
            Outcome::Held { .. } | Outcome::Booked { .. } | Outcome::Released { .. } => {
                effects.reply(flight.reply_to, reply.clone());
            }
        }
    }

    fn on_not_leader(
        &mut self,
        now: Instant,
        from: NodeId,
        request: RequestId,
        shard: ShardId,
        leader: Option<(NodeId, Epoch)>,
        effects: &mut Effects,
    ) {
        let Some(belief) = self.beliefs.get_mut(shard.0 as usize) else {
            return effects.observe(Observation::Refused { shard, reason: Mark::UnknownShard });
        };
        // A shard's members may have changed since this node's map was drawn.
        let members = self.placement.replicas(shard);
        let may_own = |node: &NodeId| {
            let changes = self.placement.map_shard().is_some();
            members.contains(node) || changes && (1..=self.placement.nodes()).contains(&node.0)
        };
        if let Some((leader, epoch)) = leader.filter(|(leader, _)| may_own(leader)) {
            let denied = belief.leader == from && leader != from && epoch == belief.epoch;
            if epoch > belief.epoch || denied {
                *belief = Belief { leader, epoch };
            }
        }
        let belief = *belief;
        let Some(slot) = self.flights.find(request) else {
            return effects.observe(Observation::Mark(Mark::AnswerToNobody));
        };
        let flight = &self.flights[slot];
        if flight.phase != Phase::Asked || flight.target != from {
            return effects.observe(Observation::Mark(Mark::AnswerTooLate));
        }
        // Epochs rise, so hints cannot send a request round in circles.
        if belief.epoch > flight.epoch
            && belief.leader != from
            && !self.suspected[usize::from(belief.leader.0)]
        {
            effects.observe(Observation::Mark(Mark::HintFollowed));
            self.flights[slot].tries -= 1;
            self.ask_again(now, slot, belief.leader, effects);
        } else {
            self.back_off(now, slot, effects);
        }
    }

    fn refuse_those_under_way(&mut self, effects: &mut Effects) {
        if self.service == Service::All {
            return;
        }
        for slot in self.flights.places() {
            let Flight { id, shard, phase, .. } = self.flights[slot];
            if phase != Phase::Landed && self.refuses(shard) {
                effects.observe(Observation::Refused { shard, reason: Mark::RefusedInMinority });
                self.turn_away(id, Refusal::Minority, effects);
            }
        }
    }

    /// Whether clients' requests for a shard are refused.
    fn refuses(&self, shard: ShardId) -> bool {
        match self.service {
            Service::All => false,
            Service::InSight => !self.sees_quorum(shard),
            Service::Nothing => true,
        }
    }

    /// Whether enough of a shard's replicas are heard to be a quorum.
    fn sees_quorum(&self, shard: ShardId) -> bool {
        let members = self.placement.replicas(shard);
        let heard = members.iter().filter(|member| !self.avoids(**member));
        heard.count() > members.len() / 2
    }

    fn first_choice(&self, shard: ShardId) -> NodeId {
        let leader = self.beliefs[shard.0 as usize].leader;
        if self.suspected[usize::from(leader.0)] { self.after(shard, leader) } else { leader }
    }

    fn next_choice(&self, flight: &Flight) -> NodeId {
        let belief = self.beliefs[flight.shard.0 as usize];
        if belief.epoch > flight.epoch && !self.suspected[usize::from(belief.leader.0)] {
            return belief.leader;
        }
        self.after(flight.shard, flight.target)
    }

    /// The next replica in the round that is not suspected; if all others are, the next.
    fn after(&self, shard: ShardId, node: NodeId) -> NodeId {
        let members = self.placement.replicas(shard);
        let at = members.iter().position(|&member| member == node).unwrap_or(0);
        let mut round = (1..=members.len()).map(|step| members[(at + step) % members.len()]);
        let next = members[(at + 1) % members.len()];
        round
            .find(|&member| member != node && !self.suspected[usize::from(member.0)])
            .unwrap_or(next)
    }

    fn ask_again(&mut self, now: Instant, slot: u32, target: NodeId, effects: &mut Effects) {
        self.attempt(now, slot, target);
        effects.forward(target, self.flights.request(slot).clone());
    }

    /// Another attempt goes to `target`.
    #[inline]
    fn attempt(&mut self, now: Instant, slot: u32, target: NodeId) {
        let flight = &mut self.flights[slot];
        flight.target = target;
        flight.epoch = self.beliefs[flight.shard.0 as usize].epoch;
        flight.tries += 1;
        flight.phase = Phase::Asked;
        flight.moves += 1;
        let at = now + self.config.try_timeout;
        assert!(
            self.timeouts.back().is_none_or(|last| last.at <= at),
            "attempts time out in the order in which they were made"
        );
        self.timeouts.push_back(Alarm { at, slot, moves: flight.moves });
    }

    fn back_off(&mut self, now: Instant, slot: u32, effects: &mut Effects) {
        let Flight { shard, target, .. } = self.flights[slot];
        self.forget_leader(shard, target);
        let flight = &mut self.flights[slot];
        if flight.tries >= self.config.tries || !self.budget.withdraw(now) {
            let id = flight.id;
            effects.observe(Observation::Refused { shard, reason: Mark::RetriesUsedUp });
            return self.turn_away(id, Refusal::Unavailable, effects);
        }
        flight.phase = Phase::BackingOff;
        flight.moves += 1;
        let doublings = u32::from(flight.tries - 1).min(32);
        let most = self
            .config
            .backoff_base
            .0
            .saturating_mul(1 << doublings)
            .min(self.config.backoff_cap.0);
        let at = now + self.draw.span(Span(most));
        self.backoffs.push(Reverse(Alarm { at, slot, moves: flight.moves }));
    }

    /// Refuses a request in flight: no leader answers it.
    fn turn_away(&mut self, id: RequestId, why: Refusal, effects: &mut Effects) {
        if let Some(Ok(flight)) = self.land(id, |_| true) {
            effects.refuse(flight.reply_to, id, why);
        }
    }

    /// Ends the flight of a request, if it is in flight and may land.
    #[inline]
    fn land(
        &mut self,
        id: RequestId,
        may_land: impl FnOnce(&Flight) -> bool,
    ) -> Option<Result<Flight, Flight>> {
        let flight = self.flights.land(id, may_land)?;
        if let Ok(landed) = &flight {
            let in_flight = &mut self.in_flight[landed.shard.0 as usize];
            assert!(*in_flight > 0, "a request that lands was in flight");
            *in_flight -= 1;
        }
        Some(flight)
    }

    fn is_live(&self, alarm: Alarm) -> bool {
        self.flights[alarm.slot].moves == alarm.moves
    }
}

/// Whether a node has a replica of a shard by the map, or one to give up that may still lead.
fn carries(placement: &Placement, shard: ShardId, node: NodeId) -> bool {
    let seats = placement.seats(shard);
    seats.members.contains(&node) || seats.from.contains(&node)
}

#[cfg(test)]
mod tests;
