#![doc = include_str!("../ARCHITECTURE.md")]

pub mod best_seats;
pub mod choice;
pub mod draw;
pub mod id;
pub mod map;
pub mod request;
pub mod seat_list;
pub mod show;
pub mod time;
pub mod waiting_room;

pub use best_seats::BestSeats;
pub use draw::Draw;
pub use id::{
    ClientId, Endpoint, HoldId, NodeId, PaymentId, RequestId, SeatId, SectionId, ShowId, UserId,
    ZoneId,
};
pub use map::{FixedMap, FixedSet};
pub use request::{Command, Outcome, Refusal, Reply, Request, Wish};
pub use seat_list::SeatList;
pub use show::{
    Checks, Decision, Event, Hall, Honours, Orders, Repeats, Rules, Show, SnapshotError, Unfit,
};
pub use time::{Instant, Span, Timed};
pub use waiting_room::WaitingRoom;
