//! A node's beat, its sign of life.
//!
//! Owns its content. Refuses to know what silence means.

use crate::release::Release;

/// A node-level sign of life, sent to every peer at a steady pace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// Number of the sender's boot: a peer that returns with another one has lost its memory.
    pub incarnation: u32,
    /// The release that the sender runs.
    pub release: Release,
    /// The version of the sender's map.
    pub map: u32,
    /// The load of the shards that the sender leads; zero where leads do not follow load.
    pub load: u32,
    /// A hash of the sender's table of members: equal for equal tables.
    pub view: u64,
}
