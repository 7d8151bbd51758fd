//! A node's part in the change to a newer record format.
//!
//! Owns when a format may be activated, and the refusal of what this release cannot read. Refuses to know what differs
//! between formats.
//!
//! The scheme is that of etcd's cluster version: the leader takes the lowest release that members say they run, once it
//! hears all of them, and has it agreed by consensus; a member of an older release refuses to go on from then.
//! Here each shard's leader does so for its own journal.

use super::Node;
use crate::effect::Effects;
use crate::id::ShardId;
use crate::journal::JournalMessage;
use crate::mark::Mark;
use crate::observation::Observation;
use crate::record::Format;

impl Node {
    /// Has this node's shards activate the newest format that this release writes, once every node that may have to
    /// read it does: all nodes of the cluster, since a shard may move to any of them.
    pub(super) fn activate_format(&mut self) {
        let format = self.release.format();
        if format == Format::FIRST {
            return;
        }
        let Self { me, replicas, peers, placement, .. } = self;
        let reads = |node| node == *me || peers.reads(node, format);
        if !placement.node_ids().all(reads) {
            return;
        }
        let map = placement.map_shard();
        replicas
            .for_each_touched(|id, shard| Some(id) != map && shard.activate_format(format, reads));
    }

    /// Whether this release reads all that a message brings to a replica of this node.
    #[inline]
    pub(super) fn reads(&self, id: ShardId, message: &JournalMessage) -> bool {
        self.release.reads(message.format()) || !self.is_for_shows(id)
    }

    /// Whether a shard is carried here and its records are of shows.
    #[cold]
    fn is_for_shows(&self, id: ShardId) -> bool {
        self.replicas.get(id).is_some() && self.placement.map_shard() != Some(id)
    }

    /// Stops before anything is taken in that this release cannot read. Nothing of it is acknowledged, so a quorum of
    /// nodes that read it is still needed.
    #[cold]
    pub(super) fn refuse(&mut self, effects: &mut Effects) {
        effects.observe(Observation::Mark(Mark::NewerFormatMet));
        effects.refuses = true;
        self.disk.close();
    }
}
