//! What goes wrong with the processes and disks of the cluster in memory.

use onsale_booking::NodeId;
use onsale_cluster::Write;

use super::{Cluster, Event};

impl Cluster {
    /// The machine loses power. Of a write that was not synced a part may be on the disk, and nothing is
    /// that only the page cache had.
    pub(crate) fn crash(&mut self, id: NodeId) {
        let any = self.scheduled as usize;
        self.crash_keeping(id, |write| any % (write.bytes.len() + 1));
    }

    /// The same, where this many bytes of the write are on the disk.
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

    /// The process dies and the machine does not: a write that was not synced is in the page cache, where the
    /// next process reads it.
    pub(crate) fn kill(&mut self, id: NodeId) {
        self.end(id);
        if let Some(write) = self.in_flight(id).cloned() {
            let stored = self.disks.entry(id).or_default().entry(write.segment).or_default();
            self.cached.insert(id, (write.segment, stored.len()));
            stored.extend(&write.bytes);
        }
    }

    fn end(&mut self, id: NodeId) {
        self.nodes.remove(&id).expect("only what is up can die");
        self.paused.remove(&id);
    }

    /// The write of a node's latest process that is on its way to the disk.
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

    /// Another disk stands where a dead process had its own.
    pub(crate) fn wipe(&mut self, id: NodeId) {
        assert!(!self.is_up(id), "{id} lives on its disk");
        self.disks.remove(&id);
    }

    /// A bit flips on the disk of a dead process, in the frame that it wrote first.
    pub(crate) fn rot(&mut self, id: NodeId) {
        assert!(!self.is_up(id), "{id} has it in memory");
        let newest = self.disks.get_mut(&id).and_then(|disk| disk.last_entry());
        newest.expect("it has written").into_mut()[20] ^= 1;
    }

    /// There is no room on the node's disk any more.
    pub(crate) fn fill(&mut self, id: NodeId) {
        self.full.insert(id);
    }

    /// There is room again.
    pub(crate) fn make_room(&mut self, id: NodeId) {
        self.full.remove(&id);
    }
}
