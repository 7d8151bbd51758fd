//! Queries of a node from outside.
//!
//! Owns the answers for reports and for choosing targets of faults. Refuses to serve verdicts, and changes nothing.

use onsale_booking::{NodeId, Show, ShowId};

use super::Node;
use crate::id::{Epoch, ShardId};
use crate::journal::Members;
use crate::membership::Membership;
use crate::observation::Phase;
use crate::placement::Placement;
use crate::shard::Shard;

impl Node {
    /// This node's id.
    pub fn id(&self) -> NodeId {
        self.me
    }

    /// The node that leads a shard and its epoch, as far as this node's replica knows. For reports and for choosing
    /// targets of faults, never for verdicts.
    pub fn leader_of(&self, shard: ShardId) -> Option<(NodeId, Epoch)> {
        let journal = self.replicas.get(shard)?.journal();
        journal.leader().map(|leader| (leader, journal.epoch()))
    }

    /// The epoch in which this node serves a shard as its leader. For reports, never for verdicts.
    pub fn serves(&self, shard: ShardId) -> Option<Epoch> {
        self.replicas.get(shard).and_then(Shard::serves)
    }

    /// The phase of this node's replica of a shard. For reports, never for verdicts.
    pub fn phase(&self, shard: ShardId) -> Option<Phase> {
        self.replicas.get(shard).map(Shard::phase)
    }

    /// The committed state of a show on this node's replica, `None` if it was never touched. For reports, never for
    /// verdicts.
    pub fn show(&self, show: ShowId) -> Option<&Show> {
        self.replicas.get(self.setup.placement.shard_of(show))?.show(show)
    }

    /// The members of a shard's journal as far as this node's replica has applied it, unless it has left. For
    /// reports, never for verdicts.
    pub fn members(&self, shard: ShardId) -> Option<&Members> {
        let journal = self.replicas.get(shard)?.journal();
        (!journal.has_left()).then(|| journal.members())
    }

    /// The map that this node goes by.
    pub fn map(&self) -> &Placement {
        &self.placement
    }

    /// This node's table of members.
    pub fn membership(&self) -> &Membership {
        self.peers.membership()
    }

    /// Number of clients' requests pending at this gateway. For reports, never for verdicts.
    pub fn in_flight(&self) -> usize {
        self.gateway.in_flight()
    }
}
