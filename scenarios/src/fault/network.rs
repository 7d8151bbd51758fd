//! Faults of the network.
//!
//! Owns these families: their keys and bounds, and which faults are simpler. Refuses to know how messages travel.

use onsale_booking::{NodeId, Span};

use super::declare::faults;
use super::site::{FACTOR, TURN};
use super::{Family, Fault, Group, Site, Target, Trouble, parts};
use crate::ratio::Ratio;
use crate::setting::Checks;

faults! {
    /// A fault of the network.
    pub enum NetworkFault in network_keys {
        /// Links are cut, and messages in flight on them are lost.
        Partition for lasts in partition {
            /// The links.
            cut: Cut;
        }
        /// Messages between nodes are lost more often.
        Loss for lasts {
            /// Share of messages lost, above 0.
            chance: Ratio;
        }
        /// Messages between nodes are duplicated more often.
        Duplicate for lasts {
            /// Share of messages duplicated, above 0.
            chance: Ratio;
        }
        /// Messages on one link overtake each other more often.
        Reorder for lasts {
            /// Share of messages that others may overtake, above 0.
            chance: Ratio;
        }
        /// All links between nodes are slower.
        SlowNetwork for lasts {
            /// Factor by which they are slower.
            factor: u32, in FACTOR;
        }
        /// Messages between a node and the others are lost more often, in one direction.
        OneWayLoss for lasts {
            /// The node.
            node: Target;
            /// Only the link with this node; default: the links with all other nodes.
            peer: Option<Target>;
            /// Whether messages to the node are lost, instead of messages from it.
            inbound: bool = false, chosen;
            /// Share of messages lost, above 0.
            chance: Ratio;
        }
        /// Links between nodes have a low bandwidth: messages queue on them, and are lost when the queue is full.
        Congestion for lasts {
            /// Only links of this node; default: all links.
            node: Option<Target>;
            /// Bandwidth of each link in each direction.
            kib_per_s: u32, in 1..=1_000_000, unit "KiB a second";
        }
        /// A node is cut off and comes back, repeatedly.
        Flapping for lasts {
            /// The node.
            node: Target;
            /// Only the link with this node; default: all links, with clients too.
            peer: Option<Target>;
            /// Time that it is cut off, each time.
            down: Span, in TURN;
            /// Time that it is connected in between.
            up: Span, in TURN;
        }
        /// Nodes are cut off one after another, also from clients, and come back in another order; cuts and returns are
        /// evenly spaced.
        Swizzle for lasts {
            /// Nodes in the order in which they are cut off.
            cut: Vec<Target>;
            /// The same nodes in the order in which they come back.
            mend: Vec<Target>;
        }
    }
}

/// The links that a partition cuts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cut {
    /// These nodes are cut off from the others, and from clients.
    Isolate(Vec<Target>),
    /// Two halves, the smaller one with the leader of the hot show.
    Halves,
    /// Messages from this node to other nodes are lost; messages to it arrive.
    OneWay(Target),
    /// Each node sees a majority, no two the same one.
    MajorityRing,
    /// Two halves see each other only through one node.
    Bridge,
}

impl Group for NetworkFault {
    fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Duplicate { .. } => None,
            Self::Partition { .. }
            | Self::Loss { .. }
            | Self::Reorder { .. }
            | Self::SlowNetwork { .. }
            | Self::OneWayLoss { .. }
            | Self::Congestion { .. }
            | Self::Flapping { .. }
            | Self::Swizzle { .. } => Some(Trouble::Delays),
        }
    }

    fn check(&self, site: &Site<'_>, checks: &mut Checks) {
        match self {
            Self::Partition { cut } => site.cut(checks, cut),
            Self::Loss { chance } | Self::Duplicate { chance } | Self::Reorder { chance } => {
                site.chance(checks, *chance);
            }
            Self::OneWayLoss { node, peer, chance, .. } => {
                site.link(checks, *node, *peer);
                site.chance(checks, *chance);
            }
            Self::Congestion { node, .. } => {
                node.iter().for_each(|node| site.target(checks, "node", *node));
            }
            Self::SlowNetwork { .. } => {}
            Self::Flapping { node, peer, down, up } => {
                site.link(checks, *node, *peer);
                site.comes_and_goes(checks, *down, *up);
            }
            Self::Swizzle { cut, mend } => {
                site.nodes(checks, "cut", cut);
                site.nodes(checks, "mend", mend);
                let same = cut.len() == mend.len() && cut.iter().all(|node| mend.contains(node));
                checks.that_both(same, &site.key("mend"), &site.key("cut"), || {
                    (
                        "not the nodes that are cut off come back".into(),
                        "name the same nodes in `cut` and `mend`, each once".into(),
                    )
                });
            }
        }
    }

    fn simpler(&self, fault: &Fault, nodes: u16, _zones: u16) -> Vec<Fault> {
        let isolation = |node| fault.but(Self::Partition { cut: Cut::Isolate(vec![node]) });
        match self {
            Self::Partition { cut: Cut::Isolate(nodes) } if nodes.len() == 1 => Vec::new(),
            Self::Partition { cut: Cut::Isolate(nodes) } => {
                nodes.iter().map(|&node| isolation(node)).collect()
            }
            Self::Partition { .. } => Target::BOTH_ROLES.map(isolation).into(),
            // Chance decides for each message: a fault that loses all messages is simpler.
            Self::Loss { .. } => {
                let mute = (1..=nodes).map(|node| Cut::OneWay(Target::Node(NodeId(node))));
                let surer = mute.flat_map(|cut| parts(&fault.but(Self::Partition { cut })));
                surer.chain(self.certain(fault)).collect()
            }
            Self::Duplicate { .. } | Self::Reorder { .. } | Self::OneWayLoss { .. } => {
                self.certain(fault)
            }
            Self::Flapping { node, .. } => vec![isolation(*node)],
            Self::Swizzle { cut, mend } => swizzles_with_fewer(fault, cut, mend),
            Self::Congestion { node: None, kib_per_s } => Target::BOTH_ROLES
                .map(|node| fault.but(Self::Congestion { node: Some(node), kib_per_s: *kib_per_s }))
                .into(),
            // A narrower link needs fewer people to clog it.
            Self::Congestion { node: Some(node), kib_per_s } if *kib_per_s > 1 => {
                vec![fault.but(Self::Congestion { node: Some(*node), kib_per_s: kib_per_s / 2 })]
            }
            Self::Congestion { .. } | Self::SlowNetwork { .. } => Vec::new(),
        }
    }

    fn fit(&mut self, lasts: Span) {
        if let Self::Flapping { down, .. } = self {
            *down = (*down).min(lasts);
        }
    }

    fn factor(&mut self) -> Option<&mut u32> {
        if let Self::SlowNetwork { factor } = self { Some(factor) } else { None }
    }

    fn each_target(&mut self, visit: &mut dyn FnMut(&mut Target)) {
        match self {
            Self::Congestion { node, .. } => node.iter_mut().for_each(visit),
            Self::OneWayLoss { node, peer, .. } | Self::Flapping { node, peer, .. } => {
                visit(node);
                peer.iter_mut().for_each(visit);
            }
            Self::Swizzle { cut, mend } => cut.iter_mut().chain(mend).for_each(visit),
            Self::Partition { cut: Cut::Isolate(targets) } => targets.iter_mut().for_each(visit),
            Self::Partition { cut: Cut::OneWay(node) } => visit(node),
            Self::Partition { cut: Cut::Halves | Cut::MajorityRing | Cut::Bridge }
            | Self::Loss { .. }
            | Self::Duplicate { .. }
            | Self::Reorder { .. }
            | Self::SlowNetwork { .. } => {}
        }
    }

    fn aim_within(&mut self, nodes: u16, _zones: u16) {
        self.each_target(&mut |target| target.aim_within(nodes));
        if let Self::OneWayLoss { node, peer, .. } | Self::Flapping { node, peer, .. } = self {
            // A node has no link with itself: then all its links are struck.
            peer.take_if(|peer| peer == node);
        }
        if let Self::Swizzle { cut, mend } = self {
            for nodes in [cut, mend] {
                for node in std::mem::take(nodes) {
                    if !nodes.contains(&node) {
                        nodes.push(node);
                    }
                }
            }
        }
    }
}

