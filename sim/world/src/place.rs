//! The places of a run, the states of a process, and the fate of a message between two places.
//!
//! Owns the vocabulary, and tables with one entry a place. Refuses to know what stands at a place, and what is carried.

use std::fmt;
use std::ops::{Index, IndexMut};

use onsale_booking::{NodeId, Span};

/// A place on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// All clients: people, administrators, visitors.
    Clients,
    /// A node of the system under test; numbered from 1.
    Node(NodeId),
    /// A service that is neither client nor node, such as a payment provider; numbered from 1.
    Service(ServiceId),
    /// The director, which carries out faults. It has no machine and no links.
    Director,
}

/// Number of a service outside the system under test, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub u16);

impl Place {
    /// The place of the node with this number.
    #[inline]
    pub const fn node(number: u16) -> Self {
        Self::Node(NodeId(number))
    }

    /// The node at this place, if it is one.
    #[inline]
    pub const fn as_node(self) -> Option<NodeId> {
        match self {
            Self::Node(node) => Some(node),
            Self::Clients | Self::Service(_) | Self::Director => None,
        }
    }

    /// The node at this place.
    ///
    /// # Panics
    /// If it is no node.
    #[inline]
    pub fn node_id(self) -> NodeId {
        self.as_node().unwrap_or_else(|| panic!("{self} is not a node"))
    }

    /// The number of a place in trace hashes and traces: 0 for the clients, n for node n; services and the director
    /// come after all nodes.
    #[inline]
    pub const fn number(self) -> u32 {
        match self {
            Self::Clients => 0,
            Self::Node(NodeId(node)) => node as u32,
            Self::Service(ServiceId(service)) => 1 << 16 | service as u32,
            Self::Director => 1 << 17,
        }
    }
}

impl From<NodeId> for Place {
    #[inline]
    fn from(node: NodeId) -> Self {
        Self::Node(node)
    }
}

impl fmt::Display for Place {
    /// Formats a place as `n3`, or `the clients`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clients => write!(f, "the clients"),
            Self::Node(node) => write!(f, "{node}"),
            Self::Service(ServiceId(service)) => write!(f, "service{service}"),
            Self::Director => write!(f, "the director"),
        }
    }
}

/// A place's position in the tables of a run, in two bytes. It is looked up once a message, and kept with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot(u16);

impl Slot {
    /// The slot of a node: its number.
    #[inline]
    pub(crate) const fn of_node(node: NodeId) -> Self {
        Self(node.0)
    }

    /// Index of the place in a table of [`Layout::count`] entries.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The two ends of a message's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The sender's slot.
    pub(crate) from: Slot,
    /// The receiver's slot.
    pub(crate) to: Slot,
}

/// The places of a run: the clients, and a number of nodes and services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub(crate) nodes: u16,
    services: u16,
}

impl Layout {
    /// A layout of the clients, and this many nodes and services.
    pub const fn new(nodes: u16, services: u16) -> Self {
        Self { nodes, services }
    }

    /// Number of places that have a machine.
    pub const fn count(self) -> usize {
        1 + self.nodes as usize + self.services as usize
    }

    /// The slot of a place. The director has none: its slot is past the end.
    #[inline]
    pub const fn slot(self, place: Place) -> Slot {
        match place {
            Place::Node(NodeId(node)) => Slot(node),
            Place::Clients => Slot(0),
            Place::Service(_) | Place::Director => self.slot_of_other(place),
        }
    }

    /// Apart, so that the way of a message between nodes and clients is two comparisons and no jump through a table.
    #[cold]
    const fn slot_of_other(self, place: Place) -> Slot {
        match place {
            Place::Service(ServiceId(service)) => Slot(self.nodes + service),
            Place::Clients | Place::Node(_) | Place::Director => Slot(u16::MAX),
        }
    }

    /// The place that has a slot.
    #[inline]
    pub(crate) const fn place(self, slot: Slot) -> Place {
        match slot.0 {
            0 => Place::Clients,
            node if node <= self.nodes => Place::Node(NodeId(node)),
            service => Place::Service(ServiceId(service - self.nodes)),
        }
    }

    /// The way of a message.
    #[inline]
    pub const fn route(self, from: Place, to: Place) -> Route {
        Route { from: self.slot(from), to: self.slot(to) }
    }

    /// Index of a link in a table of [`count`](Self::count)² entries.
    #[inline]
    pub(crate) const fn link(self, route: Route) -> usize {
        route.from.index() * self.count() + route.to.index()
    }

