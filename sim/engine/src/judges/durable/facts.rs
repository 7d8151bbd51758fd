//! What a node tells about its own facts, by its disk.
//!
//! Owns these rules of `durable`:
//!
//! - *fact*: a node tells of its own write (to the client that asked for it, or to a peer, in news, a repair or a digest)
//!   only once its disk has held that write, or a later one of its own. A node logs the news of others with its next own
//!   write, so what it tells of others' writes rests on their disks and not on its own;
//! - *forgot*: a node says that it forgot, and since which start, only once its disk says so.
//!
//! Not judged: a write that a disk lost and that peers told the node of again is told without being on that disk: any
//! write that was ever on the writer's disk may be told.

use onsale_booking::{Instant, NodeId};
use onsale_cluster::fact::{FactsAnswer, FactsMessage};
use onsale_cluster::facts::covered;
use onsale_cluster::{Moves, Stamp};
use onsale_oracles::Story;
use onsale_world::place::Place;

use super::{Durable, FACT, FORGOT};

/// A node's own latest write of facts: on its disk now, and ever.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OnDisk {
    now: Option<Stamp>,
    pub(super) ever: Option<Stamp>,
}

impl OnDisk {
    /// Takes the delta of a frame.
    pub(super) fn take(&mut self, node: NodeId, delta: &[u8]) {
        let own = covered(delta).and_then(|seen| seen.of(node));
        self.now = self.now.max(own);
        self.ever = self.ever.max(own);
    }

    /// Whether a new segment holds less than the one before.
    pub(super) fn has_less_than(&self, before: &Self) -> bool {
        self.now < before.now
    }
}

impl Durable {
    pub(super) fn on_facts(&mut self, now: Instant, way: (NodeId, Place), message: &FactsMessage) {
        let from = way.0;
        let (own, what) = match message {
            FactsMessage::Told(reply) => match reply.answer {
                FactsAnswer::Written(stamp) => (Some(stamp), "acknowledges"),
                FactsAnswer::Read(_) | FactsAnswer::Behind | FactsAnswer::BadQuestion => return,
            },
            FactsMessage::Digest { seen, .. } => (seen.of(from), "claims to have seen"),
            FactsMessage::Repair { delta, .. } | FactsMessage::News { delta, .. } => {
                (delta.until.of(from), "tells of")
            }
            FactsMessage::Question(_) => return,
        };
        let Some(stamp) = own.filter(|stamp| stamp.node == from) else { return };
        self.promises += 1;
        self.durable.checks();
        let held = self.disks[usize::from(from.0)].facts.ever;
        if held < Some(stamp) {
            let holds = held.map_or_else(
                || "none of its own".to_owned(),
                |last| format!("its own up to that of {}", last.at),
            );
            self.durable.fail(FACT, || Story {
                headline: format!("{from} {what} its own fact, and its disk has not held it"),
                lines: vec![
                    format!("at {now} to {}: {from} {what} its fact of {}", way.1, stamp.at),
                    format!("of facts, the disk of {from} has held {holds}"),
                ],
            });
        }
    }

    pub(super) fn on_moves(&mut self, now: Instant, from: NodeId, moves: &Moves) {
        let Moves::Forgot { node, incarnation } = moves else { return };
        if *node != from {
            return;
        }
        self.durable.checks();
        let says = self.disks[usize::from(from.0)].forgot;
        if says != *incarnation {
            self.durable.fail(FORGOT, || Story {
                headline: format!("{from} says that it forgot, and its disk does not"),
                lines: vec![format!("at {now}: since start {incarnation}; the disk says {says}")],
            });
        }
    }
}
