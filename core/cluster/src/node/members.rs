//! A node among the members: beats, rumours, and whether it serves.
//!
//! Owns what a node does with the table of members and with the resolver's judgement. Refuses to
//! touch a shard: elections follow from silence that this node has heard itself.

use onsale_booking::NodeId;

use super::Node;
use crate::beat::Beat;
use crate::effect::Effects;
use crate::facts::Start;
use crate::journal::Recovered;
use crate::mark::Mark;
use crate::membership::Heard;
use crate::message::Gossip;
use crate::observation::Observation;
use crate::resolver::Service;

/// What a node knows of facts that comes up with this on its disk, of the cluster by the first map or not.
/// Where a replica has not made up for what is missing, facts may not have either.
pub(super) fn facts_start(recovered: &Recovered, is_founding: bool) -> Start {
    let in_repair = recovered.shards().any(|shard| recovered.is_in_repair(shard));
    match recovered.lost_promises() || in_repair || recovered.forgot.is_some() {
        true => Start::Forgot,
        false if is_founding => Start::Knows,
        false => Start::Joins,
    }
}

impl Node {
    /// Tells every peer that this node lives, and those that know something else what it knows.
    /// Who takes its leave says that instead. Who is not of the cluster, not yet or no more, is told
    /// nothing by its peers, so it judges nobody.
    pub(super) fn beat(&mut self, effects: &mut Effects) {
        if self.is_of_cluster() {
            self.look_around(effects);
        }
        if self.leaves() {
            self.membership.leave(self.now);
        }
        let (incarnation, load) = (self.incarnation, self.reckon_load());
        let map = u32::try_from(self.placement.version()).expect("maps are few");
        let beat = Beat { incarnation, map, load, view: self.membership.view() };
        let takes_its_leave = self.takes_its_leave();
        for peer in self.placement.node_ids().filter(|&node| node != self.me) {
            if takes_its_leave {
                effects.leaving(peer, beat);
            } else if self.membership.has_news_for(peer) {
                effects.observe(Observation::Mark(Mark::RumoursTold));
                effects.gossip(peer, Gossip { beat, rumours: self.membership.told() });
            } else {
                effects.beat(peer, beat);
            }
        }
    }

    #[inline(never)]
    pub(super) fn on_gossip(&mut self, from: NodeId, gossip: &Gossip, effects: &mut Effects) {
        let is_peer = from != self.me && self.membership.member(from).is_some();
        for &rumour in gossip.rumours.iter().filter(|_| is_peer) {
            match self.membership.on_rumour(rumour, self.now) {
                Heard::Nothing | Heard::Changed => {}
                Heard::Admitted => self.resolver.on_admitted(),
                Heard::Refuted => effects.observe(Observation::Mark(Mark::SuspicionRefuted)),
                Heard::GivenUp => {
                    effects.observe(Observation::Mark(Mark::JoinedAnew));
                    self.resolver.on_given_up();
                }
                Heard::Impossible => effects.observe(Observation::Mark(Mark::StrangeRumour)),
            }
        }
        self.settle_service(effects);
        self.on_beat(from, gossip.beat, effects);
    }

    /// Whether this node is of the cluster, by the map that it goes by.
    pub(super) fn is_of_cluster(&self) -> bool {
        self.placement.map_shard().is_none() || self.placement.has(self.me)
    }

    /// There is another map.
    pub(super) fn on_other_nodes(&mut self) {
        let map = &self.placement;
        self.membership.count(|node| map.has(node));
        self.resolver.on_nodes(map.node_ids().count() as u16);
        self.facts.on_peers(self.now, map.node_ids().filter(|&node| node != self.me));
    }

    /// A peer that joins was heard: it is admitted, if this node sees a quorum.
    pub(super) fn admit(&mut self, joins: NodeId, effects: &mut Effects) {
        if self.resolver.sees_quorum() && self.membership.admit(joins, self.now) {
            effects.observe(Observation::Mark(Mark::PeerAdmitted));
        }
    }

    /// Judges what is seen: whether this node serves, and whom it gives up.
    fn look_around(&mut self, effects: &mut Effects) {
        let agree = || 1 + self.membership.agreeing();
        self.resolver.look(1 + self.detector.heard_peers(), agree, self.now);
        let overdue = |since| self.resolver.gives_up(since, self.now);
        let given_up: Vec<NodeId> = self
            .membership
            .suspects()
            .filter(|&(_, since)| overdue(since))
            .map(|(peer, _)| peer)
            .collect();
        for peer in given_up {
            self.membership.down(peer, self.now);
            effects.observe(Observation::GivenUp { peer });
        }
        self.settle_service(effects);
    }

    fn settle_service(&mut self, effects: &mut Effects) {
        let (service, before) = (self.resolver.service(), self.gateway.service());
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
}
