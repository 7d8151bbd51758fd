//! How a node leaves: it hands over what it leads, sees its clients answered, and says so.
//!
//! Owns the choice of successors and the moment at which the node may be stopped. Refuses to
//! know how a shard is handed over.

use onsale_booking::{Instant, NodeId, Span};

use super::Node;
use crate::beat::Beat;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::Journal;
use crate::observation::TransferReason;
use crate::shard::Shard;

/// A node that was told to stop.
#[derive(Debug, Default)]
pub(super) struct Retirement {
    /// Since when it has led nothing.
    leads_nothing: Option<Instant>,
}

impl Node {
    pub(super) fn on_retire(&mut self) {
        self.retirement.get_or_insert_default();
    }

    /// Whether the node is about to stop and leads nothing any more.
    pub(super) fn takes_its_leave(&self) -> bool {
        self.retirement.as_ref().is_some_and(|retirement| retirement.leads_nothing.is_some())
    }

    /// A peer leads nothing any more and will be gone soon: nobody waits to miss it.
    #[inline(never)]
    pub(super) fn on_leaving(&mut self, from: NodeId, beat: Beat, effects: &mut Effects) {
        self.on_beat(from, beat, effects);
        if self.detector.is_current(from, beat.incarnation) {
            self.gateway.on_leaving(from);
        }
    }

    /// A node that leaves hands over every shard that it serves, as soon as it serves it.
    #[cold]
    pub(super) fn transfer_leads(&mut self, effects: &mut Effects) {
        let ends = self.now + self.transfer_timeout();
        let mut leads = self.leads();
        for id in (0..self.shards.len() as u32).map(ShardId) {
            if self.serves(id).is_some()
                && let Some(successor) = self.successor(id, &leads)
                && let Some(shard) = &mut self.shards[id.0 as usize]
            {
                shard.transfer_lead(successor, TransferReason::Retirement, ends, effects);
                leads[usize::from(successor.0)] += 1;
                self.touch(id);
            }
        }
    }

    /// Says that the node may be stopped: it leads nothing, nobody waits for it, and whoever
    /// did not know that yet has had the time to ask it.
    #[cold]
    pub(super) fn drain(&mut self, effects: &mut Effects) {
        let Some(retirement) = &mut self.retirement else { return };
        let mut shards = self.shards.iter().flatten();
        if shards.any(|shard| shard.journal().is_leader() || shard.is_waited_for()) {
            retirement.leads_nothing = None;
            return;
        }
        let since = *retirement.leads_nothing.get_or_insert_with(|| {
            // The peers hear of it at once.
            self.next_beat = self.now;
            self.now
        });
        // By then nothing is on its way here that was sent before.
        let quiet = since + self.setup.config.gateway.try_timeout;
        // Who comes back finds on its disk what it wrote; who leaves for good does not.
        let may_go = self.is_of_cluster() || self.facts.is_told();
        effects.drained = self.now >= quiet && self.gateway.in_flight() == 0 && may_go;
    }

    /// How long a hand-over may take: as long as an election that fails.
    pub(super) fn transfer_timeout(&self) -> Span {
        let config = &self.setup.config;
        Span(config.tick_every.0 * 2 * u64::from(config.election_ticks))
    }

    /// How many of this node's shards each node leads.
    fn leads(&self) -> Vec<u32> {
        let mut leads = vec![0; usize::from(self.placement.nodes()) + 1];
        let leaders = self.shards.iter().flatten().filter_map(|shard| shard.journal().leader());
        leaders.for_each(|leader| leads[usize::from(leader.0)] += 1);
        leads
    }

    /// The follower to hand a shard to: one that is there, was not called in vain more often than others,
    /// lacks least, and leads least.
    fn successor(&self, id: ShardId, leads: &[u32]) -> Option<NodeId> {
        let shard = self.shards[id.0 as usize].as_ref()?;
        let fitness = |&(lag, member): &(u64, NodeId)| {
            (shard.failed_transfers_to(member), lag, leads[usize::from(member.0)], member)
        };
        self.followers_there(id).min_by_key(fitness).map(|(_, member)| member)
    }

    /// The voters that this node, as a shard's leader, may hand it to, and how many records each lacks:
    /// those that are not missed.
    pub(super) fn followers_there(&self, id: ShardId) -> impl Iterator<Item = (u64, NodeId)> + '_ {
        let journal = self.shards[id.0 as usize].as_deref().map(Shard::journal);
        journal.into_iter().flat_map(|journal| {
            let there = journal.members().voters().iter().filter(|voter| {
                let is_well = !self.gateway.avoids(voter.node());
                voter.node() != self.me && is_well && !self.placement.is_given_up(**voter)
            });
            there.filter_map(|voter| Some((journal.lag(*voter)?, voter.node())))
        })
    }
}
