//! A node's reaction to beats, and to their absence.
//!
//! Owns the consequences when a peer is heard, falls silent, restarts or spreads rumours: for the gateway, for facts,
//! and for the shards that both replicate, where this node speaks as the leader or stands for election. Refuses to know
//! when a silence is too long (the peers' view says) and who wins an election (the journal says).

use onsale_booking::{Instant, NodeId};

use super::elections::Candidacy;
use super::{Node, disk};
use crate::beat::Beat;
use crate::config::OnSuspicion;
use crate::detector::Heard;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::mark::Mark;
use crate::message::Gossip;
use crate::observation::Observation;
use crate::resolver::Service;

impl Node {
    /// Sends every peer a beat, and the members' table if the peer showed another view. A node that is about to stop
    /// says that instead. A node outside the cluster hears no beats, so it judges nobody.
    pub(super) fn beat(&mut self, effects: &mut Effects) {
        if self.is_of_cluster() {
            self.peers.look_around(self.now, effects);
            self.settle_service(effects);
        }
        if self.wishes.leaves(self.me) {
            self.peers.membership_mut().leave(self.now);
        }
        let is_full = self.disk.is_full();
        let load = self
            .balance
            .as_mut()
            .map_or(0, |balance| balance.count_load(self.now, &self.replicas, is_full));
        let map = u32::try_from(self.placement.version()).expect("maps are few");
        let view = self.peers.membership().view();
        let incarnation = u32::try_from(self.incarnation).expect("boots are few");
        let beat = Beat { incarnation, release: self.release, map, load, view };
        let takes_its_leave = self.retirement.leads_nothing();
        for peer in self.placement.node_ids().filter(|&node| node != self.me) {
            if takes_its_leave {
                effects.leaving(peer, beat);
            } else if self.peers.membership_mut().has_news_for(peer) {
                effects.observe(Observation::Mark(Mark::RumoursTold));
                let rumours = self.peers.membership_mut().told();
                effects.gossip(peer, Gossip { beat, rumours });
            } else {
                effects.beat(peer, beat);
            }
        }
    }

    #[inline]
    pub(super) fn on_beat(&mut self, from: NodeId, beat: Beat, effects: &mut Effects) {
        if u64::from(beat.map) != self.placement.version() {
            self.on_version(from, beat.map.into(), effects);
        }
        if let Some(balance) = &mut self.balance {
            balance.on_beat(from, beat.load);
        }
        let heard = self.peers.hear(from, beat.incarnation.into(), self.now);
        if heard != Some(Heard::Steady) {
            self.on_news(from, beat, heard, effects);
        }
        if self.peers.membership_mut().on_beat(from, beat) {
            self.peers.admit(from, self.now, effects);
        }
    }

    /// A beat said more than that its sender is well.
    #[cold]
    fn on_news(&mut self, from: NodeId, beat: Beat, heard: Option<Heard>, effects: &mut Effects) {
        let incarnation = u64::from(beat.incarnation);
        if heard.is_some_and(|heard| heard != Heard::Stale) {
            self.peers.note_release(from, beat.release);
        }
        match heard {
            Some(Heard::Steady | Heard::First) => {}
            Some(Heard::Again) => {
                effects.observe(Observation::Trusted { peer: from });
                self.gateway.on_trusted(from);
                self.facts.on_heard(self.now, from, incarnation);
                self.elections.call_off_against(from);
                self.wake_followers(from);
            }
            Some(Heard::Restarted { suspected }) => {
                if suspected {
                    effects.observe(Observation::Trusted { peer: from });
                }
                self.gateway.on_trusted(from);
                effects.observe(Observation::Mark(Mark::PeerRestarted));
                self.facts.on_heard(self.now, from, incarnation);
                self.wake_followers(from);
                self.replace(from);
            }
            Some(Heard::Stale) => effects.observe(Observation::Mark(Mark::StaleBeat)),
            None => effects.observe(Observation::Mark(Mark::StrangeBeat)),
        }
    }

    #[inline(never)]
    pub(super) fn on_gossip(&mut self, from: NodeId, gossip: &Gossip, effects: &mut Effects) {
        self.peers.take_rumours(from, &gossip.rumours, self.now, effects);
        self.settle_service(effects);
        self.on_beat(from, gossip.beat, effects);
    }

