//! Lead transfer: a leader passes its shard to a peer without waiting to be missed.
//!
//! Owns the steps: the leader admits no more requests, waits until all its decisions are answered, and has the journal
//! call the peer to lead. Requests that come meanwhile wait here; they go to the successor as soon as it is known, or
//! are decided here after all if the leadership has not moved in time. Refuses to know why a shard is transferred, and
//! which successor is best.
//!
//! Nothing depends on it: the successor is elected like any other leader, and finds in the journal all that was ever
//! acknowledged.

use onsale_booking::{Instant, NodeId};

use super::{Answers, Shard};
use crate::effect::Effects;
use crate::mark::Mark;
use crate::observation::{Observation, TransferReason};

/// A lead transfer under way.
#[derive(Debug)]
pub(super) struct LeadTransfer {
    to: NodeId,
    /// Whether the peer was called to lead.
    called: bool,
    /// When the transfer is given up.
    pub(super) ends: Instant,
}

impl Shard {
    /// Begins to transfer the lead, if this replica serves and is not doing so already; given up at `ends`.
    pub(crate) fn transfer_lead(
        &mut self,
        to: NodeId,
        reason: TransferReason,
        ends: Instant,
        effects: &mut Effects,
    ) {
        if self.leader.is_some() && self.lead_transfer.is_none() {
            self.lead_transfer = Some(LeadTransfer { to, called: false, ends });
            effects.observe(Observation::LeadTransferBegan { shard: self.id, to, reason });
        }
    }

    /// Whether a transfer is under way.
    pub(crate) fn is_transferring_lead(&self) -> bool {
        self.lead_transfer.is_some()
    }

    /// How often this leader has failed to transfer the lead to a node. A node whose disk hangs may seem level and well
    /// for ever, so the others get a turn.
    pub(crate) fn failed_transfers_to(&self, to: NodeId) -> u32 {
        self.failed_transfers.iter().find(|(node, _)| *node == to).map_or(0, |&(_, times)| times)
    }

    /// Whether requests wait here.
    pub(crate) fn is_waited_for(&self) -> bool {
        !self.parked.is_empty()
    }

    /// Calls the successor once every decision is answered, or goes on as the leader if that takes too long.
    pub(super) fn advance_transfer(
        &mut self,
        now: Instant,
        answers: &mut Answers,
        effects: &mut Effects,
    ) {
        if self.must_call_successor()
            && let Some(transfer) = &mut self.lead_transfer
        {
            transfer.called = true;
            self.journal.transfer(transfer.to);
        }
        let given_up = self.lead_transfer.take_if(|transfer| transfer.ends <= now);
        let Some(LeadTransfer { to, .. }) = given_up else { return };
        match self.failed_transfers.iter_mut().find(|(node, _)| *node == to) {
            Some((_, times)) => *times += 1,
            None => self.failed_transfers.push((to, 1)),
        }
        let Some(leader) = &mut self.leader else { return };
        self.journal.give_up_transfer();
        effects.observe(Observation::LeadTransferGivenUp { shard: self.id });
        let due = self.parked.take(now);
        let now = (self.clock.at(now), now);
        for (from, request) in due {
            answers.extend(leader.decide(now, from, &request, &self.setup, &self.shows));
        }
    }

    pub(super) fn must_call_successor(&self) -> bool {
        let drained = self.leader.as_ref().is_some_and(|leader| leader.is_drained());
        drained && self.lead_transfer.as_ref().is_some_and(|transfer| !transfer.called)
    }

    /// Whether the lead is moving, so that requests had better wait for the next leader.
    pub(super) fn awaits_successor(&self) -> bool {
        self.lead_transfer.is_some() && self.journal.leader().is_none()
    }

    /// Observes that requests waited for a successor.
    pub(super) fn note_waiting(&self, effects: &mut Effects) {
        if self.lead_transfer.is_some() && self.is_waited_for() {
            effects.observe(Observation::Mark(Mark::WaitedForSuccessor));
        }
    }
}
