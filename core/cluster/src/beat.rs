//! The sign of life of a node.
//!
//! Owns what one says. Refuses to know what silence means.

/// A node-level sign of life, sent to every peer at a steady pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Counts the sender's boots: a peer that returns with another number has lost its memory.
    pub incarnation: u64,
    /// The version of the map that it goes by.
    pub map: u32,
    /// How much the shards that it leads have to do; zero where leads do not follow load.
    pub load: u32,
    /// Stands for what the sender knows of the members: equal for equal tables.
    pub view: u64,
}
