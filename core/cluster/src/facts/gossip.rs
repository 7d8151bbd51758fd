//! Gossip: with which peers to exchange facts, and when.
//!
//! Owns what each peer is known to have seen, with which peers a node has to catch up before it answers, the choice of
//! peers, and the pace of rounds. Refuses to know what the facts are.
//!
//! News go to a few peers at once, each of which passes them on once. Anti-entropy repairs the gaps in rounds: a node
//! sends its digest to a few of the peers that may not have seen as much. When it knows that all have, it falls silent;
//! it wakes on news, or on a peer that is heard again, has restarted or has joined. A node that has to catch up asks
//! when it is asked.

use std::cmp::Ordering;

use onsale_booking::{Draw, Instant, NodeId, Span};

use crate::fact::Seen;
use crate::hlc::Stamp;

/// A starting node's knowledge of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It knows all that it has ever seen.
    Knows,
    /// It joins: it answers once it has caught up with a peer.
    Joins,
    /// Its disk forgot. It answers once it has caught up with a peer, and writes once it has with all: only one may
    /// have seen this node's latest write, and the next write covers that one too.
    Forgot,
}

/// The boot of a message, compared with the latest known boot of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Boot {
    /// An earlier boot.
    Earlier,
    /// The same boot.
    Same,
    /// A later boot.
    Later,
}

/// The peers of one node.
#[derive(Clone, Debug)]
pub(super) struct Gossip {
    start: Start,
    fanout: usize,
    every: Span,
    peers: Vec<Peer>,
    draw: Draw,
    /// When the next round is, if one is planned.
    round: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Peer {
    node: NodeId,
    incarnation: u64,
    /// The peer's version vector, or an earlier one.
    seen: Seen,
    suspected: bool,
    /// The peer's version vector when it first spoke to this node in the present boots of both, knowing of both.
    first: Option<Seen>,
    /// Whether this node has, in this boot, seen as much as `first`. News that reach the peer later are not waited for:
    /// where a peer's clock is ahead and it goes on writing, something is always too early to be taken.
    caught_up: bool,
}

impl Gossip {
    pub(super) fn new(
        start: Start,
        peers: impl IntoIterator<Item = NodeId>,
        fanout: usize,
        every: Span,
        draw: Draw,
    ) -> Self {
        let peers = peers.into_iter().map(Peer::new).collect();
        Self { start, fanout, every, peers, draw, round: None }
    }

    /// Replaces the peers: a peer that has left is forgotten, a new one has seen nothing.
    pub(super) fn follow(&mut self, nodes: impl IntoIterator<Item = NodeId>) {
        let mut before = std::mem::take(&mut self.peers);
        for node in nodes {
            let known = before.iter().position(|peer| peer.node == node);
            let peer = known.map_or_else(|| Peer::new(node), |place| before.swap_remove(place));
            self.peers.push(peer);
        }
    }

    /// Whether node `me` has seen enough to answer a question, which may be a write; `last` is its latest write.
    pub(super) fn may_answer(&self, writes: bool, me: NodeId, last: Option<Stamp>) -> bool {
        match self.start {
            Start::Knows => true,
            Start::Forgot if writes => self.has_heard_all(me, last),
            Start::Joins | Start::Forgot => self.peers.iter().any(|peer| peer.caught_up),
        }
    }

    /// Whether this node has caught up with all peers, and none is known to know a later write of its own. A peer that
    /// has a write of an earlier boot has had it since then, and included it when it first spoke: so a write that none
    /// of them has is lost.
    pub(super) fn has_heard_all(&self, me: NodeId, last: Option<Stamp>) -> bool {
        self.peers.iter().all(|peer| peer.caught_up && peer.seen.of(me) <= last)
    }

    /// Whether a question is answered only once all peers have been heard.
    pub(super) fn waits_for_all(&self, writes: bool) -> bool {
        writes && self.start == Start::Forgot
    }

    /// Whether some peer has seen a write.
    pub(super) fn has_told(&self, stamp: Stamp) -> bool {
        self.peers.iter().any(|peer| peer.seen.covers(stamp))
    }

    /// When the next round is, if one is planned.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.round
    }

    /// Plans a round if some peer may not have seen as much; calls it off if all have.
    pub(super) fn plan(&mut self, now: Instant, seen: &Seen) {
        if !self.peers.iter().any(|peer| peer.lacks(seen)) {
            self.round = None;
        } else if self.round.is_none() {
            // Spread, so that nodes that heard the same news do not all ask at once.
            self.round = Some(now + self.every + self.draw.span(self.every));
        }
    }