    /// A peer leads nothing any more and will soon be gone: its silence is not waited for.
    #[inline(never)]
    pub(super) fn on_leaving(&mut self, from: NodeId, beat: Beat, effects: &mut Effects) {
        self.on_beat(from, beat, effects);
        if self.peers.is_current(from, beat.incarnation.into()) {
            self.gateway.on_leaving(from);
        }
    }

    /// Whether this node is a member of the cluster, by the map that it goes by.
    pub(super) fn is_of_cluster(&self) -> bool {
        self.placement.map_shard().is_none() || self.placement.has(self.me)
    }

    /// Has the gateway serve clients as far as the resolver allows.
    fn settle_service(&mut self, effects: &mut Effects) {
        let (service, before) = (self.peers.service(), self.gateway.service());
        if service == before {
            return;
        }
        if service == Service::All {
            effects.observe(Observation::Returned);
        } else if before == Service::All {
            effects.observe(Observation::Withdrew);
        }
        self.gateway.serve(service, effects);
    }

    /// Peers have been silent for too long.
    #[cold]
    pub(super) fn suspect(&mut self, effects: &mut Effects) {
        for peer in self.peers.overdue(self.now) {
            effects.observe(Observation::Suspected { peer });
            if self.is_of_cluster() {
                self.peers.membership_mut().suspect(peer, self.now);
            }
            self.gateway.on_suspected(self.now, peer, effects);
            self.facts.on_suspected(peer);
            self.replace(peer);
            if self.setup.config.on_suspicion == OnSuspicion::Down {
                self.strike_off(peer);
            }
        }
    }

    /// A peer is back: where this node leads and the peer follows, it speaks to the peer.
    fn wake_followers(&mut self, peer: NodeId) {
        for id in self.shared_with(peer) {
            if let Some(shard) = self.replicas.get_mut(id) {
                shard.on_peer_heard(peer);
                self.replicas.touch(id);
            }
        }
    }

    /// A peer is gone, or has forgotten that it led: where it led, this node will stand for election, the sooner the
    /// further up it is in the shard's list.
    fn replace(&mut self, peer: NodeId) {
        for id in self.shared_with(peer) {
            if self.follows(id, peer) {
                self.stand_against(id, peer, self.now);
            }
        }
    }

    /// Treats a silent peer as dead in every shard that it shares with this node.
    fn strike_off(&mut self, peer: NodeId) {
        for id in self.shared_with(peer) {
            if let Some(shard) = self.replicas.get_mut(id) {
                shard.strike_off(peer);
                self.replicas.touch(id);
            }
        }
    }

    /// Plans to stand for election in a shard whose leader is missed, at `at` or later.
    pub(super) fn stand_against(&mut self, id: ShardId, leader: NodeId, at: Instant) {
        let Some(shard) = self.replicas.get(id) else { return };
        let members = self.placement.replicas(id).iter();
        let rivals = members
            .take_while(|&&member| member != self.me)
            .filter(|&&rival| rival != leader && !self.peers.suspects(rival))
            .count();
        let epoch = shard.journal().epoch();
        self.elections.plan(Candidacy { at, shard: id, epoch, leader }, rivals);
    }

    /// Stands for the elections that are due.
    #[cold]
    pub(super) fn campaign(&mut self, effects: &mut Effects) {
        while let Some(candidacy) = self.elections.take_due(self.now) {
            if self.disk.is_full() {
                effects.observe(Observation::Mark(Mark::AbstainedWithoutDisk));
                let later = Candidacy { at: self.now + disk::RETRY_EVERY, ..candidacy };
                self.elections.plan(later, 0);
                continue;
            }
            let Some(shard) = self.replicas.get_mut(candidacy.shard) else { continue };
            // If the epoch has passed, another candidate was quicker.
            if shard.journal().epoch() == candidacy.epoch && !shard.journal().is_leader() {
                effects.observe(Observation::Mark(Mark::StoodForElection));
                shard.campaign();
                self.replicas.touch(candidacy.shard);
            }
        }
    }

    /// Whether this node's replica follows a peer as the leader of a shard.
    fn follows(&self, id: ShardId, peer: NodeId) -> bool {
        self.replicas.get(id).is_some_and(|shard| shard.journal().leader() == Some(peer))
    }

    fn shared_with(&self, peer: NodeId) -> Vec<ShardId> {
        let ours = self.replicas.carried().iter().copied();
        ours.filter(|&id| self.placement.replicas(id).contains(&peer) || self.follows(id, peer))
            .collect()
    }
}
