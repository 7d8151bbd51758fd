//! What somebody has been told, and takes along to the next node.
//!
//! Owns the session token, and when it is given up: once each node of the cluster, one after the
//! other, has said that it is behind, and none has answered in between. Refuses to know what is
//! asked.
//!
//! A token that no node accepts is of no use, and may never be again: what it stands for may be
//! lost with a disk, and nobody can say so of a node that is gone for good. A partition alone does
//! not come to that, for whoever told something says it again, and a node that is down says
//! nothing.

use onsale_booking::NodeId;
use onsale_cluster::Stamp;
use onsale_cluster::fact::Seen;

use crate::seen::asked::SessionId;

/// A session of somebody.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) id: SessionId,
    /// The token.
    pub(super) seen: Seen,
    /// The nodes that have said that they are behind since the session was answered last.
    behind: Vec<NodeId>,
}

impl Session {
    /// A session that has seen nothing.
    pub(super) fn new(id: SessionId) -> Self {
        Self { id, seen: Seen::default(), behind: Vec::new() }
    }

    /// A node answers, with these versions.
    pub(super) fn on_answer(&mut self, versions: impl Iterator<Item = Stamp>) {
        self.behind.clear();
        versions.for_each(|stamp| self.seen.add(stamp));
    }

    /// A node says that it is behind. Says whether each of the cluster has by now.
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
        assert!(!session.on_behind(NodeId(5), &CLUSTER), "one of them has answered");
        assert!(!session.on_behind(NodeId(1), &CLUSTER));
        assert!(session.on_behind(NodeId(1), &CLUSTER[..1]), "the others have left");
        assert!(session.on_behind(NodeId(2), &CLUSTER));
    }
}