    /// The places of all nodes, in order.
    pub fn nodes(self) -> impl DoubleEndedIterator<Item = Place> + Clone {
        (1..=self.nodes).map(Place::node)
    }

    /// All places that have a machine, in the order of their slots.
    pub fn places(self) -> impl Iterator<Item = Place> + Clone {
        let services = (1..=self.services).map(|service| Place::Service(ServiceId(service)));
        std::iter::once(Place::Clients).chain(self.nodes()).chain(services)
    }
}

/// One entry for each place that has a machine.
#[derive(Clone, Debug)]
pub struct PlaceTable<T> {
    layout: Layout,
    entries: Vec<T>,
}

impl<T> PlaceTable<T> {
    /// A table with entries made by `make`.
    pub fn new(layout: Layout, make: impl FnMut(Place) -> T) -> Self {
        Self { layout, entries: layout.places().map(make).collect() }
    }

    /// The places that it has entries for.
    pub const fn layout(&self) -> Layout {
        self.layout
    }

    /// All entries with their places.
    pub fn iter(&self) -> impl Iterator<Item = (Place, &T)> {
        (0..).map(|slot| self.layout.place(Slot(slot))).zip(&self.entries)
    }

    /// All entries, in the order of their places.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.entries.iter()
    }

    /// All entries, mutable, in the order of their places.
    pub fn values_mut(&mut self) -> std::slice::IterMut<'_, T> {
        self.entries.iter_mut()
    }
}

impl<T> Index<Slot> for PlaceTable<T> {
    type Output = T;

    #[inline]
    fn index(&self, slot: Slot) -> &T {
        &self.entries[slot.index()]
    }
}

impl<T> IndexMut<Slot> for PlaceTable<T> {
    #[inline]
    fn index_mut(&mut self, slot: Slot) -> &mut T {
        &mut self.entries[slot.index()]
    }
}

impl<T> Index<Place> for PlaceTable<T> {
    type Output = T;

    #[inline]
    fn index(&self, place: Place) -> &T {
        &self[self.layout.slot(place)]
    }
}

impl<T> IndexMut<Place> for PlaceTable<T> {
    #[inline]
    fn index_mut(&mut self, place: Place) -> &mut T {
        let slot = self.layout.slot(place);
        &mut self[slot]
    }
}

/// Why a message that left is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The link is cut, or was cut while the message was on it.
    Cut,
    /// The network lost it.
    Loss,
    /// Its sender died before it left.
    NeverLeft,
    /// Its receiver is dead.
    Down,
    /// Its receiver has restarted since.
    Restarted,
    /// A meddler took it.
    Taken,
}

/// State of a node's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Process {
    /// It runs.
    Up,
    /// It is paused.
    Paused,
    /// It is dead.
    Down,
}

/// The fate of a sent message: the latency of each copy that arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Latency of the message; `None` if it is lost.
    pub first: Option<Span>,
    /// Latency of its duplicate, if there is one.
    pub second: Option<Span>,
    /// The effects of faults on it.
    pub befell: Befell,
}

/// The effects of the faults in force on a message, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Befell(pub(crate) u8);

impl Befell {
    pub(crate) const CUT: u8 = 1;
    pub(crate) const LOST: u8 = 1 << 1;
    pub(crate) const LOST_ONE_WAY: u8 = 1 << 2;
    pub(crate) const DUPLICATED: u8 = 1 << 3;
    pub(crate) const REORDERED: u8 = 1 << 4;
    pub(crate) const SLOWED: u8 = 1 << 5;

    /// Whether there were none.
    #[inline]
    pub fn is_nothing(self) -> bool {
        self.0 == 0
    }

    pub(crate) fn is(self, what: u8) -> bool {
        self.0 & what != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_small_and_each_has_its_own_slot() {
        assert_eq!(size_of::<Place>(), 4);
        let layout = Layout::new(3, 2);
        let slots: Vec<usize> = layout.places().map(|place| layout.slot(place).index()).collect();
        assert_eq!(slots, (0..layout.count()).collect::<Vec<_>>());
        assert!(layout.places().all(|place| layout.place(layout.slot(place)) == place));
        let mut table = PlaceTable::new(layout, |place| place.to_string());
        table[Place::node(2)].push('!');
        let entries: Vec<&str> = table.values().map(String::as_str).collect();
        assert_eq!(entries, ["the clients", "n1", "n2!", "n3", "service1", "service2"]);
    }
}