    /// The peers to send the digest to, if it is time for a round.
    pub(super) fn on_deadline(&mut self, now: Instant, seen: &Seen) -> Vec<NodeId> {
        if self.round.take_if(|at| *at <= now).is_none() {
            return Vec::new();
        }
        let (fanout, lacking) =
            (self.fanout, self.peers.iter().filter(|peer| peer.lacks(seen)).map(|peer| peer.node));
        choose(&mut self.draw, lacking.collect(), fanout)
    }

    /// The peers to pass news from `from` on to.
    pub(super) fn listeners(&mut self, from: NodeId) -> Vec<NodeId> {
        let others = self.peers.iter().filter(|peer| !peer.suspected && peer.node != from);
        choose(&mut self.draw, others.map(|peer| peer.node).collect(), self.fanout)
    }

    /// The peers to ask for the writes of `writers`: those of them that are heard, and one more. Where all peers have
    /// to be heard, every peer that has not been.
    pub(super) fn sources(&mut self, writers: &[NodeId], needs_all: bool) -> Vec<NodeId> {
        let is_source = |peer: &&Peer| writers.contains(&peer.node) || needs_all && !peer.caught_up;
        let heard = self.peers.iter().filter(|peer| !peer.suspected);
        let (sources, others): (Vec<_>, Vec<_>) = heard.partition(is_source);
        let nodes = |peers: Vec<&Peer>| peers.into_iter().map(|peer| peer.node).collect::<Vec<_>>();
        let (mut sources, others) = (nodes(sources), nodes(others));
        sources.extend(choose(&mut self.draw, others, 1));
        sources
    }

    /// Takes a peer's version vector `seen`; `mine` is this node's. Only a peer that knows of this node's present boot
    /// has dropped the deltas of the boots before, so only with that one can a node catch up.
    pub(super) fn on_digest(&mut self, from: NodeId, knows_me: bool, seen: &Seen, mine: &Seen) {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.node == from) else { return };
        peer.seen.merge(seen);
        if !peer.caught_up && knows_me {
            peer.caught_up = mine.includes(peer.first.get_or_insert_with(|| seen.clone()));
        }
    }

    /// A node speaks in a boot. Even one that has left, and is no longer a peer, may still have news to tell.
    pub(super) fn on_boot(&mut self, node: NodeId, incarnation: u64) -> Boot {
        let peer = self.peers.iter_mut().find(|peer| peer.node == node);
        peer.map_or(Boot::Same, |peer| peer.is_in(incarnation))
    }

    /// The latest boot of a node that this node knows of; 0 if it has not heard it.
    pub(super) fn boot_of(&self, node: NodeId) -> u64 {
        let peer = self.peers.iter().find(|peer| peer.node == node);
        peer.map_or(0, |peer| peer.incarnation)
    }

    /// A peer has fallen silent.
    pub(super) fn on_suspected(&mut self, node: NodeId) {
        self.peers
            .iter_mut()
            .filter(|peer| peer.node == node)
            .for_each(|peer| peer.suspected = true);
    }

    /// A peer is heard.
    pub(super) fn on_heard(&mut self, node: NodeId) {
        self.peers
            .iter_mut()
            .filter(|peer| peer.node == node)
            .for_each(|peer| peer.suspected = false);
    }
}

impl Peer {
    fn new(node: NodeId) -> Self {
        Self {
            node,
            incarnation: 0,
            seen: Seen::default(),
            suspected: false,
            first: None,
            caught_up: false,
        }
    }

    /// Notes the boot of a peer's message. Knowledge of an earlier boot may be lost.
    fn is_in(&mut self, incarnation: u64) -> Boot {
        match incarnation.cmp(&self.incarnation) {
            Ordering::Less => Boot::Earlier,
            Ordering::Equal => Boot::Same,
            Ordering::Greater => {
                (self.seen, self.first) = (Seen::default(), None);
                self.incarnation = incarnation;
                Boot::Later
            }
        }
    }

    fn lacks(&self, seen: &Seen) -> bool {
        !self.suspected && !self.seen.includes(seen)
    }
}

/// `count` of the nodes at random; all, if there are no more.
fn choose(draw: &mut Draw, mut nodes: Vec<NodeId>, count: usize) -> Vec<NodeId> {
    draw.shuffle(&mut nodes);
    nodes.truncate(count);
    nodes
}
