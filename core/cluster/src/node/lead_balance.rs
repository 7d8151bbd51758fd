//! Lead balance: a healthy node transfers leads to a node near the venue, or to one with less to do.
//!
//! Owns the node's load, the loads that peers reported, and the choice of the one shard that goes next. Refuses to know
//! how leadership is transferred. Nothing depends on it: a peer that looks idle may be busy by now, and the next beats
//! will show it.

use onsale_booking::{Instant, NodeId};

use super::replicas::Replicas;
use super::successors::Successors;
use crate::config::LeaderPlacementConfig;
use crate::id::{Epoch, ShardId};
use crate::observation::TransferReason;
use crate::shard::Shard;

/// Weight of a request, and the number of beats after which two thirds of it are forgotten. So a shard with one request
/// a beat weighs their product.
const REQUEST: u32 = 32;
const FADES: u32 = 32;
/// Weight of a shard without any request: a sixteenth of a request a beat. So idle shards are spread by number.
const AT_REST: u32 = REQUEST * FADES / 16;
/// The load that a node reports while its disk is full: it leads nothing, and is not idle either.
const NO_ROOM: u32 = u32::MAX;

/// A node's own load and its peers'.
#[derive(Debug)]
pub(super) struct LeadBalance {
    config: LeaderPlacementConfig,
    /// The shards by number.
    led: Vec<Led>,
    /// By node number: the load in its last beat.
    told: Vec<u32>,
    /// This node gives no lead up for its load before this instant.
    rests_until: Instant,
}

/// A shard that this node may lead.
#[derive(Clone, Copy, Debug, Default)]
struct Led {
    epoch: Option<Epoch>,
    /// Since when it leads, or since the last try to transfer the lead.
    since: Instant,
    /// Requests decided in the epoch, up to the last beat.
    decided: u32,
    /// Decayed weight of those requests.
    load: u32,
}

impl LeadBalance {
    /// The balance; `None` where leaders stay where elections put them.
    pub(super) fn new(
        config: LeaderPlacementConfig,
        shards: u32,
        nodes: u16,
        now: Instant,
    ) -> Option<Self> {
        (config.near_venue || config.by_load).then(|| Self {
            config,
            led: vec![Led::default(); shards as usize],
            told: vec![0; usize::from(nodes) + 1],
            rests_until: now,
        })
    }

    /// Whether leaders follow load.
    pub(super) fn is_by_load(&self) -> bool {
        self.config.by_load
    }

    /// Whether leaders follow venues.
    pub(super) fn is_near_venue(&self) -> bool {
        self.config.near_venue
    }

    /// Notes the load in a peer's beat.
    #[inline]
    pub(super) fn on_beat(&mut self, peer: NodeId, load: u32) {
        if let Some(told) = self.told.get_mut(usize::from(peer.0)) {
            *told = load;
        }
    }

    /// Counts the decisions since the last beat. Returns the load for the next beat: zero where leads do not follow
    /// load, and the maximum while the disk `is_full` and the node could lead nothing.
    pub(super) fn count_load(&mut self, now: Instant, replicas: &Replicas, is_full: bool) -> u32 {
        let mut load = 0_u32;
        for (led, shard) in self.led.iter_mut().zip(replicas.by_number()) {
            let work = shard.as_deref().and_then(Shard::work);
            let epoch = work.map(|(epoch, _)| epoch);
            if led.epoch != epoch {
                *led = Led { epoch, since: now, ..Led::default() };
            }
            let Some((_, decided)) = work else { continue };
            let fresh = decided.wrapping_sub(std::mem::replace(&mut led.decided, decided));
            led.load -= led.load.div_ceil(FADES);
            led.load = led.load.saturating_add(fresh.saturating_mul(REQUEST));
            load = load.saturating_add(led.weight());
        }
        match self.is_by_load() {
            _ if is_full => NO_ROOM,
            true => load,
            false => 0,
        }
    }

