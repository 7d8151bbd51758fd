//! Which gateways clients choose among.
//!
//! Owns the list that a load balancer would have. A node that is told to stop is taken out
//! of it, and is in again when it starts; one that dies stays in, for nobody knows. Refuses to
//! know how clients choose.

use super::network::Place;

/// The gateways that take requests.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// By place; the first is the clients'.
    open: Vec<bool>,
    changed: bool,
}

impl Rotation {
    /// The first so many of the nodes, which are numbered from 1 to `numbers`.
    pub(super) fn new(numbers: u16, first: u16) -> Self {
        let open = (0..=numbers).map(|node| (1..=first).contains(&node)).collect();
        Self { open, changed: false }
    }

    pub(super) fn open(&mut self, node: Place) {
        self.changed |= !std::mem::replace(&mut self.open[node], true);
    }

    pub(super) fn is_open(&self, node: Place) -> bool {
        self.open[node]
    }

    /// Takes a gateway out; the last one stays.
    pub(super) fn close(&mut self, node: Place) {
        if self.open.iter().filter(|&&open| open).count() > 1 {
            self.changed |= std::mem::replace(&mut self.open[node], false);
        }
    }

    /// The gateways, if they have changed since this was asked last.
    pub fn take_changed(&mut self) -> Option<Vec<u16>> {
        std::mem::take(&mut self.changed).then(|| {
            (0..).zip(&self.open).filter(|(_, open)| **open).map(|(node, _)| node).collect()
        })
    }
}
