//! The journal from outside: a small cluster with a bad network and bad disks, the traps
//! of the Raft library one by one, and the write-ahead log under damage.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests fail by panicking")]

mod chance;
mod cluster;
mod five;
mod members;
mod narrow;
mod storm;
mod trap;
mod wal;
