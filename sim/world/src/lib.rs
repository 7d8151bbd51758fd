#![doc = include_str!("../ARCHITECTURE.md")]

pub mod calendar;
pub mod cargo;
mod chatter;
pub mod clock;
pub mod congestion;
pub mod cores;
pub mod course;
pub mod disk;
mod health;
pub mod limits;
pub mod limp;
pub mod listener;
pub mod machine;
pub mod network;
pub mod place;
pub mod process;
pub mod program;
pub mod rotation;
pub mod sample;
pub mod stream;
pub mod touches;
pub mod trace_hash;
pub mod turn;
pub mod world;
pub mod write;

pub use cargo::Cargo;
pub use course::{Progress, Tracing};
pub use listener::{Listener, Meddler, Passing};
pub use machine::Machine;
pub use turn::{ClientsTurn, DirectorTurn, NodeTurn, Order, Stage, Turn};
pub use world::{Settings, World};
pub use write::{Write, WriteId};
