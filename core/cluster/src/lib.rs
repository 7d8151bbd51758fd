#![doc = include_str!("../ARCHITECTURE.md")]

pub mod config;
pub mod detector;
pub mod effect;
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
pub mod resolver;
mod shard;
mod shard_time;

pub use config::{
    Acknowledge, Config, DecidesOn, Deposed, Expiry, FactsConfig, Forgets, GatewayConfig,
    LeadsConfig, MembershipConfig, OnSuspicion, Overdue, OwnerConfig, Promises, Ratio, Reads,
    Reckoning, Serves, Sessions, Setup,
};
pub use effect::{Effects, PersistId, Sending, Write};
pub use hlc::Stamp;
pub use id::{Epoch, ShardId};
pub use input::Input;
pub use journal::Found;
pub use mark::Mark;
pub use membership::Membership;
pub use message::{Answer, Beat, Gossip, Message, Moves};
pub use node::{Audit, Node};
pub use observation::{HandOverReason, Observation, Phase};
pub use placement::Placement;
pub use shard_time::ShardTime;
