//! A write to a node's disk.
//!
//! Owns the bytes made durable by one fsync. Refuses to know what they say.

/// Number of a node's write; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriteId(pub u64);

/// One append to a segment of a node's log. A node has at most one write in flight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Number of the write, which its result names.
    pub id: WriteId,
    /// The segment (file) to append to; its first write creates it.
    pub segment: u32,
    /// The bytes to append.
    pub bytes: Vec<u8>,
    /// Once this write is durable, segments below this number may be deleted.
    pub retire_below: u32,
}
