#![doc = include_str!("../ARCHITECTURE.md")]

pub mod best_seats;
pub mod config;
pub mod detector;
pub mod draw;
pub mod effect;
pub mod facts;
pub mod gateway;
pub mod hlc;
pub mod id;
pub mod input;
pub mod journal;
pub mod map;
pub mod mark;
pub mod membership;
pub mod message;
pub mod node;
pub mod observation;
pub mod placement;
pub mod record;
pub mod request;
pub mod resolver;
pub mod seat_list;
mod shard;
mod shard_time;
pub mod show;
pub mod time;
pub mod waiting_room;

pub use best_seats::BestSeats;
pub use config::{
    Acknowledge, Config, DecidesOn, Deposed, Expiry, FactsConfig, Forgets, GatewayConfig,
    LeadsConfig, MembershipConfig, OnSuspicion, Overdue, OwnerConfig, Promises, Ratio, Reads,
    Reckoning, Serves, Sessions, Setup,
};
pub use draw::Draw;
pub use effect::{Effects, PersistId, Sending, Write};
pub use hlc::Stamp;
pub use id::{
    ClientId, Endpoint, Epoch, HoldId, NodeId, PaymentId, RequestId, SeatId, SectionId, ShardId,
    ShowId, UserId, ZoneId,
};
pub use input::Input;
pub use journal::Found;
pub use map::{FixedMap, FixedSet};
pub use mark::Mark;
pub use membership::Membership;
pub use message::{Answer, Beat, Gossip, Message, Moves, Timed};
pub use node::{Audit, Node};
pub use observation::{HandOverReason, Observation, Phase};
pub use placement::Placement;
pub use request::{Command, Outcome, Refusal, Reply, Request, Wish};
pub use seat_list::SeatList;
pub use shard_time::ShardTime;
pub use show::{
    Checks, Decision, Event, Hall, Honours, Orders, Repeats, Rules, Show, SnapshotError, Unfit,
};
pub use time::{Instant, Span};
pub use waiting_room::WaitingRoom;
