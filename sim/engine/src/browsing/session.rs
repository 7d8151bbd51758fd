//! A client's session, carried from node to node.
//!
//! Owns the session token, and when it is given up: once each node of the cluster has said that it
//! is behind, and none has answered in between. Refuses to know the questions.
//!
//! A token that no node accepts is useless, perhaps for ever: its versions may be lost with a disk,
//! which cannot be told apart from a node that never returns. A partition alone does not lead to
//! that: the node that told a version tells it again, and a node that is down says nothing.

use onsale_booking::NodeId;
use onsale_cluster::Stamp;
use onsale_cluster::fact::Seen;

use crate::seen::asked::SessionId;

/// A session of one person.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    /// The token: the versions that the session has seen.
    pub(super) seen: Seen,
    /// The nodes that said that they are behind since the last answer.
    behind: Vec<NodeId>,
}

impl Session {
    /// A session that has seen nothing.
    pub(super) fn new(id: SessionId) -> Self {
        Self { id, seen: Seen::default(), behind: Vec::new() }
    }

    /// Notes a node's answer with these versions.
    pub(super) fn on_answer(&mut self, versions: impl Iterator<Item = Stamp>) {
        self.behind.clear();
        versions.for_each(|stamp| self.seen.add(stamp));
    }

    /// Notes that a node says it is behind. Returns whether every node of the cluster has.
    pub(super) fn on_behind(&mut self, node: NodeId, cluster: &[NodeId]) -> bool {
        if !self.behind.contains(&node) {
            self.behind.push(node);
        }
        cluster.iter().all(|node| self.behind.contains(node))
    }
}

#[cfg(test)]
mod tests {
    use onsale_booking::Instant;

    use super::*;

    const CLUSTER: [NodeId; 3] = [NodeId(1), NodeId(2), NodeId(5)];

    #[test]
    fn a_session_is_given_up_once_every_node_is_behind_and_none_answered_in_between() {
        let mut session = Session::new(SessionId(1));
        let stamp = Stamp { at: Instant(7), count: 0, node: NodeId(2) };
        session.on_answer([stamp].into_iter());
        assert!(session.seen.covers(stamp));
        for node in [1, 2, 1, 2, 3] {
            assert!(!session.on_behind(NodeId(node), &CLUSTER));
        }
        session.on_answer(std::iter::empty());
        assert!(!session.on_behind(NodeId(5), &CLUSTER), "one node has answered");
        assert!(!session.on_behind(NodeId(1), &CLUSTER));
        assert!(session.on_behind(NodeId(1), &CLUSTER[..1]), "the other nodes have left");
        assert!(session.on_behind(NodeId(2), &CLUSTER));
    }
}
