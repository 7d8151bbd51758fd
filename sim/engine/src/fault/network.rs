//! Faults of the network.
//!
//! Owns how they strike, step, heal and are drawn. Refuses to know how messages travel.

use onsale_booking::{NodeId, Span};
use onsale_reports::human;
use onsale_scenarios::{Cut, Family, Fault, NetworkFault, Ratio, Target};
use onsale_world::network::Weather;
use onsale_world::place::Place;
use onsale_world::stream::{Stream, below};

use super::swarm::Draw;
use super::victims::listed;
use super::{Faults, Strike, process};
use crate::system::{System, World};

/// State that a network fault must undo.
#[derive(Debug, Default)]
pub(super) struct Force {
    /// Directed links that are cut, each once for each cut.
    cut: Vec<(Place, Place)>,
    /// Whether it degrades links: loss, delay, bandwidth.
    is_weather: bool,
    steps: Steps,
}

/// State that the steps of a network fault need.
#[derive(Debug, Default)]
enum Steps {
    /// No steps.
    #[default]
    None,
    /// Links that are cut and mended alternately.
    Flapping {
        /// Name of the node or link in reports.
        name: String,
        /// The directed links.
        links: Vec<(Place, Place)>,
    },
    /// Nodes to be cut off, then nodes to be reconnected, the next one last.
    Swizzle {
        /// Nodes still to be cut off.
        cut: Vec<Place>,
        /// Nodes still to be reconnected.
        mend: Vec<Place>,
    },
}

/// Instants of a network fault's steps.
pub(super) fn steps(fault: &Fault, what: &NetworkFault) -> Vec<Span> {
    if let NetworkFault::Flapping { down, up, .. } = what {
        return process::turns(fault, *down, *up);
    }
    let NetworkFault::Swizzle { cut, .. } = what else { return Vec::new() };
    let gaps = (2 * cut.len() as u64).saturating_sub(1);
    (1..gaps).map(|nth| fault.at + Span(fault.lasts.0 * nth / gaps)).collect()
}

