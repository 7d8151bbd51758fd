//! Which gateways clients choose among, and which nodes keep facts.
//!
//! Owns the lists that a load balancer would have. A node that is told to stop is taken out
//! of its list, and is in again when it starts; one that falls silent, for whatever reason, is taken out
//! once its health checks have failed, and is in again once they have succeeded. Where all fail, none is
//! taken out. Whoever deals with facts asks all who are to be of the cluster, told to stop for a while or not.
//! Refuses to know how clients choose.

use onsale_booking::{Instant, NodeId, Span};
use onsale_scenarios::HealthCheck;

use crate::health::{Due, Health};
use crate::place::{Layout, Place, PlaceTable};

/// The gateways that take requests.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// By place; the clients' is never open.
    open: PlaceTable<bool>,
    health: PlaceTable<Health>,
    changed: bool,
    /// Those that are to be of the cluster, in order.
    members: Vec<NodeId>,
    members_changed: bool,
}

impl Rotation {
    /// The first nodes, this many.
    pub(crate) fn new(layout: Layout, first: u16, check: HealthCheck) -> Self {
        let begins = |place: Place| place.as_node().is_some_and(|node| node.0 <= first);
        // Checks of the nodes are spread over the time from one to the next.
        let apart = check.every.0 / u64::from(layout.nodes + 1);
        let first_check = |place: Place| Span(apart * u64::from(place.number()));
        let health = |place| Health::new(check, first_check(place), begins(place));
        let (open, health) = (PlaceTable::new(layout, begins), PlaceTable::new(layout, health));
        let members = (1..=first).map(NodeId).collect();
        Self { open, health, changed: false, members, members_changed: false }
    }

    /// A node's gateway answers from now on, or does not. Says when clients are to be sent elsewhere, or there
    /// again, if this is new.
    pub(crate) fn see(&mut self, now: Instant, node: Place, answers: bool) -> Option<Due> {
        self.health[node].see(now, answers)
    }

    /// What was to be found out about a node's gateway after so many changes is found out.
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

    /// A node is to be of the cluster.
    pub(crate) fn joins(&mut self, node: Place) {
        let node = node.node_id();
        if let Err(place) = self.members.binary_search(&node) {
            self.members.insert(place, node);
            self.members_changed = true;
        }
    }

    /// A node is to be of the cluster no more.
    pub(crate) fn leaves(&mut self, node: Place) {
        let before = self.members.len();
        self.members.retain(|&member| Place::Node(member) != node);
        self.members_changed |= self.members.len() < before;
    }

    /// Those that are to be of the cluster, if they have changed since this was asked last.
    pub fn take_changed_members(&mut self) -> Option<Vec<NodeId>> {
        std::mem::take(&mut self.members_changed).then(|| self.members.clone())
    }

    /// The gateways, if they have changed since this was asked last.
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