    /// The one shard whose leadership had better move now, its successor, and the reason.
    pub(super) fn choose(
        &self,
        now: Instant,
        successors: Successors<'_>,
    ) -> Option<(ShardId, NodeId, TransferReason)> {
        let drawn = self.config.near_venue.then(|| self.drawn_to_venue(now, successors)).flatten();
        let is_rested = self.config.by_load && self.rests_until <= now;
        let shed = || is_rested.then(|| self.shed_to_idle(now, successors)).flatten();
        let venue = drawn.map(|(id, to)| (id, to, TransferReason::Venue));
        venue.or_else(|| shed().map(|(id, to)| (id, to, TransferReason::Load)))
    }

    /// This node begins to transfer leadership: the shard rests before the next try, and so does the node if load was
    /// the reason.
    pub(super) fn on_transfer(&mut self, now: Instant, id: ShardId, reason: TransferReason) {
        self.led[id.0 as usize].since = now;
        if reason == TransferReason::Load {
            self.rests_until = now + self.config.rest;
        }
    }

    /// The first shard with a replica nearer to its venue, and the idlest such node.
    fn drawn_to_venue(
        &self,
        now: Instant,
        successors: Successors<'_>,
    ) -> Option<(ShardId, NodeId)> {
        self.rested(now, successors).find_map(|id| {
            let home = successors.setup.home_of(id)?;
            if successors.zone_of(successors.me) == home {
                return None;
            }
            let near = |&node: &NodeId| successors.zone_of(node) == home;
            let nearer = self.fit(successors, id).filter(near);
            let to = nearer.min_by_key(|&node| (self.told_by(node), node))?;
            Some((id, to))
        })
    }

    /// The heaviest shard whose transfer leaves this node with no less to do than the successor, and the idlest
    /// successor; `None` unless that one has a third less to do than this node.
    fn shed_to_idle(&self, now: Instant, successors: Successors<'_>) -> Option<(ShardId, NodeId)> {
        let (mine, me) = (self.load(), successors.me);
        let options = self.rested(now, successors).flat_map(|id| {
            let weight = self.led[id.0 as usize].weight();
            let home = successors.setup.home_of(id).filter(|_| self.config.near_venue);
            let is_home = move |node| home == Some(successors.zone_of(node));
            let as_near = move |node: &NodeId| is_home(*node) || !is_home(me);
            let apart = |node| mine.saturating_sub(self.told_by(node));
            let idler = move |node: &NodeId| {
                let apart = apart(*node);
                apart / 2 >= weight && apart >= mine / 3
            };
            let fit = self.fit(successors, id).filter(as_near).filter(idler);
            fit.map(move |to| (weight, apart(to), id, to))
        });
        options.max().map(|(.., id, to)| (id, to))
    }

    /// The shards that this node has led for long enough to give them up, and that do not move.
    fn rested<'a>(
        &'a self,
        now: Instant,
        successors: Successors<'a>,
    ) -> impl Iterator<Item = ShardId> + 'a {
        successors.replicas.carried().iter().copied().filter(move |id| {
            let led = &self.led[id.0 as usize];
            led.epoch.is_some() && !successors.is_moving(*id) && led.since + self.config.rest <= now
        })
    }

    /// The followers that could lead a shard at once, stay in the cluster, and have room on their disks.
    fn fit<'a>(
        &'a self,
        successors: Successors<'a>,
        id: ShardId,
    ) -> impl Iterator<Item = NodeId> + 'a {
        successors.level(id).filter(|&node| self.told_by(node) != NO_ROOM)
    }

    fn load(&self) -> u32 {
        let led = self.led.iter().filter(|led| led.epoch.is_some());
        led.fold(0, |load: u32, led| load.saturating_add(led.weight()))
    }

    fn told_by(&self, node: NodeId) -> u32 {
        self.told[usize::from(node.0)]
    }
}

impl Led {
    fn weight(&self) -> u32 {
        self.load.saturating_add(AT_REST)
    }
}
