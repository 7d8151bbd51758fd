//! Faults that change which nodes are of the cluster.
//!
//! Owns these families: their keys, and which nodes may join or leave. Refuses to know how nodes move.

use std::slice;

use onsale_booking::Span;

use super::declare::faults;
use super::{Family, Fault, Group, Site, Target, Trouble};
use crate::setting::{Checks, DAY};

faults! {
    /// A membership change.
    pub enum MembersFault in members_keys {
        /// Spare nodes start and join the cluster.
        Join for lasts {
            /// The spare nodes, each once.
            nodes: Vec<Target>;
        }
        /// Nodes are told to leave the cluster, and stop once they hold no replicas. For a dead node, another node is
        /// told.
        Leave for lasts {
            /// The nodes by number, each once.
            nodes: Vec<Target>;
        }
        /// A node and its disk are lost for good. A spare joins, and another node is told to remove the lost node.
        Replace for lasts {
            /// The lost node.
            node: Target;
            /// The spare that replaces it.
            by: Target;
        }
        /// Nodes and their disks are lost for good at one instant, and spares join. Shards that lost a majority wait
        /// until an operator reads the survivors' disks and orders one replica of each to go on alone. What only the lost
        /// disks held is lost: counted and named in the reports, and excused.
        MajorityLoss for lasts {
            /// The lost nodes, each once.
            nodes: Vec<Target>;
            /// The spares that join, each once.
            by: Vec<Target>;
            /// Time from the loss to the operator's order; less than `lasts`.
            after: Span = MembersFault::ORDER_AFTER, chosen, in ORDER;
        }
    }
}

/// Bounds of the time until an operator gives an order: messages of the lost nodes have arrived by then.
pub(crate) const ORDER: std::ops::RangeInclusive<Span> = Span::from_secs(5)..=DAY;

/// Number of replicas of a shard without which the others have no quorum.
pub fn majority(replicas: u16) -> usize {
    usize::from(replicas).div_ceil(2)
}

impl MembersFault {
    /// The default time from the loss of a majority to the operator's order.
    pub const ORDER_AFTER: Span = Span::from_secs(30);

    /// The spares that join.
    pub fn joining(&self) -> &[Target] {
        match self {
            Self::Join { nodes } => nodes,
            Self::Leave { .. } => &[],
            Self::Replace { by, .. } => slice::from_ref(by),
            Self::MajorityLoss { by, .. } => by,
        }
    }

    /// Number of nodes by which the cluster grows, negative if it shrinks; a replaced node does not count.
    pub(crate) fn grows_by(&self) -> i32 {
        match self {
            Self::Join { nodes } => nodes.len() as i32,
            Self::Leave { nodes } => -(nodes.len() as i32),
            Self::Replace { .. } => 0,
            Self::MajorityLoss { nodes, by, .. } => by.len() as i32 - nodes.len() as i32,
        }
    }
}

impl Group for MembersFault {
    fn trouble(&self) -> Option<Trouble> {
        Some(Trouble::Delays)
    }

    fn check(&self, site: &Site<'_>, checks: &mut Checks) {
        match self {
            Self::Join { nodes } => site.movers(checks, nodes, true),
            Self::Leave { nodes } => site.movers(checks, nodes, false),
            Self::Replace { node, by } => {
                site.target(checks, "node", *node);
                site.mover(checks, &site.key("by"), *by, true);
            }
            Self::MajorityLoss { nodes, by, after } => site.majority(checks, nodes, by, *after),
        }
    }

    fn simpler(&self, _fault: &Fault, _nodes: u16, _zones: u16) -> Vec<Fault> {
        Vec::new()
    }

    fn each_target(&mut self, visit: &mut dyn FnMut(&mut Target)) {
        if let Self::Replace { node, .. } = self {
            visit(node);
        }
    }

    fn fit(&mut self, lasts: Span) {
        if let Self::MajorityLoss { after, .. } = self {
            *after = (*after).min(Span(lasts.0 / 2)).max(*ORDER.start());
        }
    }

    /// Unchanged: it names nodes that a smaller cluster may lack.
    fn aim_within(&mut self, _nodes: u16, _zones: u16) {}
}

impl Site<'_> {
    /// Checks a majority that is lost: an operator can help only where a replica of each shard survives, and enough nodes
    /// are left to carry all replicas again.
    fn majority(&self, checks: &mut Checks, nodes: &[Target], by: &[Target], after: Span) {
        self.movers_in(checks, "nodes", nodes, false);
        self.movers_in(checks, "by", by, true);
        let cluster = self.cluster;
        let (lost, replicas) = (nodes.len(), usize::from(cluster.replicas));
        let majority = majority(cluster.replicas);
        checks.that_both(lost >= majority, &self.key("nodes"), "cluster.replicas", || {
            let what = format!("{lost} of {replicas} replicas of a shard are no majority");
            (what, format!("lose {majority} nodes; `replace` loses one"))
        });
        checks.that_both(lost < replicas, &self.key("nodes"), "cluster.replicas", || {
            let what = format!(
                "{lost} nodes may be all {replicas} replicas of a shard: none survives to go on"
            );
            (what, format!("lose at most {} nodes", replicas.saturating_sub(1)))
        });
        let left = usize::from(cluster.nodes) + by.len();
        checks.that(left >= lost + replicas, &self.key("by"), || {
            let what = format!(
                "{} nodes are left to carry {replicas} replicas of each shard",
                left.saturating_sub(lost)
            );
            (what, "let more spares join: `cluster.spares` and `by`".into())
        });
        checks.that(after < self.lasts, &self.key("after"), || {
            let what = format!("the operator's order comes after {after}, when the fault is over");
            (what, format!("less than `lasts`, which is {}", self.lasts))
        });
    }

    /// Checks nodes that join or leave: named, each once, and spares if they join.
    fn movers(&self, checks: &mut Checks, nodes: &[Target], joins: bool) {
        self.movers_in(checks, "nodes", nodes, joins);
    }

    fn movers_in(&self, checks: &mut Checks, key: &str, nodes: &[Target], joins: bool) {
        let (list, last) = (self.key(key), self.cluster.numbers());
        checks.that(!nodes.is_empty(), &list, || {
            ("no node is named".into(), format!("name at least one: `{key} = [\"n{last}\"]`"))
        });
        for (n, target) in nodes.iter().enumerate() {
            let item = format!("{list}[{n}]");
            self.mover(checks, &item, *target, joins);
            checks.that(!nodes[..n].contains(target), &item, || {
                (format!("`{target}` is named twice"), "name each node once".into())
            });
        }
    }

    fn mover(&self, checks: &mut Checks, field: &str, target: Target, joins: bool) {
        let (first, last) =
            (if joins { self.cluster.nodes + 1 } else { 1 }, self.cluster.numbers());
        let fits = matches!(target, Target::Node(node) if (first..=last).contains(&node.0));
        checks.that(fits, field, || {
            let help = if first > last {
                "set `cluster.spares`".to_owned()
            } else {
                format!("one of n{first} to n{last}")
            };
            let what = if joins { "not a spare" } else { "not a node by number" };
            (format!("`{target}` is {what}"), help)
        });
    }
}