impl<S: System> Faults<'_, S> {
    pub(super) fn strike_network(
        &self,
        strike: &mut Strike<'_, S>,
        fault: &NetworkFault,
    ) -> String {
        match fault {
            NetworkFault::Partition { cut } => {
                let (links, what) = self.links(strike.world, cut);
                strike.cut(links);
                what
            }
            NetworkFault::Loss { chance } => {
                strike.disturb(Weather::Loss(*chance));
                format!("{chance} of messages lost")
            }
            NetworkFault::Duplicate { chance } => {
                strike.disturb(Weather::Duplicate(*chance));
                format!("{chance} of messages duplicated")
            }
            NetworkFault::Reorder { chance } => {
                strike.disturb(Weather::Reorder(*chance));
                format!("{chance} of messages reordered")
            }
            NetworkFault::SlowNetwork { factor } => {
                strike.disturb(Weather::Slow(*factor));
                format!("links {factor} times slower")
            }
            NetworkFault::OneWayLoss { node, peer, inbound, chance } => {
                let (node, inbound, chance) = (self.victim(strike.world, *node), *inbound, *chance);
                let peer = peer.map(|peer| self.victim(strike.world, peer));
                strike.disturb(Weather::OneWay { node, peer, inbound, chance });
                let name = |place| self.name(strike.world, place);
                let ends = match (inbound, peer) {
                    (false, None) => format!("from {}", name(node)),
                    (true, None) => format!("to {}", name(node)),
                    (false, Some(peer)) => format!("from {} to {}", name(node), name(peer)),
                    (true, Some(peer)) => format!("from {} to {}", name(peer), name(node)),
                };
                format!("{chance} of messages {ends} lost")
            }
            NetworkFault::Congestion { node, kib_per_s } => {
                let node = node.map(|node| self.victim(strike.world, node));
                strike.world.queues.lower(strike.index, node, *kib_per_s);
                strike.force.network.is_weather = true;
                let whose = node.map(|node| format!(" of {}", self.name(strike.world, node)));
                format!("links{} carry {kib_per_s} KiB a second", whose.unwrap_or_default())
            }
            NetworkFault::Flapping { node, peer, down, up } => {
                let name = self.flap(strike, *node, *peer);
                let (down, up) = (human::span(*down), human::span(*up));
                format!("{name} flaps: cut for {down}, connected for {up}")
            }
            NetworkFault::Swizzle { cut, mend } => self.swizzle(strike, cut, mend),
        }
    }

    /// Cuts a node, or one link of it, for the first time. Returns its name in reports.
    fn flap(&self, strike: &mut Strike<'_, S>, node: Target, peer: Option<Target>) -> String {
        let node = self.victim(strike.world, node);
        let mut name = self.name(strike.world, node);
        let mut links = self.links_of(node);
        if let Some(peer) = peer {
            let peer = self.victim(strike.world, peer);
            links.retain(|&(from, to)| from == peer || to == peer);
            name = format!("the link of {peer} with {name},");
        }
        strike.cut(links.clone());
        strike.force.network.steps = Steps::Flapping { name: name.clone(), links };
        name
    }

    /// Cuts off the first of several nodes. Returns the fault's description.
    fn swizzle(&self, strike: &mut Strike<'_, S>, cut: &[Target], mend: &[Target]) -> String {
        // Two targets may resolve to one node: it is cut off twice, and reconnected with the second.
        let mut cut = self.victims(strike.world, cut);
        let mut mend = self.victims(strike.world, mend);
        let what = format!(
            "cut off one after another: {}; reconnected in the order {}",
            listed(&cut),
            listed(&mend)
        );
        cut.reverse();
        mend.reverse();
        if let Some(first) = cut.pop() {
            strike.cut(self.links_of(first));
        }
        strike.force.network.steps = Steps::Swizzle { cut, mend };
        what
    }

    /// Cuts or mends flapping links, or cuts off or reconnects the next node of a swizzle.
    pub(super) fn step_network(
        &self,
        world: &mut World<S>,
        index: usize,
        force: &mut Force,
    ) -> String {
        let Force { cut: links_cut, steps, .. } = force;
        let now = world.now;
        match steps {
            Steps::None => panic!("fault {index} has no steps"),
            Steps::Flapping { name, links } => {
                if links_cut.is_empty() {
                    links.iter().for_each(|&(from, to)| world.network.cut(index, from, to));
                    links_cut.clone_from(links);
                    format!("{name} is cut again")
                } else {
                    let cut = links_cut.drain(..);
                    cut.for_each(|(from, to)| world.network.mend(index, from, to, now));
                    format!("{name} is connected for now")
                }
            }
            Steps::Swizzle { cut, mend } => {
                if let Some(node) = cut.pop() {
                    for (from, to) in self.links_of(node) {
                        world.network.cut(index, from, to);
                        links_cut.push((from, to));
                    }
                    format!("{node} is cut off too")
                } else if let Some(node) = mend.pop() {
                    for (from, to) in self.links_of(node) {
                        if let Some(place) = links_cut.iter().position(|&it| it == (from, to)) {
                            links_cut.swap_remove(place);
                            world.network.mend(index, from, to, now);
                        }
                    }
                    format!("{node} is reconnected")
                } else {
                    "no node is left".to_owned()
                }
            }
        }
    }

    /// All links from and to a node.
    fn links_of(&self, node: Place) -> Vec<(Place, Place)> {
        let others =
            std::iter::once(Place::Clients).chain(self.places()).filter(|&other| other != node);
        others.flat_map(|other| [(node, other), (other, node)]).collect()
    }
}

impl<S: System> Strike<'_, S> {
    /// Cuts links until the fault heals.
    fn cut(&mut self, links: Vec<(Place, Place)>) {
        links.iter().for_each(|&(from, to)| self.world.network.cut(self.index, from, to));
        self.force.network.cut.extend(links);
    }

    /// Degrades links until the fault heals.
    fn disturb(&mut self, weather: Weather) {
        self.world.network.disturb(self.index, weather);
        self.force.network.is_weather = true;
    }
}

impl Force {
    pub(super) fn heal<S: System>(self, world: &mut World<S>, index: usize) {
        let now = world.now;
        self.cut.iter().for_each(|&(from, to)| world.network.mend(index, from, to, now));
        if self.is_weather {
            world.network.settle(index);
            world.queues.restore(index);
        }
    }
}

