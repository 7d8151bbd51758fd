//! A node's part in changes of who carries what.
//!
//! Owns the spread of the map, the wishes of nodes that come and go, and the coordinator: the
//! node that serves the shard whose records are the versions of the map makes the next one.
//! Refuses to know where shards belong (the map says) and how their members change (their
//! owners see to it). Everything here is said again with every beat until it is done, so
//! whatever is lost, late or said twice does no harm.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use onsale_booking::{Instant, NodeId};

use super::Node;
use super::balance::Balance;
use crate::effect::Effects;
use crate::id::{Epoch, ShardId};
use crate::journal::{Durable, Journal, JournalMessage, RaftGroup, ReplicaId};
use crate::mark::Mark;
use crate::message::Moves;
use crate::observation::{Observation, TransferReason};
use crate::placement::Placement;
use crate::shard::Shard;

/// What this node wants of the coordinator, and what it has heard as the coordinator.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// Whether this node is to be of the cluster.
    joins: bool,
    /// Those that this node was told are to leave it.
    leaves: BTreeSet<NodeId>,
    heard_joins: BTreeSet<NodeId>,
    heard_leaves: BTreeSet<NodeId>,
    heard_moved: BTreeMap<ShardId, u32>,
    /// The version that this node proposed last, and in which epoch.
    proposed: Option<(Epoch, u64)>,
    /// The version after which nothing is left to do, unless somebody wishes for something.
    at_rest: Option<u64>,
    heard_forgot: BTreeMap<NodeId, u64>,
}

impl Node {
    pub(super) fn on_join(&mut self) {
        self.wishes.joins = true;
    }

    pub(super) fn on_leave(&mut self, node: NodeId, effects: &mut Effects) {
        self.wishes.leaves.insert(node);
        if node == self.me {
            self.facts.on_leave(effects);
        }
    }

    /// Whether this node was told to leave for good, and is of the cluster still.
    pub(super) fn leaves(&self) -> bool {
        self.wishes.leaves.contains(&self.me)
    }

    #[inline(never)]
    pub(super) fn on_moves(&mut self, from: NodeId, moves: Moves, effects: &mut Effects) {
        match moves {
            Moves::Joins(node) if node.0 <= self.placement.nodes() => {
                self.wishes.heard_joins.insert(node);
            }
            Moves::Leaves(node) => {
                self.wishes.heard_leaves.insert(node);
            }
            Moves::Moved { shard, generation } => {
                self.wishes.heard_moved.insert(shard, generation);
            }
            Moves::Forgot { node, incarnation } if node.0 <= self.placement.nodes() => {
                self.wishes.heard_forgot.insert(node, incarnation);
            }
            Moves::MapWanted => effects.moves(from, Moves::Map(Arc::clone(&self.placement))),
            Moves::Map(map) => self.adopt(&map),
            Moves::Joins(_) | Moves::Forgot { .. } => {}
        }
    }

    /// Somebody goes by another version of the map. Whoever is not of the cluster hears of newer
    /// ones in no beat.
    pub(super) fn on_version(&self, from: NodeId, version: u64, effects: &mut Effects) {
        if version > self.placement.version() {
            effects.moves(from, Moves::MapWanted);
        } else if version < self.placement.version() && !self.placement.has(from) {
            effects.moves(from, Moves::Map(Arc::clone(&self.placement)));
        }
    }

    /// Goes by a map from now on, if it is newer.
    pub(super) fn adopt(&mut self, map: &Arc<Placement>) {
        if map.version() <= self.placement.version() {
            return;
        }
        for node in map.node_ids().filter(|&node| node != self.me) {
            self.detector.watch(node, self.now);
        }
        for node in self.placement.node_ids().filter(|&node| !map.has(node)) {
            self.detector.forget(node);
            if node != self.me {
                self.wishes.leaves.remove(&node);
            }
        }
        self.gateway.on_map(Arc::clone(map));
        self.placement = Arc::clone(map);
        self.on_other_nodes();
    }

