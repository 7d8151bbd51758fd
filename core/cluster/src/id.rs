//! Ids that only a replicated cluster needs.
//!
//! Owns names, not meaning. [`onsale_booking::id`] has the ids of every system.

onsale_booking::ids! {
    /// A replicated log and the shows whose events it carries.
    ShardId(u32) = "s";
    /// The leadership epoch of a shard: the term of its journal.
    Epoch(u64) = "e";
}
