#![doc = include_str!("../ARCHITECTURE.md")]

mod asked;
mod asked_for;
mod atomic;
mod attempts;
mod claims;
mod clients;
mod double_booking;
pub mod evidence;
mod excuse;
mod false_sold_out;
mod free_seats;
mod hold;
pub mod interruptions;
mod journal;
mod known;
pub mod latency;
mod linearizable;
pub mod live;
mod lost_booking;
mod oracles;
pub mod overdue;
mod own;
mod position;
mod prompt;
mod register;
mod reply;
pub mod rule;
mod settings;
mod single_writer;
#[cfg(test)]
mod tests;
pub mod timer;
mod unusual;

pub use asked::Asked;
pub use evidence::{Findings, Story};
pub use excuse::Excuse;
pub use interruptions::{Interruptions, Load};
pub use oracles::Oracles;
pub use overdue::{Lateness, Overdue};
pub use own::Own;
pub use position::Position;
pub use reply::Table;
pub use rule::Rule;
pub use settings::OracleSettings;
pub use timer::Promise;
pub use unusual::Unusual;