    /// Says, takes and asks for what is next, with every beat.
    pub(super) fn move_on(&mut self, effects: &mut Effects) {
        let Some(map_shard) = self.placement.map_shard() else { return };
        self.wish(effects);
        let ends = self.now + self.transfer_timeout();
        for place in 0..self.carried.len() {
            let id = self.carried[place];
            let seats = self.placement.seats(id);
            let Some(shard) = &mut self.shards[id.0 as usize] else { continue };
            let missed = |node| self.gateway.avoids(node);
            let moves = !seats.from.is_empty();
            let moved =
                moves && shard.advance_membership_change(&self.placement, missed, ends, effects);
            let touched = moves || shard.leave_if_moved(seats);
            if moved {
                let generation = seats.generation;
                self.tell_all(&Moves::Moved { shard: id, generation }, effects);
            }
            if touched {
                self.touch(id);
            }
        }
        self.lead_where_due(ends, effects);
        self.coordinate(map_shard, effects);
    }

    /// Whether a lead may go elsewhere though this node stays: none while a peer is missed, for it
    /// may soon be needed there, and one at a time.
    pub(super) fn may_transfer_lead(&self) -> bool {
        let missed = self.placement.node_ids().any(|node| self.detector.suspects(node));
        let busy = self.carries_any(Shard::is_transferring_lead);
        !missed && !busy && self.retirement.is_none()
    }

    /// Hands one shard that is led here to where the map wants it led, unless leads follow load or
    /// this one is drawn to a venue.
    fn lead_where_due(&mut self, ends: Instant, effects: &mut Effects) {
        let by_load = self.balance.as_ref().is_some_and(Balance::is_by_load);
        if by_load || !self.may_transfer_lead() {
            return;
        }
        for &id in &self.carried {
            if self.is_drawn(id) {
                continue;
            }
            let seats = self.placement.seats(id);
            let due = seats.members[0];
            let Some(shard) = &mut self.shards[id.0 as usize] else { continue };
            let elsewhere = due != self.me && seats.from.is_empty();
            if !elsewhere || shard.serves().is_none() || self.gateway.avoids(due) {
                continue;
            }
            let is_due =
                |voter: &ReplicaId| voter.node() == due && !self.placement.is_given_up(*voter);
            if shard.journal().members().voters().iter().any(is_due) {
                shard.transfer_lead(due, TransferReason::Move, ends, effects);
                return self.touch(id);
            }
        }
    }

    fn wish(&mut self, effects: &mut Effects) {
        let map = Arc::clone(&self.placement);
        self.wishes.joins &= !map.has(self.me);
        if self.wishes.joins {
            self.tell_all(&Moves::Joins(self.me), effects);
        }
        if let Some(incarnation) = self.forgot.filter(|_| !self.may_begin_anew()) {
            self.tell_all(&Moves::Forgot { node: self.me, incarnation }, effects);
        }
        // A node that has started anew goes by the first map for a while, which may not have it yet.
        let carries = |node: &Self| node.carries_any(|shard| !shard.journal().has_left());
        for node in self.wishes.leaves.clone() {
            let has_left = map.version() > 0 && !map.has(node);
            let is_done = has_left && !(node == self.me && carries(self));
            // Who died on the way into the cluster may be let in late: it is to leave then.
            if is_done && node == self.me {
                self.wishes.leaves.remove(&node);
                self.on_retire();
            } else if !is_done && !map.is_leaving(node) {
                self.tell_all(&Moves::Leaves(node), effects);
            }
        }
    }

    /// Whether this is so of any replica here.
    pub(super) fn carries_any(&self, is_so: impl Fn(&Shard) -> bool) -> bool {
        let mut carried =
            self.carried.iter().filter_map(|id| self.shards[id.0 as usize].as_deref());
        carried.any(is_so)
    }

    /// Only the coordinator listens, and who that is changes.
    fn tell_all(&mut self, moves: &Moves, effects: &mut Effects) {
        let others = self.placement.node_ids().filter(|&node| node != self.me);
        others.chain([self.me]).for_each(|node| effects.moves(node, moves.clone()));
    }

