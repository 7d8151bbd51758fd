//! When this node stands for election.
//!
//! Owns the elections that the node has planned: when, in which shard, against which leader, and the epoch in which
//! that leader was seen. Refuses to know who wins, and why a leader has to be replaced.

use std::collections::BTreeSet;

use onsale_booking::{Instant, NodeId, Span};

use crate::id::{Epoch, ShardId};

/// Further delay of each replica before it stands for election, so that the first in the shard's list wins unopposed:
/// longer than a round trip and a write.
const RANK_DELAY: Span = Span::from_millis(30);

/// The elections that one node has planned.
#[derive(Debug, Default)]
pub(super) struct Elections {
    /// Candidacies, earliest first.
    planned: BTreeSet<Candidacy>,
}

/// A plan to stand for election.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Candidacy {
    /// When the node stands.
    pub(super) at: Instant,
    /// The shard.
    pub(super) shard: ShardId,
    /// The epoch in which it was planned: if it has passed by then, another candidate was quicker.
    pub(super) epoch: Epoch,
    /// The leader to replace.
    pub(super) leader: NodeId,
}

impl Elections {
    /// Plans a candidacy, later by a fixed delay for each of the `rivals` that come first.
    pub(super) fn plan(&mut self, mut candidacy: Candidacy, rivals: usize) {
        candidacy.at += Span(RANK_DELAY.0 * rivals as u64);
        self.planned.insert(candidacy);
    }

    /// When the next candidacy is due; [`Instant::MAX`] if none is planned.
    #[inline]
    pub(super) fn next_deadline(&self) -> Instant {
        match self.planned.is_empty() {
            true => Instant::MAX,
            false => self.planned.first().map_or(Instant::MAX, |candidacy| candidacy.at),
        }
    }

    /// Takes the next candidacy that is due at `now`.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Candidacy> {
        if self.next_deadline() > now {
            return None;
        }
        self.planned.pop_first()
    }

    /// A leader is heard again: nobody stands against it.
    pub(super) fn call_off_against(&mut self, leader: NodeId) {
        self.planned.retain(|candidacy| candidacy.leader != leader);
    }
}
