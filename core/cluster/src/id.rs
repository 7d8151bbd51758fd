//! Newtypes for what only a replicated cluster numbers.
//!
//! Owns names, not meaning. What every system numbers stands in [`onsale_booking::id`].

onsale_booking::ids! {
    /// A replicated log and the shows whose events it carries.
    ShardId(u32) = "s";
    /// The leadership epoch of a shard: the term of its journal.
    Epoch(u64) = "e";
}
