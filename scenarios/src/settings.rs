//! The settings of a scenario: every key of its file, defined once.
//!
//! Owns each key's type, unit, default, bounds, basis of the default and one-line doc; one section a file.
//! Refuses to know rules between two settings, and how a file is read.

pub(crate) mod arrivals;
pub(crate) mod cluster;
pub(crate) mod costs;
pub(crate) mod crowd;
pub(crate) mod disk;
pub(crate) mod expect;
pub(crate) mod facts;
pub(crate) mod manners;
pub(crate) mod network;
pub(crate) mod sale;

use std::ops::RangeInclusive;

use onsale_booking::Span;

pub use self::arrivals::Arrivals;
pub use self::cluster::{
    Cluster, Gateway, Journal, Leader, LeaderPlacement, Membership, ShardBy, System,
};
pub use self::costs::Costs;
pub(crate) use self::crowd::USERS_MAX;
pub use self::crowd::{Crowd, HealthCheck, Session, WaitingRoom};
pub use self::disk::{Disk, GoodCopies};
pub(crate) use self::expect::Expect;
pub use self::facts::{Facts, FactsSettings};
pub use self::manners::Manners;
pub use self::network::Network;
pub use self::sale::Sale;

/// Longest quantum.
pub(crate) const QUANTUM: RangeInclusive<Span> = Span::ZERO..=Span::from_secs(1);
