//! The journal: one replicated log a shard.

/// What one replica of a shard's log says to another. Opaque outside the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalMessage(pub(crate) raft::eraftpb::Message);
