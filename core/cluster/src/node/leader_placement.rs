//! Which shards a node leads while nothing is wrong.
//!
//! Owns the occasions on which a node transfers leadership: the map wants the shard led elsewhere, a venue or load
//! draws it, the node is about to stop, or its disk is full. Refuses to know how leadership is transferred (the shard
//! does) and which followers could take it.

use onsale_booking::{NodeId, Span};

use super::Node;
use super::lead_balance::LeadBalance;
use super::successors::Successors;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::{RaftGroup, ReplicaId};
use crate::mark::Mark;
use crate::observation::{Observation, TransferReason};
use crate::resolver::Service;
use crate::shard::Shard;

/// How long one peer is asked to lead before the next one is, which may be better off.
const SUCCESSOR_EVERY: Span = Span::from_millis(1_000);

impl Node {
    /// Whether leadership may move though this node stays: one shard at a time, and none while a peer is missed,
    /// because this node may soon have to replace it.
    fn may_transfer_lead(&self) -> bool {
        let missed = self.placement.node_ids().any(|node| self.peers.suspects(node));
        let is_busy = || self.carries_any(Shard::is_transferring_lead);
        !missed && !self.retirement.has_begun() && !is_busy()
    }

    /// Transfers one shard that is led here to the node that the map wants, unless leaders follow load or a venue draws
    /// this shard.
    pub(super) fn lead_where_due(&mut self, effects: &mut Effects) {
        let by_load = self.balance.as_ref().is_some_and(LeadBalance::is_by_load);
        if by_load || !self.may_transfer_lead() {
            return;
        }
        let due = self.replicas.carried().iter().copied().find_map(|id| {
            let seats = self.placement.seats(id);
            let due = seats.members[0];
            let elsewhere = due != self.me && seats.from.is_empty();
            if self.is_drawn(id) || !elsewhere || self.gateway.avoids(due) {
                return None;
            }
            let shard = self.replicas.get(id).filter(|shard| shard.serves().is_some())?;
            let is_due =
                |voter: &ReplicaId| voter.node() == due && !self.placement.is_given_up(*voter);
            shard.journal().members().voters().iter().any(is_due).then_some((id, due))
        });
        if let Some((id, due)) = due {
            self.transfer_lead(id, due, TransferReason::Move, effects);
        }
    }

    /// Transfers at most one lead a beat that a venue or load draws elsewhere.
    pub(super) fn balance_leads(&mut self, effects: &mut Effects) {
        let Some(balance) = &self.balance else { return };
        if !self.may_transfer_lead()
            || self.gateway.service() != Service::All
            || self.disk.is_full()
        {
            return;
        }
        let Some((id, to, reason)) = balance.choose(self.now, self.successors()) else { return };
        if let Some(balance) = &mut self.balance {
            balance.on_transfer(self.now, id, reason);
        }
        self.transfer_lead(id, to, reason, effects);
    }

    /// Transfers every shard that this node leads, as soon as it leads it: the node is about to stop.
    #[cold]
    pub(super) fn transfer_all_leads(&mut self, effects: &mut Effects) {
        let mut leads = self.leads();
        for id in (0..self.placement.shards()).map(ShardId) {
            if self.serves(id).is_some()
                && let Some(successor) = self.best_successor(id, &leads)
            {
                leads[usize::from(successor.0)] += 1;
                self.transfer_lead(id, successor, TransferReason::Retirement, effects);
            }
        }
    }

    /// Reports that the node may be stopped: it leads nothing, no client waits for it, and peers that did not know that
    /// yet have had the time to ask it.
    #[cold]
    pub(super) fn drain(&mut self, effects: &mut Effects) {
        let mut shards = self.replicas.iter();
        if shards.any(|shard| shard.journal().is_leader() || shard.is_waited_for()) {
            return self.retirement.is_needed();
        }
        if !self.retirement.leads_nothing() {
            // The peers hear of it at once.
            self.next_beat = self.now;
        }
        // Any message sent to this node before then has arrived.
        let quiet = self.setup.config.gateway.try_timeout;
        let is_quiet = self.retirement.is_quiet_for(quiet, self.now);
        // A node that comes back finds its writes on its disk; one that leaves for good does not.
        let may_go = self.is_of_cluster() || self.facts.is_told();
        effects.drained = is_quiet && self.gateway.in_flight() == 0 && may_go;
    }

    /// Calls peers that can write to lead: this node's disk is full, so it cannot acknowledge its proposals.
    pub(super) fn call_successors(&mut self, effects: &mut Effects) {
        let turn = (self.now.0 / SUCCESSOR_EVERY.0) as usize;
        let Self { me, replicas, placement, peers, .. } = self;
        replicas.for_each_touched(|_, shard| {
            if !shard.journal().is_leader() {
                return false;
            }
            let voters = shard.journal().members().voters().iter();
            let counting = voters.filter(|voter| !placement.is_given_up(**voter));
            let successors: Vec<NodeId> = counting
                .map(|voter| voter.node())
                .filter(|&peer| peer != *me && !peers.suspects(peer))
                .collect();
            let Some(&successor) = successors.get(turn % successors.len().max(1)) else {
                return false;
            };
            effects.observe(Observation::Mark(Mark::LeadTransferAsked));
            shard.call_to_lead(successor);
            true
        });
    }

    /// How long a lead transfer may take: as long as an election that fails.
    pub(super) fn transfer_timeout(&self) -> Span {
        let config = &self.setup.config;
        Span(config.tick_every.0 * 2 * u64::from(config.election_ticks))
    }

    fn transfer_lead(
        &mut self,
        id: ShardId,
        to: NodeId,
        reason: TransferReason,
        effects: &mut Effects,
    ) {
        let ends = self.now + self.transfer_timeout();
        if let Some(shard) = self.replicas.get_mut(id) {
            shard.transfer_lead(to, reason, ends, effects);
            self.replicas.touch(id);
        }
    }

    fn successors(&self) -> Successors<'_> {
        Successors {
            me: self.me,
            setup: &self.setup,
            map: &self.placement,
            replicas: &self.replicas,
            gateway: &self.gateway,
        }
    }

    /// Whether venues draw this shard's leadership.
    fn is_drawn(&self, id: ShardId) -> bool {
        let near_venue = self.balance.as_ref().is_some_and(LeadBalance::is_near_venue);
        near_venue && self.setup.home_of(id).is_some()
    }

    /// Number of this node's shards that each node leads.
    fn leads(&self) -> Vec<u32> {
        let mut leads = vec![0; usize::from(self.placement.nodes()) + 1];
        let leaders = self.replicas.journals().filter_map(RaftGroup::leader);
        leaders.for_each(|leader| leads[usize::from(leader.0)] += 1);
        leads
    }

    /// The follower to transfer a shard to: one that is heard, has failed the fewest transfers, lacks least, and leads
    /// least.
    fn best_successor(&self, id: ShardId, leads: &[u32]) -> Option<NodeId> {
        let shard = self.replicas.get(id)?;
        let fitness = |&(lag, member): &(u64, NodeId)| {
            (shard.failed_transfers_to(member), lag, leads[usize::from(member.0)], member)
        };
        self.successors().of(id).min_by_key(fitness).map(|(_, member)| member)
    }
}
