#![doc = include_str!("../ARCHITECTURE.md")]

pub mod capsule;
pub mod cli;
mod command;
pub mod detection;
pub mod exit;
mod files;
pub mod invocation;
pub mod program;
pub mod progress;
pub mod settings;
pub mod shrink;
pub mod signature;
pub mod sweep;
pub mod terminal;
pub mod verify;
