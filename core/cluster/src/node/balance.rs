//! Where a node gives up leads though nothing is wrong: to a node near the venue, or to one that
//! has less to do.
//!
//! Owns the reckoning of load, and the choice of the one shard that goes next. Refuses to know how
//! a shard is handed over. Nothing rests on it: whom a node takes for idle may be busy by now, and
//! then the next beats tell.

use onsale_booking::{Instant, NodeId};

use super::Node;
use crate::config::LeadsConfig;
use crate::effect::Effects;
use crate::id::{Epoch, ShardId};
use crate::observation::TransferReason;
use crate::resolver::Service;
use crate::shard::{LEVEL, Shard};

/// What a request weighs, and after how many beats all but a third of that is forgotten. So a
/// shard with a request a beat weighs their product.
const REQUEST: u32 = 32;
const FADES: u32 = 32;
/// What a shard weighs beside its requests: a sixteenth of a request a beat. So idle shards are
/// spread by their number.
const AT_REST: u32 = REQUEST * FADES / 16;
/// What a node tells whose disk has no room: it leads nothing, and is not idle for all that.
const NO_ROOM: u32 = u32::MAX;

/// What a node knows of its own load and of others'.
#[derive(Debug)]
pub(super) struct Balance {
    config: LeadsConfig,
    /// By shard number.
    led: Vec<Led>,
    /// By node number: the load that its last beat told.
    told: Vec<u32>,
    /// Load makes this node give no lead up before this.
    rests_until: Instant,
}

/// A shard, as far as this node serves it.
#[derive(Clone, Copy, Debug, Default)]
struct Led {
    epoch: Option<Epoch>,
    /// Since when, or since the last try to hand it over.
    since: Instant,
    /// Requests decided in the epoch, up to the last beat.
    decided: u32,
    /// What they weigh by now.
    load: u32,
}

impl Balance {
    /// None where leads stay where they fall.
    pub(super) fn new(config: LeadsConfig, shards: u32, nodes: u16, now: Instant) -> Option<Self> {
        (config.near_venue || config.by_load).then(|| Self {
            config,
            led: vec![Led::default(); shards as usize],
            told: vec![0; usize::from(nodes) + 1],
            rests_until: now,
        })
    }

    /// Whether load decides anything.
    pub(super) fn is_by_load(&self) -> bool {
        self.config.by_load
    }

    /// A beat told its sender's load.
    #[inline]
    pub(super) fn on_told(&mut self, peer: NodeId, load: u32) {
        if let Some(told) = self.told.get_mut(usize::from(peer.0)) {
            *told = load;
        }
    }

    /// Takes in what was decided since the last beat. Returns the node's load.
    fn reckon(&mut self, now: Instant, shards: &[Option<Box<Shard>>]) -> u32 {
        let mut load = 0_u32;
        for (led, shard) in self.led.iter_mut().zip(shards) {
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
        load
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

impl Node {
    /// Reckons this node's load, for its beats to tell; zero where load decides nothing, and beyond
    /// all load while the node could lead nothing.
    pub(super) fn reckon_load(&mut self) -> u32 {
        let Some(balance) = &mut self.balance else { return 0 };
        let load = balance.reckon(self.now, &self.shards);
        match balance.is_by_load() {
            _ if self.storage.is_full() => NO_ROOM,
            true => load,
            false => 0,
        }
    }

    /// Whether venues draw this shard's lead.
    pub(super) fn is_drawn(&self, id: ShardId) -> bool {
        let near_venue = self.balance.as_ref().is_some_and(|balance| balance.config.near_venue);
        near_venue && self.setup.home_of(id).is_some()
    }

    /// Gives up the lead of one shard that had better be led elsewhere, with every beat at most.
    pub(super) fn balance(&mut self, effects: &mut Effects) {
        let Some(balance) = &self.balance else { return };
        if !self.may_transfer_lead()
            || self.gateway.service() != Service::All
            || self.storage.is_full()
        {
            return;
        }
        let drawn = balance.config.near_venue.then(|| self.drawn_to_venue(balance)).flatten();
        let is_rested = balance.config.by_load && balance.rests_until <= self.now;
        let shed = || is_rested.then(|| self.shed_to_idle(balance)).flatten();
        let venue = drawn.map(|(id, to)| (id, to, TransferReason::Venue));
        let choice = venue.or_else(|| shed().map(|(id, to)| (id, to, TransferReason::Load)));
        let Some((id, to, reason)) = choice else { return };
        let ends = self.now + self.transfer_timeout();
        let (Some(balance), Some(shard)) = (&mut self.balance, &mut self.shards[id.0 as usize])
        else {
            return;
        };
        balance.led[id.0 as usize].since = self.now;
        if reason == TransferReason::Load {
            balance.rests_until = self.now + balance.config.rest;
        }
        shard.transfer_lead(to, reason, ends, effects);
        self.touch(id);
    }

    /// The first shard whose venue has a replica nearer to it, and the idlest such node.
    fn drawn_to_venue(&self, balance: &Balance) -> Option<(ShardId, NodeId)> {
        self.rested(balance).find_map(|id| {
            let home = self.setup.home_of(id)?;
            if self.placement.zone_of(self.me) == home {
                return None;
            }
            let near = |&node: &NodeId| self.placement.zone_of(node) == home;
            let nearer = self.successors(balance, id).filter(near);
            let to = nearer.min_by_key(|&node| (balance.told_by(node), node))?;
            Some((id, to))
        })
    }

    /// The heaviest shard that leaves this node with no less to do than its successor, and the
    /// idlest of those; none unless that one has a third less to do than this node.
    fn shed_to_idle(&self, balance: &Balance) -> Option<(ShardId, NodeId)> {
        let mine = balance.load();
        let options = self.rested(balance).flat_map(|id| {
            let weight = balance.led[id.0 as usize].weight();
            let home = self.setup.home_of(id).filter(|_| balance.config.near_venue);
            let is_home = move |node| home == Some(self.placement.zone_of(node));
            let as_near = move |node: &NodeId| is_home(*node) || !is_home(self.me);
            let apart = |node| mine.saturating_sub(balance.told_by(node));
            let idler = move |node: &NodeId| {
                let apart = apart(*node);
                apart / 2 >= weight && apart >= mine / 3
            };
            let successors = self.successors(balance, id).filter(as_near).filter(idler);
            successors.map(move |to| (weight, apart(to), id, to))
        });
        options.max().map(|(.., id, to)| (id, to))
    }

    /// The shards that this node has served for long enough to give them up, and that do not move.
    fn rested<'a>(&'a self, balance: &'a Balance) -> impl Iterator<Item = ShardId> + 'a {
        self.carried.iter().copied().filter(|id| {
            let led = &balance.led[id.0 as usize];
            let moves = !self.placement.seats(*id).from.is_empty();
            led.epoch.is_some() && !moves && led.since + balance.config.rest <= self.now
        })
    }

    /// The followers that could lead a shard at once, and stay.
    fn successors<'a>(
        &'a self,
        balance: &'a Balance,
        id: ShardId,
    ) -> impl Iterator<Item = NodeId> + 'a {
        let level = self.followers_there(id).filter(|&(lag, _)| lag <= LEVEL);
        let stays = |node| !self.placement.is_leaving(node) && balance.told_by(node) != NO_ROOM;
        level.map(|(_, node)| node).filter(move |&node| stays(node))
    }
}
