//! A write to a node's disk.
//!
//! Owns what is made durable by one fsync. Refuses to know what the bytes say.

/// Numbers a node's writes; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// One append to a segment of a node's log. A node has at most one write in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Names the write in what becomes of it.
    pub id: WriteId,
    /// The segment (file) to append to; created by its first write.
    pub segment: u32,
    /// What to append.
    pub bytes: Vec<u8>,
    /// Once this write is durable, segments below this number may be deleted.
    pub retire_below: u32,
}
