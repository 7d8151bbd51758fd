//! The order of a rolling upgrade.
//!
//! Owns which node gets which release when, and when one of them goes back. Refuses to know how a process stops and
//! starts, and what differs between releases.

use onsale_booking::{NodeId, choices};

use crate::setting::names;

/// The release that nodes start with, and the one that an upgrade brings.
const RELEASES: [u16; 2] = [1, 2];

choices! {
    /// When a node goes back to the first release, and how the upgrade goes on.
    pub enum Rollback {
        /// Before any other node is upgraded. It is upgraded once more when all others are.
        Early,
        /// When all nodes are upgraded. It is upgraded once more after that.
        Late,
        /// Before any other node is upgraded, and none is after it: the upgrade is called off.
        ForGood,
    }
}

names!(Rollback);

/// The installations of an upgrade of nodes 1 to `nodes`, in order: each a node and a release. A node that goes back is
/// the first one to be upgraded.
pub fn installations(
    rolls_back: Option<NodeId>,
    rollback: Rollback,
    nodes: u16,
) -> Vec<(NodeId, u16)> {
    let [old, new] = RELEASES;
    let others = (1..=nodes).map(NodeId).filter(|&node| Some(node) != rolls_back);
    let others = others.map(|node| (node, new));
    let Some(node) = rolls_back else { return others.collect() };
    let (up, back) = ([(node, new)], [(node, old)]);
    match rollback {
        Rollback::Early => up.into_iter().chain(back).chain(others).chain(up).collect(),
        Rollback::Late => up.into_iter().chain(others).chain(back).chain(up).collect(),
        Rollback::ForGood => up.into_iter().chain(back).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(rolls_back: Option<u16>, rollback: Rollback) -> Vec<(u16, u16)> {
        let installed = installations(rolls_back.map(NodeId), rollback, 3);
        installed.into_iter().map(|(node, release)| (node.0, release)).collect()
    }

    #[test]
    fn a_node_goes_back_before_the_others_or_after_them() {
        assert_eq!(order(None, Rollback::Late), [(1, 2), (2, 2), (3, 2)]);
        assert_eq!(order(Some(2), Rollback::Early), [(2, 2), (2, 1), (1, 2), (3, 2), (2, 2)]);
        assert_eq!(order(Some(2), Rollback::Late), [(2, 2), (1, 2), (3, 2), (2, 1), (2, 2)]);
        assert_eq!(order(Some(2), Rollback::ForGood), [(2, 2), (2, 1)]);
    }
}
