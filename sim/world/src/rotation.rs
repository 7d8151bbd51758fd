//! The gateways that clients choose among, and the nodes that keep facts.
//!
//! Owns a load balancer's lists. A node that is told to stop is taken out at once, and put back when it starts; one
//! that goes silent for any reason is taken out once its health checks have failed, and put back once they have
//! succeeded. If all fail, none is taken out. Requests for facts go to all members of the cluster, stopping or not.
//! Refuses to know how clients choose.

use onsale_booking::{Instant, NodeId, Span};
use onsale_scenarios::HealthCheck;

use crate::health::{Due, Health};
use crate::place::{Layout, Place, PlaceTable};

/// The gateways that take requests.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Whether each place is open; the clients' never is.
    open: PlaceTable<bool>,
    health: PlaceTable<Health>,
    changed: bool,
    /// The members of the cluster, in order.
    members: Vec<NodeId>,
    members_changed: bool,
}

impl Rotation {
    /// The first `first` nodes.
    pub(crate) fn new(layout: Layout, first: u16, check: HealthCheck) -> Self {
        let begins = |place: Place| place.as_node().is_some_and(|node| node.0 <= first);
        // The nodes' checks are spread evenly over the interval.
        let apart = check.every.0 / u64::from(layout.nodes + 1);
        let first_check = |place: Place| Span(apart * u64::from(place.number()));
        let health = |place| Health::new(check, first_check(place), begins(place));
        let (open, health) = (PlaceTable::new(layout, begins), PlaceTable::new(layout, health));
        let members = (1..=first).map(NodeId).collect();
        Self { open, health, changed: false, members, members_changed: false }
    }

    /// Notes that a node's gateway answers from now on, or not. Returns the health verdict that this plans, if any.
    pub(crate) fn see(&mut self, now: Instant, node: Place, answers: bool) -> Option<Due> {
        self.health[node].see(now, answers)
    }

    /// Carries out a verdict on a node's gateway that was planned after `changes` changes.
    #[cold]
    pub(crate) fn judge(&mut self, now: Instant, node: Place, changes: u32) {
        self.changed |= self.health[node].judge(now, changes);
    }

    pub(crate) fn open(&mut self, node: Place) {
        self.changed |= !std::mem::replace(&mut self.open[node], true);
    }

    pub(crate) fn is_open(&self, node: Place) -> bool {
        self.open[node]
    }

    /// Takes a gateway out; the last one stays.
    pub(crate) fn close(&mut self, node: Place) {
        if self.open.values().filter(|&&open| open).count() > 1 {
            self.changed |= std::mem::replace(&mut self.open[node], false);
        }
    }

    /// Adds a member of the cluster.
    pub(crate) fn joins(&mut self, node: Place) {
        let node = node.node_id();
        if let Err(place) = self.members.binary_search(&node) {
            self.members.insert(place, node);
            self.members_changed = true;
        }
    }

    /// Removes a member of the cluster.
    pub(crate) fn leaves(&mut self, node: Place) {
        let before = self.members.len();
        self.members.retain(|&member| Place::Node(member) != node);
        self.members_changed |= self.members.len() < before;
    }

    /// The members of the cluster, if they have changed since the last call.
    pub fn take_changed_members(&mut self) -> Option<Vec<NodeId>> {
        std::mem::take(&mut self.members_changed).then(|| self.members.clone())
    }

    /// The open gateways, if they have changed since the last call.
    pub fn take_changed(&mut self) -> Option<Vec<u16>> {
        std::mem::take(&mut self.changed).then(|| {
            let open = self.open.iter().filter(|(_, open)| **open);
            let open = open.map(|(place, _)| place.node_id().0);
            let (healthy, ill): (Vec<u16>, Vec<u16>) =
                open.partition(|&node| self.health[Place::node(node)].is_healthy());
            if healthy.is_empty() { ill } else { healthy }
        })
    }
}
