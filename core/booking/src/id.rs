//! Newtypes for ids.
//!
//! Owns names, not meaning: the module that keeps a shard or a hold says what it *is*.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Declares newtypes of numbers, each shown as its prefix and its number. A system declares its own ids with it, so
/// that all ids read alike. The caller's package needs `serde`.
#[macro_export]
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident($int:ty) = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            ::serde::Serialize, ::serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(pub $int);

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, concat!($prefix, "{}"), self.0)
            }
        }
    )*};
}

ids! {
    /// A booking node of the cluster.
    NodeId(u16) = "n";
    /// A failure domain; a shard's replicas are in different zones.
    ZoneId(u16) = "z";
    /// One performance, whose seats are sold.
    ShowId(u32) = "show";
    /// A block of rows in a hall.
    SectionId(u16) = "section";
    /// A seat of a show: its position in the hall, by section and row.
    SeatId(u32) = "seat";
    /// A person who wants tickets.
    UserId(u32) = "u";
    /// A population of clients that share a place on the network.
    ClientId(u16) = "c";
    /// One intention of one user; every retry of it carries the same id.
    RequestId(u64) = "r";
    /// A hold, named after its request.
    HoldId(u64) = "h";
    /// The payment provider's reference.
    PaymentId(u64) = "p";
}

impl From<RequestId> for HoldId {
    fn from(request: RequestId) -> Self {
        Self(request.0)
    }
}

/// The source or destination of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Endpoint {
    /// A booking node.
    Node(NodeId),
    /// A population of clients.
    Client(ClientId),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Client(client) => client.fmt(f),
        }
    }
}