    /// Makes the next version of the map, if this node serves its shard and the last one that
    /// it made is committed.
    fn coordinate(&mut self, map_shard: ShardId, effects: &mut Effects) {
        let wishes = &mut self.wishes;
        let (joins, leaves) =
            (std::mem::take(&mut wishes.heard_joins), std::mem::take(&mut wishes.heard_leaves));
        let moved = std::mem::take(&mut wishes.heard_moved);
        let forgot = std::mem::take(&mut wishes.heard_forgot);
        let Some(shard) = &mut self.shards[map_shard.0 as usize] else { return };
        let (Some(epoch), Some(map)) = (shard.serves(), shard.map().cloned()) else { return };
        let waits = |(proposed_in, version)| proposed_in == epoch && map.version() < version;
        if wishes.proposed.is_some_and(waits) {
            return;
        }
        let wished =
            !(joins.is_empty() && leaves.is_empty() && moved.is_empty() && forgot.is_empty());
        if !wished && wishes.at_rest == Some(map.version()) {
            return;
        }
        let mut next = map.as_ref().clone();
        let step = |next: &mut Placement, step: Option<Placement>| {
            step.into_iter().for_each(|step| *next = step);
        };
        for node in joins {
            let joined = next.with(node);
            step(&mut next, joined);
        }
        let mut redirected = false;
        for node in leaves {
            let left = next.without(node);
            redirected |= left.as_ref().is_some_and(|left| left.moves_otherwise_than(&next));
            step(&mut next, left);
        }
        for (node, incarnation) in forgot {
            let renewed = next.forgotten(node, incarnation);
            step(&mut next, renewed);
        }
        for (shard, generation) in moved {
            let settled = next.settled(shard, generation);
            step(&mut next, settled);
        }
        let moves = next.moved();
        step(&mut next, moves);
        wishes.at_rest = (next.version() == map.version()).then_some(map.version());
        if next.version() > map.version() && shard.propose_map(&next) {
            wishes.proposed = Some((epoch, next.version()));
            self.touch(map_shard);
            if redirected {
                effects.observe(Observation::Mark(Mark::MoveRedirected));
            }
        }
    }

    /// Whether the map knows of the latest time that this node forgot. Until then nobody can tell which replicas came
    /// before.
    fn may_begin_anew(&self) -> bool {
        self.placement.forgot_in(self.me) >= self.forgot
    }

    /// A leader takes this node for a member under a number that is newer than the replica
    /// here, if there is one: that one is nobody's member any more, and a new one begins.
    pub(super) fn begin_replica(
        &mut self,
        id: ShardId,
        message: &JournalMessage,
        effects: &mut Effects,
    ) {
        let replica = message.replica();
        let Some(place) = self.shards.get(id.0 as usize) else { return };
        let known = place.as_ref().map(|shard| shard.journal().replica().generation());
        let is_newer = replica.generation() > known.unwrap_or(0);
        // Where what was durable is lost, one that came before may have promised something.
        let is_given_up = self.forgot.is_some()
            && (!self.may_begin_anew() || self.placement.is_given_up(replica));
        if is_given_up || !message.is_from_leader() || replica.node() != self.me || !is_newer {
            return;
        }
        if self.forgot.is_some() {
            effects.observe(Observation::Mark(Mark::ReplicaBegunAnew));
        }
        let (setup, me) = (Arc::clone(&self.setup), self.me);
        let settings = super::settings(&setup.config, &mut self.draw);
        let first = setup.placement.replicas(id);
        let durable = Durable::joining(replica.generation());
        let journal = RaftGroup::new(id, me, first, settings, durable);
        self.shards[id.0 as usize] = Some(Box::new(Shard::new(id, me, setup, journal)));
        if let Err(place) = self.carried.binary_search(&id) {
            self.carried.insert(place, id);
        }
        if std::mem::take(&mut self.is_awake[id.0 as usize]) {
            self.awake -= 1;
        }
    }
}
