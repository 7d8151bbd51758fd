//! Faults of the processes and disks of the cluster in memory.

use onsale_booking::NodeId;
use onsale_cluster::Write;

use super::{Cluster, Event};

impl Cluster {
    /// The machine loses power. A part of an unsynced write may be on the disk; data that only the page cache had are
    /// lost.
    pub(crate) fn crash(&mut self, id: NodeId) {
        let any = self.scheduled as usize;
        self.crash_keeping(id, |write| any % (write.bytes.len() + 1));
    }

    /// A loss of power that leaves this many bytes of the write on the disk.
    pub(crate) fn crash_keeping(&mut self, id: NodeId, kept: impl FnOnce(&Write) -> usize) {
        self.end(id);
        if let Some((segment, durable)) = self.cached.remove(&id)
            && let Some(stored) = self.disks.entry(id).or_default().get_mut(&segment)
        {
            stored.truncate(durable);
        }
        if let Some(write) = self.in_flight(id).cloned() {
            let stored = self.disks.entry(id).or_default().entry(write.segment).or_default();
            stored.extend(&write.bytes[..kept(&write)]);
        }
    }

    /// The process dies and the machine does not: an unsynced write is in the page cache, where the next process reads
    /// it.
    pub(crate) fn kill(&mut self, id: NodeId) {
        self.end(id);
        if let Some(write) = self.in_flight(id).cloned() {
            let stored = self.disks.entry(id).or_default().entry(write.segment).or_default();
            self.cached.insert(id, (write.segment, stored.len()));
            stored.extend(&write.bytes);
        }
    }

    fn end(&mut self, id: NodeId) {
        self.nodes.remove(&id).expect("only a node that is up can die");
        self.paused.remove(&id);
    }

    /// The write in flight of a node's latest process.
    pub(crate) fn in_flight(&self, id: NodeId) -> Option<&Write> {
        self.events.values().find_map(|event| match event {
            Event::Synced { node, incarnation, write }
                if *node == id && *incarnation == self.incarnations[&id] =>
            {
                Some(write)
            }
            Event::Synced { .. } | Event::Deliver { .. } => None,
        })
    }

    /// Replaces the disk of a dead process by an empty one.
    pub(crate) fn wipe(&mut self, id: NodeId) {
        assert!(!self.is_up(id), "{id} lives on its disk");
        self.disks.remove(&id);
    }

    /// Flips a bit on the disk of a dead process, in the frame that it wrote first.
    pub(crate) fn rot(&mut self, id: NodeId) {
        assert!(!self.is_up(id), "{id} has it in memory");
        let newest = self.disks.get_mut(&id).and_then(|disk| disk.last_entry());
        newest.expect("it has written").into_mut()[20] ^= 1;
    }

    /// Takes all room from the node's disk.
    pub(crate) fn fill(&mut self, id: NodeId) {
        self.full.insert(id);
    }

    /// There is room again.
    pub(crate) fn make_room(&mut self, id: NodeId) {
        self.full.remove(&id);
    }
}
