//! With whom to speak about facts, and when.
//!
//! Owns what each peer is known to have seen, whom a node has to catch up with before it answers,
//! the choice of peers, and the pace of rounds. Refuses to know what the facts are.
//!
//! News go to a few peers at once, each of which passes them on once. What that misses is
//! repaired in rounds: a node sends its digest to a few of the peers of which it does not know
//! that they have seen as much. When it knows that of all, it falls silent; what wakes it is
//! something new, or a peer that is heard again, has restarted or has joined. A node that has to catch
//! up asks when it is asked.

use super::Seen;
use crate::draw::Draw;
use crate::hlc::Stamp;
use crate::id::NodeId;
use crate::time::{Instant, Span};

/// What a node starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It knows all that it has ever seen.
    Knows,
    /// It joins: it answers once it has caught up with a peer.
    Joins,
    /// Its disk forgot. It answers once it has caught up with a peer, and writes once it has with all:
    /// one may be all that has seen this node's latest write, and what is written next stands for
    /// that too.
    Forgot,
}

/// The peers of one node.
#[derive(Clone, Debug)]
pub(super) struct Gossip {
    start: Start,
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
    /// Whether this node has, in this boot, seen as much as the peer said that it had.
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

    /// These are the peers from now on: who is gone is forgotten, who has come has seen nothing.
    pub(super) fn follow(&mut self, nodes: impl IntoIterator<Item = NodeId>) {
        let mut before = std::mem::take(&mut self.peers);
        for node in nodes {
            let known = before.iter().position(|peer| peer.node == node);
            let peer = known.map_or_else(|| Peer::new(node), |place| before.swap_remove(place));
            self.peers.push(peer);
        }
    }

    /// Whether this node has seen enough to answer, a write or else a read.
    pub(super) fn may_answer(&self, writes: bool) -> bool {
        let mut peers = self.peers.iter();
        match self.start {
            Start::Knows => true,
            Start::Forgot if writes => peers.all(|peer| peer.caught_up),
            Start::Joins | Start::Forgot => peers.any(|peer| peer.caught_up),
        }
    }

    /// Whether some peer has seen a write.
    pub(super) fn has_told(&self, stamp: Stamp) -> bool {
        self.peers.iter().any(|peer| peer.seen.covers(stamp))
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

    /// Whom to ask for what `writers` wrote: them, as far as they are heard, and one more. Where a
    /// write waits for all, all that it waits for.
    pub(super) fn sources(&mut self, writers: &[NodeId], writes: bool) -> Vec<NodeId> {
        let needs_all = writes && self.start == Start::Forgot;
        let is_source = |peer: &&Peer| writers.contains(&peer.node) || needs_all && !peer.caught_up;
        let heard = self.peers.iter().filter(|peer| !peer.suspected);
        let (sources, others): (Vec<_>, Vec<_>) = heard.partition(is_source);
        let nodes = |peers: Vec<&Peer>| peers.into_iter().map(|peer| peer.node).collect::<Vec<_>>();
        let (mut sources, others) = (nodes(sources), nodes(others));
        sources.extend(choose(&mut self.draw, others, 1));
        sources
    }

    /// Somebody says what it has seen, whether this node has seen all that or not. Whether it is no
    /// peer, or says it in its latest boot. One that has left may have something to tell still.
    pub(super) fn on_digest(
        &mut self,
        from: NodeId,
        incarnation: u64,
        seen: &Seen,
        caught_up: bool,
    ) -> bool {
        let Some(peer) = self.peers.iter_mut().find(|peer| peer.node == from) else { return true };
        if incarnation < peer.incarnation {
            return false;
        }
        if incarnation > peer.incarnation {
            peer.seen = Seen::default();
            peer.incarnation = incarnation;
        }
        peer.seen.merge(seen);
        peer.caught_up |= caught_up;
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
        self.on_digest(node, incarnation, &Seen::default(), false);
        self.peers
            .iter_mut()
            .filter(|peer| peer.node == node)
            .for_each(|peer| peer.suspected = false);
    }
}

impl Peer {
    fn new(node: NodeId) -> Self {
        Self { node, incarnation: 0, seen: Seen::default(), suspected: false, caught_up: false }
    }

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
