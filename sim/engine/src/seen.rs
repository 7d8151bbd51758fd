//! The words for what is seen of a run: people, requests, and whom a story follows.
//!
//! Owns what the world, the crowd, the oracles and the stories all speak of, so that none of them needs another
//! for its words. Refuses to know what happens.

pub mod asked;
pub mod declared;
pub mod fate;
pub mod sight;
pub mod subject;
