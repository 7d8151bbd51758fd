#![doc = include_str!("../ARCHITECTURE.md")]

pub mod beat;
pub mod config;
pub mod detector;
pub mod effect;
pub mod fact;
pub mod facts;
pub mod gateway;
pub mod hlc;
pub mod id;
pub mod input;
pub mod journal;
pub mod mark;
pub mod membership;
pub mod message;
pub mod node;
pub mod observation;
pub mod placement;
pub mod record;
pub mod recovery_plan;
mod release;
pub mod resolver;
mod shard;
mod shard_time;
pub mod write;

pub use beat::Beat;
pub use config::{
    Acknowledge, Activates, Config, DecidesOn, Deposed, Expiry, FactsConfig, Forgets,
    GatewayConfig, LeaderConfig, LeaderPlacementConfig, MembershipConfig, OnSuspicion, Overdue,
    Ratio, Reads, Reckoning, Serves, Sessions, Setup,
};
pub use effect::{Effects, Sending};
pub use hlc::Stamp;
pub use id::{Epoch, ShardId};
pub use input::Input;
pub use journal::{Found, Promises};
pub use mark::Mark;
pub use membership::Membership;
pub use message::{Answer, Gossip, Message, Moves};
pub use node::{Audit, Node, Unsettled};
pub use observation::{Observation, Phase, TransferReason};
pub use placement::Placement;
pub use record::Format;
pub use recovery_plan::{RecoveryOrder, recovery_plan};
pub use release::Release;
pub use shard::Waiting;
pub use shard_time::ShardTime;
pub use write::{PersistId, Write};
