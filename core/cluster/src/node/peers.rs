//! One node's view of its peers.
//!
//! Owns the failure detector, the table of members and the resolver, and how they work together: silence becomes
//! suspicion, suspicion becomes a rumour, and a quorum that is seen for long enough declares a member down. Refuses to
//! know shards: elections follow from silence that this node has heard itself, and no safety depends on anything here.

use onsale_booking::{Instant, NodeId};

use crate::config::Config;
use crate::detector::{Detector, Heard};
use crate::effect::Effects;
use crate::mark::Mark;
use crate::membership::{self, Membership, Rumour};
use crate::observation::Observation;
use crate::placement::Placement;
use crate::record::Format;
use crate::release::Release;
use crate::resolver::{Resolver, Service};

/// One node's view of its peers.
#[derive(Debug)]
pub(super) struct Peers {
    me: NodeId,
    detector: Detector,
    membership: Membership,
    resolver: Resolver,
    /// By node number: the release that runs there by the first beat of its last boot; `None` until one is heard.
    releases: Vec<Option<Release>>,
}

impl Peers {
    /// The view of node `me` as it starts at `now`: all peers are well until they have been silent for too long.
    pub(super) fn new(
        config: &Config,
        map: &Placement,
        (me, incarnation): (NodeId, u64),
        now: Instant,
    ) -> Self {
        Self {
            me,
            detector: Detector::new(config.suspicion(), map.node_ids(), me, now),
            membership: Membership::new(me, incarnation, map.nodes(), now),
            resolver: Resolver::new(config, map.node_ids().count() as u16, now),
            releases: vec![None; usize::from(map.nodes()) + 1],
        }
    }

    /// Notes the release that a peer runs in the boot in which it was just heard.
    pub(super) fn note_release(&mut self, peer: NodeId, release: Release) {
        if let Some(known) = self.releases.get_mut(usize::from(peer.0)) {
            *known = Some(release);
        }
    }

    /// Whether a peer is heard, and runs a release that reads a format.
    pub(super) fn reads(&self, peer: NodeId, format: Format) -> bool {
        let release = self.releases.get(usize::from(peer.0)).copied().flatten();
        !self.suspects(peer) && release.is_some_and(|release| release.reads(format))
    }

    /// Takes a peer's beat. `None` if the sender is no peer.
    #[inline]
    pub(super) fn hear(&mut self, from: NodeId, incarnation: u64, now: Instant) -> Option<Heard> {
        self.detector.heard(from, incarnation, now)
    }

    /// The table of members.
    pub(super) fn membership(&self) -> &Membership {
        &self.membership
    }

    /// The table of members, to be changed by beats.
    #[inline]
    pub(super) fn membership_mut(&mut self) -> &mut Membership {
        &mut self.membership
    }

    /// Whether a peer is silent for too long. A node does not suspect itself.
    pub(super) fn suspects(&self, peer: NodeId) -> bool {
        self.detector.suspects(peer)
    }

    /// Whether a peer's latest beat was of this incarnation.
    pub(super) fn is_current(&self, peer: NodeId, incarnation: u64) -> bool {
        self.detector.is_current(peer, incarnation)
    }

    /// The shards for which this node serves clients.
    pub(super) fn service(&self) -> Service {
        self.resolver.service()
    }

    /// When a peer may become suspect next; may be too early, never too late.
    #[inline]
    pub(super) fn next_deadline(&self) -> Instant {
        self.detector.next_deadline()
    }

    /// Makes the next deadline exact if it lies before `until`, when the node wakes anyway.
    #[inline]
    pub(super) fn sharpen(&mut self, until: Instant) {
        self.detector.sharpen(until);
    }

    /// The peers that have become suspect by `now`, each reported once.
    pub(super) fn overdue(&mut self, now: Instant) -> Vec<NodeId> {
        self.detector.overdue(now)
    }

    /// This node stood still until `now` and heard nothing: its peers' silence starts over.
    pub(super) fn excuse(&mut self, now: Instant) {
        self.detector.excuse(now);
        self.membership.excuse(now);
        self.resolver.excuse(now);
    }

    /// Adopts a map: its nodes are watched, others are not, and the quorum counts its nodes.
    pub(super) fn on_map(&mut self, before: &Placement, map: &Placement, now: Instant) {
        for node in map.node_ids().filter(|&node| node != self.me) {
            self.detector.watch(node, now);
        }
        for node in before.node_ids().filter(|&node| !map.has(node)) {
            self.detector.forget(node);
            self.releases[usize::from(node.0)] = None;
        }
        self.count_members(map);
    }

    /// Takes the cluster's members from the map.
    pub(super) fn count_members(&mut self, map: &Placement) {
        self.membership.count(|node| map.has(node));
        self.resolver.on_nodes(map.node_ids().count() as u16);
    }

    /// Takes rumours in and observes what they changed.
    pub(super) fn take_rumours(
        &mut self,
        from: NodeId,
        rumours: &[Rumour],
        now: Instant,
        effects: &mut Effects,
    ) {
        let is_peer = from != self.me && self.membership.member(from).is_some();
        for &rumour in rumours.iter().filter(|_| is_peer) {
            match self.membership.on_rumour(rumour, now) {
                membership::Heard::Nothing | membership::Heard::Changed => {}
                membership::Heard::Admitted => self.resolver.on_admitted(),
                membership::Heard::Refuted => {
                    effects.observe(Observation::Mark(Mark::SuspicionRefuted));
                }
                membership::Heard::GivenUp => {
                    effects.observe(Observation::Mark(Mark::Rejoined));
                    self.resolver.on_given_up();
                }
                membership::Heard::Impossible => {
                    effects.observe(Observation::Mark(Mark::StrangeRumour));
                }
            }
        }
    }

    /// Admits a joining peer that was heard, if this node sees a quorum.
    pub(super) fn admit(&mut self, joins: NodeId, now: Instant, effects: &mut Effects) {
        if self.resolver.sees_quorum() && self.membership.admit(joins, now) {
            effects.observe(Observation::Mark(Mark::PeerAdmitted));
        }
    }

    /// Judges what is seen: whether this node serves, and which members it declares down.
    pub(super) fn look_around(&mut self, now: Instant, effects: &mut Effects) {
        let agree = || 1 + self.membership.agreeing();
        self.resolver.look(1 + self.detector.heard_peers(), agree, now);
        let overdue = |since| self.resolver.gives_up(since, now);
        let given_up: Vec<NodeId> = self
            .membership
            .suspects()
            .filter(|&(_, since)| overdue(since))
            .map(|(peer, _)| peer)
            .collect();
        for peer in given_up {
            self.membership.down(peer, now);
            effects.observe(Observation::GivenUp { peer });
        }
    }
}
