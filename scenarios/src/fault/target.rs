//! The node that a fault strikes.
//!
//! Owns how a target is named and read. Refuses to know which node it resolves to.

use std::fmt;
use std::str::FromStr;

use onsale_booking::NodeId;
use serde::{Deserializer, Serializer};

use crate::human::{self, Misread};
use crate::setting::{Kind, Value};

/// The node that a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `n3`.
    Node(NodeId),
    /// `leader`: the leader of the hot show when the fault strikes.
    Leader,
    /// `follower`: a node that replicates the hot show and does not lead it.
    Follower,
    /// `there`: the node at which the moment of `when` came.
    There,
}

impl Target {
    /// Targets of two faults instead of one: the hot show's leader, and a follower.
    pub(super) const BOTH_ROLES: [Self; 2] = [Self::Leader, Self::Follower];

    /// Another node than this one, whichever node leads the hot show.
    pub const fn other(self) -> Self {
        match self {
            Self::Leader => Self::Follower,
            Self::Follower | Self::There | Self::Node(_) => Self::Leader,
        }
    }

    /// Adapts it to a cluster of this many nodes.
    pub(super) const fn aim_within(&mut self, nodes: u16) {
        if let Self::Node(NodeId(number)) = self {
            *number = (*number - 1) % nodes + 1;
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(node) => node.fmt(f),
            Self::Leader => f.write_str("leader"),
            Self::Follower => f.write_str("follower"),
            Self::There => f.write_str("there"),
        }
    }
}

impl FromStr for Target {
    type Err = Misread;

    /// Reads `n3`, `leader`, `follower` or `there`.
    fn from_str(text: &str) -> Result<Self, Misread> {
        let number =
            text.strip_prefix('n').filter(|digits| !digits.is_empty()).and_then(human::digits);
        match (text, number.map(u16::try_from)) {
            ("leader", _) => Ok(Self::Leader),
            ("follower", _) => Ok(Self::Follower),
            ("there", _) => Ok(Self::There),
            (_, Some(Ok(number))) => Ok(Self::Node(NodeId(number))),
            (_, Some(Err(_)) | None) => {
                let help = match (
                    human::digits(text),
                    human::meant(text, ["leader", "follower", "there"]),
                ) {
                    (Some(number), _) if !text.is_empty() => format!("did you mean `n{number}`?"),
                    (_, Some(meant)) => meant,
                    (Some(_) | None, None) => {
                        "name a node `n3`, or `leader`, or `follower`".to_owned()
                    }
                };
                Err(Misread::new(format!("{text:?} is no target"), help))
            }
        }
    }
}

impl Value for Target {
    type Bounds = ();

    const ANY: () = ();

    fn kind((): &()) -> Kind {
        Kind::Text {
            form: "a node: `n3`, or `leader` or `follower` of the hot show, or `there` with `when`",
            pattern: r"^(n[0-9]+|leader|follower|there)$",
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        human::from_text(deserializer, "a target such as `n3` or `leader`", Self::from_str)
    }

    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
