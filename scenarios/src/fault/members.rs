//! Faults that change which nodes are of the cluster.
//!
//! Owns these families: their keys, and which nodes may join or leave. Refuses to know how nodes move.

use std::slice;

use onsale_booking::Span;

use super::declare::faults;
use super::{Family, Fault, Group, Site, Target, Trouble};
use crate::setting::Checks;

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
    }
}

impl MembersFault {
    /// The spares that join.
    pub fn joining(&self) -> &[Target] {
        match self {
            Self::Join { nodes } => nodes,
            Self::Leave { .. } => &[],
            Self::Replace { by, .. } => slice::from_ref(by),
        }
    }

    /// Number of nodes by which the cluster grows, negative if it shrinks; a replaced node does not count.
    pub(crate) const fn grows_by(&self) -> i32 {
        match self {
            Self::Join { nodes } => nodes.len() as i32,
            Self::Leave { nodes } => -(nodes.len() as i32),
            Self::Replace { .. } => 0,
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

    /// Unchanged: it names nodes that a smaller cluster may lack.
    fn aim_within(&mut self, _nodes: u16, _zones: u16) {}
}

impl Site<'_> {
    /// Checks nodes that join or leave: named, each once, and spares if they join.
    fn movers(&self, checks: &mut Checks, nodes: &[Target], joins: bool) {
        let (list, last) = (self.key("nodes"), self.cluster.numbers());
        checks.that(!nodes.is_empty(), &list, || {
            ("no node is named".into(), format!("name at least one: `nodes = [\"n{last}\"]`"))
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