/// Draws a fault, if the family is one of these.
#[expect(clippy::wildcard_enum_match_arm, reason = "the other families are of other groups")]
pub(super) fn draw(family: Family, draw: &mut Draw<'_>) -> Option<NetworkFault> {
    let (node, strength) = (draw.target, draw.strength);
    let chance = Ratio { num: 1 + below(strength, 30) as u32, den: 100 };
    Some(match family {
        Family::Partition => NetworkFault::Partition { cut: draw_cut(draw) },
        Family::Loss => NetworkFault::Loss { chance },
        Family::Duplicate => NetworkFault::Duplicate { chance },
        Family::Reorder => NetworkFault::Reorder { chance },
        Family::SlowNetwork => NetworkFault::SlowNetwork { factor: 2 + below(strength, 49) as u32 },
        Family::OneWayLoss => {
            let chance = Ratio { num: 5 + below(strength, 95) as u32, den: 100 };
            let inbound = draw.stream.below(2) == 0;
            NetworkFault::OneWayLoss { node, peer: draw_peer(draw), inbound, chance }
        }
        Family::Congestion => {
            let node = (draw.stream.below(2) == 0).then_some(node);
            NetworkFault::Congestion { node, kib_per_s: 1 << below(strength, 6) }
        }
        Family::Flapping => {
            let (down, up) = draw.turns();
            NetworkFault::Flapping { node, peer: draw_peer(draw), down, up }
        }
        Family::Swizzle => draw_swizzle(draw),
        _ => return None,
    })
}

/// In half of all cases the only other end of a node's link. Without a follower no single peer can be named.
fn draw_peer(draw: &mut Draw<'_>) -> Option<Target> {
    let peer = (draw.stream.below(2) == 0).then(|| draw.target.other());
    let cluster = &draw.scenario.cluster;
    peer.filter(|&peer| cluster.nodes > 1 && (peer != Target::Follower || cluster.replicas > 1))
}

fn draw_cut(draw: &mut Draw<'_>) -> Cut {
    let cluster = &draw.scenario.cluster;
    match draw.stream.below(8) {
        0 => Cut::Isolate(vec![draw.target]),
        1 if cluster.replicas == 1 => Cut::Isolate(vec![Target::Leader]),
        1 => Cut::Isolate(vec![Target::Leader, Target::Follower]),
        // With one zone, no node would be on the other side.
        2 if cluster.zones == 1 => Cut::Isolate(draw_minority(draw)),
        2 => Cut::Isolate(draw_zone(draw)),
        3 => Cut::Isolate(draw_minority(draw)),
        4 => Cut::Halves,
        5 => Cut::OneWay(draw.target),
        6 => Cut::MajorityRing,
        _ => Cut::Bridge,
    }
}

fn draw_swizzle(draw: &mut Draw<'_>) -> NetworkFault {
    let nodes = (1..=draw.scenario.cluster.nodes).map(|node| Target::Node(NodeId(node)));
    let nodes = in_drawn_order(nodes.collect(), draw.stream.draw());
    let mend = draw.stream.draw();
    let count = 2 + below(draw.strength, nodes.len() as u64 - 1) as usize;
    let cut = nodes[..count].to_vec();
    NetworkFault::Swizzle { mend: in_drawn_order(cut.clone(), mend), cut }
}

fn in_drawn_order(mut nodes: Vec<Target>, bits: u64) -> Vec<Target> {
    let mut stream = Stream::new(bits);
    for last in (1..nodes.len()).rev() {
        nodes.swap(last, stream.below(last as u64 + 1) as usize);
    }
    nodes
}

/// The nodes of a drawn zone: node n is in zone (n − 1) mod zones, numbered from 1.
fn draw_zone(draw: &Draw<'_>) -> Vec<Target> {
    let cluster = &draw.scenario.cluster;
    let numbers = (draw.zone()..=cluster.nodes).step_by(usize::from(cluster.zones));
    numbers.map(|node| Target::Node(NodeId(node))).collect()
}

/// Neighbouring nodes, as many as leave the others a majority.
fn draw_minority(draw: &Draw<'_>) -> Vec<Target> {
    let nodes = draw.scenario.cluster.nodes;
    let first = below(draw.strength, u64::from(nodes)) as u16;
    let numbers = (0..(nodes - 1) / 2).map(|step| 1 + (first + step) % nodes);
    numbers.map(|node| Target::Node(NodeId(node))).collect()
}
