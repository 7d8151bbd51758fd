//! A write to a node's write-ahead log.
//!
//! Owns what a driver is handed to make durable. Refuses to know the meaning of the bytes and how a disk fails.

/// The number of a node's write; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersistId(pub u64);

/// One append to the node's write-ahead log, to be made durable by one fsync.
///
/// A node has at most one write in flight; the driver answers it with `Input::Persisted`, `Input::WriteFailed` or
/// `Input::WriteRefused`. A crash before that may keep any sectors of `bytes`: missing sectors before another read as
/// zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The number of the write, for the driver's answer.
    pub id: PersistId,
    /// The segment (file) to append to; created by its first write.
    pub segment: u32,
    /// Framed records.
    pub bytes: Vec<u8>,
    /// Once this write is durable, segments below this number may be deleted.
    pub retire_below: u32,
}
