//! What a node does when its disk does not do what it is asked.
//!
//! Owns the answer to each kind of refusal: after a write that failed the node stops, for its
//! pages may count as clean and a second fsync may say nothing; with no room it keeps
//! quiet, lets others lead, and writes the same again until there is room. Refuses to know what
//! is written, and how long a disk may take.

use onsale_booking::{Instant, Span};

use super::Node;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::frame::Damage;
use crate::journal::{Found, Journal, Recovered, Wal};
use crate::mark::Mark;
use crate::observation::Observation;
use crate::write::{PersistId, Write};

/// How long a node waits for room before it tries again.
pub(super) const RETRY_EVERY: Span = Span::from_millis(100);
/// How long one peer is asked to take a lead before another is, which may be better off.
const HEIR_EVERY: Span = Span::from_millis(1_000);

/// How the node's disk is, as far as its answers tell.
#[derive(Debug, Default)]
pub(super) enum Storage {
    /// It does what it is asked.
    #[default]
    Works,
    /// It had no room for the write, which is due again at the instant.
    Full(Instant, Write),
    /// A write failed: the node does nothing any more.
    Failed,
}

impl Storage {
    pub(super) fn has_failed(&self) -> bool {
        matches!(self, Self::Failed)
    }

    pub(super) fn is_full(&self) -> bool {
        matches!(self, Self::Full(..))
    }

    /// When a write is due again. A node that is behind its time comes to it later.
    pub(super) fn next_deadline(&self) -> Instant {
        match self {
            Self::Full(at, _) => *at,
            Self::Works | Self::Failed => Instant::MAX,
        }
    }
}

/// What a node finds on its disk. Where replicas are to be `renewed`, none of a disk that forgot comes back:
/// there the members may be others by now, and whom a replica would have to ask, nobody could tell it.
pub(super) fn recover(incarnation: u64, found: Found, renewed: bool) -> Recovered {
    let mut recovered = Wal::recover(found);
    if renewed && recovered.lost_promises() {
        recovered.give_up_replicas(incarnation);
    }
    recovered
}

/// What is to be told of it.
pub(super) fn found(recovered: &Recovered) -> Option<Mark> {
    match recovered.damage {
        _ if recovered.replaced => Some(Mark::DiskReplaced),
        Some((.., Damage::Torn)) => Some(Mark::TornLogCutOff),
        Some((.., Damage::Rotten)) => Some(Mark::LogDamageFound),
        None => None,
    }
}

impl Node {
    #[cold]
    pub(super) fn tell_what_was_found(&mut self, effects: &mut Effects) {
        self.found.take().into_iter().for_each(|mark| effects.observe(Observation::Mark(mark)));
    }

    pub(super) fn on_write_failed(&mut self, id: PersistId, effects: &mut Effects) {
        if self.writing != Some(id) {
            return effects.observe(Observation::Mark(Mark::StrayWriteAnswer));
        }
        effects.observe(Observation::Mark(Mark::StoppedOnWriteError));
        effects.stops = true;
        self.storage = Storage::Failed;
    }

    pub(super) fn on_write_refused(&mut self, write: Write, effects: &mut Effects) {
        if self.writing != Some(write.id) {
            return effects.observe(Observation::Mark(Mark::StrayWriteAnswer));
        }
        effects.observe(Observation::Mark(Mark::DiskFull));
        self.storage = Storage::Full(self.now + RETRY_EVERY, write);
        self.give_up_leads(effects);
    }

    pub(super) fn on_damage_found(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::LogRenewed));
        self.wal.renew();
    }

    /// Tries the write again that found no room.
    pub(super) fn write_again(&mut self, effects: &mut Effects) {
        if self.storage.next_deadline() <= self.now
            && let Storage::Full(_, write) = std::mem::take(&mut self.storage)
        {
            effects.persist(write);
        }
    }

    /// Peers that can write should lead: what this node proposes it cannot acknowledge.
    fn give_up_leads(&mut self, effects: &mut Effects) {
        let turn = (self.now.0 / HEIR_EVERY.0) as usize;
        for id in (0..self.shards.len() as u32).map(ShardId) {
            let Some(shard) = &mut self.shards[id.0 as usize] else { continue };
            if !shard.journal().is_leader() {
                continue;
            }
            let voters = shard.journal().members().voters().iter();
            let peers = voters.filter(|voter| !self.placement.is_given_up(**voter));
            let peers = peers.map(|voter| voter.node());
            let heirs = peers.filter(|&peer| peer != self.me && !self.detector.suspects(peer));
            let heirs: Vec<_> = heirs.collect();
            if let Some(&heir) = heirs.get(turn % heirs.len().max(1)) {
                effects.observe(Observation::Mark(Mark::LeadHandedOver));
                shard.call_to_lead(heir);
                self.touch(id);
            }
        }
    }
}
