//! Vocabulary for what is seen of a run: people, requests, and subjects of stories.
//!
//! Owns the types that crowd, judges and stories share, so that none of them needs another for them. Refuses to know
//! what happens.

pub mod asked;
pub mod declared;
pub mod fate;
pub mod messages;
pub mod naming;
pub mod sight;
pub mod subject;