impl NetworkFault {
    /// Simpler faults of the family that leave nothing to chance: for the whole time, or for a part of it.
    fn certain(&self, fault: &Fault) -> Vec<Fault> {
        let mut certain = self.clone();
        if let Self::Loss { chance }
        | Self::Duplicate { chance }
        | Self::Reorder { chance }
        | Self::OneWayLoss { chance, .. } = &mut certain
        {
            *chance = Ratio::ALWAYS;
        }
        if certain == *self { Vec::new() } else { parts(&fault.but(certain)) }
    }
}

/// The list without one of its nodes; for a single node, its isolation.
fn swizzles_with_fewer(fault: &Fault, cut: &[Target], mend: &[Target]) -> Vec<Fault> {
    let without = |gone: &Target| {
        let but = |nodes: &[Target]| {
            nodes.iter().copied().filter(|node| node != gone).collect::<Vec<_>>()
        };
        fault.but(match &but(cut)[..] {
            &[last] => NetworkFault::Partition { cut: Cut::Isolate(vec![last]) },
            left => NetworkFault::Swizzle { cut: left.to_vec(), mend: but(mend) },
        })
    };
    cut.iter().filter(|_| cut.len() > 1).map(without).collect()
}

impl Site<'_> {
    fn chance(&self, checks: &mut Checks, chance: Ratio) {
        let field = self.key("chance");
        checks.that(!chance.is_never(), &field, || {
            (
                "a fault with no chance does nothing".into(),
                "write a share above 0, such as `1/20`".into(),
            )
        });
    }

    /// A node's links with all others, or the one with its peer.
    fn link(&self, checks: &mut Checks, node: Target, peer: Option<Target>) {
        self.target(checks, "node", node);
        if let Some(peer) = peer {
            self.target(checks, "peer", peer);
            checks.that(peer != node, &self.key("peer"), || {
                ("a node has no link with itself".into(), "name another node".into())
            });
        }
    }

    fn cut(&self, checks: &mut Checks, cut: &Cut) {
        match cut {
            Cut::Isolate(targets) => {
                let nodes = self.cluster.nodes;
                checks.that(targets.len() < usize::from(nodes), &self.key("isolate"), || {
                    let what = format!("all {nodes} nodes are isolated from no other");
                    (what, "leave at least one node out".into())
                });
                self.nodes(checks, "isolate", targets);
            }
            Cut::OneWay(target) => self.target(checks, "one-way", *target),
            Cut::Halves | Cut::MajorityRing | Cut::Bridge => {}
        }
    }

    /// Some nodes, each once.
    fn nodes(&self, checks: &mut Checks, key: &str, targets: &[Target]) {
        checks.that(!targets.is_empty(), &self.key(key), || {
            let what = if key == "isolate" { "isolated" } else { "named" };
            (format!("no node is {what}"), format!("name at least one: `{key} = [\"leader\"]`"))
        });
        for (n, target) in targets.iter().enumerate() {
            let item = format!("{key}[{n}]");
            self.target(checks, &item, *target);
            checks.that(!targets[..n].contains(target), &self.key(&item), || {
                (format!("`{target}` is named twice"), "name each node once".into())
            });
        }
    }
}
