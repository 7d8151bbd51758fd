#![doc = include_str!("../ARCHITECTURE.md")]

pub mod effect;
pub mod id;
pub mod journal;
pub mod map;
pub mod message;
pub mod observation;
pub mod request;
pub mod time;

pub use effect::{Effects, PersistId, Write};
pub use id::{ClientId, Endpoint, Epoch, HoldId, NodeId, PaymentId, RequestId, SeatId, SectionId, ShardId, ShowId, UserId, ZoneId};
pub use map::{FixedMap, FixedSet};
pub use message::{Answer, Beat, Message, Timed};
pub use observation::Observation;
pub use request::{Command, Outcome, Refusal, Reply, Request, SeatList, Wish};
pub use time::{Instant, Span};
