//! With whom to speak about facts, and when.
//!
//! Owns what each peer is known to have seen, the choice of peers, and the pace of rounds.
//! Refuses to know what the facts are.
//!
//! News go to a few peers at once, each of which passes them on once. What that misses is
//! repaired in rounds: a node sends its digest to a few of the peers of which it does not know
//! that they have seen as much. When it knows that of all, it falls silent; what wakes it is
//! something new, or a peer that is heard again or has restarted.

use super::Seen;
use crate::draw::Draw;
use crate::id::NodeId;
use crate::time::{Instant, Span};

/// The peers of one node.
#[derive(Clone, Debug)]
pub(super) struct Gossip {
    fanout: usize,
    every: Span,
    peers: Vec<Peer>,
    draw: Draw,
    /// When the next round is, if one is to come.
    round: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Peer {
    node: NodeId,
    incarnation: u64,
    /// What it has seen, at least.
    seen: Seen,
    suspected: bool,
}

impl Gossip {
    pub(super) fn new(
        peers: impl IntoIterator<Item = NodeId>,
        fanout: usize,
        every: Span,
        draw: Draw,
    ) -> Self {
        let peer = |node| Peer { node, incarnation: 0, seen: Seen::default(), suspected: false };
        Self { fanout, every, peers: peers.into_iter().map(peer).collect(), draw, round: None }
    }

    /// When the next round is, if one is to come.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.round
    }

    /// Plans a round if some peer may not have seen as much; calls one off if all have.
    pub(super) fn plan(&mut self, now: Instant, seen: &Seen) {
        if !self.peers.iter().any(|peer| peer.lacks(seen)) {
            self.round = None;
        } else if self.round.is_none() {
            // Spread, so that nodes that heard of the same news do not all ask at once.
            self.round = Some(now + self.every + self.draw.span(self.every));
        }
    }

    /// Whom to send the digest to, if it is time for a round.
    pub(super) fn on_deadline(&mut self, now: Instant, seen: &Seen) -> Vec<NodeId> {
        if self.round.take_if(|at| *at <= now).is_none() {
            return Vec::new();
        }
        let (fanout, lacking) =
            (self.fanout, self.peers.iter().filter(|peer| peer.lacks(seen)).map(|peer| peer.node));
        choose(&mut self.draw, lacking.collect(), fanout)
    }

    /// Whom to tell news that came from `from`.
    pub(super) fn listeners(&mut self, from: NodeId) -> Vec<NodeId> {
        let others = self.peers.iter().filter(|peer| !peer.suspected && peer.node != from);
        choose(&mut self.draw, others.map(|peer| peer.node).collect(), self.fanout)
    }

    /// Whom to ask for what `writers` wrote: them, as far as they are heard, and one more.
    pub(super) fn sources(&mut self, writers: &[NodeId]) -> Vec<NodeId> {
        let heard = self.peers.iter().filter(|peer| !peer.suspected).map(|peer| peer.node);
        let (mut sources, others): (Vec<_>, Vec<_>) =
            heard.partition(|node| writers.contains(node));
        sources.extend(choose(&mut self.draw, others, 1));
        sources
    }

    /// A peer says what it has seen. Whether it is one, and says it in its latest boot.
    pub(super) fn on_digest(&mut self, from: NodeId, incarnation: u64, seen: &Seen) -> bool {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.node == from) else { return false };
        if incarnation < peer.incarnation {
            return false;
        }
        if incarnation > peer.incarnation {
            peer.seen = Seen::default();
            peer.incarnation = incarnation;
        }
        peer.seen.merge(seen);
        true
    }

    /// A peer has fallen silent.
    pub(super) fn on_suspected(&mut self, node: NodeId) {
        self.peers
            .iter_mut()
            .filter(|peer| peer.node == node)
            .for_each(|peer| peer.suspected = true);
    }

    /// A peer is heard in this boot of it.
    pub(super) fn on_heard(&mut self, node: NodeId, incarnation: u64) {
        self.on_digest(node, incarnation, &Seen::default());
        self.peers
            .iter_mut()
            .filter(|peer| peer.node == node)
            .for_each(|peer| peer.suspected = false);
    }
}

impl Peer {
    fn lacks(&self, seen: &Seen) -> bool {
        !self.suspected && !self.seen.includes(seen)
    }
}

/// So many of them at random; all, if there are no more.
fn choose(draw: &mut Draw, mut nodes: Vec<NodeId>, count: usize) -> Vec<NodeId> {
    draw.shuffle(&mut nodes);
    nodes.truncate(count);
    nodes
}
