//! A node's part in changes of the map of nodes and shards.
//!
//! Owns the map's spread, the wishes of nodes that join and leave, and the replicas that begin here. Refuses to know
//! where shards belong (the map says), how their members change (their leaders see to it), and what the next map is
//! (the [coordinator](super::coordinator) says). Everything here is repeated with every beat until it is done, so a
//! message that is lost, late or heard twice does no harm.

use std::collections::BTreeSet;
use std::sync::Arc;

use onsale_booking::NodeId;

use super::Node;
use super::coordinator::NextMap;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::{Durable, JournalMessage, RaftGroup, ReplicaId};
use crate::mark::Mark;
use crate::message::Moves;
use crate::observation::Observation;
use crate::placement::Placement;
use crate::shard::Shard;

/// This node's wishes to the coordinator.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Whether this node is to join the cluster.
    joins: bool,
    /// The nodes that this node was told to remove from the cluster.
    leaves: BTreeSet<NodeId>,
}

impl Wishes {
    /// Whether this node was told that a node is to leave for good, and the node is still a member.
    pub(super) fn leaves(&self, node: NodeId) -> bool {
        self.leaves.contains(&node)
    }
}

impl Node {
    pub(super) fn on_join(&mut self) {
        self.wishes.joins = true;
    }

    pub(super) fn on_leave(&mut self, node: NodeId, effects: &mut Effects) {
        self.wishes.leaves.insert(node);
        if node == self.me {
            self.wishes.joins = false;
            self.facts.on_leave(effects);
        }
    }

    #[inline(never)]
    pub(super) fn on_moves(&mut self, from: NodeId, moves: Moves, effects: &mut Effects) {
        self.coordinator.hear(&moves, self.placement.nodes());
        match moves {
            Moves::MapWanted => effects.moves(from, Moves::Map(Arc::clone(&self.placement))),
            Moves::Map(map) => self.adopt(&map),
            Moves::Joins(_)
            | Moves::Leaves(_)
            | Moves::Moved { .. }
            | Moves::Forgot { .. }
            | Moves::Recovered { .. } => {}
        }
    }

    /// Compares a peer's version of the map. A node outside the cluster is sent no beats, so it is told here that there
    /// is a newer one.
    pub(super) fn on_version(&self, from: NodeId, version: u64, effects: &mut Effects) {
        if version > self.placement.version() {
            effects.moves(from, Moves::MapWanted);
        } else if version < self.placement.version() && !self.placement.has(from) {
            effects.moves(from, Moves::Map(Arc::clone(&self.placement)));
        }
    }

    /// Adopts a map, if it is newer.
    pub(super) fn adopt(&mut self, map: &Arc<Placement>) {
        if map.version() <= self.placement.version() {
            return;
        }
        let before = std::mem::replace(&mut self.placement, Arc::clone(map));
        assert_eq!(before.shards(), map.shards(), "a map has the same shards for ever");
        let gone = before.node_ids().filter(|&node| node != self.me && !map.has(node));
        gone.for_each(|node| {
            self.wishes.leaves.remove(&node);
        });
        self.gateway.on_map(Arc::clone(map));
        self.peers.on_map(&before, map, self.now);
        self.follow_facts();
    }

    /// The peers that facts are exchanged with follow the map.
    pub(super) fn follow_facts(&mut self) {
        let peers = self.placement.node_ids().filter(|&node| node != self.me);
        self.facts.on_peers(self.now, peers);
    }

    /// Repeats wishes, moves and requests for a newer map, with every beat.
    pub(super) fn move_on(&mut self, effects: &mut Effects) {
        let Some(map_shard) = self.placement.map_shard() else { return };
        self.wish(effects);
        let ends = self.now + self.transfer_timeout();
        let Self { replicas, placement, gateway, me, .. } = self;
        replicas.for_each_touched(|id, shard| {
            let seats = placement.seats(id);
            if let Some(voter) = shard.recovered(seats) {
                tell_all(placement, *me, &Moves::Recovered { shard: id, voter }, effects);
                return false;
            }
            if seats.from.is_empty() {
                return shard.leave_if_moved(seats);
            }
            let missed = |node| gateway.avoids(node);
            if shard.advance_membership_change(placement, missed, ends, effects) {
                let moved = Moves::Moved { shard: id, generation: seats.generation };
                tell_all(placement, *me, &moved, effects);
            }
            true
        });
        self.lead_where_due(effects);
        self.coordinate(map_shard, effects);
    }

