//! What waits in the tables that must empty.
//!
//! Owns the count, replica by replica. Changes nothing, and refuses to judge how much may wait.

use onsale_booking::{Instant, Span};

use super::Shard;
use super::lead_transfer::LeadTransfer;
use super::leader::Leader;

/// What waits in a node's tables for a shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Clients' requests in flight, as the gateway counts them.
    pub in_flight: u32,
    /// Requests parked at the replica.
    pub parked: u32,
    /// Records and reads of the leader whose replies have not left.
    pub replies: u32,
    /// Read indexes that a quorum has not confirmed, less the one by which a leader asks for itself whether a move is
    /// done.
    pub reads: u32,
    /// Lead transfers that should have been given up a patience ago.
    pub transfers: u32,
}

impl Shard {
    /// What waits in this replica's tables at `now`. A lead transfer is overdue a `patience` after it was to be given up.
    pub(crate) fn waiting(&self, now: Instant, patience: Span) -> Waiting {
        let replies = self.leader.as_ref().map_or(0, Leader::waiting);
        let asks_itself = self.asks_whether_it_leads();
        let overdue = |transfer: &LeadTransfer| transfer.ends + patience <= now;
        Waiting {
            in_flight: 0,
            parked: self.parked.len() as u32,
            replies: replies as u32,
            reads: (self.journal.open_reads() as u32).saturating_sub(u32::from(asks_itself)),
            transfers: u32::from(self.lead_transfer.as_ref().is_some_and(overdue)),
        }
    }
}