    fn wish(&mut self, effects: &mut Effects) {
        let map = Arc::clone(&self.placement);
        // It goes on wishing: a recovery of the map may lose the version in which it joined.
        if self.wishes.joins && !map.has(self.me) {
            tell_all(&map, self.me, &Moves::Joins(self.me), effects);
        }
        if let Some(incarnation) = self.disk.forgot().filter(|_| !self.may_begin_again()) {
            let forgot = Moves::Forgot { node: self.me, incarnation };
            tell_all(&map, self.me, &forgot, effects);
        }
        // A node that has restarted goes by the first map for a while, which may not have it yet.
        let carries = |node: &Self| node.carries_any(|shard| !shard.journal().has_left());
        for node in self.wishes.leaves.clone() {
            let has_left = map.version() > 0 && !map.has(node);
            let is_done = has_left && !(node == self.me && carries(self));
            // A node that died while it joined may be admitted late: it has to leave then.
            if is_done && node == self.me {
                self.wishes.leaves.remove(&node);
                self.retirement.begin();
            } else if !is_done && !map.is_leaving(node) {
                tell_all(&map, self.me, &Moves::Leaves(node), effects);
            }
        }
    }

    /// Whether `is_so` of any replica here.
    pub(super) fn carries_any(&self, is_so: impl Fn(&Shard) -> bool) -> bool {
        self.replicas.iter().any(is_so)
    }

    /// Proposes the next version of the map, if this node is the coordinator and there is one.
    fn coordinate(&mut self, map_shard: ShardId, effects: &mut Effects) {
        let shard = self.replicas.get_mut(map_shard);
        let epoch = shard.as_ref().and_then(|shard| shard.serves());
        let map = shard.as_ref().and_then(|shard| shard.map().cloned());
        let members = shard.as_ref().map(|shard| shard.journal().members());
        let newest = members.and_then(|it| it.each().map(ReplicaId::generation).max());
        let next = self.coordinator.next_map(epoch.zip(map.as_deref()), newest.unwrap_or(0));
        let (Some(NextMap { map, redirected }), Some(epoch), Some(shard)) = (next, epoch, shard)
        else {
            return;
        };
        if shard.propose_map(&map) {
            self.coordinator.on_proposed(epoch, map.version());
            self.replicas.touch(map_shard);
            if redirected {
                effects.observe(Observation::Mark(Mark::MoveRedirected));
            }
        }
    }

    /// Whether the map has recorded the last loss of this node's disk. Until then it is unknown which replicas came
    /// before it.
    fn may_begin_again(&self) -> bool {
        self.placement.forgot_in(self.me) >= self.disk.forgot()
    }

    /// Begins the replica of this node that a leader's message names, if it is newer than the one here: the old one is
    /// no longer a member.
    pub(super) fn begin_replica(
        &mut self,
        id: ShardId,
        message: &JournalMessage,
        effects: &mut Effects,
    ) {
        let replica = message.replica();
        if !self.replicas.knows(id) {
            return;
        }
        let known = self.replicas.get(id).map(|shard| shard.journal().replica().generation());
        let is_newer = replica.generation() > known.unwrap_or(0);
        // Where a disk lost promises, an earlier replica may have made some.
        let forgot = self.disk.forgot().is_some();
        let is_given_up =
            forgot && (!self.may_begin_again() || self.placement.is_given_up(replica));
        if is_given_up || !message.is_from_leader() || replica.node() != self.me || !is_newer {
            return;
        }
        if forgot {
            effects.observe(Observation::Mark(Mark::ReplicaReplaced));
        }
        let (setup, me) = (Arc::clone(&self.setup), self.me);
        let settings = super::boot::settings(&setup.config, &mut self.draw);
        let first = setup.placement.replicas(id);
        let durable = Durable::joining(replica.generation());
        let journal = RaftGroup::new(id, me, first, settings, durable);
        let format = super::boot::first_format(&setup.config, self.release);
        self.replicas.begin(id, Shard::new(id, me, setup, journal, format));
    }
}

/// Tells every node of the cluster, this one last: only the coordinator listens, and it changes.
fn tell_all(map: &Placement, me: NodeId, moves: &Moves, effects: &mut Effects) {
    let others = map.node_ids().filter(|&node| node != me);
    others.chain([me]).for_each(|node| effects.moves(node, moves.clone()));
}
